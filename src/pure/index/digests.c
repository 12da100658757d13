/* Sorted digests with a table over their first bits: two cache lines a look-up. */
#include "index_priv.h"

#include <stdlib.h>

enum { MIN_WIDTH = 4, MAX_BITS = 24, ALIGN = 64 };

/* Two to four digests behind each number of the table, as long as MAX_BITS allow. */
static unsigned bits_for(uint64_t count)
{
    unsigned bits = 0;
    while (bits < MAX_BITS && count >> bits > 4)
        bits++;
    return bits;
}

static uint64_t table_size(unsigned bits)
{
    uint64_t size = ((UINT64_C(1) << bits) + 1) * sizeof(uint32_t);
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

uint64_t ob_digest_set_size(uint64_t count, unsigned width)
{
    return table_size(bits_for(count)) + count * width;
}

/* Digests are uniform, so their first bits spread them evenly. */
static inline uint32_t prefix(const uint8_t *digest, unsigned bits)
{
    uint32_t first = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                     (uint32_t)digest[2] << 8 | digest[3];
    return (uint32_t)((uint64_t)first >> (32 - bits));
}

static ob_status check(const void *memory, uint64_t size, uint64_t count, unsigned width,
                       ob_error *err)
{
    if (width < MIN_WIDTH || width > OB_DIGEST_WIDTH_MAX)
        return ob_fail(err, OB_EINVAL, "digests of %u bytes; %d to %d are possible", width,
                       MIN_WIDTH, OB_DIGEST_WIDTH_MAX);
    if (count > OB_INDEX_MAX_COUNT)
        return ob_fail(err, OB_ELIMIT, "a set of %llu digests; at most %llu are possible",
                       (unsigned long long)count, (unsigned long long)OB_INDEX_MAX_COUNT);
    if (size != ob_digest_set_size(count, width))
        return ob_fail(err, OB_EFORMAT, "a set of %llu digests takes %llu bytes, not %llu",
                       (unsigned long long)count,
                       (unsigned long long)ob_digest_set_size(count, width),
                       (unsigned long long)size);
    if ((uintptr_t)memory % ALIGN)
        return ob_fail(err, OB_EINVAL, "a set must start at a multiple of %d bytes", ALIGN);
    return OB_OK;
}

/* ---- Building -------------------------------------------------------------------------------- */

/* By digest, equal ones by number: a heap over one prefix's few numbers would do, but runs may be
 * long when a digest is listed many times, so this never takes quadratic time. */
static int compare(const uint8_t *digests, unsigned width, uint32_t a, uint32_t b)
{
    int order = memcmp(digests + (size_t)a * width, digests + (size_t)b * width, width);
    return order ? order : (a > b) - (a < b);
}

static void sift(uint32_t *run, uint32_t root, uint32_t count, const uint8_t *digests,
                 unsigned width)
{
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare(digests, width, run[child], run[child + 1]) < 0)
            child++;
        if (compare(digests, width, run[root], run[child]) >= 0)
            return;
        uint32_t swapped = run[root];
        run[root] = run[child];
        run[child] = swapped;
    }
}

static void sort_run(uint32_t *run, uint32_t count, const uint8_t *digests, unsigned width)
{
    for (uint32_t root = count / 2; root-- > 0;)
        sift(run, root, count, digests, width);
    for (uint32_t end = count; end-- > 1;) {
        uint32_t largest = run[0];
        run[0] = run[end];
        run[end] = largest;
        sift(run, 0, end, digests, width);
    }
}

ob_status ob_digest_set_build(void *memory, uint64_t size, uint32_t *order, const uint8_t *digests,
                              uint64_t count, unsigned width, ob_error *err)
{
    ob_status status = check(memory, size, count, width, err);
    if (status)
        return status;
    unsigned bits = bits_for(count);
    uint64_t prefixes = UINT64_C(1) << bits;
    uint32_t *starts = memory, *numbers = order ? order : malloc((count + 1) * sizeof *numbers);
    uint32_t *next = malloc(prefixes * sizeof *next);
    if (!numbers || !next)
        status = ob_fail(err, OB_ENOMEM, "out of memory: a set of %llu digests",
                         (unsigned long long)count);
    if (!status) {
        memset(memory, 0, table_size(bits));
        for (uint64_t k = 0; k < count; k++)
            starts[prefix(digests + k * width, bits) + 1]++;
        for (uint64_t p = 0; p < prefixes; p++) {
            starts[p + 1] += starts[p];
            next[p] = starts[p];
        }
        for (uint64_t k = 0; k < count; k++)
            numbers[next[prefix(digests + k * width, bits)]++] = (uint32_t)k;
        uint8_t *sorted = (uint8_t *)memory + table_size(bits);
        for (uint64_t p = 0; p < prefixes; p++) {
            uint32_t from = starts[p], run = starts[p + 1] - from;
            sort_run(numbers + from, run, digests, width);
            for (uint32_t k = 0; k < run; k++)
                memcpy(sorted + (size_t)(from + k) * width,
                       digests + (size_t)numbers[from + k] * width, width);
        }
    }
    free(next);
    if (!order)
        free(numbers);
    return status;
}

ob_status ob_digest_set_open(ob_digest_set *out, const void *memory, uint64_t size, uint64_t count,
                             unsigned width, ob_error *err)
{
    ob_status status = check(memory, size, count, width, err);
    if (status)
        return status;
    unsigned bits = bits_for(count);
    *out = (ob_digest_set){.starts = memory,
                           .digests = (const uint8_t *)memory + table_size(bits),
                           .count = count,
                           .width = width,
                           .bits = bits};
    return OB_OK;
}

/* ---- Finding --------------------------------------------------------------------------------- */

/* The digests behind a prefix; empty where the table is not what was built. */
static inline void bounds(uint64_t *from, uint64_t *to, const ob_digest_set *set, uint32_t which)
{
    *from = set->starts[which];
    *to = set->starts[which + 1];
    if (*from > *to || *to > set->count)
        *from = *to = 0;
}

/* The first eight bytes as a number that sorts as they do. */
static inline uint64_t beginning(const uint8_t *digest)
{
    uint64_t bytes;
    memcpy(&bytes, digest, sizeof bytes);
    return __builtin_bswap64(bytes);
}

/* memcmp of two digests, nearly always decided by their beginnings. */
static inline int order_of(const uint8_t *a, const uint8_t *b, unsigned width)
{
    if (width < sizeof(uint64_t))
        return memcmp(a, b, width);
    uint64_t x = beginning(a), y = beginning(b);
    if (x != y)
        return x < y ? -1 : 1;
    return memcmp(a + sizeof x, b + sizeof x, width - sizeof x);
}

static void find_between(uint64_t *first, uint64_t *found, const ob_digest_set *set, uint64_t from,
                         uint64_t to, const uint8_t *wanted)
{
    const unsigned width = set->width;
    uint64_t end = to;
    while (to - from > 8) { /* long only where one digest stands many times */
        uint64_t middle = from + (to - from) / 2;
        if (order_of(set->digests + middle * width, wanted, width) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    int order = 1;
    while (from < to && (order = order_of(set->digests + from * width, wanted, width)) < 0)
        from++;
    if (from == to && to < end) /* halved: what stands at the border was not compared last */
        order = order_of(set->digests + from * width, wanted, width);
    *first = from;
    *found = 0;
    while (!order) {
        from++;
        ++*found;
        order = from < end ? memcmp(set->digests + from * width, wanted, width) : 1;
    }
}

void ob_digest_set_find(uint64_t *first, uint64_t *found, const ob_digest_set *set,
                        const uint8_t *wanted, uint32_t count)
{
    enum { AT_ONCE = 64 };
    for (uint32_t at = 0; at < count; at += AT_ONCE) {
        uint64_t from[AT_ONCE], to[AT_ONCE];
        uint32_t now = count - at < AT_ONCE ? count - at : AT_ONCE;
        const uint8_t *some = wanted + (size_t)at * set->width;
        for (uint32_t i = 0; i < now; i++)
            __builtin_prefetch(&set->starts[prefix(some + (size_t)i * set->width, set->bits)]);
        for (uint32_t i = 0; i < now; i++) {
            bounds(&from[i], &to[i], set, prefix(some + (size_t)i * set->width, set->bits));
            __builtin_prefetch(set->digests + from[i] * set->width);
        }
        for (uint32_t i = 0; i < now; i++)
            find_between(&first[at + i], &found[at + i], set, from[i], to[i],
                         some + (size_t)i * set->width);
    }
}
