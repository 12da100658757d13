/* socket: the operator's socket, DIR/run/admin.sock: a request is one line of JSON, with a
 * descriptor where it needs one; lines of JSON come back. The same module asks there, or does the
 * request itself where no service runs. */
#ifndef OBHUT_SOCKET_H
#define OBHUT_SOCKET_H

#include <obhut/audit.h>
#include <obhut/commands.h>
#include <obhut/crypto.h>
#include <obhut/service.h>

/* ---- Serving --------------------------------------------------------------------------------- */

/* Listens at DIR/run/admin.sock, which only the directory's owner can reach. The caller closes
 * *out. */
ob_status ob_socket_listen(int *out, const char *dir, ob_error *err);

/* Accepts one waiting connection and serves it on a thread of its own; *service must live until
 * ob_commands_wait. Connections of other users than the directory's owner and root are refused. */
void ob_socket_serve(int listening, ob_service *service);

/* ---- Asking ---------------------------------------------------------------------------------- */

/* A session with the service that owns DIR, or, where none runs, with this process, which then
 * owns DIR until the end of the session. Any thread. */
typedef struct ob_socket_session ob_socket_session;
/* Connects to the service that owns DIR; where none runs, opens the directory in this process. The
 * caller ends *out with ob_socket_end. OB_EBUSY: another process owns DIR and does not answer; else
 * errors as ob_service_open. */
ob_status ob_socket_begin(ob_socket_session **out, const char *dir, ob_error *err);
/* Disconnects, or closes the directory, and frees `session`. NULL is fine. */
void ob_socket_end(ob_socket_session *session);

/* Says whether a service answers at DIR's socket. Sets *pid to its process where the kernel knows
 * it, else to 0. */
bool ob_socket_is_served(long *pid, const char *dir);

/* Does one request. `file` is its descriptor or -1, and stays the caller's. Sets *out to the value
 * of "ok"; the caller drops the reference. Errors are those of the request. */
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

/* Checks what lies beside the records: asks the service that owns DIR or, where none runs, the
 * records themselves. Nothing is changed, and it works where a service would not start. `records`:
 * all of them are read. Errors as ob_store_open, ob_store_dump, ob_acts_signed. */
ob_status ob_socket_check(ob_socket_checked *out, const char *dir, bool records, ob_error *err);

/* Sets in `check` what the log is compared with; `checked` must outlive it. Sets nothing where the
 * records know nothing. */
void ob_socket_check_log(ob_audit_check *check, const ob_socket_checked *checked);

/* Begins a session, does one request and ends the session. The caller drops the reference *out. */
ob_status ob_socket_once(json_t **out, const char *dir, const json_t *request, int file,
                         const ob_commands_listener *listener, ob_error *err);

#endif
