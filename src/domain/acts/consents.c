/* Entries about consents, under aliases that only the account's own key makes. */
#include "acts_priv.h"

#include <obhut/clock.h>
#include <obhut/records/conversation.h>
#include <obhut/records/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIAS_BYTES = 16, SALT_TEXT = 2 * ALIAS_BYTES + 1 }; /* bytes of a hidden alias in the log */

static void make_salt(char out[SALT_TEXT])
{
    uint8_t random[ALIAS_BYTES];
    ob_random(random, sizeof random);
    ob_hex(out, random, sizeof random);
}

static void compute_alias(char out[2 * ALIAS_BYTES + 1], const ob_record_key *key, const char *salt)
{
    uint8_t mac[OB_MAC_SIZE];
    ob_mac(mac, key->bytes, "obhut log consent", salt, strlen(salt));
    ob_hex(out, mac, ALIAS_BYTES);
}

/* Within entries of this salt. False where it could not be had. */
static bool hidden_alias(char out[2 * ALIAS_BYTES + 1], ob_act *act, const ob_record_key *account,
                         const char *salt)
{
    ob_record_key key;
    if (act->error.status || ob_store_log_key(&key, act->w, account, ob_now(), &act->error))
        return false;
    compute_alias(out, &key, salt);
    ob_wipe(&key, sizeof key);
    return true;
}

void ob_act_hidden(ob_act *act, const char *member, const ob_record_key *account)
{
    char salt[SALT_TEXT], alias[2 * ALIAS_BYTES + 1];
    make_salt(salt);
    if (!hidden_alias(alias, act, account, salt))
        return;
    ob_act_word(act, "salt", salt);
    ob_act_word(act, member, alias);
}

/* ---- Of a conversation ----------------------------------------------------------------------- */

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

enum { ALIASES_MOST = 500 }; /* of an entry */

typedef struct members {
    const ob_member *member;
    size_t count;
} members;

/* Lists the members from *from on who consent in `one` and not in `other`, each by an alias made
 * with the entry's salt. */
static void difference(ob_act *act, ob_entry *out, const char *list, members one, members other,
                       size_t *from)
{
    char alias[2 * ALIAS_BYTES + 1];
    const char *salt = ob_entry_get_text(out, "salt");
    ob_entry_list(out, list);
    for (; salt && *from < one.count && ob_entry_list_size(out, list) < ALIASES_MOST; (*from)++)
        if (one.member[*from].consents &&
            !consents_in(other.member, other.count, &one.member[*from]) &&
            hidden_alias(alias, act, &one.member[*from].account, salt))
            ob_entry_list_text(out, list, alias);
}

static ob_entry *new_consents(const ob_act *act, const char *salt)
{
    ob_entry *out = ob_entry_new();
    const char *token = ob_entry_get_text(act->members, "token");
    if (token)
        ob_entry_text(out, "token", token);
    ob_entry_text(out, "salt", salt);
    return out;
}

/* Entries about consents that were given or withdrawn; who neither did nor does consent is in none.
 * Accounts have aliases that differ from entry to entry, or the log would tell who talks to whom.
 */
void ob_act_consents(ob_act *act, const ob_member *before, size_t before_count,
                     const ob_member *now, size_t now_count)
{
    const members earlier = {before, before_count}, after = {now, now_count};
    size_t given_from = 0, withdrawn_from = 0;
    ob_act_quiet(act);
    while (given_from < now_count || withdrawn_from < before_count) {
        char salt[SALT_TEXT];
        make_salt(salt);
        ob_entry *one = new_consents(act, salt);
        difference(act, one, "given", after, earlier, &given_from);
        difference(act, one, "withdrawn", earlier, after, &withdrawn_from);
        if (ob_entry_failed(one)) { /* the act fails with it: there is no more to say */
            ob_act_also(act, "consent", one);
            return;
        }
        if (ob_entry_list_size(one, "given") || ob_entry_list_size(one, "withdrawn"))
            ob_act_also(act, "consent", one);
        else
            ob_entry_free(one);
    }
}

/* ---- Finding them again ---------------------------------------------------------------------- */

typedef struct search {
    ob_record_key key;
    ob_logged_consent *found;
    size_t count, capacity;
} search;

static ob_status add_found(search *s, const ob_logged_consent *one, ob_error *err)
{
    if (s->count == s->capacity) {
        size_t more = 2 * s->capacity + 16;
        ob_logged_consent *grown = realloc(s->found, more * sizeof *grown);
        if (!grown)
            return ob_fail(err, OB_ENOMEM, "out of memory: entries of the log");
        s->found = grown;
        s->capacity = more;
    }
    s->found[s->count++] = *one;
    return OB_OK;
}

static ob_status check_entry(search *s, const ob_entry *entry, uint64_t number, ob_error *err)
{
    static const char *const lists[] = {"withdrawn", "given"};
    const char *salt = ob_entry_get_text(entry, "salt"), *at = ob_entry_get_text(entry, "at");
    char alias[2 * ALIAS_BYTES + 1];
    ob_status status = OB_OK;
    if (!salt)
        return OB_OK;
    compute_alias(alias, &s->key, salt);
    for (int given = 1; given >= 0 && !status; given--)
        if (ob_entry_list_has(entry, lists[given], alias)) {
            ob_logged_consent one = {.entry = number, .given = given};
            snprintf(one.at, sizeof one.at, "%s", at ? at : "");
            status = add_found(s, &one, err);
        }
    return status;
}

/* Few entries are about consents: the others are not parsed. */
static ob_status take(void *context, uint64_t number, const char *text, size_t size, ob_error *err)
{
    static const char needle[] = "\"what\":\"consent\"";
    ob_entry *entry = NULL;
    if (!memmem(text, size, needle, sizeof needle - 1))
        return OB_OK;
    ob_status status = ob_entry_read(&entry, text, size, err);
    if (!status)
        status = check_entry(context, entry, number, err);
    ob_entry_free(entry);
    return status;
}

ob_status ob_acts_log_consents(ob_logged_consent **out, size_t *count, ob_acts *acts,
                               const char *account, ob_error *err)
{
    ob_record_key subject;
    search s = {.found = NULL};
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
    if (status) {
        free(s.found);
        return status;
    }
    *out = s.found;
    *count = s.count;
    return OB_OK;
}
