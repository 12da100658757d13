/* Whether a request's fields are what the row of its command says. */
#include "fields_priv.h"

#include <string.h>

/* ---- What is said of one that does not fit --------------------------------------------------- */

static ob_status refuse(const ob_command_field *f, bool is_there, ob_error *err)
{
    char kind[200];
    fields_say(kind, sizeof kind, f);
    return ob_fail(err, OB_EINVAL, "\"%s\" %s %s (%s)", f->name,
                   is_there ? "must be" : "is needed:", kind, f->about);
}

static ob_status refuse_name(const ob_command *c, const char *name, ob_error *err)
{
    return ob_fail(err, OB_EINVAL, "\"%.60s\" is no field of \"%s\"", name, c->name);
}

/* ---- A request as JSON ----------------------------------------------------------------------- */

static ob_status check_members(const ob_command *c, const ob_command_field *f, const json_t *value,
                               ob_error *err);

static ob_status check_words(const ob_command_field *f, const json_t *value, ob_error *err)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)value, i, one)
    {
        if (!fields_is_text(one, 1, f->each))
            return ob_fail(err, OB_EINVAL, "\"%s\", %zu: a text of 1 to %lld bytes is wanted (%s)",
                           f->name, i, (long long)f->each, f->about);
        if (fields_is_set(f) && !fields_one_of(f->words, json_string_value(one)))
            return ob_fail(err, OB_EINVAL, "\"%s\", %zu: \"%.60s\" is none of %s", f->name, i,
                           json_string_value(one), f->words);
    }
    return OB_OK;
}

static ob_status check_one(const ob_command *c, const ob_command_field *f, const json_t *value,
                           bool has_file, ob_error *err)
{
    const bool is_there =
        value || (has_file && (f->kind == OB_FIELD_FILE || f->kind == OB_FIELD_DOCUMENT));
    if (value ? !fields_fit(f, value) : f->is_needed && !is_there)
        return refuse(f, value != NULL, err);
    if (value && f->kind == OB_FIELD_WORDS)
        return check_words(f, value, err);
    return value && f->fields ? check_members(c, f, value, err) : OB_OK;
}

static ob_status check_object(const ob_command *c, const ob_command_field *fields,
                              const json_t *object, ob_error *err)
{
    const char *name;
    json_t *value;
    ob_status status = OB_OK;
    if (!json_is_object(object))
        return ob_fail(err, OB_EINVAL, "no JSON object");
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (!ob_command_field_find(fields, name))
            return refuse_name(c, name, err);
    }
    for (const ob_command_field *f = fields; f->name && !status; f++)
        status = check_one(c, f, json_object_get(object, f->name), false, err);
    return status;
}

/* Of each object in a list. */
static ob_status check_members(const ob_command *c, const ob_command_field *f, const json_t *value,
                               ob_error *err)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)value, i, one)
    {
        ob_status status = check_object(c, f->fields, one, err);
        if (status)
            return ob_fail_in(err, status, "\"%s\", %zu", f->name, i);
    }
    return OB_OK;
}

static bool takes_file(const ob_command *c)
{
    for (const ob_command_field *f = c->takes; f && f->name; f++)
        if (f->kind == OB_FIELD_FILE || f->kind == OB_FIELD_DOCUMENT)
            return true;
    return false;
}

ob_status ob_command_check(const ob_command *c, const json_t *request, bool has_file, ob_error *err)
{
    const char *name;
    json_t *value;
    if (has_file && !takes_file(c))
        return ob_fail(err, OB_EINVAL, "no file goes with \"%s\"", c->name);
    json_object_foreach((json_t *)(uintptr_t)request, name, value)
    {
        const ob_command_field *f = ob_command_field_find(c->takes, name);
        if ((!f || f->is_local) && strcmp(name, "do") && strcmp(name, "person_token"))
            return refuse_name(c, name, err);
    }
    for (const ob_command_field *f = c->takes; f && f->name; f++) {
        ob_status status =
            f->is_local ? OB_OK : check_one(c, f, json_object_get(request, f->name), has_file, err);
        if (status)
            return status;
    }
    return OB_OK;
}

/* ---- A request of a service's ---------------------------------------------------------------- */

static const ob_command_field *find_at(const ob_command *c, const char *name, ob_field_where where)
{
    const ob_command_field *f = ob_command_field_find(c->takes, name);
    return f && ob_command_where(c, f) == where ? f : NULL;
}

static ob_status check_names(const char **code, const ob_command *c, const ob_request *r,
                             ob_error *err)
{
    for (size_t i = 0; i < r->query_count; i++) {
        const char *name = r->query[i].name;
        *code = "UNKNOWN_FIELD";
        if (!find_at(c, name, OB_IN_QUERY))
            return ob_fail(err, OB_EINVAL, "\"%.60s\" is no field of this request", name);
        *code = "FIELD_TWICE";
        for (size_t k = 0; k < i; k++)
            if (!strcmp(r->query[k].name, name))
                return ob_fail(err, OB_EINVAL, "\"%.60s\" was said twice", name);
    }
    return OB_OK;
}

/* What is said of a field outside of the body; NULL: nothing. `part` has room for a part of the
 * path, which is "" where it is longer than any field. */
static const char *value_of(char *part, size_t size, const ob_command *c, const ob_request *r,
                            const ob_command_field *f)
{
    switch (ob_command_where(c, f)) {
    case OB_IN_PATH:
        ob_path_part(part, size, c->path, r->path, f->name);
        return part;
    case OB_IN_HEAD:
        return ob_request_header(r, f->name);
    default:
        return ob_request_value(r, f->name);
    }
}

ob_status ob_command_check_head(const char **code, const ob_command *c, const ob_request *r,
                                ob_error *err)
{
    char part[1024];
    ob_status status =
        c->answers && c->answers->takes_any_query ? OB_OK : check_names(code, c, r, err);
    for (const ob_command_field *f = c->takes; f && f->name && !status; f++) {
        const ob_field_where where = ob_command_where(c, f);
        if (where == OB_IN_BODY || where == OB_IS_BODY)
            continue;
        const char *text = value_of(part, sizeof part, c, r, f);
        *code = f->code ? f->code : "INVALID";
        if (text ? !fields_text_fits(f, text) : f->is_needed)
            status = refuse(f, text != NULL, err);
    }
    return status;
}

ob_status ob_command_check_body(const ob_command *c, const json_t *body, ob_error *err)
{
    const char *name;
    json_t *value;
    ob_status status = OB_OK;
    for (const ob_command_field *f = c->takes; f && f->name; f++)
        if (f->where == OB_IS_BODY)
            return check_one(c, f, body, false, err);
    if (!json_is_object(body))
        return ob_fail(err, OB_EINVAL, "the body is no JSON object");
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
    {
        if (!find_at(c, name, OB_IN_BODY))
            return ob_fail(err, OB_EINVAL, "\"%.60s\" is no field of this request", name);
    }
    for (const ob_command_field *f = c->takes; f && f->name && !status; f++)
        if (ob_command_where(c, f) == OB_IN_BODY)
            status = check_one(c, f, json_object_get(body, f->name), false, err);
    return status;
}
