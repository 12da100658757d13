/* The parts of lists: live.c is a list that answers while the next one is made of it; set.c, own.c,
 * change.c, update.c, import.c, merge.c and keep.c are what users call. What their files look like
 * is listfile's. */
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

/* Hashes of flat, graded, blank and patterned pictures: whatever lies within 31 of one would match
 * anything. tools/low_information.c draws them. */
typedef struct list_screen {
    void *memory;
    ob_index index;
} list_screen;

/* list_screen_free in any case. */
ob_status list_screen_init(list_screen *screen, ob_error *err);
void list_screen_free(list_screen *screen);

/* Sets near[i] where such a picture is near hashes[i]. */
ob_status list_screen_all(bool *near, const list_screen *screen, const ob_hash256 *hashes,
                          uint32_t count, ob_error *err);

/* The name of such a picture near this hash, or NULL. */
const char *list_screen_name(const list_screen *screen, const ob_hash256 *hash);

/* ---- nothing.c ------------------------------------------------------------------------------- */

/* Why some digest of an entry would match what nobody means, or NULL. */
const char *list_digest_of_nothing(const entry *entry);

unsigned list_hash_bits(const ob_hash256 *hash);

/* ---- live.c, live_change.c, live_search.c ---------------------------------------------------- */

/* A list as it is at one moment: a file, the entries added since, and which of all these were
 * withdrawn. Any number of threads may read it. It never changes once others have it: whoever
 * changes the list makes the next one beside it, which shares all that stays. Counts its users. */
typedef struct live live;

/* Opens a list with its journals, which must be what DIR/lists.state says. OB_EFORMAT names what is
 * damaged, missing or another; OB_ENOTFOUND: no such list. */
ob_status live_open(live **out, const char *dir, const char *name, ob_error *err);

/* The same with another size up to which its file is read at once (obx_open). */
ob_status live_open_as(live **out, const char *dir, const char *name, uint64_t at_once,
                       ob_error *err);

/* Notes in a list's state what was opened. */
ob_status live_note(list_state *to, const live *list, ob_error *err);
live *live_keep(live *list);
void live_release(live *list); /* NULL is fine */

void live_info(ob_list_info *out, const live *list);
uint64_t live_journal(const live *list); /* journals from this number on are not in the file */
uint32_t live_digests(const live *list); /* bit k: it has digests of kind k */
uint64_t live_changes(const live *list); /* entries added and withdrawn since */

/* Entries are numbered: those of the file, then those added. */
typedef struct hit {
    uint64_t entry;
    uint32_t query, list, distance;
    uint64_t of_query; /* how many the query has in all */
    ob_hash256 hash;   /* zero where a digest matched */
} hit;

/* What was found so far. With a limit, the nearest `limit` of each query are kept while it is
 * searched and the others only counted, so that memory does not depend on what a list has. */
typedef struct hits {
    hit *hit;
    size_t count, capacity;
    uint32_t list;           /* number that is noted with the next ones */
    uint32_t limit, queries; /* 0: no limit, `hit` grows */
    uint32_t *used;          /* of each query: how many of hit[query * limit …], a heap */
    uint64_t *totals;        /* of each query: all that were found */
} hits;

/* ---- hits.c ---------------------------------------------------------------------------------- */

/* Keeps at most `limit` (0: any number) of each of `queries` queries. hits_free in any case. */
ob_status hits_begin(hits *out, uint32_t queries, uint32_t limit, ob_error *err);
ob_status hits_note(hits *to, const hit *found, ob_error *err);
void hits_free(hits *hits);

/* Puts what is kept one behind the other, by query, distance, list, entry, each with how many its
 * query has in all; *total is of all queries. Nothing is noted afterwards. */
void hits_end(uint64_t *total, hits *hits);

/* Appends to `to`, which has no limit, what hits_end left. */
ob_status hits_append(hits *to, const hits *from, ob_error *err);

/* Appends whatever matches and counts. */
ob_status live_match(hits *out, const live *list, const ob_hash256 *queries, uint32_t count,
                     unsigned distance, ob_error *err);
ob_status live_match_digests(hits *out, const live *list, int kind, const uint8_t *queries,
                             uint32_t count, ob_error *err);

/* Fills list, source, classification and entry of a match; the texts are the list's. */
ob_status live_describe(ob_list_match *out, const live *list, uint64_t entry, ob_error *err);

/* The list as it will be: a copy that nobody else has yet, for the calls below. One at a time. */
ob_status live_next(live **out, const live *from, ob_error *err);

/* Gives up what live_next made of `from`, with all that was added to it. */
void live_give_up(live *next, const live *from);

/* Sets *out to the entries that count and have all that `which` has: a hash or a digest at least.
 */
ob_status live_find(hits *out, const live *next, const entry *which, ob_error *err);

/* Adds an entry, which must have an id. OB_ELIMIT: so many were added that they must be merged
 * first. */
ob_status live_add(live *next, const entry *entry, ob_error *err);

/* Withdraws an entry; *withdrawn is raised by one if it counted. */
ob_status live_withdraw(uint64_t *withdrawn, live *next, uint64_t entry, ob_error *err);

/* Calls `each` for every entry that counts, in order. Ids are NULL where the line's number is
 * meant. */
ob_status live_each(const live *list,
                    ob_status (*each)(void *context, const entry *entry, ob_error *err),
                    void *context, ob_error *err);

/* Whether that path leads to the list's file, and nobody has written into it. */
bool live_is_of(const live *list, const char *path);

/* Compares all checksums. After OB_EFORMAT or OB_EIO the list only fails. */
ob_status live_check(live *list, ob_error *err);

/* OB_EFORMAT or OB_EIO, with the list's name, where what was read from it so far cannot be
 * believed: to be asked after each reading. */
ob_status live_whole(const live *list, ob_error *err);

/* What a call that has read the list returns, given how it went. */
ob_status live_end(const live *list, ob_status status, ob_error *err);

/* Does that and moves the index into huge pages where there is memory, while searches go on. Once:
 * the next call, for this list or one made from it, does nothing. One thread at a time. */
ob_status live_settle(live *list, ob_error *err);

/* ---- import_read.c --------------------------------------------------------------------------- */

/* Reads import->file and calls `each` for every entry, withdrawn ones too (which may have an id
 * alone), but for those that are refused. Counts lines, bad and refused; an error where those must
 * not be. */
ob_status import_read(ob_import_result *counts, const ob_import *import, const list_screen *screen,
                      ob_status (*each)(void *context, const entry *entry, ob_error *err),
                      void *context, ob_error *err);

/* ---- import.c and keep.c, for who has the lock ----------------------------------------------- */

/* What an import has to do with DIR/lists.state. */
typedef struct import_notes {
    /* Called with the file that will be put in its place, before that. */
    ob_status (*intend)(void *context, const char *temporary, ob_error *err);
    void *context;
    uint64_t
        journal_least; /* journals below this one had their time, also those that are missing */
    uint64_t entries_before; /* of the list whose place is taken; 0: none */
} import_notes;

ob_status import_under_lock(ob_import_result *out, const char *dir, const ob_import *import,
                            const import_notes *notes, ob_error *err);
ob_status import_name(char out[OB_LIST_NAME_MAX + 1], const ob_import *import, ob_error *err);
ob_status enable_under_lock(const char *dir, const char *name, bool enabled, ob_error *err);
ob_status remove_under_lock(const char *dir, const char *name, ob_error *err);

#endif
