/* What a search keeps does not grow with what a list has. */
#include "folder.h"
#include "lists_test.h"

#include "lists_priv.h"

#include <sys/resource.h>

static char dir[TEST_FOLDER_SIZE];

enum { NEAR = 2000 };

/* Two lists whose hashes lie near each other. */
static int make_lists(void **state)
{
    (void)state;
    char path[128];
    test_random r = {91};
    const ob_hash256 middle = test_hash(&r);
    if (!test_folder(dir))
        return -1;
    snprintf(path, sizeof path, "%s/near.txt", dir);
    FILE *file = fopen(path, "w");
    for (int i = 0; file && i < NEAR; i++) {
        char hex[OB_HASH256_HEX + 1];
        ob_hash256 near = middle;
        for (int bit = 0; bit < 15; bit++) {
            uint64_t at = test_below(&r, 256);
            near.q[at / 64] ^= UINT64_C(1) << (at % 64);
        }
        ob_hash256_print(hex, &near);
        fprintf(file, "%s\n", hex);
    }
    if (!file || fclose(file))
        return -1;
    lists_import(dir, &(ob_import){.file = path, .name = "first", .type = OB_IMPORT_PDQ});
    lists_import(dir, &(ob_import){.file = path, .name = "second", .type = OB_IMPORT_PDQ});
    return 0;
}

static int remove_lists(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static ob_list_matches search(uint32_t count, uint32_t limit)
{
    test_random r = {91};
    const ob_hash256 middle = test_hash(&r);
    ob_hash256 *queries = malloc(count * sizeof *queries);
    ob_lists *lists = NULL;
    ob_list_matches found = {0};
    ob_error err = {0};
    for (uint32_t q = 0; q < count; q++) {
        queries[q] = middle;
        queries[q].q[q % 4] ^= UINT64_C(1) << (q / 4 % 64);
    }
    if (ob_lists_open(&lists, dir, &err) ||
        ob_lists_match(&found, lists, queries, count, 31, limit, &err))
        fail_msg("%s", err.text);
    ob_lists_close(lists);
    free(queries);
    return found;
}

static void a_limit_leaves_the_first_of_what_there_is(void **state)
{
    (void)state;
    enum { QUERIES = 5 };
    ob_list_matches all = search(QUERIES, OB_LISTS_NO_LIMIT);
    for (uint32_t limit = 1; limit < 10 * NEAR; limit = 3 * limit + 1) {
        ob_list_matches some = search(QUERIES, limit);
        const size_t share = OB_LISTS_MATCHES_MOST / QUERIES, most = limit < share ? limit : share;
        size_t at = 0, of_query = 0;
        assert_int_equal(some.total, all.total);
        for (size_t i = 0; i < all.count; i++) {
            of_query = i && all.match[i].query == all.match[i - 1].query ? of_query + 1 : 0;
            if (of_query >= most)
                continue;
            assert_true(at < some.count);
            assert_int_equal(some.match[at].query, all.match[i].query);
            assert_int_equal(some.match[at].of_query, all.match[i].of_query);
            assert_string_equal(some.match[at].list, all.match[i].list);
            assert_string_equal(some.match[at++].entry, all.match[i].entry);
        }
        assert_int_equal(at, some.count);
        ob_list_matches_free(&some);
    }
    ob_list_matches_free(&all);
}

static void each_list_is_heard_where_another_has_many(void **state)
{
    (void)state;
    enum { QUERIES = 64 };
    size_t of[2] = {0};
    ob_list_matches found = search(QUERIES, OB_LISTS_OF_EACH);
    for (size_t i = 0; i < found.count; i++)
        of[!strcmp(found.match[i].list, "second")]++;
    assert_int_equal(of[0], OB_LISTS_MATCHES_MOST);
    assert_int_equal(of[1], OB_LISTS_MATCHES_MOST);
    assert_true(found.total > found.count);
    ob_list_matches_free(&found);
}

static void many_queries_of_many_near_entries_take_little_memory(void **state)
{
    (void)state;
#ifdef OB_SANITIZED /* which makes all of it slow */
    enum { QUERIES = 512, MOST_KIB = 64 << 10 };
#else
    enum { QUERIES = 4096, MOST_KIB = 64 << 10 };
#endif
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    const uint32_t limits[] = {1, 10000, OB_LISTS_OF_EACH};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        ob_list_matches found = search(QUERIES, limits[i]);
        assert_true(found.total > (uint64_t)QUERIES * NEAR);
        assert_true(found.count <= 2 * OB_LISTS_MATCHES_MOST);
        ob_list_matches_free(&found);
    }
    getrusage(RUSAGE_SELF, &after);
    print_message("grew by %ld KiB\n", after.ru_maxrss - before.ru_maxrss);
    assert_true(after.ru_maxrss - before.ru_maxrss < MOST_KIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_leaves_the_first_of_what_there_is),
        cmocka_unit_test(each_list_is_heard_where_another_has_many),
        cmocka_unit_test(many_queries_of_many_near_entries_take_little_memory),
    };
    return cmocka_run_group_tests_name("lists_bounded", tests, make_lists, remove_lists);
}
