/* What live.c and live_search.c share. */
#ifndef OBHUT_LISTS_LIVE_PRIV_H
#define OBHUT_LISTS_LIVE_PRIV_H

#include "lists_priv.h"

/* Added entries: compared one by one, so a merge comes before there are many. */
enum { CHUNK = 4096, CHUNKS_MAX = 1024 };

typedef struct added {
    entry entry; /* its texts stand behind it */
    atomic_bool withdrawn;
} added;

/* The writer fills, then raises a count; readers look below the counts only. */
typedef struct chunk {
    ob_index_half half[2][CHUNK];
    uint8_t digests[DIGEST_KINDS][CHUNK * OB_LIST_DIGEST_MAX]; /* one behind the other */
    uint16_t of_hash[CHUNK], of_digest[DIGEST_KINDS][CHUNK];   /* entry of the chunk */
    added *entries[CHUNK];
    _Atomic uint32_t hashes, digest_count[DIGEST_KINDS], count;
} chunk;

struct live {
    atomic_uint users;
    obx file;
    ob_index settled; /* set before `index` leads to it */
    void *pages;      /* that the settled index stands in */
    uint64_t pages_size;
    _Atomic(const ob_index *) index;
    atomic_bool damaged;
    _Atomic uint64_t *withdrawn;                   /* a bit for each entry of the file */
    _Atomic uint64_t withdrawn_count, added_count; /* added and not withdrawn */
    _Atomic(chunk *) chunks[CHUNKS_MAX];
    chunk *spare; /* the writer's: the next one */
    _Atomic size_t chunk_count;
};

/* The chunk and place of an added entry's number. */
static inline added *live_added(const live *list, uint64_t number)
{
    uint64_t n = number - list->file.info.entries;
    chunk *c = atomic_load_explicit(&list->chunks[n / CHUNK], memory_order_acquire);
    return c->entries[n % CHUNK];
}

static inline bool live_is_withdrawn(const live *list, uint64_t number)
{
    if (number >= list->file.info.entries)
        return atomic_load(&live_added(list, number)->withdrawn);
    return atomic_load(&list->withdrawn[number / 64]) >> (number % 64) & 1;
}

#endif
