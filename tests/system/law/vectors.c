/* The published situations, and regimes: built in, from files, damaged. */
#include "test.h"

#include <obhut/law.h>

static json_t *load(const char *path)
{
    json_error_t problem;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    if (!json)
        fail_msg("%s: %s, line %d", path, problem.text, problem.line);
    return json;
}

/* RFC 7396. */
static json_t *merge(json_t *target, json_t *patch)
{
    const char *key;
    json_t *value;
    if (!json_is_object(patch))
        return json_deep_copy(patch);
    json_t *out = json_is_object(target) ? json_deep_copy(target) : json_object();
    json_object_foreach(patch, key, value)
    {
        if (json_is_null(value))
            json_object_del(out, key);
        else
            json_object_set_new(out, key, merge(json_object_get(out, key), value));
    }
    return out;
}

static bool agrees(const json_t *expected, const json_t *got)
{
    const char *key;
    json_t *value;
    if (!json_is_object(expected))
        return json_equal(expected, got);
    json_object_foreach((json_t *)(uintptr_t)expected, key, value)
    {
        if (!agrees(value, json_object_get(got, key)) &&
            !(json_is_false(value) && !json_object_get(got, key)))
            return false;
    }
    return true;
}

static unsigned check_file(const char *path)
{
    json_t *file = load(path), *vector;
    size_t i;
    unsigned wrong = 0, count = 0;
    json_array_foreach(json_object_get(file, "vectors"), i, vector)
    {
        json_t *situation =
            merge(json_object_get(file, "defaults"), json_object_get(vector, "patch"));
        json_t *got = ob_law_explain(situation, &(ob_law_question){0});
        if (!agrees(json_object_get(vector, "expect"), got)) {
            char *text = json_dumps(got, JSON_COMPACT);
            print_message("# %s: %s\n", json_string_value(json_object_get(vector, "id")), text);
            free(text);
            wrong++;
        }
        json_decref(got);
        json_decref(situation);
        count++;
    }
    json_decref(file);
    assert_int_equal(wrong, 0);
    return count;
}

static void every_situation_gets_its_answer(void **state)
{
    (void)state;
    assert_true(check_file(OB_TESTS "/gate/invariants.json") >= 216);
    assert_true(check_file(OB_TESTS "/gate/more.json") >= 20);
}

/* Between 3 April and 31 July 2026 there was no derogation. */
static void in_the_gap_nobody_looks_without_being_asked(void **state)
{
    (void)state;
    json_t *file = load(OB_TESTS "/gate/invariants.json");
    json_t *defaults = json_object_get(file, "defaults");
    const ob_regimes *all = ob_law_regimes();
    unsigned allowed = 0;
    enum { CASES = 60000 };
    uint64_t samples = test_samples("OBHUT_GATE_CASES", CASES);
    unsigned step = samples < CASES ? CASES / (unsigned)samples | 1 : 1;
    for (unsigned n = 0; n < CASES; n += step) {
        unsigned k = n;
        const char *surfaces[] = {"direct", "group"};
        json_t *s = json_deep_copy(defaults), *item = json_object_get(s, "item");
        const ob_regime *regime = &all->regime[k % all->count];
        k /= (unsigned)all->count;
        json_object_set_new(s, "at", json_string("2026-05-15T12:00:00Z"));
        json_object_set_new(s, "regime", json_string(regime->id));
        json_object_set_new(item, "surface", json_string(surfaces[k % 2]));
        k /= 2;
        ob_basis basis = (ob_basis)(k % OB_BASIS_COUNT);
        json_object_set_new(s, "basis", json_string(ob_word_name(OB_WORD_BASIS, basis)));
        k /= OB_BASIS_COUNT;
        ob_locus locus = (ob_locus)(k % OB_LOCUS_COUNT);
        json_object_set_new(item, "locus", json_string(ob_word_name(OB_WORD_LOCUS, locus)));
        k /= OB_LOCUS_COUNT;
        json_object_set_new(s, "detector", json_string(ob_word_name(OB_WORD_MATERIAL, k % 3)));
        k /= 3;
        json_object_set_new(
            s, "service",
            json_pack("{s:s}", "kind", ob_word_name(OB_WORD_SERVICE_KIND, k % OB_SERVICE_COUNT)));
        k /= OB_SERVICE_COUNT;
        static const char *const by[] = {"account", "all_participants", "provider"};
        const char *consent = by[k % 3];
        json_object_set_new(s, "consent", json_pack("{s:s, s:b}", "by", consent, "free", 1));
        k /= 3;
        if (k % 2)
            json_object_set_new(s, "report",
                                json_pack("{s:s, s:[s]}", "by", "participant", "items", "item-1"));
        json_object_set_new(s, "notice", json_pack("{s:[s]}", "items", "item-1"));
        json_t *got = ob_law_explain(s, &(ob_law_question){0});
        bool allow = !strcmp(json_string_value(json_object_get(got, "decision")), "allow");
        bool eu = !strncmp(regime->id, "eu-", 3);
        bool asked = (basis == OB_BASIS_CONSENT && !strcmp(consent, "all_participants")) ||
                     (basis == OB_BASIS_REPORT && locus == OB_LOCUS_DISCLOSED) ||
                     (locus == OB_LOCUS_DEVICE && !strcmp(consent, "account"));
        assert_true(!allow || !eu || asked || basis == OB_BASIS_NOTICE);
        if (basis == OB_BASIS_NOTICE && allow && eu)
            fail_msg("a notice opened a private conversation under %s", regime->id);
        allowed += allow && eu;
        json_decref(got);
        json_decref(s);
    }
    assert_true(allowed * step > 50);
    json_decref(file);
}

/* ---- Regimes --------------------------------------------------------------------------------- */

static uint8_t *read_regime(const char *name, size_t *size)
{
    char path[600];
    snprintf(path, sizeof path, OB_TESTS "/../data/regimes/%s", name);
    return test_file(path, size);
}

static bool same_text(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

static void assert_same(const ob_regime *a, const ob_regime *b)
{
    assert_true(same_text(a->id, b->id) && same_text(a->title, b->title));
    assert_true(a->kind == b->kind && a->status == b->status);
    assert_true(a->from == b->from && a->until == b->until);
    assert_true(same_text(a->dates_article, b->dates_article));
    assert_true(same_text(a->countries, b->countries) && same_text(a->displaces, b->displaces));
    assert_true(a->services == b->services && a->surfaces == b->surfaces);
    assert_true(a->encryptions == b->encryptions && a->bases == b->bases);
    assert_true(same_text(a->scope_article, b->scope_article));
    for (int i = 0; i < OB_BASIS_COUNT; i++)
        assert_true(same_text(a->basis_article[i], b->basis_article[i]));
    for (int i = 0; i < OB_MATERIALS; i++) {
        assert_true(a->detectors[i] == b->detectors[i] && a->months_most[i] == b->months_most[i]);
        assert_true(same_text(a->detector_article[i], b->detector_article[i]));
    }
    assert_true(a->court_only == b->court_only && a->orderable == b->orderable);
    assert_true(a->months_before == b->months_before);
    assert_true(a->grooming_needs_child == b->grooming_needs_child);
    assert_true(same_text(a->order_article, b->order_article));
    assert_true(a->evidence_needed == b->evidence_needed && a->safeguards == b->safeguards);
    assert_true(a->safeguards_grooming == b->safeguards_grooming);
    for (int i = 0; i < OB_SAFEGUARD_COUNT; i++)
        assert_true(same_text(a->safeguard_article[i], b->safeguard_article[i]));
    assert_true(a->annual_report == b->annual_report);
    assert_true(same_text(a->report_article, b->report_article));
    assert_true(a->retention_months == b->retention_months);
    assert_true(a->retention_least_months == b->retention_least_months);
    assert_true(same_text(a->retention_article, b->retention_article));
    assert_memory_equal(a->digest, b->digest, sizeof a->digest);
}

static void what_is_built_in_is_what_the_files_say(void **state)
{
    (void)state;
    const ob_regimes *all = ob_law_regimes();
    assert_true(all->count >= 9);
    for (size_t i = 0; i < all->count; i++) {
        char name[100];
        size_t size;
        ob_law_file *file = NULL;
        ob_error err = {0};
        snprintf(name, sizeof name, "%s.json", all->regime[i].id);
        uint8_t *bytes = read_regime(name, &size);
        if (ob_law_file_read(&file, (char *)bytes, size, &err))
            fail_msg("%s: %s", name, err.text);
        assert_same(ob_law_file_regime(file), &all->regime[i]);
        ob_law_file_free(file);
        free(bytes);
    }
}

static void no_built_in_regime_knows_orders_in_force(void **state)
{
    (void)state;
    const ob_regimes *all = ob_law_regimes();
    for (size_t i = 0; i < all->count; i++)
        assert_true(all->regime[i].status != OB_STATUS_IN_FORCE ||
                    !(all->regime[i].bases >> OB_BASIS_ORDER & 1));
}

/* A copy of a built-in law with one byte of its title changed works in `explain` only. */
static void a_file_that_was_changed_is_not_in_force(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = read_regime("eu-2026-1881.json", &size);
    json_t *defaults = load(OB_TESTS "/gate/invariants.json");
    json_t *s = json_object_get(defaults, "defaults");
    for (int changed = 0; changed < 2; changed++) {
        ob_law_file *file = NULL;
        if (changed)
            *strstr((char *)bytes, "second") = 'S';
        assert_int_equal(ob_law_file_read(&file, (char *)bytes, size, NULL), OB_OK);
        json_t *got = ob_law_explain(s, &(ob_law_question){.regime = file});
        const char *reason = json_string_value(json_object_get(got, "reason"));
        if (changed)
            assert_string_equal(reason, "REGIME_NOT_IN_FORCE");
        else
            assert_null(reason);
        json_decref(got);
        json_object_set_new(s, "mode", json_string("explain"));
        got = ob_law_explain(s, &(ob_law_question){.regime = file});
        assert_string_equal(json_string_value(json_object_get(got, "decision")), "allow");
        json_object_set_new(s, "mode", json_string("production"));
        json_decref(got);
        ob_law_file_free(file);
    }
    json_decref(defaults);
    free(bytes);
}

static void mutated_files_are_refused_or_read(void **state)
{
    (void)state;
    size_t size, read = 0;
    uint8_t *bytes = read_regime("eu-csar-council2025.json", &size);
    uint8_t *damaged = malloc(size);
    test_random r = test_sampled(77);
    uint64_t count = test_samples("OBHUT_MUTATIONS", 10000);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(damaged, bytes, size);
        size_t left = test_mutate(&r, damaged, size);
        ob_law_file *file = NULL;
        ob_error err = {0};
        if (!ob_law_file_read(&file, (char *)damaged, left, &err))
            read++;
        else
            assert_true(*err.text);
        ob_law_file_free(file);
    }
    assert_true(read < count);
    free(damaged);
    free(bytes);
}

static void mutated_situations_are_answered(void **state)
{
    (void)state;
    json_t *file = load(OB_TESTS "/gate/invariants.json");
    char *text = json_dumps(json_object_get(file, "defaults"), JSON_COMPACT);
    size_t size = strlen(text);
    uint8_t *damaged = malloc(size);
    test_random r = test_sampled(78);
    uint64_t count = test_samples("OBHUT_MUTATIONS", 10000);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(damaged, text, size);
        size_t left = test_mutate(&r, damaged, size);
        json_t *s = json_loadb((char *)damaged, left, JSON_REJECT_DUPLICATES, NULL);
        json_t *got = ob_law_explain(s, &(ob_law_question){.what_if = i % 16 == 0});
        assert_non_null(got);
        assert_true(json_is_string(json_object_get(got, "decision")));
        json_decref(got);
        json_decref(s);
    }
    free(damaged);
    free(text);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_situation_gets_its_answer),
        cmocka_unit_test(in_the_gap_nobody_looks_without_being_asked),
        cmocka_unit_test(what_is_built_in_is_what_the_files_say),
        cmocka_unit_test(no_built_in_regime_knows_orders_in_force),
        cmocka_unit_test(a_file_that_was_changed_is_not_in_force),
        cmocka_unit_test(mutated_files_are_refused_or_read),
        cmocka_unit_test(mutated_situations_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
