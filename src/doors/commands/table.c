/* Finding rows and fields of the table, and all of it as JSON. */
#include <obhut/commands.h>

#include <obhut/staff.h>

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

ob_field_where ob_command_where(const ob_command *c, const ob_command_field *f)
{
    const size_t size = strlen(f->name);
    if (f->where != OB_BY_METHOD)
        return f->where;
    for (const char *at = c->path; at && (at = strchr(at, '{')) != NULL; at++)
        if (!strncmp(at + 1, f->name, size) && at[size + 1] == '}')
            return OB_IN_PATH;
    const bool in_query = c->method && (!strcmp(c->method, "GET") || !strcmp(c->method, "DELETE"));
    return in_query ? OB_IN_QUERY : OB_IN_BODY;
}

/* ---- All of it as JSON ----------------------------------------------------------------------- */

static json_t *fields_json(const ob_command *c, const ob_command_field *fields);

static json_t *field_json(const ob_command *c, const ob_command_field *f)
{
    static const char *const kinds[] = {
        [OB_FIELD_TEXT] = "text",         [OB_FIELD_WORD] = "word",
        [OB_FIELD_WORDS] = "words",       [OB_FIELD_NUMBER] = "number",
        [OB_FIELD_TRUTH] = "truth",       [OB_FIELD_TIME] = "time",
        [OB_FIELD_OBJECT] = "object",     [OB_FIELD_FILE] = "file",
        [OB_FIELD_DOCUMENT] = "document", [OB_FIELD_LIST] = "list",
        [OB_FIELD_PLACES] = "places",     [OB_FIELD_ANY] = "any",
    };
    static const char *const logged[] = {
        [OB_LOGGED_NEVER] = "never",   [OB_LOGGED_PLAIN] = "plain", [OB_LOGGED_ABOUT] = "about",
        [OB_LOGGED_PERSON] = "person", [OB_LOGGED_CODE] = "code",   [OB_LOGGED_HIDDEN] = "hidden",
    };
    static const char *const wheres[] = {
        [OB_IN_QUERY] = "query", [OB_IN_PATH] = "path",  [OB_IN_HEAD] = "header",
        [OB_IN_BODY] = "body",   [OB_IS_BODY] = "whole",
    };
    json_t *out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:s, s:s*, s:s*, s:s}",
                            "name", f->name, "kind", kinds[f->kind], "least", (json_int_t)f->least,
                            "most", (json_int_t)f->most, "each", (json_int_t)f->each, "needed",
                            (int)f->is_needed, "place", (int)f->is_place, "local", (int)f->is_local,
                            "inner", (int)f->is_inner, "logged", logged[f->logged], "words",
                            f->words, "code", f->code, "about", f->about);
    if (c->path)
        json_object_set_new(out, "where", json_string(wheres[ob_command_where(c, f)]));
    if (f->fields)
        json_object_set_new(out, "fields", fields_json(c, f->fields));
    return out;
}

static json_t *fields_json(const ob_command *c, const ob_command_field *fields)
{
    json_t *array = json_array();
    for (; fields && fields->name; fields++)
        json_array_append_new(array, field_json(c, fields));
    return array;
}

static json_t *answers_json(const ob_command_answer *a)
{
    json_t *also = json_array();
    for (size_t i = 0; i < sizeof a->also / sizeof *a->also && a->also[i]; i++)
        json_array_append_new(also, json_integer(a->also[i]));
    return json_pack("{s:i, s:s*, s:s*, s:s*, s:s*, s:o, s:b}", "status",
                     a->status ? (int)a->status : 200, "about", a->about, "schemas", a->schemas,
                     "type", a->type, "could_not", a->could_not, "also", also, "any_query",
                     (int)a->takes_any_query);
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

/* What a service's token must be good for; NULL: it is not asked with one. */
static const char *token_of(const ob_command *c)
{
    if (!c->begin)
        return NULL;
    return c->scope == OB_TOKEN_NONE  ? "none"
           : c->scope == OB_TOKEN_ANY ? "any"
                                      : ob_scope_name((ob_scope)c->scope);
}

static json_t *command_json(const ob_command *c)
{
    static const char *const effects[] = {[OB_EFFECT_SHOWS] = "shows",
                                          [OB_EFFECT_READS] = "reads about persons",
                                          [OB_EFFECT_ACTS] = "changes",
                                          [OB_EFFECT_ERASES] = "erases",
                                          [OB_EFFECT_DOES] = "changes beside the records"};
    static const char *const persons[] = {"none", "one", "two", "proposed"};
    json_t *out =
        json_pack("{s:s, s:s, s:s*, s:s, s:s, s:o, s:o, s:o, s:b, s:s*, s:s*, s:s*, s:o, s:o}",
                  "name", c->name, "about", c->about, "more", c->more, "effect", effects[c->effect],
                  "persons", persons[c->persons], "roles", roles_json(c->roles), "agree",
                  roles_json(c->agree), "places", places_json(c->places), "inner", (int)c->is_inner,
                  "token", token_of(c), "method", c->method, "path", c->path, "takes",
                  fields_json(c, c->takes), "gives", fields_json(c, c->gives));
    if (c->answers)
        json_object_set_new(out, "answers", answers_json(c->answers));
    return out;
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
