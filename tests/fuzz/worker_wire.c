/* Any bytes as a worker's answer: none, or one whose every field is within its bounds, and whose
 * sentence is ours. */
#include "sandbox_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const ob_job_result *out, const wire_job *job)
{
    const ob_media_result *m = &out->media;
    if (out->status > 0 || out->status < OB_STATUS_LEAST || out->digested & ~job->digests)
        abort();
    if (out->status == OB_OK && job->hash &&
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

/* The first byte is the job, the rest the answer; its number is set where the second byte is even,
 * so that not all of them fail there. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    wire_job job = {.number = 7};
    wire_result *result = calloc(1, sizeof *result);
    ob_job_result out;
    bool refused = false;
    if (!result || size < 2) {
        free(result);
        return -1;
    }
    job.hash = bytes[0] & 1;
    job.digests = bytes[0] >> 1 & OB_DIGEST_ALL;
    memcpy(result, bytes + 2, size - 2 < sizeof *result ? size - 2 : sizeof *result);
    if (!(bytes[1] & 1)) {
        result->number = job.number;
        result->digested = job.digests;
    }
    if (wire_take_result(&out, &refused, result, &job)) {
        check(&out, &job);
        if (refused != (out.status == OB_EREFUSED))
            abort();
    }
    free(result);
    return 0;
}
