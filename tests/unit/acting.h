/* Rooms of the domain, as persons act in them: a place in memory, a few laws of its own, and acts
 * by whoever is named. Included once by a program. */
#ifndef OBHUT_TEST_ACTING_H
#define OBHUT_TEST_ACTING_H

#include "place.h"

#include "fault/clock.h"

#include <obhut/gate.h>
#include <obhut/records/person.h>
#include <obhut/records/profile.h>
#include <obhut/regimes.h>

/* ---- Laws, in the place of those that are built in ------------------------------------------- */

enum { EVERYTHING = 0x7FFFFFFF, BUILT_AT = 1700000000, TODAY = 1800000000 };

static ob_regime laws[] = {
    {.id = "eu-dsa", .surfaces = 1 << OB_SURFACE_PUBLIC, .countries = ""}, /* the house rule */
    {.id = "land",
     .surfaces = EVERYTHING,
     .countries = "AA BB",
     .retention_months = 12,
     .retention_article = "Art. 5"},
    {.id = "shorter",
     .kind = OB_REGIME_DEROGATION,
     .surfaces = EVERYTHING,
     .countries = "BB",
     .retention_months = 6,
     .retention_article = "Art. 6"},
    {.id = "keeping", .countries = "", .retention_least_months = 24},
    {.id = "planned",
     .kind = OB_REGIME_PROPOSAL,
     .status = OB_STATUS_PROPOSAL,
     .surfaces = EVERYTHING,
     .countries = "AA",
     .retention_months = 1},
    {.id = "orders",
     .surfaces = EVERYTHING,
     .countries = "CC",
     .bases = 1 << OB_BASIS_ORDER,
     .orderable = 1 << OB_MATERIAL_KNOWN,
     .court_only = true},
};
enum { HOUSE, LAND, SHORTER, KEEPING, PLANNED, ORDERS, LAWS };

const ob_regimes *ob_law_regimes(void)
{
    static const ob_regimes all = {laws, LAWS};
    return &all;
}

const uint8_t ob_law_regimes_digest[32], ob_law_floor_digest[32];
const int64_t ob_law_built_at = BUILT_AT;
enum { DIGESTS, PDQ };
const ob_detector_spec ob_law_detectors[OB_DETECTORS_MOST] = {
    [DIGESTS] = {"digests", OB_MATERIAL_KNOWN, OB_STATE_ON, 10, "the same bytes"},
    [PDQ] = {"pdq", OB_MATERIAL_KNOWN, OB_STATE_TRIAL, 10, "similar pictures"}};

/* What is left out above is what every law here has. */
static inline void complete_laws(void)
{
    static const char *const articles[OB_BASIS_COUNT] = {"1", "1", "1", "1", "1", "1", "1", "1"};
    for (int i = 0; i < LAWS; i++) {
        ob_regime *r = &laws[i];
        r->title = r->id;
        r->from = INT64_MIN;
        r->until = INT64_MAX;
        r->dates_article = r->scope_article = r->order_article = r->report_article = "Art. 1";
        r->displaces = "";
        r->services = r->encryptions = EVERYTHING;
        memcpy(r->basis_article, articles, sizeof articles);
        for (int d = 0; d < OB_MATERIAL_OTHER; d++)
            r->detectors[d] = OB_PERMISSION_YES;
    }
}

/* ---- Acts ------------------------------------------------------------------------------------ */

/* A function that is an act: of what `in` points to. */
#define ACT(name, type, call)                                                                      \
    static ob_status name(ob_act *act, void *context, ob_error *err)                               \
    {                                                                                              \
        type *in = context;                                                                        \
        return call;                                                                               \
    }

static inline ob_status act_as(memory_place *p, const char *who, ob_act_run run, void *in,
                               ob_error *err)
{
    ob_person person = {.roles = 1};
    const ob_actor actor = {&person};
    snprintf(person.name, sizeof person.name, "%s", who);
    *err = (ob_error){0};
    return ob_acts_do(NULL, p->acts, "test", &actor, run, in, err);
}

/* It is done. */
#define DONE(p, who, run, in)                                                                      \
    do {                                                                                           \
        ob_error error_;                                                                           \
        if (act_as(p, who, run, in, &error_))                                                      \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, error_.text);                                \
    } while (0)

/* It is not, with this status and a sentence that says so. */
#define FAILS(p, who, run, in, wanted, says)                                                       \
    do {                                                                                           \
        ob_error error_;                                                                           \
        assert_int_equal(act_as(p, who, run, in, &error_), wanted);                                \
        if (!strstr(error_.text, says))                                                            \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, error_.text);                                \
    } while (0)

static inline ob_record_key key_of(const char *name)
{
    ob_record_key key = {{0}};
    snprintf((char *)key.bytes, sizeof key.bytes, "%s", name);
    return key;
}

static inline void set_country(memory_place *p, const char *country)
{
    ob_profile profile = ob_profile_default;
    MUST(READS(p->store, &err_, ob_store_profile(&profile, view, &err_)));
    snprintf(profile.country, sizeof profile.country, "%s", country);
    MUST(WRITES(p->store, &err_, ob_store_profile_set(w, &profile, &err_)));
}

/* ---- The log --------------------------------------------------------------------------------- */

/* Entries so far, and the last one's words. */
typedef struct told {
    unsigned count;
    char last[4096];
} told;

static inline ob_status take_entry(void *context, uint64_t number, const char *text, size_t size,
                                   ob_error *err)
{
    told *t = context;
    (void)number, (void)err;
    t->count++;
    snprintf(t->last, sizeof t->last, "%.*s", (int)size, text);
    return OB_OK;
}

static inline told log_of(const memory_place *p)
{
    char path[300];
    told t = {0};
    snprintf(path, sizeof path, "%s/audit", p->dir);
    MUST(ob_audit_read(path, 0, UINT64_MAX, take_entry, &t, &err_));
    return t;
}

/* ---- Beginning ------------------------------------------------------------------------------- */

static inline int acting_begin(void **state)
{
    complete_laws();
    clock_stand(TODAY);
    return memory_place_begin(state);
}

static inline int acting_end(void **state)
{
    int wrong = memory_place_end(state);
    clock_real();
    return wrong;
}

#define ACTING(test) cmocka_unit_test_setup_teardown(test, acting_begin, acting_end)

#endif
