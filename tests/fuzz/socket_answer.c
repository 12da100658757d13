/* Any bytes as what a service says to a command, in any pieces and with any descriptors: an answer,
 * or a sentence, and no descriptor stays open. */
#include "packet.h"

#include "socket_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A piece: how many descriptors, how long, and its bytes. */
static void send_pieces(int to, const uint8_t *bytes, size_t size)
{
    while (size >= 2) {
        const size_t files = bytes[0] < 4 ? bytes[0] : 0;
        size_t length = 1 + bytes[1];
        bytes += 2;
        size -= 2;
        if (length > size)
            length = size;
        if (length && !send_with(to, bytes, length, files))
            return;
        bytes += length;
        size -= length;
    }
}

static void count(void *context, json_t *event)
{
    unsigned *heard = context;
    if (!json_is_object(event) && !json_is_array(event))
        abort();
    ++*heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const int before = next_file();
    int ends[2];
    unsigned heard = 0;
    const ob_commands_listener listener = {.hear = count, .context = &heard};
    json_t *answer = NULL, *request = json_pack("{s:s}", "do", "something");
    ob_error err = {0};
    if (!request || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        abort();
    send_pieces(ends[1], bytes, size);
    shutdown(ends[1], SHUT_WR);
    const ob_status status = socket_ask(&answer, ends[0], request, -1, &listener, &err);
    if (status ? answer || !*err.text : !answer)
        abort();
    json_decref(answer);
    json_decref(request);
    close(ends[1]);
    if (next_file() != before)
        abort();
    return 0;
}
