/* store: the records, in DIR/obhut.db (SQLite) or in a PostgreSQL database. No other module knows
 * SQL, and none can tell which of them it is.
 *
 * Whoever opens a store owns the data directory. Everything is durable when a function returns
 * OB_OK. Any thread; one statement runs at a time. Texts are UTF-8.
 *
 * Every function may return OB_EIO (the database cannot be reached, read or written, with its own
 * words) and OB_EFORMAT (it is damaged). A PostgreSQL that has gone is asked again by the next
 * call. Where the connection was lost before a change was acknowledged, the sentence says that it
 * is unknown whether it was kept. */
#ifndef OBHUT_STORE_H
#define OBHUT_STORE_H

#include <obhut/base.h>

typedef struct ob_store ob_store;

/* Makes what is missing and brings an older database up to date. The caller owns *out.
 *
 * url   postgresql://…, kept in DIR/records at the first use; NULL or "": what DIR/records says,
 * and where it is not there, SQLite. It is never part of an error.
 *
 * OB_EREFUSED: made by a newer version, or the directory has other records already (a changed
 * address moves nothing); OB_EBUSY: another Obhut has this database; OB_EINVAL: no such address. */
ob_status ob_store_open(ob_store **out, const char *dir, const char *url, ob_error *err);

/* Whether this looks like an address of a PostgreSQL database. */
bool ob_store_url_is_valid(const char *url);

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

/* All records as lines of JSON, of one instant, the same for both kinds of database: for backups
 * and for moving from one to the other. The store belongs to this thread until it returns.
 *
 *     {"obhut_records":1,"schema":3}              how many steps the schema had gone
 *     {"table":"token","row":["forum",{"b":"9a…"},2,1,1764000000]}
 *     {"rows":1}
 *
 * `take` gets pieces of it, of any size; what it returns other than OB_OK ends the dump. */
typedef ob_status (*ob_store_take)(void *context, const void *bytes, size_t size, ob_error *err);
ob_status ob_store_dump(ob_store *store, ob_store_take take, void *context, ob_error *err);

/* Takes a dump, of this or an older version, into a store without records: all of it or nothing.
 * `give` sets *size to how many bytes it has put there; 0: that was the end.
 *
 * OB_EREFUSED: there are records already, or a newer version made the dump. OB_EFORMAT, OB_ELIMIT:
 * it is none, with the line. */
typedef ob_status (*ob_store_give)(void *context, void *bytes, size_t capacity, size_t *size,
                                   ob_error *err);
ob_status ob_store_load(ob_store *store, ob_store_give give, void *context, ob_error *err);

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
