/* The lists of a directory: set.c searches them, own.c changes them. */
#ifndef OBHUT_LISTS_SET_PRIV_H
#define OBHUT_LISTS_SET_PRIV_H

#include "lists_priv.h"

#include <pthread.h>

/* Why a list cannot be changed for a longer time. */
typedef enum slot_state { SLOT_FREE, SLOT_IMPORTED, SLOT_UPDATED } slot_state;

/* The place of one name. Slots stay until the set is closed; that of a removed list is empty. */
typedef struct slot {
    char name[OB_LIST_NAME_MAX + 1];
    live *now; /* NULL: removed, or in trouble. This and the next are under the set's guard */
    bool enabled;
    char *trouble; /* why a list that must be there cannot be searched: a sentence; NULL: it can */

    /* Of the maintaining thread: whether it has reported the trouble; whether it has checked the
     * files, which they were, and whether it should check them again although they are the same. */
    bool reported, checked, again;
    uint64_t files;

    /* Of owners. `renewing` is locked while the file is written anew, and before `writing`, which
     * is locked for every change that searches can see. */
    pthread_mutex_t renewing, writing;
    journal journal;
    uint64_t journal_number;
    _Atomic slot_state busy;  /* changed under `writing` */
    _Atomic uint64_t put_off; /* after so many more changes a failed merge is tried again */
} slot;

struct ob_lists {
    char *dir;
    int lock; /* of the directory; -1: a reader */
    pthread_mutex_t guard;
    slot **slots; /* by name */
    size_t count;
    list_screen screen; /* owners only */

    pthread_mutex_t noting; /* of owners: for `state`, and while that is written */
    lists_state state;
    /* Stores in the records what the state says (NULL: nothing does); whether they have it. Under
     * `noting`. */
    ob_lists_store_bound *store;
    void *store_context;
    bool is_bound;
    char *other; /* under the guard: why no list may be searched; NULL: all may */
    bool reported_other;
    /* Whether interrupted removals were completed and superfluous files deleted: that waits until
     * the lists are known to be the right ones. */
    atomic_bool started;
    bool first; /* there was no state */

    _Atomic uint64_t changes; /* counts changes of what any list finds or says */
    uint64_t merge_at;        /* entries added or withdrawn that make the keeper merge a list */
    pthread_t maintainer;
    bool maintaining; /* the thread runs */
    atomic_bool stop;
    bool work; /* under guard: something changed */
    pthread_cond_t wake;
    void (*problem)(void *context, const char *sentence);
    void *problem_context;
};

/* Opens every list. own.c adds what only owners have. */
ob_status set_open(ob_lists **out, const char *dir, int lock, ob_error *err);

/* Takes a list out that must be there and cannot be searched: until it is back, imported anew or
 * removed, a search without matches does not mean that there are none. */
void set_trouble(ob_lists *lists, slot *slot, const char *why);

/* Fails with OB_EFORMAT: that list must be there, and is not. */
ob_status set_missing(const ob_lists *lists, const char *name, ob_error *err);

/* Finds the slot of a name; NULL where there was never a list of that name. */
slot *set_find(ob_lists *lists, const char *name);

/* Returns the list as it is now, or NULL; the caller releases it with live_release. */
live *set_now(ob_lists *lists, slot *slot);

/* Puts a list in place of the old one, which lives until its last search has ended. */
void set_replace(ob_lists *lists, slot *slot, live *with);

/* Does the same with a list that live_next made. */
void set_advance(ob_lists *lists, slot *slot, live *next);

/* Finds or makes a slot, which is empty at first. */
ob_status set_slot(slot **out, ob_lists *lists, const char *name, ob_error *err);

/* ---- change.c -------------------------------------------------------------------------------- */

/* A change of a list. `writing` is locked when it ends, and `renewing` or `writing` all the time,
 * so that a list has one change at a time. */
typedef struct change {
    ob_lists *lists;
    slot *slot;
    live *next; /* NULL: not begun */
    journal_group group;
    hits found;
    uint64_t added, known, withdrawn; /* known: were there already */
} change;

ob_status change_begin(change *out, ob_lists *lists, slot *slot, ob_error *err);

/* Adds an entry, or withdraws all entries that match it; searches do not see this yet. */
ob_status change_make(change *change, const entry *entry, ob_error *err);

/* Ends a change: with `status` OB_OK it is durable, and every search that begins afterwards sees
 * it. After an error, here or in `status`, nothing has changed. */
ob_status change_end(change *change, ob_status status, ob_error *err);

/* ---- note.c: what is written to DIR/lists.state ---------------------------------------------- */

typedef struct noting {
    ob_lists *lists;
    const char *name;
} noting;

/* Notes that the file `temporary` is about to take the list's place. `context` is a noting. */
ob_status note_intent(void *context, const char *temporary, ob_error *err);

/* Notes that the file has taken the list's place. What cannot be written now is written with the
 * next change; until then the earlier note suffices. */
void note_list(ob_lists *lists, const char *name, const live *list);

/* Notes a committed group of the journal, which counts once this returns OB_OK. */
ob_status note_journal(ob_lists *lists, const slot *slot, ob_error *err);

/* Notes that a list is switched on or off, which counts once this returns OB_OK; its file is
 * renamed afterwards. */
ob_status note_switch(ob_lists *lists, const char *name, bool enabled, ob_error *err);

/* Says whether DIR/lists.state may say more than is true; note_recover writes it again. */
bool note_unsure(ob_lists *lists);
ob_status note_recover(ob_lists *lists, ob_error *err);

/* Notes when the list was updated from a file; written with the next change, or by note_save.
 * Returns the earlier instant. */
int64_t note_updated(ob_lists *lists, const char *name, int64_t at);
ob_status note_save(ob_lists *lists, ob_error *err);

/* Note that a list's files are about to be deleted, and that they were. */
ob_status note_removing(ob_lists *lists, const char *name, ob_error *err);
void note_removed(ob_lists *lists, const char *name);
/* Notes that a list could not be removed: where its file is still there, the next start does not
 * remove it. */
void note_not_removed(ob_lists *lists, const char *name);
/* Says whether the list has a file. */
bool note_stands(const ob_lists *lists, const char *name);

/* Notes what was found at the start, and completes removals. Call this under `noting`, or before
 * other threads have the lists. */
ob_status note_start(ob_lists *lists, ob_error *err);

/* Notes that a person accepted the lists as they are, also those that were being removed. */
void note_what_stands(ob_lists *lists);

/* Completes what an earlier owner began, and deletes what is no longer needed. Call this under
 * `noting`. */
ob_status own_start(ob_lists *lists, ob_error *err);

/* ---- bind.c ---------------------------------------------------------------------------------- */

/* Writes DIR/lists.state and stores it in the records; where these fail, the maintaining thread
 * tries again. Call this under `noting`. */
ob_status bind_save(ob_lists *lists, ob_error *err);

/* Stores in the records what they do not have yet. Call this under `noting`. */
void bind_again(ob_lists *lists);

/* ---- own.c and merge.c ----------------------------------------------------------------------- */

/* Sets *out to a list's slot and locks it for writing. OB_ENOTFOUND: there is no such list;
 * OB_EBUSY: it is being imported or updated. */
ob_status own_begin(slot **out, ob_lists *lists, const char *name, ob_error *err);

/* Does the same for a step that excludes merges: locks `renewing` first. */
ob_status own_begin_alone(slot **out, ob_lists *lists, const char *name, ob_error *err);

/* Says whether an entry has a hash or a digest. */
bool entry_has_content(const entry *entry);

/* Opens the journal for the next change. Called by the thread that makes the change. */
ob_status own_need_journal(ob_lists *lists, slot *slot, ob_error *err);

/* Says whether so much has changed that the list should be merged. */
bool own_is_due(const ob_lists *lists, const slot *slot, const live *list);

/* Wakes the maintaining thread. */
void own_wake(ob_lists *lists);

/* Reports a problem of the maintaining thread to the function of ob_lists_maintain. */
void own_say(const ob_lists *lists, const ob_error *err);

/* ---- watch.c --------------------------------------------------------------------------------- */

/* Checks the files of a list: takes it out where they are not what was written, and puts it back
 * where they are again. */
void watch_slot(ob_lists *lists, slot *slot);

/* Writes DIR/lists.state again where another program has changed it. */
void watch_state(ob_lists *lists);

/* Ends the maintaining thread and closes journals. */
void own_end(ob_lists *lists);

#endif
