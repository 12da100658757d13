/* Reports and notices: the same delivery twice is one, and a report is confirmed once. */
#include "acting.h"

#include <obhut/grounds.h>

typedef struct coming {
    ob_incoming incoming;
    ob_record_key items[2];
    ob_delivery delivery;
    int64_t id;
    bool is_known;
} coming;

ACT(add, coming,
    ob_incoming_add(&in->id, &in->is_known, act, &in->incoming, in->items, 2, &in->delivery, err))
ACT(confirm, int64_t, ob_report_confirm(act, *in, err))
ACT(drop_report, int64_t, ob_incoming_remove(act, OB_INCOMING_REPORT, *in, err))
ACT(drop_notice, int64_t, ob_incoming_remove(act, OB_INCOMING_NOTICE, *in, err))

static coming report(const char *delivery)
{
    return (coming){.incoming = {.kind = OB_INCOMING_REPORT,
                                 .conversation = key_of("talk"),
                                 .reporter = key_of("anna"),
                                 .account = key_of("mallory"),
                                 .reason = "words of her own",
                                 .at = TODAY},
                    .items = {key_of("one"), key_of("two")},
                    .delivery = {key_of(delivery), key_of("digest")}};
}

static ob_incoming kept(memory_place *p, int64_t id)
{
    ob_incoming in = {0};
    MUST(READS(p->store, &err_, ob_store_incoming(&in, view, OB_INCOMING_REPORT, id, &err_)));
    return in;
}

static void the_same_delivery_twice_is_one_report_and_one_entry(void **state)
{
    memory_place *p = *state;
    coming first = report("a"), again = report("a"), other = report("b");
    DONE(p, "ada", add, &first);
    const unsigned entries = log_of(p).count;
    DONE(p, "ada", add, &again);
    assert_true(!first.is_known && again.is_known && again.id == first.id);
    assert_int_equal(log_of(p).count, entries);
    DONE(p, "ada", add, &other);
    assert_true(!other.is_known && other.id != first.id);
}

static void the_same_delivery_that_says_something_else_is_refused(void **state)
{
    memory_place *p = *state;
    coming first = report("a"), other = report("a");
    DONE(p, "ada", add, &first);
    other.delivery.digest = key_of("another");
    FAILS(p, "ada", add, &other, OB_EREFUSED, "came with another body");
}

static void a_report_holds_its_items_and_no_others(void **state)
{
    memory_place *p = *state;
    coming in = report("a");
    bool there, holds;
    const ob_record_key other = key_of("three");
    DONE(p, "ada", add, &in);
    for (int i = 0; i < 2; i++) {
        MUST(READS(p->store, &err_,
                   ob_store_incoming_has(&there, &holds, view, OB_INCOMING_REPORT, in.id,
                                         &in.items[i], &err_)));
        assert_true(there && holds);
    }
    MUST(READS(
        p->store, &err_,
        ob_store_incoming_has(&there, &holds, view, OB_INCOMING_REPORT, in.id, &other, &err_)));
    assert_true(there && !holds);
}

static void the_log_tells_of_a_report_whom_it_is_about_and_nobody_who_reported(void **state)
{
    memory_place *p = *state;
    coming in = report("a");
    DONE(p, "ada", add, &in);
    const told t = log_of(p);
    assert_non_null(strstr(t.last, "\"about\":\"account:"));
    assert_non_null(strstr(t.last, "\"items\":2"));
    assert_non_null(strstr(t.last, "\"reporter\":"));
    assert_null(strstr(t.last, "\"reporter\":\"account:"));
    assert_null(strstr(t.last, "words of her own"));
}

static void a_notice_is_about_no_account(void **state)
{
    memory_place *p = *state;
    coming in = report("a");
    in.incoming = (ob_incoming){.kind = OB_INCOMING_NOTICE, .reason = "seen", .at = TODAY};
    DONE(p, "ada", add, &in);
    const told t = log_of(p);
    assert_non_null(strstr(t.last, "\"notice\":1"));
    assert_null(strstr(t.last, "\"about\""));
    assert_null(strstr(t.last, "\"reporter\""));
    FAILS(p, "ada", drop_report, &in.id, OB_ENOTFOUND, "");
    DONE(p, "ada", drop_notice, &in.id);
    FAILS(p, "ada", drop_notice, &in.id, OB_ENOTFOUND, "");
}

static void a_report_is_confirmed_once_and_by_whose_act_it_was(void **state)
{
    memory_place *p = *state;
    coming in = report("a");
    int64_t missing = 77;
    DONE(p, "ada", add, &in);
    assert_string_equal(kept(p, in.id).confirmed_by, "");
    DONE(p, "bea", confirm, &in.id);
    assert_string_equal(kept(p, in.id).confirmed_by, "bea");
    assert_int_equal(kept(p, in.id).confirmed_at, TODAY);
    FAILS(p, "ada", confirm, &in.id, OB_EREFUSED, "");
    assert_string_equal(kept(p, in.id).confirmed_by, "bea");
    FAILS(p, "ada", confirm, &missing, OB_ENOTFOUND, "there is no report 77");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(the_same_delivery_twice_is_one_report_and_one_entry),
        ACTING(the_same_delivery_that_says_something_else_is_refused),
        ACTING(a_report_holds_its_items_and_no_others),
        ACTING(the_log_tells_of_a_report_whom_it_is_about_and_nobody_who_reported),
        ACTING(a_notice_is_about_no_account),
        ACTING(a_report_is_confirmed_once_and_by_whose_act_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
