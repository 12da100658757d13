/* What live.c, live_change.c and live_search.c share. */
#ifndef OBHUT_LISTS_LIVE_PRIV_H
#define OBHUT_LISTS_LIVE_PRIV_H

#include "lists_priv.h"

#include <string.h>

/* Added entries: compared one by one, so a merge comes before there are many. */
enum { CHUNK = 4096, CHUNKS_MAX = 16384 };

/* What an entry may have: a hash, which comes first, and digests. */
enum { COLUMNS = 1 + DIGEST_KINDS, VALUE_MAX = 32 };

typedef struct added {
    uint16_t at[COLUMNS]; /* place in the chunk's column + 1; 0: it has none */
    char texts[];         /* id, source and classification, each with its end */
} added;

/* Grows at its end only: a list that looks at the first entries may be read while more are added,
 * since it has counts of its own. */
typedef struct chunk {
    ob_index_half half[2][CHUNK];
    uint8_t digests[DIGEST_KINDS][CHUNK * OB_LIST_DIGEST_MAX]; /* one behind the other */
    uint16_t owner[COLUMNS][CHUNK];                            /* whose each value is */
    added *entries[CHUNK];
    uint32_t count, used[COLUMNS]; /* entries, and values in each column */
} chunk;

/* What a list and those made from it share. Chunks and table belong to the one who changes it. */
typedef struct base {
    atomic_uint users;
    obx file;
    ob_index moved; /* set before `index` leads to it */
    void *pages;    /* that the moved index stands in */
    uint64_t pages_size;
    _Atomic(const ob_index *) index;
    atomic_bool damaged;
    bool preloaded;
    uint64_t added;  /* entries in chunks */
    uint32_t *table; /* finds added entries by their values: number + 1 */
    unsigned table_bits;
    uint64_t table_used;
    chunk *chunks[CHUNKS_MAX];
} base;

/* Which entries were withdrawn; those behind `size` were not. */
typedef struct bits {
    atomic_uint users;
    uint64_t size; /* a multiple of 64 */
    uint64_t word[];
} bits;

struct live {
    atomic_uint users;
    base *base;
    uint64_t added;         /* of the entries in chunks, the first so many */
    uint32_t used[COLUMNS]; /* of the last chunk that has any */
    uint32_t digests;       /* bit k: it has digests of kind k */
    bits *withdrawn;        /* NULL: none */
    uint64_t withdrawn_of_file, withdrawn_of_added;
    journal_extent
        *extents; /* of the journals that it was read from; not of what live_next makes */
    size_t extent_count;
};

static inline size_t live_chunks(const live *list)
{
    return (size_t)((list->added + CHUNK - 1) / CHUNK);
}

/* How many values of a column the list has in a chunk. */
static inline uint32_t live_used(const live *list, size_t number, int column)
{
    return number + 1 < live_chunks(list) ? list->base->chunks[number]->used[column]
                                          : list->used[column];
}

/* The chunk and place of an added entry's number. */
static inline const added *live_added(const live *list, uint64_t number)
{
    uint64_t n = number - list->base->file.info.entries;
    return list->base->chunks[n / CHUNK]->entries[n % CHUNK];
}

static inline bool live_is_withdrawn(const live *list, uint64_t number)
{
    const bits *b = list->withdrawn;
    return b && number < b->size && (b->word[number / 64] >> (number % 64) & 1);
}

static inline const char *added_id(const added *a)
{
    return a->texts;
}

static inline const char *added_source(const added *a)
{
    return a->texts + strlen(a->texts) + 1;
}

static inline const char *added_classification(const added *a)
{
    const char *source = added_source(a);
    return source + strlen(source) + 1;
}

/* ---- live_change.c --------------------------------------------------------------------------- */

void live_drop_added(base *base);

/* Calls `found` for every added entry, withdrawn ones too, that has the values of `which`. */
ob_status live_find_added(const live *next, const entry *which,
                          ob_status (*found)(void *context, uint64_t number, ob_error *err),
                          void *context, ob_error *err);

#endif
