/* Everything that can be asked, one row each, in the order in which help lists it. */
#include "rows.h"

#include "admin_priv.h"

/* clang-format off */
#define SHELL     .effect = OB_EFFECT_LOOKS, .places = OB_AT_SHELL
#define SOCKET    .places = OB_AT_SOCKET
#define ANYWHERE  .places = OB_AT_SOCKET | OB_AT_STAFF
#define HTTP(m, p) .method = m, .path = p
#define BY(r)     .persons = OB_PERSONS_ONE, .roles = r
#define TWO(r, second) .persons = OB_PERSONS_TWO, .roles = r, .agree = second
#define PROPOSED(r, second) .persons = OB_PERSONS_PROPOSED, .roles = r, .agree = second
#define RUN(f)    .run = f

#define LIST_NAME PLACE("name", 64, OB_LOGGED_PLAIN, "the list's name")
#define INNER_TRUTH(n, says) {.name = n, .kind = OB_FIELD_TRUTH, .is_inner = true, RULE(OB_LOGGED_NEVER), .about = says}
#define LIST_FILE(says) {.name = "file", .kind = OB_FIELD_FILE, .most = 4096, .is_needed = true, .is_place = true, RULE(OB_LOGGED_NEVER), .about = says}
#define HASHES(need, says) {.name = "hashes", .kind = OB_FIELD_PLACES, need, .is_place = true, RULE(OB_LOGGED_NEVER), .about = says}
#define LISTS(n, says) FIELDS(GIVES(n, OB_FIELD_LIST, OB_LOGGED_NEVER, says))
#define PROPOSAL_GIVES FIELDS( \
    GIVES("proposal", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number, for who agrees"), \
    GIVES("kind", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "what was proposed"), \
    GIVES("proposed_by", OB_FIELD_TEXT, OB_LOGGED_NEVER, "by whom"), \
    GIVES("until", OB_FIELD_TIME, OB_LOGGED_PLAIN, "until when somebody may agree"))
#define IMPORT_OPTIONS \
    TEXT("source", MAY, 1000, OB_LOGGED_NEVER, "LABEL", "who publishes it, for entries that do not say"), \
    TEXT("type", MAY, 64, OB_LOGGED_PLAIN, "KIND", "what hashes of 64 digits are: pdq or sha256"), \
    WORDS("accept", MAY, OB_LOGGED_PLAIN, "WHAT", "take these all the same: low-quality, shrinking"), \
    TRUTH("keep_going", OB_LOGGED_NEVER, "leave lines out that are bad or refused, instead of all")
#define IMPORT_GIVES FIELDS( \
    GIVES("list", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "its name"), \
    GIVES("sha256", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "of the file that was read"), \
    GIVES("lines", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that were read"), \
    GIVES("entries", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that were taken"), \
    GIVES("duplicates", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that were there already"), \
    GIVES("withdrawn", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that the file withdraws"), \
    GIVES("bad", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "lines that could not be read"), \
    GIVES("refused", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that would match anything, and the like"))
#define CHANGE_GIVES FIELDS( \
    GIVES("changed", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "entries that changed"), \
    GIVES("asked", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "entries that were named"))
#define SECRET_GIVES(what) FIELDS( \
    GIVES("name", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "its name"), \
    GIVES("secret", OB_FIELD_TEXT, OB_LOGGED_NEVER, what))

static const ob_command rows[] = {
    /* ---- Lists ---- */
    {"list.import", "read a list and put it in the place of the old one of that name", OB_EFFECT_DOES, SOCKET, RUN(admin_list_import),
     .takes = FIELDS(
        LIST_FILE("the list, or - for standard input"),
        TEXT("name", MAY, 64, OB_LOGGED_PLAIN, "NAME", "what it is called here; else as its file"),
        TEXT("purpose", MAY, 64, OB_LOGGED_NEVER, "csam", "what it lists"), IMPORT_OPTIONS),
     .gives = IMPORT_GIVES},
    {"list.update", "add what a file lists, and withdraw what it says is withdrawn", OB_EFFECT_DOES, SOCKET, RUN(admin_list_update),
     .takes = FIELDS(
        LIST_NAME, LIST_FILE("the changes, or - for standard input"),
        TEXT("purpose", MAY, 64, OB_LOGGED_NEVER, "csam", "what it lists"), IMPORT_OPTIONS),
     .gives = IMPORT_GIVES},
    {"list.ls", "all lists", SHELL, .takes = NULL},
    {"list.info", "one list; reads all of it and compares its checksums", SHELL, .takes = FIELDS(LIST_NAME)},
    {"list.export", "as CSV on standard output", SHELL, .takes = FIELDS(LIST_NAME)},
    {"list.add", "add entries", OB_EFFECT_DOES, SOCKET, RUN(admin_list_add),
     .takes = FIELDS(
        LIST_NAME, HASHES(MUST, "PDQ hashes, or md5:…, sha1:…, sha256:…"),
        TEXT("id", MAY, 1000, OB_LOGGED_NEVER, "ID", "by which it can be withdrawn"),
        TEXT("source", MAY, 1000, OB_LOGGED_NEVER, "LABEL", "who says so"),
        TEXT("classification", MAY, 1000, OB_LOGGED_NEVER, "WORD", "what it is said to show")),
     .gives = CHANGE_GIVES},
    {"list.withdraw", "from now on these never match again", OB_EFFECT_DOES, SOCKET, RUN(admin_list_withdraw),
     .takes = FIELDS(
        LIST_NAME, HASHES(MAY, "PDQ hashes, or md5:…, sha1:…, sha256:…"),
        TEXT("id", MAY, 1000, OB_LOGGED_NEVER, "ID", "all entries of this id")),
     .gives = CHANGE_GIVES},
    {"list.merge", "write the list's file anew with all that was added and withdrawn", OB_EFFECT_DOES, SOCKET, RUN(admin_list_merge),
     .takes = FIELDS(LIST_NAME)},
    {"list.enable", "match against it again", OB_EFFECT_DOES, SOCKET, RUN(admin_list_enable), .takes = FIELDS(LIST_NAME)},
    {"list.disable", "keep it, but do not match against it", OB_EFFECT_DOES, SOCKET, RUN(admin_list_disable), .takes = FIELDS(LIST_NAME)},
    {"list.remove", "delete it", OB_EFFECT_DOES, SOCKET, RUN(admin_list_remove), .takes = FIELDS(LIST_NAME)},
    {"list.accept", "the lists that stand there are those to be searched, although the records know newer ones, or others",
     OB_EFFECT_DOES, SOCKET, RUN(admin_list_accept)},

    /* ---- Who may ask ---- */
    {"token.add", "make a token; its secret is printed this once and not kept", OB_EFFECT_ACTS, SOCKET, RUN(admin_token_add),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "whose it is"),
        WORDS("surface", MUST, OB_LOGGED_PLAIN, "S", "direct, group, public, storage: for which it speaks"),
        WORDS("scope", MUST, OB_LOGGED_PLAIN, "S", "scan, match, lists, reports, consents: what it is good for")),
     .gives = SECRET_GIVES("the token")},
    {"token.ls", "all tokens, without their secrets", OB_EFFECT_LOOKS, SOCKET, RUN(admin_token_ls), .gives = LISTS("tokens", "all of them")},
    {"token.remove", "from now on it is worth nothing", OB_EFFECT_ACTS, SOCKET, RUN(admin_token_remove),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PLAIN, "which"))},
    {"gateway.add", "make a way in for software that can send no token: its path is printed this once and is the secret",
     OB_EFFECT_ACTS, SOCKET, RUN(admin_gateway_add),
     .takes = FIELDS(
        PLACE("kind", 64, OB_LOGGED_PLAIN, "pict-rs: media.external_validation of the image server of Lemmy"),
        WORD("surface", MUST, OB_LOGGED_PLAIN, "public|direct|group|storage", "what its uploads are"),
        TEXT("name", MAY, 64, OB_LOGGED_PLAIN, "NAME", "what it is called; else as its kind"),
        WORD("review", MAY, OB_LOGGED_PLAIN, "refuse|pass", "a match that asks for a person, whom such software does not have"),
        WORD("damaged", MAY, OB_LOGGED_PLAIN, "refuse|pass", "a file that may be looked at and cannot be; pass: unseen, and counted"),
        WORD("fail", MAY, OB_LOGGED_PLAIN, "closed|open", "the same where Obhut cannot look at the moment")),
     .gives = FIELDS(
        GIVES("name", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "its name"),
        GIVES("path", OB_FIELD_TEXT, OB_LOGGED_NEVER, "its secret path"))},
    {"gateway.ls", "all of them, without their paths", OB_EFFECT_LOOKS, SOCKET, RUN(admin_gateway_ls), .gives = LISTS("gateways", "all of them")},
    {"gateway.remove", "from now on its path leads nowhere", OB_EFFECT_ACTS, SOCKET, RUN(admin_gateway_remove),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PLAIN, "which"))},
    {"person.add", "make a person; their personal token is printed this once", OB_EFFECT_ACTS, SOCKET, RUN(admin_person_add),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PERSON, "who"),
        WORDS("role", MUST, OB_LOGGED_PLAIN, "ROLE", "reviewer, lead, officer"),
        TRUTH("external", OB_LOGGED_PLAIN, "of another organisation")),
     .gives = FIELDS(
        GIVES("name", OB_FIELD_TEXT, OB_LOGGED_NEVER, "their name"),
        GIVES("secret", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the personal token"))},
    {"person.ls", "all persons and their roles", OB_EFFECT_LOOKS, SOCKET, RUN(admin_person_ls), .gives = LISTS("persons", "all of them")},
    {"person.remove", "from now on their token is worth nothing", OB_EFFECT_ACTS, SOCKET, RUN(admin_person_remove),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PERSON, "who"))},

    /* ---- What is switched on ---- */
    {"policy.show", "what is set, and what it opens", OB_EFFECT_LOOKS, ANYWHERE, HTTP("GET", "/v1/policy"), RUN(admin_policy_show)},
    {"policy.set", "service NAME; kinds hosting,interpersonal; country DE; regime ID (the house rule where no built-in law knows the "
     "country); surfaces public,…; bases public,report,…; detectors known,…; register yes|no: whether the service tells which "
     "conversations are protected", OB_EFFECT_ACTS, SOCKET, RUN(admin_policy_set),
     .takes = FIELDS(
        PLACE("key", 64, OB_LOGGED_PLAIN, "what"), PLACE("value", 1000, OB_LOGGED_PLAIN, "to what"))},

    /* ---- What two persons agree to ---- */
    {"proposal.ls", "what waits for a second person", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/proposals"), RUN(admin_proposal_ls),
     .gives = LISTS("proposals", "the latest")},
    {"proposal.approve", "agree to it; what that does is the answer", OB_EFFECT_ACTS, ANYWHERE, .persons = OB_PERSONS_ONE,
     HTTP("POST", "/v1/proposals/{proposal}/approve"), RUN(admin_proposal_approve),
     .takes = FIELDS(ID("proposal", "which"), REASON(MAY, OB_LOGGED_CODE, "why, in your own words")),
     .gives = FIELDS(
        GIVES("proposal", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "where a second person is still needed"),
        GIVES("done", OB_FIELD_TRUTH, OB_LOGGED_PLAIN, "false there"),
        GIVES("proposed_by", OB_FIELD_TEXT, OB_LOGGED_NEVER, "who proposes it now"),
        GIVES("verdict", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that was made"),
        GIVES("cause", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that was made"),
        GIVES("order", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "that was made"),
        GIVES("detector", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "that was set"),
        GIVES("state", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "to which"),
        GIVES("until", OB_FIELD_TIME, OB_LOGGED_PLAIN, "when a cause ends"),
        GIVES("now", OB_FIELD_TIME, OB_LOGGED_NEVER, "the time that is believed"))},
    {"proposal.reject", "from now on nobody can agree to it", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/proposals/{proposal}/reject"),
     RUN(admin_proposal_reject), .takes = FIELDS(ID("proposal", "which"))},

    /* ---- What may become a ground for looking, and what ends it ---- */
    {"report.ls", "what participants reported", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/reports"), RUN(admin_report_ls),
     .takes = FIELDS(TRUTH("notices", OB_LOGGED_PLAIN, "of third parties, instead")),
     .gives = FIELDS(
        GIVES("reports", OB_FIELD_LIST, OB_LOGGED_NEVER, "the latest"),
        GIVES("notices", OB_FIELD_LIST, OB_LOGGED_NEVER, "the latest"))},
    {"report.confirm", "you have looked at all that was disclosed, and it is what was reported", OB_EFFECT_ACTS, ANYWHERE,
     BY(ADMIN_REVIEWERS), HTTP("POST", "/v1/reports/{report}/confirm"), RUN(admin_report_confirm), .takes = FIELDS(ID("report", "which"))},
    {"report.remove", "it opens nothing any more", OB_EFFECT_ACTS, ANYWHERE, HTTP("DELETE", "/v1/reports/{report}"), RUN(admin_report_remove),
     .takes = FIELDS(ID("report", "which"), TRUTH("notices", OB_LOGGED_PLAIN, "it is a notice"))},
    {"verdict.add", "propose a verdict about an account; a second person confirms it", OB_EFFECT_ACTS, ANYWHERE,
     PROPOSED(ADMIN_REVIEWERS, ADMIN_REVIEWERS), HTTP("POST", "/v1/verdicts"), RUN(admin_verdict_add),
     .takes = FIELDS(ACCOUNT(MUST, "whom it is about"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words")), .gives = PROPOSAL_GIVES},
    {"verdict.ls", "the latest verdicts", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/verdicts"), RUN(admin_verdict_ls),
     .gives = LISTS("verdicts", "the latest")},
    {"verdict.overturn", "it was wrong: what rests on it ends at once", OB_EFFECT_ACTS, ANYWHERE, BY(ADMIN_REVIEWERS | ADMIN_GUARDS),
     HTTP("POST", "/v1/verdicts/{verdict}/overturn"), RUN(admin_verdict_overturn), .takes = FIELDS(ID("verdict", "which"))},
    {"cause.add", "propose to look at an account for a time, because of a verdict or of a report that was confirmed", OB_EFFECT_ACTS, ANYWHERE,
     PROPOSED(ADMIN_REVIEWERS, ADMIN_REVIEWERS), HTTP("POST", "/v1/causes"), RUN(admin_cause_add),
     .takes = FIELDS(
        ACCOUNT(MUST, "whose private items"),
        NUMBER("verdict", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "the verdict that it rests on"),
        NUMBER("report", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or the report"),
        REASON(MUST, OB_LOGGED_CODE, "why, in your own words"),
        NUMBER("days", MAY, 1, 30, OB_LOGGED_PLAIN, "how long; else 30")),
     .gives = PROPOSAL_GIVES},
    {"cause.ls", "the latest causes", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/causes"), RUN(admin_cause_ls), .gives = LISTS("causes", "the latest")},
    {"cause.end", "nothing is looked at because of it any more", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/causes/{cause}/end"), RUN(admin_cause_end),
     .takes = FIELDS(ID("cause", "which"))},
    {"cause.told", "the account was told of it", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/causes/{cause}/told"), RUN(admin_cause_told),
     .takes = FIELDS(ID("cause", "which"))},
    {"order.check", "whether an order would be taken, and if not, why, with a letter to its issuer", OB_EFFECT_LOOKS, ANYWHERE,
     HTTP("POST", "/v1/orders/check"), RUN(admin_order_check),
     .takes = FIELDS(OBJECT("order", OB_LOGGED_NEVER, "the order as it was transcribed")),
     .gives = FIELDS(
        GIVES("taken", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "whether it would be"),
        GIVES("reason", OB_FIELD_TEXT, OB_LOGGED_NEVER, "why not"),
        GIVES("names", OB_FIELD_TEXT, OB_LOGGED_NEVER, "what the reason is about"),
        GIVES("article", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the law's"),
        GIVES("clarification", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "a letter, by language"))},
    {"order.add", "propose to load an order; a second lead confirms it", OB_EFFECT_ACTS, ANYWHERE, PROPOSED(ADMIN_LEADS, ADMIN_LEADS),
     HTTP("POST", "/v1/orders"), RUN(admin_order_add),
     .takes = FIELDS(OBJECT("order", OB_LOGGED_NEVER, "the order as it was transcribed"), DOCUMENT("the order itself")),
     .gives = FIELDS(
        GIVES("taken", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "whether it may be loaded"),
        GIVES("reason", OB_FIELD_TEXT, OB_LOGGED_NEVER, "why not"),
        GIVES("names", OB_FIELD_TEXT, OB_LOGGED_NEVER, "what the reason is about"),
        GIVES("article", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the law's"),
        GIVES("clarification", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "a letter, by language"),
        GIVES("proposal", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number, for who agrees"),
        GIVES("kind", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "order"),
        GIVES("proposed_by", OB_FIELD_TEXT, OB_LOGGED_NEVER, "by whom"),
        GIVES("until", OB_FIELD_TIME, OB_LOGGED_PLAIN, "until when somebody may agree"))},
    {"order.ls", "the latest orders", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/orders"), RUN(admin_order_ls), .gives = LISTS("orders", "the latest")},
    {"order.suspend", "nothing is looked at because of it until it is resumed", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/orders/{order}/suspend"),
     RUN(admin_order_suspend), .takes = FIELDS(ID("order", "which"))},
    {"order.resume", "go on with one that was suspended", OB_EFFECT_ACTS, ANYWHERE, BY(ADMIN_LEADS), HTTP("POST", "/v1/orders/{order}/resume"),
     RUN(admin_order_resume), .takes = FIELDS(ID("order", "which"))},
    {"order.revoke", "it is over for good", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/orders/{order}/revoke"), RUN(admin_order_revoke),
     .takes = FIELDS(ID("order", "which"))},
    {"order.halfway", "its issuer got the report that is due half-way", OB_EFFECT_ACTS, ANYWHERE, BY(ADMIN_LEADS),
     HTTP("POST", "/v1/orders/{order}/halfway"), RUN(admin_order_halfway), .takes = FIELDS(ID("order", "which"))},
    {"consent.withdraw", "take back all that an account consented to", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/consents/withdraw"),
     RUN(admin_consent_withdraw), .takes = FIELDS(ACCOUNT(MUST, "whose")),
     .gives = FIELDS(GIVES("conversations", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "in which it consented"))},

    /* ---- What a law asks for, and what detectors are trusted with ---- */
    {"safeguard.record", "a document shows that a safeguard of a law is there", OB_EFFECT_ACTS, ANYWHERE, BY(ADMIN_GUARDS),
     HTTP("POST", "/v1/safeguards"), RUN(admin_safeguard_record),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "the law's word for it"),
        TEXT("regime", MUST, 64, OB_LOGGED_PLAIN, "ID", "the law"), DOCUMENT("what shows it"),
        NUMBER("year", MAY, 2021, 9999, OB_LOGGED_PLAIN, "of annual_report: which year it is about"))},
    {"safeguard.ls", "those that were recorded", OB_EFFECT_LOOKS, ANYWHERE, HTTP("GET", "/v1/safeguards"), RUN(admin_safeguard_ls),
     .gives = LISTS("safeguards", "all of them")},
    {"safeguard.remove", "it is there no more", OB_EFFECT_ACTS, ANYWHERE, HTTP("DELETE", "/v1/safeguards/{name}"), RUN(admin_safeguard_remove),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "the law's word for it"), TEXT("regime", MUST, 64, OB_LOGGED_PLAIN, "ID", "the law"))},
    {"detector.ls", "detectors and their states", OB_EFFECT_LOOKS, ANYWHERE, HTTP("GET", "/v1/detectors"), RUN(admin_detector_ls),
     .gives = LISTS("detectors", "all of them")},
    {"detector.suspend", "it looks at nothing any more", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/detectors/{name}/suspend"),
     RUN(admin_detector_suspend),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PLAIN, "which"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words"))},
    {"detector.set", "propose another state, with a measurement", OB_EFFECT_ACTS, ANYWHERE, TWO(ADMIN_LEADS, ADMIN_GUARDS),
     HTTP("POST", "/v1/detectors/{name}/state"), RUN(admin_detector_set),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "which"),
        WORD("state", MUST, OB_LOGGED_PLAIN, "trial|on", "what it becomes"),
        NUMBER("items", MUST, 1, INT64_MAX, OB_LOGGED_PLAIN, "that were looked at"),
        NUMBER("false_alarms", MUST, 0, INT64_MAX, OB_LOGGED_PLAIN, "among them"),
        TEXT("data", MUST, 64, OB_LOGGED_NEVER, "NAME", "of the data that was measured on"), DOCUMENT("the measurement")),
     .gives = PROPOSAL_GIVES},
    {"clock.show", "what time it is said to be, and whether that is believed", OB_EFFECT_LOOKS, ANYWHERE, HTTP("GET", "/v1/clock"), RUN(admin_clock_show)},
    {"clock.accept", "propose to believe a clock that is behind the latest permit", OB_EFFECT_ACTS, ANYWHERE, TWO(ADMIN_GUARDS, ADMIN_GUARDS),
     HTTP("POST", "/v1/clock/accept"), RUN(admin_clock_accept), .gives = PROPOSAL_GIVES},

    /* ---- How long records stay ---- */
    {"record.reap", "delete what has been kept long enough; the service does it every hour", OB_EFFECT_LOOKS, SOCKET, RUN(admin_record_reap),
     .gives = FIELDS(GIVES("reaped", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "how much of each kind"))},
    {"record.kinds", "what is stored, what for, how long", OB_EFFECT_LOOKS, ANYWHERE, HTTP("GET", "/v1/records/kinds"), RUN(admin_record_kinds),
     .gives = LISTS("kinds", "all of them")},
    {"hold.add", "keep a record beyond its time", OB_EFFECT_ACTS, ANYWHERE, BY(ADMIN_GUARDS), HTTP("POST", "/v1/holds"), RUN(admin_hold_add),
     .takes = FIELDS(
        NUMBER("report", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "which report"), NUMBER("notice", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or notice"),
        NUMBER("verdict", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or verdict"), NUMBER("cause", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or cause"),
        NUMBER("order", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or order"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words"),
        TIME("until", MAY, OB_LOGGED_PLAIN, "until when"), TEXT("law", MAY, 64, OB_LOGGED_PLAIN, "ID", "or the law that says how long"),
        TIME("from", MAY, OB_LOGGED_NEVER, "with a law: when it was reported on")),
     .gives = FIELDS(
        GIVES("hold", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number"), GIVES("until", OB_FIELD_TIME, OB_LOGGED_PLAIN, "until when"),
        GIVES("must_be_decided", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "one law demands keeping it and another forbids it"))},
    {"hold.ls", "those that hold, and those that ended", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/holds"), RUN(admin_hold_ls),
     .gives = LISTS("holds", "all of them")},
    {"hold.end", "its record goes when its time is over", OB_EFFECT_ACTS, ANYWHERE, BY(ADMIN_GUARDS), HTTP("POST", "/v1/holds/{hold}/end"),
     RUN(admin_hold_end), .takes = FIELDS(ID("hold", "which"))},
    {"hold.keep", "decide to keep a record that one law demands keeping and another forbids", OB_EFFECT_ACTS, ANYWHERE, BY(ADMIN_GUARDS),
     HTTP("POST", "/v1/holds/{hold}/keep"), RUN(admin_hold_keep),
     .takes = FIELDS(ID("hold", "which"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words"))},

    /* ---- What was done ---- */
    {"audit.verify", "whether every entry is what it was when it was written; or whether a proof holds", SHELL,
     .takes = FIELDS(
        LOCAL("since", "CHECKPOINT", "a checkpoint that was given away: the log still has what it had then"),
        LOCAL("proof", "FILE", "whether this proof holds"), LOCAL("key", "FILE", "the log's key, kept elsewhere"),
        PLACES("dir", MAY, "a directory with log, checkpoints and key, also a copy"))},
    {"audit.show", "entries", SHELL,
     .takes = FIELDS(
        LOCAL_NUMBER("from", 0, INT64_MAX, "the first"), LOCAL_NUMBER("to", 0, INT64_MAX, "the last"),
        LOCAL("what", "WORD", "what was done, or how that begins: cause"), LOCAL_TRUTH("names", "of the staff, in the place of their codes"),
        PLACES("dir", MAY, "as with verify"))},
    {"audit.search", "entries that have all of these", SHELL,
     .takes = FIELDS(
        LOCAL("what", "WORD", "what was done, or how that begins"), LOCAL("word", "TEXT", "that stands in it; may be said several times"),
        LOCAL("after", "TIME", "2026, 2026-11, 2026-11-25, 2026-11-25T14:00"), LOCAL("before", "TIME", "the same"),
        LOCAL("account", "NAME", "about this account, found through the records"), LOCAL("person", "NAME", "by this person"),
        LOCAL_TRUTH("names", "of the staff, in the place of their codes"), PLACES("dir", MAY, "as with verify"))},
    {"audit.checkpoint", "the last one: give it away, and compare the log with it later", SHELL, .takes = FIELDS(PLACES("dir", MAY, "as with verify"))},
    {"audit.prove", "a file that proves that an entry is in the log, or that it still begins with what it had at a checkpoint", SHELL,
     .takes = FIELDS(LOCAL("since", "CHECKPOINT", "the checkpoint"), PLACES("entry", MAY, "the entry's number; a directory as with verify"))},
    {"audit.code", "the code that stands for somebody in the log", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/audit/code"), RUN(admin_audit_code),
     .takes = FIELDS(ACCOUNT(MAY, "of an account"), TEXT("person", MAY, 64, OB_LOGGED_NEVER, "NAME", "or of one of the staff")),
     .gives = FIELDS(GIVES("code", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the code"))},
    {"audit.consents", "which entries tell that an account gave or withdrew a consent", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/audit/consents"),
     RUN(admin_audit_consents), .takes = FIELDS(ACCOUNT(MUST, "whose")), .gives = LISTS("consents", "in the order of the log")},
    {"audit.forget", "destroy the key that makes somebody's code: nobody can tell any more which entries are about them", OB_EFFECT_ERASES, ANYWHERE,
     BY(ADMIN_GUARDS), HTTP("POST", "/v1/audit/forget"), RUN(admin_audit_forget),
     .takes = FIELDS(ACCOUNT(MAY, "an account"), TEXT("person", MAY, 64, OB_LOGGED_NEVER, "NAME", "or one of the staff"))},
    {"audit.names", "what the staff's codes in the log stand for", OB_EFFECT_LOOKS, ANYWHERE, HTTP("GET", "/v1/audit/names"), RUN(admin_audit_names), .is_inner = true,
     .gives = FIELDS(GIVES("names", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "names by code"))},
    {"checkpoint.given", "a checkpoint was given away", OB_EFFECT_ACTS, SOCKET, RUN(admin_checkpoint_given), .is_inner = true,
     .takes = FIELDS(NUMBER("entries", MUST, 0, INT64_MAX, OB_LOGGED_PLAIN, "how many entries it is about"))},

    /* ---- Looking ---- */
    {"status", "lists and their age, what a hit does, what is open, the last backup", OB_EFFECT_LOOKS, ANYWHERE, HTTP("GET", "/v1/status"), RUN(admin_status)},
    {"check", "read all that lies in the data directory, and say what is right", OB_EFFECT_LOOKS, SOCKET, RUN(admin_check),
     .takes = FIELDS(
        INNER_TRUTH("records", "all of the records, too"), LOCAL("config", "FILE", "this configuration of obhutd, too"))},
    {"hash", "hashes and digests of pictures", SHELL,
     .takes = FIELDS(
        PLACES("files", MUST, "pictures, or directories of them"), LOCAL_TRUTH("dihedral", "the hashes of all eight ways to turn and mirror it"),
        LOCAL_TRUTH("exact", "decode fully, in colour: the published steps to the bit"),
        LOCAL("variant", "full|reference", "which pixels count"), LOCAL_NUMBER("threads", 1, 256, "else one for each processor"))},
    {"match", "which hashes are on a list", SHELL,
     .takes = FIELDS(
        PLACES("hashes", MUST, "hashes, or - for standard input"), LOCAL_NUMBER("distance", 0, 31, "at most so many of 256 bits differ"))},
    {"scan", "what the service would say of files", OB_EFFECT_LOOKS, SOCKET, RUN(admin_scan),
     .takes = FIELDS(
        PLACES("files", MUST, "files, or directories of them"),
        {.name = "item", .kind = OB_FIELD_OBJECT, .is_inner = true, RULE(OB_LOGGED_NEVER), .about = "what is said of the item, as to POST /v1/scan"},
        {.name = "file", .kind = OB_FIELD_FILE, .is_needed = true, .is_inner = true, RULE(OB_LOGGED_NEVER), .about = "the file"},
        LOCAL("surface", "SURFACE", "public, direct, group or storage: where the service has it"),
        LOCAL("account", "NAME", "whose it is; needed everywhere but on public"),
        LOCAL("encryption", "E", "none, transport, e2ee, e2ee_planned, e2ee_past; needed everywhere but on public"),
        LOCAL("conversation", "NAME", "needed on direct and group"), LOCAL("locus", "L", "server, or disclosed: handed over by a participant"),
        LOCAL("report", "N", "the report that it belongs to"), LOCAL("notice", "N", "or the notice"),
        NUMBER("distance", MAY, 0, 31, OB_LOGGED_NEVER, "at most so many of 256 bits differ"),
        TRUTH("exact", OB_LOGGED_NEVER, "as for hash"), INNER_TRUTH("reference", "as for hash"),
        LOCAL("variant", "full|reference", "as for hash"), LOCAL_NUMBER("threads", 1, 256, "as for hash"))},
    {"gate.explain", "whether a situation may be looked at, and why", SHELL,
     .takes = FIELDS(
        PLACES("file", MUST, "a situation, or one on each line; - for standard input"), LOCAL_TRUTH("what_if", "what every other law and proposal would say, too"),
        LOCAL("at", "TIME", "at another moment"), LOCAL("regime", "FILE", "a law of your own: it can be explained, never used"),
        LOCAL("lang", "en|de", "of the letter"))},
    {"gate.regimes", "the laws that this release knows", SHELL},

    /* ---- Backups ---- */
    {"backup.key", "make a pair of keys: the secret one goes into a file, the public one is printed", SHELL,
     .takes = FIELDS(LOCAL("out", "FILE", "where the secret one goes; keep it where neither service nor backups are"))},
    {"backup.make", "everything in one file, encrypted to a key of yours, while the service runs", OB_EFFECT_DOES, SOCKET, RUN(admin_backup_make),
     .takes = FIELDS(
        {.name = "file", .kind = OB_FIELD_FILE, .is_needed = true, .is_inner = true, RULE(OB_LOGGED_NEVER), .about = "where it is written"},
        LOCAL("to", "FILE", "where it is written, or - for standard output"),
        TEXT("key", MUST, 4096, OB_LOGGED_NEVER, "KEY", "the public key, or a file that has it"),
        TRUTH("without_lists", OB_LOGGED_NEVER, "leave the lists out"))},
    {"backup.show", "what is in a backup and from when; reads and verifies all of it", SHELL,
     .takes = FIELDS(PLACES("file", MUST, "the backup"), LOCAL("secret", "FILE", "the secret key"))},
    {"restore", "a data directory from a backup", SHELL,
     .takes = FIELDS(
        PLACES("file", MUST, "the backup"), LOCAL("secret", "FILE", "the secret key"), LOCAL("into", "DIR", "else the data directory"),
        LOCAL("records", "URL", "the records go into this empty PostgreSQL database"))},
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof *rows };

const ob_command *ob_command_at(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}
