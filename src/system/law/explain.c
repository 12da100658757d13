/* What the gate would say, as JSON and as a short letter. */
#include "law_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Asking ---------------------------------------------------------------------------------- */

/* A question on its way: the situation, and the regimes that are known to it. */
typedef struct asking {
    json_t *facts; /* a copy where something was changed */
    ob_law_situation *situation;
    ob_regime *regime;
    ob_regimes regimes;
} asking;

static void asking_end(asking *a)
{
    json_decref(a->facts);
    ob_law_situation_free(a->situation);
    free(a->regime);
}

static ob_status add_regime(asking *a, const ob_regime *more, ob_error *err)
{
    size_t count = a->regimes.count, at = 0;
    a->regime = malloc((count + 1) * sizeof *a->regime);
    if (!a->regime)
        return ob_fail(err, OB_ENOMEM, "out of memory: regimes");
    memcpy(a->regime, a->regimes.regime, count * sizeof *a->regime);
    while (at < count && strcmp(a->regime[at].id, more->id))
        at++;
    bool built_in = at < count && !memcmp(a->regime[at].digest, more->digest, sizeof more->digest);
    a->regime[at] = *more;
    if (!built_in && more->status == OB_STATUS_IN_FORCE) /* it can be explained, never used */
        a->regime[at].status = OB_STATUS_UNVERIFIED;
    a->regimes = (ob_regimes){a->regime, at < count ? count : count + 1};
    return OB_OK;
}

static ob_status asking_begin(asking *a, const json_t *situation, const ob_law_question *q,
                              ob_error *err)
{
    *a = (asking){.regimes = *ob_law_regimes()};
    a->facts =
        json_is_object(situation) ? json_copy((json_t *)(uintptr_t)situation) : json_object();
    if (a->facts && q->at && json_is_object(situation))
        json_object_set_new(a->facts, "at", json_string(q->at));
    ob_status status = a->facts ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: a situation");
    if (!status && q->regime)
        status = add_regime(a, ob_law_file_regime(q->regime), err);
    if (!status)
        status = ob_law_situation_read(&a->situation, a->facts, err);
    if (status)
        asking_end(a);
    return status;
}

/* The same situation under another regime, as if that could be used. */
static ob_gate_decision decide_under(const asking *a, const ob_regime *other)
{
    ob_situation s = *ob_law_situation_get(a->situation);
    s.regime = other->id;
    s.mode = OB_MODE_EXPLAIN;
    return ob_gate_decide(&s, &a->regimes);
}

static bool is_asked(const asking *a, const ob_regime *regime)
{
    const ob_situation *s = ob_law_situation_get(a->situation);
    return s->incomplete || !strcmp(regime->id, s->regime);
}

/* ---- As JSON --------------------------------------------------------------------------------- */

static void set_word(json_t *object, const char *member, ob_word kind, unsigned value)
{
    json_object_set_new(object, member, json_string(ob_word_name(kind, value)));
}

static void set_text(json_t *object, const char *member, const char *text)
{
    json_object_set_new(object, member, text && *text ? json_string(text) : json_null());
}

static void set_answer(json_t *object, bool allow, ob_reason reason, const char *names)
{
    json_object_set_new(object, "decision", json_string(allow ? "allow" : "deny"));
    if (!allow)
        json_object_set_new(object, "reason", json_string(ob_reason_name(reason)));
    if (*names)
        json_object_set_new(object, "names", json_string(names));
}

static json_t *decision_json(const ob_gate_decision *d)
{
    char expires[OB_TIME_TEXT + 1];
    json_t *object = json_object(), *law = json_object();
    set_answer(object, d->allow, d->reason, d->names);
    if (d->clarification)
        json_object_set_new(object, "clarification", json_true());
    if (d->allow)
        set_word(object, "referral", OB_WORD_REFERRAL, d->referral);
    if (d->ceiling)
        set_word(object, "ceiling", OB_WORD_CEILING, d->ceiling);
    else
        json_object_set_new(object, "ceiling", json_null());
    set_text(object, "regime", d->regime ? d->regime->id : NULL);
    set_text(object, "article", d->article);
    if (d->reason == OB_INPUT_INCOMPLETE)
        json_object_set_new(object, "basis", json_null());
    else
        set_word(object, "basis", OB_WORD_BASIS, d->basis);
    if (d->allow) {
        ob_time_print(expires, d->expires);
        json_object_set_new(object, "expires", json_string(expires));
    }
    set_answer(law, d->law_allow, d->law_reason, d->law_names);
    json_object_set_new(object, "law", law);
    json_object_set_new(object, "text",
                        json_pack("{s:s, s:s}", "en", ob_reason_text(d->reason, OB_ENGLISH), "de",
                                  ob_reason_text(d->reason, OB_GERMAN)));
    return object;
}

json_t *ob_law_explain(const json_t *situation, const ob_law_question *question)
{
    asking a;
    if (asking_begin(&a, situation, question, NULL))
        return NULL;
    ob_gate_decision d = ob_gate_decide(ob_law_situation_get(a.situation), &a.regimes);
    json_t *object = decision_json(&d);
    json_t *others = question->what_if ? json_object() : NULL;
    for (size_t i = 0; others && i < a.regimes.count; i++)
        if (!is_asked(&a, &a.regimes.regime[i])) {
            d = decide_under(&a, &a.regimes.regime[i]);
            json_object_set_new(others, a.regimes.regime[i].id, decision_json(&d));
        }
    if (others)
        json_object_set_new(object, "what_if", others);
    asking_end(&a);
    return object;
}

/* ---- As a letter ----------------------------------------------------------------------------- */

/* The sentences around the reason's own. */
static const struct phrases {
    const char *denied, *allowed, *stays, *after_human, *missing, *source, *law_same, *law_allows,
        *law_denies, *at, *others, *other_allows, *other_law_allows;
} phrases[OB_LANGUAGES] = {
    [OB_ENGLISH] = {"Nobody may look at this.", "This may be looked at.",
                    "Whatever is found stays on the device.",
                    "Nothing may be passed on before a trained person has looked and confirmed.",
                    "What is missing or wrong", "Source", "The law alone would say the same.",
                    "The law alone would allow it. Obhut does not.",
                    "The law alone would deny it too", "At", "Other laws alone", "allowed",
                    "allowed by the law alone; denied here"},
    [OB_GERMAN] =
        {"Dies darf niemand ansehen.", "Dies darf angesehen werden.",
         "Was gefunden wird, bleibt auf dem Gerät.",
         "Nichts darf weitergegeben werden, bevor ein geschulter Mensch hingesehen und es "
         "bestätigt hat.",
         "Was fehlt oder falsch ist", "Grundlage", "Das Gesetz allein sagte dasselbe.",
         "Das Gesetz allein erlaubte es. Obhut tut es nicht.",
         "Auch das Gesetz allein erlaubte es nicht", "Zeitpunkt", "Andere Gesetze allein",
         "erlaubt", "nach dem Gesetz allein erlaubt; hier abgelehnt"},
};

static void print_law(ob_buf *out, const ob_gate_decision *d, ob_language l)
{
    const struct phrases *p = &phrases[l];
    if (d->law_allow == d->allow && d->law_reason == d->reason)
        ob_buf_printf(out, NULL, "%s\n", p->law_same);
    else if (d->law_allow)
        ob_buf_printf(out, NULL, "%s\n", p->law_allows);
    else
        ob_buf_printf(out, NULL, "%s: %s (%s)\n", p->law_denies, ob_reason_text(d->law_reason, l),
                      ob_reason_name(d->law_reason));
}

static void print_decision(ob_buf *out, const ob_situation *s, const ob_gate_decision *d,
                           ob_language l)
{
    const struct phrases *p = &phrases[l];
    char at[OB_TIME_TEXT + 1];
    ob_buf_printf(out, NULL, "%s\n\n", d->allow ? p->allowed : p->denied);
    if (d->allow)
        ob_buf_printf(out, NULL, "%s\n",
                      d->referral == OB_REFERRAL_NEVER ? p->stays : p->after_human);
    else
        ob_buf_printf(out, NULL, "%s (%s)\n", ob_reason_text(d->reason, l),
                      ob_reason_name(d->reason));
    if (*d->names)
        ob_buf_printf(out, NULL, "%s: %s\n", p->missing, d->names);
    if (*d->article && d->ceiling == OB_CEILING_FLOOR)
        ob_buf_printf(out, NULL, "%s: %s\n", p->source, d->article);
    else if (*d->article)
        ob_buf_printf(out, NULL, "%s: %s, %s\n", p->source, ob_regime_title(d->regime, l),
                      d->article);
    if (s->incomplete)
        return;
    print_law(out, d, l);
    ob_time_print(at, s->at);
    ob_buf_printf(out, NULL, "%s: %s\n", p->at, at);
}

static void print_others(ob_buf *out, const asking *a, ob_language l)
{
    const struct phrases *p = &phrases[l];
    ob_buf_printf(out, NULL, "\n%s:\n", p->others);
    for (size_t i = 0; i < a->regimes.count; i++) {
        const ob_regime *other = &a->regimes.regime[i];
        if (is_asked(a, other))
            continue;
        ob_gate_decision d = decide_under(a, other);
        ob_buf_printf(out, NULL, "  %-20s %s\n", other->id,
                      d.allow       ? p->other_allows
                      : d.law_allow ? p->other_law_allows
                                    : ob_reason_name(d.law_reason));
    }
}

ob_status ob_law_letter(ob_buf *out, const json_t *situation, const ob_law_question *question,
                        ob_language language, ob_error *err)
{
    asking a;
    ob_status status = asking_begin(&a, situation, question, err);
    if (status)
        return status;
    ob_gate_decision d = ob_gate_decide(ob_law_situation_get(a.situation), &a.regimes);
    print_decision(out, ob_law_situation_get(a.situation), &d, language);
    if (question->what_if)
        print_others(out, &a, language);
    asking_end(&a);
    return out->bytes ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: a letter");
}
