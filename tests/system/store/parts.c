/* Parts of a writing: what fails in one is undone with all of it, and with nothing else. */
#include "store_test.h"

#include <obhut/records/cause.h>
#include <obhut/records/gateway.h>
#include <obhut/records/incoming.h>
#include <obhut/records/person.h>
#include <obhut/records/proposal.h>
#include <obhut/records/verdict.h>

static ob_status add(ob_writing *w, const char *name, ob_error *err)
{
    const ob_token token = token_of(name, (unsigned)name[0]);
    return ob_store_token_add(w, &token, err);
}

static ob_status add_numbered(int64_t *id, ob_writing *w, ob_error *err)
{
    const ob_verdict verdict = {.account = key_of(1), .reason = "r", .at = 1};
    return ob_store_verdict_add(id, w, &verdict, err);
}

/* The first letters of all tokens' names are these. */
static void only(ob_view *view, const char *letters)
{
    ob_token *all = NULL;
    size_t count = 0;
    ob_error err = {0};
    must(ob_store_tokens(&all, &count, view, &err), &err);
    assert_int_equal(count, strlen(letters));
    for (size_t k = 0; k < count; k++)
        assert_int_equal(all[k].name[0], letters[k]);
    free(all);
}

static void only_kept(place *p, const char *letters)
{
    ob_view *view;
    ob_error err = {0};
    must(ob_view_open(&view, p->store, &err), &err);
    only(view, letters);
    ob_view_close(view);
}

static void a_part_that_fails_is_undone_alone(void **state)
{
    place *p = *state;
    ob_writing *w;
    ob_error err = {0};
    int64_t first = 0, second = 0;
    must(ob_writing_begin(&w, p->store, &err), &err);
    must(ob_writing_part(w, &err), &err);
    must(add(w, "a", &err), &err);
    must(ob_writing_part_end(w, OB_OK, &err), &err);
    must(ob_writing_part(w, &err), &err);
    must(add(w, "b", &err), &err);
    must(add_numbered(&first, w, &err), &err);
    only(ob_writing_view(w), "ab");
    ob_fail(&err, OB_EREFUSED, "nobody may do this here");
    assert_int_equal(ob_writing_part_end(w, OB_EREFUSED, &err), OB_EREFUSED);
    assert_string_equal(err.text, "nobody may do this here");
    only(ob_writing_view(w), "a");
    must(ob_writing_part(w, &err), &err);
    must(add(w, "c", &err), &err);
    must(add_numbered(&second, w, &err), &err);
    must(ob_writing_part_end(w, OB_OK, &err), &err);
    assert_int_equal(second, first);
    only_kept(p, "");
    must(ob_writing_end(w, OB_OK, &err), &err);
    only_kept(p, "ac");
    open_again(p);
    only_kept(p, "ac");
}

static void after_a_failed_statement_all_of_its_part_is_undone(void **state)
{
    place *p = *state;
    ob_writing *w;
    ob_error err = {0}, part = {0};
    ob_token *none = NULL;
    size_t count = 0;
    must(ob_writing_begin(&w, p->store, &err), &err);
    must(add(w, "a", &err), &err);
    must(ob_writing_part(w, &err), &err);
    must(add(w, "b", &err), &err);
    refused(add(w, "a", &err), OB_EINVAL, &err); /* is there already */
    refused(add(w, "c", &part), OB_EINVAL, &part);
    assert_string_equal(part.text, err.text); /* why nothing follows */
    refused(ob_store_tokens(&none, &count, ob_writing_view(w), &err), OB_EINVAL, &err);
    refused(ob_writing_part_end(w, OB_OK, &err), OB_EINVAL, &err);
    only(ob_writing_view(w), "a");
    must(add(w, "d", &err), &err);
    must(ob_writing_end(w, OB_OK, &err), &err);
    only_kept(p, "ad");
}

static ob_status add_again(ob_writing *w, ob_error *err)
{
    return add(w, "a", err);
}

static ob_status remove_no_token(ob_writing *w, ob_error *err)
{
    return ob_store_token_remove(w, "none", err);
}

static ob_status add_gateway_again(ob_writing *w, ob_error *err)
{
    const ob_gateway gateway = {.name = "g", .kind = "pict-rs"};
    return ob_store_gateway_add(w, &gateway, err);
}

static ob_status remove_no_gateway(ob_writing *w, ob_error *err)
{
    return ob_store_gateway_remove(w, "none", err);
}

static ob_status add_person_again(ob_writing *w, ob_error *err)
{
    const ob_person person = {.name = "p"};
    return ob_store_person_add(w, &person, err);
}

static ob_status decide_no_proposal(ob_writing *w, ob_error *err)
{
    return ob_store_proposal_decide(w, 99, OB_PROPOSAL_APPROVED, "p", 1, err);
}

static ob_status confirm_no_report(ob_writing *w, ob_error *err)
{
    return ob_store_report_confirm(w, 99, "p", 1, err);
}

static ob_status add_cause_again(ob_writing *w, ob_error *err)
{
    int64_t id;
    const ob_cause cause = {
        .account = key_of(1), .record = 1, .record_at = 1, .reason = "r", .until = 10};
    return ob_store_cause_add(&id, w, &cause, err);
}

/* Whatever words it has for that. */
static void after_what_is_refused_all_of_its_part_is_undone(void **state)
{
    static const struct {
        ob_status (*is_refused)(ob_writing *w, ob_error *err);
        ob_status with;
    } cases[] = {
        {add_again, OB_EINVAL},
        {remove_no_token, OB_ENOTFOUND},
        {add_gateway_again, OB_EINVAL},
        {remove_no_gateway, OB_ENOTFOUND},
        {add_person_again, OB_EINVAL},
        {decide_no_proposal, OB_EREFUSED},
        {confirm_no_report, OB_ENOTFOUND},
        {add_cause_again, OB_EREFUSED},
    };
    place *p = *state;
    ob_writing *w;
    ob_error err = {0};
    must(ob_writing_begin(&w, p->store, &err), &err);
    must(add(w, "a", &err), &err);
    must(add_gateway_again(w, &err), &err);
    must(add_person_again(w, &err), &err);
    must(add_cause_again(w, &err), &err);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        must(ob_writing_part(w, &err), &err);
        must(add(w, "b", &err), &err);
        refused(cases[k].is_refused(w, &err), cases[k].with, &err);
        refused(add(w, "c", &err), cases[k].with, &err);
        refused(ob_writing_part_end(w, OB_OK, &err), cases[k].with, &err);
        only(ob_writing_view(w), "a");
    }
    must(ob_writing_end(w, OB_OK, &err), &err);
    only_kept(p, "a");
}

/* As the database itself refuses it, which leaves a transaction differently in each of them. */
static void after_a_statement_that_the_database_refuses_its_part_is_undone(void **state)
{
    place *p = *state;
    ob_writing *w;
    ob_error err = {0};
    must(ob_writing_begin(&w, p->store, &err), &err);
    must(add(w, "a", &err), &err);
    must(ob_writing_part(w, &err), &err);
    must(add(w, "b", &err), &err);
    assert_int_not_equal(
        sql_script(w, "INSERT INTO mark (name, value) VALUES ('m', 1), ('m', 2)", &err), OB_OK);
    assert_int_not_equal(ob_writing_part_end(w, OB_OK, &err), OB_OK);
    must(ob_writing_part(w, &err), &err);
    must(add(w, "c", &err), &err);
    must(ob_writing_part_end(w, OB_OK, &err), &err);
    must(ob_writing_end(w, OB_OK, &err), &err);
    only_kept(p, "ac");
}

static void what_fails_outside_of_parts_takes_all_of_them_along(void **state)
{
    place *p = *state;
    ob_writing *w;
    ob_error err = {0};
    must(ob_writing_begin(&w, p->store, &err), &err);
    must(ob_writing_part(w, &err), &err);
    must(add(w, "a", &err), &err);
    must(ob_writing_part_end(w, OB_OK, &err), &err);
    refused(ob_store_token_remove(w, "b", &err), OB_ENOTFOUND, &err);
    refused(ob_writing_part(w, &err), OB_ENOTFOUND, &err);
    refused(ob_writing_end(w, OB_OK, &err), OB_ENOTFOUND, &err);
    only_kept(p, "");
    must(ob_writing_begin(&w, p->store, &err), &err); /* which knows nothing of it */
    must(add(w, "b", &err), &err);
    must(ob_writing_end(w, OB_OK, &err), &err);
    only_kept(p, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_part_that_fails_is_undone_alone),
        IN_PLACE(after_a_failed_statement_all_of_its_part_is_undone),
        IN_PLACE(after_what_is_refused_all_of_its_part_is_undone),
        IN_PLACE(after_a_statement_that_the_database_refuses_its_part_is_undone),
        IN_PLACE(what_fails_outside_of_parts_takes_all_of_them_along),
    };
    return cmocka_run_group_tests_name("store_parts", tests, NULL, NULL);
}
