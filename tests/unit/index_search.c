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

/* Uniform, clustered, and with everything alike. */
static void fill(test_random *r, ob_hash256 *hashes, uint64_t count, int kind)
{
    for (uint64_t e = 0; e < count; e++)
        if (kind == 0 || e == 0)
            hashes[e] = test_hash(r);
        else if (kind == 1)
            hashes[e] =
                test_flip(r, hashes[test_below(r, e < 50 ? e : 50)], (unsigned)test_below(r, 40));
        else
            hashes[e] = test_flip(r, hashes[0], (unsigned)test_below(r, 34));
}

static void every_kernel_finds_exactly_what_is_within_the_distance(void **state)
{
    (void)state;
    test_random r = {31};
    const uint64_t sizes[] = {0, 1, 2, 7, 8, 9, 255, 256, 257, 4095, 4096, 4097, 9001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kind = 0; kind < 3; kind++) {
            uint64_t n = sizes[i];
            uint32_t queries = 1 + (uint32_t)test_below(&r, n > 4000 ? 20 : 300);
            ob_hash256 *hashes = malloc((n + 1) * sizeof *hashes);
            ob_hash256 *asked = malloc(queries * sizeof *asked);
            assert_true(hashes && asked);
            fill(&r, hashes, n, kind);
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

static void kernels_agree_on_random_and_adversarial_blocks(void **state)
{
    (void)state;
    uint64_t samples = test_samples("OBHUT_KERNEL_INPUTS", 20000);
    test_random r = {32};
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
        cmocka_unit_test(stored_bits_can_be_put_back),
        cmocka_unit_test(a_search_can_be_ended_by_who_listens),
        cmocka_unit_test(impossible_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
