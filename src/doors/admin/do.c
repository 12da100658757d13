#include "admin_priv.h"

#include <obhut/crypto.h>
#include <obhut/http.h>
#include <obhut/records/log.h>
#include <obhut/records/retention.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What a command does to the log. */
typedef enum mode {
    LOOKS,  /* nothing; a person's token is told of as a log-in */
    READS,  /* the same; it shows what is about persons, so it is told of whoever asks */
    ACTS,   /* it changes records: both or neither */
    ERASES, /* the same; and what it deleted is overwritten at once, not when others go */
    DOES,   /* it changes what is not in the records: told of before, and how it went */
} mode;

static const struct command {
    const char *name;
    admin_command run;
    mode mode;
} commands[] = {
    {"list.import", admin_list_import, DOES},
    {"list.update", admin_list_update, DOES},
    {"list.merge", admin_list_merge, DOES},
    {"list.add", admin_list_add, DOES},
    {"list.withdraw", admin_list_withdraw, DOES},
    {"list.enable", admin_list_enable, DOES},
    {"list.disable", admin_list_disable, DOES},
    {"list.remove", admin_list_remove, DOES},
    {"list.accept", admin_list_accept, DOES},
    {"token.add", admin_token_add, ACTS},
    {"token.ls", admin_token_ls, LOOKS},
    {"token.remove", admin_token_remove, ACTS},
    {"gateway.add", admin_gateway_add, ACTS},
    {"gateway.ls", admin_gateway_ls, LOOKS},
    {"gateway.remove", admin_gateway_remove, ACTS},
    {"backup.make", admin_backup_make, DOES},
    {"scan", admin_scan, LOOKS},
    {"status", admin_status, LOOKS},
    {"policy.show", admin_policy_show, LOOKS},
    {"policy.set", admin_policy_set, ACTS},
    {"person.add", admin_person_add, ACTS},
    {"person.ls", admin_person_ls, LOOKS},
    {"person.remove", admin_person_remove, ACTS},
    {"proposal.ls", admin_proposal_ls, READS},
    {"proposal.approve", admin_proposal_approve, ACTS},
    {"proposal.reject", admin_proposal_reject, ACTS},
    {"report.ls", admin_report_ls, READS},
    {"report.confirm", admin_report_confirm, ACTS},
    {"report.remove", admin_report_remove, ACTS},
    {"verdict.add", admin_verdict_add, ACTS},
    {"verdict.ls", admin_verdict_ls, READS},
    {"verdict.overturn", admin_verdict_overturn, ACTS},
    {"cause.add", admin_cause_add, ACTS},
    {"cause.ls", admin_cause_ls, READS},
    {"cause.end", admin_cause_end, ACTS},
    {"cause.told", admin_cause_told, ACTS},
    {"order.check", admin_order_check, LOOKS},
    {"order.add", admin_order_add, ACTS},
    {"order.ls", admin_order_ls, READS},
    {"order.state", admin_order_state, ACTS},
    {"order.halfway", admin_order_halfway, ACTS},
    {"consent.withdraw", admin_consent_withdraw, ACTS},
    {"safeguard.record", admin_safeguard_record, ACTS},
    {"safeguard.ls", admin_safeguard_ls, LOOKS},
    {"safeguard.remove", admin_safeguard_remove, ACTS},
    {"detector.ls", admin_detector_ls, LOOKS},
    {"detector.suspend", admin_detector_suspend, ACTS},
    {"detector.set", admin_detector_set, ACTS},
    {"record.kinds", admin_record_kinds, LOOKS},
    {"record.reap", admin_record_reap, LOOKS},
    {"hold.add", admin_hold_add, ACTS},
    {"hold.ls", admin_hold_ls, READS},
    {"hold.end", admin_hold_end, ACTS},
    {"hold.keep", admin_hold_keep, ACTS},
    {"check", admin_check, LOOKS},
    {"audit.names", admin_audit_names, LOOKS},
    {"checkpoint.given", admin_checkpoint_given, ACTS},
    {"audit.code", admin_audit_code, READS},
    {"audit.consents", admin_audit_consents, READS},
    {"audit.forget", admin_audit_forget, ERASES},
    {"clock.show", admin_clock_show, LOOKS},
    {"clock.accept", admin_clock_accept, ACTS},
};

const char *admin_optional(const admin_call *call, const char *key)
{
    return json_string_value(json_object_get(call->request, key));
}

ob_status admin_text(const char **out, const admin_call *call, const char *key, ob_error *err)
{
    *out = admin_optional(call, key);
    return *out ? OB_OK : ob_fail(err, OB_EINVAL, "\"%s\" is needed, a text", key);
}

ob_status admin_number(int64_t *out, const admin_call *call, const char *key, ob_error *err)
{
    const json_t *value = json_object_get(call->request, key);
    *out = json_integer_value(value);
    return json_is_integer(value) ? OB_OK
                                  : ob_fail(err, OB_EINVAL, "\"%s\" is needed, a number", key);
}

ob_status admin_reason(char out[OB_RECORD_TEXT + 1], const char *text, ob_error *err)
{
    if (!text || strspn(text, " \t\n") == strlen(text))
        return ob_fail(err, OB_EINVAL, "a reason is needed, in words");
    if (strlen(text) > OB_RECORD_TEXT)
        return ob_fail(err, OB_ELIMIT, "a reason has at most %d bytes", OB_RECORD_TEXT);
    memcpy(out, text, strlen(text) + 1);
    return OB_OK;
}

json_t *admin_key(const ob_record_key *key)
{
    char text[2 * OB_RECORD_KEY + 1];
    ob_hex(text, key->bytes, sizeof key->bytes);
    return json_string(text);
}

ob_status admin_key_parse(ob_record_key *out, const json_t *value, ob_error *err)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) != 2 * OB_RECORD_KEY)
        return ob_fail(err, OB_EFORMAT, "a pseudonym has %d hexadecimal digits", 2 * OB_RECORD_KEY);
    return ob_hex_parse(out->bytes, sizeof out->bytes, text, err);
}

ob_status admin_account(ob_record_key *out, const admin_call *call, ob_error *err)
{
    const char *account;
    ob_status status = admin_text(&account, call, "account", err);
    if (!status && (!*account || strlen(account) > OB_PSEUDONYM_TEXT || !strcmp(account, "-")))
        status = ob_fail(err, OB_EINVAL, "an account is named by 1 to %d bytes", OB_PSEUDONYM_TEXT);
    if (!status)
        ob_staff_pseudonym(out, call->admin->staff, OB_PSEUDONYM_ACCOUNT, account);
    return status;
}

ob_status admin_document(uint8_t out[32], const admin_call *call, ob_error *err)
{
    if (call->document_status)
        return ob_fail(err, call->document_status, "%s", call->document_error.text);
    memcpy(out, call->document, sizeof call->document);
    return OB_OK;
}

void admin_hear(const admin_call *call, json_t *event)
{
    if (event && call->listener && call->listener->hear)
        call->listener->hear(call->listener->context, event);
    json_decref(event);
}

json_t *admin_time(int64_t seconds)
{
    char text[32] = "";
    time_t when = (time_t)seconds;
    struct tm utc;
    if (gmtime_r(&when, &utc))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

/* ---- Doing ------------------------------------------------------------------------------------
 */

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* Somebody shows a token that nobody has. */
static void log_stranger(const admin_call *call, const char *name)
{
    ob_staff_log(NULL, call->admin->staff, "refused", NULL,
                 json_pack("{s:s, s:s}", "wanted", name, "by", "unknown"), NULL);
}

static ob_status look(json_t **out, admin_call *call, const struct command *c,
                      const ob_actor *actor, ob_error *err)
{
    ob_status status = OB_OK;
    if (actor->person || c->mode == READS)
        status = ob_staff_log(NULL, call->admin->staff, actor->person ? "login" : "looked", actor,
                              json_pack("{s:s}", "for", c->name), err);
    if (!status)
        status = ob_view_open(&call->view, call->admin->store, err);
    if (!status)
        status = c->run(out, call, err);
    ob_view_close(call->view);
    call->view = NULL;
    if (status == OB_EREFUSED)
        ob_staff_log(NULL, call->admin->staff, "refused", actor,
                     json_pack("{s:s}", "wanted", c->name), NULL);
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
    admin_call *call;
    const struct command *command;
    json_t **out;
} acting;

static ob_status run_act(ob_act *act, void *context, ob_error *err)
{
    const acting *a = context;
    admin_call *call = a->call;
    call->act = act;
    call->view = act->view;
    admin_log_request(act, call->request, a->command->name);
    ob_status status = admin_identify(call, act->view, err); /* who has left meanwhile may not */
    if (!status)
        status = a->command->run(a->out, call, err);
    if (!status)
        admin_log_answer(act, *a->out);
    call->act = NULL;
    call->view = NULL;
    return status;
}

static ob_status act(json_t **out, admin_call *call, const struct command *c, const ob_actor *actor,
                     ob_error *err)
{
    acting a = {.call = call, .command = c, .out = out};
    call->document_status = read_document(call->document, call->file, &call->document_error);
    ob_status status = ob_staff_do(NULL, call->admin->staff, c->name, actor, run_act, &a, err);
    if (!status && c->mode == ERASES)
        status = ob_store_scrub(call->admin->store, err);
    return status;
}

static ob_status keep_deed(void *context, ob_writing *w, uint64_t entry, ob_error *err)
{
    (void)context;
    return ob_store_deed_begin(w, entry, err);
}

static ob_status announce(ob_act *act, void *context, ob_error *err)
{
    const acting *a = context;
    (void)err;
    act->keep = keep_deed;
    admin_log_request(act, a->call->request, a->command->name);
    return OB_OK;
}

static ob_status deed(json_t **out, admin_call *call, const struct command *c,
                      const ob_actor *actor, ob_error *err)
{
    uint64_t number = 0;
    acting a = {.call = call, .command = c};
    ob_status status = ob_staff_do(&number, call->admin->staff, c->name, actor, announce, &a, err);
    if (status)
        return status;
    status = c->run(out, call, err);
    ob_staff_deed_ended(call->admin->staff, number, !status, admin_log_numbers(*out));
    return status;
}

static ob_status identify(admin_call *call, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, call->admin->store, err);
    if (!status)
        status = admin_identify(call, view, err);
    ob_view_close(view);
    return status;
}

static ob_status run(json_t **out, admin_call *call, const struct command *c, ob_error *err)
{
    ob_status status = identify(call, err);
    if (status == OB_EREFUSED)
        log_stranger(call, c->name);
    if (status)
        return status;
    const ob_person person = call->person; /* the log names who it was when the request came */
    const ob_actor actor = {call->actor.person ? &person : NULL};
    switch (c->mode) {
    case ACTS:
    case ERASES:
        return act(out, call, c, &actor, err);
    case DOES:
        return deed(out, call, c, &actor, err);
    default:
        return look(out, call, c, &actor, err);
    }
}

json_t *ob_admin_do(ob_admin *admin, const json_t *request, int file,
                    const ob_admin_listener *listener)
{
    admin_call call = {.admin = admin, .request = request, .file = file, .listener = listener};
    ob_error err = {0};
    const char *name = NULL;
    json_t *result = NULL;
    ob_status status = admin_text(&name, &call, "do", &err);
    const struct command *c = status ? NULL : find(name);
    if (!status && !c)
        status = ob_fail(&err, OB_EINVAL, "no command is called \"%.60s\"", name);
    if (!status)
        status = run(&result, &call, c, &err);
    if (!status)
        return json_pack("{s:o}", "ok", result ? result : json_object());
    json_decref(result);
    return json_pack("{s:{s:i, s:o}}", "error", "status", (int)status, "text",
                     ob_json_text(err.text));
}
