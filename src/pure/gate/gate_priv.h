/* The parts of gate. words.c and reasons.c have the vocabulary, time.c the calendar, facts.c what
 * comes from outside. The ceilings are law.c, floor.c, policy.c, consent.c: each has checks, and
 * decide.c runs them in the one order that counts. */
#ifndef OBHUT_GATE_PRIV_H
#define OBHUT_GATE_PRIV_H

#include <obhut/gate.h>

/* What a check looks at. */
typedef struct gate_case {
    const ob_situation *s;
    const ob_regime *regime; /* NULL: unknown */
    const char *names;       /* set by a check that fails: what is missing */
} gate_case;

/* True when its reason holds. */
typedef bool (*gate_check)(gate_case *c);

bool floor_purpose(gate_case *c);
bool floor_media(gate_case *c);
bool floor_device(gate_case *c);
bool floor_e2ee_server(gate_case *c);
bool floor_untargeted(gate_case *c);
bool floor_not_judicial(gate_case *c);
bool floor_suspicionless(gate_case *c);
bool floor_known_only(gate_case *c);
bool floor_storage(gate_case *c);
bool floor_secrecy(gate_case *c);
bool floor_detector_suspended(gate_case *c);
bool floor_detector_unmeasured(gate_case *c);
bool floor_list(gate_case *c);

bool law_unknown(gate_case *c);
bool law_not_in_force(gate_case *c);
bool law_not_yet(gate_case *c);
bool law_expired(gate_case *c);
bool law_out_of_scope(gate_case *c);
bool law_no_basis(gate_case *c);
bool law_report_scope(gate_case *c);
bool law_order_unauthenticated(gate_case *c);
bool law_order_defective(gate_case *c);
bool law_not_judicial(gate_case *c);
bool law_not_orderable(gate_case *c);
bool law_no_child_user(gate_case *c);
bool law_order_suspended(gate_case *c);
bool law_order_window(gate_case *c);
bool law_order_scope(gate_case *c);
bool law_not_targeted(gate_case *c);
bool law_evidence(gate_case *c);
bool law_safeguard_missing(gate_case *c);
bool law_safeguard_outdated(gate_case *c);
bool law_report_overdue(gate_case *c);
bool law_detector_unverified(gate_case *c);
bool law_substance(gate_case *c);
const char *law_article(const gate_case *c, ob_reason reason);

bool consent_incomplete(gate_case *c);
bool policy_off(gate_case *c);

const char *floor_article(ob_reason reason);

bool gate_is_private(const ob_situation *s); /* direct or group */
bool gate_has_text(const ob_texts *texts, const char *text);

/* One more than the largest number of a fact that every situation needs: at most 64, the bits that
 * ob_facts has for them. */
size_t facts_needed_below(void);

#endif
