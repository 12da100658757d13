/* NCMEC's hash-sharing XML: images and videos with fingerprints, and those that were deleted. There
 * is no document type, no entity of its own and nothing from elsewhere in such a file; one that has
 * a document type is not read on. */
#include "read_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <expat.h>

enum { DEPTH_MOST = 64, TEXT_MOST = 1 << 20, PIECE = 1 << 15, NAME = 48 };

struct xml_list {
    XML_Parser parser;
    unsigned depth;
    unsigned record;       /* depth of the record's element; 0: outside */
    unsigned fingerprints; /* depth of the element that has them; 0: outside */
    int field;             /* that the text is of, or -1 */
    unsigned field_depth;
    uint64_t fed;                     /* bytes */
    char above[DEPTH_MOST + 1][NAME]; /* names of the elements that are open */
    const char *bad;                  /* why the record is none */
    bool ready, withdrawn, too_long;
    inherited gives;   /* only whether it is withdrawn */
    const char *wrong; /* why it is not read on */
    bool no_memory;
    ob_buf text;
    ob_buf texts; /* of all fields, one behind the other */
    struct {
        int field;
        size_t start; /* in these */
    } said[FIELDS + SAID_MORE];
    unsigned said_count;
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
    x->said_count = 0;
    x->bad = NULL;
}

static bool is_said(const xml_list *x, int field)
{
    for (unsigned i = 0; i < x->said_count; i++)
        if (x->said[i].field == field)
            return true;
    return false;
}

static void say(xml_list *x, int field, const char *text, size_t size)
{
    if (x->said_count == sizeof x->said / sizeof *x->said) {
        x->bad = "more hashes and states than an entry may have";
        return;
    }
    x->said[x->said_count].field = field;
    x->said[x->said_count++].start = x->texts.size;
    if (ob_buf_append(&x->texts, text, size, NULL) || ob_buf_append(&x->texts, "", 1, NULL))
        out_of_memory(x);
}

/* <image state="withdrawn">, <status value="withdrawn"/> */
static void take_attributes(xml_list *x, int of, const XML_Char **attributes)
{
    for (; *attributes; attributes += 2) {
        const int field = field_of(local_name(attributes[0]));
        const size_t size = strlen(attributes[1]);
        x->too_long |= x->texts.size + size > TEXT_MOST;
        if (x->too_long)
            return;
        if (field_is_state(field))
            say(x, field, attributes[1], size);
        else if (field_is_state(of) && field == FIELD_ANY)
            say(x, of, attributes[1], size);
    }
}

/* A hash where no record has one: what is around it is named. */
static void walk_past(xml_list *x)
{
    unsigned around = x->depth - 1;
    while (around > 1 && !strcasecmp(x->above[around], "fingerprints"))
        around--;
    if (around)
        note(x, x->above[around], false);
}

/* Only what stands right in a record, or among its fingerprints, is of it. */
static void begin_field(xml_list *x, const char *name, const XML_Char **attributes)
{
    const bool direct = x->depth == x->record + 1;
    bool deleted;
    if (x->field >= 0 && (field_is_hash(x->field) || field_is_state(x->field)))
        return; /* all the text in it is its own */
    x->field = -1;
    if (is_record(&deleted, name)) {
        x->bad = "it has another in it";
        return;
    }
    if (direct && !strcasecmp(name, "fingerprints")) {
        x->fingerprints = x->depth;
        return;
    }
    const int field = field_of(name);
    if (!direct && !(x->fingerprints && x->depth == x->fingerprints + 1)) {
        if (field_is_hash(field) && field != FIELD_ANY)
            walk_past(x);
        return;
    }
    const bool several = field_is_hash(field) || field_is_state(field);
    const bool fits =
        field >= 0 && field_is_hash(field) != direct && (several || !is_said(x, field));
    note(x, name, fits);
    x->text.size = 0;
    if (!fits)
        return;
    x->field = field;
    x->field_depth = x->depth;
    if (field_is_state(field))
        take_attributes(x, field, attributes);
}

static void XMLCALL on_start(void *context, const XML_Char *full, const XML_Char **attributes)
{
    xml_list *x = context;
    const char *name = local_name(full);
    bool deleted = false;
    if (++x->depth > DEPTH_MOST) {
        stop(x, "elements are nested too deep");
        return;
    }
    snprintf(x->above[x->depth], NAME, "%s", name);
    if (x->record) {
        begin_field(x, name, attributes);
    } else if (is_record(&deleted, name)) {
        begin_record(x, deleted);
        take_attributes(x, -1, attributes);
    } else if (field_is_hash(field_of(name)) && field_of(name) != FIELD_ANY) {
        walk_past(x);
    }
}

static void end_field(xml_list *x)
{
    static const char empty[] = "nothing";
    const bool flag = x->field == FIELD_GONE || x->field == FIELD_HERE;
    if (x->field < 0 || x->depth != x->field_depth)
        return;
    if (flag && !x->text.size && !is_said(x, x->field)) /* <deleted/>: it may be meant */
        say(x, x->field, empty, sizeof empty - 1);
    else
        say(x, x->field, x->text.bytes, x->text.size);
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

/* ---- Records --------------------------------------------------------------------------------- */

static ob_status take_record(entry *out, bool *skipped, reader *r, ob_error *err)
{
    xml_list *x = r->xml;
    said said = {.more_count = 0};
    bool used;
    x->ready = false;
    r->line++;
    if (x->too_long)
        return ob_fail(err, OB_EFORMAT, "longer than %d bytes", TEXT_MOST);
    if (x->bad)
        return ob_fail(err, OB_EFORMAT, "%s", x->bad);
    x->gives.withdrawn = x->withdrawn;
    r->inherited = &x->gives;
    ob_status status = OB_OK;
    for (unsigned i = 0; i < x->said_count && !status; i++)
        status = said_put(&used, &said, x->said[i].field, x->texts.bytes + x->said[i].start, err);
    return status ? status : entry_from_fields(out, skipped, r, &said, err);
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

/* A tag or a comment is kept until its end is there. */
static bool is_endless(const xml_list *x)
{
    const XML_Index at = XML_GetCurrentByteIndex(x->parser);
    return at >= 0 && x->fed > (uint64_t)at + TEXT_MOST;
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
    r->xml->fed += size;
    return XML_Parse(r->xml->parser, from, (int)size, r->ended && r->at == r->input.size);
}

ob_status xml_next(entry *out, bool *skipped, bool *end, reader *r, ob_error *err)
{
    xml_list *x = r->xml;
    x->columns = &r->understood->columns;
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
        XML_GetParsingStatus(x->parser, &state);
        if (state.parsing == XML_PARSING && is_endless(x)) {
            x->wrong = "a tag or a comment is longer than 1 MiB";
            return not_read_on(r, err);
        }
    }
}
