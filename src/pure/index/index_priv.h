/* The parts of index: permute.c arranges the bits of stored hashes; build.c writes the pieces;
 * search.c and batch.c use pieces 1 to 16, linear.c compares with all; digests.c is on its own.
 *
 * Why sixteen words: of two hashes that differ in at most 31 bits, lay the sixteen 16-bit words in
 * a circle. Their differences add up to less than two a word, so somewhere on the circle starts a
 * run in which every leading part stays below its share (the cycle lemma; Qin and Xiao,
 * "Pigeonring", VLDB 2018): a word that differs in at most one bit, and together with its neighbour
 * in at most three. For each word of a query there are 17 such values, 272 in all, and for each a
 * bucket of entries. An entry stands in its bucket with its next word, so that nearly all of them
 * are dismissed without a look at their hashes. */
#ifndef OBHUT_INDEX_PRIV_H
#define OBHUT_INDEX_PRIV_H

#include <obhut/index.h>

#include <string.h>

/* ---- Stored hashes --------------------------------------------------------------------------- */

/* Bits are stored rearranged: neighbouring bits of a perceptual hash depend on each other, and a
 * fixed diagonal order spreads them evenly over the sixteen words. Distances stay what they are. */
ob_hash256 index_permute(const ob_hash256 *hash);
ob_hash256 index_unpermute(const ob_hash256 *stored);

static inline ob_hash256 index_stored(const ob_index *index, uint64_t entry)
{
    ob_hash256 stored;
    memcpy(&stored.q[0], &index->half[0][entry], sizeof index->half[0][entry]);
    memcpy(&stored.q[2], &index->half[1][entry], sizeof index->half[1][entry]);
    return stored;
}

static inline uint32_t index_word(const ob_hash256 *stored, unsigned word)
{
    return (uint32_t)(stored->q[word / 4] >> (16 * (word % 4))) & 0xFFFF;
}

/* ---- Pieces 1 to 16 -------------------------------------------------------------------------- */

/* A piece: BUCKETS + 1 numbers of 32 bits, where each bucket starts; then the buckets, six bytes an
 * entry: first the next words of all (16 bits each), then the numbers of all (32 bits each). */
enum { INDEX_BUCKETS = 65536, INDEX_HEAD = (INDEX_BUCKETS + 1) * 4, INDEX_POSTING = 6 };

typedef struct index_bucket {
    const uint8_t *next_words, *entries;
    uint32_t count;
} index_bucket;

/* False when the piece is not what a build writes. */
static inline bool index_bucket_at(index_bucket *out, const ob_index *index, unsigned word,
                                   uint32_t bucket)
{
    uint32_t bounds[2];
    memcpy(bounds, index->words[word] + 4 * (size_t)bucket, sizeof bounds);
    if (bounds[0] > bounds[1] || bounds[1] > index->count)
        return false;
    out->count = bounds[1] - bounds[0];
    out->next_words = index->words[word] + INDEX_HEAD + (size_t)bounds[0] * INDEX_POSTING;
    out->entries = out->next_words + 2 * (size_t)out->count;
    return true;
}

static inline uint32_t index_entry_at(const index_bucket *bucket, uint32_t place)
{
    uint32_t entry;
    memcpy(&entry, bucket->entries + 4 * (size_t)place, sizeof entry);
    return entry;
}

/* The words that differ from `value` in at most one bit, ascending. */
enum { INDEX_VALUES = 17 };
static inline unsigned index_values(uint32_t out[INDEX_VALUES], uint32_t value, unsigned bits)
{
    unsigned count = 0;
    for (int bit = 15; bits && bit >= 0; bit--)
        if (value >> bit & 1)
            out[count++] = value ^ 1u << bit;
    out[count++] = value;
    for (int bit = 0; bits && bit < 16; bit++)
        if (!(value >> bit & 1))
            out[count++] = value ^ 1u << bit;
    return count;
}

/* Most bits that a run of one and of two words may differ in. */
static inline unsigned index_limit(unsigned distance, unsigned words)
{
    return distance * words / OB_INDEX_WORDS;
}

/* Where a match is reported: at the first word that starts such a run. A search goes through
 * (word, bucket, entry) in ascending order, so that a linear scan that takes over knows what was
 * reported. */
typedef struct index_place {
    uint32_t word, bucket, entry;
} index_place;

index_place index_place_of(const ob_hash256 *stored, uint32_t entry, const ob_hash256 *query,
                           unsigned distance);
bool index_place_is_after(const index_place *a, const index_place *b);

/* ---- Kernels --------------------------------------------------------------------------------- */

/* A block is what a kernel looks at in one go. */
enum { INDEX_BLOCK = 256, INDEX_GROUP = 8 };

/* The portable version is the definition; the others answer the same. */
typedef struct index_kernel {
    /* popcount((a0 ^ q0) | (a1 ^ q1)) over the first half never exceeds the distance, and for
     * hashes that do not match it is nearly always above 31: half of the memory decides, the rest
     * is verified. Bit i is set when query i may have a match among `count` (1..INDEX_BLOCK) first
     * halves. For INDEX_GROUP queries, and for one. */
    uint32_t (*suspects)(const ob_index_half *first, uint32_t count,
                         const ob_index_half queries[INDEX_GROUP], unsigned distance);
    uint32_t (*suspect)(const ob_index_half *first, uint32_t count, const ob_index_half *query,
                        unsigned distance);
    /* Sets bit k of hits when hash k of `count` (1..INDEX_BLOCK) lies within `distance`. */
    void (*verify)(uint64_t hits[INDEX_BLOCK / 64], const ob_index_half *first,
                   const ob_index_half *second, uint32_t count, const ob_hash256 *query,
                   unsigned distance);
    /* Sets places[] to those of `count` (at most INDEX_BLOCK) 16-bit words, unaligned, that differ
     * from `word` in at most `bits` bits; returns how many. */
    uint32_t (*filter)(uint16_t places[INDEX_BLOCK], const uint8_t *words, uint32_t count,
                       uint32_t word, unsigned bits);
} index_kernel;

extern const index_kernel index_kernel_portable;
#if OB_HAVE_X86
extern const index_kernel index_kernel_avx2, index_kernel_avx512;
#endif
#ifdef __wasm_simd128__
extern const index_kernel index_kernel_simd128;
#endif

const index_kernel *index_kernel_for(ob_isa isa);

/* ---- Ways of searching ----------------------------------------------------------------------- */

/* Who asks. */
typedef struct index_asker {
    unsigned distance;
    ob_index_found found;
    void *context;
    ob_error *err;
} index_asker;

/* Compares every query (permuted; numbered from `number`) with every entry. Where `after` is not
 * NULL (one query only), matches up to that place have been told already. */
ob_status index_scan(const ob_index *index, const ob_hash256 *queries, uint32_t number,
                     uint32_t count, const index_place *after, const index_asker *asker);

/* One query by pieces 1 to 16. */
ob_status index_search_one(const ob_index *index, const ob_hash256 *query, uint32_t number,
                           const index_asker *asker);

/* Many: every bucket is visited once. `queries` are permuted. */
enum { INDEX_BATCH_MIN = 256, INDEX_BATCH_MAX = 65536 };
ob_status index_search_batch(const ob_index *index, const ob_hash256 *queries, uint32_t number,
                             uint32_t count, const index_asker *asker);

/* Whether entries share so many words with a query that comparing with all is quicker: `postings`
 * is the sum of its buckets, `survivors` how many had to be verified. */
static inline bool index_too_many_postings(const ob_index *index, uint64_t postings)
{
    return postings > index->count / 32;
}

static inline uint64_t index_most_survivors(const ob_index *index)
{
    return 64 + index->count / 1024;
}

/* Entries whose next word passed wait twice, each time until memory has arrived: for their number,
 * which stands elsewhere in the bucket, and for their hash. A query over tens of millions of
 * entries spends a third less time so. */
typedef struct index_survivor {
    uint32_t query, entry, word;
} index_survivor;

typedef struct index_posting {
    const uint8_t *entry; /* where its number stands */
    uint32_t query, word;
} index_posting;

enum { INDEX_PENDING = 64 };
typedef struct index_pending {
    const ob_index *index;
    const ob_hash256 *queries;
    uint32_t number; /* of queries[0] */
    const index_asker *asker;
    uint32_t posting_count, survivor_count;
    index_posting postings[INDEX_PENDING];
    index_survivor survivors[INDEX_PENDING];
} index_pending;

ob_status index_pending_add(index_pending *pending, uint32_t query, const index_bucket *bucket,
                            uint32_t place, uint32_t word);
ob_status index_pending_flush(index_pending *pending);

ob_status index_damaged(ob_error *err);

#endif
