/* What front and core say to each other: the kinds of packets, heads of requests, memory files. */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
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
    [MESSAGE_PLAN] = {"PLAN", CHANNEL_CORE, U32 + U64, U32 + U64, OB_WIRE_NO_FILE},
    [MESSAGE_ANSWER] = {"ANSWER", CHANNEL_CORE, 5 * U32, MESSAGE_MOST, OB_WIRE_MAY_HAVE_FILE},
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
    ob_put_text(p, request->authorization);
    ob_put_text(p, request->content_type);
    ob_put_text(p, request->idempotency_key);
    ob_put_text(p, request->language);
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

static bool get_query(asked *out, ob_packet *p)
{
    for (size_t i = 0;; i++) {
        ob_field field;
        if (!ob_get_text(&field.name, p))
            return false;
        if (!field.name)
            return true;
        if (i == REQUEST_FIELDS || !ob_get_text(&field.value, p) || !field.value)
            return false;
        out->query[i] = field;
        out->request.query_count = i + 1;
    }
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
    *r = (ob_request){.query = out->query};
    ob_get_again(p);
    if (!channel_get_listener(&r->listener, &out->only_told, p))
        return false;
    ob_get_i64(&r->content_length, p);
    ob_get_text(&r->method, p);
    ob_get_text(&r->path, p);
    ob_get_text(&r->authorization, p);
    ob_get_text(&r->content_type, p);
    ob_get_text(&r->idempotency_key, p);
    ob_get_text(&r->language, p);
    return get_query(out, p) && get_body(out, p) && ob_get_end(p) && r->method && r->path;
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
