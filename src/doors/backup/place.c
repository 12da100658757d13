/* Where a directory is built beside its place, so that it takes its name whole or not at all. */
#include "backup_priv.h"

#include <obhut/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Trees ----------------------------------------------------------------------------------- */

enum { LEVELS = 4 }; /* a directory of ours has two */

typedef ob_status (*visitor)(const place *p, int dir, const char *name, bool is_dir, ob_error *err);

static ob_status walk(const place *p, int dir, int levels, visitor visit, ob_error *err);

static ob_status walk_one(const place *p, int dir, const char *name, int levels, visitor visit,
                          ob_error *err)
{
    ob_status status = OB_OK;
    int below = ob_file_open(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (below >= 0)
        status = levels
                     ? walk(p, below, levels - 1, visit, err)
                     : ob_fail(err, OB_EREFUSED, "%s: too many directories in each other", p->path);
    if (!status)
        status = visit(p, dir, name, below >= 0, err);
    if (below >= 0)
        close(below);
    return status;
}

/* Visits whatever is in a directory, and before that what is in it. (fts of glibc dies where memory
 * runs out.) */
static ob_status walk(const place *p, int dir, int levels, visitor visit, ob_error *err)
{
    int again = ob_file_open(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    DIR *list = again >= 0 ? fdopendir(again) : NULL;
    ob_status status = OB_OK;
    if (!list) {
        status = ob_fail(err, OB_EIO, "%s cannot be read: %s", p->path, strerror(errno));
        if (again >= 0)
            close(again);
        return status;
    }
    for (struct dirent *one; !status && (one = readdir(list)) != NULL;)
        if (strcmp(one->d_name, ".") && strcmp(one->d_name, ".."))
            status = walk_one(p, dir, one->d_name, levels, visit, err);
    closedir(list);
    return status;
}

static ob_status remove_one(const place *p, int dir, const char *name, bool is_dir, ob_error *err)
{
    return ob_file_unlink(dir, name, is_dir ? AT_REMOVEDIR : 0)
               ? ob_fail(err, OB_EIO, "%s: %s cannot be removed: %s", p->path, name,
                         strerror(errno))
               : OB_OK;
}

/* Removes what is in the directory that is built, not the directory. */
static ob_status clear(const place *p, ob_error *err)
{
    return walk(p, p->file, LEVELS, remove_one, err);
}

static ob_status sync_file(const place *p, int file, const char *name, ob_error *err)
{
    return (p->has_owner && fchown(file, p->owner, p->group)) || ob_file_sync(file)
               ? ob_fail(err, OB_EIO, "%s: %s cannot be made durable: %s", p->path, name,
                         strerror(errno))
               : OB_OK;
}

static ob_status sync_one(const place *p, int dir, const char *name, bool is_dir, ob_error *err)
{
    int file = ob_file_open(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    (void)is_dir;
    if (file < 0)
        return ob_fail(err, OB_EIO, "%s: %s cannot be opened: %s", p->path, name, strerror(errno));
    ob_status status = sync_file(p, file, name, err);
    close(file);
    return status;
}

/* Gives everything to its owner and to the disk; directories after what is in them. */
static ob_status sync_all(const place *p, ob_error *err)
{
    ob_status status = walk(p, p->file, LEVELS, sync_one, err);
    return status ? status : sync_file(p, p->file, "the directory", err);
}

/* The directory that holds p->dir. */
static ob_status open_above(int *out, const place *p, ob_error *err)
{
    char *above = strdup(p->dir);
    if (!above)
        return ob_fail(err, OB_ENOMEM, "out of memory: a path");
    char *slash = strrchr(above, '/');
    if (slash)
        slash[slash == above] = '\0';
    int file = ob_file_open(AT_FDCWD, slash ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    ob_status status = file < 0 ? ob_fail(err, OB_EIO, "%s cannot be opened: %s",
                                          slash ? above : ".", strerror(errno))
                                : OB_OK;
    free(above);
    *out = file;
    return status;
}

/* ---- Beginning ------------------------------------------------------------------------------- */

/* Somebody has the directory's lock: a service, or a command. */
static bool is_in_use(int dir)
{
    int lock = ob_file_open(dir, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
    bool used = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (lock >= 0)
        close(lock);
    return used;
}

static ob_status check_empty(const place *p, int dir, ob_error *err)
{
    int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    bool any = false;
    if (!list) {
        if (copy >= 0)
            close(copy);
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", p->dir, strerror(errno));
    }
    for (struct dirent *one; !any && (one = readdir(list)) != NULL;)
        any = strcmp(one->d_name, ".") && strcmp(one->d_name, "..");
    closedir(list);
    if (!any)
        return OB_OK;
    return is_in_use(dir)
               ? ob_fail(err, OB_EBUSY,
                         "a service or a command is using %s: end it, and restore into an empty "
                         "directory",
                         p->dir)
               : ob_fail(err, OB_EREFUSED,
                         "%s is not empty: restore into another directory (--into), or move what "
                         "is there out of the way",
                         p->dir);
}

/* An existing directory must be empty, and one that can be replaced. */
static ob_status check_place(place *p, ob_error *err)
{
    struct stat here = {0}, above = {0};
    int parent = -1;
    int dir = ob_file_open(AT_FDCWD, p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (dir < 0)
        return errno == ENOENT ? OB_OK
                               : ob_fail(err, OB_EREFUSED, "%s cannot become a directory: %s",
                                         p->dir, strerror(errno));
    ob_status status = check_empty(p, dir, err);
    if (!status)
        status = open_above(&parent, p, err);
    if (!status && (ob_file_stat(&here, dir) || ob_file_stat(&above, parent)))
        status = ob_fail(err, OB_EIO, "%s cannot be read: %s", p->dir, strerror(errno));
    if (!status && here.st_dev != above.st_dev)
        status = ob_fail(err, OB_EREFUSED,
                         "%s is a file system of its own, which cannot be replaced as a whole: "
                         "restore into a new directory in it (--into %s/data)",
                         p->dir, p->dir);
    if (!status && geteuid() == 0) {
        p->has_owner = true;
        p->owner = here.st_uid;
        p->group = here.st_gid;
    }
    close(dir);
    if (parent >= 0)
        close(parent);
    return status;
}

/* The directories above. */
static ob_status make_above(const char *path, ob_error *err)
{
    char *copy = strdup(path);
    ob_status status = copy ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: a path");
    for (char *p = copy ? strchr(copy + 1, '/') : NULL; p && !status; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (ob_file_mkdir(AT_FDCWD, copy, 0700) && errno != EEXIST)
            status = ob_fail(err, OB_EIO, "%s cannot be made: %s", copy, strerror(errno));
        *p = '/';
    }
    free(copy);
    return status;
}

/* Opens DIR.restoring, makes it ours alone, and removes what was left in it. */
static ob_status take(place *p, ob_error *err)
{
    struct stat ours, now;
    if (ob_file_mkdir(AT_FDCWD, p->path, 0700) && errno != EEXIST)
        return ob_fail(err, OB_EIO, "%s cannot be made: %s", p->path, strerror(errno));
    p->file = ob_file_open(AT_FDCWD, p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (p->file < 0 || ob_file_stat(&ours, p->file))
        return ob_fail(err, OB_EIO, "%s cannot be opened: %s", p->path, strerror(errno));
    /* The process that had the lock may have renamed it, and then it belongs to another path: this
     * is checked once the lock is held. */
    if (flock(p->file, LOCK_EX | LOCK_NB) ||
        ob_file_stat_at(&now, AT_FDCWD, p->path, AT_SYMLINK_NOFOLLOW) ||
        now.st_ino != ours.st_ino || now.st_dev != ours.st_dev) {
        close(p->file);
        p->file = -1; /* not ours to remove */
        return ob_fail(err, OB_EBUSY, "another restore is working on %s: wait for its end", p->dir);
    }
    if (ours.st_uid != geteuid() || ours.st_mode & 077) {
        close(p->file);
        p->file = -1;
        return ob_fail(err, OB_EREFUSED, "%s is there and not this user's own: remove it", p->path);
    }
    return clear(p, err);
}

/* Without slashes at its end, and with links in it followed. */
static char *plain_path(const char *dir)
{
    char *real = realpath(dir, NULL);
    if (!real && errno == ENOENT)
        real = strdup(dir);
    for (size_t length = real ? strlen(real) : 0; length > 1 && real[length - 1] == '/';)
        real[--length] = '\0';
    return real;
}

ob_status place_begin(place *out, const char *dir, ob_error *err)
{
    *out = (place){.file = -1, .dir = plain_path(dir)};
    if (!out->dir)
        return ob_fail(err, OB_EIO, "%s cannot be used: %s", dir, strerror(errno));
    if (asprintf(&out->path, "%s.restoring", out->dir) < 0) {
        out->path = NULL;
        return ob_fail(err, OB_ENOMEM, "out of memory: a path");
    }
    ob_status status = check_place(out, err);
    if (!status)
        status = make_above(out->dir, err);
    return status ? status : take(out, err);
}

/* ---- Building, and ending -------------------------------------------------------------------- */

ob_status place_file(int *out, const place *p, const char *name, uint32_t mode, ob_error *err)
{
    char folder[64];
    const char *slash = strchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) : 0;
    if (length >= sizeof folder)
        return ob_fail(err, OB_EINVAL, "%s: an impossible name", name);
    memcpy(folder, name, length);
    folder[length] = '\0';
    if (length && ob_file_mkdir(p->file, folder, 0700) && errno != EEXIST)
        return ob_fail(err, OB_EIO, "%s/%s cannot be made: %s", p->path, folder, strerror(errno));
    int file =
        ob_file_open(p->file, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (file < 0)
        return ob_fail(err, OB_EIO, "%s/%s cannot be made: %s", p->path, name, strerror(errno));
    *out = file;
    return OB_OK;
}

ob_status place_finish(place *p, ob_error *err)
{
    int above = -1;
    ob_status status = sync_all(p, err);
    if (!status)
        status = open_above(&above, p, err);
    if (!status && ob_file_rename(p->path, p->dir))
        status = errno == ENOTEMPTY || errno == EEXIST
                     ? ob_fail(err, OB_EBUSY, "%s is no longer empty", p->dir)
                     : ob_fail(err, OB_EIO, "%s cannot take the place of %s: %s", p->path, p->dir,
                               strerror(errno));
    if (!status) {
        close(p->file); /* it has its name: nothing to remove */
        p->file = -1;
        if (ob_file_sync(above))
            status =
                ob_fail(err, OB_EIO, "%s is restored, but may be gone after a power failure: %s",
                        p->dir, strerror(errno));
    }
    if (above >= 0)
        close(above);
    return status;
}

void place_drop(place *p)
{
    if (p->file >= 0) {
        clear(p, NULL);
        ob_file_unlink(AT_FDCWD, p->path, AT_REMOVEDIR);
        close(p->file);
    }
    free(p->path);
    free(p->dir);
    *p = (place){.file = -1};
}
