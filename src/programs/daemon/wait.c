/* Requests that wait for something to happen, without a thread: the main thread asks each of them
 * some times a second whether something has, which must be a look at memory, and has a desk make
 * the answer. */
#include "core.h"

enum {
    LOOK_MS = 100,
    WAITING_MOST = 256,
    OF_A_CLIENT = 64,
};

/* So that nobody has to ask over and over: the answer is when to come again. */
static bool are_too_many(const core *c, const carried *newcomer)
{
    unsigned same = 0;
    for (const carried *k = c->waiting; k; k = k->next_waiting)
        same += k->call->client == newcomer->call->client;
    return same >= OF_A_CLIENT || c->waiting_count >= WAITING_MOST;
}

void wait_add(carried *k)
{
    core *c = k->core;
    if (are_too_many(c, k)) {
        carry_refuse_busy(c, k->id);
        carry_end(k);
        return;
    }
    if (!k->wait_until_ms)
        k->wait_until_ms = daemon_now_ms() + k->call->wait_ms;
    k->waits = true;
    k->next_waiting = c->waiting;
    c->waiting = k;
    c->waiting_count++;
}

void wait_remove(carried *k)
{
    core *c = k->core;
    carried **at = &c->waiting;
    if (!k->waits)
        return;
    while (*at != k)
        at = &(*at)->next_waiting;
    *at = k->next_waiting;
    k->waits = false;
    c->waiting_count--;
}

/* At a desk. */
static void look_again(desk_job *job)
{
    carried *k = (carried *)job;
    if (!k->gone && k->call->class->again(k->call, daemon_now_ms() >= k->wait_until_ms)) {
        k->is_head = false;
        carry_answer(k);
    } else {
        carry_come_back(k); /* it waits on, or ends */
    }
}

static void hand_over(carried *k)
{
    core *c = k->core;
    wait_remove(k);
    k->busy = true;
    k->is_head = true;
    k->job.run = look_again;
    if (desks_put(c->asking, &k->job))
        return;
    carry_refuse_busy(c, k->id);
    carry_end(k);
}

int wait_look(core *c)
{
    const int64_t now = daemon_now_ms();
    for (carried *k = c->waiting, *next; k; k = next) {
        next = k->next_waiting;
        if (now >= k->wait_until_ms || k->call->class->happened(k->call))
            hand_over(k);
    }
    return c->waiting ? LOOK_MS : -1;
}
