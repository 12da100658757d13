#include "channel.h"

#include <obhut/packet.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A packet that could not be sent yet. */
typedef struct packet {
    struct packet *next;
    int file;
    size_t size;
    char bytes[];
} packet;

/* What may wait for a side that does not read. Both ends have no more calls than connections, each
 * with two packets, most of them small. */
enum { WAITING_BYTES = 64 << 20, WAITING_PACKETS = 32768, WAITING_FILES = 4096 };

struct channel {
    int socket;
    packet *first, **last;
    size_t bytes, packets, files; /* that wait */
};

channel *channel_new(int socket)
{
    channel *c = calloc(1, sizeof *c);
    int flags = fcntl(socket, F_GETFL);
    if (!c || flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK)) {
        free(c);
        return NULL;
    }
    c->socket = socket;
    c->last = &c->first;
    return c;
}

void channel_free(channel *c)
{
    if (!c)
        return;
    for (packet *p = c->first, *next; p; p = next) {
        next = p->next;
        if (p->file >= 0)
            close(p->file);
        free(p);
    }
    close(c->socket);
    free(c);
}

int channel_socket(const channel *c)
{
    return c->socket;
}

/* 1: sent; 0: the other side must read first; -1: it is gone. */
static int send_packet(int to, struct iovec *pieces, int count, int file)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    if (file >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof file);
        memcpy(CMSG_DATA(head), &file, sizeof file);
    }
    ssize_t sent;
    do
        sent = sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return 1;
    /* too many descriptors that nobody has taken yet: later */
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ETOOMANYREFS
               ? 0
               : -1;
}

static bool has_room(const channel *c, size_t size, int file)
{
    return size <= WAITING_BYTES - c->bytes && c->packets < WAITING_PACKETS &&
           (file < 0 || c->files < WAITING_FILES);
}

static void keep(channel *c, packet *p)
{
    *c->last = p;
    c->last = &p->next;
    c->bytes += p->size;
    c->packets++;
    c->files += p->file >= 0;
}

static void forget_first(channel *c)
{
    packet *p = c->first;
    c->first = p->next;
    if (!c->first)
        c->last = &c->first;
    c->bytes -= p->size;
    c->packets--;
    c->files -= p->file >= 0;
}

bool channel_send(channel *c, const message_head *head, const void *payload, size_t size, int file)
{
    struct iovec pieces[2] = {{.iov_len = sizeof *head}, {.iov_len = size}};
    memcpy(&pieces[0].iov_base, &head, sizeof head); /* only read */
    memcpy(&pieces[1].iov_base, &payload, sizeof payload);
    int sent = c->first ? 0 : send_packet(c->socket, pieces, size ? 2 : 1, file);
    if (sent) {
        if (file >= 0)
            close(file);
        return sent > 0;
    }
    packet *p =
        has_room(c, sizeof *head + size, file) ? malloc(sizeof *p + sizeof *head + size) : NULL;
    if (!p) {
        if (file >= 0)
            close(file);
        return false;
    }
    *p = (packet){.file = file, .size = sizeof *head + size};
    memcpy(p->bytes, head, sizeof *head);
    if (size)
        memcpy(p->bytes + sizeof *head, payload, size);
    keep(c, p);
    return true;
}

bool channel_is_full(const channel *c)
{
    return c->first != NULL;
}

bool channel_flush(channel *c)
{
    while (c->first) {
        packet *p = c->first;
        struct iovec piece = {.iov_base = p->bytes, .iov_len = p->size};
        int sent = send_packet(c->socket, &piece, 1, p->file);
        if (sent <= 0)
            return sent == 0;
        forget_first(c);
        if (p->file >= 0)
            close(p->file);
        free(p);
    }
    return true;
}

/* A packet without a byte looks like the end. */
static bool is_at_end(const channel *c)
{
    struct pollfd one = {.fd = c->socket, .events = POLLRDHUP};
    return poll(&one, 1, 0) != 0;
}

int channel_receive(channel *c, message *out)
{
    struct iovec pieces[2] = {{.iov_base = &out->head, .iov_len = sizeof out->head},
                              {.iov_base = out->payload, .iov_len = MESSAGE_MOST}};
    ssize_t got = ob_packet_receive(&out->file, c->socket, pieces, 2, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno == EBADMSG ? -2 : -1;
    if ((size_t)got < sizeof out->head) {
        const bool is_end = !got && out->file < 0 && is_at_end(c);
        if (out->file >= 0)
            close(out->file);
        out->file = -1;
        return is_end ? -1 : -2;
    }
    out->size = (size_t)got - sizeof out->head;
    out->payload[out->size] = '\0';
    return 1;
}

message *channel_copy(const message *m)
{
    const size_t size = offsetof(message, payload) + m->size + 1; /* with its NUL */
    message *copy = malloc(size);
    if (copy) {
        memcpy(copy, m, size);
        copy->file = -1;
    }
    return copy;
}

/* ---- Payloads -------------------------------------------------------------------------------- */

static const uint32_t no_text = UINT32_MAX;

bool channel_pack(ob_buf *out, const char *text)
{
    uint32_t length = text ? (uint32_t)strlen(text) : no_text;
    if (ob_buf_append(out, &length, sizeof length, NULL))
        return false;
    return !text || !ob_buf_append(out, text, (size_t)length + 1, NULL);
}

bool channel_unpack(const char **text, const message *m, size_t *at)
{
    uint32_t length;
    if (m->size - *at < sizeof length)
        return false;
    memcpy(&length, m->payload + *at, sizeof length);
    *at += sizeof length;
    *text = NULL;
    if (length == no_text)
        return true;
    if (m->size - *at <= length || m->payload[*at + length])
        return false;
    *text = m->payload + *at;
    *at += (size_t)length + 1;
    return strlen(*text) == length;
}

bool channel_unpack_request(ob_request *out, ob_field fields[REQUEST_FIELDS], const message *m)
{
    const char *const *wanted[] = {&out->method,          &out->path,
                                   &out->authorization,   &out->content_type,
                                   &out->idempotency_key, &out->language};
    size_t at = 0;
    if (m->head.body && (m->head.body > m->size || (int64_t)m->head.body != m->head.number))
        return false;
    const size_t end = m->size - (size_t)m->head.body;
    if (m->head.listener >= OB_LISTENERS)
        return false;
    *out = (ob_request){.listener = (ob_listener)m->head.listener,
                        .content_length = m->head.number,
                        .query = fields};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!channel_unpack((const char **)(uintptr_t)wanted[i], m, &at))
            return false;
    while (at < end && out->query_count < REQUEST_FIELDS) {
        ob_field *field = &fields[out->query_count++];
        if (!channel_unpack(&field->name, m, &at) || !channel_unpack(&field->value, m, &at) ||
            !field->name || !field->value)
            return false;
    }
    return at == end && out->method && out->path;
}

bool channel_seal(int file)
{
    return !fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

int channel_file(const void *bytes, size_t size)
{
    int file = memfd_create("obhut", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const char *from = bytes;
    while (file >= 0 && size) {
        ssize_t written = write(file, from, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            close(file);
            return -1;
        }
        from += written;
        size -= (size_t)written;
    }
    if (file >= 0 && !channel_seal(file)) {
        close(file);
        return -1;
    }
    return file;
}
