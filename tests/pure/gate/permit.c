/* A permit is for one item, one holder, some detectors and a short time: everything else is
 * refused.
 */
#include "test.h"

#include <obhut/permit.h>

enum { NOW = 1800000000, MONOTONIC_MS = 5000000 };
enum { DIGESTS, PDQ }; /* detectors */

static const ob_regime law = {.id = "a-law",
                              .title = "A law",
                              .status = OB_STATUS_IN_FORCE,
                              .from = INT64_MIN,
                              .until = INT64_MAX,
                              .services = UINT32_MAX,
                              .surfaces = UINT32_MAX,
                              .encryptions = UINT32_MAX,
                              .bases = UINT32_MAX,
                              .basis_article = {"Art. 1", "Art. 1", "Art. 1", "Art. 1", "Art. 1",
                                                "Art. 1", "Art. 1", "Art. 1"},
                              .detectors = {OB_PERMISSION_YES, OB_PERMISSION_YES}};
static const ob_regimes laws = {&law, 1};

/* ---- A holder, with a code that is good enough here ------------------------------------------ */

typedef struct holder {
    uint64_t key, made, taken;
    bool elsewhere; /* another process: after a fork */
} holder;

static bool compute(void *context, uint8_t out[OB_PERMIT_MAC_SIZE], const void *bytes, size_t size)
{
    const holder *h = context;
    const uint8_t *p = bytes;
    if (h->elsewhere)
        return false;
    for (int k = 0; k < OB_PERMIT_MAC_SIZE / 8; k++) {
        uint64_t sum = h->key + (uint64_t)k;
        for (size_t i = 0; i < size; i++)
            sum = (sum ^ p[i]) * UINT64_C(0x100000001B3) + (sum >> 29);
        memcpy(out + 8 * k, &sum, 8);
    }
    return true;
}

static ob_permit_mac maker(holder *h)
{
    return (ob_permit_mac){.compute = compute, .context = h, .sequence = &h->made};
}

static ob_permit_mac taker(holder *h)
{
    return (ob_permit_mac){.compute = compute, .context = h, .sequence = &h->taken};
}

/* ---- A situation that is allowed ------------------------------------------------------------- */

static ob_situation situation(ob_basis basis)
{
    return (ob_situation){.mode = OB_MODE_PRODUCTION,
                          .at = NOW,
                          .regime = "a-law",
                          .service_kind = OB_SERVICE_HOSTING,
                          .service_name = "",
                          .item = "item",
                          .account = "account",
                          .media = OB_MEDIA_IMAGE,
                          .surface =
                              basis == OB_BASIS_CONSENT ? OB_SURFACE_GROUP : OB_SURFACE_PUBLIC,
                          .encryption = OB_ENCRYPTION_TRANSPORT,
                          .basis = basis,
                          .detector_state = OB_STATE_ON,
                          .clock_ok = true,
                          .audit_ok = true,
                          .policy_bases = UINT32_MAX,
                          .policy_detectors = UINT32_MAX,
                          .policy_surfaces = UINT32_MAX,
                          .list_trusted = true,
                          .list_csam = true,
                          .output_is_patterns = true,
                          .consent = {.present = true, .by_all = true, .free = true}};
}

static ob_permit_request request_for(const ob_situation *s)
{
    return (ob_permit_request){.situation = {s, s},
                               .item = {.id = {7}, .device = 1, .inode = 2, .size = 3},
                               .epochs = {10, 20},
                               .monotonic_ms = MONOTONIC_MS,
                               .actions = 63,
                               .record = 5,
                               .tell_by = NOW + 9};
}

static const ob_permit_use good = {.item = {.id = {7}, .device = 1, .inode = 2, .size = 3},
                                   .detectors = 3,
                                   .epochs = {10, 20},
                                   .now = NOW,
                                   .monotonic_ms = MONOTONIC_MS};

static ob_permit make(holder *h, ob_basis basis)
{
    ob_permit permit;
    ob_gate_decision why;
    ob_error err = {0};
    const ob_situation s = situation(basis);
    const ob_permit_request request = request_for(&s);
    const ob_permit_mac mac = maker(h);
    if (ob_permit_make(&permit, &why, &request, &laws, &mac, &err))
        fail_msg("%s", err.text);
    assert_true(why.allow);
    return permit;
}

static bool takes(holder *h, const ob_permit *permit, const ob_permit_use *use)
{
    ob_permit_terms terms;
    ob_error err = {0};
    const ob_permit_mac mac = taker(h);
    uint64_t before = h->taken;
    ob_status status = ob_permit_take(&terms, permit, use, &mac, &err);
    if (status) {
        assert_int_equal(status, OB_EREFUSED);
        assert_true(*err.text);
        assert_true(before == h->taken); /* a refusal uses nothing up */
    }
    return !status;
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void a_permit_says_what_it_is_for(void **state)
{
    (void)state;
    holder h = {.key = 1};
    const ob_permit permit = make(&h, OB_BASIS_PUBLIC);
    const ob_permit_mac mac = taker(&h);
    ob_permit_terms terms;
    assert_int_equal(ob_permit_take(&terms, &permit, &good, &mac, NULL), OB_OK);
    assert_string_equal(terms.regime, "a-law");
    assert_string_equal(terms.article, "Art. 1");
    assert_int_equal(terms.basis, OB_BASIS_PUBLIC);
    assert_int_equal(terms.detectors, 3);
    assert_int_equal(terms.actions, 63);
    assert_int_equal(terms.record, 5);
    assert_int_equal(terms.issued, NOW);
    assert_int_equal(terms.expires, NOW + OB_PERMIT_SECONDS);
    assert_int_equal(terms.tell_by, NOW + 9);
    assert_false(terms.own_files);
}

static void no_changed_byte_goes_unnoticed(void **state)
{
    (void)state;
    holder h = {.key = 2};
    const ob_permit permit = make(&h, OB_BASIS_PUBLIC);
    unsigned unnoticed = 0;
    for (size_t i = 0; i < sizeof permit.bytes; i++)
        for (int bit = 0; bit < 8; bit++) {
            holder fresh = {.key = 2};
            ob_permit forged = permit;
            forged.bytes[i] ^= (uint8_t)(1 << bit);
            unnoticed += takes(&fresh, &forged, &good);
        }
    holder fresh = {.key = 2};
    ob_permit_terms terms;
    const ob_permit_mac mac = taker(&fresh);
    assert_int_equal(ob_permit_take(&terms, &permit, &good, &mac, NULL), OB_OK);
    /* what lies behind the content is no part of it */
    size_t content = 0;
    for (size_t i = 0; i < sizeof permit.bytes; i++)
        content = permit.bytes[i] ? i + 1 : content;
    assert_true(unnoticed <= 8 * (sizeof permit.bytes - content));
    ob_permit none = {{0}};
    assert_false(takes(&fresh, &none, &good));
    memset(&none, 0xFF, sizeof none);
    assert_false(takes(&fresh, &none, &good));
}

static void nobody_else_can_use_it(void **state)
{
    (void)state;
    holder h = {.key = 3}, other = {.key = 4};
    const ob_permit permit = make(&h, OB_BASIS_PUBLIC);
    assert_false(takes(&other, &permit, &good));
    other = h;
    other.elsewhere = true; /* the same key, after a fork */
    assert_false(takes(&other, &permit, &good));
    assert_true(takes(&h, &permit, &good));
}

static void it_is_used_once(void **state)
{
    (void)state;
    holder h = {.key = 5};
    const ob_permit first = make(&h, OB_BASIS_PUBLIC), second = make(&h, OB_BASIS_PUBLIC);
    assert_true(takes(&h, &second, &good));
    assert_false(takes(&h, &second, &good));
    assert_false(takes(&h, &first, &good)); /* an older one neither */
    const ob_permit third = make(&h, OB_BASIS_PUBLIC);
    assert_true(takes(&h, &third, &good));
}

static void it_is_for_that_item_and_file_only(void **state)
{
    (void)state;
    for (int what = 0; what < 4; what++) {
        holder h = {.key = 6};
        const ob_permit permit = make(&h, OB_BASIS_PUBLIC);
        ob_permit_use use = good;
        if (what == 0)
            use.item.id[31] ^= 1;
        else if (what == 1)
            use.item.inode++;
        else if (what == 2)
            use.item.device++;
        else
            use.item.size++;
        assert_false(takes(&h, &permit, &use));
        assert_true(takes(&h, &permit, &good));
    }
}

static void it_is_for_its_methods_only(void **state)
{
    (void)state;
    holder h = {.key = 7};
    ob_permit permit;
    ob_gate_decision why;
    const ob_situation s = situation(OB_BASIS_PUBLIC);
    ob_permit_request request = request_for(&s);
    request.situation[PDQ] = NULL;
    const ob_permit_mac mac = maker(&h);
    assert_int_equal(ob_permit_make(&permit, &why, &request, &laws, &mac, NULL), OB_OK);
    ob_permit_use use = good;
    assert_false(takes(&h, &permit, &use));
    use.detectors = 1 << PDQ;
    assert_false(takes(&h, &permit, &use));
    use.detectors = 0;
    assert_false(takes(&h, &permit, &use));
    use.detectors = 1 << DIGESTS;
    assert_true(takes(&h, &permit, &use));
}

static void it_ends_by_either_clock(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds, ms;
        bool fine;
    } cases[] = {{0, 0, true},       {179, 179999, true}, {180, 0, false},
                 {0, 180000, false}, /* the wall clock was set back */
                 {-1, 0, false},     {-86400, 0, false},  {86400, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        holder h = {.key = 8};
        const ob_permit permit = make(&h, OB_BASIS_PUBLIC);
        ob_permit_use use = good;
        use.now += cases[i].seconds;
        use.monotonic_ms += cases[i].ms;
        assert_int_equal(takes(&h, &permit, &use), cases[i].fine);
    }
}

static void a_withdrawal_voids_it(void **state)
{
    (void)state;
    holder h = {.key = 9};
    const ob_permit public = make(&h, OB_BASIS_PUBLIC), consent = make(&h, OB_BASIS_CONSENT);
    const ob_permit_mac mac = taker(&h);
    ob_permit_use use = good;
    use.epochs.personal++; /* somebody's consent has gone */
    assert_int_equal(ob_permit_still(&public, &use, &mac, NULL), OB_OK);
    assert_int_equal(ob_permit_still(&consent, &use, &mac, NULL), OB_EREFUSED);
    use = good;
    use.epochs.service++; /* the policy has changed */
    assert_int_equal(ob_permit_still(&public, &use, &mac, NULL), OB_EREFUSED);
    assert_int_equal(ob_permit_still(&consent, &use, &mac, NULL), OB_EREFUSED);
    assert_int_equal(ob_permit_still(&consent, &good, &mac, NULL), OB_OK);
}

static void handing_on_adds_nothing(void **state)
{
    (void)state;
    holder h = {.key = 10}, worker = {.key = 11};
    const ob_permit permit = make(&h, OB_BASIS_PUBLIC);
    const ob_permit_mac from = taker(&h), to = maker(&worker);
    const ob_permit_item file = {.id = {7}, .device = 8, .inode = 9, .size = 10};
    ob_permit handed;
    ob_permit_use use = good;
    use.detectors = 1 << DIGESTS;
    use.now = NOW + 100;
    assert_int_equal(ob_permit_hand_on(&handed, &permit, &use, &from, &file, &to, NULL), OB_OK);
    ob_permit_use there = use;
    there.item = file;
    there.detectors = 3;
    assert_false(takes(&worker, &handed, &there)); /* not for more detectors */
    there.detectors = use.detectors;
    there.now = NOW + 180;
    assert_false(takes(&worker, &handed, &there)); /* not for longer */
    there.now = NOW + 179;
    assert_false(takes(&h, &handed, &there)); /* not for who has handed it on */
    assert_true(takes(&worker, &handed, &there));
    use.now = NOW + 180;
    assert_int_equal(ob_permit_hand_on(&handed, &permit, &use, &from, &file, &to, NULL),
                     OB_EREFUSED);
    use = good;
    use.epochs.service++;
    assert_int_equal(ob_permit_hand_on(&handed, &permit, &use, &from, &file, &to, NULL),
                     OB_EREFUSED);
    ob_permit forged = permit;
    forged.bytes[100] ^= 1;
    assert_int_equal(ob_permit_hand_on(&handed, &forged, &good, &from, &file, &to, NULL),
                     OB_EREFUSED);
}

static void what_is_denied_gets_none(void **state)
{
    (void)state;
    holder h = {.key = 12};
    ob_permit permit;
    ob_gate_decision why;
    const ob_permit_mac mac = maker(&h);
    ob_situation a = situation(OB_BASIS_PUBLIC), b = a;
    ob_permit_request request = request_for(&a);
    a.mode = OB_MODE_EXPLAIN; /* explaining never yields one */
    assert_int_equal(ob_permit_make(&permit, &why, &request, &laws, &mac, NULL), OB_EREFUSED);
    a = b;
    request.situation[1] = &b;
    b.item = "another";
    assert_int_equal(ob_permit_make(&permit, &why, &request, &laws, &mac, NULL), OB_EREFUSED);
    b = a;
    b.basis = OB_BASIS_CONSENT;
    assert_int_equal(ob_permit_make(&permit, &why, &request, &laws, &mac, NULL), OB_EREFUSED);
    b = a;
    a.media = b.media = OB_MEDIA_AUDIO;
    assert_int_equal(ob_permit_make(&permit, &why, &request, &laws, &mac, NULL), OB_EREFUSED);
    assert_false(why.allow);
    assert_int_equal(why.reason, OB_FLOOR_MEDIA);
    a = b = situation(OB_BASIS_PUBLIC);
    a.detector_state = OB_STATE_SUSPENDED; /* one detector of two */
    assert_int_equal(ob_permit_make(&permit, &why, &request, &laws, &mac, NULL), OB_OK);
    ob_permit_use use = good;
    assert_false(takes(&h, &permit, &use));
    use.detectors = 1 << PDQ;
    assert_true(takes(&h, &permit, &use));
    const ob_permit_request nothing = {.monotonic_ms = 1};
    assert_int_equal(ob_permit_make(&permit, &why, &nothing, &laws, &mac, NULL), OB_EREFUSED);
    h.elsewhere = true;
    a = b;
    assert_int_equal(ob_permit_make(&permit, &why, &request, &laws, &mac, NULL), OB_EREFUSED);
}

static void mutated_permits_are_refused(void **state)
{
    (void)state;
    holder h = {.key = 13};
    const ob_permit permit = make(&h, OB_BASIS_CONSENT);
    test_random r = test_sampled(99);
    uint64_t count = test_samples("OBHUT_MUTATIONS", 10000) * 10;
    for (uint64_t i = 0; i < count; i++) {
        ob_permit forged = permit;
        test_mutate(&r, forged.bytes, sizeof forged.bytes);
        holder fresh = {.key = 13};
        if (takes(&fresh, &forged, &good)) /* untouched, or behind its content only */
            assert_memory_equal(forged.bytes, permit.bytes, 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permit_says_what_it_is_for),
        cmocka_unit_test(no_changed_byte_goes_unnoticed),
        cmocka_unit_test(nobody_else_can_use_it),
        cmocka_unit_test(it_is_used_once),
        cmocka_unit_test(it_is_for_that_item_and_file_only),
        cmocka_unit_test(it_is_for_its_methods_only),
        cmocka_unit_test(it_ends_by_either_clock),
        cmocka_unit_test(a_withdrawal_voids_it),
        cmocka_unit_test(handing_on_adds_nothing),
        cmocka_unit_test(what_is_denied_gets_none),
        cmocka_unit_test(mutated_permits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
