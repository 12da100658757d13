/* Header fields of answers: one is never two, versions are compared as the standard has it, and no
 * Range asks for bytes that there are not. */
#include "test.h"

#include <obhut/http.h>

#include <stdlib.h>
#include <string.h>

static void no_byte_of_a_value_begins_another_field(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        ob_answer answer = {0};
        const char name[] = {'X', (char)c, 'Y', '\0'}, value[] = {'a', (char)c, 'b', '\0'};
        const bool is_control = (c < 0x20 && c != '\t') || c == 0x7f;
        const bool is_token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') || strchr("!#$%&'*+-.^_`|~", c);
        assert_int_equal(ob_answer_header(&answer, "X", value, NULL),
                         is_control ? OB_EINVAL : OB_OK);
        assert_int_equal(answer.headers.size, is_control ? 0 : strlen("X: a b\n"));
        ob_answer_free(&answer);
        assert_int_equal(ob_answer_header(&answer, name, "a", NULL), is_token ? OB_OK : OB_EINVAL);
        ob_answer_free(&answer);
        if (ob_answer_cookie(&answer, "a", value, 1, NULL) == OB_OK)
            assert_true(c > 0x20 && c < 0x7f && !strchr("\",;\\", c));
        ob_answer_free(&answer);
    }
}

static void a_version_is_named_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *field, *version;
        bool weak, strong;
    } cases[] = {
        {"\"a\"", "\"a\"", true, true},
        {"\"b\"", "\"a\"", false, false},
        {"W/\"a\"", "\"a\"", true, false},
        {"\"a\"", "W/\"a\"", true, false},
        {"W/\"a\"", "W/\"a\"", true, false},
        {"*", "\"a\"", true, false},
        {"\"b\" , \"a\"", "\"a\"", true, true},
        {"W/\"a\", \"a\"", "\"a\"", true, true},
        {"\"a,b\"", "\"a,b\"", true, true},
        {"\"b\"a\"", "\"a\"", false, false},
        {"a", "\"a\"", false, false},
        {"\"a", "\"a\"", false, false},
        {"", "\"a\"", false, false},
        {", ,", "\"a\"", false, false},
        {"Sat, 29 Oct 1994 19:43:31 GMT", "\"a\"", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ob_version_is_named(cases[i].field, cases[i].version, false),
                         cases[i].weak);
        assert_int_equal(ob_version_is_named(cases[i].field, cases[i].version, true),
                         cases[i].strong);
    }
}

static void no_range_is_larger_than_what_there_is(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789-,= bytes";
    static const uint64_t sizes[] = {0, 1, 2, 100, UINT64_MAX};
    for (unsigned n = 0; n < 200000; n++) {
        char field[16] = "bytes=";
        uint64_t first = 7, last = 7;
        const uint64_t size = sizes[n % 5];
        for (size_t at = 6; at + 1 < sizeof field; at++)
            field[at] = rand() % 5 ? alphabet[rand() % 11] : alphabet[(size_t)rand() % 19];
        field[6 + (size_t)rand() % 9] = '\0';
        if (ob_range_of(&first, &last, field, size) == OB_RANGE_PART)
            assert_true(first <= last && last < size);
        else
            assert_true(first == 7 && last == 7);
    }
    uint64_t first, last;
    assert_int_equal(ob_range_of(&first, &last, NULL, 5), OB_RANGE_WHOLE);
    assert_int_equal(ob_range_of(&first, &last, "bytes=18446744073709551615-", 5), OB_RANGE_WHOLE);
    assert_int_equal(ob_range_of(&first, &last, "bytes=-3", UINT64_MAX), OB_RANGE_PART);
    assert_true(first == UINT64_MAX - 3 && last == UINT64_MAX - 1);
}

static void utf8_is_what_the_standard_says(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool is_fine;
    } cases[] = {{"", true},
                 {"a", true},
                 {"\xC3\xA4", true},
                 {"\xC3", false},
                 {"\xC0\xAF", false},
                 {"\xE2\x82\xAC", true},
                 {"\xE2\x82", false},
                 {"\xED\xA0\x80", false},
                 {"\xF4\x8F\xBF\xBF", true},
                 {"\xF4\x90\x80\x80", false},
                 {"a\xFF", false},
                 {"\x80", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ob_is_utf8(cases[i].bytes, strlen(cases[i].bytes)), cases[i].is_fine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_of_a_value_begins_another_field),
        cmocka_unit_test(a_version_is_named_or_not),
        cmocka_unit_test(no_range_is_larger_than_what_there_is),
        cmocka_unit_test(utf8_is_what_the_standard_says),
    };
    return cmocka_run_group_tests_name("http_fields", tests, NULL, NULL);
}
