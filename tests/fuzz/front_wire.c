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

static void unpack(message *m, uint64_t body)
{
    ob_request request;
    ob_field fields[REQUEST_FIELDS];
    m->head.body = body;
    m->head.number = (int64_t)body;
    if (!channel_unpack_request(&request, fields, m))
        return;
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

/* Without a body behind it, and with one. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static message m;
    m.size = size < MESSAGE_MOST ? size : MESSAGE_MOST;
    memcpy(m.payload, bytes, m.size);
    m.payload[m.size] = '\0';
    unpack(&m, 0);
    if (m.size)
        unpack(&m, (uint8_t)m.payload[m.size - 1]);
    return 0;
}
