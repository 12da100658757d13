/* Any bytes at the socket of commands, in any pieces and with any descriptors: each line is done or
 * refused with a sentence, and no descriptor stays open. */
#include "packet.h"

#include "../unit/folder.h"
#include "socket_priv.h"

#include <obhut/crypto.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static ob_service *service(void)
{
    static ob_service one;
    char dir[TEST_FOLDER_SIZE];
    if (!one.store && (ob_crypto_start(NULL) || !test_folder(dir) ||
                       ob_service_open(&one, &(ob_service_options){.dir = dir}, NULL)))
        abort();
    return &one;
}

static void hear(void *context, json_t *event)
{
    unsigned *heard = context;
    ++*heard;
    if (json_object_size(event) != 1)
        abort();
}

static void check(const json_t *answer)
{
    const json_t *ok = json_object_get(answer, "ok"), *error = json_object_get(answer, "error");
    if (json_object_size(answer) != 1 || (ok && !json_is_object(ok)))
        abort();
    if (!ok && (json_integer_value(json_object_get(error, "status")) >= 0 ||
                !json_string_length(json_object_get(error, "text"))))
        abort();
}

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_service *a = service();
    const int before = next_file();
    int ends[2];
    unsigned heard = 0;
    const ob_commands_listener listener = {.hear = hear, .context = &heard};
    json_t *request;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        abort();
    socket_incoming in = {.from = ends[0], .file = -1, .takes_file = true};
    send_pieces(ends[1], bytes, size);
    close(ends[1]);
    while ((request = socket_receive_line(&in))) {
        json_t *answer = ob_commands_do(a, request, in.file, &listener, OB_AT_SOCKET);
        check(answer);
        json_decref(answer);
        json_decref(request);
    }
    socket_incoming_free(&in);
    if (next_file() != before)
        abort();
    return 0;
}
