/* Any packets from another process of the service, with any descriptors, at each end of each
 * protocol: a packet that comes through is one of the table, and no descriptor stays open. */
#include "packet.h"

#include "../unit/flat.h"
#include "channel.h"
#include "control.h"
#include "sandbox_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const ob_wire *w, const ob_packet *p)
{
    const ob_wire_kind *k = p->kind < w->protocol->kind_count ? &w->protocol->kinds[p->kind] : NULL;
    char text[OB_WIRE_TEXT];
    if (!k || !k->name || k->from == w->side || p->size < k->least || p->size > k->most ||
        p->bytes[p->size])
        abort();
    if ((p->file >= 0 && k->file == OB_WIRE_NO_FILE) ||
        (p->file < 0 && k->file == OB_WIRE_HAS_FILE))
        abort();
    ob_packet_print(text, w, p);
    if (!strstr(text, k->name))
        abort();
}

static bool receive(ob_wire *w)
{
    ob_packet p;
    const ob_wire_got got = ob_wire_receive(w, &p);
    if (got == OB_WIRE_PACKET)
        check(w, &p);
    else if (p.file >= 0 || p.size)
        abort();
    ob_packet_free(&p);
    return got == OB_WIRE_PACKET || got == OB_WIRE_NONSENSE;
}

/* A packet: how many descriptors, how long, the byte of its kind or 0xFF: as it is; and its bytes.
 */
static void send_all(int to, const uint8_t *bytes, size_t size)
{
    static uint8_t packet[FLAT_MOST];
    while (size >= 3) {
        const size_t files = bytes[0] % (PACKET_FILES + 1);
        const wire_head head = {WIRE_MAGIC, bytes[2], size};
        const size_t before = bytes[2] == 0xFF ? 0 : sizeof head;
        size_t length = bytes[1];
        bytes += 3;
        size -= 3;
        if (length > size)
            length = size;
        memcpy(packet, &head, before);
        memcpy(packet + before, bytes, length);
        if (!send_with(to, packet, before + length, files))
            return;
        bytes += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const ob_wire_protocol *const all[] = {&control_protocol, &channel_protocol,
                                                  &worker_protocol};
    const int before = next_file();
    int ends[2];
    if (!size)
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        abort();
    send_all(ends[1], bytes + 1, size - 1);
    close(ends[1]);
    ob_wire *w = ob_wire_new(ends[0], all[(*bytes >> 1) % 3], *bytes & 1, NULL);
    if (!w)
        abort();
    while (receive(w))
        ;
    ob_wire_free(w);
    if (next_file() != before)
        abort();
    return 0;
}
