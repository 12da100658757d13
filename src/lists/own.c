/* The one process that changes lists: every change is in the journal before it is found, and a file
 * is written anew while searches go on. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Opening ------------------------------------------------------------------------------ */

ob_status ob_lists_own(ob_lists **out, const char *dir, ob_error *err)
{
    enum { MERGE_AT = 65536 };
    int lock = -1;
    ob_lists *lists = NULL;
    ob_status status = list_lock(&lock, dir, err);
    if (status)
        return status;
    list_sweep(dir);
    status = set_open(&lists, dir, lock, err);
    if (status) {
        list_unlock(lock);
        return status;
    }
    lists->merge_at = MERGE_AT;
    for (size_t i = 0; i < lists->count; i++)
        list_drop_journals(dir, lists->slots[i]->name, live_journal(lists->slots[i]->now));
    status = list_screen_init(&lists->screen, err);
    if (status)
        ob_lists_close(lists);
    else
        *out = lists;
    return status;
}

ob_status own_begin(slot **out, ob_lists *lists, const char *name, ob_error *err)
{
    ob_status status = list_check_name(name, err);
    if (status)
        return status;
    slot *slot = set_find(lists, name);
    if (slot)
        pthread_mutex_lock(&slot->writing);
    if (slot && slot->importing)
        status = ob_fail(err, OB_EBUSY, "list \"%s\" is being imported: try again when it is there",
                         name);
    else if (!slot || !slot->now)
        status =
            ob_fail(err, OB_ENOTFOUND, "no list \"%s\" in %s; `obhut list ls` shows what there is",
                    name, lists->dir);
    if (status && slot)
        pthread_mutex_unlock(&slot->writing);
    if (!status)
        *out = slot;
    return status;
}

ob_status own_need_journal(ob_lists *lists, slot *slot, ob_error *err)
{
    if (slot->journal.file >= 0)
        return OB_OK;
    uint64_t next = 0, of_file = live_journal(slot->now);
    ob_status status = list_next_journal(&next, lists->dir, slot->name, err);
    slot->journal_number = next > of_file ? next - 1 : of_file;
    if (!status)
        status = journal_open(&slot->journal, lists->dir, slot->name, slot->journal_number, err);
    return status;
}

/* ---- Adding ------------------------------------------------------------------------------- */

/* A public entry as a list keeps it; `id` holds an id that is made up. */
static ob_status take_entry(entry *out, char id[OB_LIST_ID_MAX + 1], const ob_list_entry *from,
                            ob_error *err)
{
    enum { ID_DIGITS = 16 };
    char hex[2 * OB_DIGEST_WIDTH_MAX + 1] = "";
    entry e = {.id = from->id && *from->id ? from->id : NULL,
               .source = from->source ? from->source : "",
               .classification = from->classification ? from->classification : ""};
    for (int k = DIGEST_KINDS; k-- > 0;) {
        if (!from->digest[k])
            continue;
        e.has_digest[k] = true;
        memcpy(e.digest[k], from->digest[k], list_digest_kinds[k].width);
        ob_hex(hex, from->digest[k], list_digest_kinds[k].width);
    }
    if (from->hash) {
        e.has_hash = true;
        e.hash = *from->hash;
        ob_hash256_print(hex, from->hash);
    }
    if (id) {
        snprintf(id, OB_LIST_ID_MAX + 1, "%.*s", ID_DIGITS, hex);
        e.id = e.id ? e.id : id;
    }
    ob_status status = *hex || !id ? OB_OK : ob_fail(err, OB_EINVAL, "neither a hash nor a digest");
    if (!status && e.id)
        status = list_check_text(e.id, OB_LIST_ID_MAX, "an id", err);
    if (!status)
        status = list_check_text(e.source, OB_LIST_TEXT_MAX, "a source", err);
    if (!status)
        status = list_check_text(e.classification, OB_LIST_TEXT_MAX, "a classification", err);
    if (status)
        return ob_fail_in(err, OB_EINVAL, "an entry to add");
    *out = e;
    return OB_OK;
}

static bool is_same(const entry *a, const entry *b)
{
    if (a->has_hash != b->has_hash || (a->has_hash && memcmp(&a->hash, &b->hash, sizeof a->hash)) ||
        strcmp(a->id, b->id))
        return false;
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (a->has_digest[k] != b->has_digest[k] ||
            (a->has_digest[k] && memcmp(a->digest[k], b->digest[k], list_digest_kinds[k].width)))
            return false;
    return true;
}

/* Leaves out what the list has already and what stands twice. */
static ob_status leave_out_known(entry *entries, size_t *count, const live *list, ob_error *err)
{
    size_t kept = 0;
    hits found = {0};
    ob_status status = OB_OK;
    for (size_t i = 0; i < *count && !status; i++) {
        bool known = false;
        for (size_t k = 0; k < kept && !known; k++)
            known = is_same(&entries[k], &entries[i]);
        if (!known)
            status = live_find(&found, list, &entries[i], err);
        if (!known && !found.count)
            entries[kept++] = entries[i];
    }
    free(found.hit);
    *count = kept;
    return status;
}

/* Under `writing`. */
static ob_status add_entries(ob_lists *lists, slot *slot, entry *entries, size_t *count,
                             ob_error *err)
{
    prepared prepared = {0};
    ob_status status = leave_out_known(entries, count, slot->now, err);
    if (status || !*count)
        return status;
    status = live_prepare(&prepared, slot->now, entries, *count, err);
    if (!status)
        status = own_need_journal(lists, slot, err);
    if (!status)
        status = journal_commit(&slot->journal, entries, *count, err);
    if (status)
        live_drop(&prepared);
    else
        live_publish(slot->now, &prepared);
    return status;
}

ob_status ob_lists_add(uint64_t *added, ob_lists *lists, const char *name,
                       const ob_list_entry *from, size_t count, ob_error *err)
{
    slot *slot = NULL;
    if (count > OB_LISTS_ADD_MAX)
        return ob_fail(err, OB_ELIMIT, "%zu entries at once; at most %d can be added", count,
                       OB_LISTS_ADD_MAX);
    entry *entries = calloc(count + 1, sizeof *entries);
    char(*ids)[OB_LIST_ID_MAX + 1] = calloc(count + 1, sizeof *ids);
    ob_status status =
        entries && ids ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: entries to add");
    for (size_t i = 0; i < count && !status; i++) {
        status = take_entry(&entries[i], ids[i], &from[i], err);
        const char *picture = !status && entries[i].has_hash
                                  ? list_screen_name(&lists->screen, &entries[i].hash)
                                  : NULL;
        if (picture)
            status = ob_fail(err, OB_EREFUSED,
                             "an entry to add: refused: within %d of a picture with nothing in it "
                             "(%s); it would match anything",
                             OB_INDEX_MAX_DISTANCE, picture);
    }
    if (!status)
        status = own_begin(&slot, lists, name, err);
    if (!status) {
        status = add_entries(lists, slot, entries, &count, err);
        if (!status && own_is_due(lists, slot, slot->now))
            own_wake(lists);
        pthread_mutex_unlock(&slot->writing);
    }
    if (!status && added)
        *added = count;
    free(entries);
    free(ids);
    return status;
}

/* ---- Withdrawing --------------------------------------------------------------------------- */

/* What is to be withdrawn: for the journal, and in memory. */
typedef struct withdrawal {
    const live *list;
    entry *records;
    size_t count, capacity;
    hits found;
    const entry *which; /* of which those without content are looked for by id */
    size_t which_count;
} withdrawal;

/* Notes every entry that has all that `which` has. */
static ob_status withdraw_content(withdrawal *w, const entry *which, ob_error *err)
{
    hits some = {0};
    ob_status status = live_find(&some, w->list, which, err);
    if (!status && some.count && w->count == w->capacity) {
        size_t capacity = 2 * w->capacity + 16;
        entry *more = realloc(w->records, capacity * sizeof *more);
        if (more) {
            w->records = more;
            w->capacity = capacity;
        } else {
            status = ob_fail(err, OB_ENOMEM, "out of memory: entries to withdraw");
        }
    }
    if (!status && some.count) {
        hit *more = realloc(w->found.hit, (w->found.count + some.count) * sizeof *more);
        if (more) {
            memcpy(more + w->found.count, some.hit, some.count * sizeof *more);
            w->found.hit = more;
            w->found.count += some.count;
            w->records[w->count] = *which;
            w->records[w->count].withdrawn = true;
            w->records[w->count++].source = "";
        } else {
            status = ob_fail(err, OB_ENOMEM, "out of memory: entries to withdraw");
        }
    }
    free(some.hit);
    return status;
}

static bool has_content(const entry *e)
{
    bool any = e->has_hash;
    for (int k = 0; k < DIGEST_KINDS; k++)
        any |= e->has_digest[k];
    return any;
}

/* Told of every entry of the list. */
static ob_status withdraw_by_id(void *context, const entry *e, ob_error *err)
{
    withdrawal *w = context;
    char line[24];
    snprintf(line, sizeof line, "%llu", (unsigned long long)e->line);
    ob_status status = OB_OK;
    for (size_t i = 0; i < w->which_count && !status; i++) {
        if (has_content(&w->which[i]) || strcmp(e->id ? e->id : line, w->which[i].id))
            continue;
        entry found = *e;
        found.id = w->which[i].id;
        found.source = found.classification = "";
        status = withdraw_content(w, &found, err);
    }
    return status;
}

/* Under `writing`. */
static ob_status find_withdrawn(withdrawal *w, ob_error *err)
{
    bool by_id = false;
    ob_status status = OB_OK;
    for (size_t i = 0; i < w->which_count && !status; i++) {
        by_id |= !has_content(&w->which[i]);
        if (has_content(&w->which[i]))
            status = withdraw_content(w, &w->which[i], err);
        else if (!w->which[i].id)
            status = ob_fail(err, OB_EINVAL, "neither a hash, nor a digest, nor an id");
    }
    return !status && by_id ? live_each(w->list, SIZE_MAX, withdraw_by_id, w, err) : status;
}

ob_status ob_lists_withdraw(uint64_t *withdrawn, ob_lists *lists, const char *name,
                            const ob_list_entry *from, size_t count, ob_error *err)
{
    slot *slot = NULL;
    withdrawal w = {.which_count = count};
    entry *which = calloc(count + 1, sizeof *which);
    ob_status status = which ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: entries");
    for (size_t i = 0; i < count && !status; i++)
        status = take_entry(&which[i], NULL, &from[i], err);
    if (!status)
        status = own_begin(&slot, lists, name, err);
    if (!status) {
        ob_list_info before, after;
        live_info(&before, slot->now);
        w.list = slot->now;
        w.which = which;
        status = find_withdrawn(&w, err);
        if (!status && w.count)
            status = own_need_journal(lists, slot, err);
        if (!status && w.count)
            status = journal_commit(&slot->journal, w.records, w.count, err);
        for (size_t i = 0; i < w.found.count && !status; i++)
            live_withdraw(slot->now, w.found.hit[i].entry);
        live_info(&after, slot->now);
        if (!status && withdrawn)
            *withdrawn = after.withdrawn - before.withdrawn;
        if (!status && own_is_due(lists, slot, slot->now))
            own_wake(lists);
        pthread_mutex_unlock(&slot->writing);
    }
    free(which);
    free(w.records);
    free(w.found.hit);
    return status;
}

/* ---- On, off, whole lists -------------------------------------------------------------------- */

ob_status ob_lists_set_enabled(ob_lists *lists, const char *name, bool enabled, ob_error *err)
{
    slot *slot = NULL;
    ob_status status = own_begin(&slot, lists, name, err);
    if (status)
        return status;
    status = enable_under_lock(lists->dir, name, enabled, err);
    if (!status) {
        pthread_mutex_lock(&lists->guard);
        slot->enabled = enabled;
        pthread_mutex_unlock(&lists->guard);
    }
    pthread_mutex_unlock(&slot->writing);
    return status;
}

ob_status ob_lists_remove(ob_lists *lists, const char *name, ob_error *err)
{
    slot *slot = set_find(lists, name), *same = NULL;
    if (slot)
        pthread_mutex_lock(&slot->renewing);
    ob_status status = own_begin(&same, lists, name, err);
    if (!status) {
        status = remove_under_lock(lists->dir, name, err);
        if (!status) {
            set_replace(lists, slot, NULL);
            journal_close(&slot->journal);
        }
        pthread_mutex_unlock(&slot->writing);
    }
    if (slot)
        pthread_mutex_unlock(&slot->renewing);
    return status;
}

ob_status ob_lists_import(ob_import_result *out, ob_lists *lists, const ob_import *import,
                          ob_error *err)
{
    char name[OB_LIST_NAME_MAX + 1];
    slot *slot = NULL;
    live *made = NULL;
    *out = (ob_import_result){0};
    ob_status status = import_name(name, import, err);
    if (!status)
        status = set_slot(&slot, lists, name, err);
    if (status)
        return status;
    pthread_mutex_lock(&slot->renewing);
    pthread_mutex_lock(&slot->writing);
    slot->importing = true;
    pthread_mutex_unlock(&slot->writing);

    status = import_under_lock(out, lists->dir, import, err);

    pthread_mutex_lock(&slot->writing);
    if (!status)
        status = live_open(&made, lists->dir, name, err);
    if (!status) {
        set_replace(lists, slot, made);
        journal_close(&slot->journal);
        own_wake(lists);
    }
    slot->importing = false;
    pthread_mutex_unlock(&slot->writing);
    pthread_mutex_unlock(&slot->renewing);
    return status;
}
