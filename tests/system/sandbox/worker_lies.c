/* The owner of a worker hears one that lies: every kind, every length, replays, other numbers,
 * answers that were not asked for. It costs that process and its file, and the next file is none
 * the worse. */
#include "owner_ear.h"
#include "packets.h"

#include <sys/mman.h>

typedef struct liar {
    test_random random;
    bool honest;
    uint8_t last[FLAT_MOST]; /* what it sent before, for replays */
    size_t last_size;
} liar;

static void set_media(ob_media_result *m, test_random *r)
{
    *m = (ob_media_result){.format = (ob_format)(1 + test_below(r, OB_FORMATS - 1)),
                           .width = 640,
                           .height = 480,
                           .orientation = 1 + (unsigned)test_below(r, 8),
                           .frames = 9,
                           .more_count = (unsigned)test_below(r, 4)};
}

static ob_packet any_answer(liar *l, const ob_packet *job, bool honest)
{
    static worker_result result;
    test_random *r = &l->random;
    worker_job asked;
    ob_packet copy = *job;
    if (!worker_get_job(&asked, &copy))
        abort();
    result = (worker_result){.number = job->id, .digested = asked.digests};
    if (asked.wants[OB_EXTRACT_PDQ])
        set_media(&result.media, r);
    if (!honest && !test_below(r, 3))
        result.fault.reason = (uint32_t)test_below(r, WORKER_REASONS + 1);
    if (!honest && !test_below(r, 9))
        result.number = test_below(r, 2) ? result.number + 1 : test_next(r);
    const uint32_t kind =
        honest || test_below(r, 9) ? WORKER_RESULT : (uint32_t)test_below(r, WORKER_MESSAGES + 2);
    ob_packet p = ob_packet_of(kind, result.number);
    if (kind == WORKER_RESULT)
        worker_put_result(&p, &result);
    else if (kind == WORKER_JOB)
        worker_put_job(&p, &asked);
    else if (kind == WORKER_HELLO) {
        ob_put_u32(&p, 1);
        ob_put_text(&p, "");
    }
    return p;
}

static void speak(owner_ear *e, const ob_packet *job)
{
    static uint8_t bytes[FLAT_MOST];
    liar *l = e->context;
    test_random *r = &l->random;
    const bool honest = l->honest;
    ob_packet p = any_answer(l, job, honest);
    size_t size = flat(bytes, &p);
    ob_packet_free(&p);
    if (!honest && !test_below(r, 40)) { /* it says nothing, or is gone */
        if (test_below(r, 2))
            owner_ear_let_go(e);
        return;
    }
    if (!honest && !test_below(r, 20) && l->last_size) {
        size = l->last_size;
        memcpy(bytes, l->last, size);
    } else if (!honest && test_below(r, 2)) {
        size = test_below(r, 6) ? sizeof(wire_head) + test_mutate(r, bytes + sizeof(wire_head),
                                                                  size - sizeof(wire_head))
                                : test_mutate(r, bytes, size);
    }
    memcpy(l->last, bytes, size);
    l->last_size = size;
    owner_ear_send(e, bytes, size, honest || test_below(r, 20) ? 0 : test_below(r, 4));
    if (!honest && !test_below(r, 20)) /* nobody asked for that */
        owner_ear_send(e, bytes, test_below(r, 3) ? size : 0, test_below(r, 3));
}

static void count_problem(void *context, const char *sentence)
{
    unsigned *count = context;
    if (!strstr(sentence, "a worker was lost"))
        abort();
    ++*count;
}

/* A result is within its bounds, whatever the worker said. */
static void check(const ob_job_result *out, const ob_job *job)
{
    const ob_media_result *m = &out->media;
    assert_true(out->status <= 0 && out->status >= OB_STATUS_LEAST);
    assert_true((out->status == OB_OK) == !*out->error.text);
    assert_false(out->digested & ~job->digests);
    if (out->status || !job->wants[OB_EXTRACT_PDQ])
        return;
    assert_true(m->width && m->height && m->width <= OB_PDQ_MAX_SIDE && m->format < OB_FORMATS);
    assert_true(m->orientation >= 1 && m->orientation <= 8 && m->more_count < OB_MEDIA_HASHES);
}

static void what_a_worker_says_costs_it_alone(void **state)
{
    static liar l;
    const uint64_t samples = test_samples("OBHUT_PACKETS", 5000);
    unsigned problems = 0;
    owner_ear e = {.far = -1, .speak = speak, .context = &l};
    const ob_worker_options options = {
        .program = "/none", .time_ms = 1, .problem = count_problem, .context = &problems};
    ob_worker *worker = NULL;
    ob_job_result result;
    (void)state;
    l.random = test_sampled(42);
    owner_ear_now = &e;
    const int file = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(file, "a file", 6), 6);
    assert_int_equal(ob_worker_start(&worker, &options, NULL), OB_OK);
    ob_worker_stop(worker);
    const unsigned before = open_files();
    assert_int_equal(ob_worker_start(&worker, &options, NULL), OB_OK);
    for (uint64_t i = 0; i < samples; i++) {
        const bool digests = test_below(&l.random, 2);
        const ob_job job = {
            .wants =
                {[OB_EXTRACT_PDQ] = test_below(&l.random, 4) > 0, [OB_EXTRACT_DIGESTS] = digests},
            .digests = digests ? OB_DIGEST_ALL : 0,
            .permit = ob_own_files_permit,
            .size = 6,
            .client = !test_below(&l.random, 8)};
        l.honest = i % 100 == 99;
        const ob_status status = ob_worker_do(&result, worker, &job, file, NULL);
        if (!status)
            check(&result, &job);
        else
            assert_true(status == OB_EREFUSED || status == OB_EIO);
        if (l.honest && (job.wants[OB_EXTRACT_PDQ] || job.digests))
            assert_true(!status && !result.status);
        if (l.honest) /* epochs, and both ends of the process that runs */
            assert_true(open_files() <= before + 3);
    }
    ob_worker_stop(worker);
    assert_true(problems > samples / 10 && problems <= samples);
    assert_int_equal(open_files(), before);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_worker_says_costs_it_alone),
    };
    return cmocka_run_group_tests_name("sandbox_worker_lies", tests, NULL, NULL);
}
