/* What the tables hold, what for and how long: the one place that says it. docs/DATA.md is made of
 * this table, and a test compares it with the columns that the database has. */
#include "store_priv.h"

#define STAFF        "the staff's own names"
#define BY_PSEUDONYM "yes, by pseudonym"

/* A record that somebody holds stays until the hold is over; where a law says how long at most, a
 * hold keeps it longer only if it is another law's demand, about which a person decides. */
#define FREE(kind, id, since)                                                                      \
    " AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.kind = '" kind "' AND h.record = " id           \
    " AND h.ended_at = 0 AND h.until > ? AND (h.law <> '' OR " since " > ?))"

/* How rows of `table` go whose instant `since` lies so far back. */
#define BY_ID(table, since)                                                                        \
    .place = table, .due = "SELECT count(*) FROM " table " WHERE " since " <= ?",                  \
    .remove = "DELETE FROM " table " WHERE id IN (SELECT id FROM " table " WHERE " since           \
              " <= ? ORDER BY id LIMIT ?)"

#define BY_ID_UNLESS_HELD(table, since, kind)                                                      \
    .place = table, .due = "SELECT count(*) FROM " table " WHERE " since " <= ?",                  \
    .due_free =                                                                                    \
        "SELECT count(*) FROM " table " WHERE " since " <= ?" FREE(kind, table ".id", since),      \
    .remove = "DELETE FROM " table " WHERE id IN (SELECT id FROM " table " WHERE " since           \
              " <= ?" FREE(kind, table ".id", since) " ORDER BY id LIMIT ?)"

#define BY_KEY(table, key, since, other)                                                           \
    .place = table, .due = "SELECT count(*) FROM " table " WHERE " since " <= ?" other,            \
    .remove = "DELETE FROM " table " WHERE " key " IN (SELECT " key " FROM " table " WHERE " since \
              " <= ?" other " ORDER BY " key " LIMIT ?)"

#define INCOMING_DUE(number, word)                                                                 \
    "(SELECT id FROM incoming WHERE kind = " number                                                \
    " AND at <= ?" FREE(word, "incoming.id", "at") " ORDER BY id LIMIT ?)"

#define INCOMING(number, word)                                                                     \
    .place = "incoming", .parts = "incoming_item",                                                 \
    .due = "SELECT count(*) FROM incoming WHERE kind = " number " AND at <= ?",                    \
    .due_free = "SELECT count(*) FROM incoming WHERE kind = " number                               \
                " AND at <= ?" FREE(word, "incoming.id", "at"),                                    \
    .remove =                                                                                      \
        "DELETE FROM incoming WHERE kind = " number " AND id IN " INCOMING_DUE(number, word),      \
    .remove_parts =                                                                                \
        "DELETE FROM incoming_item WHERE kind = " number " AND id IN " INCOMING_DUE(number, word)

#define CAUSE_END "(CASE WHEN ended_at > 0 THEN ended_at ELSE until END)"
/* Of a revoked one from then on; accounts that may not be told yet are kept until they may. */
#define ORDER_LAST "(CASE WHEN state = 2 THEN revoked_at ELSE end_at END)"
#define ORDER_END                                                                                  \
    "(CASE WHEN secret_until > " ORDER_LAST " THEN secret_until ELSE " ORDER_LAST " END)"
#define PROPOSAL_END "(CASE WHEN state = 0 THEN until ELSE decided_at END)"
#define HOLD_END     "(CASE WHEN ended_at > 0 THEN ended_at ELSE until END)"
/* What was overturned is not suspected any more: at once. */
#define VERDICT_END "(CASE WHEN overturned_at > 0 THEN 0 ELSE at END)"

const store_kind store_kinds[] = {
    {
        .about = {.table = "token",
                  .title = "tokens",
                  .purpose = "knowing who may ask for what",
                  .period = "until removed",
                  .persons = "names that the operator chose",
                  .fields = (const ob_record_field[]){{"name", "naming it in commands"},
                                                      {"print", "SHA-256 of the secret: knowing it "
                                                                "again"},
                                                      {"surfaces", "what it may speak for"},
                                                      {"scopes", "what it may ask"},
                                                      {"made_at", "finding old ones"},
                                                      {NULL, NULL}}},
    },
    {
        .about = {.table = "gateway",
                  .title = "gateways",
                  .purpose = "the same, for software that sends no token",
                  .period = "until removed",
                  .persons = "no",
                  .fields = (const ob_record_field[]){{"name", "naming it in commands"},
                                                      {"kind", "its protocol"},
                                                      {"print", "SHA-256 of the secret: knowing it "
                                                                "again"},
                                                      {"surface", "what it may speak for"},
                                                      {"fail_closed", "what it answers when "
                                                                      "nothing can be looked at"},
                                                      {"made_at", "finding old ones"},
                                                      {NULL, NULL}}},
    },
    {
        .about = {.table = "profile",
                  .title = "the service's profile",
                  .purpose = "what the gate may allow at all",
                  .period = "while the directory exists",
                  .persons = "no",
                  .fields = (const ob_record_field[]){{"id", "there is one row"},
                                                      {"service", "orders name it"},
                                                      {"kinds", "which laws are about it"},
                                                      {"country", "whose laws are in force"},
                                                      {"regime", "the house rule where no law is "
                                                                 "known"},
                                                      {"surfaces", "what was switched on"},
                                                      {"bases", "what was switched on"},
                                                      {"detectors", "what was switched on"},
                                                      {"keeps_register", "whether protected "
                                                                         "conversations are told"},
                                                      {"changed_at", "whether an assessment is "
                                                                     "still about it"},
                                                      {NULL, NULL}}},
    },
    {
        .about = {.table = "person",
                  .title = "persons",
                  .purpose = "knowing who did what only a person can do",
                  .period = "36 months after they left; until then nobody gets the name",
                  .persons = STAFF,
                  .fields = (const ob_record_field[]){{"name", "records and the log name them"},
                                                      {"print", "SHA-256 of the personal token"},
                                                      {"roles", "what they may do"},
                                                      {"is_external", "whether of another "
                                                                      "organisation"},
                                                      {"made_at", "from when"},
                                                      {"ended_at", "until when"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 36,
                   .word = "person",
                   BY_KEY("person", "name", "ended_at", " AND ended_at > 0")},
    },
    {
        .about = {.table = "proposal",
                  .title = "proposals",
                  .purpose = "steps that need two persons",
                  .period = "3 months after they were decided or ran out",
                  .persons = "accounts by pseudonym; " STAFF,
                  .fields = (const ob_record_field[]){{"id", "naming it"},
                                                      {"kind", "what for"},
                                                      {"body", "what is to happen"},
                                                      {"proposed_by", "another must agree"},
                                                      {"proposed_at", "showing it"},
                                                      {"until", "it runs out"},
                                                      {"state", "whether it is open"},
                                                      {"decided_by", "showing it"},
                                                      {"decided_at", "showing it"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 3, .word = "proposal", BY_ID("proposal", PROPOSAL_END)},
    },
    {
        .about = {.table = "incoming",
                  .title = "reports and notices",
                  .purpose = "opening exactly the items that they name; ground of a cause",
                  .period = "12 months, or less where a law says so",
                  .persons = BY_PSEUDONYM "; the reason is in the words of who wrote it",
                  .fields = (const ob_record_field[]){{"kind", "report or notice"},
                                                      {"id", "naming it"},
                                                      {"conversation", "of whom they are a part"},
                                                      {"reporter", "who disclosed"},
                                                      {"account", "whom it is about"},
                                                      {"reason", "for whoever reviews it"},
                                                      {"at", "its age"},
                                                      {"confirmed_by", "who looked at it"},
                                                      {"confirmed_at", "when"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 12,
                   .law = true,
                   .withdraws = true,
                   .word = "report",
                   INCOMING("0", "report")},
    },
    {
        .about = {.table = NULL}, /* the same table; another word in commands */
        .reaper = {.months = 12,
                   .law = true,
                   .withdraws = true,
                   .word = "notice",
                   INCOMING("1", "notice")},
    },
    {
        .about = {.table = "incoming_item",
                  .title = "their items",
                  .purpose = "opening exactly these",
                  .period = "as long as the report or notice",
                  .persons = "by pseudonym of the item",
                  .fields =
                      (const ob_record_field[]){
                          {"kind", "whose"}, {"id", "whose"}, {"item", "which"}, {NULL, NULL}}},
    },
    {
        .about = {.table = "verdict",
                  .title = "verdicts",
                  .purpose = "ground of a cause",
                  .period = "12 months, or less where a law says so; at once when overturned",
                  .persons = BY_PSEUDONYM,
                  .fields = (const ob_record_field[]){{"id", "naming it"},
                                                      {"account", "about whom"},
                                                      {"reason", "why, for whoever asks"},
                                                      {"proposed_by", "who decided"},
                                                      {"confirmed_by", "who decided"},
                                                      {"at", "its age"},
                                                      {"overturned_at", "it stands no more"},
                                                      {"overturned_by", "who said so"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 12,
                   .law = true,
                   .withdraws = true,
                   .word = "verdict",
                   BY_ID_UNLESS_HELD("verdict", VERDICT_END, "verdict")},
    },
    {
        .about = {.table = "cause",
                  .title = "causes",
                  .purpose = "opening one account's messages, at most 30 days; telling the account",
                  .period = "12 months after their end, or less where a law says so",
                  .persons = BY_PSEUDONYM,
                  .fields = (const ob_record_field[]){{"id", "naming it"},
                                                      {"account", "about whom"},
                                                      {"ground", "what it rests on"},
                                                      {"record", "what it rests on"},
                                                      {"record_at", "a new one needs something "
                                                                    "newer"},
                                                      {"reason", "why, for the account"},
                                                      {"proposed_by", "who decided"},
                                                      {"confirmed_by", "who decided"},
                                                      {"from_at", "from when"},
                                                      {"until", "until when"},
                                                      {"ended_at", "ended before"},
                                                      {"told_at", "that the account was told"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 12,
                   .law = true,
                   .word = "cause",
                   BY_ID_UNLESS_HELD("cause", CAUSE_END, "cause")},
    },
    {
        .about =
            {.table = "court_order",
             .title =
                 "orders",
             .purpose = "carrying out a court's order, and nothing else; telling who was named",
             .period = "12 months after their end, or less where a law says so",
             .persons = "accounts by pseudonym; the court's officers in its own words",
             .fields = (const ob_record_field[]){{"id", "naming it"},
                                                 {"document", "SHA-256: which paper it was"},
                                                 {"regime", "its law"},
                                                 {"issuer", "who ordered"},
                                                 {"is_judicial", "only a court may"},
                                                 {"is_authentic", "whether it was verified"},
                                                 {"names_professional", "professional secrecy"},
                                                 {"everybody", "an order without names is void"},
                                                 {"has_detectors", "whether it is complete"},
                                                 {"has_accounts", "whether it is complete"},
                                                 {"authenticity", "how it was verified"},
                                                 {"verified_by", "by whom"},
                                                 {"contact", "where clarification is asked"},
                                                 {"service", "whom it is for"},
                                                 {"detectors", "what it orders"},
                                                 {"received", "it begins after a time"},
                                                 {"start", "from when"},
                                                 {"end_at", "until when"},
                                                 {"reasons", "whether it is complete"},
                                                 {"legal_basis", "whether it is complete"},
                                                 {"redress",
                                                  "whether it is complete; for the account"},
                                                 {"state", "valid, suspended, revoked"},
                                                 {"halfway_at", "a report is due"},
                                                 {"halfway_done_at", "and was given"},
                                                 {"secret_until", "when accounts may be told"},
                                                 {"revoked_at", "it ended before its end"},
                                                 {"proposed_by", "who loaded it"},
                                                 {"approved_by", "who loaded it"},
                                                 {"made_at", "when"},
                                                 {NULL, NULL}}},
        .reaper = {.months = 12,
                   .law = true,
                   .withdraws = true,
                   .word = "order",
                   .parts = "court_order_account",
                   BY_ID_UNLESS_HELD("court_order", ORDER_END, "order"),
                   .remove_parts =
                       "DELETE FROM court_order_account WHERE id IN (SELECT id FROM"
                       " court_order WHERE " ORDER_END
                       " <= ?" FREE("order", "court_order.id", ORDER_END) " ORDER BY id LIMIT ?)"},
    },
    {
        .about = {.table = "court_order_account",
                  .title = "accounts that orders name",
                  .purpose = "looking at these and at nobody else",
                  .period = "as long as the order",
                  .persons = BY_PSEUDONYM,
                  .fields =
                      (const ob_record_field[]){{"id", "whose"}, {"account", "who"}, {NULL, NULL}}},
    },
    {
        .about = {.table = "conversation",
                  .title = "conversations",
                  .purpose = "consent of all; leaving protected ones alone",
                  .period = "until the service removes them; unless protected, 36 months after "
                            "their last change",
                  .persons = BY_PSEUDONYM,
                  .fields = (const ob_record_field[]){{"id", "which"},
                                                      {"members", "all must consent"},
                                                      {"consenting", "all must consent"},
                                                      {"is_free", "consent was no condition"},
                                                      {"is_protected", "nobody looks"},
                                                      {"has_child", "some laws ask for it"},
                                                      {"changed_at", "its age"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 36,
                   .withdraws = true,
                   .word = "conversation",
                   .parts = "member",
                   BY_KEY("conversation", "id", "changed_at", " AND is_protected = 0"),
                   .remove_parts = "DELETE FROM member WHERE conversation IN (SELECT id FROM"
                                   " conversation WHERE changed_at <= ? AND is_protected = 0"
                                   " ORDER BY id LIMIT ?)"},
    },
    {
        .about = {.table = "member",
                  .title = "members",
                  .purpose = "consent is each one's own, and can be withdrawn everywhere at once",
                  .period = "as long as the conversation",
                  .persons = BY_PSEUDONYM,
                  .fields = (const ob_record_field[]){{"conversation", "of which"},
                                                      {"account", "who"},
                                                      {"consents", "their own wish"},
                                                      {NULL, NULL}}},
    },
    {
        .about = {.table = "safeguard",
                  .title = "safeguards",
                  .purpose = "what a derogation demands beforehand",
                  .period = "until replaced or removed",
                  .persons = STAFF,
                  .fields = (const ob_record_field[]){{"regime", "whose demand"},
                                                      {"safeguard", "which"},
                                                      {"year", "of a yearly report"},
                                                      {"at", "whether it is current"},
                                                      {"person", "who recorded it"},
                                                      {"document", "SHA-256: which paper"},
                                                      {NULL, NULL}}},
    },
    {
        .about = {.table = "detector",
                  .title = "states of detectors",
                  .purpose = "not using what is wrong too often",
                  .period = "until replaced",
                  .persons = STAFF,
                  .fields = (const ob_record_field[]){{"detector", "which"},
                                                      {"state", "trial, on, suspended"},
                                                      {"person", "who set it"},
                                                      {"reason", "why"},
                                                      {"at", "when"},
                                                      {NULL, NULL}}},
    },
    {
        .about = {.table = "hold",
                  .title = "holds",
                  .purpose = "keeping a record longer, or because a law demands it",
                  .period = "12 months after their end",
                  .persons = STAFF,
                  .fields =
                      (const ob_record_field[]){{"id", "naming it"},
                                                {"kind", "of which record"},
                                                {"record", "of which record"},
                                                {"law", "that demands it, if one does"},
                                                {"reason", "why"},
                                                {"person", "who says so"},
                                                {"made_at", "when"},
                                                {"until", "its end"},
                                                {"ended_at", "ended before"},
                                                {"decided_by", "who decided between two laws"},
                                                {"decided_at", "when"},
                                                {"decided_why", "why"},
                                                {NULL, NULL}}},
        .reaper = {.months = 12, .word = "hold", BY_ID("hold", HOLD_END)},
    },
    {
        .about = {.table = "delivery",
                  .title = "deliveries",
                  .purpose = "the same report sent twice is one record",
                  .period = "a day",
                  .persons = "no: keyed codes",
                  .fields = (const ob_record_field[]){{"key", "knowing it again"},
                                                      {"digest", "whether it says the same"},
                                                      {"id", "the record that it became"},
                                                      {"at", "its age"},
                                                      {NULL, NULL}}},
        .reaper = {.days = 1, .word = "delivery", BY_KEY("delivery", "key", "at", "")},
    },
    {
        .about = {.table = "log_key",
                  .title = "keys of the log",
                  .purpose = "the log knows accounts and persons by codes that only these can make "
                             "again",
                  .period = "36 months after their last entry, or until destroyed",
                  .persons = BY_PSEUDONYM "; without its key nobody is in the log",
                  .fields = (const ob_record_field[]){{"subject", "whose"},
                                                      {"key", "making the code"},
                                                      {"used_at", "its age"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 36, .word = "log key", BY_KEY("log_key", "subject", "used_at", "")},
    },
    {
        .about = {.table = "tally",
                  .title = "counts",
                  .purpose = "the public page",
                  .period = "60 months",
                  .persons = "no",
                  .fields = (const ob_record_field[]){{"day", "of which day"},
                                                      {"surface", "what was counted"},
                                                      {"basis", "what was counted"},
                                                      {"reason", "what was counted"},
                                                      {"regime", "what was counted"},
                                                      {"count", "how often"},
                                                      {NULL, NULL}}},
        .reaper = {.months = 60,
                   .word = "count",
                   .place = "tally",
                   .due = "SELECT count(*) FROM tally WHERE day * 86400 <= ?",
                   .remove = "DELETE FROM tally WHERE day IN (SELECT day FROM tally WHERE"
                             " day * 86400 <= ? LIMIT ?)"},
    },
    {
        .about = {.table = "denied",
                  .title = "codes of denied items",
                  .purpose = "not counting a retry twice",
                  .period = "until the day is over",
                  .persons = "no: salted codes",
                  .fields = (const ob_record_field[]){{"code", "knowing it again"},
                                                      {"day", "its age"},
                                                      {NULL, NULL}}},
        .reaper = {.days = 1, .word = "denied", BY_KEY("denied", "code", "(day * 86400)", "")},
    },
    {
        .about = {.table = "salt",
                  .title = "the salt of the day",
                  .purpose = "without it nobody can make these codes again",
                  .period = "until the day is over",
                  .persons = "no",
                  .fields = (const ob_record_field[]){{"day", "its age"},
                                                      {"salt", "making the codes"},
                                                      {NULL, NULL}}},
        .reaper = {.days = 1, .word = "salt", BY_KEY("salt", "day", "(day * 86400)", "")},
    },
    {
        .about = {.table = "mark",
                  .title = "marks",
                  .purpose = "the latest instant at which anything was allowed; the last number of "
                             "each kind of record; how far the log and the records agree",
                  .period = "while the directory exists",
                  .persons = "no",
                  .fields = (const ob_record_field[]){{"name", "which"},
                                                      {"value", "its value"},
                                                      {NULL, NULL}}},
    },
};

const size_t store_kind_count = sizeof store_kinds / sizeof *store_kinds;

const ob_record_kind *ob_record_kind_at(size_t index)
{
    size_t seen = 0;
    for (size_t i = 0; i < store_kind_count; i++)
        if (store_kinds[i].about.table && seen++ == index)
            return &store_kinds[i].about;
    return NULL;
}
