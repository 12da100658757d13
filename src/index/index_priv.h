/* How hashes lie in memory, and the kernels of the linear scan. */
#ifndef OBHUT_INDEX_PRIV_H
#define OBHUT_INDEX_PRIV_H

#include <obhut/index.h>

/* Bits are stored rearranged: neighbouring bits of a perceptual hash depend on each other, and a
 * fixed diagonal order spreads them evenly over the sixteen 16-bit words of the stored hash.
 * Distances stay what they are. */
ob_hash256 index_permute(const ob_hash256 *hash);
ob_hash256 index_unpermute(const ob_hash256 *stored);

/* A block is what a kernel looks at in one go. */
enum { INDEX_BLOCK = 256, INDEX_GROUP = 8 };

/* popcount((a0 ^ q0) | (a1 ^ q1)) over the first half never exceeds the distance, and for hashes
 * that do not match it is nearly always above 31: half of the memory decides, the rest is verified.
 * The portable version is the definition; the others answer the same. */
typedef struct index_kernel {
    /* Bit i is set when query i may have a match among `count` (1..INDEX_BLOCK) first halves.
     * For INDEX_GROUP queries, and for one. */
    uint32_t (*suspects)(const ob_index_half *first, uint32_t count,
                         const ob_index_half queries[INDEX_GROUP], unsigned distance);
    uint32_t (*suspect)(const ob_index_half *first, uint32_t count, const ob_index_half *query,
                        unsigned distance);
    /* Sets bit k of hits when hash k of `count` (1..INDEX_BLOCK) lies within `distance`. */
    void (*verify)(uint64_t hits[INDEX_BLOCK / 64], const ob_index_half *first,
                   const ob_index_half *second, uint32_t count, const ob_hash256 *query,
                   unsigned distance);
} index_kernel;

extern const index_kernel index_kernel_portable;
#if OB_HAVE_X86
extern const index_kernel index_kernel_avx2, index_kernel_avx512;
#endif

const index_kernel *index_kernel_for(ob_isa isa);

/* Every entry against every query, as ob_index_search. */
ob_status index_scan(const ob_index *index, const ob_hash256 *queries, uint32_t count,
                     unsigned distance, ob_index_found found, void *context);

#endif
