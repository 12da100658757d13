/* admin: what the operator commands: one request is one JSON object, and so is its answer. The same
 * code serves the command line where no service runs and the service's socket where one does.
 *
 * Requests: {"do": "list.add", …}. Answers: {"ok": {…}} or {"error": {"status": -1, "text": "…"}}.
 * On the way there may be {"progress": {"step", "done", "total"}} and {"line": "…"}, a bad line of
 * a list. docs/OPERATION.md lists the requests. */
#ifndef OBHUT_ADMIN_H
#define OBHUT_ADMIN_H

#include <obhut/engine.h>
#include <obhut/http.h>
#include <obhut/lists.h>
#include <obhut/staff.h>
#include <obhut/store.h>

#include <jansson.h>

/* What commands work on; owned by whoever owns the data directory. */
typedef struct ob_admin {
    ob_lists *lists;
    ob_store *store;
    ob_audit *audit;
    ob_staff *staff;
    ob_engine *engine; /* NULL where no service runs: made when a command needs it */
    const ob_policy *policy;
    const char *listening[OB_LISTENERS]; /* where, or "none"; NULL: no service runs */
} ob_admin;

/* Once lists, store and staff are open: from here on the records know what the lists are, and lists
 * that are older, or others, are not searched (ob_lists_bind). ob_lists_unbind before staff is
 * closed. Errors as ob_staff_lists_known, ob_staff_lists_keep. */
ob_status ob_admin_bind(const ob_admin *admin, ob_error *err);

/* Who listens on the way to the answer. */
typedef struct ob_admin_listener {
    void (*hear)(void *context, json_t *event); /* the event is the caller's */
    void *context;
} ob_admin_listener;

/* Does one request; `file` is the descriptor that goes with it, or -1. Never NULL except when out
 * of memory. Any thread. */
json_t *ob_admin_do(ob_admin *admin, const json_t *request, int file,
                    const ob_admin_listener *listener);

/* ---- The socket ----------------------------------------------------------------------------- */

/* Listens at DIR/run/admin.sock, which only the directory's owner can reach. */
ob_status ob_admin_listen(int *out, const char *dir, ob_error *err);

/* Takes one connection that waits, and serves it on a thread of its own; *admin must live until
 * ob_admin_wait. Others than the directory's owner and root are turned away. */
void ob_admin_serve(int listening, ob_admin *admin);

/* Waits until all connections are served, at most so long. Returns false when one is not. */
bool ob_admin_wait(unsigned time_ms);

/* ---- Asking --------------------------------------------------------------------------------- */

/* A way to whoever does requests: the service that owns DIR, or, where none runs, this process,
 * which then owns it until the end. Any thread. */
typedef struct ob_admin_session ob_admin_session;
ob_status ob_admin_begin(ob_admin_session **out, const char *dir, ob_error *err);
void ob_admin_end(ob_admin_session *session); /* NULL is fine */

/* Whether a service answers at DIR's socket; sets *pid to its process where the kernel tells it,
 * else to 0. */
bool ob_admin_is_served(long *pid, const char *dir);

/* Does one request. Sets *out to what stood in "ok"; the caller drops the reference. Errors are
 * those of what was asked. */
ob_status ob_admin_ask(json_t **out, ob_admin_session *session, const json_t *request, int file,
                       const ob_admin_listener *listener, ob_error *err);

/* What is known of what lies beside the records. */
typedef struct ob_admin_checked {
    bool has_service, has_records;
    bool is_old;   /* an older version made the records, and nothing of them was read */
    bool is_known; /* whether the records know what of the log was signed */
    ob_audit_signed known;
    bool has_seed; /* whether the key of the log could be read */
    uint8_t seed[OB_KEY_SIZE];
    uint64_t record_bytes; /* of a dump; 0: not asked */
    ob_error lists;        /* why the lists are not those that the records know; OB_OK: they are */
} ob_admin_checked;

/* Asks the service that owns DIR or, where none runs, the records themselves: nothing is changed,
 * and it also works where a service would not start. `records`: all of them are read. Errors as
 * ob_store_open, ob_store_dump, ob_staff_signed. */
ob_status ob_admin_check(ob_admin_checked *out, const char *dir, bool records, ob_error *err);

/* Sets in `check` what of this a log is compared with; `checked` must outlive it. Nothing, where
 * the records know nothing. */
void ob_admin_check_log(ob_audit_check *check, const ob_admin_checked *checked);

/* The three in one. */
ob_status ob_admin_once(json_t **out, const char *dir, const json_t *request, int file,
                        const ob_admin_listener *listener, ob_error *err);

#endif
