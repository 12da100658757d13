/* Real workers refuse to look without a permit that is for them, for that file, and for now. */
#include "test.h"

#include "sandbox_priv.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int file_of(const void *bytes, size_t size)
{
    int file = memfd_create("test", MFD_CLOEXEC);
    assert_true(file >= 0 && write(file, bytes, size) == (ssize_t)size);
    return file;
}

static ob_worker *start(const ob_epoch_page *epochs)
{
    const ob_worker_options options = {.program = OB_WORKER, .epochs = epochs};
    ob_worker *worker = NULL;
    ob_error err = {0};
    if (ob_worker_start(&worker, &options, &err))
        fail_msg("%s", err.text);
    return worker;
}

/* ---- Makers that cheat ----------------------------------------------------------------------- */

enum { DIGESTS, PDQ }; /* detectors */

typedef enum cheat {
    HONEST,
    NONE,           /* bytes that are no permit */
    OTHER_ITEM,     /* a good permit for another item */
    OTHER_FILE,     /* for the same item in another file */
    OTHER_DETECTOR, /* for digests, and hashing is wanted */
    LATE,           /* over already */
    REPLAY,         /* the one of the job before */
    OTHER_WORKER,   /* sealed for another process */
    OLD_EPOCH,      /* made before a withdrawal */
    FLIPPED,        /* one bit was changed */
    REFUSES,        /* the maker itself says no */
} cheat;

typedef struct maker {
    cheat how;
    ob_permit last;
    ob_holder other;
} maker;

static ob_status make(void *context, ob_permit *out, uint32_t *detectors,
                      const ob_permit_item *item, ob_epochs epochs, const ob_permit_mac *mac,
                      ob_error *err)
{
    maker *m = context;
    ob_permit_use use = {.item = *item,
                         .detectors = *detectors,
                         .epochs = epochs,
                         .now = ob_now(),
                         .monotonic_ms = ob_now_monotonic_ms()};
    const ob_permit_mac others = ob_holder_maker(&m->other);
    if (m->how == REFUSES)
        return ob_fail(err, OB_EREFUSED, "nobody may look");
    if (m->how == OTHER_ITEM)
        use.item.id[0] ^= 1;
    if (m->how == OTHER_FILE)
        use.item.inode++;
    if (m->how == OTHER_DETECTOR)
        use.detectors = 1 << DIGESTS;
    if (m->how == LATE) {
        use.now -= OB_PERMIT_SECONDS + 1;
        use.monotonic_ms -= (OB_PERMIT_SECONDS + 1) * 1000;
    }
    if (m->how == OLD_EPOCH)
        use.epochs.service--;
    ob_status status = ob_permit_own_files(out, &use, m->how == OTHER_WORKER ? &others : mac, err);
    if (m->how == NONE)
        memset(out, 0x5A, sizeof *out);
    if (m->how == FLIPPED)
        out->bytes[60] ^= 4;
    if (m->how == REPLAY)
        *out = m->last;
    m->last = *out;
    return status;
}

static ob_status look(ob_job_result *out, ob_worker *worker, maker *m, const void *bytes,
                      size_t size)
{
    int file = file_of(bytes, size);
    const ob_job job = {.wants = {[OB_EXTRACT_PDQ] = 1 << PDQ},
                        .size = size,
                        .item = {1, 2, 3},
                        .permit = make,
                        .permit_context = m};
    ob_error err = {0};
    ob_status status = ob_worker_do(out, worker, &job, file, &err);
    close(file);
    assert_true(!status || *err.text);
    return status;
}

static const char picture[] = "GIF89a is not enough of a picture";

static void a_worker_refuses_everything_but_its_permit(void **state)
{
    (void)state;
    ob_epoch_page *epochs = NULL;
    assert_int_equal(ob_epoch_page_new(&epochs, NULL), OB_OK);
    ob_epoch_raise(epochs, false);
    ob_worker *worker = start(epochs);
    maker m = {.how = HONEST};
    ob_holder_init(&m.other);
    int process = ob_worker_process(worker);
    for (int round = 0; round < 3; round++)
        for (cheat how = NONE; how <= REFUSES; how++) {
            ob_job_result result;
            m.how = HONEST;
            assert_int_equal(look(&result, worker, &m, picture, sizeof picture), OB_OK);
            assert_int_equal(result.status, OB_EFORMAT); /* it did look */
            m.how = how;
            assert_int_equal(look(&result, worker, &m, picture, sizeof picture), OB_EREFUSED);
        }
    assert_int_equal(ob_worker_process(worker), process); /* and lives */
    ob_worker_stop(worker);
    ob_epoch_page_free(epochs);
}

static void without_a_maker_nobody_looks(void **state)
{
    (void)state;
    ob_worker *worker = start(NULL);
    int file = file_of(picture, sizeof picture);
    const ob_job job = {.wants = {[OB_EXTRACT_PDQ] = 1 << PDQ}, .size = sizeof picture};
    ob_job_result result;
    assert_int_equal(ob_worker_do(&result, worker, &job, file, NULL), OB_EREFUSED);
    close(file);
    ob_worker_stop(worker);
}

/* ---- Withdrawn in the middle ----------------------------------------------------------------- */

static void *withdraw_soon(void *argument)
{
    const struct timespec moment = {.tv_nsec = 60000000};
    nanosleep(&moment, NULL);
    ob_epoch_raise(argument, false);
    return NULL;
}

static void what_is_withdrawn_while_it_is_decoded_is_forgotten(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = test_file(OB_TESTS "/conformance/pdq/images/astronaut-1600.jpg", &size);
    ob_epoch_page *epochs = NULL;
    assert_int_equal(ob_epoch_page_new(&epochs, NULL), OB_OK);
    ob_worker *worker = start(epochs);
    maker m = {.how = HONEST};
    ob_job_result result;
    unsigned forgotten = 0;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        ob_status status = OB_OK;
        ob_epochs before = ob_epochs_now(epochs);
        assert_int_equal(pthread_create(&thread, NULL, withdraw_soon, epochs), 0);
        while (!status && ob_epochs_now(epochs).service == before.service) /* busy all the time */
            status = look(&result, worker, &m, bytes, size);
        pthread_join(thread, NULL);
        forgotten += status == OB_EREFUSED;
        assert_true(!status || status == OB_EREFUSED);
    }
    assert_true(forgotten > 5);
    ob_worker_stop(worker);
    ob_epoch_page_free(epochs);
    free(bytes);
}

/* ---- Other processes ------------------------------------------------------------------------- */

static void a_forked_process_cannot_make_permits(void **state)
{
    (void)state;
    ob_holder holder;
    ob_permit permit;
    ob_holder_init(&holder);
    const ob_permit_use use = {
        .detectors = 1, .now = ob_now(), .monotonic_ms = ob_now_monotonic_ms()};
    const ob_permit_mac mac = ob_holder_maker(&holder), taker = ob_holder_taker(&holder);
    assert_int_equal(ob_permit_own_files(&permit, &use, &mac, NULL), OB_OK);
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        ob_permit_terms terms;
        ob_permit mine;
        bool made = !ob_permit_own_files(&mine, &use, &mac, NULL);
        bool taken = !ob_permit_take(&terms, &permit, &use, &taker, NULL);
        _exit(made || taken ? 1 : 0);
    }
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended) && !WEXITSTATUS(ended));
}

static void others_can_read_epochs_and_not_write_them(void **state)
{
    (void)state;
    ob_epoch_page *epochs = NULL;
    assert_int_equal(ob_epoch_page_new(&epochs, NULL), OB_OK);
    int file = epochs_file(epochs);
    assert_true(mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED);
    assert_int_equal(pwrite(file, "x", 1, 0), -1);
    assert_int_equal(ftruncate(file, 0), -1);
    ob_epoch_page *seen = epochs_open(file);
    assert_non_null(seen);
    ob_epoch_raise(epochs, true);
    ob_epoch_raise(epochs, false);
    ob_epoch_raise(epochs, false);
    assert_int_equal(ob_epochs_now(seen).personal, 1);
    assert_int_equal(ob_epochs_now(seen).service, 2);
    ob_epoch_page_free(seen);
    ob_epoch_page_free(epochs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_refuses_everything_but_its_permit),
        cmocka_unit_test(without_a_maker_nobody_looks),
        cmocka_unit_test(what_is_withdrawn_while_it_is_decoded_is_forgotten),
        cmocka_unit_test(a_forked_process_cannot_make_permits),
        cmocka_unit_test(others_can_read_epochs_and_not_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
