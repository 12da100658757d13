/* store: the records, in DIR/obhut.db (SQLite) or in a PostgreSQL database. No other module knows
 * SQL, and none can tell which of the two is in use.
 *
 * A process that opens a store owns the data directory. Records are read through a view and changed
 * through a writing. Every kind of record has a header in obhut/records/: its changes are durable
 * when ob_writing_end returns OB_OK. All functions may be called from any thread. Texts are UTF-8.
 *
 * Every function may return OB_EIO (the database cannot be reached, read or written; the sentence
 * has the database's own words) and OB_EFORMAT (the database is damaged). When a PostgreSQL server
 * has gone, the next view or writing connects again. Where the connection was lost before a change
 * was acknowledged, the sentence says that the outcome is unknown. */
#ifndef OBHUT_STORE_H
#define OBHUT_STORE_H

#include <obhut/base.h>

typedef struct ob_store ob_store;

/* Opens the records, makes them where they are missing, and brings an older database up to date.
 * The caller owns *out: ob_store_close.
 *
 * url   postgresql://…, written to DIR/records at the first use; NULL or "": what DIR/records says,
 * and SQLite where that file is missing. The address never appears in an error.
 *
 * OB_EREFUSED: a newer version made the records, or the directory has other records already (a
 * changed address moves nothing). OB_EBUSY: another Obhut uses this database. OB_EINVAL: no such
 * address. */
ob_status ob_store_open(ob_store **out, const char *dir, const char *url, ob_error *err);

/* Checks that records which once existed are still there. Call this before ob_store_open wherever
 * new records would be a mistake. OB_EREFUSED: the records are gone, while the log beside them
 * shows that there were some. */
ob_status ob_store_expect(const char *dir, const char *url, ob_error *err);

/* Opens the records for reading: nothing is made or brought up to date. *out is NULL where an older
 * version made the records, which can be read only after an update; else the caller owns *out:
 * ob_store_close. OB_EFORMAT: there are no records. */
ob_status ob_store_open_to_read(ob_store **out, const char *dir, ob_error *err);

/* Says whether a text has the form of an address of a PostgreSQL database. */
bool ob_store_url_is_valid(const char *url);

/* Closes the database and frees `store`. NULL is fine. */
void ob_store_close(ob_store *store);

/* ---- Reading --------------------------------------------------------------------------------- */

/* The records as they were at one instant, on a connection of its own: that of the first question
 * asked through it. Readers wait for no writer, and nobody waits for them. A view belongs to one
 * thread at a time; keep it briefly, for there is a small number of connections. */
typedef struct ob_view ob_view;

/* Opens a view. It costs nothing until the first query. The caller owns *out: ob_view_close.
 * OB_EBUSY: so many others read that no connection became free for some seconds. */
ob_status ob_view_open(ob_view **out, ob_store *store, ob_error *err);
/* Gives the view's connection back and frees `view`. NULL is fine. */
void ob_view_close(ob_view *view);

/* ---- Writing --------------------------------------------------------------------------------- */

/* The one transaction that changes records. Others who want one wait, in the order in which they
 * came, so be brief; acts of the service share one (obhut/acts.h). */
typedef struct ob_writing ob_writing;

/* Begins the one transaction, after those that others began before. Every call that returned OB_OK
 * is followed by one ob_writing_end, which also frees *out. With an error, *out is untouched. */
ob_status ob_writing_begin(ob_writing **out, ob_store *store, ob_error *err);
/* Begins the transaction like ob_writing_begin, but never waits. OB_EBUSY: another thread writes or
 * overwrites deleted records. *out belongs to the caller until ob_writing_end. */
ob_status ob_writing_begin_at_once(ob_writing **out, ob_store *store, ob_error *err);
/* Ends the transaction and frees `w`. `so_far` is the result of the work: with OB_OK the changes
 * are committed, with anything else they are undone. Returns `so_far`, or the error of the commit.
 * After an error nothing has changed, whatever the calls in between returned, and numbers that they
 * gave out are given out again. Once any call within a writing has failed, all later ones fail. */
ob_status ob_writing_end(ob_writing *w, ob_status so_far, ob_error *err);

/* Begins a part of the writing, which can be undone alone (a savepoint). Parts do not nest. Every
 * call that returned OB_OK is followed by one ob_writing_part_end. */
ob_status ob_writing_part(ob_writing *w, ob_error *err);
/* Ends the part: with `so_far` OB_OK its changes stay in the writing, with anything else they alone
 * are undone. Returns `so_far`, or an error where the database could not undo the part: then the
 * whole writing has failed. */
ob_status ob_writing_part_end(ob_writing *w, ob_status so_far, ob_error *err);

/* Returns a view of the records with all changes so far. It belongs to the writing and lives as
 * long. */
ob_view *ob_writing_view(ob_writing *w);

/* ---- Copies ---------------------------------------------------------------------------------- */

/* All records as lines of JSON, of the view's instant, the same for both kinds of database: for
 * backups and for moving from one to the other.
 *
 *     {"obhut_records":1,"schema":3}              how many steps the schema had gone
 *     {"table":"token","row":["forum",{"b":"9a…"},2,1,1764000000]}
 *     {"rows":1}
 *
 * `take` gets pieces of it, of any size; what it returns other than OB_OK ends the dump. */
typedef ob_status (*ob_store_take)(void *context, const void *bytes, size_t size, ob_error *err);
/* Calls `take` with the text of all records, piece by piece, in the order of the tables. A status
 * other than OB_OK from `take` ends the dump and is returned. */
ob_status ob_store_dump(ob_view *view, ob_store_take take, void *context, ob_error *err);

/* Checks whether the database is whole, as far as it can tell by itself: SQLite checks its pages,
 * indexes and types of values; PostgreSQL is not asked. OB_EFORMAT: what is wrong. */
ob_status ob_store_whole(ob_view *view, ob_error *err);

/* Puts the next bytes of a dump, at most `capacity`, at `bytes` and sets *size to how many there
 * are; 0 ends the dump. */
typedef ob_status (*ob_store_give)(void *context, void *bytes, size_t capacity, size_t *size,
                                   ob_error *err);
/* Reads a dump of this or an older version from `give` into a store without records: all of it or
 * nothing. OB_EREFUSED: there are records already, or a newer version made the dump. OB_EFORMAT,
 * OB_ELIMIT: this is no dump; the sentence has the line. */
ob_status ob_store_load(ob_store *store, ob_store_give give, void *context, ob_error *err);

/* Returns a number, never 0, that changes with every change of tokens or gateways: a copy of them
 * in memory that was read under another number is out of date. */
uint64_t ob_store_generation(ob_store *store);

enum { OB_NAME_MAX = 64, OB_FINGERPRINT_SIZE = 32 };

/* Says whether a text can be the name of a token, gateway or person: a-z 0-9 . _ -, first a letter
 * or digit, at most OB_NAME_MAX characters. */
bool ob_name_is_valid(const char *name);

/* ---- Withdrawals ----------------------------------------------------------------------------- */

/* Sets the function that is called when a record that permitted scanning was withdrawn. `personal`
 * is true for a cause, an order, a consent or a report, and false for the profile, a safeguard or a
 * detector. The call comes on the thread that writes, after the change is visible to every new view
 * and before it is acknowledged. A store has one such function; set it before other threads use the
 * store. */
void ob_store_on_withdrawal(ob_store *store, void (*hear)(void *context, bool personal),
                            void *context);

#endif
