/* What is written together, on whichever database this runs: all of it or nothing, also beside
 * others who write. */
#include "store_test.h"

#include <obhut/records/incoming.h>
#include <obhut/records/tally.h>
#include <obhut/records/verdict.h>

#include <pthread.h>

static int64_t add_verdict(place *p)
{
    ob_error err = {0};
    int64_t id = 0;
    ob_verdict v = {.account = key_of(1), .proposed_by = "anna", .confirmed_by = "bea", .at = 10};
    must(WRITES(p->store, &err, ob_store_verdict_add(&id, w, &v, &err)), &err);
    return id;
}

static size_t tokens_in(place *p)
{
    ob_error err = {0};
    ob_token *all = NULL;
    size_t count = 0;
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)), &err);
    free(all);
    return count;
}

static void what_belongs_together_happens_or_does_not(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    ob_token a = token_of("a", 1), b = token_of("b", 2);
    must(open_writing(p->store, &err), &err);
    must(WRITES(p->store, &err, ob_store_token_add(w, &a, &err)), &err);
    add_verdict(p);
    must(end_writing(OB_OK, &err), &err);
    assert_int_equal(tokens_in(p), 1);
    must(open_writing(p->store, &err), &err);
    must(WRITES(p->store, &err, ob_store_token_add(w, &b, &err)), &err);
    id = add_verdict(p);
    assert_int_equal(id, 2);
    assert_int_equal(end_writing(OB_EREFUSED, &err), OB_EREFUSED);
    assert_int_equal(tokens_in(p), 1);
    open_again(p);
    assert_int_equal(tokens_in(p), 1);
    assert_int_equal(add_verdict(p), 2);
}

static void a_failure_within_undoes_all_of_it(void **state)
{
    place *p = *state;
    ob_error err = {0}, inner = {0};
    ob_token a = token_of("a", 1);
    must(open_writing(p->store, &err), &err);
    must(WRITES(p->store, &err, ob_store_token_add(w, &a, &err)), &err);
    refused(
        WRITES(p->store, &inner, ob_store_incoming_remove(w, OB_INCOMING_REPORT, 5, 100, &inner)),
        OB_ENOTFOUND, &inner);
    refused(WRITES(p->store, &err, ob_store_token_remove(w, "a", &err)), OB_ENOTFOUND,
            &err); /* nothing follows */
    assert_string_equal(err.text, inner.text);
    refused(ob_writing_part(once_writing, &err), OB_ENOTFOUND, &err);
    refused(end_writing(OB_OK, &err), OB_ENOTFOUND, &err);
    assert_string_equal(err.text, inner.text);
    assert_int_equal(tokens_in(p), 0);
    must(WRITES(p->store, &err, ob_store_token_add(w, &a, &err)), &err); /* and the store goes on */
}

static void a_statement_that_fails_undoes_all_of_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_token a = token_of("a", 1);
    must(open_writing(p->store, &err), &err);
    must(WRITES(p->store, &err, ob_store_token_add(w, &a, &err)), &err);
    refused(WRITES(p->store, &err, sql_script(w, "INSERT INTO token SELECT * FROM token", &err)),
            OB_EINVAL, &err);
    refused(end_writing(OB_OK, &err), OB_EINVAL, &err);
    assert_int_equal(tokens_in(p), 0);
}

typedef struct worker {
    place *p;
    unsigned number;
} worker;

enum { ROUNDS = 40 };

static void *work(void *context)
{
    worker *own = context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        ob_error err = {0};
        int64_t id = 0;
        ob_verdict v = {.account = key_of(own->number), .at = i};
        ob_tally t = {.day = 1, .regime = "eu", .count = 1};
        must(WRITES(own->p->store, &err, ob_store_verdict_add(&id, w, &v, &err)), &err);
        must(open_writing(own->p->store, &err), &err);
        must(WRITES(own->p->store, &err, ob_store_tallies_add(w, &t, 1, NULL, 0, 1, i, &err)),
             &err);
        must(WRITES(own->p->store, &err, ob_store_tallies_add(w, &t, 1, NULL, 0, 1, i, &err)),
             &err);
        ob_status wanted = i % 4 ? OB_OK : OB_EREFUSED;
        if (end_writing(wanted, &err) != wanted)
            fail_msg("%s", err.text);
    }
    return NULL;
}

static void two_threads_get_numbers_of_their_own_and_lose_no_count(void **state)
{
    place *p = *state;
    ob_error err = {0};
    pthread_t threads[2];
    worker workers[2] = {{p, 1}, {p, 2}};
    ob_verdict *all = NULL;
    ob_tally *tallies = NULL;
    size_t count = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    must(READS(p->store, &err, ob_store_verdicts(&all, &count, view, 1000, &err)), &err);
    assert_int_equal(count, 2 * ROUNDS);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(all[i].id, count - i);
    free(all);
    must(READS(p->store, &err, ob_store_tallies(&tallies, &count, view, 0, INT64_MAX, &err)), &err);
    assert_int_equal(tallies[0].count, 2 * 2 * (ROUNDS - ROUNDS / 4));
    free(tallies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(what_belongs_together_happens_or_does_not),
        IN_PLACE(a_failure_within_undoes_all_of_it),
        IN_PLACE(a_statement_that_fails_undoes_all_of_it),
        IN_PLACE(two_threads_get_numbers_of_their_own_and_lose_no_count),
    };
    return cmocka_run_group_tests_name("store_writing", tests, NULL, NULL);
}
