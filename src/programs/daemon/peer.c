/* The front, as the core sees it: told and heard, without ever waiting for it, and hung up on where
 * it does what ours does not. */
#include "core.h"

#include <stdio.h>

enum {
    PACKETS_A_TURN = 16,
    DEAF_MS = 10000, /* that a front may leave unread what it was told */
};

/* ---- Telling -------------------------------------------------------------------------------- */

void peer_blame(core *c, const char *why)
{
    char text[OB_WIRE_TEXT];
    if (*c->blame)
        return;
    if (!c->front || !c->packet.kind) {
        snprintf(c->blame, sizeof c->blame, "%s", why);
        return;
    }
    ob_packet_print(text, c->front, &c->packet);
    snprintf(c->blame, sizeof c->blame, "%s (%s)", why, text);
}

static void tell(core *c, carried *k, ob_packet *p, bool is_all)
{
    pthread_mutex_lock(&c->telling);
    if (c->front && !(k && k->gone) && !ob_wire_send(c->front, p))
        c->deaf = true;
    if (k && is_all)
        k->told = true;
    pthread_mutex_unlock(&c->telling);
    ob_packet_free(p);
}

void peer_tell(core *c, carried *k, ob_packet *p)
{
    tell(c, k, p, true);
}

void peer_tell_more(core *c, carried *k, ob_packet *p)
{
    tell(c, k, p, false);
}

void peer_set(core *c, ob_wire *front)
{
    pthread_mutex_lock(&c->telling);
    ob_wire_free(c->front);
    c->front = front;
    c->deaf = false;
    pthread_mutex_unlock(&c->telling);
}

/* Something waits until it reads. *deaf: something could not even be kept for it. */
static bool is_full(bool *deaf, core *c)
{
    pthread_mutex_lock(&c->telling);
    const bool full = c->front && ob_wire_is_full(c->front);
    *deaf = c->deaf;
    pthread_mutex_unlock(&c->telling);
    return full;
}

bool peer_flush(core *c)
{
    pthread_mutex_lock(&c->telling);
    const bool works = ob_wire_flush(c->front);
    pthread_mutex_unlock(&c->telling);
    return works;
}

/* ---- Hearing -------------------------------------------------------------------------------- */

static void hear_counts(core *c, ob_packet *p)
{
    uint64_t counts[OB_FRONT_COUNTS];
    for (int i = 0; i < OB_FRONT_COUNTS; i++)
        ob_get_u64(&counts[i], p);
    if (!ob_get_end(p))
        return;
    for (int i = 0; i < OB_FRONT_COUNTS; i++)
        atomic_store(&ob_services_counters(c->services)->front[i], counts[i]);
}

static void hear_layers(core *c, ob_packet *p)
{
    uint32_t layers;
    ob_get_u32(&layers, p);
    atomic_store(&ob_services_counters(c->services)->front_layers, layers);
}

void peer_lose(core *c)
{
    peer_set(c, NULL);
    *c->blame = '\0';
    c->deaf_since_ms = 0;
    atomic_store(&ob_services_counters(c->services)->front_layers, 0);
    for (size_t i = 0; i < CALLS; i++)
        if (c->calls[i])
            carry_gone(c, c->calls[i]->id);
    pieces_wake(c);
}

static void hear(core *c, ob_packet *p)
{
    switch (p->kind) {
    case MESSAGE_ASK:
        carry_ask(c, p);
        break;
    case MESSAGE_BODY:
        letter_hear(c, p);
        break;
    case MESSAGE_UNABLE:
        letter_unable(c, p);
        break;
    case MESSAGE_GONE:
        carry_gone(c, p->id);
        pieces_wake(c);
        break;
    case MESSAGE_TAKEN:
        pieces_taken(c, p);
        break;
    case MESSAGE_LATE:
        carry_late(c, p->id);
        break;
    case MESSAGE_COUNTS:
        hear_counts(c, p);
        break;
    case MESSAGE_LAYERS:
        hear_layers(c, p);
        break;
    default: /* the protocol has no further kind of the front's */
        peer_blame(c, "it says what makes no sense");
        break;
    }
}

void peer_hear(core *c)
{
    ob_packet *p = &c->packet;
    for (int i = 0; i < PACKETS_A_TURN && c->front && !*c->blame; i++) {
        const ob_wire_got got = ob_wire_receive(c->front, p);
        if (got == OB_WIRE_PACKET)
            hear(c, p);
        ob_packet_free(p);
        p->kind = 0;
        if (got == OB_WIRE_END)
            peer_lose(c);
        if (got == OB_WIRE_NONSENSE)
            peer_blame(c, ob_wire_fault(c->front));
        if (got != OB_WIRE_PACKET)
            return;
    }
}

static void hang_up(core *c)
{
    daemon_say("core", "the front is hung up on: %s", c->blame);
    control_send(c->main, CONTROL_HANG_UP, ROLE_FRONT, -1);
    peer_lose(c);
}

bool peer_look_after(core *c)
{
    const int64_t now = daemon_now_ms();
    bool deaf, full = is_full(&deaf, c);
    if (deaf)
        peer_blame(c, "it is gone, or leaves unread what it was told");
    if (!full)
        c->deaf_since_ms = 0;
    else if (!c->deaf_since_ms)
        c->deaf_since_ms = now;
    else if (now - c->deaf_since_ms > DEAF_MS)
        peer_blame(c, "it leaves unread what it was told");
    if (c->front && *c->blame)
        hang_up(c);
    *c->blame = '\0';
    return full && c->front;
}
