/* What is too slow, what has waited long enough, and what nobody waits for any more. */
#include "front.h"

#include <poll.h>
#include <sys/socket.h>

enum { LEAST_RATE = 8 }; /* bytes a millisecond, in the mean, that a body must come at */

static void end_waiting(front *f, int64_t now)
{
    for (unsigned i = 0; i < EXCHANGES_MOST && f->waiting; i++) {
        exchange *x = f->exchanges[i];
        if (x && x->waits && (f->stopping || now >= x->wait_until_ms))
            exchange_end_waiting(x);
    }
}

static bool has_gone(const exchange *x)
{
    struct pollfd one = {.fd = x->visitor->socket, .events = POLLRDHUP};
    return poll(&one, 1, 0) > 0;
}

/* The library hears of an end that came together with the last bytes only when it is tired of
 * waiting for more. */
static void end_those_who_went(const door *d)
{
    for (const visitor *v = d->visitors; v; v = v->next) {
        char unread;
        if ((!v->on || exchange_takes_body(v->on)) &&
            !recv(v->socket, &unread, 1, MSG_PEEK | MSG_DONTWAIT))
            shutdown(v->socket, SHUT_RDWR);
    }
}

/* Where no more comes of the request, the end of what comes is the client's. */
static bool only_waits(const exchange *x)
{
    return x->state == EXCHANGE_WAITING ||
           (x->state == EXCHANGE_ASKING && x->asked && !x->length && !x->answered);
}

/* The library does not look at a connection that sleeps. Who has closed it does not wait for an
 * answer, so that the core need not look at what came with it. */
static void forget_those_who_went(front *f)
{
    for (unsigned i = 0; i < EXCHANGES_MOST && f->exchange_count; i++) {
        exchange *x = f->exchanges[i];
        if (!x || !x->suspended || !(only_waits(x) || x->flow.flows) || !has_gone(x))
            continue;
        if (x->flow.flows) {
            flow_break(x);
            exchange_wake(x);
        } else {
            exchange_was_left(x);
        }
    }
}

static void answer_the_late(front *f, int64_t now)
{
    for (unsigned i = 0; i < EXCHANGES_MOST && f->exchange_count; i++) {
        exchange *x = f->exchanges[i];
        if (x && x->answer_by_ms && now >= x->answer_by_ms && x->suspended && !x->answered)
            exchange_is_late(x);
    }
}

static void cut(front *f, int socket)
{
    shutdown(socket, SHUT_RDWR);
    f->counts[OB_FRONT_SLOW]++;
}

static void cut_slow_heads(door *d, int64_t now)
{
    for (visitor *v = d->visitors; v; v = v->next)
        if (v->idle_since_ms && now - v->idle_since_ms > d->front->config->head_time_ms) {
            cut(d->front, v->socket);
            v->idle_since_ms = now; /* once */
        }
}

static void cut_slow_bodies(front *f, int64_t now)
{
    for (unsigned i = 0; i < EXCHANGES_MOST && f->exchange_count; i++) {
        exchange *x = f->exchanges[i];
        if (!x || x->suspended || (!exchange_takes_body(x) && x->state != EXCHANGE_DROPPING))
            continue;
        int64_t beyond = now - x->began_ms - f->config->body_time_ms;
        if (beyond <= 0 || x->came >= (uint64_t)beyond * LEAST_RATE)
            continue;
        cut(f, x->visitor->socket);
        x->began_ms = now; /* once */
    }
}

void sweep(front *f)
{
    const int64_t now = daemon_now_ms();
    end_waiting(f, now);
    answer_the_late(f, now);
    forget_those_who_went(f);
    for (int i = 0; i < OB_LISTENERS; i++) {
        end_those_who_went(&f->doors[i]);
        cut_slow_heads(&f->doors[i], now);
    }
    cut_slow_bodies(f, now);
}
