/* The one thread that writes: acts that wait together share a sync, and fail alone. */
#include "folder.h"
#include "place.h"

#include "acts_priv.h"

#include <obhut/records/incoming.h>
#include <obhut/records/retention.h>

#include "fault/clock.h"
#include "fault/files.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CLIENTS = 16, ACTS = 20 };

static const ob_actor operator= {NULL};

/* ---- What is asked of it --------------------------------------------------------------------- */

static ob_status add_token(ob_act *act, void *context, ob_error *err)
{
    ob_act_word(act, "name", context);
    return place_token_add(act->w, context, err);
}

/* The same, and then it fails. */
static ob_status add_and_refuse(ob_act *act, void *context, ob_error *err)
{
    ob_status status = add_token(act, context, err);
    return status ? status : ob_fail(err, OB_EREFUSED, "nobody may do this here");
}

static ob_status add_and_say_too_much(ob_act *act, void *context, ob_error *err)
{
    static char much[OB_AUDIT_ENTRY_MAX + 1];
    memset(much, 'x', sizeof much);
    much[sizeof much - 1] = '\0';
    ob_act_word(act, "much", much);
    return add_token(act, context, err);
}

/* Entries that have both texts in them. */
typedef struct search {
    const char *one, *other;
    unsigned found;
} search;

static ob_status find(void *context, uint64_t number, const char *text, size_t size, ob_error *err)
{
    search *s = context;
    (void)number, (void)err;
    s->found += memmem(text, size, s->one, strlen(s->one)) != NULL &&
                memmem(text, size, s->other, strlen(s->other)) != NULL;
    return OB_OK;
}

static unsigned entries(memory_place *p, const char *one, const char *other)
{
    char path[300];
    search s = {.one = one, .other = other};
    snprintf(path, sizeof path, "%s/audit", p->dir);
    MUST(ob_audit_read(path, 0, UINT64_MAX, find, &s, &err_));
    return s.found;
}

/* ---- Many at once ---------------------------------------------------------------------------- */

typedef struct client {
    pthread_t thread;
    memory_place *place;
    int number;
    atomic_int failed;
} client;

static ob_status find_token(bool *found, ob_view *view, const char *name, ob_error *err)
{
    ob_token *all = NULL;
    size_t count = 0;
    ob_status status = ob_store_tokens(&all, &count, view, err);
    for (size_t i = 0; i < count; i++)
        *found |= !strcmp(all[i].name, name);
    free(all);
    return status;
}

/* Both are there as soon as somebody was told so. */
static bool is_kept(memory_place *p, const char *name, uint64_t entry)
{
    char path[300], quoted[40];
    bool found = false;
    ob_error err = {0};
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    snprintf(path, sizeof path, "%s/audit", p->dir);
    search s = {.one = "token.add", .other = quoted};
    return !READS(p->store, &err, find_token(&found, view, name, &err)) && found &&
           !ob_audit_read(path, entry, entry, find, &s, &err) && s.found == 1;
}

static void *ask_and_ask(void *argument)
{
    client *c = argument;
    uint64_t entry = UINT64_MAX;
    for (int i = 0; i < ACTS; i++) {
        char name[32];
        ob_error err = {0};
        snprintf(name, sizeof name, "client%d-%d", c->number, i);
        if (ob_acts_do(&entry, c->place->acts, "token.add", &operator, add_token, name, &err) ||
            !is_kept(c->place, name, entry))
            atomic_fetch_add(&c->failed, 1);
    }
    return NULL;
}

static void acts_that_wait_together_share_a_sync(void **state)
{
    memory_place *p = *state;
    client clients[CLIENTS] = {{.number = 0}};
    int syncs =
        files_add(&(files_rule){.path = "audit/log", .verbs = 1u << OB_FILE_SYNC, .delay_ms = 5});
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].place = p;
        clients[i].number = i;
        assert_int_equal(pthread_create(&clients[i].thread, NULL, ask_and_ask, &clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(atomic_load(&clients[i].failed), 0);
    }
    print_message("# %d acts, %lu syncs\n", CLIENTS * ACTS, files_calls(syncs));
    assert_true(files_calls(syncs) < 100);
    files_remove(syncs);
    memory_place_close(p);
    memory_place_open(p);
    for (int i = 0; i < CLIENTS; i++)
        for (int k = 0; k < ACTS; k++) {
            char name[32], quoted[40];
            snprintf(name, sizeof name, "client%d-%d", i, k);
            snprintf(quoted, sizeof quoted, "\"%s\"", name);
            assert_true(has_token(p, name));
            assert_int_equal(entries(p, "token.add", quoted), 1);
        }
}

/* ---- One among others ------------------------------------------------------------------------ */

typedef struct posted {
    ob_act_job job; /* first */
    atomic_int done;
} posted;

static void on_done(ob_act_job *job)
{
    atomic_fetch_add(&((posted *)job)->done, 1);
}

static void post(memory_place *p, posted *one, const char *what, ob_act_run run, char *name)
{
    one->job = (ob_act_job){
        .what = what, .actor = &operator, .run = run, .context = name, .done = on_done};
    ob_acts_post(p->acts, &one->job);
}

static void until_done(posted *one)
{
    unsigned tries = 0;
    while (!atomic_load(&one->done))
        assert_true(test_wait(&tries));
}

/* While a sync is held, others gather behind it: they are written together. */
static void an_act_that_fails_is_undone_alone(void **state)
{
    memory_place *p = *state;
    posted jobs[5] = {{.done = 0}};
    int held = files_add(
        &(files_rule){.path = "audit/log", .verbs = 1u << OB_FILE_SYNC, .nth = 1, .holds = true});
    post(p, &jobs[0], "token.add", add_token, (char[16]){"first"});
    files_await(held, 1);
    post(p, &jobs[1], "token.add", add_token, (char[16]){"before"});
    post(p, &jobs[2], "token.add", add_and_refuse, (char[16]){"refused"});
    post(p, &jobs[3], "token.add", add_and_say_too_much, (char[16]){"much"});
    post(p, &jobs[4], "token.add", add_token, (char[16]){"behind"});
    files_release(held);
    for (int i = 0; i < 5; i++)
        until_done(&jobs[i]);
    assert_int_equal(jobs[0].job.status, OB_OK);
    assert_int_equal(jobs[1].job.status, OB_OK);
    assert_int_equal(jobs[2].job.status, OB_EREFUSED);
    assert_int_equal(jobs[3].job.status, OB_ELIMIT);
    assert_int_equal(jobs[4].job.status, OB_OK);
    assert_int_equal(jobs[4].job.entry, jobs[1].job.entry + 2); /* one says that one was refused */
    assert_true(has_token(p, "first") && has_token(p, "before") && has_token(p, "behind"));
    assert_false(has_token(p, "refused") || has_token(p, "much"));
    assert_int_equal(entries(p, "\"what\":\"refused\"", "token.add"), 1);
    assert_int_equal(entries(p, "token.add", "\"name\":\"refused\""), 0);
    files_remove(held);
    memory_place_close(p);
    memory_place_open(p); /* log and records are of one piece */
}

static void what_fails_together_is_told_to_all(void **state)
{
    memory_place *p = *state;
    posted jobs[3] = {{.done = 0}};
    int held = files_add(
        &(files_rule){.path = "audit/log", .verbs = 1u << OB_FILE_SYNC, .nth = 1, .holds = true});
    post(p, &jobs[0], "token.add", add_token, (char[16]){"first"});
    files_await(held, 1);
    post(p, &jobs[1], "token.add", add_token, (char[16]){"a"});
    post(p, &jobs[2], "token.add", add_token, (char[16]){"b"});
    int fails = files_add(
        &(files_rule){.path = "obhut.db-wal", .verbs = 1u << OB_FILE_WRITE, .nth = 1, .error = 28});
    files_release(held);
    for (int i = 0; i < 3; i++)
        until_done(&jobs[i]);
    unsigned failed = 0;
    for (int i = 0; i < 3; i++)
        failed += jobs[i].job.status != OB_OK;
    assert_true(failed == 1 || failed == 2); /* the first alone, or the two behind it */
    assert_int_equal(failed, !has_token(p, "first") + !has_token(p, "a") + !has_token(p, "b"));
    assert_int_equal(entries(p, "\"what\":\"not_done\"", "entry"), failed);
    files_remove(held);
    files_remove(fails);
    memory_place_close(p);
    memory_place_open(p);
}

/* Somebody looks whether it is late when it should be, by the machine's clock; here that clock
 * does not tell when. */
static void look_now(memory_place *p)
{
    pthread_mutex_lock(&p->acts->queue);
    pthread_cond_broadcast(&p->acts->ends);
    pthread_mutex_unlock(&p->acts->queue);
}

/* While the one before it is on its way to the disk; what has begun is not refused. */
static void what_has_waited_ten_seconds_is_refused_and_not_done(void **state)
{
    memory_place *p = *state;
    posted jobs[4] = {{.done = 0}};
    clock_stand(INT64_C(1900000000));
    int held = files_add(
        &(files_rule){.path = "audit/log", .verbs = 1u << OB_FILE_SYNC, .nth = 1, .holds = true});
    post(p, &jobs[0], "token.add", add_token, (char[16]){"begun"});
    files_await(held, 1);
    post(p, &jobs[1], "token.add", add_token, (char[16]){"late"});
    post(p, &jobs[2], "token.add", add_and_refuse, (char[16]){"also-late"});
    clock_pass(9);
    post(p, &jobs[3], "token.add", add_token, (char[16]){"in-time"});
    clock_pass(1);
    look_now(p);
    for (int i = 1; i < 3; i++) {
        until_done(&jobs[i]);
        assert_int_equal(jobs[i].job.status, OB_EIO);
        assert_non_null(strstr(jobs[i].job.error.text, "nothing was done, try again"));
    }
    assert_false(atomic_load(&jobs[0].done) || atomic_load(&jobs[3].done));
    files_release(held);
    for (int i = 0; i < 4; i += 3) {
        until_done(&jobs[i]);
        assert_int_equal(jobs[i].job.status, OB_OK);
    }
    assert_true(has_token(p, "begun") && has_token(p, "in-time"));
    assert_false(has_token(p, "late") || has_token(p, "also-late"));
    assert_int_equal(entries(p, "token.add", "late"), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(atomic_load(&jobs[i].done), 1);
    files_remove(held);
}

/* By the machine's clock. */
static void what_is_late_is_refused_when_it_is(void **state)
{
    memory_place *p = *state;
    posted jobs[2] = {{.done = 0}};
    int held = files_add(
        &(files_rule){.path = "audit/log", .verbs = 1u << OB_FILE_SYNC, .nth = 1, .holds = true});
    post(p, &jobs[0], "token.add", add_token, (char[16]){"begun"});
    files_await(held, 1);
    post(p, &jobs[1], "token.add", add_token, (char[16]){"late"});
    pthread_mutex_lock(&p->acts->queue); /* as if it had come ten seconds ago */
    jobs[1].job.until_ms = ob_now_monotonic_ms() + 100;
    pthread_cond_broadcast(&p->acts->ends);
    pthread_mutex_unlock(&p->acts->queue);
    until_done(&jobs[1]);
    assert_int_equal(jobs[1].job.status, OB_EIO);
    assert_true(ob_now_monotonic_ms() >= jobs[1].job.until_ms);
    files_release(held);
    until_done(&jobs[0]);
    assert_int_equal(jobs[0].job.status, OB_OK);
    files_remove(held);
}

/* ---- What was deleted is overwritten --------------------------------------------------------- */

static void *overwrite(void *argument)
{
    memory_place *p = argument;
    MUST(ob_store_scrub(p->store, &err_));
    return NULL;
}

enum { MANY = 4000 };

/* More than stays in memory while it is overwritten; and something was deleted. */
static void fill_and_delete(memory_place *p)
{
    int64_t id = 0;
    ob_writing *w = NULL;
    ob_incoming in = {.kind = OB_INCOMING_REPORT, .at = 1};
    memset(in.reason, 'r', sizeof in.reason - 1);
    MUST(ob_writing_begin(&w, p->store, &err_));
    for (unsigned i = 0; i < MANY; i++)
        MUST(ob_store_incoming_add(&id, w, &in, NULL, 0, &err_));
    MUST(ob_store_incoming_remove(w, OB_INCOMING_REPORT, id, 1, &err_));
    MUST(ob_writing_end(w, OB_OK, &err_));
}

typedef struct noting {
    memory_place *place;
    atomic_bool ended;
    ob_status status;
} noting;

static void *note(void *argument)
{
    noting *n = argument;
    n->status = ob_acts_note(n->place->acts, "token.add", add_token, (char[16]){"noted"}, NULL);
    atomic_store(&n->ended, true);
    return NULL;
}

static void until_waiting(memory_place *p, unsigned wanted)
{
    unsigned tries = 0, waiting;
    do {
        assert_true(test_wait(&tries));
        pthread_mutex_lock(&p->acts->queue);
        waiting = p->acts->waiting;
        pthread_mutex_unlock(&p->acts->queue);
    } while (waiting < wanted);
}

/* Who asks is told after ten seconds; what the service notes down waits for the end. */
static void an_act_does_not_wait_for_overwriting_without_end(void **state)
{
    memory_place *p = *state;
    pthread_t overwriting, notes;
    posted late = {.done = 0};
    noting noted = {.place = p};
    fill_and_delete(p);
    clock_stand(INT64_C(1900000000));
    int held = files_add(&(files_rule){
        .path = "obhut.db-rewritten", .verbs = 1u << OB_FILE_WRITE, .nth = 1, .holds = true});
    assert_int_equal(pthread_create(&overwriting, NULL, overwrite, p), 0);
    files_await(held, 1);
    assert_true(ob_store_overwrites(p->store));
    post(p, &late, "token.add", add_token, (char[16]){"late"});
    assert_int_equal(pthread_create(&notes, NULL, note, &noted), 0);
    until_waiting(p, 2);
    clock_pass(10);
    look_now(p);
    until_done(&late);
    assert_int_equal(late.job.status, OB_EIO);
    until_waiting(p, 1);
    assert_false(atomic_load(&noted.ended));
    files_release(held);
    pthread_join(overwriting, NULL);
    pthread_join(notes, NULL);
    assert_int_equal(noted.status, OB_OK);
    assert_true(has_token(p, "noted"));
    assert_false(has_token(p, "late"));
    files_remove(held);
}

/* ---- What is refused ------------------------------------------------------------------------- */

/* "You may not" is said when the log has it; where the log cannot, that is what is said. */
static void what_is_refused_is_in_the_log_or_not_told(void **state)
{
    memory_place *p = *state;
    posted one = {.done = 0};
    int fails = files_add(&(files_rule){
        .path = "audit/log", .verbs = 1u << OB_FILE_WRITE, .nth = 1, .and_on = true, .error = 28});
    post(p, &one, "token.add", add_and_refuse, (char[16]){"refused"});
    until_done(&one);
    assert_int_equal(one.job.status, OB_EIO);
    assert_non_null(strstr(one.job.error.text, "what cannot be logged is not done"));
    files_remove(fails);
    assert_int_equal(entries(p, "\"what\":\"refused\"", "token.add"), 0);
}

static int begin_watched(void **state)
{
    files_begin();
    return memory_place_begin(state);
}

static int end_watched(void **state)
{
    int result = memory_place_end(state);
    files_end();
    clock_real();
    return result;
}

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, begin_watched, end_watched)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED(acts_that_wait_together_share_a_sync),
        WATCHED(an_act_that_fails_is_undone_alone),
        WATCHED(what_fails_together_is_told_to_all),
        WATCHED(what_has_waited_ten_seconds_is_refused_and_not_done),
        WATCHED(what_is_late_is_refused_when_it_is),
        WATCHED(an_act_does_not_wait_for_overwriting_without_end),
        WATCHED(what_is_refused_is_in_the_log_or_not_told),
    };
    return cmocka_run_group_tests_name("acts_writer", tests, NULL, NULL);
}
