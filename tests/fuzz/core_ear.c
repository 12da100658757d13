/* Any packets of a front, heard by the core: its main thread and desks. */
#include "../unit/core_ear.h"
#include "packet.h"
#include "packets_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static ear e;
    static packet_in p;
    if (!e.core)
        ear_open(&e);
    ear_introduce(&e);
    while (next_packet(&p, &bytes, &size))
        ear_send(&e, p.bytes, p.size, p.beside < 128 ? EAR_NO_FILE : p.beside % EAR_BESIDES);
    peer_lose(e.core); /* what it asked ends with it */
    while (e.core->call_count || ear_calls) {
        struct pollfd some = {.fd = e.core->answered_event, .events = POLLIN};
        if (poll(&some, 1, 30000) <= 0)
            abort();
        carry_back(e.core);
    }
    return 0;
}
