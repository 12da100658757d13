/* grounds: what opens looking and what ends it: reports and notices, verdicts, causes, orders,
 * consents; and what keeps such a record longer. Rules only: who may do what is looked at before,
 * and what an act's entry says of whom it is about is said here.
 *
 * What changes records takes an open act (obhut/acts.h), is of act->actor and of now, and changes
 * nothing where it fails. OB_EINVAL: that cannot be asked for; OB_EREFUSED: it may not be;
 * OB_ENOTFOUND: there is no such record, or it is past that.
 *
 * What two persons decide is proposed by one and done when another agrees. `body` is what is kept
 * of a proposal until then, of which these functions know nothing (OB_ENOMEM: NULL); `proposed_by`
 * is who proposed, act->actor who agrees, `why` the reason in that person's own words. Whatever
 * must hold is looked at both times. */
#ifndef OBHUT_GROUNDS_H
#define OBHUT_GROUNDS_H

#include <obhut/acts.h>
#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/policy.h>
#include <obhut/records/cause.h>
#include <obhut/records/conversation.h>
#include <obhut/records/hold.h>
#include <obhut/records/incoming.h>
#include <obhut/records/order.h>
#include <obhut/records/verdict.h>

/* ---- Reports and notices ---------------------------------------------------------------------
 */

/* By what the same delivery is known again, and what it said. */
typedef struct ob_delivery {
    ob_record_key key, digest;
} ob_delivery;

/* With its items. The same delivery twice within a day is one record: *is_known, *id is the first
 * one's, and the act has no entry. OB_EREFUSED: it says something else than the first time. */
ob_status ob_incoming_add(int64_t *id, bool *is_known, ob_act *act, const ob_incoming *incoming,
                          const ob_record_key *items, size_t count, const ob_delivery *delivery,
                          ob_error *err);

/* A trained person has looked at all that was disclosed. */
ob_status ob_report_confirm(ob_act *act, int64_t id, ob_error *err);
/* OB_EREFUSED: somebody holds it. */
ob_status ob_incoming_remove(ob_act *act, ob_incoming_kind kind, int64_t id, ob_error *err);

/* ---- Verdicts --------------------------------------------------------------------------------
 */

ob_status ob_verdict_propose(int64_t *proposal, ob_act *act, const char *reason, const char *body,
                             ob_error *err);
ob_status ob_verdict_add(int64_t *id, ob_act *act, const ob_record_key *account,
                         const char *proposed_by, const char *why, ob_error *err);
/* Ends every cause that rests on it. */
ob_status ob_verdict_overturn(ob_act *act, int64_t id, ob_error *err);

/* ---- Causes ----------------------------------------------------------------------------------
 */

enum { OB_CAUSE_DAYS = OB_CAUSE_SECONDS / 86400 };

/* One account is to be looked at for so many days, 1 to OB_CAUSE_DAYS, because of a record against
 * it: a verdict that stands, or a report that a person has looked at. */
typedef struct ob_cause_wish {
    ob_record_key account;
    ob_cause_ground ground;
    int64_t record, days;
} ob_cause_wish;

ob_status ob_cause_propose(int64_t *proposal, ob_act *act, const ob_cause_wish *wish,
                           const char *reason, const char *body, ob_error *err);
/* It lasts from now. */
ob_status ob_cause_add(int64_t *id, int64_t *until, ob_act *act, const ob_cause_wish *wish,
                       const char *proposed_by, const char *why, ob_error *err);
ob_status ob_cause_end(ob_act *act, int64_t id, ob_error *err);
/* Its account was told that it had been looked at. */
ob_status ob_cause_told(ob_act *act, int64_t id, ob_error *err);

bool ob_cause_is_over(const ob_cause *cause, int64_t now);
bool ob_cause_must_be_told(const ob_cause *cause, int64_t now);

/* ---- Orders ----------------------------------------------------------------------------------
 */

/* What the record of an order tells the gate at an instant; whom it names is the caller's to say.
 */
struct ob_order_facts ob_order_facts_at(const ob_order_brief *order, int64_t at);

/* The gate's answer for an item of an account that the order names, when it begins: one that would
 * never be carried out is not taken. OB_EFORMAT: it says that it is authentic, but not how that was
 * verified and by whom. */
ob_status ob_order_check(ob_gate_decision *out, const ob_order *order, ob_error *err);

/* Where the answer is no, nothing is proposed and *proposal is untouched. */
ob_status ob_order_propose(ob_gate_decision *out, int64_t *proposal, ob_act *act,
                           const ob_order *order, const char *body, ob_error *err);
/* With the accounts that it names. Without an instant for its half-way report that is due in the
 * middle. */
ob_status ob_order_add(int64_t *id, ob_act *act, const ob_order *order,
                       const ob_record_key *accounts, size_t count, const char *proposed_by,
                       ob_error *err);
ob_status ob_order_set_state(ob_act *act, int64_t id, ob_order_state state, ob_error *err);
/* Its half-way report was given. */
ob_status ob_order_reported(ob_act *act, int64_t id, ob_error *err);

bool ob_order_is_over(const ob_order *order, int64_t now);
bool ob_order_report_is_overdue(const ob_order *order, int64_t now);
/* The accounts that it names: it is over, and no secret any more. */
bool ob_order_must_be_told(const ob_order *order, int64_t now);

/* ---- Consents --------------------------------------------------------------------------------
 */

/* Who is in a conversation now, and who of them consents; the entries say by account what has
 * changed of that. */
ob_status ob_conversation_set(ob_act *act, const ob_conversation *conversation,
                              const ob_member *members, size_t count, ob_error *err);
ob_status ob_conversation_remove(ob_act *act, const ob_record_key *id, ob_error *err);

/* Takes one account's consent back everywhere; *conversations: in how many it had consented. Where
 * that is none, nothing is written, of whom it is about neither. */
ob_status ob_consent_withdraw(uint64_t *conversations, ob_act *act, const ob_record_key *account,
                              ob_error *err);

/* ---- Holds -----------------------------------------------------------------------------------
 */

/* A record is to be kept longer: until an instant, or as long as a law demands, from when it was
 * reported on. */
typedef struct ob_hold_wish {
    const char *kind; /* report, notice, verdict, cause, order */
    int64_t record;
    const char *reason;
    const char *law; /* NULL: until `until` */
    int64_t until;
    int64_t reported_at; /* 0: now */
} ob_hold_wish;

/* *must_be_decided: a law demands keeping it beyond what another allows, and a person must decide.
 * OB_EREFUSED: nobody may hold it so long for a reason of their own. */
ob_status ob_hold_add(ob_hold *out, bool *must_be_decided, ob_act *act, const ob_hold_wish *wish,
                      ob_error *err);
ob_status ob_hold_end(ob_act *act, int64_t id, ob_error *err);
/* One law demands keeping, another deletion: whoever decides to keep says why. */
ob_status ob_hold_decide(ob_act *act, int64_t id, const char *why, ob_error *err);

bool ob_hold_is_over(const ob_hold *hold, int64_t now);
ob_status ob_hold_must_be_decided(bool *out, const ob_hold *hold, ob_view *view, int64_t now,
                                  ob_error *err);

#endif
