/* Any bytes as the head of a request that the front sends: texts that lie within it, or nothing. */
#include "channel.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const ob_packet *p, const char *text)
{
    const char *const begin = (const char *)p->bytes;
    if (text && (text < begin || text + strlen(text) >= begin + p->size))
        abort();
}

static void check_all(const ob_packet *p, const ob_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(p, fields[i].name);
        check(p, fields[i].value);
    }
}

static void unpack(ob_packet *p)
{
    asked a;
    ob_listener listener;
    bool only_told;
    const bool over = channel_get_listener(&listener, &only_told, p);
    if (!channel_get_request(&a, p))
        return;
    if (!over || a.request.listener != listener || listener >= OB_LISTENERS)
        abort();
    if (a.body && (a.body_size != (uint64_t)a.request.content_length ||
                   a.body + a.body_size != (const char *)p->bytes + p->size))
        abort();
    check(p, a.request.method);
    check(p, a.request.path);
    check(p, a.request.peer);
    if (!ob_is_utf8(a.request.path, strlen(a.request.path)))
        abort();
    for (size_t i = 0; i < a.request.header_count; i++)
        check(p, a.request.headers[i].value);
    check_all(p, a.request.cookies, a.request.cookie_count);
    check_all(p, a.request.query, a.request.query_count);
    (void)ob_request_token(&a.request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_packet p = ob_packet_of(MESSAGE_ASK, 1);
    uint8_t *copy = malloc(size + 1); /* so that a read beyond it is found out */
    if (!copy || size > MESSAGE_MOST) {
        free(copy);
        return -1;
    }
    memcpy(copy, bytes, size);
    p.bytes = copy;
    p.size = size;
    unpack(&p);
    free(copy);
    return 0;
}
