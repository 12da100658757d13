/* Memory for bodies and answers on their way: who has most gives way. */
#include "front.h"

#include <sys/socket.h>

static uint64_t held_by(const caller *c)
{
    return c->held;
}

/* What it holds and can give back. */
static uint64_t holds(const exchange *x)
{
    return exchange_has_body(x) ? x->body.size : x->answer_size;
}

static exchange *heaviest_of(const door *d, const caller *from)
{
    exchange *most = NULL;
    for (const visitor *v = d->visitors; v; v = v->next)
        if (v->from == from && v->on && (!most || holds(v->on) > holds(most)))
            most = v->on;
    return most && holds(most) ? most : NULL;
}

void room_let_go(void *context, uint64_t bytes)
{
    exchange *x = context;
    x->visitor->door->held -= bytes;
    x->visitor->from->held -= bytes;
}

/* A body is forgotten, and its client told that there was no room; an answer that is not read ends
 * with its connection. */
static void give_back_memory(front *f, exchange *x)
{
    f->counts[OB_FRONT_GAVE_WAY]++;
    if (exchange_has_body(x)) {
        intake_give_way(&x->body);
        exchange_lost_body(x);
        return;
    }
    room_let_go(x, x->answer_size);
    x->answer_size = 0;
    shutdown(x->visitor->socket, SHUT_RDWR);
}

bool room_hold(void *context, uint64_t bytes)
{
    const exchange *x = context;
    door *d = x->visitor->door;
    caller *mine = x->visitor->from;
    while (d->held + bytes > d->memory_most) {
        const caller *most = caller_with_most(&d->callers, held_by);
        exchange *heavy = most->held > mine->held + bytes ? heaviest_of(d, most) : NULL;
        if (!heavy)
            return false;
        give_back_memory(x->front, heavy);
    }
    d->held += bytes;
    mine->held += bytes;
    return true;
}
