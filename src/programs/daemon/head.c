/* What of a request's head the core is told. */
#include "front.h"

static enum MHD_Result put_pair(void *context, enum MHD_ValueKind kind, const char *key,
                                size_t key_size, const char *value, size_t value_size)
{
    (void)value_size;
    if (key_size || kind != MHD_COOKIE_KIND) /* of an empty field the library makes a cookie */
        channel_put_field(context, key, value ? value : "");
    return MHD_YES;
}

static void put_pairs(ob_packet *p, const exchange *x, enum MHD_ValueKind kind)
{
    MHD_get_connection_values_n(x->connection, kind, put_pair, p);
    channel_put_field(p, NULL, NULL);
}

bool head_put(exchange *x, const char *method, const char *path)
{
    ob_packet *p = &x->head;
    ob_field headers[OB_REQUEST_HEADERS];
    ob_request request = {.listener = x->visitor->door->listener,
                          .method = method,
                          .path = path,
                          .peer = x->visitor->address,
                          .headers = headers,
                          .content_length = x->length};
    for (int i = 0; i < OB_REQUEST_HEADERS; i++) {
        const char *value = exchange_header(x, ob_request_headers[i]);
        if (value)
            headers[request.header_count++] = (ob_field){ob_request_headers[i], value};
    }
    channel_put_request(p, &request, x->only_told);
    put_pairs(p, x, MHD_COOKIE_KIND);
    put_pairs(p, x, MHD_GET_ARGUMENT_KIND);
    channel_put_body(p, NULL, 0);
    return !p->failed && ob_packet_size(p) <= MESSAGE_MOST;
}
