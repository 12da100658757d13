#include "test.h"

#include <obhut/hindrance.h>

static void a_hash_survives_printing_and_parsing(void **state)
{
    (void)state;
    test_random r = {1};
    for (int i = 0; i < 10000; i++) {
        char text[OB_HASH256_HEX + 1];
        ob_hash256 hash = test_hash(&r), back;
        ob_hash256_print(text, &hash);
        assert_int_equal(strlen(text), 64);
        assert_int_equal(ob_hash256_parse(&back, text, 64, NULL), OB_OK);
        assert_memory_equal(&hash, &back, sizeof hash);
        for (int k = 0; k < 64; k++)
            if (text[k] >= 'a')
                text[k] = (char)(text[k] - 'a' + 'A');
        assert_int_equal(ob_hash256_parse(&back, text, 64, NULL), OB_OK);
        assert_memory_equal(&hash, &back, sizeof hash);
    }
}

static void text_starts_with_the_highest_bits(void **state)
{
    (void)state;
    char text[OB_HASH256_HEX + 1];
    ob_hash256 hash = {{1, 0, 0, UINT64_C(0xA) << 60}};
    ob_hash256_print(text, &hash);
    assert_int_equal(text[0], 'a');
    assert_int_equal(text[63], '1');
}

static void what_is_no_hash_is_refused_by_position(void **state)
{
    (void)state;
    char text[65];
    memset(text, '0', 64);
    ob_hash256 hash = {{7, 7, 7, 7}};
    ob_error err = {0};
    assert_int_equal(ob_hash256_parse(&hash, text, 63, &err), OB_EFORMAT);
    assert_non_null(strstr(err.text, "63"));
    for (int k = 0; k < 64; k++) {
        char bad = "g/:@G`\0 -"[k % 9];
        text[k] = bad;
        char where[32];
        snprintf(where, sizeof where, "character %d ", k + 1);
        assert_int_equal(ob_hash256_parse(&hash, text, 64, &err), OB_EFORMAT);
        assert_non_null(strstr(err.text, where));
        text[k] = '0';
    }
    assert_int_equal(hash.q[0], 7);
}

static void distance_counts_the_flipped_bits(void **state)
{
    (void)state;
    test_random r = {2};
    for (unsigned bits = 0; bits <= 256; bits++) {
        ob_hash256 a = test_hash(&r), b = test_flip(&r, a, bits);
        assert_int_equal(ob_hash256_distance(&a, &b), bits);
        assert_int_equal(ob_hash256_distance(&b, &a), bits);
    }
}

static void a_long_error_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 8; lead++) {
        char text[1200] = "";
        memset(text, 'x', lead);
        for (size_t k = 0; k < 300; k++)
            strcat(text, "\xE2\x82\xAC"); /* three bytes a character */
        ob_error err;
        assert_int_equal(ob_fail(&err, OB_EIO, "%s", text), OB_EIO);
        size_t length = strlen(err.text);
        assert_true(length < sizeof err.text && length > sizeof err.text - 8);
        assert_int_equal((length - lead) % 3, 0);
    }
    assert_int_equal(ob_fail(NULL, OB_ENOMEM, "nobody listens"), OB_ENOMEM);
}

static void an_error_can_be_told_where_it_was(void **state)
{
    (void)state;
    ob_error err;
    ob_fail(&err, OB_EFORMAT, "63 characters");
    assert_int_equal(ob_fail_in(&err, OB_EIO, "line %d", 17), OB_EFORMAT);
    assert_string_equal(err.text, "line 17: 63 characters");
}

static void a_buffer_keeps_what_was_appended(void **state)
{
    (void)state;
    ob_buf buf = {0};
    test_random r = {3};
    char expected[40000];
    size_t size = 0;
    while (size < sizeof expected - 700) {
        char piece[600];
        size_t length = test_below(&r, sizeof piece);
        for (size_t k = 0; k < length; k++)
            piece[k] = (char)test_next(&r);
        memcpy(expected + size, piece, length);
        size += length;
        assert_int_equal(ob_buf_append(&buf, piece, length, NULL), OB_OK);
        assert_int_equal(buf.size, size);
        assert_int_equal(buf.bytes[size], 0);
    }
    assert_memory_equal(buf.bytes, expected, size);
    assert_int_equal(ob_buf_printf(&buf, NULL, "%s-%d", "end", 7), OB_OK);
    assert_string_equal(buf.bytes + size, "end-7");
    assert_int_equal(ob_buf_reserve(&buf, SIZE_MAX - 10, NULL), OB_ENOMEM);
    assert_memory_equal(buf.bytes, expected, size);
    ob_buf_free(&buf);
    assert_null(buf.bytes);
}

static void an_instruction_set_that_is_missing_becomes_one_that_is_there(void **state)
{
    (void)state;
    ob_isa best = ob_isa_best();
    assert_true(best >= OB_ISA_PORTABLE && best <= OB_ISA_SIMD128);
    assert_int_equal(ob_isa_resolve(OB_ISA_AUTO), best);
    assert_int_equal(ob_isa_resolve(OB_ISA_PORTABLE), OB_ISA_PORTABLE);
    assert_true(ob_isa_resolve(OB_ISA_AVX512) <= best);
}

static void every_hindrance_has_a_word_a_sentence_and_a_time_to_try_again(void **state)
{
    (void)state;
    for (int h = OB_HINDRANCE_NONE + 1; h < OB_HINDRANCES; h++) {
        const char *name = ob_hindrance_name((ob_hindrance)h);
        assert_true(*name && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(name));
        assert_true(strlen(ob_hindrance_text((ob_hindrance)h)) > 20);
        assert_true(ob_hindrance_retry_s((ob_hindrance)h) > 0);
        for (int other = 0; other < h; other++)
            assert_true(strcmp(name, ob_hindrance_name((ob_hindrance)other)) != 0);
    }
    assert_string_equal(ob_hindrance_name(OB_HINDRANCES), "UNKNOWN");
    assert_int_equal(ob_hindrance_of(OB_EIO), OB_HINDRANCE_RECORDS);
    assert_int_equal(ob_hindrance_of(OB_EBUSY), OB_HINDRANCE_BUSY);
    assert_int_equal(ob_hindrance_of(OB_ENOMEM), OB_HINDRANCE_BUSY);
    assert_int_equal(ob_hindrance_of(OB_EREFUSED), OB_HINDRANCE_NONE);
    assert_int_equal(ob_hindrance_of(OB_EINVAL), OB_HINDRANCE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_survives_printing_and_parsing),
        cmocka_unit_test(text_starts_with_the_highest_bits),
        cmocka_unit_test(what_is_no_hash_is_refused_by_position),
        cmocka_unit_test(distance_counts_the_flipped_bits),
        cmocka_unit_test(a_long_error_is_cut_between_characters),
        cmocka_unit_test(an_error_can_be_told_where_it_was),
        cmocka_unit_test(a_buffer_keeps_what_was_appended),
        cmocka_unit_test(every_hindrance_has_a_word_a_sentence_and_a_time_to_try_again),
        cmocka_unit_test(an_instruction_set_that_is_missing_becomes_one_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
