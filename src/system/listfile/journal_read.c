/* Reading journals: groups that were acknowledged, and perhaps a last one that was not. */
#include "journal_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

/* ---- Lines ----------------------------------------------------------------------------------- */

typedef struct lines {
    const journal *of;
    bool endless; /* a line went on and on: what is behind it was not read */
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
    size_t searched = 0;
    bool last = false;
    for (;;) {
        size_t have = l->bytes.size - l->at;
        stop = have > searched ? memchr(l->bytes.bytes + l->at + searched, '\n', have - searched)
                               : NULL;
        if (stop || last)
            break;
        searched = have;
        if (have > JOURNAL_LINE_MOST) {
            l->endless = last = true;
            continue;
        }
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

static ob_status sum_behind(char out[SUM_DIGITS + 1], const char *before, const char *text,
                            size_t size, ob_error *err)
{
    ob_buf chained = {0};
    ob_status status = ob_buf_append(&chained, before, strlen(before), err);
    if (!status)
        status = ob_buf_append(&chained, text, size, err);
    if (!status)
        status = journal_sum(out, chained.bytes, chained.size, err);
    ob_buf_free(&chained);
    return status;
}

/* Sets *kind to that of a line (without its end) whose sum is right. `before` is the sum of the
 * line before it and becomes its own. */
static ob_status kind_of(line_kind *out, char before[SUM_DIGITS + 1], int version, const char *line,
                         size_t size, ob_error *err)
{
    line_kind kind = LINE_WHOLE;
    char sum[SUM_DIGITS + 1];
    *out = LINE_BAD;
    if (size <= HEAD || line[SUM_DIGITS] != ' ')
        return OB_OK;
    while (kind < LINE_BAD && !begins_with(line + HEAD, size - HEAD, journal_opening[kind]))
        kind++;
    const bool chained = version >= JOURNAL_VERSION || kind == LINE_MORE || kind == LINE_END;
    ob_status status = sum_behind(sum, chained ? before : "", line + HEAD, size - HEAD, err);
    if (!status && !memcmp(sum, line, SUM_DIGITS))
        *out = kind;
    memcpy(before, line, SUM_DIGITS);
    before[SUM_DIGITS] = '\0';
    return status;
}

/* ---- What counts ----------------------------------------------------------------------------- */

typedef struct measuring {
    journal *journal;
    const journal_extent *least;
    char sum[SUM_DIGITS + 1];        /* of the line before, as it stands there */
    char sum_so_far[SUM_DIGITS + 1]; /* over all lines so far, whatever the version */
    bool open;                       /* a group has begun and not ended */
    uint64_t bad_line;               /* the first of a tail that does not count; 0: none */
} measuring;

static ob_status not_what_was_written(uint64_t line, const char *path, ob_error *err)
{
    return ob_fail(err, OB_EFORMAT, "%s, line %llu: not what was written", path,
                   (unsigned long long)line);
}

/* The first line, before its sum is searched at: how sums are made is what it says. */
static ob_status take_version(journal *j, const char *line, size_t size, ob_error *err)
{
    const char *opening = journal_opening[LINE_VERSION];
    if (size <= HEAD || !begins_with(line + HEAD, size - HEAD, opening))
        return OB_OK;
    char text[SUM_DIGITS] = "";
    const size_t digits = size - HEAD - strlen(opening);
    memcpy(text, line + HEAD + strlen(opening), digits < sizeof text ? digits : sizeof text - 1);
    long version = strtol(text, NULL, 10);
    if (version < 2 || version > JOURNAL_VERSION)
        return ob_fail(err, OB_EFORMAT,
                       "%s, line 1: a journal of version %ld; this obhut reads version %d and "
                       "those before",
                       j->path, version, JOURNAL_VERSION);
    j->version = (int)version;
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
        if (begins || m->journal->version < 2)
            return not_what_was_written(m->bad_line, m->journal->path, err);
        return OB_OK;
    }
    if (!is_in_place(m, kind, l->count)) {
        m->bad_line = l->count;
        return begins ? not_what_was_written(l->count, m->journal->path, err) : OB_OK;
    }
    m->open = kind == LINE_BEGIN || kind == LINE_MORE;
    if (m->open)
        return OB_OK;
    journal *j = m->journal;
    j->size = next_at(l);
    j->extent.groups += kind != LINE_VERSION;
    memcpy(j->extent.sum, m->sum_so_far, sizeof j->extent.sum);
    if (m->least && kind != LINE_VERSION && j->extent.groups == m->least->groups &&
        strcmp(j->extent.sum, m->least->sum))
        return ob_fail(err, OB_EFORMAT, "%s, line %llu: whole, but not what was acknowledged",
                       j->path, (unsigned long long)l->count);
    return OB_OK;
}

/* What was acknowledged must be there. */
static ob_status check_least(const measuring *m, const lines *l, ob_error *err)
{
    const journal *j = m->journal;
    if (l->endless && (!m->least || j->version < 2))
        return ob_fail(err, OB_EFORMAT, "%s, line %llu: longer than any that is written", j->path,
                       (unsigned long long)l->count);
    if (!m->least || j->extent.groups >= m->least->groups)
        return OB_OK;
    const unsigned long long missing = m->least->groups - j->extent.groups;
    if (m->bad_line)
        return ob_fail_in(err, not_what_was_written(m->bad_line, j->path, err),
                          "changes that were acknowledged are missing: %llu", missing);
    return ob_fail(err, OB_EFORMAT,
                   "%s, line %llu: the journal ends here; changes that were acknowledged are "
                   "missing: %llu",
                   j->path, (unsigned long long)l->count, missing);
}

static ob_status measure_next(measuring *m, const lines *l, const char *line, size_t size,
                              bool ended, ob_error *err)
{
    line_kind kind = LINE_BAD;
    ob_status status = l->count == 1 && ended ? take_version(m->journal, line, size, err) : OB_OK;
    if (!status)
        status = kind_of(&kind, m->sum, m->journal->version, line, size, err);
    if (!status && kind == LINE_BAD && m->journal->version > 1 && l->count == 1 && ended)
        status = not_what_was_written(1, m->journal->path, err);
    if (!status && size > HEAD)
        status = sum_behind(m->sum_so_far, m->sum_so_far, line + HEAD, size - HEAD, err);
    return status ? status : measure_line(m, ended ? kind : LINE_BAD, l, err);
}

ob_status journal_measure(journal *j, const journal_extent *least, ob_error *err)
{
    lines l = {.of = j};
    measuring m = {.journal = j, .least = least};
    const char *line = NULL;
    size_t size = 0;
    bool ended = false;
    j->size = 0;
    j->extent.groups = 0;
    j->version = 1;
    ob_status status = next_line(&line, &size, &ended, &l, err);
    while (!status && line) {
        status = measure_next(&m, &l, line, size, ended, err);
        if (!status && l.endless)
            break;
        if (!status)
            status = next_line(&line, &size, &ended, &l, err);
    }
    if (!status)
        status = check_least(&m, &l, err);
    ob_buf_free(&l.bytes);
    return status;
}

/* ---- Entries --------------------------------------------------------------------------------- */

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
                       : json_object_get(text, "version")
                           ? OB_OK
                           : ob_fail(err, OB_EFORMAT, "not what was written");
    json_decref(text);
    return status;
}

ob_status journal_read_open(journal *j, const journal_extent *least,
                            ob_status (*each)(void *context, const entry *entry, ob_error *err),
                            void *context, ob_error *err)
{
    lines l = {.of = j};
    const char *line = NULL;
    size_t size = 0;
    bool ended = false;
    ob_status status = journal_measure(j, least, err);
    while (!status && next_at(&l) < j->size) {
        status = next_line(&line, &size, &ended, &l, err);
        if (status)
            break;
        status = line ? read_line(line, size, each, context, err)
                      : ob_fail(err, OB_EIO, "it became shorter");
        if (status)
            status = ob_fail_in(err, status, "%s, line %llu", j->path, (unsigned long long)l.count);
    }
    ob_buf_free(&l.bytes);
    return status;
}

ob_status journal_check(const char *path, const journal_extent *least, ob_error *err)
{
    journal j = {.file = -1, .path = (char *)(uintptr_t)path};
    const ob_file_rule rule = {.most = JOURNAL_SIZE_MOST, .forbidden = 0022};
    ob_status status = ob_file_open_regular(&j.file, NULL, path, O_RDONLY, &rule, err);
    if (status)
        return status;
    status = journal_measure(&j, least, err);
    close(j.file);
    return status;
}

ob_status journal_read(journal_extent *whole, int *version, const char *path,
                       const journal_reading *how, ob_error *err)
{
    journal j = {.file = -1, .path = (char *)(uintptr_t)path};
    const ob_file_rule rule = {.most = JOURNAL_SIZE_MOST, .forbidden = 0022};
    ob_status status = ob_file_open_regular(&j.file, NULL, path, O_RDONLY, &rule, err);
    if (status)
        return status;
    status = journal_read_open(&j, how->least, how->each, how->context, err);
    if (!status) {
        memcpy(whole->sum, j.extent.sum, sizeof whole->sum);
        whole->groups = j.extent.groups;
        if (version)
            *version = j.version;
    }
    close(j.file);
    return status;
}
