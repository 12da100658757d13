/* The records that the gate reads. Every one is typed here and kept by store; docs/DATA.md says
 * what each is for and how long it stays.
 *
 * Accounts, conversations and items are known by keys: what a keyed pseudonym (ob_staff_pseudonym)
 * makes of the words of a service. Instants are seconds since 1970. A number that names a record is
 * counted from 1 within its kind. */
#ifndef OBHUT_RECORDS_H
#define OBHUT_RECORDS_H

#include <obhut/store.h>

enum { OB_RECORD_KEY = 32, OB_RECORD_TEXT = 2000 };

/* A pseudonym. */
typedef struct ob_record_key {
    uint8_t bytes[OB_RECORD_KEY];
} ob_record_key;

/* Hears that something which allowed looking may have gone. `personal`: a cause, an order, a
 * consent or a report; else the profile, a safeguard or a detector. Called after every view that
 * begins sees the change, and before it is acknowledged, on the thread that wrote. One listener a
 * store; set it before there are threads. */
void ob_store_on_withdrawal(ob_store *store, void (*hear)(void *context, bool personal),
                            void *context);

/* ---- The service ------------------------------------------------------------------------------
 */

/* What a service is, and what it has switched on. Masks: bit v is value v of gate's words. */
typedef struct ob_profile {
    char service[OB_NAME_MAX + 1];
    uint32_t kinds;
    char country[3]; /* "" : not said */
    char regime[65]; /* the house rule, where no built-in law knows the country */
    uint32_t surfaces, bases, detectors;
    bool keeps_register; /* of protected conversations */
    int64_t changed_at;  /* of what an impact assessment is about; 0: never */
} ob_profile;

/* The one of a fresh directory: public uploads and participants' reports, known material. */
extern const ob_profile ob_profile_default;

ob_status ob_store_profile(ob_profile *out, ob_view *view, ob_error *err);
ob_status ob_store_profile_set(ob_writing *w, const ob_profile *profile, ob_error *err);

/* ---- Persons -----------------------------------------------------------------------------------
 */

typedef struct ob_person {
    char name[OB_NAME_MAX + 1];
    uint8_t print[OB_PRINT_SIZE]; /* of the personal token */
    uint32_t roles;               /* bit r: ob_role r */
    bool is_external;
    int64_t made_at, ended_at; /* ended_at 0: active. Names stay: records name them */
} ob_person;

ob_status ob_store_person_add(ob_writing *w, const ob_person *person, ob_error *err);
ob_status ob_store_person_end(ob_writing *w, const char *name, int64_t at, ob_error *err);
ob_status ob_store_persons(ob_person **out, size_t *count, ob_view *view, ob_error *err);

/* ---- Two-person steps ---------------------------------------------------------------------------
 */

typedef enum ob_proposal_state {
    OB_PROPOSAL_OPEN,
    OB_PROPOSAL_APPROVED,
    OB_PROPOSAL_REJECTED,
    OB_PROPOSAL_STATES,
} ob_proposal_state;

/* Something that happens when another person agrees. */
typedef struct ob_proposal {
    int64_t id;
    char kind[24];
    char body[8000]; /* JSON: what was asked for, with pseudonyms where accounts were */
    char proposed_by[OB_NAME_MAX + 1]; /* "operator": without a person's token */
    int64_t proposed_at, until;
    ob_proposal_state state;
    char decided_by[OB_NAME_MAX + 1];
    int64_t decided_at;
} ob_proposal;

ob_status ob_store_proposal_add(int64_t *id, ob_writing *w, const ob_proposal *proposal,
                                ob_error *err);
ob_status ob_store_proposal(ob_proposal *out, ob_view *view, int64_t id, ob_error *err);
/* OB_EREFUSED where it is open no more. */
ob_status ob_store_proposal_decide(ob_writing *w, int64_t id, ob_proposal_state state,
                                   const char *by, int64_t at, ob_error *err);
/* It becomes this person's. */
ob_status ob_store_proposal_adopt(ob_writing *w, int64_t id, const char *by, ob_error *err);
/* Open ones first, newest first; at most `most`. */
ob_status ob_store_proposals(ob_proposal **out, size_t *count, ob_view *view, size_t most,
                             ob_error *err);

/* ---- What comes in: reports and notices ---------------------------------------------------------
 */

typedef enum ob_incoming_kind { OB_INCOMING_REPORT, OB_INCOMING_NOTICE } ob_incoming_kind;

typedef struct ob_incoming {
    int64_t id;
    ob_incoming_kind kind;
    ob_record_key conversation, reporter, account; /* account: whom it is about; of reports only */
    char reason[OB_RECORD_TEXT + 1];
    int64_t at;
    char confirmed_by[OB_NAME_MAX + 1]; /* who looked at all its items and confirmed; "" */
    int64_t confirmed_at;
} ob_incoming;

/* With its items, all or nothing. */
ob_status ob_store_incoming_add(int64_t *id, ob_writing *w, const ob_incoming *incoming,
                                const ob_record_key *items, size_t count, ob_error *err);
ob_status ob_store_incoming(ob_incoming *out, ob_view *view, ob_incoming_kind kind, int64_t id,
                            ob_error *err);
ob_status ob_store_incomings(ob_incoming **out, size_t *count, ob_view *view, ob_incoming_kind kind,
                             size_t most, ob_error *err);
/* OB_EREFUSED where it is confirmed already. */
ob_status ob_store_report_confirm(ob_writing *w, int64_t id, const char *by, int64_t at,
                                  ob_error *err);
/* OB_EREFUSED: somebody holds it at that instant. */
ob_status ob_store_incoming_remove(ob_writing *w, ob_incoming_kind kind, int64_t id, int64_t at,
                                   ob_error *err);
/* Sets *there where such a record exists, and *holds where it has this item. */
ob_status ob_store_incoming_holds(bool *there, bool *holds, ob_view *view, ob_incoming_kind kind,
                                  int64_t id, const ob_record_key *item, ob_error *err);

/* ---- Verdicts ---------------------------------------------------------------------------------
 */

/* What two persons decided about something that an account had done. */
typedef struct ob_verdict {
    int64_t id;
    ob_record_key account;
    char reason[OB_RECORD_TEXT + 1];
    char proposed_by[OB_NAME_MAX + 1], confirmed_by[OB_NAME_MAX + 1];
    int64_t at;
    int64_t overturned_at; /* 0: it stands */
    char overturned_by[OB_NAME_MAX + 1];
} ob_verdict;

ob_status ob_store_verdict_add(int64_t *id, ob_writing *w, const ob_verdict *verdict,
                               ob_error *err);
ob_status ob_store_verdict(ob_verdict *out, ob_view *view, int64_t id, ob_error *err);
ob_status ob_store_verdicts(ob_verdict **out, size_t *count, ob_view *view, size_t most,
                            ob_error *err);
/* Ends every cause that rests on it in the same step. */
ob_status ob_store_verdict_overturn(ob_writing *w, int64_t id, const char *by, int64_t at,
                                    ob_error *err);

/* ---- Causes -------------------------------------------------------------------------------------
 */

typedef enum ob_cause_ground { OB_GROUND_VERDICT, OB_GROUND_REPORT } ob_cause_ground;

typedef struct ob_cause {
    int64_t id;
    ob_record_key account;
    ob_cause_ground ground;
    int64_t record, record_at; /* the verdict or report, and its instant */
    char reason[OB_RECORD_TEXT + 1];
    char proposed_by[OB_NAME_MAX + 1], confirmed_by[OB_NAME_MAX + 1];
    int64_t from, until;
    int64_t ended_at; /* 0: not before `until` */
    int64_t told_at;  /* when the account was told; 0: not yet */
} ob_cause;

/* OB_EREFUSED: a cause of that account rests on this or a newer record already, or was confirmed by
 * the same person. */
ob_status ob_store_cause_add(int64_t *id, ob_writing *w, const ob_cause *cause, ob_error *err);
ob_status ob_store_cause_end(ob_writing *w, int64_t id, int64_t at, ob_error *err);
ob_status ob_store_cause_told(ob_writing *w, int64_t id, int64_t at, ob_error *err);
ob_status ob_store_causes(ob_cause **out, size_t *count, ob_view *view, size_t most, ob_error *err);
/* The one that holds at an instant; false where there is none. */
ob_status ob_store_cause_of(bool *found, ob_cause *out, ob_view *view, const ob_record_key *account,
                            int64_t at, ob_error *err);

/* ---- Orders -------------------------------------------------------------------------------------
 */

typedef enum ob_order_state {
    OB_ORDER_VALID,
    OB_ORDER_HELD, /* "suspended" */
    OB_ORDER_REVOKED,
    OB_ORDER_STATES,
} ob_order_state;

/* The record of an authority's act. Texts that it lacks are "". */
typedef struct ob_order {
    int64_t id;
    uint8_t document[32]; /* SHA-256 */
    char regime[65];
    char issuer[201];
    bool is_judicial, is_authentic, names_professional, everybody, has_detectors, has_accounts;
    char authenticity[OB_RECORD_TEXT + 1]; /* how it was verified */
    char verified_by[OB_NAME_MAX + 1];
    char contact[201]; /* of the verified sender */
    char service[OB_NAME_MAX + 1];
    uint32_t detectors;
    int64_t received, start, end; /* 0: missing */
    char reasons[OB_RECORD_TEXT + 1], legal_basis[OB_RECORD_TEXT + 1], redress[OB_RECORD_TEXT + 1];
    ob_order_state state;
    int64_t halfway_at, halfway_done_at; /* the half-way report: due, done */
    int64_t secret_until;                /* accounts are not told before; 0: at once */
    char proposed_by[OB_NAME_MAX + 1], approved_by[OB_NAME_MAX + 1];
    int64_t made_at;
} ob_order;

ob_status ob_store_order_add(int64_t *id, ob_writing *w, const ob_order *order,
                             const ob_record_key *accounts, size_t count, ob_error *err);
ob_status ob_store_order(ob_order *out, ob_view *view, int64_t id, ob_error *err);
ob_status ob_store_orders(ob_order **out, size_t *count, ob_view *view, size_t most, ob_error *err);
ob_status ob_store_order_set_state(ob_writing *w, int64_t id, ob_order_state state, int64_t at,
                                   ob_error *err);
ob_status ob_store_order_halfway_done(ob_writing *w, int64_t id, int64_t at, ob_error *err);

/* What the gate must know of an order: of its texts, whether they are there. */
typedef struct ob_order_brief {
    int64_t id;
    bool is_judicial, is_authentic, names_professional, everybody, has_detectors, has_accounts;
    bool has_issuer, has_reasons, has_legal_basis, has_redress;
    char service[OB_NAME_MAX + 1];
    uint32_t detectors;
    int64_t received, start, end;
    ob_order_state state;
    int64_t halfway_at, halfway_done_at, secret_until;
} ob_order_brief;

ob_order_brief ob_order_brief_of(const ob_order *order);

/* Those that name an account, not yet over: at most `most`, newest first. */
ob_status ob_store_orders_naming(ob_order_brief *out, size_t *count, size_t most, ob_view *view,
                                 const ob_record_key *account, int64_t at, ob_error *err);

/* ---- Conversations
 * -------------------------------------------------------------------------------- */

typedef enum ob_yes_no { OB_NO, OB_YES, OB_UNKNOWN } ob_yes_no;

typedef struct ob_conversation {
    ob_record_key id;
    uint32_t members, consenting;
    bool is_free; /* consent was no condition of using the service */
    ob_yes_no is_protected, has_child;
    int64_t changed_at;
} ob_conversation;

typedef struct ob_member {
    ob_record_key account;
    bool consents;
} ob_member;

/* Replaces all members. Raises the withdrawal where all had consented and now not all do. */
ob_status ob_store_conversation_set(ob_writing *w, const ob_conversation *conversation,
                                    const ob_member *members, size_t count, ob_error *err);
ob_status ob_store_conversation(bool *found, ob_conversation *out, ob_view *view,
                                const ob_record_key *id, ob_error *err);
/* All of them, by account; none where there is no such conversation. */
ob_status ob_store_members(ob_member **out, size_t *count, ob_view *view, const ob_record_key *id,
                           ob_error *err);
ob_status ob_store_conversation_remove(ob_writing *w, const ob_record_key *id, ob_error *err);
/* Withdraws one account's consent everywhere; *changed: in how many conversations. */
ob_status ob_store_consent_withdraw(uint64_t *changed, ob_writing *w, const ob_record_key *account,
                                    int64_t at, ob_error *err);

/* ---- Safeguards
 * ----------------------------------------------------------------------------------- */

typedef struct ob_safeguard_record {
    char regime[65];
    uint32_t safeguard; /* ob_safeguard, or OB_SAFEGUARD_COUNT: the yearly report */
    int64_t year;       /* of a yearly report; else 0 */
    int64_t at;
    char by[OB_NAME_MAX + 1];
    uint8_t document[32]; /* SHA-256 */
} ob_safeguard_record;

/* A newer record takes the place of an older one. */
ob_status ob_store_safeguard_add(ob_writing *w, const ob_safeguard_record *record, ob_error *err);
ob_status ob_store_safeguard_remove(ob_writing *w, const char *regime, uint32_t safeguard,
                                    ob_error *err);
ob_status ob_store_safeguards(ob_safeguard_record **out, size_t *count, ob_view *view,
                              ob_error *err);

/* ---- Detectors
 * ------------------------------------------------------------------------------------ */

typedef struct ob_detector_record {
    char detector[24];
    uint32_t state; /* ob_detector_state */
    char by[OB_NAME_MAX + 1], reason[OB_RECORD_TEXT + 1];
    int64_t at;
} ob_detector_record;

ob_status ob_store_detector_set(ob_writing *w, const ob_detector_record *record, ob_error *err);
ob_status ob_store_detectors(ob_detector_record **out, size_t *count, ob_view *view, ob_error *err);

/* ---- Counts
 * --------------------------------------------------------------------------------------- */

/* How often on a day (of UTC, days since 1970) something was looked at, or was not. */
typedef struct ob_tally {
    int64_t day;
    uint32_t surface, basis, reason; /* reason OB_ALLOWED: it was looked at */
    char regime[65];
    uint64_t count;
} ob_tally;

/* Adds to what is kept, and remembers denied items of `day` by their codes until it is over; all
 * or nothing. `clock`: the latest instant that anything was allowed at. */
ob_status ob_store_tallies_add(ob_writing *w, const ob_tally *tallies, size_t count,
                               const ob_record_key *denied, size_t denied_count, int64_t day,
                               int64_t clock, ob_error *err);
/* Sums over the days from `day` to before `until`. */
ob_status ob_store_tallies(ob_tally **out, size_t *count, ob_view *view, int64_t day, int64_t until,
                           ob_error *err);
/* The codes of today's denied items, and the salt that they were made with, made where there is
 * none; older ones are deleted. */
ob_status ob_store_denied(ob_record_key *salt, ob_record_key **out, size_t *count, ob_writing *w,
                          int64_t day, ob_error *err);
/* ---- Kinds of records, and how long they stay ----------------------------------------------- */

/* A column, and why it is kept. */
typedef struct ob_record_field {
    const char *name, *purpose;
} ob_record_field;

/* A table. */
typedef struct ob_record_kind {
    const char *table, *title;
    const char *purpose, *period;
    const char *persons;           /* what it tells about persons */
    const ob_record_field *fields; /* ends with a name that is NULL */
} ob_record_kind;

/* The kinds there are, by their place from 0; NULL beyond the last. */
const ob_record_kind *ob_record_kind_at(size_t index);

/* What the reaper is told. */
typedef struct ob_reap {
    int64_t now;
    uint32_t law_months; /* the least that a law of this service allows at most; 0: none says so */
    bool only_count;     /* what would go */
    bool scrub;          /* overwrite what was deleted, now and before */
} ob_reap;

/* What it found of one kind: due = deleted + held, and left = held, unless something was added
 * meanwhile. */
typedef struct ob_reaped {
    const char *word; /* "report" */
    bool daily;       /* codes and the like, which go every day */
    uint64_t due, held, deleted, left;
} ob_reaped;

enum { OB_REAPED_MOST = 32 };

/* Overwrites what was deleted, now. As ob_store_reap with `scrub`. */
ob_status ob_store_scrub(ob_store *store, ob_error *err);

/* Whether who wants to write waits for that. Any thread. */
bool ob_store_overwrites(const ob_store *store);

/* Deletes what has been kept long enough, batch after batch. With `scrub`, what was deleted is not
 * found in the database's files any more (docs/DATA.md says what PostgreSQL needs for that):
 * OB_EBUSY where somebody still reads it, and then the next scrub sees to it. Sets `out` for kinds
 * of which something was due, also when it fails in the middle: what is deleted stays deleted, and
 * the next run goes on. */
ob_status ob_store_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                        const ob_reap *how, ob_error *err);

/* ---- Holds ------------------------------------------------------------------------------------
 */

/* A record that is kept longer: because a person has a reason, or because a law demands it. */
typedef struct ob_hold {
    int64_t id;
    char kind[16]; /* report, notice, verdict, cause, order */
    int64_t record;
    char law[65]; /* the regime that demands it; "": a person's own reason */
    char reason[OB_RECORD_TEXT + 1];
    char by[OB_NAME_MAX + 1];
    int64_t made_at, until;
    int64_t ended_at; /* 0: not before `until` */
    /* Where one law demands keeping and another deletion, a person decides to keep: who, when, why.
     */
    char decided_by[OB_NAME_MAX + 1], decided_why[OB_RECORD_TEXT + 1];
    int64_t decided_at;
} ob_hold;

/* OB_EINVAL without reason, person or end, or for a kind that cannot be held. */
ob_status ob_store_hold_add(int64_t *id, ob_writing *w, const ob_hold *hold, ob_error *err);
ob_status ob_store_hold(ob_hold *out, ob_view *view, int64_t id, ob_error *err);
ob_status ob_store_holds(ob_hold **out, size_t *count, ob_view *view, size_t most, ob_error *err);
ob_status ob_store_hold_end(ob_writing *w, int64_t id, int64_t at, ob_error *err);
/* Of a law's hold that nobody has decided about: it stays. */
ob_status ob_store_hold_decide(ob_writing *w, int64_t id, const char *by, const char *why,
                               int64_t at, ob_error *err);
/* The instant from which the period of a record of such a kind counts. OB_ENOTFOUND. */
ob_status ob_store_record_at(int64_t *out, ob_view *view, const char *kind, int64_t id,
                             ob_error *err);

/* `at` less so many calendar months; the last day of a month goes back to the last day. */
int64_t ob_months_before(int64_t at, int months);

/* ---- What the log needs -----------------------------------------------------------------------
 */

typedef enum ob_mark {
    OB_MARK_LOG_ENTRY, /* the last entry whose act these records hold */
    OB_MARK_LOG_DAY,   /* the last day whose counts are in the log */
    OB_MARK_REAPED,    /* when the reaper ran last */
    OB_MARK_SCRUBBED,  /* when what it had deleted was overwritten last */
    OB_MARKS,
} ob_mark;

/* -1 where it was never set. */
ob_status ob_store_mark(int64_t *out, ob_view *view, ob_mark mark, ob_error *err);
ob_status ob_store_mark_set(ob_writing *w, ob_mark mark, int64_t value, ob_error *err);

/* What was announced in the log and changes something else than records: from its entry's number to
 * its end. Those that are still there when a store is opened did not end. */
ob_status ob_store_deed_begin(ob_writing *w, uint64_t entry, ob_error *err);
ob_status ob_store_deed_end(ob_writing *w, uint64_t entry, ob_error *err);
ob_status ob_store_deeds(uint64_t **out, size_t *count, ob_view *view, ob_error *err);

/* The key by which the log knows an account or person, made where there is none. Without it the
 * log's entries are about nobody: destroying it erases them there. */
ob_status ob_store_log_key(ob_record_key *out, ob_writing *w, const ob_record_key *subject,
                           int64_t at, ob_error *err);
ob_status ob_store_log_key_find(bool *found, ob_record_key *out, ob_view *view,
                                const ob_record_key *subject, ob_error *err);
ob_status ob_store_log_key_destroy(ob_writing *w, const ob_record_key *subject, ob_error *err);

/* ---- Deliveries -------------------------------------------------------------------------------
 */

/* The same request twice makes one record. Sets *id where `key` has come within a day; OB_EREFUSED
 * where it came with another body, whose digest was another. */
ob_status ob_store_delivery(bool *found, int64_t *id, ob_view *view, const ob_record_key *key,
                            const ob_record_key *digest, ob_error *err);
ob_status ob_store_delivery_add(ob_writing *w, const ob_record_key *key,
                                const ob_record_key *digest, int64_t id, int64_t at, ob_error *err);

/* ---- The clock --------------------------------------------------------------------------------
 */

ob_status ob_store_clock(int64_t *out, ob_view *view, ob_error *err);
ob_status ob_store_clock_set(ob_writing *w, int64_t at, ob_error *err);

#endif
