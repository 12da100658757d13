/* Bytes that a reader gets in pieces of at most `step`: what several tests feed. */
#ifndef OBHUT_TEST_SOURCE_H
#define OBHUT_TEST_SOURCE_H

#include <obhut/base.h>

#include <string.h>

typedef struct source {
    const void *bytes;
    size_t size, at, step;
} source;

static inline ob_status get(void *context, void *bytes, size_t capacity, size_t *size,
                            ob_error *err)
{
    source *s = context;
    size_t left = s->size - s->at;
    (void)err;
    *size = left < capacity ? left : capacity;
    *size = *size < s->step ? *size : s->step;
    memcpy(bytes, (const char *)s->bytes + s->at, *size);
    s->at += *size;
    return OB_OK;
}

#endif
