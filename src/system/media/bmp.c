/* BMP: uncompressed pixels of 1 to 32 bits, and runs of 4 and 8 bits (Microsoft, "Bitmap Storage").
 * There is no library for it in Debian that is maintained for files from strangers; every read here
 * is checked against the end of the file. */
#include "bmp_priv.h"

#include <stdlib.h>
#include <string.h>

enum { RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 6 }; /* kinds of compression */
enum { FILE_HEADER = 14, CORE = 12, INFO = 40, WITH_ALPHA = 56 };

typedef struct bitmap {
    const uint8_t *bytes;
    size_t size, at; /* of pixels */
    uint32_t width, height, bits, compression;
    bool top_down, has_alpha, is_icon;
    uint32_t mask[4];
    uint8_t colour[256][3];
    uint32_t colours;
    uint8_t *rgba;
    uint32_t there; /* rows that the file has, in its order */
} bitmap;

static uint32_t little16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t little32(const uint8_t *p)
{
    return little16(p) | little16(p + 2) << 16;
}

/* ---- Header -----------------------------------------------------------------------------------
 */

static void take_size(bitmap *b, uint32_t header)
{
    const uint8_t *h = b->bytes;
    if (header == CORE) {
        b->width = little16(h + 4);
        b->height = little16(h + 6);
        b->bits = little16(h + 10);
        return;
    }
    const int32_t width = (int32_t)little32(h + 4), height = (int32_t)little32(h + 8);
    b->top_down = height < 0;
    b->width = width < 0 ? 0 : (uint32_t)width;
    b->height = height < 0 ? 0 - (uint32_t)height : (uint32_t)height;
    b->bits = little16(h + 14);
    b->compression = header >= 20 ? little32(h + 16) : RGB;
}

static bool is_known(const bitmap *b)
{
    switch (b->compression) {
    case RGB:
        return b->bits == 1 || b->bits == 2 || b->bits == 4 || b->bits == 8 || b->bits == 16 ||
               b->bits == 24 || b->bits == 32;
    case RLE8:
        return b->bits == 8 && !b->top_down;
    case RLE4:
        return b->bits == 4 && !b->top_down;
    case BITFIELDS:
    case ALPHA_BITFIELDS:
        return b->bits == 16 || b->bits == 32;
    default:
        return false;
    }
}

/* Which bits of a pixel are red, green, blue and alpha; returns the bytes that follow the header.
 */
static uint32_t take_masks(bitmap *b, uint32_t header)
{
    static const uint32_t of16[4] = {0x7C00, 0x03E0, 0x001F, 0};
    static const uint32_t of32[4] = {0xFF0000, 0x00FF00, 0x0000FF, 0};
    const bool given = b->compression == BITFIELDS || b->compression == ALPHA_BITFIELDS;
    const unsigned count = header >= WITH_ALPHA || b->compression == ALPHA_BITFIELDS ? 4 : 3;
    memcpy(b->mask, b->bits == 16 ? of16 : of32, sizeof b->mask);
    if (!given && b->is_icon && b->bits == 32)
        b->mask[3] = 0xFF000000;
    for (unsigned i = 0; given && i < count && INFO + 4 * (i + 1) <= b->size; i++)
        b->mask[i] = little32(b->bytes + INFO + 4 * (size_t)i);
    b->has_alpha = b->mask[3];
    return given && header == INFO ? 4 * count : 0;
}

static uint32_t take_colours(bitmap *b, uint32_t header, size_t at)
{
    const unsigned entry = header == CORE ? 3 : 4;
    const uint32_t told = header >= 36 ? little32(b->bytes + 32) : 0;
    if (b->bits > 8)
        return told < 65536 ? told * entry : 0;
    b->colours = told && told < 1u << b->bits ? told : 1u << b->bits;
    for (uint32_t i = 0; i < b->colours && at + entry <= b->size; i++, at += entry) {
        b->colour[i][0] = b->bytes[at + 2];
        b->colour[i][1] = b->bytes[at + 1];
        b->colour[i][2] = b->bytes[at];
    }
    return (told ? told : b->colours) * entry;
}

static ob_status take_header(bitmap *b, size_t pixels_at, ob_media_fault *fault)
{
    const uint32_t header = b->size >= INFO ? little32(b->bytes) : 0;
    if (header != CORE && (header < 16 || header > 124 || header > b->size))
        return media_fail(fault, OB_MEDIA_KIND);
    take_size(b, header);
    if (b->is_icon)
        b->height /= 2;
    ob_status status = media_check_size(b->width, b->height, fault);
    if (!status && !is_known(b))
        status = media_fail(fault, OB_MEDIA_UNSUPPORTED);
    if (!status)
        status = media_check_memory((uint64_t)b->width * b->height * 4, fault);
    if (status)
        return status;
    size_t at = header + take_masks(b, header);
    at += take_colours(b, header, at);
    b->at = pixels_at && pixels_at <= b->size ? pixels_at : at;
    return OB_OK;
}

/* ---- Pixels -----------------------------------------------------------------------------------
 */

/* Row `number` of those in the file, as it is shown. */
static uint8_t *row_of(const bitmap *b, uint32_t number)
{
    const uint32_t y = b->top_down ? number : b->height - 1 - number;
    return b->rgba + (size_t)y * b->width * 4;
}

static void set_colour(const bitmap *b, uint8_t *to, unsigned index)
{
    memcpy(to, b->colour[index], 3); /* black beyond the table */
    to[3] = 255;
}

/* The bits under a mask as 8 of them. */
static uint8_t part(uint32_t pixel, uint32_t mask)
{
    if (!mask)
        return 0;
    const unsigned shift = (unsigned)__builtin_ctz(mask);
    const uint64_t most = mask >> shift;
    return (uint8_t)(((uint64_t)((pixel & mask) >> shift) * 255 + most / 2) / most);
}

static void set_masked(const bitmap *b, uint8_t *to, uint32_t pixel)
{
    for (int c = 0; c < 3; c++)
        to[c] = part(pixel, b->mask[c]);
    to[3] = b->has_alpha ? part(pixel, b->mask[3]) : 255;
}

static void read_row(const bitmap *b, uint8_t *to, const uint8_t *from)
{
    const uint32_t bits = b->bits;
    for (uint32_t x = 0; x < b->width; x++, to += 4) {
        if (bits <= 8) {
            const uint64_t bit = (uint64_t)x * bits;
            const unsigned shift = 8 - bits - (unsigned)(bit & 7);
            set_colour(b, to, from[bit >> 3] >> shift & ((1u << bits) - 1));
        } else if (bits == 24) {
            to[0] = from[3 * (size_t)x + 2];
            to[1] = from[3 * (size_t)x + 1];
            to[2] = from[3 * (size_t)x];
            to[3] = 255;
        } else {
            set_masked(b, to,
                       bits == 16 ? little16(from + 2 * (size_t)x)
                                  : little32(from + 4 * (size_t)x));
        }
    }
}

static void read_rows(bitmap *b)
{
    const uint64_t pitch = ((uint64_t)b->width * b->bits + 31) / 32 * 4;
    for (; b->there < b->height && b->size - b->at >= pitch; b->there++, b->at += (size_t)pitch)
        read_row(b, row_of(b, b->there), b->bytes + b->at);
}

/* Runs: pairs of a count and a colour; a count of zero is a command. */
typedef struct run {
    uint32_t x, y;
    bool ended;
} run;

static void put(const bitmap *b, run *r, unsigned index)
{
    if (r->x < b->width && r->y < b->height)
        set_colour(b, row_of(b, r->y) + 4 * (size_t)r->x, index);
    if (r->x < b->width)
        r->x++;
}

static unsigned nibble(const bitmap *b, const uint8_t *p, unsigned i)
{
    return b->bits == 8 ? p[i] : i & 1 ? p[i >> 1] & 15u : p[i >> 1] >> 4;
}

/* Pixels one by one, filled up to an even number of bytes. */
static void read_literal(bitmap *b, run *r, unsigned count)
{
    const size_t bytes = b->bits == 8 ? count : (count + 1) / 2;
    if (b->size - b->at < bytes) {
        r->ended = true;
        return;
    }
    for (unsigned i = 0; i < count; i++)
        put(b, r, nibble(b, b->bytes + b->at, i));
    b->at += bytes;
    if (bytes & 1 && b->at < b->size)
        b->at++;
}

static void obey(bitmap *b, run *r, unsigned command)
{
    switch (command) {
    case 0:
        r->x = 0;
        r->y++;
        break;
    case 1:
        r->ended = true;
        r->y = b->height;
        break;
    case 2:
        r->ended = b->size - b->at < 2;
        if (!r->ended) {
            r->x += b->bytes[b->at];
            r->y += b->bytes[b->at + 1];
            b->at += 2;
        }
        break;
    default:
        read_literal(b, r, command);
    }
}

static void read_runs(bitmap *b)
{
    run r = {0};
    while (!r.ended && r.y < b->height && b->size - b->at >= 2) {
        const unsigned count = b->bytes[b->at];
        const uint8_t *value = b->bytes + b->at + 1;
        b->at += 2;
        if (!count) {
            obey(b, &r, *value);
            continue;
        }
        for (unsigned i = 0; i < count; i++)
            put(b, &r, b->bits == 8 ? *value : i & 1 ? *value & 15u : *value >> 4);
    }
    b->there = r.y < b->height ? r.y : b->height;
    if (r.y + 1 == b->height && r.x == b->width)
        b->there = b->height;
}

/* ---- Alpha ------------------------------------------------------------------------------------
 */

/* Where no pixel has any alpha, the field was left empty. */
static void fill_empty_alpha(bitmap *b)
{
    const size_t pixels = (size_t)b->width * b->height;
    for (size_t k = 0; k < pixels; k++)
        if (b->rgba[4 * k + 3])
            return;
    for (size_t k = 0; k < pixels; k++)
        b->rgba[4 * k + 3] = 255;
    b->has_alpha = false;
}

/* The mask of an icon: a set bit is transparent. */
static void read_mask(bitmap *b)
{
    const size_t pitch = ((size_t)b->width + 31) / 32 * 4;
    for (uint32_t y = 0; y < b->height && b->size - b->at >= pitch; y++, b->at += pitch)
        for (uint32_t x = 0; x < b->width; x++)
            if (b->bytes[b->at + x / 8] >> (7 - x % 8) & 1)
                row_of(b, y)[4 * (size_t)x + 3] = 0;
}

/* Rows that are missing look like the last that is there, and nobody sees them. */
static void fill_missing(bitmap *b)
{
    const uint8_t *last = row_of(b, b->there - 1);
    for (uint32_t i = b->there; i < b->height; i++) {
        uint8_t *to = row_of(b, i);
        memcpy(to, last, (size_t)b->width * 4);
        for (uint32_t x = 0; x < b->width; x++)
            to[4 * (size_t)x + 3] = 0;
    }
}

static ob_status decode(bitmap *b, const media_sink *sink, ob_media_fault *fault)
{
    if (b->compression == RLE8 || b->compression == RLE4)
        read_runs(b);
    else
        read_rows(b);
    if (!b->there || !media_is_enough(b->there, b->height))
        return media_fail_at(fault, OB_MEDIA_CUT_AT_ROW, b->there, b->height);
    if (b->has_alpha)
        fill_empty_alpha(b);
    if (b->is_icon && !b->has_alpha)
        read_mask(b);
    if (b->there < b->height) {
        sink->facts->incomplete = true;
        fill_missing(b);
    }
    return media_deliver(sink, b->rgba, (size_t)b->width * 4, b->width, b->height, MEDIA_ALPHA, 0,
                         fault);
}

ob_status bmp_decode(const media_sink *sink, const uint8_t *bytes, size_t size, size_t pixels_at,
                     bool is_icon, ob_media_fault *fault)
{
    bitmap *b = calloc(1, sizeof *b);
    if (!b)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    b->bytes = bytes;
    b->size = size;
    b->is_icon = is_icon;
    ob_status status = take_header(b, pixels_at, fault);
    if (!status && b->at > b->size)
        status = media_fail(fault, OB_MEDIA_CUT_EARLY);
    if (!status && !(b->rgba = calloc((size_t)b->width * b->height, 4)))
        status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    if (!status)
        status = decode(b, sink, fault);
    free(b->rgba);
    free(b);
    return status;
}

ob_status media_decode_bmp(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault)
{
    (void)wish;
    if (size < FILE_HEADER + CORE)
        return media_fail(fault, OB_MEDIA_CUT_EARLY);
    const size_t at = little32(bytes + 10);
    return bmp_decode(sink, bytes + FILE_HEADER, size - FILE_HEADER,
                      at > FILE_HEADER ? at - FILE_HEADER : 0, false, fault);
}
