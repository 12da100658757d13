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

/* What could not be looked at, though it may: as the operator wants. */
static ob_answer could_not(const gateway_call *c)
{
    return c->gateway.fail_closed ? no("UNDECODABLE", "this file could not be looked at")
                                  : yes(OB_ACTION_UNDECODABLE);
}

static void answer(ob_task *t)
{
    gateway_call *c = t->context;
    ob_answer told;
    if (!t->status && t->action == OB_ACTION_NOT_SCANNED)
        told = yes(OB_ACTION_NOT_SCANNED);
    else if (t->status || t->action == OB_ACTION_UNDECODABLE)
        told = could_not(c);
    else if (t->action == OB_ACTION_BLOCK || t->action == OB_ACTION_HOLD)
        told =
            no(t->action == OB_ACTION_BLOCK ? "BLOCK" : "HOLD", "this file is not accepted here");
    else
        told = yes(t->action);
    ob_call_answer(&c->call, told);
}

static void take(ob_call *call, ob_body body)
{
    gateway_call *c = (gateway_call *)call;
    if (body.too_large) {
        ob_call_answer(&c->call, could_not(c));
        return;
    }
    c->task.kind = OB_TASK_SCAN;
    c->task.done = answer;
    c->task.context = c;
    c->task.file = body.file;
    c->task.size = body.size;
    c->task.limit = 1;
    if (ob_engine_add(c->gateways->options.engine, &c->task, NULL)) {
        close(body.file);
        ob_call_answer(&c->call, could_not(c));
    }
}

ob_plan pictrs_begin(gateway_call *c, const ob_request *request)
{
    static const ob_call_class class = {.body = take, .end = gateway_end_call};
    const ob_gateways_options *o = &c->gateways->options;
    ob_gate_decision why = {0};
    ob_item *item = &c->task.item;
    *item = (ob_item){.media = OB_MEDIA_IMAGE,
                      .surface = (ob_surface)c->gateway.surface,
                      .encryption = OB_ENCRYPTION_TRANSPORT};
    ob_random(&item->id, sizeof item->id); /* the file is all that it says */
    if (strcmp(request->method, "POST")) {
        c->call.answer = ob_answer_problem(405, "METHOD", "files are posted here");
        c->call.answer.allow = "POST";
    } else if (ob_engine_ask(&why, o->engine, item, OB_EVERY_METHOD, NULL)) {
        c->call.answer = could_not(c);
    } else if (!why.allow) {
        c->call.answer = yes(OB_ACTION_NOT_SCANNED);
    } else if (request->content_length > 0 && (uint64_t)request->content_length > o->body_most) {
        c->call.answer = could_not(c);
    } else if (request->content_length == 0) {
        c->call.answer = ob_answer_problem(400, "NO_BODY", "the file is the body: it is missing");
    } else if (!ob_engine_has_room(o->engine)) {
        c->call.answer = could_not(c);
    } else {
        c->call.class = &class;
        c->call.most = o->body_most;
        return OB_PLAN_FILE;
    }
    return OB_PLAN_ANSWER;
}
