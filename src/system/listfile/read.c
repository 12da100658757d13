/* The file of a published list, from its first line or record to its last. */
#include "read_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { CHUNK = 1 << 20, HEADLESS_MOST = 20 };

ob_status reader_new(reader **out, int file, const char *label, ob_import_type type,
                     ob_import_understood *understood, ob_error *err)
{
    reader *r = calloc(1, sizeof *r);
    if (!r)
        return ob_fail(err, OB_ENOMEM, "out of memory: reading a list");
    r->label = label;
    r->type = type;
    r->record_most = RECORD_MOST;
    r->understood = understood ? understood : &r->own;
    ob_status status = bytes_new(&r->from, file, label, err);
    if (status)
        reader_free(r);
    else
        *out = r;
    return status;
}

void reader_free(reader *r)
{
    if (!r)
        return;
    json_decref(r->object);
    free(r->nest);
    document_free(r->document);
    xml_free(r->xml);
    bytes_free(r->from);
    ob_buf_free(&r->input);
    free(r);
}

void reader_limit(reader *r, size_t most)
{
    r->record_most = most;
}

ob_status reader_finish(uint8_t out[OB_SHA256_SIZE], reader *r, ob_error *err)
{
    return bytes_finish(out, r->from, err);
}

uint64_t reader_bytes(const reader *r)
{
    return bytes_count(r->from);
}

const char *reader_unit(const reader *r)
{
    return r->shape == SHAPE_DOCUMENT || r->shape == SHAPE_XML ? "record" : "line";
}

/* ---- Lines ----------------------------------------------------------------------------------- */

ob_status reader_fill(reader *r, ob_error *err)
{
    size_t got = 0;
    if (r->at) {
        memmove(r->input.bytes, r->input.bytes + r->at, r->input.size - r->at);
        r->input.size -= r->at;
        r->at = 0;
    }
    ob_status status = ob_buf_reserve(&r->input, CHUNK, err);
    if (!status)
        status = bytes_read(&got, r->from, r->input.bytes + r->input.size, CHUNK, err);
    if (status)
        return status;
    r->ended = got == 0;
    r->input.size += got;
    return OB_OK;
}

/* What is said of bytes that cannot be read on is said once. */
static ob_status fill_or_end(reader *r, ob_error *err)
{
    ob_status status = reader_fill(r, err);
    r->over |= status == OB_EFORMAT;
    return status;
}

static void cut_line_end(char *from, size_t *size)
{
    while (*size && (from[*size - 1] == '\r' || from[*size - 1] == ' ' || from[*size - 1] == '\t'))
        (*size)--;
    from[*size] = '\0';
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
            if (have > LINE_MOST) { /* forget it, but find its end */
                too_long = true;
                r->at = r->input.size;
            }
            ob_status status = fill_or_end(r, err);
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
        if (too_long || size > LINE_MOST)
            return ob_fail(err, OB_EFORMAT, "longer than %d bytes", LINE_MOST);
        cut_line_end(from, &size);
        if (memchr(from, '\0', size))
            return ob_fail(err, OB_EFORMAT, "a NUL byte");
        *text = from;
        *length = size;
        return OB_OK;
    }
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static void say_shape(reader *r, shape shape, const char *name)
{
    r->shape = shape;
    snprintf(r->understood->shape, sizeof r->understood->shape, "%s%s", name,
             bytes_coding(r->from));
}

/* Looks at what a file begins with, without using it up. Lines, unless it is a document. */
static ob_status find_document(reader *r, ob_error *err)
{
    size_t blank = 0;
    ob_status status = OB_OK;
    while (!status) {
        while (r->at + blank < r->input.size && strchr(" \t\r\n", r->input.bytes[r->at + blank]) &&
               r->input.bytes[r->at + blank])
            blank++;
        const char *from = r->input.bytes ? r->input.bytes + r->at + blank : "";
        const size_t have = r->input.size - r->at - blank;
        const char *stop = have ? memchr(from, '\n', have) : NULL;
        const bool enough =
            r->ended || have > LINE_MOST || (stop && (size_t)(from + have - stop) > 1);
        if (have && *from != '{' && *from != '[' && *from != '<')
            return OB_OK;
        if (!have && blank > LINE_MOST)
            return OB_OK;
        if (!enough) {
            status = fill_or_end(r, err);
            continue;
        }
        if (!have)
            return OB_OK;
        const size_t line = stop ? (size_t)(stop - from) : have;
        const char *next = stop ? stop + 1 : from + have;
        if (*from == '<')
            status = xml_new(&r->xml, err);
        else if (*from == '[' || document_begins(from, line, next, have - (size_t)(next - from)))
            status = document_new(&r->document, err);
        break;
    }
    if (status || (!r->xml && !r->document))
        return status;
    r->at += blank;
    say_shape(r, r->xml ? SHAPE_XML : SHAPE_DOCUMENT, r->xml ? "XML" : "JSON");
    return OB_OK;
}

static bool is_text_entry(reader *r, const char *line, size_t length)
{
    enum { FIRST_MOST = 4096 };
    char copy[FIRST_MOST];
    reader trial = {.type = r->type, .understood = &trial.own};
    entry entry;
    bool skipped = false;
    if (length >= sizeof copy)
        length = sizeof copy - 1;
    memcpy(copy, line, length);
    copy[length] = '\0';
    return !entry_from_text(&entry, &skipped, &trial, copy, NULL);
}

/* By the first line with something on it. A file whose first hash is damaged must not pass for a
 * table: it is one only when its header names a column. */
static ob_status take_header(bool *header, reader *r, char *line, size_t length, ob_error *err)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    *header = false;
    if (*line == '{') {
        say_shape(r, SHAPE_LINES, "JSON Lines");
        return OB_OK;
    }
    if (!is_text_entry(r, line, length)) {
        *header = true;
        if (!strncmp(line, "sep=", 4) && length <= 5) /* a spreadsheet's; it is found anyway */
            return OB_OK;
        ob_status status = table_header(r, line, err);
        if (!status || strspn(line, digits) <= 16)
            return status;
        say_shape(r, SHAPE_TEXT, "one hash a line");
        return ob_fail(err, OB_EFORMAT, "%zu characters where a hash has 64 hexadecimal digits",
                       strcspn(line, " \t,;|"));
    }
    say_shape(r, SHAPE_TEXT, "one hash a line");
    return OB_OK;
}

static ob_status entry_from_line(entry *out, bool *none, reader *r, char *line, size_t length,
                                 ob_error *err)
{
    ob_status status = OB_OK;
    if (r->shape == SHAPE_UNKNOWN)
        status = take_header(none, r, line, length, err);
    if (status == OB_EFORMAT && r->shape == SHAPE_UNKNOWN) { /* reported once, not for each line */
        r->over = r->headless == HEADLESS_MOST;
        *none = r->headless++ > 0;
        return *none ? OB_OK : status;
    }
    if (status || *none)
        return status;
    return r->shape == SHAPE_TEXT ? entry_from_text(out, none, r, line, err)
           : r->shape == SHAPE_TABLE
               ? entry_from_row(out, none, r, line, err)
               : entry_from_record(out, none, r, &(record_text){line, length, true}, err);
}

/* *none: nothing on it that counts. */
static ob_status next_of_lines(entry *out, bool *none, bool *end, reader *r, ob_error *err)
{
    char *line = NULL;
    size_t length = 0;
    ob_status status = next_line(&line, &length, end, r, err);
    if (status || *end)
        return status;
    *none = !length || (*line == '#' && r->shape != SHAPE_LINES);
    return *none ? OB_OK : entry_from_line(out, none, r, line, length, err);
}

/* What is left of the record or line that was read last. */
static ob_status next_of_same(entry *out, bool *none, bool *any, reader *r, ob_error *err)
{
    *any = r->also_given < r->also_count;
    if (*any)
        *out = r->also[r->also_given++];
    return *any ? OB_OK : record_next(out, none, any, r, err);
}

static ob_status next_thing(entry *out, bool *none, bool *end, reader *r, ob_error *err)
{
    bool any;
    ob_status status = next_of_same(out, none, &any, r, err);
    *end = !any && r->over;
    if (status || any || *end)
        return status;
    if (r->document)
        return document_next(out, none, end, r, err);
    if (r->xml)
        return xml_next(out, none, end, r, err);
    return next_of_lines(out, none, end, r, err);
}

ob_status reader_next(entry *out, bool *end, reader *r, ob_error *err)
{
    ob_status status = OB_OK;
    entry made;
    *end = false;
    if (r->shape == SHAPE_UNKNOWN && !r->line && !r->over)
        status = find_document(r, err);
    for (bool none = true; !status && none && !*end;) {
        none = false;
        status = next_thing(&made, &none, end, r, err);
    }
    if (status == OB_EFORMAT || status == OB_EREFUSED)
        return ob_fail_in(err, status, "list \"%s\", %s %llu", r->label, reader_unit(r),
                          (unsigned long long)(r->line ? r->line : 1));
    if (status || *end)
        return status;
    made.line = r->line;
    *out = made;
    return OB_OK;
}
