/* lists: the lists of known hashes in a data directory: import, export, on, off, matching.
 *
 * A list is one file, DIR/lists/NAME.obx (docs/FORMAT-OBX.md), replaced as a whole: whoever reads
 * keeps the old one until the new one is complete and on the disk. A list that is switched off is
 * kept as NAME.obx.off. One process at a time changes lists (DIR/lock); readers need no lock. */
#ifndef OBHUT_LISTS_H
#define OBHUT_LISTS_H

#include <stdio.h>

#include <obhut/base.h>

enum {
    OB_LIST_NAME_MAX = 64,  /* a list's name: a-z 0-9 . _ -, first a letter or digit */
    OB_LIST_ID_MAX = 127,   /* bytes of an entry's id */
    OB_LIST_TEXT_MAX = 127, /* bytes of a source, a classification */
};

/* What a list is for. Nothing but child sexual abuse material is looked for. */
#define OB_LIST_PURPOSE_CSAM "csam"

typedef struct ob_list_info {
    char name[OB_LIST_NAME_MAX + 1];
    char purpose[16];
    char source[OB_LIST_TEXT_MAX + 1]; /* who published it, as told at import; may be empty */
    uint64_t entries;
    uint64_t size_bytes; /* of the file */
    int64_t imported_at; /* seconds since 1970, UTC */
    bool enabled;
} ob_list_info;

/* ---- Import ------------------------------------------------------------------------------ */

typedef struct ob_import {
    const char *file;    /* "-": standard input */
    const char *name;    /* NULL: the file's, without directory and extension, lower case */
    const char *purpose; /* NULL: csam, the only one there is */
    const char *source;  /* NULL: empty */
    bool keep_going;     /* leave bad and refused lines out instead of refusing the file */

    /* May be NULL. `line_error` hears of every bad or refused line: a whole sentence. `progress`
     * is called now and then; total_bytes is 0 where unknown. */
    void (*line_error)(void *context, const char *sentence);
    void (*progress)(void *context, const char *step, uint64_t done, uint64_t total);
    void *context;
} ob_import;

typedef struct ob_import_result {
    char name[OB_LIST_NAME_MAX + 1];
    uint64_t lines;      /* with an entry on them, good or bad */
    uint64_t entries;    /* in the new list */
    uint64_t duplicates; /* the same hash again, with the same id or with none: kept once */
    uint64_t withdrawn;  /* entries whose state says that they no longer count */
    uint64_t bad;        /* not readable */
    uint64_t refused;    /* too close to a picture with nothing in it */
} ob_import_result;

/* Reads plain text (one hash a line), CSV with a header, or JSON Lines, told apart by the first
 * line that is not empty, and replaces or creates the list. docs/LISTS.md has the columns. A list
 * that was switched off stays so.
 *
 * All or nothing: on any error the old list stays and answers; *out then counts what was read.
 * OB_EFORMAT: bad lines (without keep_going), or nothing good at all; OB_EREFUSED: refused lines
 * (without keep_going), or a purpose other than csam; OB_EINVAL: an impossible name; OB_EBUSY:
 * another process changes lists; OB_EIO: with the path and the system's reason. */
ob_status ob_list_import(ob_import_result *out, const char *dir, const ob_import *import,
                         ob_error *err);

/* ---- Keeping ----------------------------------------------------------------------------- */

/* OB_ENOTFOUND where no such list is. They return once the change is on the disk. */
ob_status ob_list_set_enabled(const char *dir, const char *name, bool enabled, ob_error *err);
ob_status ob_list_remove(const char *dir, const char *name, ob_error *err);

/* Reads the whole file and compares every checksum: OB_EFORMAT when it is damaged. */
ob_status ob_list_check(ob_list_info *out, const char *dir, const char *name, ob_error *err);

/* Sets *out to an array of *count infos by name; the caller frees it with free(). A directory that
 * does not exist has no lists. */
ob_status ob_list_all(ob_list_info **out, size_t *count, const char *dir, ob_error *err);

/* Writes the list to `to` as CSV that ob_list_import reads back. */
ob_status ob_list_export(const char *dir, const char *name, FILE *to, ob_error *err);

/* ---- Matching ---------------------------------------------------------------------------- */

/* The enabled lists of a directory, mapped. Stays what it was when opened. */
typedef struct ob_lists ob_lists;

/* OB_EFORMAT names a damaged file: no list is silently left out. A directory without lists opens
 * as empty. The caller owns *out: ob_lists_close. */
ob_status ob_lists_open(ob_lists **out, const char *dir, ob_error *err);
void ob_lists_close(ob_lists *lists); /* NULL is fine */

size_t ob_lists_count(const ob_lists *lists);     /* lists */
uint64_t ob_lists_entries(const ob_lists *lists); /* hashes in all of them */

typedef struct ob_list_match {
    uint32_t query;
    unsigned distance;
    ob_hash256 hash;                /* the entry's */
    const char *list;               /* its name; lives as long as the ob_lists, like the next two */
    const char *source;             /* who reported the entry; the list's where it has no own */
    const char *classification;     /* the source's own word; may be empty */
    char entry[OB_LIST_ID_MAX + 1]; /* the entry's id in its list */
} ob_list_match;

/* Every match of every query in every enabled list: by query, then distance, then list, then
 * entry. Sets *out to an array of *count, freed with free(). OB_EINVAL: distance above 31. */
ob_status ob_lists_match(ob_list_match **out, size_t *count, const ob_lists *lists,
                         const ob_hash256 *queries, uint32_t query_count, unsigned distance,
                         ob_error *err);

#endif
