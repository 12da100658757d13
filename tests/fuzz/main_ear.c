/* Any packets of its processes, heard by main: it ends who lies, and stops when it is told to. */
#include "../unit/main_ear.h"
#include "packet.h"
#include "packets_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct input {
    const uint8_t *bytes;
    size_t size;
    unsigned turns;
} input;

static void turn(main_ear *e)
{
    static packet_in p;
    input *in = e->context;
    for (int i = 0; i < ROLES; i++) {
        main_ear_take(e, (role_id)i);
        if (!in->turns)
            main_ear_say(e, (role_id)i, CONTROL_READY, 0);
    }
    if (in->turns++ && !next_packet(&p, &in->bytes, &in->size))
        main_ear_signal(e, SIGTERM);
    else if (in->turns > 1)
        main_ear_send(e, (role_id)(p.beside % ROLES), p.bytes, p.size,
                      p.beside > 200 ? STDIN_FILENO : -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input in = {bytes, size, 0};
    main_ear e = {.turn = turn, .context = &in};
    const int before = next_file();
    if (main_ear_run(&e) || next_file() != before)
        abort();
    return 0;
}
