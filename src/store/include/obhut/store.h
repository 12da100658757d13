/* store: the records, in DIR/obhut.db (SQLite). No other module knows SQL.
 *
 * Whoever opens a store owns the data directory. Everything is durable when a function returns
 * OB_OK. Any thread; one statement runs at a time. */
#ifndef OBHUT_STORE_H
#define OBHUT_STORE_H

#include <obhut/base.h>

typedef struct ob_store ob_store;

/* Makes the file where there is none and brings an older one up to date. OB_EREFUSED: made by a
 * newer version; OB_EIO, OB_EFORMAT: with the database's own words. The caller owns *out.
 *
 * url   NULL: what this directory uses already, or SQLite */
ob_status ob_store_open(ob_store **out, const char *dir, const char *url, ob_error *err);
void ob_store_close(ob_store *store); /* NULL is fine */

/* Everything between the two happens or nothing does: for changes of several kinds that belong
 * together. Every ob_store_begin that returned OB_OK is followed by one ob_store_end of the same
 * thread, which hands in how it went; in between the store belongs to that thread, so be brief.
 *
 * Pairs may stand within pairs: the outermost one counts, and fails where anything within it has
 * failed. ob_store_end returns `so_far`, or what went wrong: with an error nothing has happened,
 * whatever the calls in between returned. Numbers that they gave out are then given out again. */
ob_status ob_store_begin(ob_store *store, ob_error *err);
ob_status ob_store_end(ob_store *store, ob_status so_far, ob_error *err);

/* Another number after every change of tokens or gateways, so that who keeps them in memory knows
 * when to read them again. Never 0. */
uint64_t ob_store_generation(ob_store *store);

enum { OB_NAME_MAX = 64, OB_PRINT_SIZE = 32 };

/* Names of tokens, gateways, persons: a-z 0-9 . _ -, first a letter or digit. */
bool ob_name_is_valid(const char *name);

/* ---- Tokens --------------------------------------------------------------------------------- */

/* Whoever shows the secret may do so much. The secret itself is not kept. */
typedef struct ob_token {
    char name[OB_NAME_MAX + 1];
    uint8_t print[OB_PRINT_SIZE]; /* ob_secret_print of the secret */
    uint32_t surfaces;            /* bit s: ob_surface s */
    uint32_t scopes;              /* bit s: ob_scope s */
    int64_t made_at;              /* seconds since 1970, UTC */
} ob_token;

/* OB_EINVAL: the name is taken or impossible. */
ob_status ob_store_token_add(ob_store *store, const ob_token *token, ob_error *err);

/* OB_ENOTFOUND. */
ob_status ob_store_token_remove(ob_store *store, const char *name, ob_error *err);

/* All of them, by name; the caller frees *out with free(). */
ob_status ob_store_tokens(ob_token **out, size_t *count, ob_store *store, ob_error *err);

/* ---- Gateways ------------------------------------------------------------------------------- */

/* Software that cannot send a token calls a path with a secret in it. */
typedef struct ob_gateway {
    char name[OB_NAME_MAX + 1];
    char kind[16]; /* "pict-rs" */
    uint8_t print[OB_PRINT_SIZE];
    uint32_t surface; /* ob_surface */
    bool fail_closed; /* what could not be looked at, though it may, is refused */
    int64_t made_at;
} ob_gateway;

ob_status ob_store_gateway_add(ob_store *store, const ob_gateway *gateway, ob_error *err);
ob_status ob_store_gateway_remove(ob_store *store, const char *name, ob_error *err);
ob_status ob_store_gateways(ob_gateway **out, size_t *count, ob_store *store, ob_error *err);

#endif
