/* POST /v1/gate/explain and GET /v1/gate/regimes: what may be looked at, and why. */
#include "services_priv.h"

#include <obhut/clock.h>
#include <obhut/law.h>

#include <string.h>

/* ---- Explaining ------------------------------------------------------------------------------ */

static json_t *explain(services_call *c, const json_t *situation)
{
    const ob_law_question question = {.at = *c->at ? c->at : NULL, .what_if = c->what_if};
    return ob_law_explain(situation, &question);
}

static json_t *explain_all(services_call *c, const json_t *situations)
{
    json_t *answers = json_array(), *one;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)situations, i, one)
        json_array_append_new(answers, explain(c, one));
    return json_pack("{s:o}", "answers", answers);
}

static void take_situation(ob_call *call, ob_body body)
{
    services_call *c = (services_call *)call;
    json_t *json = services_json(c, body);
    if (!json)
        return;
    ob_answer answer =
        ob_answer_json(200, json_is_array(json) ? explain_all(c, json) : explain(c, json));
    json_decref(json);
    ob_call_answer(&c->call, answer);
}

ob_plan commands_situation_explain(services_call *c, const ob_request *request,
                                   const ob_token *token)
{
    static const ob_call_class class = {
        .is_long = true, .body = take_situation, .end = services_end_call};
    const char *at = ob_request_value(request, "at"),
               *what_if = ob_request_value(request, "what_if");
    int64_t instant;
    (void)token;
    if (at && ob_command_instant(&instant, at))
        ob_time_print(c->at, instant);
    c->what_if = what_if && !strcmp(what_if, "true");
    return services_want_json(c, request, &class);
}

/* ---- Regimes --------------------------------------------------------------------------------- */

ob_plan commands_regime_ls(services_call *c, const ob_request *request, const ob_token *token)
{
    (void)request;
    (void)token;
    return services_end(c, ob_answer_json(200, ob_law_overview(ob_now())));
}
