/* Lines of JSON over a socket: a request is one, and a descriptor may come with it; so are events
 * and answers, which have none. */
#include "socket_priv.h"

#include <obhut/json.h>
#include <obhut/wire.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REQUEST_MOST = 1 << 20 };

/* The descriptor (-1: none) goes with the first byte. */
static bool send_all(int to, const char *bytes, size_t size, int file)
{
    while (size) {
        struct iovec piece = {.iov_len = size};
        memcpy(&piece.iov_base, &bytes, sizeof bytes); /* it is only read */
        const ssize_t sent = ob_bytes_send(to, &piece, 1, file, 0);
        if (sent <= 0)
            return false;
        file = -1;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool socket_send_line(int to, const json_t *object, int file)
{
    char *text = ob_json_write(object, JSON_COMPACT);
    const bool sent = text && send_all(to, text, strlen(text), file) && send_all(to, "\n", 1, -1);
    free(text);
    return sent;
}

static void close_file(socket_incoming *in)
{
    if (in->file >= 0)
        close(in->file);
    in->file = -1;
}

static ssize_t receive(socket_incoming *in)
{
    int file = -1;
    if (ob_buf_reserve(&in->bytes, 1 << 16, NULL))
        return -1;
    struct iovec piece = {.iov_base = in->bytes.bytes + in->bytes.size, .iov_len = (1 << 16) - 1};
    ssize_t got = ob_bytes_receive(in->takes_file ? &file : NULL, in->from, &piece, 1, 0);
    in->is_crowded = (got < 0 && errno == EBADMSG) || (file >= 0 && in->file >= 0);
    if (file >= 0) {
        close_file(in);
        in->file = file;
    }
    if (in->is_crowded)
        return -1;
    if (got > 0)
        in->bytes.size += (size_t)got;
    return got;
}

json_t *socket_receive_line(socket_incoming *in)
{
    for (;;) {
        char *from = in->bytes.bytes ? in->bytes.bytes + in->used : NULL;
        size_t left = in->bytes.size - in->used;
        char *end = left ? memchr(from, '\n', left) : NULL;
        if (end) {
            json_t *object = json_loadb(from, (size_t)(end - from), JSON_REJECT_DUPLICATES, NULL);
            in->used += (size_t)(end - from) + 1;
            if (in->used == in->bytes.size)
                in->used = in->bytes.size = 0;
            return object;
        }
        if (left > REQUEST_MOST || receive(in) <= 0)
            return NULL;
    }
}

void socket_incoming_free(socket_incoming *in)
{
    close_file(in);
    close(in->from);
    ob_buf_free(&in->bytes);
}
