/* What is told in JSON is told, whatever bytes somebody else chose or a sentence cut. */
#include "test.h"

#include <obhut/http.h>

static void bytes_that_are_no_text_are_told_as_such(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""},
        {"K\xC3\xA4se \xE2\x82\xAC \xF0\x9F\x98\x80", "K\xC3\xA4se \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xC3", "\xEF\xBF\xBD"},
        {"a\xC3\"", "a\xEF\xBF\xBD\""}, /* cut, and quoted */
        {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"}, /* overlong */
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF5", "\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *text = ob_json_text(cases[i].bytes);
        assert_non_null(text);
        assert_string_equal(json_string_value(text), cases[i].text);
        json_decref(text);
    }
}

static void a_problem_names_what_is_no_text(void **state)
{
    (void)state;
    ob_answer answer = ob_answer_problem(400, "UNKNOWN_FIELD", "\"%.3s\" is unknown", "ab\xC3\xA4");
    assert_int_equal(answer.status, 400);
    json_t *problem = json_loadb(answer.body.bytes, answer.body.size, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(problem, "detail")),
                        "\"ab\xEF\xBF\xBD\" is unknown");
    json_decref(problem);
    ob_buf_free(&answer.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_no_text_are_told_as_such),
        cmocka_unit_test(a_problem_names_what_is_no_text),
    };
    return cmocka_run_group_tests_name("http_text", tests, NULL, NULL);
}
