/* A document of JSON whose records are the objects of an array, wherever that stands in it: an
 * array alone, or in an object beside a count and a page's number, or under the cases of a set. It
 * is walked character by character, and only one record is in memory at a time. A record that has
 * such arrays itself is read whole where it is short, and otherwise from its start again, in parts.
 */
#include "read_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

enum { FRAMES = 16, KEY = 32, DEPTH_MOST = 200 };

/* Arrays whose objects are records, or hold such arrays. */
static const char *const arrays[] = {"value",   "media",   "data",      "hashRecords", "hashes",
                                     "records", "entries", "results",   "items",       "signals",
                                     "images",  "videos",  "indicators"};

typedef enum frame { FRAME_OBJECT, FRAME_ARRAY } frame;

struct document {
    struct {
        frame is;
        inherited gives; /* of an object: what its head says */
    } frames[FRAMES];
    unsigned count;
    bool behind, comma; /* in an array: behind a value, or behind a comma */

    unsigned depth;        /* in a value that is a record, or is skipped; 0: in none */
    bool wanted, too_long; /* that value */
    bool plain;            /* it is text or a number, and ends where that does */
    bool has_array;        /* of records */
    bool again, parted;    /* the next, this one, is walked in parts */
    bool tail;             /* this part is behind an array */
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

bool is_array_of_records(const char *key, size_t size)
{
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (strlen(arrays[i]) == size && !strncasecmp(key, arrays[i], size))
            return true;
    return false;
}

/* ---- What a file begins with ----------------------------------------------------------------- */

static bool has_records(const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key,
                        value) if (record_has_array(key, value)) return true;
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

typedef enum step { STEP_ON, STEP_RECORD, STEP_ARRAY, STEP_WRONG } step;

/* Goes back to where the record begins. */
static ob_status begin_again(reader *r, size_t from, ob_error *err)
{
    document *d = r->document;
    ob_buf input = {0};
    ob_status status = ob_buf_append(&input, d->record.bytes, d->record.size, err);
    if (!status)
        status = ob_buf_append(&input, r->input.bytes + from, r->input.size - from, err);
    if (status) {
        ob_buf_free(&input);
        return status;
    }
    ob_buf_free(&r->input);
    r->input = input;
    r->at = 0;
    d->depth = 0;
    d->record.size = 0;
    d->in_string = d->escaped = d->behind = d->comma = false;
    d->again = true;
    return OB_OK;
}

/* What was walked from there on. */
static ob_status copy(step *what, reader *r, size_t from, ob_error *err)
{
    document *d = r->document;
    const size_t size = r->at - from;
    if (!d->wanted || d->too_long)
        return OB_OK;
    if (d->record.size + size <= r->record_most)
        return ob_buf_append(&d->record, r->input.bytes + from, size, err);
    d->too_long = !d->has_array || d->parted;
    if (d->too_long)
        return OB_OK;
    *what = STEP_ON;
    return begin_again(r, from, err);
}

/* Keys stand at the top of a record that may have others. */
static bool keys_stand_here(const document *d)
{
    return d->depth == 1 && d->wanted && !d->plain;
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
            return d->wanted ? STEP_RECORD : STEP_ON;
        }
        return STEP_ON;
    }
    if (keys_stand_here(d) && d->key_size < KEY)
        d->key[d->key_size++] = c;
    return STEP_ON;
}

static step begin_value(document *d, bool wanted, bool plain)
{
    d->depth = 1;
    d->wanted = wanted;
    d->plain = plain;
    d->too_long = d->has_array = d->tail = false;
    d->parted = d->again;
    d->again = false;
    d->record.size = 0;
    d->key_size = 0;
    d->after_colon = false;
    return STEP_ON;
}

static step push(document *d, frame f)
{
    if (d->count == FRAMES)
        return STEP_WRONG;
    d->frames[d->count++].is = f;
    d->behind = d->comma = false;
    return STEP_ON;
}

static bool is_top(const document *d, frame f)
{
    return d->count && d->frames[d->count - 1].is == f;
}

/* In a record that is walked in parts its next one begins. */
static step end_array(document *d)
{
    d->count--;
    d->behind = true;
    if (is_top(d, FRAME_OBJECT)) {
        d->again = true;
        begin_value(d, true, false);
        d->tail = true;
    }
    return STEP_ON;
}

static bool leads_to_records(const document *d)
{
    return d->after_colon && is_array_of_records(d->key, d->key_size);
}

/* In a record: until it ends. */
static step in_value(document *d, char c)
{
    if (c == '"') {
        begin_string(d);
    } else if (c == '{' || c == '[') {
        const bool records = c == '[' && keys_stand_here(d) && leads_to_records(d);
        d->has_array |= records;
        if (records && d->parted)
            return STEP_ARRAY;
        return ++d->depth > DEPTH_MOST ? STEP_WRONG : STEP_ON;
    } else if (c == '}' || c == ']') {
        if (!--d->depth)
            return d->wanted ? STEP_RECORD : STEP_ON;
    } else if (c == ':' && d->depth == 1) {
        d->after_colon = true;
    } else if (c == ',' && d->depth == 1) {
        d->after_colon = false;
        d->key_size = 0;
    }
    return STEP_ON;
}

/* Between the values of an array. */
static step in_array(document *d, char c)
{
    const bool wrong = c == ','   ? !d->behind
                       : c == ']' ? d->comma
                                  : d->behind || c == '}' || c == ':';
    if (wrong)
        return STEP_WRONG;
    if (c == ']')
        return end_array(d);
    d->behind = c != ',';
    d->comma = c == ',';
    if (c == ',')
        return STEP_ON;
    d->in_string = c == '"';
    return begin_value(d, true, c != '{' && c != '[');
}

/* Between records. */
static step in_frame(document *d, char c)
{
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return STEP_ON;
    d->begun = true;
    if (d->count)
        return in_array(d, c);
    return c == '{' ? begin_value(d, true, false) : c == '[' ? push(d, FRAME_ARRAY) : STEP_WRONG;
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
        status = copy(what, r, from, err);
    return status;
}

/* ---- Records --------------------------------------------------------------------------------- */

/* To what comes next, from the record around it. */
static const inherited *gives(const document *d)
{
    for (unsigned i = d->count; i--;)
        if (d->frames[i].is == FRAME_OBJECT)
            return &d->frames[i].gives;
    return NULL;
}

static ob_status too_long(reader *r, ob_error *err)
{
    r->line++;
    return ob_fail(err, OB_EFORMAT, "longer than %zu bytes", r->record_most);
}

static ob_status take_record(entry *out, bool *skipped, reader *r, ob_error *err)
{
    document *d = r->document;
    r->inherited = gives(d);
    if (d->too_long)
        return too_long(r, err);
    if (!d->plain)
        return entry_from_record(out, skipped, r,
                                 &(record_text){d->record.bytes, d->record.size, !d->count}, err);
    r->line++;
    const size_t size = d->record.size;
    if (size < 2 || d->record.bytes[0] != '"' || d->record.bytes[size - 1] != '"' ||
        memchr(d->record.bytes, '\\', size) || memchr(d->record.bytes, '\0', size))
        return ob_fail(err, OB_EFORMAT, "JSON, but not an object");
    d->record.bytes[size - 1] = '\0';
    return entry_from_text(out, skipped, r, d->record.bytes + 1, err);
}

/* A part as an object of its own: behind an array it begins with that one's end, and then a comma
 * or its own end. */
static ob_status make_object(record_text *out, document *d, ob_error *err)
{
    char *from = d->record.bytes, *end = from + d->record.size;
    from += d->tail;
    while (d->tail && from < end && *from && strchr(" \t\r\n", *from))
        from++;
    if (d->tail && from < end && *from == ',')
        *from = '{';
    else if (d->tail && from < end && *from == '}')
        *--from = '{';
    else if (d->tail)
        return ob_fail(err, OB_EFORMAT, "not JSON: something behind an array");
    out->text = from;
    out->length = (size_t)(end - from);
    return OB_OK;
}

static ob_status take_head(entry *out, bool *none, inherited *heir, reader *r, ob_error *err)
{
    document *d = r->document;
    record_text part = {.outermost = d->count == (unsigned)d->tail};
    d->record.size--; /* the bracket */
    ob_status status = ob_buf_append(&d->record, "null}", 5, err);
    if (!status)
        status = make_object(&part, d, err);
    if (!status && d->tail)
        status = check_tail(r, &part, err);
    return status ? status : entry_from_head(out, none, heir, r, &part, err);
}

/* What stands before an array of records in a record that is walked in parts. */
static ob_status begin_array(entry *out, bool *none, reader *r, ob_error *err)
{
    document *d = r->document;
    inherited heir;
    r->inherited = gives(d);
    ob_status status = d->too_long ? too_long(r, err)
                       : d->count + 2 - d->tail > FRAMES
                           ? ob_fail(err, OB_EFORMAT, "not JSON, or nested too deep")
                           : take_head(out, none, &heir, r, err);
    if (status) {
        r->over = true;
        return status;
    }
    if (!d->tail)
        push(d, FRAME_OBJECT);
    d->frames[d->count - 1].gives = heir;
    push(d, FRAME_ARRAY);
    d->depth = 0;
    d->record.size = 0;
    return OB_OK;
}

/* What stands behind the last array of such a record. */
static ob_status end_record(reader *r, ob_error *err)
{
    document *d = r->document;
    record_text part = {.outermost = d->count == 1};
    r->inherited = gives(d);
    ob_status status = d->too_long ? too_long(r, err) : make_object(&part, d, err);
    if (!status)
        status = check_tail(r, &part, err);
    r->over |= status != OB_OK;
    d->count--;
    d->behind = true;
    return status;
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
        *skipped = what == STEP_RECORD && r->document->tail;
        if (*skipped)
            return end_record(r, err);
        if (what == STEP_RECORD)
            return take_record(out, skipped, r, err);
        if (what == STEP_ARRAY)
            return begin_array(out, skipped, r, err);
        if (what == STEP_WRONG) {
            r->over = true;
            r->line++;
            return ob_fail(err, OB_EFORMAT, "not JSON, or nested too deep");
        }
        if (r->at < r->input.size) /* from the start of a record again */
            continue;
        if (r->ended)
            return cut_short(end, r, err);
        status = reader_fill(r, err);
        r->over |= status == OB_EFORMAT;
        if (status)
            return status;
    }
}
