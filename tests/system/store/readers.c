/* Threads that read beside one that writes: no half of a writing, and nobody is told of a
 * withdrawal before every view that begins sees it. */
#include "store_test.h"

#include <obhut/records/conversation.h>
#include <obhut/records/log.h>

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, ROUNDS = 150, SUM = 1000000 };

/* Round n gives the consent at 2n and withdraws it at 2n + 1. */
typedef struct meeting {
    ob_store *store;
    ob_record_key conversation, account;
    int64_t withdrawing;   /* the writer's */
    atomic_llong heard_of; /* the last withdrawal that somebody was told of */
    atomic_bool over;
    atomic_ullong views;
    pthread_mutex_t lock;
    char fault[512]; /* the first one */
} meeting;

static void note_fault(meeting *m, const char *fault)
{
    pthread_mutex_lock(&m->lock);
    if (!m->fault[0])
        snprintf(m->fault, sizeof m->fault, "%s", fault);
    pthread_mutex_unlock(&m->lock);
}

static void must_here(meeting *m, ob_status status, const ob_error *err)
{
    if (status)
        note_fault(m, err->text);
}

/* Those who keep permits hear of it when every view that begins sees it. */
static void hear(void *context, bool personal)
{
    meeting *m = context;
    if (personal && m->withdrawing)
        atomic_store(&m->heard_of, m->withdrawing);
}

static ob_status both_marks(ob_writing *w, int64_t one, ob_error *err)
{
    ob_status status = ob_store_counter_set(w, OB_COUNTER_REAPED, one, err);
    return status ? status : ob_store_counter_set(w, OB_COUNTER_SCRUBBED, SUM - one, err);
}

/* Half of it, undone as a part or as a whole; or all of it. */
static void write_marks(meeting *m, int64_t round)
{
    ob_writing *w;
    ob_error err = {0};
    ob_status status = ob_writing_begin(&w, m->store, &err);
    must_here(m, status, &err);
    if (status)
        return;
    if (round % 3 == 0) {
        must_here(m, ob_writing_part(w, &err), &err);
        must_here(m, ob_store_counter_set(w, OB_COUNTER_REAPED, -round, &err), &err);
        ob_writing_part_end(w, OB_EREFUSED, NULL);
    }
    if (round % 3 == 1) {
        must_here(m, ob_store_counter_set(w, OB_COUNTER_REAPED, -round, &err), &err);
        ob_writing_end(w, OB_EREFUSED, NULL);
    } else {
        status = both_marks(w, round, &err);
        must_here(m, ob_writing_end(w, status, &err), &err);
    }
}

static void give_and_withdraw(meeting *m, int64_t round)
{
    ob_error err = {0};
    uint64_t changed = 0;
    const ob_conversation c = {.id = m->conversation, .is_free = true, .changed_at = 2 * round};
    const ob_member member = {m->account, true};
    m->withdrawing = 0;
    must_here(m, WRITES(m->store, &err, ob_store_conversation_set(w, &c, &member, 1, &err)), &err);
    m->withdrawing = 2 * round + 1;
    must_here(m,
              WRITES(m->store, &err,
                     ob_store_consent_withdraw(&changed, w, &m->account, m->withdrawing, &err)),
              &err);
    if (changed != 1 || atomic_load(&m->heard_of) != m->withdrawing)
        note_fault(m, "a withdrawal was not told of");
}

static void see_sum(meeting *m, ob_view *view)
{
    int64_t one = 0, other = 0;
    ob_error err = {0};
    must_here(m, ob_store_counter(&one, view, OB_COUNTER_REAPED, &err), &err);
    must_here(m, ob_store_counter(&other, view, OB_COUNTER_SCRUBBED, &err), &err);
    if (one + other != SUM)
        note_fault(m, "a view shows half of a writing");
}

static void see_consent(meeting *m, ob_view *view, int64_t known)
{
    bool found = false;
    ob_conversation c = {.members = 0};
    ob_member *members = NULL;
    size_t count = 0;
    ob_error err = {0};
    must_here(m, ob_store_conversation(&found, &c, view, &m->conversation, &err), &err);
    must_here(m, ob_store_members(&members, &count, view, &m->conversation, &err), &err);
    if (known && (!found || c.changed_at < known))
        note_fault(m, "a view that began after a withdrawal shows what was before it");
    if (found && c.consenting != (c.changed_at % 2 == 0))
        note_fault(m, "a view shows a consent that was withdrawn");
    if (count != found || (count && members[0].consents != (c.consenting == 1)))
        note_fault(m, "a view shows a conversation and the members of another instant");
    free(members);
}

static void *read_and_read(void *argument)
{
    meeting *m = argument;
    while (!atomic_load(&m->over)) {
        ob_view *view = NULL;
        ob_error err = {0};
        const int64_t known = atomic_load(&m->heard_of);
        ob_status status = ob_view_open(&view, m->store, &err);
        must_here(m, status, &err);
        if (status)
            break;
        for (int again = 0; again < 2; again++) {
            see_sum(m, view);
            see_consent(m, view, known);
        }
        ob_view_close(view);
        atomic_fetch_add(&m->views, 1);
    }
    return NULL;
}

static void threads_see_no_half_writing_and_every_withdrawal_at_once(void **state)
{
    place *p = *state;
    pthread_t threads[THREADS];
    ob_error err = {0};
    meeting m = {.store = p->store,
                 .conversation = key_of(1),
                 .account = key_of(2),
                 .lock = PTHREAD_MUTEX_INITIALIZER};
    must(WRITES(p->store, &err, both_marks(w, 0, &err)), &err);
    ob_store_on_withdrawal(p->store, hear, &m);
    for (int n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, read_and_read, &m), 0);
    for (int64_t round = 1; round <= ROUNDS; round++) {
        write_marks(&m, round);
        give_and_withdraw(&m, round);
    }
    for (unsigned tries = 0; atomic_load(&m.views) < 2 * THREADS;)
        assert_true(test_wait(&tries));
    atomic_store(&m.over, true);
    for (int n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    print_message("# %d rounds, %llu views\n", ROUNDS, (unsigned long long)atomic_load(&m.views));
    if (m.fault[0])
        fail_msg("%s", m.fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(threads_see_no_half_writing_and_every_withdrawal_at_once),
    };
    return cmocka_run_group_tests_name("store_readers", tests, NULL, NULL);
}
