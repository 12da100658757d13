/* gate: who may be looked at. A situation goes in; a permit or a denial with its first reason comes
 * out. Pure: no I/O, no clock, no memory of its own.
 *
 * The gate computes the smallest of four ceilings: the law (a regime, handed in as data), the floor
 * (Obhut's own, in floor.c: no law, policy or consent opens what it closes), the policy of the
 * service, and the consent of the people concerned. docs/GATE.md explains it; the words of this
 * header are those of the API, the records and the documentation. */
#ifndef OBHUT_GATE_H
#define OBHUT_GATE_H

#include <obhut/base.h>

/* ---- Words: every enum has names, in this order; *_COUNT is no value ------------------------- */

typedef enum ob_mode { OB_MODE_PRODUCTION, OB_MODE_EXPLAIN, OB_MODE_COUNT } ob_mode;

typedef enum ob_service_kind {
    OB_SERVICE_INTERPERSONAL, /* number-independent interpersonal communications */
    OB_SERVICE_HOSTING,
    OB_SERVICE_NUMBER_BASED,
    OB_SERVICE_COUNT,
} ob_service_kind;

typedef enum ob_media {
    OB_MEDIA_IMAGE,
    OB_MEDIA_VIDEO,
    OB_MEDIA_TEXT,
    OB_MEDIA_AUDIO,
    OB_MEDIA_LIVE,
    OB_MEDIA_METADATA,
    OB_MEDIA_COUNT,
} ob_media;

/* Where a service has an item. */
typedef enum ob_surface {
    OB_SURFACE_DIRECT,  /* between two people */
    OB_SURFACE_GROUP,   /* among the members of a closed group */
    OB_SURFACE_PUBLIC,  /* everybody may see it */
    OB_SURFACE_STORAGE, /* kept by one account for itself */
    OB_SURFACES,
} ob_surface;

typedef enum ob_encryption {
    OB_ENCRYPTION_NONE,
    OB_ENCRYPTION_TRANSPORT,
    OB_ENCRYPTION_E2EE,
    OB_ENCRYPTION_E2EE_PLANNED,
    OB_ENCRYPTION_E2EE_PAST,
    OB_ENCRYPTION_COUNT,
} ob_encryption;

typedef enum ob_locus {
    OB_LOCUS_SERVER,
    OB_LOCUS_DEVICE,
    OB_LOCUS_DISCLOSED, /* a participant has handed it over by an own act */
    OB_LOCUS_COUNT,
} ob_locus;

/* What is looked for. */
typedef enum ob_material {
    OB_MATERIAL_KNOWN,    /* lists of known material */
    OB_MATERIAL_NEW,      /* models for material that is on no list */
    OB_MATERIAL_GROOMING, /* models for text */
    OB_MATERIAL_OTHER,
    OB_MATERIALS,
} ob_material;

typedef enum ob_basis {
    OB_BASIS_NONE,
    OB_BASIS_PUBLIC,
    OB_BASIS_REPORT,
    OB_BASIS_NOTICE,
    OB_BASIS_CONSENT,
    OB_BASIS_OWN_IMAGE,
    OB_BASIS_ORDER,
    OB_BASIS_VOLUNTARY,
    OB_BASIS_COUNT,
} ob_basis;

/* What looks. Each detector has a number, its place in a table of the program (obhut/regimes.h), a
 * state and a measured error of its own. The gate knows no more of it. */
typedef unsigned ob_detector;
enum { OB_DETECTORS_MOST = 8 };

/* A detector's life. */
typedef enum ob_detector_state {
    OB_STATE_UNTESTED,
    OB_STATE_TRIAL,
    OB_STATE_ON,
    OB_STATE_SUSPENDED,
    OB_STATE_COUNT,
} ob_detector_state;

/* What the derogations demand before anything is looked at; the last three for grooming only. */
typedef enum ob_safeguard {
    OB_SAFEGUARD_IMPACT_ASSESSMENT,
    OB_SAFEGUARD_PRIOR_CONSULTATION,
    OB_SAFEGUARD_INTERNAL_PROCEDURES,
    OB_SAFEGUARD_HUMAN_REVIEWERS,
    OB_SAFEGUARD_REDRESS_CHANNEL,
    OB_SAFEGUARD_USER_INFORMATION_PUBLISHED,
    OB_SAFEGUARD_ERROR_MEASUREMENT,
    OB_SAFEGUARD_RETENTION_RULE,
    OB_SAFEGUARD_AUTHORITY_ADVICE_FOLLOWED,
    OB_SAFEGUARD_KEY_INDICATORS,
    OB_SAFEGUARD_AGE_DIFFERENCE_FACTOR,
    OB_SAFEGUARD_COUNT,
} ob_safeguard;

/* Why not; in the order of evaluation, so that the first that holds is the reason. */
typedef enum ob_reason {
    OB_ALLOWED,
    OB_INPUT_INCOMPLETE,
    OB_CLOCK,
    OB_NO_AUDIT,
    OB_PURPOSE_LIMIT,
    OB_FLOOR_MEDIA,
    OB_FLOOR_DEVICE,
    OB_FLOOR_E2EE_SERVER,
    OB_FLOOR_UNTARGETED,
    OB_FLOOR_NOT_JUDICIAL,
    OB_FLOOR_SUSPICIONLESS,
    OB_FLOOR_KNOWN_ONLY,
    OB_FLOOR_STORAGE,
    OB_PROFESSIONAL_SECRECY,
    OB_REGIME_UNKNOWN,
    OB_REGIME_NOT_IN_FORCE,
    OB_REGIME_NOT_YET,
    OB_REGIME_EXPIRED,
    OB_OUT_OF_SCOPE,
    OB_NO_BASIS,
    OB_CONSENT_INCOMPLETE,
    OB_REPORT_SCOPE,
    OB_ORDER_UNAUTHENTICATED,
    OB_ORDER_DEFECTIVE,
    OB_NOT_JUDICIAL,
    OB_NOT_ORDERABLE,
    OB_NO_CHILD_USER,
    OB_ORDER_SUSPENDED,
    OB_ORDER_WINDOW,
    OB_ORDER_SCOPE,
    OB_NOT_TARGETED,
    OB_EVIDENCE_OTHER_REGIME,
    OB_SAFEGUARD_MISSING,
    OB_SAFEGUARD_OUTDATED,
    OB_REPORT_OVERDUE,
    OB_DETECTOR_UNVERIFIED,
    OB_SUBSTANCE_DEDUCTION,
    OB_DETECTOR_SUSPENDED,
    OB_ERROR_UNMEASURED,
    OB_LIST_UNTRUSTED,
    OB_POLICY_OFF, /* "POLICY" */
    OB_REASON_COUNT,
} ob_reason;

typedef enum ob_ceiling {
    OB_CEILING_NONE,
    OB_CEILING_LAW,
    OB_CEILING_FLOOR,
    OB_CEILING_POLICY,
    OB_CEILING_CONSENT,
    OB_CEILING_COUNT,
} ob_ceiling;

typedef enum ob_referral {
    OB_REFERRAL_NEVER,
    OB_REFERRAL_AFTER_HUMAN,
    OB_REFERRAL_COUNT
} ob_referral;

/* Kinds of words. */
typedef enum ob_word {
    OB_WORD_MODE,
    OB_WORD_SERVICE_KIND,
    OB_WORD_MEDIA,
    OB_WORD_SURFACE,
    OB_WORD_ENCRYPTION,
    OB_WORD_LOCUS,
    OB_WORD_MATERIAL,
    OB_WORD_BASIS,
    OB_WORD_STATE,
    OB_WORD_SAFEGUARD,
    OB_WORD_REASON,
    OB_WORD_CEILING,
    OB_WORD_REFERRAL,
    OB_WORDS,
} ob_word;

/* Returns the name of value number `value`; NULL beyond the last. The text is a constant. */
const char *ob_word_name(ob_word word, unsigned value);

/* Sets *out to the value of this name; returns false, and leaves *out untouched, where no value has
 * it. */
bool ob_word_parse(unsigned *out, ob_word word, const char *name);

/* Returns the name of a surface, as ob_word_name does. */
const char *ob_surface_name(ob_surface surface);
/* Sets *out to the surface of this name; returns false, and leaves *out untouched, where no surface
 * has it. */
bool ob_surface_parse(ob_surface *out, const char *name);
/* Returns the name of a reason, as ob_word_name does. */
const char *ob_reason_name(ob_reason reason);

/* What a reason says to a person, one or two calm sentences; `names` (or "") is what is missing. */
typedef enum ob_language { OB_ENGLISH, OB_GERMAN, OB_LANGUAGES } ob_language;
/* Returns what a reason means, in one or two calm sentences for the person concerned. The text is a
 * constant. */
const char *ob_reason_text(ob_reason reason, ob_language language);
/* Returns the ceiling that a reason belongs to; OB_CEILING_NONE for OB_ALLOWED and for reasons
 * outside the four ceilings. */
ob_ceiling ob_reason_ceiling(ob_reason reason);

/* Says whether a reason means that scanning is impossible now (the clock, the log) and not that it
 * is forbidden. */
bool ob_reason_is_operational(ob_reason reason);

/* ---- Time ------------------------------------------------------------------------------------ */

/* Reads an instant of exactly the form "2026-11-02T12:00:00Z" as seconds since 1970. Returns false,
 * and leaves *out untouched, for anything else. */
bool ob_time_parse(int64_t *out, const char *text);
enum { OB_TIME_TEXT = 20 };
/* Writes an instant in the form that ob_time_parse reads. */
void ob_time_print(char out[OB_TIME_TEXT + 1], int64_t at);

/* Returns the same day and time so many calendar months later; where that month is shorter, its
 * last day. */
int64_t ob_time_add_months(int64_t at, unsigned months);
/* Returns the calendar year (UTC) of an instant. */
int ob_time_year(int64_t at);

/* ---- Regimes --------------------------------------------------------------------------------- */

typedef enum ob_regime_kind {
    OB_REGIME_RULE,
    OB_REGIME_DEROGATION,
    OB_REGIME_PROPOSAL
} ob_regime_kind;
typedef enum ob_regime_status {
    OB_STATUS_IN_FORCE, /* between its dates */
    OB_STATUS_PROPOSAL,
    OB_STATUS_UNVERIFIED,
} ob_regime_status;

/* What a rule says of a detector. */
typedef enum ob_permission {
    OB_PERMISSION_NO,
    OB_PERMISSION_YES,
    OB_PERMISSION_UNVERIFIED
} ob_permission;

/* The rules of a law, from data/regimes/ID.json. Masks: bit v is value v. */
typedef struct ob_regime {
    const char *id, *title, *title_de; /* title_de: empty or NULL where it has none */
    ob_regime_kind kind;
    ob_regime_status status;
    int64_t from, until; /* half open; INT64_MIN, INT64_MAX: no such date */
    const char *dates_article;
    const char *countries; /* "AT BE …": two letters each; "" */
    const char *displaces; /* the id of the rule that a derogation displaces; "" */

    uint32_t services, surfaces, encryptions;
    const char *scope_article;

    uint32_t bases;
    const char *basis_article[OB_BASIS_COUNT];
    ob_permission detectors[OB_MATERIALS];
    const char *detector_article[OB_MATERIALS];

    /* Orders. */
    bool court_only;
    uint32_t orderable;                 /* detectors */
    unsigned months_most[OB_MATERIALS]; /* 0: no limit is known */
    unsigned months_before;             /* between receipt and start */
    bool grooming_needs_child;
    const char *order_article;

    /* What must be recorded before the provider's own initiative. */
    bool evidence_needed;
    uint32_t safeguards, safeguards_grooming;
    const char *safeguard_article[OB_SAFEGUARD_COUNT];
    bool annual_report;
    const char *report_article;

    /* Of what was found: how long it may be kept at most, and how long what was reported must be;
     * in months, 0: not said. */
    unsigned retention_months, retention_least_months;
    const char *retention_article;
    uint8_t digest[32]; /* SHA-256 of the file */
} ob_regime;

/* Returns the title of a law in a language, or in English where it has none in that language. The
 * text belongs to the regime. */
const char *ob_regime_title(const ob_regime *regime, ob_language language);

typedef struct ob_regimes {
    const ob_regime *regime;
    size_t count;
} ob_regimes;

/* Returns the regime of this id, which belongs to `regimes`; NULL where there is none. */
const ob_regime *ob_regime_find(const ob_regimes *regimes, const char *id);

/* ---- Situations ------------------------------------------------------------------------------ */

/* Texts in a row, each with its NUL. */
typedef struct ob_texts {
    const char *first;
    size_t count;
} ob_texts;

/* Everything that counts for one item, one detector, one basis and one regime. Texts are the
 * caller's. A record that is not `present` is absent; one that is `garbled` fails its own reason.
 */
typedef struct ob_situation {
    const char *incomplete; /* not NULL: which fact is missing, wrong or unknown */

    ob_mode mode;
    int64_t at;
    const char *regime;
    ob_service_kind service_kind;
    const char *service_name; /* "" */
    const char *item, *account;
    ob_media media;
    ob_surface surface;
    ob_encryption encryption;
    ob_locus locus;
    bool is_hash; /* the item is a hash that somebody has computed */
    ob_material detector;
    ob_basis basis;
    bool is_protected, child_user;
    ob_detector_state detector_state;
    bool clock_ok, audit_ok;
    uint32_t policy_bases, policy_detectors, policy_surfaces;
    bool list_trusted, list_csam;
    bool output_is_patterns;

    struct ob_cause_facts {
        bool present, garbled, ground_ok, confirmed;
        const char *id, *account; /* account NULL: none */
        int64_t from, until;
    } cause;
    struct ob_consent_facts {
        bool present, garbled, by_account, by_all, free;
    } consent;
    struct ob_report_facts {
        bool present, garbled, by_participant;
        ob_texts items;
    } report, notice;
    struct ob_order_facts {
        bool present, garbled;
        bool authenticated, judicial, valid, halfway_fine, names_professional;
        bool everybody; /* accounts are "all" */
        const char *id, *issuer, *service, *reasons, *legal_basis, *redress; /* NULL: missing */
        bool has_detectors, has_accounts, has_received, has_start, has_end;
        uint32_t detectors;
        ob_texts accounts;
        int64_t received, start, end;
    } order;
    struct ob_safeguard_facts {
        bool present, garbled, assessment_current;
        const char *regime; /* NULL: none */
        uint32_t recorded;
        int64_t last_annual_report; /* a year; 0: none */
    } safeguards;
} ob_situation;

/* ---- From facts to a situation --------------------------------------------------------------- */

/* Situations from outside come as facts: the members of a JSON object, added one after the other by
 * the code that reads JSON. All checks are here, so that every reader answers the same. */
typedef enum ob_fact_kind {
    OB_FACT_TEXT,
    OB_FACT_NUMBER, /* a whole one */
    OB_FACT_TRUE,
    OB_FACT_FALSE,
    OB_FACT_OBJECT, /* an object begins; its leaves follow */
    OB_FACT_ARRAY,  /* an array begins; its elements follow, with the same path */
    OB_FACT_OTHER,  /* anything else; null is no fact at all */
} ob_fact_kind;

typedef struct ob_facts {
    ob_situation situation;
    uint64_t seen; /* which facts that are always needed were there */
    unsigned list_seen;
    size_t array; /* the one that was begun last */
    char unknown[80];
    char *memory; /* for texts, of the caller */
    size_t size, used;
} ob_facts;

/* Starts with an empty situation. `memory` takes all texts and must outlive the situation; as many
 * bytes as the JSON has are enough. */
void ob_facts_begin(ob_facts *facts, char *memory, size_t size);

/* Adds one fact: for example "item.surface", OB_FACT_TEXT, "direct". An object or array is added
 * before its members or elements. */
void ob_facts_add(ob_facts *facts, const char *path, ob_fact_kind kind, const char *text,
                  int64_t number);

/* Completes facts->situation: its `incomplete` names the first fact that is missing, wrong or
 * unknown. */
void ob_facts_end(ob_facts *facts);

/* ---- The decision ---------------------------------------------------------------------------- */

typedef struct ob_gate_decision {
    bool allow;
    ob_reason reason;
    const char
        *names; /* of OB_ORDER_DEFECTIVE, OB_SAFEGUARD_…, OB_INPUT_INCOMPLETE: which; or "" */
    bool clarification; /* the sender of a defective order may be asked; never an unverified one */
    ob_ceiling ceiling; /* that stopped it */
    ob_referral referral;
    const ob_regime *regime; /* NULL: unknown */
    ob_basis basis;
    const char *article; /* of the regime or the floor, that decides */
    int64_t expires;     /* of an allow: the least of three minutes, regime, order, cause */
    bool law_allow;      /* what the regime alone, without Obhut's floor, would answer */
    ob_reason law_reason;
    const char *law_names;
} ob_gate_decision;

enum { OB_PERMIT_SECONDS = 180, OB_CAUSE_SECONDS = 30 * 86400 };

/* Decides whether a situation permits scanning. Deterministic, and safe from any thread. The texts
 * of the answer belong to `situation`, `regimes` or the program. */
ob_gate_decision ob_gate_decide(const ob_situation *situation, const ob_regimes *regimes);

/* Says whether reason `a` got further in the order of evaluation than the other; OB_ALLOWED is the
 * furthest. */
static inline bool ob_reason_is_further(ob_reason a, ob_reason than)
{
    return a == OB_ALLOWED ? than != OB_ALLOWED : than != OB_ALLOWED && a > than;
}

#endif
