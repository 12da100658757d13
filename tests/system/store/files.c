/* Records in a file, on a disk that fails or is slow: by path and verb. */
#include "store_test.h"

#include "fault/files.h"

#include <obhut/records/incoming.h>
#include <obhut/records/retention.h>

#include <errno.h>
#include <pthread.h>

static ob_status add(ob_store *store, unsigned n, ob_error *err)
{
    char name[20];
    snprintf(name, sizeof name, "token%u", n);
    ob_token t = token_of(name, n);
    return WRITES(store, err, ob_store_token_add(w, &t, err));
}

static ob_status count(size_t *out, ob_store *store, ob_error *err)
{
    ob_token *all = NULL;
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = ob_store_tokens(&all, out, view, err);
    ob_view_close(view);
    free(all);
    return status;
}

static void expect_count(ob_store *store, size_t expected)
{
    ob_error err = {0};
    size_t found = 0;
    must(count(&found, store, &err), &err);
    assert_int_equal(found, expected);
}

static int begin_watched(void **state)
{
    files_begin();
    return begin(state);
}

static int end_watched(void **state)
{
    files_end();
    return end(state);
}

static int rule_of(const char *path, ob_file_verb verb, int error)
{
    files_rule rule = {.verbs = 1u << verb, .error = error};
    snprintf(rule.path, sizeof rule.path, "%s", path);
    return files_add(&rule);
}

/* ---- What is asked for ----------------------------------------------------------------------- */

static void all_that_happens_to_the_records_is_asked_for(void **state)
{
    static const struct {
        const char *path;
        ob_file_verb verb;
    } expected[] = {{"/obhut.db", OB_FILE_OPEN},      {"/obhut.db", OB_FILE_READ},
                    {"/obhut.db", OB_FILE_WRITE},     {"/obhut.db", OB_FILE_SYNC},
                    {"/obhut.db-wal", OB_FILE_OPEN},  {"/obhut.db-wal", OB_FILE_WRITE},
                    {"/obhut.db-wal", OB_FILE_SYNC},  {"/obhut.db-wal", OB_FILE_READ},
                    {"/obhut.db-wal", OB_FILE_UNLINK}};
    enum { COUNT = sizeof expected / sizeof *expected };
    place *p = *state;
    ob_error err = {0};
    int rules[COUNT], locks = rule_of("-shm", OB_FILE_WRITE, 0);
    for (int i = 0; i < COUNT; i++)
        rules[i] = rule_of(expected[i].path, expected[i].verb, 0);
    open_again(p);
    must(add(p->store, 1, &err), &err);
    close_store(p);
    open_store(p);
    must(add(p->store, 2, &err), &err);
    must(p->store->driver->script(p->store->writing.view.db,
                                  "PRAGMA wal_checkpoint(TRUNCATE); VACUUM", &err),
         &err);
    close_store(p);
    for (int i = 0; i < COUNT; i++)
        if (!files_calls(rules[i]))
            fail_msg("nobody asked: %s %s", files_verb_name(expected[i].verb), expected[i].path);
    assert_int_equal(files_calls(locks), 0);
}

/* ---- Failing --------------------------------------------------------------------------------- */

static void a_change_that_could_not_be_made_durable_is_unknown(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t found = 0;
    int rule = rule_of("obhut.db-wal", OB_FILE_SYNC, EIO);
    refused(add(p->store, 1, &err), OB_EIO, &err);
    assert_non_null(strstr(err.text, "unknown"));
    files_remove(rule);
    must(add(p->store, 2, &err), &err);
    open_again(p);
    must(count(&found, p->store, &err), &err);
    assert_true(found == 1 || found == 2);
}

static void a_full_disk_refuses_and_goes_on_when_there_is_room(void **state)
{
    place *p = *state;
    ob_error err = {0};
    must(add(p->store, 1, &err), &err);
    int rule = rule_of("obhut.db-wal", OB_FILE_WRITE, ENOSPC);
    refused(add(p->store, 2, &err), OB_EIO, &err);
    assert_non_null(strstr(err.text, "full"));
    expect_count(p->store, 1); /* it still reads */
    files_remove(rule);
    must(add(p->store, 3, &err), &err);
    open_again(p);
    expect_count(p->store, 2);
}

static void what_cannot_be_read_is_an_error_and_not_empty(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t found = 0;
    must(add(p->store, 1, &err), &err);
    open_again(p);
    view_pool_empty(p->store); /* nothing is remembered */
    int rule = rule_of("obhut.db", OB_FILE_READ, EIO);
    refused(count(&found, p->store, &err), OB_EIO, &err);
    files_remove(rule);
    expect_count(p->store, 1);
}

static void what_cannot_be_opened_is_refused_with_its_name(void **state)
{
    place *p = *state;
    ob_error err = {0};
    close_store(p);
    int rule = rule_of("obhut.db", OB_FILE_OPEN, EACCES);
    refused(ob_store_open(&p->store, p->dir, NULL, &err), OB_EIO, &err);
    assert_non_null(strstr(err.text, "obhut.db"));
    assert_null(p->store);
    files_remove(rule);
    open_store(p);
}

static void a_journal_that_cannot_be_removed_is_read_at_the_next_start(void **state)
{
    place *p = *state;
    ob_error err = {0};
    must(add(p->store, 1, &err), &err);
    int rule = rule_of("obhut.db", OB_FILE_SYNC, EIO), left = rule_of("-wal", OB_FILE_UNLINK, EIO);
    close_store(p);
    files_remove(rule);
    files_remove(left);
    open_store(p);
    expect_count(p->store, 1);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

typedef struct writer {
    pthread_t thread;
    ob_store *store;
    ob_status status;
} writer;

static void *write_one(void *context)
{
    writer *w = context;
    w->status = add(w->store, 1, NULL);
    return NULL;
}

static void another_connection_reads_while_the_disk_is_slow(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *reader = NULL;
    must(ob_store_open(&reader, p->dir, NULL, &err), &err);
    files_rule rule = {.path = "obhut.db-wal", .verbs = 1 << OB_FILE_SYNC, .holds = true};
    int held = files_add(&rule);
    writer w = {.store = p->store};
    assert_int_equal(pthread_create(&w.thread, NULL, write_one, &w), 0);
    files_await(held, 1);
    expect_count(reader, 0);
    files_release(held);
    assert_int_equal(pthread_join(w.thread, NULL), 0);
    assert_int_equal(w.status, OB_OK);
    expect_count(reader, 1);
    ob_store_close(reader);
}

/* ---- Written anew ---------------------------------------------------------------------------- */

enum { MANY = 2000 };

/* So many that they do not stay in memory; and something was deleted. */
static void fill_and_delete(place *p)
{
    ob_error err = {0};
    ob_writing *w;
    int64_t id = 0;
    const ob_incoming in = {.kind = OB_INCOMING_REPORT, .reason = "r", .at = 1};
    must(p->store->driver->script(p->store->writing.view.db, "PRAGMA cache_size = 10", &err), &err);
    must(ob_writing_begin(&w, p->store, &err), &err);
    for (unsigned i = 0; i < MANY; i++) {
        char name[20];
        snprintf(name, sizeof name, "token%u", i);
        const ob_token t = token_of(name, i);
        must(ob_store_token_add(w, &t, &err), &err);
    }
    must(ob_store_incoming_add(&id, w, &in, NULL, 0, &err), &err);
    must(ob_store_incoming_remove(w, OB_INCOMING_REPORT, id, 1, &err), &err);
    must(ob_writing_end(w, OB_OK, &err), &err);
}

typedef struct scrub {
    pthread_t thread;
    ob_store *store;
    ob_status status;
    ob_error err;
} scrub;

static void *scrub_all(void *context)
{
    scrub *s = context;
    s->status = ob_store_scrub(s->store, &s->err);
    return NULL;
}

/* What the process has open and has no name any more. */
static unsigned nameless_in(const char *dir)
{
    char path[300], target[300];
    unsigned found = 0;
    for (int fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size < 0)
            continue;
        target[size] = '\0';
        found += strstr(target, "(deleted)") && strstr(target, "-rewritten");
        if (strstr(target, "-rewritten"))
            assert_memory_equal(target, dir, strlen(dir));
    }
    return found;
}

static void the_copy_that_is_written_anew_lies_beside_the_records_without_a_name(void **state)
{
    place *p = *state;
    char path[300];
    fill_and_delete(p);
    snprintf(path, sizeof path, "%s/obhut.db-rewritten", p->dir);
    fclose(fopen(path, "w")); /* as of a process that was killed */
    files_rule rule = {
        .path = "obhut.db-rewritten", .verbs = 1 << OB_FILE_WRITE, .nth = 1, .holds = true};
    int held = files_add(&rule);
    scrub s = {.store = p->store};
    assert_int_equal(pthread_create(&s.thread, NULL, scrub_all, &s), 0);
    files_await(held, 1);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(nameless_in(p->dir), 1);
    files_release(held);
    assert_int_equal(pthread_join(s.thread, NULL), 0);
    must(s.status, &s.err);
    assert_int_equal(nameless_in(p->dir), 0);
    expect_count(p->store, MANY);
}

static void a_file_that_cannot_be_written_anew_stays_as_it_is_and_is_tried_again(void **state)
{
    static const struct {
        ob_file_verb verb;
        int error;
        const char *says;
    } faults[] = {{OB_FILE_OPEN, EMFILE, "unable to open"},
                  {OB_FILE_WRITE, ENOSPC, "full"},
                  {OB_FILE_WRITE, EIO, "disk I/O error"},
                  {OB_FILE_READ, EIO, "disk I/O error"}};
    place *p = *state;
    ob_error err = {0};
    fill_and_delete(p);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        int rule = rule_of("obhut.db-rewritten", faults[i].verb, faults[i].error);
        refused(ob_store_scrub(p->store, &err), OB_EIO, &err);
        assert_non_null(strstr(err.text, faults[i].says));
        assert_true(files_calls(rule) > 0);
        files_remove(rule);
        assert_int_equal(nameless_in(p->dir), 0);
        expect_count(p->store, MANY);
    }
    int copies = rule_of("obhut.db-rewritten", OB_FILE_WRITE, 0);
    must(ob_store_scrub(p->store, &err), &err); /* the wish is still there */
    assert_true(files_calls(copies) > 0);
    must(ob_store_scrub(p->store, &err), &err);
    files_remove(copies);
    open_again(p);
    expect_count(p->store, MANY);
}

/* Not OB_EBUSY, which says that too many want something of Obhut's. */
static void what_another_program_has_locked_cannot_be_written(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *other = NULL;
    must(ob_store_open(&other, p->dir, NULL, &err), &err);
    must(other->driver->begin(other->writing.view.db, &err), &err);
    refused(add(p->store, 1, &err), OB_EIO, &err);
    other->driver->rollback(other->writing.view.db);
    must(add(p->store, 2, &err), &err);
    expect_count(p->store, 1);
    ob_store_close(other);
}

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, begin_watched, end_watched)

int main(void)
{
    unsetenv("OBHUT_TEST_URL");
    const struct CMUnitTest tests[] = {
        WATCHED(all_that_happens_to_the_records_is_asked_for),
        WATCHED(a_change_that_could_not_be_made_durable_is_unknown),
        WATCHED(a_full_disk_refuses_and_goes_on_when_there_is_room),
        WATCHED(what_cannot_be_read_is_an_error_and_not_empty),
        WATCHED(what_cannot_be_opened_is_refused_with_its_name),
        WATCHED(a_journal_that_cannot_be_removed_is_read_at_the_next_start),
        WATCHED(another_connection_reads_while_the_disk_is_slow),
        WATCHED(what_another_program_has_locked_cannot_be_written),
        WATCHED(the_copy_that_is_written_anew_lies_beside_the_records_without_a_name),
        WATCHED(a_file_that_cannot_be_written_anew_stays_as_it_is_and_is_tried_again),
    };
    return cmocka_run_group_tests_name("store_files", tests, NULL, NULL);
}
