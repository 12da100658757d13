/* What it costs that a large list is compared with its checksums before it is read: the first
 * reading beside SHA-256 over the same bytes; and every later search beside the same index in the
 * same file, mapped and searched with nothing looked at. */
#include "bench.h"

#include "live_priv.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEARCHES = 1 << 12, BLOCK = 64, ROUNDS = 4, ORIENTATIONS = 8, DISTANCE = 31 };

static void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

/* ---- A list ----------------------------------------------------------------------------------
 */

typedef struct place {
    char dir[64], path[96];
    ob_hash256 *queries;
    int file;
    void *bytes; /* of the file, as anybody would map it */
    size_t size;
} place;

static ob_hash256 next_hash(uint64_t *state)
{
    ob_hash256 hash;
    for (int k = 0; k < 4; k++)
        hash.q[k] = bench_random(state);
    return hash;
}

/* Every second query is near an entry. */
static void write_text(place *p, const char *path, uint64_t count)
{
    uint64_t state = 1401;
    char hex[OB_HASH256_HEX + 1];
    FILE *text = fopen(path, "w");
    p->queries = malloc(SEARCHES * ORIENTATIONS * sizeof *p->queries);
    if (!text || !p->queries)
        abort();
    for (uint64_t i = 0; i < count; i++) {
        ob_hash256 hash = next_hash(&state);
        ob_hash256_print(hex, &hash);
        fprintf(text, "%s\n", hex);
        if (i < SEARCHES * ORIENTATIONS)
            p->queries[i] = hash;
    }
    for (uint64_t i = 0; i < SEARCHES * ORIENTATIONS; i++)
        if (i % 2)
            p->queries[i] = next_hash(&state);
        else
            p->queries[i].q[i / 2 % 4] ^= state & 0x7777;
    if (fclose(text))
        abort();
}

static void make(place *p, uint64_t count)
{
    char text[96];
    ob_error err = {0};
    ob_lists *lists = NULL;
    ob_import_result result;
    struct stat is;
    snprintf(p->dir, sizeof p->dir, "/tmp/obhut-bench-XXXXXX");
    if (!mkdtemp(p->dir))
        abort();
    snprintf(text, sizeof text, "%s/known.txt", p->dir);
    snprintf(p->path, sizeof p->path, "%s/lists/known.obx", p->dir);
    write_text(p, text, count);
    must(ob_lists_own(&lists, p->dir, &err), &err);
    must(ob_lists_import(&result, lists, &(ob_import){.file = text, .name = "known"}, &err), &err);
    ob_lists_close(lists);
    p->file = open(p->path, O_RDONLY | O_CLOEXEC);
    if (p->file < 0 || fstat(p->file, &is))
        abort();
    p->size = (size_t)is.st_size;
    p->bytes = mmap(NULL, p->size, PROT_READ, MAP_SHARED, p->file, 0);
    if (p->bytes == MAP_FAILED)
        abort();
}

static int remove_one(const char *path, const struct stat *is, int kind, struct FTW *at)
{
    (void)is, (void)kind, (void)at;
    return remove(path);
}

static void drop(place *p)
{
    munmap(p->bytes, p->size);
    close(p->file);
    nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(p->queries);
}

/* ---- Searching ------------------------------------------------------------------------------- */

typedef struct collector {
    const ob_index *index;
    hits *out;
} collector;

/* What a list's own search does with a match, but for the looks at the file. */
static ob_status collect(void *context, uint32_t query, uint64_t at, unsigned distance)
{
    const collector *c = context;
    const hit found = {
        .entry = at, .query = query, .distance = distance, .hash = ob_index_get(c->index, at)};
    return hits_note(c->out, &found, NULL);
}

/* Seconds of BLOCK searches from `first` on; `list` NULL: of the bare index. */
static double search(const live *list, const ob_index *bare, const place *p, uint32_t first,
                     uint32_t together, uint64_t *found)
{
    ob_error err = {0};
    const double started = bench_now();
    for (uint32_t i = 0; i < BLOCK; i++) {
        const ob_hash256 *queries = p->queries + (size_t)(first + i) * ORIENTATIONS;
        hits hits = {0};
        collector c = {.index = bare, .out = &hits};
        must(list ? live_match(&hits, list, queries, together, DISTANCE, &err)
                  : ob_index_search(bare, queries, together, DISTANCE, collect, &c, &err),
             &err);
        *found += hits.count;
        hits_free(&hits);
    }
    return bench_now() - started;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static void compare(const live *list, const ob_index *bare, const place *p, uint32_t together)
{
    enum { BLOCKS = ROUNDS * (SEARCHES / BLOCK) };
    static double ratios[BLOCKS], seconds[BLOCKS];
    uint64_t with = 0, without = 0;
    for (size_t b = 0; b < BLOCKS; b++) {
        const uint32_t first = (uint32_t)(b % (SEARCHES / BLOCK)) * BLOCK;
        double checked, plain;
        if (b % 2) { /* each is first in half of the turns: the second finds a warm cache */
            plain = search(NULL, bare, p, first, together, &without);
            checked = search(list, NULL, p, first, together, &with);
        } else {
            checked = search(list, NULL, p, first, together, &with);
            plain = search(NULL, bare, p, first, together, &without);
        }
        ratios[b] = checked / plain;
        seconds[b] = checked / BLOCK;
    }
    if (with != without)
        abort();
    const double whole = median(ratios, BLOCKS);
    printf(
        "  %u at once   the checks cost %5.2f %% of a search (3 %% at most), which takes %.1f us\n",
        together, 100 * (whole - 1), median(seconds, BLOCKS) * 1e6);
}

/* ---- The first reading ----------------------------------------------------------------------- */

static double sum_all(const place *p)
{
    uint8_t sum[OB_SHA256_SIZE];
    ob_error err = {0};
    const double started = bench_now();
    must(ob_sha256(sum, p->bytes, p->size, &err), &err);
    return bench_now() - started;
}

static void read_first(live *list, const place *p)
{
    ob_error err = {0};
    uint64_t found = 0;
    const double first = search(list, NULL, p, 0, 1, &found) / BLOCK;
    const double started = bench_now();
    must(live_check(list, &err), &err);
    const double all = bench_now() - started;
    printf("  the first %d searches compare the parts that they read: %.0f us each\n", BLOCK,
           first * 1e6);
    printf("  %.2f x  to compare all %.0f MB, once: %.2f s (reference: SHA-256 over them)\n",
           all / sum_all(p), (double)p->size / 1e6, all);
}

/* So that neither waits for pages that it has not had yet. */
static void read_pages(const void *bytes, size_t size)
{
    enum { PAGE = 4096 };
    const volatile uint8_t *at = bytes;
    for (size_t i = 0; i < size; i += PAGE)
        (void)at[i];
}

void bench_lists(uint64_t count)
{
    place p = {.file = -1};
    live *list = NULL;
    ob_index bare;
    ob_error err = {0};
    must(ob_crypto_start(&err), &err);
    make(&p, count);
    printf(
        "\nchecks of a list, %.0f million hashes (reference: its index, mapped and not checked)\n",
        (double)count / 1e6);
    const double started = bench_now();
    must(live_open(&list, p.dir, "known", &err), &err);
    printf("  opened in %.1f ms, all but its head is hidden until it is read\n",
           (bench_now() - started) * 1e3);
    const obx *file = &list->base->file;
    must(ob_index_open(&bare, (const uint8_t *)p.bytes + file->index_offset, file->index_size,
                       file->index.count, OB_ISA_AUTO, &err),
         &err);
    read_first(list, &p);
    read_pages(file->bytes, p.size);
    read_pages(p.bytes, p.size);
    compare(list, &bare, &p, 1);
    compare(list, &bare, &p, ORIENTATIONS);
    live_release(list);
    drop(&p);
}
