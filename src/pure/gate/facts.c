/* From the members of a JSON object to a situation: every fact is known, of its type and in its
 * list of values, or the situation is incomplete. Records (cause, consent, report, notice, order,
 * safeguards, detector_output) never make it so: they are garbled, and fail their own reason. */
#include "gate_priv.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- Texts ----------------------------------------------------------------------------------- */

static const char *store_text(ob_facts *f, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > f->size - f->used)
        return NULL;
    char *stored = f->memory + f->used;
    memcpy(stored, text, size);
    f->used += size;
    return stored;
}

static bool append(ob_facts *f, ob_texts *texts, const char *text)
{
    const char *stored = store_text(f, text);
    if (stored && !texts->count)
        texts->first = stored;
    texts->count += stored != NULL;
    return stored != NULL;
}

/* ---- What a fact can be ---------------------------------------------------------------------- */

/* One fact that is being added. */
typedef struct fact {
    ob_facts *f;
    ob_situation *s;
    ob_fact_kind kind;
    const char *text;
    int64_t number;
    bool in_array; /* an element of the array that was begun last */
} fact;

typedef enum record { NONE, CAUSE, CONSENT, REPORT, NOTICE, ORDER, SAFEGUARDS } record;

typedef enum takes {
    TAKES_OBJECT, /* an object; `has` is set where it is a record */
    TAKES_TEXT,
    TAKES_NAME,  /* a text that is not empty */
    TAKES_WORD,  /* a value of `word` */
    TAKES_SET,   /* an array of such values, as bits */
    TAKES_TEXTS, /* an array of texts */
    TAKES_TIME,
    TAKES_TRUTH,
    TAKES_FLAG, /* a text: true where `yes` names it, else `no` does, or is "*": any text */
    TAKES_OWN,  /* what the row's function says */
} takes;

/* A row for each fact: where its value goes, as an offset in ob_situation. */
typedef struct row {
    const char *path;
    takes takes;
    size_t to;
    ob_word word;
    const char *yes, *no; /* words between spaces */
    bool needed;          /* by every situation */
    record of;
    size_t has; /* a flag that is set as well; 0: none */
    bool (*own)(fact *x);
} row;

static bool is_text(const fact *x)
{
    return x->kind == OB_FACT_TEXT;
}

static bool take_word(unsigned *out, const fact *x, ob_word word)
{
    return is_text(x) && ob_word_parse(out, word, x->text);
}

/* One element of an array of words, or the array itself, which empties the set. */
static bool take_set(uint32_t *set, const fact *x, ob_word word)
{
    unsigned value;
    if (x->kind == OB_FACT_ARRAY) {
        *set = 0;
        return true;
    }
    if (!x->in_array || !take_word(&value, x, word))
        return false;
    *set |= UINT32_C(1) << value;
    return true;
}

static bool take_texts(ob_texts *texts, const fact *x)
{
    if (x->kind == OB_FACT_ARRAY) {
        *texts = (ob_texts){0};
        return true;
    }
    return x->in_array && is_text(x) && append(x->f, texts, x->text);
}

static bool take_text(const char **out, const fact *x)
{
    *out = is_text(x) ? store_text(x->f, x->text) : NULL;
    return *out != NULL;
}

static bool take_truth(bool *out, const fact *x)
{
    *out = x->kind == OB_FACT_TRUE;
    return x->kind == OB_FACT_TRUE || x->kind == OB_FACT_FALSE;
}

static bool is_one_of(const char *words, const char *text)
{
    const size_t length = strlen(text);
    for (const char *word = words; *word; word += strspn(word, " ")) {
        const size_t size = strcspn(word, " ");
        if (size == length && !memcmp(word, text, size))
            return true;
        word += size;
    }
    return false;
}

static bool take_flag(bool *out, const fact *x, const row *r)
{
    *out = is_text(x) && is_one_of(r->yes, x->text);
    return is_text(x) && (*out || !strcmp(r->no, "*") || is_one_of(r->no, x->text));
}

/* ---- Facts that are like no other ------------------------------------------------------------ */

static bool set_participants(fact *x)
{
    return x->kind == OB_FACT_NUMBER && x->number >= 0;
}

static bool set_list_trust(fact *x)
{
    x->f->list_seen |= is_text(x) ? 1 : 0;
    x->s->list_trusted = is_text(x) && is_one_of("signed by_hand", x->text);
    return is_text(x);
}

static bool set_list_purpose(fact *x)
{
    x->f->list_seen |= is_text(x) ? 2 : 0;
    x->s->list_csam = is_text(x) && !strcmp(x->text, "csam");
    return is_text(x);
}

static bool set_cause_confirmed(fact *x)
{
    x->s->cause.confirmed = is_text(x) && *x->text;
    return x->s->cause.confirmed;
}

static bool set_consent_by(fact *x)
{
    x->s->consent.by_account = is_text(x) && !strcmp(x->text, "account");
    x->s->consent.by_all = is_text(x) && !strcmp(x->text, "all_participants");
    return is_text(x);
}

static bool set_order_accounts(fact *x)
{
    struct ob_order_facts *order = &x->s->order;
    if (!x->in_array && is_text(x)) {
        order->everybody = !strcmp(x->text, "all");
        return order->everybody;
    }
    order->has_accounts = true;
    return take_texts(&order->accounts, x);
}

static bool set_annual_report(fact *x)
{
    x->s->safeguards.last_annual_report = x->number;
    return x->kind == OB_FACT_NUMBER;
}

static bool set_output(fact *x)
{
    x->s->output_is_patterns = is_text(x) && !strcmp(x->text, "patterns");
    return true; /* whatever else it is: not patterns */
}

/* ---- All facts ------------------------------------------------------------------------------- */

#define GROUP           TAKES_OBJECT, .to = 0
#define TO(field)       .to = offsetof(ob_situation, field)
#define HAS(field)      .has = offsetof(ob_situation, field)
#define WORD(field, of) TAKES_WORD, TO(field), .word = of
#define SET(field, of)  TAKES_SET, TO(field), .word = of
#define OWN(function)   TAKES_OWN, .own = function

static const row all[] = {
    {"mode", WORD(mode, OB_WORD_MODE), .needed = true},
    {"at", TAKES_TIME, TO(at), .needed = true},
    {"regime", TAKES_TEXT, TO(regime), .needed = true},
    {"service", GROUP},
    {"service.kind", WORD(service_kind, OB_WORD_SERVICE_KIND), .needed = true},
    {"service.name", TAKES_TEXT, TO(service_name)},
    {"item", GROUP},
    {"item.id", TAKES_NAME, TO(item), .needed = true},
    {"item.account", TAKES_NAME, TO(account), .needed = true},
    {"item.media", WORD(media, OB_WORD_MEDIA), .needed = true},
    {"item.surface", WORD(surface, OB_WORD_SURFACE), .needed = true},
    {"item.encryption", WORD(encryption, OB_WORD_ENCRYPTION), .needed = true},
    {"item.locus", WORD(locus, OB_WORD_LOCUS), .needed = true},
    {"item.form", TAKES_FLAG, TO(is_hash), .yes = "hash", .no = "bytes"},
    {"detector", WORD(detector, OB_WORD_MATERIAL), .needed = true},
    {"basis", WORD(basis, OB_WORD_BASIS), .needed = true},
    {"conversation", GROUP},
    {"conversation.protected", TAKES_FLAG, TO(is_protected), .yes = "yes", .no = "no",
     .needed = true},
    {"conversation.child_user", TAKES_FLAG, TO(child_user), .yes = "yes", .no = "no unknown"},
    {"conversation.participants", OWN(set_participants)},
    {"detector_health", GROUP},
    {"detector_health.state", WORD(detector_state, OB_WORD_STATE), .needed = true},
    {"host", GROUP},
    {"host.clock", TAKES_FLAG, TO(clock_ok), .yes = "ok", .no = "*", .needed = true},
    {"host.audit", TAKES_FLAG, TO(audit_ok), .yes = "ok", .no = "*", .needed = true},
    {"policy", GROUP},
    {"policy.bases", SET(policy_bases, OB_WORD_BASIS), .needed = true},
    {"policy.detectors", SET(policy_detectors, OB_WORD_MATERIAL), .needed = true},
    {"policy.surfaces", SET(policy_surfaces, OB_WORD_SURFACE), .needed = true},
    {"list", GROUP},
    {"list.trust", OWN(set_list_trust)},
    {"list.purpose", OWN(set_list_purpose)},
    {"cause", TAKES_OBJECT, HAS(cause.present), .of = CAUSE},
    {"cause.id", TAKES_TEXT, TO(cause.id), .of = CAUSE},
    {"cause.account", TAKES_TEXT, TO(cause.account), .of = CAUSE},
    {"cause.ground", TAKES_FLAG, TO(cause.ground_ok), .yes = "confirmed_verdict participant_report",
     .no = "", .of = CAUSE},
    {"cause.confirmed_by", OWN(set_cause_confirmed), .of = CAUSE},
    {"cause.from", TAKES_TIME, TO(cause.from), .of = CAUSE},
    {"cause.until", TAKES_TIME, TO(cause.until), .of = CAUSE},
    {"consent", TAKES_OBJECT, HAS(consent.present), .of = CONSENT},
    {"consent.by", OWN(set_consent_by), .of = CONSENT},
    {"consent.free", TAKES_TRUTH, TO(consent.free), .of = CONSENT},
    {"report", TAKES_OBJECT, HAS(report.present), .of = REPORT},
    {"report.by", TAKES_FLAG, TO(report.by_participant), .yes = "participant", .no = "*",
     .of = REPORT},
    {"report.items", TAKES_TEXTS, TO(report.items), .of = REPORT},
    {"notice", TAKES_OBJECT, HAS(notice.present), .of = NOTICE},
    {"notice.items", TAKES_TEXTS, TO(notice.items), .of = NOTICE},
    {"order", TAKES_OBJECT, HAS(order.present), .of = ORDER},
    {"order.id", TAKES_TEXT, TO(order.id), .of = ORDER},
    {"order.issuer", TAKES_TEXT, TO(order.issuer), .of = ORDER},
    {"order.issuer_kind", TAKES_FLAG, TO(order.judicial), .yes = "judicial", .no = "*",
     .of = ORDER},
    {"order.authenticated", TAKES_TRUTH, TO(order.authenticated), .of = ORDER},
    {"order.service", TAKES_TEXT, TO(order.service), .of = ORDER},
    {"order.detectors", SET(order.detectors, OB_WORD_MATERIAL), HAS(order.has_detectors),
     .of = ORDER},
    {"order.accounts", OWN(set_order_accounts), .of = ORDER},
    {"order.received", TAKES_TIME, TO(order.received), HAS(order.has_received), .of = ORDER},
    {"order.start", TAKES_TIME, TO(order.start), HAS(order.has_start), .of = ORDER},
    {"order.end", TAKES_TIME, TO(order.end), HAS(order.has_end), .of = ORDER},
    {"order.reasons", TAKES_TEXT, TO(order.reasons), .of = ORDER},
    {"order.legal_basis", TAKES_TEXT, TO(order.legal_basis), .of = ORDER},
    {"order.redress", TAKES_TEXT, TO(order.redress), .of = ORDER},
    {"order.state", TAKES_FLAG, TO(order.valid), .yes = "valid", .no = "*", .of = ORDER},
    {"order.halfway_report", TAKES_FLAG, TO(order.halfway_fine), .yes = "not_due done", .no = "*",
     .of = ORDER},
    {"order.names_professional", TAKES_TRUTH, TO(order.names_professional), .of = ORDER},
    {"safeguards", TAKES_OBJECT, HAS(safeguards.present), .of = SAFEGUARDS},
    {"safeguards.regime", TAKES_TEXT, TO(safeguards.regime), .of = SAFEGUARDS},
    {"safeguards.recorded", SET(safeguards.recorded, OB_WORD_SAFEGUARD), .of = SAFEGUARDS},
    {"safeguards.assessment_current", TAKES_TRUTH, TO(safeguards.assessment_current),
     .of = SAFEGUARDS},
    {"safeguards.last_annual_report", OWN(set_annual_report), .of = SAFEGUARDS},
    {"detector_output", OWN(set_output)},
};

/* Words are enums, which the table writes as what they are represented by. */
_Static_assert(sizeof(ob_mode) == sizeof(unsigned) && sizeof(ob_surface) == sizeof(unsigned),
               "a word of the gate is as large as unsigned");

static bool set_word(void *to, const fact *x, ob_word word)
{
    unsigned value;
    if (!take_word(&value, x, word))
        return false;
    memcpy(to, &value, sizeof value);
    return true;
}

static bool set_value(const row *r, fact *x)
{
    void *to = (char *)x->s + r->to;
    switch (r->takes) {
    case TAKES_OBJECT:
        return x->kind == OB_FACT_OBJECT;
    case TAKES_TEXT:
        return take_text(to, x);
    case TAKES_NAME:
        return take_text(to, x) && *x->text;
    case TAKES_WORD:
        return set_word(to, x, r->word);
    case TAKES_SET:
        return take_set(to, x, r->word);
    case TAKES_TEXTS:
        return take_texts(to, x);
    case TAKES_TIME:
        return is_text(x) && ob_time_parse(to, x->text);
    case TAKES_TRUTH:
        return take_truth(to, x);
    case TAKES_FLAG:
        return take_flag(to, x, r);
    case TAKES_OWN:
        return r->own(x);
    }
    return false;
}

/* Times say whether they are there; records and sets are there whatever is in them. */
static bool set_fact(const row *r, fact *x)
{
    const bool fine = set_value(r, x);
    if (r->has)
        *(bool *)((char *)x->s + r->has) = fine || r->takes != TAKES_TIME;
    return fine;
}

enum { FACTS = sizeof all / sizeof *all };

size_t facts_needed_below(void)
{
    size_t below = 0;
    for (size_t i = 0; i < FACTS; i++)
        if (all[i].needed)
            below = i + 1;
    return below;
}

/* The part of a path before the dot names a record, even where what follows is unknown. */
static record record_of(const char *path)
{
    static const struct {
        const char *name;
        record of;
    } records[] = {{"cause", CAUSE},   {"consent", CONSENT}, {"report", REPORT},
                   {"notice", NOTICE}, {"order", ORDER},     {"safeguards", SAFEGUARDS}};
    size_t length = strcspn(path, ".");
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        if (strlen(records[i].name) == length && !strncmp(path, records[i].name, length))
            return records[i].of;
    return NONE;
}

static void garble(ob_situation *s, record of)
{
    bool *const flags[] = {[CAUSE] = &s->cause.garbled,   [CONSENT] = &s->consent.garbled,
                           [REPORT] = &s->report.garbled, [NOTICE] = &s->notice.garbled,
                           [ORDER] = &s->order.garbled,   [SAFEGUARDS] = &s->safeguards.garbled};
    *flags[of] = true;
}

void ob_facts_begin(ob_facts *f, char *memory, size_t size)
{
    *f = (ob_facts){.memory = memory,
                    .size = size,
                    .situation = {.service_name = "", .output_is_patterns = true}};
}

void ob_facts_add(ob_facts *f, const char *path, ob_fact_kind kind, const char *text,
                  int64_t number)
{
    fact x = {.f = f, .s = &f->situation, .kind = kind, .text = text ? text : "", .number = number};
    for (size_t i = 0; i < FACTS; i++) {
        if (strcmp(all[i].path, path))
            continue;
        if (kind == OB_FACT_ARRAY)
            f->array = i + 1;
        x.in_array = f->array == i + 1;
        bool fine = set_fact(&all[i], &x);
        if (!fine && all[i].of)
            garble(x.s, all[i].of);
        else if (!fine && !x.s->incomplete)
            x.s->incomplete = all[i].path;
        if (fine && all[i].needed) /* these have numbers below 64: facts_needed_below */
            f->seen |= UINT64_C(1) << i;
        return;
    }
    record of = record_of(path);
    if (of) {
        garble(x.s, of);
    } else if (!x.s->incomplete) {
        snprintf(f->unknown, sizeof f->unknown, "%s", path);
        for (char *p = f->unknown; *p; p++) /* it is repeated to people */
            *p = (*p >= 'a' && *p <= 'z') || *p == '.' || *p == '_' ? *p : '?';
        x.s->incomplete = f->unknown;
    }
}

void ob_facts_end(ob_facts *f)
{
    ob_situation *s = &f->situation;
    for (size_t i = 0; i < FACTS && !s->incomplete; i++)
        if (all[i].needed && !(f->seen >> i & 1))
            s->incomplete = all[i].path;
    if (!s->incomplete && s->detector == OB_MATERIAL_KNOWN && f->list_seen != 3)
        s->incomplete = f->list_seen & 1 ? "list.purpose" : "list.trust";
}
