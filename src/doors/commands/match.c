/* POST /v1/match: hashes and digests that somebody has computed already. */
#include "services_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Answers --------------------------------------------------------------------------------- */

/* Written as text while queries are looked up, and bounded: once ANSWER_MOST bytes are there,
 * further matches are counted but not told, and `truncated` says so. */

#define ANSWER_MOST (UINT64_C(8) << 20)

/* The library may forget that it was told so. */
static int append(const char *bytes, size_t size, void *context)
{
    services_call *c = context;
    c->no_memory |= ob_buf_append(&c->text, bytes, size, NULL) != OB_OK;
    return c->no_memory ? -1 : 0;
}

/* Takes the reference. */
static void write_json(services_call *c, json_t *value)
{
    if (!value || json_dump_callback(value, append, c, JSON_COMPACT | JSON_ENSURE_ASCII))
        c->no_memory = true;
    json_decref(value);
}

static void write_text(services_call *c, const char *text)
{
    if (ob_buf_append(&c->text, text, strlen(text), NULL))
        c->no_memory = true;
}

static json_t *answer_one(services_call *c, uint32_t number, const ob_list_match *match,
                          size_t count)
{
    const ob_policy *policy = c->services->options.policy;
    const ob_query *query = &c->queries[number];
    const bool full = c->text.size >= ANSWER_MOST && count;
    json_t *matches = json_array();
    for (size_t i = 0; i < count && !full; i++)
        json_array_append_new(matches, ob_services_entry(&match[i], match, count,
                                                         query->is_digest ? &query->kind : NULL,
                                                         policy->distance));
    json_t *object = json_pack("{s:s, s:s, s:o, s:I}", "query", c->texts[number], "action",
                               ob_action_name(ob_decide_matches(policy, match, count)), "matches",
                               matches, "total", count ? (json_int_t)match[0].of_query : 0);
    if (full) {
        c->truncated = true;
        json_object_set_new(object, "truncated", json_true());
    }
    return object;
}

/* On a thread of the engine, for some queries after the other. */
static void write_found(ob_look_up *l, uint32_t first, uint32_t count)
{
    services_call *c = l->work.context;
    size_t next[1 + OB_LIST_DIGESTS] = {0};
    for (uint32_t i = first; i < first + count && !c->no_memory; i++) {
        const int kind = c->queries[i].is_digest ? 1 + (int)c->queries[i].kind : 0;
        const ob_list_matches *of = &l->matches.of[kind];
        size_t from = next[kind], to = from;
        while (to < of->count && of->match[to].query == i)
            to++;
        next[kind] = to;
        if (i)
            write_text(c, ",");
        write_json(c, answer_one(c, i, to > from ? &of->match[from] : NULL, to - from));
    }
}

/* The last members: of the one result, or beside all of them. */
static ob_answer finish_answer(services_call *c, uint64_t took_us)
{
    ob_answer answer = {.status = 200, .type = "application/json"};
    if (c->single && !c->no_memory)
        c->text.size--; /* its brace */
    else
        write_text(c, c->truncated ? "],\"truncated\":true" : "]");
    if (c->no_memory ||
        ob_buf_printf(&c->text, NULL, ",\"took_us\":%llu}\n", (unsigned long long)took_us))
        return ob_answer_could_not(OB_HINDRANCE_BUSY, NULL);
    answer.body = c->text;
    c->text = (ob_buf){0};
    return answer;
}

static void answer_match(ob_work *work)
{
    services_call *c = work->context;
    const ob_decision *d = &work->decision;
    const bool scanned = d->action != OB_ACTION_NOT_SCANNED && d->action != OB_ACTION_COULD_NOT;
    ob_call_answer(&c->call, scanned ? finish_answer(c, work->took_us) : services_unscanned(d));
}

/* ---- Requests -------------------------------------------------------------------------------- */

static ob_status take_query(services_call *c, const json_t *value, size_t at, ob_error *err)
{
    const char *text = json_string_value(value);
    const size_t length = json_string_length(value);
    memcpy(c->texts[at], text, length + 1);
    ob_status status = ob_query_parse(&c->queries[at], text, length, err);
    return status ? ob_fail_in(err, status, "query %zu", at) : OB_OK;
}

static ob_status take_queries(services_call *c, const json_t *one, const json_t *many,
                              ob_error *err)
{
    if (!one == !many)
        return ob_fail(err, OB_EFORMAT, "either \"query\" or \"queries\" is needed");
    const size_t count = one ? 1 : json_array_size(many);
    c->single = one;
    c->queries = calloc(count, sizeof *c->queries);
    c->texts = calloc(count, sizeof *c->texts);
    if (!c->queries || !c->texts)
        return ob_fail(err, OB_ENOMEM, "out of memory: queries");
    ob_status status = OB_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = take_query(c, one ? one : json_array_get(many, i), i, err);
    c->look_up.queries = c->queries;
    c->look_up.query_count = (uint32_t)count;
    return status;
}

static void take_match(ob_call *call, ob_body body)
{
    services_call *c = (services_call *)call;
    ob_error err = {0};
    json_t *object = services_json(c, body);
    if (!object)
        return;
    const json_t *limit = json_object_get(object, "limit");
    c->look_up.limit = limit ? (uint32_t)json_integer_value(limit) : SERVICES_LIMIT;
    ob_status status =
        take_queries(c, json_object_get(object, "query"), json_object_get(object, "queries"), &err);
    json_decref(object);
    if (status) {
        ob_call_answer(&c->call, services_error(c, &err));
        return;
    }
    c->look_up.found = write_found;
    if (!c->single)
        write_text(c, "{\"results\":[");
    services_begin_work(c, "/v1/match", answer_match);
    if (ob_engine_look_up(c->services->options.engine, &c->look_up, NULL))
        ob_call_answer(call, ob_answer_could_not(c->work.decision.hindrance, NULL));
}

static const ob_call_class match_class = {
    .body = take_match, .gone = services_gone, .end = services_end_call};

ob_plan commands_hash_match(services_call *c, const ob_request *request, const ob_token *token)
{
    if (!services_describe(c, request, token))
        return OB_PLAN_ANSWER;
    c->work.item.is_hash = true;
    if (!services_may_scan(c, OB_EVERY_DETECTOR))
        return OB_PLAN_ANSWER;
    return services_want_json(c, request, &match_class);
}
