/* policy: what the service is and has switched on: its profile, the laws that apply to it, what
 * these permit, its safeguards, the states of its detectors, and its clock. This module has the
 * rules; who may change what is checked before.
 *
 * A function that changes records takes an open act (obhut/acts.h), acts for act->actor at the
 * present instant, and changes nothing where it fails. OB_EINVAL: the request is impossible;
 * OB_EREFUSED: it is forbidden. */
#ifndef OBHUT_POLICY_H
#define OBHUT_POLICY_H

#include <obhut/acts.h>
#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/records/detector.h>
#include <obhut/records/profile.h>
#include <obhut/records/record.h>
#include <obhut/records/safeguard.h>

/* ---- Reasons --------------------------------------------------------------------------------- */

/* Copies the reason that a person gave for a decision. OB_EINVAL: it has no words (or is NULL);
 * OB_ELIMIT: it has more than OB_RECORD_TEXT bytes. *out is untouched on error. */
ob_status ob_own_words(char out[OB_RECORD_TEXT + 1], const char *text, ob_error *err);

/* ---- Profile --------------------------------------------------------------------------------- */

/* Sets the name of the service. Like all setters of a profile, it leaves *profile untouched on
 * error. */
ob_status ob_profile_set_service(ob_profile *profile, const char *name, ob_error *err);
/* Sets the country: two capital letters, or "" for none. */
ob_status ob_profile_set_country(ob_profile *profile, const char *country, ob_error *err);
/* Sets the house rule: a regime that is built in. OB_EREFUSED: it is not in force. */
ob_status ob_profile_set_regime(ob_profile *profile, const char *regime, ob_error *err);
/* Sets the kinds, surfaces, bases or detectors, as `word` says; bit v of `set` is value v. */
ob_status ob_profile_set_words(ob_profile *profile, ob_word word, uint32_t set, ob_error *err);

/* Stores the profile in place of the earlier one. Sets profile->changed_at where the profile
 * permits more than before, because an impact assessment then is out of date. */
ob_status ob_profile_change(ob_profile *profile, ob_act *act, ob_error *err);

/* ---- What a profile opens -------------------------------------------------------------------- */

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
/* Sets out[0] to out[OB_OPENINGS - 1]: every way in which an account may be scanned, and what is
 * missing for each. For people who set up a service; the gate itself decides. */
void ob_profile_opens(ob_opening out[OB_OPENINGS], const ob_profile *profile);

/* ---- Laws ------------------------------------------------------------------------------------ */

enum { OB_LAWS_MOST = 16 };

/* Sets *out to the laws of the profile's country, in force or not; to the house rule alone, where
 * no built-in law knows the country. They are constant. */
void ob_profile_laws(const ob_regime *out[OB_LAWS_MOST], size_t *count, const ob_profile *profile);

/* Sets *months to how long findings may be retained at most under these laws, and *regime to the
 * law that says so; 0 and NULL where none does. A law that has ended counts: findings from its time
 * are under it. The caller does not own *regime, which is constant and lives as long as the
 * program. */
void ob_profile_retention(uint32_t *months, const ob_regime **regime, const ob_profile *profile);

/* ---- Safeguards ------------------------------------------------------------------------------ */

/* Beside the safeguards of the gate: the yearly report. */
enum { OB_ANNUAL_REPORT = OB_SAFEGUARD_COUNT };

/* Returns the name of a safeguard, or "annual_report"; NULL beyond the last. The text is a
 * constant. */
const char *ob_safeguard_name(uint32_t safeguard);
/* Sets *out to the safeguard of this name; returns false, and leaves *out untouched, where there is
 * none. */
bool ob_safeguard_parse(uint32_t *out, const char *name);

/* Records a safeguard of a built-in regime; a yearly report is about a year. OB_EINVAL: no such
 * regime or safeguard. */
ob_status ob_safeguard_add(ob_act *act, const ob_safeguard_record *record, ob_error *err);
/* Deletes the record of a safeguard. OB_ENOTFOUND: there is none. */
ob_status ob_safeguard_remove(ob_act *act, const char *regime, uint32_t safeguard, ob_error *err);

/* What is on record for one regime. */
typedef struct ob_safeguards {
    char regime[65]; /* "": none */
    uint32_t recorded;
    int64_t assessment_at, last_report;
} ob_safeguards;

/* Reads the safeguards on record, one element for each regime; those behind the last have an empty
 * `regime`. */
ob_status ob_safeguards_read(ob_safeguards out[OB_LAWS_MOST], ob_view *view, ob_error *err);

/* Returns what the gate needs of a regime's safeguards at an instant. An impact assessment is
 * current for a year, and while the profile has not changed since: `changed_at`. */
struct ob_safeguard_facts ob_safeguards_at(const ob_safeguards all[OB_LAWS_MOST],
                                           const ob_regime *regime, int64_t changed_at, int64_t at);

/* ---- Detectors ------------------------------------------------------------------------------- */

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

/* Returns the upper 95 % limit of false alarms per million items, when so many were counted
 * (Poisson). At most OB_ALARMS_MOST alarms. */
double ob_measured_limit(int64_t items, int64_t false_alarms);
enum { OB_ALARMS_MOST = 500 }; /* e to that power is still a double */

/* Whether it justifies the state: for `on` its limit lies within the detector's bound. */
ob_status ob_measurement_check(const ob_measurement *m, ob_error *err);

/* Proposes a state and sets *proposal to the proposal's number. `body` is what the proposal stores
 * (OB_ENOMEM: NULL). */
ob_status ob_detector_propose(int64_t *proposal, ob_act *act, const ob_measurement *m,
                              const char *body, ob_error *err);
/* Sets the state of a detector, after the second person has agreed. */
ob_status ob_detector_set(ob_act *act, const ob_measurement *m, const char *proposed_by,
                          ob_error *err);

/* ---- The clock ------------------------------------------------------------------------------- */

/* Returns "ok", "backwards" (before `latest`, the latest instant at which anything was allowed) or
 * "unset" (before this program was built). The text is a constant. */
const char *ob_clock_state(int64_t now, int64_t latest);

/* Proposes that the clock is right, although something was allowed at a later instant. Sets
 * *proposal; `body` is what the proposal stores (OB_ENOMEM: NULL). */
ob_status ob_clock_propose(int64_t *proposal, ob_act *act, const char *body, ob_error *err);
/* Accepts the clock, after the second person has agreed. OB_EREFUSED: it shows an instant before
 * this program was built. */
ob_status ob_clock_accept(ob_act *act, int64_t now, ob_error *err);

#endif
