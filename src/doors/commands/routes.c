/* From a request's head to its handler. */
#include "services_priv.h"

#include <obhut/commands.h>

#include <obhut/clock.h>
#include <obhut/records/written.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Life ------------------------------------------------------------------------------------ */

/* Of today, by a service that ran before. */
static ob_status know_written(quota *q, ob_store *store, ob_error *err)
{
    const int64_t day = ob_now() / QUOTA_DAY_S;
    ob_written *all = NULL;
    size_t count = 0;
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = ob_store_written(&all, &count, view, day, err);
    ob_view_close(view);
    for (size_t i = 0; i < count; i++)
        quota_know(q, all[i].token, day, all[i].bytes);
    free(all);
    return status;
}

ob_status ob_services_open(ob_services **out, const ob_services_options *options, ob_error *err)
{
    ob_services *services = calloc(1, sizeof *services);
    if (!services)
        return ob_fail(err, OB_ENOMEM, "out of memory: the API");
    services->options = *options;
    services->started_at = ob_now();
    if (!services->options.body_most)
        services->options.body_most = SERVICES_BODY_MOST;
    quota_init(&services->written, options->written_most ? options->written_most : QUOTA_MOST);
    tries_init(&services->tries, options->tries_most);
    snapshot_init(&services->metrics);
    for (int l = 0; l < OB_LANGUAGES; l++)
        snapshot_init(&services->page[l]);
    ob_status status =
        options->store ? know_written(&services->written, options->store, err) : OB_OK;
    if (status)
        ob_services_close(services);
    else
        *out = services;
    return status;
}

void ob_services_close(ob_services *services)
{
    if (!services)
        return;
    quota_end(&services->written);
    tries_end(&services->tries);
    snapshot_end(&services->metrics);
    for (int l = 0; l < OB_LANGUAGES; l++)
        snapshot_end(&services->page[l]);
    free(services);
}

ob_services_counts *ob_services_counters(ob_services *services)
{
    return &services->counts;
}

void services_end_call(ob_call *call)
{
    services_call *c = (services_call *)call;
    ob_answer_free(&c->call.answer);
    ob_buf_free(&c->text);
    free(c->queries);
    free(c->known);
    free(c->texts);
    free(c);
}

static void no_body(ob_call *call, ob_body body)
{
    (void)body;
    ob_call_answer(call, ob_answer_problem(500, "FAILED", "no body was asked for"));
}

static const ob_call_class plain = {.body = no_body, .end = services_end_call};

const ob_error *services_of_records(ob_error *err)
{
    if (err->status == OB_EFORMAT)
        err->status = OB_EIO;
    return err;
}

ob_plan services_end(services_call *call, ob_answer answer)
{
    call->call.answer = answer;
    return OB_PLAN_ANSWER;
}

ob_answer services_too_large_json(void)
{
    return ob_answer_problem(413, "TOO_LARGE", "at most %llu bytes are taken",
                             (unsigned long long)SERVICES_JSON_BODY_MOST);
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

/* False after setting the answer. */
static bool check_token(services_call *c, ob_token *token, const ob_command *route,
                        const ob_request *request)
{
    if (route->scope == OB_TOKEN_NONE)
        return true;
    const char *secret = ob_request_token(request);
    bool found = false;
    ob_error err = {0};
    if (secret && ob_staff_token_find(&found, token, c->services->options.staff, secret, &err)) {
        services_end(c, services_error(c, services_of_records(
                                              &err))); /* not known now: that is not "unknown" */
        return false;
    }
    if (!found) {
        ob_engine_refused(c->services->options.engine, OB_REFUSED_TOKEN);
        services_end(c, ob_answer_problem(401, "TOKEN",
                                          secret ? "this token is not known here"
                                                 : "a token is needed: Authorization: Bearer …"));
        return false;
    }
    if (route->scope >= 0 && !(token->scopes >> route->scope & 1)) {
        ob_engine_refused(c->services->options.engine, OB_REFUSED_SCOPE);
        services_end(c, ob_answer_problem(403, "TOKEN_SCOPE", "this token is not for \"%s\"",
                                          ob_scope_name((ob_scope)route->scope)));
        return false;
    }
    memcpy(c->token, token->name, sizeof c->token);
    memcpy(&c->call.client, token->fingerprint, sizeof c->call.client);
    snprintf(c->work.client, sizeof c->work.client, "token %s", token->name);
    return true;
}

/* ---- Finding the handler --------------------------------------------------------------------- */

static bool is_at(const ob_command *route, const ob_request *request)
{
    static const uint32_t places[OB_LISTENERS] = {
        [OB_LISTENER_SERVICES] = OB_AT_SERVICES, [OB_LISTENER_PUBLIC] = OB_AT_PUBLIC};
    return route->begin && route->places & places[request->listener] &&
           ob_path_is(route->path, request->path, true);
}

/* What the path of a refused request takes: every method of every route there. */
static ob_plan refuse_method(services_call *c, const ob_request *request)
{
    size_t length = 0;
    const ob_command *route;
    for (size_t i = 0; (route = ob_command_at(i)) != NULL; i++)
        if (is_at(route, request)) {
            const char *method = route->method;
            length +=
                (size_t)snprintf(c->allow + length, sizeof c->allow - length, "%s%s%s",
                                 length ? ", " : "", method, strcmp(method, "GET") ? "" : ", HEAD");
        }
    ob_answer answer = ob_answer_problem(405, "METHOD", "this path takes %s", c->allow);
    answer.allow = c->allow;
    return services_end(c, answer);
}

static ob_plan begin(services_call *c, const ob_request *request)
{
    bool is_here = false;
    const ob_command *route;
    for (size_t i = 0; (route = ob_command_at(i)) != NULL; i++) {
        if (!is_at(route, request))
            continue;
        bool head = !strcmp(request->method, "HEAD") && !strcmp(route->method, "GET");
        if (head || !strcmp(route->method, request->method)) {
            ob_token token = {0};
            const bool is_fine =
                check_token(c, &token, route, request) && services_check_head(c, route, request);
            return is_fine ? route->begin(c, request, &token) : OB_PLAN_ANSWER;
        }
        is_here = true;
    }
    return is_here ? refuse_method(c, request)
                   : services_end(
                         c, ob_answer_problem(404, "NOT_FOUND", "there is nothing at this path"));
}

/* Before anything of it was checked: what makes no sense may be taken for either. */
static bool item_asks(const ob_request *request)
{
    const char *surface = ob_request_value(request, "surface");
    return !surface || strcmp(surface, ob_surface_name(OB_SURFACE_PUBLIC)) != 0 ||
           ob_request_value(request, "report") || ob_request_value(request, "notice");
}

bool ob_services_asks(const ob_request *request)
{
    bool any = false;
    const ob_command *route;
    for (size_t i = 0; (route = ob_command_at(i)) != NULL; i++)
        if (is_at(route, request))
            any |= route->asks == OB_ASKS_ALWAYS ||
                   (route->asks == OB_ASKS_BY_ITEM && item_asks(request));
    return any;
}

ob_plan ob_services_begin(ob_call **out, ob_services *services, const ob_request *request)
{
    services_call *c = calloc(1, sizeof *c);
    *out = (ob_call *)c;
    if (!c)
        return OB_PLAN_ANSWER;
    c->services = services;
    c->call.class = &plain;
    return begin(c, request);
}
