/* Records that wait: they are read at once, so that no view of them stays open for as long as a
 * slow disk or network takes, and are written out in their own time. */
#include "backup_priv.h"

#include <obhut/crypto.h>
#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const ob_seal_kind kind = {.magic = "waiting", .version = 1, .name = "copy of the records"};

/* O_TMPFILE is not everywhere. */
static int nameless(const char *dir)
{
    char path[4096];
    int file = ob_file_open(AT_FDCWD, dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (file >= 0 || snprintf(path, sizeof path, "%s/.backup-XXXXXX", dir) >= (int)sizeof path)
        return file;
    file = ob_file_ask(OB_FILE_OPEN, AT_FDCWD, path) ? -1 : mkostemp(path, O_CLOEXEC);
    if (file >= 0)
        ob_file_unlink(AT_FDCWD, path, 0);
    return file;
}

static ob_status write_waiting(void *context, const void *bytes, size_t size, ob_error *err)
{
    ob_status status = stream_write(context, bytes, size, err);
    return status ? ob_fail_in(err, status, "while the records are read") : OB_OK;
}

ob_status spool_open(spool *out, const char *dir, ob_error *err)
{
    ob_seal_public own;
    *out = (spool){.file = nameless(dir)};
    if (out->file < 0)
        return ob_fail(err, OB_EIO, "%s: a file for the backup cannot be made there: %s", dir,
                       strerror(errno));
    ob_seal_pair(&own, &out->secret);
    return ob_seal_begin(&out->writer, &kind, &own, write_waiting, &out->file, err);
}

/* A backup must not be what fills the disk that the service writes to. */
static ob_status check_room(const spool *s, ob_error *err)
{
    enum { LEAST = 64 << 20 };
    struct statvfs disk;
    return !fstatvfs(s->file, &disk) && (uint64_t)disk.f_bavail * disk.f_frsize < LEAST
               ? ob_fail(err, OB_EIO,
                         "the data directory has not enough room for a copy of the records: a "
                         "backup must leave %d MB free",
                         LEAST >> 20)
               : OB_OK;
}

ob_status spool_put(void *context, const void *bytes, size_t size, ob_error *err)
{
    enum { OFTEN = 4 << 20 };
    spool *s = context;
    ob_status status = OB_OK;
    if (!s->size || s->size - s->checked > OFTEN) {
        status = check_room(s, err);
        s->checked = s->size;
    }
    s->size += size;
    return status ? status : ob_seal_add(s->writer, bytes, size, err);
}

ob_status spool_turn(spool *s, ob_error *err)
{
    ob_status status = ob_seal_finish(s->writer, err);
    if (!status && lseek(s->file, 0, SEEK_SET))
        status =
            ob_fail(err, OB_EIO, "the copy of the records cannot be read: %s", strerror(errno));
    return status ? status
                  : ob_unseal_begin(&s->reader, &kind, &s->secret, stream_read, &s->file, err);
}

ob_status spool_get(void *context, void *bytes, size_t capacity, size_t *size, ob_error *err)
{
    spool *s = context;
    return ob_unseal_read(s->reader, bytes, capacity, size, err);
}

void spool_close(spool *s)
{
    ob_seal_drop(s->writer);
    ob_unseal_drop(s->reader);
    ob_wipe(&s->secret, sizeof s->secret);
    if (s->file >= 0)
        close(s->file);
    *s = (spool){.file = -1};
}
