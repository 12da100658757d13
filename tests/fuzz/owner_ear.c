/* Any packets of a worker, heard by its owner: a job is answered, or the process is replaced, and
 * no descriptor stays open. */
#include "../unit/owner_ear.h"
#include "packet.h"
#include "packets_in.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct input {
    const uint8_t *bytes;
    size_t size;
} input;

/* Numbers are the job's, so that not every packet fails there; but for 255. */
static void speak(owner_ear *e, const ob_packet *job)
{
    static packet_in p;
    input *in = e->context;
    do {
        if (!next_packet(&p, &in->bytes, &in->size))
            return;
        if (p.kind != UINT8_MAX && p.id != UINT8_MAX)
            memcpy(p.bytes + offsetof(wire_head, id), &job->id, sizeof job->id);
        owner_ear_send(e, p.bytes, p.size, p.beside > 250 ? p.beside - 250 - 1 : 0);
    } while (p.beside & 1); /* more, though nobody asked */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    input in = {bytes, size};
    owner_ear e = {.far = -1, .speak = speak, .context = &in};
    const ob_worker_options options = {.program = "/none", .time_ms = 1};
    ob_worker *worker = NULL;
    ob_job_result result;
    if (file < 0 && ((file = memfd_create("file", MFD_CLOEXEC)) < 0 || write(file, "file", 4) != 4))
        abort();
    const int before = next_file();
    owner_ear_now = &e;
    if (ob_worker_start(&worker, &options, NULL))
        abort();
    while (in.size >= 5) {
        const size_t left = in.size;
        const ob_job job = {.wants = {[OB_EXTRACT_PDQ] = true, [OB_EXTRACT_DIGESTS] = left & 1},
                            .digests = left & 1 ? OB_DIGEST_ALL : 0,
                            .permit = ob_own_files_permit,
                            .size = 4};
        const ob_status status = ob_worker_do(&result, worker, &job, file, NULL);
        if (!status && (result.status > 0 || result.media.more_count >= OB_MEDIA_HASHES))
            abort();
        if (in.size == left)
            abort();
    }
    ob_worker_stop(worker);
    if (next_file() != before)
        abort();
    return 0;
}
