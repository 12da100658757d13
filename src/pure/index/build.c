/* Builds an index: stored hashes, and for each 16-bit word the entries that have a value there. */
#include "index_priv.h"

#include <stdlib.h>

void ob_index_store(ob_index_half *first, ob_index_half *second, const ob_hash256 *hash)
{
    ob_hash256 stored = index_permute(hash);
    memcpy(first, &stored.q[0], sizeof *first);
    memcpy(second, &stored.q[2], sizeof *second);
}

/* One 16-bit word of every stored hash: it lies in one half, at one place. */
typedef struct column {
    const ob_index_half *half;
    unsigned q, shift;
} column;

static column column_of(const ob_index_half *const half[2], unsigned word)
{
    return (column){.half = half[word / 8], .q = word / 4 % 2, .shift = 16 * (word % 4)};
}

static inline uint32_t word_at(const column *c, uint64_t entry)
{
    return (uint32_t)(c->half[entry].q[c->q] >> c->shift) & 0xFFFF;
}

/* Sorts entries by one word, by counting; equal ones keep their order. */
ob_status ob_index_build_piece(void *memory, unsigned piece, const ob_index_half *const half[2],
                               uint64_t count, ob_error *err)
{
    enum { AHEAD = 32 };
    unsigned word = piece - 1;
    column here = column_of(half, word);
    column next = column_of(half, (word + 1) % OB_INDEX_WORDS);
    uint32_t *starts = memory;
    uint8_t *postings = (uint8_t *)memory + INDEX_HEAD;
    uint32_t *used = calloc(INDEX_BUCKETS, sizeof *used);
    if (!used)
        return ob_fail(err, OB_ENOMEM, "out of memory: building an index");
    memset(starts, 0, INDEX_HEAD);
    for (uint64_t e = 0; e < count; e++)
        starts[word_at(&here, e) + 1]++;
    for (uint32_t b = 0; b < INDEX_BUCKETS; b++)
        starts[b + 1] += starts[b];
    for (uint64_t e = 0; e < count; e++) {
        if (e + AHEAD < count) {
            uint32_t b = word_at(&here, e + AHEAD);
            __builtin_prefetch(postings + INDEX_POSTING * (size_t)starts[b] + 2 * (size_t)used[b],
                               1);
        }
        uint32_t b = word_at(&here, e), place = used[b]++;
        uint16_t fingerprint = (uint16_t)word_at(&next, e);
        uint32_t number = (uint32_t)e;
        uint8_t *bucket = postings + INDEX_POSTING * (size_t)starts[b];
        memcpy(bucket + 2 * (size_t)place, &fingerprint, sizeof fingerprint);
        memcpy(bucket + 2 * (size_t)(starts[b + 1] - starts[b]) + 4 * (size_t)place, &number,
               sizeof number);
    }
    free(used);
    return OB_OK;
}
