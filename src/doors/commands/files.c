/* POST /v1/scan and /v1/hash: a file is the body. */
#include "services_priv.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

void api_run(api_call *c, void (*done)(ob_task *task))
{
    ob_error err = {0};
    c->task.done = done;
    c->task.context = c;
    if (ob_engine_add(c->api->options.engine, &c->task, &err)) {
        if (c->task.file >= 0)
            close(c->task.file);
        ob_call_answer(&c->call, ob_answer_could_not(c->task.hindrance, NULL));
    }
}

void api_gone(ob_call *call)
{
    api_call *c = (api_call *)call;
    if (ob_engine_forget(c->api->options.engine, &c->task))
        ob_call_answer(call, (ob_answer){.status = 503}); /* to nobody */
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void set_undecodable(json_t *object, const ob_job_result *job)
{
    json_object_set_new(object, "reason", json_string(ob_api_undecodable(job->status)));
    json_object_set_new(object, "detail", ob_json_text(job->error.text));
}

static void set_picture(json_t *object, const ob_task *t)
{
    const uint32_t unseen = t->job->media.unseen;
    if (t->action == OB_ACTION_UNDECODABLE && unseen) {
        json_object_set_new(object, "reason", json_string(ob_api_unseen(unseen)));
        json_object_set_new(object, "detail", json_string(ob_api_unseen_text(unseen)));
    }
    ob_api_set_picture(object, &t->job->media);
}

json_t *ob_api_scan(const ob_task *t, unsigned threshold)
{
    if (t->action == OB_ACTION_NOT_SCANNED)
        return ob_api_not_scanned(&t->why);
    if (t->action == OB_ACTION_COULD_NOT)
        return ob_api_could_not(t->hindrance);
    json_t *object = json_object(), *matches = json_array();
    json_object_set_new(object, "action", json_string(ob_action_name(t->action)));
    if (t->job->status)
        set_undecodable(object, t->job);
    else if (t->job->media.format)
        set_picture(object, t);
    if (t->findings.low_quality)
        json_object_set_new(object, "not_matched", json_string("LOW_QUALITY"));
    for (size_t i = 0; i < t->findings.count; i++)
        json_array_append_new(matches, ob_api_match(&t->findings.match[i], threshold));
    json_object_set_new(object, "matches", matches);
    json_object_set_new(object, "total", json_integer((json_int_t)t->findings.total));
    json_object_set_new(object, "basis", json_string(ob_word_name(OB_WORD_BASIS, t->why.basis)));
    json_object_set_new(object, "regime", json_string(t->why.regime ? t->why.regime->id : ""));
    json_object_set_new(object, "took_us", json_integer((json_int_t)t->took_us));
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

static void answer_scan(ob_task *t)
{
    api_call *c = t->context;
    unsigned retry_after_s;
    if (t->findings.total && !tries_take(&retry_after_s, &c->api->tries, &t->item)) {
        ob_call_answer(&c->call, too_many_tries(retry_after_s));
        return;
    }
    ob_call_answer(&c->call,
                   t->action == OB_ACTION_COULD_NOT
                       ? api_unscanned(t)
                       : ob_answer_json(200, ob_api_scan(t, c->api->options.policy->distance)));
}

static void set_digest(json_t *object, const char *name, const uint8_t *digest, size_t size)
{
    char text[2 * OB_SHA256_SIZE + 1];
    ob_hex(text, digest, size);
    json_object_set_new(object, name, json_string(text));
}

static void answer_hash(ob_task *t)
{
    api_call *c = t->context;
    if (t->action == OB_ACTION_NOT_SCANNED || t->action == OB_ACTION_COULD_NOT) {
        ob_call_answer(&c->call, api_unscanned(t));
        return;
    }
    json_t *object = json_object();
    if (t->job->status) {
        json_object_set_new(object, "action", json_string("undecodable"));
        set_undecodable(object, t->job);
    } else if (t->job->media.format) {
        ob_api_set_picture(object, &t->job->media);
    }
    if (t->job->digested == OB_DIGEST_ALL) {
        set_digest(object, "md5", t->job->digests.md5, OB_MD5_SIZE);
        set_digest(object, "sha1", t->job->digests.sha1, OB_SHA1_SIZE);
        set_digest(object, "sha256", t->job->digests.sha256, OB_SHA256_SIZE);
    }
    json_object_set_new(object, "took_us", json_integer((json_int_t)t->took_us));
    ob_call_answer(&c->call, ob_answer_json(200, object));
}

/* ---- Requests -------------------------------------------------------------------------------- */

static ob_answer too_large(const api_call *c)
{
    return ob_answer_problem(413, "TOO_LARGE", "at most %llu bytes are taken",
                             (unsigned long long)c->api->options.body_most);
}

static void take_file(api_call *c, ob_body body, ob_task_kind kind, void (*done)(ob_task *task))
{
    if (body.too_large) {
        ob_call_answer(&c->call, too_large(c));
        return;
    }
    c->task.kind = kind;
    c->task.via = "/v1/scan";
    c->task.file = body.file;
    c->task.size = body.size;
    c->task.limit = API_LIMIT;
    api_run(c, done);
}

static void take_scan(ob_call *call, ob_body body)
{
    take_file((api_call *)call, body, OB_TASK_SCAN, answer_scan);
}

static void take_hash(ob_call *call, ob_body body)
{
    take_file((api_call *)call, body, OB_TASK_HASH, answer_hash);
}

static const ob_call_class scan_class = {.body = take_scan, .gone = api_gone, .end = api_end_call};
static const ob_call_class hash_class = {.body = take_hash, .gone = api_gone, .end = api_end_call};

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

static ob_plan want_file(api_call *c, const ob_request *request, const ob_token *token,
                         const ob_call_class *class)
{
    uint64_t most = c->api->options.body_most;
    if (is_json(request->content_type))
        return api_end(c, no_json());
    if (!api_describe(c, request, token) || !api_may_scan(c, OB_EVERY_METHOD))
        return OB_PLAN_ANSWER;
    if (request->content_length > 0 && (uint64_t)request->content_length > most)
        return api_end(c, too_large(c));
    if (request->content_length == 0)
        return api_end(c, ob_answer_problem(400, "NO_BODY", "the file is the body: it is missing"));
    unsigned retry_after_s;
    if (class == &scan_class && !tries_left(&retry_after_s, &c->api->tries, &c->task.item))
        return api_end(c, too_many_tries(retry_after_s));
    if (!api_has_room(c))
        return OB_PLAN_ANSWER;
    memcpy(&c->task.owner, token->fingerprint, sizeof c->task.owner);
    c->call.class = class;
    c->call.most = most;
    return OB_PLAN_FILE;
}

ob_plan commands_file_scan(api_call *call, const ob_request *request, const ob_token *token)
{
    return want_file(call, request, token, &scan_class);
}

ob_plan commands_file_hash(api_call *call, const ob_request *request, const ob_token *token)
{
    return want_file(call, request, token, &hash_class);
}
