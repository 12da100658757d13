/* One end of a connection between two processes: sends, keeps what the other side does not read yet
 * within bounds, and receives what the protocol has. */
#include "wire_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A packet that could not be sent yet. */
struct wire_waiting {
    wire_waiting *next;
    int file;
    size_t size;
    uint8_t bytes[];
};

/* Bytes of the longest packet that the other side may send. */
static size_t longest(const ob_wire_protocol *protocol, unsigned side)
{
    size_t most = 0;
    for (size_t i = 0; i < protocol->kind_count; i++) {
        const ob_wire_kind *k = &protocol->kinds[i];
        if (k->name && k->from != side && k->most > most)
            most = k->most;
    }
    return most;
}

ob_wire *ob_wire_new(int socket, const ob_wire_protocol *protocol, unsigned side, const char *peer)
{
    ob_wire *w = calloc(1, sizeof *w);
    const size_t most = longest(protocol, side);
    uint8_t *received = malloc(most + 1);
    if (!w || !received) {
        free(w);
        free(received);
        close(socket);
        return NULL;
    }
    w->socket = socket;
    w->protocol = protocol;
    w->side = side;
    w->peer = peer;
    w->last = &w->first;
    w->received = received;
    w->received_most = most;
    return w;
}

static void forget_first(ob_wire *w)
{
    wire_waiting *p = w->first;
    w->first = p->next;
    if (!w->first)
        w->last = &w->first;
    w->bytes -= p->size;
    w->packets--;
    w->files -= p->file >= 0;
    if (p->file >= 0)
        close(p->file);
    explicit_bzero(p->bytes, p->size);
    free(p);
}

void ob_wire_free(ob_wire *w)
{
    if (!w)
        return;
    while (w->first)
        forget_first(w);
    close(w->socket);
    free(w->received);
    free(w);
}

int ob_wire_socket(const ob_wire *w)
{
    return w->socket;
}

/* ---- Sending --------------------------------------------------------------------------------- */

/* Whether the other side must read before there is room; too many descriptors may also be on their
 * way. */
static bool is_for_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ETOOMANYREFS;
}

/* 1: sent; 0: later; -1: the other side is gone. */
static int try_send(const ob_wire *w, struct iovec *pieces, size_t count, int file)
{
    if (ob_bytes_send(w->socket, pieces, count, file, MSG_DONTWAIT) >= 0)
        return 1;
    return is_for_later(errno) ? 0 : -1;
}

static bool has_room(const ob_wire *w, size_t size, int file)
{
    const ob_wire_protocol *most = w->protocol;
    return w->bytes <= most->waiting_bytes && size <= most->waiting_bytes - w->bytes &&
           w->packets < most->waiting_packets && (file < 0 || w->files < most->waiting_files);
}

/* What of a packet goes into one system call. */
typedef struct pieces {
    wire_head head;
    uint32_t tail_size;
    size_t count;
    struct iovec all[4];
} pieces;

static void add_piece(pieces *out, const void *bytes, size_t size)
{
    struct iovec *piece = &out->all[out->count];
    if (!size)
        return;
    memcpy(&piece->iov_base, &bytes, sizeof bytes); /* it is only read */
    piece->iov_len = size;
    out->count++;
}

static void take_apart(pieces *out, const ob_packet *p)
{
    *out = (pieces){.head = {WIRE_MAGIC, p->kind, p->id}, .tail_size = (uint32_t)p->tail_size};
    add_piece(out, &out->head, sizeof out->head);
    add_piece(out, p->bytes ? p->bytes : p->small, p->size);
    if (p->has_tail) {
        add_piece(out, &out->tail_size, sizeof out->tail_size);
        add_piece(out, p->tail, p->tail_size);
    }
}

/* A descriptor that waits with its packet: *out. False: there is none left. */
static bool file_to_wait(int *out, const ob_packet *p)
{
    *out = p->file >= 0 && p->is_lent ? fcntl(p->file, F_DUPFD_CLOEXEC, 0) : p->file;
    return *out >= 0 || p->file < 0;
}

/* False with errno set: it may not wait. The packet's descriptor is then untouched. */
static bool let_wait(ob_wire *w, const pieces *from, const ob_packet *p)
{
    size_t size = 0;
    int file;
    for (size_t i = 0; i < from->count; i++)
        size += from->all[i].iov_len;
    if (!has_room(w, size, p->file)) {
        errno = EAGAIN;
        return false;
    }
    wire_waiting *made = malloc(sizeof *made + size);
    if (!made || !file_to_wait(&file, p)) {
        free(made);
        errno = ENOMEM;
        return false;
    }
    *made = (wire_waiting){.file = file};
    for (size_t i = 0; i < from->count; i++) {
        memcpy(made->bytes + made->size, from->all[i].iov_base, from->all[i].iov_len);
        made->size += from->all[i].iov_len;
    }
    *w->last = made;
    w->last = &made->next;
    w->bytes += size;
    w->packets++;
    w->files += file >= 0;
    return true;
}

static void let_go_of_file(ob_packet *p, bool waits)
{
    const int problem = errno;
    if (p->file >= 0 && !p->is_lent && !waits)
        close(p->file);
    if (!p->is_lent)
        p->file = -1;
    errno = problem;
}

bool ob_wire_send(ob_wire *w, ob_packet *p)
{
    pieces all;
    int sent = -1;
    errno = EMSGSIZE;
    if (!p->failed && !wire_objection(w, w->side, p)) {
        take_apart(&all, p);
        sent = w->first ? 0 : try_send(w, all.all, all.count, p->file);
    }
    const bool waits = !sent && let_wait(w, &all, p);
    let_go_of_file(p, waits);
    return sent > 0 || waits;
}

bool ob_wire_is_full(const ob_wire *w)
{
    return w->first != NULL;
}

bool ob_wire_flush(ob_wire *w)
{
    while (w->first) {
        wire_waiting *p = w->first;
        struct iovec piece = {.iov_base = p->bytes, .iov_len = p->size};
        const int sent = try_send(w, &piece, 1, p->file);
        if (sent <= 0)
            return sent == 0;
        forget_first(w);
    }
    return true;
}

/* ---- Receiving ------------------------------------------------------------------------------- */

static ob_wire_got refuse(ob_wire *w, ob_packet *p, const char *why)
{
    char text[OB_WIRE_TEXT];
    ob_packet_print(text, w, p);
    snprintf(w->fault, sizeof w->fault, "%s: %s", text, why);
    ob_packet_free(p);
    return OB_WIRE_NONSENSE;
}

/* Nothing of it can be told. */
static ob_wire_got refuse_all(ob_wire *w, ob_packet *p, const char *why)
{
    snprintf(w->fault, sizeof w->fault, "%s", why);
    ob_packet_free(p);
    return OB_WIRE_NONSENSE;
}

/* A packet without a byte looks like the end. */
static bool is_at_end(const ob_wire *w)
{
    struct pollfd one = {.fd = w->socket, .events = POLLRDHUP};
    return poll(&one, 1, 0) != 0;
}

static ob_wire_got receive(ob_wire *w, ob_packet *out, int flags)
{
    wire_head head;
    struct iovec pieces[2] = {{.iov_base = &head, .iov_len = sizeof head},
                              {.iov_base = w->received, .iov_len = w->received_most}};
    *out = ob_packet_of(0, 0);
    const ssize_t got = ob_bytes_receive(&out->file, w->socket, pieces, 2, flags);
    if (got < 0 && errno == EBADMSG)
        return refuse_all(w, out, "a packet with more bytes or descriptors than any has");
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? OB_WIRE_NOTHING : OB_WIRE_END;
    if (!got && out->file < 0 && (!(flags & MSG_DONTWAIT) || is_at_end(w)))
        return OB_WIRE_END;
    if ((size_t)got < sizeof head || head.magic != WIRE_MAGIC)
        return refuse_all(w, out, "a packet without a head");
    out->kind = head.kind;
    out->id = head.id;
    out->bytes = w->received;
    out->size = (size_t)got - sizeof head;
    w->received[out->size] = '\0';
    const char *objection = wire_objection(w, !w->side, out);
    return objection ? refuse(w, out, objection) : OB_WIRE_PACKET;
}

ob_wire_got ob_wire_receive(ob_wire *w, ob_packet *out)
{
    return receive(w, out, MSG_DONTWAIT);
}

ob_wire_got ob_wire_await(ob_wire *w, ob_packet *out)
{
    return receive(w, out, 0);
}
