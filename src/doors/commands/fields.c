/* Whether a request's fields are what the row of its command says. */
#include <obhut/commands.h>

#include <obhut/gate.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values in JSON -------------------------------------------------------------------------- */

static bool is_text(const json_t *value, int64_t least, int64_t most)
{
    const char *text = json_string_value(value);
    const size_t size = json_string_length(value);
    return text && strlen(text) == size && (int64_t)size >= least && (int64_t)size <= most;
}

static bool is_one_of(const char *words, const char *text)
{
    const size_t size = strlen(text);
    if (strchr(text, '|'))
        return false;
    for (const char *at = words; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (!strncmp(at, text, size) && (at[size] == '|' || !at[size]))
            return true;
    }
    return false;
}

/* A JSON text without NUL; NULL: it is none. */
static const char *plain_text(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool is_set(const ob_command_field *f)
{
    return f->words && strchr(f->words, '|');
}

bool ob_command_instant(int64_t *out, const char *text)
{
    char instant[OB_TIME_TEXT + 1];
    const size_t size = strlen(text);
    snprintf(instant, sizeof instant, size == 10 ? "%.10sT00:00:00Z" : "%.20s", text);
    return size <= OB_TIME_TEXT && ob_time_parse(out, instant);
}

static bool is_time(const char *text)
{
    int64_t when;
    return ob_command_instant(&when, text);
}

static bool are_texts(const json_t *value, int64_t least, int64_t count_most, int64_t most)
{
    size_t i;
    json_t *one;
    if (!json_is_array(value) || (int64_t)json_array_size(value) < least ||
        (int64_t)json_array_size(value) > count_most)
        return false;
    json_array_foreach((json_t *)(uintptr_t)value, i, one)
    {
        if (!is_text(one, 1, most))
            return false;
    }
    return true;
}

static bool is_sha256(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool is_list(const ob_command_field *f, const json_t *value)
{
    return json_is_array(value) && (int64_t)json_array_size(value) >= f->least &&
           (int64_t)json_array_size(value) <= f->most;
}

static bool fits(const ob_command_field *f, const json_t *value)
{
    enum { PLACE_MOST = 4096 };
    const char *text = plain_text(value);
    switch (f->kind) {
    case OB_FIELD_TEXT:
        return is_text(value, f->least, f->most);
    case OB_FIELD_WORD:
        return text && is_one_of(f->words, text);
    case OB_FIELD_NUMBER:
        return json_is_integer(value) && json_integer_value(value) >= f->least &&
               json_integer_value(value) <= f->most;
    case OB_FIELD_TRUTH:
        return json_is_boolean(value);
    case OB_FIELD_TIME:
        return text && is_time(text);
    case OB_FIELD_OBJECT:
        return json_is_object(value);
    case OB_FIELD_FILE:
        return is_text(value, 0, PLACE_MOST);
    case OB_FIELD_DOCUMENT:
        return is_sha256(value);
    case OB_FIELD_PLACES:
        return are_texts(value, 0, INT64_MAX, PLACE_MOST);
    case OB_FIELD_WORDS: /* each is looked at by check_words */
    case OB_FIELD_LIST:  /* by check_members */
        return is_list(f, value);
    case OB_FIELD_ANY:
        return !json_is_array(value) || (int64_t)json_array_size(value) <= f->most;
    }
    return false;
}

/* ---- Values as text, in a path, a query or a head -------------------------------------------- */

static bool is_number(const ob_command_field *f, const char *text)
{
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    return *text && !*end && !errno && !strchr(" +\t\n\v\f\r0", *text) && number >= f->least &&
           number <= f->most;
}

/* The bytes of a text may be any here: as they were sent, they are a service's own word. */
static bool text_fits(const ob_command_field *f, const char *text)
{
    const int64_t size = (int64_t)strlen(text);
    switch (f->kind) {
    case OB_FIELD_TEXT:
        return size >= f->least && size <= f->most;
    case OB_FIELD_WORD:
        return is_one_of(f->words, text);
    case OB_FIELD_NUMBER:
        return is_number(f, text);
    case OB_FIELD_TRUTH:
        return !strcmp(text, "true") || !strcmp(text, "false");
    case OB_FIELD_TIME:
        return is_time(text);
    default:
        return false;
    }
}

/* ---- What is said of one that does not fit --------------------------------------------------- */

/* "a number from 1 to 30": what the field takes. */
static void say_kind(char *out, size_t size, const ob_command_field *f)
{
    static const char *const kinds[] = {
        [OB_FIELD_TRUTH] = "true or false",    [OB_FIELD_TIME] = "a time: 2027-01-31",
        [OB_FIELD_OBJECT] = "a JSON object",   [OB_FIELD_FILE] = "a file",
        [OB_FIELD_DOCUMENT] = "a document",    [OB_FIELD_PLACES] = "texts",
        [OB_FIELD_LIST] = "a list of objects", [OB_FIELD_ANY] = "JSON",
    };
    const long long least = f->least, most = f->most, each = f->each;
    if (f->kind == OB_FIELD_NUMBER && f->most == INT64_MAX)
        snprintf(out, size, "a number from %lld", least);
    else if (f->kind == OB_FIELD_NUMBER)
        snprintf(out, size, "a number from %lld to %lld", least, most);
    else if (f->kind == OB_FIELD_TEXT)
        snprintf(out, size, "a text of %lld to %lld bytes", least, most);
    else if (f->kind == OB_FIELD_WORD)
        snprintf(out, size, "one of %s", f->words);
    else if (f->kind == OB_FIELD_WORDS && is_set(f))
        snprintf(out, size, "a list of %lld to %lld of %s", least, most, f->words);
    else if (f->kind == OB_FIELD_WORDS)
        snprintf(out, size, "a list of %lld to %lld texts of 1 to %lld bytes", least, most, each);
    else if (f->kind == OB_FIELD_LIST || f->kind == OB_FIELD_ANY)
        snprintf(out, size, "%s, at most %lld", kinds[f->kind], most);
    else
        snprintf(out, size, "%s", kinds[f->kind]);
}

static ob_status refuse(const ob_command_field *f, bool is_there, ob_error *err)
{
    char kind[200];
    say_kind(kind, sizeof kind, f);
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
        if (!is_text(one, 1, f->each))
            return ob_fail(err, OB_EINVAL, "\"%s\", %zu: a text of 1 to %lld bytes is wanted (%s)",
                           f->name, i, (long long)f->each, f->about);
        if (is_set(f) && !is_one_of(f->words, json_string_value(one)))
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
    if (value ? !fits(f, value) : f->is_needed && !is_there)
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

/* The only header that is a field of a row. */
static const char *head_value(const ob_request *r, const char *name)
{
    return !strcmp(name, "Idempotency-Key") ? r->idempotency_key : NULL;
}

ob_status ob_command_check_head(const char **code, const ob_command *c, const ob_request *r,
                                const char *word, ob_error *err)
{
    ob_status status =
        c->answers && c->answers->takes_any_query ? OB_OK : check_names(code, c, r, err);
    for (const ob_command_field *f = c->takes; f && f->name && !status; f++) {
        const ob_field_where where = ob_command_where(c, f);
        if (where == OB_IN_BODY || where == OB_IS_BODY)
            continue;
        const char *text = where == OB_IN_PATH    ? word
                           : where == OB_IN_QUERY ? ob_request_value(r, f->name)
                                                  : head_value(r, f->name);
        *code = f->code ? f->code : "INVALID";
        if (text ? !text_fits(f, text) : f->is_needed)
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
