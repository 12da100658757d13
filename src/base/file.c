/* The system's calls for files, each after a look whether somebody watches. */
#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
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

/* ---- Names ---------------------------------------------------------------------------------- */

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

/* ---- Contents ------------------------------------------------------------------------------- */

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
