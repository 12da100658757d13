/* The names of all values of the gate's words. */
#include "gate_priv.h"

#include <string.h>

static const char *const modes[] = {"production", "explain"};
static const char *const services[] = {"interpersonal", "hosting", "number_based"};
static const char *const media[] = {"image", "video", "text", "audio", "live", "metadata"};
static const char *const surfaces[] = {"direct", "group", "public", "storage"};
static const char *const encryptions[] = {"none", "transport", "e2ee", "e2ee_planned", "e2ee_past"};
static const char *const loci[] = {"server", "device", "disclosed"};
static const char *const materials[] = {"known", "new", "grooming", "other"};
static const char *const bases[] = {"none",    "public",    "report", "notice",
                                    "consent", "own_image", "order",  "voluntary"};
static const char *const states[] = {"untested", "trial", "on", "suspended"};
static const char *const safeguards[] = {
    "impact_assessment", "prior_consultation",   "internal_procedures",
    "human_reviewers",   "redress_channel",      "user_information_published",
    "error_measurement", "retention_rule",       "authority_advice_followed",
    "key_indicators",    "age_difference_factor"};
static const char *const reasons[] = {
    "ALLOWED",
    "INPUT_INCOMPLETE",
    "CLOCK",
    "NO_AUDIT",
    "PURPOSE_LIMIT",
    "FLOOR_MEDIA",
    "FLOOR_DEVICE",
    "FLOOR_E2EE_SERVER",
    "FLOOR_UNTARGETED",
    "FLOOR_NOT_JUDICIAL",
    "FLOOR_SUSPICIONLESS",
    "FLOOR_KNOWN_ONLY",
    "FLOOR_STORAGE",
    "PROFESSIONAL_SECRECY",
    "REGIME_UNKNOWN",
    "REGIME_NOT_IN_FORCE",
    "REGIME_NOT_YET",
    "REGIME_EXPIRED",
    "OUT_OF_SCOPE",
    "NO_BASIS",
    "CONSENT_INCOMPLETE",
    "REPORT_SCOPE",
    "ORDER_UNAUTHENTICATED",
    "ORDER_DEFECTIVE",
    "NOT_JUDICIAL",
    "NOT_ORDERABLE",
    "NO_CHILD_USER",
    "ORDER_SUSPENDED",
    "ORDER_WINDOW",
    "ORDER_SCOPE",
    "NOT_TARGETED",
    "EVIDENCE_OTHER_REGIME",
    "SAFEGUARD_MISSING",
    "SAFEGUARD_OUTDATED",
    "REPORT_OVERDUE",
    "DETECTOR_UNVERIFIED",
    "SUBSTANCE_DEDUCTION",
    "DETECTOR_SUSPENDED",
    "ERROR_UNMEASURED",
    "LIST_UNTRUSTED",
    "POLICY",
};
static const char *const ceilings[] = {"none", "law", "floor", "policy", "consent"};
static const char *const referrals[] = {"never", "after_human"};

#define WORDS(array, count)                                                                        \
    {                                                                                              \
        array, sizeof(array) / sizeof *(array)                                                     \
    }
static const struct {
    const char *const *names;
    unsigned count;
} words[OB_WORDS] = {
    [OB_WORD_MODE] = WORDS(modes, OB_MODE_COUNT),
    [OB_WORD_SERVICE_KIND] = WORDS(services, OB_SERVICE_COUNT),
    [OB_WORD_MEDIA] = WORDS(media, OB_MEDIA_COUNT),
    [OB_WORD_SURFACE] = WORDS(surfaces, OB_SURFACES),
    [OB_WORD_ENCRYPTION] = WORDS(encryptions, OB_ENCRYPTION_COUNT),
    [OB_WORD_LOCUS] = WORDS(loci, OB_LOCUS_COUNT),
    [OB_WORD_MATERIAL] = WORDS(materials, OB_MATERIALS),
    [OB_WORD_BASIS] = WORDS(bases, OB_BASIS_COUNT),
    [OB_WORD_STATE] = WORDS(states, OB_STATE_COUNT),
    [OB_WORD_SAFEGUARD] = WORDS(safeguards, OB_SAFEGUARD_COUNT),
    [OB_WORD_REASON] = WORDS(reasons, OB_REASON_COUNT),
    [OB_WORD_CEILING] = WORDS(ceilings, OB_CEILING_COUNT),
    [OB_WORD_REFERRAL] = WORDS(referrals, OB_REFERRAL_COUNT),
};

_Static_assert(sizeof reasons / sizeof *reasons == OB_REASON_COUNT, "every reason has a name");
_Static_assert(sizeof safeguards / sizeof *safeguards == OB_SAFEGUARD_COUNT, "and every safeguard");
_Static_assert(sizeof bases / sizeof *bases == OB_BASIS_COUNT, "and every basis");

const char *ob_word_name(ob_word word, unsigned value)
{
    return word < OB_WORDS && value < words[word].count ? words[word].names[value] : NULL;
}

bool ob_word_parse(unsigned *out, ob_word word, const char *name)
{
    for (unsigned value = 0; value < words[word].count; value++)
        if (!strcmp(words[word].names[value], name)) {
            *out = value;
            return true;
        }
    return false;
}

const char *ob_surface_name(ob_surface surface)
{
    const char *name = ob_word_name(OB_WORD_SURFACE, surface);
    return name ? name : "unknown";
}

bool ob_surface_parse(ob_surface *out, const char *name)
{
    unsigned value;
    bool known = ob_word_parse(&value, OB_WORD_SURFACE, name);
    if (known)
        *out = (ob_surface)value;
    return known;
}

const char *ob_reason_name(ob_reason reason)
{
    const char *name = ob_word_name(OB_WORD_REASON, reason);
    return name ? name : "UNKNOWN";
}

const char *ob_regime_title(const ob_regime *regime, ob_language language)
{
    const bool is_there = language == OB_GERMAN && regime->title_de && *regime->title_de;
    return is_there ? regime->title_de : regime->title;
}
