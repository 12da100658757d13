/* PNG by libpng: every colour type and depth becomes 8-bit grey, RGB or RGBA. What moves is apng.c.
 */
#include "png_priv.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

enum {
    MAX_CHUNKS = 1000, /* text and other side chunks that are kept */
    MAX_CHUNK_BYTES = 8 << 20,
    SMALL_PIECE = 64, /* of compressed bytes that are read at once from a file that is cut */
};

typedef struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t left;
    bool ended; /* the file ran out */
    uint32_t row, height;
    uint32_t pass;   /* of an interlaced picture: before this one everything is there */
    uint8_t *pixels; /* one row, or all of them when interlaced */
    size_t pitch;
    bool interlaced, picture_is_there; /* whatever comes now */
    ob_media_fault *fault;
    ob_status status;
} decoder;

/* Without the library's words: they may hold bytes of the file. */
static void on_error(png_structp png, png_const_charp text)
{
    (void)text;
    decoder *d = png_get_error_ptr(png);
    if (d->picture_is_there)
        d->status = OB_OK; /* nothing is missing but what ends it */
    else if (d->ended && d->height)
        d->status = media_fail_at(d->fault, OB_MEDIA_CUT_AT_ROW, d->row, d->height);
    else if (d->ended)
        d->status = media_fail(d->fault, OB_MEDIA_CUT_EARLY);
    else if (d->height)
        d->status = media_fail_at(d->fault, OB_MEDIA_DAMAGED_AT_ROW, d->row, d->height);
    else
        d->status = media_fail(d->fault, OB_MEDIA_DAMAGED);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text; /* side chunks; whatever damages pixels is an error */
}

static void read_bytes(png_structp png, png_bytep out, size_t count)
{
    decoder *d = png_get_io_ptr(png);
    if (count > d->left) {
        d->ended = true;
        png_error(png, "end of file");
    }
    memcpy(out, d->bytes, count);
    d->bytes += count;
    d->left -= count;
}

static void give_up(decoder *d, ob_status status)
{
    d->picture_is_there = false;
    d->height = 0;
    d->status = status;
    png_longjmp(d->png, 1);
}

/* ---- Colours ----------------------------------------------------------------------------------
 */

/* A profile counts before sRGB, and that before gamma (PNG, third edition, 4.3). */
static media_colour *colour_of(png_structp png, png_infop info)
{
    png_charp name;
    png_bytep profile;
    png_uint_32 size = 0;
    int compression;
    double gamma, xy[8];
    if (png_get_iCCP(png, info, &name, &compression, &profile, &size))
        return media_colour_of_profile(profile, size);
    if (png_get_valid(png, info, PNG_INFO_sRGB) || !png_get_gAMA(png, info, &gamma) || gamma <= 0)
        return NULL;
    const bool has_xy =
        png_get_cHRM(png, info, &xy[0], &xy[1], &xy[2], &xy[3], &xy[4], &xy[5], &xy[6], &xy[7]);
    return media_colour_of_gamma(1 / gamma, has_xy ? xy : NULL);
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

/* Asks libpng for 8 bits of what `samples` and `alpha` say. */
static void ask_for(const decoder *d, ob_pdq_samples samples, bool alpha)
{
    png_structp png = d->png;
    const int type = png_get_color_type(png, d->info), depth = png_get_bit_depth(png, d->info);
    const bool grey = type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_GRAY_ALPHA;
    if (depth == 16)
        png_set_scale_16(png);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    else if (type == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (!alpha)
        png_set_strip_alpha(png);
    else if (png_get_valid(png, d->info, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(png);
    else if (!(type & PNG_COLOR_MASK_ALPHA))
        png_set_add_alpha(png, 0xFF, PNG_FILLER_AFTER);
    if (grey && samples == OB_PDQ_RGB)
        png_set_gray_to_rgb(png);
}

static bool has_alpha(const decoder *d)
{
    return (png_get_color_type(d->png, d->info) & PNG_COLOR_MASK_ALPHA) ||
           png_get_valid(d->png, d->info, PNG_INFO_tRNS);
}

/* What will be delivered; d->pixels has room for it. */
static media_picture prepare(decoder *d, bool alpha, bool colour)
{
    const int type = png_get_color_type(d->png, d->info);
    const bool grey = type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_GRAY_ALPHA;
    media_picture picture = {
        .shape = {.width = png_get_image_width(d->png, d->info),
                  .height = png_get_image_height(d->png, d->info),
                  .scale = 1,
                  .samples = grey && !alpha && !colour ? OB_PDQ_LUMA : OB_PDQ_RGB},
        .alpha = alpha ? MEDIA_ALPHA : MEDIA_OPAQUE};
    ask_for(d, picture.shape.samples, alpha);
    d->interlaced = png_set_interlace_handling(d->png) > 1;
    png_read_update_info(d->png, d->info);
    d->pitch = png_get_rowbytes(d->png, d->info);
    if (d->pitch != (size_t)picture.shape.width * (alpha ? 4 : picture.shape.samples))
        give_up(d, media_fail(d->fault, OB_MEDIA_KIND));
    return picture;
}

static void make_room(decoder *d, uint32_t rows)
{
    const uint64_t bytes = (uint64_t)d->pitch * rows;
    ob_status status = media_check_memory(bytes, d->fault);
    if (status)
        give_up(d, status);
    d->pixels = malloc(bytes);
    if (!d->pixels)
        give_up(d, media_fail(d->fault, OB_MEDIA_NO_MEMORY));
}

/* Passes of an interlaced picture fill in what earlier ones left: all before any is told of. */
static void read_passes(decoder *d)
{
    for (d->pass = 1; d->pass < (d->interlaced ? 7 : 1); d->pass++)
        for (d->row = 0; d->row < d->height; d->row++)
            png_read_row(d->png, d->pixels + d->row * d->pitch, NULL);
}

static void read_head(decoder *d)
{
    png_read_info(d->png, d->info);
    ob_status status = media_check_size(png_get_image_width(d->png, d->info),
                                        png_get_image_height(d->png, d->info), d->fault);
    if (status)
        give_up(d, status);
}

static void deliver(decoder *d, const media_sink *sink)
{
    read_head(d);
    png_bytep exif = NULL;
    png_uint_32 exif_size = 0;
    if (png_get_eXIf_1(d->png, d->info, &exif_size, &exif))
        sink->facts->orientation = media_exif_orientation(exif, exif_size);
    sink->facts->colour = colour_of(d->png, d->info);
    const media_picture picture = prepare(d, has_alpha(d), sink->facts->colour != NULL);
    make_room(d, d->interlaced ? picture.shape.height : 1);
    ob_status status = sink->begin(sink->context, &picture, d->fault);
    if (status)
        give_up(d, status);
    d->height = picture.shape.height;
    read_passes(d);
    for (d->row = 0; d->row < d->height; d->row++) {
        uint8_t *row = d->pixels + (d->interlaced ? d->row * d->pitch : 0);
        png_read_row(d->png, row, NULL);
        status = sink->rows(sink->context, row, d->pitch, 1, d->fault);
        if (status)
            give_up(d, status);
    }
    d->picture_is_there = true;
    png_read_end(d->png, NULL);
}

/* After an error: what is there is enough, or the picture is refused as the error said. */
static ob_status deliver_rest(decoder *d, const media_sink *sink)
{
    if (!d->status || !d->height || (d->interlaced && d->pass < 7) ||
        !media_is_enough(d->row, d->height))
        return d->status;
    const uint8_t *last = d->pixels + (d->interlaced ? (d->row - 1) * d->pitch : 0);
    sink->facts->incomplete = true;
    return sink->missing(sink->context, last, NULL, 0, d->height - d->row, d->fault);
}

/* ---- libpng -----------------------------------------------------------------------------------
 */

static ob_status open_png(decoder **out, const uint8_t *bytes, size_t size, ob_media_fault *fault)
{
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    *d = (decoder){.bytes = bytes, .left = size, .fault = fault};
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
    if (!d->png) {
        free(d);
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    }
    *out = d;
    return OB_OK;
}

/* Wrong check sums take no pixel away: browsers have shown them before they come to the sum. */
static void set_up(decoder *d)
{
    d->info = png_create_info_struct(d->png);
    if (!d->info)
        give_up(d, media_fail(d->fault, OB_MEDIA_NO_MEMORY));
    png_set_read_fn(d->png, d, read_bytes);
    png_set_user_limits(d->png, OB_PDQ_MAX_SIDE, OB_PDQ_MAX_SIDE);
    png_set_chunk_cache_max(d->png, MAX_CHUNKS);
    png_set_chunk_malloc_max(d->png, MAX_CHUNK_BYTES);
    png_set_crc_action(d->png, PNG_CRC_QUIET_USE, PNG_CRC_NO_CHANGE);
    png_set_option(d->png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
}

static void close_png(decoder *d)
{
    png_destroy_read_struct(&d->png, &d->info, NULL);
    free(d->pixels);
    free(d);
}

/* Errors of libpng end here. */
static void read_into(decoder *d, uint8_t *out, uint32_t width, uint32_t height)
{
    if (setjmp(png_jmpbuf(d->png)))
        return;
    set_up(d);
    read_head(d);
    const media_picture picture = prepare(d, true, true);
    if (picture.shape.width != width || picture.shape.height != height)
        give_up(d, media_fail(d->fault, OB_MEDIA_DAMAGED));
    d->height = height;
    for (d->pass = 0; d->pass < (d->interlaced ? 7 : 1); d->pass++)
        for (d->row = 0; d->row < height; d->row++)
            png_read_row(d->png, out + d->row * d->pitch, NULL);
    d->picture_is_there = true;
}

ob_status png_read_rgba(uint8_t *out, uint32_t width, uint32_t height, const uint8_t *bytes,
                        size_t size, ob_media_fault *fault)
{
    decoder *d = NULL;
    ob_status status = open_png(&d, bytes, size, fault);
    if (status)
        return status;
    read_into(d, out, width, height);
    status = d->status;
    close_png(d);
    return status;
}

static void read_and_deliver(decoder *d, const media_sink *sink, bool is_cut)
{
    if (setjmp(png_jmpbuf(d->png)))
        return;
    set_up(d);
    if (is_cut)
        png_set_compression_buffer_size(d->png, SMALL_PIECE);
    deliver(d, sink);
}

ob_status media_decode_png(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault)
{
    (void)wish; /* RGB to luma is so cheap that grey is not worth a way of its own */
    decoder *d = NULL;
    const png_outline outline = png_outline_of(bytes, size);
    ob_status status = open_png(&d, bytes, size, fault);
    if (status)
        return status;
    read_and_deliver(d, sink, outline.is_cut);
    status = deliver_rest(d, sink);
    close_png(d);
    if (outline.is_hdr)
        sink->facts->unseen = OB_UNSEEN_TONES;
    return !status && outline.moves ? png_deliver_moving(sink, bytes, size, fault) : status;
}
