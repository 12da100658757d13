/* What everybody needs who reads a directory with a log. */
#include "audit_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

ob_status reader_dir(int *out, const char *path, ob_error *err)
{
    int dir = ob_file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (dir < 0)
        return ob_fail(err, errno == ENOENT || errno == ENOTDIR ? OB_ENOTFOUND : OB_EIO,
                       "%s: no audit log can be read there: %s", path, strerror(errno));
    *out = dir;
    return OB_OK;
}

ob_status reader_key(log_key *out, int dir, ob_error *err)
{
    char text[KEY_LINE + 1];
    int file = -1;
    uint64_t size = 0;
    ob_status status = file_open(&file, dir, "key", O_RDONLY, err);
    if (!status)
        status = file_size(&size, file, "key", err);
    if (!status && size != KEY_LINE)
        status = ob_fail(err, OB_EFORMAT, "key is not a key of a log: %llu bytes instead of %d",
                         (unsigned long long)size, KEY_LINE);
    if (!status)
        status = file_read(text, file, "key", 0, KEY_LINE, err);
    if (!status && text[OB_AUDIT_KEY] != '\n')
        status = ob_fail(err, OB_EFORMAT, "key does not end with a newline");
    if (!status)
        status = key_parse(out, text, KEY_LINE, err);
    if (file >= 0)
        close(file);
    return status;
}

ob_status reader_open(reader *out, const char *path, ob_error *err)
{
    reader r = {.dir = -1};
    ob_status status = reader_dir(&r.dir, path, err);
    if (!status && reader_key(&r.key, r.dir, err))
        status = ob_fail_in(err, OB_EFORMAT, "%s", path);
    if (!status)
        status = ob_sha256_begin(&r.sum, err);
    if (status)
        reader_close(&r);
    else
        *out = r;
    return status;
}

void reader_close(reader *r)
{
    if (r->dir >= 0)
        close(r->dir);
    ob_sha256_drop(&r->sum);
    r->dir = -1;
}
