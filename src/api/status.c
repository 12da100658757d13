/* What the service tells of itself: /healthz, /readyz, /metrics, /v1/lists. */
#include "api_priv.h"

#include <obhut/clock.h>
#include <obhut/regimes.h>

#include <stdlib.h>
#include <string.h>

ob_plan api_health_begin(api_call *call, const ob_request *request, const ob_token *token)
{
    (void)request;
    (void)token;
    return api_end(call, ob_answer_json(200, json_pack("{s:s}", "status", "ok")));
}

static json_t *layers_of(uint32_t layers)
{
    static const struct {
        uint32_t layer;
        const char *name;
    } names[] = {{OB_CONFINED_SECCOMP, "seccomp"},
                 {OB_CONFINED_LANDLOCK, "landlock"},
                 {OB_CONFINED_NAMESPACES, "namespaces"},
                 {OB_CONFINED_LIMITS, "limits"}};
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (layers & names[i].layer)
            json_array_append_new(array, json_string(names[i].name));
    return array;
}

ob_plan api_ready_begin(api_call *call, const ob_request *request, const ob_token *token)
{
    (void)request;
    (void)token;
    const ob_api_options *o = &call->api->options;
    ob_engine_counts counts;
    ob_engine_count(&counts, o->engine);
    const char *clock = ob_engine_clock(o->engine);
    bool ready = counts.layers & OB_CONFINED_SECCOMP && counts.layers != UINT32_MAX &&
                 counts.audit_ok && !strcmp(clock, "ok");
    char regimes[65], floor[65], build[OB_BUILD_ID];
    ob_hex(regimes, ob_law_regimes_digest, sizeof ob_law_regimes_digest);
    ob_hex(floor, ob_law_floor_digest, sizeof ob_law_floor_digest);
    json_t *object =
        json_pack("{s:b, s:s, s:o, s:b, s:i, s:I, s:I}", "ready", ready, "version", OB_VERSION,
                  "sandbox", layers_of(counts.layers), "heif", ob_workers_have_heif(), "decoders",
                  (int)counts.decoders, "lists", (json_int_t)ob_lists_count(o->lists), "entries",
                  (json_int_t)ob_lists_entries(o->lists));
    json_object_set_new(object, "clock", json_string(clock));
    bool records_ok = counts.audit_ok || !counts.log_ok;
    json_object_set_new(object, "records", json_string(records_ok ? "ok" : "cannot be written"));
    json_object_set_new(object, "log", json_string(counts.log_ok ? "ok" : "cannot be written"));
    json_object_set_new(object, "digests",
                        json_pack("{s:s, s:s, s:s}", "regimes", regimes, "floor", floor, "build",
                                  ob_build_id(build)));
    return api_end(call, ob_answer_json(ready ? 200 : 503, object));
}

ob_plan api_lists_begin(api_call *call, const ob_request *request, const ob_token *token)
{
    (void)token;
    ob_list_info *infos = NULL;
    size_t count = 0;
    ob_error err = {0};
    if (!api_check_query(call, request, NULL, 0))
        return OB_PLAN_ANSWER;
    if (ob_lists_info(&infos, &count, call->api->options.lists, &err))
        return api_end(call, ob_answer_error(&err));
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, ob_api_list(&infos[i]));
    free(infos);
    return api_end(call, ob_answer_json(200, json_pack("{s:o}", "lists", array)));
}

/* ---- Metrics: the text format of Prometheus ------------------------------------------------- */

static void metric(ob_buf *out, const char *name, const char *type, const char *help)
{
    ob_buf_printf(out, NULL, "# HELP obhut_%s %s\n# TYPE obhut_%s %s\n", name, help, name, type);
}

static void value(ob_buf *out, const char *name, const char *label, const char *of, uint64_t number)
{
    if (label)
        ob_buf_printf(out, NULL, "obhut_%s{%s=\"%s\"} %llu\n", name, label, of,
                      (unsigned long long)number);
    else
        ob_buf_printf(out, NULL, "obhut_%s %llu\n", name, (unsigned long long)number);
}

static void single(ob_buf *out, const char *name, const char *type, const char *help,
                   uint64_t number)
{
    metric(out, name, type, help);
    value(out, name, NULL, NULL, number);
}

static void lists_metrics(ob_buf *out, ob_lists *lists)
{
    ob_list_info *infos = NULL;
    size_t count = 0;
    metric(out, "list_entries", "gauge", "Entries of enabled lists.");
    if (ob_lists_info(&infos, &count, lists, NULL))
        return;
    for (size_t i = 0; i < count; i++)
        if (infos[i].enabled)
            value(out, "list_entries", "list", infos[i].name, infos[i].entries);
    free(infos);
}

ob_plan api_metrics_begin(api_call *call, const ob_request *request, const ob_token *token)
{
    (void)request;
    (void)token;
    ob_api *api = call->api;
    ob_buf text = {0};
    ob_engine_counts c;
    ob_engine_count(&c, api->options.engine);
    metric(&text, "scans_total", "counter", "Files that were looked at, by action.");
    for (int a = 0; a < OB_ACTIONS; a++)
        if (a != OB_ACTION_NOT_SCANNED)
            value(&text, "scans_total", "action", ob_action_name((ob_action)a), c.scans[a]);
    metric(&text, "not_scanned_total", "counter", "Items that nobody looked at, by surface.");
    for (int s = 0; s < OB_SURFACES; s++)
        value(&text, "not_scanned_total", "surface", ob_surface_name((ob_surface)s), c.denied[s]);
    metric(&text, "denied_total", "counter", "The same, by reason.");
    for (int r = OB_ALLOWED + 1; r < OB_REASON_COUNT; r++)
        if (c.denied_reason[r])
            value(&text, "denied_total", "reason", ob_reason_name((ob_reason)r),
                  c.denied_reason[r]);
    single(&text, "hashes_total", "counter", "Files that were only hashed.", c.hashes);
    single(&text, "look_ups_total", "counter", "Requests to match hashes.", c.look_ups);
    single(&text, "queries_total", "counter", "Hashes that were matched.", c.queries);
    single(&text, "failures_total", "counter", "Items that the service could not look at.",
           c.failures);
    single(&text, "workers_lost_total", "counter", "Workers that died of an item.", c.workers_lost);
    single(&text, "waiting", "gauge", "Files that wait for a worker.", c.waiting);
    single(&text, "decoding_microseconds_total", "counter", "Time that workers were busy.",
           c.busy_us);
    single(&text, "connections_total", "counter", "Connections that were taken.",
           atomic_load(&api->counts.front[OB_FRONT_CONNECTIONS]));
    single(&text, "slow_requests_total", "counter", "Requests that were cut: too slow.",
           atomic_load(&api->counts.front[OB_FRONT_SLOW]));
    single(&text, "large_requests_total", "counter", "Requests that were refused: too large.",
           atomic_load(&api->counts.front[OB_FRONT_LARGE]));
    single(&text, "dropped_bytes_total", "counter", "Bytes that nobody looked at.",
           atomic_load(&api->counts.front[OB_FRONT_DROPPED]));
    single(&text, "uptime_seconds", "gauge", "Since the service was started.",
           (uint64_t)(ob_now() - api->started_at));
    lists_metrics(&text, api->options.lists);
    ob_answer answer = {
        .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8", .body = text};
    return api_end(call, answer);
}
