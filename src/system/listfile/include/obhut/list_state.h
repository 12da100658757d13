/* list_state: DIR/lists.state: which lists a directory has, which file each has, and how far its
 * journals go (docs/FORMAT-OBX.md). */
#ifndef OBHUT_LIST_STATE_H
#define OBHUT_LIST_STATE_H

#include <obhut/list_journal.h>

#include <sys/types.h>
#include <time.h>

typedef enum list_switch { SWITCH_UNKNOWN, SWITCH_ON, SWITCH_OFF } list_switch;

/* DIR/lists.state says, beside the folder of lists, which lists there are, which file each has and
 * how far its journals go (docs/FORMAT-OBX.md). */
typedef struct list_state {
    char name[OB_LIST_NAME_MAX + 1];
    uint8_t file[OB_SHA256_SIZE]; /* the sum in the file's header; zeros: not known yet */
    uint8_t next[OB_SHA256_SIZE]; /* of the file that is taking its place; zeros: none */
    bool removed;                 /* its files are being deleted */
    list_switch is;               /* on or off, whatever its file is called */
    int64_t updated_at;           /* from a file, since it was imported; 0: never, or not known */
    journal_extent *journals;
    size_t journal_count;
} list_state;

/* Stands for a file of which nobody knows what it should be: none has this sum. */
extern const uint8_t state_unknown[OB_SHA256_SIZE];

/* What the records may know (bind.c): as many as were told since they last said that they do. */
enum { STATE_REPORTED_MOST = 32 };

typedef struct lists_state {
    bool there;
    uint64_t changes;             /* how often what it says became another */
    uint8_t said[OB_SHA256_SIZE]; /* of what it says of lists */
    uint8_t reported[STATE_REPORTED_MOST][OB_SHA256_SIZE];
    size_t reported_count;
    ino_t inode; /* of the file, with its size and time: whether somebody else has changed it */
    off_t size;
    struct timespec written;
    char sum[2 * OB_SHA256_SIZE + 1]; /* of the file; "": there is none */
    list_state *lists;
    size_t count;
    bool unsure; /* the file may say more than this: it was put in place, and then a disk failed */
} lists_state;

/* Reads DIR/lists.state. Where there is no such file, *out has `there` unset. OB_EFORMAT: the file
 * is damaged. Call state_free in any case. */
ob_status state_load(lists_state *out, const char *dir, ob_error *err);
/* Writes the file and syncs it, whatever it said before. On OB_EIO state->unsure says whether the
 * file may have been replaced. */
ob_status state_save(lists_state *state, const char *dir, ob_error *err);

/* Writes the file as state_save does, where it would say something else. */
ob_status state_save_changed(lists_state *state, const char *dir, ob_error *err);

/* Frees everything in `state`. */
void state_free(lists_state *state);

/* Notes what the state says now as one of the versions that the records may know, before they are
 * told. */
void state_reporting(lists_state *state);
/* Notes that the records know what the state says now, and nothing older. */
void state_reported(lists_state *state);
/* Says whether the state is the version that the records know, `known`, or became of it. */
bool state_follows(const lists_state *state, const uint8_t known[OB_SHA256_SIZE]);

/* Says whether the file is the one that this process read or wrote last. */
bool state_is_ours(const lists_state *state, const char *dir);

/* Says whether the list is switched on; where the state does not know, `as_called` (what the name
 * of its file says). `list` may be NULL. */
bool state_is_on(const list_state *list, bool as_called);

/* Says whether the state knows which file the list has, or that none fits. */
bool state_has_file(const list_state *list);

/* Returns the list of this name, which belongs to `state`; NULL where there is none. */
list_state *state_find(const lists_state *state, const char *name);

/* Finds or adds the list of this name; it belongs to `state`. NULL: out of memory. */
list_state *state_need(lists_state *state, const char *name);
/* Removes the list of this name from `state`, if it is there. */
void state_drop(lists_state *state, const char *name);

/* Returns a number above that of every journal of this list that the state knows. */
uint64_t state_next_journal(const lists_state *state, const char *name);

/* Returns how far a journal goes; it belongs to `list`. NULL: the journal is not known. */
const journal_extent *state_extent(const list_state *list, uint64_t number);
/* Adds or replaces how far a journal goes. OB_ENOMEM. */
ob_status state_put_extent(list_state *list, const journal_extent *extent, ob_error *err);
/* Removes what is known of journals with numbers below `below`. */
void state_drop_extents(list_state *list, uint64_t below);

#endif
