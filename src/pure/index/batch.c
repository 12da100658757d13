/* Many queries: word by word, their probes are sorted by bucket, so that memory is read once and in
 * order, however many queries want the same bucket. */
#include "index_priv.h"

#include <stdlib.h>

/* A query that looks into a bucket: all that the first pass over the bucket needs. */
typedef struct probe {
    uint32_t query;
    uint16_t next_word;
    uint16_t bits; /* that the next word may differ in */
} probe;

typedef struct batch {
    const ob_index *index;
    const index_kernel *kernel;
    const ob_hash256 *queries;
    const index_asker *asker;
    uint32_t count;
    probe *probes;
    uint32_t *ends; /* of each bucket's probes */
    bool any_out;
    uint32_t *survivors;   /* of each query; OUT: finished by comparing with all */
    index_place *reported; /* of a query that is OUT */
    index_pending pending;
} batch;

#define OUT UINT32_MAX

static ob_status allocate(batch *b)
{
    size_t n = b->count;
    b->probes = malloc(n * INDEX_VALUES * sizeof *b->probes);
    b->ends = malloc((INDEX_BUCKETS + 1) * sizeof *b->ends);
    b->survivors = calloc(n, sizeof *b->survivors);
    b->reported = calloc(n, sizeof *b->reported);
    if (b->probes && b->ends && b->survivors && b->reported)
        return OB_OK;
    return ob_fail(b->asker->err, OB_ENOMEM, "out of memory: %u queries at once", b->count);
}

/* Sets *out to more than the postings of any query, so that most indexes need no weighing. */
static ob_status most_postings(uint64_t *out, const ob_index *index, ob_error *err)
{
    *out = 0;
    for (unsigned word = 0; word < OB_INDEX_WORDS; word++) {
        uint32_t most = 0;
        for (uint32_t v = 0; v < INDEX_BUCKETS; v++) {
            index_bucket bucket;
            if (!index_bucket_at(&bucket, index, word, v))
                return index_damaged(err);
            most = bucket.count > most ? bucket.count : most;
        }
        *out += (uint64_t)INDEX_VALUES * most;
    }
    return OB_OK;
}

/* Queries that share too many words with too many entries are OUT from the start. */
static ob_status weigh(batch *b)
{
    unsigned one = index_limit(b->asker->distance, 1);
    uint64_t most;
    ob_status status = most_postings(&most, b->index, b->asker->err);
    if (status || !index_too_many_postings(b->index, most))
        return status;
    for (uint32_t q = 0; q < b->count; q++) {
        uint64_t postings = 0;
        for (unsigned word = 0; word < OB_INDEX_WORDS; word++) {
            uint32_t values[INDEX_VALUES];
            unsigned n = index_values(values, index_word(&b->queries[q], word), one);
            for (unsigned k = 0; k < n; k++) {
                index_bucket bucket;
                if (!index_bucket_at(&bucket, b->index, word, values[k]))
                    return index_damaged(b->asker->err);
                postings += bucket.count;
            }
        }
        if (index_too_many_postings(b->index, postings)) {
            b->survivors[q] = OUT;
            b->any_out = true;
        }
    }
    return OB_OK;
}

/* Sorts the probes of one word by bucket. */
static void sort_probes(batch *b, unsigned word)
{
    unsigned one = index_limit(b->asker->distance, 1), two = index_limit(b->asker->distance, 2);
    uint32_t values[INDEX_VALUES], *starts = b->ends; /* until they have been filled */
    memset(starts, 0, (INDEX_BUCKETS + 1) * sizeof *starts);
    for (uint32_t q = 0; q < b->count; q++) {
        if (b->survivors[q] == OUT)
            continue;
        unsigned n = index_values(values, index_word(&b->queries[q], word), one);
        for (unsigned k = 0; k < n; k++)
            starts[values[k] + 1]++;
    }
    for (uint32_t v = 0; v < INDEX_BUCKETS; v++)
        starts[v + 1] += starts[v];
    for (uint32_t q = 0; q < b->count; q++) {
        if (b->survivors[q] == OUT)
            continue;
        uint32_t here = index_word(&b->queries[q], word);
        uint32_t next = index_word(&b->queries[q], (word + 1) % OB_INDEX_WORDS);
        unsigned n = index_values(values, here, one);
        for (unsigned k = 0; k < n; k++)
            b->probes[starts[values[k]]++] = (probe){.query = q,
                                                     .next_word = (uint16_t)next,
                                                     .bits = (uint16_t)(two - (values[k] != here))};
    }
}

/* A block of a bucket, which begins at its entry number `from`. */
typedef struct block {
    unsigned word;
    uint32_t value;
    const index_bucket *bucket;
    uint32_t from;
} block;

/* Takes the `passed` entries of a block that the filter let through, at `places`. */
static ob_status take_survivors(batch *b, const probe *p, const block *of, const uint16_t *places,
                                uint32_t passed)
{
    if (b->any_out && b->survivors[p->query] == OUT)
        return OB_OK;
    for (uint32_t i = 0; i < passed; i++) {
        ob_status status =
            index_pending_add(&b->pending, p->query, of->bucket, of->from + places[i], of->word);
        if (status)
            return status;
    }
    b->survivors[p->query] += passed;
    if (b->survivors[p->query] > index_most_survivors(b->index)) {
        uint32_t entry = index_entry_at(of->bucket, of->from + places[passed - 1]);
        b->reported[p->query] =
            (index_place){.word = of->word, .bucket = (uint16_t)of->value, .entry = entry};
        b->survivors[p->query] = OUT;
        b->any_out = true;
    }
    return OB_OK;
}

static ob_status run_bucket(batch *b, unsigned word, uint32_t value, const probe *probes,
                            uint32_t count)
{
    index_bucket bucket;
    if (!index_bucket_at(&bucket, b->index, word, value))
        return index_damaged(b->asker->err);
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t at = 0; at < bucket.count; at += INDEX_BLOCK) {
            uint16_t places[INDEX_BLOCK];
            uint32_t size = bucket.count - at < INDEX_BLOCK ? bucket.count - at : INDEX_BLOCK;
            uint32_t passed = b->kernel->filter(places, bucket.next_words + 2 * (size_t)at, size,
                                                probes[k].next_word, probes[k].bits);
            ob_status status = OB_OK;
            if (passed)
                status = take_survivors(b, &probes[k], &(block){word, value, &bucket, at}, places,
                                        passed);
            if (status)
                return status;
        }
    return OB_OK;
}

/* Buckets lie one behind the other, and so they are read. */
static ob_status run_word(batch *b, unsigned word)
{
    uint32_t from = 0;
    ob_status status = OB_OK;
    sort_probes(b, word);
    for (uint32_t value = 0; value < INDEX_BUCKETS && !status; value++) {
        uint32_t to = b->ends[value];
        if (to > from)
            status = run_bucket(b, word, value, b->probes + from, to - from);
        from = to;
    }
    return status;
}

/* What is OUT, by comparing with all; of one that was never started, nothing was reported. */
static ob_status finish(const batch *b, uint32_t number)
{
    for (uint32_t q = 0; q < b->count; q++) {
        if (b->survivors[q] != OUT)
            continue;
        const index_place nowhere = {0}, *reported = &b->reported[q];
        bool started = memcmp(reported, &nowhere, sizeof nowhere) != 0;
        ob_status status = index_scan(b->index, &b->queries[q], number + q, 1,
                                      started ? reported : NULL, b->asker);
        if (status)
            return status;
    }
    return OB_OK;
}

ob_status index_search_batch(const ob_index *index, const ob_hash256 *queries, uint32_t number,
                             uint32_t count, const index_asker *asker)
{
    batch b = {.index = index,
               .kernel = index_kernel_for(index->isa),
               .queries = queries,
               .asker = asker,
               .count = count,
               .pending = {.index = index, .queries = queries, .number = number, .asker = asker}};
    ob_status status = allocate(&b);
    if (!status)
        status = weigh(&b);
    for (unsigned word = 0; word < OB_INDEX_WORDS && !status; word++)
        status = run_word(&b, word);
    if (!status)
        status = index_pending_flush(&b.pending);
    if (!status)
        status = finish(&b, number);
    free(b.probes);
    free(b.ends);
    free(b.survivors);
    free(b.reported);
    return status;
}
