/* Proposals: decisions that need a second person. */
#ifndef OBHUT_RECORDS_PROPOSAL_H
#define OBHUT_RECORDS_PROPOSAL_H

#include <obhut/store.h>

typedef enum ob_proposal_state {
    OB_PROPOSAL_OPEN,
    OB_PROPOSAL_APPROVED,
    OB_PROPOSAL_REJECTED,
    OB_PROPOSAL_STATES,
} ob_proposal_state;

/* Something that happens when another person agrees. */
typedef struct ob_proposal {
    int64_t id;
    char kind[24];
    char body[8000]; /* JSON: what was asked for, with pseudonyms where accounts were */
    char proposed_by[OB_NAME_MAX + 1]; /* "operator": without a person's token */
    int64_t proposed_at, until;
    ob_proposal_state state;
    char decided_by[OB_NAME_MAX + 1];
    int64_t decided_at;
} ob_proposal;

/* Adds an open proposal, whatever its `state` says, and sets *id to its number. */
ob_status ob_store_proposal_add(int64_t *id, ob_writing *w, const ob_proposal *proposal,
                                ob_error *err);
/* Reads the proposal of this number. OB_ENOTFOUND leaves *out untouched. */
ob_status ob_store_proposal(ob_proposal *out, ob_view *view, int64_t id, ob_error *err);
/* Sets the final state of a proposal, with who decided and when. OB_EREFUSED: it is no longer
 * open. */
ob_status ob_store_proposal_decide(ob_writing *w, int64_t id, ob_proposal_state state,
                                   const char *by, int64_t at, ob_error *err);
/* Makes `by` the person who proposed. OB_ENOTFOUND: there is no such open proposal. */
ob_status ob_store_proposal_adopt(ob_writing *w, int64_t id, const char *by, ob_error *err);
/* Replaces what is proposed. OB_ENOTFOUND: no open proposal has this number; OB_ELIMIT: the text is
 * too long. */
ob_status ob_store_proposal_reword(ob_writing *w, int64_t id, const char *body, ob_error *err);
/* Sets *out to the proposals, open ones first, then newest first, at most `most`, for the caller to
 * free. */
ob_status ob_store_proposals(ob_proposal **out, size_t *count, ob_view *view, size_t most,
                             ob_error *err);

#endif
