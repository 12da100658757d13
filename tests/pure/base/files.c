/* Files as everybody asks for them, and the table that makes them fail. */
#include "test.h"

#include "fault/clock.h"
#include "fault/files.h"
#include "fault/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

typedef struct place {
    char dir[256];
    char path[280];
    int file;
} place;

static int begin(void **state)
{
    place *p = calloc(1, sizeof *p);
    const char *where = getenv("TMPDIR");
    snprintf(p->dir, sizeof p->dir, "%.200s/obhut-files-XXXXXX", where ? where : "/tmp");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/file", p->dir);
    p->file = ob_file_open(AT_FDCWD, p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(p->file >= 0);
    files_begin();
    *state = p;
    return 0;
}

static int end(void **state)
{
    place *p = *state;
    files_end();
    clock_real();
    close(p->file);
    assert_int_equal(ob_file_unlink(AT_FDCWD, p->path, 0), 0);
    assert_int_equal(ob_file_unlink(AT_FDCWD, p->dir, AT_REMOVEDIR), 0);
    free(p);
    return 0;
}

static void expect(int got, int error)
{
    assert_int_equal(got, error ? -1 : 0);
    if (error)
        assert_int_equal(errno, error);
}

/* ---- Failing --------------------------------------------------------------------------------- */

static void a_call_fails_by_its_path_and_its_verb(void **state)
{
    place *p = *state;
    int other = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rule = files_add(&(files_rule){.path = "/file", .verbs = 1 << OB_FILE_SYNC, .error = EIO});
    expect(ob_file_sync(p->file), EIO);
    expect(ob_file_sync_data(p->file), EIO);
    expect(ob_file_sync(other), 0);
    expect(ob_file_truncate(p->file, 0), 0);
    assert_int_equal(files_calls(rule), 2);
    files_remove(rule);
    expect(ob_file_sync(p->file), 0);
    close(other);
}

/* Every call there is: how it fails, and that it does what the system does. */
static void every_call_can_fail_and_else_does_its_work(void **state)
{
    place *p = *state;
    char moved[300], below[300], byte = 'x';
    struct stat info;
    snprintf(moved, sizeof moved, "%s-moved", p->path);
    snprintf(below, sizeof below, "%s/below", p->dir);
    for (int turn = 0; turn < 2; turn++) {
        int error = turn ? 0 : ENOSPC;
        int rule = files_add(&(files_rule){.verbs = FILES_ANY, .error = error});
        int dir = ob_file_open(AT_FDCWD, p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        assert_int_equal(dir < 0, !turn);
        assert_int_equal(ob_file_write(p->file, &byte, 1), turn ? 1 : -1);
        assert_int_equal(ob_file_pwrite(p->file, &byte, 1, 1), turn ? 1 : -1);
        assert_int_equal(ob_file_read(p->file, &byte, 1), turn ? 1 : -1);
        assert_int_equal(ob_file_pread(p->file, &byte, 1, 0), turn ? 1 : -1);
        expect(ob_file_sync(p->file), error);
        expect(ob_file_sync_data(p->file), error);
        expect(ob_file_truncate(p->file, 0), error);
        expect(ob_file_stat(&info, p->file), error);
        expect(ob_file_mkdir(AT_FDCWD, below, 0700), error);
        expect(ob_file_rename(p->path, moved), error);
        expect(ob_file_stat_at(&info, AT_FDCWD, turn ? moved : p->path, 0), error);
        expect(ob_file_rename(turn ? moved : p->path, p->path), error);
        expect(ob_file_unlink(AT_FDCWD, below, AT_REMOVEDIR), error);
        assert_int_equal(files_calls(rule), 14);
        files_remove(rule);
        if (dir >= 0)
            close(dir);
    }
}

static void the_nth_call_fails_alone_or_with_all_behind_it(void **state)
{
    place *p = *state;
    for (int and_on = 0; and_on < 2; and_on++) {
        int rule = files_add(
            &(files_rule){.verbs = 1 << OB_FILE_SYNC, .nth = 3, .and_on = and_on, .error = ENOSPC});
        for (int i = 1; i <= 5; i++)
            expect(ob_file_sync(p->file), i == 3 || (and_on && i > 3) ? ENOSPC : 0);
        assert_int_equal(files_calls(rule), 5);
        files_remove(rule);
    }
}

static void where_several_rules_fit_the_first_that_says_something_decides(void **state)
{
    place *p = *state;
    int second = files_add(&(files_rule){.verbs = 1 << OB_FILE_SYNC, .nth = 2, .error = ENOSPC});
    int always = files_add(&(files_rule){.verbs = FILES_ANY, .error = EIO});
    expect(ob_file_sync(p->file), EIO);
    expect(ob_file_sync(p->file), ENOSPC);
    expect(ob_file_sync(p->file), EIO);
    assert_int_equal(files_calls(second), 3);
    assert_int_equal(files_calls(always), 3);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

typedef struct caller {
    pthread_t thread;
    int file, result, error;
} caller;

static void *sync_it(void *context)
{
    caller *c = context;
    c->result = ob_file_sync(c->file);
    c->error = errno;
    return NULL;
}

static caller *call(const place *p)
{
    caller *c = calloc(1, sizeof *c);
    c->file = p->file;
    assert_int_equal(pthread_create(&c->thread, NULL, sync_it, c), 0);
    return c;
}

static void expect_end(caller *c, int error)
{
    assert_int_equal(pthread_join(c->thread, NULL), 0);
    errno = c->error;
    expect(c->result, error);
    free(c);
}

static void a_call_waits_until_it_is_released(void **state)
{
    place *p = *state;
    int rule = files_add(&(files_rule){.verbs = 1 << OB_FILE_SYNC, .holds = true, .error = EIO});
    caller *first = call(p), *second = call(p);
    files_await(rule, 2);
    expect(ob_file_truncate(p->file, 0), 0); /* nobody else waits */
    files_release(rule);
    expect_end(first, EIO);
    expect_end(second, EIO);
    assert_int_equal(files_waiting(rule), 0);
    expect(ob_file_sync(p->file), EIO); /* at once */
}

static void what_waits_goes_on_when_its_rule_is_gone(void **state)
{
    place *p = *state;
    const files_rule kinds[] = {{.verbs = FILES_ANY, .holds = true, .error = EIO},
                                {.verbs = FILES_ANY, .delay_ms = 3600000, .error = EIO}};
    for (int i = 0; i < 2; i++) {
        int rule = files_add(&kinds[i]);
        caller *waits = call(p);
        files_await(rule, 1);
        files_remove(rule);
        int next = files_add(&kinds[i]); /* in its place */
        assert_int_equal(next, rule);
        expect_end(waits, 0);
        assert_int_equal(files_waiting(next), 0);
        files_remove(next);
    }
}

static void a_slow_call_takes_at_least_its_time(void **state)
{
    place *p = *state;
    int64_t begun = ob_now_monotonic_ms();
    files_add(&(files_rule){.verbs = 1 << OB_FILE_SYNC, .delay_ms = 30});
    expect(ob_file_sync(p->file), 0);
    assert_true(ob_now_monotonic_ms() - begun >= 29);
}

/* ---- Hearing --------------------------------------------------------------------------------- */

static void hear(void *context, ob_file_verb verb, const char *path)
{
    ob_buf *heard = context;
    const char *name = strrchr(path, '/');
    ob_buf_printf(heard, NULL, "%s %s;", files_verb_name(verb), name ? name : path);
}

static void every_call_is_heard_with_where_it_goes(void **state)
{
    place *p = *state;
    ob_buf heard = {0};
    char gone[300];
    int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(gone, sizeof gone, "%s/gone", p->dir);
    files_listen(hear, &heard);
    int file = ob_file_open(dir, "below", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ob_file_write(file, "x", 1);
    ob_file_sync(dir);
    ob_file_rename(gone, p->path);
    ob_file_unlink(dir, "below", 0);
    files_listen(NULL, NULL);
    ob_file_sync(dir);
    const char *name = strrchr(p->dir, '/');
    char expected[400];
    snprintf(expected, sizeof expected,
             "open /below;write /below;sync %s;rename /file;unlink /below;", name);
    assert_string_equal(heard.bytes, expected);
    ob_buf_free(&heard);
    close(file);
    close(dir);
}

static void where_nobody_watches_nothing_fails(void **state)
{
    place *p = *state;
    files_add(&(files_rule){.verbs = FILES_ANY, .error = EIO});
    files_end();
    expect(ob_file_sync(p->file), 0);
    files_begin();
    expect(ob_file_sync(p->file), 0); /* what was there before is gone */
}

/* ---- Rules as text --------------------------------------------------------------------------- */

static void rules_can_be_written_as_text(void **state)
{
    rules_text t;
    const char *wrong;
    (void)state;
    assert_true(rules_read(&t, &wrong,
                           "sync:audit/log:delay=12000;write:obhut.db-wal:errno=28,nth=3\n"
                           "any::hold ; change:x:from=2,errno=5;clock:+86400",
                           0));
    assert_int_equal(t.count, 4);
    assert_string_equal(t.rules[0].path, "audit/log");
    assert_int_equal(t.rules[0].verbs, 1 << OB_FILE_SYNC);
    assert_int_equal(t.rules[0].delay_ms, 12000);
    assert_int_equal(t.rules[1].error, ENOSPC);
    assert_int_equal(t.rules[1].nth, 3);
    assert_false(t.rules[1].and_on);
    assert_int_equal(t.rules[2].verbs, FILES_ANY);
    assert_true(t.rules[2].holds);
    assert_int_equal(t.rules[3].verbs, FILES_CHANGES);
    assert_int_equal(t.rules[3].nth, 2);
    assert_true(t.rules[3].and_on);
    assert_true(t.has_clock);
    assert_int_equal(t.ahead, 86400);
}

static void what_is_no_rule_is_pointed_at(void **state)
{
    static const char *const texts[] = {
        "sync:x",          "sink:x:errno=5",  "sync:x:errno=0",   "sync:x:errno=",
        "sync:x:wait",     "sync:x:errno=5,", "sync:x:errno=5 x", "sync:x:nth=0",
        "sync:x:delay=-1", "clock:yesterday", ":x:errno=5",       "sync",
    };
    rules_text t;
    const char *wrong;
    char two[100];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        snprintf(two, sizeof two, "read:y:errno=5;%s", texts[i]);
        if (rules_read(&t, &wrong, two, 0))
            fail_msg("%s", two);
        assert_true(wrong >= two + 15 || !strcmp(texts[i], "sync:x:errno=5 x"));
    }
    assert_true(rules_read(&t, &wrong, "", 0) && !t.count && !t.has_clock);
    assert_true(rules_read(&t, &wrong, "clock:-5", 0) && t.ahead == -5);
    assert_true(rules_read(&t, &wrong, "clock:1000", 900) && t.ahead == 100);
}

/* ---- The clock ------------------------------------------------------------------------------- */

static void a_clock_stands_passes_and_is_set(void **state)
{
    (void)state;
    clock_stand(1000);
    int64_t then = ob_now_monotonic_ms();
    assert_int_equal(ob_now(), 1000);
    clock_pass(60);
    assert_int_equal(ob_now(), 1060);
    assert_int_equal(ob_now_monotonic_ms(), then + 60000);
    clock_set(10); /* backwards */
    assert_int_equal(ob_now(), 10);
    assert_int_equal(ob_now_monotonic_ms(), then + 60000);
    clock_real();
    assert_true(ob_now() > INT64_C(1700000000));
}

/* ---- What a file must be --------------------------------------------------------------------- */

static void refuses(const char *path, const ob_file_rule *rule, ob_status wanted, const char *word)
{
    int file = -1;
    ob_error err = {0};
    assert_int_equal(ob_file_open_regular(&file, NULL, path, O_RDONLY, rule, &err), wanted);
    assert_int_equal(file, -1);
    assert_non_null(strstr(err.text, path));
    if (!strstr(err.text, word))
        fail_msg("\"%s\" does not say \"%s\"", err.text, word);
}

static void what_is_no_file_is_refused_by_name_and_never_waited_for(void **state)
{
    place *p = *state;
    char other[300];
    const ob_file_rule none = {0}, links = {.follow_links = true};
    snprintf(other, sizeof other, "%s/other", p->dir);
    refuses(other, &none, OB_ENOTFOUND, "No such file");
    assert_int_equal(mkfifo(other, 0600), 0);
    refuses(other, &none, OB_EREFUSED, "a pipe");
    assert_int_equal(unlink(other), 0);
    assert_int_equal(symlink("nowhere", other), 0);
    refuses(other, &none, OB_EREFUSED, "a link");
    refuses(other, &links, OB_EIO, "leads nowhere");
    assert_int_equal(unlink(other), 0);
    assert_int_equal(symlink(p->path, other), 0);
    refuses(other, &none, OB_EREFUSED, "a link");
    int file = -1;
    assert_int_equal(ob_file_open_regular(&file, NULL, other, O_RDONLY, &links, NULL), 0);
    close(file);
    assert_int_equal(unlink(other), 0);
    refuses(p->dir, &none, OB_EREFUSED, "a directory");
}

static void a_giant_and_what_is_open_to_others_are_refused(void **state)
{
    place *p = *state;
    struct stat info;
    int file = -1;
    const ob_file_rule rule = {.most = 1 << 20, .forbidden = 0077};
    assert_int_equal(ob_file_open_regular(&file, &info, p->path, O_RDWR, &rule, NULL), 0);
    assert_int_equal(info.st_size, 0);
    close(file);
    assert_int_equal(ftruncate(p->file, (off_t)1 << 40), 0);
    refuses(p->path, &rule, OB_EREFUSED, "at most 1048576");
    assert_int_equal(ftruncate(p->file, 0), 0);
    assert_int_equal(fchmod(p->file, 0604), 0);
    refuses(p->path, &rule, OB_EREFUSED, "mode 0604");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_call_fails_by_its_path_and_its_verb),
        IN_PLACE(every_call_can_fail_and_else_does_its_work),
        IN_PLACE(the_nth_call_fails_alone_or_with_all_behind_it),
        IN_PLACE(where_several_rules_fit_the_first_that_says_something_decides),
        IN_PLACE(a_call_waits_until_it_is_released),
        IN_PLACE(what_waits_goes_on_when_its_rule_is_gone),
        IN_PLACE(a_slow_call_takes_at_least_its_time),
        IN_PLACE(every_call_is_heard_with_where_it_goes),
        IN_PLACE(where_nobody_watches_nothing_fails),
        IN_PLACE(what_is_no_file_is_refused_by_name_and_never_waited_for),
        IN_PLACE(a_giant_and_what_is_open_to_others_are_refused),
        cmocka_unit_test(rules_can_be_written_as_text),
        cmocka_unit_test(what_is_no_rule_is_pointed_at),
        cmocka_unit_test(a_clock_stands_passes_and_is_set),
    };
    return cmocka_run_group_tests_name("base_files", tests, NULL, NULL);
}
