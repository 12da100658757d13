/* NCMEC's hash-sharing XML: images and videos with fingerprints, and those that were deleted. There
 * is no document type, no entity of its own and nothing from elsewhere in such a file; one that has
 * a document type is not read on. */
#include "read_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <expat.h>

enum { DEPTH_MOST = 64, TEXT_MOST = 1 << 20, PIECE = 1 << 15 };

struct xml_list {
    XML_Parser parser;
    unsigned depth;
    unsigned record;       /* depth of the record's element; 0: outside */
    unsigned fingerprints; /* depth of the element that has them; 0: outside */
    int field;             /* that the text is of, or -1 */
    bool ready, withdrawn, too_long;
    const char *wrong; /* why it is not read on */
    bool no_memory;
    ob_buf text;
    ob_buf texts;          /* of all fields, one behind the other */
    size_t starts[FIELDS]; /* in these, + 1; 0: none */
    ob_import_names *columns;
};

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void stop(xml_list *x, const char *why)
{
    x->wrong = why;
    XML_StopParser(x->parser, XML_FALSE);
}

static void out_of_memory(xml_list *x)
{
    x->no_memory = true;
    XML_StopParser(x->parser, XML_FALSE);
}

/* "image", "deletedVideo" … */
static bool is_record(bool *deleted, const char *name)
{
    *deleted = !strncasecmp(name, "deleted", 7);
    if (*deleted)
        name += 7;
    return !strcasecmp(name, "image") || !strcasecmp(name, "video");
}

static void note(xml_list *x, const char *name, bool used)
{
    size_t at = 0;
    names_note(&at, x->columns, name);
    if (at != SIZE_MAX)
        x->columns->name[at].used |= used;
}

static void begin_record(xml_list *x, bool deleted)
{
    x->record = x->depth;
    x->withdrawn = deleted;
    x->too_long = false;
    x->fingerprints = 0;
    x->texts.size = 0;
    memset(x->starts, 0, sizeof x->starts);
}

/* Only what stands right in a record, or among its fingerprints, is of it. */
static void begin_field(xml_list *x, const char *name)
{
    const bool direct = x->depth == x->record + 1;
    x->field = -1;
    if (direct && !strcasecmp(name, "fingerprints")) {
        x->fingerprints = x->depth;
        return;
    }
    if (!direct && !(x->fingerprints && x->depth == x->fingerprints + 1))
        return;
    const int field = field_of(name);
    const bool fits = field >= 0 && field_is_hash(field) != direct && !x->starts[field];
    note(x, name, fits);
    x->text.size = 0;
    if (fits)
        x->field = field;
}

static void XMLCALL on_start(void *context, const XML_Char *full, const XML_Char **attributes)
{
    xml_list *x = context;
    const char *name = local_name(full);
    bool deleted = false;
    (void)attributes;
    if (++x->depth > DEPTH_MOST) {
        stop(x, "elements are nested too deep");
        return;
    }
    if (x->record)
        begin_field(x, name);
    else if (is_record(&deleted, name))
        begin_record(x, deleted);
}

static void end_field(xml_list *x)
{
    if (x->field < 0)
        return;
    x->starts[x->field] = x->texts.size + 1;
    if (ob_buf_append(&x->texts, x->text.bytes, x->text.size, NULL) ||
        ob_buf_append(&x->texts, "", 1, NULL))
        out_of_memory(x);
    x->field = -1;
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    xml_list *x = context;
    (void)name;
    if (x->record && x->depth == x->record) {
        x->record = 0;
        x->ready = true;
        XML_StopParser(x->parser, XML_TRUE); /* until the record was taken */
    } else if (x->record) {
        end_field(x);
        if (x->fingerprints == x->depth)
            x->fingerprints = 0;
    }
    x->depth--;
}

static void XMLCALL on_text(void *context, const XML_Char *text, int size)
{
    xml_list *x = context;
    if (x->field < 0 || x->too_long)
        return;
    x->too_long = x->text.size + x->texts.size + (size_t)size > TEXT_MOST;
    if (!x->too_long && ob_buf_append(&x->text, text, (size_t)size, NULL))
        out_of_memory(x);
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)subset;
    stop(context, "it has a document type, which lists do not have");
}

ob_status xml_new(xml_list **out, ob_error *err)
{
    xml_list *x = calloc(1, sizeof *x);
    if (x)
        x->parser = XML_ParserCreate("UTF-8"); /* whatever the file was coded in */
    if (!x || !x->parser) {
        xml_free(x);
        return ob_fail(err, OB_ENOMEM, "out of memory: reading XML");
    }
    x->field = -1;
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    *out = x;
    return OB_OK;
}

void xml_free(xml_list *x)
{
    if (!x)
        return;
    if (x->parser)
        XML_ParserFree(x->parser);
    ob_buf_free(&x->text);
    ob_buf_free(&x->texts);
    free(x);
}

/* ---- Records ------------------------------------------------------------------------------ */

static ob_status take_record(entry *out, bool *skipped, reader *r, ob_error *err)
{
    xml_list *x = r->xml;
    char *fields[FIELDS] = {0};
    static char yes[] = "true";
    x->ready = false;
    r->line++;
    if (x->too_long)
        return ob_fail(err, OB_EFORMAT, "longer than %d bytes", TEXT_MOST);
    for (int f = 0; f < FIELDS; f++)
        if (x->starts[f])
            fields[f] = x->texts.bytes + x->starts[f] - 1;
    if (x->withdrawn)
        fields[FIELD_GONE] = yes;
    return entry_from_fields(out, skipped, r, fields, err);
}

static ob_status not_read_on(reader *r, ob_error *err)
{
    const xml_list *x = r->xml;
    r->over = true;
    r->line++;
    if (x->no_memory || XML_GetErrorCode(x->parser) == XML_ERROR_NO_MEMORY)
        return ob_fail(err, OB_ENOMEM, "out of memory: reading XML");
    return ob_fail(err, OB_EFORMAT, "not XML that is read, at line %lu of the file: %s",
                   (unsigned long)XML_GetCurrentLineNumber(x->parser),
                   x->wrong ? x->wrong : XML_ErrorString(XML_GetErrorCode(x->parser)));
}

/* Parses on until a record is whole or what is there is used up. */
static enum XML_Status parse(reader *r)
{
    XML_ParsingStatus state;
    XML_GetParsingStatus(r->xml->parser, &state);
    if (state.parsing == XML_SUSPENDED)
        return XML_ResumeParser(r->xml->parser);
    size_t size = r->input.size - r->at;
    if (size > PIECE)
        size = PIECE;
    const char *from = r->input.bytes ? r->input.bytes + r->at : "";
    r->at += size;
    return XML_Parse(r->xml->parser, from, (int)size, r->ended && r->at == r->input.size);
}

ob_status xml_next(entry *out, bool *skipped, bool *end, reader *r, ob_error *err)
{
    xml_list *x = r->xml;
    x->columns = &r->told->columns;
    for (;;) {
        XML_ParsingStatus state;
        XML_GetParsingStatus(x->parser, &state);
        if (state.parsing == XML_FINISHED) {
            *end = r->over = true;
            return OB_OK;
        }
        if (state.parsing != XML_SUSPENDED && r->at == r->input.size && !r->ended) {
            ob_status status = reader_fill(r, err);
            r->over |= status == OB_EFORMAT;
            if (status)
                return status;
        }
        if (parse(r) == XML_STATUS_ERROR)
            return not_read_on(r, err);
        if (x->ready)
            return take_record(out, skipped, r, err);
    }
}
