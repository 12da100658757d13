/* What an entry says: what was put in comes out, in its order; what could not be kept is never
 * logged as if it had been. */
#include "audit_log.h"

static ob_entry *whole(void)
{
    const char *const words[] = {"a", "b"};
    ob_entry *inner = ob_entry_new(), *entry = ob_entry_new();
    ob_entry_number(inner, "count", -7);
    ob_entry_number(entry, "most", INT64_MAX);
    ob_entry_text(entry, "text", "\"Grüße\"\n");
    ob_entry_yes(entry, "yes", true);
    ob_entry_yes(entry, "no", false);
    ob_entry_list(entry, "none");
    for (size_t i = 0; i < 2; i++)
        ob_entry_list_text(entry, "words", words[i]);
    ob_entry_list_inner(entry, "list", inner);
    inner = ob_entry_new();
    ob_entry_text(inner, "of", "it");
    ob_entry_inner(entry, "inner", inner);
    return entry;
}

/* Appends it, and gives the line's text back, from the member behind the word. */
static char *logged(const ob_entry *entry)
{
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    MUST(ob_audit_append(NULL, audit, "word", entry, &err_));
    MUST(ob_audit_close(audit, &err_));
    found f = find_all(p.audit);
    json_t *one = json_array_get(f.entries, 0);
    json_object_del(one, "n"), json_object_del(one, "at"), json_object_del(one, "what");
    json_object_del(one, "mac");
    char *text = json_dumps(one, JSON_COMPACT);
    json_decref(f.entries);
    remove_all(p.dir);
    return text;
}

static void members_stand_in_the_log_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    ob_entry *entry = whole();
    assert_false(ob_entry_failed(entry));
    char *text = logged(entry);
    assert_string_equal(text, "{\"most\":9223372036854775807,\"text\":\"\\\"Grüße\\\"\\n\","
                              "\"yes\":true,\"no\":false,\"none\":[],\"words\":[\"a\",\"b\"],"
                              "\"list\":[{\"count\":-7}],\"inner\":{\"of\":\"it\"}}");
    free(text);
    ob_entry_free(entry);
}

static void what_is_logged_is_read_again(void **state)
{
    (void)state;
    ob_entry *entry = whole(), *read = NULL;
    char *text = logged(entry);
    ob_entry_free(entry);
    MUST(ob_entry_read(&read, text, strlen(text), &err_));
    assert_true(ob_entry_get_number(read, "most") == INT64_MAX);
    assert_string_equal(ob_entry_get_text(read, "text"), "\"Grüße\"\n");
    assert_true(ob_entry_is(read, "yes") && ob_entry_has(read, "no"));
    assert_false(ob_entry_is(read, "no"));
    assert_int_equal(ob_entry_list_size(read, "words"), 2);
    assert_true(ob_entry_list_has(read, "words", "b"));
    assert_false(ob_entry_list_has(read, "words", "c") || ob_entry_list_has(read, "text", "b"));
    ob_entry_free(read);
    free(text);
}

static void what_an_entry_does_not_say_is_nothing(void **state)
{
    ob_entry *entry = whole();
    const ob_entry *const both[] = {entry, NULL};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_false(ob_entry_has(both[i], "x") || ob_entry_is(both[i], "x"));
        assert_false(ob_entry_list_has(both[i], "x", "y"));
        assert_null(ob_entry_get_text(both[i], "x"));
        assert_int_equal(ob_entry_get_number(both[i], "x"), 0);
        assert_int_equal(ob_entry_list_size(both[i], "x"), 0);
    }
    assert_null(ob_entry_get_text(entry, "most"));
    assert_int_equal(ob_entry_get_number(entry, "text"), 0);
    ob_entry_free(entry);
    ob_entry_free(NULL);
}

static void filling_takes_only_what_is_not_said_yet(void **state)
{
    (void)state;
    ob_entry *entry = ob_entry_new(), *from = ob_entry_new();
    ob_entry_text(entry, "by", "ada");
    ob_entry_text(from, "by", "bea");
    ob_entry_number(from, "days", 30);
    ob_entry_fill(entry, from);
    assert_string_equal(ob_entry_get_text(entry, "by"), "ada");
    assert_int_equal(ob_entry_get_number(entry, "days"), 30);
    ob_entry_free(from);
    ob_entry_free(entry);
}

/* What is no UTF-8 cannot be kept; from there on it is the same as where memory ends. */
static void an_entry_that_could_not_keep_everything_is_not_appended(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    for (int way = 0; way < 4; way++) {
        ob_entry *entry = ob_entry_new(), *bad = ob_entry_new();
        ob_entry_text(bad, "text", "\xff");
        assert_true(ob_entry_failed(bad));
        ob_entry_text(bad, "text", "better"); /* comes too late */
        if (way == 0)
            ob_entry_fill(entry, bad);
        else if (way == 1)
            ob_entry_list_text(entry, "list", "\xff");
        else if (way == 2)
            ob_entry_inner(entry, "inner", bad);
        else
            ob_entry_list_inner(entry, "list", bad);
        assert_true(ob_entry_failed(entry));
        assert_int_equal(ob_audit_append(NULL, audit, "word", entry, NULL), OB_ENOMEM);
        const ob_audit_entry one = {.what = "word", .members = entry};
        assert_int_equal(ob_audit_entry_check(&one, NULL), OB_ENOMEM);
        ob_entry_free(entry);
        if (way < 2)
            ob_entry_free(bad);
    }
    assert_int_equal(ob_audit_size(audit), 0);
    MUST(ob_audit_close(audit, &err_));
    remove_all(p.dir);
}

static void what_is_no_object_of_json_is_no_entry(void **state)
{
    static const char *const texts[] = {"", "[1]", "7", "{", "{\"a\":1,\"a\":2}", "{}x"};
    ob_entry *entry = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(ob_entry_read(&entry, texts[i], strlen(texts[i]), NULL), OB_EFORMAT);
    assert_null(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_stand_in_the_log_in_the_order_in_which_they_came),
        cmocka_unit_test(what_is_logged_is_read_again),
        cmocka_unit_test(what_an_entry_does_not_say_is_nothing),
        cmocka_unit_test(filling_takes_only_what_is_not_said_yet),
        cmocka_unit_test(an_entry_that_could_not_keep_everything_is_not_appended),
        cmocka_unit_test(what_is_no_object_of_json_is_no_entry),
    };
    MUST(ob_crypto_start(&err_));
    return cmocka_run_group_tests_name("audit_entry", tests, NULL, NULL);
}
