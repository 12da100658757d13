/* Descriptors as streams, and backups that are being read. */
#include "backup_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

const ob_seal_kind ob_backup_kind = {
    .magic = {0x89, 'O', 'B', 'B', '\r', '\n', 0x1A, '\n'}, .version = 1, .name = "backup"};

ob_status stream_write(void *context, const void *bytes, size_t size, ob_error *err)
{
    const int *to = context;
    const char *from = bytes;
    while (size) {
        ssize_t done = ob_file_write(*to, from, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ob_fail(err, OB_EIO, "the backup cannot be written: %s",
                           done ? strerror(errno) : "nothing was taken");
        from += done;
        size -= (size_t)done;
    }
    return OB_OK;
}

ob_status stream_read(void *context, void *bytes, size_t capacity, size_t *size, ob_error *err)
{
    const int *from = context;
    ssize_t got;
    do
        got = ob_file_read(*from, bytes, capacity);
    while (got < 0 && errno == EINTR);
    *size = got > 0 ? (size_t)got : 0;
    return got < 0 ? ob_fail(err, OB_EIO, "the backup cannot be read: %s", strerror(errno)) : OB_OK;
}

ob_status opened_begin(opened *out, ob_backup_about *about, int file, const ob_seal_secret *secret,
                       ob_error *err)
{
    *out = (opened){.file = file};
    ob_status status =
        ob_unseal_begin(&out->sealed, &ob_backup_kind, secret, stream_read, &out->file, err);
    out->sequence = (sequence){.get = ob_unseal_read, .context = out->sealed};
    return status ? status : about_read(about, &out->sequence, err);
}

void opened_close(opened *o)
{
    ob_unseal_drop(o->sealed);
    o->sealed = NULL;
}
