/* The fields of a packet, as they are put and got. */
#include <obhut/wire.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint32_t no_text = UINT32_MAX;

enum { FIRST_ROOM = 1024 }; /* of fields that are too many for the packet: most heads fit */

ob_packet ob_packet_of(uint32_t kind, uint64_t id)
{
    return (ob_packet){.kind = kind, .id = id, .file = -1};
}

static uint8_t *fields_of(ob_packet *p)
{
    return p->bytes ? p->bytes : p->small;
}

static const uint8_t *read_fields(const ob_packet *p)
{
    return p->bytes ? p->bytes : p->small;
}

static void wipe(void *bytes, size_t size)
{
    if (size)
        explicit_bzero(bytes, size);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void close_file(const ob_packet *p)
{
    if (p->file >= 0 && !p->is_lent)
        close(p->file);
}

void ob_packet_reset(ob_packet *p, uint32_t kind, uint64_t id)
{
    uint8_t *const bytes = p->capacity ? p->bytes : NULL;
    const size_t capacity = p->capacity;
    wipe(fields_of(p), p->size);
    close_file(p);
    *p = ob_packet_of(kind, id);
    p->bytes = bytes;
    p->capacity = capacity;
}

void ob_packet_free(ob_packet *p)
{
    wipe(fields_of(p), p->size);
    close_file(p);
    if (p->capacity)
        free(p->bytes);
    *p = ob_packet_of(p->kind, p->id);
}

size_t ob_packet_size(const ob_packet *p)
{
    return p->size + (p->has_tail ? sizeof(uint32_t) + p->tail_size : 0);
}

ob_packet *ob_packet_copy(const ob_packet *p)
{
    ob_packet *copy = malloc(sizeof *copy + ob_packet_size(p) + 1);
    const uint32_t tail = (uint32_t)p->tail_size;
    if (!copy)
        return NULL;
    *copy = ob_packet_of(p->kind, p->id);
    copy->bytes = (uint8_t *)(copy + 1);
    copy->size = ob_packet_size(p);
    copy->at = p->at;
    copy->failed = p->failed;
    memcpy(copy->bytes, read_fields(p), p->size);
    if (p->has_tail)
        memcpy(copy->bytes + p->size, &tail, sizeof tail);
    if (p->tail_size)
        memcpy(copy->bytes + p->size + sizeof tail, p->tail, p->tail_size);
    copy->bytes[copy->size] = '\0';
    return copy;
}

void ob_packet_drop(ob_packet *copy)
{
    if (copy)
        ob_packet_free(copy);
    free(copy);
}

/* ---- Putting --------------------------------------------------------------------------------- */

/* Fields move out of the packet when they are too many for it. */
static bool grow(ob_packet *p, size_t needed)
{
    size_t capacity = p->capacity ? p->capacity : (size_t)FIRST_ROOM;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *bytes = malloc(capacity);
    if (!bytes)
        return false;
    memcpy(bytes, fields_of(p), p->size);
    wipe(fields_of(p), p->size);
    if (p->capacity)
        free(p->bytes);
    p->bytes = bytes;
    p->capacity = capacity;
    return true;
}

static bool is_received(const ob_packet *p)
{
    return p->bytes && !p->capacity;
}

bool ob_packet_reserve(ob_packet *p, size_t size)
{
    const size_t room = p->bytes ? p->capacity : (size_t)OB_PACKET_SMALL;
    if (is_received(p) || p->has_tail || size > OB_PACKET_MOST - p->size)
        return false;
    return p->size + size <= room || grow(p, p->size + size);
}

static void put(ob_packet *p, const void *bytes, size_t size)
{
    if (p->failed || !ob_packet_reserve(p, size)) {
        p->failed = true;
        return;
    }
    if (size)
        memcpy(fields_of(p) + p->size, bytes, size);
    p->size += size;
}

void ob_put_u32(ob_packet *p, uint32_t number)
{
    put(p, &number, sizeof number);
}

void ob_put_u64(ob_packet *p, uint64_t number)
{
    put(p, &number, sizeof number);
}

void ob_put_i64(ob_packet *p, int64_t number)
{
    put(p, &number, sizeof number);
}

void ob_put_text(ob_packet *p, const char *text)
{
    const size_t length = text ? strlen(text) : 0;
    if (length > OB_PACKET_MOST) {
        p->failed = true;
        return;
    }
    ob_put_u32(p, text ? (uint32_t)length : no_text);
    if (text)
        put(p, text, length + 1);
}

void ob_put_bytes(ob_packet *p, const void *bytes, size_t size)
{
    if (size > OB_PACKET_MOST) {
        p->failed = true;
        return;
    }
    ob_put_u32(p, (uint32_t)size);
    put(p, bytes, size);
}

void ob_put_tail(ob_packet *p, const void *bytes, size_t size)
{
    const size_t room = OB_PACKET_MOST - sizeof(uint32_t) - p->size;
    if (is_received(p) || p->size > OB_PACKET_MOST - sizeof(uint32_t) || size > room) {
        p->failed = true;
        return;
    }
    p->tail = bytes;
    p->tail_size = size;
    p->has_tail = true;
}

/* ---- Getting --------------------------------------------------------------------------------- */

/* The next bytes, or NULL. */
static const uint8_t *take(ob_packet *p, size_t size)
{
    if (p->failed || size > p->size - p->at) {
        p->failed = true;
        return NULL;
    }
    p->at += size;
    return read_fields(p) + p->at - size;
}

static bool get(void *out, size_t size, ob_packet *p)
{
    const uint8_t *from = take(p, size);
    if (from)
        memcpy(out, from, size);
    else
        memset(out, 0, size);
    return from != NULL;
}

bool ob_get_u32(uint32_t *out, ob_packet *p)
{
    return get(out, sizeof *out, p);
}

bool ob_get_u64(uint64_t *out, ob_packet *p)
{
    return get(out, sizeof *out, p);
}

bool ob_get_i64(int64_t *out, ob_packet *p)
{
    return get(out, sizeof *out, p);
}

bool ob_get_text(const char **out, ob_packet *p)
{
    uint32_t length;
    *out = NULL;
    if (!ob_get_u32(&length, p) || length == no_text)
        return !p->failed;
    const uint8_t *text = length < OB_PACKET_MOST ? take(p, (size_t)length + 1) : NULL;
    if (!text || memchr(text, '\0', (size_t)length + 1) != text + length) {
        p->failed = true;
        return false;
    }
    *out = (const char *)text;
    return true;
}

bool ob_get_bytes(const void **out, size_t *size, ob_packet *p)
{
    uint32_t length;
    *out = NULL;
    *size = 0;
    const uint8_t *bytes = ob_get_u32(&length, p) ? take(p, length) : NULL;
    if (!bytes)
        return false;
    *out = bytes;
    *size = length;
    return true;
}

bool ob_get_block(void *out, size_t size, ob_packet *p)
{
    const void *bytes;
    size_t length;
    if (ob_get_bytes(&bytes, &length, p) && length != size)
        p->failed = true;
    if (p->failed)
        memset(out, 0, size);
    else
        memcpy(out, bytes, size);
    return !p->failed;
}

bool ob_get_end(const ob_packet *p)
{
    return !p->failed && p->at == p->size;
}

void ob_get_again(ob_packet *p)
{
    p->at = 0;
    p->failed = false;
}
