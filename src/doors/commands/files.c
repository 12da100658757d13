/* POST /v1/scan and /v1/hash: a file is the body. */
#include "services_priv.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

void services_begin_work(services_call *c, const char *via, void (*done)(ob_work *work))
{
    c->work.via = via;
    c->work.done = done;
    c->work.context = c;
}

void services_gone(ob_call *call)
{
    services_call *c = (services_call *)call;
    if (ob_engine_forget(c->services->options.engine, &c->work))
        ob_call_answer(call, (ob_answer){.status = 503}); /* to nobody */
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void set_undecodable(json_t *object, const ob_job_result *job)
{
    json_object_set_new(object, "reason", json_string(ob_services_undecodable(job->status)));
    json_object_set_new(object, "detail", ob_json_text(job->error.text));
}

static void set_picture(json_t *object, const ob_scan *s)
{
    const uint32_t unseen = s->file.result->media.unseen;
    if (s->work.decision.action == OB_ACTION_UNDECODABLE && unseen) {
        json_object_set_new(object, "reason", json_string(ob_services_unseen(unseen)));
        json_object_set_new(object, "detail", json_string(ob_services_unseen_text(unseen)));
    }
    ob_services_set_picture(object, &s->file.result->media);
}

/* Entries of lists, and what detectors without a list say. */
static void set_signals(json_t *object, const ob_scan *s, const ob_detectors *detectors,
                        unsigned threshold)
{
    json_t *matches = json_array(), *others = json_array();
    for (size_t i = 0; i < s->signals.count; i++) {
        const ob_signal *signal = &s->signals.signal[i];
        if (signal->has_entry)
            json_array_append_new(matches, ob_services_match(signal, threshold));
        else
            json_array_append_new(others, ob_services_signal(signal, detectors));
    }
    json_object_set_new(object, "matches", matches);
    json_object_set_new(object, "total", json_integer((json_int_t)s->signals.total));
    if (json_array_size(others))
        json_object_set(object, "signals", others);
    json_decref(others);
}

json_t *ob_services_scan(const ob_scan *s, const ob_detectors *detectors, unsigned threshold)
{
    const ob_decision *d = &s->work.decision;
    if (d->action == OB_ACTION_NOT_SCANNED)
        return ob_services_not_scanned(&d->gate);
    if (d->action == OB_ACTION_COULD_NOT)
        return ob_services_could_not(d->hindrance);
    json_t *object = json_object();
    json_object_set_new(object, "action", json_string(ob_action_name(d->action)));
    if (s->file.result->status)
        set_undecodable(object, s->file.result);
    else if (s->file.result->media.format)
        set_picture(object, s);
    if (s->signals.low_quality)
        json_object_set_new(object, "not_matched", json_string("LOW_QUALITY"));
    set_signals(object, s, detectors, threshold);
    json_object_set_new(object, "basis", json_string(ob_word_name(OB_WORD_BASIS, d->gate.basis)));
    json_object_set_new(object, "regime", json_string(d->gate.regime ? d->gate.regime->id : ""));
    json_object_set_new(object, "took_us", json_integer((json_int_t)s->work.took_us));
    return object;
}

static ob_answer too_many_tries(unsigned retry_after_s)
{
    ob_answer answer = ob_answer_problem(429, "TRIES",
                                         "files of this account have matched as often as is told "
                                         "in a day: this one is not looked at, refuse it");
    answer.retry_after_s = retry_after_s;
    return answer;
}

static void answer_scan(ob_work *work)
{
    services_call *c = work->context;
    unsigned retry_after_s;
    if (c->scan.signals.total && !tries_take(&retry_after_s, &c->services->tries, &work->item)) {
        ob_call_answer(&c->call, too_many_tries(retry_after_s));
        return;
    }
    if (work->decision.action == OB_ACTION_COULD_NOT) {
        ob_call_answer(&c->call, services_unscanned(&work->decision));
        return;
    }
    const ob_services_options *o = &c->services->options;
    ob_call_answer(&c->call,
                   ob_answer_json(200, ob_services_scan(&c->scan, ob_engine_detectors(o->engine),
                                                        o->policy->distance)));
}

static void set_digest(json_t *object, const char *name, const uint8_t *digest, size_t size)
{
    char text[2 * OB_SHA256_SIZE + 1];
    ob_hex(text, digest, size);
    json_object_set_new(object, name, json_string(text));
}

static void answer_hash(ob_work *work)
{
    services_call *c = work->context;
    const ob_action action = work->decision.action;
    if (action == OB_ACTION_NOT_SCANNED || action == OB_ACTION_COULD_NOT) {
        ob_call_answer(&c->call, services_unscanned(&work->decision));
        return;
    }
    const ob_job_result *result = c->hashing.file.result;
    json_t *object = json_object();
    if (result->status) {
        json_object_set_new(object, "action", json_string("undecodable"));
        set_undecodable(object, result);
    } else if (result->media.format) {
        ob_services_set_picture(object, &result->media);
    }
    if (result->digested == OB_DIGEST_ALL) {
        set_digest(object, "md5", result->digests.md5, OB_MD5_SIZE);
        set_digest(object, "sha1", result->digests.sha1, OB_SHA1_SIZE);
        set_digest(object, "sha256", result->digests.sha256, OB_SHA256_SIZE);
    }
    json_object_set_new(object, "took_us", json_integer((json_int_t)work->took_us));
    ob_call_answer(&c->call, ob_answer_json(200, object));
}

/* ---- Requests -------------------------------------------------------------------------------- */

static ob_answer too_large(const services_call *c)
{
    return ob_answer_problem(413, "TOO_LARGE", "at most %llu bytes are taken",
                             (unsigned long long)c->services->options.body_most);
}

/* Sets *out to the body, which is the engine's from now on; false: it is answered. */
static bool take_file(ob_file_work *out, services_call *c, ob_body body)
{
    if (body.too_large) {
        ob_call_answer(&c->call, too_large(c));
        return false;
    }
    *out = (ob_file_work){.file = body.file, .size = body.size, .owner = c->owner};
    return true;
}

/* The engine has not taken it. */
static void give_back(services_call *c, const ob_file_work *file)
{
    close(file->file);
    ob_call_answer(&c->call, ob_answer_could_not(c->work.decision.hindrance, NULL));
}

static void take_scan(ob_call *call, ob_body body)
{
    services_call *c = (services_call *)call;
    if (!take_file(&c->scan.file, c, body))
        return;
    c->scan.limit = SERVICES_LIMIT;
    services_begin_work(c, "/v1/scan", answer_scan);
    if (ob_engine_scan(c->services->options.engine, &c->scan, NULL))
        give_back(c, &c->scan.file);
}

static void take_hash(ob_call *call, ob_body body)
{
    services_call *c = (services_call *)call;
    if (!take_file(&c->hashing.file, c, body))
        return;
    services_begin_work(c, "/v1/hash", answer_hash);
    if (ob_engine_hash(c->services->options.engine, &c->hashing, NULL))
        give_back(c, &c->hashing.file);
}

static void end_scan(ob_call *call)
{
    ob_scan_clear(&((services_call *)call)->scan);
    services_end_call(call);
}

static void end_hash(ob_call *call)
{
    ob_hashing_clear(&((services_call *)call)->hashing);
    services_end_call(call);
}

static const ob_call_class scan_class = {.body = take_scan, .gone = services_gone, .end = end_scan};
static const ob_call_class hash_class = {.body = take_hash, .gone = services_gone, .end = end_hash};

/* "application/json", or some "…+json": a picture in it would be text, and never found. */
static bool is_json(const char *type)
{
    static const char plain[] = "application/json", suffix[] = "+json";
    if (!type)
        return false;
    const size_t length = strcspn(type, "; \t");
    return (length == sizeof plain - 1 && !strncasecmp(type, plain, length)) ||
           (length >= sizeof suffix - 1 &&
            !strncasecmp(type + length - (sizeof suffix - 1), suffix, sizeof suffix - 1));
}

static ob_answer no_json(void)
{
    return ob_answer_problem(
        415, "JSON",
        "this is JSON, which is not taken here: the file itself is the body, as it is (not "
        "base64), "
        "or the one file of multipart/form-data; hashes that are known already go to /v1/match");
}

static ob_plan want_file(services_call *c, const ob_request *request, const ob_token *token,
                         const ob_call_class *class)
{
    uint64_t most = c->services->options.body_most;
    if (is_json(ob_request_header(request, "Content-Type")))
        return services_end(c, no_json());
    if (!services_describe(c, request, token) || !services_may_scan(c, OB_EVERY_DETECTOR))
        return OB_PLAN_ANSWER;
    if (request->content_length > 0 && (uint64_t)request->content_length > most)
        return services_end(c, too_large(c));
    if (request->content_length == 0)
        return services_end(
            c, ob_answer_problem(400, "NO_BODY", "the file is the body: it is missing"));
    unsigned retry_after_s;
    if (class == &scan_class && !tries_left(&retry_after_s, &c->services->tries, &c->work.item))
        return services_end(c, too_many_tries(retry_after_s));
    if (!services_has_room(c))
        return OB_PLAN_ANSWER;
    memcpy(&c->owner, token->fingerprint, sizeof c->owner);
    c->call.class = class;
    c->call.most = most;
    return OB_PLAN_FILE;
}

ob_plan commands_file_scan(services_call *call, const ob_request *request, const ob_token *token)
{
    return want_file(call, request, token, &scan_class);
}

ob_plan commands_file_hash(services_call *call, const ob_request *request, const ob_token *token)
{
    return want_file(call, request, token, &hash_class);
}
