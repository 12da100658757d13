/* Any path, detector and length that come to a gateway, whatever the engine says of it: one that
 * fails closed lets through nothing that was not looked at; none lets through what is blocked, or
 * asks about what has no secret that is known. */
#include "../unit/folder.h"
#include "gateways_priv.h"

#include <obhut/crypto.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What the engine says is in the input, too. */
static struct {
    const uint8_t *bytes;
    size_t size;
    bool was_asked, may_be_seen, is_kept_out;
} in;

static uint8_t next(void)
{
    if (!in.size)
        return 0;
    in.size--;
    return *in.bytes++;
}

/* ---- In place of the engine ------------------------------------------------------------------ */

void __wrap_ob_engine_could_not(ob_engine *engine, ob_hindrance hindrance);
void __wrap_ob_engine_could_not(ob_engine *engine, ob_hindrance hindrance)
{
    (void)engine;
    (void)hindrance;
}

void __wrap_ob_engine_let_through(ob_engine *engine, ob_hindrance hindrance);
void __wrap_ob_engine_let_through(ob_engine *engine, ob_hindrance hindrance)
{
    (void)engine;
    (void)hindrance;
}

void __wrap_ob_engine_refused(ob_engine *engine, ob_refusal refusal);
void __wrap_ob_engine_refused(ob_engine *engine, ob_refusal refusal)
{
    (void)engine;
    (void)refusal;
}

ob_hindrance __wrap_ob_engine_hindrance(ob_engine *engine, const ob_gate_decision *why,
                                        ob_status status);
ob_hindrance __wrap_ob_engine_hindrance(ob_engine *engine, const ob_gate_decision *why,
                                        ob_status status)
{
    (void)engine;
    (void)why;
    (void)status;
    const ob_hindrance hindrance = (ob_hindrance)(next() % OB_HINDRANCES);
    in.may_be_seen |= hindrance != OB_HINDRANCE_NONE;
    return hindrance;
}

ob_status __wrap_ob_engine_ask(ob_gate_decision *out, ob_engine *engine, const ob_item *item,
                               uint32_t detectors, ob_error *err);
ob_status __wrap_ob_engine_ask(ob_gate_decision *out, ob_engine *engine, const ob_item *item,
                               uint32_t detectors, ob_error *err)
{
    (void)engine;
    (void)detectors;
    const uint8_t says = next();
    in.was_asked = true;
    if (item->surface != OB_SURFACE_PUBLIC)
        abort();
    *out = (ob_gate_decision){.allow = says % 2};
    in.may_be_seen |= says % 2 || says > 200;
    return says > 200 ? ob_fail(err, OB_EIO, "this is only a target") : OB_OK;
}

bool __wrap_ob_engine_has_room(ob_engine *engine, const char *client);
bool __wrap_ob_engine_has_room(ob_engine *engine, const char *client)
{
    (void)engine;
    if (strncmp(client, "gateway ", 8))
        abort();
    return next() % 4;
}

bool __wrap_ob_engine_forget(ob_engine *engine, ob_work *work);
bool __wrap_ob_engine_forget(ob_engine *engine, ob_work *work)
{
    (void)engine;
    (void)work;
    return false;
}

ob_status __wrap_ob_engine_scan(ob_engine *engine, ob_scan *scan, ob_error *err);
ob_status __wrap_ob_engine_scan(ob_engine *engine, ob_scan *scan, ob_error *err)
{
    ob_decision *d = &scan->work.decision;
    (void)engine;
    d->hindrance = (ob_hindrance)(next() % OB_HINDRANCES);
    if (next() % 4 == 3)
        return ob_fail(err, OB_EBUSY, "this is only a target");
    d->action = (ob_action)(next() % OB_ACTIONS);
    d->undecodable = ob_undecodable_of((ob_status) - (int)(next() % 12));
    if (d->action <= OB_ACTION_NOT_SCANNED)
        in.may_be_seen = false; /* somebody has looked, or nobody may */
    in.is_kept_out = d->action == OB_ACTION_BLOCK || d->action == OB_ACTION_HOLD;
    close(scan->file.file);
    scan->file.file = -1;
    scan->work.done(&scan->work);
    return OB_OK;
}

/* ---- Gateways -------------------------------------------------------------------------------- */

enum { OPEN, CLOSED, KINDS };
static char paths[KINDS][OB_GATEWAY_PATH];
static ob_gateways *gateways;

static void begin(void)
{
    static ob_store *store;
    const ob_gateway open = {
        .surface = OB_SURFACE_PUBLIC, .review_passes = true, .damaged_passes = true};
    const ob_gateway closed = {.surface = OB_SURFACE_PUBLIC, .fail_closed = true};
    char dir[TEST_FOLDER_SIZE];
    ob_writing *w = NULL;
    if (gateways)
        return;
    if (ob_crypto_start(NULL) || !test_folder(dir) || ob_store_open(&store, dir, NULL, NULL) ||
        ob_gateways_open(&gateways, &(ob_gateways_options){.store = store, .body_most = 1000},
                         NULL) ||
        ob_writing_begin(&w, store, NULL) ||
        ob_gateways_add(paths[OPEN], w, "open", "pict-rs", &open, NULL) ||
        ob_gateways_add(paths[CLOSED], w, "closed", "pict-rs", &closed, NULL) ||
        ob_writing_end(w, OB_OK, NULL))
        abort();
}

static unsigned answers;

static void on_answered(ob_call *call)
{
    (void)call;
    answers++;
}

static void send_body(ob_call *call)
{
    const uint8_t how = next();
    ob_body body = {.file = -1, .too_large = how % 4 == 1};
    call->answered = on_answered;
    answers = 0;
    if (how % 4 == 2) {
        call->class->could_not(call, (ob_hindrance)(1 + next() % (OB_HINDRANCES - 1)));
    } else {
        if (!body.too_large && (body.file = dup(STDIN_FILENO)) < 0)
            abort();
        body.size = body.too_large ? 0 : 1 + next();
        call->class->body(call, body);
    }
    if (answers != 1)
        abort();
}

static void check(unsigned status, int which)
{
    const bool passes = status >= 200 && status < 300;
    if (status < 200 || status > 599 || (passes && in.is_kept_out))
        abort();
    if (passes && which == CLOSED && in.may_be_seen)
        abort();
    if (which == KINDS && (passes || in.was_asked))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const detectors[] = {"POST", "GET", "PUT", "post", ""};
    char path[OB_GATEWAY_PATH] = "/gw/";
    ob_call *call = NULL;
    begin();
    in.bytes = bytes;
    in.size = size;
    in.was_asked = in.may_be_seen = in.is_kept_out = false;
    int which = next() % (KINDS + 1);
    ob_request request = {.detector = detectors[next() % 5], .path = path};
    request.content_length = (int64_t)(int8_t)next() * 10;
    if (which < KINDS)
        memcpy(path, paths[which], sizeof path);
    const ob_hindrance hindrance = (ob_hindrance)(next() % (4 * OB_HINDRANCES));
    for (size_t at = which < KINDS ? 78 : 4, end = next() % sizeof path; at < end; at++)
        path[at] = (char)next();
    path[sizeof path - 1] = '\0';
    if (which < KINDS && strcmp(path, paths[which]))
        which = KINDS;
    in.may_be_seen |= hindrance && hindrance < OB_HINDRANCES;
    const ob_plan plan = hindrance && hindrance < OB_HINDRANCES
                             ? ob_gateways_could_not(&call, gateways, &request, hindrance)
                             : ob_gateways_begin(&call, gateways, &request);
    if (plan == OB_PLAN_FILE)
        send_body(call);
    check(call->answer.status, which);
    call->class->end(call);
    return 0;
}
