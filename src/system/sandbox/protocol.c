/* What a worker and its owner say to each other, and what of a worker's answer is believed. */
#include "sandbox_priv.h"

#include <string.h>

enum {
    U32 = sizeof(uint32_t),
    U64 = sizeof(uint64_t),
    JOB_SIZE = U64 + (OB_EXTRACTS + 4) * U32 + U32 + OB_PERMIT_KEY + U32 + sizeof(ob_permit),
    PDQ_SIZE = U32 + sizeof((ob_pdq){0}.hash) + U32,
    FRAME_SIZE = 2 * U32 + PDQ_SIZE + U32 + sizeof(ob_hash256),
    DIGESTS_SIZE = 3 * U32 + OB_MD5_SIZE + OB_SHA1_SIZE + OB_SHA256_SIZE,
    MEDIA_SIZE = 8 * U32 + PDQ_SIZE + U32 + sizeof(ob_hash256), /* without further frames */
    RESULT_LEAST = 5 * U32 + U64 + DIGESTS_SIZE + MEDIA_SIZE,
    RESULT_MOST = RESULT_LEAST + (OB_MEDIA_HASHES - 1) * FRAME_SIZE,
    WHY_MOST = 200,
};

_Static_assert((int)RESULT_MOST <= (int)OB_PACKET_MOST, "a result is one packet");

static const ob_wire_kind kinds[WORKER_MESSAGES] = {
    [WORKER_HELLO] = {"HELLO", WORKER_SIDE, 2 * U32, 2 * U32 + WHY_MOST, OB_WIRE_NO_FILE},
    [WORKER_WELCOME] = {"WELCOME", OWNER_SIDE, U32 + OB_KEY_SIZE, U32 + OB_KEY_SIZE,
                        OB_WIRE_HAS_FILE},
    [WORKER_JOB] = {"JOB", OWNER_SIDE, JOB_SIZE, JOB_SIZE, OB_WIRE_HAS_FILE},
    [WORKER_ROOM] = {"ROOM", OWNER_SIDE, 0, 0, OB_WIRE_HAS_FILE},
    [WORKER_RESULT] = {"RESULT", WORKER_SIDE, RESULT_LEAST, RESULT_MOST, OB_WIRE_NO_FILE},
};

const ob_wire_protocol worker_protocol = {
    .sides = {[WORKER_SIDE] = "worker", [OWNER_SIDE] = "core"},
    .kinds = kinds,
    .kind_count = WORKER_MESSAGES,
};

/* ---- Jobs ------------------------------------------------------------------------------------ */

void worker_put_job(ob_packet *p, const worker_job *job)
{
    ob_put_u64(p, job->size);
    for (int e = 0; e < OB_EXTRACTS; e++)
        ob_put_u32(p, job->wants[e]);
    ob_put_u32(p, job->digests);
    ob_put_u32(p, job->variant);
    ob_put_u32(p, job->exact);
    ob_put_u32(p, job->cpu_ms);
    ob_put_bytes(p, job->item, sizeof job->item);
    ob_put_bytes(p, job->permit.bytes, sizeof job->permit.bytes);
}

bool worker_get_job(worker_job *out, ob_packet *p)
{
    out->number = p->id;
    ob_get_u64(&out->size, p);
    for (int e = 0; e < OB_EXTRACTS; e++)
        ob_get_u32(&out->wants[e], p);
    ob_get_u32(&out->digests, p);
    ob_get_u32(&out->variant, p);
    ob_get_u32(&out->exact, p);
    ob_get_u32(&out->cpu_ms, p);
    ob_get_block(out->item, sizeof out->item, p);
    ob_get_block(out->permit.bytes, sizeof out->permit.bytes, p);
    return ob_get_end(p);
}

const char *ob_extract_name(ob_extract extract)
{
    static const char *const names[OB_EXTRACTS] = {"hashes", "digests", "a memory file"};
    return extract < OB_EXTRACTS ? names[extract] : "nothing";
}

uint32_t worker_detectors(const uint32_t wants[OB_EXTRACTS])
{
    uint32_t detectors = 0;
    for (int e = 0; e < OB_EXTRACTS; e++)
        detectors |= wants[e];
    return detectors;
}

ob_permit_use worker_use(const worker_job *job, int file, ob_epochs epochs)
{
    ob_permit_use use = {.item.size = job->size,
                         .detectors = worker_detectors(job->wants),
                         .epochs = epochs,
                         .now = ob_now(),
                         .monotonic_ms = ob_now_monotonic_ms()};
    memcpy(use.item.id, job->item, sizeof use.item.id);
    holder_look_at(&use.item, file);
    return use;
}

/* ---- Answers, as they are put and got -------------------------------------------------------- */

static void put_pdq(ob_packet *p, const ob_pdq *pdq)
{
    ob_put_bytes(p, pdq->hash, sizeof pdq->hash);
    ob_put_u32(p, (uint32_t)pdq->quality);
}

static void put_frame(ob_packet *p, const ob_media_frame *f)
{
    ob_put_u32(p, f->number);
    ob_put_u32(p, f->look);
    put_pdq(p, &f->pdq);
    ob_put_bytes(p, &f->shown, sizeof f->shown);
}

static void put_media(ob_packet *p, const ob_media_result *m)
{
    ob_put_u32(p, m->format);
    ob_put_u32(p, m->width);
    ob_put_u32(p, m->height);
    ob_put_u32(p, m->orientation);
    ob_put_u32(p, m->frames);
    ob_put_u32(p, m->incomplete);
    ob_put_u32(p, m->unseen);
    put_pdq(p, &m->pdq);
    ob_put_bytes(p, &m->shown, sizeof m->shown);
    ob_put_u32(p, m->more_count);
    for (unsigned i = 0; i < m->more_count && i < OB_MEDIA_HASHES - 1; i++)
        put_frame(p, &m->more[i]);
}

void worker_put_result(ob_packet *p, const worker_result *r)
{
    ob_put_u32(p, r->fault.reason);
    ob_put_u32(p, r->fault.format);
    ob_put_u32(p, r->fault.at);
    ob_put_u32(p, r->fault.of);
    ob_put_u32(p, r->digested);
    ob_put_bytes(p, r->digests.md5, sizeof r->digests.md5);
    ob_put_bytes(p, r->digests.sha1, sizeof r->digests.sha1);
    ob_put_bytes(p, r->digests.sha256, sizeof r->digests.sha256);
    ob_put_u64(p, r->file_size);
    put_media(p, &r->media);
}

static void get_pdq(ob_pdq *out, ob_packet *p)
{
    uint32_t quality;
    ob_get_block(out->hash, sizeof out->hash, p);
    ob_get_u32(&quality, p);
    out->quality = quality <= 100 ? (int)quality : -1;
}

static void get_frame(ob_media_frame *out, ob_packet *p)
{
    ob_get_u32(&out->number, p);
    ob_get_u32(&out->look, p);
    get_pdq(&out->pdq, p);
    ob_get_block(&out->shown, sizeof out->shown, p);
}

static void get_media(ob_media_result *out, ob_packet *p)
{
    uint32_t format;
    ob_get_u32(&format, p);
    out->format = format < OB_FORMATS ? (ob_format)format : OB_FORMAT_UNKNOWN;
    ob_get_u32(&out->width, p);
    ob_get_u32(&out->height, p);
    ob_get_u32(&out->orientation, p);
    ob_get_u32(&out->frames, p);
    ob_get_u32(&out->incomplete, p);
    ob_get_u32(&out->unseen, p);
    get_pdq(&out->pdq, p);
    ob_get_block(&out->shown, sizeof out->shown, p);
    ob_get_u32(&out->more_count, p);
    for (unsigned i = 0; i < out->more_count && i < OB_MEDIA_HASHES - 1; i++)
        get_frame(&out->more[i], p);
}

bool worker_get_result(worker_result *out, ob_packet *p)
{
    memset(out, 0, sizeof *out);
    out->number = p->id;
    ob_get_u32(&out->fault.reason, p);
    ob_get_u32(&out->fault.format, p);
    ob_get_u32(&out->fault.at, p);
    ob_get_u32(&out->fault.of, p);
    ob_get_u32(&out->digested, p);
    ob_get_block(out->digests.md5, sizeof out->digests.md5, p);
    ob_get_block(out->digests.sha1, sizeof out->digests.sha1, p);
    ob_get_block(out->digests.sha256, sizeof out->digests.sha256, p);
    ob_get_u64(&out->file_size, p);
    get_media(&out->media, p);
    return ob_get_end(p);
}

/* ---- Answers, as they are checked ------------------------------------------------------------ */

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
static bool is_reason(const worker_result *r, const worker_job *job)
{
    const ob_media_fault *f = &r->fault;
    if (f->reason >= OB_MEDIA_REASONS)
        return f->reason < WORKER_REASONS && !f->format && !f->at && !f->of && !r->digested;
    return ob_media_fault_is_sane(f) && r->digested == job->digests &&
           (f->reason == OB_MEDIA_FINE || job->wants[OB_EXTRACT_PDQ]);
}

static ob_status explain(ob_error *err, const ob_media_fault *f)
{
    switch (f->reason) {
    case WORKER_NO_PERMIT:
        return ob_fail(err, OB_EREFUSED, "there is no permit for it, or not any more");
    case WORKER_SHORT:
        return ob_fail(err, OB_EIO, "fewer bytes than were announced");
    case WORKER_NO_DIGESTS:
        return ob_fail(err, OB_EIO, "no digests can be made on this machine");
    case WORKER_NO_ROOM:
        return ob_fail(err, OB_ENOMEM, "out of memory: a part of a file");
    default:
        return ob_media_explain(err, f);
    }
}

bool worker_take_result(ob_job_result *out, bool *refused, const worker_result *result,
                        const worker_job *job)
{
    const bool fine = result->fault.reason == OB_MEDIA_FINE;
    if (result->number != job->number || !is_reason(result, job) ||
        (job->wants[OB_EXTRACT_PDQ] && fine && !is_picture(&result->media)) ||
        result->file_size > (fine && job->wants[OB_EXTRACT_FILE] ? OB_RESULT_FILE_MOST : 0))
        return false;
    *out = (ob_job_result){.digested = result->digested, .file_size = result->file_size};
    out->status = explain(&out->error, &result->fault);
    if (job->wants[OB_EXTRACT_PDQ] && fine)
        out->media = result->media;
    if (result->digested)
        out->digests = result->digests;
    *refused = result->fault.reason == WORKER_NO_PERMIT;
    return true;
}
