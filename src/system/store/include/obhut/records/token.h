/* Tokens: secrets by which services are known, and what each permits. */
#ifndef OBHUT_RECORDS_TOKEN_H
#define OBHUT_RECORDS_TOKEN_H

#include <obhut/store.h>

/* What the owner of the secret may do. The secret itself is not stored. */
typedef struct ob_token {
    char name[OB_NAME_MAX + 1];
    uint8_t fingerprint[OB_FINGERPRINT_SIZE]; /* ob_secret_fingerprint of the secret */
    uint32_t surfaces;                        /* bit s: ob_surface s */
    uint32_t scopes;                          /* bit s: ob_scope s */
    int64_t made_at;                          /* seconds since 1970, UTC */
} ob_token;

/* Adds a token. OB_EINVAL: the name is taken or impossible. */
ob_status ob_store_token_add(ob_writing *w, const ob_token *token, ob_error *err);

/* Deletes the token of this name. OB_ENOTFOUND. */
ob_status ob_store_token_remove(ob_writing *w, const char *name, ob_error *err);

/* Sets *out to all tokens, by name, for the caller to free. */
ob_status ob_store_tokens(ob_token **out, size_t *count, ob_view *view, ob_error *err);

#endif
