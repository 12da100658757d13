/* What changes records and stands in the log: both or neither. The entry is durable before the
 * records are: nothing ever happens that the log does not know. Where the records then refuse after
 * all, or the process dies in between, a further entry says that it was not done. */
#include "staff_priv.h"

#include <obhut/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODE_SHOWN = 16,  /* bytes of a code in the log */
    CODES_MOST = 500, /* in one entry */
};

/* ---- Codes ------------------------------------------------------------------------------------
 */

/* What the log knows a subject by. With its key destroyed nobody can make it again. */
static void write_code(char out[OB_LOG_CODE], const ob_record_key *key, const char *kind)
{
    uint8_t code[OB_CODE_SIZE];
    char hex[2 * CODE_SHOWN + 1];
    ob_code(code, key->bytes, "obhut log subject", "", 0);
    ob_hex(hex, code, CODE_SHOWN);
    snprintf(out, OB_LOG_CODE, "%s:%s", kind, hex);
}

static const char *kind_word(ob_pseudonym_kind kind)
{
    return kind == OB_PSEUDONYM_PERSON ? "person" : "account";
}

ob_status ob_staff_log_code(bool *found, char out[OB_LOG_CODE], ob_staff *staff,
                            ob_pseudonym_kind kind, const char *name, ob_error *err)
{
    ob_record_key subject, key;
    ob_staff_pseudonym(&subject, staff, kind, name);
    ob_status status = ob_store_log_key_find(found, &key, staff->store, &subject, err);
    if (!status && *found)
        write_code(out, &key, kind_word(kind));
    ob_wipe(&key, sizeof key);
    return status;
}

/* Within a transaction: makes the key where there is none. */
static ob_status need_code(char out[OB_LOG_CODE], ob_record_key *key, ob_staff *staff,
                           ob_pseudonym_kind kind, const ob_record_key *subject, ob_error *err)
{
    ob_status status = ob_store_log_key(key, staff->store, subject, ob_now(), err);
    if (!status)
        write_code(out, key, kind_word(kind));
    return status;
}

/* ---- Members ----------------------------------------------------------------------------------
 */

static void set(ob_act *act, const char *member, json_t *value)
{
    if (json_object_set_new(act->members, member, value) && !act->error.status)
        ob_fail(&act->error, OB_ENOMEM, "out of memory: an entry of the log");
}

void ob_act_number(ob_act *act, const char *member, int64_t number)
{
    set(act, member, json_integer((json_int_t)number));
}

void ob_act_word(ob_act *act, const char *member, const char *word)
{
    set(act, member, json_string(word));
}

void ob_act_value(ob_act *act, const char *member, json_t *value)
{
    set(act, member, value);
}

static void set_subject(ob_act *act, const char *member, ob_pseudonym_kind kind,
                        const ob_record_key *subject, ob_record_key *key)
{
    char code[OB_LOG_CODE];
    if (act->error.status)
        return;
    if (!need_code(code, key, act->staff, kind, subject, &act->error))
        ob_act_word(act, member, code);
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
    json_t *array = json_array();
    for (size_t i = 0; i < count && !act->error.status; i++) {
        char code[OB_LOG_CODE];
        ob_record_key key;
        if (json_array_size(array) == CODES_MOST) {
            ob_act_also(act, act->what, json_pack("{s:o}", member, array));
            array = json_array();
        }
        if (!need_code(code, &key, act->staff, OB_PSEUDONYM_ACCOUNT, &accounts[i], &act->error))
            json_array_append_new(array, json_string(code));
        ob_wipe(&key, sizeof key);
    }
    set(act, member, array);
}

void ob_act_person(ob_act *act, const char *member, const char *name)
{
    ob_record_key subject, key;
    ob_staff_pseudonym(&subject, act->staff, OB_PSEUDONYM_PERSON, name);
    set_subject(act, member, OB_PSEUDONYM_PERSON, &subject, &key);
    ob_wipe(&key, sizeof key);
}

void ob_act_text(ob_act *act, const char *member, const char *text)
{
    uint8_t code[OB_CODE_SIZE];
    char hex[2 * OB_CODE_SIZE + 1];
    if (!act->has_key)
        return;
    ob_code(code, act->key.bytes, "obhut log text", text, strlen(text));
    ob_hex(hex, code, sizeof code);
    ob_act_word(act, member, hex);
}

void ob_act_also(ob_act *act, const char *what, json_t *members)
{
    if (!act->also)
        act->also = json_array();
    if (json_array_append_new(act->also, json_pack("[s, o]", what, members)) && !act->error.status)
        ob_fail(&act->error, OB_ENOMEM, "out of memory: an entry of the log");
}

void ob_act_quiet(ob_act *act)
{
    act->quiet = true;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

/* The act before this one may not have been kept: whoever ended it may not know yet. */
static ob_status settle_before(ob_staff *staff, ob_error *err)
{
    int64_t last;
    ob_status status = ob_store_mark(&last, staff->store, OB_MARK_LOG_ENTRY, err);
    return status || last >= staff->last_entry ? status : staff_settle_log(staff, err);
}

ob_status ob_act_begin(ob_act *out, ob_staff *staff, const char *what, const ob_actor *actor,
                       ob_error *err)
{
    *out = (ob_act){.staff = staff, .what = what, .actor = actor, .members = json_object()};
    if (!out->members)
        return ob_fail(err, OB_ENOMEM, "out of memory: an entry of the log");
    ob_status status = ob_store_begin(staff->store, err);
    if (!status) {
        status = settle_before(staff, err);
        if (status)
            status = ob_store_end(staff->store, status, err);
    }
    if (status) {
        json_decref(out->members);
        return status;
    }
    if (actor && actor->person)
        ob_act_person(out, "by", actor->person->name);
    else if (actor)
        ob_act_word(out, "by", ob_actor_name(actor));
    return OB_OK;
}

static ob_status write_also(uint64_t *entry, ob_act *act, ob_error *err)
{
    ob_status status = OB_OK;
    size_t i;
    json_t *one;
    json_array_foreach(act->also, i, one)
    {
        json_t *members = json_array_get(one, 1);
        json_object_set_new(members, "act", json_true());
        if (!act->quiet || i + 1 < json_array_size(act->also))
            json_object_set_new(members, "part", json_true()); /* more of this act follows */
        if (!status)
            status = ob_audit_append(entry, act->staff->audit,
                                     json_string_value(json_array_get(one, 0)), members, err);
        if (!status)
            act->staff->last_entry = (int64_t)*entry;
    }
    return status;
}

/* Before the records keep it. */
static ob_status write_entry(uint64_t *entry, ob_act *act, ob_error *err)
{
    ob_act_value(act, "act", json_true());
    if (act->error.status)
        return ob_fail(err, act->error.status, "%s", act->error.text);
    ob_status status = write_also(entry, act, err);
    if (!status && !act->quiet)
        status = ob_audit_append(entry, act->staff->audit, act->what, act->members, err);
    if (status)
        return ob_fail_in(err, status, "what cannot be logged is not done");
    if (*entry != UINT64_MAX)
        act->staff->last_entry = (int64_t)*entry;
    if (act->keep)
        status = act->keep(act->keep_context, *entry, err);
    return status ? status
                  : ob_store_mark_set(act->staff->store, OB_MARK_LOG_ENTRY, (int64_t)*entry, err);
}

static bool is_not_done(const ob_staff *staff, uint64_t entry)
{
    for (unsigned i = 0; i < staff->not_done_count && i < STAFF_NOT_DONE; i++)
        if (staff->not_done[i] == entry)
            return true;
    return false;
}

/* The records did not keep it; or they did, and could not say so any more. Others may have acted
 * since, and have settled it. */
static ob_status settle_end(ob_staff *staff, uint64_t entry, ob_status status)
{
    int64_t last;
    ob_error ignored = {0};
    if (ob_store_begin(staff->store, &ignored))
        return status; /* whoever acts next settles it */
    ob_status settled = settle_before(staff, &ignored);
    if (!settled)
        settled = ob_store_mark(&last, staff->store, OB_MARK_LOG_ENTRY, &ignored);
    bool done = !settled && last >= (int64_t)entry && !is_not_done(staff, entry);
    ob_store_end(staff->store, settled, &ignored);
    return done ? OB_OK : status;
}

/* Somebody wanted what they may not: an act of its own, so that what it makes known is kept. */
static void say_refused(const ob_act *act)
{
    json_t *token = json_object_get(act->members, "token");
    ob_staff_log(NULL, act->staff, "refused", act->actor,
                 json_pack("{s:s, s:O*}", "wanted", act->what, "token", token), NULL);
}

ob_status ob_act_end(ob_act *act, ob_status so_far, ob_error *err)
{
    uint64_t entry = UINT64_MAX;
    ob_status status = so_far;
    if (!status && act->error.status)
        status = ob_fail(err, act->error.status, "%s", act->error.text);
    if (!status && (!act->quiet || act->also))
        status = write_entry(&entry, act, err);
    status = ob_store_end(act->staff->store, status, err);
    if (status && entry != UINT64_MAX)
        status = settle_end(act->staff, entry, status);
    if (so_far == OB_EREFUSED)
        say_refused(act);
    if (!status && act->entry)
        *act->entry = entry;
    json_decref(act->members);
    json_decref(act->also);
    ob_wipe(&act->key, sizeof act->key);
    act->members = act->also = NULL;
    return status;
}

ob_status ob_staff_log(uint64_t *entry, ob_staff *staff, const char *what, const ob_actor *actor,
                       json_t *members, ob_error *err)
{
    ob_act act;
    ob_status status = ob_act_begin(&act, staff, what, actor, err);
    if (!status) {
        act.entry = entry;
        if (members && json_object_update_missing(act.members, members))
            ob_fail(&act.error, OB_ENOMEM, "out of memory: an entry of the log");
        status = ob_act_end(&act, OB_OK, err);
    }
    json_decref(members);
    return status;
}

bool ob_staff_log_fine(const ob_staff *staff)
{
    return ob_audit_fine(staff->audit);
}

bool ob_staff_log_slow(const ob_staff *staff)
{
    return ob_audit_slow(staff->audit);
}

/* ---- After an end that nobody planned ----------------------------------------------------------
 */

typedef struct tail {
    uint64_t *unsure; /* entries of acts that the records do not have */
    size_t count, capacity;
    size_t acts; /* how many acts these are */
    bool in_part;
} tail;

static ob_status keep_unsure(tail *t, uint64_t n, ob_error *err)
{
    if (t->count == t->capacity) {
        size_t more = 2 * t->capacity + 16;
        uint64_t *grown = realloc(t->unsure, more * sizeof *grown);
        if (!grown)
            return ob_fail(err, OB_ENOMEM, "out of memory: the log");
        t->unsure = grown;
        t->capacity = more;
    }
    t->unsure[t->count++] = n;
    return OB_OK;
}

static ob_status take_entry(void *context, uint64_t number, const char *text, size_t size,
                            ob_error *err)
{
    tail *t = context;
    json_t *json = json_loadb(text, size, 0, NULL);
    const char *what = json_string_value(json_object_get(json, "what"));
    ob_status status = json ? OB_OK
                            : ob_fail(err, OB_EFORMAT, "entry %llu of the log cannot be read",
                                      (unsigned long long)number);
    bool is_part = json_is_true(json_object_get(json, "part"));
    if (what && !strcmp(what, "not_done")) {
        json_int_t which = json_integer_value(json_object_get(json, "entry"));
        for (size_t i = 0; i < t->count; i++)
            if (t->unsure[i] == (uint64_t)which) {
                t->unsure[i] = t->unsure[--t->count];
                t->acts = 0; /* of an act that is settled already */
            }
    } else if (json_is_true(json_object_get(json, "act"))) {
        t->acts += !t->in_part;
        t->in_part = is_part;
        status = keep_unsure(t, number, err);
    }
    json_decref(json);
    return status;
}

static ob_status say_not_done(ob_staff *staff, uint64_t entry, ob_error *err)
{
    json_t *members = json_pack("{s:I}", "entry", (json_int_t)entry);
    uint64_t number;
    ob_status status = ob_audit_append(&number, staff->audit, "not_done", members, err);
    json_decref(members);
    if (!status)
        staff->not_done[staff->not_done_count++ % STAFF_NOT_DONE] = entry;
    return status;
}

ob_status staff_settle_log(ob_staff *staff, ob_error *err)
{
    int64_t last;
    tail t = {0};
    uint64_t size = ob_audit_size(staff->audit);
    ob_status status = ob_store_mark(&last, staff->store, OB_MARK_LOG_ENTRY, err);
    if (!status && last >= (int64_t)size)
        status = ob_fail(err, OB_EREFUSED,
                         "the records know entry %lld of the log, which has only %llu: they are "
                         "not of one piece; restore both from one backup",
                         (long long)last, (unsigned long long)size);
    if (!status && last + 1 < (int64_t)size)
        status =
            ob_audit_read(staff->audit_dir, (uint64_t)(last + 1), size - 1, take_entry, &t, err);
    if (!status && t.acts > 1) /* acts wait for each other: one can be unsure, not two */
        status = ob_fail(err, OB_EREFUSED,
                         "the log has acts that the records do not know: the records are older, or "
                         "others; restore both from one backup");
    for (size_t i = 0; i < t.count && !status; i++)
        status = say_not_done(staff, t.unsure[i], err);
    free(t.unsure);
    if (!status)
        staff->last_entry = last;
    return status;
}

/* ---- What is not in the records ----------------------------------------------------------------
 */

void ob_staff_deed_ended(ob_staff *staff, uint64_t entry, bool done, json_t *members)
{
    uint64_t number;
    json_t *told = members ? members : json_object();
    json_object_set_new(told, "entry", json_integer((json_int_t)entry));
    if (!ob_audit_append(&number, staff->audit, done ? "done" : "not_done", told, NULL))
        ob_store_deed_end(staff->store, entry, NULL); /* else the next start asks again */
    json_decref(told);
}

ob_status staff_settle_deeds(ob_staff *staff, ob_error *err)
{
    uint64_t *entries = NULL;
    size_t count = 0;
    ob_status status = ob_store_deeds(&entries, &count, staff->store, err);
    for (size_t i = 0; i < count && !status; i++) {
        json_t *members = json_pack("{s:I}", "entry", (json_int_t)entries[i]);
        uint64_t number;
        status = ob_audit_append(&number, staff->audit, "unfinished", members, err);
        json_decref(members);
        if (!status)
            status = ob_store_deed_end(staff->store, entries[i], err);
    }
    free(entries);
    return status;
}
