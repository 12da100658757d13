/* POST /v1/gate/explain and GET /v1/gate/regimes: what may be looked at, and why. */
#include "services_priv.h"

#include <obhut/clock.h>
#include <obhut/law.h>

#include <string.h>

enum { SITUATIONS_MOST = 1000 };

/* ---- Explaining -------------------------------------------------------------------------------
 */

static json_t *explain(api_call *c, const json_t *situation)
{
    const ob_law_question question = {.at = *c->at ? c->at : NULL, .what_if = c->what_if};
    return ob_law_explain(situation, &question);
}

static json_t *explain_all(api_call *c, const json_t *situations)
{
    json_t *answers = json_array(), *one;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)situations, i, one)
        json_array_append_new(answers, explain(c, one));
    return json_pack("{s:o}", "answers", answers);
}

static void take_situation(ob_call *call, ob_body body)
{
    api_call *c = (api_call *)call;
    ob_error err = {0};
    ob_answer answer;
    json_t *json = body.too_large ? NULL : ob_json_body(body, &err);
    if (body.too_large)
        answer = api_too_large_json();
    else if (!json)
        answer = ob_answer_error(&err);
    else if (json_is_array(json) && json_array_size(json) > SITUATIONS_MOST)
        answer =
            ob_answer_problem(400, "INVALID", "%zu situations; at most %d can be asked at once",
                              json_array_size(json), SITUATIONS_MOST);
    else if (json_is_array(json))
        answer = ob_answer_json(200, explain_all(c, json));
    else
        answer = ob_answer_json(200, explain(c, json));
    json_decref(json);
    ob_call_answer(&c->call, answer);
}

static const ob_call_class explain_class = {
    .is_long = true, .body = take_situation, .end = api_end_call};

/* False after setting the answer. */
static bool take_options(api_call *c, const ob_request *request)
{
    static const char *const names[] = {"at", "what_if"};
    const char *at = ob_request_value(request, "at"),
               *what_if = ob_request_value(request, "what_if");
    int64_t instant;
    if (!api_check_query(c, request, names, sizeof names / sizeof *names))
        return false;
    if (at && !ob_time_parse(&instant, at)) {
        api_end(c, ob_answer_problem(400, "INVALID", "an instant is written 2028-04-03T20:00:00Z"));
        return false;
    }
    if (what_if && strcmp(what_if, "true") && strcmp(what_if, "false")) {
        api_end(c, ob_answer_problem(400, "INVALID", "what_if is true or false"));
        return false;
    }
    if (at)
        memcpy(c->at, at, OB_TIME_TEXT + 1);
    c->what_if = what_if && !strcmp(what_if, "true");
    return true;
}

ob_plan api_explain_begin(api_call *c, const ob_request *request, const ob_token *token)
{
    (void)token;
    if (!take_options(c, request))
        return OB_PLAN_ANSWER;
    if (request->content_length == 0)
        return api_end(
            c, ob_answer_problem(400, "NO_BODY", "the situation is the body: it is missing"));
    if (request->content_length > (int64_t)API_JSON_BODY_MOST)
        return api_end(c, api_too_large_json());
    c->call.class = &explain_class;
    c->call.most = API_JSON_BODY_MOST;
    return OB_PLAN_BYTES;
}

/* ---- Regimes ----------------------------------------------------------------------------------
 */

ob_plan api_regimes_begin(api_call *c, const ob_request *request, const ob_token *token)
{
    (void)token;
    if (!api_check_query(c, request, NULL, 0))
        return OB_PLAN_ANSWER;
    return api_end(c, ob_answer_json(200, ob_law_overview(ob_now())));
}
