/* A body in pieces: what the core sends waits here until the client takes it, and the core may send
 * no more than a window before it has heard that it was taken. */
#include "front.h"

#include <string.h>

enum { TELL_EACH = FLOW_WINDOW / 4 };

static size_t waiting(const flow *f)
{
    return f->waiting.size - f->at;
}

static void forget(exchange *x)
{
    flow *f = &x->flow;
    room_let_go(x, x->answer_size);
    x->answer_size = 0;
    ob_buf_free(&f->waiting);
    f->at = 0;
}

bool flow_add(exchange *x, const void *bytes, size_t size, bool last)
{
    flow *f = &x->flow;
    if (f->is_whole || f->is_broken || size > FLOW_WINDOW - waiting(f) || !room_hold(x, size))
        return false;
    x->answer_size += size;
    if (f->at) { /* what was taken makes room */
        memmove(f->waiting.bytes, f->waiting.bytes + f->at, waiting(f));
        f->waiting.size -= f->at;
        f->at = 0;
    }
    if (ob_buf_append(&f->waiting, bytes, size, NULL))
        return false;
    f->is_whole = last;
    return true;
}

void flow_break(exchange *x)
{
    x->flow.is_broken = true;
    forget(x);
}

/* The core may send as much again. */
static void tell_taken(exchange *x, bool all)
{
    flow *f = &x->flow;
    if (!x->asked || !f->untold || (!all && f->untold < TELL_EACH))
        return;
    ob_packet p = ob_packet_of(MESSAGE_TAKEN, x->id);
    ob_put_u64(&p, f->untold);
    if (x->front->core && ob_wire_send(x->front->core, &p))
        f->untold = 0;
}

ssize_t flow_read(void *context, uint64_t at, char *out, size_t most)
{
    exchange *x = context;
    flow *f = &x->flow;
    const size_t size = waiting(f) < most ? waiting(f) : most;
    (void)at;
    if (f->is_broken)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!size && f->is_whole)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!size) {
        exchange_sleep(x);
        return 0;
    }
    memcpy(out, f->waiting.bytes + f->at, size);
    f->at += size;
    f->untold += size;
    const size_t held = size < x->answer_size ? size : x->answer_size;
    room_let_go(x, held);
    x->answer_size -= held;
    tell_taken(x, !waiting(f));
    return (ssize_t)size;
}

void flow_free(exchange *x)
{
    ob_buf_free(&x->flow.waiting);
}
