/* List files that are checked part by part, and files that change under who reads them. */
#include "folder.h"
#include "lists_test.h"

#include "lists_priv.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES = 20000, QUERIES = 64 };

static char dir[TEST_FOLDER_SIZE], path[TEST_FOLDER_SIZE + 32];
static ob_hash256 hashes[ENTRIES];
static uint8_t *good;
static size_t size;

static void write_good(void)
{
    int file = open(path, O_WRONLY | O_TRUNC);
    assert_true(file >= 0);
    assert_int_equal(write(file, good, size), (ssize_t)size);
    assert_int_equal(close(file), 0);
}

/* A list with an index of all pieces, digests and ids, and its bytes. */
static int make_list(void **state)
{
    (void)state;
    test_random r = {7};
    char text[TEST_FOLDER_SIZE + 32];
    if (!test_folder(dir))
        return -1;
    snprintf(text, sizeof text, "%s/one.csv", dir);
    snprintf(path, sizeof path, "%s/lists/one.obx", dir);
    FILE *file = fopen(text, "w");
    assert_non_null(file);
    fprintf(file, "pdq,md5,id\n");
    for (int i = 0; i < ENTRIES; i++) {
        char hex[OB_HASH256_HEX + 1];
        hashes[i] = test_hash(&r);
        ob_hash256_print(hex, &hashes[i]);
        fprintf(file, "%s,%.32s,entry-%d\n", hex, hex, i);
    }
    assert_int_equal(fclose(file), 0);
    lists_import(dir, &(ob_import){.file = text, .name = "one"});
    struct stat is;
    assert_int_equal(stat(path, &is), 0);
    size = (size_t)is.st_size;
    good = malloc(size);
    int from = open(path, O_RDONLY);
    assert_true(good && from >= 0 && read(from, good, size) == (ssize_t)size);
    return close(from);
}

static int remove_list(void **state)
{
    (void)state;
    char command[TEST_FOLDER_SIZE + 16];
    free(good);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void change_byte(size_t at, uint8_t bits)
{
    const uint8_t changed = good[at] ^ bits;
    int file = open(path, O_WRONLY);
    assert_true(file >= 0 && pwrite(file, &changed, 1, (off_t)at) == 1);
    assert_int_equal(close(file), 0);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

typedef struct seen {
    const obx *file;
    bool found[QUERIES];
} seen;

static ob_status see(void *context, uint32_t query, uint64_t at, unsigned distance)
{
    seen *s = context;
    uint64_t entry = 0;
    char id[OB_LIST_ID_MAX + 1];
    ob_status status = obx_hash_entry(&entry, s->file, at, NULL);
    if (!status)
        status = obx_id(id, NULL, s->file, entry, NULL);
    s->found[query] |= !status && !distance;
    return OB_OK;
}

/* How many of some entries are found, each with its id. */
static unsigned look(const obx *file, const ob_hash256 *queries)
{
    seen s = {.file = file};
    unsigned count = 0;
    ob_index_search(&file->index, queries, QUERIES, 20, see, &s, NULL);
    for (int i = 0; i < QUERIES; i++)
        count += s.found[i];
    return count;
}

static obx open_parts(void)
{
    obx file;
    ob_error err = {0};
    if (obx_open(&file, path, 0, &err))
        fail_msg("%s", err.text);
    return file;
}

static void a_whole_file_says_the_same_by_parts(void **state)
{
    (void)state;
    write_good();
    obx file = open_parts();
    for (int i = 0; i + QUERIES <= ENTRIES; i += QUERIES)
        assert_int_equal(look(&file, hashes + i), QUERIES);
    assert_int_equal(obx_problem(&file, NULL), OB_OK);
    assert_int_equal(obx_check(&file, NULL), OB_OK);
    obx_close(&file);
}

static void what_is_damaged_is_noticed_by_who_reads_it(void **state)
{
    (void)state;
    test_random r = {8};
    ob_error err = {0};
    size_t before = 0;
    write_good();
    for (int i = 0; i < 200; i++) {
        const size_t at = test_next(&r) % size;
        const ob_hash256 *queries = hashes + test_next(&r) % (ENTRIES - QUERIES);
        obx file;
        change_byte(before, 0);
        change_byte(at, (uint8_t)(1u << i % 8));
        before = at;
        if (obx_open(&file, path, 0, &err))
            continue; /* it is in what every opening reads */
        if (look(&file, queries) != QUERIES)
            assert_int_not_equal(obx_problem(&file, &err), OB_OK);
        assert_int_equal(obx_check(&file, &err), OB_EFORMAT);
        obx_close(&file);
    }
}

/* Each block is read once more than what a search needs. */
static void every_block_is_checked(void **state)
{
    (void)state;
    size_t before = 0;
    write_good();
    for (size_t block = 0; block * OBX_BLOCK < size; block++) {
        const size_t at = block * OBX_BLOCK + (block ? 0 : OBX_ALIGN);
        ob_error err = {0};
        obx file;
        change_byte(before, 0);
        change_byte(at, 0x10);
        before = at;
        if (obx_open(&file, path, 0, &err))
            continue;
        const uint8_t read_again = *(const volatile uint8_t *)&file.bytes[at];
        (void)read_again;
        if (obx_problem(&file, &err) != OB_EFORMAT)
            fail_msg("block %zu was read unchecked", block);
        obx_close(&file);
    }
}

static void *read_parts(void *argument)
{
    const obx *file = argument;
    for (int i = 0; i < 4; i++)
        if (look(file, hashes + i * QUERIES) != QUERIES)
            return argument;
    return NULL;
}

static void many_may_read_what_nobody_has_read(void **state)
{
    enum { READERS = 8, TIMES = 10 };
    (void)state;
    write_good();
    for (int i = 0; i < TIMES; i++) {
        obx file = open_parts();
        pthread_t thread[READERS];
        for (int k = 0; k < READERS; k++)
            assert_int_equal(pthread_create(&thread[k], NULL, read_parts, &file), 0);
        for (int k = 0; k < READERS; k++) {
            void *wrong = NULL;
            pthread_join(thread[k], &wrong);
            assert_null(wrong);
        }
        assert_int_equal(obx_problem(&file, NULL), OB_OK);
        obx_close(&file);
    }
}

/* ---- Files that are cut ---------------------------------------------------------------------- */

static void a_file_that_is_cut_costs_a_search_and_no_process(void **state)
{
    (void)state;
    const size_t cuts[] = {0, 1, OBX_ALIGN, size / 2, size - OBX_ALIGN};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        ob_error err = {0};
        write_good();
        obx file = open_parts();
        look(&file, hashes);
        assert_int_equal(obx_check(&file, NULL), OB_OK); /* all of it was right, and is shown */
        assert_int_equal(truncate(path, (off_t)cuts[i]), 0);
        look(&file, hashes + QUERIES);
        for (unsigned tries = 0; !obx_problem(&file, &err) && test_wait(&tries);)
            ;
        assert_int_equal(err.status, OB_EIO);
        assert_int_not_equal(obx_check(&file, &err), OB_OK);
        obx_close(&file);
    }
}

static void nothing_can_be_cut_from_what_was_read_at_once(void **state)
{
    (void)state;
    obx file;
    write_good();
    assert_int_equal(obx_open(&file, path, size, NULL), OB_OK);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(look(&file, hashes), QUERIES);
    assert_int_equal(obx_check(&file, NULL), OB_OK);
    obx_close(&file);
}

static char said[4096];
static pthread_mutex_t saying = PTHREAD_MUTEX_INITIALIZER;

static void hear(void *context, const char *sentence)
{
    (void)context;
    pthread_mutex_lock(&saying);
    strncat(said, sentence, sizeof said - strlen(said) - 1);
    strncat(said, "\n", sizeof said - strlen(said) - 1);
    pthread_mutex_unlock(&saying);
}

static bool was_said(const char *what)
{
    pthread_mutex_lock(&saying);
    const bool was = strstr(said, what) != NULL;
    pthread_mutex_unlock(&saying);
    return was;
}

static bool is_found(ob_lists *lists, const ob_hash256 *hash, bool *whole)
{
    ob_list_matches found;
    ob_error err = {0};
    if (ob_lists_match(&found, lists, hash, 1, 31, 10, &err))
        fail_msg("%s", err.text);
    const bool any = found.count > 0;
    *whole = !ob_list_matches_whole(&found, 1, NULL);
    ob_list_matches_free(&found);
    return any;
}

static void a_list_that_is_cut_is_taken_out_and_the_others_go_on(void **state)
{
    (void)state;
    char text[TEST_FOLDER_SIZE + 32], hex[OB_HASH256_HEX + 1];
    test_random r = {9};
    const ob_hash256 other = test_hash(&r), none = test_hash(&r);
    bool whole;
    unsigned tries = 0;
    write_good();
    snprintf(text, sizeof text, "%s/two.txt", dir);
    FILE *file = fopen(text, "w");
    assert_non_null(file);
    ob_hash256_print(hex, &other);
    fprintf(file, "%s\n", hex);
    assert_int_equal(fclose(file), 0);
    lists_import(dir, &(ob_import){.file = text, .name = "two"});
    ob_lists *lists = lists_own(dir);
    assert_true(is_found(lists, &hashes[5], &whole));
    assert_false(is_found(lists, &none, &whole));
    assert_true(whole);
    assert_int_equal(truncate(path, OBX_ALIGN), 0);
    assert_true(is_found(lists, &hashes[5], &whole));
    assert_int_equal(ob_lists_maintain(lists, hear, NULL, NULL), OB_OK);
    while (!was_said("one.obx") && test_wait(&tries)) {
    }
    assert_false(is_found(lists, &none, &whole));
    assert_false(whole);
    assert_true(is_found(lists, &other, &whole));
    assert_int_equal(ob_lists_trouble(NULL, lists), 1);
    write_good();
    tries = 0;
    while (!was_said("list \"one\" is whole and searched again") && test_wait(&tries)) {
    }
    assert_true(is_found(lists, &hashes[5], &whole));
    assert_int_equal(ob_lists_trouble(NULL, lists), 0);
    ob_lists_close(lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_says_the_same_by_parts),
        cmocka_unit_test(what_is_damaged_is_noticed_by_who_reads_it),
        cmocka_unit_test(every_block_is_checked),
        cmocka_unit_test(many_may_read_what_nobody_has_read),
        cmocka_unit_test(a_file_that_is_cut_costs_a_search_and_no_process),
        cmocka_unit_test(nothing_can_be_cut_from_what_was_read_at_once),
        cmocka_unit_test(a_list_that_is_cut_is_taken_out_and_the_others_go_on),
    };
    return cmocka_run_group_tests_name("lists_parts", tests, make_list, remove_list);
}
