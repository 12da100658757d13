/* Objects of JSON become entries. */
#include "read_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* Whole numbers are taken as their digits: publishers number their entries. */
static ob_status take_value(char **out, char digits[24], const char *name, const json_t *value,
                            ob_error *err)
{
    if (json_is_string(value))
        *out = (char *)(uintptr_t)json_string_value(value);
    else if (json_is_integer(value))
        snprintf(*out = digits, 24, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        snprintf(*out = digits, 24, "%s", json_is_true(value) ? "true" : "false");
    else if (!json_is_null(value))
        return ob_fail(err, OB_EFORMAT, "\"%.40s\" is neither text nor a whole number", name);
    return OB_OK;
}

/* The field of a member, looked up once for each name. */
static int member_field(size_t *at, reader *r, const char *name)
{
    ob_import_names *columns = &r->understood->columns;
    const bool new = names_note(at, columns, name);
    if (*at == SIZE_MAX || strlen(name) > OB_IMPORT_NAME_MAX)
        return field_of(name);
    if (new)
        r->member[*at] = field_of(name);
    return r->member[*at];
}

/* A hash may be text alone: objects and lists under the same name are something else. */
static bool is_something_else(int field, const json_t *value)
{
    return (field == FIELD_ANY || field == FIELD_TYPE || field == FIELD_SOURCE) &&
           (json_is_object(value) || json_is_array(value));
}

/* A number's digits stand where no other member's do. */
static char *room_for(reader *r, const said *said, int field)
{
    return r->digits[said->text[field] ? FIELDS + said->more_count : (unsigned)field];
}

typedef struct member {
    const char *name;
    int field; /* -1: none that is known */
} member;

/* A state may be a list, of which all count. */
static ob_status take_member(bool *used, said *said, reader *r, const member *m, json_t *value,
                             ob_error *err)
{
    const int field = m->field;
    char *text = NULL;
    *used = false;
    if (field < 0 || is_something_else(field, value))
        return OB_OK;
    if (!field_is_state(field) || !json_is_array(value)) {
        if (said->more_count == SAID_MORE)
            return ob_fail(err, OB_EFORMAT, "more than %d hashes and states in one entry",
                           SAID_MORE);
        ob_status status = take_value(&text, room_for(r, said, field), m->name, value, err);
        return status ? status : said_put(used, said, field, text, err);
    }
    ob_status status = OB_OK;
    for (size_t i = 0; i < json_array_size(value) && !status; i++) {
        json_t *one = json_array_get(value, i);
        status =
            json_is_array(one)
                ? ob_fail(err, OB_EFORMAT, "\"%.40s\" is neither text nor a whole number", m->name)
                : take_member(used, said, r, m, one, err);
    }
    *used = true;
    return status;
}

static ob_status take_members(said *said, reader *r, json_t *object, ob_error *err)
{
    const char *name;
    json_t *value;
    size_t at = 0;
    ob_status status = OB_OK;
    json_object_foreach(object, name, value)
    {
        /* null: its array is walked by itself */
        if (is_array_of_records(name, strlen(name)) &&
            (json_is_array(value) || json_is_null(value)))
            continue;
        const member m = {name, member_field(&at, r, name)};
        bool used;
        status = take_member(&used, said, r, &m, value, err);
        if (status)
            return status;
        if (at != SIZE_MAX)
            r->understood->columns.name[at++].used |= used;
        else
            at = 0;
    }
    return OB_OK;
}

/* ---- Records in records ---------------------------------------------------------------------- */

/* An object whose arrays are walked: what stands in them has its state, id, source and
 * classification where it has none of its own. */
typedef struct nest {
    json_t *object, *array; /* of r->object; array NULL: the next member is to be looked at */
    void *member;
    size_t index;
    inherited gives;
} nest;

bool record_has_array(const char *name, const json_t *value)
{
    return json_is_array(value) && is_array_of_records(name, strlen(name));
}

static bool has_arrays(json_t *object)
{
    const char *name;
    json_t *value;
    bool any = false;
    json_object_foreach(object, name, value) any |= record_has_array(name, value);
    return any;
}

static bool says_a_hash(const said *said)
{
    bool any = false;
    for (int f = 0; f <= FIELD_ANY; f++)
        any |= said->text[f] && said->text[f][strspn(said->text[f], " \t\r\n")];
    return any;
}

static void copy_text(char *out, size_t room, const char *own, const char *above)
{
    snprintf(out, room, "%s", own && *own ? own : above);
}

/* Too long ones are refused where they are checked. */
static ob_status make_heir(inherited *out, const said *said, const inherited *above, bool outermost,
                           ob_error *err)
{
    static const inherited nothing;
    const inherited *from = above ? above : &nothing;
    bool withdrawn = false;
    ob_status status = withdrawn_from_fields(&withdrawn, said, err);
    /* An answer of some service, whose "ok" is not about entries. */
    if (outermost && !said->text[FIELD_ID] && !says_a_hash(said))
        status = OB_OK;
    inherited made = {.withdrawn = from->withdrawn || withdrawn,
                      .has_hash = from->has_hash || says_a_hash(said)};
    copy_text(made.id, sizeof made.id, said->text[FIELD_ID], from->id);
    copy_text(made.source, sizeof made.source, said->text[FIELD_SOURCE], from->source);
    copy_text(made.classification, sizeof made.classification, said->text[FIELD_CLASSIFICATION],
              from->classification);
    *out = made;
    return status;
}

static ob_status check_heir(const said *said, ob_error *err)
{
    static const struct {
        field field;
        size_t most;
        const char *name;
    } texts[] = {{FIELD_ID, OB_LIST_ID_MAX, "an id"},
                 {FIELD_SOURCE, OB_LIST_TEXT_MAX, "a source"},
                 {FIELD_CLASSIFICATION, OB_LIST_TEXT_MAX, "a classification"}};
    ob_status status = OB_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !status; i++)
        if (said->text[texts[i].field])
            status = list_check_text(said->text[texts[i].field], texts[i].most, texts[i].name, err);
    return status;
}

static bool says_who_is_gone(const said *said)
{
    bool gone = false;
    return said->text[FIELD_ID] && !withdrawn_from_fields(&gone, said, NULL) && gone;
}

/* *none: it has no hash, but arrays of what may have one. */
static ob_status open_object(entry *out, bool *none, reader *r, json_t *object, bool outermost,
                             ob_error *err)
{
    said said = {.more_count = 0};
    inherited heir;
    const bool arrays = has_arrays(object);
    if (arrays && r->nested == NESTS_MOST)
        return ob_fail(err, OB_EFORMAT, "records are nested too deep");
    ob_status status = take_members(&said, r, object, err);
    if (!status && arrays) {
        status = make_heir(&heir, &said, r->inherited, outermost, err);
        if (!status)
            status = check_heir(&said, err);
    }
    const bool own = says_a_hash(&said) || says_who_is_gone(&said);
    *none = !own && (arrays || (r->inherited && r->inherited->has_hash));
    if (!status && !*none)
        status = entry_from_fields(out, none, r, &said, err);
    if (!status && arrays)
        r->nest[r->nested++] = (nest){.object = object, .gives = heir};
    return status;
}

/* A text in such an array: beside a hash it may as well be a file's name. */
static ob_status open_text(entry *out, bool *none, reader *r, const char *text, ob_error *err)
{
    *none = r->inherited && r->inherited->has_hash &&
            !field_could_be_hash(strrchr(text, ':') ? strrchr(text, ':') + 1 : text);
    return *none ? OB_OK : entry_from_text(out, none, r, (char *)(uintptr_t)text, err);
}

static ob_status open_value(entry *out, bool *none, reader *r, json_t *value, ob_error *err)
{
    const bool counts = r->document != NULL;
    if (json_is_object(value)) {
        ob_status status = open_object(out, none, r, value, false, err);
        r->line += counts && (status || !*none || !has_arrays(value));
        return status;
    }
    r->line += counts;
    if (json_is_string(value))
        return open_text(out, none, r, json_string_value(value), err);
    *none = r->inherited && r->inherited->has_hash;
    return *none ? OB_OK : ob_fail(err, OB_EFORMAT, "JSON, but not an object");
}

/* The next array of the object, or none. */
static bool find_array(nest *n)
{
    n->member =
        n->member ? json_object_iter_next(n->object, n->member) : json_object_iter(n->object);
    n->index = 0;
    while (n->member &&
           !record_has_array(json_object_iter_key(n->member), json_object_iter_value(n->member)))
        n->member = json_object_iter_next(n->object, n->member);
    n->array = n->member ? json_object_iter_value(n->member) : NULL;
    return n->array != NULL;
}

ob_status record_next(entry *out, bool *none, bool *any, reader *r, ob_error *err)
{
    *any = false;
    while (r->nested && !*any) {
        nest *n = &r->nest[r->nested - 1];
        if (n->array && n->index < json_array_size(n->array)) {
            *any = true;
            const inherited *above = r->inherited;
            r->inherited = &n->gives;
            ob_status status = open_value(out, none, r, json_array_get(n->array, n->index++), err);
            r->inherited = above;
            return status;
        }
        if (!find_array(n))
            r->nested--;
    }
    return OB_OK;
}

static ob_status load(json_t **out, const record_text *from, ob_error *err)
{
    json_error_t where;
    *out = json_loadb(from->text, from->length, JSON_REJECT_DUPLICATES, &where);
    if (!*out)
        return ob_fail(err, OB_EFORMAT, "not JSON, at character %d: %s", where.column, where.text);
    if (!json_is_object(*out))
        return ob_fail(err, OB_EFORMAT, "JSON, but not an object");
    return OB_OK;
}

ob_status entry_from_record(entry *out, bool *none, reader *r, const record_text *from,
                            ob_error *err)
{
    json_decref(r->object);
    r->object = NULL;
    r->nested = 0;
    if (!r->nest)
        r->nest = calloc(NESTS_MOST, sizeof *r->nest);
    if (!r->nest)
        return ob_fail(err, OB_ENOMEM, "out of memory: reading a list");
    ob_status status = load(&r->object, from, err);
    if (!status)
        status = open_object(out, none, r, r->object, from->outermost, err);
    r->line += r->document && (status || !*none || !has_arrays(r->object));
    return status;
}

/* ---- Records that are walked in parts -------------------------------------------------------- */

ob_status entry_from_head(entry *out, bool *none, inherited *gives, reader *r,
                          const record_text *from, ob_error *err)
{
    said said = {.more_count = 0};
    json_decref(r->object);
    r->object = NULL;
    r->nested = 0;
    ob_status status = load(&r->object, from, err);
    if (!status)
        status = take_members(&said, r, r->object, err);
    if (!status)
        status = make_heir(gives, &said, r->inherited, from->outermost, err);
    if (!status)
        status = check_heir(&said, err);
    *none = !says_a_hash(&said) && !says_who_is_gone(&said);
    if (!status && !*none)
        status = entry_from_fields(out, none, r, &said, err);
    r->line += status || !*none;
    return status;
}

/* Why what stood in the array may not count as it does. */
static ob_status read_behind(reader *r, const said *said, bool outermost, ob_error *err)
{
    inherited gives;
    ob_status status = make_heir(&gives, said, r->inherited, outermost, err);
    if (status)
        return status;
    if (gives.withdrawn && !r->inherited->withdrawn)
        return ob_fail(err, OB_EFORMAT, "withdrawn");
    if (says_a_hash(said))
        return ob_fail(err, OB_EFORMAT, "a hash");
    return outermost || !said->text[FIELD_ID] ? OB_OK : ob_fail(err, OB_EFORMAT, "an id");
}

ob_status check_tail(reader *r, const record_text *from, ob_error *err)
{
    said said = {.more_count = 0};
    ob_error why = {0};
    json_decref(r->object);
    r->object = NULL;
    r->nested = 0;
    ob_status status = load(&r->object, from, err);
    if (status)
        return status;
    status = take_members(&said, r, r->object, &why);
    if (!status)
        status = read_behind(r, &said, from->outermost, &why);
    if (!status)
        return OB_OK;
    r->line++;
    return ob_fail(err, OB_EREFUSED,
                   "it is too long to be read whole, and has behind an array what belongs before "
                   "it: %s",
                   why.text);
}

/* ---- Journals -------------------------------------------------------------------------------- */

static ob_status own_text(const char **out, const json_t *object, const char *name, ob_error *err)
{
    const json_t *value = json_object_get(object, name);
    *out = value ? json_string_value(value) : "";
    return *out ? OB_OK : ob_fail(err, OB_EFORMAT, "\"%s\" is not text", name);
}

static ob_status own_hashes(bool *any, entry *to, const json_t *object, ob_error *err)
{
    const char *text;
    ob_status status = own_text(&text, object, "pdq", err);
    if (!status && *text) {
        status = ob_hash256_parse(&to->hash, text, strlen(text), err);
        to->has_hash = *any = true;
    }
    for (int k = 0; k < DIGEST_KINDS && !status; k++) {
        status = own_text(&text, object, list_digest_kinds[k].name, err);
        if (status || !*text)
            continue;
        to->has_digest[k] = *any = true;
        status = ob_list_digest_parse(to->digest[k], (ob_list_digest)k, text, strlen(text), err);
    }
    return status;
}

/* Exactly as journal.c writes them. */
ob_status entry_from_json(entry *out, const json_t *object, ob_error *err)
{
    entry made = {0};
    const char *state = "";
    bool any = false;
    if (!json_is_object(object))
        return ob_fail(err, OB_EFORMAT, "JSON, but not an object");
    ob_status status = own_hashes(&any, &made, object, err);
    if (!status)
        status = own_text(&made.id, object, "id", err);
    if (!status)
        status = own_text(&made.source, object, "source", err);
    if (!status)
        status = own_text(&made.classification, object, "classification", err);
    if (!status)
        status = own_text(&state, object, "state", err);
    if (!status && (!any || (*state && strcmp(state, "withdrawn"))))
        status = ob_fail(err, OB_EFORMAT, "no entry of a journal");
    if (!status)
        status = list_check_text(made.id, OB_LIST_ID_MAX, "an id", err);
    if (!status)
        status = list_check_text(made.source, OB_LIST_TEXT_MAX, "a source", err);
    if (!status)
        status = list_check_text(made.classification, OB_LIST_TEXT_MAX, "a classification", err);
    if (status)
        return status;
    made.id = *made.id ? made.id : NULL;
    made.withdrawn = *state != '\0';
    *out = made;
    return OB_OK;
}
