/* Writing the log: entries, checkpoints, clocks that jump, many threads. */
#include "audit_log.h"

#include <time.h>

enum { THREADS = 8 };

static int start(void **state)
{
    (void)state;
    return ob_crypto_start(NULL);
}

/* ---- Entries --------------------------------------------------------------------------------- */

static void entries_are_what_was_said_and_survive_reopening(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    for (int i = 0; i < 3; i++)
        assert_int_equal(add(audit, "cause.begun", i), i);
    assert_int_equal(ob_audit_size(audit), 3);
    assert_true(ob_audit_fine(audit));
    assert_fine(p.audit, 3, 0); /* while it is open, and nothing is sealed */
    MUST(ob_audit_close(audit, &err_));
    assert_fine(p.audit, 3, 3);
    audit = open_log(p.dir);
    uint64_t number;
    MUST(ob_audit_append(&number, audit, "list.changed", NULL, &err_));
    assert_int_equal(number, 3);
    MUST(ob_audit_close(audit, &err_));
    found f = find_all(p.audit);
    assert_int_equal(f.count, 4);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(value_of(&f, i), i);
        assert_string_equal(what_of(&f, i), "cause.begun");
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(f.entries, 0), "text")),
                        "Grüße, \"quoted\"\n");
    json_decref(f.entries);
    MUST(ob_audit_close(NULL, &err_));
    remove_all(p.dir);
}

static void what_is_no_entry_is_refused(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    static const char *const words[] = {
        "",    "Cause",    "a b",
        "a\"", "\xC3\xA9", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_int_equal(ob_audit_append(NULL, audit, words[i], NULL, NULL), OB_EINVAL);
    static const char *const members[] = {"n", "at", "what", "mac"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        ob_entry *entry = ob_entry_new();
        ob_entry_number(entry, members[i], 1);
        assert_int_equal(ob_audit_append(NULL, audit, "word", entry, NULL), OB_EINVAL);
        ob_entry_free(entry);
    }
    char *long_text = malloc(OB_AUDIT_ENTRY_MAX + 1);
    memset(long_text, 'x', OB_AUDIT_ENTRY_MAX);
    long_text[OB_AUDIT_ENTRY_MAX] = '\0';
    ob_entry *entry = ob_entry_new();
    ob_entry_text(entry, "text", long_text);
    assert_int_equal(ob_audit_append(NULL, audit, "word", entry, NULL), OB_ELIMIT);
    long_text[OB_AUDIT_ENTRY_MAX - 200] = '\0'; /* the largest that fits */
    ob_entry_text(entry, "text", long_text);
    MUST(ob_audit_append(NULL, audit, "word", entry, &err_));
    ob_entry_free(entry);
    free(long_text);
    assert_int_equal(ob_audit_size(audit), 1);
    MUST(ob_audit_close(audit, &err_));
    assert_fine(p.audit, 1, 1);
    remove_all(p.dir);
}

static void lines_of_checkpoints_are_carried_and_none_may_pass_for_the_logs_own(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "at 1", "before 1", "bytes 7", "frontier", "two\nlines", "\xE2\x80\x94 somebody"};
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    MUST(ob_audit_close(audit, &err_));
    bytes notes = load(p.audit, "checkpoints");
    assert_non_null(strstr(notes.text, "\nregimes 0011\nbuild abc\n\n"));
    free(notes.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const lines[] = {bad[i], NULL};
        ob_audit_options options = {.dir = p.dir, .lines = lines};
        assert_int_equal(ob_audit_open(&audit, &options, NULL), OB_EINVAL);
    }
    remove_all(p.dir);
}

static void files_are_for_their_owner_only_and_links_are_not_followed(void **state)
{
    (void)state;
    static const char *const names[] = {"log", "checkpoints", "key"};
    place p = new_place();
    struct stat info;
    char path[200];
    ob_audit *audit = open_log(p.dir);
    MUST(ob_audit_close(audit, &err_));
    assert_int_equal(stat(p.audit, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    for (size_t i = 0; i < 3; i++) {
        char moved[220];
        ob_audit_options options = {.dir = p.dir};
        snprintf(path, sizeof path, "%s/%s", p.audit, names[i]);
        snprintf(moved, sizeof moved, "%s/%s", p.dir, names[i]);
        assert_int_equal(lstat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        assert_int_equal(rename(path, moved), 0);
        assert_int_equal(symlink(moved, path), 0);
        assert_int_equal(ob_audit_open(&audit, &options, NULL), OB_EREFUSED);
        assert_int_equal(rename(moved, path), 0);
    }
    assert_fine(p.audit, 0, 0);
    assert_int_equal(verify_dir(p.audit).strangers, 0);
    remove_all(p.dir);
}

static void only_one_writes(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir), *second = NULL;
    ob_audit_options options = {.dir = p.dir};
    assert_int_equal(ob_audit_open(&second, &options, NULL), OB_EBUSY);
    MUST(ob_audit_close(audit, &err_));
    remove_all(p.dir);
}

/* ---- Checkpoints ----------------------------------------------------------------------------- */

static void checkpoints_come_by_themselves_and_only_when_something_happened(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = p.dir, .checkpoint_ms = 20};
    MUST(ob_audit_open(&audit, &options, &err_));
    for (int i = 1; i <= 3; i++) {
        add(audit, "word", i);
        for (unsigned tries = 0; verify_dir(p.audit).covered != (uint64_t)i;)
            assert_true(test_wait(&tries));
    }
    for (unsigned pauses = 0; pauses < 20;)
        test_wait(&pauses);
    assert_int_equal(verify_dir(p.audit).checkpoints, 4);
    MUST(ob_audit_close(audit, &err_));
    assert_int_equal(verify_dir(p.audit).checkpoints, 4);
    remove_all(p.dir);
}

static void the_extent_is_a_log_of_its_own(void **state)
{
    (void)state;
    place p = new_place();
    char copy[100];
    ob_audit *audit = open_log(p.dir);
    ob_audit_extent extent = {0};
    snprintf(copy, sizeof copy, "%s/copy", p.dir);
    assert_int_equal(mkdir(copy, 0700), 0);
    for (int i = 0; i < 5; i++)
        add(audit, "word", i);
    MUST(ob_audit_extent_now(&extent, audit, &err_));
    assert_int_equal(extent.entries, 5);
    for (int i = 0; i < 5; i++)
        add(audit, "word", i);
    MUST(ob_audit_sign(audit, &err_));
    bytes log = load(p.audit, "log"), notes = load(p.audit, "checkpoints"),
          key = load(p.audit, "key");
    save(copy, "log", log.text, (size_t)extent.log_bytes);
    save(copy, "checkpoints", notes.text, (size_t)extent.checkpoint_bytes);
    save(copy, "key", key.text, key.size);
    assert_fine(copy, 5, 5);
    MUST(ob_audit_close(audit, &err_));
    free(log.text);
    free(notes.text);
    free(key.text);
    remove_all(p.dir);
}

static int64_t jumping(void *context)
{
    static const int64_t times[] = {1764000000, 900000000, -5, 4102444800, 0, INT64_MAX};
    unsigned *calls = context;
    return times[(*calls)++ % 6];
}

static void a_clock_that_jumps_does_no_harm(void **state)
{
    (void)state;
    place p = new_place();
    unsigned calls = 0;
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = p.dir, .now = jumping, .context = &calls};
    MUST(ob_audit_open(&audit, &options, &err_));
    for (int i = 0; i < 12; i++) {
        add(audit, "word", i);
        MUST(ob_audit_sign(audit, &err_));
    }
    MUST(ob_audit_close(audit, &err_));
    assert_fine(p.audit, 12, 12);
    audit = open_log(p.dir);
    assert_int_equal(ob_audit_size(audit), 12);
    MUST(ob_audit_close(audit, &err_));
    remove_all(p.dir);
}

/* ---- Threads --------------------------------------------------------------------------------- */

enum { EACH = 400 };

typedef struct writer {
    ob_audit *audit;
    int id;
    uint64_t numbers[EACH];
} writer;

static void *write_many(void *context)
{
    writer *w = context;
    for (int i = 0; i < EACH; i++)
        w->numbers[i] = add(w->audit, "word", w->id * EACH + i);
    return NULL;
}

static void numbers_of_many_threads_are_unique_and_all_entries_are_there(void **state)
{
    (void)state;
    static writer writers[THREADS];
    static bool seen[THREADS * EACH];
    pthread_t threads[THREADS];
    place p = new_place();
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = p.dir, .checkpoint_ms = 5};
    MUST(ob_audit_open(&audit, &options, &err_));
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (writer){.audit = audit, .id = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 20; i++) { /* others read and seal meanwhile */
        assert_true(verify_dir(p.audit).fine);
        MUST(ob_audit_sign(audit, &err_));
        assert_true(ob_audit_fine(audit));
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MUST(ob_audit_close(audit, &err_));
    assert_fine(p.audit, THREADS * EACH, THREADS * EACH);
    found f = find_all(p.audit);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < EACH; k++) {
            uint64_t n = writers[i].numbers[k];
            assert_true(n < THREADS * EACH && !seen[n]);
            seen[n] = true;
            assert_int_equal(value_of(&f, n), i * EACH + k);
        }
    json_decref(f.entries);
    remove_all(p.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_what_was_said_and_survive_reopening),
        cmocka_unit_test(what_is_no_entry_is_refused),
        cmocka_unit_test(lines_of_checkpoints_are_carried_and_none_may_pass_for_the_logs_own),
        cmocka_unit_test(files_are_for_their_owner_only_and_links_are_not_followed),
        cmocka_unit_test(only_one_writes),
        cmocka_unit_test(checkpoints_come_by_themselves_and_only_when_something_happened),
        cmocka_unit_test(the_extent_is_a_log_of_its_own),
        cmocka_unit_test(a_clock_that_jumps_does_no_harm),
        cmocka_unit_test(numbers_of_many_threads_are_unique_and_all_entries_are_there),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
