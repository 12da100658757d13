/* The only place where permits are made. */
#include "gate_priv.h"

#include <obhut/permit.h>

#include <string.h>

enum { MAGIC = 0x4F425031, PERMIT_MS = OB_PERMIT_SECONDS * 1000 };

/* A permit's bytes. No padding is left unset: the MAC is over all of them. */
typedef struct content {
    uint32_t magic;
    ob_basis basis;
    uint64_t sequence;
    ob_permit_item item;
    ob_epochs epochs;
    int64_t monotonic_until_ms;
    ob_permit_terms terms;
    uint8_t mac[OB_PERMIT_MAC_SIZE]; /* over all before */
} content;

_Static_assert(sizeof(content) <= OB_PERMIT_SIZE, "a permit has room for its content");

enum { UNDER_MAC = offsetof(content, mac) };

static content unpack(const ob_permit *permit)
{
    content c;
    memcpy(&c, permit->bytes, sizeof c);
    return c;
}

static ob_status add_mac(ob_permit *out, content *c, const ob_permit_mac *mac, ob_error *err)
{
    c->magic = MAGIC;
    c->basis = c->terms.basis;
    c->sequence = ++*mac->sequence;
    if (!mac->compute(mac->context, c->mac, c, UNDER_MAC))
        return ob_fail(err, OB_EREFUSED, "this process may not make permits");
    memset(out, 0, sizeof *out);
    memcpy(out->bytes, c, sizeof *c);
    return OB_OK;
}

static void put_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size)
        length = size - 1;
    memcpy(out, text, length);
}

/* ---- Making ---------------------------------------------------------------------------------- */

static bool is_of_one_item(const ob_situation *a, const ob_situation *b)
{
    return a->mode == OB_MODE_PRODUCTION && b->mode == OB_MODE_PRODUCTION && a->item && b->item &&
           a->account && b->account && !strcmp(a->item, b->item) &&
           !strcmp(a->account, b->account) && a->surface == b->surface && a->basis == b->basis &&
           a->at == b->at && a->regime && b->regime && !strcmp(a->regime, b->regime);
}

ob_status ob_permit_make(ob_permit *out, ob_gate_decision *why, const ob_permit_request *request,
                         const ob_regimes *regimes, const ob_permit_mac *mac, ob_error *err)
{
    content c;
    const ob_situation *first = NULL;
    ob_gate_decision best = {.reason = OB_POLICY_OFF, .names = "", .article = "", .law_names = ""};
    memset(&c, 0, sizeof c);
    for (int m = 0; m < OB_DETECTORS_MOST; m++) {
        const ob_situation *s = request->situation[m];
        if (!s)
            continue;
        if (!is_of_one_item(first ? first : s, s))
            return ob_fail(err, OB_EREFUSED, "these situations are not of one item in production");
        ob_gate_decision d = ob_gate_decide(s, regimes);
        if (!first || ob_reason_is_further(d.reason, best.reason))
            best = d;
        first = first ? first : s;
        if (d.allow)
            c.terms.detectors |= UINT32_C(1) << m;
        if (d.allow && (!c.terms.expires || d.expires < c.terms.expires))
            c.terms.expires = d.expires;
    }
    *why = best;
    if (!first || !best.allow)
        return ob_fail(err, OB_EREFUSED, "%s", ob_reason_name(best.reason));
    c.item = request->item;
    c.epochs = request->epochs;
    c.monotonic_until_ms = request->monotonic_ms + (c.terms.expires - first->at) * 1000;
    c.terms.actions = request->actions;
    c.terms.basis = first->basis;
    c.terms.record = request->record;
    c.terms.issued = first->at;
    c.terms.tell_by = request->tell_by;
    c.terms.retention_months = best.regime->retention_months;
    put_text(c.terms.regime, sizeof c.terms.regime, best.regime->id);
    put_text(c.terms.article, sizeof c.terms.article, best.article);
    return add_mac(out, &c, mac, err);
}

ob_status ob_permit_own_files(ob_permit *out, const ob_permit_use *use, const ob_permit_mac *mac,
                              ob_error *err)
{
    content c;
    memset(&c, 0, sizeof c);
    c.item = use->item;
    c.epochs = use->epochs;
    c.monotonic_until_ms = use->monotonic_ms + PERMIT_MS;
    c.terms.detectors = use->detectors;
    c.terms.basis = OB_BASIS_NONE;
    c.terms.own_files = true;
    c.terms.issued = use->now;
    c.terms.expires = use->now + OB_PERMIT_SECONDS;
    put_text(c.terms.article, sizeof c.terms.article, "files of one's own, by command");
    return add_mac(out, &c, mac, err);
}

/* ---- Checking -------------------------------------------------------------------------------- */

static bool is_same_item(const ob_permit_item *a, const ob_permit_item *b)
{
    return !memcmp(a->id, b->id, sizeof a->id) && a->device == b->device && a->inode == b->inode &&
           a->size == b->size;
}

/* Compares in a time that does not depend on where two MACs differ. */
static bool is_same_mac(const uint8_t *a, const uint8_t *b)
{
    uint8_t differs = 0;
    for (int i = 0; i < OB_PERMIT_MAC_SIZE; i++)
        differs |= a[i] ^ b[i];
    return !differs;
}

/* Public material depends on no record about a person. */
static bool is_withdrawn(const content *c, const ob_epochs *now)
{
    return c->epochs.service != now->service ||
           (c->basis != OB_BASIS_PUBLIC && c->epochs.personal != now->personal);
}

static ob_status check(content *c, const ob_permit *permit, const ob_permit_use *use,
                       const ob_permit_mac *mac, ob_error *err)
{
    uint8_t computed[OB_PERMIT_MAC_SIZE];
    *c = unpack(permit);
    if (c->magic != MAGIC)
        return ob_fail(err, OB_EREFUSED, "there is no permit");
    if (!mac->compute(mac->context, computed, c, UNDER_MAC) || !is_same_mac(computed, c->mac))
        return ob_fail(err, OB_EREFUSED, "the permit is not for this holder, or was changed");
    if (!is_same_item(&c->item, &use->item))
        return ob_fail(err, OB_EREFUSED, "the permit is for another item");
    if (use->detectors & ~c->terms.detectors || !use->detectors)
        return ob_fail(err, OB_EREFUSED, "the permit is for another detector");
    if (use->now < c->terms.issued)
        return ob_fail(err, OB_EREFUSED, "the permit was made after now: a clock was set back");
    if (use->now >= c->terms.expires || use->monotonic_ms >= c->monotonic_until_ms)
        return ob_fail(err, OB_EREFUSED, "the permit is over");
    if (is_withdrawn(c, &use->epochs))
        return ob_fail(err, OB_EREFUSED, "the permit was withdrawn");
    return OB_OK;
}

ob_status ob_permit_take(ob_permit_terms *terms, const ob_permit *permit, const ob_permit_use *use,
                         const ob_permit_mac *mac, ob_error *err)
{
    content c;
    ob_status status = check(&c, permit, use, mac, err);
    if (status)
        return status;
    if (c.sequence <= *mac->sequence)
        return ob_fail(err, OB_EREFUSED, "the permit was used already");
    *mac->sequence = c.sequence;
    *terms = c.terms;
    return OB_OK;
}

ob_status ob_permit_still(const ob_permit *permit, const ob_permit_use *use,
                          const ob_permit_mac *mac, ob_error *err)
{
    content c;
    return check(&c, permit, use, mac, err);
}

ob_status ob_permit_hand_on(ob_permit *out, const ob_permit *permit, const ob_permit_use *use,
                            const ob_permit_mac *from, const ob_permit_item *item,
                            const ob_permit_mac *to, ob_error *err)
{
    content c;
    ob_status status = check(&c, permit, use, from, err);
    if (status)
        return status;
    c.item = *item;
    c.terms.detectors = use->detectors;
    return add_mac(out, &c, to, err);
}
