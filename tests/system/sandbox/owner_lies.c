/* A worker hears an owner that talks nonsense: every kind, every length, replays, foreign permits,
 * out of order. It looks at no file without a permit, leaves nothing open and ends. */
#include "packets.h"
#include "worker_ear.h"

enum { JOBS = 16 }; /* that wait for one worker */

static uint8_t jobs[JOBS][FLAT_MOST];
static size_t sizes[JOBS];

static size_t nonsense(uint8_t *bytes, size_t size, test_random *r)
{
    switch (test_below(r, 4)) {
    case 0:
        return test_mutate(r, bytes, size);
    case 1: { /* another kind */
        const uint32_t kind = (uint32_t)test_below(r, WORKER_MESSAGES + 2);
        memcpy(bytes + offsetof(wire_head, kind), &kind, sizeof kind);
        return size;
    }
    default:
        return sizeof(wire_head) +
               test_mutate(r, bytes + sizeof(wire_head), size - sizeof(wire_head));
    }
}

static void what_an_owner_says_is_done_with_a_permit_or_not_at_all(void **state)
{
    static uint8_t bytes[FLAT_MOST];
    const uint64_t samples = test_samples("OBHUT_PACKETS", 5000);
    test_random r = test_sampled(43);
    worker_ear e = {.far = -1};
    (void)state;
    assert_int_equal(ob_epoch_page_new(&e.epochs, NULL), OB_OK);
    const int file = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(file, "a file", 6), 6);
    unsigned before = 0;
    for (uint64_t sent = 0, round = 0; sent < samples; round++) {
        unsigned good = 0;
        const bool welcomed = test_below(&r, 20) > 0;
        worker_ear_open(&e);
        ob_packet p = worker_ear_welcome(&e);
        size_t size = flat(bytes, &p);
        if (!welcomed)
            size = nonsense(bytes, size, &r);
        worker_ear_send(&e, bytes, size, test_below(&r, 20) || welcomed ? p.file : -1);
        bool goes_on = true;
        for (unsigned i = 0; i < JOBS && sent < samples; i++, sent++) {
            p = worker_ear_job(&e, test_next(&r), file, 6);
            sizes[i] = flat(jobs[i], &p);
            ob_packet_free(&p);
            if (round % 4 == 0) { /* a worker that hears nothing but what makes sense */
                good++;
            } else if (!test_below(&r, 4) && i) {
                const size_t replay = test_below(&r, i);
                memcpy(jobs[i], jobs[replay], sizes[replay]);
                sizes[i] = sizes[replay];
            } else if (!test_below(&r, 3)) {
                sizes[i] = nonsense(jobs[i], sizes[i], &r);
            }
            goes_on &= worker_ear_send(&e, jobs[i], sizes[i],
                                       test_below(&r, 30) || !(round % 4) ? file : -1);
        }
        const unsigned decoded = worker_ear_decoded;
        const unsigned results = worker_ear_live(&e);
        assert_true(worker_ear_decoded - decoded <= results);
        if (welcomed && goes_on && round % 4 == 0)
            assert_int_equal(worker_ear_decoded - decoded, good);
        if (!before)
            before = open_files();
        assert_int_equal(open_files(), before);
    }
    ob_epoch_page_free(e.epochs);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_owner_says_is_done_with_a_permit_or_not_at_all),
    };
    worker_ear_reserve();
    return cmocka_run_group_tests_name("sandbox_owner_lies", tests, NULL, NULL);
}
