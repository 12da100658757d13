/* staff: tokens of services; persons of the staff, their roles and personal tokens. */
#ifndef OBHUT_STAFF_H
#define OBHUT_STAFF_H

#include <obhut/acts.h>
#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/records/person.h>
#include <obhut/records/token.h>
#include <obhut/store.h>

/* What a token is good for. */
typedef enum ob_scope {
    OB_SCOPE_SCAN,     /* hand in files */
    OB_SCOPE_MATCH,    /* hand in hashes */
    OB_SCOPE_LISTS,    /* see which lists there are */
    OB_SCOPE_REPORTS,  /* hand on what participants report and others notify */
    OB_SCOPE_CONSENTS, /* say who is in a conversation, and who consents */
    OB_SCOPES,
} ob_scope;

/* Returns the name of a scope: "scan", "match", "lists", "reports", "consents". The text is a
 * constant. */
const char *ob_scope_name(ob_scope scope);

enum {
    OB_EVERY_SURFACE = (1 << OB_SURFACES) - 1,
    OB_EVERY_SCOPE = (1 << OB_SCOPES) - 1,
    OB_OWN_SCOPES = 1 << OB_SCOPE_SCAN | 1 << OB_SCOPE_MATCH | 1 << OB_SCOPE_LISTS,
};

typedef struct ob_staff ob_staff;

/* Reads the tokens. `store` and `acts` must outlive *out, which the caller closes: ob_staff_close.
 * Errors as ob_store_tokens. Any thread. */
ob_status ob_staff_open(ob_staff **out, ob_store *store, ob_acts *acts, ob_error *err);
/* Frees `staff`. NULL is fine. */
void ob_staff_close(ob_staff *staff);

/* Makes a token and sets `secret` to its secret, which is returned once and never stored. Errors as
 * ob_store_token_add; OB_EINVAL also where the token would permit nothing. */
ob_status ob_staff_token_add(char secret[], ob_writing *w, const char *name, uint32_t surfaces,
                             uint32_t scopes, ob_error *err);
enum { OB_TOKEN_TEXT = 43 }; /* characters of a secret, without the NUL */

/* Sets *found to whether a token has this secret, and *out to the token; takes as long either
 * way. OB_EIO, OB_EBUSY, OB_ENOMEM: the tokens cannot be read now, so nothing is known about
 * this one. */
ob_status ob_staff_token_find(bool *found, ob_token *out, ob_staff *staff, const char *secret,
                              ob_error *err);

/* Makes the operator's own token where there is none: for every surface and OB_OWN_SCOPES, with the
 * secret in DIR/keys/api-token. *made says whether it was made now. OB_EREFUSED: others may read
 * the file, or it has another secret than the records. */
ob_status ob_staff_need_own_token(bool *made, ob_staff *staff, const char *dir, ob_error *err);

/* ---- Persons --------------------------------------------------------------------------------- */

typedef enum ob_role {
    OB_ROLE_REVIEWER, /* looks, and gives verdicts */
    OB_ROLE_LEAD,     /* the same, and orders, detectors, safeguards, the clock */
    OB_ROLE_OFFICER,  /* data protection: safeguards; sees everything that was decided */
    OB_ROLES,
} ob_role;

/* Returns the name of a role: "reviewer", "lead", "officer". The text is a constant. */
const char *ob_role_name(ob_role role);

/* Makes a person and sets `secret` to their personal token, which is returned once and never
 * stored. Errors as ob_store_person_add. */
ob_status ob_staff_person_add(char secret[], ob_writing *w, const char *name, uint32_t roles,
                              bool is_external, ob_error *err);

/* Sets *found to whether an active person has this personal token, and *out to the person. */
ob_status ob_staff_person_find(bool *found, ob_person *out, ob_view *view, const char *secret,
                               ob_error *err);

#endif
