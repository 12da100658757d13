/* An update of a list is one change: all of it counts or nothing, for the disk and for searches. */
#include "lists_test.h"

#include "set_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OLD = 500, NEW = 3000, GONE = 100 };

static char dir[64];
static ob_hash256 old[OLD], new[NEW]; /* of every list at first; what updates add */

static int make_dir(void **state)
{
    (void)state;
    test_random r = {81};
    for (int i = 0; i < OLD; i++)
        old[i] = test_hash(&r);
    for (int i = 0; i < NEW; i++)
        new[i] = test_hash(&r);
    snprintf(dir, sizeof dir, "/tmp/obhut-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void put_line(FILE *to, const ob_hash256 *hash, const char *id, bool withdrawn)
{
    char hex[OB_HASH256_HEX + 1];
    ob_hash256_print(hex, hash);
    fprintf(to, "{\"pdq\": \"%s\"", hex);
    if (id)
        fprintf(to, ", \"id\": \"%s\"", id);
    fprintf(to, "%s}\n", withdrawn ? ", \"state\": \"withdrawn\"" : "");
}

static FILE *open_file(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

/* A list of the old hashes. */
static void make_list(const char *name)
{
    char path[128];
    FILE *file = open_file(path, "old.jsonl");
    for (int i = 0; i < OLD; i++)
        put_line(file, &old[i], NULL, false);
    fclose(file);
    lists_import(dir, &(ob_import){.file = path, .name = name});
}

/* What adds the new hashes and withdraws the first old ones; or the other way round. */
static void make_delta(char path[128], bool back)
{
    FILE *file = open_file(path, back ? "back.jsonl" : "delta.jsonl");
    for (int i = 0; i < NEW; i++) {
        put_line(file, &new[i], NULL, back);
        if (i < GONE)
            put_line(file, &old[i], NULL, !back);
    }
    fclose(file);
}

static ob_import_result update(ob_lists *lists, const char *name, const char *path)
{
    ob_import_result result;
    ob_error err = {0};
    if (ob_lists_update(&result, lists, &(ob_import){.file = path, .name = name}, &err))
        fail_msg("%s", err.text);
    return result;
}

static size_t count_matches(ob_lists *lists, const ob_hash256 *hashes, uint32_t count)
{
    ob_list_matches found;
    ob_error err = {0};
    if (ob_lists_match(&found, lists, hashes, count, 0, OB_LISTS_NO_LIMIT, &err))
        fail_msg("%s", err.text);
    size_t matches = found.count;
    ob_list_matches_free(&found);
    return matches;
}

typedef enum moment { BEFORE, AFTER, BETWEEN } moment;

/* What the lists say of everything that an update changes, and of the rest. */
static moment moment_of(ob_lists *lists)
{
    size_t gone = count_matches(lists, old, GONE), added = count_matches(lists, new, NEW);
    if (count_matches(lists, old + GONE, OLD - GONE) != OLD - GONE)
        return BETWEEN;
    return gone == GONE && !added ? BEFORE : !gone && added == NEW ? AFTER : BETWEEN;
}

static void write_bytes(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* ---- What an update does --------------------------------------------------------------------- */

static void an_update_tells_what_it_did_in_the_order_of_its_file(void **state)
{
    (void)state;
    char path[128];
    make_list("told");
    FILE *file = open_file(path, "told.jsonl");
    put_line(file, &new[0], "a", false);
    put_line(file, &new[0], "a", false); /* again */
    put_line(file, &old[0], "1", false); /* is there */
    put_line(file, &new[1], "b", false);
    put_line(file, &new[1], NULL, true); /* and away again */
    put_line(file, &new[2], NULL, true); /* never was there */
    put_line(file, &old[1], "7", true);  /* goes by another id */
    put_line(file, &old[2], NULL, true);
    put_line(file, &old[2], NULL, true);
    put_line(file, &old[2], "c", false); /* back */
    fclose(file);
    ob_lists *lists = lists_own(dir);
    ob_import_result r = update(lists, "told", path);
    assert_int_equal(r.lines, 10);
    assert_int_equal(r.entries, 3);
    assert_int_equal(r.duplicates, 2);
    assert_int_equal(r.withdrawn, 2);
    assert_int_equal(ob_lists_entries(lists), OLD + 1);
    r = update(lists, "told", path); /* adds "b" and "c" no more than for a moment */
    assert_int_equal(ob_lists_entries(lists), OLD + 1);
    ob_lists_close(lists);
    lists = lists_own(dir);
    assert_int_equal(ob_lists_entries(lists), OLD + 1);
    assert_int_equal(count_matches(lists, old, 3) + count_matches(lists, new, 3), 3 + 1);
    ob_lists_close(lists);
    assert_int_equal(lists_remove(dir, "told"), OB_OK);
}

static void an_update_with_a_bad_line_changes_nothing(void **state)
{
    (void)state;
    char path[128];
    make_list("bad");
    make_delta(path, false);
    FILE *file = fopen(path, "a");
    fprintf(file, "{\"pdq\": \"zz\"}\n");
    fclose(file);
    ob_lists *lists = lists_own(dir);
    ob_import import = {.file = path, .name = "bad"};
    ob_import_result r;
    ob_error err = {0};
    assert_int_equal(ob_lists_update(&r, lists, &import, &err), OB_EFORMAT);
    assert_int_equal(r.entries + r.withdrawn + r.duplicates, 0);
    assert_int_equal(r.bad, 1);
    assert_int_equal(moment_of(lists), BEFORE);
    import.keep_going = true;
    assert_int_equal(ob_lists_update(&r, lists, &import, &err), OB_OK);
    assert_int_equal(moment_of(lists), AFTER);
    ob_lists_close(lists);
    assert_int_equal(lists_remove(dir, "bad"), OB_OK);
}

/* ---- What crashes leave ---------------------------------------------------------------------- */

typedef struct journal_bytes {
    char path[128];
    uint8_t *bytes;
    size_t before, after; /* sizes without and with the update */
    uint8_t *state;       /* lists.state, before the update */
    size_t state_size;
} journal_bytes;

static void write_state(const journal_bytes *j)
{
    char path[128];
    snprintf(path, sizeof path, "%s/lists.state", dir);
    write_bytes(path, j->state, j->state_size);
}

/* A list whose journal has an entry and behind it an update. */
static journal_bytes make_journal(const char *name)
{
    journal_bytes j;
    struct stat info;
    char path[128];
    make_list(name);
    make_delta(path, false);
    snprintf(j.path, sizeof j.path, "%s/lists/%s.1.log", dir, name);
    ob_lists *lists = lists_own(dir);
    const ob_list_entry known = {.hash = &old[OLD - 1], .id = "again"};
    const ob_list_entry gone = {.id = "again"};
    assert_int_equal(ob_lists_add(NULL, lists, name, &known, 1, NULL), OB_OK);
    assert_int_equal(ob_lists_withdraw(NULL, lists, name, &gone, 1, NULL), OB_OK);
    assert_int_equal(stat(j.path, &info), 0);
    snprintf(path, sizeof path, "%s/lists.state", dir);
    j.state = test_file(path, &j.state_size);
    snprintf(path, sizeof path, "%s/delta.jsonl", dir);
    update(lists, name, path);
    ob_lists_close(lists);
    j.before = (size_t)info.st_size;
    j.bytes = test_file(j.path, &j.after);
    return j;
}

/* An owner goes on without a list that cannot be read, and says so. */
static ob_status open_lists(ob_lists **out, bool owner, ob_error *err)
{
    char *why = NULL;
    if (!owner)
        return ob_lists_open(out, dir, err);
    ob_status status = ob_lists_own(out, dir, err);
    if (!status && ob_lists_trouble(&why, *out)) {
        ob_lists_close(*out);
        status = ob_fail(err, OB_EFORMAT, "%s", why);
    }
    free(why);
    return status;
}

static void an_update_cut_short_at_any_byte_never_was(void **state)
{
    (void)state;
    test_random r = test_sampled(82);
    journal_bytes j = make_journal("cut");
    const uint64_t samples = 20 + test_samples("OBHUT_MUTATIONS", 2000) / 10;
    size_t lines = 0;
    for (size_t at = j.before; at < j.after; at++)
        lines += j.bytes[at] == '\n';
    assert_true(lines > 4); /* it is a group of several lines */
    for (uint64_t i = 0; i < samples; i++) {
        size_t now =
            j.before + (i < 4 ? (size_t[]){0, 1, j.after - j.before - 1, j.after - j.before}[i]
                              : test_below(&r, j.after - j.before));
        while (i % 3 == 2 && now < j.after && now > j.before && j.bytes[now - 1] != '\n')
            now++; /* between lines */
        ob_lists *lists = NULL;
        write_bytes(j.path, j.bytes, now);
        write_state(&j);
        assert_int_equal(open_lists(&lists, i % 2, NULL), OB_OK);
        assert_int_equal(moment_of(lists), now == j.after ? AFTER : BEFORE);
        if (i % 2) { /* and changes go on behind it */
            const ob_list_entry one = {.hash = &old[0], .id = "one"};
            assert_int_equal(ob_lists_add(NULL, lists, "cut", &one, 1, NULL), OB_OK);
            ob_lists_close(lists);
            assert_int_equal(ob_lists_open(&lists, dir, NULL), OB_OK);
            assert_int_equal(count_matches(lists, old, 1), now == j.after ? 1 : 2);
        }
        ob_lists_close(lists);
    }
    free(j.bytes);
    free(j.state);
    assert_int_equal(lists_remove(dir, "cut"), OB_OK);
}

/* A crash may leave a file at its full length without some of its pages. */
static void an_update_some_of_whose_pages_were_lost_never_was(void **state)
{
    (void)state;
    enum { PAGE = 4096 };
    test_random r = test_sampled(83);
    journal_bytes j = make_journal("pages");
    const uint64_t samples = 10 + test_samples("OBHUT_MUTATIONS", 2000) / 20;
    uint8_t *bytes = malloc(j.after);
    for (uint64_t i = 0; i < samples; i++) {
        ob_lists *lists = NULL;
        memcpy(bytes, j.bytes, j.after);
        for (uint64_t lost = 1 + test_below(&r, 3); lost; lost--) {
            size_t from = i ? test_below(&r, j.after / PAGE + 1) * PAGE : 0, to = from + PAGE;
            from = from < j.before ? j.before : from; /* what was synced stays */
            for (size_t at = from; at < to && at < j.after; at++)
                bytes[at] = 0;
        }
        if (!memcmp(bytes, j.bytes, j.after))
            continue;
        write_bytes(j.path, bytes, j.after);
        write_state(&j);
        assert_int_equal(open_lists(&lists, i % 2, NULL), OB_OK);
        assert_int_equal(moment_of(lists), BEFORE);
        ob_lists_close(lists);
    }
    free(bytes);
    free(j.bytes);
    free(j.state);
    assert_int_equal(lists_remove(dir, "pages"), OB_OK);
}

static void damage_before_a_later_change_is_not_taken_for_a_crash(void **state)
{
    (void)state;
    test_random r = {84};
    journal_bytes j = make_journal("later");
    ob_lists *lists = lists_own(dir);
    const ob_list_entry one = {.hash = &old[0], .id = "one"};
    assert_int_equal(ob_lists_add(NULL, lists, "later", &one, 1, NULL), OB_OK);
    ob_lists_close(lists);
    size_t size;
    uint8_t *bytes = test_file(j.path, &size);
    for (int i = 0; i < 100; i++) {
        ob_error err = {0};
        size_t at = test_below(&r, j.after);
        bytes[at] ^= 1;
        write_bytes(j.path, bytes, size);
        assert_int_equal(open_lists(&lists, i % 2, &err), OB_EFORMAT);
        assert_non_null(strstr(err.text, "later.1.log, line "));
        bytes[at] ^= 1;
    }
    write_bytes(j.path, bytes, size);
    free(bytes);
    free(j.bytes);
    free(j.state);
    assert_int_equal(lists_remove(dir, "later"), OB_OK);
}

/* ---- The first version ----------------------------------------------------------------------- */

static void put_first_version_line(ob_buf *to, const char *text)
{
    uint8_t sum[OB_SHA256_SIZE];
    char hex[17];
    ob_sha256(sum, text, strlen(text), NULL);
    ob_hex(hex, sum, 8);
    ob_buf_printf(to, NULL, "%s %s\n", hex, text);
}

static void a_journal_of_the_first_version_counts_and_is_left_as_it_is(void **state)
{
    (void)state;
    char path[128], hex[3][OB_HASH256_HEX + 1], text[512];
    ob_buf journal = {0};
    make_list("first");
    for (int i = 0; i < 2; i++)
        ob_hash256_print(hex[i], &new[i]);
    ob_hash256_print(hex[2], &old[0]);
    snprintf(text, sizeof text, "[{\"pdq\":\"%s\",\"id\":\"a\"},{\"pdq\":\"%s\",\"id\":\"b\"}]",
             hex[0], hex[1]);
    put_first_version_line(&journal, text);
    snprintf(text, sizeof text, "[{\"pdq\":\"%s\",\"state\":\"withdrawn\"}]", hex[2]);
    put_first_version_line(&journal, text);
    snprintf(path, sizeof path, "%s/lists/first.1.log", dir);
    write_bytes(path, (const uint8_t *)journal.bytes, journal.size);
    ob_lists *lists = lists_own(dir);
    assert_int_equal(count_matches(lists, new, 2), 2);
    assert_int_equal(count_matches(lists, old, 1), 0);
    const ob_list_entry entry = {.hash = &new[2]};
    assert_int_equal(ob_lists_add(NULL, lists, "first", &entry, 1, NULL), OB_OK);
    ob_lists_close(lists);
    size_t size;
    uint8_t *bytes = test_file(path, &size);
    assert_int_equal(size, journal.size);
    assert_memory_equal(bytes, journal.bytes, size);
    lists = lists_own(dir);
    assert_int_equal(count_matches(lists, new, 3), 3);
    assert_int_equal(count_matches(lists, old, 1), 0);
    assert_int_equal(ob_lists_merge(lists, "first", NULL, NULL, NULL), OB_OK);
    assert_int_equal(count_matches(lists, new, 3), 3);
    ob_lists_close(lists);
    free(bytes);
    ob_buf_free(&journal);
    assert_int_equal(lists_remove(dir, "first"), OB_OK);
}

static void a_journal_of_a_later_version_is_refused(void **state)
{
    (void)state;
    char path[128];
    ob_buf journal = {0};
    make_list("future");
    put_first_version_line(&journal, "{\"version\":4}");
    snprintf(path, sizeof path, "%s/lists/future.1.log", dir);
    write_bytes(path, (const uint8_t *)journal.bytes, journal.size);
    ob_lists *lists = NULL;
    ob_error err = {0};
    assert_int_equal(ob_lists_open(&lists, dir, &err), OB_EFORMAT);
    assert_non_null(strstr(err.text, "version 4"));
    assert_int_equal(unlink(path), 0);
    ob_buf_free(&journal);
    assert_int_equal(lists_remove(dir, "future"), OB_OK);
}

/* ---- While others search and change ---------------------------------------------------------- */

typedef struct world {
    ob_lists *lists;
    atomic_bool ended;
    atomic_uint before, after, between;
} world;

/* One search for the first and last of all that changes. */
static void *look(void *argument)
{
    world *w = argument;
    const ob_hash256 asked[] = {new[0], new[NEW - 1], new[NEW / 2], old[0], old[GONE - 1]};
    while (!atomic_load(&w->ended)) {
        ob_list_matches found;
        unsigned seen = 0;
        if (ob_lists_match(&found, w->lists, asked, 5, 0, OB_LISTS_NO_LIMIT, NULL))
            break;
        for (size_t i = 0; i < found.count; i++)
            seen |= 1u << found.match[i].query;
        atomic_fetch_add(seen == 0x07 ? &w->after : seen == 0x18 ? &w->before : &w->between, 1);
        ob_list_matches_free(&found);
    }
    return NULL;
}

static void a_search_sees_an_update_as_a_whole_or_not_at_all(void **state)
{
    (void)state;
    enum { READERS = 4, ROUNDS_MOST = 2000 };
    char delta[128], back[128];
    make_list("seen");
    make_delta(delta, false);
    make_delta(back, true);
    world w = {.lists = lists_own(dir)};
    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, look, &w), 0);
    for (int i = 0; i < ROUNDS_MOST; i++) {
        update(w.lists, "seen", i % 2 ? back : delta);
        if (i % 5 == 4)
            assert_int_equal(ob_lists_merge(w.lists, "seen", NULL, NULL, NULL), OB_OK);
        if (i >= 10 && atomic_load(&w.before) > 50 && atomic_load(&w.after) > 50)
            break;
    }
    atomic_store(&w.ended, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(w.between, 0);
    assert_true(w.before > 0 && w.after > 0);
    ob_lists_close(w.lists);
    assert_int_equal(lists_remove(dir, "seen"), OB_OK);
}

typedef struct slow_update {
    ob_lists *lists;
    int from;
    ob_status status;
    ob_import_result result;
} slow_update;

static void *run_slow_update(void *argument)
{
    slow_update *u = argument;
    const ob_import import = {.file = "pipe", .from = &u->from, .name = "slow"};
    u->status = ob_lists_update(&u->result, u->lists, &import, NULL);
    return NULL;
}

static void an_update_that_takes_long_stops_neither_searches_nor_switching_off(void **state)
{
    (void)state;
    make_list("slow");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    slow_update u = {.lists = lists_own(dir), .from = ends[0]};
    FILE *to = fdopen(ends[1], "w");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_slow_update, &u), 0);
    for (int i = 0; i < 100; i++)
        put_line(to, &new[i], NULL, false);
    assert_int_equal(fflush(to), 0);
    const ob_list_entry known = {.hash = &old[0], .id = "1"}; /* is there already */
    ob_status status = OB_OK;
    while (!status) { /* until it has begun */
        status = ob_lists_add(NULL, u.lists, "slow", &known, 1, NULL);
        sched_yield();
    }
    assert_int_equal(status, OB_EBUSY);
    assert_int_equal(ob_lists_withdraw(NULL, u.lists, "slow", &known, 1, NULL), OB_EBUSY);
    assert_int_equal(count_matches(u.lists, new, 100), 0);
    assert_int_equal(ob_lists_set_enabled(u.lists, "slow", false, NULL), OB_OK);
    assert_int_equal(count_matches(u.lists, old, 100), 0);
    put_line(to, &new[100], NULL, false);
    assert_int_equal(fclose(to), 0);
    pthread_join(thread, NULL);
    assert_int_equal(u.status, OB_OK);
    assert_int_equal(u.result.entries, 101);
    assert_int_equal(count_matches(u.lists, new, 101), 0); /* it stays off */
    assert_int_equal(ob_lists_set_enabled(u.lists, "slow", true, NULL), OB_OK);
    assert_int_equal(count_matches(u.lists, new, 101), 101);
    close(ends[0]);
    ob_lists_close(u.lists);
    assert_int_equal(lists_remove(dir, "slow"), OB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_tells_what_it_did_in_the_order_of_its_file),
        cmocka_unit_test(an_update_with_a_bad_line_changes_nothing),
        cmocka_unit_test(an_update_cut_short_at_any_byte_never_was),
        cmocka_unit_test(an_update_some_of_whose_pages_were_lost_never_was),
        cmocka_unit_test(damage_before_a_later_change_is_not_taken_for_a_crash),
        cmocka_unit_test(a_journal_of_the_first_version_counts_and_is_left_as_it_is),
        cmocka_unit_test(a_journal_of_a_later_version_is_refused),
        cmocka_unit_test(a_search_sees_an_update_as_a_whole_or_not_at_all),
        cmocka_unit_test(an_update_that_takes_long_stops_neither_searches_nor_switching_off),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
