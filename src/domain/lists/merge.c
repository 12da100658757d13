/* Writing lists anew while searches and changes go on, and the thread that sees to it. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- When ------------------------------------------------------------------------------------ */

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

/* ---- Merging --------------------------------------------------------------------------------- */

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
    *from = live_ref(slot->now);
    return OB_OK;
}

/* Under `renewing`. */
static ob_status end_merge(const char *temporary, uint64_t number, ob_lists *lists, slot *slot,
                           ob_error *err)
{
    live *made = NULL;
    noting n = {.lists = lists, .name = slot->name};
    pthread_mutex_lock(&slot->writing);
    bool called = slot->enabled;
    ob_status status = note_intent(&n, temporary, err);
    if (!status) { /* in the place of the old one, whatever that is called */
        list_find(&called, lists->dir, slot->name, NULL);
        status = obx_place(temporary, lists->dir, slot->name, called, err);
    }
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

/* ---- The keeper ------------------------------------------------------------------------------ */

void own_say(const ob_lists *lists, const ob_error *err)
{
    if (lists->problem && !atomic_load(&lists->stop))
        lists->problem(lists->problem_context, err->text);
}

static void maintain_slot(ob_lists *lists, slot *slot)
{
    ob_error err = {0};
    live *now = atomic_load(&lists->started) ? set_now(lists, slot) : NULL;
    if (!now)
        return;
    if (live_preload(now, &err) && !live_whole(now, NULL))
        own_say(lists, &err);
    if (live_whole(now, NULL)) {
        live_release(now);
        watch_slot(lists, slot);
        return;
    }
    bool due = own_is_due(lists, slot, now);
    uint64_t changes = live_changes(now);
    live_release(now);
    /* An import or update of the list wakes this thread again. */
    if (!due || atomic_load(&lists->stop) || atomic_load(&slot->busy) != SLOT_FREE)
        return;
    if (ob_lists_merge(lists, slot->name, NULL, NULL, &err)) {
        own_say(lists, &err);
        atomic_store(&slot->put_off, changes); /* a full disk is not tried at every change */
    } else {
        atomic_store(&slot->put_off, 0);
    }
}

/* Under the guard, which is let go meanwhile. */
static void for_each(ob_lists *lists, void (*what)(ob_lists *lists, slot *slot))
{
    for (size_t i = 0; i < lists->count && !atomic_load(&lists->stop); i++) {
        slot *slot = lists->slots[i];
        pthread_mutex_unlock(&lists->guard);
        what(lists, slot);
        pthread_mutex_lock(&lists->guard);
    }
}

static void *maintain(void *argument)
{
    enum { CHECK_S = 5 };
    ob_lists *lists = argument;
    struct timespec next = {0}, now;
    pthread_mutex_lock(&lists->guard);
    while (!atomic_load(&lists->stop)) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        lists->work = false;
        if (now.tv_sec >= next.tv_sec) {
            pthread_mutex_unlock(&lists->guard);
            watch_state(lists);
            pthread_mutex_lock(&lists->guard);
            for_each(lists, watch_slot);
            next.tv_sec = now.tv_sec + CHECK_S;
        }
        for_each(lists, maintain_slot);
        while (!lists->work && !atomic_load(&lists->stop))
            if (pthread_cond_timedwait(&lists->wake, &lists->guard, &next))
                break;
    }
    pthread_mutex_unlock(&lists->guard);
    return NULL;
}

ob_status ob_lists_maintain(ob_lists *lists, void (*problem)(void *context, const char *sentence),
                            void *context, ob_error *err)
{
    lists->problem = problem;
    lists->problem_context = context;
    if (pthread_create(&lists->maintainer, NULL, maintain, lists))
        return ob_fail(err, OB_ENOMEM, "no thread could be started: keeping lists");
    lists->maintaining = true;
    return OB_OK;
}

void own_end(ob_lists *lists)
{
    if (lists->maintaining) {
        pthread_mutex_lock(&lists->guard);
        atomic_store(&lists->stop, true);
        pthread_cond_signal(&lists->wake);
        pthread_mutex_unlock(&lists->guard);
        pthread_join(lists->maintainer, NULL);
    }
    const bool known = !note_recover(lists, NULL);
    for (size_t i = 0; i < lists->count; i++) {
        journal *j = &lists->slots[i]->journal;
        j->uncertain &= known; /* else what the state may say must stay there */
        journal_close(j);
    }
}
