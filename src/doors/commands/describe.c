/* What a service says of an item, in the query of its request. */
#include "services_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/record.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool ob_command_item_has(const char *name)
{
    const ob_command *scan = ob_command_find("file.scan");
    const ob_command_field *f = ob_command_field_find(scan->takes, name);
    return f && ob_command_where(scan, f) == OB_IN_QUERY;
}

/* What is needed on some surfaces only. */
static ob_status missing(const char **code, const char *problem, const char *sentence,
                         ob_error *err)
{
    *code = problem;
    return ob_fail(err, OB_EINVAL, "%s", sentence);
}

static bool is_private(ob_surface surface)
{
    return surface == OB_SURFACE_DIRECT || surface == OB_SURFACE_GROUP;
}

/* ---- Fields ---------------------------------------------------------------------------------- */

/* A word of the service's own; *given says whether it was there. */
static void take_word(bool *given, ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                      const char *text)
{
    *given = text && *text;
    if (*given)
        ob_acts_pseudonym(out, acts, kind, text);
}

static ob_status take_account(ob_item *item, const char **code, const ob_acts *acts,
                              const ob_request *r, ob_error *err)
{
    const char *text = ob_request_value(r, "account");
    if (text && !strcmp(text, "-")) /* nobody, whom no record can name */
        text = NULL;
    take_word(&item->has_account, &item->account, acts, OB_PSEUDONYM_ACCOUNT, text);
    return item->has_account || item->surface == OB_SURFACE_PUBLIC
               ? OB_OK
               : missing(code, "ACCOUNT", "account is needed on this surface: whose item it is",
                         err);
}

static ob_status take_encryption(ob_item *item, const char **code, const ob_request *r,
                                 ob_error *err)
{
    const char *name = ob_request_value(r, "encryption");
    unsigned value = OB_ENCRYPTION_TRANSPORT;
    if (!name && item->surface != OB_SURFACE_PUBLIC)
        return missing(code, "ENCRYPTION",
                       "encryption is needed on this surface: none, transport, e2ee, "
                       "e2ee_planned or e2ee_past",
                       err);
    if (name)
        ob_word_parse(&value, OB_WORD_ENCRYPTION, name);
    item->encryption = (ob_encryption)value;
    return OB_OK;
}

static ob_status take_conversation(ob_item *item, const char **code, const ob_acts *acts,
                                   const ob_request *r, ob_error *err)
{
    take_word(&item->has_conversation, &item->conversation, acts, OB_PSEUDONYM_CONVERSATION,
              ob_request_value(r, "conversation"));
    return item->has_conversation || !is_private(item->surface)
               ? OB_OK
               : missing(code, "CONVERSATION", "conversation is needed on this surface", err);
}

/* Without an id the Idempotency-Key is one; without that the item is new. */
static void take_id(ob_item *item, const ob_acts *acts, const ob_request *r)
{
    const char *text = ob_request_value(r, "item");
    bool given;
    take_word(&given, &item->id, acts, OB_PSEUDONYM_ITEM,
              text ? text : ob_request_header(r, "Idempotency-Key"));
    if (!given)
        ob_random(&item->id, sizeof item->id);
}

static int64_t number_of(const ob_request *r, const char *field)
{
    const char *text = ob_request_value(r, field);
    return text ? strtoll(text, NULL, 10) : 0;
}

/* The kind of its content is that of the bytes; what is said to be none is looked at as a picture.
 */
static ob_media media_of(const ob_request *r)
{
    static const struct {
        const char *prefix;
        ob_media media;
    } kinds[] = {{"video/", OB_MEDIA_VIDEO}, {"audio/", OB_MEDIA_AUDIO}, {"text/", OB_MEDIA_TEXT}};
    const char *type = ob_request_header(r, "Content-Type");
    for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
        if (!strncasecmp(type, kinds[i].prefix, strlen(kinds[i].prefix)))
            return kinds[i].media;
    return OB_MEDIA_IMAGE;
}

ob_status ob_command_item(ob_item *out, const char **code, const ob_acts *acts, const ob_request *r,
                          ob_error *err)
{
    const char *locus = ob_request_value(r, "locus");
    unsigned value = OB_LOCUS_SERVER;
    ob_item item = {
        .media = media_of(r), .report = number_of(r, "report"), .notice = number_of(r, "notice")};
    ob_surface_parse(&item.surface, ob_request_value(r, "surface"));
    if (locus)
        ob_word_parse(&value, OB_WORD_LOCUS, locus);
    item.locus = (ob_locus)value;
    ob_status status = take_account(&item, code, acts, r, err);
    if (!status)
        status = take_encryption(&item, code, r, err);
    if (!status)
        status = take_conversation(&item, code, acts, r, err);
    if (status)
        return status;
    take_id(&item, acts, r);
    *out = item;
    return OB_OK;
}

json_t *ob_services_not_scanned(const ob_gate_decision *why)
{
    json_t *object =
        json_pack("{s:s, s:s}", "action", "not_scanned", "reason", ob_reason_name(why->reason));
    if (*why->names)
        json_object_set_new(object, "names", json_string(why->names));
    return object;
}

json_t *ob_services_could_not(ob_hindrance hindrance)
{
    return json_pack("{s:s, s:s, s:s}", "action", "could_not", "reason",
                     ob_hindrance_name(hindrance), "detail", ob_hindrance_text(hindrance));
}

/* ---- Calls ----------------------------------------------------------------------------------- */

bool services_check_head(services_call *c, const ob_command *command, const ob_request *request)
{
    const char *code = NULL;
    ob_error err = {0};
    c->command = command;
    if (!ob_command_check_head(&code, command, request, &err))
        return true;
    services_end(c, ob_answer_problem(400, code, "%s", err.text));
    return false;
}

bool services_describe(services_call *c, const ob_request *request, const ob_token *token)
{
    const char *name = ob_request_value(request, "surface"), *code = NULL;
    ob_surface surface = OB_SURFACES;
    ob_error err = {0};
    ob_surface_parse(&surface, name); /* a word of the row's set */
    if (!(token->surfaces >> surface & 1)) {
        ob_engine_refused(c->services->options.engine, OB_REFUSED_SURFACE);
        services_end(
            c, ob_answer_problem(403, "TOKEN_SURFACE", "this token is not for surface %s", name));
        return false;
    }
    if (!ob_command_item(&c->work.item, &code, c->services->options.acts, request, &err))
        return true;
    services_end(c, ob_answer_problem(400, code, "%s", err.text));
    return false;
}

bool services_may_scan(services_call *c, uint32_t detectors)
{
    ob_engine *engine = c->services->options.engine;
    ob_gate_decision *why = &c->work.decision.gate;
    ob_error err = {0};
    ob_status status = ob_engine_ask(why, engine, &c->work.item, detectors, &err);
    if (!status && why->allow)
        return true;
    if (status)
        status = services_of_records(&err)->status;
    c->work.decision.hindrance = ob_engine_hindrance(engine, status ? NULL : why, status);
    if (status && !c->work.decision.hindrance)
        services_end(c, ob_answer_error(&err));
    else
        services_end(c, services_unscanned(&c->work.decision));
    return false;
}

ob_answer services_unscanned(const ob_decision *d)
{
    return d->hindrance ? ob_answer_could_not(d->hindrance, NULL)
                        : ob_answer_json(200, ob_services_not_scanned(&d->gate));
}

bool services_has_room(services_call *c)
{
    ob_engine *engine = c->services->options.engine;
    if (ob_engine_has_room(engine, c->work.client))
        return true;
    ob_engine_could_not(engine, OB_HINDRANCE_BUSY);
    services_end(c, ob_answer_could_not(OB_HINDRANCE_BUSY, NULL));
    return false;
}

ob_answer services_error(services_call *c, const ob_error *err)
{
    ob_engine *engine = c->services->options.engine;
    ob_hindrance hindrance = ob_engine_hindrance(engine, NULL, err->status);
    if (!hindrance)
        return ob_answer_error(err);
    ob_engine_could_not(engine, hindrance);
    return ob_answer_could_not(hindrance, NULL);
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

ob_plan services_want_json(services_call *c, const ob_request *request, const ob_call_class *class)
{
    if (request->content_length == 0)
        return services_end(c,
                            ob_answer_problem(400, "NO_BODY", "the body is missing: it is JSON"));
    if (request->content_length > (int64_t)SERVICES_JSON_BODY_MOST)
        return services_end(c, services_too_large_json());
    c->call.class = class;
    c->call.most = SERVICES_JSON_BODY_MOST;
    return OB_PLAN_BYTES;
}

json_t *services_json(services_call *c, ob_body body)
{
    ob_error err = {0};
    if (body.too_large) {
        ob_call_answer(&c->call, services_too_large_json());
        return NULL;
    }
    json_t *in = ob_json_body(body, &err);
    if (in && !ob_command_check_body(c->command, in, &err))
        return in;
    json_decref(in);
    ob_call_answer(&c->call, services_error(c, &err));
    return NULL;
}
