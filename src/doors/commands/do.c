/* Does one request of a command: finds its row, checks fields and roles, logs, calls the row's
 * function. */
#include "commands_priv.h"

#include <obhut/crypto.h>
#include <obhut/http.h>
#include <obhut/records/log.h>
#include <obhut/records/retention.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *commands_optional(const commands_call *call, const char *key)
{
    return json_string_value(json_object_get(call->request, key));
}

ob_status commands_text(const char **out, const commands_call *call, const char *key, ob_error *err)
{
    *out = commands_optional(call, key);
    return *out ? OB_OK : ob_fail(err, OB_EINVAL, "\"%s\" is needed, a text", key);
}

ob_status commands_number(int64_t *out, const commands_call *call, const char *key, ob_error *err)
{
    const json_t *value = json_object_get(call->request, key);
    *out = json_integer_value(value);
    return json_is_integer(value) ? OB_OK
                                  : ob_fail(err, OB_EINVAL, "\"%s\" is needed, a number", key);
}

ob_status commands_set(uint32_t *out, const commands_call *call, const char *key,
                       const char *(*name)(int), ob_error *err)
{
    size_t i;
    json_t *value;
    *out = 0;
    json_array_foreach(json_object_get(call->request, key), i, value)
    {
        const char *text = json_string_value(value);
        int bit = 0;
        while (name(bit) && (!text || strcmp(name(bit), text)))
            bit++;
        if (!name(bit))
            return ob_fail(err, OB_EINVAL, "no %s is called \"%.60s\"", key, text ? text : "");
        *out |= UINT32_C(1) << bit;
    }
    return OB_OK;
}

json_t *commands_words(uint32_t set, int count, const char *(*name)(int))
{
    json_t *array = json_array();
    for (int bit = 0; bit < count; bit++)
        if (set >> bit & 1)
            json_array_append_new(array, json_string(name(bit)));
    return array;
}

json_t *commands_key(const ob_record_key *key)
{
    char text[2 * OB_RECORD_KEY + 1];
    ob_hex(text, key->bytes, sizeof key->bytes);
    return json_string(text);
}

ob_status commands_key_parse(ob_record_key *out, const json_t *value, ob_error *err)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) != 2 * OB_RECORD_KEY)
        return ob_fail(err, OB_EFORMAT, "a pseudonym has %d hexadecimal digits", 2 * OB_RECORD_KEY);
    return ob_hex_parse(out->bytes, sizeof out->bytes, text, err);
}

ob_status commands_account(ob_record_key *out, const commands_call *call, ob_error *err)
{
    const char *account;
    ob_status status = commands_text(&account, call, "account", err);
    if (!status && (!*account || strlen(account) > OB_PSEUDONYM_TEXT || !strcmp(account, "-")))
        status = ob_fail(err, OB_EINVAL, "an account is named by 1 to %d bytes", OB_PSEUDONYM_TEXT);
    if (!status)
        ob_acts_pseudonym(out, call->service->acts, OB_PSEUDONYM_ACCOUNT, account);
    return status;
}

ob_status commands_document(uint8_t out[32], const commands_call *call, ob_error *err)
{
    const char *digest = commands_optional(call, "document");
    if (digest && call->file < 0)
        return ob_hex_parse(out, 32, digest, err);
    if (call->document_status)
        return ob_fail(err, call->document_status, "%s", call->document_error.text);
    memcpy(out, call->document, sizeof call->document);
    return OB_OK;
}

void commands_hear(const commands_call *call, json_t *event)
{
    if (event && call->listener && call->listener->hear)
        call->listener->hear(call->listener->context, event);
    json_decref(event);
}

json_t *commands_time(int64_t seconds)
{
    char text[32] = "";
    time_t when = (time_t)seconds;
    struct tm utc;
    if (gmtime_r(&when, &utc))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

/* ---- Doing ----------------------------------------------------------------------------------- */

static ob_entry *one_word(const char *member, const char *word)
{
    ob_entry *out = ob_entry_new();
    ob_entry_text(out, member, word);
    return out;
}

/* Somebody shows a token that nobody has: one entry a minute says how often that was. */
static void log_stranger(const commands_call *call, const char *name)
{
    const unsigned count = ob_service_stranger(call->service, ob_now());
    if (!count)
        return;
    ob_entry *members = one_word("wanted", name);
    ob_entry_text(members, "by", "unknown");
    ob_entry_number(members, "count", count);
    ob_acts_log(NULL, call->service->acts, "refused", NULL, members, NULL);
}

static ob_status show(json_t **out, commands_call *call, const ob_command *c, const ob_actor *actor,
                      ob_error *err)
{
    ob_entry *members = NULL;
    ob_status status = OB_OK;
    if (actor->person || c->effect == OB_EFFECT_READS)
        status = commands_log_read(&members, call, c, err);
    if (members)
        status = ob_acts_log(NULL, call->service->acts, actor->person ? "login" : "looked", actor,
                             members, err);
    if (!status)
        status = commands_may(call, c, err);
    if (!status)
        status = ob_view_open(&call->view, call->service->store, err);
    if (!status)
        status = c->run(out, call, err);
    ob_view_close(call->view);
    call->view = NULL;
    if (status == OB_EREFUSED)
        ob_acts_log(NULL, call->service->acts, "refused", actor, one_word("wanted", c->name), NULL);
    return status;
}

static ob_status read_document(uint8_t out[32], int file, ob_error *err)
{
    enum { PIECE = 1 << 16, MOST = 256 << 20 };
    ob_digester *digester = NULL;
    ob_digests digests;
    uint8_t *piece = malloc(PIECE);
    ssize_t got = 1;
    off_t at = 0;
    ob_status status = file < 0 ? ob_fail(err, OB_EINVAL, "the document is needed: a file")
                       : piece  ? ob_digester_new(&digester, err)
                                : ob_fail(err, OB_ENOMEM, "out of memory: a document");
    if (!status)
        status = ob_digester_reset(digester, OB_DIGEST_SHA256, err);
    while (!status && got > 0) {
        got = pread(file, piece, PIECE, at);
        at += got > 0 ? got : 0;
        if (got < 0 || at > MOST)
            status = ob_fail(err, OB_EIO,
                             got < 0 ? "the document cannot be read: %s"
                                     : "the document is too large%.0s",
                             strerror(errno));
        else
            status = ob_digester_add(digester, piece, (size_t)got, err);
    }
    if (!status)
        status = ob_digester_finish(&digests, digester, err);
    if (!status)
        memcpy(out, digests.sha256, 32);
    ob_digester_free(digester);
    free(piece);
    return status;
}

typedef struct acting {
    commands_call *call;
    const ob_command *command;
    json_t **out;
} acting;

static ob_status run_act(ob_act *act, void *context, ob_error *err)
{
    const acting *a = context;
    commands_call *call = a->call;
    call->act = act;
    call->view = act->view;
    commands_log_request(act, call->request, a->command);
    ob_status status = commands_identify(call, act->view, err); /* who has left meanwhile may not */
    if (!status)
        status = commands_may(call, a->command, err);
    if (!status)
        status = a->command->run(a->out, call, err);
    if (!status)
        commands_log_answer(act, call->request, *a->out, a->command);
    call->act = NULL;
    call->view = NULL;
    return status;
}

static ob_status act(json_t **out, commands_call *call, const ob_command *c, const ob_actor *actor,
                     ob_error *err)
{
    acting a = {.call = call, .command = c, .out = out};
    call->document_status = read_document(call->document, call->file, &call->document_error);
    ob_status status = ob_acts_do(NULL, call->service->acts, c->name, actor, run_act, &a, err);
    if (!status && c->effect == OB_EFFECT_ERASES)
        status = ob_store_scrub(call->service->store, err);
    return status;
}

static ob_status begin_intent(void *context, ob_writing *w, uint64_t entry, ob_error *err)
{
    (void)context;
    return ob_store_intent_begin(w, entry, err);
}

static ob_status announce(ob_act *act, void *context, ob_error *err)
{
    const acting *a = context;
    act->on_commit = begin_intent;
    commands_log_request(act, a->call->request, a->command);
    return commands_may(a->call, a->command, err);
}

static ob_status with_intent(json_t **out, commands_call *call, const ob_command *c,
                             const ob_actor *actor, ob_error *err)
{
    uint64_t number = 0;
    acting a = {.call = call, .command = c};
    ob_status status = ob_acts_do(&number, call->service->acts, c->name, actor, announce, &a, err);
    if (status)
        return status;
    status = c->run(out, call, err);
    ob_acts_intent_ended(call->service->acts, number, !status, commands_log_done(*out, c));
    return status;
}

static ob_status identify(commands_call *call, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, call->service->store, err);
    if (!status)
        status = commands_identify(call, view, err);
    ob_view_close(view);
    return status;
}

static ob_status run(json_t **out, commands_call *call, const ob_command *c, ob_error *err)
{
    ob_status status = identify(call, err);
    if (status == OB_EREFUSED)
        log_stranger(call, c->name);
    if (status)
        return status;
    const ob_person person = call->person; /* the log names who it was when the request came */
    const ob_actor actor = {call->actor.person ? &person : NULL};
    status = commands_may(call, c, err); /* before it is said what was wrong with the request */
    if (status)
        ob_acts_log(NULL, call->service->acts, "refused", &actor, one_word("wanted", c->name),
                    NULL);
    if (!status)
        status = ob_command_check(c, call->request, call->file >= 0, err);
    if (status)
        return status;
    switch (c->effect) {
    case OB_EFFECT_ACTS:
        return act(out, call, c, &actor, err);
    case OB_EFFECT_ERASES:
        return c->has_acts_of_its_own ? show(out, call, c, &actor, err)
                                      : act(out, call, c, &actor, err);
    case OB_EFFECT_DOES:
        return with_intent(out, call, c, &actor, err);
    default:
        return show(out, call, c, &actor, err);
    }
}

static json_t *error_json(const commands_call *call, ob_status status, const char *text)
{
    json_t *error = json_pack("{s:i, s:o}", "status", (int)status, "text", ob_json_text(text));
    if (call->is_unknown)
        json_object_set_new(error, "unknown", json_true());
    return json_pack("{s:o}", "error", error);
}

json_t *ob_commands_do(ob_service *service, const json_t *request, int file,
                       const ob_commands_listener *listener, uint32_t place)
{
    commands_call call = {
        .service = service, .request = request, .file = file, .listener = listener};
    ob_error err = {0};
    const char *name = NULL;
    json_t *result = NULL;
    ob_status status = commands_text(&name, &call, "do", &err);
    const ob_command *c = status ? NULL : ob_command_find(name);
    if (!status && (!c || !(c->places & place)))
        status = ob_fail(&err, OB_EINVAL, "no command is called \"%.60s\"", name);
    if (!status)
        status = run(&result, &call, c, &err);
    if (!status)
        return json_pack("{s:o}", "ok", result ? result : json_object());
    json_decref(result);
    return error_json(&call, status, err.text);
}
