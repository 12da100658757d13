/* Whose consents the log tells of: with the account's own key, and with nothing else. */
#include "acts_priv.h"

#include <obhut/clock.h>
#include <obhut/records/conversation.h>
#include <obhut/records/log.h>

#include <stdlib.h>
#include <string.h>

enum { CODE_SHOWN = 16, SALT_TEXT = 2 * CODE_SHOWN + 1 }; /* bytes of a code in the log */

static void make_salt(char out[SALT_TEXT])
{
    uint8_t random[CODE_SHOWN];
    ob_random(random, sizeof random);
    ob_hex(out, random, sizeof random);
}

static void consent_code(char out[2 * CODE_SHOWN + 1], const ob_record_key *key, const char *salt)
{
    uint8_t code[OB_CODE_SIZE];
    ob_code(code, key->bytes, "obhut log consent", salt, strlen(salt));
    ob_hex(out, code, CODE_SHOWN);
}

static void add_consent(ob_act *act, json_t *list, const ob_record_key *account, const char *salt)
{
    ob_record_key key;
    char code[2 * CODE_SHOWN + 1];
    if (act->error.status || ob_store_log_key(&key, act->w, account, ob_now(), &act->error))
        return;
    consent_code(code, &key, salt);
    if (json_array_append_new(list, json_string(code)))
        ob_fail(&act->error, OB_ENOMEM, "out of memory: an entry of the log");
    ob_wipe(&key, sizeof key);
}

void ob_act_hidden(ob_act *act, const char *member, const ob_record_key *account)
{
    char salt[SALT_TEXT];
    json_t *list = json_array();
    make_salt(salt);
    add_consent(act, list, account, salt);
    ob_act_word(act, "salt", salt);
    ob_act_value(act, member, json_incref(json_array_get(list, 0)));
    json_decref(list);
}

/* ---- Of a conversation ------------------------------------------------------------------------
 */

/* Looks up accounts in sorted members. */
static int compare_members(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(ob_record_key));
}

static bool consents_in(const ob_member *members, size_t count, const ob_member *who)
{
    const ob_member *found =
        count ? bsearch(who, members, count, sizeof *members, compare_members) : NULL;
    return found && found->consents;
}

enum { CODES_MOST = 500 }; /* of an entry */

/* Who consents in `one` and not in `other`: a code each, of this salt. */
static json_t *difference(ob_act *act, const char *salt, const ob_member *one, size_t one_count,
                          const ob_member *other, size_t other_count, size_t *from)
{
    json_t *list = json_array();
    for (; *from < one_count && json_array_size(list) < CODES_MOST; (*from)++)
        if (one[*from].consents && !consents_in(other, other_count, &one[*from]))
            add_consent(act, list, &one[*from].account, salt);
    return list;
}

/* Entries about consents that were given or withdrawn; who neither did nor does consent is in none.
 * Accounts have codes that differ from entry to entry, or the log would tell who talks to whom. */
void ob_act_consents(ob_act *act, const ob_member *before, size_t before_count,
                     const ob_member *now, size_t now_count)
{
    size_t given_from = 0, withdrawn_from = 0;
    ob_act_quiet(act);
    while (given_from < now_count || withdrawn_from < before_count) {
        char salt[SALT_TEXT];
        make_salt(salt);
        json_t *given = difference(act, salt, now, now_count, before, before_count, &given_from);
        json_t *withdrawn =
            difference(act, salt, before, before_count, now, now_count, &withdrawn_from);
        if (json_array_size(given) || json_array_size(withdrawn))
            ob_act_also(act, "consent",
                        json_pack("{s:O*, s:s, s:O, s:O}", "token",
                                  json_object_get(act->members, "token"), "salt", salt, "given",
                                  given, "withdrawn", withdrawn));
        json_decref(given);
        json_decref(withdrawn);
    }
}

/* ---- Finding them again -----------------------------------------------------------------------
 */

typedef struct search {
    ob_record_key key;
    json_t *found; /* {"entry", "at", "consent": "given" or "withdrawn"} */
} search;

static bool has(const json_t *list, const char *code)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)list, i, one)
    {
        if (json_is_string(one) && !strcmp(json_string_value(one), code))
            return true;
    }
    return false;
}

static ob_status look_at(search *s, const json_t *entry, uint64_t number, ob_error *err)
{
    static const char *const lists[] = {"given", "withdrawn"};
    const char *salt = json_string_value(json_object_get(entry, "salt"));
    char code[2 * CODE_SHOWN + 1];
    if (!salt)
        return OB_OK;
    consent_code(code, &s->key, salt);
    for (int i = 0; i < 2; i++)
        if (has(json_object_get(entry, lists[i]), code) &&
            json_array_append_new(s->found,
                                  json_pack("{s:I, s:O, s:s}", "entry", (json_int_t)number, "at",
                                            json_object_get(entry, "at"), "consent", lists[i])))
            return ob_fail(err, OB_ENOMEM, "out of memory: entries of the log");
    return OB_OK;
}

/* Few entries are about consents: the others are not parsed. */
static ob_status take(void *context, uint64_t number, const char *text, size_t size, ob_error *err)
{
    static const char mark[] = "\"what\":\"consent\"";
    if (!memmem(text, size, mark, sizeof mark - 1))
        return OB_OK;
    json_t *entry = json_loadb(text, size, 0, NULL);
    ob_status status = look_at(context, entry, number, err);
    json_decref(entry);
    return status;
}

ob_status ob_acts_log_consents(json_t **out, ob_acts *acts, const char *account, ob_error *err)
{
    ob_record_key subject;
    search s = {.found = json_array()};
    bool there = false;
    ob_acts_pseudonym(&subject, acts, OB_PSEUDONYM_ACCOUNT, account);
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, acts->store, err);
    if (!status)
        status = ob_store_log_key_find(&there, &s.key, view, &subject, err);
    ob_view_close(view);
    uint64_t size = ob_audit_size(acts->audit);
    if (!status && there && size)
        status = ob_audit_read(acts->audit_dir, 0, size - 1, take, &s, err);
    ob_wipe(&s.key, sizeof s.key);
    if (status)
        json_decref(s.found);
    else
        *out = s.found;
    return status;
}
