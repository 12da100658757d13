/* Bytes that grow. */
#include <obhut/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ob_status ob_buf_reserve(ob_buf *buf, size_t more, ob_error *err)
{
    if (more >= SIZE_MAX / 2 - buf->size)
        return ob_fail(err, OB_ENOMEM, "out of memory: a buffer of %zu + %zu bytes", buf->size,
                       more);
    size_t needed = buf->size + more + 1;
    if (needed <= buf->capacity)
        return OB_OK;
    size_t capacity = buf->capacity ? buf->capacity : 256;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = realloc(buf->bytes, capacity);
    if (!bytes)
        return ob_fail(err, OB_ENOMEM, "out of memory: a buffer of %zu bytes", capacity);
    buf->bytes = bytes;
    buf->capacity = capacity;
    return OB_OK;
}

ob_status ob_buf_append(ob_buf *buf, const void *bytes, size_t size, ob_error *err)
{
    ob_status status = ob_buf_reserve(buf, size, err);
    if (status)
        return status;
    if (size)
        memcpy(buf->bytes + buf->size, bytes, size);
    buf->size += size;
    buf->bytes[buf->size] = '\0';
    return OB_OK;
}

/* Into the room that there is; where that is too small, once more into enough. */
ob_status ob_buf_printf(ob_buf *buf, ob_error *err, const char *format, ...)
{
    for (;;) {
        const size_t room = buf->capacity - buf->size;
        va_list args;
        va_start(args, format);
        int length = vsnprintf(room ? buf->bytes + buf->size : NULL, room, format, args);
        va_end(args);
        if (length < 0)
            return ob_fail(err, OB_EINVAL, "text that cannot be formatted");
        if ((size_t)length < room) {
            buf->size += (size_t)length;
            return OB_OK;
        }
        if (room)
            buf->bytes[buf->size] = '\0';
        ob_status status = ob_buf_reserve(buf, (size_t)length, err);
        if (status)
            return status;
    }
}

void ob_buf_free(ob_buf *buf)
{
    free(buf->bytes);
    *buf = (ob_buf){0};
}
