/* The system's calls for files, each after a look whether somebody watches. */
#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic(const ob_file_watch *) watching;

void ob_file_watch_by(const ob_file_watch *watch)
{
    atomic_store_explicit(&watching, watch, memory_order_release);
}

int ob_file_ask(ob_file_verb verb, int file, const char *path)
{
    const ob_file_watch *watch = atomic_load_explicit(&watching, memory_order_acquire);
    if (__builtin_expect(!watch, 1))
        return 0;
    const ob_file_call call = {verb, file, path};
    int before = errno, problem = watch->before(watch->context, &call);
    errno = problem ? problem : before;
    return problem ? -1 : 0;
}

/* ---- Names ----------------------------------------------------------------------------------- */

int ob_file_open(int dir, const char *path, int flags, mode_t mode)
{
    return ob_file_ask(OB_FILE_OPEN, dir, path) ? -1 : openat(dir, path, flags, mode);
}

int ob_file_rename(const char *from, const char *to)
{
    return ob_file_ask(OB_FILE_RENAME, AT_FDCWD, to) ? -1 : rename(from, to);
}

int ob_file_unlink(int dir, const char *path, int flags)
{
    return ob_file_ask(OB_FILE_UNLINK, dir, path) ? -1 : unlinkat(dir, path, flags);
}

int ob_file_mkdir(int dir, const char *path, mode_t mode)
{
    return ob_file_ask(OB_FILE_MKDIR, dir, path) ? -1 : mkdirat(dir, path, mode);
}

int ob_file_stat_at(struct stat *out, int dir, const char *path, int flags)
{
    return ob_file_ask(OB_FILE_STAT, dir, path) ? -1 : fstatat(dir, path, out, flags);
}

/* ---- Contents -------------------------------------------------------------------------------- */

int ob_file_stat(struct stat *out, int file)
{
    return ob_file_ask(OB_FILE_STAT, file, NULL) ? -1 : fstat(file, out);
}

ssize_t ob_file_read(int file, void *out, size_t size)
{
    return ob_file_ask(OB_FILE_READ, file, NULL) ? -1 : read(file, out, size);
}

ssize_t ob_file_pread(int file, void *out, size_t size, off_t at)
{
    return ob_file_ask(OB_FILE_READ, file, NULL) ? -1 : pread(file, out, size, at);
}

ssize_t ob_file_write(int file, const void *bytes, size_t size)
{
    return ob_file_ask(OB_FILE_WRITE, file, NULL) ? -1 : write(file, bytes, size);
}

ssize_t ob_file_pwrite(int file, const void *bytes, size_t size, off_t at)
{
    return ob_file_ask(OB_FILE_WRITE, file, NULL) ? -1 : pwrite(file, bytes, size, at);
}

int ob_file_sync(int file)
{
    return ob_file_ask(OB_FILE_SYNC, file, NULL) ? -1 : fsync(file);
}

int ob_file_sync_data(int file)
{
    return ob_file_ask(OB_FILE_SYNC, file, NULL) ? -1 : fdatasync(file);
}

int ob_file_truncate(int file, off_t size)
{
    return ob_file_ask(OB_FILE_TRUNCATE, file, NULL) ? -1 : ftruncate(file, size);
}

int ob_file_own(int file, uid_t owner, gid_t group)
{
    /* Unlike fchown(2), also of what was opened with O_PATH: a socket. */
    return ob_file_ask(OB_FILE_OWN, file, NULL) ? -1
                                                : fchownat(file, "", owner, group, AT_EMPTY_PATH);
}

/* ---- Files of a data directory --------------------------------------------------------------- */

static const char *kind_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFIFO:
        return "a pipe";
    case S_IFDIR:
        return "a directory";
    case S_IFLNK:
        return "a link";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static ob_status refuse_kind(const char *path, mode_t mode, ob_error *err)
{
    return ob_fail(err, OB_EREFUSED, "%s is %s, where a file must be: put the file itself there",
                   path, kind_name(mode));
}

bool ob_file_is_own(const struct stat *is)
{
    const uid_t me = geteuid();
    return !me || !is->st_uid || is->st_uid == me;
}

static ob_status check_rule(const struct stat *is, const char *path, const ob_file_rule *rule,
                            ob_error *err)
{
    if (!S_ISREG(is->st_mode))
        return refuse_kind(path, is->st_mode, err);
    if (rule->most && (uint64_t)is->st_size > rule->most)
        return ob_fail(err, OB_EREFUSED, "%s has %lld bytes; such a file has at most %llu", path,
                       (long long)is->st_size, (unsigned long long)rule->most);
    if (!ob_file_is_own(is))
        return ob_fail(
            err, OB_EREFUSED,
            "%s belongs to user %u; it must belong to user %u, who runs this, or to root", path,
            (unsigned)is->st_uid, (unsigned)geteuid());
    if (is->st_mode & rule->forbidden)
        return ob_fail(err, OB_EREFUSED,
                       "%s has mode %04o, open to others: look at who changed it, then "
                       "`chmod go-%s` it",
                       path, (unsigned)is->st_mode & 07777, rule->forbidden & 044 ? "rwx" : "w");
    return OB_OK;
}

/* Why an open failed: what stands there is looked at, so that a link or a socket is named. */
static ob_status refuse_open(const char *path, const ob_file_rule *rule, ob_error *err)
{
    const int why = errno;
    struct stat is;
    const bool there = !ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
    if (there && S_ISLNK(is.st_mode) && rule->follow_links)
        return ob_fail(err, OB_EIO, "%s is a link that leads nowhere: %s", path, strerror(why));
    if (there && !S_ISREG(is.st_mode))
        return refuse_kind(path, is.st_mode, err);
    if (!there && errno == ENOENT && why == ENOENT)
        return ob_fail(err, OB_ENOTFOUND, "%s cannot be opened: %s", path, strerror(why));
    return ob_fail(err, OB_EIO, "%s cannot be opened: %s", path, strerror(why));
}

ob_status ob_file_open_regular(int *out, struct stat *info, const char *path, int flags,
                               const ob_file_rule *rule, ob_error *err)
{
    struct stat is;
    const int nofollow = rule->follow_links ? 0 : O_NOFOLLOW;
    int file =
        ob_file_open(AT_FDCWD, path, flags | nofollow | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (file < 0)
        return refuse_open(path, rule, err);
    ob_status status = ob_file_stat(&is, file)
                           ? ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno))
                           : check_rule(&is, path, rule, err);
    if (status) {
        close(file);
        return status;
    }
    *out = file;
    if (info)
        *info = is;
    return OB_OK;
}

ob_status ob_file_give(int file, const char *path, int dir, const char *dir_path, ob_error *err)
{
    struct stat is, of;
    if (geteuid())
        return OB_OK;
    if (ob_file_stat(&is, file) || ob_file_stat_at(&of, dir, dir_path, 0))
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    /* One with another name may be any file of root's, which the owner has put there. */
    if (is.st_uid || !of.st_uid || (!S_ISDIR(is.st_mode) && is.st_nlink != 1))
        return OB_OK;
    if (ob_file_own(file, of.st_uid, of.st_gid))
        return ob_fail(err, OB_EIO, "%s cannot be given to user %u, who owns its directory: %s",
                       path, (unsigned)of.st_uid, strerror(errno));
    return OB_OK;
}

ob_status ob_file_make_dir(const char *path, const char *above, ob_error *err)
{
    if (ob_file_mkdir(AT_FDCWD, path, 0700))
        return errno == EEXIST
                   ? OB_OK
                   : ob_fail(err, OB_EIO, "%s cannot be made: %s", path, strerror(errno));
    int file = ob_file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (file < 0)
        return ob_fail(err, OB_EIO, "%s cannot be opened: %s", path, strerror(errno));
    ob_status status = ob_file_give(file, path, AT_FDCWD, above, err);
    close(file);
    return status;
}
