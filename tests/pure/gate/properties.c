/* What must hold for every situation, whatever law, policy, orders, causes and consents somebody
 * thinks up. What the floor closes is written down here a second time, from the design, not from
 * floor.c. */
#include "test.h"

#include <obhut/gate.h>

enum { NAMES = 6, REGIMES = 3, DAY = 86400 };

static const char *const accounts[NAMES] = {"acct-1", "acct-2", "acct-3", "*", "all", "-"};
static const char *const items[NAMES] = {"item-1", "item-2", "item-3", "item-4", "item-5", "x"};
static const char *const services[] = {"example", "other"};
static const char *const ids[REGIMES] = {"here-1", "here-2", "there"};

/* Names in a row, as situations want them. */
typedef struct row {
    char bytes[NAMES * 16];
    ob_texts texts;
} row;

typedef struct world {
    ob_regime regimes[REGIMES];
    ob_situation s;
    row reported, notified, ordered;
} world;

static bool chance(test_random *r, unsigned percent)
{
    return test_below(r, 100) < percent;
}

static void fill_row(row *out, test_random *r, const char *const *names, const char *rather,
                     unsigned percent)
{
    size_t used = 0;
    out->texts = (ob_texts){.first = out->bytes};
    for (int i = 0; i < NAMES; i++) {
        bool wanted = !strcmp(names[i], rather) ? chance(r, percent) : chance(r, 10);
        if (!wanted)
            continue;
        used += (size_t)sprintf(out->bytes + used, "%s", names[i]) + 1;
        out->texts.count++;
    }
}

/* ---- Worlds ---------------------------------------------------------------------------------- */

static uint32_t bits(test_random *r, unsigned count, unsigned percent)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < count; i++)
        set |= (uint32_t)chance(r, percent) << i;
    return set;
}

/* As generous as a parliament could be, most of the time. */
static void make_regime(ob_regime *out, test_random *r, const char *id, int64_t at)
{
    *out = (ob_regime){
        .id = id,
        .title = "A law that nobody has passed",
        .kind = (ob_regime_kind)test_below(r, 3),
        .status = chance(r, 85) ? OB_STATUS_IN_FORCE : (ob_regime_status)test_below(r, 3),
        .from = chance(r, 95) ? at - (int64_t)test_below(r, 900) * DAY : at + DAY,
        .until = chance(r, 30) ? INT64_MAX : at + (int64_t)test_below(r, 400) - 10,
        .dates_article = "Art. 1",
        .countries = "",
        .displaces = "",
        .services = bits(r, OB_SERVICE_COUNT, 95),
        .surfaces = bits(r, OB_SURFACES, 95),
        .encryptions = bits(r, OB_ENCRYPTION_COUNT, 95),
        .scope_article = "Art. 2",
        .bases = bits(r, OB_BASIS_COUNT, 95),
        .court_only = chance(r, 50),
        .orderable = bits(r, OB_MATERIALS, 95),
        .months_before = chance(r, 20) ? 3 : 0,
        .grooming_needs_child = chance(r, 20),
        .order_article = "Art. 3",
        .evidence_needed = chance(r, 30),
        .safeguards = bits(r, 8, 40),
        .safeguards_grooming = bits(r, OB_SAFEGUARD_COUNT, 20),
        .annual_report = chance(r, 20),
        .report_article = "Art. 4",
    };
    for (int i = 0; i < OB_BASIS_COUNT; i++)
        out->basis_article[i] = "Art. 5";
    for (int i = 0; i < OB_MATERIALS; i++) {
        out->detectors[i] = chance(r, 92) ? OB_PERMISSION_YES : (ob_permission)test_below(r, 3);
        out->detector_article[i] = "Art. 6";
        out->months_most[i] = chance(r, 30) ? (unsigned)test_below(r, 30) : 0;
    }
    for (int i = 0; i < OB_SAFEGUARD_COUNT; i++)
        out->safeguard_article[i] = "Art. 7";
}

static void make_cause(ob_situation *s, test_random *r)
{
    s->cause.present = chance(r, 85);
    s->cause.garbled = chance(r, 3);
    s->cause.ground_ok = chance(r, 92);
    s->cause.confirmed = chance(r, 92);
    s->cause.id = "cause-1";
    s->cause.account = chance(r, 88) ? s->account : accounts[test_below(r, NAMES)];
    s->cause.from = s->at - (int64_t)test_below(r, 20) * DAY + (chance(r, 5) ? 3 * DAY : 0);
    s->cause.until = s->cause.from + (chance(r, 90) ? (int64_t)test_below(r, 31) * DAY
                                                    : (int64_t)test_below(r, 400) * DAY);
}

static void make_order(world *w, test_random *r)
{
    struct ob_order_facts *o = &w->s.order;
    *o = (struct ob_order_facts){
        .present = chance(r, 95),
        .garbled = chance(r, 3),
        .authenticated = chance(r, 93),
        .judicial = chance(r, 90),
        .valid = chance(r, 93),
        .halfway_fine = chance(r, 93),
        .names_professional = chance(r, 30),
        .everybody = chance(r, 6),
        .id = "order-1",
        .issuer = chance(r, 96) ? "court-a" : NULL,
        .service = chance(r, 90) ? w->s.service_name : services[1],
        .reasons = chance(r, 96) ? "stated" : NULL,
        .legal_basis = chance(r, 96) ? "stated" : NULL,
        .redress = chance(r, 96) ? "stated" : NULL,
        .has_detectors = true,
        .has_accounts = chance(r, 96),
        .has_received = chance(r, 96),
        .has_start = chance(r, 96),
        .has_end = chance(r, 96),
        .detectors = bits(r, OB_MATERIALS, 85),
        .received = w->s.at - 300 * DAY,
        .start = w->s.at - (int64_t)test_below(r, 100) * DAY,
    };
    o->end = o->start + (int64_t)test_below(r, 300) * DAY;
    fill_row(&w->ordered, r, accounts, w->s.account, 85);
    if (chance(r, 80)) /* neither "*" nor "all": as an authority writes one that is about people */
        for (char *p = w->ordered.bytes; p < w->ordered.bytes + sizeof w->ordered.bytes; p++)
            if (*p == '*')
                *p = 'n';
    o->accounts = w->ordered.texts;
}

/* Most worlds are nearly allowed: one or two things are wrong, or none. */
static void make_world(world *w, test_random *r)
{
    memset(w, 0, sizeof *w);
    ob_situation *s = &w->s;
    s->at = INT64_C(1790000000) + (int64_t)test_below(r, 800) * DAY / 3;
    for (int i = 0; i < REGIMES; i++)
        make_regime(&w->regimes[i], r, ids[i], s->at);
    s->mode = chance(r, 70) ? OB_MODE_PRODUCTION : OB_MODE_EXPLAIN;
    s->regime = chance(r, 98) ? ids[test_below(r, 2)] : "nowhere";
    s->service_kind = (ob_service_kind)test_below(r, OB_SERVICE_COUNT);
    s->service_name = services[0];
    s->item = items[test_below(r, NAMES)];
    s->account = accounts[chance(r, 90) ? test_below(r, 3) : test_below(r, NAMES)];
    s->media = chance(r, 90) ? (ob_media)test_below(r, 3) : (ob_media)test_below(r, OB_MEDIA_COUNT);
    s->surface = (ob_surface)test_below(r, OB_SURFACES);
    s->encryption =
        chance(r, 80) ? OB_ENCRYPTION_TRANSPORT : (ob_encryption)test_below(r, OB_ENCRYPTION_COUNT);
    s->basis = (ob_basis)test_below(r, OB_BASIS_COUNT);
    s->locus = s->basis == OB_BASIS_REPORT && chance(r, 80) ? OB_LOCUS_DISCLOSED
               : chance(r, 75)                              ? OB_LOCUS_SERVER
                               : (ob_locus)test_below(r, OB_LOCUS_COUNT);
    s->is_hash = chance(r, 30);
    s->detector = chance(r, 60)   ? OB_MATERIAL_KNOWN
                  : chance(r, 95) ? (ob_material)test_below(r, 3)
                                  : OB_MATERIAL_OTHER;
    s->is_protected = chance(r, 8);
    s->child_user = chance(r, 60);
    s->detector_state =
        chance(r, 90) ? OB_STATE_ON : (ob_detector_state)test_below(r, OB_STATE_COUNT);
    s->clock_ok = chance(r, 98);
    s->audit_ok = chance(r, 98);
    s->policy_bases = bits(r, OB_BASIS_COUNT, 95);
    s->policy_detectors = bits(r, OB_MATERIALS, 97);
    s->policy_surfaces = bits(r, OB_SURFACES, 97);
    s->list_trusted = chance(r, 95);
    s->list_csam = chance(r, 93);
    s->output_is_patterns = chance(r, 95);
    make_cause(s, r);
    s->consent = (struct ob_consent_facts){.present = chance(r, 90),
                                           .garbled = chance(r, 3),
                                           .by_account = chance(r, 50),
                                           .free = chance(r, 90)};
    s->consent.by_all = !s->consent.by_account && chance(r, 90);
    fill_row(&w->reported, r, items, s->item, 90);
    s->report = (struct ob_report_facts){.present = chance(r, 95),
                                         .garbled = chance(r, 3),
                                         .by_participant = chance(r, 92),
                                         .items = w->reported.texts};
    fill_row(&w->notified, r, items, s->item, 90);
    s->notice = (struct ob_report_facts){
        .present = chance(r, 95), .garbled = chance(r, 3), .items = w->notified.texts};
    make_order(w, r);
    s->safeguards = (struct ob_safeguard_facts){
        .present = chance(r, 95),
        .garbled = chance(r, 3),
        .assessment_current = chance(r, 93),
        .regime = chance(r, 93) ? s->regime : ids[2],
        .recorded = chance(r, 85) ? UINT32_MAX : bits(r, OB_SAFEGUARD_COUNT, 80),
        .last_annual_report = chance(r, 90) ? 2100 : 2025,
    };
    if (chance(r, 2))
        s->incomplete = "item.surface";
}

static ob_gate_decision decide(const world *w)
{
    const ob_regimes all = {w->regimes, REGIMES};
    return ob_gate_decide(&w->s, &all);
}

/* ---- What the floor closes, from the design -------------------------------------------------- */

static bool names(const row *row, const char *name)
{
    const char *at = row->bytes;
    for (size_t i = 0; i < row->texts.count; i++, at += strlen(at) + 1)
        if (!strcmp(at, name))
            return true;
    return false;
}

static bool is_private(const ob_situation *s)
{
    return s->surface == OB_SURFACE_DIRECT || s->surface == OB_SURFACE_GROUP;
}

static bool is_closed(const world *w)
{
    const ob_situation *s = &w->s;
    const struct ob_cause_facts *c = &s->cause;
    bool own_wish = s->consent.present && !s->consent.garbled && s->consent.by_account &&
                    (s->basis == OB_BASIS_CONSENT || s->basis == OB_BASIS_OWN_IMAGE);
    bool cause = c->present && !c->garbled && !strcmp(c->account, s->account) && c->ground_ok &&
                 c->confirmed && s->at >= c->from && s->at < c->until &&
                 c->until - c->from <= 30 * DAY;
    bool e2ee = s->encryption == OB_ENCRYPTION_E2EE || s->encryption == OB_ENCRYPTION_E2EE_PAST ||
                s->encryption == OB_ENCRYPTION_E2EE_PLANNED;
    bool order = s->basis == OB_BASIS_ORDER;
    bool by_itself =
        s->basis == OB_BASIS_VOLUNTARY || s->basis == OB_BASIS_PUBLIC || s->basis == OB_BASIS_NONE;
    bool list_bad = s->detector == OB_MATERIAL_KNOWN &&
                    (!s->list_trusted || (!s->list_csam && s->basis != OB_BASIS_OWN_IMAGE));
    return s->detector == OB_MATERIAL_OTHER || s->media == OB_MEDIA_AUDIO ||
           s->media == OB_MEDIA_LIVE || s->media == OB_MEDIA_METADATA ||
           (s->locus == OB_LOCUS_DEVICE && !own_wish) || (s->locus == OB_LOCUS_SERVER && e2ee) ||
           (order && (s->order.everybody || !w->ordered.texts.count || names(&w->ordered, "*"))) ||
           (order && !s->order.judicial) || (is_private(s) && by_itself && !cause) ||
           (is_private(s) && by_itself && s->detector != OB_MATERIAL_KNOWN) ||
           (s->surface == OB_SURFACE_STORAGE && by_itself) ||
           (s->is_protected && s->basis != OB_BASIS_REPORT && s->locus != OB_LOCUS_DEVICE &&
            !(order && s->order.names_professional)) ||
           s->detector_state == OB_STATE_SUSPENDED || s->detector_state == OB_STATE_UNTESTED ||
           list_bad;
}

/* ---- The properties -------------------------------------------------------------------------- */

typedef void (*property)(world *w, test_random *r, uint64_t *reached);

static void for_all(property holds, uint64_t seed, uint64_t least)
{
    test_random r = {seed};
    uint64_t cases = test_samples("OBHUT_GATE_CASES", 100000), reached = 0;
    for (uint64_t i = 0; i < cases; i++) {
        world w;
        make_world(&w, &r);
        holds(&w, &r, &reached);
    }
    print_message("# %llu worlds, %llu of them were of interest\n", (unsigned long long)cases,
                  (unsigned long long)reached);
    assert_true(reached * least >= cases); /* a property of nothing would say nothing */
}

static void floor_holds(world *w, test_random *r, uint64_t *reached)
{
    (void)r;
    ob_gate_decision d = decide(w);
    if (is_closed(w) || w->s.incomplete || !w->s.clock_ok || !w->s.audit_ok)
        assert_false(d.allow);
    *reached += is_closed(w) && d.law_allow; /* a law would have opened it */
}

static void nothing_opens_what_the_floor_closes(void **state)
{
    (void)state;
    for_all(floor_holds, 11, 100);
}

static void answer_is_whole(world *w, test_random *r, uint64_t *reached)
{
    (void)r;
    ob_gate_decision d = decide(w);
    assert_int_equal(d.allow, d.reason == OB_ALLOWED);
    assert_int_equal(d.law_allow, d.law_reason == OB_ALLOWED);
    assert_int_equal(d.ceiling, ob_reason_ceiling(d.reason));
    assert_true(!d.allow || d.law_allow); /* the floor takes away, it never adds */
    assert_true(d.law_allow || d.law_reason >= d.reason);
    if (!d.allow)
        return;
    const ob_situation *s = &w->s;
    *reached += 1;
    assert_string_equal(d.regime->id, s->regime);
    assert_int_equal(d.basis, s->basis);
    assert_true(*d.article);
    assert_true(d.expires > s->at && d.expires <= s->at + OB_PERMIT_SECONDS);
    assert_true(d.expires <= d.regime->until);
    assert_true(s->at >= d.regime->from);
    if (s->basis == OB_BASIS_ORDER)
        assert_true(d.expires <= s->order.end);
    if (s->basis == OB_BASIS_VOLUNTARY && is_private(s))
        assert_true(d.expires <= s->cause.until);
    assert_int_equal(d.referral == OB_REFERRAL_NEVER, s->locus == OB_LOCUS_DEVICE);
    assert_true(s->mode == OB_MODE_EXPLAIN || d.regime->status == OB_STATUS_IN_FORCE);
}

static void every_answer_has_one_reason_and_every_allow_its_ground(void **state)
{
    (void)state;
    for_all(answer_is_whole, 12, 100);
}

/* Sets one record to what can only help. */
static void add_record(world *w, test_random *r)
{
    ob_situation *s = &w->s;
    switch (test_below(r, 6)) {
    case 0:
        s->safeguards.recorded |= UINT32_C(1) << test_below(r, OB_SAFEGUARD_COUNT);
        break;
    case 1:
        s->consent = (struct ob_consent_facts){.present = true,
                                               .by_account = s->consent.by_account,
                                               .by_all = s->consent.by_all,
                                               .free = true};
        break;
    case 2:
        s->report.present = true;
        s->report.garbled = false;
        break;
    case 3:
        s->notice.present = true;
        s->notice.garbled = false;
        break;
    case 4:
        s->safeguards.assessment_current = true;
        break;
    default:
        s->policy_bases |= UINT32_C(1) << s->basis;
    }
}

static void is_monotone(world *w, test_random *r, uint64_t *reached)
{
    bool before = decide(w).allow;
    world more = *w;
    more.s.report.items.first = more.reported.bytes;
    more.s.notice.items.first = more.notified.bytes;
    more.s.order.accounts.first = more.ordered.bytes;
    add_record(&more, r);
    bool after = decide(&more).allow;
    assert_true(!before || after);
    *reached += before != after;
}

static void records_of_safeguards_and_wishes_never_take_away(void **state)
{
    (void)state;
    for_all(is_monotone, 13, 2000);
}

static void order_is_irrelevant(world *w, test_random *r, uint64_t *reached)
{
    (void)r;
    ob_gate_decision a = decide(w);
    ob_regime swapped[REGIMES] = {w->regimes[2], w->regimes[0], w->regimes[1]};
    const ob_regimes all = {swapped, REGIMES};
    ob_gate_decision b = ob_gate_decide(&w->s, &all);
    assert_int_equal(a.reason, b.reason);
    assert_int_equal(a.law_reason, b.law_reason);
    assert_int_equal(a.expires, b.expires);
    assert_string_equal(a.names, b.names);
    *reached += a.allow;
}

static void the_order_of_regimes_changes_nothing(void **state)
{
    (void)state;
    for_all(order_is_irrelevant, 14, 100);
}

/* Nobody has ever heard of this account. */
static void stranger_is_left_alone(world *w, test_random *r, uint64_t *reached)
{
    (void)r;
    bool before = decide(w).allow;
    w->s.account = "a stranger";
    if (is_private(&w->s) && (w->s.basis == OB_BASIS_ORDER || w->s.basis == OB_BASIS_VOLUNTARY)) {
        assert_false(decide(w).allow);
        *reached += before;
    }
}

static void no_set_of_records_opens_an_account_that_none_of_them_names(void **state)
{
    (void)state;
    for_all(stranger_is_left_alone, 15, 1000);
}

static void production_is_no_wider(world *w, test_random *r, uint64_t *reached)
{
    (void)r;
    w->s.mode = OB_MODE_EXPLAIN;
    bool explained = decide(w).allow;
    w->s.mode = OB_MODE_PRODUCTION;
    ob_gate_decision d = decide(w);
    assert_true(!d.allow || explained);
    assert_true(d.allow || !explained || d.reason == OB_REGIME_NOT_IN_FORCE);
    *reached += explained;
}

static void production_allows_nothing_that_explaining_denies(void **state)
{
    (void)state;
    for_all(production_is_no_wider, 16, 100);
}

/* The same world a second before and at the end of its law. */
static void law_ends_by_itself(world *w, test_random *r, uint64_t *reached)
{
    (void)r;
    ob_regime *regime = NULL;
    for (int i = 0; i < REGIMES; i++)
        if (!strcmp(w->regimes[i].id, w->s.regime))
            regime = &w->regimes[i];
    if (!regime || !decide(w).allow)
        return;
    regime->until = w->s.at + 1;
    ob_gate_decision d = decide(w);
    assert_true(d.allow);
    assert_int_equal(d.expires, w->s.at + 1);
    regime->until = w->s.at;
    d = decide(w);
    assert_int_equal(d.reason, OB_REGIME_EXPIRED);
    *reached += 1;
}

static void a_law_ends_at_its_second(void **state)
{
    (void)state;
    for_all(law_ends_by_itself, 17, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_opens_what_the_floor_closes),
        cmocka_unit_test(every_answer_has_one_reason_and_every_allow_its_ground),
        cmocka_unit_test(records_of_safeguards_and_wishes_never_take_away),
        cmocka_unit_test(the_order_of_regimes_changes_nothing),
        cmocka_unit_test(no_set_of_records_opens_an_account_that_none_of_them_names),
        cmocka_unit_test(production_allows_nothing_that_explaining_denies),
        cmocka_unit_test(a_law_ends_at_its_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
