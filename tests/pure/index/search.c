/* A search finds what comparing everything with everything finds. */
#include "test.h"

#include "index_priv.h"

typedef struct found {
    uint64_t count, sum;
    const ob_hash256 *hashes, *queries;
    unsigned distance;
} found;

/* Order does not matter: matches are summed up by a mix of what they say. */
static uint64_t mix(uint32_t query, uint64_t entry, unsigned distance)
{
    uint64_t x = ((uint64_t)query << 40 ^ entry << 8 ^ distance) + UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static ob_status note(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    found *f = context;
    assert_int_equal(ob_hash256_distance(&f->hashes[entry], &f->queries[query]), distance);
    assert_true(distance <= f->distance);
    f->count++;
    f->sum += mix(query, entry, distance);
    return OB_OK;
}

static void compare_all(found *f, uint64_t entries, uint32_t queries)
{
    for (uint32_t q = 0; q < queries; q++)
        for (uint64_t e = 0; e < entries; e++) {
            unsigned d = ob_hash256_distance(&f->hashes[e], &f->queries[q]);
            if (d <= f->distance) {
                f->count++;
                f->sum += mix(q, e, d);
            }
        }
}

static void *build(const ob_hash256 *hashes, uint64_t count)
{
    uint64_t size = ob_index_size(count);
    void *memory = aligned_alloc(64, (size + 64) / 64 * 64);
    assert_non_null(memory);
    assert_int_equal(ob_index_build(memory, size, hashes, count, NULL), OB_OK);
    return memory;
}

typedef enum kind { UNIFORM, CLUSTERED, IMAGE_LIKE, ALIKE, SHARING, KINDS } kind;

/* Neighbouring bits depend on each other, as those of a picture's coefficients do. */
static ob_hash256 image_like(test_random *r)
{
    ob_hash256 hash;
    for (int i = 0; i < 4; i++) {
        uint64_t x = test_next(r), stay = test_next(r) | test_next(r);
        for (int bit = 1; bit < 64; bit++)
            if (stay >> bit & 1)
                x = (x & ~(UINT64_C(1) << bit)) | (x >> (bit - 1) & 1) << bit;
        hash.q[i] = x;
    }
    return hash;
}

/* ALIKE: all near one hash. SHARING: half agree with one hash in eight stored words and nowhere
 * else, so that their buckets are full of entries that do not match. */
static void fill(test_random *r, ob_hash256 *hashes, uint64_t count, kind of)
{
    ob_hash256 centre = {{0}};
    for (uint64_t e = 0; e < count; e++) {
        hashes[e] = of == IMAGE_LIKE ? image_like(r) : test_hash(r);
        if (e == 0)
            centre = index_permute(&hashes[0]);
        else if (of == CLUSTERED)
            hashes[e] =
                test_flip(r, hashes[test_below(r, e < 50 ? e : 50)], (unsigned)test_below(r, 40));
        else if (of == ALIKE)
            hashes[e] = test_flip(r, hashes[0], (unsigned)test_below(r, 34));
        else if (of == SHARING && e % 2) {
            ob_hash256 stored = index_permute(&hashes[e]);
            memcpy(stored.q, centre.q, sizeof *stored.q * 2);
            hashes[e] = index_unpermute(&stored);
        }
    }
}

static void every_kernel_finds_exactly_what_is_within_the_distance(void **state)
{
    (void)state;
    test_random r = {31};
    const uint64_t sizes[] = {0, 1, 2, 7, 8, 9, 255, 256, 257, 4095, 4096, 4097, 9001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (kind of = UNIFORM; of < KINDS; of++) {
            uint64_t n = sizes[i];
            uint32_t queries = 1 + (uint32_t)test_below(&r, n > 4000 ? 20 : 300);
            ob_hash256 *hashes = malloc((n + 1) * sizeof *hashes);
            ob_hash256 *asked = malloc(queries * sizeof *asked);
            assert_true(hashes && asked);
            fill(&r, hashes, n, of);
            for (uint32_t q = 0; q < queries; q++)
                asked[q] =
                    n && q % 3 ? test_flip(&r, hashes[test_below(&r, n)], q % 36) : test_hash(&r);
            void *memory = build(hashes, n);
            unsigned distance = i % 4 ? 31 : (unsigned)test_below(&r, 32);
            found expected = {.hashes = hashes, .queries = asked, .distance = distance};
            compare_all(&expected, n, queries);
            for (ob_isa isa = OB_ISA_PORTABLE; isa <= ob_isa_best(); isa++) {
                ob_index index;
                assert_int_equal(ob_index_open(&index, memory, ob_index_size(n), n, isa, NULL),
                                 OB_OK);
                found got = {.hashes = hashes, .queries = asked, .distance = distance};
                assert_int_equal(
                    ob_index_search(&index, asked, queries, distance, note, &got, NULL), OB_OK);
                assert_int_equal(got.count, expected.count);
                assert_int_equal(got.sum, expected.sum);
                found one = {.hashes = hashes, .queries = asked, .distance = distance};
                for (uint32_t q = 0; q < queries; q++) {
                    one.queries = asked + q;
                    assert_int_equal(
                        ob_index_search(&index, asked + q, 1, distance, note, &one, NULL), OB_OK);
                }
                assert_int_equal(one.count, expected.count);
            }
            free(memory);
            free(hashes);
            free(asked);
        }
}

/* Whatever the entries are, pieces 1 to 16 and the batches find what comparing with all finds. */
static void the_index_finds_what_comparing_with_all_finds(void **state)
{
    (void)state;
    uint64_t wanted = test_samples("OBHUT_INDEX_QUERIES", 4000) / KINDS;
    uint64_t n = wanted > 10000 ? 300000 : wanted > 500 ? 60000 : OB_INDEX_MIN_WORDS;
    ob_hash256 *hashes = malloc(n * sizeof *hashes), *asked = malloc(wanted * sizeof *asked);
    assert_true(hashes && asked);
    test_random r = test_sampled(37);
    for (kind of = UNIFORM; of < KINDS; of++) {
        fill(&r, hashes, n, of);
        /* what matches nearly everything takes long to tell of */
        uint32_t queries = (uint32_t)(of == ALIKE ? wanted / 50 + 1 : wanted);
        for (uint32_t q = 0; q < queries; q++)
            asked[q] = q % 5 == 0 ? image_like(&r)
                       : q % 5 == 1
                           ? test_hash(&r)
                           : test_flip(&r, hashes[test_below(&r, q % 5 == 2 ? 60 : n)], q % 34);
        void *memory = build(hashes, n);
        uint64_t size = ob_index_size(n);
        ob_index all, index;
        assert_int_equal(ob_index_open(&all, memory, size, n, OB_ISA_AUTO, NULL), OB_OK);
        memset(all.words, 0, sizeof all.words);
        for (unsigned distance = 31; distance < 32; distance -= distance == 31 ? 8 : 15) {
            found expected = {.hashes = hashes, .queries = asked, .distance = distance};
            assert_int_equal(ob_index_search(&all, asked, queries, distance, note, &expected, NULL),
                             OB_OK);
            for (ob_isa isa = OB_ISA_PORTABLE; isa <= ob_isa_best(); isa++) {
                assert_int_equal(ob_index_open(&index, memory, size, n, isa, NULL), OB_OK);
                assert_non_null(index.words[0]);
                found batch = {.hashes = hashes, .queries = asked, .distance = distance};
                assert_int_equal(
                    ob_index_search(&index, asked, queries, distance, note, &batch, NULL), OB_OK);
                assert_int_equal(batch.count, expected.count);
                assert_int_equal(batch.sum, expected.sum);
                found one = {.hashes = hashes, .distance = distance};
                for (uint32_t q = 0; q < queries; q++) {
                    one.queries = asked + q;
                    assert_int_equal(
                        ob_index_search(&index, asked + q, 1, distance, note, &one, NULL), OB_OK);
                }
                assert_int_equal(one.count, expected.count);
            }
        }
        print_message("# kind %d: %u queries among %llu\n", (int)of, queries,
                      (unsigned long long)n);
        free(memory);
    }
    free(hashes);
    free(asked);
}

static ob_status ignore(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    (void)query;
    (void)distance;
    assert_true(entry < *(uint64_t *)context);
    return OB_OK;
}

static void damaged_memory_is_never_left(void **state)
{
    (void)state;
    uint64_t samples = test_samples("OBHUT_MUTATIONS", 2000) / 4, n = OB_INDEX_MIN_WORDS;
    ob_hash256 *hashes = malloc(n * sizeof *hashes);
    assert_non_null(hashes);
    test_random r = test_sampled(38);
    fill(&r, hashes, n, UNIFORM);
    uint64_t size = ob_index_size(n);
    uint8_t *memory = build(hashes, n);
    for (uint64_t i = 0; i < samples; i++) {
        uint64_t from = ob_index_piece_offset(n, 1) + test_below(&r, size - 4096);
        uint64_t at = from < size - 64 ? from : size - 64;
        uint8_t kept[64];
        memcpy(kept, memory + at, sizeof kept);
        for (int k = 0; k < 64; k++)
            memory[at + (uint64_t)k] = i % 2 ? 0xFF : (uint8_t)test_next(&r);
        ob_index index;
        assert_int_equal(ob_index_open(&index, memory, size, n, (ob_isa)(i % 4), NULL), OB_OK);
        ob_error err = {0};
        ob_status status = ob_index_search(&index, hashes + test_below(&r, n - 300),
                                           i % 8 ? 3 : 300, 31, ignore, &n, &err);
        assert_true(status == OB_OK || (status == OB_EFORMAT && err.text[0]));
        memcpy(memory + at, kept, sizeof kept);
    }
    free(memory);
    free(hashes);
}

static void filters_agree(void **state)
{
    (void)state;
    uint64_t samples = test_samples("OBHUT_KERNEL_INPUTS", 20000);
    test_random r = test_sampled(39);
    for (uint64_t i = 0; i < samples; i++) {
        uint8_t words[2 * INDEX_BLOCK + 1];
        uint16_t expected[INDEX_BLOCK], got[INDEX_BLOCK];
        uint32_t count = (uint32_t)test_below(&r, INDEX_BLOCK + 1);
        uint32_t word = (uint32_t)test_below(&r, 65536), passed = 0;
        unsigned bits = (unsigned)test_below(&r, 4);
        for (uint32_t k = 0; k < count; k++) {
            uint16_t value = (uint16_t)test_next(&r);
            if (i % 2)
                value = (uint16_t)(word ^ (value & test_next(&r) & test_next(&r)));
            memcpy(words + 1 + 2 * k, &value, sizeof value); /* not aligned */
            if ((unsigned)__builtin_popcount(value ^ word) <= bits)
                expected[passed++] = (uint16_t)k;
        }
        for (ob_isa isa = OB_ISA_PORTABLE; isa <= ob_isa_best(); isa++) {
            assert_int_equal(index_kernel_for(isa)->filter(got, words + 1, count, word, bits),
                             passed);
            assert_memory_equal(got, expected, passed * sizeof *got);
        }
    }
}

static void a_digest_is_found_where_it_stands(void **state)
{
    (void)state;
    test_random r = {40};
    const unsigned widths[] = {4, 16, 20, 32};
    const uint32_t counts[] = {0, 1, 5, 1000, 40000};
    for (size_t w = 0; w < 4; w++)
        for (size_t c = 0; c < 5; c++) {
            unsigned width = widths[w];
            uint32_t n = counts[c];
            uint8_t *digests = malloc((size_t)n * width + 1);
            uint32_t *order = malloc((n + 1) * sizeof *order);
            uint64_t size = ob_digest_set_size(n, width);
            void *memory = aligned_alloc(64, (size + 64) / 64 * 64);
            assert_true(digests && order && memory);
            for (uint32_t k = 0; k < n; k++) {
                for (unsigned b = 0; b < width; b++)
                    digests[(size_t)k * width + b] = (uint8_t)test_next(&r);
                if (k > 10 && k % 7 == 0) /* listed before, or with the same start */
                    memcpy(digests + (size_t)k * width,
                           digests + (size_t)test_below(&r, 10) * width, k % 2 ? width : width - 1);
            }
            assert_int_equal(ob_digest_set_build(memory, size, order, digests, n, width, NULL),
                             OB_OK);
            ob_digest_set set;
            assert_int_equal(ob_digest_set_open(&set, memory, size, n, width, NULL), OB_OK);
            for (uint32_t k = 0; k < n; k += 1 + n / 2000) {
                uint64_t first, found, same = 0;
                ob_digest_set_find(&first, &found, &set, digests + (size_t)k * width, 1);
                bool seen = false;
                for (uint64_t i = 0; i < found; i++) {
                    assert_memory_equal(digests + (size_t)order[first + i] * width,
                                        digests + (size_t)k * width, width);
                    seen |= order[first + i] == k;
                    assert_true(!i || order[first + i] > order[first + i - 1]);
                }
                for (uint32_t other = 0; other < n; other++)
                    same += !memcmp(digests + (size_t)other * width, digests + (size_t)k * width,
                                    width);
                assert_true(seen);
                assert_int_equal(found, same);
            }
            uint8_t many[100 * 32];
            uint64_t first[100], found[100];
            for (size_t k = 0; k < sizeof many; k++)
                many[k] = (uint8_t)test_next(&r);
            ob_digest_set_find(first, found, &set, many, 100);
            for (int k = 0; k < 100 && width > 4; k++)
                assert_int_equal(found[k], 0);
            assert_int_equal(ob_digest_set_open(&set, memory, size + 1, n, width, NULL),
                             OB_EFORMAT);
            free(memory);
            free(order);
            free(digests);
        }
}

static void kernels_agree_on_random_and_adversarial_blocks(void **state)
{
    (void)state;
    uint64_t samples = test_samples("OBHUT_KERNEL_INPUTS", 20000);
    test_random r = test_sampled(32);
    for (uint64_t i = 0; i < samples; i++) {
        ob_index_half first[INDEX_BLOCK], second[INDEX_BLOCK], group[INDEX_GROUP];
        uint32_t count = 1 + (uint32_t)test_below(&r, INDEX_BLOCK);
        unsigned distance = (unsigned)test_below(&r, 32);
        ob_hash256 query = test_hash(&r);
        for (uint32_t k = 0; k < count; k++) {
            ob_hash256 hash =
                i % 3 == 0 ? test_hash(&r) : test_flip(&r, query, (unsigned)test_below(&r, 64));
            if (i % 3 == 2) /* agrees in the half that decides, not in the other */
                memcpy(hash.q, query.q, 2 * sizeof *hash.q);
            memcpy(&first[k], &hash.q[0], sizeof first[k]);
            memcpy(&second[k], &hash.q[2], sizeof second[k]);
        }
        for (int k = 0; k < INDEX_GROUP; k++) {
            ob_hash256 near = test_flip(&r, query, (unsigned)test_below(&r, 80));
            memcpy(&group[k], &near.q[0], sizeof group[k]);
        }
        const index_kernel *definition = &index_kernel_portable;
        uint64_t hits[INDEX_BLOCK / 64], other[INDEX_BLOCK / 64];
        uint32_t suspects = definition->suspects(first, count, group, distance);
        definition->verify(hits, first, second, count, &query, distance);
        for (ob_isa isa = OB_ISA_AVX2; isa <= ob_isa_best(); isa++) {
            const index_kernel *kernel = index_kernel_for(isa);
            assert_int_equal(kernel->suspects(first, count, group, distance), suspects);
            assert_int_equal(kernel->suspect(first, count, group, distance), suspects & 1);
            kernel->verify(other, first, second, count, &query, distance);
            assert_memory_equal(other, hits, sizeof hits);
        }
    }
}

static void stored_bits_can_be_put_back(void **state)
{
    (void)state;
    test_random r = {33};
    for (int i = 0; i < 1000; i++) {
        ob_hash256 a = test_hash(&r), b = test_hash(&r);
        ob_hash256 x = index_permute(&a), y = index_permute(&b), back = index_unpermute(&x);
        assert_memory_equal(&back, &a, sizeof a);
        assert_int_equal(ob_hash256_distance(&x, &y), ob_hash256_distance(&a, &b));
        for (unsigned row = 0; row < 16; row++)
            for (unsigned column = 0; column < 16; column++) {
                unsigned from = 16 * row + column, to = 16 * ((column + 5 * row) % 16) + row;
                assert_int_equal(a.q[from / 64] >> (from % 64) & 1, x.q[to / 64] >> (to % 64) & 1);
            }
    }
}

static ob_status stop_at_third(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    (void)query;
    (void)entry;
    (void)distance;
    return ++*(int *)context == 3 ? OB_ELIMIT : OB_OK;
}

static void a_search_can_be_ended_by_who_listens(void **state)
{
    (void)state;
    ob_hash256 hashes[1000] = {{{0}}};
    void *memory = build(hashes, 1000);
    ob_index index;
    int seen = 0;
    assert_int_equal(ob_index_open(&index, memory, ob_index_size(1000), 1000, OB_ISA_AUTO, NULL),
                     OB_OK);
    assert_int_equal(ob_index_search(&index, hashes, 1, 31, stop_at_third, &seen, NULL), OB_ELIMIT);
    assert_int_equal(seen, 3);
    free(memory);
}

static void impossible_requests_are_refused(void **state)
{
    (void)state;
    ob_hash256 hashes[4] = {{{0}}};
    char *memory = build(hashes, 4);
    ob_index index;
    int seen = 0;
    uint64_t size = ob_index_size(4);
    assert_int_equal(ob_index_open(&index, memory, size - 1, 4, OB_ISA_AUTO, NULL), OB_EFORMAT);
    assert_int_equal(ob_index_open(&index, memory, size, 5, OB_ISA_AUTO, NULL), OB_EFORMAT);
    assert_int_equal(ob_index_open(&index, memory + 8, size, 4, OB_ISA_AUTO, NULL), OB_EINVAL);
    assert_int_equal(ob_index_open(&index, memory, size, OB_INDEX_MAX_COUNT + 1, OB_ISA_AUTO, NULL),
                     OB_ELIMIT);
    assert_int_equal(ob_index_open(&index, memory, size, 4, OB_ISA_AUTO, NULL), OB_OK);
    assert_int_equal(ob_index_search(&index, hashes, 1, 32, stop_at_third, &seen, NULL), OB_EINVAL);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_finds_exactly_what_is_within_the_distance),
        cmocka_unit_test(kernels_agree_on_random_and_adversarial_blocks),
        cmocka_unit_test(the_index_finds_what_comparing_with_all_finds),
        cmocka_unit_test(damaged_memory_is_never_left),
        cmocka_unit_test(filters_agree),
        cmocka_unit_test(a_digest_is_found_where_it_stands),
        cmocka_unit_test(stored_bits_can_be_put_back),
        cmocka_unit_test(a_search_can_be_ended_by_who_listens),
        cmocka_unit_test(impossible_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
