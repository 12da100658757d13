/* What a hostile front sends and hears: packets as they should be, or as they should not. */
#include "../../unit/flat.h"
#include "hostile_front.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

bool send_to(int to, const void *bytes, size_t size, int file, int files)
{
    union {
        char bytes[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (file >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)files * sizeof file);
        struct cmsghdr *at = CMSG_FIRSTHDR(&message);
        *at = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        at->cmsg_len = CMSG_LEN((size_t)files * sizeof file);
        for (int i = 0; i < files; i++)
            memcpy(CMSG_DATA(at) + (size_t)i * sizeof file, &file, sizeof file);
    }
    return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Waits a while for room; false where the core does not speak to us any more. */
bool send_waiting(const void *bytes, size_t size, int file, int files)
{
    for (int i = 0; i < 100; i++) {
        if (send_to(core_socket, bytes, size, file, files))
            return true;
        struct pollfd room = {.fd = core_socket, .events = POLLOUT};
        if (errno != EAGAIN || poll(&room, 1, 100) < 0)
            return false;
    }
    return false;
}

/* As it is, whatever the protocol says; frees it, and leaves its descriptor. */
bool send_packet(ob_packet *p)
{
    static uint8_t bytes[FLAT_MOST];
    const int file = p->file;
    p->file = -1;
    const bool sent = send_waiting(bytes, flat(bytes, p), file, 1);
    ob_packet_free(p);
    return sent;
}

bool kind_alone(uint32_t kind, uint64_t id)
{
    ob_packet p = ob_packet_of(kind, id);
    return send_packet(&p);
}

/* Any fields, and so many zeros behind them. */
bool packet(uint32_t kind, uint32_t first, uint64_t id, uint64_t second, size_t zeros, int file)
{
    ob_packet p = ob_packet_of(kind, id);
    switch (kind) {
    case MESSAGE_ASK:
        ob_put_u32(&p, OB_LISTENER_SERVICES);
        ob_put_u32(&p, first);
        ob_put_u64(&p, second);
        break;
    case MESSAGE_BODY:
        ob_put_u32(&p, first);
        ob_put_u64(&p, second);
        ob_put_tail(&p, large, zeros);
        zeros = 0;
        break;
    case MESSAGE_TAKEN:
        ob_put_u64(&p, second);
        break;
    case MESSAGE_UNABLE:
    case MESSAGE_LAYERS:
        ob_put_u32(&p, first);
        break;
    default:
        break;
    }
    if (zeros && !ob_packet_reserve(&p, zeros))
        return false;
    while (zeros >= sizeof(uint32_t)) {
        ob_put_u32(&p, 0);
        zeros -= sizeof(uint32_t);
    }
    p.file = file;
    return send_packet(&p);
}

/* A request as it should be, but for what these say. */
bool ask(asks what, uint64_t id, const void *body, size_t size)
{
    ob_packet *p = ob_packet_copy(&heads[what]);
    ob_packet whole = ob_packet_of(MESSAGE_ASK, id);
    if (!p || !ob_packet_reserve(&whole, p->size))
        return false;
    memcpy(whole.bytes ? whole.bytes : whole.small, p->bytes, p->size);
    whole.size = p->size;
    ob_packet_drop(p);
    ob_put_tail(&whole, body, size);
    return send_packet(&whole);
}

/* What came, or false after so long. */
static bool take(wire_head *head, uint32_t *status, int ms)
{
    static char bytes[MESSAGE_MOST + 100];
    char control[64];
    struct pollfd some = {.fd = core_socket, .events = POLLIN};
    struct iovec pieces[2] = {{head, sizeof *head}, {bytes, sizeof bytes}};
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = 2,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (poll(&some, 1, ms) <= 0 || recvmsg(core_socket, &message, MSG_DONTWAIT) <= 0)
        return false;
    memcpy(status, bytes, sizeof *status);
    struct cmsghdr *at = CMSG_FIRSTHDR(&message);
    int file;
    if (at && at->cmsg_type == SCM_RIGHTS) {
        memcpy(&file, CMSG_DATA(at), sizeof file);
        close(file);
    }
    return true;
}

bool take_any(void)
{
    wire_head head;
    uint32_t status;
    return take(&head, &status, 0);
}

/* Waits until this number was spoken of. Returns what was said first: a plan or a status. */
uint32_t await(uint64_t id, int ms)
{
    wire_head head;
    uint32_t status;
    while (take(&head, &status, ms))
        if (head.id == id)
            return status;
    return 0;
}

void make_head(asks what, const char *method, const char *path, int64_t length, const char *name,
               const char *value)
{
    char bearer[300];
    ob_packet *p = &heads[what];
    snprintf(bearer, sizeof bearer, "Bearer %s", token);
    const ob_field headers[] = {{"Authorization", bearer}, {"If-None-Match", "*"}};
    const ob_request request = {.method = method,
                                .path = path,
                                .peer = "192.0.2.7",
                                .headers = headers,
                                .header_count = 2,
                                .content_length = length};
    if (p->kind) /* there was one before */
        ob_packet_free(p);
    *p = ob_packet_of(MESSAGE_ASK, 0);
    channel_put_request(p, &request, false);
    channel_put_field(p, NULL, NULL); /* no cookies */
    if (name)
        channel_put_field(p, name, value);
    channel_put_field(p, NULL, NULL);
}

int memory_file(size_t size, bool sealed)
{
    int file = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (size_t written = 0; written < size;) {
        const size_t left = size - written, piece = left < sizeof large ? left : sizeof large;
        const ssize_t got = write(file, large, piece);
        if (got <= 0)
            break;
        written += (size_t)got;
    }
    if (sealed)
        channel_seal(file);
    return file;
}
