/* What a row of the table says, applied to a request. */
#include <obhut/commands.h>

#include <obhut/gate.h>
#include <obhut/staff.h>

#include <stdio.h>
#include <string.h>

const ob_command *ob_command_find(const char *name)
{
    const ob_command *c;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

const ob_command_field *ob_command_field_find(const ob_command_field *fields, const char *name)
{
    for (; fields && fields->name; fields++)
        if (!strcmp(fields->name, name))
            return fields;
    return NULL;
}

/* ---- Values ------------------------------------------------------------------------------------
 */

static bool is_text(const json_t *value, int64_t least, int64_t most)
{
    const char *text = json_string_value(value);
    const size_t size = json_string_length(value);
    return text && strlen(text) == size && (int64_t)size >= least && (int64_t)size <= most;
}

static bool is_one_of(const char *words, const json_t *value)
{
    const char *text = json_string_value(value);
    const size_t size = text ? strlen(text) : 0;
    if (!text || size != json_string_length(value) || strchr(text, '|'))
        return false;
    for (const char *at = words; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (!strncmp(at, text, size) && (at[size] == '|' || !at[size]))
            return true;
    }
    return false;
}

/* An instant, or a day. */
static bool is_time(const json_t *value)
{
    char instant[OB_TIME_TEXT + 1];
    int64_t when;
    const char *text = json_string_value(value);
    if (!text || strlen(text) != json_string_length(value))
        return false;
    snprintf(instant, sizeof instant, strlen(text) == 10 ? "%.10sT00:00:00Z" : "%.20s", text);
    return strlen(text) <= OB_TIME_TEXT && ob_time_parse(&when, instant);
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

static bool fits(const ob_command_field *f, const json_t *value)
{
    enum { PLACE_MOST = 4096 };
    switch (f->kind) {
    case OB_FIELD_TEXT:
        return is_text(value, f->least, f->most);
    case OB_FIELD_WORD:
        return is_one_of(f->words, value);
    case OB_FIELD_WORDS:
        return are_texts(value, f->least, f->most, OB_FIELD_WORD_MOST);
    case OB_FIELD_NUMBER:
        return json_is_integer(value) && json_integer_value(value) >= f->least &&
               json_integer_value(value) <= f->most;
    case OB_FIELD_TRUTH:
        return json_is_boolean(value);
    case OB_FIELD_TIME:
        return is_time(value);
    case OB_FIELD_OBJECT:
        return json_is_object(value);
    case OB_FIELD_FILE:
        return is_text(value, 0, PLACE_MOST);
    case OB_FIELD_DOCUMENT:
        return is_sha256(value);
    case OB_FIELD_PLACES:
        return are_texts(value, 0, INT64_MAX, PLACE_MOST);
    case OB_FIELD_LIST:
        break;
    }
    return false;
}

/* "a number from 1 to 30": what the field takes. */
static void say_kind(char *out, size_t size, const ob_command_field *f)
{
    static const char *const kinds[] = {
        [OB_FIELD_TEXT] = "a text",          [OB_FIELD_WORDS] = "words",
        [OB_FIELD_TRUTH] = "true or false",  [OB_FIELD_TIME] = "a time: 2027-01-31",
        [OB_FIELD_OBJECT] = "a JSON object", [OB_FIELD_FILE] = "a file",
        [OB_FIELD_DOCUMENT] = "a document",  [OB_FIELD_PLACES] = "texts",
        [OB_FIELD_LIST] = "a list",
    };
    if (f->kind == OB_FIELD_NUMBER && f->most == INT64_MAX)
        snprintf(out, size, "a number from %lld", (long long)f->least);
    else if (f->kind == OB_FIELD_NUMBER)
        snprintf(out, size, "a number from %lld to %lld", (long long)f->least, (long long)f->most);
    else if (f->kind == OB_FIELD_TEXT)
        snprintf(out, size, "a text of %lld to %lld bytes", (long long)f->least,
                 (long long)f->most);
    else if (f->kind == OB_FIELD_WORD)
        snprintf(out, size, "one of %s", f->words);
    else
        snprintf(out, size, "%s", kinds[f->kind]);
}

static ob_status check_one(const ob_command_field *f, const json_t *value, bool has_file,
                           ob_error *err)
{
    char kind[200];
    const bool is_there =
        value || (has_file && (f->kind == OB_FIELD_FILE || f->kind == OB_FIELD_DOCUMENT));
    if (value ? fits(f, value) : !f->is_needed || is_there)
        return OB_OK;
    say_kind(kind, sizeof kind, f);
    return ob_fail(err, OB_EINVAL, "\"%s\" %s %s (%s)", f->name,
                   value ? "must be" : "is needed:", kind, f->about);
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
            return ob_fail(err, OB_EINVAL, "\"%.60s\" is no field of \"%s\"", name, c->name);
    }
    for (const ob_command_field *f = c->takes; f && f->name; f++) {
        ob_status status =
            f->is_local ? OB_OK : check_one(f, json_object_get(request, f->name), has_file, err);
        if (status)
            return status;
    }
    return OB_OK;
}

/* ---- All of it as JSON
 * --------------------------------------------------------------------------- */

static json_t *field_json(const ob_command_field *f)
{
    static const char *const kinds[] = {
        [OB_FIELD_TEXT] = "text",         [OB_FIELD_WORD] = "word",
        [OB_FIELD_WORDS] = "words",       [OB_FIELD_NUMBER] = "number",
        [OB_FIELD_TRUTH] = "truth",       [OB_FIELD_TIME] = "time",
        [OB_FIELD_OBJECT] = "object",     [OB_FIELD_FILE] = "file",
        [OB_FIELD_DOCUMENT] = "document", [OB_FIELD_LIST] = "list",
        [OB_FIELD_PLACES] = "places",
    };
    static const char *const logged[] = {
        [OB_LOGGED_NEVER] = "never",   [OB_LOGGED_PLAIN] = "plain", [OB_LOGGED_ABOUT] = "about",
        [OB_LOGGED_PERSON] = "person", [OB_LOGGED_CODE] = "code",
    };
    return json_pack("{s:s, s:s, s:I, s:I, s:b, s:b, s:b, s:b, s:s, s:s*, s:s}", "name", f->name,
                     "kind", kinds[f->kind], "least", (json_int_t)f->least, "most",
                     (json_int_t)f->most, "needed", (int)f->is_needed, "place", (int)f->is_place,
                     "local", (int)f->is_local, "inner", (int)f->is_inner, "logged",
                     logged[f->logged], "words", f->words, "about", f->about);
}

static json_t *fields_json(const ob_command_field *fields)
{
    json_t *array = json_array();
    for (; fields && fields->name; fields++)
        json_array_append_new(array, field_json(fields));
    return array;
}

static json_t *places_json(uint32_t places)
{
    static const char *const names[] = {"shell", "socket", "staff", "services", "public"};
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (places >> i & 1)
            json_array_append_new(array, json_string(names[i]));
    return array;
}

static json_t *roles_json(uint32_t roles)
{
    json_t *array = json_array();
    for (int r = 0; r < OB_ROLES; r++)
        if (roles >> r & 1)
            json_array_append_new(array, json_string(ob_role_name((ob_role)r)));
    return array;
}

static json_t *command_json(const ob_command *c)
{
    static const char *const effects[] = {[OB_EFFECT_LOOKS] = "looks",
                                          [OB_EFFECT_READS] = "reads about persons",
                                          [OB_EFFECT_ACTS] = "changes",
                                          [OB_EFFECT_ERASES] = "erases",
                                          [OB_EFFECT_DOES] = "changes beside the records"};
    static const char *const persons[] = {"none", "one", "two", "proposed"};
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:s*, s:s*, s:o, s:o}", "name",
                     c->name, "about", c->about, "effect", effects[c->effect], "persons",
                     persons[c->persons], "roles", roles_json(c->roles), "agree",
                     roles_json(c->agree), "places", places_json(c->places), "inner",
                     (int)c->is_inner, "method", c->method, "path", c->path, "takes",
                     fields_json(c->takes), "gives", fields_json(c->gives));
}

static json_t *group_json(const ob_command_group *g)
{
    enum { EXAMPLES = sizeof g->examples / sizeof *g->examples };
    json_t *examples = json_array();
    for (size_t i = 0; i < EXAMPLES && g->examples[i]; i++)
        json_array_append_new(examples, json_string(g->examples[i]));
    return json_pack("{s:s, s:s, s:s*, s:o}", "name", g->name, "about", g->about, "notes", g->notes,
                     "examples", examples);
}

json_t *ob_commands_json(void)
{
    const ob_command *c;
    const ob_command_group *g;
    json_t *commands = json_array(), *groups = json_array();
    for (size_t i = 0; (g = ob_command_group_at(i)) != NULL; i++)
        json_array_append_new(groups, group_json(g));
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++)
        json_array_append_new(commands, command_json(c));
    return json_pack("{s:o, s:o}", "groups", groups, "commands", commands);
}
