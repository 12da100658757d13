/* Records in a file, when the disk is full or may not be written. */
#include "store_test.h"

#include <obhut/records/verdict.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* As on a full disk, a file cannot grow: write says EFBIG. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_loses_nothing_that_was_acknowledged(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_status status = OB_OK;
    ob_verdict v = {.at = 1}, *all = NULL;
    int64_t id = 0, last = 0;
    size_t count = 0;
    memset(v.reason, 'x', OB_RECORD_TEXT);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(600000);
    for (int i = 0; i < 10000 && !status; i++) {
        status = WRITES(p->store, &err, ob_store_verdict_add(&id, w, &v, &err));
        if (!status)
            last = id;
    }
    refused(status, OB_EIO, &err);
    assert_true(last > 10);
    must(READS(p->store, &err, ob_store_verdicts(&all, &count, view, 10000, &err)),
         &err); /* it still reads */
    assert_int_equal(count, last);
    free(all);
    limit_files(RLIM_INFINITY);
    must(WRITES(p->store, &err, ob_store_verdict_add(&id, w, &v, &err)),
         &err); /* and goes on when there is room */
    assert_int_equal(id, last + 1);
    open_again(p);
    must(READS(p->store, &err, ob_store_verdicts(&all, &count, view, 10000, &err)), &err);
    assert_int_equal(count, last + 1);
    free(all);
}

static void a_step_that_meets_a_full_disk_is_undone_whole(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_verdict v = {.at = 1}, *all = NULL;
    ob_token t = token_of("a", 1), *tokens = NULL;
    int64_t id = 0;
    size_t count = 0;
    memset(v.reason, 'x', OB_RECORD_TEXT);
    signal(SIGXFSZ, SIG_IGN);
    must(WRITES(p->store, &err, sql_script(w, "PRAGMA cache_size = 10", &err)),
         &err); /* it writes before the end */
    limit_files(300000);
    must(open_writing(p->store, &err), &err);
    must(WRITES(p->store, &err, ob_store_token_add(w, &t, &err)), &err);
    ob_status status = OB_OK;
    for (int i = 0; i < 1000 && !status; i++)
        status = WRITES(p->store, &err, ob_store_verdict_add(&id, w, &v, &err));
    assert_int_not_equal(status, OB_OK);
    limit_files(RLIM_INFINITY); /* room again, but not for half a step */
    assert_int_not_equal(WRITES(p->store, &err, ob_store_token_remove(w, "a", &err)), OB_OK);
    refused(end_writing(OB_OK, &err), status, &err);
    must(READS(p->store, &err, ob_store_tokens(&tokens, &count, view, &err)), &err);
    assert_int_equal(count, 0);
    free(tokens);
    must(READS(p->store, &err, ob_store_verdicts(&all, &count, view, 10, &err)), &err);
    assert_int_equal(count, 0);
    free(all);
}

/* As a user who may not write: root may everything. */
static void as_nobody(void (*check)(place *p), place *p)
{
    int result = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
            _exit(9);
        check(p);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
}

static void expect_no_opening(place *p)
{
    ob_error err = {0};
    ob_store *store = NULL;
    if (ob_store_open(&store, p->dir, NULL, &err) != OB_EIO || !strstr(err.text, "obhut.db"))
        _exit(1);
}

static void a_directory_that_may_not_be_written_is_refused(void **state)
{
    place *p = *state;
    assert_int_equal(chmod(p->dir, 0555), 0);
    as_nobody(expect_no_opening, p);
    assert_int_equal(chmod(p->dir, 0700), 0);
    open_store(p);
}

static void expect_no_change(place *p)
{
    ob_error err = {0};
    ob_store *store = NULL;
    ob_token t = token_of("b", 2);
    if (ob_store_open(&store, p->dir, NULL, &err)) {
        if (err.status != OB_EIO || !err.text[0])
            _exit(1);
        return;
    }
    if (WRITES(store, &err, ob_store_token_add(w, &t, &err)) != OB_EIO)
        _exit(2);
    ob_store_close(store);
}

static void a_file_that_may_only_be_read_is_not_changed(void **state)
{
    place *p = *state;
    ob_error err = {0};
    char command[200];
    ob_token t = token_of("a", 1), *all = NULL;
    size_t count = 0;
    open_store(p);
    must(WRITES(p->store, &err, ob_store_token_add(w, &t, &err)), &err);
    close_store(p);
    snprintf(command, sizeof command, "chmod 444 %s/obhut.db && chmod 555 %s", p->dir, p->dir);
    assert_int_equal(system(command), 0);
    as_nobody(expect_no_change, p);
    snprintf(command, sizeof command, "chmod 700 %s && chmod 600 %s/obhut.db", p->dir, p->dir);
    assert_int_equal(system(command), 0);
    open_store(p);
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)), &err);
    assert_int_equal(count, 1);
    free(all);
}

static void a_damaged_file_is_called_damaged(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_store *store = NULL;
    char command[200];
    open_store(p);
    close_store(p);
    snprintf(command, sizeof command,
             "head -c 20000 /dev/zero | tr '\\0' x | dd of=%s/obhut.db conv=notrunc status=none",
             p->dir);
    assert_int_equal(system(command), 0);
    refused(ob_store_open(&store, p->dir, NULL, &err), OB_EFORMAT, &err);
}

int main(void)
{
    unsetenv("OBHUT_TEST_URL");
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_full_disk_loses_nothing_that_was_acknowledged),
        IN_PLACE(a_step_that_meets_a_full_disk_is_undone_whole),
        CLOSED(a_directory_that_may_not_be_written_is_refused),
        CLOSED(a_file_that_may_only_be_read_is_not_changed),
        CLOSED(a_damaged_file_is_called_damaged),
    };
    return cmocka_run_group_tests_name("store_disk", tests, NULL, NULL);
}
