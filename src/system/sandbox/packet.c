#include <obhut/packet.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What came beside the bytes. */
typedef struct luggage {
    int first; /* or -1 */
    size_t count;
} luggage;

/* Of one header: all but the very first are closed. The header counts, not the room that was made:
 * alignment leaves room for two where one was meant. */
static void unpack(luggage *l, struct cmsghdr *head)
{
    size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int file;
        memcpy(&file, CMSG_DATA(head) + i * sizeof file, sizeof file);
        if (!l->count++)
            l->first = file;
        else
            close(file);
    }
}

static luggage unpack_all(struct msghdr *message)
{
    luggage l = {.first = -1};
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            unpack(&l, head);
    return l;
}

ssize_t ob_packet_receive(int *file, int from, struct iovec *pieces, size_t count, int flags)
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
    const luggage l = unpack_all(&message);
    const bool fine = l.count <= (file ? 1 : 0) && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    if (fine && file)
        *file = l.first;
    if (fine)
        return got;
    if (l.count)
        close(l.first);
    errno = EBADMSG;
    return -1;
}
