/* The parts of wire: bytes.c is one system call, packet.c the fields, wire.c the ends of a
 * connection, print.c what people read of it. */
#ifndef OBHUT_WIRE_PRIV_H
#define OBHUT_WIRE_PRIV_H

#include <obhut/wire.h>

enum { WIRE_MAGIC = 0x4F425732 };

/* What stands before the fields on a socket. */
typedef struct wire_head {
    uint32_t magic, kind;
    uint64_t id;
} wire_head;

typedef struct wire_waiting wire_waiting;

struct ob_wire {
    int socket;
    const ob_wire_protocol *protocol;
    unsigned side;
    const char *peer;
    wire_waiting *first, **last; /* packets that wait for a side that does not read */
    size_t bytes, packets, files;
    uint8_t *received; /* the fields of the last packet, and a NUL behind them */
    size_t received_most;
    char fault[OB_WIRE_TEXT + 100];
};

/* The row of a kind; NULL: the protocol has none. */
const ob_wire_kind *wire_kind(const ob_wire *w, uint32_t kind);

/* NULL, or why `side` may not send this packet. */
const char *wire_objection(const ob_wire *w, unsigned side, const ob_packet *p);

#endif
