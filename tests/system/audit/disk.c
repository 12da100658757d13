/* The log when processes die, and on disks that fail, are full, or may only be read. */
#include "audit_log.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 8, EACH = 400 };

static int start(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    return ob_crypto_start(NULL);
}

/* ---- A disk that fails when told: these stand in for the C library's ------------------------- */

typedef enum fault { NO_FAULT, FAIL_WRITE, HALF_WRITE, FAIL_SYNC, FAIL_CUT } fault;
static atomic_int fault_kind;
static atomic_int fault_in;    /* calls from now; it fails when this comes to 0 */
static atomic_bool fault_ever; /* and from then on */

static bool fails(fault kind)
{
    if (fault_kind != (int)kind)
        return false;
    int left = atomic_fetch_sub(&fault_in, 1);
    return fault_ever ? left <= 1 : left == 1;
}

static void arm(fault kind, int in, bool ever)
{
    fault_in = in;
    fault_ever = ever;
    fault_kind = (int)kind;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    if (fails(FAIL_WRITE)) {
        errno = ENOSPC;
        return -1;
    }
    if (size > 1 && fails(HALF_WRITE))
        size /= 2;
    return syscall(SYS_pwrite64, file, data, size, at);
}

int fdatasync(int file)
{
    if (fails(FAIL_SYNC)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, file);
}

int ftruncate(int file, off_t size)
{
    if (fails(FAIL_CUT)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_ftruncate, file, size);
}

/* ---- Crashes --------------------------------------------------------------------------------- */

typedef struct acknowledged {
    uint64_t number;
    int64_t value;
} acknowledged;

typedef struct victim {
    ob_audit *audit;
    int id, tell;
} victim;

static void *write_until_killed(void *context)
{
    victim *v = context;
    for (int i = 0;; i++) {
        acknowledged a = {0, v->id * 1000000 + i};
        ob_entry *members = ob_entry_new();
        ob_entry_number(members, "value", a.value);
        if (ob_audit_append(&a.number, v->audit, "word", members, NULL) ||
            write(v->tell, &a, sizeof a) != sizeof a)
            _exit(1);
        ob_entry_free(members);
    }
    return NULL;
}

static void be_the_victim(const char *dir, int tell)
{
    static victim victims[THREADS];
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = dir, .checkpoint_ms = 2};
    if (ob_audit_open(&audit, &options, NULL))
        _exit(1);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        victims[i] = (victim){audit, i, tell};
        if (pthread_create(&thread, NULL, write_until_killed, &victims[i]))
            _exit(1);
    }
    for (;;)
        pause();
}

/* Kills after `ms`, and appends what had been acknowledged to `all`. */
static void run_and_kill(const char *dir, int ms, ob_buf *all)
{
    int ends[2];
    acknowledged a;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        be_the_victim(dir, ends[1]);
    }
    close(ends[1]);
    struct timespec begun, now;
    for (bool running = true, first = true; read(ends[0], &a, sizeof a) == sizeof a;) {
        MUST(ob_buf_append(all, &a, sizeof a, &err_));
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (first)
            begun = now;
        first = false;
        int64_t past = (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000;
        if (running && past >= ms)
            running = kill(child, SIGKILL);
    }
    close(ends[0]);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
}

static void a_killed_process_loses_nothing_that_was_acknowledged(void **state)
{
    (void)state;
    uint64_t kills = test_samples("OBHUT_KILLS", 10);
    test_random random = {0xDEAD10C5};
    place p = new_place();
    ob_buf all = {0};
    for (uint64_t i = 0; i < kills; i++)
        run_and_kill(p.dir, (int)test_below(&random, 60), &all);
    ob_audit *audit = open_log(p.dir);
    MUST(ob_audit_close(audit, &err_));
    found f = find_all(p.audit);
    assert_fine(p.audit, f.count, f.count);
    size_t count = all.size / sizeof(acknowledged);
    assert_true(count > 0 && f.count >= count);
    for (size_t i = 0; i < count; i++) {
        acknowledged a;
        memcpy(&a, all.bytes + i * sizeof a, sizeof a);
        assert_true(a.number < f.count);
        assert_int_equal(value_of(&f, a.number), a.value);
    }
    json_decref(f.entries);
    ob_buf_free(&all);
    remove_all(p.dir);
}

/* Power gone in the middle of a write: at every length of the last line and of the last checkpoint.
 */
static void what_was_half_written_is_cut_off_and_said(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    add(audit, "word", 0);
    MUST(ob_audit_close(audit, &err_));
    bytes log1 = load(p.audit, "log"), notes1 = load(p.audit, "checkpoints");
    audit = open_log(p.dir);
    add(audit, "word", 1);
    MUST(ob_audit_close(audit, &err_));
    bytes log2 = load(p.audit, "log"), notes2 = load(p.audit, "checkpoints");
    for (size_t size = log1.size + 1; size < log2.size; size++) {
        save(p.audit, "log", log2.text, size);
        save(p.audit, "checkpoints", notes1.text, notes1.size);
        audit = open_log(p.dir);
        MUST(ob_audit_close(audit, &err_));
        found f = find_all(p.audit);
        assert_int_equal(f.count, 2);
        assert_string_equal(what_of(&f, 1), "log.repaired");
        assert_int_equal(json_integer_value(json_object_get(json_array_get(f.entries, 1), "bytes")),
                         size - log1.size);
        json_decref(f.entries);
        assert_fine(p.audit, 2, 2);
    }
    for (size_t size = notes1.size + 1; size < notes2.size; size++) {
        save(p.audit, "log", log2.text, log2.size);
        save(p.audit, "checkpoints", notes2.text, size);
        audit = open_log(p.dir);
        MUST(ob_audit_close(audit, &err_));
        found f = find_all(p.audit);
        assert_int_equal(f.count, 3);
        assert_string_equal(what_of(&f, 2), "log.repaired");
        json_decref(f.entries);
        assert_fine(p.audit, 3, 3);
    }
    free(log1.text), free(log2.text), free(notes1.text), free(notes2.text);
    remove_all(p.dir);
}

static void a_beginning_that_was_interrupted_is_begun_again(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    MUST(ob_audit_close(audit, &err_));
    bytes notes = load(p.audit, "checkpoints"), key = load(p.audit, "key");
    char log[120];
    snprintf(log, sizeof log, "%s/log", p.audit);
    for (size_t size = 0; size <= key.size + notes.size; size++) {
        /* In the order in which they are made. */
        save(p.audit, "key", key.text, size < key.size ? size : key.size);
        save(p.audit, "checkpoints", notes.text, size < key.size ? 0 : size - key.size);
        unlink(log);
        audit = open_log(p.dir);
        add(audit, "word", 1);
        MUST(ob_audit_close(audit, &err_));
        assert_fine(p.audit, 1, 1);
    }
    free(notes.text);
    free(key.text);
    remove_all(p.dir);
}

/* ---- Disks that fail ------------------------------------------------------------------------- */

static void count_problems(void *context, const char *sentence)
{
    atomic_int *problems = context;
    assert_true(strlen(sentence) > 10);
    (*problems)++;
}

/* Everything that said it was durable is there, whatever fails and whenever. */
static void try_fault(fault kind, int in, bool ever)
{
    place p = new_place();
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = p.dir};
    enum { TRIES = 6 };
    int64_t kept[TRIES * 2 + 2];
    uint64_t expected = 0, number;
    arm(kind, in, ever);
    ob_status opened = ob_audit_open(&audit, &options, NULL);
    for (int i = 0; !opened && i < TRIES; i++) {
        if (!try_add(&number, audit, i)) {
            assert_int_equal(number, expected);
            kept[expected++] = i;
        }
        if (i % 2)
            ob_audit_sign(audit, NULL);
    }
    arm(NO_FAULT, 0, false);
    if (opened)
        MUST(ob_audit_open(&audit, &options, &err_));
    assert_int_equal(ob_audit_size(audit), expected);
    for (int i = 0; i < TRIES; i++) { /* and it works again */
        MUST(try_add(&number, audit, 100 + i));
        assert_int_equal(number, expected);
        kept[expected++] = 100 + i;
    }
    MUST(ob_audit_sign(audit, &err_));
    assert_true(ob_audit_fine(audit));
    MUST(ob_audit_close(audit, &err_));
    assert_fine(p.audit, expected, expected);
    found f = find_all(p.audit);
    assert_int_equal(f.count, expected);
    for (uint64_t n = 0; n < expected; n++)
        assert_int_equal(value_of(&f, n), kept[n]);
    json_decref(f.entries);
    remove_all(p.dir);
}

static void whatever_write_fails_nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    for (int kind = FAIL_WRITE; kind <= FAIL_CUT; kind++)
        for (int in = 1; in <= 24; in++)
            for (int ever = 0; ever < 2; ever++)
                try_fault((fault)kind, in, ever);
}

static void all_who_wait_are_told_when_a_write_fails(void **state)
{
    (void)state;
    place p = new_place();
    atomic_int problems = 0;
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = p.dir, .problem = count_problems, .context = &problems};
    MUST(ob_audit_open(&audit, &options, &err_));
    assert_true(ob_audit_fine(audit));
    arm(FAIL_SYNC, 1, true);
    ob_error err = {0};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ob_audit_append(NULL, audit, "word", NULL, &err), OB_EIO);
        assert_non_null(strstr(err.text, "audit/log"));
        assert_false(ob_audit_fine(audit));
    }
    assert_int_equal(problems, 1); /* once, not five times */
    assert_int_equal(ob_audit_size(audit), 0);
    arm(NO_FAULT, 0, false);
    add(audit, "word", 1);
    assert_true(ob_audit_fine(audit));
    MUST(ob_audit_close(audit, &err_));
    found f = find_all(p.audit);
    assert_int_equal(f.count, 1);
    assert_int_equal(value_of(&f, 0), 1);
    json_decref(f.entries);
    remove_all(p.dir);
}

static void a_log_that_failed_tries_by_itself_until_it_works(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    arm(FAIL_WRITE, 1, true);
    assert_int_equal(try_add(NULL, audit, 1), OB_EIO);
    assert_int_equal(try_add(NULL, audit, 2), OB_EIO);
    arm(NO_FAULT, 0, false);
    for (unsigned tries = 0; !ob_audit_fine(audit);)
        assert_true(test_wait(&tries));
    MUST(ob_audit_close(audit, &err_));
    found f = find_all(p.audit);
    assert_int_equal(f.count, 1);
    assert_string_equal(what_of(&f, 0), "log.resumed");
    assert_true(json_integer_value(json_object_get(json_array_get(f.entries, 0), "refused")) == 2);
    json_decref(f.entries);
    remove_all(p.dir);
}

typedef struct hopeful {
    ob_audit *audit;
    int id;
    ob_buf kept; /* acknowledged */
} hopeful;

static void *write_hopefully(void *context)
{
    hopeful *h = context;
    for (int i = 0; i < EACH; i++) {
        acknowledged a = {0, h->id * EACH + i};
        if (!try_add(&a.number, h->audit, (int)a.value))
            MUST(ob_buf_append(&h->kept, &a, sizeof a, &err_));
    }
    return NULL;
}

static void many_threads_on_a_disk_that_fails_now_and_then_lose_nothing(void **state)
{
    (void)state;
    hopeful hopefuls[THREADS];
    pthread_t threads[THREADS];
    place p = new_place();
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = p.dir, .checkpoint_ms = 3};
    MUST(ob_audit_open(&audit, &options, &err_));
    for (int i = 0; i < THREADS; i++) {
        hopefuls[i] = (hopeful){.audit = audit, .id = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_hopefully, &hopefuls[i]), 0);
    }
    for (int i = 0; i < 200; i++) {
        arm((fault)(FAIL_WRITE + i % 4), 1 + i % 5, i % 3 == 0);
        sched_yield();
        usleep(300);
        arm(NO_FAULT, 0, false);
        usleep(300);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MUST(ob_audit_close(audit, &err_));
    found f = find_all(p.audit);
    assert_fine(p.audit, f.count, f.count);
    for (int i = 0; i < THREADS; i++) {
        for (size_t k = 0; k < hopefuls[i].kept.size / sizeof(acknowledged); k++) {
            acknowledged a;
            memcpy(&a, hopefuls[i].kept.bytes + k * sizeof a, sizeof a);
            assert_true(a.number < f.count);
            assert_int_equal(value_of(&f, a.number), a.value);
        }
        ob_buf_free(&hopefuls[i].kept);
    }
    json_decref(f.entries);
    remove_all(p.dir);
}

static void set_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_file_that_may_not_grow_any_more_is_left_as_it_was(void **state)
{
    (void)state;
    place p = new_place();
    ob_audit *audit = open_log(p.dir);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (int i = 0; i < 20; i++)
        add(audit, "word", i);
    bytes log = load(p.audit, "log");
    for (rlim_t more = 1; more < 120; more += 13) { /* a part of a line fits */
        set_limit(log.size + more);
        assert_int_equal(try_add(NULL, audit, -1), OB_EIO);
        bytes now = load(p.audit, "log");
        assert_int_equal(now.size, log.size);
        assert_memory_equal(now.text, log.text, log.size);
        free(now.text);
    }
    set_limit(before.rlim_cur);
    assert_int_equal(add(audit, "word", 20), 20);
    MUST(ob_audit_close(audit, &err_));
    assert_fine(p.audit, 21, 21);
    free(log.text);
    remove_all(p.dir);
}

/* ---- A file system of its own, where that may be made ---------------------------------------- */

/* In a child, which may mount something on `dir`. Exit codes: 0 as it should be, 77 not allowed. */
static int fill_small_disk(const char *dir)
{
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = dir};
    uint64_t kept = 0;
    if (unshare(CLONE_NEWNS))
        return 77;
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); /* within a chroot it is no mount point */
    if (mount("tmpfs", dir, "tmpfs", 0, "size=96k,mode=0700"))
        return 77;
    if (ob_audit_open(&audit, &options, NULL))
        return 1;
    while (!try_add(NULL, audit, 1))
        kept++;
    if (kept < 100 || ob_audit_fine(audit) || ob_audit_size(audit) != kept)
        return 2;
    if (mount(NULL, dir, NULL, MS_REMOUNT, "size=1m"))
        return 3;
    if (try_add(NULL, audit, 1) || !ob_audit_fine(audit) || ob_audit_close(audit, NULL))
        return 4;
    if (mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL))
        return 5;
    if (ob_audit_open(&audit, &options, NULL) != OB_EIO) /* a disk that may only be read */
        return 6;
    char path[200];
    snprintf(path, sizeof path, "%s/audit", dir);
    ob_audit_check check = {.dir = path};
    ob_audit_report report;
    if (ob_audit_verify(&report, &check, NULL) || !report.fine || report.entries != kept + 1)
        return 7;
    if (mount(NULL, dir, NULL, MS_REMOUNT, NULL) || ob_audit_open(&audit, &options, NULL) ||
        try_add(NULL, audit, 1) || ob_audit_close(audit, NULL))
        return 8;
    return 0;
}

static int with_small_disk(const char *dir)
{
    int how = fill_small_disk(dir);
    umount2(dir, MNT_DETACH); /* where it was not ours alone */
    return how;
}

/* Who may not mount may not write where the owner may not, either; a file that may not grow is
 * tried above. */
static void try_modes(const place *p)
{
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = p->dir};
    ob_error err = {0};
    char path[200], file[220];
    assert_int_not_equal(geteuid(), 0);
    MUST(ob_audit_open(&audit, &options, &err_));
    assert_int_equal(add(audit, "word", 0), 0);
    MUST(ob_audit_close(audit, &err_));
    snprintf(path, sizeof path, "%s/audit", p->dir);
    snprintf(file, sizeof file, "%s/log", path);
    assert_int_equal(chmod(file, 0400) | chmod(path, 0500), 0);
    assert_int_equal(ob_audit_open(&audit, &options, &err), OB_EIO);
    assert_fine(p->audit, 1, 1);
    assert_int_equal(chmod(path, 0700) | chmod(file, 0600), 0);
    MUST(ob_audit_open(&audit, &options, &err_));
    assert_int_equal(add(audit, "word", 1), 1);
    MUST(ob_audit_close(audit, &err_));
}

static void a_full_disk_and_one_that_may_only_be_read_do_no_harm(void **state)
{
    (void)state;
    place p = new_place();
    int how;
    pid_t child = fork();
    if (!child)
        _exit(with_small_disk(p.dir));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == 77)
        try_modes(&p);
    else
        assert_int_equal(WEXITSTATUS(how), 0);
    remove_all(p.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_loses_nothing_that_was_acknowledged),
        cmocka_unit_test(what_was_half_written_is_cut_off_and_said),
        cmocka_unit_test(a_beginning_that_was_interrupted_is_begun_again),
        cmocka_unit_test(whatever_write_fails_nothing_acknowledged_is_lost),
        cmocka_unit_test(all_who_wait_are_told_when_a_write_fails),
        cmocka_unit_test(a_log_that_failed_tries_by_itself_until_it_works),
        cmocka_unit_test(many_threads_on_a_disk_that_fails_now_and_then_lose_nothing),
        cmocka_unit_test(a_file_that_may_not_grow_any_more_is_left_as_it_was),
        cmocka_unit_test(a_full_disk_and_one_that_may_only_be_read_do_no_harm),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
