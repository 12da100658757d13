/* Holds: a person's own reason ends where the law does; what another law demands, a person decides.
 */
#include "acting.h"
#include "one_record.h"

#include <obhut/grounds.h>

enum { DAY = 86400 };

typedef struct wish {
    ob_hold_wish wish;
    ob_hold hold;
    bool must_be_decided;
} wish;

ACT(add, wish, ob_hold_add(&in->hold, &in->must_be_decided, act, &in->wish, err))
ACT(end, int64_t, ob_hold_end(act, *in, err))
ACT(decide, int64_t, ob_hold_decide(act, *in, "the prosecutor asked", err))
ACT(decide_silently, int64_t, ob_hold_decide(act, *in, "", err))
ACT(drop, int64_t, ob_incoming_remove(act, OB_INCOMING_REPORT, *in, err))

static int64_t report_of_today(memory_place *p)
{
    int64_t id = 0;
    const ob_record_key item = key_of("item");
    const ob_incoming in = {
        .kind = OB_INCOMING_REPORT, .account = key_of("mallory"), .reason = "r", .at = TODAY};
    MUST(WRITES(p->store, &err_, ob_store_incoming_add(&id, w, &in, &item, 1, &err_)));
    return id;
}

static wish until(int64_t record, int64_t at)
{
    return (wish){.wish = {.kind = "report", .record = record, .reason = "a lawsuit", .until = at}};
}

static wish by_law(int64_t record)
{
    return (wish){
        .wish = {.kind = "report", .record = record, .reason = "reported", .law = "keeping"}};
}

static bool must_be_decided(memory_place *p, int64_t id, int64_t now)
{
    bool must = true;
    ob_hold h;
    MUST(READS(p->store, &err_, one_hold(&h, view, id, &err_)));
    MUST(READS(p->store, &err_, ob_hold_must_be_decided(&must, &h, view, now, &err_)));
    return must;
}

static void a_record_is_held_for_a_reason_and_then_not_removed(void **state)
{
    memory_place *p = *state;
    int64_t id = report_of_today(p);
    wish w = until(id, TODAY + DAY), silent = w, missing = until(77, TODAY + DAY), strange = w;
    silent.wish.reason = NULL;
    strange.wish.kind = "person";
    FAILS(p, "ada", add, &silent, OB_EINVAL, "a reason is needed");
    FAILS(p, "ada", add, &missing, OB_ENOTFOUND, "");
    FAILS(p, "ada", add, &strange, OB_EINVAL, "");
    DONE(p, "ada", add, &w);
    assert_string_equal(w.hold.by, "ada");
    assert_int_equal(w.hold.made_at, TODAY);
    assert_false(w.must_be_decided);
    FAILS(p, "ada", drop, &id, OB_EREFUSED, "");
    DONE(p, "ada", end, &w.hold.id);
    FAILS(p, "ada", end, &w.hold.id, OB_ENOTFOUND, "");
    DONE(p, "ada", drop, &id);
}

static void a_hold_is_over_at_its_end(void **state)
{
    (void)state;
    ob_hold h = {.until = TODAY + DAY};
    assert_false(ob_hold_is_over(&h, TODAY + DAY - 1));
    assert_true(ob_hold_is_over(&h, TODAY + DAY));
    h.ended_at = TODAY;
    assert_true(ob_hold_is_over(&h, TODAY));
}

static void nobody_holds_a_record_beyond_the_law_for_a_reason_of_their_own(void **state)
{
    memory_place *p = *state;
    const int64_t id = report_of_today(p), limit = ob_time_add_months(TODAY, 12);
    wish w = until(id, limit + 1);
    DONE(p, "ada", add, &w); /* the house rule does not say how long */
    set_country(p, "AA");
    FAILS(p, "ada", add, &w, OB_EREFUSED, "land, Art. 5, allows keeping it until 2028-01-15");
    w.wish.until = limit;
    DONE(p, "ada", add, &w);
    set_country(p, "BB"); /* the shorter of two */
    FAILS(p, "ada", add, &w, OB_EREFUSED, "shorter, Art. 6");
}

static void a_law_demands_keeping_from_when_it_was_reported_on(void **state)
{
    memory_place *p = *state;
    const int64_t id = report_of_today(p);
    wish w = by_law(id);
    DONE(p, "ada", add, &w);
    assert_int_equal(w.hold.until, ob_time_add_months(TODAY, 24));
    assert_string_equal(w.hold.law, "keeping");
    w.wish.reported_at = TODAY - 100 * DAY;
    DONE(p, "ada", add, &w);
    assert_int_equal(w.hold.until, ob_time_add_months(TODAY - 100 * DAY, 24));
    w.wish.reported_at = TODAY + 1;
    FAILS(p, "ada", add, &w, OB_EINVAL, "in the future");
    w = by_law(id);
    w.wish.law = "land";
    FAILS(p, "ada", add, &w, OB_EINVAL, "demands keeping anything");
    w.wish.law = "nowhere";
    FAILS(p, "ada", add, &w, OB_EINVAL, "no law \"nowhere\"");
}

static void where_one_law_demands_keeping_and_another_deletion_a_person_decides(void **state)
{
    memory_place *p = *state;
    set_country(p, "AA");
    wish w = by_law(report_of_today(p));
    DONE(p, "ada", add, &w);
    int64_t id = w.hold.id;
    assert_true(w.must_be_decided && must_be_decided(p, id, TODAY));
    assert_false(must_be_decided(p, id, w.hold.until)); /* it is over */
    FAILS(p, "bea", decide_silently, &id, OB_EINVAL, "a reason is needed");
    assert_true(must_be_decided(p, id, TODAY));
    DONE(p, "bea", decide, &id);
    assert_false(must_be_decided(p, id, TODAY));
    ob_hold h;
    MUST(READS(p->store, &err_, one_hold(&h, view, id, &err_)));
    assert_string_equal(h.decided_by, "bea");
    assert_string_equal(h.decided_why, "the prosecutor asked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(a_record_is_held_for_a_reason_and_then_not_removed),
        ACTING(a_hold_is_over_at_its_end),
        ACTING(nobody_holds_a_record_beyond_the_law_for_a_reason_of_their_own),
        ACTING(a_law_demands_keeping_from_when_it_was_reported_on),
        ACTING(where_one_law_demands_keeping_and_another_deletion_a_person_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
