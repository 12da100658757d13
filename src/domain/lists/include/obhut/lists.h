/* lists: the lists of known hashes in a data directory: import, export, change, matching.
 *
 * A list is one file, DIR/lists/NAME.obx (docs/FORMAT-OBX.md), replaced as a whole: readers use the
 * old file until the new one is complete and synced. A journal beside it has what was added and
 * withdrawn since, until both are merged. A list that is switched off is named NAME.obx.off. One
 * process at a time changes lists (DIR/lock); readers need no lock. */
#ifndef OBHUT_LISTS_H
#define OBHUT_LISTS_H

#include <stdio.h>

#include <obhut/listfile.h>

/* ---- Files of publishers --------------------------------------------------------------------- */

/* What is refused until somebody says otherwise. */
enum {
    OB_IMPORT_LOW_QUALITY = 1, /* PDQ hashes whose quality is below 50, by the file's own word */
    OB_IMPORT_SHRINKING = 2,   /* an import that leaves less than half of the entries */
};

typedef struct ob_import {
    const char *file;    /* "-": standard input */
    const int *from;     /* not NULL: read from this descriptor; file is what it is called */
    const char *name;    /* NULL: the file's, without directory and extension, lower case */
    const char *purpose; /* NULL: csam, the only one there is */
    const char *source;  /* NULL: empty */
    bool keep_going;     /* leave bad and refused lines out instead of refusing the file */
    ob_import_type type;
    unsigned accept; /* OB_IMPORT_LOW_QUALITY | … */

    /* May be NULL. `line_error` hears of every bad or refused line: a whole sentence. `progress`
     * is called now and then; total_bytes is 0 where unknown. */
    void (*line_error)(void *context, const char *sentence);
    void (*progress)(void *context, const char *step, uint64_t done, uint64_t total);
    void *context;
} ob_import;

typedef struct ob_import_result {
    char name[OB_LIST_NAME_MAX + 1];
    uint64_t lines;          /* with an entry on them, good or bad */
    uint64_t entries;        /* in the new list; of an update: added */
    uint64_t duplicates;     /* the same hash again, with the same id or with none: kept once */
    uint64_t withdrawn;      /* left out, since their state says so; of an update: withdrawn */
    uint64_t bad;            /* not readable */
    char sha256[2 * 32 + 1]; /* of the file as it was given away; empty: it was not read whole */
    uint64_t refused;        /* would match anything, or cannot be what they are said to be */
    ob_import_understood understood;
} ob_import_result;

/* Sets *out to the name that the list gets, from import->name or import->file. OB_EINVAL: no list
 * can have that name. */
ob_status ob_list_import_name(char out[OB_LIST_NAME_MAX + 1], const ob_import *import,
                              ob_error *err);

/* A PDQ hash has 128 of its 256 bits set: those above the median. Where many values are equal, as
 * in drawings and padded pictures, it has fewer, never more (docs/HASHING.md). Digests have any
 * number. */
enum { OB_LIST_PDQ_BITS = 128 };
/* Says whether a hash can be a PDQ hash, which has at most OB_LIST_PDQ_BITS bits set. */
bool ob_list_may_be_pdq(const ob_hash256 *hash);

/* ---- Looking --------------------------------------------------------------------------------- */

/* Reads the whole file and compares every checksum. OB_EFORMAT: the list is damaged. */
ob_status ob_list_check(ob_list_info *out, const char *dir, const char *name, ob_error *err);

/* Sets *out to an array of *count infos by name; the caller frees it with free(). A directory that
 * does not exist has no lists. `broken` is called with a sentence for each list that is missing or
 * cannot be opened. */
ob_status ob_list_all(ob_list_info **out, size_t *count, const char *dir,
                      void (*broken)(void *context, const char *sentence), void *context,
                      ob_error *err);

/* Writes the list to `to` as CSV that ob_lists_import reads. */
ob_status ob_list_export(const char *dir, const char *name, FILE *to, ob_error *err);

/* ---- Matching -------------------------------------------------------------------------------- */

/* The lists of a directory, mapped. */
typedef struct ob_lists ob_lists;

/* Opens them for reading: they stay what they were when opened. OB_EFORMAT, OB_EIO, OB_EREFUSED
 * name a file that is damaged, missing or not to be read: no list is silently left out. A directory
 * without lists opens as empty. The caller owns *out: ob_lists_close. */
ob_status ob_lists_open(ob_lists **out, const char *dir, ob_error *err);
/* Ends the thread of ob_lists_maintain, releases the lock and frees `lists`. No thread may use
 * `lists` afterwards; matches that were found stay usable. NULL is fine. */
void ob_lists_close(ob_lists *lists);

/* Returns the data directory; the text belongs to `lists`. */
const char *ob_lists_dir(const ob_lists *lists);

/* Sets *out to an array of *count infos by name, of the lists that are open; the caller frees it
 * with free(). No file is read. */
ob_status ob_lists_info(ob_list_info **out, size_t *count, ob_lists *lists, ob_error *err);

/* Returns a number that changes whenever the answers of these functions may have changed. Never
 * waits. */
uint64_t ob_lists_changes(const ob_lists *lists);

/* Returns the number of lists that are switched on. */
size_t ob_lists_count(ob_lists *lists);
/* Returns the number of entries in all lists that are switched on. */
uint64_t ob_lists_entries(ob_lists *lists);
/* Returns bits: bit k is set where an entry has a digest of kind k. */
uint32_t ob_lists_digests(ob_lists *lists);

typedef struct ob_list_match {
    uint32_t query;
    unsigned distance;              /* of digests: 0 */
    uint64_t of_query;              /* matches of this query, with those left out by a limit */
    ob_hash256 hash;                /* the entry's; zero where a digest matched */
    const char *list;               /* its name; lives as long as the ob_list_matches, like these */
    const char *source;             /* who reported the entry; the list's where it has no own */
    const char *classification;     /* the source's own word; may be empty */
    char entry[OB_LIST_ID_MAX + 1]; /* the entry's id in its list */
} ob_list_match;

/* What was found: by query, then distance, then list, then place in the list. */
typedef struct ob_list_matches {
    ob_list_match *match;
    size_t count;
    uint64_t total;      /* with those left out by a limit */
    const char *missing; /* why some enabled list could not be searched: what is not found here may
                          * be in it; NULL: all were searched */
    void *refs;          /* the lists that the texts belong to */
} ob_list_matches;

/* With a limit, a search keeps at most OB_LISTS_MATCHES_MOST matches, however many queries there
 * are: of each query the nearest `limit`, or its share of these where that is less. Further ones
 * are counted only, in of_query and total; memory does not grow with them.
 *
 * OB_LISTS_OF_EACH: so many of each list, so that one with many near entries does not hide what
 * another has; for decisions. OB_LISTS_NO_LIMIT: all, for callers that may use so much memory. */
enum { OB_LISTS_NO_LIMIT = 0, OB_LISTS_MATCHES_MOST = 16384 };
#define OB_LISTS_OF_EACH UINT32_MAX

/* Matches of every query in every enabled list, as `limit` says.
 * *out is set on success; the caller frees it with ob_list_matches_free. OB_EINVAL: distance above
 * 31. Any number of threads at once. */
ob_status ob_lists_match(ob_list_matches *out, ob_lists *lists, const ob_hash256 *queries,
                         uint32_t query_count, unsigned distance, uint32_t limit, ob_error *err);

/* Finds equal digests in every enabled list: query_count queries of ob_list_digest_width(kind)
 * bytes each. Limits, results and errors as ob_lists_match; the caller frees *out:
 * ob_list_matches_free. */
ob_status ob_lists_match_digests(ob_list_matches *out, ob_lists *lists, ob_list_digest kind,
                                 const uint8_t *queries, uint32_t query_count, uint32_t limit,
                                 ob_error *err);

/* Frees the matches and releases the lists that their texts belong to. {0} is fine. */
void ob_list_matches_free(ob_list_matches *matches);

/* Returns OB_EIO, with the sentence, where a list could not be searched and one of `queries`
 * queries has no match. Call this before changing `query` of a match. */
ob_status ob_list_matches_whole(const ob_list_matches *matches, uint32_t queries, ob_error *err);

/* Returns how many enabled lists cannot be searched at the moment. *out (may be NULL) is set to why
 * the first one cannot, for the caller to free, or to NULL. */
size_t ob_lists_trouble(char **out, ob_lists *lists);

/* ---- Comparing ------------------------------------------------------------------------------- */

/* Another list, and how many entries it has of one that was compared with it: equal hashes, or
 * equal digests of any kind. */
typedef struct ob_list_shared {
    char list[OB_LIST_NAME_MAX + 1];
    uint64_t entries;
} ob_list_shared;

/* Compares a list with all others, switched on or not. At most `most` of its entries are compared,
 * evenly spread; *compared is set to how many. Sets *out to the lists that share entries with it,
 * by name; the caller frees it with free(). OB_ENOTFOUND: there is no such list. */
ob_status ob_lists_overlap(ob_list_shared **out, size_t *count, uint64_t *compared, ob_lists *lists,
                           const char *name, uint64_t most, ob_error *err);
enum { OB_LISTS_OVERLAP_MOST = 100000 };

/* ---- Binding --------------------------------------------------------------------------------- */

/* What DIR/lists.state says, to be stored elsewhere as well: so that an older copy of the lists
 * that was put back together with the file is noticed. */
typedef struct ob_lists_bound {
    uint64_t changes; /* of what it says; for sentences */
    uint8_t sum[32];  /* of what it says */
} ob_lists_bound;

/* Stores the state, in place of the one stored before. */
typedef ob_status ob_lists_store_bound(void *context, const ob_lists_bound *now, ob_error *err);

/* Compares the lists of a directory with `known`. OB_EFORMAT: they are neither the lists that were
 * known nor what became of them; the sentence says which list, and what to do. */
ob_status ob_lists_compare(const char *dir, const ob_lists_bound *known, ob_error *err);

/* Calls `store` from now on with the state after every change, on the thread that makes the change
 * or on that of ob_lists_maintain. `known` is the state that was stored last; NULL: none. Where the
 * lists differ from it, none of them is searched, and ob_list_matches.missing and ob_lists_trouble
 * say why, until ob_lists_accept: that is no error here. A change that was not reported because the
 * process was killed is reported now. For owners. Returns errors of `store`. */
ob_status ob_lists_bind(ob_lists *lists, const ob_lists_bound *known, ob_lists_store_bound *store,
                        void *context, ob_error *err);

/* Ends the calls of `store`, after waiting for the present one. */
void ob_lists_unbind(ob_lists *lists);

/* Accepts the lists of the directory as they are, after a person has checked them, so that they are
 * searched. Does nothing where they are accepted already. */
ob_status ob_lists_accept(ob_lists *lists, ob_error *err);

/* ---- Changing while answering ---------------------------------------------------------------- */

/* Opens the lists like ob_lists_open, for the one process that changes them: takes the directory's
 * lock until the caller closes *out with ob_lists_close. OB_EBUSY: another process has it. The
 * calls below need this.
 *
 * A list that cannot be opened is no error here: the others answer, ob_list_matches.missing and
 * ob_lists_trouble say why, and it may be imported anew or removed. The thread of ob_lists_maintain
 * tries it again. */
ob_status ob_lists_own(ob_lists **out, const char *dir, ob_error *err);

/* Opens the lists like ob_lists_own, where ob_lists_bind follows: no removal is completed and no
 * file deleted until that has compared the lists, or ob_lists_accept was called. The caller closes
 * *out. */
ob_status ob_lists_own_unchecked(ob_lists **out, const char *dir, ob_error *err);

/* Starts a thread that moves lists into huge pages, merges large journals, and tries again to open
 * what could not be opened. `problem` is called on that thread with a sentence about what failed. A
 * list that turns out to be damaged is no longer searched; ob_list_matches.missing says so. */
ob_status ob_lists_maintain(ob_lists *lists, void (*problem)(void *context, const char *sentence),
                            void *context, ob_error *err);

enum { OB_LISTS_ADD_MAX = 4096 };

/* One entry, for adding, or what an entry must have to be withdrawn. */
typedef struct ob_list_entry {
    const ob_hash256 *hash;                 /* NULL: none */
    const uint8_t *digest[OB_LIST_DIGESTS]; /* NULL: none */
    const char *id;                         /* NULL: for adding, the first digits of the above */
    const char *source, *classification;    /* NULL: the list's own, none */
} ob_list_entry;

/* Adds at most OB_LISTS_ADD_MAX entries to a list. They are on the disk, and every search that
 * begins afterwards finds them, when this returns OB_OK; on any error none was added, and no search
 * finds only some. *added (may be NULL) counts without those that were in the list already.
 * OB_EREFUSED: too close to a picture with nothing in it; OB_EINVAL: neither hash nor digest, or
 * texts that are too long or no UTF-8; OB_ENOTFOUND; OB_EBUSY: the list is being imported or
 * updated; OB_EIO; OB_ELIMIT: so much was added that it must be merged first. */
ob_status ob_lists_add(uint64_t *added, ob_lists *lists, const char *name,
                       const ob_list_entry *entries, size_t count, ob_error *err);

/* Withdraws every entry that has all that one of `which` names: no search that begins after the
 * return finds them. What names an id alone makes this read the whole list. *withdrawn (may be
 * NULL) is 0 when there was nothing of the kind. OB_ENOTFOUND: no such list; OB_EIO: nothing was
 * withdrawn. */
ob_status ob_lists_withdraw(uint64_t *withdrawn, ob_lists *lists, const char *name,
                            const ob_list_entry *which, size_t count, ob_error *err);

/* Reads a published list in any of the shapes of docs/LISTS.md, told apart by how it begins, and
 * replaces or creates the list, while searches go on. A list that was switched off stays so.
 *
 * All or nothing: on any error the old list stays and answers; *out then counts what was read.
 * OB_EFORMAT: bad lines (without keep_going), or nothing good at all; OB_EREFUSED: refused lines
 * (without keep_going), hashes most of which can be no PDQ hashes, a list that shrinks to under
 * half, or a purpose other than csam; OB_EINVAL: an impossible name; OB_EBUSY: the list is being
 * updated; OB_EIO: with the path and the system's reason. */
ob_status ob_lists_import(ob_import_result *out, ob_lists *lists, const ob_import *import,
                          ob_error *err);

/* Adds and withdraws what a file says, in the formats of ob_lists_import, to a list that is there:
 * entries whose state is withdrawn are withdrawn, the others added, in the order of the file.
 * import->name is the list, its source that of added entries that name none.
 *
 * One change, however large: on any error the list is what it was, and so it is after a crash; on
 * OB_OK all of it is on the disk, and every search that begins afterwards knows all of it. Searches
 * see the list before or after, nothing between. Takes some 100 bytes of memory for each entry
 * added. Waits for a merge of the list; ob_lists_add, _withdraw meanwhile: OB_EBUSY. Errors as
 * ob_lists_import, ob_lists_add. */
ob_status ob_lists_update(ob_import_result *out, ob_lists *lists, const ob_import *import,
                          ob_error *err);

/* Writes a list's file anew, with what was added and without what was withdrawn, while searches and
 * changes go on. `progress` may be NULL. OB_ENOTFOUND: no such list; OB_EBUSY: the list is being
 * imported or updated; OB_EIO. */
ob_status ob_lists_merge(ob_lists *lists, const char *name,
                         void (*progress)(void *context, const char *step, uint64_t done,
                                          uint64_t total),
                         void *context, ob_error *err);

/* Switches a list on or off for every search that begins after the return. OB_ENOTFOUND: no such
 * list. */
ob_status ob_lists_set_enabled(ob_lists *lists, const char *name, bool enabled, ob_error *err);

/* Deletes a list and its journals. OB_ENOTFOUND: no such list. */
ob_status ob_lists_remove(ob_lists *lists, const char *name, ob_error *err);

/* ---- Copying --------------------------------------------------------------------------------- */

/* A file of DIR/lists, open: its first `size` bytes are what is copied. */
typedef struct ob_list_file {
    char name[OB_LIST_FILE_MAX + 1];
    int file;
    uint64_t size;
} ob_list_file;

typedef struct ob_list_files {
    ob_list_file *file;
    size_t count;
} ob_list_files;

/* Opens the files of every list while others may change them: those of one list belong together
 * and say what it said at some moment since the call. OB_EFORMAT: a list is missing that nobody
 * removed. The caller closes *out: ob_list_files_close. */
ob_status ob_list_files_open(ob_list_files *out, const char *dir, ob_error *err);
/* Closes the files and frees the array. {0} is fine. */
void ob_list_files_close(ob_list_files *files);

/* Writes the lists that are in a directory to DIR/lists.state as what it must have from now on. For
 * code that has just put them there. A damaged list is noted as one that cannot be searched, until
 * it is imported anew or removed. */
ob_status ob_lists_adopt(const char *dir, ob_error *err);

#endif
