/* The lists of a directory, as set.c searches and own.c changes them. */
#ifndef OBHUT_LISTS_SET_PRIV_H
#define OBHUT_LISTS_SET_PRIV_H

#include "lists_priv.h"

#include <pthread.h>

/* What keeps others from changing a list for long. */
typedef enum slot_state { SLOT_FREE, SLOT_IMPORTED, SLOT_UPDATED } slot_state;

/* One name. Slots stay until the set is closed; a removed list leaves an empty one. */
typedef struct slot {
    char name[OB_LIST_NAME_MAX + 1];
    live *now; /* NULL: removed, or there is trouble. This and the next: under the set's guard */
    bool enabled;
    char *trouble; /* why what must be there cannot be searched: a sentence; NULL: none */

    /* The keeper's: whether it has said that; what files it has looked at, and whether it should
     * look again even where these are the same. */
    bool told, looked, again;
    uint64_t files;

    /* For owners. `renewing` is held while the file is written anew, and taken before `writing`,
     * which is held for every change of what is found. */
    pthread_mutex_t renewing, writing;
    journal journal;
    uint64_t journal_number;
    _Atomic slot_state busy;  /* changed under `writing` */
    _Atomic uint64_t put_off; /* so many changes more until a merge that failed is tried again */
} slot;

struct ob_lists {
    char *dir;
    int lock; /* of the directory; -1: a reader */
    pthread_mutex_t guard;
    slot **slots; /* by name */
    size_t count;
    list_screen screen; /* owners only */

    pthread_mutex_t noting; /* of owners: for the next, and while it is written */
    lists_state state;
    /* Who tells the records what it says, NULL: nobody; and whether they know it. Under `noting`.
     */
    ob_lists_keep_bound *tell;
    void *tell_context;
    bool is_bound;
    char *other; /* under the guard: why none of the lists may be searched; NULL: they may */
    bool told_other;
    /* What was left undone before is done, and what is not needed deleted: not before it is known
     * that these are the lists they should be. */
    atomic_bool started;
    bool first; /* there was no state */

    uint64_t merge_at; /* entries added or withdrawn that make the keeper merge a list */
    pthread_t keeper;
    bool keeping; /* the thread runs */
    atomic_bool stop;
    bool work; /* under guard: something changed */
    pthread_cond_t wake;
    void (*problem)(void *context, const char *sentence);
    void *problem_context;
};

/* Opens every list; what owners have more is left to own.c. */
ob_status set_open(ob_lists **out, const char *dir, int lock, ob_error *err);

/* Takes a list out that must be there and cannot be searched: nothing that is not found counts as
 * nothing until it is back, imported anew or removed. */
void set_trouble(ob_lists *lists, slot *slot, const char *why);

/* OB_EFORMAT: that list must be there, and is not. */
ob_status set_missing(const ob_lists *lists, const char *name, ob_error *err);

/* Finds a slot; NULL where none was ever. */
slot *set_find(ob_lists *lists, const char *name);

/* The list as it is now, or NULL; live_release when done. */
live *set_now(ob_lists *lists, slot *slot);

/* Puts a list in place of the old one, which lives until its last search has ended. */
void set_replace(ob_lists *lists, slot *slot, live *with);

/* The same for what live_next made of it. */
void set_advance(ob_lists *lists, slot *slot, live *next);

/* Finds or makes a slot, which is empty at first. */
ob_status set_slot(slot **out, ob_lists *lists, const char *name, ob_error *err);

/* ---- change.c -------------------------------------------------------------------------------- */

/* A change of a list on its way. `writing` is locked at its end, and `renewing` or `writing` all
 * the time, so that there is one at a time. */
typedef struct change {
    ob_lists *lists;
    slot *slot;
    live *next; /* NULL: not begun */
    journal_group group;
    hits found;
    uint64_t added, known, withdrawn; /* known: were there already */
} change;

ob_status change_begin(change *out, ob_lists *lists, slot *slot, ob_error *err);

/* Adds an entry, or withdraws all that have what it has; no other change sees it yet. */
ob_status change_make(change *change, const entry *entry, ob_error *err);

/* Makes all of it count, durably and for every search that begins afterwards. After an error, of
 * this or of `status`, nothing counts. */
ob_status change_end(change *change, ob_status status, ob_error *err);

/* ---- note.c: what DIR/lists.state is told of ------------------------------------------------- */

typedef struct noting {
    ob_lists *lists;
    const char *name;
} noting;

/* Before the file `temporary` takes its place. `context` is a noting. */
ob_status note_intent(void *context, const char *temporary, ob_error *err);

/* Afterwards, with the list that was opened. What cannot be written now is written with the next
 * change: until then the intent holds. */
void note_list(ob_lists *lists, const char *name, const live *list);

/* A group was committed: it counts once this returns OB_OK. */
ob_status note_journal(ob_lists *lists, const slot *slot, ob_error *err);

/* A list is on or off from now on, once this returns OB_OK: what its file is called follows. */
ob_status note_switch(ob_lists *lists, const char *name, bool enabled, ob_error *err);

/* Whether DIR/lists.state may say more than is so; note_settle writes it again. */
bool note_unsure(ob_lists *lists);
ob_status note_settle(ob_lists *lists, ob_error *err);

/* The list was updated from a file at this time: said with what is written next, or by note_save.
 * Returns what was known before. */
int64_t note_updated(ob_lists *lists, const char *name, int64_t at);
ob_status note_save(ob_lists *lists, ob_error *err);

/* Before a list's files are deleted, and afterwards. */
ob_status note_removing(ob_lists *lists, const char *name, ob_error *err);
void note_removed(ob_lists *lists, const char *name);
/* It could not be removed: where it still stands, it is not removed at the next start. */
void note_kept(ob_lists *lists, const char *name);
/* Whether a file of it stands there. */
bool note_stands(const ob_lists *lists, const char *name);

/* What was found at the start; finishes removals. Under `noting`, or before anybody else has them.
 */
ob_status note_start(ob_lists *lists, ob_error *err);

/* Somebody said that the lists that stand there count: also those that were being removed. */
void note_what_stands(ob_lists *lists);

/* Ends what an owner before this one began, and deletes what is not needed any more. Under the
 * same. */
ob_status own_start(ob_lists *lists, ob_error *err);

/* ---- bind.c ---------------------------------------------------------------------------------- */

/* Writes DIR/lists.state and tells the records; where these cannot be told, the keeper tries again.
 * Under `noting`. */
ob_status bind_save(ob_lists *lists, ob_error *err);

/* Tells them what they do not know yet. Under `noting`. */
void bind_again(ob_lists *lists);

/* ---- own.c and merge.c ----------------------------------------------------------------------- */

/* Sets *out to a list's slot and locks it for writing; the list is there and nobody imports or
 * updates it. */
ob_status own_begin(slot **out, ob_lists *lists, const char *name, ob_error *err);

/* The same for a step that no merge may come between: locks `renewing` first. */
ob_status own_begin_alone(slot **out, ob_lists *lists, const char *name, ob_error *err);

/* Whether an entry has a hash or a digest. */
bool entry_has_content(const entry *entry);

/* Opens the journal that the next change goes to. By whoever makes that. */
ob_status own_need_journal(ob_lists *lists, slot *slot, ob_error *err);

/* Whether so much has changed that the list should be merged. */
bool own_is_due(const ob_lists *lists, const slot *slot, const live *list);

/* Tells the keeper that there may be something to do. */
void own_wake(ob_lists *lists);

/* What the keeper says to whoever started it. */
void own_say(const ob_lists *lists, const ob_error *err);

/* ---- watch.c --------------------------------------------------------------------------------- */

/* Looks at the files of a list: takes it out where they are not what was written, and puts it back
 * where they are again. */
void watch_slot(ob_lists *lists, slot *slot);

/* Writes DIR/lists.state again where somebody else has changed it. */
void watch_state(ob_lists *lists);

/* Ends the keeper and closes journals. */
void own_end(ob_lists *lists);

#endif
