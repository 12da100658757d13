/* The log on a disk that is slow, full or broken. */
#include "audit_log.h"

#include "fault/files.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static place *here(void **state)
{
    return *state;
}

static int begin(void **state)
{
    static place p;
    p = new_place();
    *state = &p;
    files_begin();
    return 0;
}

static int end(void **state)
{
    files_end();
    remove_all(here(state)->dir);
    return 0;
}

static int rule_of(const char *path, ob_file_verb verb, unsigned long nth, int error)
{
    files_rule rule = {.verbs = 1u << verb, .nth = nth, .error = error};
    snprintf(rule.path, sizeof rule.path, "%s", path);
    return files_add(&rule);
}

/* How often this number was given to an entry by try_add. */
static unsigned times(const place *p, int value)
{
    found f = find_all(p->audit);
    unsigned count = 0;
    for (uint64_t n = 0; n < f.count; n++)
        count += !strcmp(what_of(&f, n), "try") && value_of(&f, n) == value;
    json_decref(f.entries);
    return count;
}

static void expect_verified(const place *p)
{
    ob_audit_report report = verify_dir(p->audit);
    if (!report.fine)
        fail_msg("%s", report.problem);
}

/* ---- Failing --------------------------------------------------------------------------------- */

static void an_entry_that_could_not_be_made_durable_is_not_in_the_log(void **state)
{
    static const struct {
        ob_file_verb verb;
        unsigned long nth; /* 0: also when the log is cut back */
        int error;
    } faults[] = {{OB_FILE_WRITE, 1, ENOSPC},
                  {OB_FILE_WRITE, 0, ENOSPC},
                  {OB_FILE_SYNC, 1, EIO},
                  {OB_FILE_SYNC, 0, EIO}};
    const place *p = here(state);
    for (int i = 0; i < 4; i++) {
        ob_audit *audit = open_log(p->dir); /* whose keeper has nothing to try again yet */
        int rule = rule_of("audit/log", faults[i].verb, faults[i].nth, faults[i].error);
        assert_int_equal(try_add(NULL, audit, 10 + i), OB_EIO);
        files_remove(rule);
        assert_int_equal(try_add(NULL, audit, 20 + i), OB_OK);
        assert_int_equal(times(p, 10 + i), 0);
        assert_int_equal(times(p, 20 + i), 1);
        MUST(ob_audit_close(audit, &err_));
        expect_verified(p);
    }
}

static void a_checkpoint_that_could_not_be_written_is_written_later(void **state)
{
    const place *p = here(state);
    ob_audit *audit = open_log(p->dir);
    add(audit, "one", 1);
    int rule = rule_of("audit/checkpoints", OB_FILE_SYNC, 0, EIO);
    assert_int_equal(ob_audit_sign(audit, NULL), OB_EIO);
    add(audit, "two", 2); /* the log goes on without */
    files_remove(rule);
    MUST(ob_audit_sign(audit, &err_));
    expect_verified(p);
    MUST(ob_audit_close(audit, &err_));
}

/* Without this, entries that nobody can see the end of would be behind a first checkpoint. */
static void a_log_that_cannot_be_looked_at_is_not_begun_anew(void **state)
{
    const place *p = here(state);
    ob_audit *audit = open_log(p->dir);
    ob_error err = {0};
    char path[100];
    add(audit, "one", 1);
    MUST(ob_audit_close(audit, &err_));
    snprintf(path, sizeof path, "%s/checkpoints", p->audit);
    assert_int_equal(truncate(path, 0), 0);
    const ob_audit_options options = {.dir = p->dir};
    int rule = rule_of("audit/log", OB_FILE_STAT, 1, EIO);
    assert_int_equal(ob_audit_open(&audit, &options, &err), OB_EIO);
    assert_int_equal(files_calls(rule), 1);
    bytes left = load(p->audit, "checkpoints");
    assert_int_equal(left.size, 0);
    free(left.text);
    files_remove(rule);
    assert_int_equal(ob_audit_open(&audit, &options, &err), OB_EFORMAT);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

typedef struct writer {
    pthread_t thread;
    ob_audit *audit;
    ob_status status;
    atomic_bool done;
} writer;

static void *write_one(void *context)
{
    writer *w = context;
    w->status = try_add(NULL, w->audit, 1);
    atomic_store(&w->done, true);
    return NULL;
}

static void nothing_is_acknowledged_before_the_disk_has_it(void **state)
{
    const place *p = here(state);
    for (int fails = 0; fails < 2; fails++) {
        ob_audit *audit = open_log(p->dir);
        files_rule rule = {.path = "audit/log",
                           .verbs = 1 << OB_FILE_SYNC,
                           .nth = 1,
                           .holds = true,
                           .error = fails ? EIO : 0};
        int held = files_add(&rule);
        writer w = {.audit = audit};
        assert_int_equal(pthread_create(&w.thread, NULL, write_one, &w), 0);
        files_await(held, 1);
        assert_false(atomic_load(&w.done));
        MUST(ob_audit_sign(audit, &err_)); /* what was durable before can be sealed meanwhile */
        files_release(held);
        assert_int_equal(pthread_join(w.thread, NULL), 0);
        assert_int_equal(w.status, fails ? OB_EIO : OB_OK);
        files_remove(held);
        MUST(ob_audit_close(audit, &err_));
        assert_int_equal(times(p, 1), 1);
        expect_verified(p);
    }
}

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    MUST(ob_crypto_start(&err_));
    const struct CMUnitTest tests[] = {
        WATCHED(an_entry_that_could_not_be_made_durable_is_not_in_the_log),
        WATCHED(a_checkpoint_that_could_not_be_written_is_written_later),
        WATCHED(a_log_that_cannot_be_looked_at_is_not_begun_anew),
        WATCHED(nothing_is_acknowledged_before_the_disk_has_it),
    };
    return cmocka_run_group_tests_name("audit_faults", tests, NULL, NULL);
}
