/* Files of a log: opened without following links, read by position, grown by what is durable. */
#include "audit_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ob_status dir_open(int *out, const char *path, const char *above, ob_error *err)
{
    ob_status status = above ? ob_file_make_dir(path, above, err) : OB_OK;
    if (status)
        return status;
    int dir = ob_file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (dir < 0)
        return ob_fail(err, errno == ENOENT ? OB_ENOTFOUND : OB_EIO,
                       "directory %s cannot be opened: %s", path, strerror(errno));
    *out = dir;
    return OB_OK;
}

ob_status dir_check(int dir, const char *path, ob_error *err)
{
    struct stat info;
    if (ob_file_stat(&info, dir))
        return ob_fail(err, OB_EIO, "directory %s cannot be read: %s", path, strerror(errno));
    if (!ob_file_is_own(&info))
        return ob_fail(err, OB_EREFUSED, "directory %s belongs to user %u: look at who changed it",
                       path, (unsigned)info.st_uid);
    if (info.st_mode & 022)
        return ob_fail(err, OB_EREFUSED,
                       "directory %s has mode %04o: others than its owner may write there. Look at "
                       "who changed it and what is in it, then `chmod go-w` it",
                       path, (unsigned)info.st_mode & 07777);
    return OB_OK;
}

ob_status file_open(int *out, int dir, const char *name, int flags, ob_error *err)
{
    struct stat info;
    /* O_NONBLOCK: a pipe of that name must not keep anybody waiting. */
    int file = ob_file_open(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (file < 0)
        return ob_fail(err,
                       errno == ENOENT  ? OB_ENOTFOUND
                       : errno == ELOOP ? OB_EREFUSED
                                        : OB_EIO,
                       "%s cannot be opened: %s", name,
                       errno == ELOOP ? "it is a symbolic link" : strerror(errno));
    ob_status status = OB_OK;
    if (ob_file_stat(&info, file))
        status = ob_fail(err, OB_EIO, "%s cannot be read: %s", name, strerror(errno));
    else if (!S_ISREG(info.st_mode))
        status = ob_fail(err, OB_EREFUSED, "%s is no regular file", name);
    else if ((flags & O_ACCMODE) != O_RDONLY && !ob_file_is_own(&info))
        status = ob_fail(err, OB_EREFUSED, "%s belongs to user %u: look at who changed it", name,
                         (unsigned)info.st_uid);
    else if ((flags & O_ACCMODE) != O_RDONLY && info.st_mode & 022)
        status =
            ob_fail(err, OB_EREFUSED,
                    "%s has mode %04o: others than its owner may write it. Look at who changed "
                    "it, then `chmod go-w` it",
                    name, (unsigned)info.st_mode & 07777);
    else if (flags & O_CREAT)
        status = ob_file_give(file, name, dir, ".", err);
    if (status)
        close(file);
    else
        *out = file;
    return status;
}

ob_status file_size(uint64_t *out, int file, const char *name, ob_error *err)
{
    struct stat info;
    if (ob_file_stat(&info, file))
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", name, strerror(errno));
    *out = (uint64_t)info.st_size;
    return OB_OK;
}

ob_status file_read(void *out, int file, const char *name, uint64_t offset, size_t size,
                    ob_error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = ob_file_pread(file, (char *)out + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ob_fail(err, OB_EIO, "%s cannot be read: %s", name,
                           got ? strerror(errno) : "it became shorter");
        done += (size_t)got;
    }
    return OB_OK;
}

ob_status file_sync(int file, const char *name, ob_error *err)
{
    return ob_file_sync(file)
               ? ob_fail(err, OB_EIO, "%s cannot be made durable: %s", name, strerror(errno))
               : OB_OK;
}

/* ---- Growing --------------------------------------------------------------------------------- */

static bool write_all(int file, const char *bytes, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t put = ob_file_pwrite(file, bytes + done, size - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            errno = put ? errno : ENOSPC;
            return false;
        }
        done += (size_t)put;
    }
    return true;
}

/* Looking takes as long as making an entry. */
static int64_t tick(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
               ? -1
               : (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static ob_status check_tail(const tail *tail, const char *path, ob_error *err)
{
    struct stat is, there;
    if (ob_file_stat(&is, tail->file))
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", tail->name, strerror(errno));
    if (ob_file_stat_at(&there, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW))
        return ob_fail(err, OB_EIO, "%s is gone from its place (%s): put the directory back",
                       tail->name, strerror(errno));
    if (is.st_ino != there.st_ino || is.st_dev != there.st_dev)
        return ob_fail(err, OB_EIO,
                       "%s was exchanged for another while the service runs: put it back, or stop "
                       "the service and look at what is there",
                       tail->name);
    if ((uint64_t)is.st_size != tail->bytes && !tail->dirty)
        return ob_fail(err, OB_EIO,
                       "%s has %llu bytes, and the service wrote %llu: somebody else changes it. "
                       "Stop the service; " AUDIT_ADVICE,
                       tail->name, (unsigned long long)is.st_size, (unsigned long long)tail->bytes);
    return OB_OK;
}

ob_status tail_check(tail *tail, const char *path, ob_error *err)
{
    const int64_t now = tick();
    if (now >= 0 && now == tail->checked)
        return OB_OK;
    ob_status status = check_tail(tail, path, err);
    tail->checked = status ? -1 : now;
    return status;
}

ob_status tail_cut(tail *tail, ob_error *err)
{
    /* Durable as well: else what was refused could reappear behind what is written next. */
    if (ob_file_truncate(tail->file, (off_t)tail->bytes) || ob_file_sync_data(tail->file))
        return ob_fail(err, OB_EIO, "%s cannot be cut back: %s", tail->name, strerror(errno));
    tail->dirty = false;
    return OB_OK;
}

ob_status tail_write(tail *tail, const char *bytes, size_t size, ob_error *err)
{
    ob_status status = tail->dirty ? tail_cut(tail, err) : OB_OK;
    if (status)
        return status;
    if (write_all(tail->file, bytes, size, tail->bytes) && !ob_file_sync_data(tail->file)) {
        tail->bytes += size;
        return OB_OK;
    }
    status = ob_fail(err, OB_EIO, "%s cannot be written: %s", tail->name, strerror(errno));
    tail->dirty = true;
    tail_cut(tail, NULL); /* and if that fails, before the next write */
    return status;
}
