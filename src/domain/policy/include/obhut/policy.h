/* policy: what a service is and has switched on: its profile and the laws that it is under, what
 * that opens and to whom, its safeguards, the states of its detectors, and its clock. Rules only:
 * who may change what is looked at before.
 *
 * What changes records takes an open act (obhut/acts.h), is of act->actor and of now, and changes
 * nothing where it fails. OB_EINVAL: that cannot be asked for; OB_EREFUSED: it may not be. */
#ifndef OBHUT_POLICY_H
#define OBHUT_POLICY_H

#include <obhut/acts.h>
#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/records/detector.h>
#include <obhut/records/profile.h>
#include <obhut/records/record.h>
#include <obhut/records/safeguard.h>

/* ---- Reasons ---------------------------------------------------------------------------------
 */

/* Copies what a person gave as the reason of a decision, in words of their own. OB_EINVAL without
 * any word (NULL too); OB_ELIMIT beyond OB_RECORD_TEXT bytes. *out is untouched then. */
ob_status ob_own_words(char out[OB_RECORD_TEXT + 1], const char *text, ob_error *err);

/* ---- Profile ---------------------------------------------------------------------------------
 */

/* What a service is: each sets one thing where it is possible, else leaves *profile as it was. */
ob_status ob_profile_set_service(ob_profile *profile, const char *name, ob_error *err);
/* Two capital letters; "": not said. */
ob_status ob_profile_set_country(ob_profile *profile, const char *country, ob_error *err);
/* The house rule: a regime that is built in. OB_EREFUSED: it is not in force. */
ob_status ob_profile_set_regime(ob_profile *profile, const char *regime, ob_error *err);
/* Its kinds, surfaces, bases or detectors, by the kind of word; bit v is value v. */
ob_status ob_profile_set_words(ob_profile *profile, ob_word word, uint32_t set, ob_error *err);

/* In place of the one that the records have. Sets profile->changed_at: only what widens it makes an
 * impact assessment old. */
ob_status ob_profile_change(ob_profile *profile, ob_act *act, ob_error *err);

/* ---- What a profile opens --------------------------------------------------------------------
 */

/* One way in which somebody may be looked at, and what is not set for it: where all of that is
 * empty, `is_open`. The gate decides; this tells an operator beforehand. */
typedef struct ob_opening {
    ob_surface surface;
    ob_basis basis;
    const char *what;
    const char *needs; /* beside what is set, a record: in words; "": none */
    bool is_open;
    bool needs_country, needs_register;
    uint32_t kinds, surfaces, bases, detectors; /* to be set to these; 0: as they are */
} ob_opening;

enum { OB_OPENINGS = 9 };
void ob_profile_opens(ob_opening out[OB_OPENINGS], const ob_profile *profile);

/* ---- Laws ------------------------------------------------------------------------------------
 */

enum { OB_LAWS_MOST = 16 };

/* The laws of its country, whenever they are in force; or the house rule alone, where no law that
 * is built in knows the country. */
void ob_profile_laws(const ob_regime *out[OB_LAWS_MOST], size_t *count, const ob_profile *profile);

/* The most that one of them allows to keep what was found, in months, and which it is; 0 and NULL
 * where none says so. Also one that is over: what it found is under it. */
void ob_profile_keeps_most(uint32_t *months, const ob_regime **regime, const ob_profile *profile);

/* ---- Safeguards ------------------------------------------------------------------------------
 */

/* Beside the safeguards of the gate: the yearly report. */
enum { OB_ANNUAL_REPORT = OB_SAFEGUARD_COUNT };

/* "annual_report" is one, too. NULL beyond the last; false where there is none of that name. */
const char *ob_safeguard_name(uint32_t safeguard);
bool ob_safeguard_parse(uint32_t *out, const char *name);

/* Of a regime that is built in; a yearly report is about a year. */
ob_status ob_safeguard_add(ob_act *act, const ob_safeguard_record *record, ob_error *err);
ob_status ob_safeguard_remove(ob_act *act, const char *regime, uint32_t safeguard, ob_error *err);

/* What is on record for one regime. */
typedef struct ob_safeguards {
    char regime[65]; /* "": none */
    uint32_t recorded;
    int64_t assessment_at, last_report;
} ob_safeguards;

ob_status ob_safeguards_read(ob_safeguards out[OB_LAWS_MOST], ob_view *view, ob_error *err);

/* What the gate must know of them at an instant. `changed_at`: of what an impact assessment is
 * about. It is current for a year, and while nothing of that has changed since. */
struct ob_safeguard_facts ob_safeguards_at(const ob_safeguards all[OB_LAWS_MOST],
                                           const ob_regime *regime, int64_t changed_at, int64_t at);

/* ---- Detectors -------------------------------------------------------------------------------
 */

/* The state of each detector: as the records have it; else as it is shipped, with an `at` of 0 and
 * nobody who set it. A state that is not known is suspended. */
ob_status ob_detectors_now(ob_detector_record out[OB_DETECTORS_MOST], ob_view *view, ob_error *err);

/* To stop needs nobody else. */
ob_status ob_detector_suspend(ob_act *act, ob_detector detector, const char *reason, ob_error *err);

/* What was measured on named data, and the state that it is to justify. */
typedef struct ob_measurement {
    ob_detector detector;
    ob_detector_state state; /* trial or on */
    int64_t items, false_alarms;
    const char *data;
    uint8_t document[32]; /* SHA-256 */
} ob_measurement;

/* The upper 95 % limit of false alarms in a million items, of so many that were counted (Poisson).
 * At most OB_ALARMS_MOST. */
double ob_measured_limit(int64_t items, int64_t false_alarms);
enum { OB_ALARMS_MOST = 500 }; /* e to that power is still a double */

/* Whether it justifies the state: for `on` its limit lies within the detector's bound. */
ob_status ob_measurement_check(const ob_measurement *m, ob_error *err);

/* A lead proposes, and another agrees. `body` is what of it is kept until then (OB_ENOMEM: NULL).
 */
ob_status ob_detector_propose(int64_t *proposal, ob_act *act, const ob_measurement *m,
                              const char *body, ob_error *err);
ob_status ob_detector_set(ob_act *act, const ob_measurement *m, const char *proposed_by,
                          ob_error *err);

/* ---- The clock -------------------------------------------------------------------------------
 */

/* "ok"; "backwards": before `latest`, the latest instant at which anything was allowed; "unset":
 * before this program was built. */
const char *ob_clock_state(int64_t now, int64_t latest);

/* That it is right, whatever was allowed later. `body` as above. */
ob_status ob_clock_propose(int64_t *proposal, ob_act *act, const char *body, ob_error *err);
/* OB_EREFUSED: it is unset. */
ob_status ob_clock_accept(ob_act *act, int64_t now, ob_error *err);

#endif
