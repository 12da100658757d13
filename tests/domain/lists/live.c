/* Lists that change while they answer: nothing acknowledged is lost, nothing withdrawn is found. */
#include "folder.h"
#include "lists_test.h"

#include "set_priv.h"

#include <pthread.h>
#include <unistd.h>

static char dir[TEST_FOLDER_SIZE];

static int make_dir(void **state)
{
    (void)state;
    return test_folder(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void import_hashes(const char *name, const ob_hash256 *hashes, size_t count)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s.txt", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        char hex[OB_HASH256_HEX + 1];
        ob_hash256_print(hex, &hashes[i]);
        fprintf(file, "%s\n", hex);
    }
    assert_int_equal(fclose(file), 0);
    const ob_import wish = {.file = path, .name = name};
    lists_import(dir, &wish);
}

static size_t matches(ob_lists *lists, const ob_hash256 *hash)
{
    ob_list_matches found;
    ob_error err = {0};
    if (ob_lists_match(&found, lists, hash, 1, 31, OB_LISTS_NO_LIMIT, &err))
        fail_msg("%s", err.text);
    size_t count = found.count;
    ob_list_matches_free(&found);
    return count;
}

static void add(ob_lists *lists, const char *name, const ob_hash256 *hash)
{
    const ob_list_entry entry = {.hash = hash};
    uint64_t added = 0;
    ob_error err = {0};
    if (ob_lists_add(&added, lists, name, &entry, 1, &err))
        fail_msg("%s", err.text);
    assert_int_equal(added, 1);
}

static void withdraw(ob_lists *lists, const char *name, const ob_hash256 *hash)
{
    const ob_list_entry entry = {.hash = hash};
    uint64_t withdrawn = 0;
    ob_error err = {0};
    if (ob_lists_withdraw(&withdrawn, lists, name, &entry, 1, &err))
        fail_msg("%s", err.text);
    assert_int_equal(withdrawn, 1);
}

/* ---- One writer, eight readers --------------------------------------------------------------- */

enum {
    READERS = 8,
    SEALED = OB_INDEX_MIN_WORDS + 1000, /* in the file at first */
    ADDED_MOST = 20000,
};

typedef enum stage { UNKNOWN, ADDED, CHANGING, WITHDRAWN } stage;

/* What is true of each hash, as the writer's acknowledgements say. */
typedef struct world {
    ob_lists *lists;
    ob_hash256 hash[SEALED + ADDED_MOST], switched;
    atomic_int stage[SEALED + ADDED_MOST];
    atomic_int count; /* hashes that have been begun */
    atomic_int on;    /* the second list: ADDED is on, WITHDRAWN is off */
    atomic_bool ended;
    atomic_ullong asked, missed, ghosts;
} world;

static void *read_on(void *argument)
{
    world *w = argument;
    static atomic_uint seeds;
    test_random r = {1000 + atomic_fetch_add(&seeds, 1)};
    while (!atomic_load(&w->ended)) {
        size_t i = test_below(&r, (uint64_t)atomic_load(&w->count));
        bool second = test_below(&r, 16) == 0;
        atomic_int *stage = second ? &w->on : &w->stage[i];
        ob_hash256 query =
            test_flip(&r, second ? w->switched : w->hash[i], (unsigned)test_below(&r, 32));
        int before = atomic_load(stage);
        size_t found = matches(w->lists, &query);
        int after = atomic_load(stage);
        atomic_fetch_add(&w->asked, 1);
        if (before == ADDED && after == ADDED && found != 1)
            atomic_fetch_add(&w->missed, 1);
        if (before == WITHDRAWN && after == WITHDRAWN && found)
            atomic_fetch_add(&w->ghosts, 1);
    }
    return NULL;
}

static void step(world *w, test_random *r)
{
    int count = atomic_load(&w->count);
    size_t i;
    switch (test_below(r, 100)) {
    case 0:
        assert_int_equal(ob_lists_merge(w->lists, "busy", NULL, NULL, NULL), OB_OK);
        return;
    case 1:
    case 2: {
        bool on = atomic_load(&w->on) != ADDED;
        atomic_store(&w->on, CHANGING);
        assert_int_equal(ob_lists_set_enabled(w->lists, "switched", on, NULL), OB_OK);
        atomic_store(&w->on, on ? ADDED : WITHDRAWN);
        return;
    }
    default:
        if (test_below(r, 3) == 0) {
            i = test_below(r, (uint64_t)count);
            if (atomic_load(&w->stage[i]) != ADDED)
                return;
            atomic_store(&w->stage[i], CHANGING);
            withdraw(w->lists, "busy", &w->hash[i]);
            atomic_store(&w->stage[i], WITHDRAWN);
        } else if (count < SEALED + ADDED_MOST) {
            w->hash[count] = test_hash(r);
            atomic_store(&w->stage[count], CHANGING);
            atomic_store(&w->count, count + 1);
            add(w->lists, "busy", &w->hash[count]);
            atomic_store(&w->stage[count], ADDED);
        }
    }
}

static void nothing_acknowledged_is_missed_while_lists_change(void **state)
{
    (void)state;
    uint64_t steps = test_samples("OBHUT_CHANGES", 2000);
    test_random r = {71};
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (int i = 0; i < SEALED; i++) {
        w->hash[i] = test_hash(&r);
        w->stage[i] = ADDED;
    }
    w->count = SEALED;
    w->on = ADDED;
    w->switched = test_hash(&r);
    import_hashes("busy", w->hash, SEALED);
    import_hashes("switched", &w->switched, 1);
    assert_int_equal(ob_lists_own(&w->lists, dir, NULL), OB_OK);
    w->lists->merge_at = 300; /* so that the keeper merges too */
    assert_int_equal(ob_lists_maintain(w->lists, NULL, NULL, NULL), OB_OK);
    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, w), 0);
    for (uint64_t i = 0; i < steps; i++)
        step(w, &r);
    atomic_store(&w->ended, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(w->missed, 0);
    assert_int_equal(w->ghosts, 0);
    assert_true(w->asked > steps / 10);
    ob_lists_close(w->lists);

    /* And the same after a restart, for a reader and for an owner. */
    for (int owner = 0; owner < 2; owner++) {
        ob_lists *lists = NULL;
        assert_int_equal(owner ? ob_lists_own(&lists, dir, NULL) : ob_lists_open(&lists, dir, NULL),
                         OB_OK);
        for (int i = 0; i < w->count; i++)
            assert_int_equal(matches(lists, &w->hash[i]), w->stage[i] == ADDED);
        ob_lists_close(lists);
    }
    free(w);
    assert_int_equal(lists_remove(dir, "busy"), OB_OK);
    assert_int_equal(lists_remove(dir, "switched"), OB_OK);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void an_import_replaces_what_was_added_too(void **state)
{
    (void)state;
    test_random r = {72};
    ob_hash256 old = test_hash(&r), more = test_hash(&r), new = test_hash(&r);
    ob_lists *lists = NULL;
    import_hashes("swap", &old, 1);
    assert_int_equal(ob_lists_own(&lists, dir, NULL), OB_OK);
    add(lists, "swap", &more);
    assert_int_equal(matches(lists, &more), 1);
    char path[128], hex[OB_HASH256_HEX + 1];
    snprintf(path, sizeof path, "%s/new.txt", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    ob_hash256_print(hex, &new);
    fprintf(file, "%s\n", hex);
    fclose(file);
    const ob_import wish = {.file = path, .name = "swap"};
    ob_import_result result;
    ob_list_matches held;
    assert_int_equal(ob_lists_match(&held, lists, &more, 1, 0, 0, NULL), OB_OK);
    assert_int_equal(ob_lists_import(&result, lists, &wish, NULL), OB_OK);
    assert_int_equal(matches(lists, &old) + matches(lists, &more), 0);
    assert_int_equal(matches(lists, &new), 1);
    assert_string_equal(held.match[0].list, "swap"); /* what was found stays readable */
    ob_list_matches_free(&held);
    assert_int_equal(ob_lists_remove(lists, "swap", NULL), OB_OK);
    assert_int_equal(matches(lists, &new), 0);
    const ob_list_entry entry = {.hash = &more};
    assert_int_equal(ob_lists_add(NULL, lists, "swap", &entry, 1, NULL), OB_ENOTFOUND);
    ob_lists_close(lists);
}

static void entries_are_added_once_and_checked(void **state)
{
    (void)state;
    test_random r = {73};
    ob_hash256 hash = test_hash(&r), other = test_hash(&r), flat = {{0}};
    ob_lists *lists = NULL;
    import_hashes("once", &hash, 1);
    assert_int_equal(ob_lists_own(&lists, dir, NULL), OB_OK);
    uint64_t added = 9;
    const ob_list_entry same[] = {
        {.hash = &other, .id = "x"}, {.hash = &other, .id = "x"}, {.hash = &hash, .id = "1"}};
    assert_int_equal(ob_lists_add(&added, lists, "once", same, 3, NULL), OB_OK);
    assert_int_equal(added, 1);
    assert_int_equal(ob_lists_add(&added, lists, "once", same, 3, NULL), OB_OK);
    assert_int_equal(added, 0);
    const ob_list_entry bad[] = {
        {.id = "nothing"}, {.hash = &other, .id = "a\nb"}, {.hash = &other, .source = "\xFF"}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ob_lists_add(&added, lists, "once", &bad[i], 1, NULL), OB_EINVAL);
    const ob_list_entry refused = {.hash = &flat};
    assert_int_equal(ob_lists_add(&added, lists, "once", &refused, 1, NULL), OB_EREFUSED);
    assert_int_equal(ob_lists_add(&added, lists, "../once", same, 1, NULL), OB_EINVAL);
    const ob_list_entry nothing = {0};
    assert_int_equal(ob_lists_withdraw(&added, lists, "once", &nothing, 1, NULL), OB_EINVAL);
    const ob_list_entry by_id[] = {{.id = "x"}, {.id = "no such"}, {.id = "1"}};
    assert_int_equal(ob_lists_withdraw(&added, lists, "once", by_id, 3, NULL), OB_OK);
    assert_int_equal(added, 2);
    assert_int_equal(matches(lists, &hash) + matches(lists, &other), 0);
    add(lists, "once", &hash); /* what was withdrawn may come back */
    assert_int_equal(matches(lists, &hash), 1);
    ob_lists_close(lists);
    assert_int_equal(lists_remove(dir, "once"), OB_OK);
}

static void many_entries_can_wait_for_a_merge(void **state)
{
    (void)state;
    enum { BATCHES = 3 };
    test_random r = {74};
    ob_hash256 first = test_hash(&r);
    ob_hash256 *hash = malloc(BATCHES * OB_LISTS_ADD_MAX * sizeof *hash);
    ob_list_entry *entries = calloc(BATCHES * OB_LISTS_ADD_MAX, sizeof *entries);
    ob_lists *lists = NULL;
    import_hashes("many", &first, 1);
    assert_int_equal(ob_lists_own(&lists, dir, NULL), OB_OK);
    for (int i = 0; i < BATCHES * OB_LISTS_ADD_MAX; i++) {
        hash[i] = test_hash(&r);
        entries[i].hash = &hash[i];
    }
    uint64_t added = 0;
    assert_int_equal(ob_lists_add(&added, lists, "many", entries, OB_LISTS_ADD_MAX + 1, NULL),
                     OB_ELIMIT);
    int at = 0;
    for (int size = 1; at < BATCHES * OB_LISTS_ADD_MAX; at += size, size = 4000) {
        if (size > BATCHES * OB_LISTS_ADD_MAX - at)
            size = BATCHES * OB_LISTS_ADD_MAX - at;
        assert_int_equal(ob_lists_add(&added, lists, "many", entries + at, (size_t)size, NULL),
                         OB_OK);
        assert_int_equal(added, size);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BATCHES * OB_LISTS_ADD_MAX; i += 97)
            assert_int_equal(matches(lists, &hash[i]), 1);
        assert_int_equal(ob_lists_merge(lists, "many", NULL, NULL, NULL), OB_OK);
        assert_int_equal(ob_lists_entries(lists), BATCHES * OB_LISTS_ADD_MAX + 1);
    }
    ob_lists_close(lists);
    free(hash);
    free(entries);
    assert_int_equal(lists_remove(dir, "many"), OB_OK);
}

static void one_process_at_a_time_owns_lists(void **state)
{
    (void)state;
    ob_lists *one = NULL, *two = NULL;
    assert_int_equal(ob_lists_own(&one, dir, NULL), OB_OK);
    assert_int_equal(ob_lists_own(&two, dir, NULL), OB_EBUSY);
    ob_lists_close(one);
    assert_int_equal(ob_lists_own(&two, dir, NULL), OB_OK);
    ob_lists_close(two);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* Every entry that was acknowledged is found, or the list says that it is damaged. */
static void a_damaged_journal_never_answers_less_than_was_acknowledged(void **state)
{
    (void)state;
    enum { COMMITS = 6 };
    test_random r = {75};
    ob_hash256 first = test_hash(&r), hash[COMMITS];
    ob_lists *lists = NULL;
    import_hashes("torn", &first, 1);
    assert_int_equal(ob_lists_own(&lists, dir, NULL), OB_OK);
    for (int i = 0; i < COMMITS; i++) {
        hash[i] = test_hash(&r);
        add(lists, "torn", &hash[i]);
    }
    ob_lists_close(lists);
    char path[128];
    snprintf(path, sizeof path, "%s/lists/torn.1.log", dir);
    size_t size;
    uint8_t *good = test_file(path, &size), *bytes = malloc(size);
    uint64_t samples = test_samples("OBHUT_MUTATIONS", 2000) / 10, refused = 0;
    for (uint64_t i = 0; i < samples; i++) {
        memcpy(bytes, good, size);
        size_t now = i % 4 == 0   ? test_below(&r, size + 1)
                     : i % 4 == 1 ? size
                                  : test_mutate(&r, bytes, size);
        if (i % 4 == 1) /* one bit, of the last line as often as of all others */
            bytes[i % 8 == 1 ? size - 1 - test_below(&r, size / 8) : test_below(&r, size)] ^=
                (uint8_t)(1u << test_below(&r, 8));
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, now, file), now);
        assert_int_equal(fclose(file), 0);
        ob_error err = {0};
        char *why = NULL;
        ob_status status =
            i % 3 ? ob_lists_open(&lists, dir, &err) : ob_lists_own(&lists, dir, &err);
        if (status || ob_lists_trouble(&why, lists)) {
            const char *said = status ? err.text : why;
            if (!strstr(said, "torn.1.log, line "))
                fail_msg("%s", said);
            ob_list_matches found;
            if (!status) { /* the owner goes on, and says so of what it does not find */
                assert_int_equal(ob_lists_match(&found, lists, &first, 1, 31, 1, NULL), OB_OK);
                assert_int_equal(ob_list_matches_whole(&found, 1, NULL), OB_EIO);
                ob_list_matches_free(&found);
                ob_lists_close(lists);
            }
            free(why);
            refused++;
            continue;
        }
        for (int k = 0; k < COMMITS; k++)
            assert_int_equal(matches(lists, &hash[k]), 1);
        assert_int_equal(matches(lists, &first), 1);
        ob_lists_close(lists);
    }
    assert_true(refused > samples / 2);
    assert_int_equal(unlink(path), 0);
    free(good);
    free(bytes);
    assert_int_equal(lists_remove(dir, "torn"), OB_OK);
}

static void a_file_damaged_later_is_not_answered_from(void **state)
{
    (void)state;
    test_random r = {76};
    enum { COUNT = 20000 };
    ob_hash256 *hash = malloc(COUNT * sizeof *hash);
    for (int i = 0; i < COUNT; i++)
        hash[i] = test_hash(&r);
    import_hashes("rot", hash, COUNT);
    live *list = NULL, *copy = NULL;
    hits found = {0};
    assert_int_equal(live_open_as(&list, dir, "rot", 0, NULL), OB_OK); /* as if it were large */
    assert_int_equal(live_open(&copy, dir, "rot", NULL), OB_OK);
    char path[128];
    snprintf(path, sizeof path, "%s/lists/rot.obx", dir);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, 100000, SEEK_SET);
    fputs("rot", file);
    fclose(file);
    ob_error err = {0};
    for (unsigned tries = 0; !live_match(&found, list, hash, 1, 31, NULL) && test_wait(&tries);)
        ;
    assert_int_equal(live_match(&found, list, hash, 1, 31, NULL), OB_EIO);
    found.count = 0;
    assert_int_equal(live_preload(list, &err), OB_EIO);
    assert_non_null(strstr(err.text, "\"rot\""));
    assert_int_equal(live_match(&found, copy, hash, 1, 31, NULL), OB_OK);
    assert_int_equal(found.count, 1);
    live_release(list);
    live_release(copy);
    assert_int_equal(live_open(&copy, dir, "rot", NULL), OB_EFORMAT);
    assert_int_equal(live_open_as(&list, dir, "rot", 0, NULL), OB_OK);
    assert_int_equal(live_preload(list, &err), OB_EFORMAT);
    assert_int_equal(live_match(&found, list, hash, 1, 31, NULL), OB_EFORMAT);
    live_release(list);
    free(found.hit);
    free(hash);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_missed_while_lists_change),
        cmocka_unit_test(an_import_replaces_what_was_added_too),
        cmocka_unit_test(entries_are_added_once_and_checked),
        cmocka_unit_test(many_entries_can_wait_for_a_merge),
        cmocka_unit_test(one_process_at_a_time_owns_lists),
        cmocka_unit_test(a_damaged_journal_never_answers_less_than_was_acknowledged),
        cmocka_unit_test(a_file_damaged_later_is_not_answered_from),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
