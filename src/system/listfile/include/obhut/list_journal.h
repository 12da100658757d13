/* list_journal: what was added to a list and withdrawn from it since its file was written, in
 * groups, each of which counts as a whole or not at all (docs/FORMAT-OBX.md). */
#ifndef OBHUT_LIST_JOURNAL_H
#define OBHUT_LIST_JOURNAL_H

#include <obhut/list_entry.h>

/* What was added and withdrawn since a list file was written, in groups, each of which counts as a
 * whole or not at all (docs/FORMAT-OBX.md). */
enum { JOURNAL_VERSION = 3, JOURNAL_SUM_DIGITS = 16 };

/* How far a journal goes: so many groups, and the sum that stands for all of its lines. */
typedef struct journal_extent {
    uint64_t number, groups;
    char sum[JOURNAL_SUM_DIGITS + 1];
} journal_extent;

typedef struct journal {
    int file; /* -1: none */
    char *path;
    uint64_t size;         /* of what counts */
    journal_extent extent; /* of what counts */
    int version;           /* below JOURNAL_VERSION: may be read, but nothing may be added to it */
    bool uncertain;        /* what was not acknowledged may still stand behind it */
} journal;

/* Opens or makes a journal for appending, and cuts off what does not count. `least` is what was
 * acknowledged, where that is known: OB_EFORMAT where the journal has less. journal_close closes
 * *out. */
ob_status journal_open(journal *out, const char *dir, const char *name, uint64_t number,
                       const journal_extent *least, ob_error *err);
/* Closes the file and frees the path. A journal that was closed before is fine. */
void journal_close(journal *journal);

/* Cuts off what an earlier failure may have left behind the last group. OB_EIO: this was not
 * possible, so no group may follow. */
ob_status journal_recover(journal *journal, ob_error *err);

/* A group on its way to the disk: what is added is written as it comes, and counts once
 * journal_commit has returned OB_OK, which syncs once. journal_drop ends it in any case, and takes
 * back what was not committed. One group at a time, after journal_recover. */
typedef struct journal_group {
    journal *journal;
    ob_buf entries, lines;            /* that wait */
    uint64_t at;                      /* where the lines go */
    char sum[JOURNAL_SUM_DIGITS + 1]; /* of the line before */
    bool begun;                       /* with a line that is not its last */
} journal_group;

/* Begins a group. One group at a time, after journal_recover. */
void journal_begin(journal_group *out, journal *journal);
/* Adds an entry to the group, and writes when enough have come together. OB_EIO, OB_ENOMEM. */
ob_status journal_add(journal_group *group, const entry *entry, ob_error *err);
/* Writes the rest of the group and syncs once: with OB_OK the whole group counts. On error,
 * journal_drop follows. */
ob_status journal_commit(journal_group *group, ob_error *err);
/* Ends a group and takes back what was not committed. Call this in any case. OB_EIO: the journal is
 * uncertain. */
ob_status journal_drop(journal_group *group, ob_error *err);

/* Ends a group that may count after all: what stands there is cut off by the next change, once the
 * state is known. */
void journal_abandon(journal_group *group);

/* Takes back a group that was committed a moment ago: `before` is the journal as it was then. */
void journal_step_back(journal *j, const journal *before);

/* Whether a journal has what was acknowledged, on the disk as it is now. OB_EFORMAT, OB_ENOTFOUND,
 * OB_EREFUSED, OB_EIO. */
ob_status journal_check(const char *path, const journal_extent *least, ob_error *err);

/* How to read a journal. */
typedef struct journal_reading {
    const journal_extent *least; /* what was acknowledged; NULL: not known */
    ob_status (*each)(void *context, const entry *entry,
                      ob_error *err); /* for every entry that counts */
    void *context;
} journal_reading;

/* Reads a journal. Sets *whole (its number is the caller's) to how far the entries go that count,
 * and *version, which may be NULL. OB_EFORMAT names a damaged line, or what is missing;
 * OB_ENOTFOUND; else what `each` returns. */
ob_status journal_read(journal_extent *whole, int *version, const char *path,
                       const journal_reading *how, ob_error *err);

#endif
