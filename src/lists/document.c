/* A document of JSON whose records are the objects of an array, wherever that stands in it: an
 * array alone, or in an object beside a count and a page's number, or under the cases of a set. It
 * is walked once, character by character, and only one record is in memory at a time. */
#include "read_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

enum { FRAMES = 16, KEY = 32, RECORD_MOST = 1 << 20, DEPTH_MOST = 200 };

/* Arrays whose objects are records, or hold such arrays. */
static const char *const arrays[] = {"value",   "media",   "data",      "hashRecords", "hashes",
                                     "records", "entries", "results",   "items",       "signals",
                                     "images",  "videos",  "indicators"};

typedef enum frame { FRAME_OBJECT, FRAME_ARRAY } frame;

struct document {
    frame frames[FRAMES];
    unsigned count;

    unsigned depth;      /* in a value that is a record, or is skipped; 0: in none */
    bool keep, too_long; /* that value */
    bool plain;          /* it is text or a number, and ends where that does */
    ob_buf record;

    bool in_string, escaped;
    char key[KEY]; /* the last string where keys stand */
    size_t key_size;
    bool after_colon; /* behind that key */
    bool begun;
};

ob_status document_new(document **out, ob_error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: reading a list");
}

void document_free(document *d)
{
    if (d)
        ob_buf_free(&d->record);
    free(d);
}

static bool is_array_of_records(const char *key, size_t size)
{
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (strlen(arrays[i]) == size && !strncasecmp(key, arrays[i], size))
            return true;
    return false;
}

/* ---- What a file begins with ---------------------------------------------------------------- */

static bool has_records(const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key,
                        value) if (json_is_array(value) &&
                                   is_array_of_records(key, strlen(key))) return true;
    return false;
}

/* Lines are objects of their own; a document goes on over them, or has its records in one. */
bool document_begins(const char *line, size_t length, const char *next, size_t next_length)
{
    while (next_length && strchr(" \t\r", *next)) {
        next++;
        next_length--;
    }
    json_t *object = json_loadb(line, length, 0, NULL);
    const bool document = object ? has_records(object) : !next_length || *next != '{';
    json_decref(object);
    return document;
}

/* ---- Characters ------------------------------------------------------------------------------ */

typedef enum step { STEP_ON, STEP_RECORD, STEP_WRONG } step;

static ob_status keep(document *d, const char *text, size_t size, ob_error *err)
{
    if (!d->keep || d->too_long)
        return OB_OK;
    d->too_long = d->record.size + size > RECORD_MOST;
    return d->too_long ? OB_OK : ob_buf_append(&d->record, text, size, err);
}

/* Keys stand in a container, and at the top of a record that may turn out to be one. */
static bool keys_stand_here(const document *d)
{
    return d->depth == 1 ? d->keep && !d->plain
                         : !d->depth && d->count && d->frames[d->count - 1] == FRAME_OBJECT;
}

static void begin_string(document *d)
{
    d->in_string = true;
    if (keys_stand_here(d)) {
        d->key_size = 0;
        d->after_colon = false;
    }
}

static step in_string(document *d, char c)
{
    if (d->escaped) {
        d->escaped = false;
    } else if (c == '\\') {
        d->escaped = true;
    } else if (c == '"') {
        d->in_string = false;
        if (d->plain && d->depth == 1) {
            d->depth = 0;
            return d->keep ? STEP_RECORD : STEP_ON;
        }
        return STEP_ON;
    }
    if (keys_stand_here(d) && d->key_size < KEY)
        d->key[d->key_size++] = c;
    return STEP_ON;
}

static step begin_value(document *d, bool keep, bool plain)
{
    d->depth = 1;
    d->keep = keep;
    d->plain = plain;
    d->too_long = false;
    d->record.size = 0;
    d->key_size = 0;
    d->after_colon = false;
    return STEP_ON;
}

static step push(document *d, frame f)
{
    if (d->count == FRAMES)
        return STEP_WRONG;
    d->frames[d->count++] = f;
    d->key_size = 0;
    d->after_colon = false;
    return STEP_ON;
}

static bool leads_to_records(const document *d)
{
    return d->after_colon && is_array_of_records(d->key, d->key_size);
}

/* In a record: until it ends, or turns out to have records in it. */
static step in_value(document *d, char c)
{
    if (c == '"') {
        begin_string(d);
    } else if (c == '[' && d->depth == 1 && keys_stand_here(d) && leads_to_records(d)) {
        d->depth = 0;
        d->record.size = 0;
        return push(d, FRAME_OBJECT) == STEP_WRONG ? STEP_WRONG : push(d, FRAME_ARRAY);
    } else if (c == '{' || c == '[') {
        return ++d->depth > DEPTH_MOST ? STEP_WRONG : STEP_ON;
    } else if (c == '}' || c == ']') {
        if (!--d->depth)
            return d->keep ? STEP_RECORD : STEP_ON;
    } else if (c == ':' && d->depth == 1) {
        d->after_colon = true;
    } else if (c == ',' && d->depth == 1) {
        d->after_colon = false;
        d->key_size = 0;
    }
    return STEP_ON;
}

/* Between records. */
static step in_frame(document *d, char c)
{
    const bool top = !d->count;
    const bool array = !top && d->frames[d->count - 1] == FRAME_ARRAY;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || (c == ',' && array))
        return STEP_ON;
    d->begun = true;
    if (top)
        return c == '{'   ? begin_value(d, true, false)
               : c == '[' ? push(d, FRAME_ARRAY)
                          : STEP_WRONG;
    if (array) {
        if (c == ']') {
            d->count--;
            return STEP_ON;
        }
        if (c == '"')
            d->in_string = true;
        return c == '}' || c == ':' ? STEP_WRONG : begin_value(d, true, c != '{' && c != '[');
    }
    switch (c) {
    case '"':
        begin_string(d);
        return STEP_ON;
    case ':':
        d->after_colon = true;
        return STEP_ON;
    case ',':
        d->after_colon = false;
        d->key_size = 0;
        return STEP_ON;
    case '[':
        return leads_to_records(d) ? push(d, FRAME_ARRAY) : begin_value(d, false, false);
    case '{':
        return begin_value(d, false, false);
    case '}':
        d->count--;
        return STEP_ON;
    case ']':
        return STEP_WRONG;
    default: /* numbers, true, null */
        return STEP_ON;
    }
}

/* A number, true or null among records ends before what follows it. */
static bool ends_plain(const document *d, char c)
{
    return d->plain && d->depth == 1 && !d->in_string && strchr(" \t\r\n,]}", c) && c;
}

/* Walks until a record is whole; *at stands behind it. */
static ob_status walk(step *what, reader *r, ob_error *err)
{
    document *d = r->document;
    *what = STEP_ON;
    size_t from = r->at; /* of the part that is not kept yet */
    const char *bytes = r->input.bytes;
    ob_status status = OB_OK;
    while (r->at < r->input.size && *what == STEP_ON) {
        const char c = bytes[r->at];
        const bool inside = d->depth > 0;
        if (ends_plain(d, c)) {
            d->depth = 0;
            *what = STEP_RECORD;
            break;
        }
        if (!inside)
            from = r->at;
        *what = d->in_string ? in_string(d, c) : inside ? in_value(d, c) : in_frame(d, c);
        r->at++;
    }
    if (d->depth || *what == STEP_RECORD)
        status = keep(d, bytes + from, r->at - from, err);
    return status;
}

/* ---- Records ------------------------------------------------------------------------------ */

static ob_status take_record(entry *out, bool *skipped, reader *r, ob_error *err)
{
    document *d = r->document;
    r->line++;
    if (d->too_long)
        return ob_fail(err, OB_EFORMAT, "longer than %d bytes", RECORD_MOST);
    if (!d->plain)
        return entry_from_record(out, skipped, r, d->record.bytes, d->record.size, err);
    const size_t size = d->record.size;
    if (size < 2 || d->record.bytes[0] != '"' || d->record.bytes[size - 1] != '"' ||
        memchr(d->record.bytes, '\\', size) || memchr(d->record.bytes, '\0', size))
        return ob_fail(err, OB_EFORMAT, "JSON, but not an object");
    d->record.bytes[size - 1] = '\0';
    return entry_from_text(out, skipped, r, d->record.bytes + 1, err);
}

static ob_status cut_short(bool *end, reader *r, ob_error *err)
{
    const document *d = r->document;
    r->over = true;
    *end = !d->depth && !d->count && !d->in_string;
    if (*end)
        return OB_OK;
    r->line++;
    return ob_fail(err, OB_EFORMAT, "not JSON: the document is cut short");
}

ob_status document_next(entry *out, bool *skipped, bool *end, reader *r, ob_error *err)
{
    for (;;) {
        step what;
        ob_status status = walk(&what, r, err);
        if (status)
            return status;
        if (what == STEP_RECORD)
            return take_record(out, skipped, r, err);
        if (what == STEP_WRONG) {
            r->over = true;
            r->line++;
            return ob_fail(err, OB_EFORMAT, "not JSON, or nested too deep");
        }
        if (r->ended)
            return cut_short(end, r, err);
        status = reader_fill(r, err);
        r->over |= status == OB_EFORMAT;
        if (status)
            return status;
    }
}
