/* Fields come out of a packet as they were put, and whatever else stands there is found out. */
#include "test.h"

#include <obhut/wire.h>

static void fields_are_got_as_they_were_put(void **state)
{
    (void)state;
    ob_packet p = ob_packet_of(3, 7);
    char block[5] = "", large[3000];
    memset(large, 'x', sizeof large);
    ob_put_u32(&p, UINT32_MAX);
    ob_put_u64(&p, UINT64_MAX);
    ob_put_i64(&p, INT64_MIN);
    ob_put_text(&p, "text");
    ob_put_text(&p, NULL);
    ob_put_text(&p, "");
    ob_put_bytes(&p, "a\0b", 3);
    ob_put_bytes(&p, "block", 5);
    ob_put_tail(&p, "another", 7);
    ob_put_tail(&p, large, sizeof large); /* instead */
    assert_false(p.failed);
    ob_packet *copy = ob_packet_copy(&p);
    assert_int_equal(copy->size, ob_packet_size(&p));
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    const char *text = NULL, *none = "", *empty = NULL;
    const void *bytes, *tail;
    size_t size, tail_size;
    assert_true(ob_get_u32(&u32, copy) && u32 == UINT32_MAX);
    assert_true(ob_get_u64(&u64, copy) && u64 == UINT64_MAX);
    assert_true(ob_get_i64(&i64, copy) && i64 == INT64_MIN);
    assert_true(ob_get_text(&text, copy) && ob_get_text(&none, copy) && ob_get_text(&empty, copy));
    assert_string_equal(text, "text");
    assert_null(none);
    assert_string_equal(empty, "");
    assert_true(ob_get_bytes(&bytes, &size, copy) && size == 3 && !memcmp(bytes, "a\0b", 3));
    assert_true(ob_get_block(block, sizeof block, copy) && !memcmp(block, "block", 5));
    assert_false(ob_get_end(copy));
    assert_true(ob_get_bytes(&tail, &tail_size, copy));
    assert_int_equal(tail_size, sizeof large);
    assert_memory_equal(tail, large, sizeof large);
    assert_true(ob_get_end(copy));
    ob_get_again(copy);
    assert_true(ob_get_u32(&u32, copy) && u32 == UINT32_MAX);
    ob_packet_drop(copy);
    ob_packet_free(&p);
}

static void an_error_sticks(void **state)
{
    (void)state;
    ob_packet p = ob_packet_of(1, 0);
    uint32_t u32 = 9;
    uint64_t u64 = 9;
    const char *text = "x";
    char block[4] = "xxx";
    ob_put_u32(&p, 5);
    assert_false(ob_get_u64(&u64, &p)); /* there are but four bytes */
    assert_int_equal(u64, 0);
    assert_false(ob_get_u32(&u32, &p)); /* though there are four */
    assert_false(ob_get_text(&text, &p));
    assert_null(text);
    assert_false(ob_get_block(block, sizeof block, &p));
    assert_int_equal(block[0], 0);
    assert_false(ob_get_end(&p));
    ob_get_again(&p);
    assert_true(ob_get_u32(&u32, &p) && u32 == 5 && ob_get_end(&p));
}

static void a_rest_is_found_out(void **state)
{
    (void)state;
    ob_packet p = ob_packet_of(1, 0);
    uint32_t u32;
    assert_true(ob_get_end(&p));
    ob_put_u32(&p, 5);
    ob_put_u32(&p, 6);
    assert_true(ob_get_u32(&u32, &p));
    assert_false(ob_get_end(&p));
}

/* Lengths that lie, and texts with a NUL within or none behind. */
static void texts_and_bytes_lie_within_the_packet(void **state)
{
    static const struct {
        uint32_t length;
        const char *behind;
        size_t size;
        bool text, bytes;
    } cases[] = {
        {3, "abc", 4, true, true},
        {3, "abc", 3, false, true},
        {4, "abc", 4, false, true},
        {2, "abc", 4, false, true},
        {3, "a\0c", 4, false, true},
        {0, "", 1, true, true},
        {0, "", 0, false, true},
        {5, "abc", 4, false, false},
        {UINT32_MAX, "abc", 4, true, false}, /* no text */
        {UINT32_MAX - 1, "abc", 4, false, false},
        {INT32_MAX, "abc", 4, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_packet p = ob_packet_of(1, 0);
        const char *text;
        const void *bytes;
        size_t size;
        ob_put_u32(&p, cases[i].length);
        ob_packet raw = ob_packet_of(1, 0);
        ob_put_bytes(&raw, cases[i].behind, cases[i].size);
        memcpy(p.small + 4, raw.small + 4, cases[i].size);
        p.size += cases[i].size;
        assert_int_equal(ob_get_text(&text, &p), cases[i].text);
        ob_get_again(&p);
        assert_int_equal(ob_get_bytes(&bytes, &size, &p), cases[i].bytes);
        assert_true(cases[i].bytes || (!bytes && !size));
    }
}

static void there_is_a_most(void **state)
{
    static const char large[OB_PACKET_MOST];
    (void)state;
    for (size_t size = 0; size <= sizeof large; size += size < 60000 ? 999 : 1) {
        ob_packet p = ob_packet_of(1, 0), tail = p;
        ob_put_bytes(&p, large, size);
        ob_put_tail(&tail, large, size);
        assert_int_equal(p.failed, size > OB_PACKET_MOST - 4);
        assert_int_equal(tail.failed, p.failed);
        ob_packet_free(&p);
    }
    ob_packet p = ob_packet_of(1, 0);
    ob_put_tail(&p, large, 1);
    ob_put_u32(&p, 1); /* nothing comes behind a tail */
    assert_true(p.failed);
}

static void memory_is_kept_for_the_next(void **state)
{
    (void)state;
    ob_packet p = ob_packet_of(1, 1);
    assert_true(ob_packet_reserve(&p, 5000));
    const uint8_t *const bytes = p.bytes;
    for (unsigned i = 0; i < 3; i++) {
        ob_packet_reset(&p, 2, i);
        for (unsigned k = 0; k < 1250; k++)
            ob_put_u32(&p, i);
        assert_true(!p.failed && p.bytes == bytes && p.size == 5000 && p.id == i);
    }
    ob_packet_free(&p);
    ob_packet_free(&p);
    assert_int_equal(p.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_got_as_they_were_put),
        cmocka_unit_test(an_error_sticks),
        cmocka_unit_test(a_rest_is_found_out),
        cmocka_unit_test(texts_and_bytes_lie_within_the_packet),
        cmocka_unit_test(there_is_a_most),
        cmocka_unit_test(memory_is_kept_for_the_next),
    };
    return cmocka_run_group_tests_name("wire_fields", tests, NULL, NULL);
}
