/* A packet as it is on a socket: for tests that change it there. */
#ifndef OBHUT_TEST_FLAT_H
#define OBHUT_TEST_FLAT_H

#include "wire_priv.h"

#include <stdlib.h>
#include <string.h>

enum { FLAT_MOST = sizeof(wire_head) + OB_PACKET_MOST };

/* Returns how many bytes it has. */
static inline size_t flat(uint8_t out[FLAT_MOST], const ob_packet *p)
{
    const wire_head head = {WIRE_MAGIC, p->kind, p->id};
    ob_packet *copy = ob_packet_copy(p);
    if (!copy)
        abort();
    const size_t size = copy->size;
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, copy->bytes, size);
    ob_packet_drop(copy);
    return sizeof head + size;
}

#endif
