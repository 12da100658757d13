/* Objects of JSON become entries. */
#include "read_priv.h"

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
    ob_import_names *columns = &r->told->columns;
    const bool new = names_note(at, columns, name);
    if (*at == SIZE_MAX || strlen(name) > OB_IMPORT_NAME_MAX)
        return field_of(name);
    if (new)
        r->member[*at] = field_of(name);
    return r->member[*at];
}

/* A hash may be text alone: objects and lists under the same name are something else. */
static bool is_container(int field, const json_t *value)
{
    return (field == FIELD_ANY || field == FIELD_STATE || field == FIELD_TYPE ||
            field == FIELD_SOURCE) &&
           (json_is_object(value) || json_is_array(value));
}

static ob_status take_members(reader *r, char *fields[FIELDS], json_t *object, ob_error *err)
{
    const char *name;
    json_t *value;
    size_t at = 0;
    ob_status status = OB_OK;
    json_object_foreach(object, name, value)
    {
        int field = member_field(&at, r, name);
        const bool used = field >= 0 && !fields[field] && !is_container(field, value);
        if (used)
            status = take_value(&fields[field], r->digits[field], name, value, err);
        if (status)
            return status;
        if (at != SIZE_MAX)
            r->told->columns.name[at++].used |= used;
        else
            at = 0;
    }
    return OB_OK;
}

ob_status entry_from_record(entry *out, bool *skipped, reader *r, const char *text, size_t length,
                            ob_error *err)
{
    json_error_t where;
    char *fields[FIELDS] = {0};
    json_decref(r->object);
    r->object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    if (!r->object)
        return ob_fail(err, OB_EFORMAT, "not JSON, at character %d: %s", where.column, where.text);
    if (!json_is_object(r->object))
        return ob_fail(err, OB_EFORMAT, "JSON, but not an object");
    ob_status status = take_members(r, fields, r->object, err);
    return status ? status : entry_from_fields(out, skipped, r, fields, err);
}

/* ---- Journals ----------------------------------------------------------------------------- */

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
