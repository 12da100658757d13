/* service: a data directory and everything that is open in it, once: for the service, for commands
 * where none runs, and for tests. One process owns a directory at a time (its lock is that of the
 * lists). */
#ifndef OBHUT_SERVICE_H
#define OBHUT_SERVICE_H

#include <obhut/acts.h>
#include <obhut/audit.h>
#include <obhut/engine.h>
#include <obhut/http.h>
#include <obhut/lists.h>
#include <obhut/staff.h>
#include <obhut/store.h>

#include <stdatomic.h>

typedef struct ob_service_options {
    const char *dir;
    const char *records; /* the address of a PostgreSQL database; NULL: what the directory says */
    const ob_engine_options
        *engine;          /* lists, store, acts, staff are filled in; NULL: no engine yet, and
                           * no service: nobody asks this process for anything but commands */
    unsigned patience_ms; /* how long to wait for a process that still owns the directory */
    void (*problem)(void *context, const char *sentence); /* may be NULL; any thread */
    void *context;
} ob_service_options;

/* Everything in it is the service's: ob_service_close. */
typedef struct ob_service {
    ob_lists *lists;
    ob_store *store;
    ob_audit *audit;
    ob_acts *acts;
    ob_staff *staff;
    ob_engine *engine;       /* NULL until ob_service_need_engine */
    const ob_policy *policy; /* what a match leads to; the options' or the default */
    bool made_token;         /* the operator's own token was made now: DIR/keys/api-token */
    const char *listening[OB_LISTENERS]; /* where, or "none"; NULL: no service runs */
    atomic_llong stranger_at;            /* when ob_service_stranger last had a count */
    atomic_uint strangers;               /* since */
} ob_service;

/* Opens it, in the order in which each knows what the next must be: lists, records, log, acts, and
 * the lists against what the records know of them. *out is closed again where that fails. OB_EBUSY:
 * another process owns it. Otherwise errors as ob_lists_own_unchecked, ob_store_open,
 * ob_engine_audit, ob_acts_open, ob_staff_open, ob_engine_open. */
ob_status ob_service_open(ob_service *out, const ob_service_options *options, ob_error *err);

/* Counts one who shows a personal token that nobody has. Returns how many there were since it last
 * returned a number, once a minute; 0: they are counted, and a later call tells. Any thread. */
unsigned ob_service_stranger(ob_service *service, int64_t now);

/* An engine for a command that looks at something, where there is none. Any thread. */
ob_status ob_service_need_engine(ob_service *service, ob_error *err);

/* Closes in two steps, so that what answers need is there until the last answer. The first waits
 * for what is being done, writes a last entry (NULL: none) and ends engine, staff, acts and their
 * threads; the second closes the rest. *service may have nothing in it. */
void ob_service_stop(ob_service *service, const char *entry);
ob_status ob_service_close(ob_service *service,
                           ob_error *err); /* the log could not be closed as it should */

/* As ob_lists_compare, with what the records say. */
ob_status ob_service_compare_lists(const char *dir, const ob_acts_lists *known, ob_error *err);

/* Reads all records; *bytes is the size of a dump. Errors as ob_store_whole, ob_store_dump. */
ob_status ob_service_read_records(uint64_t *bytes, ob_view *view, ob_error *err);

/* Sets *out to why the lists in `dir` are not those that the records know; OB_OK in it: they are.
 */
ob_status ob_service_ask_lists(ob_error *out, const char *dir, ob_store *store, ob_error *err);

#endif
