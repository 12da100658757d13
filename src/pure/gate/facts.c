/* From the leaves of a JSON object to a situation: every fact is known, of its type and in its list
 * of values, or the situation is incomplete. Records (cause, consent, report, notice, order,
 * safeguards, detector_output) never make it so: they are garbled, and fail their own reason. */
#include "gate_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- Texts ---------------------------------------------------------------------------------- */

static const char *keep(ob_facts *f, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > f->size - f->used)
        return NULL;
    char *kept = f->memory + f->used;
    memcpy(kept, text, size);
    f->used += size;
    return kept;
}

static bool append(ob_facts *f, ob_texts *texts, const char *text)
{
    const char *kept = keep(f, text);
    if (kept && !texts->count)
        texts->first = kept;
    texts->count += kept != NULL;
    return kept != NULL;
}

/* ---- What a fact can be --------------------------------------------------------------------- */

/* One fact that is being told of. */
typedef struct fact {
    ob_facts *f;
    ob_situation *s;
    ob_fact_kind kind;
    const char *text;
    int64_t number;
    bool in_array; /* an element of the array that was begun last */
} fact;

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
    *out = is_text(x) ? keep(x->f, x->text) : NULL;
    return *out != NULL;
}

static bool take_time(int64_t *out, const fact *x)
{
    return is_text(x) && ob_time_parse(out, x->text);
}

static bool take_truth(bool *out, const fact *x)
{
    *out = x->kind == OB_FACT_TRUE;
    return x->kind == OB_FACT_TRUE || x->kind == OB_FACT_FALSE;
}

static bool is_object(const fact *x)
{
    return x->kind == OB_FACT_OBJECT;
}

/* ---- Facts that are always needed ----------------------------------------------------------- */

#define WORD(field, type, word)                                                                    \
    unsigned value;                                                                                \
    if (!take_word(&value, x, word))                                                               \
        return false;                                                                              \
    x->s->field = (type)value;                                                                     \
    return true

static bool set_mode(fact *x)
{
    WORD(mode, ob_mode, OB_WORD_MODE);
}
static bool set_at(fact *x)
{
    return take_time(&x->s->at, x);
}
static bool set_regime(fact *x)
{
    return take_text(&x->s->regime, x);
}
static bool set_service_kind(fact *x)
{
    WORD(service_kind, ob_service_kind, OB_WORD_SERVICE_KIND);
}
static bool set_service_name(fact *x)
{
    return take_text(&x->s->service_name, x);
}
static bool set_item(fact *x)
{
    return take_text(&x->s->item, x) && *x->s->item;
}
static bool set_account(fact *x)
{
    return take_text(&x->s->account, x) && *x->s->account;
}
static bool set_media(fact *x)
{
    WORD(media, ob_media, OB_WORD_MEDIA);
}
static bool set_surface(fact *x)
{
    WORD(surface, ob_surface, OB_WORD_SURFACE);
}
static bool set_encryption(fact *x)
{
    WORD(encryption, ob_encryption, OB_WORD_ENCRYPTION);
}
static bool set_locus(fact *x)
{
    WORD(locus, ob_locus, OB_WORD_LOCUS);
}
static bool set_form(fact *x)
{
    x->s->is_hash = is_text(x) && !strcmp(x->text, "hash");
    return x->s->is_hash || (is_text(x) && !strcmp(x->text, "bytes"));
}
static bool set_detector(fact *x)
{
    WORD(detector, ob_material, OB_WORD_MATERIAL);
}
static bool set_basis(fact *x)
{
    WORD(basis, ob_basis, OB_WORD_BASIS);
}
static bool set_protected(fact *x)
{
    x->s->is_protected = is_text(x) && !strcmp(x->text, "yes");
    return x->s->is_protected || (is_text(x) && !strcmp(x->text, "no"));
}
static bool set_child_user(fact *x)
{
    x->s->child_user = is_text(x) && !strcmp(x->text, "yes");
    return is_text(x) &&
           (x->s->child_user || !strcmp(x->text, "no") || !strcmp(x->text, "unknown"));
}
static bool set_participants(fact *x)
{
    return x->kind == OB_FACT_NUMBER && x->number >= 0;
}
static bool set_detector_state(fact *x)
{
    WORD(detector_state, ob_detector_state, OB_WORD_STATE);
}
static bool set_clock(fact *x)
{
    x->s->clock_ok = is_text(x) && !strcmp(x->text, "ok");
    return is_text(x);
}
static bool set_audit(fact *x)
{
    x->s->audit_ok = is_text(x) && !strcmp(x->text, "ok");
    return is_text(x);
}
static bool set_policy_bases(fact *x)
{
    return take_set(&x->s->policy_bases, x, OB_WORD_BASIS);
}
static bool set_policy_detectors(fact *x)
{
    return take_set(&x->s->policy_detectors, x, OB_WORD_MATERIAL);
}
static bool set_policy_surfaces(fact *x)
{
    return take_set(&x->s->policy_surfaces, x, OB_WORD_SURFACE);
}
static bool set_list_trust(fact *x)
{
    x->f->list_seen |= is_text(x) ? 1 : 0;
    x->s->list_trusted = is_text(x) && (!strcmp(x->text, "signed") || !strcmp(x->text, "by_hand"));
    return is_text(x);
}
static bool set_list_purpose(fact *x)
{
    x->f->list_seen |= is_text(x) ? 2 : 0;
    x->s->list_csam = is_text(x) && !strcmp(x->text, "csam");
    return is_text(x);
}

/* ---- Records -------------------------------------------------------------------------------- */

static bool set_cause(fact *x)
{
    x->s->cause.present = true;
    return is_object(x);
}
static bool set_cause_id(fact *x)
{
    return take_text(&x->s->cause.id, x);
}
static bool set_cause_account(fact *x)
{
    return take_text(&x->s->cause.account, x);
}
static bool set_cause_ground(fact *x)
{
    x->s->cause.ground_ok = is_text(x) && (!strcmp(x->text, "confirmed_verdict") ||
                                           !strcmp(x->text, "participant_report"));
    return x->s->cause.ground_ok;
}
static bool set_cause_confirmed(fact *x)
{
    x->s->cause.confirmed = is_text(x) && *x->text;
    return x->s->cause.confirmed;
}
static bool set_cause_from(fact *x)
{
    return take_time(&x->s->cause.from, x);
}
static bool set_cause_until(fact *x)
{
    return take_time(&x->s->cause.until, x);
}
static bool set_consent(fact *x)
{
    x->s->consent.present = true;
    return is_object(x);
}
static bool set_consent_by(fact *x)
{
    x->s->consent.by_account = is_text(x) && !strcmp(x->text, "account");
    x->s->consent.by_all = is_text(x) && !strcmp(x->text, "all_participants");
    return is_text(x);
}
static bool set_consent_free(fact *x)
{
    return take_truth(&x->s->consent.free, x);
}
static bool set_report(fact *x)
{
    x->s->report.present = true;
    return is_object(x);
}
static bool set_report_by(fact *x)
{
    x->s->report.by_participant = is_text(x) && !strcmp(x->text, "participant");
    return is_text(x);
}
static bool set_report_items(fact *x)
{
    return take_texts(&x->s->report.items, x);
}
static bool set_notice(fact *x)
{
    x->s->notice.present = true;
    return is_object(x);
}
static bool set_notice_items(fact *x)
{
    return take_texts(&x->s->notice.items, x);
}
static bool set_order(fact *x)
{
    x->s->order.present = true;
    return is_object(x);
}
static bool set_order_id(fact *x)
{
    return take_text(&x->s->order.id, x);
}
static bool set_issuer(fact *x)
{
    return take_text(&x->s->order.issuer, x);
}
static bool set_issuer_kind(fact *x)
{
    x->s->order.judicial = is_text(x) && !strcmp(x->text, "judicial");
    return is_text(x);
}
static bool set_authenticated(fact *x)
{
    return take_truth(&x->s->order.authenticated, x);
}
static bool set_order_service(fact *x)
{
    return take_text(&x->s->order.service, x);
}
static bool set_order_detectors(fact *x)
{
    x->s->order.has_detectors = true;
    return take_set(&x->s->order.detectors, x, OB_WORD_MATERIAL);
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
static bool set_received(fact *x)
{
    return x->s->order.has_received = take_time(&x->s->order.received, x);
}
static bool set_start(fact *x)
{
    return x->s->order.has_start = take_time(&x->s->order.start, x);
}
static bool set_end(fact *x)
{
    return x->s->order.has_end = take_time(&x->s->order.end, x);
}
static bool set_reasons(fact *x)
{
    return take_text(&x->s->order.reasons, x);
}
static bool set_legal_basis(fact *x)
{
    return take_text(&x->s->order.legal_basis, x);
}
static bool set_redress(fact *x)
{
    return take_text(&x->s->order.redress, x);
}
static bool set_order_state(fact *x)
{
    x->s->order.valid = is_text(x) && !strcmp(x->text, "valid");
    return is_text(x);
}
static bool set_halfway(fact *x)
{
    x->s->order.halfway_fine =
        is_text(x) && (!strcmp(x->text, "not_due") || !strcmp(x->text, "done"));
    return is_text(x);
}
static bool set_names_professional(fact *x)
{
    return take_truth(&x->s->order.names_professional, x);
}
static bool set_safeguards(fact *x)
{
    x->s->safeguards.present = true;
    return is_object(x);
}
static bool set_safeguards_regime(fact *x)
{
    return take_text(&x->s->safeguards.regime, x);
}
static bool set_recorded(fact *x)
{
    return take_set(&x->s->safeguards.recorded, x, OB_WORD_SAFEGUARD);
}
static bool set_assessment(fact *x)
{
    return take_truth(&x->s->safeguards.assessment_current, x);
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

/* ---- All facts ------------------------------------------------------------------------------ */

typedef enum record { NONE, CAUSE, CONSENT, REPORT, NOTICE, ORDER, SAFEGUARDS } record;

static bool nothing(fact *x)
{
    return is_object(x);
}

static const struct {
    const char *path;
    bool (*set)(fact *x);
    bool needed; /* by every situation */
    record of;
} all[] = {
    {"mode", set_mode, true, NONE},
    {"at", set_at, true, NONE},
    {"regime", set_regime, true, NONE},
    {"service", nothing, false, NONE},
    {"service.kind", set_service_kind, true, NONE},
    {"service.name", set_service_name, false, NONE},
    {"item", nothing, false, NONE},
    {"item.id", set_item, true, NONE},
    {"item.account", set_account, true, NONE},
    {"item.media", set_media, true, NONE},
    {"item.surface", set_surface, true, NONE},
    {"item.encryption", set_encryption, true, NONE},
    {"item.locus", set_locus, true, NONE},
    {"item.form", set_form, false, NONE},
    {"detector", set_detector, true, NONE},
    {"basis", set_basis, true, NONE},
    {"conversation", nothing, false, NONE},
    {"conversation.protected", set_protected, true, NONE},
    {"conversation.child_user", set_child_user, false, NONE},
    {"conversation.participants", set_participants, false, NONE},
    {"detector_health", nothing, false, NONE},
    {"detector_health.state", set_detector_state, true, NONE},
    {"host", nothing, false, NONE},
    {"host.clock", set_clock, true, NONE},
    {"host.audit", set_audit, true, NONE},
    {"policy", nothing, false, NONE},
    {"policy.bases", set_policy_bases, true, NONE},
    {"policy.detectors", set_policy_detectors, true, NONE},
    {"policy.surfaces", set_policy_surfaces, true, NONE},
    {"list", nothing, false, NONE},
    {"list.trust", set_list_trust, false, NONE},
    {"list.purpose", set_list_purpose, false, NONE},
    {"cause", set_cause, false, CAUSE},
    {"cause.id", set_cause_id, false, CAUSE},
    {"cause.account", set_cause_account, false, CAUSE},
    {"cause.ground", set_cause_ground, false, CAUSE},
    {"cause.confirmed_by", set_cause_confirmed, false, CAUSE},
    {"cause.from", set_cause_from, false, CAUSE},
    {"cause.until", set_cause_until, false, CAUSE},
    {"consent", set_consent, false, CONSENT},
    {"consent.by", set_consent_by, false, CONSENT},
    {"consent.free", set_consent_free, false, CONSENT},
    {"report", set_report, false, REPORT},
    {"report.by", set_report_by, false, REPORT},
    {"report.items", set_report_items, false, REPORT},
    {"notice", set_notice, false, NOTICE},
    {"notice.items", set_notice_items, false, NOTICE},
    {"order", set_order, false, ORDER},
    {"order.id", set_order_id, false, ORDER},
    {"order.issuer", set_issuer, false, ORDER},
    {"order.issuer_kind", set_issuer_kind, false, ORDER},
    {"order.authenticated", set_authenticated, false, ORDER},
    {"order.service", set_order_service, false, ORDER},
    {"order.detectors", set_order_detectors, false, ORDER},
    {"order.accounts", set_order_accounts, false, ORDER},
    {"order.received", set_received, false, ORDER},
    {"order.start", set_start, false, ORDER},
    {"order.end", set_end, false, ORDER},
    {"order.reasons", set_reasons, false, ORDER},
    {"order.legal_basis", set_legal_basis, false, ORDER},
    {"order.redress", set_redress, false, ORDER},
    {"order.state", set_order_state, false, ORDER},
    {"order.halfway_report", set_halfway, false, ORDER},
    {"order.names_professional", set_names_professional, false, ORDER},
    {"safeguards", set_safeguards, false, SAFEGUARDS},
    {"safeguards.regime", set_safeguards_regime, false, SAFEGUARDS},
    {"safeguards.recorded", set_recorded, false, SAFEGUARDS},
    {"safeguards.assessment_current", set_assessment, false, SAFEGUARDS},
    {"safeguards.last_annual_report", set_annual_report, false, SAFEGUARDS},
    {"detector_output", set_output, false, NONE},
};

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
        bool fine = all[i].set(&x);
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
