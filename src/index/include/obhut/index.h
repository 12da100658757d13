/* index: which of many hashes lie within a distance of a query: exactly, always all of them.
 *
 * Works on memory that it is given; threads and files belong to the caller. Entries are numbered
 * from 0 in the order in which they were given to ob_index_build. */
#ifndef OBHUT_INDEX_H
#define OBHUT_INDEX_H

#include <obhut/base.h>

/* The largest distance that can be asked for. */
enum { OB_INDEX_MAX_DISTANCE = 31 };

/* At most this many entries in one index. */
#define OB_INDEX_MAX_COUNT (UINT64_C(1) << 31)

/* Half a stored hash. */
typedef struct ob_index_half {
    uint64_t q[2];
} ob_index_half;

/* A view of a built index. Cheap to copy; valid as long as the memory is. Any number of threads
 * may search it at once. */
typedef struct ob_index {
    const ob_index_half *half[2]; /* `count` halves each, of hashes with their bits rearranged */
    uint64_t count;
    ob_isa isa;
} ob_index;

/* Bytes that an index of `count` entries takes. */
uint64_t ob_index_size(uint64_t count);

/* Fills `memory` (64-byte aligned, ob_index_size(count) bytes) from `hashes`. The bytes written
 * depend on the hashes only, so they can be stored and opened elsewhere.
 * OB_EINVAL: size or alignment do not fit. */
ob_status ob_index_build(void *memory, uint64_t size, const ob_hash256 *hashes, uint64_t count,
                         ob_error *err);

/* Views memory that ob_index_build filled. Checks size and alignment; any content is safe to
 * search. *out is untouched on error. OB_EFORMAT: the size is not that of `count` entries. */
ob_status ob_index_open(ob_index *out, const void *memory, uint64_t size, uint64_t count,
                        ob_isa isa, ob_error *err);

/* Entry number `entry` (below index->count). */
ob_hash256 ob_index_get(const ob_index *index, uint64_t entry);

/* Told of every match: query number, entry number, distance. Returning anything but OB_OK ends the
 * search with that status. */
typedef ob_status (*ob_index_found)(void *context, uint32_t query, uint64_t entry,
                                    unsigned distance);

/* Finds, for each of `count` queries, every entry at most `distance` (0..31) away. Matches come in
 * no particular order, each exactly once. Many queries in one call cost less than one by one.
 * OB_EINVAL: distance above OB_INDEX_MAX_DISTANCE. Never allocates. */
ob_status ob_index_search(const ob_index *index, const ob_hash256 *queries, uint32_t count,
                          unsigned distance, ob_index_found found, void *context, ob_error *err);

#endif
