/* staff: who may do what: tokens of services, persons and their roles, steps that need two of them;
 * and the pseudonyms that accounts are known by. */
#ifndef OBHUT_STAFF_H
#define OBHUT_STAFF_H

#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/records.h>
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

/* "scan", "match", "lists", "reports", "consents". */
const char *ob_scope_name(ob_scope scope);
bool ob_scope_parse(ob_scope *out, const char *name);

enum {
    OB_EVERY_SURFACE = (1 << OB_SURFACES) - 1,
    OB_EVERY_SCOPE = (1 << OB_SCOPES) - 1,
    OB_OWN_SCOPES = 1 << OB_SCOPE_SCAN | 1 << OB_SCOPE_MATCH | 1 << OB_SCOPE_LISTS,
};

typedef struct ob_staff ob_staff;

/* *out uses `store`, which must outlive it, and the key in DIR/keys/pseudonym, which it makes where
 * there is none. Any thread. */
ob_status ob_staff_open(ob_staff **out, ob_store *store, const char *dir, ob_error *err);
void ob_staff_close(ob_staff *staff); /* NULL is fine */

/* Makes a token and its secret, which is told this once. Errors as ob_store_token_add; OB_EINVAL
 * also where it would be good for nothing. */
ob_status ob_staff_token_add(char secret[], ob_staff *staff, const char *name, uint32_t surfaces,
                             uint32_t scopes, ob_error *err);
enum { OB_TOKEN_TEXT = 43 }; /* characters of a secret, without the NUL */

/* Sets *out to the token of this secret. False where there is none; takes as long either way. */
bool ob_staff_token_find(ob_token *out, ob_staff *staff, const char *secret);

/* The operator's own token, for every surface and OB_OWN_SCOPES: DIR/keys/api-token has its secret.
 * Made at the first start; *made says whether that was now. */
ob_status ob_staff_need_own_token(bool *made, ob_staff *staff, const char *dir, ob_error *err);

/* ---- Pseudonyms ------------------------------------------------------------------------------ */

typedef enum ob_pseudonym_kind {
    OB_PSEUDONYM_ACCOUNT,
    OB_PSEUDONYM_CONVERSATION,
    OB_PSEUDONYM_ITEM,
} ob_pseudonym_kind;

enum { OB_PSEUDONYM_TEXT = 256 };

/* What records know an account, conversation or item of a service by: a keyed code of its words.
 * The words are not kept; without the key nobody can find them or compare with another service. */
void ob_staff_pseudonym(ob_record_key *out, const ob_staff *staff, ob_pseudonym_kind kind,
                        const char *text);

/* ---- Persons -----------------------------------------------------------------------------------
 */

typedef enum ob_role {
    OB_ROLE_REVIEWER, /* looks, and gives verdicts */
    OB_ROLE_LEAD,     /* the same, and orders, detectors, safeguards, the clock */
    OB_ROLE_OFFICER,  /* data protection: safeguards; sees everything that was decided */
    OB_ROLES,
} ob_role;

const char *ob_role_name(ob_role role);
bool ob_role_parse(ob_role *out, const char *name);

/* Makes a person and their personal token, which is told this once. */
ob_status ob_staff_person_add(char secret[], ob_staff *staff, const char *name, uint32_t roles,
                              bool is_external, ob_error *err);

/* Sets *out to the active person of this token. False where there is none. */
bool ob_staff_person_find(ob_person *out, ob_staff *staff, const char *secret);

/* ---- Steps that need two persons
 * ------------------------------------------------------------------- */

/* Who does something: a person, or the operator (person NULL), who may propose and never confirm.
 */
typedef struct ob_actor {
    const ob_person *person;
} ob_actor;

const char *ob_actor_name(const ob_actor *actor);         /* "operator" without a person */
bool ob_actor_has(const ob_actor *actor, uint32_t roles); /* any of them; bit r: ob_role r */

enum { OB_PROPOSAL_SECONDS = 7 * 86400 };

/* Proposes `body` (JSON) of a kind. */
ob_status ob_staff_propose(int64_t *id, ob_staff *staff, const char *kind, const char *body,
                           const ob_actor *actor, ob_error *err);

/* Looks whether `actor` may agree to what `out` says: a person, with one of `roles`, other than who
 * proposed, in time. OB_EREFUSED. A proposal of the operator, who might be anybody, becomes that of
 * the first person who agrees: *adopted, and it stays open for a second one. */
ob_status ob_staff_second(bool *adopted, ob_proposal *out, ob_staff *staff, int64_t id,
                          const ob_actor *actor, uint32_t roles, ob_error *err);

#endif
