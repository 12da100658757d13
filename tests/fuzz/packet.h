/* What targets share that send any bytes over a socket, with any number of descriptors: and whether
 * one of these stays open. */
#ifndef OBHUT_FUZZ_PACKET_H
#define OBHUT_FUZZ_PACKET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKET_FILES = 3 };

/* The number that the next descriptor gets: the same as before, where none has stayed open. */
static inline int next_file(void)
{
    int file = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (file < 0 || close(file))
        abort();
    return file;
}

/* False: the other side does not take it. */
static inline bool send_with(int to, const uint8_t *bytes, size_t size, size_t files)
{
    union {
        char bytes[CMSG_SPACE(PACKET_FILES * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {.iov_len = size};
    memcpy(&piece.iov_base, &bytes, sizeof bytes); /* only read */
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (files > PACKET_FILES)
        abort();
    if (files) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(files * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(files * sizeof(int)); /* standard input: they are 0 already */
    }
    return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

#endif
