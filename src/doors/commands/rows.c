/* Everything that can be asked, one row each, in the order in which help lists it. */
#include "commands_priv.h"
#include "services_priv.h"

#include "rows.h"

/* clang-format off */
#define SHELL     .effect = OB_EFFECT_SHOWS, .places = OB_AT_SHELL
#define SOCKET    .places = OB_AT_SOCKET
#define ANYWHERE  .places = OB_AT_SOCKET | OB_AT_STAFF
#define HTTP(m, p) .method = m, .path = p
#define BY(r)     .persons = OB_PERSONS_ONE, .roles = r
#define TWO(r, second) .persons = OB_PERSONS_TWO, .roles = r, .agree = second
#define PROPOSED(r, second) .persons = OB_PERSONS_PROPOSED, .roles = r, .agree = second
#define RUN(f)    .run = f
/* What services ask, and everybody. */
#define SERVICES(m, p, token, slow, f) .places = OB_AT_SERVICES, .is_inner = true, .method = m, .path = p, .scope = token, .asks = slow, .begin = f
#define PUBLIC(m, p, slow, f) .places = OB_AT_PUBLIC, .is_inner = true, .method = m, .path = p, .scope = OB_TOKEN_NONE, .asks = slow, .begin = f

#define LIST_NAME PLACE("name", 64, OB_LOGGED_PLAIN, "the list's name")
#define INNER_TRUTH(n, says) {.name = n, .kind = OB_FIELD_TRUTH, .is_inner = true, RULE(OB_LOGGED_NEVER), .about = says}
#define LIST_FILE(says) {.name = "file", .kind = OB_FIELD_FILE, .most = 4096, .is_needed = true, .is_place = true, RULE(OB_LOGGED_NEVER), .about = says}
#define HASHES(need, says) {.name = "hashes", .kind = OB_FIELD_PLACES, need, .is_place = true, RULE(OB_LOGGED_NEVER), .about = says}
#define INNER_OBJECT(n, says) {.name = n, .kind = OB_FIELD_OBJECT, .is_inner = true, RULE(OB_LOGGED_NEVER), .about = says}
#define INNER_FILE(says) {.name = "file", .kind = OB_FIELD_FILE, .is_needed = true, .is_inner = true, RULE(OB_LOGGED_NEVER), .about = says}
#define LISTS(n, says) FIELDS(GIVES(n, OB_FIELD_LIST, OB_LOGGED_NEVER, says))
#define PROPOSAL_GIVES FIELDS( \
    GIVES("proposal", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number, for who agrees"), \
    GIVES("kind", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "what was proposed"), \
    GIVES("proposed_by", OB_FIELD_TEXT, OB_LOGGED_NEVER, "by whom"), \
    GIVES("until", OB_FIELD_TIME, OB_LOGGED_PLAIN, "until when somebody may agree"))
#define IMPORT_OPTIONS \
    TEXT("source", MAY, 1000, OB_LOGGED_NEVER, "LABEL", "who publishes it, for entries that do not say"), \
    TEXT("type", MAY, 64, OB_LOGGED_PLAIN, "pdq|sha256", "what hashes of 64 digits are, where the file does not say it"), \
    WORDS("accept", MAY, OB_LOGGED_PLAIN, "low-quality|shrinking", "take what is refused otherwise: hashes of a quality below 50 by the file's own word; a list that leaves less than half of the entries"), \
    TRUTH("keep_going", OB_LOGGED_NEVER, "leave out lines that are bad or refused; otherwise the whole file counts or nothing does")
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
#define ORDER_REFUSED \
    GIVES("reason", OB_FIELD_TEXT, OB_LOGGED_NEVER, "why not"), \
    GIVES("text", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "the same as a sentence, by language"), \
    GIVES("names", OB_FIELD_TEXT, OB_LOGGED_NEVER, "what the reason is about"), \
    GIVES("article", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the law's"), \
    GIVES("clarification", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "a letter, by language")
#define SECRET_GIVES(what) FIELDS( \
    GIVES("name", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "its name"), \
    GIVES("secret", OB_FIELD_TEXT, OB_LOGGED_NEVER, what))

/* What a service says of an item that it hands over. */
#define ITEM_FIELDS \
    QUERY_WORD("surface", MUST, "SURFACE", OB_LOGGED_NEVER, "direct|group|public|storage", "where the service has the item; a token speaks only for the surfaces it was made for. What may not be looked at there is answered with not_scanned"), \
    QUERY_TEXT("account", 1, 256, "ACCOUNT", OB_LOGGED_NEVER, "whose item it is: bytes of the service's own, kept only as a keyed pseudonym; needed on direct, group and storage; on public - or nothing is an upload without one"), \
    QUERY_WORD("encryption", MAY, "ENCRYPTION", OB_LOGGED_NEVER, "none|transport|e2ee|e2ee_planned|e2ee_past", "of its conversation; needed but on public, where it is transport"), \
    QUERY_WORD("locus", MAY, "LOCUS", OB_LOGGED_NEVER, "server|disclosed", "disclosed: a participant has handed it over by an own act; otherwise server"), \
    QUERY_TEXT("item", 1, 256, "ITEM", OB_LOGGED_NEVER, "the service's id of it; else the Idempotency-Key; else one is made"), \
    QUERY_TEXT("conversation", 1, 256, "CONVERSATION", OB_LOGGED_NEVER, "needed on direct and group"), \
    QUERY_NUMBER("report", "REPORT", OB_LOGGED_NEVER, "the number of the participant's report that disclosed it"), \
    QUERY_NUMBER("notice", "NOTICE", OB_LOGGED_NEVER, "the number of the notice that names it"), \
    HEAD_TEXT("Idempotency-Key", "ITEM", OB_LOGGED_NEVER, "the service's id of the item, where the query has none")

#define DELIVERY HEAD_TEXT("Idempotency-Key", NULL, OB_LOGGED_NEVER, "what the client names this request by. The same request again, within a day, is answered with the number of the first and makes nothing; another body with the same key is refused (403). Without it, a request that says exactly the same is the same")
#define NO_DELIVERY HEAD_TEXT("Idempotency-Key", NULL, OB_LOGGED_NEVER, "may be there and changes nothing: the request says all of what is, and may be repeated")
#define CONVERSATION PLACE("id", 256, OB_LOGGED_NEVER, "the conversation, as the service names it")
#define DONE_GIVES FIELDS(GIVES("done", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "true"))

static const ob_command_field member[] = {
    OWN_WORD("account", MUST, OB_LOGGED_HIDDEN, "who it is"),
    TRUTH("consents", OB_LOGGED_PLAIN, "whether this member consents; otherwise not"), {0}};

/* From here on a field is one of the macros, each of which wants its rule for the log. */
#pragma GCC poison kind

static const ob_command rows[] = {
    /* ---- Lists ---- */
    {"list.import", "read a list and put it in the place of the old one of that name; prints what was understood", OB_EFFECT_DOES, SOCKET, RUN(commands_list_import),
     .takes = FIELDS(
        LIST_FILE("the list, or - for standard input"),
        TEXT("name", MAY, 64, OB_LOGGED_PLAIN, "NAME", "what it is called here; otherwise the name of its file"),
        TEXT("purpose", MAY, 64, OB_LOGGED_NEVER, "csam", "what it lists"), IMPORT_OPTIONS),
     .gives = IMPORT_GIVES},
    {"list.update", "add what a file lists, in the formats of import, and withdraw what it says is withdrawn: one change, all of which counts or nothing; the rest of the list stays", OB_EFFECT_DOES, SOCKET, RUN(commands_list_update),
     .takes = FIELDS(
        LIST_NAME, LIST_FILE("the changes, or - for standard input"),
        TEXT("purpose", MAY, 64, OB_LOGGED_NEVER, "csam", "what it lists"), IMPORT_OPTIONS),
     .gives = IMPORT_GIVES},
    {"list.ls", "show all lists", SHELL, .takes = NULL},
    {"list.info", "show one list, after reading all of it and comparing its checksums", SHELL, .takes = FIELDS(LIST_NAME)},
    {"list.export", "print a list as CSV", SHELL, .takes = FIELDS(LIST_NAME)},
    {"list.add", "add entries", OB_EFFECT_DOES, SOCKET, RUN(commands_list_add),
     .takes = FIELDS(
        LIST_NAME, HASHES(MUST, "PDQ hashes, or md5:…, sha1:…, sha256:…"),
        TEXT("id", MAY, 1000, OB_LOGGED_NEVER, "ID", "by which it can be withdrawn"),
        TEXT("source", MAY, 1000, OB_LOGGED_NEVER, "LABEL", "who says so"),
        TEXT("classification", MAY, 1000, OB_LOGGED_NEVER, "WORD", "what it is said to show")),
     .gives = CHANGE_GIVES},
    {"list.withdraw", "withdraw entries: from now on they never match again", OB_EFFECT_DOES, SOCKET, RUN(commands_list_withdraw),
     .takes = FIELDS(
        LIST_NAME, HASHES(MAY, "PDQ hashes, or md5:…, sha1:…, sha256:…"),
        TEXT("id", MAY, 1000, OB_LOGGED_NEVER, "ID", "all entries of this id")),
     .gives = CHANGE_GIVES},
    {"list.merge", "write the list's file anew with all that was added and withdrawn", OB_EFFECT_DOES, SOCKET, RUN(commands_list_merge),
     .takes = FIELDS(LIST_NAME)},
    {"list.enable", "match against a list again", OB_EFFECT_DOES, SOCKET, RUN(commands_list_enable), .takes = FIELDS(LIST_NAME)},
    {"list.disable", "keep a list, but do not match against it", OB_EFFECT_DOES, SOCKET, RUN(commands_list_disable), .takes = FIELDS(LIST_NAME)},
    {"list.remove", "delete a list", OB_EFFECT_DOES, SOCKET, RUN(commands_list_remove), .takes = FIELDS(LIST_NAME)},
    {"list.accept", "accept the lists that are in the directory, although the records know newer ones, or others",
     OB_EFFECT_DOES, SOCKET, RUN(commands_list_accept)},

    /* ---- Who may ask ---- */
    {"token.add", "make a token; its secret is printed this once and not kept", OB_EFFECT_ACTS, SOCKET, RUN(commands_token_add),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "whose it is"),
        WORDS("surface", MUST, OB_LOGGED_PLAIN, "direct|group|public|storage", "for which it speaks, and for no other; with commas, or said several times"),
        WORDS("scope", MUST, OB_LOGGED_PLAIN, "scan|match|lists|reports|consents", "what it is good for: to hand in files, to hand in hashes, to see which lists there are, to hand in reports and notices, to submit members and consents")),
     .gives = SECRET_GIVES("the token")},
    {"token.ls", "show all tokens, without their secrets", OB_EFFECT_SHOWS, SOCKET, RUN(commands_token_ls), .gives = LISTS("tokens", "all of them")},
    {"token.remove", "remove a token: from now on it is worth nothing", OB_EFFECT_ACTS, SOCKET, RUN(commands_token_remove),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PLAIN, "which"))},
    {"gateway.add", "make a way in for software that can send no token: its path is printed this once and is the secret",
     OB_EFFECT_ACTS, SOCKET, RUN(commands_gateway_add),
     .takes = FIELDS(
        PLACE("kind", 64, OB_LOGGED_PLAIN, "pict-rs: media.external_validation of the image server of Lemmy"),
        WORD("surface", MUST, OB_LOGGED_PLAIN, "public|direct|group|storage", "what its uploads are; on one that may not be looked at they are let through unseen, and counted"),
        TEXT("name", MAY, 64, OB_LOGGED_PLAIN, "NAME", "what it is called; otherwise the name of its kind"),
        WORD("review", MAY, OB_LOGGED_PLAIN, "refuse|pass", "what becomes of a match that asks for a person (review, warn, blur), which such software has nobody to hand to; otherwise refuse"),
        WORD("damaged", MAY, OB_LOGGED_PLAIN, "refuse|pass", "what becomes of a file that may be looked at and cannot be (damaged, too large, of an unknown format); otherwise refuse; pass: unseen, and counted"),
        WORD("fail", MAY, OB_LOGGED_PLAIN, "closed|open", "what becomes of a file when Obhut cannot look at the moment (log, records, clock, too busy); otherwise closed: it is refused")),
     .gives = FIELDS(
        GIVES("name", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "its name"),
        GIVES("path", OB_FIELD_TEXT, OB_LOGGED_NEVER, "its secret path"))},
    {"gateway.ls", "show all gateways, without their paths", OB_EFFECT_SHOWS, SOCKET, RUN(commands_gateway_ls), .gives = LISTS("gateways", "all of them")},
    {"gateway.remove", "remove a gateway: from now on its path leads nowhere", OB_EFFECT_ACTS, SOCKET, RUN(commands_gateway_remove),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PLAIN, "which"))},
    {"person.add", "make a person; their personal token is printed this once", OB_EFFECT_ACTS, SOCKET, RUN(commands_person_add),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PERSON, "who"),
        WORDS("role", MUST, OB_LOGGED_PLAIN, "reviewer|lead|officer", "one, or several with commas between"),
        TRUTH("external", OB_LOGGED_PLAIN, "the person belongs to another organisation")),
     .gives = FIELDS(
        GIVES("name", OB_FIELD_TEXT, OB_LOGGED_NEVER, "their name"),
        GIVES("secret", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the personal token"))},
    {"person.ls", "show all persons and their roles", OB_EFFECT_SHOWS, SOCKET, RUN(commands_person_ls), .gives = LISTS("persons", "all of them")},
    {"person.remove", "remove a person: from now on their token is worth nothing", OB_EFFECT_ACTS, SOCKET, RUN(commands_person_remove),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PERSON, "who"))},

    /* ---- What is switched on ---- */
    {"policy.show", "show what is set, and what that opens", OB_EFFECT_SHOWS, ANYWHERE, HTTP("GET", "/v1/policy"), RUN(commands_policy_show),
     .gives = FIELDS(
        GIVES("service", OB_FIELD_TEXT, OB_LOGGED_NEVER, "its name"), GIVES("kinds", OB_FIELD_WORDS, OB_LOGGED_NEVER, "what it is"),
        GIVES("country", OB_FIELD_TEXT, OB_LOGGED_NEVER, "where"), GIVES("regime", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the house rule"),
        GIVES("surfaces", OB_FIELD_WORDS, OB_LOGGED_NEVER, "that are switched on"),
        GIVES("bases", OB_FIELD_WORDS, OB_LOGGED_NEVER, "that are switched on"),
        GIVES("detectors", OB_FIELD_WORDS, OB_LOGGED_NEVER, "that are switched on"),
        GIVES("register", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "whether the service tells which conversations are protected"),
        GIVES("open", OB_FIELD_LIST, OB_LOGGED_NEVER, "what this opens, and what would open the rest"))},
    {"policy.set", "set one of the things that the service is or has switched on", OB_EFFECT_ACTS, SOCKET, RUN(commands_policy_set),
     .takes = FIELDS(
        PLACE("key", 64, OB_LOGGED_PLAIN, "service, kinds, country, regime, surfaces, bases, detectors or register"),
        PLACE("value", 1000, OB_LOGGED_PLAIN, "what it becomes"))},

    /* ---- What two persons agree to ---- */
    {"proposal.ls", "show what waits for a second person, and what was decided", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/proposals"), RUN(commands_proposal_ls),
     .gives = LISTS("proposals", "the latest")},
    {"proposal.approve", "agree to a proposal, as its second person; the answer is what that did", OB_EFFECT_ACTS, ANYWHERE, .persons = OB_PERSONS_ONE,
     HTTP("POST", "/v1/proposals/{proposal}/approve"), RUN(commands_proposal_approve),
     .takes = FIELDS(ID("proposal", "its number"), REASON(MAY, OB_LOGGED_CODE, "why, in your own words; needed for verdicts and causes, also of who makes the operator's proposal their own")),
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
    {"proposal.reject", "reject a proposal: from now on nobody can agree to it", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/proposals/{proposal}/reject"),
     RUN(commands_proposal_reject), .takes = FIELDS(ID("proposal", "its number"))},

    /* ---- What may become a ground for looking, and what ends it ---- */
    {"report.ls", "show what participants reported", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/reports"), RUN(commands_report_ls),
     .takes = FIELDS(TRUTH("notices", OB_LOGGED_PLAIN, "show the notices of third parties instead")),
     .gives = FIELDS(
        GIVES("reports", OB_FIELD_LIST, OB_LOGGED_NEVER, "the latest"),
        GIVES("notices", OB_FIELD_LIST, OB_LOGGED_NEVER, "the latest"))},
    {"report.confirm", "confirm a report: you have looked at all that was disclosed, and it is what was reported", OB_EFFECT_ACTS, ANYWHERE,
     BY(REVIEWERS), HTTP("POST", "/v1/reports/{report}/confirm"), RUN(commands_report_confirm), .takes = FIELDS(ID("report", "its number"))},
    {"report.remove", "remove a report: it no longer permits scanning", OB_EFFECT_ACTS, ANYWHERE, HTTP("DELETE", "/v1/reports/{report}"), RUN(commands_report_remove),
     .takes = FIELDS(ID("report", "its number"), TRUTH("notices", OB_LOGGED_PLAIN, "the number is that of a notice"))},
    {"verdict.add", "propose a verdict about an account; a second person confirms it", OB_EFFECT_ACTS, ANYWHERE,
     PROPOSED(REVIEWERS, REVIEWERS), HTTP("POST", "/v1/verdicts"), RUN(commands_verdict_add),
     .takes = FIELDS(ACCOUNT(MUST, "whom it is about"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words")), .gives = PROPOSAL_GIVES},
    {"verdict.ls", "show the latest verdicts", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/verdicts"), RUN(commands_verdict_ls),
     .gives = LISTS("verdicts", "the latest")},
    {"verdict.overturn", "overturn a verdict that was wrong: what rests on it ends at once", OB_EFFECT_ACTS, ANYWHERE, BY(REVIEWERS | GUARDS),
     HTTP("POST", "/v1/verdicts/{verdict}/overturn"), RUN(commands_verdict_overturn), .takes = FIELDS(ID("verdict", "its number"))},
    {"cause.add", "propose to look at an account for a time, because of a verdict or of a report that was confirmed; a second person agrees", OB_EFFECT_ACTS, ANYWHERE,
     PROPOSED(REVIEWERS, REVIEWERS), HTTP("POST", "/v1/causes"), RUN(commands_cause_add),
     .takes = FIELDS(
        ACCOUNT(MUST, "whose private items are looked at"),
        NUMBER("verdict", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "the verdict that it rests on"),
        NUMBER("report", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or the report that it rests on"),
        REASON(MUST, OB_LOGGED_CODE, "why, in your own words"),
        NUMBER("days", MAY, 1, 30, OB_LOGGED_PLAIN, "how long, 1 to 30; otherwise 30")),
     .gives = PROPOSAL_GIVES},
    {"cause.ls", "show the latest causes", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/causes"), RUN(commands_cause_ls), .gives = LISTS("causes", "the latest")},
    {"cause.end", "end a cause: it no longer permits scanning", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/causes/{cause}/end"), RUN(commands_cause_end),
     .takes = FIELDS(ID("cause", "its number"))},
    {"cause.told", "record that the account was told about a cause", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/causes/{cause}/told"), RUN(commands_cause_told),
     .takes = FIELDS(ID("cause", "its number"))},
    {"order.check", "tell whether an order would be taken, and if not, why, with a letter to its issuer", OB_EFFECT_SHOWS, ANYWHERE,
     HTTP("POST", "/v1/orders/check"), RUN(commands_order_check),
     .takes = FIELDS(OBJECT("order", OB_LOGGED_NEVER, "the order as it was transcribed (docs/GATE.md)")),
     .gives = FIELDS(
        GIVES("taken", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "whether it would be"),
        ORDER_REFUSED)},
    {"order.add", "propose to load an order; a second lead confirms it", OB_EFFECT_ACTS, ANYWHERE, PROPOSED(LEADS, LEADS),
     HTTP("POST", "/v1/orders"), RUN(commands_order_add),
     .takes = FIELDS(OBJECT("order", OB_LOGGED_NEVER, "the order as it was transcribed (docs/GATE.md)"), DOCUMENT("the order itself, of which the SHA-256 is kept")),
     .gives = FIELDS(
        GIVES("taken", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "whether it may be loaded"),
        ORDER_REFUSED,
        GIVES("proposal", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number, for who agrees"),
        GIVES("kind", OB_FIELD_TEXT, OB_LOGGED_PLAIN, "order"),
        GIVES("proposed_by", OB_FIELD_TEXT, OB_LOGGED_NEVER, "by whom"),
        GIVES("until", OB_FIELD_TIME, OB_LOGGED_PLAIN, "until when somebody may agree"))},
    {"order.ls", "show the latest orders", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/orders"), RUN(commands_order_ls), .gives = LISTS("orders", "the latest")},
    {"order.suspend", "suspend an order: nothing is looked at because of it until it is resumed", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/orders/{order}/suspend"),
     RUN(commands_order_suspend), .takes = FIELDS(ID("order", "its number"))},
    {"order.resume", "resume an order that was suspended", OB_EFFECT_ACTS, ANYWHERE, BY(LEADS), HTTP("POST", "/v1/orders/{order}/resume"),
     RUN(commands_order_resume), .takes = FIELDS(ID("order", "its number"))},
    {"order.revoke", "revoke an order for good", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/orders/{order}/revoke"), RUN(commands_order_revoke),
     .takes = FIELDS(ID("order", "its number"))},
    {"order.halfway", "record that its issuer got the report that is due half-way", OB_EFFECT_ACTS, ANYWHERE, BY(LEADS),
     HTTP("POST", "/v1/orders/{order}/halfway"), RUN(commands_order_halfway), .takes = FIELDS(ID("order", "its number"))},
    {"consent.withdraw", "take back all that an account consented to", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/consents/withdraw"),
     RUN(commands_consent_withdraw), .takes = FIELDS(ACCOUNT(MUST, "whose consents")),
     .gives = FIELDS(GIVES("conversations", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "in which it consented"))},

    /* ---- What a law asks for, and what detectors are trusted with ---- */
    {"safeguard.record", "record that a document shows a safeguard of a law", OB_EFFECT_ACTS, ANYWHERE, BY(GUARDS),
     HTTP("POST", "/v1/safeguards"), RUN(commands_safeguard_record),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "the law's word for it"),
        TEXT("regime", MUST, 64, OB_LOGGED_PLAIN, "ID", "the law"), DOCUMENT("what shows it, of which the SHA-256 is kept"),
        NUMBER("year", MAY, 2021, 9999, OB_LOGGED_PLAIN, "of annual_report: the year that it is about"))},
    {"safeguard.ls", "show those that were recorded", OB_EFFECT_SHOWS, ANYWHERE, HTTP("GET", "/v1/safeguards"), RUN(commands_safeguard_ls),
     .gives = LISTS("safeguards", "all of them")},
    {"safeguard.remove", "record that a safeguard is there no more", OB_EFFECT_ACTS, ANYWHERE, HTTP("DELETE", "/v1/safeguards/{name}"), RUN(commands_safeguard_remove),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "the law's word for it"), TEXT("regime", MUST, 64, OB_LOGGED_PLAIN, "ID", "the law"))},
    {"detector.ls", "show detectors and their states", OB_EFFECT_SHOWS, ANYWHERE, HTTP("GET", "/v1/detectors"), RUN(commands_detector_ls),
     .gives = LISTS("detectors", "all of them")},
    {"detector.suspend", "suspend a detector: it scans nothing from now on", OB_EFFECT_ACTS, ANYWHERE, HTTP("POST", "/v1/detectors/{name}/suspend"),
     RUN(commands_detector_suspend),
     .takes = FIELDS(PLACE("name", 64, OB_LOGGED_PLAIN, "which"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words"))},
    {"detector.set", "propose another state of a detector, with a measurement; a second person agrees", OB_EFFECT_ACTS, ANYWHERE, TWO(LEADS, GUARDS),
     HTTP("POST", "/v1/detectors/{name}/state"), RUN(commands_detector_set),
     .takes = FIELDS(
        PLACE("name", 64, OB_LOGGED_PLAIN, "which"),
        WORD("state", MUST, OB_LOGGED_PLAIN, "trial|on", "what it becomes"),
        NUMBER("items", MUST, 1, INT64_MAX, OB_LOGGED_PLAIN, "how many items were looked at"),
        NUMBER("false_alarms", MUST, 0, INT64_MAX, OB_LOGGED_PLAIN, "how many of them were false alarms"),
        TEXT("data", MUST, 64, OB_LOGGED_NEVER, "NAME", "the name of the data that was measured on"), DOCUMENT("the measurement, of which the SHA-256 is kept")),
     .gives = PROPOSAL_GIVES},
    {"clock.show", "show what time it is said to be, and whether that is believed", OB_EFFECT_SHOWS, ANYWHERE, HTTP("GET", "/v1/clock"), RUN(commands_clock_show),
     .gives = FIELDS(
        GIVES("clock", OB_FIELD_TEXT, OB_LOGGED_NEVER, "ok; backwards: it is behind the latest permit; or unset: before this program was built"),
        GIVES("now", OB_FIELD_TIME, OB_LOGGED_NEVER, "what it says"),
        GIVES("latest_permit", OB_FIELD_TIME, OB_LOGGED_NEVER, "when something was last permitted; nothing where it never was"),
        GIVES("built_at", OB_FIELD_TIME, OB_LOGGED_NEVER, "when this program was built"))},
    {"clock.accept", "propose to believe a clock that is behind the latest permit; a second person agrees", OB_EFFECT_ACTS, ANYWHERE, TWO(GUARDS, GUARDS),
     HTTP("POST", "/v1/clock/accept"), RUN(commands_clock_accept), .gives = PROPOSAL_GIVES},

    /* ---- How long records stay ---- */
    {"record.reap", "delete what has been kept long enough; the service does it every hour", OB_EFFECT_ERASES, SOCKET, .has_acts_of_its_own = true, RUN(commands_record_reap),
     .gives = FIELDS(GIVES("reaped", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "how much of each kind"))},
    {"record.kinds", "show what is stored, what for and how long", OB_EFFECT_SHOWS, ANYWHERE, HTTP("GET", "/v1/records/kinds"), RUN(commands_record_kinds),
     .gives = LISTS("kinds", "all of them")},
    {"hold.add", "keep a record beyond its time: until an end, never longer than a law allows, or because a law demands it", OB_EFFECT_ACTS, ANYWHERE, BY(GUARDS), HTTP("POST", "/v1/holds"), RUN(commands_hold_add),
     .takes = FIELDS(
        NUMBER("report", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "the number of a report"), NUMBER("notice", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or of a notice"),
        NUMBER("verdict", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or of a verdict"), NUMBER("cause", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or of a cause"),
        NUMBER("order", MAY, 1, INT64_MAX, OB_LOGGED_PLAIN, "or of an order"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words"),
        TIME("until", MAY, OB_LOGGED_PLAIN, "the end: 2027-01-31"), TEXT("law", MAY, 64, OB_LOGGED_PLAIN, "ID", "or the law that says how long"),
        TIME("from", MAY, OB_LOGGED_NEVER, "with a law: when it was reported on; otherwise now")),
     .gives = FIELDS(
        GIVES("hold", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number"), GIVES("until", OB_FIELD_TIME, OB_LOGGED_PLAIN, "until when"),
        GIVES("must_be_decided", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "one law demands keeping it and another forbids it"))},
    {"hold.ls", "show holds, and those that ended", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/holds"), RUN(commands_hold_ls),
     .gives = LISTS("holds", "all of them")},
    {"hold.end", "end a hold: its record goes when its time is over", OB_EFFECT_ACTS, ANYWHERE, BY(GUARDS), HTTP("POST", "/v1/holds/{hold}/end"),
     RUN(commands_hold_end), .takes = FIELDS(ID("hold", "its number"))},
    {"hold.keep", "decide to keep a record that one law demands keeping and another forbids", OB_EFFECT_ACTS, ANYWHERE, BY(GUARDS),
     HTTP("POST", "/v1/holds/{hold}/keep"), RUN(commands_hold_keep),
     .takes = FIELDS(ID("hold", "its number"), REASON(MUST, OB_LOGGED_CODE, "why, in your own words"))},

    /* ---- What was done ---- */
    {"audit.verify", "tell whether every entry is what it was when it was written, or whether a proof holds; reads only", SHELL,
     .takes = FIELDS(
        LOCAL("since", MAY, "CHECKPOINT", "a checkpoint that was given away: the log still has what it had then"),
        LOCAL("proof", MAY, "FILE", "whether this proof holds"), LOCAL("key", MAY, "FILE", "the log's key, kept elsewhere"),
        LOCAL_PLACE("dir", MAY, "DIR", "a directory with log, checkpoints and key, also a copy; else that of the data directory"))},
    {"audit.show", "show entries", SHELL,
     .takes = FIELDS(
        LOCAL_NUMBER("from", 0, INT64_MAX, "the number of the first"), LOCAL_NUMBER("to", 0, INT64_MAX, "the number of the last"),
        LOCAL("what", MAY, "WORD", "what was done, or how that begins: cause"), LOCAL_TRUTH("names", "show names of the staff, from the records, in the place of their codes"),
        LOCAL_PLACE("dir", MAY, "DIR", "as for verify"))},
    {"audit.search", "show entries that have all of these", SHELL,
     .takes = FIELDS(
        LOCAL("what", MAY, "WORD", "what was done, or how that begins"), LOCAL("word", MAY, "TEXT", "what stands in it; may be said several times"),
        LOCAL("after", MAY, "TIME", "written after: 2026, 2026-11, 2026-11-25, 2026-11-25T14:00"), LOCAL("before", MAY, "TIME", "written before"),
        LOCAL("account", MAY, "NAME", "about this account, found through the records of the data directory"), LOCAL("person", MAY, "NAME", "by this person"),
        LOCAL_TRUTH("names", "show names of the staff, from the records, in the place of their codes"), LOCAL_PLACE("dir", MAY, "DIR", "as for verify"))},
    {"audit.checkpoint", "print the last checkpoint: give it away, and compare the log with it later (verify --since)", SHELL, .takes = FIELDS(LOCAL_PLACE("dir", MAY, "DIR", "as for verify"))},
    {"audit.prove", "print a file that proves that an entry is in the log, or that the log still begins with what it had at a checkpoint", SHELL,
     .takes = FIELDS(LOCAL("since", MAY, "CHECKPOINT", "the checkpoint, in the place of an entry"), LOCAL_PLACE("entry", MAY, "N", "the entry's number, where there is no --since"), LOCAL_PLACE("dir", MAY, "DIR", "as for verify"))},
    {"audit.code", "print the alias that stands for somebody in the log", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/audit/code"), RUN(commands_audit_code),
     .takes = FIELDS(ACCOUNT(MAY, "of an account"), TEXT("person", MAY, 64, OB_LOGGED_PERSON, "NAME", "or of one of the staff")),
     .gives = FIELDS(GIVES("code", OB_FIELD_TEXT, OB_LOGGED_NEVER, "the code"))},
    {"audit.consents", "show which entries tell that an account gave or withdrew a consent", OB_EFFECT_READS, ANYWHERE, HTTP("GET", "/v1/audit/consents"),
     RUN(commands_audit_consents), .takes = FIELDS(ACCOUNT(MUST, "whose consents")), .gives = LISTS("consents", "in the order of the log")},
    {"audit.forget", "destroy the key that makes somebody's alias: then nobody can tell which entries are about them", OB_EFFECT_ERASES, ANYWHERE,
     BY(GUARDS), HTTP("POST", "/v1/audit/forget"), RUN(commands_audit_forget),
     .takes = FIELDS(ACCOUNT(MAY, "an account"), TEXT("person", MAY, 64, OB_LOGGED_PERSON, "NAME", "or one of the staff"))},
    {"audit.names", "what the staff's codes in the log stand for", OB_EFFECT_SHOWS, ANYWHERE, HTTP("GET", "/v1/audit/names"), RUN(commands_audit_names), .is_inner = true,
     .gives = FIELDS(GIVES("names", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "names by code"))},
    {"checkpoint.given", "a checkpoint was given away", OB_EFFECT_ACTS, SOCKET, RUN(commands_checkpoint_given), .is_inner = true,
     .takes = FIELDS(NUMBER("entries", MUST, 0, INT64_MAX, OB_LOGGED_PLAIN, "how many entries it is about"))},

    /* ---- Looking ---- */
    {"status", "show lists and their age, what a hit does, what is open, the last backup", OB_EFFECT_SHOWS, SOCKET, RUN(commands_status),
     .gives = FIELDS(
        GIVES("version", OB_FIELD_TEXT, OB_LOGGED_NEVER, "of the program"), GIVES("running", OB_FIELD_TRUTH, OB_LOGGED_NEVER, "whether the service runs"),
        GIVES("lists", OB_FIELD_LIST, OB_LOGGED_NEVER, "all of them, with their age"),
        GIVES("lists_unsearchable", OB_FIELD_NUMBER, OB_LOGGED_NEVER, "enabled lists that cannot be searched"),
        GIVES("listeners", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "where it can be asked"), GIVES("actions", OB_FIELD_OBJECT, OB_LOGGED_NEVER, "what a hit does"),
        GIVES("gateways", OB_FIELD_LIST, OB_LOGGED_NEVER, "all of them"), GIVES("tokens", OB_FIELD_LIST, OB_LOGGED_NEVER, "all of them"),
        GIVES("persons", OB_FIELD_LIST, OB_LOGGED_NEVER, "all of them"), GIVES("open", OB_FIELD_LIST, OB_LOGGED_NEVER, "what may be looked at"))},
    {"check", "read all that lies in the data directory, and say what is right", OB_EFFECT_SHOWS, SOCKET, RUN(commands_check),
     .takes = FIELDS(
        INNER_TRUTH("records", "all of the records, too"), LOCAL("config", MAY, "FILE", "this configuration of obhutd, too"))},
    {"hash", "print hashes and digests of pictures", SHELL,
     .takes = FIELDS(
        PLACES("files", MUST, "pictures, or directories of them"), LOCAL_TRUTH("dihedral", "with --json: the hashes of all eight ways to turn and mirror it"),
        LOCAL_TRUTH("exact", "decode fully, in colour: the published steps to the bit"),
        LOCAL("variant", MAY, "full|reference", "which pixels count: every one, or the nearest 512 x 512; else full"), LOCAL_NUMBER("threads", 1, 256, "how many work at once, 1 to 256; otherwise one for each processor"))},
    {"match", "find which hashes are on a list", SHELL,
     .takes = FIELDS(
        PLACES("hashes", MUST, "hashes and digests, or - for one a line from standard input"), LOCAL_NUMBER("distance", 0, 31, "at most so many of 256 bits differ, 0 to 31; otherwise 31"))},
    {"scan", "tell what the service would say of files", OB_EFFECT_SHOWS, SOCKET, RUN(commands_scan),
     .takes = FIELDS(
        PLACES("files", MUST, "files, or directories of them"),
        INNER_OBJECT("item", "what is said of the item, as to POST /v1/scan"),
        INNER_FILE("the file"),
        LOCAL("surface", MUST, "public|direct|group|storage", "where the service has it"),
        LOCAL("account", MAY, "NAME", "whose it is; needed everywhere but on public"),
        LOCAL("encryption", MAY, "none|transport|e2ee|e2ee_planned|e2ee_past", "of its conversation; needed everywhere but on public"),
        LOCAL("conversation", MAY, "NAME", "needed on direct and group"), LOCAL("locus", MAY, "server|disclosed", "disclosed: a participant handed it over; otherwise server"),
        LOCAL("report", MAY, "N", "the report that it belongs to"), LOCAL("notice", MAY, "N", "or the notice"),
        NUMBER("distance", MAY, 0, 31, OB_LOGGED_NEVER, "at most so many of 256 bits differ, 0 to 31; otherwise as the service has it"),
        TRUTH("exact", OB_LOGGED_NEVER, "as for hash"), INNER_TRUTH("reference", "as for hash"),
        LOCAL("variant", MAY, "full|reference", "as for hash"), LOCAL_NUMBER("threads", 1, 256, "as for hash"))},
    {"gate.explain", "explain whether a situation may be looked at, and why", SHELL,
     .takes = FIELDS(
        LOCAL_PLACE("file", MUST, "FILE", "a situation, or one on each line; - for standard input"), LOCAL_TRUTH("what_if", "also what every other law and proposal would say"),
        LOCAL("at", MAY, "TIME", "at another moment than now"), LOCAL("regime", MAY, "FILE", "a law of your own: it can be explained, never used"),
        LOCAL("lang", MAY, "en|de", "the language of the letter"))},
    {"gate.regimes", "show the laws that this release knows", SHELL},

    /* ---- Backups ---- */
    {"backup.key", "make a pair of keys: the secret one goes into a file, the public one is printed", SHELL,
     .takes = FIELDS(LOCAL("out", MUST, "FILE", "where the secret one goes; keep it where neither service nor backups are"))},
    {"backup.make", "write everything into one file, encrypted to a key of yours, while the service runs or not", OB_EFFECT_DOES, SOCKET, RUN(commands_backup_make),
     .takes = FIELDS(
        INNER_FILE("where it is written"),
        LOCAL("to", MUST, "FILE", "where it is written, or - for standard output"),
        TEXT("key", MUST, 4096, OB_LOGGED_PLAIN, "KEY", "the public key, or a file that has it"),
        TRUTH("without_lists", OB_LOGGED_NEVER, "leave the lists out"))},
    {"backup.show", "read and verify all of a backup, and show what is in it and from when", SHELL,
     .takes = FIELDS(LOCAL_PLACE("file", MUST, "FILE", "the backup, or - for standard input"), LOCAL("secret", MUST, "FILE", "the secret key"))},
    {"restore", "make a data directory from a backup", SHELL,
     .takes = FIELDS(
        LOCAL_PLACE("file", MUST, "FILE", "the backup, or - for standard input"), LOCAL("secret", MUST, "FILE", "the secret key"), LOCAL("into", MAY, "DIR", "the directory that is made; otherwise the data directory"),
        LOCAL("records", MAY, "URL", "the records go into this empty PostgreSQL database, whatever they came from"))},

    /* ---- What services ask, and everybody ---- */
    {"file.scan", "look at a file and say what to do", OB_EFFECT_SHOWS, SERVICES("POST", "/v1/scan", OB_SCOPE_SCAN, OB_ASKS_BY_ITEM, commands_file_scan),
     .takes = FIELDS(ITEM_FIELDS, BODY_FILE("the file, or the first part of multipart/form-data with one")),
     ANSWERS(.about = "what was found, or that nobody looked", .schemas = "Scan|Picture|NotScanned", .also = {429})},
    {"file.hash", "hash a file without matching it", OB_EFFECT_SHOWS, SERVICES("POST", "/v1/hash", OB_SCOPE_SCAN, OB_ASKS_BY_ITEM, commands_file_hash),
     .takes = FIELDS(ITEM_FIELDS, BODY_FILE("the file, or the first part of multipart/form-data with one")),
     ANSWERS(.about = "hashes and digests, or that nobody looked", .schemas = "Scan|Picture|NotScanned")},
    {"hash.match", "match hashes and digests that were computed elsewhere", OB_EFFECT_SHOWS, SERVICES("POST", "/v1/match", OB_SCOPE_MATCH, OB_ASKS_BY_ITEM, commands_hash_match),
     .takes = FIELDS(
        ITEM_FIELDS,
        TEXT("query", MAY, SERVICES_QUERY_TEXT - 1, OB_LOGGED_NEVER, "HASH", "64 hexadecimal digits (PDQ), or md5:…, sha1:…, sha256:…, photodna:…, tmk:…, vpdq:… (the hash itself, PhotoDNA as base64 or hexadecimal digits, or sha256: and the digits of its SHA-256)"),
        TEXTS("queries", MAY, OB_QUERIES_MAX, SERVICES_QUERY_TEXT - 1, OB_LOGGED_NEVER, "or several such texts"),
        NUMBER("limit", MAY, 1, SERVICES_LIMIT_MOST, OB_LOGGED_NEVER, "matches of each, otherwise 100; an answer has at most 16384 in all, so of many queries each gets its share, and total counts the others")),
     ANSWERS(.about = "one result, or results in the order of the queries, or that nobody looked", .schemas = "Result|Results|NotScanned")},
    {"list.names", "which lists there are", OB_EFFECT_SHOWS, SERVICES("GET", "/v1/lists", OB_SCOPE_LISTS, OB_ASKS_NEVER, commands_list_names),
     .more = "The answer has a version (ETag). A client that names it in If-None-Match gets 304 where it is still the same, and with wait only when something has changed or so many seconds have passed: a service that stores hashes of its own can ask again as soon as there is something new. An answer may come earlier, and say 304 all the same.",
     .takes = FIELDS(
        QUERY_RANGE("wait", 1, 50, OB_LOGGED_NEVER, "so many seconds it may take until something has changed; without If-None-Match nothing is waited for"),
        HEAD_TEXT("If-None-Match", NULL, OB_LOGGED_NEVER, "versions that the client has, as ETag said them")),
     .gives = LISTS("lists", "all of them"), ANSWERS(.about = "all lists", .also = {304})},
    {"report.add", "what a participant of a conversation reports", OB_EFFECT_ACTS, SERVICES("POST", "/v1/reports", OB_SCOPE_REPORTS, OB_ASKS_ALWAYS, commands_report_add),
     .more = "It opens exactly the items that it names, with locus disclosed.",
     .takes = FIELDS(
        DELIVERY, OWN_WORD("conversation", MUST, OB_LOGGED_NEVER, "in which the participant is"), OWN_WORD("reporter", MUST, OB_LOGGED_HIDDEN, "who reports"),
        ACCOUNT(MUST, "whom the report is about"), TEXTS("items", MUST, 1000, 256, OB_LOGGED_NEVER, "the items that are reported"),
        REASON(MUST, OB_LOGGED_CODE, "what the participant says")),
     .gives = FIELDS(GIVES("report", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number")), ANSWERS(.status = 201, .about = "the number of the report", .also = {429})},
    {"notice.add", "what a third party notifies (DSA Art. 16)", OB_EFFECT_ACTS, SERVICES("POST", "/v1/notices", OB_SCOPE_REPORTS, OB_ASKS_ALWAYS, commands_notice_add),
     .more = "It opens exactly the items that it names.",
     .takes = FIELDS(
        DELIVERY, OWN_WORD("reporter", MAY, OB_LOGGED_HIDDEN, "who notifies, where that is an account"), TEXTS("items", MUST, 1000, 256, OB_LOGGED_NEVER, "the items that the notice names"),
        REASON(MUST, OB_LOGGED_NEVER, "what the third party says")),
     .gives = FIELDS(GIVES("notice", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "its number")), ANSWERS(.status = 201, .about = "the number of the notice", .also = {429})},
    {"members.set", "who is in a conversation, and who consents", OB_EFFECT_ACTS, SERVICES("PUT", "/v1/conversations/{id}/members", OB_SCOPE_CONSENTS, OB_ASKS_ALWAYS, commands_members_set),
     .more = "All members at once: they replace those that were known. Consent counts only where all of them consent and it is free, that is, no condition of using the service.",
     .takes = FIELDS(
        CONVERSATION, NO_DELIVERY, OBJECTS("members", MUST, 10000, OB_LOGGED_HIDDEN, member, "all members"),
        TRUTH("free", OB_LOGGED_NEVER, "to consent is no condition of using the service"),
        WORD("protected", MAY, OB_LOGGED_NEVER, "yes|no|unknown", "somebody in it must keep secrets by profession; otherwise no"),
        WORD("child_user", MAY, OB_LOGGED_NEVER, "yes|no|unknown", "a child is in it; otherwise unknown")),
     .gives = DONE_GIVES, ANSWERS(.about = "it counts for the next item", .also = {429})},
    {"members.remove", "the conversation is no more, nor are its consents", OB_EFFECT_ACTS,
     SERVICES("DELETE", "/v1/conversations/{id}/members", OB_SCOPE_CONSENTS, OB_ASKS_ALWAYS, commands_members_remove),
     .takes = FIELDS(CONVERSATION, NO_DELIVERY), .gives = DONE_GIVES, ANSWERS(.about = "it counts for the next item")},
    {"consents.withdraw", "an account withdraws its consent everywhere", OB_EFFECT_ACTS,
     SERVICES("DELETE", "/v1/accounts/{id}/consents", OB_SCOPE_CONSENTS, OB_ASKS_ALWAYS, commands_consents_withdraw),
     .takes = FIELDS(PLACE("id", 256, OB_LOGGED_ABOUT, "the account, as the service names it"), NO_DELIVERY),
     .gives = FIELDS(GIVES("conversations", OB_FIELD_NUMBER, OB_LOGGED_PLAIN, "in which it consented")), ANSWERS(.about = "it counts for the next item")},
    {"situation.explain", "whether something may be looked at, and why", OB_EFFECT_SHOWS, SERVICES("POST", "/v1/gate/explain", OB_TOKEN_ANY, OB_ASKS_NEVER, commands_situation_explain),
     .more = "Answers for a situation, or for a list of them, as docs/GATE.md describes them. Hypothetical: nothing is looked at and nothing is permitted.",
     .takes = FIELDS(
        QUERY_TIME("at", OB_LOGGED_NEVER, "another moment: 2028-04-03T20:00:00Z"), QUERY_TRUTH("what_if", OB_LOGGED_NEVER, "what every other regime would say, too"),
        BODY_ANY("situation", 1000, "a situation, or several")),
     ANSWERS(.about = "one answer, or answers in the order of the situations", .schemas = "Explanation|Explanations")},
    {"regime.ls", "the laws that this release knows", OB_EFFECT_SHOWS, SERVICES("GET", "/v1/gate/regimes", OB_TOKEN_ANY, OB_ASKS_NEVER, commands_regime_ls),
     ANSWERS(.about = "dates, states, digests, days left", .schemas = "Regimes")},
    {"ready", "whether the service can look, and what holds its workers", OB_EFFECT_SHOWS, SERVICES("GET", "/readyz", OB_TOKEN_NONE, OB_ASKS_NEVER, commands_ready),
     ANSWERS(.about = "it can", .schemas = "Ready", .could_not = "NotReady", .takes_any_query = true)},
    {"metrics", "counters, as Prometheus reads them", OB_EFFECT_SHOWS, SERVICES("GET", "/metrics", OB_TOKEN_ANY, OB_ASKS_ALWAYS, commands_metrics),
     .more = "Made at most once a second.", ANSWERS(.about = "counters", .type = "text/plain", .takes_any_query = true)},
    {"page", "what is being looked at and what is not, for people (HTML)", OB_EFFECT_SHOWS, PUBLIC("GET", "/transparency", OB_ASKS_ALWAYS, commands_page),
     .more = "Made at most once a second; counts may be about two seconds behind. On this listener 404, 405 and 503 are a page for people, in German or English, unless Accept prefers JSON: then they are problems as everywhere.",
     .takes = FIELDS(QUERY_TEXT("lang", 0, 256, NULL, OB_LOGGED_NEVER, "de, or en; otherwise as Accept-Language says")),
     ANSWERS(.about = "the page", .type = "text/html", .could_not = "PageCouldNot")},
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof *rows };

const ob_command *ob_command_at(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}
