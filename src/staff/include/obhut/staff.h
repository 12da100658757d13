/* staff: who may do what: tokens of services. */
#ifndef OBHUT_STAFF_H
#define OBHUT_STAFF_H

#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/store.h>

/* What a token is good for. */
typedef enum ob_scope {
    OB_SCOPE_SCAN,  /* hand in files */
    OB_SCOPE_MATCH, /* hand in hashes */
    OB_SCOPE_LISTS, /* see which lists there are */
    OB_SCOPES,
} ob_scope;

/* "scan", "match", "lists". */
const char *ob_scope_name(ob_scope scope);
bool ob_scope_parse(ob_scope *out, const char *name);

enum { OB_EVERY_SURFACE = (1 << OB_SURFACES) - 1, OB_EVERY_SCOPE = (1 << OB_SCOPES) - 1 };

typedef struct ob_staff ob_staff;

/* *out uses `store`, which must outlive it. Any thread. */
ob_status ob_staff_open(ob_staff **out, ob_store *store, ob_error *err);
void ob_staff_close(ob_staff *staff); /* NULL is fine */

/* Makes a token and its secret, which is told this once. Errors as ob_store_token_add; OB_EINVAL
 * also where it would be good for nothing. */
ob_status ob_staff_token_add(char secret[], ob_staff *staff, const char *name, uint32_t surfaces,
                             uint32_t scopes, ob_error *err);
enum { OB_TOKEN_TEXT = 43 }; /* characters of a secret, without the NUL */

/* Sets *out to the token of this secret. False where there is none; takes as long either way. */
bool ob_staff_token_find(ob_token *out, ob_staff *staff, const char *secret);

/* The operator's own token, for every surface and scope: DIR/keys/api-token has its secret. Made at
 * the first start; *made says whether that was now. */
ob_status ob_staff_need_own_token(bool *made, ob_staff *staff, const char *dir, ob_error *err);

#endif
