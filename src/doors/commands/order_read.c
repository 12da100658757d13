/* An order as somebody transcribed it. */
#include "commands_priv.h"

#include <obhut/crypto.h>

#include <stdlib.h>
#include <string.h>

enum { ACCOUNTS_MOST = 10000 };

static ob_status unreadable(const char *member, ob_error *err)
{
    return ob_fail(err, OB_EFORMAT, "order: \"%s\" cannot be read", member);
}

/* A text, or "" where there is none. */
static ob_status text_at(char *out, size_t size, const json_t *in, const char *member,
                         ob_error *err)
{
    const json_t *value = json_object_get(in, member);
    const char *text = json_string_value(value);
    *out = '\0';
    if (!value || json_is_null(value))
        return OB_OK;
    if (!text || strlen(text) != json_string_length(value) || strlen(text) >= size)
        return unreadable(member, err);
    memcpy(out, text, strlen(text) + 1);
    return OB_OK;
}

static ob_status time_at(int64_t *out, const json_t *in, const char *member, ob_error *err)
{
    const json_t *value = json_object_get(in, member);
    const char *text = json_string_value(value);
    *out = 0;
    if (!value || json_is_null(value))
        return OB_OK;
    return text && ob_time_parse(out, text) ? OB_OK : unreadable(member, err);
}

static ob_status truth_at(bool *out, const json_t *in, const char *member, ob_error *err)
{
    const json_t *value = json_object_get(in, member);
    *out = json_is_true(value);
    return !value || json_is_boolean(value) ? OB_OK : unreadable(member, err);
}

static ob_status detectors_at(ob_order *out, const json_t *in, ob_error *err)
{
    const json_t *array = json_object_get(in, "detectors");
    size_t i;
    json_t *value;
    unsigned detector;
    out->has_detectors = json_is_array(array) && json_array_size(array);
    if (array && !json_is_array(array))
        return unreadable("detectors", err);
    json_array_foreach((json_t *)(uintptr_t)array, i, value)
    {
        const char *name = json_string_value(value);
        if (!name || !ob_word_parse(&detector, OB_WORD_MATERIAL, name))
            return unreadable("detectors", err);
        out->detectors |= UINT32_C(1) << detector;
    }
    return OB_OK;
}

/* A list of accounts, or "all". */
static ob_status accounts_at(ob_order *out, ob_record_key **accounts, size_t *count,
                             const json_t *in, const ob_acts *acts, ob_error *err)
{
    const json_t *value = json_object_get(in, "accounts");
    const char *text = json_string_value(value);
    if (!value || json_is_null(value))
        return OB_OK;
    if (text && !strcmp(text, "all")) {
        out->everybody = true;
        return OB_OK;
    }
    if (!json_is_array(value) || json_array_size(value) > ACCOUNTS_MOST)
        return unreadable("accounts", err);
    out->has_accounts = true;
    *accounts = calloc(json_array_size(value) + 1, sizeof **accounts);
    if (!*accounts)
        return ob_fail(err, OB_ENOMEM, "out of memory: accounts");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *account = json_string_value(json_array_get(value, i));
        if (!account || !*account || strlen(account) > OB_PSEUDONYM_TEXT)
            return unreadable("accounts", err);
        out->everybody |= !strcmp(account, "*") || !strcmp(account, "-");
        ob_acts_pseudonym(&(*accounts)[(*count)++], acts, OB_PSEUDONYM_ACCOUNT, account);
    }
    out->everybody |= !*count;
    return OB_OK;
}

/* {verified, how, by, contact}. */
static ob_status authenticity_at(ob_order *out, const json_t *in, ob_error *err)
{
    const json_t *object = json_object_get(in, "authenticity");
    if (!object)
        return OB_OK;
    if (!json_is_object(object))
        return unreadable("authenticity", err);
    ob_status status = truth_at(&out->is_authentic, object, "verified", err);
    if (!status)
        status = text_at(out->authenticity, sizeof out->authenticity, object, "how", err);
    if (!status)
        status = text_at(out->verified_by, sizeof out->verified_by, object, "by", err);
    return status ? status : text_at(out->contact, sizeof out->contact, object, "contact", err);
}

static ob_status check_members(const json_t *in, ob_error *err)
{
    static const char *const known[] = {"regime",       "issuer",
                                        "issuer_kind",  "authenticity",
                                        "service",      "detectors",
                                        "accounts",     "received",
                                        "start",        "end",
                                        "reasons",      "legal_basis",
                                        "redress",      "halfway_report_due",
                                        "secret_until", "names_professional"};
    const char *key;
    json_t *value;
    if (!json_is_object(in))
        return ob_fail(err, OB_EFORMAT, "an order is a JSON object");
    json_object_foreach((json_t *)(uintptr_t)in, key, value)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= !strcmp(known[i], key);
        if (!found)
            return ob_fail(err, OB_EFORMAT, "order: \"%.60s\" is not known", key);
    }
    return OB_OK;
}

ob_status commands_order_read(ob_order *out, ob_record_key **accounts, size_t *count,
                              const json_t *in, const ob_acts *acts, ob_error *err)
{
    char kind[32];
    *out = (ob_order){.state = OB_ORDER_VALID};
    *accounts = NULL;
    *count = 0;
    ob_status status = check_members(in, err);
    const struct {
        char *text;
        size_t size;
        const char *member;
    } texts[] = {
        {out->regime, sizeof out->regime, "regime"},
        {out->issuer, sizeof out->issuer, "issuer"},
        {kind, sizeof kind, "issuer_kind"},
        {out->service, sizeof out->service, "service"},
        {out->reasons, sizeof out->reasons, "reasons"},
        {out->legal_basis, sizeof out->legal_basis, "legal_basis"},
        {out->redress, sizeof out->redress, "redress"},
    };
    const struct {
        int64_t *at;
        const char *member;
    } times[] = {{&out->received, "received"},
                 {&out->start, "start"},
                 {&out->end, "end"},
                 {&out->halfway_at, "halfway_report_due"},
                 {&out->secret_until, "secret_until"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !status; i++)
        status = text_at(texts[i].text, texts[i].size, in, texts[i].member, err);
    for (size_t i = 0; i < sizeof times / sizeof *times && !status; i++)
        status = time_at(times[i].at, in, times[i].member, err);
    if (!status)
        status = truth_at(&out->names_professional, in, "names_professional", err);
    if (!status)
        status = detectors_at(out, in, err);
    if (!status)
        status = authenticity_at(out, in, err);
    if (!status)
        status = accounts_at(out, accounts, count, in, acts, err);
    if (status) {
        free(*accounts);
        *accounts = NULL;
        return status;
    }
    out->is_judicial = !strcmp(kind, "judicial");
    return OB_OK;
}
