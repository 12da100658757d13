/* Any packets from another process of the service, with any descriptors, as words on a control
 * channel and as messages between front and core: what is heard is whole, or nonsense, and no
 * descriptor stays open. */
#include "packet.h"

#include "channel.h"
#include "daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Returns whether there is more to hear. */
static bool hear_word(int from)
{
    control_word word = CONTROL_READY;
    int peer = -1;
    if (!control_receive(from, &word, &peer))
        return false;
    if ((peer >= 0) != (word == CONTROL_PEER))
        abort();
    if (peer >= 0 && close(peer))
        abort();
    return word != 0;
}

static bool hear_message(channel *from)
{
    static message m;
    const int got = channel_receive(from, &m);
    if (got != 1 && m.file >= 0)
        abort();
    if (got == 1 && (m.size > MESSAGE_MOST || m.payload[m.size] || (m.file >= 0 && close(m.file))))
        abort();
    return got == 1;
}

/* A packet: how many descriptors, how long, and its bytes. */
static void send_all(int to, const uint8_t *bytes, size_t size)
{
    while (size >= 2) {
        const size_t files = bytes[0] % (PACKET_FILES + 1);
        size_t length = bytes[1];
        bytes += 2;
        size -= 2;
        if (length > size)
            length = size;
        if (!send_with(to, bytes, length, files))
            return;
        bytes += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const int before = next_file();
    int ends[2];
    if (!size)
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        abort();
    send_all(ends[1], bytes + 1, size - 1);
    close(ends[1]);
    if (*bytes & 1) {
        channel *from = channel_new(ends[0]);
        if (!from)
            abort();
        while (hear_message(from))
            ;
        channel_free(from);
    } else {
        while (hear_word(ends[0]))
            ;
        close(ends[0]);
    }
    if (next_file() != before)
        abort();
    return 0;
}
