/* socket: the operator's door, DIR/run/admin.sock: a request is a line of JSON, with a descriptor
 * where one belongs to it; lines come back. And asking there, or, where no service runs, doing the
 * same here. */
#ifndef OBHUT_SOCKET_H
#define OBHUT_SOCKET_H

#include <obhut/audit.h>
#include <obhut/commands.h>
#include <obhut/crypto.h>
#include <obhut/service.h>

/* ---- Serving --------------------------------------------------------------------------------- */

/* Listens at DIR/run/admin.sock, which only the directory's owner can reach. */
ob_status ob_socket_listen(int *out, const char *dir, ob_error *err);

/* Takes one connection that waits, and serves it on a thread of its own; *service must live until
 * ob_commands_wait. Others than the directory's owner and root are turned away. */
void ob_socket_serve(int listening, ob_service *service);

/* ---- Asking ---------------------------------------------------------------------------------- */

/* A way to whoever does requests: the service that owns DIR, or, where none runs, this process,
 * which then owns it until the end. Any thread. */
typedef struct ob_socket_session ob_socket_session;
ob_status ob_socket_begin(ob_socket_session **out, const char *dir, ob_error *err);
void ob_socket_end(ob_socket_session *session); /* NULL is fine */

/* Whether a service answers at DIR's socket; sets *pid to its process where the kernel tells it,
 * else to 0. */
bool ob_socket_is_served(long *pid, const char *dir);

/* Does one request. Sets *out to what stood in "ok"; the caller drops the reference. Errors are
 * those of what was asked. */
ob_status ob_socket_ask(json_t **out, ob_socket_session *session, const json_t *request, int file,
                        const ob_commands_listener *listener, ob_error *err);

/* What is known of what lies beside the records. */
typedef struct ob_socket_checked {
    bool has_service, has_records;
    bool is_old;   /* an older version made the records, and nothing of them was read */
    bool is_known; /* whether the records know what of the log was signed */
    ob_audit_signed known;
    bool has_seed; /* whether the key of the log could be read */
    uint8_t seed[OB_KEY_SIZE];
    uint64_t record_bytes; /* of a dump; 0: not asked */
    ob_error lists;        /* why the lists are not those that the records know; OB_OK: they are */
} ob_socket_checked;

/* Asks the service that owns DIR or, where none runs, the records themselves: nothing is changed,
 * and it also works where a service would not start. `records`: all of them are read. Errors as
 * ob_store_open, ob_store_dump, ob_acts_signed. */
ob_status ob_socket_check(ob_socket_checked *out, const char *dir, bool records, ob_error *err);

/* Sets in `check` what of this a log is compared with; `checked` must outlive it. Nothing, where
 * the records know nothing. */
void ob_socket_check_log(ob_audit_check *check, const ob_socket_checked *checked);

/* The three in one. */
ob_status ob_socket_once(json_t **out, const char *dir, const json_t *request, int file,
                         const ob_commands_listener *listener, ob_error *err);

#endif
