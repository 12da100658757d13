/* What front and core say to each other, over a wire. Both are from the same build; the core checks
 * what the front says, which deals with the world. */
#ifndef OBHUT_CHANNEL_H
#define OBHUT_CHANNEL_H

#include <obhut/services.h>
#include <obhut/wire.h>

/* Fields stand behind each kind, in order. The packet's number is that of the request; 0 where it
 * is about none. */
typedef enum message_kind {
    /* front to core */
    MESSAGE_ASK = 1, /* a head: channel_put_request, then a tail: a body that came with it, or
                      * nothing */
    MESSAGE_BODY,    /* a body: u32: 1 where it is too large, and is not here; u64: its bytes; a
                      * tail: the body, unless it is in a memory file */
    MESSAGE_UNABLE,  /* the body cannot be taken now: u32: ob_hindrance */
    MESSAGE_GONE,    /* nobody waits for this answer */
    MESSAGE_COUNTS,  /* ob_front_count numbers: u64 each */
    MESSAGE_LAYERS,  /* once: u32: OB_CONFINED_… that hold the front, as it says */
    MESSAGE_LATE,    /* this answer is wanted now, as it is without having been looked at */
    MESSAGE_TAKEN,   /* u64: bytes of an answer in pieces that the client has taken since */
    /* core to front */
    MESSAGE_PLAN,   /* the body is wanted: u32: ob_plan, u64: most bytes */
    MESSAGE_ANSWER, /* u32: status, u32: Retry-After, u32: ANSWER_…; texts: type, Allow, further
                     * header fields; a tail: the body, unless it is in a file or comes in pieces */
    MESSAGE_PIECE,  /* the next bytes of an answer in pieces: u32: PIECE_…; a tail */
    MESSAGES,
} message_kind;

/* Of an answer: its file is what was asked for, of which parts may be, too; its body follows. */
enum { ANSWER_IS_FILE = 1, ANSWER_IN_PIECES = 2 };
enum { PIECE_MORE, PIECE_LAST, PIECE_BROKEN }; /* broken: no more comes, and it is not whole */

enum { MESSAGE_MOST = 60000 }; /* bytes of fields; what is larger goes into a memory file */
enum { BODY_INLINED = MESSAGE_MOST - 16 }; /* bytes of a body that fit beside its other fields */
enum { BODY_SHORT = 16384 }; /* bytes of JSON that are read in no time, and go with a head */

enum { CHANNEL_FRONT, CHANNEL_CORE };
extern const ob_wire_protocol channel_protocol;

/* A request's head as ASK has it. */
enum { REQUEST_FIELDS = 64 };
typedef struct asked {
    ob_request request; /* texts and body are the packet's */
    bool only_told;     /* there is no room for it: what is told then is all that is wanted */
    const char *body;   /* that came with the head; NULL: none did */
    size_t body_size;
    ob_field query[REQUEST_FIELDS], cookies[REQUEST_FIELDS], headers[OB_REQUEST_HEADERS];
} asked;

/* Puts all but cookies, query and body: the pairs of both follow (channel_put_field), each up to
 * one without a name, then channel_put_body, which may be done again. The same packet can be sent
 * again. */
void channel_put_request(ob_packet *p, const ob_request *request, bool only_told);
void channel_put_field(ob_packet *p, const char *name, const char *value);
void channel_put_body(ob_packet *p, const void *body, size_t size);

/* Over which listener a request came, before anything else of it is read. False: over none that
 * there is. */
bool channel_get_listener(ob_listener *out, bool *only_told, ob_packet *p);

/* False: it makes no sense; a path or query that is no UTF-8 makes none. It may be got again. */
bool channel_get_request(asked *out, ob_packet *p);

/* A memory file with these bytes, which nobody can change any more; -1: out of memory. */
int channel_file(const void *bytes, size_t size);
bool channel_seal(int file);

#endif
