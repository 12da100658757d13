/* What a worker may do, what becomes of one that tries more, and that the next job is none the
 * worse.
 */
#include "test.h"

#include "sandbox_priv.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int sealed(const void *bytes, size_t size)
{
    int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), size);
    return file;
}

static unsigned entries(const char *path)
{
    unsigned count = 0;
    DIR *dir = opendir(path);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static unsigned descriptors(void)
{
    return entries("/proc/self/fd");
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * 4;
}

/* Processes that this thread has started and not waited for. */
static unsigned children(void)
{
    unsigned count = 0;
    int process;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)gettid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fscanf(file, "%d", &process) == 1)
        count++;
    fclose(file);
    return count;
}

typedef struct told {
    unsigned count;
    char last[480];
} told;

static void on_problem(void *context, const char *sentence)
{
    told *t = context;
    t->count++;
    snprintf(t->last, sizeof t->last, "%s", sentence);
}

static ob_job_result do_bytes(ob_worker *worker, const void *bytes, size_t size, bool exact)
{
    int file = sealed(bytes, size);
    const ob_job job = {
        .wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH, [OB_EXTRACT_DIGESTS] = OB_OWN_WISH},
        .permit = ob_own_files_permit,
        .digests = OB_DIGEST_ALL,
        .size = size,
        .media.exact = exact};
    ob_job_result result;
    ob_error err = {0};
    if (ob_worker_do(&result, worker, &job, file, &err))
        fail_msg("%s", err.text);
    close(file);
    return result;
}

static void a_worker_hashes_as_its_caller_would(void **state)
{
    (void)state;
    static const char *const names[] = {"rocket-q30.jpg", "chelsea-63x65.png",
                                        "coffee-513x342.jpg"};
    const ob_worker_options options = {.program = OB_WORKER};
    ob_worker *worker = NULL;
    ob_error err = {0};
    if (ob_worker_start(&worker, &options, &err))
        fail_msg("%s", err.text);
    assert_true(ob_worker_layers(worker) & OB_CONFINED_SECCOMP);
    for (size_t i = 0; i < 3; i++)
        for (int exact = 0; exact < 2; exact++) {
            char path[512];
            snprintf(path, sizeof path, OB_TESTS "/conformance/pdq/images/%s", names[i]);
            size_t size;
            uint8_t *bytes = test_file(path, &size);
            ob_job_result result = do_bytes(worker, bytes, size, exact);
            const ob_media_options media = {.exact = exact};
            ob_media_result expected;
            uint8_t sha256[OB_SHA256_SIZE];
            assert_int_equal(ob_media_hash(&expected, bytes, size, &media, NULL), OB_OK);
            assert_int_equal(ob_sha256(sha256, bytes, size, NULL), OB_OK);
            assert_int_equal(result.status, OB_OK);
            assert_memory_equal(&result.media.pdq, &expected.pdq, sizeof expected.pdq);
            assert_int_equal(result.media.format, expected.format);
            assert_int_equal(result.digested, OB_DIGEST_ALL);
            assert_memory_equal(result.digests.sha256, sha256, sizeof sha256);
            free(bytes);
        }
    ob_job_result none = do_bytes(worker, "no picture", 10, false);
    assert_int_equal(none.status, OB_ENOTFOUND);
    assert_int_equal(none.digested, OB_DIGEST_ALL);
    ob_job_result empty = do_bytes(worker, "", 0, false);
    assert_int_equal(empty.status, OB_EFORMAT);
    ob_worker_stop(worker);
}

/* The real decoder again and again, so that nothing piles up and a process is replaced in time. */
static void a_worker_is_kept_and_replaced_without_a_trace(void **state)
{
    (void)state;
    told told = {0};
    const ob_worker_options options = {
        .program = OB_WORKER, .problem = on_problem, .context = &told};
    ob_worker *worker = NULL;
    unsigned before = descriptors();
    assert_int_equal(ob_worker_start(&worker, &options, NULL), OB_OK);
    int first = ob_worker_process(worker);
    for (int i = 0; i < 1010; i++) {
        ob_job_result result = do_bytes(worker, "GIF89a", 6, false);
        assert_int_equal(result.status, OB_EFORMAT);
        assert_true((ob_worker_process(worker) == first) == (i < 1000));
    }
    assert_int_equal(told.count, 0);
    ob_worker_stop(worker);
    assert_int_equal(descriptors(), before);
}

/* ---- A decoder that was taken over: tests/hostile/worker.c ----------------------------------- */

#ifdef OB_SANITIZED /* whose filter is wider, and who have no limit of memory */
enum { FILTER = true };
#else
enum { FILTER = false };
#endif

typedef struct attempt {
    const char *name;
    bool left_out;
    ob_status status; /* of its own file */
    const char *why;
    bool late; /* it is found out at the next file */
} attempt;

static const char asked[] = "asked for what no decoder needs", killed[] = "let go of its channel",
                  no_sense[] = "makes no sense";

static const attempt attempts[] = {
    {"try_open", FILTER, OB_ECRASH, asked, false},
    {"try_create", FILTER, OB_ECRASH, asked, false},
    {"try_socket", false, OB_ECRASH, asked, false},
    {"try_unix", false, OB_ECRASH, asked, false},
    {"try_pair", false, OB_ECRASH, asked, false},
    {"try_fork", FILTER, OB_ECRASH, asked, false},
    {"try_vfork", false, OB_ECRASH, asked, false},
    {"try_thread", FILTER, OB_ECRASH, asked, false},
    {"try_exec", false, OB_ECRASH, asked, false},
    {"try_ptrace", FILTER, OB_ECRASH, asked, false},
    {"try_read_other", FILTER, OB_ECRASH, asked, false},
    {"try_write_other", false, OB_ECRASH, asked, false},
    {"try_kill", false, OB_ECRASH, asked, false},
    {"try_signal", false, OB_ECRASH, asked, false},
    {"try_pidfd", false, OB_ECRASH, asked, false},
    {"try_own", false, OB_ECRASH, asked, false},
    {"try_session", false, OB_ECRASH, asked, false},
    {"try_execute", FILTER, OB_ECRASH, asked, false},
    {"try_protect", FILTER, OB_ECRASH, asked, false},
    {"try_write", FILTER, OB_ECRASH, asked, false},
    {"try_read", FILTER, OB_ECRASH, asked, false},
    {"try_other_channel", false, OB_ECRASH, asked, false},
    {"try_shutdown", false, OB_ECRASH, asked, false},
    {"try_options", false, OB_ECRASH, asked, false},
    {"try_pause", false, OB_ECRASH, asked, false},
    {"try_limit", FILTER, OB_ECRASH, asked, false},
    {"try_outlive", FILTER, OB_ECRASH, asked, false},
    {"try_ignore", FILTER, OB_ECRASH, asked, false},
    {"try_memfd", false, OB_ECRASH, asked, false},
    {"try_grow", false, OB_ECRASH, asked, false},
    {"try_ring", false, OB_ECRASH, asked, false},
    {"try_unshare", false, OB_ECRASH, asked, false},
    {"try_mount", false, OB_ECRASH, asked, false},
    {"try_bpf", false, OB_ECRASH, asked, false},
    {"try_fault", false, OB_ECRASH, asked, false},
    {"try_keys", false, OB_ECRASH, asked, false},
    {"try_user", false, OB_ECRASH, asked, false},
    {"try_nice", false, OB_ECRASH, asked, false},
    {"try_clone3", false, OB_ECRASH, asked, false},
    {"try_watch", false, OB_ECRASH, asked, false},
    {"try_clock", false, OB_ECRASH, asked, false},
    {"crash", false, OB_ECRASH, "", false},
    {"trap", false, OB_ECRASH, "", false},
    {"leave", false, OB_ECRASH, "ended (exit code 0)", false},
    {"leave_badly", false, OB_ECRASH, "ended (exit code 7)", false},
    {"loop", false, OB_ETIME, "of the processor", false},
    {"eat", FILTER, OB_OK, "", false},
    {"say_nothing", false, OB_ECRASH, no_sense, false},
    {"say_short", false, OB_ECRASH, no_sense, false},
    {"say_long", false, OB_ECRASH, no_sense, false},
    {"say_less", false, OB_ECRASH, no_sense, false},
    {"say_more", false, OB_ECRASH, no_sense, false},
    {"say_hello", false, OB_ECRASH, no_sense, false},
    {"say_job", false, OB_ECRASH, no_sense, false},
    {"let_go", false, OB_ECRASH, killed, false},
    {"let_go_and_sleep", false, OB_ECRASH, killed, false},
    {"send_one", false, OB_ECRASH, no_sense, false},
    {"send_two", false, OB_ECRASH, no_sense, false},
    {"send_many", false, OB_ECRASH, no_sense, false},
    {"send_again", false, OB_ECRASH, no_sense, false},
    {"number_zero", false, OB_ECRASH, no_sense, false},
    {"number_next", false, OB_ECRASH, no_sense, false},
    {"reason_unknown", false, OB_ECRASH, no_sense, false},
    {"reason_huge", false, OB_ECRASH, no_sense, false},
    {"reason_of_none", false, OB_ECRASH, no_sense, false},
    {"reason_beyond", false, OB_ECRASH, no_sense, false},
    {"reason_far", false, OB_ECRASH, no_sense, false},
    {"reason_format", false, OB_ECRASH, no_sense, false},
    {"fine_with_row", false, OB_ECRASH, no_sense, false},
    {"refuse", false, OB_ECRASH, no_sense, false},
    {"refuse_and_tell", false, OB_ECRASH, no_sense, false},
    {"digests_all", false, OB_ECRASH, no_sense, false},
    {"digests_none", false, OB_ECRASH, no_sense, false},
    {"format_none", false, OB_ECRASH, no_sense, false},
    {"format_beyond", false, OB_ECRASH, no_sense, false},
    {"width_none", false, OB_ECRASH, no_sense, false},
    {"width_beyond", false, OB_ECRASH, no_sense, false},
    {"pixels_beyond", false, OB_ECRASH, no_sense, false},
    {"turned_none", false, OB_ECRASH, no_sense, false},
    {"turned_beyond", false, OB_ECRASH, no_sense, false},
    {"frames_none", false, OB_ECRASH, no_sense, false},
    {"frames_beyond", false, OB_ECRASH, no_sense, false},
    {"more_beyond", false, OB_ECRASH, no_sense, false},
    {"more_huge", false, OB_ECRASH, no_sense, false},
    {"more_without_frames", false, OB_ECRASH, no_sense, false},
    {"more_backwards", false, OB_ECRASH, no_sense, false},
    {"look_beyond", false, OB_ECRASH, no_sense, false},
    {"incomplete_beyond", false, OB_ECRASH, no_sense, false},
    {"unseen_beyond", false, OB_ECRASH, no_sense, false},
    {"quality_less", false, OB_ECRASH, no_sense, false},
    {"quality_beyond", false, OB_ECRASH, no_sense, false},
    {"quality_of_more", false, OB_ECRASH, no_sense, false},
    {"all_ones", false, OB_ECRASH, no_sense, false},
    {"all_zero", false, OB_ECRASH, no_sense, false},
    {"all_but_number", false, OB_ECRASH, no_sense, false},
    {"once_more", false, OB_OK, "", true},
    {"once_empty", false, OB_OK, "", true},
    {"flood", false, OB_OK, "", true},
};

static ob_job_result try_attempt(ob_worker *worker, const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "EVIL %s\n", name);
    ob_job_result result = do_bytes(worker, line, strlen(line), false);
    for (const char *p = result.error.text; *p; p++)
        assert_true(*p >= ' ' && *p < 0x7F);
    return result;
}

static ob_worker *start_hostile(told *told, unsigned cpu_ms, unsigned time_ms)
{
    const ob_worker_options options = {.program = OB_HOSTILE_WORKER,
                                       .cpu_ms = cpu_ms,
                                       .time_ms = time_ms,
                                       .problem = on_problem,
                                       .context = told};
    ob_worker *worker = NULL;
    ob_error err = {0};
    if (ob_worker_start(&worker, &options, &err))
        fail_msg("%s", err.text);
    return worker;
}

/* An innocent file is none the worse, neither in a process of its own nor after the other one. */
static void expect_innocents(ob_worker *worker, ob_worker *neighbour, int process)
{
    assert_int_equal(do_bytes(neighbour, "yes", 3, false).status, OB_OK);
    assert_int_equal(ob_worker_process(neighbour), process);
    assert_int_equal(do_bytes(worker, "yes", 3, false).status, OB_OK);
}

static void whatever_a_hostile_worker_tries_costs_it_its_life(void **state)
{
    (void)state;
    told told = {0}, none = {0};
    const unsigned before = descriptors(), threads = entries("/proc/self/task");
    ob_worker *worker = start_hostile(&told, 3000, 600000);
    ob_worker *neighbour = start_hostile(&none, 0, 60000);
    const int process = ob_worker_process(neighbour);
    const unsigned with_workers = descriptors();
    long resident = 0;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        const attempt *a = &attempts[i];
        if (a->left_out)
            continue;
        const int victim = ob_worker_process(worker);
        const unsigned count = told.count;
        const ob_job_result result = try_attempt(worker, a->name);
        print_message("# %s: %s\n", a->name, result.error.text);
        assert_int_equal(result.status, a->status);
        assert_non_null(strstr(result.error.text, a->why));
        if (a->status || a->late) { /* it is dead, and told of; the time is the caller's */
            expect_innocents(worker, neighbour, process);
            assert_int_not_equal(ob_worker_process(worker), victim);
            assert_int_equal(kill(victim, 0), -1);
        }
        if (a->status) {
            assert_true(told.count > count); /* twice where it had other files before */
            assert_non_null(strstr(told.last, "a worker was lost"));
        }
        expect_innocents(worker, neighbour, process);
        assert_int_equal(descriptors(), with_workers);
        if (i == sizeof attempts / sizeof *attempts / 2)
            resident = resident_kb();
    }
    assert_int_equal(none.count, 0);
    assert_true(resident_kb() < resident + 20000);
    ob_worker_stop(worker);
    ob_worker_stop(neighbour);
    assert_int_equal(descriptors(), before);
    assert_int_equal(entries("/proc/self/task"), threads);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
}

static void random_packets_cost_the_process_that_sends_them(void **state)
{
    (void)state;
    told told = {0}, none = {0};
    ob_worker *worker = start_hostile(&told, 0, 600000);
    ob_worker *neighbour = start_hostile(&none, 0, 600000);
    const unsigned with_workers = descriptors(), threads = entries("/proc/self/task");
    const uint64_t count = test_samples("OBHUT_WORKER_PACKETS", 100);
    long resident = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (i == count / 2)
            resident = resident_kb();
        const ob_job_result result = try_attempt(worker, "send_random");
        assert_true(result.status <= 0 && result.status >= OB_STATUS_LEAST);
        if (i % 8)
            continue;
        assert_int_equal(do_bytes(neighbour, "yes", 3, false).status, OB_OK);
        assert_int_equal(do_bytes(worker, "yes", 3, false).status, OB_OK);
        assert_int_equal(descriptors(), with_workers);
    }
    assert_int_equal(none.count, 0);
    assert_int_equal(entries("/proc/self/task"), threads);
#ifdef OB_SANITIZED /* which keep what was freed for a while */
    (void)resident;
#else
    assert_true(resident_kb() < resident + 20000);
#endif
    ob_worker_stop(worker);
    ob_worker_stop(neighbour);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Neither computing nor sleeping, and with the timer of its own switched off: the clock is ours. */
static void a_hostile_worker_that_does_not_answer_is_ended_on_time(void **state)
{
    (void)state;
    static const char *const names[] = {"loop_untimed", "wait_for_ever", "listen_for_ever"};
    told told = {0}, none = {0};
    ob_worker *worker = start_hostile(&told, 0, 500);
    ob_worker *neighbour = start_hostile(&none, 0, 60000);
    const int process = ob_worker_process(neighbour);
    for (unsigned i = 0; i < 3; i++) {
        const ob_job_result result = try_attempt(worker, names[i]);
        assert_int_equal(result.status, OB_ETIME);
        assert_non_null(strstr(result.error.text, "not decoded within 500 ms"));
        assert_int_equal(told.count, i + 1);
        assert_int_equal(do_bytes(neighbour, "yes", 3, false).status, OB_OK);
        assert_int_equal(ob_worker_process(neighbour), process);
    }
    ob_worker_stop(worker);
    ob_worker_stop(neighbour);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Beside those of each job, which a hostile one can switch off. */
static void a_process_has_a_limit_for_its_life(void **state)
{
    (void)state;
    told told = {0};
    ob_worker *worker = start_hostile(&told, 3000, 60000);
    char path[64], line[256];
    unsigned long soft = 0, hard = 0;
    snprintf(path, sizeof path, "/proc/%d/limits", ob_worker_process(worker));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Max cpu time %lu %lu", &soft, &hard) == 2)
            break;
    fclose(file);
    assert_int_equal(soft, 60 + 4);
    assert_int_equal(hard, soft + 1);
    ob_worker_stop(worker);
}

/* ---- Whose files a process gets -------------------------------------------------------------- */

static ob_job_result do_for(ob_worker *worker, uint64_t client, const char *bytes)
{
    int file = sealed(bytes, strlen(bytes));
    const ob_job job = {.wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH},
                        .permit = ob_own_files_permit,
                        .size = strlen(bytes),
                        .client = client};
    ob_job_result result;
    ob_error err = {0};
    if (ob_worker_do(&result, worker, &job, file, &err))
        fail_msg("%s", err.text);
    close(file);
    return result;
}

static void a_process_gets_the_files_of_one_client(void **state)
{
    (void)state;
    static const char secret[] = "somebody's private picture, 32 bytes and more";
    told told = {0};
    ob_worker *worker = start_hostile(&told, 0, 60000);
    ob_hash256 taken;
    memcpy(&taken, secret, sizeof taken);
    int process = ob_worker_process(worker);
    for (uint64_t client = 1; client < 4; client++) {
        do_for(worker, client, secret); /* which it keeps, and tells in the next hash */
        assert_true((ob_worker_process(worker) == process) == (client == 1));
        process = ob_worker_process(worker);
        const ob_job_result own = do_for(worker, client, "EVIL nothing\n");
        assert_memory_equal(&own.media.pdq.hash[0], &taken, sizeof taken);
        assert_int_equal(ob_worker_process(worker), process);
        const ob_job_result others = do_for(worker, client + 100, "EVIL nothing\n");
        assert_memory_not_equal(&others.media.pdq.hash[0], &taken, sizeof taken);
        assert_int_not_equal(ob_worker_process(worker), process);
        process = ob_worker_process(worker);
    }
    assert_int_equal(told.count, 0);
    ob_worker_stop(worker);
}

static void clients_in_turn_keep_their_processes(void **state)
{
    (void)state;
    const ob_worker_options options = {.program = OB_WORKER};
    ob_workers *workers = NULL;
    assert_int_equal(ob_workers_start(&workers, &options, NULL), OB_OK);
    const unsigned one = children();
    unsigned most = 0;
    for (unsigned i = 0; i < 40; i++) {
        int file = sealed("GIF89a", 6);
        const ob_job job = {.wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH},
                            .permit = ob_own_files_permit,
                            .size = 6,
                            .client = i < 20 ? i % 3 : i % 7};
        ob_job_result result;
        assert_int_equal(ob_workers_do(&result, workers, &job, file, NULL), OB_OK);
        assert_int_equal(result.status, OB_EFORMAT);
        close(file);
        const unsigned now = children();
        most = now > most ? now : most;
        if (i >= 2 && i < 20)
            assert_int_equal(now, 3);
    }
    assert_int_equal(one, 1);
    assert_int_equal(most, 4); /* however many clients there are */
    ob_workers_stop(workers);
}

/* ---- Starting -------------------------------------------------------------------------------- */

static void what_is_no_worker_is_told_of(void **state)
{
    (void)state;
    /* no hello ever comes from this one */
    const ob_worker_options silent = {.program = "/bin/true"};
    ob_worker *worker = NULL;
    ob_error err = {0};
    assert_int_equal(ob_worker_start(&worker, &silent, &err), OB_EIO);
    const ob_worker_options missing = {.program = "/no/such/program"};
    assert_int_equal(ob_worker_start(&worker, &missing, &err), OB_EIO);
    const ob_worker_options unknown = {.program = "no-such-program"};
    assert_int_equal(ob_worker_start(&worker, &unknown, &err), OB_ENOTFOUND);
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void answers_that_make_no_sense_are_no_answers(void **state)
{
    (void)state;
    const worker_job job = {
        .number = 7, .wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH}, .digests = OB_DIGEST_MD5};
    const worker_result good = {
        .number = 7,
        .digested = OB_DIGEST_MD5,
        .media = {.format = OB_FORMAT_GIF, .width = 5, .height = 5, .orientation = 1, .frames = 9}};
    ob_job_result out;
    bool refused;
    assert_true(worker_take_result(&out, &refused, &good, &job));
    uint64_t samples = test_samples("OBHUT_MUTATIONS", 2000) * 10;
    test_random r = test_sampled(17);
    for (uint64_t i = 0; i < samples; i++) {
        worker_result bad = good;
        uint8_t *bytes = (uint8_t *)&bad;
        for (uint64_t k = 0; k <= i % 4; k++)
            bytes[test_below(&r, sizeof bad)] = (uint8_t)test_next(&r);
        if (!worker_take_result(&out, &refused, &bad, &job))
            continue;
        assert_true(out.status <= 0 && out.status >= OB_STATUS_LEAST);
        assert_true(out.media.format < OB_FORMATS && out.media.more_count < OB_MEDIA_HASHES);
        assert_true(out.digested == OB_DIGEST_MD5 || !out.digested);
        assert_true(!out.status == !*out.error.text);
        assert_true(strlen(out.error.text) < sizeof out.error.text);
    }
}

/* Every reason has a sentence and a status; numbers that it does not have are no answer. */
static void every_reason_is_a_sentence_of_ours(void **state)
{
    (void)state;
    const worker_job job = {.number = 7, .wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH}};
    for (uint32_t reason = 1; reason < WORKER_REASONS; reason++) {
        worker_result r = {.number = 7, .fault.reason = reason};
        ob_job_result out;
        bool refused;
        assert_true(worker_take_result(&out, &refused, &r, &job));
        assert_true(out.status < 0 && strlen(out.error.text) > 5);
        assert_null(strpbrk(out.error.text, "@#%"));
        assert_int_equal(refused, reason == WORKER_NO_PERMIT);
        r.fault.at = UINT32_MAX;
        assert_false(worker_take_result(&out, &refused, &r, &job));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_hashes_as_its_caller_would),
        cmocka_unit_test(a_worker_is_kept_and_replaced_without_a_trace),
        cmocka_unit_test(whatever_a_hostile_worker_tries_costs_it_its_life),
        cmocka_unit_test(random_packets_cost_the_process_that_sends_them),
        cmocka_unit_test(a_process_has_a_limit_for_its_life),
        cmocka_unit_test(a_hostile_worker_that_does_not_answer_is_ended_on_time),
        cmocka_unit_test(a_process_gets_the_files_of_one_client),
        cmocka_unit_test(clients_in_turn_keep_their_processes),
        cmocka_unit_test(what_is_no_worker_is_told_of),
        cmocka_unit_test(answers_that_make_no_sense_are_no_answers),
        cmocka_unit_test(every_reason_is_a_sentence_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
