/* Orders: what the gate would never carry out is neither proposed nor taken. */
#include "acting.h"
#include "one_record.h"

#include <obhut/grounds.h>

enum { DAY = 86400 };

typedef struct wish {
    ob_order order;
    ob_record_key accounts[2];
    ob_gate_decision why;
    const char *body;
    int64_t id;
} wish;

ACT(propose, wish, ob_order_propose(&in->why, &in->id, act, &in->order, in->body, err))
ACT(take, wish, ob_order_add(&in->id, act, &in->order, in->accounts, 2, "bea", err))
ACT(halt, int64_t, ob_order_set_state(act, *in, OB_ORDER_STATE_SUSPENDED, err))
ACT(resume, int64_t, ob_order_set_state(act, *in, OB_ORDER_VALID, err))
ACT(call_back, int64_t, ob_order_set_state(act, *in, OB_ORDER_REVOKED, err))
ACT(report, int64_t, ob_order_reported(act, *in, err))

static wish good(void)
{
    return (wish){.order = {.document = {0xAB},
                            .regime = "orders",
                            .issuer = "a court",
                            .is_judicial = true,
                            .is_authentic = true,
                            .authenticity = "by telephone",
                            .verified_by = "cleo",
                            .service = "example",
                            .has_detectors = true,
                            .detectors = 1 << OB_MATERIAL_KNOWN,
                            .has_accounts = true,
                            .received = TODAY - DAY,
                            .start = TODAY,
                            .end = TODAY + 10 * DAY,
                            .reasons = "r",
                            .legal_basis = "l",
                            .redress = "r"},
                  .accounts = {key_of("anna"), key_of("mallory")},
                  .body = "{}"};
}

static ob_order kept(memory_place *p, int64_t id)
{
    ob_order o = {0};
    MUST(READS(p->store, &err_, one_order(&o, view, id, &err_)));
    return o;
}

static void what_the_gate_would_never_carry_out_is_neither_proposed_nor_taken(void **state)
{
    memory_place *p = *state;
    static const struct {
        ob_reason reason;
        int member;
    } cases[] = {{OB_ORDER_UNAUTHENTICATED, 0}, {OB_FLOOR_NOT_JUDICIAL, 1},
                 {OB_FLOOR_UNTARGETED, 2},      {OB_ORDER_DEFECTIVE, 3},
                 {OB_ORDER_DEFECTIVE, 4},       {OB_REGIME_UNKNOWN, 5},
                 {OB_NOT_ORDERABLE, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wish w = good();
        ob_order *o = &w.order;
        o->is_authentic = cases[i].member != 0;
        o->is_judicial = cases[i].member != 1;
        o->everybody = cases[i].member == 2;
        o->has_accounts = cases[i].member != 3;
        *o->redress = cases[i].member == 4 ? '\0' : 'r';
        *o->regime = cases[i].member == 5 ? 'x' : 'o';
        o->detectors = cases[i].member == 6 ? 1 << OB_MATERIAL_NEW : 1 << OB_MATERIAL_KNOWN;
        DONE(p, "ada", propose, &w);
        assert_false(w.why.allow);
        assert_string_equal(ob_reason_name(w.why.reason), ob_reason_name(cases[i].reason));
        assert_int_equal(w.id, 0);
        FAILS(p, "ada", take, &w, OB_EREFUSED, ob_reason_name(cases[i].reason));
    }
}

static void what_says_that_it_was_verified_says_how_and_by_whom(void **state)
{
    memory_place *p = *state;
    wish w = good();
    *w.order.authenticity = '\0';
    FAILS(p, "ada", propose, &w, OB_EFORMAT, "not how and by whom");
    w = good();
    *w.order.verified_by = '\0';
    FAILS(p, "ada", propose, &w, OB_EFORMAT, "not how and by whom");
    FAILS(p, "ada", take, &w, OB_EFORMAT, "not how and by whom");
}

static void an_order_is_taken_with_its_accounts_by_two_persons(void **state)
{
    memory_place *p = *state;
    wish w = good();
    size_t count = 0;
    ob_order_brief found[2];
    const ob_record_key anna = key_of("anna");
    DONE(p, "bea", propose, &w);
    assert_true(w.why.allow && w.id > 0);
    DONE(p, "ada", take, &w);
    ob_order o = kept(p, w.id);
    assert_string_equal(o.proposed_by, "bea");
    assert_string_equal(o.approved_by, "ada");
    assert_int_equal(o.made_at, TODAY);
    MUST(READS(p->store, &err_,
               ob_store_orders_naming(found, &count, 2, view, &anna, TODAY, &err_)));
    assert_int_equal(count, 1);
    assert_true(ob_order_facts_at(&found[0], TODAY).valid);
    const told t = log_of(p);
    assert_non_null(strstr(t.last, "\"document\":\"ab00"));
    assert_non_null(strstr(t.last, "\"accounts\":[\"account:"));
}

static void the_half_way_report_is_due_in_the_middle_unless_the_order_says_when(void **state)
{
    memory_place *p = *state;
    wish w = good();
    DONE(p, "ada", take, &w);
    ob_order o = kept(p, w.id);
    assert_int_equal(o.halfway_at, TODAY + 5 * DAY);
    assert_false(ob_order_report_is_overdue(&o, TODAY + 5 * DAY - 1));
    assert_true(ob_order_report_is_overdue(&o, TODAY + 5 * DAY));
    const ob_order_brief brief = ob_order_brief_of(&o);
    assert_true(ob_order_facts_at(&brief, TODAY + 5 * DAY - 1).halfway_fine);
    assert_false(ob_order_facts_at(&brief, TODAY + 5 * DAY).halfway_fine);
    DONE(p, "ada", report, &w.id);
    o = kept(p, w.id);
    assert_false(ob_order_report_is_overdue(&o, TODAY + 5 * DAY));
    w.order.halfway_at = TODAY + DAY;
    DONE(p, "ada", take, &w);
    assert_int_equal(kept(p, w.id).halfway_at, TODAY + DAY);
}

static void an_order_is_suspended_and_resumed_until_it_is_revoked(void **state)
{
    memory_place *p = *state;
    wish w = good();
    DONE(p, "ada", take, &w);
    DONE(p, "ada", halt, &w.id);
    assert_int_equal(kept(p, w.id).state, OB_ORDER_STATE_SUSPENDED);
    DONE(p, "ada", resume, &w.id);
    assert_int_equal(kept(p, w.id).state, OB_ORDER_VALID);
    DONE(p, "ada", call_back, &w.id);
    FAILS(p, "ada", resume, &w.id, OB_ENOTFOUND, "");
    assert_int_equal(kept(p, w.id).state, OB_ORDER_REVOKED);
}

static void whom_it_names_must_be_told_when_it_is_over_and_no_secret(void **state)
{
    (void)state;
    ob_order o = good().order;
    assert_false(ob_order_must_be_told(&o, o.end - 1));
    assert_true(ob_order_is_over(&o, o.end) && ob_order_must_be_told(&o, o.end));
    o.secret_until = o.end + DAY;
    assert_false(ob_order_must_be_told(&o, o.end + DAY - 1));
    assert_true(ob_order_must_be_told(&o, o.end + DAY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(what_the_gate_would_never_carry_out_is_neither_proposed_nor_taken),
        ACTING(what_says_that_it_was_verified_says_how_and_by_whom),
        ACTING(an_order_is_taken_with_its_accounts_by_two_persons),
        ACTING(the_half_way_report_is_due_in_the_middle_unless_the_order_says_when),
        ACTING(an_order_is_suspended_and_resumed_until_it_is_revoked),
        ACTING(whom_it_names_must_be_told_when_it_is_over_and_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
