/* Any packets of a core, heard by the front, while a client waits for an answer. */
#include "../unit/front_ear.h"
#include "../unit/folder.h"
#include "packets_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ask(int to)
{
    static const char request[] =
        "POST /v1/scan HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbytes";
    (void)!send(to, request, sizeof request - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The number under which the front asks, or 0 after a while. */
static uint64_t hear_ask(front_ear *e)
{
    ob_packet p;
    uint64_t id = 0;
    for (int i = 0; i < 100 && !id; i++) {
        struct pollfd some = {.fd = ob_wire_socket(e->core), .events = POLLIN};
        ob_wire_got got;
        poll(&some, 1, 10);
        while ((got = ob_wire_receive(e->core, &p)) == OB_WIRE_PACKET) {
            id = p.kind == MESSAGE_ASK ? p.id : id;
            ob_packet_free(&p);
        }
        if (got == OB_WIRE_NONSENSE)
            abort();
    }
    return id;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static front_ear e;
    static packet_in p;
    char folder[TEST_FOLDER_SIZE], text[4096];
    if (!e.main) {
        if (!test_folder(folder))
            abort();
        front_ear_reserve();
        front_ear_open(&e, folder);
    }
    front_ear_introduce(&e);
    const int client = front_ear_connect(&e);
    ask(client);
    const uint64_t id = hear_ask(&e);
    while (next_packet(&p, &bytes, &size)) {
        const uint64_t number = id + p.id;
        if (p.kind != UINT8_MAX && p.id < 100)
            memcpy(p.bytes + offsetof(wire_head, id), &number, sizeof number);
        const int file = p.beside > 200 ? memfd_create("answer", MFD_CLOEXEC) : -1;
        front_ear_send(&e, p.bytes, p.size, file);
        if (file >= 0)
            close(file);
        ask(client);
        while (recv(client, text, sizeof text, MSG_DONTWAIT) > 0)
            ;
    }
    close(client);
    return 0;
}
