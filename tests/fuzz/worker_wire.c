/* Any bytes as a worker's answer: none, or one whose every field is within its bounds, and whose
 * sentence is ours. */
#include "sandbox_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const ob_job_result *out, const worker_job *job)
{
    const ob_media_result *m = &out->media;
    if (out->status > 0 || out->status < OB_STATUS_LEAST || out->digested & ~job->digests)
        abort();
    if (out->status == OB_OK && job->wants[OB_EXTRACT_PDQ] &&
        (!m->width || !m->height || m->width > OB_PDQ_MAX_SIDE || m->height > OB_PDQ_MAX_SIDE ||
         m->orientation < 1 || m->orientation > 8 || m->format >= OB_FORMATS ||
         m->more_count >= OB_MEDIA_HASHES || m->frames > OB_MEDIA_MAX_FRAMES))
        abort();
    if ((out->status == OB_OK) != !*out->error.text)
        abort();
    for (const char *p = out->error.text; *p; p++)
        if (*p < ' ' || *p > '~')
            abort();
}

/* The first byte is the job, the rest the fields of the answer; its number is the job's where the
 * second byte is even, so that not all of them fail there. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static worker_result result;
    worker_job job = {.number = 7};
    ob_packet p = ob_packet_of(WORKER_RESULT, 7);
    ob_job_result out;
    bool refused = false;
    if (size < 2 || size > 2 + OB_PACKET_MOST)
        return -1;
    job.wants[OB_EXTRACT_PDQ] = bytes[0] & 1;
    job.digests = bytes[0] >> 1 & OB_DIGEST_ALL;
    job.wants[OB_EXTRACT_DIGESTS] = job.digests ? OB_OWN_WISH : 0;
    p.id += bytes[1] & 1;
    p.size = size - 2;
    p.bytes = malloc(p.size + 1);
    if (!p.bytes)
        return -1;
    memcpy(p.bytes, bytes + 2, p.size);
    if (worker_get_result(&result, &p) && worker_take_result(&out, &refused, &result, &job)) {
        check(&out, &job);
        if (refused != (out.status == OB_EREFUSED))
            abort();
    }
    free(p.bytes);
    return 0;
}
