/* What people read of a packet: who sends it to whom, its name, its number, its size. */
#include "wire_priv.h"

#include <inttypes.h>
#include <stdio.h>

const ob_wire_kind *wire_kind(const ob_wire *w, uint32_t kind)
{
    const ob_wire_protocol *protocol = w->protocol;
    if (kind >= protocol->kind_count || !protocol->kinds[kind].name)
        return NULL;
    return &protocol->kinds[kind];
}

const char *wire_objection(const ob_wire *w, unsigned side, const ob_packet *p)
{
    const ob_wire_kind *k = wire_kind(w, p->kind);
    const size_t size = ob_packet_size(p);
    if (!k)
        return "there is no such kind";
    if (k->from != side)
        return "the other side sends that";
    if (size < k->least || size > k->most)
        return "it has another size than that";
    if (k->file == OB_WIRE_HAS_FILE && p->file < 0)
        return "a descriptor belongs to it";
    if (k->file == OB_WIRE_NO_FILE && p->file >= 0)
        return "no descriptor belongs to it";
    return NULL;
}

static const char *name_of(const ob_wire *w, unsigned side)
{
    return side != w->side && w->peer ? w->peer : w->protocol->sides[side];
}

/* A packet of an unknown kind is one that came. */
void ob_packet_print(char out[OB_WIRE_TEXT], const ob_wire *w, const ob_packet *p)
{
    const ob_wire_kind *k = wire_kind(w, p->kind);
    const unsigned from = k ? k->from : !w->side;
    char number[24];
    snprintf(number, sizeof number, "kind %" PRIu32, p->kind);
    snprintf(out, OB_WIRE_TEXT, "%.30s→%.30s %.30s id=%" PRIu64 ", %zu bytes%s", name_of(w, from),
             name_of(w, !from), k ? k->name : number, p->id, ob_packet_size(p),
             p->file >= 0 ? ", a descriptor" : "");
}

const char *ob_wire_fault(const ob_wire *w)
{
    return w->fault;
}
