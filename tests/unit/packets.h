/* What tests of receivers share: packets with descriptors, and how many are open. */
#ifndef OBHUT_TEST_PACKETS_H
#define OBHUT_TEST_PACKETS_H

#include "test.h"

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKETS = 1000, FILES_MOST = 100 };

static inline unsigned open_files(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Standard input so many times, in each of one or two headers. */
static inline ssize_t send_files(int to, const void *bytes, size_t size, size_t files,
                                 size_t headers)
{
    union {
        char bytes[2 * CMSG_SPACE(FILES_MOST * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {.iov_len = size};
    memcpy(&piece.iov_base, &bytes, sizeof bytes); /* only read */
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    assert_true(files <= FILES_MOST && headers <= 2);
    if (files) {
        message.msg_control = control.bytes;
        message.msg_controllen = headers * CMSG_SPACE(files * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        for (size_t h = 0; h < headers; h++, head = CMSG_NXTHDR(&message, head)) {
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(files * sizeof(int)); /* what they are is 0 already */
        }
    }
    return sendmsg(to, &message, MSG_NOSIGNAL);
}

static inline void send_packet_with(int to, const void *bytes, size_t size, size_t files)
{
    assert_int_equal(send_files(to, bytes, size, files, 1), size);
}

#endif
