/* Paths: what stands for `{name}`, and that a slash which was escaped ends no part. */
#include "test.h"

#include <obhut/http.h>

static void a_path_has_a_shape_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *shape, *path;
        bool narrow, wide;
    } cases[] = {
        {"/a", "/a", true, true},
        {"/a", "/b", false, false},
        {"/a", "/a/", false, false},
        {"/a/{x}", "/a/1", true, true},
        {"/a/{x}", "/a/", false, false},
        {"/a/{x}", "/a", false, false},
        {"/a/{x}", "/a/1/2", false, true},
        {"/a/{x}/b", "/a/1/b", true, true},
        {"/a/{x}/b", "/a/1/2/b", false, true},
        {"/a/{x}/b", "/a//b", false, false},
        {"/a/{x}/b", "/a/b", false, false},
        {"/a/{x}/b", "/a/1%2F2/b", true, true},
        {"/a/{x}/b/{y}", "/a/1/b/2", true, true},
        {"/a/{x}/b/{y}", "/a/1/2/b/3", false, false},
        {"/a/{x}/b/{y}", "/a/1/b/2/3", false, false},
        {"/a/{x}/b/{y}/c/{z}/d", "/a/1/b/2/c/3/d", true, true},
        {"/{x}/{y}", "/1/2", true, true},
        {"", "", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ob_path_is(cases[i].shape, cases[i].path, false), cases[i].narrow);
        assert_int_equal(ob_path_is(cases[i].shape, cases[i].path, true), cases[i].wide);
    }
}

static void a_part_is_decoded_once(void **state)
{
    (void)state;
    static const struct {
        const char *shape, *path, *name, *part;
    } cases[] = {
        {"/a/{x}", "/a/1", "x", "1"},
        {"/a/{x}", "/a/1%2F2", "x", "1/2"},
        {"/a/{x}", "/a/%252F", "x", "%2F"},
        {"/a/{x}", "/a/%25%25", "x", "%%"},
        {"/a/{x}", "/a/%2", "x", "%2"},
        {"/a/{x}", "/a/1/2", "x", "1/2"},
        {"/a/{x}", "/a/1", "y", NULL},
        {"/a/{x}", "/a/1", "xx", NULL},
        {"/a/{xx}", "/a/1", "x", NULL},
        {"/a/{x}/b/{y}", "/a/1/b/2", "x", "1"},
        {"/a/{x}/b/{y}", "/a/1/b/2", "y", "2"},
        {"/a/{x}/b/{y}", "/a/1/2/b/2", "y", NULL},
        {"/a/{x}", "/a/12345678", "x", NULL}, /* no room */
        {"/a", "/a", "x", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char part[8] = "before";
        assert_int_equal(
            ob_path_part(part, sizeof part, cases[i].shape, cases[i].path, cases[i].name),
            cases[i].part != NULL);
        assert_string_equal(part, cases[i].part ? cases[i].part : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_has_a_shape_or_not),
        cmocka_unit_test(a_part_is_decoded_once),
    };
    return cmocka_run_group_tests_name("http_path", tests, NULL, NULL);
}
