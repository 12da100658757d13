/* Acts: in the log and in the records, or in neither, whatever the disk does; and what a clock
 * ends.
 */
#include "place.h"

#include "fault/clock.h"
#include "fault/files.h"

#include <obhut/records/person.h>
#include <obhut/records/proposal.h>

#include <errno.h>

enum { LEAD = 1 << 1 }; /* a role */

static const ob_actor operator= {NULL};

/* An act that makes a token. */
static ob_status run(ob_act *act, void *context, ob_error *err)
{
    ob_act_word(act, "name", context);
    return place_token_add(act->w, context, err);
}

static ob_status add_token(memory_place *p, const char *name, ob_error *err)
{
    char own[OB_NAME_MAX + 1];
    snprintf(own, sizeof own, "%s", name);
    return ob_acts_do(NULL, p->acts, "token.add", &operator, run, own, err);
}

static ob_status find_entry(void *context, uint64_t number, const char *text, size_t size,
                            ob_error *err)
{
    bool *found = context;
    (void)number, (void)err;
    *found |= memmem(text, size, "\"what\":\"token.add\"", 18) != NULL;
    return OB_OK;
}

static bool has_entry(memory_place *p)
{
    char path[300];
    bool found = false;
    snprintf(path, sizeof path, "%s/audit", p->dir);
    MUST(ob_audit_read(path, 0, UINT64_MAX, find_entry, &found, &err_));
    return found;
}

/* ---- The disk -------------------------------------------------------------------------------- */

static void what_cannot_be_logged_is_not_done(void **state)
{
    static const struct {
        ob_file_verb verb;
        int error;
    } faults[] = {{OB_FILE_WRITE, ENOSPC}, {OB_FILE_SYNC, EIO}};
    memory_place *p = *state;
    ob_error err = {0};
    for (int i = 0; i < 2; i++) {
        int rule = files_add(&(files_rule){.path = "audit/log",
                                           .verbs = 1u << faults[i].verb,
                                           .nth = 1,
                                           .error = faults[i].error});
        assert_int_equal(add_token(p, "client", &err), OB_EIO);
        assert_non_null(strstr(err.text, strerror(faults[i].error)));
        assert_false(has_token(p, "client"));
        assert_false(has_entry(p));
        files_remove(rule);
    }
    MUST(add_token(p, "client", &err_));
    assert_true(has_token(p, "client") && has_entry(p));
}

/* The log is not cut back: it says afterwards that the act was not done, or unknown. */
static void what_the_records_do_not_take_is_told_of_and_another_act_follows(void **state)
{
    static const struct {
        const char *path;
        ob_file_verb verb;
        int error;
    } faults[] = {{"obhut.db-wal", OB_FILE_WRITE, ENOSPC}, {"obhut.db-wal", OB_FILE_SYNC, EIO}};
    memory_place *p = *state;
    ob_error err = {0};
    for (int i = 0; i < 2; i++) {
        files_rule says = {.verbs = 1u << faults[i].verb, .error = faults[i].error};
        snprintf(says.path, sizeof says.path, "%s", faults[i].path);
        int rule = files_add(&says);
        assert_int_equal(add_token(p, i ? "b" : "a", &err), OB_EIO);
        assert_true(strlen(err.text) > 10);
        files_remove(rule);
        MUST(add_token(p, i ? "d" : "c", &err_));
    }
    memory_place_close(p);
    memory_place_open(p); /* which looks whether they are of one piece */
    assert_true(has_token(p, "c") && has_token(p, "d") && !has_token(p, "a"));
}

/* ---- The clock ------------------------------------------------------------------------------- */

static ob_status second(memory_place *p, int64_t id, const ob_person *person, ob_error *err)
{
    bool adopted;
    ob_proposal proposal;
    const ob_actor actor = {person};
    return WRITES(p->store, err, ob_acts_second(&adopted, &proposal, w, id, &actor, LEAD, err));
}

static void a_proposal_is_over_after_seven_days(void **state)
{
    memory_place *p = *state;
    ob_error err = {0};
    const ob_person ada = {.name = "ada", .roles = LEAD};
    const ob_person bea = {.name = "bea", .roles = LEAD};
    const ob_actor proposer = {&ada};
    int64_t id = 0;
    clock_stand(INT64_C(1800000000));
    ob_person here = {
        .name = "ada", .roles = LEAD, .made_at = ob_now()}; /* who is gone is not one of two */
    MUST(WRITES(p->store, &err_, ob_store_person_add(w, &here, &err_)));
    MUST(WRITES(p->store, &err_, ob_acts_propose(&id, w, "clock", "{}", &proposer, &err_)));
    clock_pass(OB_PROPOSAL_SECONDS - 1);
    MUST(second(p, id, &bea, &err_));
    clock_pass(1);
    assert_int_equal(second(p, id, &bea, &err), OB_EREFUSED);
    assert_non_null(strstr(err.text, "is over"));
    MUST(WRITES(p->store, &err_, ob_acts_propose(&id, w, "clock", "{}", &proposer, &err_)));
    MUST(WRITES(p->store, &err_, ob_store_person_end(w, "ada", ob_now(), &err_)));
    assert_int_equal(second(p, id, &bea, &err), OB_EREFUSED);
    assert_non_null(strstr(err.text, "has left"));
}

static int begin(void **state)
{
    files_begin();
    return memory_place_begin(state);
}

static int end(void **state)
{
    files_end();
    clock_real();
    return memory_place_end(state);
}

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED(what_cannot_be_logged_is_not_done),
        WATCHED(what_the_records_do_not_take_is_told_of_and_another_act_follows),
        WATCHED(a_proposal_is_over_after_seven_days),
    };
    return cmocka_run_group_tests_name("acts_acts", tests, NULL, NULL);
}
