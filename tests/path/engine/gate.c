/* What an engine looks at: each basis opens what it is for, while it is there, and nothing else. */
#include "engine_place.h"

#include <obhut/records/detector.h>
#include <obhut/records/incoming.h>
#include <obhut/records/safeguard.h>
#include <obhut/records/verdict.h>

static void a_fresh_directory_looks_at_public_uploads_and_nothing_else(void **state)
{
    place *p = *state;
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    assert_string_equal(scan(p, &i), "ALLOWED");
    i = item(OB_SURFACE_PUBLIC, "anna");
    assert_string_equal(scan(p, &i), "ALLOWED");
    for (int s = 0; s < OB_SURFACES; s++)
        for (int e = 0; e < OB_ENCRYPTION_COUNT; e++)
            for (int l = 0; l < 2; l++) {
                i = item((ob_surface)s, "anna");
                i.encryption = (ob_encryption)e;
                i.locus = l ? OB_LOCUS_DISCLOSED : OB_LOCUS_SERVER;
                bool open = s == OB_SURFACE_PUBLIC &&
                            (e <= OB_ENCRYPTION_TRANSPORT || l); /* what was disclosed is open */
                assert_int_equal(!strcmp(answer(p, &i), "ALLOWED"), open);
                assert_int_equal(!strcmp(scan(p, &i), "ALLOWED"), open);
            }
    i = item(OB_SURFACE_PUBLIC, NULL);
    i.media = OB_MEDIA_AUDIO;
    assert_string_equal(scan(p, &i), "FLOOR_MEDIA");
}

/* Adds one more when fewer than `most` are on their way. */
static bool add_when_few(place *p, ob_scan *one, waiting *w, unsigned most)
{
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    ob_error err = {0};
    pthread_mutex_lock(&w->lock);
    bool few = w->left < most;
    w->left += few;
    pthread_mutex_unlock(&w->lock);
    if (!few)
        return false;
    *one = scan_for(&i, w);
    must(ob_engine_scan(p->engine, one, &err), &err);
    return true;
}

static void a_law_that_ends_in_mid_run_drops_what_was_not_looked_at(void **state)
{
    enum { MOST = 100000, QUEUE = 500 };
    place *p = *state;
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
    ob_scan *scans = calloc(MOST, sizeof *scans);
    unsigned count = 0, looked = 0, dropped = 0;
    bool after_end = false;
    assert_non_null(scans);
    laws[DSA].until = ob_now() + 2;
    while (ob_now() < laws[DSA].until && count < MOST) /* the queue is full when it ends */
        count += add_when_few(p, &scans[count], &w, QUEUE);
    wait_for(&w);
    for (unsigned k = 0; k < count; k++) {
        must(scans[k].work.status, &scans[k].work.error);
        bool was_dropped = scans[k].work.decision.action == OB_ACTION_NOT_SCANNED;
        if (was_dropped) {
            assert_int_equal(scans[k].work.decision.gate.reason, OB_REGIME_EXPIRED);
            assert_null(scans[k].file.result);
        } else {
            assert_int_equal(scans[k].file.result->media.format, OB_FORMAT_JPEG);
            assert_false(after_end); /* one thread: nothing is looked at after the first drop */
        }
        after_end |= was_dropped;
        looked += !was_dropped;
        dropped += was_dropped;
        ob_scan_clear(&scans[k]);
    }
    print_message("# %u were looked at, %u dropped\n", looked, dropped);
    assert_true(looked > 0 && dropped > 0); /* how many: the machine's business */
    free(scans);
}

static void a_withdrawn_consent_stops_the_next_item(void **state)
{
    place *p = *state;
    const ob_record_key anna = key("anna");
    uint64_t changed = 0;
    ob_error err = {0};
    set_profile(p, "AA");
    ob_item i = item(OB_SURFACE_DIRECT, "anna");
    assert_string_equal(scan(p, &i), "FLOOR_SUSPICIONLESS"); /* own initiative without a cause */
    set_consent(p, true, true);
    assert_string_equal(scan(p, &i), "ALLOWED");
    ob_item stranger =
        item(OB_SURFACE_DIRECT, "carl"); /* whom nobody told of, and so nobody asked */
    assert_string_equal(scan(p, &stranger), "CONSENT_INCOMPLETE");
    ob_item nobody = i;
    nobody.has_account = false;
    assert_string_equal(scan(p, &nobody), "CONSENT_INCOMPLETE");
    set_consent(p, true, false);
    assert_string_equal(scan(p, &i), "CONSENT_INCOMPLETE");
    set_consent(p, true, true);
    assert_string_equal(scan(p, &i), "ALLOWED");
    must(WRITES(p->store, &err, ob_store_consent_withdraw(&changed, w, &anna, ob_now(), &err)),
         &err);
    assert_int_equal(changed, 1);
    assert_string_equal(scan(p, &i), "CONSENT_INCOMPLETE");
    set_consent(p, true, true);
    const ob_record_key talk = key("talk");
    must(WRITES(p->store, &err, ob_store_conversation_remove(w, &talk, &err)), &err);
    assert_string_equal(scan(p, &i), "FLOOR_SUSPICIONLESS");
}

static void a_protected_conversation_is_left_alone(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "AA");
    ob_conversation talk = {.id = key("talk"), .is_free = true, .is_protected = OB_YES};
    const ob_member member = {key("anna"), true};
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &talk, &member, 1, &err)), &err);
    ob_item i = item(OB_SURFACE_GROUP, "anna");
    assert_string_equal(scan(p, &i), "PROFESSIONAL_SECRECY");
    talk.is_protected = OB_UNKNOWN;
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &talk, &member, 1, &err)), &err);
    assert_string_equal(scan(p, &i), "INPUT_INCOMPLETE");
    talk.is_protected = OB_NO;
    must(WRITES(p->store, &err, ob_store_conversation_set(w, &talk, &member, 1, &err)), &err);
    assert_string_equal(scan(p, &i), "ALLOWED");
}

static void a_cause_opens_one_account_until_it_ends(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "AA");
    int64_t now = ob_now();
    int64_t first = add_cause(p, "mallory", now - 100, "ada");
    assert_true(first);
    ob_item his = item(OB_SURFACE_DIRECT, "mallory"), hers = item(OB_SURFACE_DIRECT, "anna");
    assert_string_equal(scan(p, &his), "ALLOWED");
    assert_string_equal(scan(p, &hers), "FLOOR_SUSPICIONLESS");
    must(WRITES(p->store, &err, ob_store_cause_end(w, first, ob_now(), &err)), &err);
    assert_string_equal(scan(p, &his), "FLOOR_SUSPICIONLESS");
    /* it is not prolonged: a new one needs a newer record and another person */
    assert_false(add_cause(p, "mallory", now - 100, "bea"));
    assert_false(add_cause(p, "mallory", now - 200, "bea"));
    assert_false(add_cause(p, "mallory", now - 50, "ada"));
    assert_true(add_cause(p, "mallory", now - 50, "bea"));
    assert_string_equal(scan(p, &his), "ALLOWED");
}

static void an_overturned_verdict_ends_its_causes(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    ob_verdict verdict = {.account = key("mallory"), .reason = "r", .at = ob_now()};
    set_profile(p, "AA");
    must(WRITES(p->store, &err, ob_store_verdict_add(&id, w, &verdict, &err)), &err);
    assert_int_equal(id, 1);
    assert_true(add_cause(p, "mallory", ob_now(), "ada"));
    ob_item i = item(OB_SURFACE_GROUP, "mallory");
    assert_string_equal(scan(p, &i), "ALLOWED");
    must(WRITES(p->store, &err, ob_store_verdict_overturn(w, id, "bea", ob_now(), &err)), &err);
    assert_string_equal(scan(p, &i), "FLOOR_SUSPICIONLESS");
}

static void an_order_opens_whom_it_names_while_it_is_valid(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "CC");
    ob_item his = item(OB_SURFACE_DIRECT, "mallory"), hers = item(OB_SURFACE_DIRECT, "anna");
    assert_string_equal(scan(p, &his), "FLOOR_SUSPICIONLESS");
    int64_t id = add_order(p, "mallory");
    assert_string_equal(scan(p, &his), "ALLOWED");
    assert_string_equal(scan(p, &hers), "FLOOR_SUSPICIONLESS");
    his.encryption = OB_ENCRYPTION_E2EE;
    assert_string_equal(scan(p, &his), "FLOOR_E2EE_SERVER");
    his.encryption = OB_ENCRYPTION_NONE;
    must(WRITES(p->store, &err,
                ob_store_order_set_state(w, id, OB_ORDER_STATE_SUSPENDED, 100, &err)),
         &err);
    assert_string_equal(scan(p, &his), "ORDER_SUSPENDED");
    must(WRITES(p->store, &err, ob_store_order_set_state(w, id, OB_ORDER_VALID, 100, &err)), &err);
    assert_string_equal(scan(p, &his), "ALLOWED");
    must(WRITES(p->store, &err, ob_store_order_set_state(w, id, OB_ORDER_REVOKED, 100, &err)),
         &err);
    assert_string_equal(scan(p, &his), "ORDER_SUSPENDED");
    assert_int_equal(
        WRITES(p->store, &err, ob_store_order_set_state(w, id, OB_ORDER_VALID, 100, &err)),
        OB_ENOTFOUND);
}

static void a_report_opens_exactly_its_items(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    set_profile(p, "AA");
    ob_item i = item(OB_SURFACE_DIRECT, "mallory"), other = item(OB_SURFACE_DIRECT, "mallory");
    const ob_incoming report = {.kind = OB_INCOMING_REPORT,
                                .conversation = key("talk"),
                                .reporter = key("anna"),
                                .account = key("mallory"),
                                .reason = "r",
                                .at = ob_now()};
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &report, &i.id, 1, &err)), &err);
    i.report = other.report = id;
    i.locus = other.locus = OB_LOCUS_DISCLOSED;
    assert_string_equal(scan(p, &i), "ALLOWED");
    i.encryption = OB_ENCRYPTION_E2EE; /* what was disclosed may be looked at */
    assert_string_equal(scan(p, &i), "ALLOWED");
    assert_string_equal(scan(p, &other), "REPORT_SCOPE");
    i.locus = OB_LOCUS_SERVER;
    assert_string_equal(scan(p, &i), "FLOOR_E2EE_SERVER");
    i.encryption = OB_ENCRYPTION_TRANSPORT;
    assert_string_equal(scan(p, &i), "REPORT_SCOPE");
    i.locus = OB_LOCUS_DISCLOSED;
    must(WRITES(p->store, &err, ob_store_incoming_remove(w, OB_INCOMING_REPORT, id, 100, &err)),
         &err);
    assert_string_equal(scan(p, &i), "REPORT_SCOPE");
}

static void a_notice_opens_exactly_its_items(void **state)
{
    place *p = *state;
    ob_error err = {0};
    int64_t id = 0;
    set_profile(p, "");
    ob_item i = item(OB_SURFACE_STORAGE, "anna"), other = item(OB_SURFACE_STORAGE, "anna");
    const ob_incoming notice = {.kind = OB_INCOMING_NOTICE, .reason = "r", .at = ob_now()};
    assert_string_equal(scan(p, &i), "NO_BASIS");
    must(WRITES(p->store, &err, ob_store_incoming_add(&id, w, &notice, &i.id, 1, &err)), &err);
    i.notice = other.notice = id;
    assert_string_equal(scan(p, &i), "ALLOWED");
    assert_string_equal(scan(p, &other), "REPORT_SCOPE");
}

static void the_stricter_of_two_rules_wins_and_a_derogation_displaces_one(void **state)
{
    place *p = *state;
    set_profile(p, "AA");
    set_consent(p, true, true);
    add_cause(p, "anna", ob_now(), "ada");
    ob_item i = item(OB_SURFACE_DIRECT, "anna");
    ob_gate_decision d = ask(p, &i); /* the rule knows consent: the derogation is not asked */
    assert_true(d.allow);
    assert_string_equal(d.regime->id, "rule");
    set_consent(p, false, true);
    d = ask(p, &i); /* own initiative: the derogation stands in the rule's place */
    assert_true(d.allow);
    assert_string_equal(d.regime->id, "derogation");
    laws[DEROGATION].until = ob_now();
    assert_false(ask(p, &i).allow);
    laws[DEROGATION].until = INT64_MAX;
    set_profile(p, "BB"); /* two rules, neither displaced */
    set_consent(p, true, true);
    assert_string_equal(answer(p, &i), "NO_BASIS");
    i = item(OB_SURFACE_PUBLIC, NULL);
    assert_string_equal(answer(p, &i), "ALLOWED");
    laws[STRICTER].detectors[OB_MATERIAL_KNOWN] = OB_PERMISSION_UNVERIFIED;
    assert_string_equal(answer(p, &i), "DETECTOR_UNVERIFIED");
    laws[STRICTER].detectors[OB_MATERIAL_KNOWN] = OB_PERMISSION_YES;
}

static void safeguards_count_while_they_are_current(void **state)
{
    place *p = *state;
    ob_error err = {0};
    set_profile(p, "AA");
    add_cause(p, "anna", ob_now(), "ada");
    ob_item i = item(OB_SURFACE_DIRECT, "anna");
    laws[DEROGATION].evidence_needed = true;
    laws[DEROGATION].safeguards = 1 << OB_SAFEGUARD_IMPACT_ASSESSMENT;
    assert_string_equal(answer(p, &i), "EVIDENCE_OTHER_REGIME");
    ob_safeguard_record r = {.regime = "derogation",
                             .safeguard = OB_SAFEGUARD_IMPACT_ASSESSMENT,
                             .at = ob_now() - 400 * 86400,
                             .by = "ada"};
    must(WRITES(p->store, &err, ob_store_safeguard_add(w, &r, &err)), &err);
    assert_string_equal(answer(p, &i), "SAFEGUARD_OUTDATED");
    r.at = ob_now() - 300 * 86400;
    must(WRITES(p->store, &err, ob_store_safeguard_add(w, &r, &err)), &err);
    assert_string_equal(answer(p, &i), "ALLOWED");
    const ob_detector_record change = {
        .detector = "pdq", .state = OB_STATE_TRIAL, .by = "ada", .reason = "r", .at = ob_now()};
    must(WRITES(p->store, &err, ob_store_detector_set(w, &change, &err)),
         &err); /* older than a change */
    assert_string_equal(answer(p, &i), "SAFEGUARD_OUTDATED");
    r.at = ob_now() + 1;
    must(WRITES(p->store, &err, ob_store_safeguard_add(w, &r, &err)),
         &err); /* not from the future */
    assert_string_equal(answer(p, &i), "SAFEGUARD_OUTDATED");
    laws[DEROGATION].evidence_needed = false;
    laws[DEROGATION].safeguards = 0;
}

static void a_suspended_detector_is_not_used(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_detector_record r = {
        .detector = "pdq", .state = OB_STATE_SUSPENDED, .by = "ada", .reason = "r", .at = ob_now()};
    ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    must(WRITES(p->store, &err, ob_store_detector_set(w, &r, &err)), &err);
    waiting done = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .left = 1};
    ob_hashing hashing = {.work = {.done = on_done, .context = &done, .item = i},
                          .file = picture_file()}; /* wants both */
    must(ob_engine_hash(p->engine, &hashing, &err), &err);
    wait_for(&done);
    must(hashing.work.status, &hashing.work.error);
    assert_int_equal(hashing.file.result->detectors, 1 << DIGESTS);
    assert_int_equal(hashing.file.result->media.format, OB_FORMAT_UNKNOWN); /* nobody hashed it */
    assert_int_equal(hashing.file.result->digested, OB_DIGEST_ALL);
    ob_hashing_clear(&hashing);
    snprintf(r.detector, sizeof r.detector, "digests");
    must(WRITES(p->store, &err, ob_store_detector_set(w, &r, &err)), &err);
    assert_string_equal(scan(p, &i), "DETECTOR_SUSPENDED");
    ob_query query = {.is_digest = true};
    ob_look_up look_up = {.work = {.done = on_done, .context = &done, .item = i},
                          .queries = &query,
                          .query_count = 1};
    done.left = 1;
    must(ob_engine_look_up(p->engine, &look_up, &err), &err);
    wait_for(&done);
    assert_int_equal(look_up.work.decision.action, OB_ACTION_NOT_SCANNED);
    assert_int_equal(look_up.work.decision.gate.reason, OB_DETECTOR_SUSPENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fresh_directory_looks_at_public_uploads_and_nothing_else,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_law_that_ends_in_mid_run_drops_what_was_not_looked_at,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_withdrawn_consent_stops_the_next_item, begin, end),
        cmocka_unit_test_setup_teardown(a_protected_conversation_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_cause_opens_one_account_until_it_ends, begin, end),
        cmocka_unit_test_setup_teardown(an_overturned_verdict_ends_its_causes, begin, end),
        cmocka_unit_test_setup_teardown(an_order_opens_whom_it_names_while_it_is_valid, begin, end),
        cmocka_unit_test_setup_teardown(a_report_opens_exactly_its_items, begin, end),
        cmocka_unit_test_setup_teardown(a_notice_opens_exactly_its_items, begin, end),
        cmocka_unit_test_setup_teardown(
            the_stricter_of_two_rules_wins_and_a_derogation_displaces_one, begin, end),
        cmocka_unit_test_setup_teardown(safeguards_count_while_they_are_current, begin, end),
        cmocka_unit_test_setup_teardown(a_suspended_detector_is_not_used, begin, end),
    };
    return cmocka_run_group_tests(tests, load_picture, free_picture);
}
