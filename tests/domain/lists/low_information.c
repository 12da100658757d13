/* Pictures with nothing in them: what is near one is refused, nothing else is. */
#include "test.h"

#include "lists_priv.h"

#define PHOTOGRAPH "2d2f1af3a856c529679ca3d6526fa836d4196c81c6dd04de0a26f855fc99b724"

/* A photograph's hash must not be refused; that of a flat picture must. */
static void only_pictures_with_nothing_in_them_are_screened(void **state)
{
    (void)state;
    list_screen screen;
    assert_int_equal(list_screen_init(&screen, NULL), OB_OK);
    test_random r = {51};
    ob_hash256 hash;
    ob_hash256_parse(&hash, PHOTOGRAPH, 64, NULL);
    assert_null(list_screen_name(&screen, &hash));
    for (int i = 0; i < 20000; i++) {
        hash = test_hash(&r);
        assert_null(list_screen_name(&screen, &hash));
    }
    ob_hash256 zero = {{0}};
    for (unsigned bits = 0; bits <= 40; bits++) {
        hash = test_flip(&r, zero, bits);
        if (bits <= 31)
            assert_non_null(list_screen_name(&screen, &hash));
        else
            assert_null(list_screen_name(&screen, &hash));
    }
    list_screen_free(&screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_pictures_with_nothing_in_them_are_screened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
