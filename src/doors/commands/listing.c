/* GET /v1/lists: which lists there are, and, for who asks to wait, what has become of them. */
#include "services_priv.h"

#include <obhut/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_BYTES = 8 };

/* ---- The answer ------------------------------------------------------------------------------ */

static ob_answer all_lists(services_call *c)
{
    ob_list_info *infos = NULL;
    size_t count = 0;
    ob_error err = {0};
    if (ob_lists_info(&infos, &count, c->services->options.lists, &err))
        return services_error(c, &err);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, ob_services_list(&infos[i]));
    free(infos);
    return ob_answer_json(200, json_pack("{s:o}", "lists", array));
}

/* With its version, which is that of its bytes; *is_known: the one that the client has. */
static ob_answer answer_of(bool *is_known, services_call *c, const char *known)
{
    uint8_t digest[OB_SHA256_SIZE];
    char tag[2 * TAG_BYTES + 1], version[sizeof tag + 2];
    *is_known = false;
    c->seen = ob_lists_changes(c->services->options.lists);
    ob_answer answer = all_lists(c);
    if (answer.status != 200 || ob_sha256(digest, answer.body.bytes, answer.body.size, NULL))
        return answer;
    ob_hex(tag, digest, TAG_BYTES);
    snprintf(version, sizeof version, "\"%s\"", tag);
    ob_answer_version(&answer, tag, NULL);
    ob_answer_header(&answer, "Cache-Control", "private, no-cache", NULL);
    *is_known = known && ob_version_is_named(known, version, false);
    return answer;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void no_body(ob_call *call, ob_body body)
{
    (void)body;
    ob_call_answer(call, ob_answer_problem(500, "FAILED", "no body was asked for"));
}

static bool happened(const ob_call *call)
{
    const services_call *c = (const services_call *)call;
    return c->seen != ob_lists_changes(c->services->options.lists);
}

static bool again(ob_call *call, bool last)
{
    services_call *c = (services_call *)call;
    bool is_known;
    ob_answer answer = answer_of(&is_known, c, c->known);
    if (is_known && !last) {
        ob_answer_free(&answer);
        return false;
    }
    call->answer = answer;
    return true;
}

ob_plan commands_list_names(services_call *c, const ob_request *request, const ob_token *token)
{
    static const ob_call_class waiting = {
        .body = no_body, .happened = happened, .again = again, .end = services_end_call};
    const char *known = ob_request_header(request, "If-None-Match");
    const char *wait = ob_request_value(request, "wait");
    bool is_known;
    (void)token;
    ob_answer answer = answer_of(&is_known, c, known);
    if (!wait || !is_known || !(c->known = strdup(known)))
        return services_end(c, answer);
    ob_answer_free(&answer);
    c->call.class = &waiting;
    c->call.wait_ms = (unsigned)strtoul(wait, NULL, 10) * 1000; /* a number, the row says */
    return OB_PLAN_WAIT;
}
