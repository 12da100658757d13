/* What front and core say to each other: the kinds of packets, heads of requests, memory files. */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What may wait for a side that does not read. Both ends have no more calls than connections, each
 * with two packets, most of them small. */
enum { WAITING_BYTES = 64 << 20, WAITING_PACKETS = 32768, WAITING_FILES = 4096 };

enum { U32 = sizeof(uint32_t), U64 = sizeof(uint64_t) };

static const ob_wire_kind kinds[MESSAGES] = {
    [MESSAGE_ASK] = {"ASK", CHANNEL_FRONT, 2 * U32 + U64, MESSAGE_MOST, OB_WIRE_NO_FILE},
    [MESSAGE_BODY] = {"BODY", CHANNEL_FRONT, 2 * U32 + U64, MESSAGE_MOST, OB_WIRE_MAY_HAVE_FILE},
    [MESSAGE_UNABLE] = {"UNABLE", CHANNEL_FRONT, U32, U32, OB_WIRE_NO_FILE},
    [MESSAGE_GONE] = {"GONE", CHANNEL_FRONT, 0, 0, OB_WIRE_NO_FILE},
    [MESSAGE_COUNTS] = {"COUNTS", CHANNEL_FRONT, OB_FRONT_COUNTS *U64, OB_FRONT_COUNTS *U64,
                        OB_WIRE_NO_FILE},
    [MESSAGE_LAYERS] = {"LAYERS", CHANNEL_FRONT, U32, U32, OB_WIRE_NO_FILE},
    [MESSAGE_LATE] = {"LATE", CHANNEL_FRONT, 0, 0, OB_WIRE_NO_FILE},
    [MESSAGE_TAKEN] = {"TAKEN", CHANNEL_FRONT, U64, U64, OB_WIRE_NO_FILE},
    [MESSAGE_PLAN] = {"PLAN", CHANNEL_CORE, U32 + U64, U32 + U64, OB_WIRE_NO_FILE},
    [MESSAGE_ANSWER] = {"ANSWER", CHANNEL_CORE, 7 * U32, MESSAGE_MOST, OB_WIRE_MAY_HAVE_FILE},
    [MESSAGE_PIECE] = {"PIECE", CHANNEL_CORE, 2 * U32, MESSAGE_MOST, OB_WIRE_NO_FILE},
};

const ob_wire_protocol channel_protocol = {
    .sides = {[CHANNEL_FRONT] = "front", [CHANNEL_CORE] = "core"},
    .kinds = kinds,
    .kind_count = MESSAGES,
    .waiting_bytes = WAITING_BYTES,
    .waiting_packets = WAITING_PACKETS,
    .waiting_files = WAITING_FILES,
};

/* ---- Heads of requests ----------------------------------------------------------------------- */

void channel_put_request(ob_packet *p, const ob_request *request, bool only_told)
{
    ob_put_u32(p, request->listener);
    ob_put_u32(p, only_told);
    ob_put_i64(p, request->content_length);
    ob_put_text(p, request->method);
    ob_put_text(p, request->path);
    ob_put_text(p, request->peer);
    for (int i = 0; i < OB_REQUEST_HEADERS; i++)
        ob_put_text(p, ob_request_header(request, ob_request_headers[i]));
}

/* Pairs end with a name that is NULL. */
void channel_put_field(ob_packet *p, const char *name, const char *value)
{
    ob_put_text(p, name);
    if (name)
        ob_put_text(p, value);
}

void channel_put_body(ob_packet *p, const void *body, size_t size)
{
    ob_put_tail(p, body, size);
}

bool channel_get_listener(ob_listener *out, bool *only_told, ob_packet *p)
{
    uint32_t listener, told;
    ob_get_u32(&listener, p);
    ob_get_u32(&told, p);
    *out = listener < OB_LISTENERS ? (ob_listener)listener : OB_LISTENER_SERVICES;
    *only_told = told == 1;
    return !p->failed && listener < OB_LISTENERS && told <= 1;
}

static void get_headers(asked *out, ob_packet *p)
{
    for (int i = 0; i < OB_REQUEST_HEADERS; i++) {
        ob_field *field = &out->headers[out->request.header_count];
        field->name = ob_request_headers[i];
        ob_get_text(&field->value, p);
        out->request.header_count += field->value != NULL;
    }
}

static bool get_pairs(size_t *count, ob_field fields[REQUEST_FIELDS], ob_packet *p)
{
    for (*count = 0;; (*count)++) {
        ob_field field;
        if (!ob_get_text(&field.name, p))
            return false;
        if (!field.name)
            return true;
        if (*count == REQUEST_FIELDS || !ob_get_text(&field.value, p) || !field.value)
            return false;
        fields[*count] = field;
    }
}

static bool is_text(const char *text)
{
    return ob_is_utf8(text, strlen(text));
}

static bool are_texts(const ob_request *r)
{
    bool are = is_text(r->path);
    for (size_t i = 0; i < r->query_count && are; i++)
        are = is_text(r->query[i].name) && is_text(r->query[i].value);
    return are;
}

/* What came with the head is all of the body. */
static bool get_body(asked *out, ob_packet *p)
{
    const void *body;
    size_t size;
    if (!ob_get_bytes(&body, &size, p) || (size && (int64_t)size != out->request.content_length))
        return false;
    out->body = size ? body : NULL;
    out->body_size = size;
    return true;
}

bool channel_get_request(asked *out, ob_packet *p)
{
    ob_request *r = &out->request;
    *r = (ob_request){.query = out->query, .cookies = out->cookies, .headers = out->headers};
    ob_get_again(p);
    if (!channel_get_listener(&r->listener, &out->only_told, p))
        return false;
    ob_get_i64(&r->content_length, p);
    ob_get_text(&r->method, p);
    ob_get_text(&r->path, p);
    ob_get_text(&r->peer, p);
    get_headers(out, p);
    return get_pairs(&r->cookie_count, out->cookies, p) &&
           get_pairs(&r->query_count, out->query, p) && get_body(out, p) && ob_get_end(p) &&
           r->method && r->path && r->peer && are_texts(r);
}

/* ---- Memory files ---------------------------------------------------------------------------- */

bool channel_seal(int file)
{
    return !fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

int channel_file(const void *bytes, size_t size)
{
    int file = memfd_create("obhut", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const char *from = bytes;
    while (file >= 0 && size) {
        ssize_t written = write(file, from, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            close(file);
            return -1;
        }
        from += written;
        size -= (size_t)written;
    }
    if (file >= 0 && !channel_seal(file)) {
        close(file);
        return -1;
    }
    return file;
}
