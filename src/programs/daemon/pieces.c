/* An answer in pieces: whoever makes it waits while its client has too much that was not taken. */
#include "core.h"

#include <obhut/clock.h>

enum {
    PIECE_MOST = 32768,
    WINDOW = 256 << 10,  /* bytes on their way to a client; the front keeps no more for one */
    PATIENCE_MS = 60000, /* the front ends a connection on which nothing is taken before that */
};

/* Under the lock. False: nobody takes it. */
static bool wait_for_room(carried *k, size_t size)
{
    core *c = k->core;
    const struct timespec until = ob_in_ms(PATIENCE_MS);
    int late = 0;
    while (!k->gone && !c->flows_end && !late && k->sent - k->taken + size > WINDOW)
        late = pthread_cond_timedwait(&c->took, &c->telling, &until);
    return !k->gone && !c->flows_end && !late;
}

static void send_packet(carried *k, uint32_t what, const char *bytes, size_t size)
{
    ob_packet p = ob_packet_of(MESSAGE_PIECE, k->id);
    ob_put_u32(&p, what);
    ob_put_tail(&p, bytes, size);
    if (what == PIECE_MORE)
        peer_tell_more(k->core, k, &p);
    else
        peer_tell(k->core, k, &p);
}

static bool send_one(carried *k, const char *bytes, size_t size, bool last)
{
    core *c = k->core;
    pthread_mutex_lock(&c->telling);
    const bool goes = wait_for_room(k, size);
    if (goes)
        k->sent += size;
    pthread_mutex_unlock(&c->telling);
    if (goes)
        send_packet(k, last ? PIECE_LAST : PIECE_MORE, bytes, size);
    return goes;
}

bool pieces_send(ob_call *call, const void *bytes, size_t size, bool last)
{
    carried *k = call->carrier;
    const char *from = bytes;
    bool goes = !k->is_broken;
    do {
        const size_t part = size < PIECE_MOST ? size : PIECE_MOST;
        size -= part;
        goes = goes && send_one(k, from, part, last && !size);
        from += part;
    } while (goes && size);
    k->is_broken = !goes;
    if (last && !goes) /* what was sent is not all */
        send_packet(k, PIECE_BROKEN, NULL, 0);
    if (last)
        carry_come_back(k);
    return goes;
}

void pieces_wake(core *c)
{
    pthread_mutex_lock(&c->telling);
    pthread_cond_broadcast(&c->took);
    pthread_mutex_unlock(&c->telling);
}

void pieces_end(core *c)
{
    pthread_mutex_lock(&c->telling);
    c->flows_end = true;
    pthread_cond_broadcast(&c->took);
    pthread_mutex_unlock(&c->telling);
}

void pieces_taken(core *c, ob_packet *p)
{
    uint64_t taken;
    carried *k = carry_find(c, p->id);
    ob_get_u64(&taken, p);
    if (!k)
        return;
    pthread_mutex_lock(&c->telling);
    const bool makes_sense = k->flows && taken && taken <= k->sent - k->taken;
    if (makes_sense)
        k->taken += taken;
    pthread_cond_broadcast(&c->took);
    pthread_mutex_unlock(&c->telling);
    if (!makes_sense)
        peer_blame(c, "it says that a client has taken what it was not sent");
}
