/* An act while it runs: what its entry in the log will say. */
#include "acts_priv.h"

#include <obhut/clock.h>
#include <obhut/records/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIAS_BYTES = 16,   /* bytes of an alias in the log */
    ALIASES_MOST = 500, /* in one entry */
};

/* ---- Codes ----------------------------------------------------------------------------------- */

void ob_acts_pseudonym(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                       const char *text)
{
    static const char *const uses[] = {"obhut account", "obhut conversation", "obhut item",
                                       "obhut person", "obhut delivery"};
    ob_mac(out->bytes, acts->key, uses[kind], text, strlen(text));
}

/* What the log knows a subject by. With its key destroyed nobody can make it again. */
static void write_alias(char out[OB_LOG_ALIAS], const ob_record_key *key, const char *kind)
{
    uint8_t mac[OB_MAC_SIZE];
    char hex[2 * ALIAS_BYTES + 1];
    ob_mac(mac, key->bytes, "obhut log subject", "", 0);
    ob_hex(hex, mac, ALIAS_BYTES);
    snprintf(out, OB_LOG_ALIAS, "%s:%s", kind, hex);
}

static const char *kind_word(ob_pseudonym_kind kind)
{
    return kind == OB_PSEUDONYM_PERSON ? "person" : "account";
}

ob_status ob_acts_log_alias(bool *found, char out[OB_LOG_ALIAS], const ob_acts *acts, ob_view *view,
                            ob_pseudonym_kind kind, const char *name, ob_error *err)
{
    ob_record_key subject, key;
    ob_acts_pseudonym(&subject, acts, kind, name);
    ob_status status = ob_store_log_key_find(found, &key, view, &subject, err);
    if (!status && *found)
        write_alias(out, &key, kind_word(kind));
    ob_wipe(&key, sizeof key);
    return status;
}

/* Makes the key where there is none. */
static ob_status need_alias(char out[OB_LOG_ALIAS], ob_record_key *key, ob_writing *w,
                            ob_pseudonym_kind kind, const ob_record_key *subject, ob_error *err)
{
    ob_status status = ob_store_log_key(key, w, subject, ob_now(), err);
    if (!status)
        write_alias(out, key, kind_word(kind));
    return status;
}

/* ---- Members --------------------------------------------------------------------------------- */

void ob_act_number(ob_act *act, const char *member, int64_t number)
{
    ob_entry_number(act->members, member, number);
}

void ob_act_word(ob_act *act, const char *member, const char *word)
{
    ob_entry_text(act->members, member, word);
}

void ob_act_words(ob_act *act, const char *member, const char *const *words, size_t count)
{
    ob_entry_list(act->members, member);
    for (size_t i = 0; i < count; i++)
        ob_entry_list_text(act->members, member, words[i]);
}

void ob_act_yes(ob_act *act, const char *member, bool is_so)
{
    ob_entry_yes(act->members, member, is_so);
}

static void set_subject(ob_act *act, const char *member, ob_pseudonym_kind kind,
                        const ob_record_key *subject, ob_record_key *key)
{
    char alias[OB_LOG_ALIAS];
    if (act->error.status)
        return;
    if (!need_alias(alias, key, act->w, kind, subject, &act->error))
        ob_act_word(act, member, alias);
}

void ob_act_account(ob_act *act, const char *member, const ob_record_key *account)
{
    ob_record_key key;
    set_subject(act, member, OB_PSEUDONYM_ACCOUNT, account, &key);
    if (!strcmp(member, "about") && !act->error.status) {
        act->key = key;
        act->has_key = true;
    }
    ob_wipe(&key, sizeof key);
}

void ob_act_accounts(ob_act *act, const char *member, const ob_record_key *accounts, size_t count)
{
    size_t in_full = count ? (count - 1) / ALIASES_MOST * ALIASES_MOST : 0; /* in entries before */
    ob_entry *one = act->members;
    ob_entry_list(one, member);
    for (size_t i = 0; i < count && !act->error.status; i++) {
        char alias[OB_LOG_ALIAS];
        ob_record_key key;
        if (i % ALIASES_MOST == 0)
            one = i < in_full ? ob_entry_new() : act->members;
        if (!need_alias(alias, &key, act->w, OB_PSEUDONYM_ACCOUNT, &accounts[i], &act->error))
            ob_entry_list_text(one, member, alias);
        ob_wipe(&key, sizeof key);
        if (one != act->members && ((i + 1) % ALIASES_MOST == 0 || act->error.status))
            ob_act_also(act, act->what, one);
    }
}

void ob_act_person(ob_act *act, const char *member, const char *name)
{
    ob_record_key subject, key;
    ob_acts_pseudonym(&subject, act->acts, OB_PSEUDONYM_PERSON, name);
    set_subject(act, member, OB_PSEUDONYM_PERSON, &subject, &key);
    ob_wipe(&key, sizeof key);
}

void ob_act_text(ob_act *act, const char *member, const char *text)
{
    uint8_t mac[OB_MAC_SIZE];
    char hex[2 * OB_MAC_SIZE + 1];
    const uint8_t *key = act->has_key      ? act->key.bytes
                         : act->has_by_key ? act->by_key.bytes
                                           : act->acts->key;
    ob_mac(mac, key, "obhut log text", text, strlen(text));
    ob_hex(hex, mac, sizeof mac);
    ob_act_word(act, member, hex);
}

void ob_act_also(ob_act *act, const char *what, ob_entry *members)
{
    ob_act_more *grown = realloc(act->also, (act->also_count + 1) * sizeof *grown);
    if (grown) {
        act->also = grown;
        grown[act->also_count++] = (ob_act_more){what, members};
        return;
    }
    ob_entry_free(members);
    if (!act->error.status)
        ob_fail(&act->error, OB_ENOMEM, "out of memory: an entry of the log");
}

void ob_act_quiet(ob_act *act)
{
    act->quiet = true;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void set_by(ob_act *act, const char *name)
{
    ob_record_key subject;
    ob_acts_pseudonym(&subject, act->acts, OB_PSEUDONYM_PERSON, name);
    set_subject(act, "by", OB_PSEUDONYM_PERSON, &subject, &act->by_key);
    act->has_by_key = !act->error.status;
}

void act_begin(ob_act *out, ob_acts *acts, ob_writing *w, const char *what, const ob_actor *actor)
{
    *out = (ob_act){.acts = acts,
                    .w = w,
                    .view = ob_writing_view(w),
                    .what = what,
                    .actor = actor,
                    .members = ob_entry_new()};
    if (actor && actor->person)
        set_by(out, actor->person->name);
    else if (actor)
        ob_act_word(out, "by", ob_actor_name(actor));
}

void act_end(ob_act *act)
{
    ob_entry_free(act->members);
    for (size_t i = 0; i < act->also_count; i++)
        ob_entry_free(act->also[i].members);
    free(act->also);
    ob_wipe(&act->key, sizeof act->key);
    ob_wipe(&act->by_key, sizeof act->by_key);
    act->members = NULL;
    act->also = NULL;
    act->also_count = 0;
}
