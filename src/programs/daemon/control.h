/* What main and the processes that it starts say to each other, over a wire. */
#ifndef OBHUT_CONTROL_H
#define OBHUT_CONTROL_H

#include "daemon.h"

#include <obhut/wire.h>

typedef enum control_kind {
    CONTROL_READY = 1, /* to main, once */
    CONTROL_HANG_UP,   /* to main: a peer that the sender may judge does not do its part */
    CONTROL_PEER,      /* to a process, with a descriptor: its end of a connection to a peer */
    CONTROL_STOP,      /* to a process */
    CONTROL_KINDS,
} control_kind;

enum { CONTROL_MAIN, CONTROL_CHILD };
extern const ob_wire_protocol control_protocol;

/* `about`: the peer that is meant, which is the packet's number; 0: none. Takes `file` (or -1)
 * over. Never waits; false as ob_wire_send. */
bool control_send(ob_wire *to, control_kind kind, role_id about, int file);

#endif
