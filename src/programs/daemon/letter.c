/* The body of a request, where the core asked for it: a file is handed on, JSON read at a desk. */
#include "core.h"

#include <fcntl.h>
#include <stdlib.h>
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
    ob_packet *copy; /* the body is in it, or in `map` */
    ob_listener listener;
    void *map;
} letter;

/* What a BODY says. */
typedef struct said {
    bool too_large;
    uint64_t size;       /* of the memory file, or of what stands in the packet */
    const void *inlined; /* in the packet; not NULL */
    size_t inlined_size;
} said;

static bool get_body(said *out, ob_packet *p)
{
    uint32_t too_large;
    ob_get_again(p);
    ob_get_u32(&too_large, p);
    ob_get_u64(&out->size, p);
    ob_get_bytes(&out->inlined, &out->inlined_size, p);
    out->too_large = too_large == 1;
    if (p->file < 0)
        out->size = out->inlined_size;
    return ob_get_end(p) && too_large <= 1;
}

static void free_letter(letter *l)
{
    if (l->map)
        munmap(l->map, l->body.size);
    carry_drop(l->core, l->listener, l->copy);
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

bool letter_set_aside(carried *k, ob_packet *head, const char *body, size_t size)
{
    letter *l = calloc(1, sizeof *l);
    if (!l)
        return false;
    *l = (letter){.job = {.run = read_body, .client = k->call->client},
                  .core = k->core,
                  .call = k->call,
                  .body = {.bytes = body, .size = size, .file = -1},
                  .listener = k->listener,
                  .copy = head};
    if (desks_put(k->core->reading, &l->job))
        return true;
    free(l);
    return false;
}

/* False: there is no room for it. */
static bool copy_body(letter *l, const ob_packet *p)
{
    said s;
    if (!carry_hold(l->core, l->listener, p->size))
        return false;
    l->copy = ob_packet_copy(p);
    if (!l->copy) {
        carry_let_go(l->core, l->listener, p->size);
        return false;
    }
    get_body(&s, l->copy);
    l->body = (ob_body){.bytes = s.inlined, .size = s.inlined_size, .file = -1};
    return true;
}

static bool map_body(letter *l, int file, size_t size)
{
    void *map = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
    if (map == MAP_FAILED)
        return false;
    l->map = map;
    l->body = (ob_body){.bytes = map ? map : "", .size = size, .file = -1};
    return true;
}

static letter *letter_of(carried *k, const ob_packet *p, uint64_t size)
{
    letter *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (letter){.job = {.run = read_body, .client = k->call->client},
                  .core = k->core,
                  .call = k->call,
                  .listener = k->listener};
    if (p->file < 0 ? copy_body(l, p) : map_body(l, p->file, (size_t)size))
        return l;
    free(l);
    return NULL;
}

/* What was asked for, as it was asked for: who receives it has said how much that may be. */
static bool is_as_planned(core *c, const carried *k, const said *s, int file)
{
    if (k->busy)
        peer_blame(c, "it sent a second body");
    else if (k->waits)
        peer_blame(c, "it sent a body that was not asked for");
    else if (s->too_large && (file >= 0 || s->inlined_size))
        peer_blame(c, "it sent a body and said that it was too large to be sent");
    else if (!s->too_large && file < 0 && k->plan == OB_PLAN_FILE)
        peer_blame(c, "it sent no file where one was asked for");
    else if (file >= 0 && s->inlined_size)
        peer_blame(c, "it sent a body in a file and beside it");
    else if (s->size > k->call->most)
        peer_blame(c, "it sent a body that is larger than was asked for");
    else if (file >= 0 && !is_sealed(file, s->size))
        peer_blame(c, "it sent a file that can still change");
    return !*c->blame;
}

/* A file is only handed on; what is read is read at a desk. */
void letter_hear(core *c, ob_packet *p)
{
    said s;
    carried *k = carry_find(c, p->id);
    if (!get_body(&s, p))
        peer_blame(c, "it sent a body that makes no sense");
    if (*c->blame || !k || !is_as_planned(c, k, &s, p->file))
        return;
    k->busy = true;
    if (s.too_large) {
        k->call->class->body(k->call, (ob_body){.bytes = "", .file = -1, .too_large = true});
        return;
    }
    if (k->plan == OB_PLAN_FILE) {
        const ob_body body = {.bytes = "", .size = (size_t)s.size, .file = p->file};
        p->file = -1;
        k->call->class->body(k->call, body);
        return;
    }
    letter *l = letter_of(k, p, s.size);
    const bool is_long = s.size > BODY_SHORT || k->call->class->is_long;
    if (l && desks_put(k->asks ? c->asking : is_long ? c->reading : c->desks, &l->job))
        return;
    if (l)
        free_letter(l);
    carry_refuse_busy(c, k->id);
    carry_end(k);
}

/* The front could not take the body. */
void letter_unable(core *c, ob_packet *p)
{
    uint32_t said;
    carried *k = carry_find(c, p->id);
    ob_get_u32(&said, p);
    if (k && (k->busy || k->waits))
        peer_blame(c, "it could not take a body that it was not to take");
    if (!k || k->busy || k->waits)
        return;
    const ob_hindrance why =
        said > 0 && said < OB_HINDRANCES ? (ob_hindrance)said : OB_HINDRANCE_FAULT;
    if (k->call->class->could_not) {
        k->busy = true;
        k->call->class->could_not(k->call, why);
        return;
    }
    ob_engine_could_not(c->service.engine, why);
    carry_refuse(c, k->id, ob_answer_could_not(why, NULL));
    carry_end(k);
}
