/* The parts of socket: socket.c serves and asks, line.c carries, check.c asks also where no service
 * would start. */
#ifndef OBHUT_SOCKET_PRIV_H
#define OBHUT_SOCKET_PRIV_H

#include <obhut/socket.h>

/* ---- Lines ----------------------------------------------------------------------------------- */

/* Sends an object as a line, with a descriptor (-1: none), which stays the caller's. False: the
 * client has gone. */
bool socket_send_line(int to, const json_t *object, int file);

/* Bytes that have come, and a descriptor that came with them. */
typedef struct socket_incoming {
    int from, file;
    bool takes_file; /* a request may have one; an answer has none */
    bool is_crowded; /* it had more than it may */
    ob_buf bytes;
    size_t used;
} socket_incoming;

/* The next line as an object, or NULL at the end, after too much, or where it is none. */
json_t *socket_receive_line(socket_incoming *in);

/* Closes what it is from, and the descriptor. */
void socket_incoming_free(socket_incoming *in);

/* socket.c: asks over a connection, which it closes; `file` (-1: none) stays the caller's. */
ob_status socket_ask(json_t **out, int to, const json_t *request, int file,
                     const ob_commands_listener *listener, ob_error *err);

/* The same of the service that runs; OB_ENOTFOUND: none answers at its socket. */
ob_status socket_ask_running(json_t **out, const char *dir, const json_t *request, ob_error *err);

#endif
