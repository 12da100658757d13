/* Reading journals: groups that were acknowledged, and perhaps a last one that was not. */
#include "journal_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

/* ---- Lines -------------------------------------------------------------------------------- */

typedef struct lines {
    const journal *of;
    ob_buf bytes;
    size_t at;      /* in these: the next line */
    uint64_t read;  /* of the file */
    uint64_t count; /* lines so far */
} lines;

/* Where in the file the next line begins. */
static uint64_t next_at(const lines *l)
{
    return l->read - (l->bytes.size - l->at);
}

static ob_status more_bytes(bool *ended, lines *l, ob_error *err)
{
    enum { STEP = 1 << 18 };
    ssize_t got;
    if (l->at) {
        memmove(l->bytes.bytes, l->bytes.bytes + l->at, l->bytes.size - l->at);
        l->bytes.size -= l->at;
        l->at = 0;
    }
    ob_status status = ob_buf_reserve(&l->bytes, STEP, err);
    if (status)
        return status;
    do
        got = ob_file_pread(l->of->file, l->bytes.bytes + l->bytes.size, STEP, (off_t)l->read);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", l->of->path, strerror(errno));
    l->bytes.size += (size_t)got;
    l->read += (uint64_t)got;
    *ended = got == 0;
    return OB_OK;
}

/* Sets *line to NULL behind the last one; *ended where it has an end. */
static ob_status next_line(const char **line, size_t *size, bool *ended, lines *l, ob_error *err)
{
    const char *stop = NULL;
    size_t looked = 0;
    bool last = false;
    for (;;) {
        size_t have = l->bytes.size - l->at;
        stop = have > looked ? memchr(l->bytes.bytes + l->at + looked, '\n', have - looked) : NULL;
        if (stop || last)
            break;
        looked = have;
        ob_status status = more_bytes(&last, l, err);
        if (status)
            return status;
    }
    const char *start = l->bytes.bytes + l->at;
    *size = stop ? (size_t)(stop - start) : l->bytes.size - l->at;
    *ended = stop != NULL;
    *line = *size || stop ? start : NULL;
    l->at += *size + (stop != NULL);
    l->count += *line != NULL;
    return OB_OK;
}

static bool begins_with(const char *text, size_t size, const char *with)
{
    return size >= strlen(with) && !memcmp(text, with, strlen(with));
}

/* The kind of a line (without its end) whose sum is right. `before` is the sum of the line before
 * it and becomes its own. */
static line_kind kind_of(char before[SUM_DIGITS + 1], const char *line, size_t size)
{
    line_kind kind = LINE_WHOLE;
    char sum[SUM_DIGITS + 1];
    ob_buf chained = {0};
    if (size <= HEAD || line[SUM_DIGITS] != ' ')
        return LINE_BAD;
    while (kind < LINE_BAD && !begins_with(line + HEAD, size - HEAD, journal_opening[kind]))
        kind++;
    ob_status status = OB_OK;
    if (kind == LINE_MORE || kind == LINE_END)
        status = ob_buf_append(&chained, before, strlen(before), NULL);
    if (!status)
        status = ob_buf_append(&chained, line + HEAD, size - HEAD, NULL);
    if (!status)
        status = journal_sum(sum, chained.bytes, chained.size, NULL);
    ob_buf_free(&chained);
    if (status || memcmp(sum, line, SUM_DIGITS))
        kind = LINE_BAD;
    memcpy(before, line, SUM_DIGITS);
    before[SUM_DIGITS] = '\0';
    return kind;
}

/* ---- What counts ---------------------------------------------------------------------------- */

typedef struct measuring {
    journal *journal;
    bool open;         /* a group has begun and not ended */
    uint64_t bad_line; /* the first of a tail that does not count; 0: none */
} measuring;

static ob_status not_what_was_written(uint64_t line, const char *path, ob_error *err)
{
    return ob_fail(err, OB_EFORMAT, "%s, line %llu: not what was written", path,
                   (unsigned long long)line);
}

static ob_status take_version(journal *j, const char *line, ob_error *err)
{
    long version = strtol(line + HEAD + strlen(journal_opening[LINE_VERSION]), NULL, 10);
    if (version != JOURNAL_VERSION)
        return ob_fail(err, OB_EFORMAT,
                       "%s, line 1: a journal of version %ld; this obhut reads version %d and the "
                       "one before",
                       j->path, version, JOURNAL_VERSION);
    j->version = JOURNAL_VERSION;
    return OB_OK;
}

static bool is_in_place(const measuring *m, line_kind kind, uint64_t number)
{
    switch (kind) {
    case LINE_WHOLE:
    case LINE_BEGIN:
        return !m->open;
    case LINE_MORE:
    case LINE_END:
        return m->open;
    case LINE_VERSION:
        return number == 1;
    default:
        return false;
    }
}

/* A group is written behind those that were acknowledged, and what failed is taken back: only the
 * last one can be less than whole. So a line that begins a group shows that all before it counted.
 * Journals of the first version have groups of one line only. */
static ob_status measure_line(measuring *m, line_kind kind, const lines *l, ob_error *err)
{
    const bool begins = kind == LINE_WHOLE || kind == LINE_BEGIN || kind == LINE_VERSION;
    if (m->bad_line) {
        if (begins || m->journal->version < JOURNAL_VERSION)
            return not_what_was_written(m->bad_line, m->journal->path, err);
        return OB_OK;
    }
    if (!is_in_place(m, kind, l->count)) {
        m->bad_line = l->count;
        return begins ? not_what_was_written(l->count, m->journal->path, err) : OB_OK;
    }
    m->open = kind == LINE_BEGIN || kind == LINE_MORE;
    if (!m->open)
        m->journal->size = next_at(l);
    return OB_OK;
}

ob_status journal_measure(journal *j, ob_error *err)
{
    lines l = {.of = j};
    measuring m = {.journal = j};
    char sum[SUM_DIGITS + 1] = "";
    const char *line = NULL;
    size_t size = 0;
    bool ended = false;
    j->size = 0;
    j->version = 1;
    ob_status status = next_line(&line, &size, &ended, &l, err);
    while (!status && line) {
        line_kind kind = kind_of(sum, line, size);
        if (!ended)
            kind = LINE_BAD;
        if (kind == LINE_VERSION && l.count == 1)
            status = take_version(j, line, err);
        if (!status)
            status = measure_line(&m, kind, &l, err);
        if (!status)
            status = next_line(&line, &size, &ended, &l, err);
    }
    ob_buf_free(&l.bytes);
    return status;
}

/* ---- Entries ------------------------------------------------------------------------------ */

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

/* The array is the line's text, or the only member of the object that it is. */
static ob_status read_line(const char *line, size_t size,
                           ob_status (*each)(void *context, const entry *entry, ob_error *err),
                           void *context, ob_error *err)
{
    json_t *text = json_loadb(line + HEAD, size - HEAD, JSON_REJECT_DUPLICATES, NULL);
    const json_t *array = json_is_object(text) && json_object_size(text) == 1
                              ? json_object_iter_value(json_object_iter(text))
                              : text;
    ob_status status = json_is_array(array) ? each_entry(array, each, context, err)
                       : json_is_integer(array) && text != array
                           ? OB_OK /* the version */
                           : ob_fail(err, OB_EFORMAT, "not what was written");
    json_decref(text);
    return status;
}

ob_status journal_read(uint64_t *whole, const char *path,
                       ob_status (*each)(void *context, const entry *entry, ob_error *err),
                       void *context, ob_error *err)
{
    journal j = {.file = ob_file_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0),
                 .path = (char *)(uintptr_t)path};
    if (j.file < 0)
        return ob_fail(err, errno == ENOENT ? OB_ENOTFOUND : OB_EIO, "%s cannot be opened: %s",
                       path, strerror(errno));
    lines l = {.of = &j};
    const char *line = NULL;
    size_t size = 0;
    bool ended = false;
    ob_status status = journal_measure(&j, err);
    while (!status && next_at(&l) < j.size) {
        status = next_line(&line, &size, &ended, &l, err);
        if (status)
            break;
        status = line ? read_line(line, size, each, context, err)
                      : ob_fail(err, OB_EIO, "it became shorter");
        if (status)
            status = ob_fail_in(err, status, "%s, line %llu", path, (unsigned long long)l.count);
    }
    if (!status)
        *whole = j.size;
    ob_buf_free(&l.bytes);
    close(j.file);
    return status;
}
