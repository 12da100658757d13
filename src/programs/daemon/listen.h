/* The sockets that a service listens on: opened here, or by systemd. */
#ifndef OBHUT_DAEMON_LISTEN_H
#define OBHUT_DAEMON_LISTEN_H

#include "address.h"
#include "daemon.h"

#include <sys/types.h>

typedef struct listeners {
    int socket[OB_LISTENERS];              /* -1: nobody listens there */
    char told[OB_LISTENERS][ADDRESS_TEXT]; /* where that is, as address_read takes it, or "none" */
    dev_t device[OB_LISTENERS];            /* of a socket's path that was made here; else 0 and 0 */
    ino_t node[OB_LISTENERS];
} listeners;

/* Opens what the configuration says; a socket that systemd hands over under a listener's name
 * (sd_listen_fds(3)) is taken instead. An error names the option, and nothing stays open.
 * OB_EINVAL: what was asked for makes no sense; OB_EIO: it cannot be had. */
ob_status listeners_open(listeners *out, const config *config, ob_error *err);

/* Closes all, and removes the paths that were made. */
void listeners_close(listeners *listeners);

/* "services http://127.0.0.1:8480, public /run/obhut/public.sock (mode 0660, owner obhut:obhut)" */
enum { LISTENERS_TEXT = 1000 };
void listeners_tell(char out[LISTENERS_TEXT], const listeners *listeners);

#endif
