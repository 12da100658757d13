/* The published values, and how far the quick default path is from them. */
#include "test.h"

#include <obhut/media.h>

#include <jansson.h>

static json_t *expected;

static int load(void **state)
{
    (void)state;
    expected = json_load_file(OB_TESTS "/conformance/pdq/expected.json", 0, NULL);
    return json_array_size(expected) > 20 ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(expected);
    return 0;
}

static const char *text(const json_t *line, const char *key)
{
    const char *value = json_string_value(json_object_get(line, key));
    assert_non_null(value);
    return value;
}

static ob_hash256 hash_in(const char *hex)
{
    ob_hash256 hash;
    assert_int_equal(ob_hash256_parse(&hash, hex, strlen(hex), NULL), OB_OK);
    return hash;
}

static ob_media_result hash_file(const json_t *line, const ob_media_options *options)
{
    char path[512];
    snprintf(path, sizeof path, OB_TESTS "/conformance/pdq/images/%s", text(line, "file"));
    size_t size;
    uint8_t *bytes = test_file(path, &size);
    ob_media_result result;
    ob_media_fault fault = {0};
    if (ob_media_hash(&result, bytes, size, options, &fault))
        fail_msg("%s: reason %u", path, fault.reason);
    free(bytes);
    assert_int_equal(result.width, json_integer_value(json_object_get(line, "width")));
    assert_int_equal(result.height, json_integer_value(json_object_get(line, "height")));
    return result;
}

/* Up to two bits are allowed where decoders differ by a grey level; each file that needs it is
 * named. */
static void expect_near(const json_t *line, const char *what, const ob_hash256 *got,
                        const char *hex)
{
    ob_hash256 published = hash_in(hex);
    unsigned distance = ob_hash256_distance(got, &published);
    if (distance)
        print_message("# %s, %s: %u bits from the published value\n", text(line, "file"), what,
                      distance);
    assert_true(distance <= 2);
}

static void exact_hashing_gives_the_published_values(void **state)
{
    (void)state;
    for (ob_isa isa = OB_ISA_PORTABLE; isa <= ob_isa_best(); isa++) {
        const ob_media_options full = {.exact = true, .isa = isa};
        const ob_media_options reference = {.exact = true, .variant = OB_PDQ_REFERENCE, .isa = isa};
        size_t i;
        json_t *line;
        json_array_foreach(expected, i, line)
        {
            ob_media_result f = hash_file(line, &full), r = hash_file(line, &reference);
            assert_int_equal(f.pdq.quality,
                             json_integer_value(json_object_get(line, "quality_full")));
            /* The published tool took the 16-bit samples of this one as they were. */
            if (strcmp(text(line, "file"), "gradient.png"))
                assert_int_equal(r.pdq.quality,
                                 json_integer_value(json_object_get(line, "quality_reference")));
            if (json_is_true(json_object_get(line, "degenerate")))
                continue;
            expect_near(line, "full", &f.pdq.hash[0], text(line, "pdq_full"));
            expect_near(line, "reference", &r.pdq.hash[0], text(line, "pdq_reference"));
            const json_t *dihedral = json_object_get(line, "dihedral_reference");
            assert_int_equal(json_array_size(dihedral), OB_DIHEDRAL_COUNT);
            for (int k = 0; k < OB_DIHEDRAL_COUNT; k++)
                expect_near(line, ob_dihedral_name(k), &r.pdq.hash[k],
                            json_string_value(json_array_get(dihedral, (size_t)k)));
        }
    }
}

static void the_default_path_stays_within_its_bound(void **state)
{
    (void)state;
    const ob_media_options quick = {0};
    unsigned sum = 0, count = 0, most = 0;
    size_t i;
    json_t *line;
    json_array_foreach(expected, i, line)
    {
        ob_media_result result = hash_file(line, &quick);
        if (json_is_true(json_object_get(line, "degenerate")) ||
            json_integer_value(json_object_get(line, "quality_full")) < OB_PDQ_MIN_QUALITY)
            continue;
        ob_hash256 published = hash_in(text(line, "pdq_full"));
        unsigned moved = ob_hash256_distance(&result.pdq.hash[0], &published);
        print_message("# %-36s %u bits moved\n", text(line, "file"), moved);
        assert_true(moved <= 8);
        sum += moved;
        count++;
        most = moved > most ? moved : most;
    }
    print_message("# %u pictures: mean %.2f, most %u\n", count, (double)sum / count, most);
    assert_true(count > 15 && sum < 2 * count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_hashing_gives_the_published_values),
        cmocka_unit_test(the_default_path_stays_within_its_bound),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
