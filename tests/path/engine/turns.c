/* Clients take turns at the decoders: shown by the order in which files are done, never by time. */
#include "engine_place.h"

#include <dirent.h>

enum { GREEDY = 100 };

typedef struct turns {
    waiting w; /* first: on_done's */
    ob_scan one[GREEDY + 8];
} turns;

static turns *turns_new(void)
{
    turns *all = calloc(1, sizeof *all);
    assert_non_null(all);
    pthread_mutex_init(&all->w.lock, NULL);
    pthread_cond_init(&all->w.more, NULL);
    return all;
}

static void turns_free(turns *all)
{
    pthread_mutex_destroy(&all->w.lock);
    pthread_cond_destroy(&all->w.more);
    free(all);
}

static void hand_in(place *p, turns *all, unsigned from, unsigned to, const char *client)
{
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    ob_error err = {0};
    for (unsigned k = from; k < to; k++) {
        ob_scan *t = &all->one[k];
        *t = scan_for(&i, NULL);
        t->work.done = on_done;
        t->work.context = all;
        snprintf(t->work.client, sizeof t->work.client, "%s", client);
        pthread_mutex_lock(&all->w.lock);
        all->w.left++;
        pthread_mutex_unlock(&all->w.lock);
        must(ob_engine_scan(p->engine, t, &err), &err);
    }
}

/* The process of a decoder, in the order in which they were started; 0: there are not so many. */
static int decoder(unsigned number)
{
    char path[300];
    int found[2] = {0, 0};
    unsigned count = 0;
    DIR *threads = opendir("/proc/self/task");
    assert_non_null(threads);
    for (const struct dirent *one; (one = readdir(threads));) {
        snprintf(path, sizeof path, "/proc/self/task/%s/children", one->d_name);
        FILE *file = *one->d_name == '.' ? NULL : fopen(path, "r");
        while (file && count < 2 && fscanf(file, "%d", &found[count]) == 1)
            count++;
        if (file)
            fclose(file);
    }
    closedir(threads);
    if (number >= count)
        return 0;
    return (found[0] < found[1]) == (number == 0) || count == 1 ? found[0] : found[1];
}

/* The one decoder of what is brief, which stands still from now on, or goes on. */
static void signal_decoder(int which)
{
    assert_int_equal(kill(decoder(0), which), 0);
}

/* Until one of so many has begun. */
static void wait_begun(place *p, unsigned count)
{
    ob_engine_counts now;
    unsigned tries = 0;
    do {
        assert_true(test_wait(&tries));
        ob_engine_count(&now, p->engine);
    } while (now.waiting >= count);
}

static void let_go(turns *all, unsigned count)
{
    signal_decoder(SIGCONT);
    wait_for(&all->w);
    for (unsigned k = 0; k < count; k++) {
        assert_int_equal(all->one[k].work.status, OB_OK);
        ob_scan_clear(&all->one[k]);
    }
}

/* Which of so many a one was that was begun, from 1. */
static unsigned place_of(const turns *all, unsigned which, unsigned count)
{
    unsigned at = 1;
    for (unsigned k = 0; k < count; k++)
        at += all->one[k].work.sat_us < all->one[which].work.sat_us;
    return at;
}

static void a_neighbours_file_is_next_whatever_another_has_waiting(void **state)
{
    place *p = *state;
    turns *all = turns_new();
    signal_decoder(SIGSTOP);
    hand_in(p, all, 0, GREEDY, "token greedy");
    wait_begun(p, GREEDY);
    hand_in(p, all, GREEDY, GREEDY + 1, "token neighbour");
    let_go(all, GREEDY + 1);
    assert_int_equal(place_of(all, GREEDY, GREEDY + 1), 2); /* behind the one that had begun */
    turns_free(all);
}

static void clients_of_the_same_kind_of_file_take_turns(void **state)
{
    enum { OTHERS = 8 };
    place *p = *state;
    turns *all = turns_new();
    signal_decoder(SIGSTOP);
    hand_in(p, all, 0, GREEDY, "token greedy");
    wait_begun(p, GREEDY);
    hand_in(p, all, GREEDY, GREEDY + OTHERS, "gateway other");
    let_go(all, GREEDY + OTHERS);
    unsigned last = 0;
    for (unsigned k = GREEDY; k < GREEDY + OTHERS; k++) {
        const unsigned at = place_of(all, k, GREEDY + OTHERS);
        last = at > last ? at : last;
    }
    assert_true(last < GREEDY); /* long before the hundred are through: how long is for the clock */
    turns_free(all);
}

/* ---- What is long ----------------------------------------------------------------------------
 */

/* 16,383 x 16,383 pixels of one colour. */
static const uint8_t webp_of_40_bytes[] = {
    'R',  'I',  'F',  'F', 0x20, 0,    0,    0,    'W',  'E',  'B',  'P',  'V',  'P',
    '8',  'L',  0x14, 0,   0,    0,    0x2f, 0xfe, 0xbf, 0xff, 0x0f, 0x07, 0x50, 0x81,
    0x54, 0x08, 0x20, 0,   0x0a, 0x9a, 0xfe, 0xc7, 0x88, 0x88, 0xfe, 0x07};

static void hand_in_long(place *p, turns *all, unsigned which)
{
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    ob_error err = {0};
    ob_scan *t = &all->one[which];
    *t = scan_for(&i, NULL);
    t->work.done = on_done;
    t->work.context = all;
    assert_int_equal(ftruncate(t->file.file, 0), 0);
    assert_int_equal(pwrite(t->file.file, webp_of_40_bytes, sizeof webp_of_40_bytes, 0),
                     sizeof webp_of_40_bytes);
    t->file.size = sizeof webp_of_40_bytes;
    snprintf(t->work.client, sizeof t->work.client, "token neighbour"); /* not even its own */
    must(ob_engine_scan(p->engine, t, &err), &err);
}

static int nice_of(int process)
{
    return getpriority(PRIO_PROCESS, (id_t)process);
}

static void a_brief_file_does_not_wait_for_a_long_one(void **state)
{
    place *p = *state;
    turns *all = turns_new();
    unsigned tries = 0;
    hand_in_long(p, all, 1);
    while (!decoder(1)) /* the long one has one of its own */
        assert_true(test_wait(&tries));
    const int of_long = decoder(1), mine = nice_of(decoder(0));
    assert_int_equal(kill(of_long, SIGSTOP), 0);
    hand_in(p, all, 0, 1, "token neighbour");
    wait_for(&all->w);
    assert_int_equal(all->one[0].work.decision.action, OB_ACTION_ALLOW);
    assert_int_equal(nice_of(of_long), mine + 10 < 19 ? mine + 10 : 19);
    pthread_mutex_lock(&all->w.lock);
    all->w.left++;
    pthread_mutex_unlock(&all->w.lock);
    assert_int_equal(kill(of_long, SIGCONT), 0);
    wait_for(&all->w);
    ob_scan_clear(&all->one[0]);
    ob_scan_clear(&all->one[1]);
    turns_free(all);
}

static void a_file_that_turns_out_to_be_long_is_tried_again_among_those(void **state)
{
    place *p = *state;
    turns *all = turns_new();
    ob_engine_counts now;
    signal_decoder(SIGSTOP);
    hand_in(p, all, 0, 1, "token greedy");
    wait_begun(p, 1);
    assert_int_equal(kill(decoder(0), SIGPROF), 0); /* as its clock would */
    signal_decoder(SIGCONT);
    wait_for(&all->w);
    assert_int_equal(all->one[0].work.status, OB_OK);
    assert_int_equal(all->one[0].work.decision.action, OB_ACTION_ALLOW);
    assert_true(all->one[0].work.is_long);
    ob_engine_count(&now, p->engine);
    assert_int_equal(now.workers_lost, 0); /* that is no news */
    assert_int_equal(now.slow, 1);
    ob_scan_clear(&all->one[0]);
    turns_free(all);
}

/* ---- Look-ups ---------------------------------------------------------------------------------
 */

enum { QUERIES = OB_QUERIES_MAX };

typedef struct hearing {
    waiting w; /* first: on_done's */
    uint32_t next, most;
    bool in_order;
} hearing;

static void on_found(ob_look_up *l, uint32_t from, uint32_t count)
{
    hearing *h = l->work.context;
    h->in_order &= from == h->next && count;
    h->next = from + count;
    h->most = count > h->most ? count : h->most;
}

static void many_queries_are_looked_up_some_at_a_time(void **state)
{
    place *p = *state;
    static ob_query queries[QUERIES];
    hearing h = {.w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER},
                 .in_order = true};
    ob_error err = {0};
    for (unsigned i = 0; i < QUERIES; i++) {
        queries[i].is_digest = i % 3 == 0;
        ob_random(&queries[i].hash, sizeof queries[i].hash);
    }
    ob_look_up one = {
        .work = {.done = on_done, .context = &h, .item = item(OB_SURFACE_PUBLIC, NULL)},
        .queries = queries,
        .query_count = QUERIES,
        .limit = 100,
        .found = on_found};
    h.w.left = 1;
    must(ob_engine_look_up(p->engine, &one, &err), &err);
    wait_for(&h.w);
    assert_int_equal(one.work.status, OB_OK);
    assert_int_equal(one.work.decision.action, OB_ACTION_ALLOW);
    assert_true(h.in_order);
    assert_int_equal(h.next, QUERIES);
    assert_true(h.most <= 256);
    for (int i = 0; i < OB_QUERY_KINDS; i++)
        assert_null(one.matches.of[i].match); /* nothing is kept */
}

static void note_thread(ob_work *work)
{
    *(pthread_t *)work->context = pthread_self();
}

static void a_brief_look_up_is_done_by_who_asks_for_it(void **state)
{
    place *p = *state;
    ob_query query = {.is_digest = true};
    pthread_t by = 0;
    ob_error err = {0};
    ob_look_up one = {
        .work = {.done = note_thread, .context = &by, .item = item(OB_SURFACE_PUBLIC, NULL)},
        .queries = &query,
        .query_count = 1,
        .limit = 100};
    must(ob_engine_look_up(p->engine, &one, &err), &err);
    assert_true(pthread_equal(by, pthread_self()));
    assert_int_equal(one.work.status, OB_OK);
    assert_int_equal(one.work.decision.action, OB_ACTION_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_neighbours_file_is_next_whatever_another_has_waiting,
                                        begin, end),
        cmocka_unit_test_setup_teardown(clients_of_the_same_kind_of_file_take_turns, begin, end),
        cmocka_unit_test_setup_teardown(a_brief_file_does_not_wait_for_a_long_one, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_turns_out_to_be_long_is_tried_again_among_those,
                                        begin, end),
        cmocka_unit_test_setup_teardown(many_queries_are_looked_up_some_at_a_time, begin, end),
        cmocka_unit_test_setup_teardown(a_brief_look_up_is_done_by_who_asks_for_it, begin, end),
    };
    return cmocka_run_group_tests_name("engine_turns", tests, load_picture, free_picture);
}
