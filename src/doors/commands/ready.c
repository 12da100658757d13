/* What the service says about itself: /readyz, /metrics. The front alone answers /healthz. */
#include "services_priv.h"

#include <obhut/clock.h>
#include <obhut/regimes.h>

#include <stdlib.h>
#include <string.h>

static json_t *layers_of(uint32_t layers)
{
    static const struct {
        uint32_t layer;
        const char *name;
    } names[] = {{OB_CONFINED_SECCOMP, "seccomp"},       {OB_CONFINED_LANDLOCK, "landlock"},
                 {OB_CONFINED_NAMESPACES, "namespaces"}, {OB_CONFINED_LIMITS, "limits"},
                 {OB_CONFINED_SCOPES, "scopes"},         {OB_CONFINED_PROCESSES, "processes"}};
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (layers & names[i].layer)
            json_array_append_new(array, json_string(names[i].name));
    return array;
}

/* All that a kernel can have; what is missing is told, and only the first is needed. */
enum {
    WORKER_LAYERS = OB_CONFINED_SECCOMP | OB_CONFINED_LANDLOCK | OB_CONFINED_NAMESPACES |
                    OB_CONFINED_LIMITS | OB_CONFINED_SCOPES,
    FRONT_LAYERS = WORKER_LAYERS | OB_CONFINED_PROCESSES,
};

static const char *log_state(const ob_engine_counts *c)
{
    return !c->log_ok ? "cannot be written" : c->log_slow ? "slow" : "ok";
}

/* The counts are written to records and log: where the log is fine, it is the records. */
static const char *records_state(const ob_engine_counts *c)
{
    if (c->audit_ok || !c->log_ok || c->log_slow || c->counts_busy)
        return "ok";
    return c->counts_late ? "slow" : "cannot be written";
}

static bool workers_are_confined(const ob_engine_counts *c)
{
    return c->layers & OB_CONFINED_SECCOMP && c->layers != UINT32_MAX;
}

/* Why nothing is looked at now, in the words of could_not. A full queue is only reported: it is
 * over before the caller has drawn a conclusion. */
static json_t *hindrances_of(const ob_engine_counts *c, const char *clock, ob_lists *lists)
{
    const bool has[OB_HINDRANCES] = {
        [OB_HINDRANCE_LOG] = !c->log_ok || (!c->audit_ok && c->log_slow),
        [OB_HINDRANCE_RECORDS] = !c->audit_ok && c->log_ok && !c->log_slow && !c->counts_busy,
        [OB_HINDRANCE_BUSY] = !c->audit_ok && c->log_ok && !c->log_slow && c->counts_busy,
        [OB_HINDRANCE_CLOCK] = strcmp(clock, "ok") != 0,
        [OB_HINDRANCE_WORKERS] = !workers_are_confined(c),
        [OB_HINDRANCE_LISTS] = ob_lists_trouble(NULL, lists) > 0};
    json_t *array = json_array();
    for (int h = 0; h < OB_HINDRANCES; h++)
        if (has[h])
            json_array_append_new(array, json_string(ob_hindrance_name((ob_hindrance)h)));
    return array;
}

ob_plan commands_ready(services_call *call, const ob_request *request, const ob_token *token)
{
    (void)request;
    (void)token;
    const ob_services_options *o = &call->services->options;
    ob_engine_counts counts;
    ob_engine_count(&counts, o->engine);
    const char *clock = ob_permits_clock(ob_engine_permits(o->engine), ob_now());
    json_t *reasons = hindrances_of(&counts, clock, o->lists);
    bool ready = !json_array_size(reasons);
    char regimes[65], floor[65], build[OB_BUILD_ID];
    ob_hex(regimes, ob_law_regimes_digest, sizeof ob_law_regimes_digest);
    ob_hex(floor, ob_law_floor_digest, sizeof ob_law_floor_digest);
    json_t *object =
        json_pack("{s:b, s:s, s:o, s:b, s:i, s:I, s:I}", "ready", ready, "version", OB_VERSION,
                  "sandbox", layers_of(counts.layers), "heif", ob_workers_have(OB_PROGRAM_HEIF),
                  "decoders", (int)counts.decoders, "lists", (json_int_t)ob_lists_count(o->lists),
                  "entries", (json_int_t)ob_lists_entries(o->lists));
    const uint32_t front = atomic_load(&ob_services_counters(call->services)->front_layers);
    json_object_set_new(object, "front", layers_of(front));
    json_object_set_new(object, "missing",
                        json_pack("{s:o, s:o}", "workers",
                                  layers_of(WORKER_LAYERS & ~counts.layers), "front",
                                  layers_of(FRONT_LAYERS & ~front)));
    json_t *warnings = json_array();
    services_warnings(warnings, o, false);
    json_object_set_new(object, "warnings", warnings);
    json_object_set_new(object, "clock", json_string(clock));
    json_object_set_new(object, "records", json_string(records_state(&counts)));
    json_object_set_new(object, "log", json_string(log_state(&counts)));
    json_object_set_new(object, "queue", json_string(counts.has_place ? "ok" : "full"));
    json_object_set_new(object, "reasons", reasons);
    json_object_set_new(object, "digests",
                        json_pack("{s:s, s:s, s:s}", "regimes", regimes, "floor", floor, "build",
                                  ob_build_id(build)));
    return services_end(call, ob_answer_json(ready ? 200 : 503, object));
}

/* ---- Metrics: the text format of Prometheus -------------------------------------------------- */

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

/* What could not be done, here and at the front, and what gateways let through all the same. */
static void hindrance_metrics(ob_buf *out, ob_services *services, const ob_engine_counts *c)
{
    metric(out, "could_not_total", "counter",
           "Items and records that could not be done, by reason.");
    for (int h = OB_HINDRANCE_NONE + 1; h < OB_HINDRANCES; h++)
        value(out, "could_not_total", "reason", ob_hindrance_name((ob_hindrance)h),
              c->could_not[h] + atomic_load(&services->counts.front[OB_FRONT_COULD_NOT + h]));
    metric(out, "let_through_total", "counter",
           "Files that a gateway let through and nobody looked at, though that was allowed.");
    for (int h = OB_HINDRANCE_NONE + 1; h < OB_HINDRANCES; h++)
        value(out, "let_through_total", "reason", ob_hindrance_name((ob_hindrance)h),
              c->let_through[h]);
    for (int u = 0; u < OB_UNDECODABLES; u++)
        value(out, "let_through_total", "reason", ob_undecodable_name((ob_undecodable)u),
              c->passed[u]);
}

static void match_metrics(ob_buf *out, ob_engine *engine)
{
    ob_hit_count *counts = NULL;
    size_t count = 0;
    if (ob_engine_hits(&counts, &count, engine, NULL))
        return;
    metric(out, "matches_total", "counter",
           "Matches: of a file or a hash, one of each list that has it.");
    for (size_t i = 0; i < count; i++)
        ob_buf_printf(out, NULL, "obhut_matches_total{%s=\"%s\",action=\"%s\",via=\"%s\"} %llu\n",
                      *counts[i].detector ? "detector" : "list",
                      *counts[i].detector ? counts[i].detector : counts[i].list,
                      ob_action_name(counts[i].action), counts[i].via,
                      (unsigned long long)counts[i].count);
    free(counts);
}

static void detector_metrics(ob_buf *out, const ob_engine_counts *c)
{
    metric(out, "detector_items_total", "counter", "Files and look-ups that a detector judged.");
    for (ob_detector d = 0; d < ob_detector_count(); d++)
        value(out, "detector_items_total", "detector", ob_law_detectors[d].id, c->looked[d]);
    metric(out, "detector_signals_total", "counter", "What it said of files.");
    for (ob_detector d = 0; d < ob_detector_count(); d++)
        value(out, "detector_signals_total", "detector", ob_law_detectors[d].id, c->signals[d]);
}

static void lists_metrics(ob_buf *out, ob_lists *lists)
{
    ob_list_info *infos = NULL;
    size_t count = 0;
    if (ob_lists_info(&infos, &count, lists, NULL))
        return;
    metric(out, "lists_unsearchable", "gauge", "Enabled lists that cannot be searched.");
    value(out, "lists_unsearchable", NULL, NULL, ob_lists_trouble(NULL, lists));
    metric(out, "lists", "gauge", "Enabled lists.");
    value(out, "lists", NULL, NULL, ob_lists_count(lists));
    metric(out, "list_imported_timestamp_seconds", "gauge",
           "When a list was imported, or last updated from a file.");
    for (size_t i = 0; i < count; i++)
        value(out, "list_imported_timestamp_seconds", "list", infos[i].name,
              (uint64_t)infos[i].updated_at);
    metric(out, "list_entries", "gauge", "Entries of enabled lists.");
    for (size_t i = 0; i < count; i++)
        if (infos[i].enabled)
            value(out, "list_entries", "list", infos[i].name, infos[i].entries);
    free(infos);
}

static void warning_metrics(ob_buf *out, const ob_services_options *options)
{
    const uint32_t found = services_warnings(NULL, options, true);
    metric(out, "warning", "gauge",
           "1: the service protects nobody, or less than its operator believes.");
    for (int w = 0; w < SERVICES_WARNINGS; w++)
        value(out, "warning", "code", services_warning_code((services_warning)w), found >> w & 1);
}

static ob_status make_metrics(ob_buf *out, void *context, ob_error *err)
{
    ob_services *services = context;
    ob_buf text = {0};
    ob_engine_counts c;
    (void)err;
    ob_engine_count(&c, services->options.engine);
    metric(&text, "scans_total", "counter", "Files that were looked at, by action.");
    for (int a = 0; a < OB_ACTIONS; a++)
        if (a != OB_ACTION_NOT_SCANNED && a != OB_ACTION_COULD_NOT)
            value(&text, "scans_total", "action", ob_action_name((ob_action)a), c.scans[a]);
    metric(&text, "not_scanned_total", "counter", "Items that nobody may look at, by surface.");
    for (int s = 0; s < OB_SURFACES; s++)
        value(&text, "not_scanned_total", "surface", ob_surface_name((ob_surface)s), c.denied[s]);
    metric(&text, "denied_total", "counter", "The same, by reason.");
    for (int r = OB_ALLOWED + 1; r < OB_REASON_COUNT; r++)
        if (c.denied_reason[r])
            value(&text, "denied_total", "reason", ob_reason_name((ob_reason)r),
                  c.denied_reason[r]);
    hindrance_metrics(&text, services, &c);
    detector_metrics(&text, &c);
    single(&text, "hashes_total", "counter", "Files that were only hashed.", c.hashes);
    single(&text, "look_ups_total", "counter", "Requests to match hashes.", c.look_ups);
    single(&text, "queries_total", "counter", "Hashes that were matched.", c.queries);
    single(&text, "failures_total", "counter", "Items that the service could not look at.",
           c.failures);
    single(&text, "workers_lost_total", "counter", "Workers that died of an item.", c.workers_lost);
    single(&text, "waiting", "gauge", "Files that wait for a worker.", c.waiting);
    metric(&text, "decoding_seconds_total", "counter", "Time that workers were busy.");
    ob_buf_printf(&text, NULL, "obhut_decoding_seconds_total %.6f\n", (double)c.busy_us / 1e6);
    metric(&text, "build_info", "gauge", "1, with the version of the program.");
    value(&text, "build_info", "version", OB_VERSION, 1);
    uint64_t refused;
    unsigned percent;
    quota_count(&refused, &percent, &services->written);
    single(&text, "quota_refused_total", "counter",
           "Requests that were refused: their token has written what it may in a day.", refused);
    single(&text, "quota_used_percent", "gauge",
           "Of what a token may write today, by the one that has written most.", percent);
    single(&text, "tries_refused_total", "counter",
           "Files that were refused: others of their account have matched too often that day.",
           atomic_load(&services->tries.refused));
    single(&text, "slow_files_total", "counter",
           "Files that are slow for their bytes by their heads (such run one at a time), or "
           "took longer than their heads said.",
           c.slow);
    single(&text, "connections_total", "counter", "Connections that were taken.",
           atomic_load(&services->counts.front[OB_FRONT_CONNECTIONS]));
    single(&text, "slow_requests_total", "counter", "Requests that were cut: too slow.",
           atomic_load(&services->counts.front[OB_FRONT_SLOW]));
    single(&text, "large_requests_total", "counter", "Requests that were refused: too large.",
           atomic_load(&services->counts.front[OB_FRONT_LARGE]));
    single(&text, "dropped_bytes_total", "counter", "Bytes that nobody looked at.",
           atomic_load(&services->counts.front[OB_FRONT_DROPPED]));
    single(&text, "gave_way_total", "counter",
           "Connections, bodies and answers of the address with most that ended so that others had "
           "room.",
           atomic_load(&services->counts.front[OB_FRONT_GAVE_WAY]));
    single(&text, "uptime_seconds", "gauge", "Since the service was started.",
           (uint64_t)(ob_now() - services->started_at));
    match_metrics(&text, services->options.engine);
    warning_metrics(&text, &services->options);
    lists_metrics(&text, services->options.lists);
    *out = text;
    return OB_OK;
}

ob_plan commands_metrics(services_call *call, const ob_request *request, const ob_token *token)
{
    ob_buf text = {0};
    ob_error err = {0};
    (void)request;
    (void)token;
    if (snapshot_get(&text, &call->services->metrics, make_metrics, call->services, &err)) {
        ob_buf_free(&text);
        return services_end(call, ob_answer_error(services_of_records(&err)));
    }
    ob_answer answer = {
        .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8", .body = text};
    return services_end(call, answer);
}
