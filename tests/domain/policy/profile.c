/* What a service says of itself, what that opens, and which laws it is under. */
#include "acting.h"

#include <obhut/policy.h>

ACT(change, ob_profile, ob_profile_change(in, act, err))

static ob_profile profile_now(memory_place *p)
{
    ob_profile profile = ob_profile_default;
    MUST(READS(p->store, &err_, ob_store_profile(&profile, view, &err_)));
    return profile;
}

static void what_is_no_name_country_or_law_is_not_set(void **state)
{
    ob_error err = {0};
    ob_profile p = ob_profile_default;
    (void)state;
    assert_int_equal(ob_profile_set_service(&p, "a name", &err), OB_EINVAL);
    assert_int_equal(ob_profile_set_country(&p, "Germany", &err), OB_EINVAL);
    assert_int_equal(ob_profile_set_country(&p, "de", &err), OB_EINVAL);
    assert_int_equal(ob_profile_set_regime(&p, "nowhere", &err), OB_EINVAL);
    assert_int_equal(ob_profile_set_regime(&p, "planned", &err), OB_EREFUSED);
    assert_non_null(strstr(err.text, "never used"));
    assert_memory_equal(&p, &ob_profile_default, sizeof p);
    assert_int_equal(ob_profile_set_service(&p, "example", &err), OB_OK);
    assert_int_equal(ob_profile_set_country(&p, "AA", &err), OB_OK);
    assert_string_equal(p.country, "AA");
    assert_int_equal(ob_profile_set_country(&p, "", &err), OB_OK);
    assert_int_equal(ob_profile_set_regime(&p, "land", &err), OB_OK);
    assert_string_equal(p.regime, "land");
}

static void a_profile_takes_only_words_that_mean_something_in_it(void **state)
{
    static const struct {
        ob_word word;
        uint32_t set;
        bool is_taken;
    } cases[] = {
        {OB_WORD_SURFACE, (1 << OB_SURFACES) - 1, true},
        {OB_WORD_SURFACE, 1 << OB_SURFACES, false},
        {OB_WORD_BASIS, 0, true},
        {OB_WORD_BASIS, 1 << OB_BASIS_NONE, false},
        {OB_WORD_BASIS, 1 << OB_BASIS_PUBLIC | 1 << OB_BASIS_CONSENT, true},
        {OB_WORD_MATERIAL, 1 << OB_MATERIAL_KNOWN, true},
        {OB_WORD_MATERIAL, 1 << OB_MATERIAL_OTHER, false},
        {OB_WORD_SERVICE_KIND, 1 << OB_SERVICE_INTERPERSONAL, true},
        {OB_WORD_SERVICE_KIND, UINT32_C(1) << 31, false},
        {OB_WORD_MEDIA, 1 << OB_MEDIA_IMAGE, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_profile p = ob_profile_default;
        ob_error err = {0};
        ob_status status = ob_profile_set_words(&p, cases[i].word, cases[i].set, &err);
        assert_int_equal(status, cases[i].is_taken ? OB_OK : OB_EINVAL);
        if (status)
            assert_memory_equal(&p, &ob_profile_default, sizeof p);
    }
}

static void only_what_widens_a_profile_makes_an_assessment_old(void **state)
{
    memory_place *p = *state;
    ob_profile profile = profile_now(p);
    profile.surfaces = 1 << OB_SURFACE_PUBLIC | 1 << OB_SURFACE_DIRECT;
    DONE(p, "ada", change, &profile);
    assert_int_equal(profile_now(p).changed_at, TODAY);
    clock_pass(60);
    profile.surfaces = 1 << OB_SURFACE_PUBLIC; /* narrower */
    profile.changed_at = 5;                    /* nobody's to say */
    DONE(p, "ada", change, &profile);
    assert_int_equal(profile_now(p).changed_at, TODAY);
    snprintf(profile.country, sizeof profile.country, "AA"); /* another law */
    DONE(p, "ada", change, &profile);
    assert_int_equal(profile_now(p).changed_at, TODAY + 60);
}

/* ---- What it opens --------------------------------------------------------------------------- */

static const ob_opening *opening(const ob_opening all[], ob_surface surface, ob_basis basis)
{
    for (int i = 0; i < OB_OPENINGS; i++)
        if (all[i].surface == surface && all[i].basis == basis)
            return &all[i];
    fail();
    return NULL;
}

static void a_fresh_profile_opens_public_uploads_and_says_what_private_messages_need(void **state)
{
    ob_opening all[OB_OPENINGS];
    ob_profile p = ob_profile_default;
    (void)state;
    ob_profile_opens(all, &p);
    assert_true(opening(all, OB_SURFACE_PUBLIC, OB_BASIS_PUBLIC)->is_open);
    const ob_opening *o = opening(all, OB_SURFACE_DIRECT, OB_BASIS_CONSENT);
    assert_false(o->is_open);
    assert_true(o->needs_country && o->needs_register);
    assert_int_equal(o->kinds, p.kinds | 1u << OB_SERVICE_INTERPERSONAL);
    assert_int_equal(o->surfaces, p.surfaces | 1u << OB_SURFACE_DIRECT);
    assert_int_equal(o->bases, p.bases | 1u << OB_BASIS_CONSENT);
    assert_int_equal(o->detectors, 0); /* is set already */
}

static void what_was_said_to_be_needed_opens_it(void **state)
{
    ob_opening all[OB_OPENINGS];
    ob_profile p = ob_profile_default;
    (void)state;
    ob_profile_opens(all, &p);
    const ob_opening *o = opening(all, OB_SURFACE_GROUP, OB_BASIS_VOLUNTARY);
    p.kinds = o->kinds;
    p.surfaces = o->surfaces;
    p.bases = o->bases;
    p.has_register = true;
    snprintf(p.country, sizeof p.country, "AA");
    ob_profile_opens(all, &p);
    assert_true(opening(all, OB_SURFACE_GROUP, OB_BASIS_VOLUNTARY)->is_open);
    assert_false(opening(all, OB_SURFACE_DIRECT, OB_BASIS_VOLUNTARY)->is_open);
    *p.country = '\0'; /* the house rule knows nothing of private messages */
    ob_profile_opens(all, &p);
    assert_true(opening(all, OB_SURFACE_GROUP, OB_BASIS_VOLUNTARY)->needs_country);
}

/* ---- Laws ------------------------------------------------------------------------------------ */

static void a_service_is_under_its_countrys_laws_or_the_house_rule(void **state)
{
    static const struct {
        const char *country;
        const char *laws[3];
        const char *shortest; /* of those that say how long what was found may be kept */
        uint32_t months;
    } cases[] = {
        {"", {"eu-dsa"}, NULL, 0},
        {"ZZ", {"eu-dsa"}, NULL, 0},
        {"AA", {"land"}, "land", 12}, /* what is only planned is none */
        {"BB", {"land", "shorter"}, "shorter", 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_profile p = ob_profile_default;
        const ob_regime *out[OB_LAWS_MOST], *shortest;
        size_t count = 9;
        uint32_t months = 9;
        snprintf(p.country, sizeof p.country, "%s", cases[i].country);
        ob_profile_laws(out, &count, &p);
        assert_int_equal(count, cases[i].laws[1] ? 2 : 1);
        for (size_t l = 0; l < count; l++)
            assert_string_equal(out[l]->id, cases[i].laws[l]);
        ob_profile_retention(&months, &shortest, &p);
        assert_int_equal(months, cases[i].months);
        if (cases[i].shortest)
            assert_string_equal(shortest->id, cases[i].shortest);
        else
            assert_null(shortest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(what_is_no_name_country_or_law_is_not_set),
        ACTING(a_profile_takes_only_words_that_mean_something_in_it),
        ACTING(only_what_widens_a_profile_makes_an_assessment_old),
        ACTING(a_fresh_profile_opens_public_uploads_and_says_what_private_messages_need),
        ACTING(what_was_said_to_be_needed_opens_it),
        ACTING(a_service_is_under_its_countrys_laws_or_the_house_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
