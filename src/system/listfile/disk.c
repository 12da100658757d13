/* What a list writes into its files. Everything that a full or a failing disk refuses to take is
 * refused here, but for names (dir.c). */
#include "listfile_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

ob_status disk_write(int file, const char *path, const void *bytes, uint64_t size, uint64_t at,
                     ob_error *err)
{
    enum { MOST = 1 << 30 };
    const char *from = bytes;
    while (size) {
        ssize_t done = ob_file_pwrite(file, from, size < MOST ? size : MOST, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ob_fail(err, OB_EIO, "%s cannot be written: %s", path,
                           done ? strerror(errno) : "nothing was taken");
        from += done;
        at += (uint64_t)done;
        size -= (uint64_t)done;
    }
    return OB_OK;
}

ob_status disk_cut(int file, const char *path, uint64_t size, ob_error *err)
{
    if (!ob_file_truncate(file, (off_t)size))
        return OB_OK;
    return ob_fail(err, OB_EIO, "%s cannot be written: %s", path, strerror(errno));
}

ob_status disk_sync(int file, const char *path, ob_error *err)
{
    if (!ob_file_sync_data(file))
        return OB_OK;
    return ob_fail(err, OB_EIO, "%s cannot be made durable: %s", path, strerror(errno));
}
