/* The front, as the core sees it: told and heard, without ever waiting for it, and hung up on where
 * it does what ours does not. */
#include "core.h"

#include <string.h>
#include <unistd.h>

enum {
    PACKETS_A_TURN = 16,
    DEAF_MS = 10000, /* that a front may leave unread what it was told */
};

/* ---- Telling -------------------------------------------------------------------------------- */

void peer_blame(core *c, const char *why)
{
    if (!c->blame)
        c->blame = why;
}

void peer_tell(core *c, carried *k, const message_head *head, const ob_buf *payload, int file)
{
    pthread_mutex_lock(&c->telling);
    const bool there = c->front && !(k && k->gone);
    if (there && !channel_send(c->front, head, payload ? payload->bytes : NULL,
                               payload ? payload->size : 0, file))
        c->deaf = true;
    if (k)
        k->told = true;
    pthread_mutex_unlock(&c->telling);
    if (!there && file >= 0)
        close(file);
}

void peer_set(core *c, channel *front)
{
    pthread_mutex_lock(&c->telling);
    channel_free(c->front);
    c->front = front;
    c->deaf = false;
    pthread_mutex_unlock(&c->telling);
}

/* Something waits until it reads. *deaf: something could not even be kept for it. */
static bool is_full(bool *deaf, core *c)
{
    pthread_mutex_lock(&c->telling);
    const bool full = c->front && channel_is_full(c->front);
    *deaf = c->deaf;
    pthread_mutex_unlock(&c->telling);
    return full;
}

bool peer_flush(core *c)
{
    pthread_mutex_lock(&c->telling);
    const bool works = channel_flush(c->front);
    pthread_mutex_unlock(&c->telling);
    return works;
}

/* ---- Hearing -------------------------------------------------------------------------------- */

static void hear_counts(core *c, const message *m)
{
    uint64_t counts[OB_FRONT_COUNTS];
    if (m->size != sizeof counts)
        return;
    memcpy(counts, m->payload, sizeof counts);
    for (int i = 0; i < OB_FRONT_COUNTS; i++)
        atomic_store(&ob_api_counters(c->api)->front[i], counts[i]);
}

void peer_lose(core *c)
{
    peer_set(c, NULL);
    c->blame = NULL;
    c->deaf_since_ms = 0;
    atomic_store(&ob_api_counters(c->api)->front_layers, 0);
    for (size_t i = 0; i < CALLS; i++)
        if (c->calls[i])
            carry_gone(c, c->calls[i]->id);
}

void peer_hear(core *c)
{
    for (int i = 0; i < PACKETS_A_TURN && c->front && !c->blame; i++) {
        message *m = &c->message;
        int got = channel_receive(c->front, m);
        if (got == -1)
            peer_lose(c);
        if (got == -2)
            peer_blame(c, "it says what makes no sense");
        if (got <= 0)
            return;
        switch (m->head.kind) {
        case MESSAGE_ASK:
            carry_ask(c, m);
            break;
        case MESSAGE_BODY:
            letter_hear(c, m);
            break;
        case MESSAGE_UNABLE:
            letter_unable(c, m);
            break;
        case MESSAGE_GONE:
            carry_gone(c, m->head.id);
            break;
        case MESSAGE_LATE:
            carry_late(c, m->head.id);
            break;
        case MESSAGE_COUNTS:
            hear_counts(c, m);
            break;
        case MESSAGE_LAYERS:
            atomic_store(&ob_api_counters(c->api)->front_layers, (unsigned)m->head.number);
            break;
        default:
            peer_blame(c, "it says what makes no sense");
            break;
        }
        explicit_bzero(m->payload, m->size);
        if (m->file >= 0)
            close(m->file);
    }
}

static void hang_up(core *c)
{
    daemon_say("core", "the front is hung up on: %s", c->blame);
    control_send(CONTROL_FD, CONTROL_HANG_UP, -1);
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
    if (c->front && c->blame)
        hang_up(c);
    c->blame = NULL;
    return full && c->front;
}
