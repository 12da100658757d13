#include "admin_priv.h"

#include <obhut/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    admin_command run;
} commands[] = {
    {"list.import", admin_list_import},
    {"list.update", admin_list_update},
    {"list.merge", admin_list_merge},
    {"list.add", admin_list_add},
    {"list.withdraw", admin_list_withdraw},
    {"list.enable", admin_list_enable},
    {"list.disable", admin_list_disable},
    {"list.remove", admin_list_remove},
    {"token.add", admin_token_add},
    {"token.ls", admin_token_ls},
    {"token.remove", admin_token_remove},
    {"gateway.add", admin_gateway_add},
    {"gateway.ls", admin_gateway_ls},
    {"gateway.remove", admin_gateway_remove},
    {"scan", admin_scan},
    {"policy.show", admin_policy_show},
    {"policy.set", admin_policy_set},
    {"person.add", admin_person_add},
    {"person.ls", admin_person_ls},
    {"person.remove", admin_person_remove},
    {"proposal.ls", admin_proposal_ls},
    {"proposal.approve", admin_proposal_approve},
    {"proposal.reject", admin_proposal_reject},
    {"report.ls", admin_report_ls},
    {"report.confirm", admin_report_confirm},
    {"report.remove", admin_report_remove},
    {"verdict.add", admin_verdict_add},
    {"verdict.ls", admin_verdict_ls},
    {"verdict.overturn", admin_verdict_overturn},
    {"cause.add", admin_cause_add},
    {"cause.ls", admin_cause_ls},
    {"cause.end", admin_cause_end},
    {"cause.told", admin_cause_told},
    {"order.check", admin_order_check},
    {"order.add", admin_order_add},
    {"order.ls", admin_order_ls},
    {"order.state", admin_order_state},
    {"order.halfway", admin_order_halfway},
    {"consent.withdraw", admin_consent_withdraw},
    {"safeguard.record", admin_safeguard_record},
    {"safeguard.ls", admin_safeguard_ls},
    {"safeguard.remove", admin_safeguard_remove},
    {"detector.ls", admin_detector_ls},
    {"detector.suspend", admin_detector_suspend},
    {"detector.set", admin_detector_set},
    {"clock.show", admin_clock_show},
    {"clock.accept", admin_clock_accept},
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
    enum { PIECE = 1 << 16, MOST = 256 << 20 };
    ob_digester *digester = NULL;
    ob_digests digests;
    uint8_t *piece = malloc(PIECE);
    ssize_t got = 1;
    off_t at = 0;
    ob_status status = call->file < 0 ? ob_fail(err, OB_EINVAL, "the document is needed: a file")
                       : piece        ? ob_digester_new(&digester, err)
                                      : ob_fail(err, OB_ENOMEM, "out of memory: a document");
    if (!status)
        status = ob_digester_reset(digester, OB_DIGEST_SHA256, err);
    while (!status && got > 0) {
        got = pread(call->file, piece, PIECE, at);
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

json_t *ob_admin_do(ob_admin *admin, const json_t *request, int file,
                    const ob_admin_listener *listener)
{
    const admin_call call = {
        .admin = admin, .request = request, .file = file, .listener = listener};
    ob_error err = {0};
    const char *name = NULL;
    json_t *result = NULL;
    ob_status status = admin_text(&name, &call, "do", &err);
    admin_command run = NULL;
    for (size_t i = 0; !status && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name))
            run = commands[i].run;
    if (!status && !run)
        status = ob_fail(&err, OB_EINVAL, "no command is called \"%.60s\"", name);
    if (!status)
        status = run(&result, &call, &err);
    if (!status)
        return json_pack("{s:o}", "ok", result ? result : json_object());
    json_decref(result);
    return json_pack("{s:{s:i, s:s}}", "error", "status", (int)status, "text", err.text);
}
