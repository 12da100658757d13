/* POST /v1/reports, POST /v1/notices, PUT and DELETE /v1/conversations/…, DELETE /v1/accounts/…:
 * what a service tells, and the gate reads. */
#include "services_priv.h"

#include <obhut/crypto.h>
#include <obhut/grounds.h>
#include <obhut/records/written.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading --------------------------------------------------------------------------------- */

/* A word of the service's own. "-" is nobody, as in a query. */
static ob_status take_key(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                          const char *what, const char *text, ob_error *err)
{
    if (kind == OB_PSEUDONYM_ACCOUNT && !strcmp(text, "-"))
        return ob_fail(err, OB_EFORMAT, "\"%s\" is nobody: \"-\"", what);
    ob_acts_pseudonym(out, acts, kind, text);
    return OB_OK;
}

static ob_status key_at(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                        const json_t *in, const char *member, ob_error *err)
{
    return take_key(out, acts, kind, member, json_string_value(json_object_get(in, member)), err);
}

static ob_yes_no yes_no_at(const json_t *in, const char *member, ob_yes_no otherwise)
{
    const char *text = json_string_value(json_object_get(in, member));
    if (!text)
        return otherwise;
    return !strcmp(text, "yes") ? OB_YES : !strcmp(text, "no") ? OB_NO : OB_UNKNOWN;
}

static ob_status items_at(ob_record_key **out, size_t *count, const ob_acts *acts, const json_t *in,
                          ob_error *err)
{
    const json_t *array = json_object_get(in, "items");
    *count = json_array_size(array);
    *out = calloc(*count, sizeof **out);
    if (!*out)
        return ob_fail(err, OB_ENOMEM, "out of memory: items");
    for (size_t i = 0; i < *count; i++)
        ob_acts_pseudonym(&(*out)[i], acts, OB_PSEUDONYM_ITEM,
                          json_string_value(json_array_get(array, i)));
    return OB_OK;
}

/* ---- Doing ----------------------------------------------------------------------------------- */

/* What a request wants. */
typedef struct record_body {
    char client_key[OB_PSEUDONYM_TEXT + 2]; /* its Idempotency-Key; "" : none */
    ob_delivery delivery;
    ob_incoming incoming;
    ob_record_key *items;
    ob_conversation conversation;
    ob_member *members;
    size_t count;
    int64_t id;
    uint64_t changed;
    bool counts; /* among what its token has written today */
} record_body;

/* Bytes in the records and the log, about: measured, and rather too many. */
static uint64_t bytes_of(const record_body *d)
{
    enum { ACT = 1000, ONE = 200 };
    return ACT + ONE * (uint64_t)d->count + strlen(d->incoming.reason);
}

/* With what is written, so that a start goes on counting where this one ended. */
static ob_status count_written(ob_act *act, const services_call *c, ob_error *err)
{
    record_body *d = c->record_body;
    ob_written more = {.day = ob_now() / QUOTA_DAY_S, .bytes = bytes_of(d)};
    memcpy(more.token, c->token, sizeof more.token);
    ob_status status = ob_store_written_add(act->w, &more, err);
    d->counts = !status;
    return status;
}

static ob_status add_incoming(ob_act *act, void *context, ob_error *err)
{
    services_call *c = context;
    record_body *d = c->record_body;
    bool is_known = false;
    ob_act_word(act, "token", c->token);
    ob_status status = ob_incoming_add(&d->id, &is_known, act, &d->incoming, d->items, d->count,
                                       &d->delivery, err);
    return status || is_known ? status : count_written(act, c, err);
}

static ob_status set_conversation(ob_act *act, void *context, ob_error *err)
{
    const services_call *c = context;
    const record_body *d = c->record_body;
    ob_act_word(act, "token", c->token);
    ob_status status = ob_conversation_set(act, &d->conversation, d->members, d->count, err);
    return status ? status : count_written(act, c, err);
}

static ob_status remove_conversation(ob_act *act, void *context, ob_error *err)
{
    const services_call *c = context;
    ob_act_word(act, "token", c->token);
    ob_status status = ob_conversation_remove(act, &c->record_body->conversation.id, err);
    return status ? status : count_written(act, c, err);
}

/* It is never refused, so where there is nothing to take back it leaves nothing on the disk. */
static ob_status withdraw(ob_act *act, void *context, ob_error *err)
{
    const services_call *c = context;
    record_body *d = c->record_body;
    ob_act_word(act, "token", c->token);
    ob_status status = ob_consent_withdraw(&d->changed, act, &d->conversation.id, err);
    if (!status && d->changed)
        return count_written(act, c, err);
    ob_act_quiet(act);
    return status;
}

/* ---- Answers --------------------------------------------------------------------------------- */

/* Where a connection broke, it may have been kept; a delivery is known again, and who is a member
 * or consents is said whole: so the same request again does no harm. */
static ob_answer failed(const ob_act_job *job)
{
    static const char again[] = "the records cannot be read or written at the moment, and whether "
                                "this was kept is not known: send the same request again";
    const services_call *c = job->context;
    ob_engine *engine = c->services->options.engine;
    /* What was asked was looked at before: of this format are the records, which are damaged. */
    const ob_status status = job->status == OB_EFORMAT ? OB_EIO : job->status;
    ob_hindrance hindrance = ob_engine_hindrance(engine, NULL, status);
    if (!hindrance)
        return ob_answer_error(&job->error);
    ob_engine_could_not(engine, hindrance);
    return ob_answer_could_not(hindrance, hindrance == OB_HINDRANCE_RECORDS ? again : NULL);
}

/* Takes the reference to `done`. Once it is answered, job and call may be gone. */
static void answer(ob_act_job *job, json_t *done)
{
    services_call *c = job->context;
    const record_body *d = c->record_body;
    if (job->status || !d->counts)
        quota_give_back(&c->services->written, c->token, bytes_of(d));
    if (!job->status) {
        const unsigned status = c->command->answers->status;
        ob_call_answer(&c->call, ob_answer_json(status ? status : 200, done));
        return;
    }
    json_decref(done);
    ob_call_answer(&c->call, failed(job));
}

static void answer_incoming(ob_act_job *job)
{
    const record_body *d = ((services_call *)job->context)->record_body;
    answer(job, json_pack("{s:I}", d->incoming.kind == OB_INCOMING_REPORT ? "report" : "notice",
                          (json_int_t)d->id));
}

static void answer_done(ob_act_job *job)
{
    answer(job, json_pack("{s:b}", "done", 1));
}

static void answer_withdrawn(ob_act_job *job)
{
    const record_body *d = ((services_call *)job->context)->record_body;
    answer(job, json_pack("{s:I}", "conversations", (json_int_t)d->changed));
}

static void end_call(ob_call *call)
{
    record_body *d = ((services_call *)call)->record_body;
    if (d) {
        free(d->items);
        free(d->members);
    }
    free(d);
    services_end_call(call);
}

/* What a request does: the act's word, the act, and its answer. */
typedef struct doing {
    const char *what;
    ob_act_run run;
    void (*done)(ob_act_job *job);
    bool takes_back; /* never refused for what was written already */
} doing;

/* Whether this token may write so much more today. Otherwise answers. */
static bool may_write(services_call *c, const doing *what)
{
    const ob_services_options *options = &c->services->options;
    quota *q = &c->services->written;
    unsigned retry_after_s = 0;
    switch (quota_take(&retry_after_s, q, c->token, bytes_of(c->record_body), what->takes_back)) {
    case QUOTA_NEARLY:
        if (options->problem) {
            char sentence[200];
            snprintf(sentence, sizeof sentence,
                     "the token %s has written four fifths of the %llu MB of records that it may "
                     "today",
                     c->token, (unsigned long long)(q->most / 1000000));
            options->problem(options->context, sentence);
        }
        return true;
    case QUOTA_USED_UP: {
        ob_answer answer = ob_answer_problem(
            429, "QUOTA",
            "this token has written the %llu MB of records that it may in a day: nothing was kept; "
            "try again tomorrow (UTC). What takes a consent back is taken all the same: DELETE",
            (unsigned long long)(q->most / 1000000));
        answer.retry_after_s = retry_after_s;
        ob_call_answer(&c->call, answer);
        return false;
    }
    default:
        return true;
    }
}

static void do_it(services_call *c, const doing *what)
{
    if (!may_write(c, what))
        return;
    c->job = (ob_act_job){.what = what->what, .run = what->run, .context = c, .done = what->done};
    ob_acts_post(c->services->options.acts, &c->job);
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

static ob_status read_incoming(services_call *c, const json_t *in, ob_incoming_kind kind,
                               ob_error *err)
{
    const ob_acts *acts = c->services->options.acts;
    record_body *d = c->record_body;
    ob_status status = OB_OK;
    d->incoming = (ob_incoming){.kind = kind, .at = ob_now()};
    if (kind == OB_INCOMING_REPORT)
        status = key_at(&d->incoming.conversation, acts, OB_PSEUDONYM_CONVERSATION, in,
                        "conversation", err);
    if (!status && json_object_get(in, "reporter"))
        status = key_at(&d->incoming.reporter, acts, OB_PSEUDONYM_ACCOUNT, in, "reporter", err);
    if (!status && kind == OB_INCOMING_REPORT)
        status = key_at(&d->incoming.account, acts, OB_PSEUDONYM_ACCOUNT, in, "account", err);
    snprintf(d->incoming.reason, sizeof d->incoming.reason, "%s",
             json_string_value(json_object_get(in, "reason")));
    return status ? status : items_at(&d->items, &d->count, acts, in, err);
}

static ob_status read_members(services_call *c, const json_t *in, ob_error *err)
{
    const json_t *array = json_object_get(in, "members");
    record_body *d = c->record_body;
    ob_status status = OB_OK;
    d->count = json_array_size(array);
    d->conversation.changed_at = ob_now();
    d->conversation.is_free = json_is_true(json_object_get(in, "free"));
    d->conversation.is_protected = yes_no_at(in, "protected", OB_NO);
    d->conversation.has_child = yes_no_at(in, "child_user", OB_UNKNOWN);
    d->members = calloc(d->count + 1, sizeof *d->members);
    if (!d->members)
        return ob_fail(err, OB_ENOMEM, "out of memory: members");
    for (size_t i = 0; i < d->count && !status; i++) {
        const json_t *member = json_array_get(array, i);
        d->members[i].consents = json_is_true(json_object_get(member, "consents"));
        status = key_at(&d->members[i].account, c->services->options.acts, OB_PSEUDONYM_ACCOUNT,
                        member, "account", err);
    }
    return status;
}

/* Of a report or notice: the same request again is known by what its client named it, or else by
 * what it says. */
static ob_status name_delivery(services_call *c, ob_body body, ob_error *err)
{
    record_body *d = c->record_body;
    const ob_acts *acts = c->services->options.acts;
    uint8_t sum[OB_SHA256_SIZE];
    char text[2 * OB_SHA256_SIZE + OB_NAME_MAX + OB_PSEUDONYM_TEXT + 16];
    ob_status status = ob_sha256(sum, body.bytes, body.size, err);
    if (status)
        return status;
    ob_hex(text, sum, sizeof sum);
    ob_acts_pseudonym(&d->delivery.digest, acts, OB_PSEUDONYM_DELIVERY, text);
    snprintf(text, sizeof text, "%d %s %s", (int)d->incoming.kind, c->token, d->client_key);
    if (!*d->client_key)
        ob_hex(text + strlen(text), d->delivery.digest.bytes, OB_RECORD_KEY);
    ob_acts_pseudonym(&d->delivery.key, acts, OB_PSEUDONYM_DELIVERY, text);
    return OB_OK;
}

typedef ob_status (*body_reader)(services_call *c, const json_t *in, ob_error *err);

/* False after answering. */
static bool read_body(services_call *c, ob_body body, body_reader read)
{
    ob_error err = {0};
    json_t *in = services_json(c, body);
    if (!in)
        return false;
    ob_status status = read(c, in, &err);
    json_decref(in);
    if (status)
        ob_call_answer(&c->call, services_error(c, &err));
    return !status;
}

static void take_incoming(services_call *c, ob_body body, body_reader read, const doing *what)
{
    ob_error err = {0};
    if (!read_body(c, body, read))
        return;
    if (name_delivery(c, body, &err))
        ob_call_answer(&c->call, services_error(c, &err));
    else
        do_it(c, what);
}

static ob_status read_report(services_call *c, const json_t *in, ob_error *err)
{
    return read_incoming(c, in, OB_INCOMING_REPORT, err);
}

static ob_status read_notice(services_call *c, const json_t *in, ob_error *err)
{
    return read_incoming(c, in, OB_INCOMING_NOTICE, err);
}

static void take_report(ob_call *call, ob_body body)
{
    static const doing report = {"report.add", add_incoming, answer_incoming, false};
    take_incoming((services_call *)call, body, read_report, &report);
}

static void take_notice(ob_call *call, ob_body body)
{
    static const doing notice = {"notice.add", add_incoming, answer_incoming, false};
    take_incoming((services_call *)call, body, read_notice, &notice);
}

static void take_members(ob_call *call, ob_body body)
{
    static const doing members = {"consent", set_conversation, answer_done, false};
    if (read_body((services_call *)call, body, read_members))
        do_it((services_call *)call, &members);
}

/* Without a body there is nothing to read: but it may have one. */
static void take_removal(ob_call *call, ob_body body)
{
    static const doing removal = {"consent", remove_conversation, answer_done, true};
    (void)body;
    do_it((services_call *)call, &removal);
}

static void take_withdrawal(ob_call *call, ob_body body)
{
    static const doing withdrawal = {"consent.withdraw", withdraw, answer_withdrawn, true};
    (void)body;
    do_it((services_call *)call, &withdrawal);
}

/* ---- Heads ----------------------------------------------------------------------------------- */

static void no_body(ob_call *call, ob_body body)
{
    (void)body;
    ob_call_answer(call, ob_answer_problem(500, "FAILED", "no body was asked for"));
}

/* Of a call that has a record_body and no handler yet. */
static const ob_call_class unread = {.body = no_body, .end = end_call};

/* Makes the record_body, of what stands in the path where that has a word of the service's own. */
static ob_status begin_record(services_call *c, const ob_request *request,
                              const ob_pseudonym_kind *kind, ob_error *err)
{
    record_body *d = c->record_body = calloc(1, sizeof *d);
    c->call.class = &unread;
    if (!d)
        return ob_fail(err, OB_ENOMEM, "out of memory: try again");
    const char *key = ob_request_header(request, "Idempotency-Key");
    char id[OB_PSEUDONYM_TEXT + 1];
    if (key)
        snprintf(d->client_key, sizeof d->client_key, "%s", key);
    if (!kind)
        return OB_OK;
    ob_path_part(id, sizeof id, c->command->path, request->path, "id");
    return take_key(&d->conversation.id, c->services->options.acts, *kind, "id", id, err);
}

static ob_plan want(services_call *c, const ob_request *request, const ob_pseudonym_kind *kind,
                    const ob_call_class *class)
{
    ob_error err = {0};
    if (begin_record(c, request, kind, &err))
        return services_end(c, services_error(c, &err));
    return services_want_json(c, request, class);
}

/* A body may come all the same. */
static ob_plan want_nothing(services_call *c, const ob_request *request, ob_pseudonym_kind kind,
                            const ob_call_class *class)
{
    ob_error err = {0};
    if (begin_record(c, request, &kind, &err))
        return services_end(c, services_error(c, &err));
    if (request->content_length > (int64_t)SERVICES_JSON_BODY_MOST)
        return services_end(c, services_too_large_json());
    c->call.class = class;
    c->call.most = SERVICES_JSON_BODY_MOST;
    return OB_PLAN_BYTES;
}

ob_plan commands_report_add(services_call *c, const ob_request *request, const ob_token *token)
{
    static const ob_call_class class = {.body = take_report, .end = end_call};
    (void)token;
    return want(c, request, NULL, &class);
}

ob_plan commands_notice_add(services_call *c, const ob_request *request, const ob_token *token)
{
    static const ob_call_class class = {.body = take_notice, .end = end_call};
    (void)token;
    return want(c, request, NULL, &class);
}

ob_plan commands_members_set(services_call *c, const ob_request *request, const ob_token *token)
{
    static const ob_pseudonym_kind conversation = OB_PSEUDONYM_CONVERSATION;
    static const ob_call_class class = {.body = take_members, .end = end_call};
    (void)token;
    return want(c, request, &conversation, &class);
}

ob_plan commands_members_remove(services_call *c, const ob_request *request, const ob_token *token)
{
    static const ob_call_class class = {.body = take_removal, .end = end_call};
    (void)token;
    return want_nothing(c, request, OB_PSEUDONYM_CONVERSATION, &class);
}

ob_plan commands_consents_withdraw(services_call *c, const ob_request *request,
                                   const ob_token *token)
{
    static const ob_call_class class = {.body = take_withdrawal, .end = end_call};
    (void)token;
    return want_nothing(c, request, OB_PSEUDONYM_ACCOUNT, &class);
}
