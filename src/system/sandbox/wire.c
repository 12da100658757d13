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
        sent = sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
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

ob_permit_use wire_use(const wire_job *job, int file, ob_epochs epochs)
{
    ob_permit_use use = {.item.size = job->size,
                         .methods = (job->hash ? UINT32_C(1) << OB_METHOD_PDQ : 0) |
                                    (job->digests ? UINT32_C(1) << OB_METHOD_DIGESTS : 0),
                         .epochs = epochs,
                         .now = ob_now(),
                         .monotonic_ms = ob_now_monotonic_ms()};
    memcpy(use.item.id, job->item, sizeof use.item.id);
    holder_look_at(&use.item, file);
    return use;
}

/* ---- Answers -------------------------------------------------------------------------------- */

static bool is_pdq(const ob_pdq *pdq)
{
    return pdq->quality >= 0 && pdq->quality <= 100;
}

static bool is_frame(const ob_media_frame *f, uint32_t frames)
{
    return f->number < frames && f->look < OB_LOOKS && is_pdq(&f->pdq);
}

static bool is_picture(const ob_media_result *m)
{
    if (m->format <= OB_FORMAT_UNKNOWN || m->format >= OB_FORMATS || !m->width || !m->height ||
        m->width > OB_PDQ_MAX_SIDE || m->height > OB_PDQ_MAX_SIDE ||
        (uint64_t)m->width * m->height > OB_MEDIA_MAX_PIXELS || m->orientation < 1 ||
        m->orientation > 8 || !m->frames || m->frames > OB_MEDIA_MAX_FRAMES || !is_pdq(&m->pdq) ||
        m->incomplete > 1 || m->unseen >= OB_UNSEENS || m->more_count > OB_MEDIA_HASHES - 1)
        return false;
    for (unsigned i = 0; i < m->more_count; i++)
        if (!is_frame(&m->more[i], m->frames) || (i && m->more[i].number < m->more[i - 1].number))
            return false;
    return true;
}

/* Reasons of pictures are told where one was to be hashed, after the digests. */
static bool is_reason(const wire_result *r, const wire_job *job)
{
    const ob_media_fault *f = &r->fault;
    if (f->reason >= OB_MEDIA_REASONS)
        return f->reason < WIRE_REASONS && !f->format && !f->at && !f->of && !r->digested;
    return ob_media_fault_is_sane(f) && r->digested == job->digests &&
           (f->reason == OB_MEDIA_FINE || job->hash);
}

static ob_status explain(ob_error *err, const ob_media_fault *f)
{
    switch (f->reason) {
    case WIRE_NO_PERMIT:
        return ob_fail(err, OB_EREFUSED, "there is no permit for it, or not any more");
    case WIRE_SHORT:
        return ob_fail(err, OB_EIO, "fewer bytes than were announced");
    case WIRE_NO_DIGESTS:
        return ob_fail(err, OB_EIO, "no digests can be made on this machine");
    case WIRE_NO_ROOM:
        return ob_fail(err, OB_ENOMEM, "out of memory: a part of a file");
    default:
        return ob_media_explain(err, f);
    }
}

bool wire_take_result(ob_job_result *out, bool *refused, const wire_result *result,
                      const wire_job *job)
{
    const bool fine = result->fault.reason == OB_MEDIA_FINE;
    if (result->number != job->number || !is_reason(result, job) ||
        (job->hash && fine && !is_picture(&result->media)))
        return false;
    *out = (ob_job_result){.digested = result->digested};
    out->status = explain(&out->error, &result->fault);
    if (job->hash && fine)
        out->media = result->media;
    if (result->digested)
        out->digests = result->digests;
    *refused = result->fault.reason == WIRE_NO_PERMIT;
    return true;
}
