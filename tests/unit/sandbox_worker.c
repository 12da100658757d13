/* What a worker may do, what becomes of one that tries more, and that the next job is none the
 * worse.
 */
#include "test.h"

#include "sandbox_priv.h"

#include <dirent.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int sealed(const void *bytes, size_t size)
{
    int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), size);
    return file;
}

static unsigned descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        count++;
    closedir(dir);
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
    const ob_job job = {.hash = true,
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

static void whatever_a_hostile_worker_tries_costs_it_its_life(void **state)
{
    (void)state;
    static const struct {
        char what;
        ob_status status;
        const char *why;
    } attempts[] = {
#ifndef OB_SANITIZED /* whose filter is wider */
        {'o', OB_ECRASH, "asked for what no decoder needs"},
        {'O', OB_ECRASH, "asked for"},
        {'f', OB_ECRASH, "asked for"},
        {'t', OB_ECRASH, "asked for"},
        {'e', OB_ECRASH, "asked for"},
        {'w', OB_ECRASH, "asked for"},
        {'r', OB_ECRASH, "asked for"},
        {'p', OB_ECRASH, "asked for"},
        {'a', OB_ENOMEM, "said the hostile one?"},
#endif
        {'s', OB_ECRASH, "asked for"},
        {'u', OB_ECRASH, "asked for"},
        {'x', OB_ECRASH, "asked for"},
        {'k', OB_ECRASH, "asked for"},
        {'d', OB_ECRASH, "asked for"},
        {'l', OB_ETIME, "of the processor"},
        {'z', OB_ECRASH, "asked for"},
        {'c', OB_ECRASH, ""},
        {'n', OB_ECRASH, ""},
        {'q', OB_ECRASH, "ended (exit code 0)"},
        {'g', OB_ECRASH, "makes no sense"},
        {'G', OB_ECRASH, "makes no sense"},
        {'D', OB_ECRASH, "makes no sense"},
    };
    told told = {0};
    const ob_worker_options options = {.program = OB_HOSTILE_WORKER,
                                       .cpu_ms = 3000,
                                       .time_ms = 20000,
                                       .problem = on_problem,
                                       .context = &told};
    ob_worker *worker = NULL;
    ob_error err = {0};
    unsigned before = descriptors();
    if (ob_worker_start(&worker, &options, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        unsigned count = told.count;
        ob_job_result result = do_bytes(worker, &attempts[i].what, 1, false);
        print_message("# %c: %s\n", attempts[i].what, result.error.text);
        assert_int_equal(result.status, attempts[i].status);
        assert_non_null(strstr(result.error.text, attempts[i].why));
        assert_null(strchr(result.error.text, '\033'));
        if (attempts[i].status != OB_ENOMEM) { /* and it was told of */
            assert_int_equal(told.count, count + 1);
            assert_non_null(strstr(told.last, "a worker was lost"));
        }
        assert_int_equal(do_bytes(worker, "yes", 3, false).status, OB_OK);
    }
    ob_worker_stop(worker);
    assert_int_equal(descriptors(), before);
}

static void a_worker_that_sleeps_is_ended_on_time(void **state)
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
    const ob_worker_options options = {
        .program = OB_HOSTILE_WORKER, .cpu_ms = 60000, .time_ms = 300};
    assert_int_equal(ob_worker_start(&worker, &options, &err), OB_OK);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    ob_job_result result = do_bytes(worker, "l", 1, false);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(result.status, OB_ETIME);
    assert_non_null(strstr(result.error.text, "not decoded within 300 ms"));
    assert_true(to.tv_sec - from.tv_sec < 30);
    ob_worker_stop(worker);
}

static void answers_that_make_no_sense_are_no_answers(void **state)
{
    (void)state;
    const wire_job job = {.number = 7, .hash = 1, .digests = OB_DIGEST_MD5};
    const wire_result good = {
        .number = 7,
        .digested = OB_DIGEST_MD5,
        .media = {.format = OB_FORMAT_GIF, .width = 5, .height = 5, .orientation = 1, .frames = 9}};
    ob_job_result out;
    assert_true(wire_take_result(&out, &good, &job));
    uint64_t samples = test_samples("OBHUT_MUTATIONS", 2000) * 10;
    test_random r = {17};
    for (uint64_t i = 0; i < samples; i++) {
        wire_result bad = good;
        uint8_t *bytes = (uint8_t *)&bad;
        for (uint64_t k = 0; k <= i % 4; k++)
            bytes[test_below(&r, sizeof bad)] = (uint8_t)test_next(&r);
        if (!wire_take_result(&out, &bad, &job))
            continue;
        assert_true(out.status <= 0 && out.status >= OB_STATUS_LEAST);
        assert_true(out.media.format < OB_FORMATS && out.media.more_count < OB_MEDIA_FRAMES);
        assert_true(out.digested == OB_DIGEST_MD5 || !out.digested);
        assert_true(strlen(out.error.text) < sizeof out.error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_hashes_as_its_caller_would),
        cmocka_unit_test(a_worker_is_kept_and_replaced_without_a_trace),
        cmocka_unit_test(whatever_a_hostile_worker_tries_costs_it_its_life),
        cmocka_unit_test(a_worker_that_sleeps_is_ended_on_time),
        cmocka_unit_test(answers_that_make_no_sense_are_no_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
