/* A dump holds everything, is the same for both databases, and is loaded whole or not at all. */
#include "store_test.h"

#include <obhut/records/conversation.h>
#include <obhut/records/incoming.h>
#include <obhut/records/log.h>
#include <obhut/records/order.h>
#include <obhut/records/profile.h>
#include <obhut/records/tally.h>
#include <obhut/records/verdict.h>

static ob_status take(void *context, const void *bytes, size_t size, ob_error *err)
{
    return ob_buf_append(context, bytes, size, err);
}

typedef struct source {
    const char *bytes;
    size_t size, most; /* given at most so many at once */
} source;

static ob_status give(void *context, void *bytes, size_t capacity, size_t *size, ob_error *err)
{
    source *s = context;
    (void)err;
    *size = s->size < s->most ? s->size : s->most;
    if (*size > capacity)
        *size = capacity;
    memcpy(bytes, s->bytes, *size);
    s->bytes += *size;
    s->size -= *size;
    return OB_OK;
}

static ob_status load_text(place *p, const char *text, size_t size, size_t most, ob_error *err)
{
    source s = {text, size, most};
    return ob_store_load(p->store, give, &s, err);
}

static void fresh(place *p)
{
    char command[100];
    close_store(p);
    empty_database(p);
    snprintf(command, sizeof command, "rm -f %s/*", p->dir);
    assert_int_equal(system(command), 0);
    open_store(p);
}

/* Some of everything. */
static void add_records(place *p, unsigned many)
{
    ob_error err = {0};
    int64_t id;
    ob_record_key keys[] = {key_of(1), key_of(2)}, salt, *codes = NULL;
    size_t count = 0;
    ob_token t = token_of("forum", 1);
    ob_incoming in = {.reason = "Grüße \"'\\\n\t\x01 😀", .at = -5};
    ob_verdict v = {.account = keys[0], .at = INT64_MAX};
    ob_order o = {.regime = "zz", .made_at = INT64_MIN};
    ob_member members[] = {{keys[0], true}, {keys[1], false}};
    must(WRITES(p->store, &err, ob_store_token_add(w, &t, &err)), &err);
    must(WRITES(p->store, &err, ob_store_profile_set(w, &ob_profile_default, &err)), &err);
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, keys, 2, &err)), &err);
    must(WRITES(p->store, &err, ob_store_verdict_add(&id, w, &v, &err)), &err);
    must(WRITES(p->store, &err, ob_store_order_add(&id, w, &o, keys, 2, &err)), &err);
    must(WRITES(p->store, &err, ob_store_denied(&salt, &codes, &count, w, 5, &err)), &err);
    free(codes);
    must(open_writing(p->store, &err), &err);
    for (unsigned i = 0; i < many; i++) {
        ob_conversation c = {.id = key_of(many - i)};
        must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 2, &err)), &err);
    }
    must(end_writing(OB_OK, &err), &err);
}

static ob_buf dump_of(place *p)
{
    ob_buf out = {0};
    ob_error err = {0};
    must(READS(p->store, &err, ob_store_dump(view, take, &out, &err)), &err);
    return out;
}

static bool is_empty(place *p)
{
    ob_buf text = dump_of(p);
    bool empty = strstr(text.bytes, "{\"rows\":0}") != NULL;
    ob_buf_free(&text);
    return empty;
}

static void a_dump_that_was_loaded_makes_the_same_dump(void **state)
{
    place *p = *state;
    ob_error err = {0};
    add_records(p, 500);
    ob_buf first = dump_of(p);
    static const size_t pieces[] = {1, 7, 100000000};
    for (size_t i = 0; i < 3; i++) {
        fresh(p);
        must(load_text(p, first.bytes, first.size, pieces[i], &err), &err);
        ob_buf second = dump_of(p);
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.bytes, second.bytes, first.size);
        ob_buf_free(&second);
    }
    ob_buf_free(&first);
}

static void a_dump_goes_from_either_database_into_the_other(void **state)
{
    place *p = *state;
    ob_error err = {0};
    add_records(p, 20);
    ob_buf here = dump_of(p);
    place other = {.url = NULL};
    char command[200];
    assert_true(test_folder(other.dir));
    open_store(&other);
    must(load_text(&other, here.bytes, here.size, 4096, &err), &err);
    ob_buf there = dump_of(&other);
    assert_int_equal(here.size, there.size);
    assert_memory_equal(here.bytes, there.bytes, here.size);
    close_store(&other);
    snprintf(command, sizeof command, "rm -rf %s", other.dir);
    assert_int_equal(system(command), 0);
    fresh(p);
    must(load_text(p, there.bytes, there.size, 4096, &err), &err);
    ob_buf again = dump_of(p);
    assert_memory_equal(here.bytes, again.bytes, here.size);
    ob_buf_free(&here);
    ob_buf_free(&there);
    ob_buf_free(&again);
}

static void what_was_loaded_can_be_used(void **state)
{
    place *p = *state;
    ob_error err = {0};
    bool there = false, holds = false;
    ob_record_key item = key_of(2);
    ob_token *all = NULL;
    size_t count = 0;
    add_records(p, 1);
    ob_buf text = dump_of(p);
    fresh(p);
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)),
         &err); /* prepared before its table is made anew */
    free(all);
    uint64_t before = ob_store_generation(p->store);
    must(load_text(p, text.bytes, text.size, 999, &err), &err);
    assert_true(ob_store_generation(p->store) != before);
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)), &err);
    assert_int_equal(count, 1);
    ob_token t = token_of("forum", 1);
    assert_memory_equal(all, &t, sizeof t);
    free(all);
    must(READS(p->store, &err,
               ob_store_incoming_has(&there, &holds, view, OB_INCOMING_REPORT, 1, &item, &err)),
         &err);
    assert_true(there && holds);
    ob_buf_free(&text);
}

static void a_store_with_records_takes_no_dump(void **state)
{
    place *p = *state;
    ob_error err = {0};
    add_records(p, 1);
    ob_buf text = dump_of(p);
    refused(load_text(p, text.bytes, text.size, 4096, &err), OB_EREFUSED, &err);
    ob_buf now = dump_of(p);
    assert_memory_equal(text.bytes, now.bytes, text.size);
    ob_buf_free(&text);
    ob_buf_free(&now);
}

static void a_dump_that_was_cut_or_changed_is_not_loaded_at_all(void **state)
{
    place *p = *state;
    ob_error err = {0};
    add_records(p, 3);
    ob_buf text = dump_of(p);
    fresh(p);
    for (size_t size = 0; size + 1 < text.size; size += 1 + size / 7)
        refused(load_text(p, text.bytes, size, 4096, &err), OB_EFORMAT, &err);
    /* without one line: the last one says how many there were */
    char *first = strchr(text.bytes, '\n') + 1, *second = strchr(first, '\n') + 1;
    size_t size = text.size - (size_t)(second - first);
    memmove(first, second, text.size - (size_t)(second - text.bytes));
    refused(load_text(p, text.bytes, size, 4096, &err), OB_EFORMAT, &err);
    assert_non_null(strstr(err.text, "rows"));
    assert_true(is_empty(p));
    ob_buf_free(&text);
}

/* A head of this version, and a line. */
static void one_line_is_refused(place *p, const char *line, ob_status expected, const char *word)
{
    ob_error err = {0};
    ob_buf text = {0};
    must(ob_buf_printf(&text, &err, "{\"obhut_records\":1,\"schema\":2}\n%s\n{\"rows\":1}\n", line),
         &err);
    ob_status status = load_text(p, text.bytes, text.size, 4096, &err);
    if (status != expected || !strstr(err.text, word))
        fail_msg("%s: %d %s", line, status, status ? err.text : "");
    ob_buf_free(&text);
}

static void a_line_that_is_none_is_named(void **state)
{
    place *p = *state;
    static const struct {
        const char *line, *word;
    } cases[] = {
        {"", "line 2"},
        {"[]", "no JSON object"},
        {"{\"table\":\"mark\"", "no JSON"},
        {"{\"table\":\"mark\",\"table\":\"mark\",\"row\":[\"a\",1]}", "no JSON"},
        {"{\"table\":\"mark\",\"row\":[\"a\\u0000b\",1]}", "no JSON"},
        {"{\"table\":\"mark\",\"row\":[\"\xFF\",1]}", "no JSON"},
        {"{\"table\":\"mark\",\"row\":[\"a\",99999999999999999999]}", "no JSON"},
        {"{\"table\":\"mark\",\"row\":[\"a\",1],\"more\":1}", "is expected"},
        {"{\"table\":\"nothing\",\"row\":[\"a\",1]}", "there is no table"},
        {"{\"table\":\"obhut_version\",\"row\":[1]}", "there is no table"},
        {"{\"table\":\"sqlite_schema\",\"row\":[\"a\",\"b\",\"c\",1,\"d\"]}", "there is no table"},
        {"{\"table\":\"mark\\\"; DROP TABLE token; --\",\"row\":[\"a\",1]}", "there is no table"},
        {"{\"table\":\"mark\",\"row\":[\"a\"]}", "has 2 values"},
        {"{\"table\":\"mark\",\"row\":{\"name\":\"a\"}}", "has 2 values"},
        {"{\"table\":\"mark\",\"row\":[1,1]}", "a text expected"},
        {"{\"table\":\"mark\",\"row\":[\"a\",\"1\"]}", "a number expected"},
        {"{\"table\":\"mark\",\"row\":[\"a\",1.5]}", "a number expected"},
        {"{\"table\":\"mark\",\"row\":[\"a\",null]}", "line 2"},
        {"{\"table\":\"denied\",\"row\":[\"a\",1]}", "bytes expected"},
        {"{\"table\":\"denied\",\"row\":[{\"b\":\"abc\"},1]}", "hexadecimal"},
        {"{\"table\":\"denied\",\"row\":[{\"b\":\"zz\"},1]}", "line 2"},
        {"{\"table\":\"denied\",\"row\":[{\"b\":\"00\",\"c\":1},1]}", "hexadecimal"},
        {"{\"table\":\"mark\",\"row\":[\"a\",1]}\n{\"table\":\"mark\",\"row\":[\"a\",2]}",
         "line 3"},
        {"{\"rows\":0}\n", "line 3"},
        {"{\"rows\":1}", "says otherwise"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one_line_is_refused(p, cases[i].line, OB_EFORMAT, cases[i].word);
    char *longer = malloc(6000000);
    memset(longer, ' ', 5999999);
    longer[5999999] = '\0';
    one_line_is_refused(p, longer, OB_ELIMIT, "line 2");
    free(longer);
    assert_true(is_empty(p));
}

static void a_head_that_is_none_is_refused(void **state)
{
    place *p = *state;
    ob_error err = {0};
    static const char *const bad[] = {"",
                                      "{}",
                                      "{\"obhut_records\":2,\"schema\":1}\n{\"rows\":0}\n",
                                      "{\"obhut_records\":1,\"schema\":0}\n{\"rows\":0}\n",
                                      "{\"obhut_records\":1,\"schema\":-1}\n{\"rows\":0}\n",
                                      "{\"obhut_records\":1}\n{\"rows\":0}\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(load_text(p, bad[i], strlen(bad[i]), 10, &err), OB_EFORMAT, &err);
    static const char newer[] = "{\"obhut_records\":1,\"schema\":1000}\n{\"rows\":0}\n";
    refused(load_text(p, newer, sizeof newer - 1, 10, &err), OB_EREFUSED, &err);
    static const char right[] = "{\"obhut_records\":1,\"schema\":1}\n{\"rows\":0}\n";
    must(load_text(p, right, sizeof right - 1, 10, &err), &err);
}

static void a_dump_of_an_older_version_is_brought_up_to_date(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t version = 0;
    ob_token *all = NULL;
    size_t count = 0;
    static const char old[] =
        "{\"obhut_records\":1,\"schema\":1}\n"
        "{\"table\":\"token\",\"row\":[\"forum\",{\"b\":"
        "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"},1,2,3]}\n"
        "{\"rows\":1}\n";
    must(load_text(p, old, sizeof old - 1, 10, &err), &err);
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)), &err);
    assert_int_equal(count, 1);
    assert_int_equal(all->fingerprint[31], 31);
    free(all);
    must(p->store->driver->version(&version, p->store->writing.view.db, &err), &err);
    assert_int_equal(version, schema_steps());
    must(WRITES(p->store, &err, ob_store_profile_set(w, &ob_profile_default, &err)),
         &err); /* a table of step 2 */
    open_again(p);
    static const char wrong[] = "{\"obhut_records\":1,\"schema\":1}\n"
                                "{\"table\":\"mark\",\"row\":[\"a\",1]}\n{\"rows\":1}\n";
    fresh(p); /* that table came later */
    refused(load_text(p, wrong, sizeof wrong - 1, 10, &err), OB_EFORMAT, &err);
}

static void a_dump_with_a_table_that_was_removed_later_is_loaded_without_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t entry = 0;
    static const char old[] =
        "{\"obhut_records\":1,\"schema\":3}\n"
        "{\"table\":\"log_second\",\"row\":[1,100,{\"b\":\"09\"},{\"b\":\"\"}]}\n"
        "{\"table\":\"mark\",\"row\":[\"log.entry\",7]}\n"
        "{\"rows\":2}\n";
    must(load_text(p, old, sizeof old - 1, 10, &err), &err);
    must(READS(p->store, &err, ob_store_counter(&entry, view, OB_COUNTER_LOG_ENTRY, &err)), &err);
    assert_int_equal(entry, 7);
    static const char now[] =
        "{\"obhut_records\":1,\"schema\":4}\n"
        "{\"table\":\"log_second\",\"row\":[1,100,{\"b\":\"09\"},{\"b\":\"\"}]}\n"
        "{\"rows\":1}\n";
    fresh(p); /* of this version it is no table */
    refused(load_text(p, now, sizeof now - 1, 10, &err), OB_EFORMAT, &err);
    assert_non_null(strstr(err.text, "log_second"));
}

static ob_status take_little(void *context, const void *bytes, size_t size, ob_error *err)
{
    (void)bytes;
    size_t *left = context;
    if (size > *left)
        return ob_fail(err, OB_EIO, "the disk is full");
    *left -= size;
    return OB_OK;
}

static ob_status give_error(void *context, void *bytes, size_t capacity, size_t *size,
                            ob_error *err)
{
    source *s = context;
    return s->size ? give(context, bytes, capacity, size, err) : ob_fail(err, OB_EIO, "a bad disk");
}

static void an_error_of_whoever_takes_or_gives_ends_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t left = 100000;
    add_records(p, 3000);
    assert_int_equal(READS(p->store, &err, ob_store_dump(view, take_little, &left, &err)), OB_EIO);
    assert_string_equal(err.text, "the disk is full");
    ob_buf text = dump_of(p); /* and the store goes on */
    fresh(p);
    source s = {text.bytes, text.size / 2, 50000};
    assert_int_equal(ob_store_load(p->store, give_error, &s, &err), OB_EIO);
    assert_string_equal(err.text, "a bad disk");
    assert_true(is_empty(p));
    add_records(p, 1);
    ob_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_dump_that_was_loaded_makes_the_same_dump),
        IN_PLACE(what_was_loaded_can_be_used),
        IN_PLACE(a_store_with_records_takes_no_dump),
        IN_PLACE(a_dump_that_was_cut_or_changed_is_not_loaded_at_all),
        IN_PLACE(a_line_that_is_none_is_named),
        IN_PLACE(a_head_that_is_none_is_refused),
        IN_PLACE(a_dump_of_an_older_version_is_brought_up_to_date),
        IN_PLACE(a_dump_with_a_table_that_was_removed_later_is_loaded_without_it),
        IN_PLACE(an_error_of_whoever_takes_or_gives_ends_it),
        /* of PostgreSQL only: */
        IN_PLACE(a_dump_goes_from_either_database_into_the_other),
    };
    size_t count = sizeof tests / sizeof *tests;
    if (!getenv("OBHUT_TEST_URL"))
        count -= 1;
    return _cmocka_run_group_tests("store_dump", tests, count, NULL, NULL);
}
