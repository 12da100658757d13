/* Compares everything with everything, as fast as memory and arithmetic allow: a tile of hashes
 * stays in the second-level cache while all queries pass over it, eight at a time in registers. */
#include "index_priv.h"

#include <string.h>

enum {
    TILE = 16 * INDEX_BLOCK, /* hashes: 64 KiB of first halves */
    PASS = 256,              /* queries that share one pass over the memory */
};

const index_kernel *index_kernel_for(ob_isa isa)
{
    switch (ob_isa_resolve(isa)) {
#if OB_HAVE_X86
    case OB_ISA_AVX512:
        return &index_kernel_avx512;
    case OB_ISA_AVX2:
        return &index_kernel_avx2;
#endif
    default:
        return &index_kernel_portable;
    }
}

typedef struct scan {
    const ob_index *index;
    const index_kernel *kernel;
    const ob_hash256 *queries; /* permuted */
    uint32_t first_query;      /* number of queries[0] for the caller */
    unsigned distance;
    ob_index_found found;
    void *context;
} scan;

/* Tells of every match of one query in one block. */
static ob_status tell(const scan *s, uint32_t query, uint64_t block, uint32_t count)
{
    const ob_index_half *first = s->index->half[0] + block, *second = s->index->half[1] + block;
    uint64_t hits[INDEX_BLOCK / 64];
    s->kernel->verify(hits, first, second, count, &s->queries[query], s->distance);
    for (uint32_t word = 0; word < INDEX_BLOCK / 64; word++)
        for (uint64_t left = hits[word]; left; left &= left - 1) {
            uint32_t k = 64 * word + (uint32_t)__builtin_ctzll(left);
            ob_hash256 hash;
            memcpy(&hash.q[0], &first[k], sizeof first[k]);
            memcpy(&hash.q[2], &second[k], sizeof second[k]);
            ob_status status = s->found(s->context, s->first_query + query, block + k,
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
        uint32_t suspects = queries == 1 ? s->kernel->suspect(first, count, group, s->distance)
                                         : s->kernel->suspects(first, count, group, s->distance);
        suspects &= (1u << queries) - 1;
        for (; suspects; suspects &= suspects - 1) {
            ob_status status = tell(s, from + (uint32_t)__builtin_ctz(suspects), block, count);
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

ob_status index_scan(const ob_index *index, const ob_hash256 *queries, uint32_t count,
                     unsigned distance, ob_index_found found, void *context)
{
    ob_hash256 stored[PASS];
    scan s = {.index = index,
              .kernel = index_kernel_for(index->isa),
              .queries = stored,
              .distance = distance,
              .found = found,
              .context = context};
    for (; s.first_query < count; s.first_query += PASS) {
        uint32_t queries_now = count - s.first_query < PASS ? count - s.first_query : PASS;
        for (uint32_t q = 0; q < queries_now; q++)
            stored[q] = index_permute(&queries[s.first_query + q]);
        ob_status status = scan_pass(&s, queries_now);
        if (status)
            return status;
    }
    return OB_OK;
}
