/* POST /v1/match: hashes and digests that somebody has computed already. */
#include "api_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Answers -------------------------------------------------------------------------------- */

static json_t *answer_one(const api_call *c, uint32_t number, const ob_list_match *match,
                          size_t count)
{
    const ob_policy *policy = c->api->options.policy;
    const ob_query *query = &c->queries[number];
    json_t *matches = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            matches,
            ob_api_entry(&match[i], query->is_digest ? &query->kind : NULL, policy->distance));
    return json_pack("{s:s, s:s, s:o, s:I}", "query", c->texts[number], "action",
                     ob_action_name(ob_decide_matches(policy, match, count)), "matches", matches,
                     "total", count ? (json_int_t)match[0].of_query : 0);
}

static void answer_match(ob_task *t)
{
    api_call *c = t->context;
    if (t->action == OB_ACTION_NOT_SCANNED || t->action == OB_ACTION_COULD_NOT) {
        ob_call_answer(&c->call, api_not_looked_at(t));
        return;
    }
    size_t next[1 + OB_LIST_DIGESTS] = {0};
    json_t *results = c->single ? NULL : json_array(), *object = NULL;
    for (uint32_t i = 0; i < t->query_count; i++) {
        int kind = c->queries[i].is_digest ? 1 + (int)c->queries[i].kind : 0;
        const ob_list_matches *of = &t->matches[kind];
        size_t from = next[kind], to = from;
        while (to < of->count && of->match[to].query == i)
            to++;
        next[kind] = to;
        object = answer_one(c, i, to > from ? &of->match[from] : NULL, to - from);
        if (!c->single)
            json_array_append_new(results, object);
    }
    if (!c->single)
        object = json_pack("{s:o}", "results", results);
    json_object_set_new(object, "took_us", json_integer((json_int_t)t->took_us));
    ob_call_answer(&c->call, ob_answer_json(200, object));
}

/* ---- Requests ------------------------------------------------------------------------------- */

static ob_status take_query(api_call *c, const json_t *value, size_t at, ob_error *err)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (!text)
        return ob_fail(err, OB_EFORMAT, "query %zu: not a text", at);
    if (strlen(text) != length || length >= API_QUERY_TEXT)
        return ob_fail(err, OB_EFORMAT, "query %zu: too long for a hash or a digest", at);
    memcpy(c->texts[at], text, length + 1);
    ob_status status = ob_query_parse(&c->queries[at], text, length, err);
    return status ? ob_fail_in(err, status, "query %zu", at) : OB_OK;
}

static ob_status take_queries(api_call *c, const json_t *one, const json_t *many, ob_error *err)
{
    if (!one == !many)
        return ob_fail(err, OB_EFORMAT, "either \"query\" or \"queries\" is needed");
    if (many && !json_is_array(many))
        return ob_fail(err, OB_EFORMAT, "\"queries\" is no array");
    size_t count = one ? 1 : json_array_size(many);
    if (!count || count > OB_QUERIES_MAX)
        return ob_fail(err, OB_EFORMAT, "%zu queries; 1 to %d can be asked at once", count,
                       OB_QUERIES_MAX);
    c->single = one;
    c->queries = calloc(count, sizeof *c->queries);
    c->texts = calloc(count, sizeof *c->texts);
    if (!c->queries || !c->texts)
        return ob_fail(err, OB_ENOMEM, "out of memory: queries");
    ob_status status = OB_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = take_query(c, one ? one : json_array_get(many, i), i, err);
    c->task.queries = c->queries;
    c->task.query_count = (uint32_t)count;
    return status;
}

static ob_status take_object(api_call *c, const json_t *object, ob_error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return ob_fail(err, OB_EFORMAT, "the body is no JSON object");
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcmp(key, "query") && strcmp(key, "queries") && strcmp(key, "limit"))
            return ob_fail(err, OB_EFORMAT, "\"%.60s\" is no field of this request", key);
    }
    const json_t *limit = json_object_get(object, "limit");
    json_int_t number = limit ? json_integer_value(limit) : API_LIMIT;
    if ((limit && !json_is_integer(limit)) || number < 1 || number > API_LIMIT_MOST)
        return ob_fail(err, OB_EFORMAT, "\"limit\" is a whole number from 1 to %d", API_LIMIT_MOST);
    c->task.limit = (uint32_t)number;
    return take_queries(c, json_object_get(object, "query"), json_object_get(object, "queries"),
                        err);
}

static void take_match(ob_call *call, ob_body body)
{
    api_call *c = (api_call *)call;
    if (body.too_large) {
        ob_call_answer(&c->call, api_too_large_json());
        return;
    }
    json_error_t problem;
    ob_error err = {0};
    json_t *object = json_loadb(body.bytes, body.size, JSON_REJECT_DUPLICATES, &problem);
    ob_status status = object ? take_object(c, object, &err)
                              : ob_fail(&err, OB_EFORMAT, "the body is no JSON: %s, at byte %d",
                                        problem.text, problem.position);
    json_decref(object);
    if (status) {
        ob_call_answer(&c->call, api_error(c, &err));
        return;
    }
    c->task.kind = OB_TASK_LOOK_UP;
    api_run(c, answer_match);
}

static const ob_call_class match_class = {
    .body = take_match, .gone = api_gone, .end = api_end_call};

ob_plan api_match_begin(api_call *c, const ob_request *request, const ob_token *token)
{
    if (!api_describe(c, request, token))
        return OB_PLAN_ANSWER;
    c->task.item.is_hash = true;
    if (!api_may_look(c, OB_EVERY_METHOD))
        return OB_PLAN_ANSWER;
    if (request->content_length == 0)
        return api_end(
            c, ob_answer_problem(400, "NO_BODY", "the queries are the body: it is missing"));
    if (request->content_length > (int64_t)API_JSON_BODY_MOST)
        return api_end(c, api_too_large_json());
    c->call.class = &match_class;
    c->call.most = API_JSON_BODY_MOST;
    return OB_PLAN_BYTES;
}
