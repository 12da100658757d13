/* Time that others take from a worker is not the time of its file. */
#include "test.h"

#include "sandbox_priv.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether the kernel says that no worker has ever had a processor. */
static bool is_starved;

int64_t __real_process_starved_ms(const worker_process *p);
int64_t __wrap_process_starved_ms(const worker_process *p);
int64_t __wrap_process_starved_ms(const worker_process *p)
{
    return is_starved ? process_now_ms() : __real_process_starved_ms(p);
}

static ob_job_result look(unsigned time_ms, const char *what)
{
    const ob_worker_options options = {.program = OB_HOSTILE_WORKER, .time_ms = time_ms};
    const ob_job job = {.wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH},
                        .permit = ob_own_files_permit,
                        .size = strlen(what)};
    const int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ob_worker *worker = NULL;
    ob_job_result result = {0};
    ob_error err = {0};
    assert_int_equal(write(file, what, job.size), job.size);
    if (ob_worker_start(&worker, &options, &err) || ob_worker_do(&result, worker, &job, file, &err))
        fail_msg("%s", err.text);
    ob_worker_stop(worker);
    close(file);
    return result;
}

static void what_others_take_from_a_worker_is_not_its_time(void **state)
{
    (void)state;
    is_starved = false;
    assert_int_equal(look(1000, "EVIL answer_late\n").status, OB_ETIME);
    is_starved = true; /* it answers after a second and a half */
    assert_int_equal(look(1000, "EVIL answer_late\n").status, OB_OK);
}

static void nobody_is_waited_for_without_end(void **state)
{
    (void)state;
    is_starved = true;
    const ob_job_result result = look(100, "EVIL wait_for_ever\n");
    assert_int_equal(result.status, OB_ETIME);
    assert_non_null(strstr(result.error.text, "not decoded within 100 ms"));
}

/* ---- What the kernel says -------------------------------------------------------------------- */

static pid_t compute_on(const cpu_set_t *processor)
{
    const pid_t made = fork();
    if (made)
        return made;
    sched_setaffinity(0, sizeof *processor, processor);
    for (;;)
        ;
}

static void the_kernel_says_who_is_starved(void **state)
{
    (void)state;
    cpu_set_t all, one;
    int first = 0;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    const pid_t both[2] = {compute_on(&one), compute_on(&one)}; /* of one processor */
    const worker_process us = {.id = getpid()}, starved = {.id = both[0]};
    const struct timespec moment = {.tv_nsec = 10000000};
    const int64_t before = __real_process_starved_ms(&us), until = process_now_ms() + 300000;
    while (__real_process_starved_ms(&starved) < 50 && process_now_ms() < until)
        nanosleep(&moment, NULL);
    assert_true(__real_process_starved_ms(&starved) >= 50);
    assert_true(before >= 0);
    for (int i = 0; i < 2; i++) {
        kill(both[i], SIGKILL);
        waitpid(both[i], NULL, 0);
    }
    const worker_process nobody = {.id = both[0]};
    assert_int_equal(__real_process_starved_ms(&nobody), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_take_from_a_worker_is_not_its_time),
        cmocka_unit_test(nobody_is_waited_for_without_end),
        cmocka_unit_test(the_kernel_says_who_is_starved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
