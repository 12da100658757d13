/* Every kind of record, on whichever database this runs. */
#include "one_record.h"
#include "store_test.h"

#include <obhut/records/cause.h>
#include <obhut/records/conversation.h>
#include <obhut/records/detector.h>
#include <obhut/records/gateway.h>
#include <obhut/records/incoming.h>
#include <obhut/records/order.h>
#include <obhut/records/person.h>
#include <obhut/records/profile.h>
#include <obhut/records/proposal.h>
#include <obhut/records/safeguard.h>
#include <obhut/records/tally.h>
#include <obhut/records/verdict.h>
#include <obhut/records/written.h>

/* Non-ASCII, quotes, marks of both databases, a line break. */
#define WORDS "Grüße, „Ω“ 日本 😀 'a'' \"b\" $1 ? % \\ \n;--"

static void text_of(char *out, size_t length)
{
    memset(out, 'x', length);
    memcpy(out, "\xC3\xA4", 2);
    out[length] = '\0';
}

/* ---- Tokens and gateways --------------------------------------------------------------------- */

static void tokens_come_back_as_they_were_sorted_by_name(void **state)
{
    place *p = *state;
    ob_error err = {0};
    static const char *const names[] = {"b", "a.1", "a-1", "a_1", "z", "a"};
    for (unsigned i = 0; i < 6; i++) {
        ob_token t = token_of(names[i], i);
        must(WRITES(p->store, &err, ob_store_token_add(w, &t, &err)), &err);
    }
    open_again(p);
    ob_token *all = NULL;
    size_t count = 0;
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)), &err);
    static const unsigned order[] = {5, 2, 1, 3, 0, 4}; /* by bytes */
    assert_int_equal(count, 6);
    for (unsigned i = 0; i < 6; i++) {
        ob_token t = token_of(names[order[i]], order[i]);
        assert_memory_equal(&all[i], &t, sizeof t);
    }
    free(all);
}

static void a_token_is_added_once_and_removed_once(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_token t = token_of("forum", 1), same_print = token_of("other", 1), bad = token_of("No", 2);
    uint64_t before = ob_store_generation(p->store);
    must(WRITES(p->store, &err, ob_store_token_add(w, &t, &err)), &err);
    assert_true(ob_store_generation(p->store) != before);
    refused(WRITES(p->store, &err, ob_store_token_add(w, &t, &err)), OB_EINVAL, &err);
    refused(WRITES(p->store, &err, ob_store_token_add(w, &same_print, &err)), OB_EINVAL, &err);
    refused(WRITES(p->store, &err, ob_store_token_add(w, &bad, &err)), OB_EINVAL, &err);
    must(WRITES(p->store, &err, ob_store_token_remove(w, "forum", &err)), &err);
    refused(WRITES(p->store, &err, ob_store_token_remove(w, "forum", &err)), OB_ENOTFOUND, &err);
    ob_token *all = NULL;
    size_t count = 9;
    must(READS(p->store, &err, ob_store_tokens(&all, &count, view, &err)), &err);
    assert_int_equal(count, 0);
    free(all);
}

static void gateways_are_kept_like_tokens(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_gateway g = {
        .name = "pict", .kind = "pict-rs", .surface = 3, .fail_closed = true, .made_at = 7};
    memcpy(g.fingerprint, key_of(5).bytes, sizeof g.fingerprint);
    must(WRITES(p->store, &err, ob_store_gateway_add(w, &g, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_gateway_add(w, &g, &err)), OB_EINVAL, &err);
    open_again(p);
    ob_gateway *all = NULL;
    size_t count = 0;
    must(READS(p->store, &err, ob_store_gateways(&all, &count, view, &err)), &err);
    assert_int_equal(count, 1);
    assert_memory_equal(all, &g, sizeof g);
    free(all);
    must(WRITES(p->store, &err, ob_store_gateway_remove(w, "pict", &err)), &err);
    refused(WRITES(p->store, &err, ob_store_gateway_remove(w, "pict", &err)), OB_ENOTFOUND, &err);
}

/* ---- The service ----------------------------------------------------------------------------- */

static void count_withdrawal(void *context, bool personal)
{
    ((unsigned *)context)[personal]++;
}

static void same_profile(const ob_profile *a, const ob_profile *b)
{
    assert_string_equal(a->service, b->service);
    assert_string_equal(a->country, b->country);
    assert_string_equal(a->regime, b->regime);
    assert_true(a->kinds == b->kinds && a->surfaces == b->surfaces && a->bases == b->bases);
    assert_true(a->detectors == b->detectors && a->has_register == b->has_register);
    assert_int_equal(a->changed_at, b->changed_at);
}

static void a_profile_replaces_the_one_before(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_profile read;
    unsigned heard[2] = {0};
    must(READS(p->store, &err, ob_store_profile(&read, view, &err)), &err);
    same_profile(&read, &ob_profile_default);
    ob_store_on_withdrawal(p->store, count_withdrawal, heard);
    ob_profile mine = {.service = "forum",
                       .kinds = 0x80000001u,
                       .country = "DE",
                       .regime = "eu-dsa",
                       .surfaces = 6,
                       .bases = 7,
                       .detectors = 1,
                       .has_register = true,
                       .changed_at = 1764000000};
    must(WRITES(p->store, &err, ob_store_profile_set(w, &mine, &err)), &err);
    mine.surfaces = 4;
    must(WRITES(p->store, &err, ob_store_profile_set(w, &mine, &err)), &err);
    assert_int_equal(heard[0], 2);
    assert_int_equal(heard[1], 0);
    open_again(p);
    must(READS(p->store, &err, ob_store_profile(&read, view, &err)), &err);
    same_profile(&read, &mine);
}

static void a_persons_name_is_never_given_twice(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_person a = {.name = "anna", .roles = 5, .is_external = true, .made_at = 1};
    memcpy(a.fingerprint, key_of(1).bytes, sizeof a.fingerprint);
    ob_person b = {.name = "Bad name"};
    must(WRITES(p->store, &err, ob_store_person_add(w, &a, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_person_add(w, &b, &err)), OB_EINVAL, &err);
    must(WRITES(p->store, &err, ob_store_person_end(w, "anna", 9, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_person_end(w, "anna", 10, &err)), OB_ENOTFOUND, &err);
    refused(WRITES(p->store, &err, ob_store_person_end(w, "nobody", 10, &err)), OB_ENOTFOUND, &err);
    refused(WRITES(p->store, &err, ob_store_person_add(w, &a, &err)), OB_EINVAL, &err);
    ob_person *all = NULL;
    size_t count = 0;
    must(READS(p->store, &err, ob_store_persons(&all, &count, view, &err)), &err);
    a.ended_at = 9;
    assert_int_equal(count, 1);
    assert_memory_equal(all, &a, sizeof a);
    free(all);
}

/* ---- Proposals ------------------------------------------------------------------------------- */

static void open_proposals_come_first_and_are_decided_once(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_proposal made = {
        .kind = "cause.add", .proposed_by = "operator", .proposed_at = 3, .until = 99};
    text_of(made.body, sizeof made.body - 1);
    for (int64_t i = 1; i <= 4; i++) {
        int64_t id = 0;
        must(WRITES(p->store, &err, ob_store_proposal_add(&id, w, &made, &err)), &err);
        assert_int_equal(id, i);
    }
    must(WRITES(p->store, &err,
                ob_store_proposal_decide(w, 4, OB_PROPOSAL_REJECTED, "bea", 8, &err)),
         &err);
    refused(WRITES(p->store, &err,
                   ob_store_proposal_decide(w, 4, OB_PROPOSAL_APPROVED, "cem", 9, &err)),
            OB_EREFUSED, &err);
    refused(WRITES(p->store, &err,
                   ob_store_proposal_decide(w, 7, OB_PROPOSAL_APPROVED, "cem", 9, &err)),
            OB_EREFUSED, &err);
    must(WRITES(p->store, &err, ob_store_proposal_adopt(w, 2, "anna", &err)), &err);
    refused(WRITES(p->store, &err, ob_store_proposal_adopt(w, 4, "anna", &err)), OB_ENOTFOUND,
            &err);
    ob_proposal *all = NULL, one = {0};
    size_t count = 0;
    must(READS(p->store, &err, ob_store_proposals(&all, &count, view, 10, &err)), &err);
    assert_int_equal(count, 4);
    static const int64_t order[] = {3, 2, 1, 4};
    for (int i = 0; i < 4; i++)
        assert_int_equal(all[i].id, order[i]);
    assert_string_equal(all[1].proposed_by, "anna");
    assert_string_equal(all[0].body, made.body);
    assert_int_equal(all[3].state, OB_PROPOSAL_REJECTED);
    assert_string_equal(all[3].decided_by, "bea");
    free(all);
    must(READS(p->store, &err, ob_store_proposals(&all, &count, view, 2, &err)), &err);
    assert_int_equal(count, 2);
    free(all);
    must(READS(p->store, &err, ob_store_proposal(&one, view, 1, &err)), &err);
    assert_int_equal(one.until, 99);
    refused(READS(p->store, &err, ob_store_proposal(&one, view, 5, &err)), OB_ENOTFOUND, &err);
}

/* ---- Reports and notices --------------------------------------------------------------------- */

static void a_report_is_kept_with_its_items_and_confirmed_once(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    bool there = true, holds = true;
    ob_record_key items[] = {key_of(1), key_of(2), key_of(1)}, other = key_of(3);
    ob_incoming in = {.kind = OB_INCOMING_REPORT,
                      .conversation = key_of(10),
                      .reporter = key_of(11),
                      .account = key_of(12),
                      .reason = WORDS,
                      .at = 5};
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, items, 3, &err)), &err);
    assert_int_equal(id, 1);
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, NULL, 0, &err)), &err);
    assert_int_equal(id, 2);
    in.kind = OB_INCOMING_NOTICE; /* counted on its own */
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, items, 1, &err)), &err);
    assert_int_equal(id, 1);
    must(READS(p->store, &err,
               ob_store_incoming_has(&there, &holds, view, OB_INCOMING_REPORT, 1, &items[1], &err)),
         &err);
    assert_true(there && holds);
    must(READS(p->store, &err,
               ob_store_incoming_has(&there, &holds, view, OB_INCOMING_REPORT, 1, &other, &err)),
         &err);
    assert_true(there && !holds);
    must(READS(p->store, &err,
               ob_store_incoming_has(&there, &holds, view, OB_INCOMING_REPORT, 9, &other, &err)),
         &err);
    assert_true(!there && !holds);
    must(WRITES(p->store, &err, ob_store_report_confirm(w, 1, "anna", 8, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_report_confirm(w, 1, "bea", 9, &err)), OB_EREFUSED,
            &err);
    refused(WRITES(p->store, &err, ob_store_report_confirm(w, 7, "bea", 9, &err)), OB_ENOTFOUND,
            &err);
    ob_incoming read = {0};
    must(READS(p->store, &err, ob_store_incoming(&read, view, OB_INCOMING_REPORT, 1, &err)), &err);
    assert_string_equal(read.reason, WORDS);
    assert_string_equal(read.confirmed_by, "anna");
    assert_memory_equal(&read.account, &in.account, sizeof read.account);
    refused(READS(p->store, &err, ob_store_incoming(&read, view, OB_INCOMING_NOTICE, 2, &err)),
            OB_ENOTFOUND, &err);
}

static void removing_a_report_takes_its_items(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    unsigned heard[2] = {0};
    bool there = false, holds = false;
    ob_record_key item = key_of(1);
    ob_incoming in = {.kind = OB_INCOMING_REPORT, .at = 5};
    ob_incoming *all = NULL;
    size_t count = 0;
    ob_store_on_withdrawal(p->store, count_withdrawal, heard);
    for (int i = 0; i < 3; i++)
        must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, &item, 1, &err)), &err);
    must(WRITES(p->store, &err, ob_store_incoming_remove(w, OB_INCOMING_REPORT, 3, 100, &err)),
         &err);
    assert_int_equal(heard[1], 1);
    refused(WRITES(p->store, &err, ob_store_incoming_remove(w, OB_INCOMING_REPORT, 3, 100, &err)),
            OB_ENOTFOUND, &err);
    must(
        READS(p->store, &err, ob_store_incomings(&all, &count, view, OB_INCOMING_REPORT, 10, &err)),
        &err);
    assert_int_equal(count, 2);
    assert_int_equal(all[0].id, 2);
    free(all);
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &in, NULL, 0, &err)), &err);
    assert_int_equal(id, 4); /* a number is never given twice */
    must(READS(p->store, &err,
               ob_store_incoming_has(&there, &holds, view, OB_INCOMING_REPORT, 3, &item, &err)),
         &err);
    assert_true(!there && !holds);
}

/* ---- Verdicts, causes ------------------------------------------------------------------------ */

static int64_t add_verdict(place *p, unsigned account)
{
    ob_error err = {0};
    int64_t id = 0;
    ob_verdict v = {.account = key_of(account),
                    .reason = WORDS,
                    .proposed_by = "anna",
                    .confirmed_by = "bea",
                    .at = 10};
    must(WRITES(p->store, &err, ob_store_verdict_add(&id, w, &v, &err)), &err);
    return id;
}

static ob_cause cause_of(unsigned account, int64_t record, int64_t record_at, const char *by)
{
    ob_cause c = {.account = key_of(account),
                  .ground = OB_GROUND_VERDICT,
                  .record = record,
                  .record_at = record_at,
                  .proposed_by = "anna",
                  .from = 100,
                  .until = 200};
    text_of(c.reason, OB_RECORD_TEXT);
    snprintf(c.confirmed_by, sizeof c.confirmed_by, "%s", by);
    return c;
}

static void an_overturned_verdict_ends_what_rests_on_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    bool found = false;
    unsigned heard[2] = {0};
    int64_t id = 0, first = add_verdict(p, 1), second = add_verdict(p, 2);
    ob_cause c = cause_of(1, first, 10, "bea"), other = cause_of(2, second, 10, "bea"), read = {0};
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &c, &err)), &err);
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &other, &err)), &err);
    ob_store_on_withdrawal(p->store, count_withdrawal, heard);
    must(WRITES(p->store, &err, ob_store_verdict_overturn(w, first, "dora", 150, &err)), &err);
    assert_int_equal(heard[1], 1);
    refused(WRITES(p->store, &err, ob_store_verdict_overturn(w, first, "dora", 151, &err)),
            OB_ENOTFOUND, &err);
    must(READS(p->store, &err, ob_store_cause_of(&found, &read, view, &c.account, 160, &err)),
         &err);
    assert_false(found);
    must(READS(p->store, &err, ob_store_cause_of(&found, &read, view, &other.account, 160, &err)),
         &err);
    assert_true(found);
    assert_string_equal(read.reason, other.reason);
    ob_verdict one = {0}, *all = NULL;
    size_t count = 0;
    must(READS(p->store, &err, ob_store_verdict(&one, view, first, &err)), &err);
    assert_int_equal(one.overturned_at, 150);
    assert_string_equal(one.overturned_by, "dora");
    refused(READS(p->store, &err, ob_store_verdict(&one, view, 77, &err)), OB_ENOTFOUND, &err);
    must(READS(p->store, &err, ob_store_verdicts(&all, &count, view, 1, &err)), &err);
    assert_int_equal(count, 1);
    assert_int_equal(all[0].id, second);
    free(all);
}

static void a_report_that_is_removed_ends_what_rests_on_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    bool found = false;
    int64_t id = 0, report = 0;
    ob_incoming in = {.kind = OB_INCOMING_REPORT, .at = 5};
    must(WRITES(p->store, &err, ob_store_incoming_add(&report, w, &in, NULL, 0, &err)), &err);
    ob_cause c = cause_of(1, report, 5, "bea"), other = cause_of(2, add_verdict(p, 2), 10, "bea");
    ob_cause read = {0};
    c.ground = OB_GROUND_REPORT;
    assert_int_equal(other.record, report); /* the same number, of another kind */
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &c, &err)), &err);
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &other, &err)), &err);
    must(WRITES(p->store, &err, ob_store_incoming_remove(w, OB_INCOMING_REPORT, report, 150, &err)),
         &err);
    must(READS(p->store, &err, ob_store_cause_of(&found, &read, view, &c.account, 160, &err)),
         &err);
    assert_false(found);
    must(READS(p->store, &err, ob_store_cause_of(&found, &read, view, &other.account, 160, &err)),
         &err);
    assert_true(found);
}

static void a_cause_follows_only_with_a_newer_record_and_another_person(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = -1;
    bool found = false;
    ob_cause c = cause_of(1, 1, 10, "bea"), read = {0}, *all = NULL;
    size_t count = 0;
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &c, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_cause_add(&id, w, &c, &err)), OB_EREFUSED, &err);
    c.record_at = 11;
    refused(WRITES(p->store, &err, ob_store_cause_add(&id, w, &c, &err)), OB_EREFUSED, &err);
    assert_int_equal(id, 1);
    must(WRITES(p->store, &err, ob_store_cause_end(w, 1, 150, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_cause_end(w, 1, 151, &err)), OB_ENOTFOUND, &err);
    snprintf(c.confirmed_by, sizeof c.confirmed_by, "cem");
    must(WRITES(p->store, &err, ob_store_cause_add(&id, w, &c, &err)), &err);
    assert_int_equal(id, 2);
    must(WRITES(p->store, &err, ob_store_cause_told(w, 2, 300, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_cause_told(w, 2, 301, &err)), OB_ENOTFOUND, &err);
    must(READS(p->store, &err, ob_store_cause_of(&found, &read, view, &c.account, 99, &err)), &err);
    assert_false(found);
    must(READS(p->store, &err, ob_store_cause_of(&found, &read, view, &c.account, 100, &err)),
         &err);
    assert_true(found && read.id == 2 && read.told_at == 300);
    must(READS(p->store, &err, ob_store_cause_of(&found, &read, view, &c.account, 200, &err)),
         &err);
    assert_false(found);
    must(READS(p->store, &err, ob_store_causes(&all, &count, view, 9, &err)), &err);
    assert_int_equal(count, 2);
    assert_int_equal(all[1].ended_at, 150);
    free(all);
}

/* ---- Orders ---------------------------------------------------------------------------------- */

static ob_order order_of(unsigned n)
{
    ob_order o = {.regime = "zz",
                  .issuer = "Amtsgericht Köln",
                  .is_judicial = true,
                  .is_authentic = true,
                  .names_professional = false,
                  .everybody = n % 2,
                  .has_detectors = true,
                  .has_accounts = true,
                  .verified_by = "anna",
                  .contact = "x@example.org",
                  .service = "forum",
                  .detectors = 0xF0000000u,
                  .received = 1,
                  .start = 2,
                  .end = 100,
                  .halfway_at = 50,
                  .secret_until = 60,
                  .proposed_by = "anna",
                  .approved_by = "bea",
                  .made_at = INT64_MAX};
    memcpy(o.document, key_of(n).bytes, sizeof o.document);
    text_of(o.authenticity, OB_RECORD_TEXT);
    text_of(o.reasons, OB_RECORD_TEXT);
    text_of(o.legal_basis, 700);
    text_of(o.redress, 3);
    return o;
}

static void an_order_comes_back_whole_and_is_found_by_its_accounts(void **state)
{
    place *p = *state;
    ob_order_brief briefs[8];
    ob_error err = {0};
    int64_t id = 0;
    size_t count = 0;
    ob_order o = order_of(1), *read = calloc(8, sizeof *read), *all = NULL;
    ob_record_key accounts[] = {key_of(1), key_of(2), key_of(1)}, other = key_of(3);
    must(WRITES(p->store, &err, ob_store_order_add(&id, w, &o, accounts, 3, &err)), &err);
    must(WRITES(p->store, &err, ob_store_order_add(&id, w, &o, accounts, 1, &err)), &err);
    open_again(p);
    must(READS(p->store, &err, one_order(read, view, 1, &err)), &err);
    o.id = 1;
    assert_memory_equal(read, &o, sizeof o);
    refused(READS(p->store, &err, one_order(read, view, 3, &err)), OB_ENOTFOUND, &err);
    must(READS(p->store, &err,
               ob_store_orders_naming(briefs, &count, 8, view, &accounts[0], 99, &err)),
         &err);
    assert_int_equal(count, 2);
    assert_int_equal(briefs[0].id, 2);
    must(READS(p->store, &err,
               ob_store_orders_naming(briefs, &count, 1, view, &accounts[0], 99, &err)),
         &err);
    assert_int_equal(count, 1);
    must(READS(p->store, &err,
               ob_store_orders_naming(briefs, &count, 8, view, &accounts[0], 100, &err)),
         &err);
    assert_int_equal(count, 0);
    must(READS(p->store, &err, ob_store_orders_naming(briefs, &count, 8, view, &other, 99, &err)),
         &err);
    assert_int_equal(count, 0);
    must(
        WRITES(p->store, &err, ob_store_order_set_state(w, 1, OB_ORDER_STATE_SUSPENDED, 100, &err)),
        &err);
    must(WRITES(p->store, &err, ob_store_order_set_state(w, 1, OB_ORDER_REVOKED, 100, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_order_set_state(w, 1, OB_ORDER_VALID, 100, &err)),
            OB_ENOTFOUND, &err);
    must(WRITES(p->store, &err, ob_store_order_halfway_done(w, 1, 51, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_order_halfway_done(w, 4, 51, &err)), OB_ENOTFOUND,
            &err);
    must(READS(p->store, &err, ob_store_orders(&all, &count, view, 9, &err)), &err);
    assert_int_equal(count, 2);
    assert_int_equal(all[1].state, OB_ORDER_REVOKED);
    assert_int_equal(all[1].halfway_done_at, 51);
    free(all);
    free(read);
}

/* ---- Conversations --------------------------------------------------------------------------- */

static void consents_are_counted_once_an_account_and_withdrawn_everywhere(void **state)
{
    place *p = *state;
    ob_error err = {0};
    bool found = false;
    uint64_t changed = 0;
    unsigned heard[2] = {0};
    ob_store_on_withdrawal(p->store, count_withdrawal, heard);
    ob_conversation c = {
        .id = key_of(1), .is_free = true, .has_child = OB_UNKNOWN, .changed_at = 4};
    ob_conversation d = {.id = key_of(2), .is_free = true, .changed_at = 4}, read = {0};
    ob_member members[] = {{key_of(10), true}, {key_of(11), true}, {key_of(12), false}};
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 2, &err)), &err);
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &d, members, 3, &err)), &err);
    must(READS(p->store, &err, ob_store_conversation(&found, &read, view, &c.id, &err)), &err);
    assert_true(found && read.members == 2 && read.consenting == 2 && read.has_child == OB_UNKNOWN);
    assert_int_equal(heard[1], 0);
    must(WRITES(p->store, &err,
                ob_store_consent_withdraw(&changed, w, &members[0].account, 9, &err)),
         &err);
    assert_int_equal(changed, 2);
    assert_int_equal(heard[1], 1);
    must(WRITES(p->store, &err,
                ob_store_consent_withdraw(&changed, w, &members[0].account, 9, &err)),
         &err);
    assert_int_equal(changed, 0);
    must(READS(p->store, &err, ob_store_conversation(&found, &read, view, &d.id, &err)), &err);
    assert_true(found && read.members == 3 && read.consenting == 1 && read.changed_at == 9);
    ob_member twice[] = {{key_of(10), true}, {key_of(10), true}};
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, twice, 2, &err)), &err);
    must(READS(p->store, &err, ob_store_conversation(&found, &read, view, &c.id, &err)), &err);
    assert_true(found && read.members == 1 && read.consenting == 0); /* in doubt, no */
    must(WRITES(p->store, &err, ob_store_conversation_remove(w, &c.id, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_conversation_remove(w, &c.id, &err)), OB_ENOTFOUND,
            &err);
    must(READS(p->store, &err, ob_store_conversation(&found, &read, view, &c.id, &err)), &err);
    assert_false(found);
}

static void losing_unanimous_consent_is_heard_of(void **state)
{
    place *p = *state;
    ob_error err = {0};
    unsigned heard[2] = {0};
    ob_conversation c = {.id = key_of(1), .is_free = true};
    ob_member members[] = {{key_of(10), true}, {key_of(11), false}};
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 1, &err)), &err);
    ob_store_on_withdrawal(p->store, count_withdrawal, heard);
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 1, &err)), &err);
    assert_int_equal(heard[1], 0);
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 2, &err)), &err);
    assert_int_equal(heard[1], 1);
}

static void a_member_who_is_left_out_takes_their_consent_along(void **state)
{
    place *p = *state;
    ob_error err = {0};
    unsigned heard[2] = {0};
    ob_conversation c = {.id = key_of(1), .is_free = true};
    ob_member members[] = {{key_of(12), true}, {key_of(11), true}, {key_of(10), true}};
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 2, &err)), &err);
    ob_store_on_withdrawal(p->store, count_withdrawal, heard);
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members, 3, &err)), &err);
    assert_int_equal(heard[1], 0); /* one more consents */
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &c, members + 1, 2, &err)), &err);
    assert_int_equal(heard[1], 1); /* the rest all do still */
}

/* ---- Safeguards, detectors ------------------------------------------------------------------- */

static void a_newer_safeguard_or_state_takes_the_place_of_the_older(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t count = 0;
    ob_safeguard_record s = {.regime = "eu", .safeguard = 3, .year = 2026, .at = 1, .by = "anna"},
                        *all = NULL;
    ob_detector_record d = {.detector = "pdq", .state = 1, .by = "anna", .reason = WORDS, .at = 1},
                       *ds = NULL;
    memcpy(s.document, key_of(1).bytes, sizeof s.document);
    must(WRITES(p->store, &err, ob_store_safeguard_add(w, &s, &err)), &err);
    s.at = 2;
    must(WRITES(p->store, &err, ob_store_safeguard_add(w, &s, &err)), &err);
    must(READS(p->store, &err, ob_store_safeguards(&all, &count, view, &err)), &err);
    assert_int_equal(count, 1);
    assert_memory_equal(all, &s, sizeof s);
    free(all);
    must(WRITES(p->store, &err, ob_store_safeguard_remove(w, "eu", 3, &err)), &err);
    refused(WRITES(p->store, &err, ob_store_safeguard_remove(w, "eu", 3, &err)), OB_ENOTFOUND,
            &err);
    must(WRITES(p->store, &err, ob_store_detector_set(w, &d, &err)), &err);
    d.state = 2;
    must(WRITES(p->store, &err, ob_store_detector_set(w, &d, &err)), &err);
    must(READS(p->store, &err, ob_store_detectors(&ds, &count, view, &err)), &err);
    assert_int_equal(count, 1);
    assert_memory_equal(ds, &d, sizeof d);
    free(ds);
}

/* ---- Counts, clock --------------------------------------------------------------------------- */

static void counts_add_up_and_the_clock_only_goes_forward(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t count = 0;
    int64_t clock = -1;
    ob_tally t[] = {{.day = 10, .surface = 1, .basis = 2, .reason = 0, .regime = "eu", .count = 5},
                    {.day = 11, .surface = 1, .basis = 2, .reason = 0, .regime = "eu", .count = 7},
                    {.day = 11, .surface = 0, .basis = 2, .reason = 3, .regime = "", .count = 1}};
    ob_tally *all = NULL;
    must(READS(p->store, &err, ob_store_clock(&clock, view, &err)), &err);
    assert_int_equal(clock, 0);
    must(WRITES(p->store, &err, ob_store_tallies_add(w, t, 3, NULL, 0, 11, 500, &err)), &err);
    must(WRITES(p->store, &err, ob_store_tallies_add(w, t, 2, NULL, 0, 11, 400, &err)), &err);
    must(READS(p->store, &err, ob_store_clock(&clock, view, &err)), &err);
    assert_int_equal(clock, 500);
    must(WRITES(p->store, &err, ob_store_clock_set(w, 3, &err)), &err);
    must(READS(p->store, &err, ob_store_clock(&clock, view, &err)), &err);
    assert_int_equal(clock, 3);
    must(READS(p->store, &err, ob_store_tallies(&all, &count, view, 10, INT64_MAX, &err)), &err);
    assert_int_equal(count, 2);
    assert_int_equal(all[0].count, 24);
    assert_int_equal(all[1].reason, 3);
    free(all);
    must(READS(p->store, &err, ob_store_tallies(&all, &count, view, 11, INT64_MAX, &err)), &err);
    assert_int_equal(all[0].count, 14);
    free(all);
}

static void what_a_token_wrote_adds_up_within_a_day(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t count = 0;
    ob_written *all = NULL;
    const ob_written some[] = {{.token = "a", .day = 10, .bytes = 5},
                               {.token = "b", .day = 10, .bytes = 1},
                               {.token = "a", .day = 10, .bytes = 7},
                               {.token = "b", .day = 11, .bytes = 3}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        must(WRITES(p->store, &err, ob_store_written_add(w, &some[i], &err)), &err);
    must(READS(p->store, &err, ob_store_written(&all, &count, view, 10, &err)), &err);
    assert_int_equal(count, 1);
    assert_string_equal(all[0].token, "a");
    assert_int_equal(all[0].bytes, 12);
    free(all);
    must(READS(p->store, &err, ob_store_written(&all, &count, view, 11, &err)), &err);
    assert_int_equal(count, 1);
    assert_int_equal(all[0].bytes, 3); /* nothing of the day before */
    free(all);
}

static void denied_codes_and_their_salt_last_a_day(void **state)
{
    place *p = *state;
    ob_error err = {0};
    size_t count = 0;
    ob_record_key salt, same, next, codes[] = {key_of(1), key_of(2), key_of(1)}, *all = NULL;
    must(WRITES(p->store, &err, ob_store_denied(&salt, &all, &count, w, 20, &err)), &err);
    assert_int_equal(count, 0);
    free(all);
    must(WRITES(p->store, &err, ob_store_tallies_add(w, NULL, 0, codes, 3, 20, 1, &err)), &err);
    must(WRITES(p->store, &err, ob_store_denied(&same, &all, &count, w, 20, &err)), &err);
    assert_int_equal(count, 2);
    assert_memory_equal(&salt, &same, sizeof salt);
    free(all);
    must(WRITES(p->store, &err, ob_store_denied(&next, &all, &count, w, 21, &err)), &err);
    assert_int_equal(count, 0);
    assert_memory_not_equal(&salt, &next, sizeof salt);
    free(all);
    must(WRITES(p->store, &err, ob_store_denied(&same, &all, &count, w, 20, &err)), &err);
    assert_int_equal(count, 0);
    free(all);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void what_is_no_text_or_too_long_is_refused(void **state)
{
    place *p = *state;
    ob_error err = {0};
    static const char *const bad[] = {"\xFF",
                                      "a\xC3",
                                      "\xC0\x80",
                                      "\xED\xA0\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xE2\x82",
                                      "\xF8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ob_detector_record d = {.detector = "pdq", .by = "anna"};
        snprintf(d.reason, sizeof d.reason, "%s", bad[i]);
        refused(WRITES(p->store, &err, ob_store_detector_set(w, &d, &err)), OB_EINVAL, &err);
    }
    sql q; /* longer than its record has room for: somebody else wrote it */
    ob_detector_record *all = NULL;
    size_t count = 0;
    char name[100];
    text_of(name, 99);
    must(open_writing(p->store, &err), &err);
    sql_begin(&q, ob_writing_view(once_writing),
              "INSERT INTO detector (detector, state, person, reason, at) VALUES (?, 0, '', '', 0)",
              &err);
    sql_bind_text(&q, 1, name);
    must(sql_end(&q), &err);
    must(end_writing(OB_OK, &err), &err);
    refused(READS(p->store, &err, ob_store_detectors(&all, &count, view, &err)), OB_EFORMAT, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(tokens_come_back_as_they_were_sorted_by_name),
        IN_PLACE(a_token_is_added_once_and_removed_once),
        IN_PLACE(gateways_are_kept_like_tokens),
        IN_PLACE(a_profile_replaces_the_one_before),
        IN_PLACE(a_persons_name_is_never_given_twice),
        IN_PLACE(open_proposals_come_first_and_are_decided_once),
        IN_PLACE(a_report_is_kept_with_its_items_and_confirmed_once),
        IN_PLACE(removing_a_report_takes_its_items),
        IN_PLACE(an_overturned_verdict_ends_what_rests_on_it),
        IN_PLACE(a_report_that_is_removed_ends_what_rests_on_it),
        IN_PLACE(a_cause_follows_only_with_a_newer_record_and_another_person),
        IN_PLACE(an_order_comes_back_whole_and_is_found_by_its_accounts),
        IN_PLACE(consents_are_counted_once_an_account_and_withdrawn_everywhere),
        IN_PLACE(losing_unanimous_consent_is_heard_of),
        IN_PLACE(a_member_who_is_left_out_takes_their_consent_along),
        IN_PLACE(a_newer_safeguard_or_state_takes_the_place_of_the_older),
        IN_PLACE(counts_add_up_and_the_clock_only_goes_forward),
        IN_PLACE(what_a_token_wrote_adds_up_within_a_day),
        IN_PLACE(denied_codes_and_their_salt_last_a_day),
        IN_PLACE(what_is_no_text_or_too_long_is_refused),
    };
    return cmocka_run_group_tests_name("store_records", tests, NULL, NULL);
}
