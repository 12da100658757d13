/* The benchmark: each part prints ratios against a named reference that ran in the same process,
 * in turns with it, so that the machine's moods hit both. */
#ifndef OBHUT_BENCH_H
#define OBHUT_BENCH_H

#include <obhut/hash.h>
#include <obhut/index.h>

/* ---- Measuring ---------------------------------------------------------------------------- */

double bench_now(void); /* seconds */

/* Runs `work(context)` at least `times` times and half a second; the median in seconds. */
double bench_median(void (*work)(void *context), void *context, int times);

/* The same on `threads` threads, each with its own of `contexts`: seconds for one round of all. */
double bench_threads(void (*work)(void *context), void *const *contexts, int threads, int times);

uint64_t bench_random(uint64_t *state);

/* ---- Parts -------------------------------------------------------------------------------- */

void bench_pictures(const char *dir); /* directory with the photographs */
void bench_looks(const char *dir);
void bench_workers(const char *dir);
void bench_gate(void);
void bench_audit(void);
void bench_records(void);
void bench_linear(uint64_t count);
void bench_index(uint64_t count, bool with_faiss);
void bench_adversarial(uint64_t count);
void bench_digests(uint64_t count);
void bench_lists(uint64_t count);

/* ---- References --------------------------------------------------------------------------- */

/* A hasher as one would write it from the paper: full decode to RGB, luma of every pixel, box
 * filters over the whole picture, 64 x 64 of it, DCT, sort. */
void plain_hash(ob_pdq *out, const uint8_t *bytes, size_t size);

/* libjpeg-turbo alone, reading all rows at 1/scale. */
void plain_decode(const uint8_t *bytes, size_t size, unsigned scale, bool grey);

/* Compares each query with each hash: popcount of 256 bits, nothing else. Returns matches. */
uint64_t plain_scan(const ob_hash256 *hashes, uint64_t count, const ob_hash256 *queries,
                    uint32_t query_count, unsigned distance);

/* FAISS IndexBinaryFlat, and IndexBinaryMultiHash with 16 words of 16 bits and one flip as
 * python-threatexchange uses it; one thread; radius is what it calls strict: distance + 1. */
void *faiss_flat_new(const void *hashes, uint64_t count);
void *faiss_multi_hash_new(const void *hashes, uint64_t count);
uint64_t faiss_search(void *index, const void *queries, uint64_t count, int distance);
void faiss_free(void *index);

#endif
