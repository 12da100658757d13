/* wire: packets between the processes of the service, over pairs of sockets of this machine.
 *
 * A packet has a kind, the number of what it is about, fields in order, and at most one descriptor.
 * The sender puts the fields, the receiver gets them in the same order and then asks for the end:
 *
 *     ob_packet p = ob_packet_of(MESSAGE_PLAN, id);      ob_get_u32(&plan, p);
 *     ob_put_u32(&p, plan);                              ob_get_u64(&most, p);
 *     ob_put_u64(&p, most);                              if (!ob_get_end(p))
 *     ob_wire_send(wire, &p);                                … the sender does not do its part
 *
 * An error sticks: after a field that could not be put or got, all further ones fail, so that it is
 * enough to look at the end. A protocol is a table of kinds: its name, who sends it, how many bytes
 * its fields may have, whether a descriptor belongs to it. What does not fit the table reaches no
 * reader, and no descriptor of it stays open. Both sides are from the same build, so fields are in
 * the machine's own byte order. */
#ifndef OBHUT_WIRE_H
#define OBHUT_WIRE_H

#include <obhut/base.h>

#include <sys/types.h>
#include <sys/uio.h>

/* ---- Packets --------------------------------------------------------------------------------- */

enum {
    OB_PACKET_MOST = 1 << 16, /* bytes of all fields, whatever the protocol */
    OB_PACKET_SMALL = 64,     /* bytes of fields that stand in the packet itself */
};

/* A packet that is written, or one that came. Its members below
 * `is_lent` are for this module. */
typedef struct ob_packet {
    uint32_t kind;
    uint64_t id;
    int file;         /* that goes or came with it; the packet's; -1: none */
    bool is_lent;     /* the file stays its owner's: neither sending nor freeing closes it */
    uint8_t *bytes;   /* the fields; NULL: they are in `small` */
    size_t size, at;  /* bytes of fields; how many were got */
    size_t capacity;  /* 0: `bytes` belongs to a wire, or stands behind the packet */
    const void *tail; /* the last field of one that is written, not copied */
    size_t tail_size;
    bool has_tail, failed;
    uint8_t small[OB_PACKET_SMALL];
} ob_packet;

/* A packet to be written, without fields or descriptor. With at most OB_PACKET_SMALL bytes of
 * fields it needs no ob_packet_free. It may be copied as long as it has no more. */
ob_packet ob_packet_of(uint32_t kind, uint64_t id);

/* Makes room for fields at once, so that no memory is needed later. False: out of memory. */
bool ob_packet_reserve(ob_packet *p, size_t size);

/* The same packet anew, with the memory that it has. */
void ob_packet_reset(ob_packet *p, uint32_t kind, uint64_t id);

/* Overwrites the fields, closes the descriptor, frees what is the packet's. It may be called again.
 */
void ob_packet_free(ob_packet *p);

/* A copy that can be read, without the descriptor, as long as its fields are; what was got of `p`
 * was got of it. The caller's: ob_packet_drop. NULL: out of memory. */
ob_packet *ob_packet_copy(const ob_packet *p);

/* Overwrites and frees such a copy; NULL is fine. */
void ob_packet_drop(ob_packet *copy);

/* Bytes of all fields, with the tail. */
size_t ob_packet_size(const ob_packet *p);

/* ---- Putting fields -------------------------------------------------------------------------- */

/* A packet that was received, or has its tail, takes no more fields, and none takes more than
 * OB_PACKET_MOST bytes. */

/* Appends a field with a number. Never fails here: a packet that takes no more makes ob_wire_send
 * fail. */
void ob_put_u32(ob_packet *p, uint32_t number);
/* Appends a field with a number, as ob_put_u32 does. */
void ob_put_u64(ob_packet *p, uint64_t number);
/* Appends a field with a number, as ob_put_u32 does. */
void ob_put_i64(ob_packet *p, int64_t number);
/* Appends a copy of a text, as ob_put_u32 does. NULL is a text, too. */
void ob_put_text(ob_packet *p, const char *text);
/* Appends a copy of bytes, as ob_put_u32 does. */
void ob_put_bytes(ob_packet *p, const void *bytes, size_t size);

/* The last field: as ob_put_bytes, but the bytes stay where they are until the packet is sent. It
 * may be put again, for the next sending. */
void ob_put_tail(ob_packet *p, const void *bytes, size_t size);

/* ---- Getting fields -------------------------------------------------------------------------- */

/* Fields are taken in their order. Texts and bytes of a received packet are valid until its wire
 * receives the next one. */

/* Takes the next field, a number. Returns false and sets *out to 0 where there is no such field. */
bool ob_get_u32(uint32_t *out, ob_packet *p);
/* Takes the next field, as ob_get_u32 does. */
bool ob_get_u64(uint64_t *out, ob_packet *p);
/* Takes the next field, as ob_get_u32 does. */
bool ob_get_i64(int64_t *out, ob_packet *p);
/* Takes the next field, a text without NULs, which belongs to the packet. Returns false and sets
 * *out to NULL where there is no such field. */
bool ob_get_text(const char **out, ob_packet *p);
/* Takes the next field, bytes, which belong to the packet. Returns false and sets *out to NULL
 * where there is no such field. */
bool ob_get_bytes(const void **out, size_t *size, ob_packet *p);

/* Bytes of exactly this size, copied to `out`: zeros where they have another. */
bool ob_get_block(void *out, size_t size, ob_packet *p);

/* Whether every field was there, and none is left. */
bool ob_get_end(const ob_packet *p);

/* From the first field on again. */
void ob_get_again(ob_packet *p);

/* ---- Protocols ------------------------------------------------------------------------------- */

typedef enum ob_wire_file { OB_WIRE_NO_FILE, OB_WIRE_MAY_HAVE_FILE, OB_WIRE_HAS_FILE } ob_wire_file;

/* A row of a protocol. */
typedef struct ob_wire_kind {
    const char *name;   /* NULL: there is no such kind */
    unsigned from;      /* 0 or 1: which side sends it */
    size_t least, most; /* bytes of its fields */
    ob_wire_file file;
} ob_wire_kind;

typedef struct ob_wire_protocol {
    const char *sides[2];      /* "front", "core" */
    const ob_wire_kind *kinds; /* by number */
    size_t kind_count;
    /* What may wait for a side that does not read; 0: nothing waits. */
    size_t waiting_bytes, waiting_packets, waiting_files;
} ob_wire_protocol;

/* ---- Wires ----------------------------------------------------------------------------------- */

/* One end of a pair of sockets (AF_UNIX, SOCK_SEQPACKET). One thread at a time sends, one at a time
 * receives. */
typedef struct ob_wire ob_wire;

/* `side` of the protocol is ours. `peer`: who the other one is, where the protocol's name for that
 * side does not say it; lives as long as the wire; else NULL. Takes the socket over. NULL: out of
 * memory, and the socket is closed. */
ob_wire *ob_wire_new(int socket, const ob_wire_protocol *protocol, unsigned side, const char *peer);
void ob_wire_free(ob_wire *w); /* NULL is fine */
/* Returns the socket, which stays the wire's, for waiting. */
int ob_wire_socket(const ob_wire *w);

/* Sends, or keeps a copy until the other side reads, where the protocol lets something wait. Never
 * waits itself. Takes the packet's descriptor over where it is not lent, and leaves its fields.
 *
 * False with errno set: EAGAIN or ETOOMANYREFS: the other side does not read, and nothing more may
 * wait; ENOMEM; EMSGSIZE: the packet is none that this side may send, or its fields could not be
 * put; anything else: the other side is gone. */
bool ob_wire_send(ob_wire *w, ob_packet *p);

/* Says whether something waits to be sent. */
bool ob_wire_is_full(const ob_wire *w);
/* Tries to send what waits. False: the other side is gone. */
bool ob_wire_flush(ob_wire *w);

typedef enum ob_wire_got {
    OB_WIRE_NONSENSE = -2, /* a packet that its sender may not send: ob_wire_fault says why */
    OB_WIRE_END = -1,      /* the other side is gone */
    OB_WIRE_NOTHING = 0,   /* now */
    OB_WIRE_PACKET = 1,
} ob_wire_got;

/* Receives one packet, which is valid until the next one is received; its descriptor is the
 * caller's (ob_packet_free closes it, and overwrites the fields). Never waits. Other results leave
 * an empty packet. */
ob_wire_got ob_wire_receive(ob_wire *w, ob_packet *out);

/* The same, and waits. */
ob_wire_got ob_wire_await(ob_wire *w, ob_packet *out);

/* ---- For people ------------------------------------------------------------------------------ */

enum { OB_WIRE_TEXT = 160 };

/* "front→core ASK id=7, 312 bytes, a descriptor": a packet that came, or one that is to be sent. */
void ob_packet_print(char out[OB_WIRE_TEXT], const ob_wire *w, const ob_packet *p);

/* The last packet that made no sense, and why: "front→core PLAN id=7, 0 bytes: core sends that".
 * Nothing of what fields say is in it. */
const char *ob_wire_fault(const ob_wire *w);

/* ---- One system call ------------------------------------------------------------------------- */

/* Sends bytes with at most one descriptor (-1: none), which stays the caller's. As sendmsg(2),
 * which is called again where a signal came; `flags` beside MSG_NOSIGNAL. */
ssize_t ob_bytes_send(int to, struct iovec *pieces, size_t count, int file, int flags);

/* Receives what one sendmsg has sent, on any socket.
 *
 * file    set to the descriptor that came, which is the caller's, or to -1; NULL: none is expected
 * pieces  where the bytes go; `count` of them
 * flags   of recvmsg; descriptors are closed on exec in any case
 *
 * Returns how many bytes came, 0 at the end, or -1 with errno set. EBADMSG: what came had more
 * descriptors than it may have, or more bytes than there was room for; its descriptors are closed,
 * and the bytes mean nothing. */
ssize_t ob_bytes_receive(int *file, int from, struct iovec *pieces, size_t count, int flags);

#endif
