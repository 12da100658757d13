/* Damaged pictures have a hash or a sentence that says why not; nothing else happens. */
#include "test.h"

#include <obhut/media.h>

static void mutated_pictures_have_a_hash_or_a_reason(void **state)
{
    (void)state;
    static const char *const seeds[] = {"chelsea-63x65.png", "chelsea-palette-interlaced.png",
                                        "text-1200x300.png", "astronaut-512-420.jpg",
                                        "rocket-q30.jpg",    "coffee-513x342.jpg",
                                        "moon-512-grey.jpg", "astronaut-512-444-progressive.jpg"};
    enum { SEEDS = sizeof seeds / sizeof *seeds };
    uint64_t samples = test_samples("OBHUT_MUTATIONS", 2000), hashed = 0, refused = 0;
    test_random r = test_sampled(41);
    for (uint64_t i = 0; i < samples; i++) {
        char path[512];
        snprintf(path, sizeof path, OB_TESTS "/conformance/pdq/images/%s", seeds[i % SEEDS]);
        size_t size;
        uint8_t *bytes = test_file(path, &size);
        size = test_mutate(&r, bytes, size);
        uint8_t *exact_size = malloc(size + !size);
        assert_non_null(exact_size);
        memcpy(exact_size, bytes, size);
        free(bytes);
        ob_media_result result;
        ob_media_fault fault = {0};
        const ob_media_options options = {.exact = i % 2,
                                          .variant = i % 3 ? OB_PDQ_FULL : OB_PDQ_REFERENCE};
        ob_status status = ob_media_hash(&result, exact_size, size, &options, &fault);
        if (status) {
            refused++;
            ob_error err = {0};
            assert_true(ob_media_fault_is_sane(&fault));
            assert_int_equal(ob_media_explain(&err, &fault), status);
            assert_true(strlen(err.text) > 5);
        } else {
            hashed++;
            assert_true(result.width > 0 && result.height > 0);
            assert_true(result.pdq.quality >= 0 && result.pdq.quality <= 100);
        }
        free(exact_size);
    }
    print_message("# %llu hashed, %llu refused\n", (unsigned long long)hashed,
                  (unsigned long long)refused);
    assert_true(refused > hashed / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutated_pictures_have_a_hash_or_a_reason)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
