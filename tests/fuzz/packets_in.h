/* Bytes of a fuzzer as packets: what lies beside one, its kind, its number, its length, its fields.
 * A kind of 255: the bytes are the packet as they are, without a head. */
#ifndef OBHUT_FUZZ_PACKETS_IN_H
#define OBHUT_FUZZ_PACKETS_IN_H

#include "../unit/flat.h"

typedef struct packet_in {
    unsigned beside;
    uint32_t kind;
    uint64_t id;
    size_t size; /* of `bytes`, with a head */
    uint8_t bytes[FLAT_MOST];
} packet_in;

/* The next packet. False: there is none. */
static inline bool next_packet(packet_in *out, const uint8_t **bytes, size_t *size)
{
    enum { BEFORE = 5 };
    if (*size < BEFORE)
        return false;
    const uint8_t *at = *bytes;
    size_t length = (size_t)at[3] | (size_t)at[4] << 8;
    if (length > *size - BEFORE)
        length = *size - BEFORE;
    out->beside = at[0];
    out->kind = at[1];
    out->id = at[2];
    const wire_head head = {WIRE_MAGIC, out->kind, out->id};
    out->size = out->kind == UINT8_MAX ? 0 : sizeof head;
    memcpy(out->bytes, &head, out->size);
    memcpy(out->bytes + out->size, at + BEFORE, length);
    out->size += length;
    *bytes += BEFORE + length;
    *size -= BEFORE + length;
    return true;
}

#endif
