/* One mechanism for every step that needs two persons: a proposal, another person's approval, an
 * expiry. */
#include "acts_priv.h"

#include <obhut/clock.h>
#include <obhut/records/proposal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char operator_name[] = "operator";

const char *ob_actor_name(const ob_actor *actor)
{
    return actor->person ? actor->person->name : operator_name;
}

bool ob_actor_has(const ob_actor *actor, uint32_t roles)
{
    return actor->person && actor->person->roles & roles;
}

static ob_status add(int64_t *id, ob_writing *w, const char *kind, const char *body, const char *by,
                     ob_error *err)
{
    int64_t now = ob_now();
    ob_proposal p = {.proposed_at = now, .until = now + OB_PROPOSAL_SECONDS};
    if (strlen(body) >= sizeof p.body || strlen(kind) >= sizeof p.kind)
        return ob_fail(err, OB_ELIMIT, "too much for one proposal: %zu bytes, at most %zu",
                       strlen(body), sizeof p.body - 1);
    snprintf(p.kind, sizeof p.kind, "%s", kind);
    snprintf(p.body, sizeof p.body, "%s", body);
    snprintf(p.proposed_by, sizeof p.proposed_by, "%s", by);
    return ob_store_proposal_add(id, w, &p, err);
}

ob_status ob_acts_propose(int64_t *id, ob_writing *w, const char *kind, const char *body,
                          const ob_actor *actor, ob_error *err)
{
    return add(id, w, kind, body, ob_actor_name(actor), err);
}

/* Who has left since is not one of two persons who agree. */
static ob_status check_proposer(const ob_proposal *p, ob_view *view, ob_error *err)
{
    ob_person *all = NULL;
    size_t count = 0;
    bool is_here = !strcmp(p->proposed_by, operator_name);
    ob_status status = is_here ? OB_OK : ob_store_persons(&all, &count, view, err);
    for (size_t i = 0; i < count; i++)
        is_here |= !strcmp(all[i].name, p->proposed_by) && !all[i].ended_at;
    free(all);
    if (status || is_here)
        return status;
    return ob_fail(err, OB_EREFUSED, "%s, who proposed this, has left: it must be proposed anew",
                   p->proposed_by);
}

ob_status ob_acts_second(bool *adopted, ob_proposal *out, ob_writing *w, int64_t id,
                         const ob_actor *actor, uint32_t roles, ob_error *err)
{
    int64_t now = ob_now();
    *adopted = false;
    ob_status status = ob_store_proposal(out, ob_writing_view(w), id, err);
    if (status)
        return status;
    if (out->state != OB_PROPOSAL_OPEN)
        return ob_fail(err, OB_EREFUSED, "proposal %lld is not open", (long long)id);
    if (now >= out->until)
        return ob_fail(err, OB_EREFUSED, "proposal %lld is over: it must be made anew",
                       (long long)id);
    if (!actor->person)
        return ob_fail(err, OB_EREFUSED,
                       "only a person can agree: set OBHUT_PERSON_TOKEN to a personal token");
    if (!ob_actor_has(actor, roles))
        return ob_fail(err, OB_EREFUSED, "%s has no role for this", actor->person->name);
    if (!strcmp(out->proposed_by, actor->person->name))
        return ob_fail(err, OB_EREFUSED, "%s has proposed this: another person must agree",
                       actor->person->name);
    status = check_proposer(out, ob_writing_view(w), err);
    if (status || strcmp(out->proposed_by, operator_name) != 0)
        return status;
    *adopted = true;
    return ob_store_proposal_adopt(w, id, actor->person->name, err);
}
