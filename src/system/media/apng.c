/* Moving PNG (PNG, third edition, "Animation information"): each frame becomes a PNG of its own,
 * which libpng decodes, and is drawn onto the ones before it. */
#include "png_priv.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 8, CHUNK = 12, CONTROL = 26 }; /* signature; length, name and check sum; fcTL */
enum { CLEAR = 1, RESTORE = 2 };             /* what becomes of a frame when it has been shown */

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- Chunks -----------------------------------------------------------------------------------
 */

typedef struct chunk {
    const uint8_t *at; /* its length, its name, then */
    const uint8_t *data;
    uint32_t size;
} chunk;

/* The chunk at *at, which becomes the next one's place; false where there is no whole one. */
static bool next_chunk(chunk *out, size_t *at, const uint8_t *bytes, size_t size)
{
    if (*at > size || size - *at < CHUNK)
        return false;
    const uint32_t length = big32(bytes + *at);
    if (length > size - *at - CHUNK)
        return false;
    *out = (chunk){bytes + *at, bytes + *at + 8, length};
    *at += CHUNK + (size_t)length;
    return true;
}

static bool is_called(const chunk *c, const char *name)
{
    return !memcmp(c->at + 4, name, 4);
}

png_outline png_outline_of(const uint8_t *bytes, size_t size)
{
    enum { PQ = 16, HLG = 18 }; /* ITU-T H.273 */
    png_outline o = {.is_cut = true};
    bool has_pixels = false;
    size_t at = HEAD;
    for (chunk c; next_chunk(&c, &at, bytes, size);) {
        has_pixels |= is_called(&c, "IDAT");
        if (is_called(&c, "acTL") && !has_pixels)
            o.moves = true;
        if (is_called(&c, "cICP") && c.size >= 4 && !has_pixels)
            o.is_hdr = c.data[1] == PQ || c.data[1] == HLG;
        if (is_called(&c, "IEND") || (has_pixels && !is_called(&c, "IDAT") && !o.moves)) {
            o.is_cut = false;
            break;
        }
    }
    return o;
}

/* ---- Frames -----------------------------------------------------------------------------------
 */

typedef struct control {
    uint32_t width, height, x, y;
    uint8_t dispose, blend;
} control;

static bool take_control(control *out, const chunk *c, uint32_t width, uint32_t height)
{
    if (c->size < CONTROL)
        return false;
    *out = (control){.width = big32(c->data + 4),
                     .height = big32(c->data + 8),
                     .x = big32(c->data + 12),
                     .y = big32(c->data + 16),
                     .dispose = c->data[24],
                     .blend = c->data[25]};
    return out->width && out->height && out->width <= width && out->height <= height &&
           out->x <= width - out->width && out->y <= height - out->height;
}

typedef struct movie {
    const media_sink *sink;
    ob_media_fault *fault;
    uint32_t width, height;
    uint8_t *canvas, *before, *pixels; /* RGBA; `pixels` are the frame's own */
    ob_buf head;                       /* what all frames share, of a PNG file */
    ob_buf file;                       /* the next frame as a file */
    control control;
    bool has_frame; /* a control was read, and its pixels may have been */
    uint32_t drawn; /* frames */
    uint32_t first; /* number of the first of them */
    uint64_t pixels_drawn;
    ob_status status;
} movie;

static void append(movie *m, ob_buf *to, const void *bytes, size_t size)
{
    if (!m->status && ob_buf_append(to, bytes, size, NULL))
        m->status = media_fail(m->fault, OB_MEDIA_NO_MEMORY);
}

/* As pixels of the frame's own file; nobody looks at the check sum. */
static void append_pixels(movie *m, const uint8_t *data, uint32_t size)
{
    const uint8_t head[8] = {(uint8_t)(size >> 24),
                             (uint8_t)(size >> 16),
                             (uint8_t)(size >> 8),
                             (uint8_t)size,
                             'I',
                             'D',
                             'A',
                             'T'};
    append(m, &m->file, head, sizeof head);
    append(m, &m->file, data, size);
    append(m, &m->file, "\0\0\0\0", 4);
}

/* Straight alpha over straight alpha. */
static void blend_pixel(uint8_t *to, const uint8_t *from)
{
    const unsigned a = from[3], below = to[3] * (255 - a), all = 255 * a + below;
    if (!all)
        return;
    for (int c = 0; c < 3; c++)
        to[c] = (uint8_t)((from[c] * 255 * a + to[c] * below + all / 2) / all);
    to[3] = (uint8_t)((all + 127) / 255);
}

static void draw(const movie *m)
{
    const control *f = &m->control;
    for (uint32_t y = 0; y < f->height; y++) {
        uint8_t *to = m->canvas + ((size_t)(f->y + y) * m->width + f->x) * 4;
        const uint8_t *from = m->pixels + (size_t)y * f->width * 4;
        if (f->blend)
            for (uint32_t x = 0; x < f->width; x++)
                blend_pixel(to + 4 * (size_t)x, from + 4 * (size_t)x);
        else
            memcpy(to, from, (size_t)f->width * 4);
    }
}

static void dispose(const movie *m)
{
    const control *f = &m->control;
    const size_t row = (size_t)m->width * 4;
    if (f->dispose == RESTORE && m->drawn > 1)
        memcpy(m->canvas, m->before, row * m->height);
    else if (f->dispose == CLEAR || f->dispose == RESTORE)
        for (uint32_t y = 0; y < f->height; y++)
            memset(m->canvas + (f->y + y) * row + (size_t)f->x * 4, 0, (size_t)f->width * 4);
}

/* The frame whose pixels were gathered. One that is damaged ends the movie, as in browsers. */
static bool finish_frame(movie *m)
{
    if (!m->has_frame || !m->file.size || m->status)
        return !m->status;
    m->has_frame = false;
    m->pixels_drawn += (uint64_t)m->width * m->height;
    if (m->first + m->drawn >= OB_MEDIA_MAX_FRAMES || m->pixels_drawn > OB_MEDIA_MAX_PIXELS) {
        m->sink->facts->unseen = OB_UNSEEN_FRAMES;
        return false;
    }
    if (png_read_rgba(m->pixels, m->control.width, m->control.height,
                      (const uint8_t *)m->file.bytes, m->file.size, m->fault)) {
        m->sink->facts->incomplete = true;
        return false;
    }
    if (m->control.dispose == RESTORE)
        memcpy(m->before, m->canvas, (size_t)m->width * m->height * 4);
    draw(m);
    m->status = media_deliver(m->sink, m->canvas, (size_t)m->width * 4, m->width, m->height,
                              MEDIA_ALPHA, m->first + m->drawn++, m->fault);
    dispose(m);
    return !m->status;
}

/* A new frame begins: its file has the size that its control tells. */
static bool begin_frame(movie *m, const chunk *c)
{
    if (!take_control(&m->control, c, m->width, m->height)) {
        m->sink->facts->incomplete = true;
        return false;
    }
    m->has_frame = true;
    m->file.size = 0;
    return true;
}

static void begin_pixels(movie *m)
{
    if (m->file.size)
        return;
    append(m, &m->file, m->head.bytes, m->head.size);
    if (!m->status) {
        uint8_t *size = (uint8_t *)m->file.bytes + HEAD + 8;
        for (int i = 0; i < 4; i++) {
            size[i] = (uint8_t)(m->control.width >> (24 - 8 * i));
            size[4 + i] = (uint8_t)(m->control.height >> (24 - 8 * i));
        }
    }
}

/* False: nothing more is to be looked at. */
static bool take_chunk(movie *m, const chunk *c, bool *has_pixels)
{
    if (is_called(c, "fcTL")) {
        if (!finish_frame(m))
            return false;
        if (!*has_pixels)
            m->first = 0; /* the picture that all decoders know is the first frame */
        return begin_frame(m, c);
    }
    const bool is_first = is_called(c, "IDAT"), is_later = is_called(c, "fdAT") && c->size >= 4;
    *has_pixels |= is_first;
    if (m->has_frame && (is_first || is_later)) {
        begin_pixels(m);
        append_pixels(m, c->data + (is_later ? 4 : 0), c->size - (is_later ? 4 : 0));
    } else if (!*has_pixels && !is_called(c, "acTL")) {
        append(m, &m->head, c->at, (size_t)c->size + CHUNK);
    }
    return !m->status && !is_called(c, "IEND");
}

static void free_movie(movie *m)
{
    ob_buf_free(&m->head);
    ob_buf_free(&m->file);
    free(m->canvas);
    free(m->before);
    free(m->pixels);
}

ob_status png_deliver_moving(const media_sink *sink, const uint8_t *bytes, size_t size,
                             ob_media_fault *fault)
{
    movie m = {.sink = sink, .fault = fault, .first = 1}; /* 0 is a picture that is never shown */
    m.width = big32(bytes + HEAD + 8);
    m.height = big32(bytes + HEAD + 12);
    const uint64_t room = (uint64_t)m.width * m.height * 4;
    ob_status status = media_check_memory(room * 3, fault);
    if (status)
        return status;
    m.canvas = calloc(1, room);
    m.before = malloc(room);
    m.pixels = malloc(room);
    if (!m.canvas || !m.before || !m.pixels)
        m.status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    append(&m, &m.head, bytes, HEAD);
    bool has_pixels = false, goes_on = true;
    size_t at = HEAD;
    chunk c;
    while (goes_on && !m.status && (goes_on = next_chunk(&c, &at, bytes, size)))
        goes_on = take_chunk(&m, &c, &has_pixels);
    if (!m.status)
        finish_frame(&m);
    if (m.first + m.drawn > 1)
        sink->facts->frames = m.first + m.drawn;
    status = m.status;
    free_movie(&m);
    return status;
}
