/* Clients take turns at the decoders: shown by the order in which files are done, never by time. */
#include "engine_place.h"

enum { GREEDY = 100 };

/* A decoder that is held by the end of its first file, and the order in which the others are done.
 */
typedef struct turns {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held, free;
    unsigned done;
    unsigned place[GREEDY + 8]; /* of a task, from 1 */
    ob_task task[GREEDY + 8];
} turns;

static void on_turn(ob_task *t)
{
    turns *all = t->context;
    pthread_mutex_lock(&all->lock);
    if (!all->done) {
        all->held = true;
        pthread_cond_broadcast(&all->changed);
        while (!all->free)
            pthread_cond_wait(&all->changed, &all->lock);
    }
    all->place[t - all->task] = ++all->done;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

static void hand_in(place *p, turns *all, unsigned from, unsigned to, const char *client)
{
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    ob_error err = {0};
    for (unsigned k = from; k < to; k++) {
        ob_task *t = &all->task[k];
        *t = task_for(&i, NULL);
        t->done = on_turn;
        t->context = all;
        snprintf(t->client, sizeof t->client, "%s", client);
        must(ob_engine_add(p->engine, t, &err), &err);
    }
}

static void wait_held(turns *all)
{
    pthread_mutex_lock(&all->lock);
    while (!all->held)
        pthread_cond_wait(&all->changed, &all->lock);
    pthread_mutex_unlock(&all->lock);
}

static void let_go(turns *all, unsigned count)
{
    pthread_mutex_lock(&all->lock);
    all->free = true;
    pthread_cond_broadcast(&all->changed);
    while (all->done < count)
        pthread_cond_wait(&all->changed, &all->lock);
    pthread_mutex_unlock(&all->lock);
    for (unsigned k = 0; k < count; k++) {
        assert_int_equal(all->task[k].status, OB_OK);
        ob_task_clear(&all->task[k]);
    }
}

static turns *turns_new(void)
{
    turns *all = calloc(1, sizeof *all);
    assert_non_null(all);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->changed, NULL);
    return all;
}

static void turns_free(turns *all)
{
    pthread_mutex_destroy(&all->lock);
    pthread_cond_destroy(&all->changed);
    free(all);
}

static void a_neighbours_file_is_next_whatever_another_has_waiting(void **state)
{
    place *p = *state;
    turns *all = turns_new();
    hand_in(p, all, 0, GREEDY, "token greedy");
    wait_held(all);
    hand_in(p, all, GREEDY, GREEDY + 1, "token neighbour");
    let_go(all, GREEDY + 1);
    assert_int_equal(all->place[GREEDY], 2); /* behind the one that had begun */
    turns_free(all);
}

static void clients_of_the_same_kind_of_file_take_turns(void **state)
{
    enum { OTHERS = 8 };
    place *p = *state;
    turns *all = turns_new();
    hand_in(p, all, 0, GREEDY, "token greedy");
    wait_held(all);
    hand_in(p, all, GREEDY, GREEDY + OTHERS, "gateway other");
    let_go(all, GREEDY + OTHERS);
    unsigned last = 0;
    for (unsigned k = 0; k < OTHERS; k++)
        last = all->place[GREEDY + k] > last ? all->place[GREEDY + k] : last;
    assert_true(last < GREEDY); /* long before the hundred are through: how long is for the clock */
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

static void on_found(ob_task *t, uint32_t from, uint32_t count)
{
    hearing *h = t->context;
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
    ob_task task = {.kind = OB_TASK_LOOK_UP,
                    .done = on_done,
                    .context = &h,
                    .item = item(OB_SURFACE_PUBLIC, NULL),
                    .queries = queries,
                    .query_count = QUERIES,
                    .limit = 100,
                    .found = on_found};
    h.w.left = 1;
    must(ob_engine_add(p->engine, &task, &err), &err);
    wait_for(&h.w);
    assert_int_equal(task.status, OB_OK);
    assert_int_equal(task.action, OB_ACTION_ALLOW);
    assert_true(h.in_order);
    assert_int_equal(h.next, QUERIES);
    assert_true(h.most <= 256);
    for (int i = 0; i <= OB_LIST_DIGESTS; i++)
        assert_null(task.matches[i].match); /* nothing is kept */
    ob_task_clear(&task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_neighbours_file_is_next_whatever_another_has_waiting,
                                        begin, end),
        cmocka_unit_test_setup_teardown(clients_of_the_same_kind_of_file_take_turns, begin, end),
        cmocka_unit_test_setup_teardown(many_queries_are_looked_up_some_at_a_time, begin, end),
    };
    return cmocka_run_group_tests_name("engine_turns", tests, load_picture, free_picture);
}
