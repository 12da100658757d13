/* What a service says of an item, in the query of its request. */
#include "services_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/record.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const ob_api_item_fields[] = {"surface", "account",      "encryption", "locus",
                                          "item",    "conversation", "report",     "notice"};
const size_t ob_api_item_field_count = sizeof ob_api_item_fields / sizeof *ob_api_item_fields;

/* Sets the answer and returns false. */
static bool wrong(ob_answer *answer, const char *code, const char *sentence)
{
    *answer = ob_answer_problem(400, code, "%s", sentence);
    return false;
}

static bool is_private(ob_surface surface)
{
    return surface == OB_SURFACE_DIRECT || surface == OB_SURFACE_GROUP;
}

/* ---- Fields ------------------------------------------------------------------------------------
 */

static bool take_surface(ob_item *item, const ob_request *r, ob_answer *answer)
{
    const char *name = ob_request_value(r, "surface");
    if (!name)
        return wrong(answer, "SURFACE", "surface is needed: direct, group, public or storage");
    return ob_surface_parse(&item->surface, name) ||
           wrong(answer, "SURFACE", "surface is one of: direct, group, public or storage");
}

/* A word of the service's own, 1 to 256 bytes; *given says whether it was there. */
static bool take_word(bool *given, ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                      const char *text, const char *code, ob_answer *answer)
{
    *given = text && *text;
    if (text && (!*text || strlen(text) > OB_PSEUDONYM_TEXT))
        return wrong(answer, code, "from 1 to 256 bytes are taken");
    if (*given)
        ob_acts_pseudonym(out, acts, kind, text);
    return true;
}

static bool take_account(ob_item *item, const ob_acts *acts, const ob_request *r, ob_answer *answer)
{
    const char *text = ob_request_value(r, "account");
    if (text && !strcmp(text, "-")) /* nobody, whom no record can name */
        text = NULL;
    if (!text && item->surface != OB_SURFACE_PUBLIC)
        return wrong(answer, "ACCOUNT", "account is needed on this surface: whose item it is");
    return take_word(&item->has_account, &item->account, acts, OB_PSEUDONYM_ACCOUNT, text,
                     "ACCOUNT", answer);
}

static bool take_conversation(ob_item *item, const ob_acts *acts, const ob_request *r,
                              ob_answer *answer)
{
    const char *text = ob_request_value(r, "conversation");
    if (!text && is_private(item->surface))
        return wrong(answer, "CONVERSATION", "conversation is needed on this surface");
    return take_word(&item->has_conversation, &item->conversation, acts, OB_PSEUDONYM_CONVERSATION,
                     text, "CONVERSATION", answer);
}

/* Without an id the Idempotency-Key is one; without that the item is new. */
static bool take_id(ob_item *item, const ob_acts *acts, const ob_request *r, ob_answer *answer)
{
    const char *text = ob_request_value(r, "item");
    bool given;
    if (!text)
        text = r->idempotency_key;
    if (!take_word(&given, &item->id, acts, OB_PSEUDONYM_ITEM, text, "ITEM", answer))
        return false;
    if (!given)
        ob_random(&item->id, sizeof item->id);
    return true;
}

static bool take_encryption(ob_item *item, const ob_request *r, ob_answer *answer)
{
    const char *name = ob_request_value(r, "encryption");
    unsigned value = OB_ENCRYPTION_TRANSPORT;
    if (!name && item->surface != OB_SURFACE_PUBLIC)
        return wrong(answer, "ENCRYPTION",
                     "encryption is needed on this surface: none, transport, "
                     "e2ee, e2ee_planned or e2ee_past");
    if (name && !ob_word_parse(&value, OB_WORD_ENCRYPTION, name))
        return wrong(answer, "ENCRYPTION",
                     "encryption is one of: none, transport, e2ee, "
                     "e2ee_planned, e2ee_past");
    item->encryption = (ob_encryption)value;
    return true;
}

static bool take_locus(ob_item *item, const ob_request *r, ob_answer *answer)
{
    const char *name = ob_request_value(r, "locus");
    unsigned value = OB_LOCUS_SERVER;
    if (name && (!ob_word_parse(&value, OB_WORD_LOCUS, name) || value == OB_LOCUS_DEVICE))
        return wrong(answer, "LOCUS",
                     "locus is server, or disclosed: handed over by a participant");
    item->locus = (ob_locus)value;
    return true;
}

static bool take_number(int64_t *out, const ob_request *r, const char *field, const char *code,
                        ob_answer *answer)
{
    const char *text = ob_request_value(r, field);
    char *end;
    *out = text ? strtoll(text, &end, 10) : 0;
    if (text && (*out < 1 || *end || *text < '1' || *text > '9' || strlen(text) > 18))
        return wrong(answer, code, "the number of a record is wanted");
    return true;
}

/* The kind of its content is that of the bytes; what is said to be none is looked at as a picture.
 */
static ob_media media_of(const ob_request *r)
{
    static const struct {
        const char *prefix;
        ob_media media;
    } kinds[] = {{"video/", OB_MEDIA_VIDEO}, {"audio/", OB_MEDIA_AUDIO}, {"text/", OB_MEDIA_TEXT}};
    for (size_t i = 0; r->content_type && i < sizeof kinds / sizeof *kinds; i++)
        if (!strncasecmp(r->content_type, kinds[i].prefix, strlen(kinds[i].prefix)))
            return kinds[i].media;
    return OB_MEDIA_IMAGE;
}

bool ob_api_describe(ob_item *out, ob_answer *answer, const ob_acts *acts, const ob_request *r)
{
    ob_item item = {.media = media_of(r)};
    bool fine = take_surface(&item, r, answer) && take_account(&item, acts, r, answer) &&
                take_encryption(&item, r, answer) && take_locus(&item, r, answer) &&
                take_conversation(&item, acts, r, answer) && take_id(&item, acts, r, answer) &&
                take_number(&item.report, r, "report", "REPORT", answer) &&
                take_number(&item.notice, r, "notice", "NOTICE", answer);
    if (fine)
        *out = item;
    return fine;
}

json_t *ob_api_not_scanned(const ob_gate_decision *why)
{
    json_t *object =
        json_pack("{s:s, s:s}", "action", "not_scanned", "reason", ob_reason_name(why->reason));
    if (*why->names)
        json_object_set_new(object, "names", json_string(why->names));
    return object;
}

json_t *ob_api_could_not(ob_hindrance hindrance)
{
    return json_pack("{s:s, s:s, s:s}", "action", "could_not", "reason",
                     ob_hindrance_name(hindrance), "detail", ob_hindrance_text(hindrance));
}

/* ---- Calls -------------------------------------------------------------------------------------
 */

bool api_describe(api_call *c, const ob_request *request, const ob_token *token)
{
    const char *name = ob_request_value(request, "surface");
    ob_surface surface;
    if (!api_check_query(c, request, ob_api_item_fields, ob_api_item_field_count))
        return false;
    if (name && ob_surface_parse(&surface, name) && !(token->surfaces >> surface & 1)) {
        ob_engine_refused(c->api->options.engine, OB_REFUSED_SURFACE);
        api_end(c,
                ob_answer_problem(403, "TOKEN_SURFACE", "this token is not for surface %s", name));
        return false;
    }
    return ob_api_describe(&c->task.item, &c->call.answer, c->api->options.acts, request);
}

bool api_may_look(api_call *c, uint32_t methods)
{
    ob_engine *engine = c->api->options.engine;
    ob_gate_decision *why = &c->task.why;
    ob_error err = {0};
    ob_status status = ob_engine_ask(why, engine, &c->task.item, methods, &err);
    if (!status && why->allow)
        return true;
    if (status)
        status = api_of_records(&err)->status;
    c->task.hindrance = ob_engine_hindrance(engine, status ? NULL : why, status);
    if (status && !c->task.hindrance)
        api_end(c, ob_answer_error(&err));
    else
        api_end(c, api_not_looked_at(&c->task));
    return false;
}

ob_answer api_not_looked_at(const ob_task *task)
{
    return task->hindrance ? ob_answer_could_not(task->hindrance, NULL)
                           : ob_answer_json(200, ob_api_not_scanned(&task->why));
}

bool api_has_room(api_call *c)
{
    ob_engine *engine = c->api->options.engine;
    if (ob_engine_has_room(engine, c->task.client))
        return true;
    ob_engine_could_not(engine, OB_HINDRANCE_BUSY);
    api_end(c, ob_answer_could_not(OB_HINDRANCE_BUSY, NULL));
    return false;
}

ob_answer api_error(api_call *c, const ob_error *err)
{
    ob_engine *engine = c->api->options.engine;
    ob_hindrance hindrance = ob_engine_hindrance(engine, NULL, err->status);
    if (!hindrance)
        return ob_answer_error(err);
    ob_engine_could_not(engine, hindrance);
    return ob_answer_could_not(hindrance, NULL);
}
