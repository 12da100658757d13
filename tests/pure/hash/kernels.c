/* Every kernel gives the bits of the definition, on random and on nasty input. */
#include "test.h"

#include "hash_priv.h"

#include <math.h>

enum { CELLS = 200 };

typedef struct input {
    _Alignas(64) float a[PDQ_SIDE * PDQ_SIDE];
    _Alignas(64) uint32_t keys[PDQ_FREQS * PDQ_FREQS];
    float sums[4 * CELLS + 2 * PDQ_LANES], row[4 * CELLS];
    uint8_t bytes[3 * 4 * CELLS];
    size_t count;
    float weight;
} input;

static float nasty_float(test_random *r)
{
    static const float some[] = {0.0f,   -0.0f,       255.0f,     127.5f,      1e-30f,
                                 -1e-7f, 0.33333334f, 254.99998f, 1.17549e-38f};
    return some[test_below(r, sizeof some / sizeof *some)];
}

/* Kinds: random; few values, many ties; extreme values; flat with a speck. */
static void fill(test_random *r, input *in, uint64_t number)
{
    unsigned kind = number % 4;
    for (size_t k = 0; k < sizeof in->a / sizeof *in->a; k++)
        in->a[k] = kind == 0   ? (float)test_below(r, 1u << 24) * (255.0f / (1u << 24))
                   : kind == 1 ? (float)test_below(r, 3) * 85.0f
                   : kind == 2 ? nasty_float(r)
                               : 128.0f;
    if (kind == 3)
        in->a[test_below(r, 4096)] = 129.0f;
    for (size_t k = 0; k < sizeof in->keys / sizeof *in->keys; k++)
        in->keys[k] = kind == 0   ? (uint32_t)test_next(r)
                      : kind == 1 ? (uint32_t)test_below(r, 4) + UINT32_C(0x7FFFFFFE)
                      : kind == 2 ? (test_below(r, 2) ? UINT32_MAX : 0)
                                  : 77;
    in->count = test_below(r, 4 * CELLS) + 1;
    in->weight = kind == 2 ? nasty_float(r) : (float)test_below(r, 1000) / 1000.0f;
    for (size_t k = 0; k < sizeof in->sums / sizeof *in->sums; k++)
        in->sums[k] = (float)test_below(r, 1u << 20) / 4096.0f;
    for (size_t k = 0; k < sizeof in->row / sizeof *in->row; k++)
        in->row[k] = kind == 2 ? nasty_float(r) : (float)test_below(r, 1u << 20) / 4096.0f;
    for (size_t k = 0; k < sizeof in->bytes; k++)
        in->bytes[k] = kind == 1 ? (test_below(r, 2) ? 255 : 0) : (uint8_t)test_next(r);
}

typedef struct output {
    float added[4 * CELLS], added_float[4 * CELLS], luma[4 * CELLS], windows[PDQ_SIDE];
    _Alignas(64) float b[PDQ_FREQS * PDQ_FREQS];
    uint32_t gradient, median;
    ob_hash256 hashes[OB_DIHEDRAL_COUNT];
} output;

static void run(output *out, const input *in, const pdq_kernel *kernel, const pdq_axis *axis,
                const pdq_dct_matrix *matrix)
{
    memset(out, 0, sizeof *out);
    memcpy(out->added, in->sums, sizeof out->added);
    memcpy(out->added_float, in->sums, sizeof out->added_float);
    kernel->add_luma(out->added, in->bytes, in->weight, in->count);
    kernel->add_float(out->added_float, in->row, in->weight, in->count);
    kernel->luma_of_rgb(out->luma, in->bytes, in->count);
    kernel->windows(out->windows, in->sums, axis);
    kernel->dct(out->b, in->a, matrix);
    out->gradient = kernel->gradient(in->a);
    out->median = kernel->median(in->keys);
    pdq_bits(out->hashes, out->b, kernel);
}

static void every_kernel_gives_the_bits_of_the_definition(void **state)
{
    (void)state;
    uint64_t samples = test_samples("OBHUT_KERNEL_INPUTS", 20000);
    pdq_dct_matrix matrix;
    pdq_dct_matrix_init(&matrix);
    input *in = aligned_alloc(64, (sizeof *in + 63) / 64 * 64);
    output *expected = aligned_alloc(64, (sizeof *expected + 63) / 64 * 64);
    output *got = aligned_alloc(64, (sizeof *got + 63) / 64 * 64);
    assert_true(in && expected && got);
    test_random r = test_sampled(21);
    for (uint64_t i = 0; i < samples; i++) {
        pdq_axis axis;
        assert_int_equal(
            pdq_axis_init(&axis, 1 + (uint32_t)test_below(&r, 4 * CELLS), 1, i % 2, NULL), OB_OK);
        fill(&r, in, i);
        run(expected, in, &pdq_kernel_portable, &axis, &matrix);
        for (ob_isa isa = OB_ISA_AVX2; isa <= ob_isa_best(); isa++) {
            run(got, in, pdq_kernel_for(isa), &axis, &matrix);
            if (memcmp(got, expected, sizeof *got))
                fail_msg("%s differs from the definition at input %llu", ob_isa_name(isa),
                         (unsigned long long)i);
        }
        pdq_axis_free(&axis);
    }
    free(in);
    free(expected);
    free(got);
}

static void the_median_is_the_128th_smallest(void **state)
{
    (void)state;
    _Alignas(64) uint32_t keys[256];
    for (uint32_t k = 0; k < 256; k++)
        keys[k] = 1000 + 3 * ((k * 167) % 256);
    for (ob_isa isa = OB_ISA_PORTABLE; isa <= ob_isa_best(); isa++)
        assert_int_equal(pdq_kernel_for(isa)->median(keys), 1000 + 3 * 127);
}

/* Filter and decimation as published: two box filters along the whole line, then one of 64. */
static void plain_filter(double out[PDQ_SIDE], const double *line, int size)
{
    double *from = malloc((size_t)size * sizeof *from), *to = malloc((size_t)size * sizeof *to);
    assert_true(from && to);
    memcpy(from, line, (size_t)size * sizeof *from);
    int w = (size + 127) / 128, half = (w + 2) / 2;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < size; i++) {
            double sum = 0;
            int count = 0;
            for (int k = i - (w - half); k <= i + half - 1; k++)
                if (k >= 0 && k < size) {
                    sum += from[k];
                    count++;
                }
            to[i] = sum / count;
        }
        memcpy(from, to, (size_t)size * sizeof *from);
    }
    for (int i = 0; i < PDQ_SIDE; i++)
        out[i] = from[(2 * i + 1) * size / 128];
    free(from);
    free(to);
}

static void the_sparse_weights_are_the_published_filters(void **state)
{
    (void)state;
    test_random r = {22};
    for (int i = 0; i < 300; i++) {
        int size = i < 200 ? 5 + i * 7 : 5 + (int)test_below(&r, 6000);
        double *line = malloc((size_t)size * sizeof *line), expected[PDQ_SIDE];
        assert_non_null(line);
        for (int k = 0; k < size; k++)
            line[k] = (double)test_below(&r, 256);
        plain_filter(expected, line, size);
        pdq_axis axis;
        assert_int_equal(pdq_axis_init(&axis, (uint32_t)size, 1, false, NULL), OB_OK);
        for (int j = 0; j < PDQ_SIDE; j++) {
            double sum = 0;
            for (uint32_t k = axis.first[j]; k <= axis.last[j]; k++)
                sum += (double)axis.weights[axis.at[j] + k - axis.first[j]] * line[k];
            assert_true(fabs(sum - expected[j]) < 1e-4);
        }
        pdq_axis_free(&axis);
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_gives_the_bits_of_the_definition),
        cmocka_unit_test(the_median_is_the_128th_smallest),
        cmocka_unit_test(the_sparse_weights_are_the_published_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
