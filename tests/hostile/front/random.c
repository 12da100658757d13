/* Packets at random, most of them nearly meant. */
#include "../../unit/flat.h"
#include "hostile_front.h"

#include <string.h>
#include <unistd.h>

/* A scan as it should be, of bytes that are no picture; every second one is not waited for. */
static bool scan_whole(uint64_t id, size_t size, bool leave)
{
    if (!ask(A_SCAN_HEAD, id, NULL, 0))
        return false;
    await(id, 20000);
    int file = memory_file(size, true);
    bool sent = packet(MESSAGE_BODY, 0, id, size, 0, file);
    close(file);
    return sent && (!leave || kind_alone(MESSAGE_GONE, id));
}

/* What the core hangs up on, or nearly. */
static bool misbehave(unsigned how, uint64_t state)
{
    static uint8_t bytes[FLAT_MOST];
    if (how == 0)
        return packet((uint32_t)state, 0, 1, 0, state % 9000, -1);
    ob_packet p =
        ob_packet_of(how == 1 ? (uint32_t)MESSAGE_BODY : (uint32_t)(state >> 8) % MESSAGES, state);
    ob_put_u32(&p, (uint32_t)state % 2);
    ob_put_u64(&p, state);
    ob_put_tail(&p, NULL, 0);
    const size_t size = flat(bytes, &p);
    if (how == 1)
        return send_to(core_socket, bytes, state % size, -1, 1);
    int file = how == 4 ? CONTROL_FD : memory_file(state % 9000, how == 3);
    bool sent = send_to(core_socket, bytes, size, file, how == 2 ? 1 : (int)(state % 4) + 1);
    if (file != CONTROL_FD)
        close(file);
    return sent;
}

/* A head of a request in which some bytes behind its numbers are others. */
static bool nearly_ask(unsigned what, uint64_t state, uint64_t id)
{
    enum { NUMBERS = sizeof(wire_head) + 16 };
    static uint8_t bytes[FLAT_MOST];
    ob_packet p = ob_packet_of(MESSAGE_ASK, id), *head = ob_packet_copy(&heads[A_SCAN_HEAD]);
    const uint32_t listener = (uint32_t)(state >> 40) % OB_LISTENERS;
    if (!head || !ob_packet_reserve(&p, head->size))
        return false;
    memcpy(p.bytes ? p.bytes : p.small, head->bytes, head->size);
    p.size = head->size;
    ob_packet_drop(head);
    ob_put_tail(&p, large, what & 8 ? (size_t)(state % 3000) : 0);
    size_t size = flat(bytes, &p);
    ob_packet_free(&p);
    memcpy(bytes + sizeof(wire_head), &listener, sizeof listener);
    for (unsigned i = 0; i < (what & 3); i++)
        bytes[NUMBERS + (state >> (8 * i)) % (size - NUMBERS)] = (uint8_t)(state >> (5 * i));
    if (!(what & 4))
        size = NUMBERS + (state >> 24) % (size - NUMBERS);
    return send_waiting(bytes, size, -1, 1);
}

static bool nearly_meant(unsigned what, uint64_t state, uint64_t *id)
{
    const uint64_t old = *id - state % 3;
    if (what < 700)
        return nearly_ask(what, state, ++*id) && kind_alone(MESSAGE_GONE, *id);
    return packet(what < 900    ? MESSAGE_BODY
                  : what < 1800 ? MESSAGE_GONE
                  : what < 1900 ? MESSAGE_UNABLE
                  : what < 1950 ? MESSAGE_COUNTS
                  : what < 2000 ? MESSAGE_LATE
                                : MESSAGE_LAYERS,
                  what < 900 ? 0 : (uint32_t)state, old, state,
                  what < 900                    ? (size_t)(state >> 24) % 2048
                  : what < 1950 && what >= 1900 ? OB_FRONT_COUNTS * sizeof(uint64_t)
                                                : 0,
                  -1);
}

/* Packets that could nearly be meant, with wrong bytes; some that are, and a few that are not. */
void random_packets(unsigned seed, unsigned count)
{
    enum { KINDS = 2048, ENDING = 5, WHOLE = 40, OFTEN = 32 };
    unsigned sent = 0;
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, id = 1000;
    for (bool goes_on = true; sent < count && goes_on; sent += goes_on) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        const unsigned what = (unsigned)(state >> 8) % KINDS;
        if (what < ENDING || sent % OFTEN == 0) /* there may be no time afterwards */
            say("sent %u", sent + 1);
        goes_on = what < ENDING  ? misbehave(what, state >> 20)
                  : what < WHOLE ? scan_whole(++id, (size_t)(state >> 20) % 20000, what % 2)
                                 : nearly_meant(what, state, &id);
        while (take_any())
            ;
    }
    say("sent %u", sent);
}
