/* What is counted, what stops everything, and withdrawals while everything changes. */
#include "engine_place.h"

#include "fault/clock.h"
#include "fault/files.h"

#include <obhut/records/tally.h>

/* ---- Counting, and what stops everything
 * ------------------------------------------------------------------- */

static uint64_t counted(place *p, ob_reason reason)
{
    ob_tally *tallies = NULL;
    size_t count = 0;
    uint64_t sum = 0;
    ob_error err = {0};
    must(ob_counts_flush(ob_permits_counts(ob_engine_permits(p->engine)), &err), &err);
    must(READS(p->store, &err, ob_store_tallies(&tallies, &count, view, 0, INT64_MAX, &err)), &err);
    for (size_t i = 0; i < count; i++)
        sum += tallies[i].reason == reason ? tallies[i].count : 0;
    free(tallies);
    return sum;
}

static void a_retry_is_counted_once(void **state)
{
    place *p = *state;
    ob_item a = item(OB_SURFACE_STORAGE, "anna"), b = item(OB_SURFACE_STORAGE, "anna");
    for (int k = 0; k < 20; k++) {
        ask(p, &a);
        scan(p, &a);
    }
    assert_int_equal(counted(p, OB_NO_BASIS), 1);
    scan(p, &b);
    assert_int_equal(counted(p, OB_NO_BASIS), 2);
    ob_engine_close(p->engine); /* and after a restart on the same day */
    open_engine(p, 1);
    scan(p, &a);
    assert_int_equal(counted(p, OB_NO_BASIS), 2);
    for (int k = 0; k < 3000; k++) { /* more than a small table holds */
        ob_item other = item(OB_SURFACE_STORAGE, "anna");
        ask(p, &other);
        ask(p, &other);
    }
    assert_int_equal(counted(p, OB_NO_BASIS), 3002);
    a = item(OB_SURFACE_PUBLIC, NULL);
    for (int k = 0; k < 5; k++)
        assert_string_equal(scan(p, &a), "ALLOWED");
    assert_int_equal(counted(p, OB_ALLOWED), 5); /* every look counts */
}

static void what_cannot_be_recorded_does_not_happen(void **state)
{
    place *p = *state;
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    const ob_item denied = item(OB_SURFACE_STORAGE, "anna");
    assert_string_equal(scan(p, &i), "ALLOWED");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0; /* a disk without room */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    ask(p, &denied);
    ob_error err = {0};
    ob_status full = ob_counts_flush(ob_permits_counts(ob_engine_permits(p->engine)), &err);
    const ob_gate_decision d = ask(p, &i);
    ob_hindrance hindrance = ob_engine_hindrance(p->engine, &d, OB_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(full && *err.text);
    assert_int_equal(d.reason, OB_NO_AUDIT);
    ob_engine_counts counts;
    ob_engine_count(&counts, p->engine);
    assert_true(hindrance == OB_HINDRANCE_LOG || hindrance == OB_HINDRANCE_RECORDS);
    assert_int_equal(counts.could_not[hindrance], 1);
    assert_int_equal(counts.denied_reason[OB_NO_AUDIT] + counts.denied[OB_SURFACE_PUBLIC], 0);
    must(ob_counts_flush(ob_permits_counts(ob_engine_permits(p->engine)), &err), &err);
    assert_string_equal(scan(p, &i), "ALLOWED");
}

static void what_was_allowed_at_its_head_and_cannot_be_looked_at_now_could_not(void **state)
{
    place *p = *state;
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .left = 1};
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL), denied = item(OB_SURFACE_STORAGE, "anna");
    assert_true(ask(p, &i).allow);
    ob_scan one = scan_for(&i, &w);
    ob_error err = {0};
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0; /* a disk without room */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    ask(p, &denied);
    ob_status full = ob_counts_flush(ob_permits_counts(ob_engine_permits(p->engine)), NULL);
    must(ob_engine_scan(p->engine, &one, &err), &err);
    wait_for(&w);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    ob_engine_counts counts;
    ob_engine_count(&counts, p->engine);
    assert_true(full);
    assert_int_equal(one.work.status, OB_OK);
    assert_int_equal(one.work.decision.action, OB_ACTION_COULD_NOT);
    assert_true(one.work.decision.hindrance == OB_HINDRANCE_LOG ||
                one.work.decision.hindrance == OB_HINDRANCE_RECORDS);
    assert_null(one.file.result);
    assert_int_equal(counts.could_not[one.work.decision.hindrance], 1);
    assert_int_equal(counts.denied_reason[OB_NO_AUDIT], 0);
    ob_scan_clear(&one);
}

typedef struct crowd {
    ob_act_job job; /* first */
    atomic_uint *done;
} crowd;

static void on_act_done(ob_act_job *job)
{
    atomic_fetch_add(((crowd *)job)->done, 1);
}

/* While the first act is on its way to the disk, so many wait behind it that there is no room for
 * one more; under a clock that stands, so that none of them has waited too long. */
static void acts_that_find_no_room_are_told_as_busy(void **state)
{
    enum { ACTS = 1 + 16384 };
    place *p = *state;
    crowd *all = calloc(ACTS, sizeof *all);
    atomic_uint done = 0;
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL), denied = item(OB_SURFACE_STORAGE, "anna");
    unsigned tries = 0;
    assert_non_null(all);
    files_begin();
    clock_stand(ob_now());
    int held = files_add(
        &(files_rule){.path = "audit/log", .verbs = 1u << OB_FILE_SYNC, .nth = 1, .holds = true});
    for (int k = 0; k < ACTS; k++) {
        all[k] = (crowd){.job = {.what = "second", .done = on_act_done}, .done = &done};
        ob_acts_post(p->acts, &all[k].job);
        if (!k)
            files_await(held, 1);
    }
    assert_int_equal(atomic_load(&done), 0);
    crowd more = {.job = {.what = "second", .done = on_act_done}, .done = &done};
    ob_acts_post(p->acts, &more.job);
    assert_int_equal(more.job.status, OB_EBUSY);
    assert_int_equal(ob_engine_hindrance(p->engine, NULL, more.job.status), OB_HINDRANCE_BUSY);
    ask(p, &denied); /* a count, which is an act too */
    assert_int_equal(ob_counts_flush(ob_permits_counts(ob_engine_permits(p->engine)), NULL),
                     OB_EBUSY);
    const ob_gate_decision d = ask(p, &i);
    ob_engine_counts counts;
    ob_engine_count(&counts, p->engine);
    assert_int_equal(d.reason, OB_NO_AUDIT);
    assert_int_equal(ob_engine_hindrance(p->engine, &d, OB_OK), OB_HINDRANCE_BUSY);
    assert_true(!counts.audit_ok && counts.counts_busy);
    assert_int_equal(counts.could_not[OB_HINDRANCE_BUSY], 1);
    files_release(held);
    while (atomic_load(&done) < ACTS + 1)
        assert_true(test_wait(&tries));
    for (int k = 0; k < ACTS; k++)
        assert_int_equal(all[k].job.status, OB_OK);
    ob_error err = {0};
    clock_real();
    files_end();
    for (int k = 0; k < 2; k++) /* what was counted before and after the first try */
        must(ob_counts_flush(ob_permits_counts(ob_engine_permits(p->engine)), &err), &err);
    assert_string_equal(scan(p, &i), "ALLOWED");
    free(all);
}

static void what_waits_while_the_engine_ends_is_told_that_it_stops(void **state)
{
    enum { COUNT = 40 };
    place *p = *state;
    waiting w = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .left = COUNT};
    static ob_scan scans[COUNT];
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    ob_error err = {0};
    unsigned stopped = 0;
    for (int k = 0; k < COUNT; k++) {
        scans[k] = scan_for(&i, &w);
        must(ob_engine_scan(p->engine, &scans[k], &err), &err);
    }
    ob_engine_close(p->engine);
    wait_for(&w);
    for (int k = 0; k < COUNT; k++) {
        bool told = scans[k].work.status == OB_EBUSY;
        assert_int_equal(scans[k].work.status, told ? OB_EBUSY : OB_OK);
        assert_int_equal(scans[k].work.decision.hindrance,
                         told ? OB_HINDRANCE_STOPPING : OB_HINDRANCE_NONE);
        assert_int_equal(scans[k].work.decision.action == OB_ACTION_COULD_NOT, told);
        stopped += told;
        ob_scan_clear(&scans[k]);
    }
    assert_true(stopped > 0);
    open_engine(p, 1);
}

static ob_status accept_clock(ob_act *act, void *engine, ob_error *err)
{
    return ob_permits_accept_clock(ob_engine_permits(engine), act, err);
}

static void a_clock_that_was_set_back_stops_everything(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    assert_string_equal(scan(p, &i), "ALLOWED");
    must(ob_counts_flush(ob_permits_counts(ob_engine_permits(p->engine)), &err), &err);
    int64_t mark = 0;
    must(READS(p->store, &err, ob_store_clock(&mark, view, &err)), &err);
    assert_true(mark >= ob_now() - 60);
    ob_engine_close(p->engine);
    must(WRITES(p->store, &err, ob_store_clock_set(w, ob_now() + 3600, &err)),
         &err); /* the last permit: in an hour */
    open_engine(p, 1);
    assert_string_equal(ob_permits_clock(ob_engine_permits(p->engine), ob_now()), "backwards");
    assert_string_equal(scan(p, &i), "CLOCK");
    must(ob_acts_do(NULL, p->acts, "clock.accept", NULL, accept_clock, p->engine, &err), &err);
    assert_string_equal(ob_permits_clock(ob_engine_permits(p->engine), ob_now()), "ok");
    assert_string_equal(scan(p, &i), "ALLOWED");
}

/* ---- While everything changes
 * --------------------------------------------------------------------------------- */

typedef struct race {
    place *place;
    atomic_uint phase; /* odd: being changed; 4n: consent was given; 4n + 2: withdrawn */
    atomic_bool stop;
    atomic_uint wrong, looked, left_alone;
} race;

static void *keep_scanning(void *argument)
{
    race *r = argument;
    while (!atomic_load(&r->stop)) {
        const ob_item i = item(OB_SURFACE_DIRECT, "anna");
        unsigned before = atomic_load(&r->phase);
        const char *said = scan(r->place, &i);
        bool looked = !strcmp(said, "ALLOWED");
        unsigned after = atomic_load(&r->phase);
        if (!strcmp(said, "BUSY"))
            continue;
        atomic_fetch_add(looked ? &r->looked : &r->left_alone, 1);
        if (before == after && before % 2 == 0 && looked != (before % 4 == 0))
            atomic_fetch_add(&r->wrong, 1);
    }
    return NULL;
}

static int begin_with_two(void **state)
{
    return begin_in(state, 2);
}

static void nothing_is_looked_at_after_a_withdrawal_was_acknowledged(void **state)
{
    enum { THREADS = 3 };
    place *p = *state;
    race r = {.place = p};
    pthread_t threads[THREADS];
    uint64_t changes = test_samples("OBHUT_CHANGES", 1000) / 10;
    set_profile(p, "AA");
    set_consent(p, true, true);
    for (int k = 0; k < THREADS; k++)
        assert_int_equal(pthread_create(&threads[k], NULL, keep_scanning, &r), 0);
    unsigned tries = 0;
    for (uint64_t k = 0; k < changes + 2; k++) {
        const struct timespec moment = {.tv_nsec = 8000000};
        nanosleep(&moment, NULL);
        atomic_fetch_add(&r.phase, 1);
        set_consent(p, k % 2, true);
        atomic_fetch_add(&r.phase, 1);
        /* Where looking takes longer than a change, the last two wait until both were seen. */
        while (k >= changes && atomic_load(k % 2 ? &r.looked : &r.left_alone) <= 5)
            assert_true(test_wait(&tries));
    }
    atomic_store(&r.stop, true);
    for (int k = 0; k < THREADS; k++)
        pthread_join(threads[k], NULL);
    print_message("# %u looked at, %u left alone\n", atomic_load(&r.looked),
                  atomic_load(&r.left_alone));
    assert_int_equal(atomic_load(&r.wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_retry_is_counted_once, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_recorded_does_not_happen, begin, end),
        cmocka_unit_test_setup_teardown(
            what_was_allowed_at_its_head_and_cannot_be_looked_at_now_could_not, begin, end),
        cmocka_unit_test_setup_teardown(acts_that_find_no_room_are_told_as_busy, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_while_the_engine_ends_is_told_that_it_stops,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_was_set_back_stops_everything, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_looked_at_after_a_withdrawal_was_acknowledged,
                                        begin_with_two, end),
    };
    return cmocka_run_group_tests(tests, load_picture, free_picture);
}
