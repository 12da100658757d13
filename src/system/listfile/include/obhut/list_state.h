/* list_state: DIR/lists.state, what each list of a directory must have. */
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
    journal_mark *journals;
    size_t journal_count;
} list_state;

/* Stands for a file of which nobody knows what it should be: none has this sum. */
extern const uint8_t state_unknown[OB_SHA256_SIZE];

/* What the records may know (bind.c): as many as were told since they last said that they do. */
enum { STATE_TOLD_MOST = 32 };

typedef struct lists_state {
    bool there;
    uint64_t changes;             /* how often what it says became another */
    uint8_t said[OB_SHA256_SIZE]; /* of what it says of lists */
    uint8_t told[STATE_TOLD_MOST][OB_SHA256_SIZE];
    size_t told_count;
    ino_t inode; /* of the file, with its size and time: whether somebody else has changed it */
    off_t size;
    struct timespec written;
    char sum[2 * OB_SHA256_SIZE + 1]; /* of the file; "": there is none */
    list_state *lists;
    size_t count;
    bool unsure; /* the file may say more than this: it was put in place, and then a disk failed */
} lists_state;

/* OB_EFORMAT: damaged. Where there is no such file, *out has `there` unset. state_free in any case.
 */
ob_status state_load(lists_state *out, const char *dir, ob_error *err);
ob_status state_save(lists_state *state, const char *dir, ob_error *err);

/* The same where the file says something else. */
ob_status state_save_changed(lists_state *state, const char *dir, ob_error *err);

void state_free(lists_state *state);

/* The records are about to be told what it says; they know nothing else any more; whether this is
 * what they know, or what they knew before it. */
void state_telling(lists_state *state);
void state_has_told(lists_state *state);
bool state_follows(const lists_state *state, const uint8_t known[OB_SHA256_SIZE]);

/* Whether the file is the one that was read or written last. */
bool state_is_ours(const lists_state *state, const char *dir);

/* Whether the list is on; where nobody has noted that, as its file is called. `list` may be NULL.
 */
bool state_is_on(const list_state *list, bool as_called);

/* Whether it is known which file the list has, or that none fits. */
bool state_has_file(const list_state *list);

list_state *state_find(const lists_state *state, const char *name);

/* Finds or makes; NULL: out of memory. */
list_state *state_need(lists_state *state, const char *name);
void state_drop(lists_state *state, const char *name);

/* The number that no journal of this list has had, as far as the state knows. */
uint64_t state_next_journal(const lists_state *state, const char *name);

/* NULL: the journal is not known. */
const journal_mark *state_mark(const list_state *list, uint64_t number);
ob_status state_put_mark(list_state *list, const journal_mark *mark, ob_error *err);
void state_drop_marks(list_state *list, uint64_t below);

#endif
