/* Any packets of its owner, heard by a worker: it does what it has a permit for, and ends. */
#include "../unit/worker_ear.h"
#include "packet.h"
#include "packets_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { MOST = 40 }; /* packets, so that none of them finds the socket full */
    static worker_ear e;
    static packet_in p;
    static uint8_t good[FLAT_MOST];
    static int file = -1;
    if (file < 0) {
        worker_ear_reserve();
        file = memfd_create("file", MFD_CLOEXEC);
        if (file < 0 || write(file, "file", 4) != 4 || ob_epoch_page_new(&e.epochs, NULL))
            abort();
    }
    worker_ear_open(&e);
    const unsigned decoded = worker_ear_decoded;
    ob_packet welcome = worker_ear_welcome(&e);
    if (!size || bytes[0] % 8)
        worker_ear_send(&e, good, flat(good, &welcome), welcome.file);
    for (unsigned i = 0; i < MOST && next_packet(&p, &bytes, &size); i++) {
        if (p.kind == WORKER_JOB &&
            p.id % 2) { /* one with a permit, and the fuzzer's bytes in it */
            ob_packet job = worker_ear_job(&e, p.id, file, 4);
            const size_t length = flat(good, &job);
            ob_packet_free(&job);
            for (size_t k = sizeof(wire_head); k < p.size && k < length; k++)
                good[k] ^= p.bytes[k];
            worker_ear_send(&e, good, length, file);
        } else {
            worker_ear_send(&e, p.bytes, p.size, p.beside & 1 ? file : -1);
        }
    }
    if (worker_ear_decoded - decoded > worker_ear_live(&e))
        abort();
    return 0;
}
