/* The body of a request, where the core asked for it: a file is handed on, JSON read at a desk. */
#include "core.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file that the front made: its size is what it says, and it cannot change. */
static bool is_sealed(int file, uint64_t size)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    off_t end = lseek(file, 0, SEEK_END);
    const int has = fcntl(file, F_GET_SEALS); /* -1 of what is no memory file */
    return end >= 0 && (uint64_t)end == size && has >= 0 && (has & seals) == seals;
}

/* A body that is read at a desk. */
typedef struct letter {
    desk_job job; /* first */
    core *core;
    ob_call *call;
    ob_body body;
    message *copy; /* the body is in it, or in `map` */
    void *map;
} letter;

static void free_letter(letter *l)
{
    if (l->map)
        munmap(l->map, l->body.size);
    carry_drop(l->core, l->copy);
    free(l);
}

/* Once the handler has it, the call may be answered and gone. Where nobody waits for it any more,
 * it is not read. */
static void read_body(desk_job *job)
{
    letter *l = (letter *)job;
    carried *k = l->call->carrier;
    if (k->gone)
        carry_come_back(k);
    else
        l->call->class->body(l->call, l->body);
    free_letter(l);
}

bool letter_set_aside(carried *k, message *m, size_t size)
{
    letter *l = calloc(1, sizeof *l);
    if (!l)
        return false;
    *l = (letter){.job = {.run = read_body, .client = k->call->client},
                  .core = k->core,
                  .call = k->call,
                  .body = {.bytes = m->payload + m->size - size, .size = size, .file = -1},
                  .copy = m};
    if (desks_put(k->core->reading, &l->job))
        return true;
    free(l);
    return false;
}

static letter *letter_of(core *c, ob_call *call, const message *m, uint64_t size)
{
    letter *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (letter){.job = {.run = read_body, .client = call->client}, .core = c, .call = call};
    l->body = (ob_body){.bytes = "", .file = -1};
    if (m->file < 0 && carry_hold(c, m)) {
        l->copy = channel_copy(m);
        if (!l->copy)
            carry_let_go(c, m);
        l->body = (ob_body){.bytes = l->copy ? l->copy->payload : "", .size = m->size, .file = -1};
    } else if (m->file >= 0 && size) {
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, m->file, 0);
        l->map = map == MAP_FAILED ? NULL : map;
        l->body = (ob_body){.bytes = l->map ? l->map : "", .size = size, .file = -1};
    }
    if (l->copy || l->map || (m->file >= 0 && !size))
        return l;
    free(l);
    return NULL;
}

/* What was asked for, as it was asked for: whoever receives it has said how much that may be. */
static bool is_as_planned(core *c, const carried *k, const message *m)
{
    const uint64_t size = m->file >= 0 ? (uint64_t)m->head.number : m->size;
    if (k->busy)
        peer_blame(c, "it sent a second body");
    else if (m->head.status && (m->file >= 0 || m->size))
        peer_blame(c, "it sent a body and said that it was too large to be sent");
    else if (!m->head.status && m->file < 0 && k->plan == OB_PLAN_FILE)
        peer_blame(c, "it sent no file where one was asked for");
    else if (size > k->call->most)
        peer_blame(c, "it sent a body that is larger than was asked for");
    else if (m->file >= 0 && !is_sealed(m->file, size))
        peer_blame(c, "it sent a file that can still change");
    return !c->blame;
}

/* A file is only handed on; what is read is read at a desk. */
void letter_hear(core *c, message *m)
{
    carried *k = carry_find(c, m->head.id);
    if (!k || !is_as_planned(c, k, m))
        return;
    k->busy = true;
    m->head.listener = k->listener;
    const uint64_t size = m->file >= 0 ? (uint64_t)m->head.number : m->size;
    if (m->head.status) {
        k->call->class->body(k->call, (ob_body){.bytes = "", .file = -1, .too_large = true});
        return;
    }
    if (k->plan == OB_PLAN_FILE) {
        const ob_body body = {.bytes = "", .size = size, .file = m->file};
        m->file = -1;
        k->call->class->body(k->call, body);
        return;
    }
    letter *l = letter_of(c, k->call, m, size);
    const bool is_long = size > BODY_SHORT || k->call->class->is_long;
    if (l && desks_put(k->asks ? c->asking : is_long ? c->reading : c->desks, &l->job))
        return;
    if (l)
        free_letter(l);
    carry_refuse_busy(c, k->id);
    carry_end(k);
}

/* The front could not take the body. */
void letter_unable(core *c, const message *m)
{
    carried *k = carry_find(c, m->head.id);
    if (k && k->busy)
        peer_blame(c, "it could not take a body that it was not to take");
    if (!k || k->busy)
        return;
    const ob_hindrance why = m->head.status > 0 && m->head.status < OB_HINDRANCES
                                 ? (ob_hindrance)m->head.status
                                 : OB_HINDRANCE_FAULT;
    if (k->call->class->could_not) {
        k->busy = true;
        k->call->class->could_not(k->call, why);
        return;
    }
    ob_engine_could_not(c->service.engine, why);
    carry_refuse(c, k->id, ob_answer_could_not(why, NULL));
    carry_end(k);
}
