/* pict-rs asks before it keeps an upload (media.external_validation): it posts the file, takes 2xx
 * for yes and everything else for no. It reads nothing but the status. */
#include "gateways_priv.h"

#include <obhut/crypto.h>

#include <string.h>
#include <unistd.h>

static ob_answer yes(ob_action action)
{
    return ob_answer_json(200, json_pack("{s:s}", "action", ob_action_name(action)));
}

static ob_answer no(const char *code, const char *why)
{
    return ob_answer_problem(422, code, "%s", why);
}

/* What may be looked at and was not goes as the operator wants; what is let through is counted. */
static ob_answer undecodable(const gateway_call *c, ob_undecodable why)
{
    if (!c->gateway.damaged_passes)
        return no("UNDECODABLE", "this file could not be looked at");
    ob_engine_let_through(c->gateways->options.engine, c->scan.work.client, OB_HINDRANCE_NONE, why);
    return ob_answer_json(
        200, json_pack("{s:s, s:s}", "action", "undecodable", "reason", ob_undecodable_name(why)));
}

static ob_answer could_not(const gateway_call *c, ob_hindrance hindrance)
{
    if (c->gateway.fail_closed)
        return ob_answer_could_not(hindrance, NULL);
    ob_engine_let_through(c->gateways->options.engine, c->scan.work.client, hindrance,
                          OB_UNDECODABLE_FAILED);
    return ob_answer_json(200, json_pack("{s:s, s:s}", "action", "could_not", "reason",
                                         ob_hindrance_name(hindrance)));
}

/* It can show nothing with a warning or blurred, and hand nothing to a person: what asks for that
 * is no, unless the operator has written that it passes. */
static uint32_t yes_of(const ob_gateway *gateway)
{
    const uint32_t lenient = UINT32_C(1) << OB_ACTION_REVIEW | UINT32_C(1) << OB_ACTION_WARN |
                             UINT32_C(1) << OB_ACTION_BLUR;
    return UINT32_C(1) << OB_ACTION_ALLOW | UINT32_C(1) << OB_ACTION_NOT_SCANNED |
           (gateway->review_passes ? lenient : 0);
}

static ob_answer answer_of(const ob_work *work, const gateway_call *c)
{
    const ob_decision *d = &work->decision;
    if (work->yes >> d->action & 1)
        return yes(d->action);
    switch (d->action) {
    case OB_ACTION_COULD_NOT:
        return could_not(c, d->hindrance);
    case OB_ACTION_UNDECODABLE:
        return undecodable(c, d->undecodable);
    case OB_ACTION_BLOCK:
        return no("BLOCK", "this file is not accepted here");
    default:
        return no("HOLD", "this file is not accepted here");
    }
}

static void answer(ob_work *work)
{
    gateway_call *c = work->context;
    ob_call_answer(&c->call, answer_of(work, c));
}

static void take(ob_call *call, ob_body body)
{
    gateway_call *c = (gateway_call *)call;
    if (body.too_large) {
        ob_call_answer(&c->call, undecodable(c, OB_UNDECODABLE_TOO_LARGE));
        return;
    }
    ob_work *work = &c->scan.work;
    work->via = work->client;
    work->yes = yes_of(&c->gateway);
    work->done = answer;
    work->context = c;
    c->scan.file.file = body.file;
    c->scan.file.size = body.size;
    c->scan.limit = 1;
    if (ob_engine_scan(c->gateways->options.engine, &c->scan, NULL)) {
        close(body.file);
        ob_call_answer(&c->call, could_not(c, work->decision.hindrance));
    }
}

static void unable(ob_call *call, ob_hindrance hindrance)
{
    gateway_call *c = (gateway_call *)call;
    ob_engine_could_not(c->gateways->options.engine, hindrance);
    ob_call_answer(&c->call, could_not(c, hindrance));
}

/* It waits so long for an answer and takes none for no. What lets it pass says so also of a match
 * that comes now. */
static ob_answer late(ob_call *call)
{
    gateway_call *c = (gateway_call *)call;
    ob_engine_could_not(c->gateways->options.engine, OB_HINDRANCE_BUSY);
    if (!c->gateway.fail_closed)
        c->scan.work.yes = UINT32_MAX;
    return could_not(c, OB_HINDRANCE_BUSY);
}

static void gone(ob_call *call)
{
    gateway_call *c = (gateway_call *)call;
    if (ob_engine_forget(c->gateways->options.engine, &c->scan.work))
        ob_call_answer(call, (ob_answer){.status = 503}); /* to nobody */
}

/* Whether the gate lets it be looked at. Otherwise sets the answer and returns false. */
static bool may_scan(gateway_call *c)
{
    ob_engine *engine = c->gateways->options.engine;
    ob_gate_decision *why = &c->scan.work.decision.gate;
    ob_status status = ob_engine_ask(why, engine, &c->scan.work.item, OB_EVERY_DETECTOR, NULL);
    if (!status && why->allow)
        return true;
    ob_hindrance hindrance = ob_engine_hindrance(engine, status ? NULL : why, status);
    if (status && !hindrance)
        hindrance = OB_HINDRANCE_FAULT;
    c->call.answer = hindrance ? could_not(c, hindrance) : yes(OB_ACTION_NOT_SCANNED);
    return false;
}

static bool has_room(gateway_call *c)
{
    ob_engine *engine = c->gateways->options.engine;
    if (ob_engine_has_room(engine, c->scan.work.client))
        return true;
    ob_engine_could_not(engine, OB_HINDRANCE_BUSY);
    c->call.answer = could_not(c, OB_HINDRANCE_BUSY);
    return false;
}

ob_plan pictrs_begin(gateway_call *c, const ob_request *request)
{
    static const ob_call_class class = {
        .body = take, .could_not = unable, .late = late, .gone = gone, .end = gateway_end_call};
    const uint64_t most = c->gateways->options.body_most;
    ob_item *item = &c->scan.work.item;
    *item = (ob_item){.media = OB_MEDIA_IMAGE,
                      .surface = (ob_surface)c->gateway.surface,
                      .encryption = OB_ENCRYPTION_TRANSPORT};
    ob_random(&item->id, sizeof item->id); /* the file is all that it says */
    memcpy(&c->scan.file.owner, c->gateway.fingerprint, sizeof c->scan.file.owner);
    if (strcmp(request->method, "POST")) {
        c->call.answer = ob_answer_problem(405, "METHOD", "files are posted here");
        c->call.answer.allow = "POST";
        return OB_PLAN_ANSWER;
    }
    if (!may_scan(c))
        return OB_PLAN_ANSWER;
    if (request->content_length > 0 && (uint64_t)request->content_length > most) {
        c->call.answer = undecodable(c, OB_UNDECODABLE_TOO_LARGE);
        return OB_PLAN_ANSWER;
    }
    if (request->content_length == 0) {
        c->call.answer = ob_answer_problem(400, "NO_BODY", "the file is the body: it is missing");
        return OB_PLAN_ANSWER;
    }
    if (!has_room(c))
        return OB_PLAN_ANSWER;
    c->call.class = &class;
    c->call.most = most;
    return OB_PLAN_FILE;
}

ob_plan pictrs_unsure(gateway_call *c, ob_hindrance hindrance)
{
    c->call.answer = could_not(c, hindrance);
    return OB_PLAN_ANSWER;
}
