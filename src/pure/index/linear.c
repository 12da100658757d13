/* Compares everything with everything, as fast as memory and arithmetic allow: a tile of hashes
 * stays in the second-level cache while all queries pass over it, eight at a time in registers. */
#include "index_priv.h"

enum {
    TILE = 16 * INDEX_BLOCK, /* hashes: 64 KiB of first halves */
    PASS = 256,              /* queries that share one pass over the memory */
};

typedef struct scan {
    const ob_index *index;
    const index_kernel *kernel;
    const ob_hash256 *queries;
    uint32_t number; /* of queries[0] */
    const index_place *after;
    const index_asker *asker;
} scan;

/* Reports every match of one query in one block. */
static ob_status report(const scan *s, uint32_t query, uint64_t block, uint32_t count)
{
    const ob_index_half *first = s->index->half[0] + block, *second = s->index->half[1] + block;
    uint64_t hits[INDEX_BLOCK / 64];
    s->kernel->verify(hits, first, second, count, &s->queries[query], s->asker->distance);
    for (uint32_t word = 0; word < INDEX_BLOCK / 64; word++)
        for (uint64_t left = hits[word]; left; left &= left - 1) {
            uint32_t k = 64 * word + (uint32_t)__builtin_ctzll(left);
            ob_hash256 hash;
            memcpy(&hash.q[0], &first[k], sizeof first[k]);
            memcpy(&hash.q[2], &second[k], sizeof second[k]);
            if (s->after) {
                index_place place = index_place_of(&hash, (uint32_t)(block + k), &s->queries[query],
                                                   s->asker->distance);
                if (!index_place_is_after(&place, s->after))
                    continue;
            }
            ob_status status = s->asker->found(s->asker->context, s->number + query, block + k,
                                               ob_hash256_distance(&hash, &s->queries[query]));
            if (status)
                return status;
        }
    return OB_OK;
}

/* At most INDEX_GROUP queries over one tile. */
static ob_status scan_tile(const scan *s, uint32_t from, uint32_t queries, uint64_t tile,
                           uint64_t end)
{
    ob_index_half group[INDEX_GROUP];
    for (uint32_t q = 0; q < INDEX_GROUP; q++) /* a short group repeats its last query */
        memcpy(&group[q], &s->queries[from + (q < queries ? q : queries - 1)], sizeof group[q]);
    for (uint64_t block = tile; block < end; block += INDEX_BLOCK) {
        uint32_t count = end - block < INDEX_BLOCK ? (uint32_t)(end - block) : INDEX_BLOCK;
        const ob_index_half *first = s->index->half[0] + block;
        uint32_t suspects = queries == 1
                                ? s->kernel->suspect(first, count, group, s->asker->distance)
                                : s->kernel->suspects(first, count, group, s->asker->distance);
        suspects &= (1u << queries) - 1;
        for (; suspects; suspects &= suspects - 1) {
            ob_status status = report(s, from + (uint32_t)__builtin_ctz(suspects), block, count);
            if (status)
                return status;
        }
    }
    return OB_OK;
}

static ob_status scan_pass(const scan *s, uint32_t queries)
{
    for (uint64_t tile = 0; tile < s->index->count; tile += TILE) {
        uint64_t end = s->index->count - tile < TILE ? s->index->count : tile + TILE;
        for (uint32_t from = 0; from < queries; from += INDEX_GROUP) {
            uint32_t group = queries - from < INDEX_GROUP ? queries - from : INDEX_GROUP;
            ob_status status = scan_tile(s, from, group, tile, end);
            if (status)
                return status;
        }
    }
    return OB_OK;
}

ob_status index_scan(const ob_index *index, const ob_hash256 *queries, uint32_t number,
                     uint32_t count, const index_place *after, const index_asker *asker)
{
    ob_status status = OB_OK;
    for (uint32_t at = 0; at < count && !status; at += PASS) {
        const scan s = {.index = index,
                        .kernel = index_kernel_for(index->isa),
                        .queries = queries + at,
                        .number = number + at,
                        .after = after,
                        .asker = asker};
        status = scan_pass(&s, count - at < PASS ? count - at : PASS);
    }
    return status;
}
