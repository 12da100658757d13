/* Comparing everything with everything. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUERIES = 256, FAISS_QUERIES = 16 };

typedef struct job {
    ob_index index;
    const ob_hash256 *hashes, *queries;
    uint64_t count, found;
    uint32_t query_count;
    void *faiss;
} job;

static ob_status count_one(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    (void)query;
    (void)entry;
    (void)distance;
    ++*(uint64_t *)context;
    return OB_OK;
}

static void scan(void *context)
{
    job *j = context;
    j->found = 0;
    ob_index_search(&j->index, j->queries, j->query_count, 31, count_one, &j->found, NULL);
}

static void scan_plainly(void *context)
{
    job *j = context;
    j->found = plain_scan(j->hashes, j->count, j->queries, j->query_count, 31);
}

static void scan_faiss(void *context)
{
    job *j = context;
    j->found = faiss_search(j->faiss, j->queries, j->query_count, 31);
}

void bench_linear(uint64_t count)
{
    ob_hash256 *hashes = malloc(count * sizeof *hashes), queries[QUERIES];
    uint64_t size = 2 * count * sizeof(ob_index_half), state = 12345;
    ob_index_half *memory = aligned_alloc(1 << 21, (size + (1 << 21) - 1) >> 21 << 21);
    if (!hashes || !memory)
        abort();
    for (uint64_t e = 0; e < count; e++)
        for (int k = 0; k < 4; k++)
            hashes[e].q[k] = bench_random(&state);
    for (int q = 0; q < QUERIES; q++) { /* half of them near an entry */
        for (int k = 0; k < 4; k++)
            queries[q].q[k] = bench_random(&state);
        if (q % 2)
            queries[q] = hashes[bench_random(&state) % count];
        for (unsigned bits = (unsigned)q % 32; q % 2 && bits > 0; bits--) {
            unsigned bit = (unsigned)(bench_random(&state) % 256);
            queries[q].q[bit / 64] ^= UINT64_C(1) << (bit % 64);
        }
    }
    job j = {.hashes = hashes, .queries = queries, .count = count};
    for (uint64_t e = 0; e < count; e++)
        ob_index_store(&memory[e], &memory[count + e], &hashes[e]);
    j.index = ob_index_open_halves(memory, count, count, OB_ISA_AUTO);
    j.faiss = faiss_flat_new(hashes, count);

    printf(
        "\nlinear scan, %.0f million hashes, distance 31 (reference: FAISS IndexBinaryFlat as the "
        "distribution builds it, without popcount; and a plain loop with it)\n",
        (double)count / 1e6);
    j.query_count = QUERIES;
    double batch = bench_median(scan, &j, 5) / QUERIES;
    j.query_count = 1;
    double single = bench_median(scan, &j, 9);
    j.query_count = FAISS_QUERIES;
    scan(&j);
    uint64_t expected = j.found;
    double plain = bench_median(scan_plainly, &j, 3) / FAISS_QUERIES;
    bool same = j.found == expected;
    double faiss = bench_median(scan_faiss, &j, 3) / FAISS_QUERIES;
    same = same && j.found == expected;
    printf("  %10.1f us a query, %d at once: %.1f G comparisons/s a core; %.0f x FAISS, %.1f x the "
           "plain loop\n",
           batch * 1e6, QUERIES, (double)count / batch / 1e9, faiss / batch, plain / batch);
    printf("  %10.1f us for a single query: %.1f GB/s read; %.0f x FAISS, %.1f x the plain loop\n",
           single * 1e6, (double)count * 16 / single / 1e9, faiss / single, plain / single);
    printf("  %10.1f us FAISS, %.1f us the plain loop; matches %s\n", faiss * 1e6, plain * 1e6,
           same ? "the same" : "DIFFER");
    faiss_free(j.faiss);
    free(memory);
    free(hashes);
}
