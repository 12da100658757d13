/* One query: 272 buckets, each filtered by the next word; what passes is verified. */
#include "index_priv.h"

/* ---- Places ---------------------------------------------------------------------------------- */

index_place index_place_of(const ob_hash256 *stored, uint32_t entry, const ob_hash256 *query,
                           unsigned distance)
{
    unsigned differing[OB_INDEX_WORDS];
    for (unsigned w = 0; w < OB_INDEX_WORDS; w++)
        differing[w] = (unsigned)__builtin_popcount(index_word(stored, w) ^ index_word(query, w));
    unsigned word = 0;
    while (word < OB_INDEX_WORDS - 1 &&
           (differing[word] > index_limit(distance, 1) ||
            differing[word] + differing[(word + 1) % OB_INDEX_WORDS] > index_limit(distance, 2)))
        word++;
    return (index_place){.word = word, .bucket = index_word(stored, word), .entry = entry};
}

bool index_place_is_after(const index_place *a, const index_place *b)
{
    if (a->word != b->word)
        return a->word > b->word;
    if (a->bucket != b->bucket)
        return a->bucket > b->bucket;
    return a->entry > b->entry;
}

/* ---- Survivors ------------------------------------------------------------------------------- */

static ob_status verify(const index_pending *p, const index_survivor *s)
{
    const ob_index *index = p->index;
    const ob_hash256 *query = &p->queries[s->query];
    const index_asker *asker = p->asker;
    const ob_index_half *first = &index->half[0][s->entry];
    unsigned d = (unsigned)(__builtin_popcountll(first->q[0] ^ query->q[0]) +
                            __builtin_popcountll(first->q[1] ^ query->q[1]));
    if (d > asker->distance)
        return OB_OK;
    ob_hash256 stored = index_stored(index, s->entry);
    d = ob_hash256_distance(&stored, query);
    if (d > asker->distance ||
        index_place_of(&stored, s->entry, query, asker->distance).word != s->word)
        return OB_OK; /* too far, or reported at another word */
    return asker->found(asker->context, p->number + s->query, s->entry, d);
}

static ob_status verify_all(index_pending *p)
{
    ob_status status = OB_OK;
    for (uint32_t i = 0; i < p->survivor_count && !status; i++)
        status = verify(p, &p->survivors[i]);
    p->survivor_count = 0;
    return status;
}

/* Everybody moves on by one wait. */
static ob_status advance(index_pending *p)
{
    ob_status status = verify_all(p);
    for (uint32_t i = 0; i < p->posting_count && !status; i++) {
        const index_posting *posting = &p->postings[i];
        uint32_t entry;
        memcpy(&entry, posting->entry, sizeof entry);
        if (entry >= p->index->count)
            status = index_damaged(p->asker->err);
        else
            __builtin_prefetch(&p->index->half[0][entry]);
        p->survivors[i] =
            (index_survivor){.query = posting->query, .entry = entry, .word = posting->word};
    }
    p->survivor_count = status ? 0 : p->posting_count;
    p->posting_count = 0;
    return status;
}

ob_status index_pending_flush(index_pending *p)
{
    ob_status status = advance(p);
    return status ? status : verify_all(p);
}

ob_status index_pending_add(index_pending *p, uint32_t query, const index_bucket *bucket,
                            uint32_t place, uint32_t word)
{
    const uint8_t *entry = bucket->entries + 4 * (size_t)place;
    __builtin_prefetch(entry);
    p->postings[p->posting_count++] = (index_posting){.entry = entry, .query = query, .word = word};
    return p->posting_count == INDEX_PENDING ? advance(p) : OB_OK;
}

/* ---- The query ------------------------------------------------------------------------------- */

typedef struct probe {
    index_bucket bucket;
    uint16_t value, next_word;
    uint8_t word, bits; /* bits that the next word may differ in */
} probe;

enum { PROBES = OB_INDEX_WORDS * INDEX_VALUES };

/* Sets *count to 0 when comparing with all entries is quicker. */
static ob_status plan(probe probes[PROBES], unsigned *count, const ob_index *index,
                      const ob_hash256 *query, const index_asker *asker)
{
    unsigned one = index_limit(asker->distance, 1), two = index_limit(asker->distance, 2);
    uint64_t postings = 0;
    *count = 0;
    for (unsigned word = 0; word < OB_INDEX_WORDS; word++) {
        uint32_t values[INDEX_VALUES], here = index_word(query, word);
        uint32_t next = index_word(query, (word + 1) % OB_INDEX_WORDS);
        unsigned n = index_values(values, here, one);
        for (unsigned k = 0; k < n; k++) {
            probe *p = &probes[(*count)++];
            if (!index_bucket_at(&p->bucket, index, word, values[k]))
                return index_damaged(asker->err);
            p->value = (uint16_t)values[k];
            p->next_word = (uint16_t)next;
            p->word = (uint8_t)word;
            p->bits = (uint8_t)(two - (values[k] != here));
            postings += p->bucket.count;
        }
    }
    if (index_too_many_postings(index, postings))
        *count = 0;
    return OB_OK;
}

static void prefetch(const probe *p)
{
    enum { LINES = 2, LINE = 64 };
    size_t bytes = 2 * (size_t)p->bucket.count;
    for (size_t at = 0; at < LINES * LINE && at < bytes; at += LINE)
        __builtin_prefetch(p->bucket.next_words + at);
}

ob_status index_search_one(const ob_index *index, const ob_hash256 *query, uint32_t number,
                           const index_asker *asker)
{
    enum { AHEAD = 8 };
    probe probes[PROBES];
    unsigned count;
    ob_status status = plan(probes, &count, index, query, asker);
    if (status)
        return status;
    if (!count)
        return index_scan(index, query, number, 1, NULL, asker);

    const index_kernel *kernel = index_kernel_for(index->isa);
    index_pending pending = {.index = index, .queries = query, .number = number, .asker = asker};
    uint64_t left = index_most_survivors(index);
    for (unsigned k = 0; k < AHEAD && k < count; k++)
        prefetch(&probes[k]);
    for (unsigned k = 0; k < count; k++) {
        const probe *p = &probes[k];
        if (k + AHEAD < count)
            prefetch(&probes[k + AHEAD]);
        for (uint32_t at = 0; at < p->bucket.count; at += INDEX_BLOCK) {
            uint16_t places[INDEX_BLOCK];
            uint32_t block =
                p->bucket.count - at < INDEX_BLOCK ? p->bucket.count - at : INDEX_BLOCK;
            uint32_t passed = kernel->filter(places, p->bucket.next_words + 2 * (size_t)at, block,
                                             p->next_word, p->bits);
            for (uint32_t i = 0; i < passed && !status; i++)
                status = index_pending_add(&pending, 0, &p->bucket, at + places[i], p->word);
            if (status)
                return status;
            if (passed <= left) {
                left -= passed;
                continue;
            }
            uint32_t entry = index_entry_at(&p->bucket, at + places[passed - 1]);
            const index_place reported = {.word = p->word, .bucket = p->value, .entry = entry};
            status = index_pending_flush(&pending);
            return status ? status : index_scan(index, query, number, 1, &reported, asker);
        }
    }
    return index_pending_flush(&pending);
}
