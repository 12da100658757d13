/* grounds: the records that permit scanning, and what ends them: reports and notices, verdicts,
 * causes, orders, consents; and the holds that retain such a record longer. This module has the
 * rules. Who may do what is checked before; what an act's entry says is decided here.
 *
 * A function that changes records takes an open act (obhut/acts.h), acts for act->actor at the
 * present instant, and changes nothing where it fails. OB_EINVAL: the request is impossible;
 * OB_EREFUSED: it is forbidden; OB_ENOTFOUND: there is no such record, or it has ended.
 *
 * A decision of two persons is proposed by one and done when another agrees. `body` is the text
 * that the proposal stores until then; these functions do not read it (OB_ENOMEM: it is NULL).
 * `proposed_by` names who proposed, act->actor agrees, and `why` is the reason in that person's own
 * words. Conditions are checked both times. */
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

/* ---- Reports and notices --------------------------------------------------------------------- */

/* By what the same delivery is known again, and what it said. */
typedef struct ob_delivery {
    ob_record_key key, digest;
} ob_delivery;

/* Adds a report or notice with its items and sets *id. The same delivery twice within a day makes
 * one record: then *is_known is true, *id is the first one's, and the act has no entry.
 * OB_EREFUSED: the earlier delivery had another content. */
ob_status ob_incoming_add(int64_t *id, bool *is_known, ob_act *act, const ob_incoming *incoming,
                          const ob_record_key *items, size_t count, const ob_delivery *delivery,
                          ob_error *err);

/* Notes that a trained person has looked at everything that was disclosed. */
ob_status ob_report_confirm(ob_act *act, int64_t id, ob_error *err);
/* Deletes a report or notice. OB_EREFUSED: a hold is in force. */
ob_status ob_incoming_remove(ob_act *act, ob_incoming_kind kind, int64_t id, ob_error *err);

/* ---- Verdicts -------------------------------------------------------------------------------- */

/* Proposes a verdict and sets *proposal to the proposal's number. OB_EINVAL: `reason` has no
 * words. */
ob_status ob_verdict_propose(int64_t *proposal, ob_act *act, const char *reason, const char *body,
                             ob_error *err);
/* Adds a verdict against an account, after the second person has agreed, and sets *id to its
 * number. */
ob_status ob_verdict_add(int64_t *id, ob_act *act, const ob_record_key *account,
                         const char *proposed_by, const char *why, ob_error *err);
/* Overturns a verdict, and ends every cause that rests on it. */
ob_status ob_verdict_overturn(ob_act *act, int64_t id, ob_error *err);

/* ---- Causes ---------------------------------------------------------------------------------- */

enum { OB_CAUSE_DAYS = OB_CAUSE_SECONDS / 86400 };

/* One account is to be looked at for so many days, 1 to OB_CAUSE_DAYS, because of a record against
 * it: a verdict that stands, or a report that a person has looked at. */
typedef struct ob_cause_wish {
    ob_record_key account;
    ob_cause_ground ground;
    int64_t record, days;
} ob_cause_wish;

/* Proposes a cause and sets *proposal to the proposal's number. OB_EREFUSED: the record that it
 * names does not support it. OB_EINVAL: impossible `days`, or `reason` has no words. */
ob_status ob_cause_propose(int64_t *proposal, ob_act *act, const ob_cause_wish *wish,
                           const char *reason, const char *body, ob_error *err);
/* Adds a cause that begins now, after the second person has agreed, and sets *id to its number and
 * *until to its end. Errors as ob_cause_propose and ob_store_cause_add. */
ob_status ob_cause_add(int64_t *id, int64_t *until, ob_act *act, const ob_cause_wish *wish,
                       const char *proposed_by, const char *why, ob_error *err);
/* Ends a cause now. */
ob_status ob_cause_end(ob_act *act, int64_t id, ob_error *err);
/* Notes that the account was told that it had been scanned. */
ob_status ob_cause_told(ob_act *act, int64_t id, ob_error *err);

/* Says whether a cause has ended, early or at its end. */
bool ob_cause_is_over(const ob_cause *cause, int64_t now);
/* Says whether the account must now be told: the cause has ended, and nobody has told the
 * account. */
bool ob_cause_must_be_told(const ob_cause *cause, int64_t now);

/* ---- Orders ---------------------------------------------------------------------------------- */

/* Returns what the gate needs of an order at an instant; the caller sets whom it names. */
struct ob_order_facts ob_order_facts_at(const ob_order_brief *order, int64_t at);

/* Sets *out to the gate's answer for an item of a named account at the order's start: an order that
 * would never be carried out is not accepted. OB_EFORMAT: the order is called authentic, but who
 * verified that, or how, is missing. */
ob_status ob_order_check(ob_gate_decision *out, const ob_order *order, ob_error *err);

/* Checks an order as ob_order_check does and proposes it. Where the answer is no, nothing is
 * proposed and *proposal is untouched. */
ob_status ob_order_propose(ob_gate_decision *out, int64_t *proposal, ob_act *act,
                           const ob_order *order, const char *body, ob_error *err);
/* Adds an order with the accounts that it names, after the second person has agreed, and sets *id
 * to its number. Where no instant is given for the half-way report, it is due in the middle. */
ob_status ob_order_add(int64_t *id, ob_act *act, const ob_order *order,
                       const ob_record_key *accounts, size_t count, const char *proposed_by,
                       ob_error *err);
/* Changes the state of an order. OB_ENOTFOUND also where it was revoked: that is final. */
ob_status ob_order_set_state(ob_act *act, int64_t id, ob_order_state state, ob_error *err);
/* Notes that the order's half-way report was given. */
ob_status ob_order_reported(ob_act *act, int64_t id, ob_error *err);

/* Says whether an order has reached its end. A revoked order need not have. */
bool ob_order_is_over(const ob_order *order, int64_t now);
/* Says whether the half-way report of an order should have been given by now and was not. */
bool ob_order_report_is_overdue(const ob_order *order, int64_t now);
/* Says whether the accounts that an order names must now be told: it is over, and no longer
 * secret. */
bool ob_order_must_be_told(const ob_order *order, int64_t now);

/* ---- Consents -------------------------------------------------------------------------------- */

/* Sets who is in a conversation and who of them consents. An entry for each account says how its
 * consent has changed. */
ob_status ob_conversation_set(ob_act *act, const ob_conversation *conversation,
                              const ob_member *members, size_t count, ob_error *err);
/* Deletes a conversation; the consents of its members end with it. */
ob_status ob_conversation_remove(ob_act *act, const ob_record_key *id, ob_error *err);

/* Withdraws one account's consent everywhere. *conversations is set to in how many it had
 * consented; where that is none, nothing is written, and the log has no entry about the account. */
ob_status ob_consent_withdraw(uint64_t *conversations, ob_act *act, const ob_record_key *account,
                              ob_error *err);

/* ---- Holds ----------------------------------------------------------------------------------- */

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

/* Adds a hold and sets *out to it. *must_be_decided is true where a law demands keeping the record
 * longer than another law permits, so that a person must decide. OB_EREFUSED: a person's own reason
 * cannot hold it so long. */
ob_status ob_hold_add(ob_hold *out, bool *must_be_decided, ob_act *act, const ob_hold_wish *wish,
                      ob_error *err);
/* Ends a hold now. */
ob_status ob_hold_end(ob_act *act, int64_t id, ob_error *err);
/* Notes that act->actor decides to retain a record that one law demands and another forbids, and
 * why. */
ob_status ob_hold_decide(ob_act *act, int64_t id, const char *why, ob_error *err);

/* Says whether a hold has ended, early or at its end. */
bool ob_hold_is_over(const ob_hold *hold, int64_t now);
/* Sets *out to whether a person must still decide between two laws about this hold. */
ob_status ob_hold_must_be_decided(bool *out, const ob_hold *hold, ob_view *view, int64_t now,
                                  ob_error *err);

#endif
