/* store: the records, in DIR/obhut.db (SQLite) or in a PostgreSQL database. No other module knows
 * SQL, and none can tell which of them it is.
 *
 * Whoever opens a store owns the data directory. What is read comes from a view, what is changed
 * goes into a writing; every kind of record has a header in obhut/records/: everything in it is
 * durable when ob_writing_end returns OB_OK. Any thread. Texts are UTF-8.
 *
 * Every function may return OB_EIO (the database cannot be reached, read or written, with its own
 * words) and OB_EFORMAT (it is damaged). A PostgreSQL that has gone is asked again by the next
 * view or writing. Where the connection was lost before a change was acknowledged, the sentence
 * says that it is unknown whether it was kept. */
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

/* Before that, wherever records are not made on purpose. OB_EREFUSED: they are gone, and the log
 * beside them tells that they were there. */
ob_status ob_store_expect(const char *dir, const char *url, ob_error *err);

/* The same for whoever only looks: nothing is made or brought up to date. *out is NULL where an
 * older version made the records, which this one could read only after that. OB_EFORMAT: there are
 * none. */
ob_status ob_store_look(ob_store **out, const char *dir, ob_error *err);

/* Whether this looks like an address of a PostgreSQL database. */
bool ob_store_url_is_valid(const char *url);

void ob_store_close(ob_store *store); /* NULL is fine */

/* ---- Reading ---------------------------------------------------------------------------------
 */

/* The records as they were at one instant, on a connection of its own: that of the first question
 * asked through it. Readers wait for no writer, and nobody waits for them. A view belongs to one
 * thread at a time; keep it briefly, for there is a small number of connections. */
typedef struct ob_view ob_view;

/* Costs nothing before something is asked. The caller closes *out. OB_EBUSY: so many others read
 * that no connection became free for some seconds. */
ob_status ob_view_open(ob_view **out, ob_store *store, ob_error *err);
void ob_view_close(ob_view *view); /* NULL is fine */

/* ---- Writing ---------------------------------------------------------------------------------
 */

/* The one transaction that changes records. Others who want one wait, in the order in which they
 * came, so be brief; acts of the service share one (obhut/acts.h). */
typedef struct ob_writing ob_writing;

/* Every ob_writing_begin that returned OB_OK is followed by one ob_writing_end, which hands in how
 * it went and returns `so_far`, or what went wrong: with an error nothing has happened, whatever
 * the calls in between returned, and numbers that they gave out are given out again. Once anything
 * within it has failed, nothing follows. */
ob_status ob_writing_begin(ob_writing **out, ob_store *store, ob_error *err);
/* The same, waiting for nobody: OB_EBUSY where somebody else writes, or overwrites. */
ob_status ob_writing_begin_at_once(ob_writing **out, ob_store *store, ob_error *err);
ob_status ob_writing_end(ob_writing *w, ob_status so_far, ob_error *err);

/* A part of it that is undone alone where it fails: returns as ob_writing_end. Where the database
 * cannot undo a part, the whole fails. Parts do not stand in parts. */
ob_status ob_writing_part(ob_writing *w, ob_error *err);
ob_status ob_writing_part_end(ob_writing *w, ob_status so_far, ob_error *err);

/* The records with all that was changed so far; lives as long as the writing. */
ob_view *ob_writing_view(ob_writing *w);

/* ---- Copies ----------------------------------------------------------------------------------
 */

/* All records as lines of JSON, of the view's instant, the same for both kinds of database: for
 * backups and for moving from one to the other.
 *
 *     {"obhut_records":1,"schema":3}              how many steps the schema had gone
 *     {"table":"token","row":["forum",{"b":"9a…"},2,1,1764000000]}
 *     {"rows":1}
 *
 * `take` gets pieces of it, of any size; what it returns other than OB_OK ends the dump. */
typedef ob_status (*ob_store_take)(void *context, const void *bytes, size_t size, ob_error *err);
ob_status ob_store_dump(ob_view *view, ob_store_take take, void *context, ob_error *err);

/* Whether the database is whole, as far as it knows by itself: SQLite its pages, indexes and kinds
 * of values; PostgreSQL is not asked. OB_EFORMAT: what is wrong. */
ob_status ob_store_whole(ob_view *view, ob_error *err);

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

/* ---- Withdrawals -----------------------------------------------------------------------------
 */

/* Hears that something which allowed looking may have gone. `personal`: a cause, an order, a
 * consent or a report; else the profile, a safeguard or a detector. Called after every view that
 * begins sees the change, and before it is acknowledged, on the thread that wrote. One listener a
 * store; set it before there are threads. */
void ob_store_on_withdrawal(ob_store *store, void (*hear)(void *context, bool personal),
                            void *context);

#endif
