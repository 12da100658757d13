/* Journals: lines that were acknowledged, and perhaps a last one that was not. */
#include "lists_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

enum { SUM_DIGITS = 16, HEAD = SUM_DIGITS + 1 };

/* ---- Writing ------------------------------------------------------------------------------ */

static ob_status sum_of(char out[SUM_DIGITS + 1], const char *text, size_t size, ob_error *err)
{
    uint8_t sum[OB_SHA256_SIZE];
    ob_status status = ob_sha256(sum, text, size, err);
    if (!status)
        ob_hex(out, sum, SUM_DIGITS / 2);
    return status;
}

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(object, name, json_string(text));
}

static json_t *entry_json(const entry *e)
{
    json_t *object = json_object();
    char hex[2 * OB_DIGEST_WIDTH_MAX + 1];
    if (e->has_hash) {
        ob_hash256_print(hex, &e->hash);
        set_text(object, "pdq", hex);
    }
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (e->has_digest[k]) {
            ob_hex(hex, e->digest[k], list_digest_kinds[k].width);
            set_text(object, list_digest_kinds[k].name, hex);
        }
    set_text(object, "id", e->id);
    set_text(object, "source", e->source);
    set_text(object, "classification", e->classification);
    set_text(object, "state", e->withdrawn ? "withdrawn" : NULL);
    return object;
}

static ob_status format_line(ob_buf *out, const entry *entries, size_t count, ob_error *err)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, entry_json(&entries[i]));
    bool whole = json_array_size(array) == count;
    char *text = whole ? json_dumps(array, JSON_COMPACT) : NULL;
    json_decref(array);
    if (!text)
        return ob_fail(err, OB_ENOMEM, "out of memory: a journal of a list");
    char sum[SUM_DIGITS + 1];
    ob_status status = sum_of(sum, text, strlen(text), err);
    if (!status)
        status = ob_buf_printf(out, err, "%s ", sum);
    if (!status)
        status = ob_buf_append(out, text, strlen(text), err);
    if (!status)
        status = ob_buf_append(out, "\n", 1, err);
    free(text);
    return status;
}

static ob_status write_line(const journal *j, const ob_buf *line, ob_error *err)
{
    for (size_t at = 0; at < line->size;) {
        ssize_t done = pwrite(j->file, line->bytes + at, line->size - at, (off_t)(j->size + at));
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ob_fail(err, OB_EIO, "%s cannot be written: %s", j->path,
                           done ? strerror(errno) : "nothing was taken");
        at += (size_t)done;
    }
    if (fdatasync(j->file))
        return ob_fail(err, OB_EIO, "%s cannot be made durable: %s", j->path, strerror(errno));
    return OB_OK;
}

ob_status journal_commit(journal *j, const entry *entries, size_t count, ob_error *err)
{
    ob_buf line = {0};
    ob_status status = format_line(&line, entries, count, err);
    /* What an earlier failure left behind the last whole line must not stay behind this one. */
    if (!status && ftruncate(j->file, (off_t)j->size))
        status = ob_fail(err, OB_EIO, "%s cannot be written: %s", j->path, strerror(errno));
    if (!status) {
        status = write_line(j, &line, err);
        if (!status)
            j->size += line.size;
        else if (ftruncate(j->file, (off_t)j->size))
            ob_fail_in(err, status, "not undone");
    }
    ob_buf_free(&line);
    return status;
}

static ob_status ignore(void *context, const entry *entry, ob_error *err)
{
    (void)context;
    (void)entry;
    (void)err;
    return OB_OK;
}

ob_status journal_open(journal *out, const char *dir, const char *name, uint64_t number,
                       ob_error *err)
{
    journal j = {.file = -1};
    ob_status status = list_journal_path(&j.path, dir, name, number, err);
    if (status)
        return status;
    j.file = open(j.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j.file < 0)
        status = ob_fail(err, OB_EIO, "%s cannot be opened: %s", j.path, strerror(errno));
    if (!status)
        status = journal_read(&j.size, j.path, ignore, NULL, err);
    if (!status && (ftruncate(j.file, (off_t)j.size) || fsync(j.file)))
        status = ob_fail(err, OB_EIO, "%s cannot be written: %s", j.path, strerror(errno));
    if (!status)
        status = list_sync_dir(dir, err);
    if (status)
        journal_close(&j);
    else
        *out = j;
    return status;
}

void journal_close(journal *j)
{
    if (j->file >= 0)
        close(j->file);
    free(j->path);
    *j = (journal){.file = -1};
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* Whether a line (without its end) is what was written; sets *array, owned by the caller. */
static bool parse_line(json_t **array, const char *line, size_t size)
{
    char sum[SUM_DIGITS + 1];
    if (size <= HEAD || line[SUM_DIGITS] != ' ' || sum_of(sum, line + HEAD, size - HEAD, NULL) ||
        memcmp(sum, line, SUM_DIGITS))
        return false;
    *array = json_loadb(line + HEAD, size - HEAD, JSON_REJECT_DUPLICATES, NULL);
    return json_is_array(*array);
}

static ob_status each_entry(const json_t *array,
                            ob_status (*each)(void *context, const entry *entry, ob_error *err),
                            void *context, ob_error *err)
{
    ob_status status = OB_OK;
    for (size_t i = 0; i < json_array_size(array) && !status; i++) {
        entry e;
        status = entry_from_json(&e, json_array_get(array, i), err);
        if (!status)
            status = each(context, &e, err);
    }
    return status;
}

static ob_status read_all(ob_buf *out, const char *path, ob_error *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return ob_fail(err, errno == ENOENT ? OB_ENOTFOUND : OB_EIO, "%s cannot be opened: %s",
                       path, strerror(errno));
    ob_status status = OB_OK;
    for (ssize_t got = 1; got && !status;) {
        status = ob_buf_reserve(out, 1 << 16, err);
        if (status)
            break;
        got = read(file, out->bytes + out->size, 1 << 16);
        if (got > 0)
            out->size += (size_t)got;
        else if (got < 0 && errno != EINTR)
            status = ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    }
    close(file);
    return status;
}

ob_status journal_read(uint64_t *whole, const char *path,
                       ob_status (*each)(void *context, const entry *entry, ob_error *err),
                       void *context, ob_error *err)
{
    ob_buf bytes = {0};
    ob_status status = read_all(&bytes, path, err);
    uint64_t line = 0;
    size_t at = 0;
    while (!status && at < bytes.size) {
        const char *end = memchr(bytes.bytes + at, '\n', bytes.size - at);
        size_t size = end ? (size_t)(end - bytes.bytes) - at : bytes.size - at;
        json_t *array = NULL;
        line++;
        bool good = end && parse_line(&array, bytes.bytes + at, size);
        if (good)
            status = each_entry(array, each, context, err);
        json_decref(array);
        if (!good && end && at + size + 1 < bytes.size)
            status = ob_fail(err, OB_EFORMAT, "not what was written");
        if (status)
            status = ob_fail_in(err, status, "%s, line %llu", path, (unsigned long long)line);
        if (!good)
            break;
        at += size + 1;
    }
    if (!status)
        *whole = at;
    ob_buf_free(&bytes);
    return status;
}
