/* Any bytes as the head of a request that the front sends: texts that lie within it, or nothing. */
#include "channel.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const message *m, const char *text)
{
    if (text && (text < m->payload || text + strlen(text) >= m->payload + m->size))
        abort();
}

static void unpack(message *m, uint32_t body, uint32_t listener)
{
    ob_request request;
    ob_field fields[REQUEST_FIELDS];
    m->head.body = body;
    m->head.number = body;
    m->head.listener = listener;
    if (!channel_unpack_request(&request, fields, m))
        return;
    if (request.listener != listener || listener >= OB_LISTENERS)
        abort();
    check(m, request.method);
    check(m, request.path);
    check(m, request.authorization);
    check(m, request.content_type);
    check(m, request.idempotency_key);
    check(m, request.language);
    for (size_t i = 0; i < request.query_count; i++) {
        check(m, fields[i].name);
        check(m, fields[i].value);
    }
    (void)ob_request_token(&request);
}

/* Without a body behind it, and with one; over each listener, and some that there are not. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static message m;
    m.size = size < MESSAGE_MOST ? size : MESSAGE_MOST;
    memcpy(m.payload, bytes, m.size);
    m.payload[m.size] = '\0';
    const uint8_t last = m.size ? (uint8_t)m.payload[m.size - 1] : 0;
    unpack(&m, 0, last % (OB_LISTENERS + 2));
    if (m.size)
        unpack(&m, last, m.size % OB_LISTENERS);
    return 0;
}
