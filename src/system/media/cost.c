/* What a file is likely to cost, from its head: a few reads, no decoding, nothing allocated. A file
 * can lie here as long as it is paid for by what it took. Offsets are those of each format's own
 * description. */
#include "media_priv.h"

#include <string.h>

enum {
    WINDOW = 4096,      /* of one further read */
    READS_MOST = 1024,  /* of one file */
    STEPS_MOST = 512,   /* segments, chunks or pages that are walked */
    GIF_WINDOW = 16384, /* the same of a GIF, which has to be walked in small steps */
    WINDOWS_MOST = 512, /* of it */
    HEIF_MOST = 16384,  /* where sizes of a HEIF are looked for */
    ICONS_MOST = 64,
    BYTES_A_US = 50,      /* of any file: digests, and taking apart what is packed */
    WORTH_BYTES_A_US = 5, /* of one that costs what its bytes lead one to expect */
    WORTH_US = 200000,    /* and that much for any */
};

/* Nanoseconds a pixel: about the worst of each, measured (docs/PERFORMANCE.md). */
enum {
    NS_JPEG = 5,
    NS_PROGRESSIVE = 20,
    NS_PNG = 10,
    NS_WEBP = 15,
    NS_GIF = 25,
    NS_TIFF = 25,
    NS_HEIF = 40
};

typedef struct source {
    ob_media_read read;
    void *context;
    uint64_t size;
    unsigned reads;
} source;

static bool fetch(source *from, void *out, size_t size, uint64_t at)
{
    return at < from->size && size <= from->size - at && from->reads++ < READS_MOST &&
           from->read(from->context, out, size, at) == size;
}

/* As much as there is. */
static size_t fetch_some(source *from, void *out, size_t size, uint64_t at)
{
    const uint64_t left = at < from->size ? from->size - at : 0;
    size = size < left ? size : (size_t)left;
    return fetch(from, out, size, at) ? size : 0;
}

static uint32_t big16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t big32(const uint8_t *p)
{
    return big16(p) << 16 | big16(p + 2);
}

static uint32_t little16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t little24(const uint8_t *p)
{
    return little16(p) | (uint32_t)p[2] << 16;
}

static uint32_t little32(const uint8_t *p)
{
    return little16(p) | little16(p + 2) << 16;
}

/* Never more than is decoded at all. */
static uint64_t pixels(uint64_t width, uint64_t height, uint64_t times)
{
    const uint64_t one = width * height, most = OB_MEDIA_MAX_PIXELS;
    if (!one || one >= most)
        return one ? most : 0;
    return times > most / one ? most + one : one * times; /* the last frame may go beyond */
}

/* ---- Formats; each says nanoseconds, or 0 where the head says no size --------------------------
 */

/* ITU-T T.81, annex B: segments up to the frame's header. */
static uint64_t cost_jpeg(source *from)
{
    uint64_t at = 2;
    for (int i = 0; i < STEPS_MOST; i++) {
        uint8_t s[9];
        if (!fetch(from, s, sizeof s, at) || s[0] != 0xFF)
            return 0;
        const bool is_frame =
            s[1] >= 0xC0 && s[1] <= 0xCF && s[1] != 0xC4 && s[1] != 0xC8 && s[1] != 0xCC;
        if (is_frame)
            return pixels(big16(s + 7), big16(s + 5), 1) *
                   ((s[1] & 3) == 2 ? NS_PROGRESSIVE : NS_JPEG);
        at += s[1] == 0xFF ? 1 : 2 + big16(s + 2); /* bytes of 0xFF may fill */
    }
    return 0;
}

/* How many pictures a PNG at this place has, one that a moving one hides among them: told before
 * its pixels (PNG, third edition, "Animation information"). */
static uint64_t png_pictures(source *from, uint64_t png_at)
{
    uint64_t at = png_at + 33;
    for (int i = 0; i < STEPS_MOST; i++) {
        uint8_t chunk[12];
        if (!fetch(from, chunk, sizeof chunk, at) || !memcmp(chunk + 4, "IDAT", 4))
            break;
        if (!memcmp(chunk + 4, "acTL", 4))
            return 1 + (uint64_t)big32(chunk + 8);
        at += 12 + (uint64_t)big32(chunk);
    }
    return 1;
}

static uint64_t cost_png(source *from, const uint8_t *head, uint64_t at)
{
    return pixels(big32(head + 16), big32(head + 20), png_pictures(from, at)) * NS_PNG *
           (head[28] ? 2 : 1);
}

/* How many frames a moving WebP has; of a long one, about. */
static uint64_t webp_frames(source *from)
{
    uint64_t at = 12, frames = 0;
    for (int i = 0; i < STEPS_MOST && at < from->size; i++) {
        uint8_t chunk[8];
        if (!fetch(from, chunk, sizeof chunk, at))
            return frames;
        frames += !memcmp(chunk, "ANMF", 4);
        at += 8 + (uint64_t)little32(chunk + 4) + (chunk[4] & 1);
    }
    return at < from->size ? frames * (from->size / at + 1) : frames;
}

static uint64_t cost_webp(source *from, const uint8_t *head)
{
    if (!memcmp(head + 12, "VP8X", 4)) {
        const bool moves = head[20] & 2;
        return pixels(1 + little24(head + 24), 1 + little24(head + 27),
                      moves ? webp_frames(from) : 1) *
               NS_WEBP;
    }
    if (!memcmp(head + 12, "VP8L", 4)) {
        const uint32_t bits = little32(head + 21);
        return pixels(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), 1) * NS_WEBP;
    }
    return pixels(little16(head + 26) & 0x3FFF, little16(head + 28) & 0x3FFF, 1) * NS_WEBP;
}

/* A GIF is walked block by block, through a window onto it. */
typedef struct gif_walk {
    source *from;
    uint8_t window[GIF_WINDOW];
    uint64_t begin, at; /* of the window; of the walk */
    size_t there;
    int windows;
} gif_walk;

/* So many bytes at the place of the walk, which stays; NULL: no more, or far enough. */
static const uint8_t *look(gif_walk *w, size_t count)
{
    if (w->at < w->begin || w->at + count > w->begin + w->there) {
        if (w->windows++ == WINDOWS_MOST)
            return NULL;
        w->begin = w->at;
        w->there = fetch_some(w->from, w->window, sizeof w->window, w->at);
    }
    return w->there - (size_t)(w->at - w->begin) >= count ? w->window + (w->at - w->begin) : NULL;
}

static bool skip_blocks(gif_walk *w)
{
    for (const uint8_t *length; (length = look(w, 1));) {
        const unsigned more = *length;
        w->at += 1 + more;
        if (!more)
            return true;
    }
    return false;
}

static unsigned table_size(uint8_t flags)
{
    return flags & 0x80 ? 3u << ((flags & 7) + 1) : 0;
}

/* Pixels of all frames that are drawn; *frames: how many. */
static uint64_t walk_frames(gif_walk *w, uint64_t *frames)
{
    uint64_t drawn = 0;
    for (const uint8_t *block; (block = look(w, 1)) && *block != 0x3B;) {
        if (*block == 0x2C) {
            if (!(block = look(w, 11)))
                break;
            drawn += (uint64_t)little16(block + 5) * little16(block + 7);
            ++*frames;
            w->at += 11 + table_size(block[9]); /* with the code size */
        } else {
            w->at += 2; /* an extension */
        }
        if (!skip_blocks(w))
            break;
    }
    return drawn;
}

static uint64_t cost_gif(source *from, const uint8_t *head)
{
    const uint64_t canvas = pixels(little16(head + 6), little16(head + 8), 1);
    uint64_t frames = 0;
    gif_walk w = {.from = from, .at = 13 + table_size(head[10])};
    uint64_t drawn = walk_frames(&w, &frames);
    if (w.windows > WINDOWS_MOST) /* the rest is like what was seen */
        drawn *= from->size / w.at + 1;
    if (drawn > OB_MEDIA_MAX_PIXELS)
        drawn = OB_MEDIA_MAX_PIXELS;
    const uint64_t hashed = frames < OB_MEDIA_MAX_FRAMES ? canvas * frames : 0;
    const uint64_t most = 4 * OB_MEDIA_MAX_PIXELS;
    return drawn * NS_GIF + (hashed < most ? canvas + hashed : most) * NS_GIF / 4;
}

/* TIFF 6.0, and BigTIFF: a chain of directories of tags. */
typedef struct tiff_shape {
    bool is_big_endian, is_large;
} tiff_shape;

static uint64_t tiff_number(const tiff_shape *t, const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p[t->is_big_endian ? i : bytes - 1 - i];
    return value;
}

/* The value of a tag where it is one short or long (types 3, 4, 16). */
static uint64_t tiff_value(const tiff_shape *t, const uint8_t *entry)
{
    const uint64_t type = tiff_number(t, entry + 2, 2);
    const unsigned bytes = type == 3 ? 2 : type == 16 && t->is_large ? 8 : 4;
    return tiff_number(t, entry + (t->is_large ? 12 : 8), bytes);
}

/* Pixels of the page at *at, which becomes the next one's place; 0: there is no more. */
static uint64_t tiff_page(source *from, const tiff_shape *t, uint64_t *at)
{
    const unsigned count_bytes = t->is_large ? 8 : 2, entry_bytes = t->is_large ? 20 : 12;
    const unsigned place_bytes = t->is_large ? 8 : 4;
    uint8_t number[8], entry[20];
    uint64_t width = 0, height = 0;
    if (!*at || !fetch(from, number, count_bytes, *at))
        return *at = 0;
    const uint64_t count = tiff_number(t, number, count_bytes);
    *at += count_bytes;
    for (uint64_t i = 0; i < count && i < STEPS_MOST; i++) {
        if (!fetch(from, entry, entry_bytes, *at + i * entry_bytes))
            return *at = 0;
        const uint64_t tag = tiff_number(t, entry, 2);
        width = tag == 256 ? tiff_value(t, entry) : width;
        height = tag == 257 ? tiff_value(t, entry) : height;
    }
    const uint64_t next = count < STEPS_MOST ? *at + count * entry_bytes : 0;
    *at = next && fetch(from, number, place_bytes, next) ? tiff_number(t, number, place_bytes) : 0;
    return width < UINT32_MAX && height < UINT32_MAX ? pixels(width, height, 1)
                                                     : OB_MEDIA_MAX_PIXELS;
}

static uint64_t cost_tiff(source *from, const uint8_t *head)
{
    const tiff_shape t = {.is_big_endian = head[0] == 'M',
                          .is_large = head[2] == 43 || head[3] == 43};
    uint64_t at = t.is_large ? tiff_number(&t, head + 8, 8) : tiff_number(&t, head + 4, 4);
    uint64_t largest = 0, pages = 0;
    for (int i = 0; i < STEPS_MOST && at; i++) {
        const uint64_t page = tiff_page(from, &t, &at);
        largest = page > largest ? page : largest;
        pages++;
    }
    const uint64_t all = largest * pages;
    return (all < OB_MEDIA_MAX_PIXELS ? all : OB_MEDIA_MAX_PIXELS) * NS_TIFF;
}

/* What the boxes of a HEIF tell: of all pictures and tiles, or of a track, the pixels of the
 * largest; and of the longest track how many frames. */
typedef struct heif_told {
    uint64_t largest, frames;
} heif_told;

enum { HEIF_BOX = 96 }; /* of a box, as much as is looked at */

/* ISO/IEC 23008-12, "ispe"; ISO/IEC 14496-12, "tkhd" and "stsz". */
static void take_box(heif_told *told, const uint8_t *name)
{
    uint64_t one = 0;
    if (!memcmp(name, "ispe", 4))
        one = pixels(big32(name + 8), big32(name + 12), 1);
    else if (!memcmp(name, "tkhd", 4))
        one = name[4] ? pixels(big16(name + 92), big16(name + 96), 1)
                      : pixels(big16(name + 80), big16(name + 84), 1);
    else if (!memcmp(name, "stsz", 4) && big32(name + 12) > told->frames)
        told->frames = big32(name + 12);
    told->largest = one > told->largest ? one : told->largest;
}

static void search_boxes(heif_told *told, source *from, uint64_t at)
{
    uint8_t window[WINDOW + HEIF_BOX + 8] = {0};
    for (uint64_t end = at + HEIF_MOST; at < end; at += WINDOW) {
        const size_t there = fetch_some(from, window, sizeof window, at);
        if (!there)
            return;
        memset(window + there, 0, sizeof window - there);
        for (size_t i = 0; i < WINDOW && i < there; i++)
            take_box(told, window + i);
    }
}

/* What describes a file stands at its beginning, or in a box behind its pixels. */
static uint64_t cost_heif(source *from)
{
    heif_told told = {.frames = 1};
    search_boxes(&told, from, 0);
    uint64_t at = 0, size = 0;
    for (int i = 0; i < STEPS_MOST; i++, at += size) {
        uint8_t box[16];
        if (!fetch(from, box, sizeof box, at))
            break;
        size = big32(box) == 1 ? (uint64_t)big32(box + 8) << 32 | big32(box + 12) : big32(box);
        if (size < 8 || size > from->size)
            break;
        if (at >= HEIF_MOST && (!memcmp(box + 4, "moov", 4) || !memcmp(box + 4, "meta", 4)))
            search_boxes(&told, from, at);
    }
    return pixels(told.largest, 1, told.frames) * NS_HEIF;
}

/* Pixels as the header of a BMP tells them; rows may be told from the bottom, as a negative number.
 */
static uint64_t bmp_pixels(const uint8_t *header)
{
    if (little32(header) == 12)
        return pixels(little16(header + 4), little16(header + 6), 1);
    const uint32_t height = little32(header + 8);
    return pixels(little32(header + 4), height >> 31 ? 0 - height : height, 1);
}

/* An icon is a directory of PNG and BMP, whose own heads say more than the directory can: the
 * dearest counts. */
static uint64_t cost_ico(source *from, const uint8_t *head)
{
    uint64_t most = 0;
    const unsigned count = little16(head + 4);
    for (unsigned i = 0; i < count && i < ICONS_MOST; i++) {
        uint8_t place[4], inner[29];
        if (!fetch(from, place, sizeof place, 6 + 16 * (uint64_t)i + 12))
            break;
        if (!fetch(from, inner, sizeof inner, little32(place)))
            continue;
        const uint64_t one = !memcmp(inner + 1, "PNG", 3) ? cost_png(from, inner, little32(place))
                                                          : bmp_pixels(inner) * NS_PNG;
        most = one > most ? one : most;
    }
    return most;
}

/* ---- All of them ------------------------------------------------------------------------------
 */

static uint64_t decoding_ns(source *from, const uint8_t *head, ob_format format)
{
    if (ob_format_at(format)->program == OB_PROGRAM_NONE)
        return 1; /* nothing is decoded */
    switch (format) {
    case OB_FORMAT_JPEG:
        return cost_jpeg(from);
    case OB_FORMAT_PNG:
        return cost_png(from, head, 0);
    case OB_FORMAT_WEBP:
        return cost_webp(from, head);
    case OB_FORMAT_GIF:
        return cost_gif(from, head);
    case OB_FORMAT_TIFF:
        return cost_tiff(from, head);
    case OB_FORMAT_BMP:
        return bmp_pixels(head + 14) * NS_PNG;
    case OB_FORMAT_ICO:
        return cost_ico(from, head);
    default:
        return cost_heif(from);
    }
}

ob_media_cost ob_media_estimate(ob_media_read read, void *context, uint64_t size)
{
    source from = {.read = read, .context = context, .size = size};
    uint8_t head[OB_MEDIA_SNIFF] = {0};
    const size_t there = fetch_some(&from, head, sizeof head, 0);
    const ob_format format = ob_media_sniff(head, there);
    uint64_t us = 0;
    if (format) {
        const uint64_t ns = decoding_ns(&from, head, format);
        us = ns ? ns / 1000 : OB_MEDIA_MAX_PIXELS / 1000 * NS_PNG; /* as if it were the largest */
    }
    return (ob_media_cost){.us = us + size / BYTES_A_US,
                           .is_slow = us > WORTH_US + size / WORTH_BYTES_A_US};
}
