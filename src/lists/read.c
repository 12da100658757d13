/* Lines of a published list: plain text, CSV with a header, or JSON Lines. */
#include "lists_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>

enum { CHUNK = 1 << 20, MAX_LINE = 64 << 10, MAX_COLUMNS = 256 };

/* What an entry is made of, wherever it stands in a line. */
typedef enum field {
    FIELD_MD5, /* the kinds of digests come first, in their order */
    FIELD_SHA1,
    FIELD_SHA256,
    FIELD_HASH,
    FIELD_ID,
    FIELD_SOURCE,
    FIELD_CLASSIFICATION,
    FIELD_STATE,
    FIELDS
} field;

struct reader {
    int file;
    const char *label;
    ob_buf input;
    size_t at; /* first byte of `input` that is not used up */
    uint64_t line, bytes;
    bool ended;
    enum { KIND_UNKNOWN, KIND_TEXT, KIND_CSV, KIND_JSON } kind;
    int column[FIELDS]; /* CSV: where each stands, or -1 */
    json_t *object;     /* JSON: what the entry points into */
};

ob_status reader_new(reader **out, int file, const char *label, ob_error *err)
{
    reader *r = calloc(1, sizeof *r);
    if (!r)
        return ob_fail(err, OB_ENOMEM, "out of memory: reading a list");
    r->file = file;
    r->label = label;
    *out = r;
    return OB_OK;
}

void reader_free(reader *r)
{
    if (!r)
        return;
    json_decref(r->object);
    ob_buf_free(&r->input);
    free(r);
}

uint64_t reader_bytes(const reader *r)
{
    return r->bytes;
}

/* ---- Lines -------------------------------------------------------------------------------- */

static ob_status fill(reader *r, ob_error *err)
{
    if (r->at) {
        memmove(r->input.bytes, r->input.bytes + r->at, r->input.size - r->at);
        r->input.size -= r->at;
        r->at = 0;
    }
    ob_status status = ob_buf_reserve(&r->input, CHUNK, err);
    if (status)
        return status;
    ssize_t got;
    do
        got = ob_file_read(r->file, r->input.bytes + r->input.size, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ob_fail(err, OB_EIO, "list \"%s\" cannot be read: %s", r->label, strerror(errno));
    r->ended = got == 0;
    r->input.size += (size_t)got;
    r->bytes += (size_t)got;
    return OB_OK;
}

/* Sets *text (NUL-terminated in place of its end) and *length, or *end. */
static ob_status next_line(char **text, size_t *length, bool *end, reader *r, ob_error *err)
{
    bool too_long = false;
    for (;;) {
        char *from = r->input.bytes ? r->input.bytes + r->at : NULL;
        size_t have = r->input.size - r->at;
        char *stop = have ? memchr(from, '\n', have) : NULL;
        if (!stop && !r->ended) {
            if (have > MAX_LINE) { /* forget it, but find its end */
                too_long = true;
                r->at = r->input.size;
            }
            ob_status status = fill(r, err);
            if (status)
                return status;
            continue;
        }
        if (!stop && !have && !too_long) {
            *end = true;
            return OB_OK;
        }
        size_t size = stop ? (size_t)(stop - from) : have;
        r->at += size + (stop != NULL);
        r->line++;
        if (too_long || size > MAX_LINE)
            return ob_fail(err, OB_EFORMAT, "longer than %d bytes", MAX_LINE);
        if (r->line == 1 && size >= 3 && !memcmp(from, "\xEF\xBB\xBF", 3)) {
            from += 3; /* byte order mark */
            size -= 3;
        }
        while (size && (from[size - 1] == '\r' || from[size - 1] == ' ' || from[size - 1] == '\t'))
            size--;
        from[size] = '\0';
        if (memchr(from, '\0', size))
            return ob_fail(err, OB_EFORMAT, "a NUL byte");
        *text = from;
        *length = size;
        return OB_OK;
    }
}

/* ---- Fields ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    field field;
} field_names[] = {
    {"pdq", FIELD_HASH},      {"hash", FIELD_HASH},
    {"md5", FIELD_MD5},       {"sha1", FIELD_SHA1},
    {"sha256", FIELD_SHA256}, {"id", FIELD_ID},
    {"source", FIELD_SOURCE}, {"classification", FIELD_CLASSIFICATION},
    {"state", FIELD_STATE},
};

static int field_of(const char *name)
{
    for (size_t i = 0; i < sizeof field_names / sizeof *field_names; i++)
        if (!strcasecmp(name, field_names[i].name))
            return (int)field_names[i].field;
    return -1;
}

/* Whether jansson would take it: lists become JSON output. */
ob_status list_check_text(const char *text, size_t most, const char *name, ob_error *err)
{
    if (strlen(text) > most)
        return ob_fail(err, OB_EFORMAT, "%s of %zu bytes; at most %zu are kept", name, strlen(text),
                       most);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return ob_fail(err, OB_EFORMAT, "%s with a control character", name);
    json_t *utf8 = json_string(text);
    if (!utf8)
        return ob_fail(err, OB_EFORMAT, "%s is not UTF-8", name);
    json_decref(utf8);
    return OB_OK;
}

static ob_status take_state(bool *withdrawn, const char *state, ob_error *err)
{
    if (!*state || !strcasecmp(state, "active"))
        *withdrawn = false;
    else if (!strcasecmp(state, "withdrawn") || !strcasecmp(state, "deleted"))
        *withdrawn = true;
    else
        return ob_fail(err, OB_EFORMAT, "state \"%.40s\"; active or withdrawn are known", state);
    return OB_OK;
}

static ob_status take_digest(uint8_t out[OB_DIGEST_WIDTH_MAX], int kind, const char *text,
                             ob_error *err)
{
    unsigned width = list_digest_kinds[kind].width;
    if (strlen(text) != 2 * (size_t)width)
        return ob_fail(err, OB_EFORMAT, "%zu characters where %s has %u hexadecimal digits",
                       strlen(text), list_digest_kinds[kind].name, 2 * width);
    ob_status status = ob_hex_parse(out, width, text, err);
    return status ? ob_fail_in(err, status, "%s", list_digest_kinds[kind].name) : OB_OK;
}

/* NULL and empty fields are absent. */
static ob_status make_entry(entry *out, const char *const fields[FIELDS], ob_error *err)
{
    const char *text[FIELDS];
    for (int f = 0; f < FIELDS; f++)
        text[f] = fields[f] ? fields[f] : "";
    entry made = {.id = *text[FIELD_ID] ? text[FIELD_ID] : NULL,
                  .source = text[FIELD_SOURCE],
                  .classification = text[FIELD_CLASSIFICATION]};
    ob_status status = OB_OK;
    bool any = false;
    for (int k = 0; k < DIGEST_KINDS && !status; k++)
        if (*text[k]) {
            status = take_digest(made.digest[k], k, text[k], err);
            made.has_digest[k] = any = true;
        }
    if (!status && (*text[FIELD_HASH] || !any)) {
        status = ob_hash256_parse(&made.hash, text[FIELD_HASH], strlen(text[FIELD_HASH]), err);
        made.has_hash = true;
    }
    if (!status && made.id)
        status = list_check_text(made.id, OB_LIST_ID_MAX, "an id", err);
    if (!status && *made.source)
        status = list_check_text(made.source, OB_LIST_TEXT_MAX, "a source", err);
    if (!status && *made.classification)
        status = list_check_text(made.classification, OB_LIST_TEXT_MAX, "a classification", err);
    if (!status)
        status = take_state(&made.withdrawn, text[FIELD_STATE], err);
    if (!status)
        *out = made;
    return status;
}

/* ---- CSV ---------------------------------------------------------------------------------- */

/* Splits in place (RFC 4180; a quoted field ends on its line). */
static ob_status split_csv(char *fields[MAX_COLUMNS], int *count, char *line, ob_error *err)
{
    *count = 0;
    for (char *p = line;;) {
        if (*count == MAX_COLUMNS)
            return ob_fail(err, OB_EFORMAT, "more than %d columns", MAX_COLUMNS);
        fields[(*count)++] = p;
        char *to = p;
        if (*p == '"') {
            for (p++;; *to++ = *p++) {
                if (*p == '"' && *++p != '"')
                    break;
                if (!*p)
                    return ob_fail(err, OB_EFORMAT, "a quoted field that does not end on its line");
            }
            if (*p && *p != ',')
                return ob_fail(err, OB_EFORMAT, "something behind the closing quote of a field");
        } else {
            p += strcspn(p, ",");
            to = p;
        }
        bool more = *p == ',';
        *to = '\0';
        if (!more)
            return OB_OK;
        p++;
    }
}

static ob_status read_header(reader *r, char *line, ob_error *err)
{
    char *names[MAX_COLUMNS];
    int count;
    ob_status status = split_csv(names, &count, line, err);
    if (status)
        return status;
    for (int f = 0; f < FIELDS; f++)
        r->column[f] = -1;
    for (int i = 0; i < count; i++) {
        int f = field_of(names[i]);
        if (f >= 0 && r->column[f] < 0)
            r->column[f] = i;
    }
    if (r->column[FIELD_HASH] < 0 && r->column[FIELD_MD5] < 0 && r->column[FIELD_SHA1] < 0 &&
        r->column[FIELD_SHA256] < 0)
        return ob_fail(err, OB_EFORMAT,
                       "neither a hash of 64 hexadecimal digits nor a CSV header with a column "
                       "\"pdq\", \"md5\", \"sha1\" or \"sha256\"");
    r->kind = KIND_CSV;
    return OB_OK;
}

static ob_status read_csv(entry *out, reader *r, char *line, ob_error *err)
{
    char *values[MAX_COLUMNS];
    const char *fields[FIELDS] = {0};
    int count;
    ob_status status = split_csv(values, &count, line, err);
    if (status)
        return status;
    for (int f = 0; f < FIELDS; f++)
        if (r->column[f] >= 0 && r->column[f] < count)
            fields[f] = values[r->column[f]];
    return make_entry(out, fields, err);
}

/* ---- JSON Lines --------------------------------------------------------------------------- */

ob_status entry_from_json(entry *out, const json_t *object, ob_error *err)
{
    if (!json_is_object(object))
        return ob_fail(err, OB_EFORMAT, "JSON, but not an object");
    const char *fields[FIELDS] = {0};
    for (size_t i = 0; i < sizeof field_names / sizeof *field_names; i++) {
        const json_t *value = json_object_get(object, field_names[i].name);
        if (!value || json_is_null(value))
            continue;
        if (!json_is_string(value))
            return ob_fail(err, OB_EFORMAT, "\"%s\" is not text", field_names[i].name);
        fields[field_names[i].field] = json_string_value(value);
    }
    if (!fields[FIELD_HASH] && !fields[FIELD_MD5] && !fields[FIELD_SHA1] && !fields[FIELD_SHA256])
        return ob_fail(err, OB_EFORMAT,
                       "an object without \"pdq\", \"md5\", \"sha1\" or \"sha256\"");
    return make_entry(out, fields, err);
}

static ob_status read_json(entry *out, reader *r, const char *line, size_t length, ob_error *err)
{
    json_error_t where;
    json_decref(r->object);
    r->object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &where);
    if (!r->object)
        return ob_fail(err, OB_EFORMAT, "not JSON, at character %d: %s", where.column, where.text);
    return entry_from_json(out, r->object, err);
}

/* ---- Entries ------------------------------------------------------------------------------ */

/* By its length: 64 digits are a PDQ hash, 32 MD5, 40 SHA-1. */
static ob_status read_text(entry *out, const char *line, ob_error *err)
{
    const char *fields[FIELDS] = {0};
    size_t length = strlen(line);
    fields[length == 2 * OB_MD5_SIZE    ? FIELD_MD5
           : length == 2 * OB_SHA1_SIZE ? FIELD_SHA1
                                        : FIELD_HASH] = line;
    return make_entry(out, fields, err);
}

/* By the first line with something on it. A file whose first hash is damaged must not pass for CSV:
 * it is CSV only when the header names the column. */
static ob_status read_first(entry *out, bool *is_entry, reader *r, char *line, size_t length,
                            ob_error *err)
{
    entry first;
    if (*line == '{')
        r->kind = KIND_JSON;
    else if (!read_text(&first, line, NULL))
        r->kind = KIND_TEXT;
    if (r->kind == KIND_UNKNOWN) {
        ob_status status = read_header(r, line, err);
        if (status && strspn(line, "0123456789abcdefABCDEF") > 16)
            r->kind = KIND_TEXT;
        return status;
    }
    *is_entry = true;
    return r->kind == KIND_JSON ? read_json(out, r, line, length, err) : read_text(out, line, err);
}

ob_status reader_next(entry *out, bool *end, reader *r, ob_error *err)
{
    for (;;) {
        char *line = NULL;
        size_t length = 0;
        bool is_entry = true;
        entry made;
        *end = false;
        ob_status status = next_line(&line, &length, end, r, err);
        if (!status && *end)
            return OB_OK;
        if (!status && (!length || (*line == '#' && r->kind != KIND_JSON)))
            continue;
        if (!status && r->kind == KIND_UNKNOWN) {
            is_entry = false;
            status = read_first(&made, &is_entry, r, line, length, err);
        } else if (!status) {
            status = r->kind == KIND_TEXT  ? read_text(&made, line, err)
                     : r->kind == KIND_CSV ? read_csv(&made, r, line, err)
                                           : read_json(&made, r, line, length, err);
        }
        if (status == OB_EFORMAT)
            return ob_fail_in(err, status, "list \"%s\", line %llu", r->label,
                              (unsigned long long)r->line);
        if (status)
            return status;
        if (!is_entry)
            continue;
        made.line = r->line;
        *out = made;
        return OB_OK;
    }
}
