/* Properties of the hash of a picture, however it is fed. */
#include "test.h"

#include <obhut/hash.h>

#include <math.h>

static void expect_same(const ob_pdq *a, const ob_pdq *b)
{
    assert_memory_equal(a->hash, b->hash, sizeof a->hash);
    assert_int_equal(a->quality, b->quality);
}

/* A picture with something in it at every scale: reproducible, harmless, never flat. */
static uint8_t *draw(test_random *r, uint32_t width, uint32_t height, unsigned samples)
{
    uint8_t *pixels = malloc((size_t)width * height * samples);
    assert_non_null(pixels);
    double wave[6][3];
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 3; k++)
            wave[i][k] = (double)test_below(r, 1000) / 1000.0;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            for (unsigned c = 0; c < samples; c++) {
                double u = (double)x / width, v = (double)y / height, sum = 0;
                for (int i = 0; i < 6; i++)
                    sum += sin(6.28 * ((1 + 5 * wave[i][0]) * u + (1 + 7 * wave[i][1]) * v +
                                       wave[i][2] + 0.1 * c));
                double value = 128 + 20 * sum + (double)test_below(r, 8);
                pixels[((size_t)y * width + x) * samples + c] = (uint8_t)(value < 0     ? 0
                                                                          : value > 255 ? 255
                                                                                        : value);
            }
    return pixels;
}

static ob_pdq hash_of(const uint8_t *pixels, uint32_t width, uint32_t height,
                      ob_pdq_samples samples, ob_pdq_variant variant)
{
    ob_pdq_shape shape = {
        .width = width, .height = height, .scale = 1, .samples = samples, .variant = variant};
    ob_pdq pdq;
    assert_int_equal(ob_pdq_hash(&pdq, &shape, pixels, (size_t)width * samples, NULL), OB_OK);
    return pdq;
}

static void the_pieces_in_which_rows_arrive_do_not_matter(void **state)
{
    (void)state;
    test_random r = {11};
    for (int i = 0; i < 40; i++) {
        uint32_t width = 5 + (uint32_t)test_below(&r, 900);
        uint32_t height = 5 + (uint32_t)test_below(&r, 900);
        ob_pdq_samples samples = i % 2 ? OB_PDQ_RGB : OB_PDQ_LUMA;
        ob_pdq_variant variant = i % 4 / 2 ? OB_PDQ_REFERENCE : OB_PDQ_FULL;
        uint8_t *pixels = draw(&r, width, height, samples);
        ob_pdq whole = hash_of(pixels, width, height, samples, variant);
        ob_pdq_shape shape = {
            .width = width, .height = height, .scale = 1, .samples = samples, .variant = variant};
        ob_pdq_stream *stream = NULL;
        assert_int_equal(ob_pdq_begin(&stream, &shape, NULL), OB_OK);
        size_t pitch = (size_t)width * samples;
        for (uint32_t at = 0; at < height;) {
            ob_pdq early;
            assert_int_equal(ob_pdq_finish(&early, stream, NULL), OB_EINVAL);
            uint32_t count = 1 + (uint32_t)test_below(&r, 37);
            if (count > height - at)
                count = height - at;
            assert_int_equal(ob_pdq_rows(stream, pixels + at * pitch, pitch, count, NULL), OB_OK);
            at += count;
        }
        assert_int_equal(ob_pdq_rows(stream, pixels, pitch, 1, NULL), OB_EINVAL);
        ob_pdq pieces;
        assert_int_equal(ob_pdq_finish(&pieces, stream, NULL), OB_OK);
        expect_same(&pieces, &whole);
        ob_pdq_free(stream);
        free(pixels);
    }
}

/* The pixel of the turned picture at (x, y), for a square of side n. */
static size_t source_of(ob_dihedral which, uint32_t x, uint32_t y, uint32_t n)
{
    uint32_t sx = x, sy = y, m = n - 1;
    switch (which) {
    case OB_DIHEDRAL_ROTATE90:
        sx = m - y, sy = x;
        break;
    case OB_DIHEDRAL_ROTATE180:
        sx = m - x, sy = m - y;
        break;
    case OB_DIHEDRAL_ROTATE270:
        sx = y, sy = m - x;
        break;
    case OB_DIHEDRAL_FLIPX:
        sy = m - y;
        break;
    case OB_DIHEDRAL_FLIPY:
        sx = m - x;
        break;
    case OB_DIHEDRAL_TRANSPOSE:
        sx = y, sy = x;
        break;
    case OB_DIHEDRAL_TRANSVERSE:
        sx = m - y, sy = m - x;
        break;
    default:
        break;
    }
    return (size_t)sy * n + sx;
}

/* At these sides filter and decimation are symmetric (an odd window, a middle pixel in each of the
 * 64 fields), so only rounding is left between the turned hash and the hash of the turned picture.
 */
static void turned_pictures_have_the_turned_hashes(void **state)
{
    (void)state;
    static const uint32_t sides[] = {64, 320, 576};
    test_random r = {12};
    for (int i = 0; i < 12; i++) {
        uint32_t n = sides[i % 3];
        uint8_t *pixels = draw(&r, n, n, 1), *turned = malloc((size_t)n * n);
        assert_non_null(turned);
        ob_pdq original = hash_of(pixels, n, n, OB_PDQ_LUMA, OB_PDQ_FULL);
        for (int which = 0; which < OB_DIHEDRAL_COUNT; which++) {
            for (uint32_t y = 0; y < n; y++)
                for (uint32_t x = 0; x < n; x++)
                    turned[(size_t)y * n + x] = pixels[source_of(which, x, y, n)];
            ob_pdq of_turned = hash_of(turned, n, n, OB_PDQ_LUMA, OB_PDQ_FULL);
            unsigned best = 256;
            int nearest = 0;
            for (int k = 0; k < OB_DIHEDRAL_COUNT; k++) {
                unsigned d = ob_hash256_distance(&of_turned.hash[0], &original.hash[k]);
                if (d < best) {
                    best = d;
                    nearest = k;
                }
            }
            assert_int_equal(nearest, which);
            assert_true(best <= 2);
        }
        free(turned);
        free(pixels);
    }
}

/* At any other side the middle must be chosen as if the picture had been mirrored before. */
static void a_picture_hashed_as_mirrored_has_the_mirrored_hash(void **state)
{
    (void)state;
    static const ob_dihedral mirrored[2][2] = {{OB_DIHEDRAL_ORIGINAL, OB_DIHEDRAL_FLIPX},
                                               {OB_DIHEDRAL_FLIPY, OB_DIHEDRAL_ROTATE180}};
    test_random r = {14};
    for (int i = 0; i < 60; i++) {
        uint32_t w = 5 + (uint32_t)test_below(&r, i % 3 ? 300 : 900);
        uint32_t h = 5 + (uint32_t)test_below(&r, i % 3 ? 300 : 900);
        uint8_t *pixels = draw(&r, w, h, 1), *other = malloc((size_t)w * h);
        assert_non_null(other);
        for (int x_too = 0; x_too < 2; x_too++)
            for (int y_too = 0; y_too < 2; y_too++) {
                for (uint32_t y = 0; y < h; y++)
                    for (uint32_t x = 0; x < w; x++)
                        other[(size_t)y * w + x] =
                            pixels[(size_t)(y_too ? h - 1 - y : y) * w + (x_too ? w - 1 - x : x)];
                ob_pdq_variant variant = i % 2 ? OB_PDQ_FULL : OB_PDQ_REFERENCE;
                ob_pdq expected = hash_of(other, w, h, OB_PDQ_LUMA, variant), got;
                const ob_pdq_shape shape = {.width = w,
                                            .height = h,
                                            .scale = 1,
                                            .samples = OB_PDQ_LUMA,
                                            .variant = variant,
                                            .mirror_x = x_too,
                                            .mirror_y = y_too};
                assert_int_equal(ob_pdq_hash(&got, &shape, pixels, w, NULL), OB_OK);
                assert_true(ob_hash256_distance(&got.hash[mirrored[x_too][y_too]],
                                                &expected.hash[OB_DIHEDRAL_ORIGINAL]) <= 2);
            }
        free(other);
        free(pixels);
    }
}

static void half_of_the_bits_are_set(void **state)
{
    (void)state;
    test_random r = {13};
    const ob_hash256 zero = {{0}};
    for (int i = 0; i < 20; i++) {
        uint8_t *pixels = draw(&r, 300, 200, 3);
        ob_pdq pdq = hash_of(pixels, 300, 200, OB_PDQ_RGB, OB_PDQ_FULL);
        for (int k = 0; k < OB_DIHEDRAL_COUNT; k++)
            assert_int_equal(ob_hash256_distance(&pdq.hash[k], &zero), 128);
        free(pixels);
    }
}

static void up_to_512_pixels_the_variants_coincide(void **state)
{
    (void)state;
    test_random r = {14};
    const uint32_t sizes[][2] = {{512, 512}, {512, 5}, {64, 64}, {5, 512}, {511, 300}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *pixels = draw(&r, sizes[i][0], sizes[i][1], 3);
        ob_pdq full = hash_of(pixels, sizes[i][0], sizes[i][1], OB_PDQ_RGB, OB_PDQ_FULL);
        ob_pdq reference = hash_of(pixels, sizes[i][0], sizes[i][1], OB_PDQ_RGB, OB_PDQ_REFERENCE);
        expect_same(&full, &reference);
        free(pixels);
    }
}

static void a_picture_reduced_by_means_moves_few_bits(void **state)
{
    (void)state;
    test_random r = {15};
    for (uint32_t scale = 2; scale <= 8; scale *= 2) {
        uint32_t width = 515 * scale + 3, height = 512 * scale + 1;
        uint32_t cells = (width + scale - 1) / scale, rows = (height + scale - 1) / scale;
        uint8_t *pixels = draw(&r, width, height, 1);
        uint8_t *small = malloc((size_t)cells * rows);
        assert_non_null(small);
        for (uint32_t y = 0; y < rows; y++)
            for (uint32_t x = 0; x < cells; x++) {
                unsigned sum = 0, count = 0;
                for (uint32_t v = y * scale; v < (y + 1) * scale && v < height; v++)
                    for (uint32_t u = x * scale; u < (x + 1) * scale && u < width; u++, count++)
                        sum += pixels[(size_t)v * width + u];
                small[(size_t)y * cells + x] = (uint8_t)((sum + count / 2) / count);
            }
        ob_pdq full = hash_of(pixels, width, height, OB_PDQ_LUMA, OB_PDQ_FULL), reduced;
        ob_pdq_shape shape = {
            .width = width, .height = height, .scale = scale, .samples = OB_PDQ_LUMA};
        assert_int_equal(ob_pdq_hash(&reduced, &shape, small, cells, NULL), OB_OK);
        assert_true(ob_hash256_distance(&full.hash[0], &reduced.hash[0]) <= 8);
        free(small);
        free(pixels);
    }
}

static void tiny_pictures_have_hash_zero_and_no_quality(void **state)
{
    (void)state;
    uint8_t pixels[64];
    memset(pixels, 99, sizeof pixels);
    const uint32_t sizes[][2] = {{1, 1}, {4, 9}, {9, 4}, {1, 60}, {60, 1}};
    const ob_pdq zero = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ob_pdq pdq = hash_of(pixels, sizes[i][0], sizes[i][1], OB_PDQ_LUMA, OB_PDQ_FULL);
        expect_same(&pdq, &zero);
    }
}

static void a_flat_picture_has_no_quality(void **state)
{
    (void)state;
    uint8_t *pixels = malloc(700 * 700);
    assert_non_null(pixels);
    for (int grey = 0; grey < 256; grey += 51) {
        memset(pixels, grey, 700 * 700);
        assert_int_equal(hash_of(pixels, 700, 700, OB_PDQ_LUMA, OB_PDQ_FULL).quality, 0);
        assert_int_equal(hash_of(pixels, 700, 700, OB_PDQ_LUMA, OB_PDQ_REFERENCE).quality, 0);
    }
    free(pixels);
}

/* What is undecided: few bits of a picture with something in it, most of a slow gradient. */
static void how_many_bits_rounding_may_turn_is_told(void **state)
{
    (void)state;
    test_random r = {11};
    uint8_t *rich = draw(&r, 200, 160, 1), *smooth = malloc(200 * 160);
    assert_non_null(smooth);
    for (uint32_t i = 0; i < 200 * 160; i++)
        smooth[i] = (uint8_t)(i / 200 + i % 200 / 4);
    const uint8_t *of[2] = {rich, smooth};
    unsigned undecided[2];
    for (int i = 0; i < 2; i++) {
        const ob_pdq_shape shape = {
            .width = 200, .height = 160, .scale = 1, .samples = OB_PDQ_LUMA};
        ob_pdq_stream *stream;
        ob_pdq pdq;
        assert_int_equal(ob_pdq_begin(&stream, &shape, NULL), OB_OK);
        assert_int_equal(ob_pdq_rows(stream, of[i], 200, 160, NULL), OB_OK);
        assert_int_equal(ob_pdq_undecided(stream), 0);
        assert_int_equal(ob_pdq_finish(&pdq, stream, NULL), OB_OK);
        undecided[i] = ob_pdq_undecided(stream);
        ob_pdq_free(stream);
    }
    assert_true(undecided[0] < 10);
    assert_true(undecided[1] > 150);
    free(rich);
    free(smooth);
}

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    const ob_pdq_shape bad[] = {
        {.width = 0, .height = 9, .scale = 1, .samples = OB_PDQ_LUMA},
        {.width = 9, .height = 0, .scale = 1, .samples = OB_PDQ_LUMA},
        {.width = OB_PDQ_MAX_SIDE + 1, .height = 9, .scale = 1, .samples = OB_PDQ_LUMA},
        {.width = 9, .height = 9, .scale = 0, .samples = OB_PDQ_LUMA},
        {.width = 9, .height = 9, .scale = 3, .samples = OB_PDQ_LUMA},
        {.width = 9, .height = 9, .scale = 1, .samples = 2},
        {.width = 9, .height = 9, .scale = 1, .samples = OB_PDQ_LUMA, .variant = 7},
        {.width = 9, .height = 9, .scale = 2, .samples = OB_PDQ_LUMA, .variant = OB_PDQ_REFERENCE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ob_pdq_stream *stream = NULL;
        ob_error err = {0};
        assert_int_equal(ob_pdq_begin(&stream, &bad[i], &err), OB_EINVAL);
        assert_true(strlen(err.text) > 10);
        assert_null(stream);
    }
    ob_pdq_shape good = {.width = 9, .height = 9, .scale = 1, .samples = OB_PDQ_LUMA};
    uint8_t pixels[81] = {0};
    ob_pdq pdq;
    assert_int_equal(ob_pdq_hash(&pdq, &good, pixels, 8, NULL), OB_EINVAL);
}

static void the_widest_picture_can_be_hashed(void **state)
{
    (void)state;
    uint8_t *row = malloc(OB_PDQ_MAX_SIDE);
    assert_non_null(row);
    for (size_t x = 0; x < OB_PDQ_MAX_SIDE; x++)
        row[x] = (uint8_t)(x >> 9);
    ob_pdq_shape shape = {
        .width = OB_PDQ_MAX_SIDE, .height = 6, .scale = 1, .samples = OB_PDQ_LUMA};
    ob_pdq_stream *stream = NULL;
    ob_pdq pdq;
    assert_int_equal(ob_pdq_begin(&stream, &shape, NULL), OB_OK);
    for (int y = 0; y < 6; y++)
        assert_int_equal(ob_pdq_rows(stream, row, 0, 1, NULL), OB_OK);
    assert_int_equal(ob_pdq_finish(&pdq, stream, NULL), OB_OK);
    ob_pdq_free(stream);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pieces_in_which_rows_arrive_do_not_matter),
        cmocka_unit_test(turned_pictures_have_the_turned_hashes),
        cmocka_unit_test(a_picture_hashed_as_mirrored_has_the_mirrored_hash),
        cmocka_unit_test(half_of_the_bits_are_set),
        cmocka_unit_test(up_to_512_pixels_the_variants_coincide),
        cmocka_unit_test(a_picture_reduced_by_means_moves_few_bits),
        cmocka_unit_test(tiny_pictures_have_hash_zero_and_no_quality),
        cmocka_unit_test(a_flat_picture_has_no_quality),
        cmocka_unit_test(how_many_bits_rounding_may_turn_is_told),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(the_widest_picture_can_be_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
