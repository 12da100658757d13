/* Secrets in paths, and who they belong to. */
#include <obhut/clock.h>
#include <obhut/gateways.h>

#include <obhut/crypto.h>

#include "gateways_priv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MOST (UINT64_C(50) * 1000 * 1000)

/* Kinds, and what their paths are called. */
static const struct kind {
    const char *kind, *path;
    ob_plan (*begin)(gateway_call *call, const ob_request *request);
    ob_plan (*unsure)(gateway_call *call, ob_hindrance hindrance);
} kinds[] = {{"pict-rs", "pictrs", pictrs_begin, pictrs_unsure}};

/* ---- Life ------------------------------------------------------------------------------------ */

ob_status ob_gateways_open(ob_gateways **out, const ob_gateways_options *options, ob_error *err)
{
    ob_gateways *g = calloc(1, sizeof *g);
    if (!g)
        return ob_fail(err, OB_ENOMEM, "out of memory: gateways");
    g->options = *options;
    if (!g->options.body_most)
        g->options.body_most = BODY_MOST;
    pthread_mutex_init(&g->lock, NULL);
    *out = g;
    return OB_OK;
}

void ob_gateways_close(ob_gateways *g)
{
    if (!g)
        return;
    pthread_mutex_destroy(&g->lock);
    free(g->known);
    free(g);
}

ob_status ob_gateways_add(char path[OB_GATEWAY_PATH], ob_writing *w, const char *name,
                          const char *kind, const ob_gateway *like, ob_error *err)
{
    ob_gateway gateway = *like;
    gateway.made_at = ob_now();
    const char *word = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].kind, kind))
            word = kinds[i].path;
    if (!word)
        return ob_fail(err, OB_EINVAL, "no gateway is called \"%.60s\"; there is: pict-rs", kind);
    if (!ob_name_is_valid(name))
        return ob_fail(err, OB_EINVAL, "\"%.80s\" is no name: a-z 0-9 . _ -, at most %d", name,
                       OB_NAME_MAX);
    snprintf(gateway.name, sizeof gateway.name, "%s", name);
    snprintf(gateway.kind, sizeof gateway.kind, "%s", kind);
    char secret[OB_SECRET_TEXT + 1];
    ob_secret_make(secret);
    ob_secret_fingerprint(gateway.fingerprint, secret, OB_SECRET_TEXT);
    snprintf(path, OB_GATEWAY_PATH, "/gw/%s/%s", word, secret);
    ob_wipe(secret, sizeof secret);
    return ob_store_gateway_add(w, &gateway, err);
}

/* ---- Finding one ----------------------------------------------------------------------------- */

/* Under the lock: they are few, and read again when the records have changed. */
static ob_status read_gateways(ob_gateways *g, ob_error *err)
{
    ob_gateway *known = NULL;
    size_t count = 0;
    uint64_t generation = ob_store_generation(g->options.store);
    if (g->generation == generation)
        return OB_OK;
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, g->options.store, err);
    if (!status)
        status = ob_store_gateways(&known, &count, view, err);
    ob_view_close(view);
    if (status)
        return status;
    free(g->known);
    g->known = known;
    g->count = count;
    g->generation = generation;
    return OB_OK;
}

/* On failure, *found and *out are what was known before. */
static ob_status find(bool *found, ob_gateway *out, ob_gateways *g, const char *kind,
                      const char *secret, ob_error *err)
{
    uint8_t fingerprint[OB_MAC_SIZE];
    *found = false;
    ob_secret_fingerprint(fingerprint, secret, strlen(secret));
    pthread_mutex_lock(&g->lock);
    ob_status status = read_gateways(g, err);
    for (size_t i = 0; i < g->count; i++)
        if (ob_same(g->known[i].fingerprint, fingerprint, sizeof fingerprint) &&
            !strcmp(g->known[i].kind, kind)) {
            *out = g->known[i];
            *found = true;
        }
    pthread_mutex_unlock(&g->lock);
    return status;
}

bool ob_gateways_own(const ob_request *request)
{
    return request->listener == OB_LISTENER_SERVICES && !strncmp(request->path, "/gw/", 4);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

void gateway_end_call(ob_call *call)
{
    gateway_call *c = (gateway_call *)call;
    ob_scan_clear(&c->scan);
    ob_answer_free(&c->call.answer);
    free(c);
}

static void no_body(ob_call *call, ob_body body)
{
    (void)body;
    ob_call_answer(call, ob_answer_problem(500, "FAILED", "no body was asked for"));
}

/* Of records that cannot be read now. */
static ob_hindrance of_records(const ob_gateways *g, ob_status status)
{
    ob_hindrance hindrance =
        status ? ob_engine_hindrance(g->options.engine, NULL, status) : OB_HINDRANCE_NONE;
    return status && !hindrance ? OB_HINDRANCE_FAULT : hindrance;
}

/* Where the records cannot be read, it is not known whether there is such a gateway, or only how it
 * was. */
static ob_plan begin_unsure(gateway_call *c, const struct kind *kind, bool found,
                            ob_hindrance hindrance)
{
    ob_engine_could_not(c->gateways->options.engine, hindrance);
    if (found)
        return kind->unsure(c, hindrance);
    c->call.answer = ob_answer_could_not(hindrance, NULL);
    return OB_PLAN_ANSWER;
}

static ob_plan begin(ob_call **out, ob_gateways *g, const ob_request *request,
                     ob_hindrance hindrance)
{
    static const ob_call_class class = {.body = no_body, .end = gateway_end_call};
    gateway_call *c = calloc(1, sizeof *c);
    *out = (ob_call *)c;
    if (!c)
        return OB_PLAN_ANSWER;
    c->gateways = g;
    c->call.class = &class;
    c->scan.file.file = -1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].path);
        const char *rest = request->path + 4;
        bool found;
        if (strncmp(rest, kinds[i].path, length) || rest[length] != '/')
            continue;
        ob_status status = find(&found, &c->gateway, g, kinds[i].kind, rest + length + 1, NULL);
        if (status)
            return begin_unsure(c, &kinds[i], found, of_records(g, status));
        if (found && hindrance)
            return begin_unsure(c, &kinds[i], true, hindrance);
        snprintf(c->scan.work.client, sizeof c->scan.work.client, "gateway %s", c->gateway.name);
        if (found)
            return kinds[i].begin(c, request);
    }
    ob_engine_refused(g->options.engine, OB_REFUSED_TOKEN);
    c->call.answer = ob_answer_problem(404, "NOT_FOUND", "there is nothing at this path");
    return OB_PLAN_ANSWER;
}

ob_plan ob_gateways_begin(ob_call **out, ob_gateways *g, const ob_request *request)
{
    return begin(out, g, request, OB_HINDRANCE_NONE);
}

ob_plan ob_gateways_could_not(ob_call **out, ob_gateways *g, const ob_request *request,
                              ob_hindrance hindrance)
{
    return begin(out, g, request, hindrance);
}
