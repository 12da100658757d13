/* One system call: bytes of a packet, or of a stream, with one descriptor at most. A receiver that
 * made room for one, and looked at one, would keep every further one open for ever. */
#include <obhut/wire.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The descriptors that came beside the bytes. */
typedef struct came {
    int first; /* or -1 */
    size_t count;
} came;

/* The descriptors of one header: all but the very first are closed. The header counts, not the room
 * that was made: alignment leaves room for two where one was meant. */
static void unpack(came *c, struct cmsghdr *head)
{
    size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int file;
        memcpy(&file, CMSG_DATA(head) + i * sizeof file, sizeof file);
        if (!c->count++)
            c->first = file;
        else
            close(file);
    }
}

static came unpack_all(struct msghdr *message)
{
    came c = {.first = -1};
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            unpack(&c, head);
    return c;
}

ssize_t ob_bytes_send(int to, struct iovec *pieces, size_t count, int file, int flags)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
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
        sent = sendmsg(to, &message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t ob_bytes_receive(int *file, int from, struct iovec *pieces, size_t count, int flags)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))]; /* what does not fit is dropped by the kernel */
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = count,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do
        got = recvmsg(from, &message, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (file)
        *file = -1;
    if (got < 0)
        return got;
    const came c = unpack_all(&message);
    const bool fine = c.count <= (file ? 1 : 0) && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    if (fine && file)
        *file = c.first;
    if (fine)
        return got;
    if (c.count)
        close(c.first);
    errno = EBADMSG;
    return -1;
}
