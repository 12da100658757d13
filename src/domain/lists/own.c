/* The functions of the one process that changes lists: open them, change entries, switch, remove.
 */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

ob_status own_start(ob_lists *lists, ob_error *err)
{
    list_sweep(lists->dir);
    ob_status status = note_start(lists, err);
    for (size_t i = 0; i < lists->count && !status; i++)
        if (lists->slots[i]->now)
            list_drop_journals(lists->dir, lists->slots[i]->name,
                               live_journal(lists->slots[i]->now));
    atomic_store(&lists->started, !status);
    return status;
}

ob_status ob_lists_own_unchecked(ob_lists **out, const char *dir, ob_error *err)
{
    enum { MERGE_AT = 65536 };
    int lock = -1;
    ob_lists *lists = NULL;
    ob_status status = list_lock(&lock, dir, err);
    if (status)
        return status;
    status = set_open(&lists, dir, lock, err);
    if (status) {
        list_unlock(lock);
        return status;
    }
    lists->merge_at = MERGE_AT;
    lists->first = !lists->state.there;
    status = list_screen_init(&lists->screen, err);
    if (status)
        ob_lists_close(lists);
    else
        *out = lists;
    return status;
}

ob_status ob_lists_own(ob_lists **out, const char *dir, ob_error *err)
{
    ob_lists *lists = NULL;
    ob_status status = ob_lists_own_unchecked(&lists, dir, err);
    if (!status)
        status = own_start(lists, err);
    if (status)
        ob_lists_close(lists);
    else
        *out = lists;
    return status;
}

static ob_status lock_slot(slot **out, ob_lists *lists, const char *name, bool for_entries,
                           ob_error *err)
{
    ob_status status = list_check_name(name, err);
    if (status)
        return status;
    slot *slot = set_find(lists, name);
    if (slot)
        pthread_mutex_lock(&slot->writing);
    slot_state busy = slot ? atomic_load(&slot->busy) : SLOT_FREE;
    if (busy == SLOT_IMPORTED || (busy == SLOT_UPDATED && for_entries))
        status = ob_fail(err, OB_EBUSY, "list \"%s\" is being %s: try again when that is done",
                         name, busy == SLOT_IMPORTED ? "imported" : "updated");
    else if (slot && slot->trouble && for_entries)
        status = ob_fail(err, OB_EIO, "%s", slot->trouble);
    else if (!slot || (!slot->now && !slot->trouble))
        status =
            ob_fail(err, OB_ENOTFOUND, "no list \"%s\" in %s; `obhut list ls` shows what there is",
                    name, lists->dir);
    if (status && slot)
        pthread_mutex_unlock(&slot->writing);
    if (!status)
        *out = slot;
    return status;
}

ob_status own_begin(slot **out, ob_lists *lists, const char *name, ob_error *err)
{
    return lock_slot(out, lists, name, true, err);
}

static ob_status begin_alone(slot **out, ob_lists *lists, const char *name, bool for_entries,
                             ob_error *err)
{
    slot *slot = set_find(lists, name), *same = NULL;
    if (slot)
        pthread_mutex_lock(&slot->renewing);
    ob_status status = lock_slot(&same, lists, name, for_entries, err);
    if (!status && same != slot) {
        pthread_mutex_unlock(&same->writing);
        status = ob_fail(err, OB_EBUSY, "list \"%s\" was made this moment: try again", name);
    }
    if (status && slot)
        pthread_mutex_unlock(&slot->renewing);
    if (!status)
        *out = slot;
    return status;
}

ob_status own_begin_alone(slot **out, ob_lists *lists, const char *name, ob_error *err)
{
    return begin_alone(out, lists, name, true, err);
}

ob_status own_need_journal(ob_lists *lists, slot *slot, ob_error *err)
{
    if (slot->journal.file >= 0) {
        ob_status known = note_recover(lists, err);
        return known ? known : journal_recover(&slot->journal, err);
    }
    uint64_t next = 0, of_file = live_journal(slot->now);
    ob_status status = list_next_journal(&next, lists->dir, slot->name, err);
    slot->journal_number = next > of_file ? next - 1 : of_file;
    pthread_mutex_lock(&lists->noting);
    const journal_extent *known =
        state_extent(state_find(&lists->state, slot->name), slot->journal_number);
    const journal_extent least = known ? *known : (journal_extent){.number = 0};
    pthread_mutex_unlock(&lists->noting);
    if (!status)
        status = journal_open(&slot->journal, lists->dir, slot->name, slot->journal_number,
                              known ? &least : NULL, err);
    if (!status && slot->journal.version != JOURNAL_VERSION) {
        journal_close(&slot->journal);
        status =
            journal_open(&slot->journal, lists->dir, slot->name, ++slot->journal_number, NULL, err);
    }
    return status;
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* Converts a public entry to an internal one. */
static ob_status take_entry(entry *out, const ob_list_entry *from, bool withdrawn, ob_error *err)
{
    entry e = {.id = from->id && *from->id ? from->id : NULL,
               .source = from->source ? from->source : "",
               .classification = from->classification ? from->classification : "",
               .has_hash = from->hash != NULL,
               .withdrawn = withdrawn};
    bool any = e.has_hash || (withdrawn && e.id);
    if (from->hash)
        e.hash = *from->hash;
    for (int k = 0; k < DIGEST_KINDS; k++) {
        e.has_digest[k] = from->digest[k] != NULL;
        any |= e.has_digest[k];
        if (from->digest[k])
            memcpy(e.digest[k], from->digest[k], list_digest_kinds[k].width);
    }
    ob_status status = any ? OB_OK
                       : withdrawn
                           ? ob_fail(err, OB_EINVAL, "neither a hash, nor a digest, nor an id")
                           : ob_fail(err, OB_EINVAL, "neither a hash nor a digest");
    if (!status && e.id)
        status = list_check_text(e.id, OB_LIST_ID_MAX, "an id", err);
    if (!status)
        status = list_check_text(e.source, OB_LIST_TEXT_MAX, "a source", err);
    if (!status)
        status = list_check_text(e.classification, OB_LIST_TEXT_MAX, "a classification", err);
    if (status)
        return ob_fail_in(err, OB_EINVAL, "an entry to %s", withdrawn ? "withdraw" : "add");
    *out = e;
    return OB_OK;
}

static ob_status screen(const ob_lists *lists, const entry *e, ob_error *err)
{
    const char *picture = e->has_hash ? list_screen_name(&lists->screen, &e->hash) : NULL;
    const char *nothing = list_digest_of_nothing(e);
    if (nothing)
        return ob_fail(err, OB_EREFUSED,
                       "an entry to add: refused: %s; it would match what nobody means", nothing);
    if (!picture)
        return OB_OK;
    return ob_fail(err, OB_EREFUSED,
                   "an entry to add: refused: within %d of a picture with nothing in it (%s); it "
                   "would match anything",
                   OB_INDEX_MAX_DISTANCE, picture);
}

bool entry_has_content(const entry *e)
{
    bool any = e->has_hash;
    for (int k = 0; k < DIGEST_KINDS; k++)
        any |= e->has_digest[k];
    return any;
}

typedef struct by_id {
    change *change;
    const entry *which;
    size_t count;
} by_id;

/* Called for every entry of the list. */
static ob_status withdraw_by_id(void *context, const entry *e, ob_error *err)
{
    const by_id *b = context;
    char line[24];
    snprintf(line, sizeof line, "%llu", (unsigned long long)e->line);
    ob_status status = OB_OK;
    for (size_t i = 0; i < b->count && !status; i++) {
        if (entry_has_content(&b->which[i]) || strcmp(e->id ? e->id : line, b->which[i].id))
            continue;
        entry found = *e;
        found.id = b->which[i].id;
        found.withdrawn = true;
        status = change_make(b->change, &found, err);
    }
    return status;
}

/* Under `writing`. */
static ob_status make_all(change *c, const entry *entries, size_t count, ob_error *err)
{
    by_id b = {.change = c, .which = entries, .count = count};
    bool ids_alone = false;
    ob_status status = OB_OK;
    for (size_t i = 0; i < count && !status; i++) {
        ids_alone |= !entry_has_content(&entries[i]);
        if (entry_has_content(&entries[i]))
            status = change_make(c, &entries[i], err);
    }
    return status || !ids_alone ? status : live_each(c->slot->now, withdraw_by_id, &b, err);
}

/* Entries that are to be added or withdrawn. */
typedef struct wanted {
    const ob_list_entry *from;
    size_t count;
    bool withdrawn;
} wanted;

static ob_status change_entries(change *c, ob_lists *lists, const char *name, wanted what,
                                ob_error *err)
{
    const size_t count = what.count;
    slot *slot = NULL;
    entry *entries = calloc(count + 1, sizeof *entries);
    ob_status status = entries ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: entries");
    for (size_t i = 0; i < count && !status; i++) {
        status = take_entry(&entries[i], &what.from[i], what.withdrawn, err);
        if (!status && !what.withdrawn)
            status = screen(lists, &entries[i], err);
    }
    if (!status)
        status = own_begin(&slot, lists, name, err);
    if (!status) {
        status = change_begin(c, lists, slot, err);
        if (!status)
            status = make_all(c, entries, count, err);
        status = change_end(c, status, err);
        pthread_mutex_unlock(&slot->writing);
    }
    free(entries);
    return status;
}

ob_status ob_lists_add(uint64_t *added, ob_lists *lists, const char *name,
                       const ob_list_entry *entries, size_t count, ob_error *err)
{
    change c = {0};
    if (count > OB_LISTS_ADD_MAX)
        return ob_fail(err, OB_ELIMIT, "%zu entries at once; at most %d can be added", count,
                       OB_LISTS_ADD_MAX);
    ob_status status = change_entries(&c, lists, name, (wanted){entries, count, false}, err);
    if (!status && added)
        *added = c.added;
    return status;
}

ob_status ob_lists_withdraw(uint64_t *withdrawn, ob_lists *lists, const char *name,
                            const ob_list_entry *which, size_t count, ob_error *err)
{
    change c = {0};
    ob_status status = change_entries(&c, lists, name, (wanted){which, count, true}, err);
    if (!status && withdrawn)
        *withdrawn = c.withdrawn;
    return status;
}

/* ---- On, off, whole lists -------------------------------------------------------------------- */

ob_status ob_lists_set_enabled(ob_lists *lists, const char *name, bool enabled, ob_error *err)
{
    slot *slot = NULL;
    ob_status status = lock_slot(&slot, lists, name, false, err);
    if (status)
        return status;
    bool called;
    status = list_find(&called, lists->dir, name, err);
    if (!status)
        status = note_switch(lists, name, enabled, err);
    if (!status) { /* the switch is durable; renaming the file may wait */
        enable_under_lock(lists->dir, name, enabled, NULL);
        pthread_mutex_lock(&lists->guard);
        slot->enabled = enabled;
        lists->changes++;
        pthread_mutex_unlock(&lists->guard);
    }
    pthread_mutex_unlock(&slot->writing);
    return status;
}

ob_status ob_lists_remove(ob_lists *lists, const char *name, ob_error *err)
{
    slot *slot = NULL;
    bool unsure = false;
    ob_status status = begin_alone(&slot, lists, name, false, err);
    if (status)
        return status;
    if (atomic_load(&slot->busy) != SLOT_FREE)
        status = ob_fail(err, OB_EBUSY, "list \"%s\" is being updated: try again when that is done",
                         name);
    if (!status)
        status = note_removing(lists, name, err);
    if (!status) {
        status = remove_under_lock(lists->dir, name, err);
        if (status && note_stands(lists, name))
            note_not_removed(lists, name);
        else if (status) /* it is gone; should a disk that fails bring it back, a start removes it
                          */
            unsure = true;
    }
    if (!status || unsure) {
        set_replace(lists, slot, NULL);
        journal_close(&slot->journal);
    }
    if (!status)
        note_removed(lists, name);
    if (unsure)
        status = OB_OK;
    pthread_mutex_unlock(&slot->writing);
    pthread_mutex_unlock(&slot->renewing);
    return status;
}

static uint64_t entries_of(const slot *slot)
{
    ob_list_info info = {.entries = 0};
    if (slot->now)
        live_info(&info, slot->now);
    return info.entries;
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
    atomic_store(&slot->busy, SLOT_IMPORTED);
    const uint64_t before = entries_of(slot);
    pthread_mutex_unlock(&slot->writing);

    noting n = {.lists = lists, .name = name};
    pthread_mutex_lock(&lists->noting);
    const import_notes notes = {.intend = note_intent,
                                .context = &n,
                                .journal_least = state_next_journal(&lists->state, name),
                                .entries_before = before};
    pthread_mutex_unlock(&lists->noting);
    status = import_under_lock(out, lists->dir, import, &notes, err);

    pthread_mutex_lock(&slot->writing);
    if (!status)
        status = live_open(&made, lists->dir, name, err);
    if (!status) {
        note_list(lists, name, made);
        set_replace(lists, slot, made);
        journal_close(&slot->journal);
        own_wake(lists);
    }
    atomic_store(&slot->busy, SLOT_FREE);
    pthread_mutex_unlock(&slot->writing);
    pthread_mutex_unlock(&slot->renewing);
    return status;
}
