/* What main and its two processes say to each other, and how they speak to people. */
#include "daemon.h"

#include <obhut/packet.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

void daemon_say(const char *who, const char *format, ...)
{
    char line[1200];
    va_list args;
    va_start(args, format);
    int at = snprintf(line, sizeof line - 1, "obhutd: %s: ", who);
    int more = vsnprintf(line + at, sizeof line - 1 - (size_t)at, format, args);
    va_end(args);
    size_t size = strlen(line);
    (void)more;
    line[size++] = '\n';
    (void)!write(STDERR_FILENO, line, size);
}

int64_t daemon_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool control_send(int to, control_word word, int peer)
{
    char byte = (char)word;
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (peer >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof peer);
        memcpy(CMSG_DATA(head), &peer, sizeof peer);
    }
    ssize_t sent;
    do
        sent = sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == 1;
}

/* A descriptor comes with a peer, and with nothing else. */
bool control_receive(int from, control_word *word, int *peer)
{
    char byte = 0;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    ssize_t got = ob_packet_receive(peer, from, &piece, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    *word = got == 1 && (*peer >= 0) == (byte == CONTROL_PEER) ? (control_word)byte : 0;
    if (!*word && *peer >= 0) {
        close(*peer);
        *peer = -1;
    }
    return true;
}
