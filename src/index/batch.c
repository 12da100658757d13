/* Many queries: word by word, their probes are sorted by bucket, so that memory is read once and in
 * order, however many queries want the same bucket. */
#include "index_priv.h"

#include <stdlib.h>

typedef struct probe {
    uint32_t query;
    uint16_t value, exact; /* exact: the query has this very value */
} probe;

typedef struct batch {
    const ob_index *index;
    const index_kernel *kernel;
    const ob_hash256 *queries;
    const index_asker *asker;
    uint32_t count;
    probe *probes;
    uint32_t *starts;    /* of each bucket's probes; INDEX_BUCKETS + 1 */
    uint32_t *survivors; /* of each query; OUT: finished by comparing with all */
    index_place *told;   /* of a query that is OUT */
    index_pending pending;
} batch;

#define OUT UINT32_MAX

static ob_status allocate(batch *b)
{
    size_t n = b->count;
    b->probes = malloc(n * INDEX_VALUES * sizeof *b->probes);
    b->starts = malloc((INDEX_BUCKETS + 1) * sizeof *b->starts);
    b->survivors = calloc(n, sizeof *b->survivors);
    b->told = calloc(n, sizeof *b->told);
    if (b->probes && b->starts && b->survivors && b->told)
        return OB_OK;
    return ob_fail(b->asker->err, OB_ENOMEM, "out of memory: %u queries at once", b->count);
}

/* Queries that share too many words with too many entries are OUT from the start. */
static ob_status weigh(batch *b)
{
    unsigned one = index_limit(b->asker->distance, 1);
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
        if (index_too_many_postings(b->index, postings))
            b->survivors[q] = OUT;
    }
    return OB_OK;
}

/* Sorts the probes of one word by bucket; returns how many there are. */
static uint32_t sort_probes(batch *b, unsigned word)
{
    unsigned one = index_limit(b->asker->distance, 1);
    uint32_t values[INDEX_VALUES];
    memset(b->starts, 0, (INDEX_BUCKETS + 1) * sizeof *b->starts);
    for (uint32_t q = 0; q < b->count; q++) {
        if (b->survivors[q] == OUT)
            continue;
        unsigned n = index_values(values, index_word(&b->queries[q], word), one);
        for (unsigned k = 0; k < n; k++)
            b->starts[values[k] + 1]++;
    }
    for (uint32_t v = 0; v < INDEX_BUCKETS; v++)
        b->starts[v + 1] += b->starts[v];
    uint32_t total = b->starts[INDEX_BUCKETS];
    for (uint32_t q = 0; q < b->count; q++) {
        if (b->survivors[q] == OUT)
            continue;
        uint32_t here = index_word(&b->queries[q], word);
        unsigned n = index_values(values, here, one);
        for (unsigned k = 0; k < n; k++)
            b->probes[b->starts[values[k]]++] =
                (probe){.query = q, .value = (uint16_t)values[k], .exact = values[k] == here};
    }
    return total;
}

static ob_status run_probe(batch *b, unsigned word, const probe *p, const index_bucket *bucket)
{
    if (b->survivors[p->query] == OUT)
        return OB_OK;
    const ob_hash256 *query = &b->queries[p->query];
    uint32_t next = index_word(query, (word + 1) % OB_INDEX_WORDS);
    unsigned bits = index_limit(b->asker->distance, 2) - !p->exact;
    uint64_t most = index_most_survivors(b->index);
    for (uint32_t at = 0; at < bucket->count; at += INDEX_BLOCK) {
        uint16_t places[INDEX_BLOCK];
        uint32_t block = bucket->count - at < INDEX_BLOCK ? bucket->count - at : INDEX_BLOCK;
        uint32_t passed =
            b->kernel->filter(places, bucket->next_words + 2 * (size_t)at, block, next, bits);
        uint32_t entry = 0;
        for (uint32_t i = 0; i < passed; i++) {
            entry = index_entry_at(bucket, at + places[i]);
            ob_status status = index_pending_add(&b->pending, p->query, entry, word);
            if (status)
                return status;
        }
        b->survivors[p->query] += passed;
        if (b->survivors[p->query] > most) {
            b->told[p->query] = (index_place){.word = word, .bucket = p->value, .entry = entry};
            b->survivors[p->query] = OUT;
            return OB_OK;
        }
    }
    return OB_OK;
}

static ob_status run_word(batch *b, unsigned word)
{
    enum { AHEAD = 8, LINES = 4, LINE = 64 };
    uint32_t total = sort_probes(b, word);
    for (uint32_t k = 0; k < total; k++) {
        index_bucket bucket, later;
        if (k + AHEAD < total && b->probes[k + AHEAD].value != b->probes[k + AHEAD - 1].value &&
            index_bucket_at(&later, b->index, word, b->probes[k + AHEAD].value))
            for (size_t at = 0; at < LINES * LINE && at < 2 * (size_t)later.count; at += LINE)
                __builtin_prefetch(later.next_words + at);
        if (!index_bucket_at(&bucket, b->index, word, b->probes[k].value))
            return index_damaged(b->asker->err);
        ob_status status = run_probe(b, word, &b->probes[k], &bucket);
        if (status)
            return status;
    }
    return OB_OK;
}

/* What is OUT, by comparing with all; one that was never started has been told of nothing. */
static ob_status finish(const batch *b, uint32_t number)
{
    for (uint32_t q = 0; q < b->count; q++) {
        if (b->survivors[q] != OUT)
            continue;
        const index_place nowhere = {0}, *told = &b->told[q];
        bool started = memcmp(told, &nowhere, sizeof nowhere) != 0;
        ob_status status =
            index_scan(b->index, &b->queries[q], number + q, 1, started ? told : NULL, b->asker);
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
    free(b.starts);
    free(b.survivors);
    free(b.told);
    return status;
}
