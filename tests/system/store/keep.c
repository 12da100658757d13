/* What is kept for a time: periods, holds, deliveries, and what the log needs of the records. */
#include "one_record.h"
#include "store_test.h"

#include <obhut/records/cause.h>
#include <obhut/records/conversation.h>
#include <obhut/records/delivery.h>
#include <obhut/records/hold.h>
#include <obhut/records/incoming.h>
#include <obhut/records/log.h>
#include <obhut/records/order.h>
#include <obhut/records/person.h>
#include <obhut/records/proposal.h>
#include <obhut/records/retention.h>
#include <obhut/records/tally.h>
#include <obhut/records/verdict.h>

enum { DAY = 86400 };

static const int64_t now = INT64_C(1764000000);

static int64_t add_report(place *p, int64_t at)
{
    ob_error err = {0};
    int64_t id = 0;
    ob_record_key items[] = {key_of(1), key_of(2)};
    ob_incoming in = {.kind = OB_INCOMING_REPORT, .reason = "Grüße", .at = at};
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, items, 2, &err)), &err);
    return id;
}

static ob_hold hold_of(int64_t record, const char *law, int64_t until)
{
    ob_hold h = {.kind = "report",
                 .record = record,
                 .reason = "Verfahren läuft",
                 .by = "anna",
                 .made_at = now,
                 .until = until};
    snprintf(h.law, sizeof h.law, "%s", law);
    return h;
}

/* ---- Holds ----------------------------------------------------------------------------------- */

static void a_hold_needs_reason_person_and_end_and_is_ended_once(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    ob_hold h = hold_of(1, "", now + DAY), wrong, read = {0}, *all = NULL;
    size_t count = 0;
    must(WRITES(p->store, &err, ob_store_hold_add(&id, w, &h, &err)), &err);
    assert_int_equal(id, 1);
    wrong = h, *wrong.reason = '\0';
    refused(WRITES(p->store, &err, ob_store_hold_add(&id, w, &wrong, &err)), OB_EINVAL, &err);
    wrong = h, *wrong.by = '\0';
    refused(WRITES(p->store, &err, ob_store_hold_add(&id, w, &wrong, &err)), OB_EINVAL, &err);
    wrong = h, wrong.until = now;
    refused(WRITES(p->store, &err, ob_store_hold_add(&id, w, &wrong, &err)), OB_EINVAL, &err);
    wrong = h, snprintf(wrong.kind, sizeof wrong.kind, "token");
    refused(WRITES(p->store, &err, ob_store_hold_add(&id, w, &wrong, &err)), OB_EINVAL, &err);
    must(READS(p->store, &err, one_hold(&read, view, 1, &err)), &err);
    assert_string_equal(read.reason, h.reason);
    assert_int_equal(read.until, h.until);
    refused(READS(p->store, &err, one_hold(&read, view, 2, &err)), OB_ENOTFOUND, &err);
    refused(WRITES(p->store, &err, ob_store_hold_decide(w, 1, "bea", "why", now, &err)),
            OB_ENOTFOUND, &err);
    must(WRITES(p->store, &err, ob_store_hold_end(w, 1, now + 5, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_hold_end(w, 1, now + 6, &err)), OB_ENOTFOUND, &err);
    must(READS(p->store, &err, ob_store_holds(&all, &count, view, 10, &err)), &err);
    assert_int_equal(count, 1);
    assert_int_equal(all->ended_at, now + 5);
    free(all);
}

static void after_a_held_report_was_not_removed_nothing_of_its_writing_is_kept(void **state)
{
    place *p = *state;
    ob_error err = {0}, later = {0};
    int64_t id = 0, hold = 0;
    ob_incoming in = {.kind = OB_INCOMING_REPORT, .reason = "r", .at = now}, read;
    const int64_t report = add_report(p, now);
    const ob_hold h = hold_of(report, "", now + DAY);
    must(WRITES(p->store, &err, ob_store_hold_add(&hold, w, &h, &err)), &err);
    must(open_writing(p->store, &err), &err);
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, NULL, 0, &err)), &err);
    refused(
        WRITES(p->store, &err, ob_store_incoming_remove(w, OB_INCOMING_REPORT, report, now, &err)),
        OB_EREFUSED, &err);
    refused(WRITES(p->store, &later, ob_store_incoming_add(&id, w, &in, NULL, 0, &later)),
            OB_EREFUSED, &later); /* nothing follows */
    assert_string_equal(later.text, err.text);
    refused(end_writing(OB_OK, &later), OB_EREFUSED, &later);
    must(READS(p->store, &err, ob_store_incoming(&read, view, OB_INCOMING_REPORT, report, &err)),
         &err);
    refused(
        READS(p->store, &err, ob_store_incoming(&read, view, OB_INCOMING_REPORT, report + 1, &err)),
        OB_ENOTFOUND, &err);
    must(WRITES(p->store, &err,
                ob_store_incoming_remove(w, OB_INCOMING_REPORT, report, now + DAY, &err)),
         &err); /* the hold is over */
}

static void a_laws_hold_is_decided_once(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    ob_hold h = hold_of(1, "us-2258a", now + DAY), read = {0};
    must(WRITES(p->store, &err, ob_store_hold_add(&id, w, &h, &err)), &err);
    must(WRITES(p->store, &err, ob_store_hold_decide(w, id, "bea", "weil", now + 1, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_hold_decide(w, id, "cem", "nein", now + 2, &err)),
            OB_ENOTFOUND, &err);
    must(READS(p->store, &err, one_hold(&read, view, id, &err)), &err);
    assert_string_equal(read.decided_by, "bea");
    assert_string_equal(read.decided_why, "weil");
}

static void the_instant_of_a_record_is_found_by_its_kind(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t at = 0, id = add_report(p, now - 7);
    must(READS(p->store, &err, ob_store_record_at(&at, view, "report", id, &err)), &err);
    assert_int_equal(at, now - 7);
    ob_order o = {.regime = "zz", .end = 5, .secret_until = 9};
    must(WRITES(p->store, &err, ob_store_order_add(&id, w, &o, NULL, 0, &err)), &err);
    must(READS(p->store, &err, ob_store_record_at(&at, view, "order", id, &err)), &err);
    assert_int_equal(at, 9);
    static const char *const kinds[] = {"notice", "verdict", "cause"};
    for (int i = 0; i < 3; i++)
        refused(READS(p->store, &err, ob_store_record_at(&at, view, kinds[i], 1, &err)),
                OB_ENOTFOUND, &err);
    refused(READS(p->store, &err, ob_store_record_at(&at, view, "token", 1, &err)), OB_EINVAL,
            &err);
}

/* ---- Periods --------------------------------------------------------------------------------- */

static const ob_reaped *found_of(const ob_reaped *all, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(all[i].word, word))
            return &all[i];
    fail_msg("nothing was due of kind %s", word);
    return NULL;
}

static void what_is_due_goes_and_what_is_held_stays(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_reaped out[OB_REAPED_MOST];
    const ob_reap how = {.now = now};
    size_t count = 9;
    int64_t id = 0;
    ob_incoming read;
    const int64_t old = ob_months_before(now, 12) - 1;
    must(open_writing(p->store, &err), &err);
    for (int i = 0; i < 1203; i++) /* more than two batches */
        add_report(p, old);
    must(end_writing(OB_OK, &err), &err);
    int64_t held = add_report(p, old), released = add_report(p, old),
            young = add_report(p, now - 5);
    ob_hold h = hold_of(held, "", now + 1), over = hold_of(released, "", now);
    must(WRITES(p->store, &err, ob_store_hold_add(&id, w, &h, &err)), &err);
    over.made_at = now - 10;
    must(WRITES(p->store, &err, ob_store_hold_add(&id, w, &over, &err)), &err);
    must(ob_store_reap(out, &count, p->store, &how, &err), &err);
    const ob_reaped *reports = found_of(out, count, "report");
    assert_int_equal(reports->due, 1205);
    assert_int_equal(reports->held, 1);
    assert_int_equal(reports->deleted, 1204);
    assert_int_equal(reports->left, 1);
    must(READS(p->store, &err, ob_store_incoming(&read, view, OB_INCOMING_REPORT, held, &err)),
         &err);
    must(READS(p->store, &err, ob_store_incoming(&read, view, OB_INCOMING_REPORT, young, &err)),
         &err);
    refused(
        READS(p->store, &err, ob_store_incoming(&read, view, OB_INCOMING_REPORT, released, &err)),
        OB_ENOTFOUND, &err);
    sql q; /* their items went with them */
    ob_view *view = NULL;
    must(ob_view_open(&view, p->store, &err), &err);
    sql_begin(&q, view, "SELECT count(*) FROM incoming_item", &err);
    assert_true(sql_step(&q));
    assert_int_equal(sql_int(&q, 0), 4);
    must(sql_end(&q), &err);
    ob_view_close(view);
    open_again(p);
    must(ob_store_reap(out, &count, p->store, &how, &err), &err);
    assert_int_equal(found_of(out, count, "report")->deleted, 0);
}

/* One of each kind that can be held, all from the same instant. */
static void add_each_kind(place *p, int64_t at)
{
    ob_error err = {0};
    int64_t id = 0;
    ob_verdict verdict = {.at = at};
    ob_cause cause = {.record_at = at, .until = at};
    ob_order order = {.regime = "zz", .end = at};
    ob_incoming notice = {.kind = OB_INCOMING_NOTICE, .at = at};
    snprintf(cause.confirmed_by, sizeof cause.confirmed_by, "p%lld", (long long)at);
    cause.account = key_of((unsigned)at);
    add_report(p, at);
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &notice, NULL, 0, &err)), &err);
    must(WRITES(p->store, &err, ob_store_verdict_add(&id, w, &verdict, &err)), &err);
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &cause, &err)), &err);
    must(WRITES(p->store, &err, ob_store_order_add(&id, w, &order, NULL, 0, &err)), &err);
}

static void beyond_what_a_law_allows_only_another_law_keeps_any_kind(void **state)
{
    static const char *const words[] = {"report", "notice", "verdict", "cause", "order"};
    place *p = *state;
    ob_error err = {0};
    ob_reaped out[OB_REAPED_MOST];
    size_t count = 0;
    int64_t id = 0;
    add_each_kind(p, ob_months_before(now, 6) - 1); /* number 1 of each kind: a person's reason */
    add_each_kind(p, ob_months_before(now, 6) - 2); /* number 2: a law demands it */
    for (int64_t record = 1; record <= 2; record++)
        for (int i = 0; i < 5; i++) {
            ob_hold h = hold_of(record, record == 2 ? "us-2258a" : "", now + DAY);
            snprintf(h.kind, sizeof h.kind, "%s", words[i]);
            must(WRITES(p->store, &err, ob_store_hold_add(&id, w, &h, &err)), &err);
        }
    must(ob_store_reap(out, &count, p->store, &(ob_reap){.now = now, .law_months = 6}, &err), &err);
    for (int i = 0; i < 5; i++) {
        const ob_reaped *one = found_of(out, count, words[i]);
        if (one->due != 2 || one->held != 1 || one->deleted != 1)
            fail_msg("%s: %u due, %u held, %u deleted", words[i], (unsigned)one->due,
                     (unsigned)one->held, (unsigned)one->deleted);
        must(READS(p->store, &err, ob_store_record_at(&id, view, words[i], 2, &err)), &err);
    }
}

static void every_kind_of_record_goes_when_its_time_is_over(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_reaped out[OB_REAPED_MOST];
    size_t count = 0;
    int64_t id = 0;
    ob_record_key key = key_of(1), salt, *codes = NULL;
    ob_person person = {.name = "anna", .made_at = 1};
    ob_proposal proposal = {.kind = "x", .until = 5};
    ob_verdict verdict = {.at = 5};
    ob_cause cause = {.record_at = 5, .until = 6};
    ob_order order = {.regime = "zz", .end = 5};
    ob_conversation conversation = {.id = key, .changed_at = 5};
    ob_member member = {.account = key};
    ob_tally tally = {.day = 1, .regime = "eu", .count = 1};
    ob_hold hold = hold_of(1, "", 50);
    hold.made_at = 5;
    must(WRITES(p->store, &err, ob_store_person_add(w, &person, &err)), &err);
    must(WRITES(p->store, &err, ob_store_person_end(w, "anna", 5, &err)), &err);
    must(WRITES(p->store, &err, ob_store_proposal_add(&id, w, &proposal, &err)), &err);
    must(WRITES(p->store, &err, ob_store_verdict_add(&id, w, &verdict, &err)), &err);
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &cause, &err)), &err);
    must(WRITES(p->store, &err, ob_store_order_add(&id, w, &order, &key, 1, &err)), &err);
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &conversation, &member, 1, &err)),
         &err);
    must(WRITES(p->store, &err, ob_store_tallies_add(w, &tally, 1, &key, 1, 1, 1, &err)), &err);
    must(WRITES(p->store, &err, ob_store_denied(&salt, &codes, &count, w, 1, &err)), &err);
    free(codes);
    must(WRITES(p->store, &err, ob_store_hold_add(&id, w, &hold, &err)), &err);
    must(WRITES(p->store, &err, ob_store_delivery_add(w, &key, &key, 1, 5, &err)), &err);
    must(WRITES(p->store, &err, ob_store_log_key(&salt, w, &key, 5, &err)), &err);
    add_report(p, 5);
    must(ob_store_reap(out, &count, p->store, &(ob_reap){.now = now, .law_months = 6}, &err), &err);
    static const char *const words[] = {"person", "proposal",     "report", "verdict",  "cause",
                                        "order",  "conversation", "hold",   "delivery", "log key",
                                        "count",  "denied",       "salt"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const ob_reaped *one = found_of(out, count, words[i]);
        if (one->due != 1 || one->deleted != 1 || one->left)
            fail_msg("%s: %u due, %u deleted, %u left", words[i], (unsigned)one->due,
                     (unsigned)one->deleted, (unsigned)one->left);
    }
    must(ob_store_reap(out, &count, p->store, &(ob_reap){.now = now}, &err), &err);
    assert_int_equal(count, 0);
}

/* ---- What the log needs ---------------------------------------------------------------------- */

static void a_key_of_the_log_is_made_once_and_can_be_destroyed(void **state)
{
    place *p = *state;
    ob_error err = {0};
    bool found = true;
    ob_record_key subject = key_of(1), first, same, next;
    must(READS(p->store, &err, ob_store_log_key_find(&found, &same, view, &subject, &err)), &err);
    assert_false(found);
    must(WRITES(p->store, &err, ob_store_log_key(&first, w, &subject, 5, &err)), &err);
    must(WRITES(p->store, &err, ob_store_log_key(&same, w, &subject, 9, &err)), &err);
    assert_memory_equal(&first, &same, sizeof first);
    must(READS(p->store, &err, ob_store_log_key_find(&found, &same, view, &subject, &err)), &err);
    assert_true(found);
    assert_memory_equal(&first, &same, sizeof first);
    must(WRITES(p->store, &err, ob_store_log_key_destroy(w, &subject, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_log_key_destroy(w, &subject, &err)), OB_ENOTFOUND,
            &err);
    must(WRITES(p->store, &err, ob_store_log_key(&next, w, &subject, 9, &err)), &err);
    assert_memory_not_equal(&first, &next, sizeof first);
}

static void marks_come_back_as_they_were(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t value = 0;
    must(READS(p->store, &err, ob_store_counter(&value, view, OB_COUNTER_LOG_ENTRY, &err)), &err);
    assert_int_equal(value, -1);
    must(WRITES(p->store, &err, ob_store_counter_set(w, OB_COUNTER_LOG_ENTRY, 0, &err)), &err);
    must(WRITES(p->store, &err, ob_store_counter_set(w, OB_COUNTER_LOG_ENTRY, INT64_MAX, &err)),
         &err);
    must(READS(p->store, &err, ob_store_counter(&value, view, OB_COUNTER_LOG_ENTRY, &err)), &err);
    assert_true(value == INT64_MAX);
    must(READS(p->store, &err, ob_store_counter(&value, view, OB_COUNTER_LOG_DAY, &err)), &err);
    assert_int_equal(value, -1);
    open_again(p);
    must(READS(p->store, &err, ob_store_counter(&value, view, OB_COUNTER_LOG_ENTRY, &err)), &err);
    assert_true(value == INT64_MAX);
}

static void the_same_delivery_is_known_again(void **state)
{
    place *p = *state;
    ob_error err = {0};
    bool found = true;
    int64_t id = 0;
    ob_record_key key = key_of(1), digest = key_of(2), other = key_of(3);
    must(READS(p->store, &err, ob_store_delivery(&found, &id, view, &key, &digest, &err)), &err);
    assert_false(found);
    must(WRITES(p->store, &err, ob_store_delivery_add(w, &key, &digest, 42, now, &err)), &err);
    must(READS(p->store, &err, ob_store_delivery(&found, &id, view, &key, &digest, &err)), &err);
    assert_true(found && id == 42);
    refused(READS(p->store, &err, ob_store_delivery(&found, &id, view, &key, &other, &err)),
            OB_EREFUSED, &err);
    refused(WRITES(p->store, &err, ob_store_delivery_add(w, &key, &digest, 43, now, &err)),
            OB_EINVAL, &err);
}

static void members_come_by_account(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t count = 9;
    ob_conversation c = {.id = key_of(1)};
    ob_member members[] = {{key_of(200), true}, {key_of(11), false}}, *all = NULL;
    must(READS(p->store, &err, ob_store_members(&all, &count, view, &c.id, &err)), &err);
    assert_int_equal(count, 0);
    free(all);
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 2, &err)), &err);
    must(READS(p->store, &err, ob_store_members(&all, &count, view, &c.id, &err)), &err);
    assert_int_equal(count, 2);
    assert_true(memcmp(&all[0].account, &all[1].account, sizeof all->account) < 0);
    assert_true(all[0].consents != all[1].consents);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_hold_needs_reason_person_and_end_and_is_ended_once),
        IN_PLACE(after_a_held_report_was_not_removed_nothing_of_its_writing_is_kept),
        IN_PLACE(a_laws_hold_is_decided_once),
        IN_PLACE(the_instant_of_a_record_is_found_by_its_kind),
        IN_PLACE(what_is_due_goes_and_what_is_held_stays),
        IN_PLACE(beyond_what_a_law_allows_only_another_law_keeps_any_kind),
        IN_PLACE(every_kind_of_record_goes_when_its_time_is_over),
        IN_PLACE(a_key_of_the_log_is_made_once_and_can_be_destroyed),
        IN_PLACE(marks_come_back_as_they_were),
        IN_PLACE(the_same_delivery_is_known_again),
        IN_PLACE(members_come_by_account),
    };
    return cmocka_run_group_tests_name("store_keep", tests, NULL, NULL);
}
