/* What front and core say to each other, over a wire. Both are from the same build; the core checks
 * what the front says, which deals with the world. */
#ifndef OBHUT_CHANNEL_H
#define OBHUT_CHANNEL_H

#include <obhut/api.h>
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
    /* core to front */
    MESSAGE_PLAN,   /* the body is wanted: u32: ob_plan, u64: most bytes */
    MESSAGE_ANSWER, /* u32: status, u32: Retry-After; texts: type, Allow; a tail: the body, unless
                     * it is in a memory file */
    MESSAGES,
} message_kind;

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
    ob_field query[REQUEST_FIELDS];
} asked;

/* Puts all but the query and the body: further pairs follow (channel_put_field), then
 * channel_put_body, which may be done again. The same packet can be sent again. */
void channel_put_request(ob_packet *p, const ob_request *request, bool only_told);
void channel_put_field(ob_packet *p, const char *name, const char *value);
void channel_put_body(ob_packet *p, const void *body, size_t size);

/* Over which listener a request came, before anything else of it is read. False: over none that
 * there is. */
bool channel_get_listener(ob_listener *out, bool *only_told, ob_packet *p);

/* False: it makes no sense. It may be got again. */
bool channel_get_request(asked *out, ob_packet *p);

/* A memory file with these bytes, which nobody can change any more; -1: out of memory. */
int channel_file(const void *bytes, size_t size);
bool channel_seal(int file);

#endif
