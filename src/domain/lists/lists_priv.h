/* The parts of lists: live.c has one list, which is searched while the next version of it is made;
 * set.c, own.c, change.c, update.c, import.c, merge.c and manage.c have the public functions. The
 * module listfile knows the formats of files. */
#ifndef OBHUT_LISTS_PRIV_H
#define OBHUT_LISTS_PRIV_H

#include <obhut/crypto.h>
#include <obhut/index.h>
#include <obhut/list_dir.h>
#include <obhut/list_entry.h>
#include <obhut/list_journal.h>
#include <obhut/list_reader.h>
#include <obhut/list_state.h>
#include <obhut/lists.h>
#include <obhut/obx.h>

#include <stdatomic.h>

/* ---- low_information.c ----------------------------------------------------------------------- */

/* Hashes of flat, graded, blank and patterned pictures: an entry within 31 bits of one would match
 * almost anything. tools/low_information.c draws them. */
typedef struct list_screen {
    void *memory;
    ob_index index;
} list_screen;

/* Makes the index of those hashes; call list_screen_free in any case. */
ob_status list_screen_init(list_screen *screen, ob_error *err);
void list_screen_free(list_screen *screen);

/* Sets near[i] to whether the hash of such a picture is near hashes[i]. */
ob_status list_screen_all(bool *near, const list_screen *screen, const ob_hash256 *hashes,
                          uint32_t count, ob_error *err);

/* Returns the name of such a picture whose hash is near this one, or NULL. */
const char *list_screen_name(const list_screen *screen, const ob_hash256 *hash);

/* ---- nothing.c ------------------------------------------------------------------------------- */

/* Returns why a digest of an entry must not be listed (that of an empty file, for example), or
 * NULL. */
const char *list_digest_of_nothing(const entry *entry);

unsigned list_hash_bits(const ob_hash256 *hash);

/* ---- live.c, live_change.c, live_search.c ---------------------------------------------------- */

/* A list as it is at one moment: a file, the entries added since, and which of all these were
 * withdrawn. Any number of threads may read it. It never changes once others have it: a
 * change of the list makes the next one beside it, which shares all that stays. Counts its users.
 */
typedef struct live live;

/* Opens a list with its journals, which must be what DIR/lists.state says. OB_EFORMAT names what is
 * damaged, missing or another; OB_ENOTFOUND: no such list. */
ob_status live_open(live **out, const char *dir, const char *name, ob_error *err);

/* Opens it with another size up to which its file is read at once (obx_open). */
ob_status live_open_as(live **out, const char *dir, const char *name, uint64_t at_once,
                       ob_error *err);

/* Notes in a list's state what was opened. */
ob_status live_note(list_state *to, const live *list, ob_error *err);
live *live_ref(live *list);
void live_release(live *list); /* NULL is fine */

void live_info(ob_list_info *out, const live *list);
uint64_t
live_journal(const live *list); /* journals from this number on are not merged into the file */
uint32_t live_digests(const live *list); /* bit k: it has digests of kind k */
uint64_t
live_changes(const live *list); /* entries added and withdrawn since the file was written */

/* A match. Entries are numbered: those of the file, then those that were added. */
typedef struct hit {
    uint64_t entry;
    uint32_t query, list, distance;
    uint64_t of_query; /* matches of this query in all */
    ob_hash256 hash;   /* zero where a digest matched */
} hit;

/* The matches so far. With a limit, only the nearest `limit` of each query are stored and the
 * others counted, so that the memory does not depend on the lists. */
typedef struct hits {
    hit *hit;
    size_t count, capacity;
    uint32_t list;           /* stored with the following matches */
    uint32_t limit, queries; /* 0: no limit, `hit` grows */
    uint32_t *used;          /* of each query: how many of hit[query * limit …], a heap */
    uint64_t *totals;        /* of each query: all that were found */
} hits;

/* ---- hits.c ---------------------------------------------------------------------------------- */

/* Begins: at most `limit` matches (0: any number) of each of `queries` queries. Call hits_free in
 * any case. */
ob_status hits_begin(hits *out, uint32_t queries, uint32_t limit, ob_error *err);
ob_status hits_note(hits *to, const hit *found, ob_error *err);
void hits_free(hits *hits);

/* Ends: sorts the stored matches by query, distance, list, entry, sets their of_query, and *total
 * to the matches of all queries. Add nothing afterwards. */
void hits_end(uint64_t *total, hits *hits);

/* Appends sorted matches to `to`, which has no limit. */
ob_status hits_append(hits *to, const hits *from, ob_error *err);

/* Adds all matches of the queries in this list. */
ob_status live_match(hits *out, const live *list, const ob_hash256 *queries, uint32_t count,
                     unsigned distance, ob_error *err);
ob_status live_match_digests(hits *out, const live *list, int kind, const uint8_t *queries,
                             uint32_t count, ob_error *err);

/* Fills list, source, classification and entry of a match; the texts are the list's. */
ob_status live_describe(ob_list_match *out, const live *list, uint64_t entry, ob_error *err);

/* Makes the next version of the list, which only the caller has, for the calls below. One at a
 * time. */
ob_status live_next(live **out, const live *from, ob_error *err);

/* Drops what live_next made of `from`, with everything that was added to it. */
void live_give_up(live *next, const live *from);

/* Sets *out to the entries that count and have all that `which` has: a hash or a digest at least.
 */
ob_status live_find(hits *out, const live *next, const entry *which, ob_error *err);

/* Adds an entry, which must have an id. OB_ELIMIT: the added entries must be merged first. */
ob_status live_add(live *next, const entry *entry, ob_error *err);

/* Withdraws an entry, and adds 1 to *withdrawn where it was not withdrawn before. */
ob_status live_withdraw(uint64_t *withdrawn, live *next, uint64_t entry, ob_error *err);

/* Calls `each` for every entry that is not withdrawn, in order. The id is NULL where it is the
 * line's number. */
ob_status live_each(const live *list,
                    ob_status (*each)(void *context, const entry *entry, ob_error *err),
                    void *context, ob_error *err);

/* Says whether the path leads to the list's file, unchanged. */
bool live_is_of(const live *list, const char *path);

/* Compares all checksums. After OB_EFORMAT or OB_EIO every later call fails. */
ob_status live_check(live *list, ob_error *err);

/* Returns OB_EFORMAT or OB_EIO, with the list's name, where something that was read from it may be
 * wrong. Call this after each reading. */
ob_status live_whole(const live *list, ob_error *err);

/* Returns the status of a call that has read the list: its own, or that of live_whole. */
ob_status live_end(const live *list, ob_status status, ob_error *err);

/* Compares all checksums and moves the index into huge pages where there is memory, while searches
 * go on. Later calls, for this list or one made from it, do nothing. One thread at a time. */
ob_status live_preload(live *list, ob_error *err);

/* ---- import_read.c --------------------------------------------------------------------------- */

/* Reads import->file and calls `each` for every entry that is not refused, also for withdrawn ones
 * (which may have an id alone). Counts lines, bad and refused ones; returns an error where the
 * import does not accept these. */
ob_status import_read(ob_import_result *counts, const ob_import *import, const list_screen *screen,
                      ob_status (*each)(void *context, const entry *entry, ob_error *err),
                      void *context, ob_error *err);

/* ---- import.c and keep.c, for who has the lock ----------------------------------------------- */

/* What an import needs of DIR/lists.state. */
typedef struct import_notes {
    /* Called before a new file takes the list's place, with that file. */
    ob_status (*intend)(void *context, const char *temporary, ob_error *err);
    void *context;
    uint64_t
        journal_least; /* journals below this number are used up, also those that are missing */
    uint64_t entries_before; /* of the list that is replaced; 0: none */
} import_notes;

ob_status import_under_lock(ob_import_result *out, const char *dir, const ob_import *import,
                            const import_notes *notes, ob_error *err);
ob_status import_name(char out[OB_LIST_NAME_MAX + 1], const ob_import *import, ob_error *err);
ob_status enable_under_lock(const char *dir, const char *name, bool enabled, ob_error *err);
ob_status remove_under_lock(const char *dir, const char *name, ob_error *err);

#endif
