/* Commands over HTTP: what persons ask with their personal token, by the same rows and the same
 * code as the operator's socket. */
#include "commands_priv.h"

#include <obhut/crypto.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MOST = 1 << 20, WORD_MOST = 256, ALLOW_MOST = 40 };

typedef struct web_call {
    ob_call call; /* first */
    ob_service *service;
    const ob_command *command;
    json_t *request;
    char allow[ALLOW_MOST];
} web_call;

/* ---- Finding the row ------------------------------------------------------------------------- */

static bool is_asked_here(const ob_command *c)
{
    return c->path && c->places & OB_AT_STAFF;
}

static bool is_method(const ob_command *c, const char *method)
{
    return !strcmp(c->method, method) || (!strcmp(c->method, "GET") && !strcmp(method, "HEAD"));
}

static void add_method(char allow[ALLOW_MOST], const char *method)
{
    const size_t length = strlen(allow);
    snprintf(allow + length, ALLOW_MOST - length, "%s%s%s", length ? ", " : "", method,
             strcmp(method, "GET") ? "" : ", HEAD");
}

static const ob_command *find(char allow[ALLOW_MOST], const ob_request *request)
{
    const ob_command *c;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++)
        if (is_asked_here(c) && ob_path_is(c->path, request->path, false)) {
            if (is_method(c, request->method))
                return c;
            add_method(allow, c->method);
        }
    return NULL;
}

/* ---- Its fields ------------------------------------------------------------------------------ */

static json_t *from_text(const ob_command_field *f, const char *text)
{
    char *end = NULL;
    if (f->kind == OB_FIELD_TRUTH && (!strcmp(text, "true") || !strcmp(text, "false")))
        return json_boolean(*text == 't');
    if (f->kind != OB_FIELD_NUMBER)
        return ob_json_text(text);
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    return *text && !*end && !errno && !strchr(" +", *text) ? json_integer(number)
                                                            : ob_json_text(text);
}

/* A field of the path or the query; what no field is called is kept, and refused by name. */
static ob_status add_field(json_t *request, const ob_command *c, const char *name, const char *text,
                           ob_error *err)
{
    const ob_command_field *f = ob_command_field_find(c->takes, name);
    if (!strcmp(name, "do") || !strcmp(name, "person_token"))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no field of \"%s\"", name, c->name);
    if (json_object_get(request, name))
        return ob_fail(err, OB_EINVAL, "\"%.60s\" was said twice", name);
    json_t *value = f ? from_text(f, text) : ob_json_text(text);
    return value && !json_object_set_new(request, name, value)
               ? OB_OK
               : ob_fail(err, OB_ENOMEM, "out of memory: a request");
}

/* What stands in the path for a field in braces. */
static ob_status add_part(json_t *out, const ob_command *c, const ob_request *request,
                          const char *brace, ob_error *err)
{
    char name[OB_FIELD_WORD_MOST], word[WORD_MOST + 1];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(brace, "}") - 1, brace + 1);
    return ob_path_part(word, sizeof word, c->path, request->path, name)
               ? add_field(out, c, name, word, err)
               : ob_fail(err, OB_EINVAL, "\"%s\" has at most %d bytes", name, WORD_MOST);
}

static ob_status read_head(json_t *out, const ob_command *c, const ob_request *request,
                           ob_error *err)
{
    ob_status status = OB_OK;
    for (const char *at = c->path; !status && (at = strchr(at, '{')) != NULL; at++)
        status = add_part(out, c, request, at, err);
    if (!status && request->query_count && !strcmp(c->method, "POST"))
        status = ob_fail(err, OB_EINVAL, "\"%.60s\": fields of a POST stand in its body",
                         request->query[0].name);
    for (size_t i = 0; i < request->query_count && !status; i++)
        status = add_field(out, c, request->query[i].name, request->query[i].value, err);
    return status;
}

static ob_status read_body(json_t *out, const ob_command *c, ob_body body, ob_error *err)
{
    const char *name;
    if (body.size && strcmp(c->method, "POST"))
        return ob_fail(err, OB_EINVAL, "%s takes no body: fields stand in the query", c->method);
    json_t *value, *in = body.size ? ob_json_body(body, err) : json_object();
    ob_status status = !in ? err->status : OB_OK;
    if (!status && !json_is_object(in))
        status = ob_fail(err, OB_EFORMAT, "a JSON object is wanted");
    json_object_foreach(in, name, value)
    {
        if (status)
            break;
        if (!strcmp(name, "do") || !strcmp(name, "person_token"))
            status = ob_fail(err, OB_EINVAL, "\"%s\" is no field of \"%s\"", name, c->name);
        else if (json_object_get(out, name))
            status = ob_fail(err, OB_EINVAL, "\"%.60s\" was said twice", name);
        else if (json_object_set(out, name, value))
            status = ob_fail(err, OB_ENOMEM, "out of memory: a request");
    }
    json_decref(in);
    return status;
}

/* ---- Doing it -------------------------------------------------------------------------------- */

static ob_answer answer_of(json_t *done)
{
    json_t *error = json_object_get(done, "error");
    if (!error)
        return ob_answer_json(200, json_incref(json_object_get(done, "ok")));
    ob_error err = {0};
    ob_fail(&err, (ob_status)json_integer_value(json_object_get(error, "status")), "%s",
            json_string_value(json_object_get(error, "text")));
    return json_object_get(error, "unknown") ? ob_answer_problem(401, "TOKEN", "%s", err.text)
                                             : ob_answer_error(&err);
}

/* A thread of its own, since it may wait for the disk. */
static void *work(void *argument)
{
    web_call *c = argument;
    json_t *done = ob_commands_do(c->service, c->request, -1, NULL, OB_AT_STAFF);
    ob_answer answer = answer_of(done);
    json_decref(done);
    ob_call_answer(&c->call, answer); /* then the call may be gone */
    ob_commands_exit(OB_AT_STAFF);
    return NULL;
}

static void start(web_call *c)
{
    pthread_attr_t detached;
    pthread_t thread;
    bool started = false;
    if (ob_commands_enter(OB_AT_STAFF)) {
        pthread_attr_init(&detached);
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        started = !pthread_create(&thread, &detached, work, c);
        pthread_attr_destroy(&detached);
        if (!started)
            ob_commands_exit(OB_AT_STAFF);
    }
    if (!started)
        ob_call_answer(&c->call, ob_answer_could_not(OB_HINDRANCE_BUSY, NULL));
}

static void take_body(ob_call *call, ob_body body)
{
    web_call *c = (web_call *)call;
    ob_error err = {0};
    if (body.too_large)
        ob_call_answer(
            call, ob_answer_problem(413, "TOO_LARGE", "at most %d bytes are taken", BODY_MOST));
    else if (read_body(c->request, c->command, body, &err))
        ob_call_answer(call, ob_answer_error(&err));
    else
        start(c);
}

static void end_call(ob_call *call)
{
    web_call *c = (web_call *)call;
    json_decref(c->request);
    ob_answer_free(&c->call.answer);
    free(c);
}

static ob_plan end(web_call *c, ob_answer answer)
{
    c->call.answer = answer;
    return OB_PLAN_ANSWER;
}

/* Before anything of a stranger's is kept or read. False after setting the answer. */
static bool is_known(web_call *c, const char *token)
{
    ob_view *view = NULL;
    ob_person person;
    bool found = false;
    ob_error err = {0};
    ob_status status = ob_view_open(&view, c->service->store, &err);
    if (!status)
        status = ob_staff_person_find(&found, &person, view, token, &err);
    ob_view_close(view);
    ob_wipe(&person, sizeof person);
    if (status)
        end(c, ob_answer_could_not(OB_HINDRANCE_RECORDS, NULL));
    else if (!found) {
        if (c->service->engine)
            ob_engine_refused(c->service->engine, OB_REFUSED_TOKEN);
        end(c, ob_answer_problem(401, "TOKEN", "this personal token is not known here"));
    }
    return found;
}

static ob_plan begin(web_call *c, const ob_request *request)
{
    ob_error err = {0};
    const char *token = ob_request_token(request);
    c->command = find(c->allow, request);
    if (!c->command && *c->allow) {
        ob_answer answer = ob_answer_problem(405, "METHOD", "this path takes %s", c->allow);
        answer.allow = c->allow;
        return end(c, answer);
    }
    if (!c->command)
        return end(c, ob_answer_problem(404, "NOT_FOUND", "there is nothing at this path"));
    if (!token || strlen(token) > WORD_MOST)
        return end(c, ob_answer_problem(401, "TOKEN",
                                        "a personal token is needed: Authorization: Bearer …"));
    if (!is_known(c, token))
        return OB_PLAN_ANSWER;
    if (request->content_length > BODY_MOST)
        return end(c, ob_answer_problem(413, "TOO_LARGE", "at most %d bytes are taken", BODY_MOST));
    c->request =
        json_pack("{s:s, s:o}", "do", c->command->name, "person_token", ob_json_text(token));
    if (!c->request)
        return end(c, ob_answer_could_not(OB_HINDRANCE_BUSY, NULL));
    if (read_head(c->request, c->command, request, &err))
        return end(c, ob_answer_error(&err));
    c->call.most = BODY_MOST;
    return OB_PLAN_BYTES;
}

ob_plan ob_commands_begin_http(ob_call **out, ob_service *service, const ob_request *request)
{
    static const ob_call_class class = {.body = take_body, .end = end_call};
    web_call *c = calloc(1, sizeof *c);
    *out = (ob_call *)c;
    if (!c)
        return OB_PLAN_ANSWER;
    c->call.class = &class;
    c->service = service;
    return begin(c, request);
}
