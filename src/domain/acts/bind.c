/* What binds the files beside the records to them. The records keep a check value of the key of
 * pseudonyms, so that another one is never taken for it; and what of the log was signed last, under
 * a MAC made with that key, so that neither the log nor these records can be cut back or exchanged
 * alone by somebody who has the files and not the keys. They keep what the lists are in the same
 * way. */
#include "acts_priv.h"

#include <obhut/file.h>
#include <obhut/records/binding.h>
#include <obhut/records/log.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char of_key[] = "pseudonym", of_log[] = "log", of_lists[] = "lists";

#define MEND "Restore it, or records, log and keys, from one backup"

/* ---- Codes ----------------------------------------------------------------------------------- */

static void put_number(uint8_t *out, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> 8 * i);
}

/* Of all that it says. */
static void mac_of(ob_record_key *out, const uint8_t key[OB_KEY_SIZE], const ob_binding *b)
{
    enum { NUMBERS = 17 };
    uint8_t bytes[NUMBERS + sizeof b->root.bytes];
    char use[sizeof "obhut binding " + OB_NAME_MAX];
    put_number(bytes, (uint64_t)b->entries);
    put_number(bytes + 8, (uint64_t)b->bytes);
    bytes[16] = b->is_closed;
    memcpy(bytes + NUMBERS, b->root.bytes, sizeof b->root.bytes);
    snprintf(use, sizeof use, "obhut binding %s", b->name);
    ob_mac(out->bytes, key, use, bytes, sizeof bytes);
}

static bool fits(const uint8_t key[OB_KEY_SIZE], const ob_binding *b)
{
    ob_record_key mac;
    mac_of(&mac, key, b);
    return ob_same(mac.bytes, b->mac.bytes, sizeof mac.bytes);
}

static ob_binding named(const char *name)
{
    ob_binding out = {.entries = 0};
    snprintf(out.name, sizeof out.name, "%s", name);
    return out;
}

/* ---- The key --------------------------------------------------------------------------------- */

/* What the records say of both, and whether any act of theirs is in a log. */
typedef struct bound {
    bool has_key, has_log, has_lists;
    ob_binding key, log, lists;
    int64_t last;
} bound;

static ob_status read_bound(bound *out, ob_store *store, ob_error *err)
{
    ob_view *view = NULL;
    *out = (bound){.last = -1};
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = ob_store_binding(&out->has_key, &out->key, view, of_key, err);
    if (!status)
        status = ob_store_binding(&out->has_log, &out->log, view, of_log, err);
    if (!status)
        status = ob_store_binding(&out->has_lists, &out->lists, view, of_lists, err);
    if (!status)
        status = ob_store_counter(&out->last, view, OB_COUNTER_LOG_ENTRY, err);
    ob_view_close(view);
    return status;
}

static ob_status path_of(char *out, size_t size, const char *dir, const char *name, ob_error *err)
{
    return snprintf(out, size, "%s/keys%s", dir, name) < (int)size
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "%s: the path is too long", dir);
}

static ob_status make_key(uint8_t key[OB_KEY_SIZE], const char *dir, ob_error *err)
{
    char path[4096];
    ob_status status = path_of(path, sizeof path, dir, "", err);
    if (!status)
        status = ob_file_make_dir(path, dir, err);
    if (!status)
        status = path_of(path, sizeof path, dir, "/pseudonym", err);
    return status ? status : ob_key_file(key, path, err);
}

/* The key as it must be for these records. OB_ENOTFOUND: there is none, and none is needed. */
static ob_status read_key(uint8_t key[OB_KEY_SIZE], const bound *b, const char *dir, ob_error *err)
{
    char path[4096];
    ob_error problem = {0};
    ob_status status = path_of(path, sizeof path, dir, "/pseudonym", err);
    if (status)
        return status;
    status = ob_key_file_read(key, path, &problem);
    if (status == OB_ENOTFOUND && (b->has_key || b->has_log || b->last >= 0))
        return ob_fail(err, OB_EREFUSED,
                       "%s is missing: the records know accounts by what this key makes of their "
                       "names, and a new one would make other names. " MEND,
                       path);
    if (status)
        return ob_fail(err, status, "%s", problem.text);
    if (b->has_key && !fits(key, &b->key)) {
        ob_wipe(key, OB_KEY_SIZE);
        return ob_fail(err, OB_EREFUSED,
                       "%s is not the key that the records were made with: everybody would have "
                       "another name. " MEND,
                       path);
    }
    return OB_OK;
}

static ob_status put(ob_writing *w, ob_binding *b, const uint8_t key[OB_KEY_SIZE], ob_error *err)
{
    mac_of(&b->mac, key, b);
    return ob_store_binding_set(w, b, err);
}

static ob_status write_binding(ob_store *store, ob_binding *b, const uint8_t key[OB_KEY_SIZE],
                               ob_error *err)
{
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    return status ? status : ob_writing_end(w, put(w, b, key, err), err);
}

/* The log was compared with what stood there. From here on entries are appended, and a start that
 * dies before it has said so must not be taken for a log that went on behind the service's back. */
static ob_status reopen(ob_acts *acts, bound *b, ob_error *err)
{
    if (!b->has_log || !b->log.is_closed)
        return OB_OK;
    b->log.is_closed = false;
    return write_binding(acts->store, &b->log, acts->key, err);
}

ob_status bind_key(ob_acts *acts, const char *dir, ob_error *err)
{
    bound b;
    ob_status status = read_bound(&b, acts->store, err);
    if (status)
        return status;
    acts->was_bound = b.has_log;
    status = read_key(acts->key, &b, dir, err);
    if (status == OB_ENOTFOUND)
        status = make_key(acts->key, dir, err);
    return status ? status : reopen(acts, &b, err);
}

/* ---- The log --------------------------------------------------------------------------------- */

static ob_status check_log(const bound *b, const uint8_t key[OB_KEY_SIZE], ob_error *err)
{
    if (b->has_key && !b->has_log)
        return ob_fail(err, OB_EREFUSED,
                       "the records no longer say what of the log was signed (binding "
                       "\"log\"): somebody changed them. Restore records and log from one backup");
    if (b->has_log && (b->log.entries < 0 || b->log.bytes < 0 || !fits(key, &b->log)))
        return ob_fail(err, OB_EREFUSED,
                       "what the records say of the signed log (binding \"log\") was changed: "
                       "restore records and log from one backup");
    return OB_OK;
}

static ob_status check_lists(const bound *b, const uint8_t key[OB_KEY_SIZE], ob_error *err)
{
    if (!b->has_lists || (b->lists.entries >= 0 && fits(key, &b->lists)))
        return OB_OK;
    return ob_fail(err, OB_EREFUSED,
                   "what the records say of the lists (binding \"lists\") was changed: restore "
                   "records and log from one backup");
}

/* What the records say, once `check` has found it to be as it was written. *has_begun: there is a
 * key; without one nothing was ever said. */
static ob_status read_checked(bool *has_begun, bound *b, ob_store *store, const char *dir,
                              ob_status (*check)(const bound *, const uint8_t *, ob_error *),
                              ob_error *err)
{
    uint8_t key[OB_KEY_SIZE];
    ob_error problem = {0};
    ob_status status = read_bound(b, store, err);
    if (status)
        return status;
    status = read_key(key, b, dir, &problem);
    *has_begun = status != OB_ENOTFOUND;
    if (!*has_begun)
        return OB_OK;
    if (!status)
        status = check(b, key, &problem);
    ob_wipe(key, sizeof key);
    return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
}

ob_status ob_acts_signed(bool *is_known, ob_audit_signed *out, ob_store *store, const char *dir,
                         ob_error *err)
{
    bound b;
    bool has_begun = false;
    ob_status status = read_checked(&has_begun, &b, store, dir, check_log, err);
    *is_known = !status && has_begun && b.has_log;
    if (status || !has_begun)
        return status;
    *out = (ob_audit_signed){.entries = (uint64_t)b.log.entries,
                             .note_bytes = (uint64_t)b.log.bytes,
                             .is_closed = b.log.is_closed};
    memcpy(out->root, b.log.root.bytes, sizeof out->root);
    return OB_OK;
}

ob_status ob_acts_lists_known(bool *is_known, ob_acts_lists *out, ob_store *store, const char *dir,
                              ob_error *err)
{
    bound b;
    bool has_begun = false;
    ob_status status = read_checked(&has_begun, &b, store, dir, check_lists, err);
    *is_known = !status && has_begun && b.has_lists;
    if (status || !has_begun)
        return status;
    out->changes = (uint64_t)b.lists.entries;
    memcpy(out->sum, b.lists.root.bytes, sizeof out->sum);
    return OB_OK;
}

static ob_binding binding_of(const ob_audit_signed *is_signed)
{
    ob_binding out = named(of_log);
    out.entries = (int64_t)is_signed->entries;
    out.bytes = (int64_t)is_signed->note_bytes;
    out.is_closed = is_signed->is_closed;
    memcpy(out.root.bytes, is_signed->root, sizeof out.root.bytes);
    return out;
}

static ob_status run_set(ob_act *act, void *context, ob_error *err)
{
    ob_act_quiet(act);
    return put(act->w, context, act->acts->key, err);
}

ob_status ob_acts_lists_set(ob_acts *acts, const ob_acts_lists *now, ob_error *err)
{
    ob_binding b = named(of_lists);
    b.entries = (int64_t)now->changes;
    memcpy(b.root.bytes, now->sum, sizeof b.root.bytes);
    return ob_acts_do(NULL, acts, "bind", NULL, run_set, &b, err);
}

/* Both together: records that have one and not the other were changed. */
static ob_status run_set_both(ob_act *act, void *context, ob_error *err)
{
    ob_binding key = named(of_key);
    ob_status status = run_set(act, context, err);
    return status ? status : put(act->w, &key, act->acts->key, err);
}

/* Where it fails, an older one stays: it is as true, and the next checkpoint brings another. */
static void hear_signed(void *context, const ob_audit_signed *is_signed)
{
    ob_binding b = binding_of(is_signed);
    ob_acts_do(NULL, context, "bind", NULL, run_set, &b, NULL);
}

ob_status bind_log_begin(ob_acts *acts, ob_error *err)
{
    ob_audit_signed now;
    /* From here on what is not signed must have MACs, and an older version made none. */
    ob_status status = acts->was_bound ? OB_OK : ob_audit_sign(acts->audit, err);
    if (status)
        return status;
    ob_audit_signed_now(&now, acts->audit);
    ob_binding b = binding_of(&now);
    status = ob_acts_do(NULL, acts, "bind", NULL, run_set_both, &b, err);
    acts->is_bound = !status;
    if (!status)
        ob_audit_on_signed(acts->audit, hear_signed, acts);
    return status;
}

void bind_log_end(ob_acts *acts)
{
    ob_audit_signed now;
    if (!acts->is_bound || ob_audit_sign_last(acts->audit, NULL) || !ob_audit_fine(acts->audit))
        return;
    ob_audit_signed_now(&now, acts->audit);
    now.is_closed = now.entries == ob_audit_size(acts->audit);
    ob_binding b = binding_of(&now);
    write_binding(acts->store, &b, acts->key, NULL);
}
