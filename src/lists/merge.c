/* Writing lists anew while searches and changes go on, and the thread that sees to it. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- When --------------------------------------------------------------------------------- */

void own_wake(ob_lists *lists)
{
    pthread_mutex_lock(&lists->guard);
    lists->work = true;
    pthread_cond_signal(&lists->wake);
    pthread_mutex_unlock(&lists->guard);
}

bool own_is_due(const ob_lists *lists, const slot *slot, const live *list)
{
    return live_changes(list) >= lists->merge_at + atomic_load(&slot->put_off);
}

/* ---- Merging ------------------------------------------------------------------------------ */

typedef struct gathering {
    entries entries;
    const ob_list_info *info;
    const obx_wish *wish;
} gathering;

static ob_status gather(void *context, const entry *from, ob_error *err)
{
    gathering *g = context;
    entry e = *from;
    bool duplicate;
    if (!*e.classification && !strcmp(e.source, g->info->source))
        e.source = ""; /* the list's own */
    if (g->entries.count % (1 << 20) == 0) {
        if (atomic_load(g->wish->stop))
            return ob_fail(err, OB_EBUSY, "stopped");
        if (g->wish->progress)
            g->wish->progress(g->wish->context, "gathering entries", g->entries.count,
                              g->info->entries);
    }
    return entries_add(&duplicate, &g->entries, &e, err);
}

/* What comes from now on goes to the next journal. Sets *from to the list as it is now, kept. */
static ob_status begin_merge(live **from, uint64_t *number, ob_lists *lists, slot *slot,
                             ob_error *err)
{
    journal next;
    ob_status status = own_need_journal(lists, slot, err);
    if (!status)
        status = journal_open(&next, lists->dir, slot->name, slot->journal_number + 1, NULL, err);
    if (status)
        return status;
    journal_close(&slot->journal);
    slot->journal = next;
    *number = ++slot->journal_number;
    *from = live_keep(slot->now);
    return OB_OK;
}

/* Under `renewing`. */
static ob_status end_merge(const char *temporary, uint64_t number, ob_lists *lists, slot *slot,
                           ob_error *err)
{
    live *made = NULL;
    noting n = {.lists = lists, .name = slot->name};
    pthread_mutex_lock(&slot->writing);
    ob_status status = note_intent(&n, temporary, err);
    if (!status)
        status = obx_place(temporary, lists->dir, slot->name, slot->enabled, err);
    if (!status)
        status = live_open(&made, lists->dir, slot->name, err);
    if (!status) {
        note_list(lists, slot->name, made);
        set_replace(lists, slot, made);
    }
    pthread_mutex_unlock(&slot->writing);
    if (!status) {
        list_drop_journals(lists->dir, slot->name, number);
        own_wake(lists);
    }
    return status;
}

ob_status ob_lists_merge(ob_lists *lists, const char *name,
                         void (*progress)(void *context, const char *step, uint64_t done,
                                          uint64_t total),
                         void *context, ob_error *err)
{
    slot *slot = set_find(lists, name);
    live *from = NULL;
    ob_list_info info;
    char *temporary = NULL;
    obx_wish wish = {.dir = lists->dir,
                     .name = name,
                     .progress = progress,
                     .context = context,
                     .stop = &lists->stop};
    gathering g = {.info = &info, .wish = &wish};
    if (slot)
        pthread_mutex_lock(&slot->renewing);
    struct slot *same = NULL;
    ob_status status = own_begin(&same, lists, name, err);
    if (!status) {
        status = begin_merge(&from, &wish.journal, lists, slot, err);
        pthread_mutex_unlock(&slot->writing);
    }
    if (!status) {
        live_info(&info, from);
        wish.info = info;
        status = live_check(from, err); /* damage must not come under new checksums */
    }
    if (!status)
        status = live_each(from, gather, &g, err);
    live_release(from);
    free(g.entries.table);
    g.entries.table = NULL;
    if (!status)
        status = obx_write(&temporary, &wish, &g.entries, err);
    entries_free(&g.entries);
    if (!status)
        status = end_merge(temporary, wish.journal, lists, slot, err);
    free(temporary);
    if (slot)
        pthread_mutex_unlock(&slot->renewing);
    return status;
}

/* ---- The keeper --------------------------------------------------------------------------- */

static void say(const ob_lists *lists, const ob_error *err)
{
    if (lists->problem && !atomic_load(&lists->stop))
        lists->problem(lists->problem_context, err->text);
}

/* What could not be opened may be back: a disk was mounted, a file restored. */
static void try_again(ob_lists *lists, slot *slot)
{
    live *made = NULL;
    ob_error now = {0}, said = {0};
    if (pthread_mutex_trylock(&slot->renewing)) /* it is imported, or removed */
        return;
    pthread_mutex_lock(&slot->writing);
    const ob_status status =
        slot->trouble ? live_open(&made, lists->dir, slot->name, &now) : OB_ENOTFOUND;
    if (made) {
        note_list(lists, slot->name, made);
        set_replace(lists, slot, made);
        ob_fail(&said, OB_OK, "list \"%s\" is whole and searched again", slot->name);
    } else if (status != OB_ENOTFOUND && strcmp(now.text, slot->trouble) != 0) {
        set_trouble(lists, slot, now.text);
    }
    if (slot->trouble && !slot->told) {
        slot->told = true;
        ob_fail(&said, OB_EIO, "%s", slot->trouble);
    }
    pthread_mutex_unlock(&slot->writing);
    pthread_mutex_unlock(&slot->renewing);
    if (said.text[0])
        say(lists, &said);
}

static void take_out(ob_lists *lists, slot *slot, live *list)
{
    ob_error err = {0};
    hits none = {0};
    live_match(&none, list, NULL, 0, 0, &err); /* says why it fails */
    pthread_mutex_lock(&slot->writing);
    if (slot->now && live_is_damaged(slot->now)) {
        journal_close(&slot->journal);
        set_trouble(lists, slot, err.text);
        slot->told = true;
    }
    pthread_mutex_unlock(&slot->writing);
    say(lists, &err);
}

static void keep_slot(ob_lists *lists, slot *slot)
{
    ob_error err = {0};
    pthread_mutex_lock(&lists->guard);
    live *now = slot->now ? live_keep(slot->now) : NULL;
    const bool trouble = slot->trouble != NULL;
    pthread_mutex_unlock(&lists->guard);
    if (!now && trouble)
        try_again(lists, slot);
    if (!now)
        return;
    if (live_settle(now, &err) && !live_is_damaged(now))
        say(lists, &err);
    if (live_is_damaged(now)) {
        if (atomic_load(&slot->busy) == SLOT_FREE)
            take_out(lists, slot, now);
        live_release(now);
        return;
    }
    bool due = own_is_due(lists, slot, now);
    uint64_t changes = live_changes(now);
    live_release(now);
    /* Whoever imports or updates the list wakes the keeper again. */
    if (!due || atomic_load(&lists->stop) || atomic_load(&slot->busy) != SLOT_FREE)
        return;
    if (ob_lists_merge(lists, slot->name, NULL, NULL, &err)) {
        say(lists, &err);
        atomic_store(&slot->put_off, changes); /* a full disk is not tried at every change */
    } else {
        atomic_store(&slot->put_off, 0);
    }
}

static void *keep(void *argument)
{
    enum { AGAIN_S = 5 };
    ob_lists *lists = argument;
    pthread_mutex_lock(&lists->guard);
    while (!atomic_load(&lists->stop)) {
        lists->work = false;
        for (size_t i = 0; i < lists->count && !atomic_load(&lists->stop); i++) {
            slot *slot = lists->slots[i];
            pthread_mutex_unlock(&lists->guard);
            keep_slot(lists, slot);
            pthread_mutex_lock(&lists->guard);
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += AGAIN_S;
        while (!lists->work && !atomic_load(&lists->stop))
            if (pthread_cond_timedwait(&lists->wake, &lists->guard, &until))
                break;
    }
    pthread_mutex_unlock(&lists->guard);
    return NULL;
}

ob_status ob_lists_keep(ob_lists *lists, void (*problem)(void *context, const char *sentence),
                        void *context, ob_error *err)
{
    lists->problem = problem;
    lists->problem_context = context;
    if (pthread_create(&lists->keeper, NULL, keep, lists))
        return ob_fail(err, OB_ENOMEM, "no thread could be started: keeping lists");
    lists->keeping = true;
    return OB_OK;
}

void own_end(ob_lists *lists)
{
    if (lists->keeping) {
        pthread_mutex_lock(&lists->guard);
        atomic_store(&lists->stop, true);
        pthread_cond_signal(&lists->wake);
        pthread_mutex_unlock(&lists->guard);
        pthread_join(lists->keeper, NULL);
    }
    for (size_t i = 0; i < lists->count; i++)
        journal_close(&lists->slots[i]->journal);
}
