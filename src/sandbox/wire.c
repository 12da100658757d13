#include "sandbox_priv.h"

#include <obhut/packet.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

bool wire_send(int channel, const void *bytes, size_t size, int file)
{
    struct iovec piece = {.iov_len = size};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    memcpy(&piece.iov_base, &bytes, sizeof bytes); /* sendmsg only reads */
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
        sent = sendmsg(channel, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size;
}

bool wire_receive(int channel, void *bytes, size_t size, int *file)
{
    struct iovec piece = {.iov_base = bytes, .iov_len = size};
    if (ob_packet_receive(file, channel, &piece, 1, 0) == (ssize_t)size)
        return true;
    if (file && *file >= 0) {
        close(*file);
        *file = -1;
    }
    return false;
}

static bool is_pdq(const ob_pdq *pdq)
{
    return pdq->quality >= 0 && pdq->quality <= 100;
}

static bool is_picture(const ob_media_result *m)
{
    if (m->format <= OB_FORMAT_UNKNOWN || m->format >= OB_FORMATS || !m->width || !m->height ||
        m->orientation < 1 || m->orientation > 8 || !m->frames || !is_pdq(&m->pdq) ||
        m->more_count > OB_MEDIA_FRAMES - 1)
        return false;
    for (unsigned i = 0; i < m->more_count; i++)
        if (m->more[i].number >= m->frames || !is_pdq(&m->more[i].pdq))
            return false;
    return true;
}

bool wire_take_result(ob_job_result *out, const wire_result *result, const wire_job *job)
{
    bool hashed = job->hash && result->status == OB_OK;
    if (result->number != job->number || result->refused > 1 || result->status > 0 ||
        result->status < OB_STATUS_LEAST || result->digested & ~job->digests ||
        (hashed && !is_picture(&result->media)) ||
        (result->refused && result->status != OB_EREFUSED))
        return false;
    *out = (ob_job_result){.status = (ob_status)result->status, .digested = result->digested};
    if (hashed)
        out->media = result->media;
    if (result->status) /* a worker's words are printed: nothing but printable ASCII */
        ob_fail(&out->error, out->status, "%.*s", (int)sizeof result->text - 1, result->text);
    for (char *p = out->error.text; *p; p++)
        *p = *p >= ' ' && *p < 0x7F ? *p : '?';
    out->digests = result->digests;
    return true;
}
