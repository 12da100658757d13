/* What front and core say to each other: packets over a pair of sockets, with a descriptor where
 * one belongs to them. Both are from the same build; the core checks what the front says, which
 * deals with the world. */
#ifndef OBHUT_CHANNEL_H
#define OBHUT_CHANNEL_H

#include <obhut/http.h>

typedef enum message_kind {
    /* front to core */
    MESSAGE_ASK = 1, /* a head: number = length of the body, or -1; payload: see channel_pack, and
                      * behind it the body, if `body` is not 0; status 1: there are too many, and
                      * what is told then is wanted */
    MESSAGE_BODY, /* a body: number = bytes, in the payload or a memory file; status 1: too large */
    MESSAGE_UNABLE, /* the body cannot be taken now: status = ob_hindrance */
    MESSAGE_GONE,   /* nobody waits for this answer */
    MESSAGE_COUNTS, /* payload: ob_front_count numbers of 64 bits */
    /* core to front */
    MESSAGE_PLAN,   /* the body is wanted: status = ob_plan, number = most bytes */
    MESSAGE_ANSWER, /* status, number = Retry-After; payload: type, allow, and the body unless it is
                     * in a memory file */
    /* front to core, once */
    MESSAGE_LAYERS, /* number: OB_CONFINED_… that hold the front, as it says */
    /* front to core */
    MESSAGE_LATE, /* this answer is wanted now, as it is without having been looked at */
} message_kind;

typedef struct message_head {
    uint32_t kind, status;
    uint64_t id;
    int64_t number;
    uint32_t body;     /* ASK: bytes of the body that is there already; else 0 */
    uint32_t listener; /* ASK: ob_listener, over which the request came; else 0 */
} message_head;

enum { MESSAGE_MOST = 60000 }; /* bytes of a payload; what is larger goes into a memory file */
enum { BODY_SHORT = 16384 };   /* bytes of JSON that are read in no time, and go with a head */

/* A packet that came. */
typedef struct message {
    message_head head;
    int file; /* or -1; the receiver's */
    size_t size;
    char payload[MESSAGE_MOST + 1]; /* followed by a NUL */
} message;

typedef struct channel channel;

channel *channel_new(int socket); /* takes the socket over; NULL: out of memory */
void channel_free(channel *channel);
int channel_socket(const channel *channel);

/* Sends, or keeps it until the other side reads; takes `file` (or -1) over. Never waits. False when
 * the other side is gone, or more is kept for it than may be, or out of memory. */
bool channel_send(channel *channel, const message_head *head, const void *payload, size_t size,
                  int file);

/* Whether something is kept; channel_flush tries to send it. */
bool channel_is_full(const channel *channel);
bool channel_flush(channel *channel);

/* 1: *out is set; 0: nothing there; -1: the other side is gone; -2: it talks nonsense. */
int channel_receive(channel *channel, message *out);

/* A copy of what came, no longer than it is; without its descriptor. The caller's: free().
 * NULL: out of memory. */
message *channel_copy(const message *m);

/* Texts in a row, any of them NULL. */
bool channel_pack(ob_buf *out, const char *text);

/* Reads the next one; false where there is none or it is damaged. */
bool channel_unpack(const char **text, const message *message, size_t *at);

/* The head of a request, as ASK has it; the texts are the message's, and a body that came with it
 * is its last head.body bytes. False: it makes no sense. */
enum { REQUEST_FIELDS = 64 };
bool channel_unpack_request(ob_request *out, ob_field fields[REQUEST_FIELDS],
                            const message *message);

/* A memory file with these bytes, which nobody can change any more; -1: out of memory. */
int channel_file(const void *bytes, size_t size);
bool channel_seal(int file);

#endif
