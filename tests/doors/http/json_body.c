/* What a body of JSON may be, before anything is made of it. */
#include "test.h"

#include <obhut/http.h>

static ob_status bounds_of(const ob_buf *text)
{
    ob_error err = {0};
    ob_status status = ob_json_bounds(text->bytes, text->size, &err);
    assert_int_equal(!status, !*err.text);
    return status;
}

static void repeat(ob_buf *text, const char *piece, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(ob_buf_append(text, piece, strlen(piece), NULL), OB_OK);
}

static void an_object_has_so_many_members_and_no_more(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        ob_buf text = {0};
        repeat(&text, "[{\"a\":1},{", 1);
        repeat(&text, "\"k\":{\"x\":[]},", 255 + more);
        repeat(&text, "\"k\":0}]", 1);
        assert_int_equal(bounds_of(&text), more ? OB_ELIMIT : OB_OK);
        ob_buf_free(&text);
    }
}

static void a_body_is_so_deep_and_has_so_many_values(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        unsigned times;
        ob_status status;
    } cases[] = {{"[", 16, OB_OK},         {"[", 17, OB_ELIMIT},       {"[{},{}]", 1000, OB_OK},
                 {"{},", 60000, OB_OK},    {"[0],", 40000, OB_ELIMIT}, {"1,", 65535, OB_OK},
                 {"1,", 65536, OB_ELIMIT}, {"]}", 100000, OB_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_buf text = {0};
        repeat(&text, cases[i].piece, cases[i].times);
        assert_int_equal(bounds_of(&text), cases[i].status);
        ob_buf_free(&text);
    }
}

static void what_stands_in_a_text_is_no_structure(void **state)
{
    (void)state;
    ob_buf text = {0};
    repeat(&text, "[\"", 1);
    repeat(&text, "[{:,\\\"", 100000);
    repeat(&text, "\"]", 1);
    assert_int_equal(bounds_of(&text), OB_OK);
    ob_buf_free(&text);
    static const char *const cut[] = {"\"", "\"\\", "{\"a", "{\"a\\\"", ""};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++)
        assert_int_equal(ob_json_bounds(cut[i], strlen(cut[i]), NULL), OB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_has_so_many_members_and_no_more),
        cmocka_unit_test(a_body_is_so_deep_and_has_so_many_values),
        cmocka_unit_test(what_stands_in_a_text_is_no_structure),
    };
    return cmocka_run_group_tests_name("services_body", tests, NULL, NULL);
}
