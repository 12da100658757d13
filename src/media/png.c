/* PNG by libpng: every colour type and depth becomes 8-bit grey or RGB; alpha is ignored. */
#include "media_priv.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

enum {
    MAX_CHUNKS = 1000, /* text and other side chunks that are kept */
    MAX_CHUNK_BYTES = 8 << 20,
};

typedef struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t left;
    bool ended; /* the file ran out */
    uint32_t row, height;
    uint8_t *pixels; /* one row, or all of them when interlaced */
    ob_media_fault *fault;
    ob_status status;
} decoder;

/* Without the library's words: they may hold bytes of the file. */
static void on_error(png_structp png, png_const_charp text)
{
    (void)text;
    decoder *d = png_get_error_ptr(png);
    if (d->ended && d->height && d->row == d->height)
        d->status = OB_OK; /* nothing is missing but the end mark */
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
    d->status = status;
    png_longjmp(d->png, 1);
}

static void deliver(decoder *d, const media_sink *sink)
{
    png_structp png = d->png;
    png_read_info(png, d->info);
    uint32_t width = png_get_image_width(png, d->info);
    uint32_t height = png_get_image_height(png, d->info);
    ob_status status = media_check_size(width, height, d->fault);
    if (status)
        give_up(d, status);

    png_bytep exif = NULL;
    png_uint_32 exif_size = 0;
    if (png_get_eXIf_1(png, d->info, &exif_size, &exif))
        sink->facts->orientation = media_exif_orientation(exif, exif_size);

    int type = png_get_color_type(png, d->info), depth = png_get_bit_depth(png, d->info);
    if (depth == 16)
        png_set_scale_16(png);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    else if (type == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    bool interlaced = png_set_interlace_handling(png) > 1;
    png_read_update_info(png, d->info);

    bool grey = type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_GRAY_ALPHA;
    const media_picture picture = {.shape = {.width = width,
                                             .height = height,
                                             .scale = 1,
                                             .samples = grey ? OB_PDQ_LUMA : OB_PDQ_RGB}};
    size_t pitch = png_get_rowbytes(png, d->info);
    if (pitch != (size_t)width * picture.shape.samples)
        give_up(d, media_fail(d->fault, OB_MEDIA_KIND));
    uint64_t bytes = (uint64_t)pitch * (interlaced ? height : 1);
    status = media_check_memory(bytes, d->fault);
    if (status)
        give_up(d, status);
    d->pixels = malloc(bytes);
    if (!d->pixels)
        give_up(d, media_fail(d->fault, OB_MEDIA_NO_MEMORY));
    status = sink->begin(sink->context, &picture, d->fault);
    if (status)
        give_up(d, status);

    d->height = height;
    uint32_t last_pass = interlaced ? 7 : 1;
    /* Passes of an interlaced picture fill in what earlier ones left: all before any is told of. */
    for (uint32_t pass = 1; pass < last_pass; pass++)
        for (d->row = 0; d->row < height; d->row++)
            png_read_row(png, d->pixels + d->row * pitch, NULL);
    for (d->row = 0; d->row < height; d->row++) {
        uint8_t *row = d->pixels + (interlaced ? d->row * pitch : 0);
        png_read_row(png, row, NULL);
        status = sink->rows(sink->context, row, pitch, 1, d->fault);
        if (status)
            give_up(d, status);
    }
    png_read_end(png, NULL); /* checks what ends the compressed data */
}

ob_status media_decode_png(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault)
{
    (void)wish; /* RGB to luma is so cheap that grey is not worth a way of its own */
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    *d = (decoder){.bytes = bytes, .left = size, .fault = fault};
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
    if (!d->png) {
        free(d);
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    }
    if (!setjmp(png_jmpbuf(d->png))) {
        d->info = png_create_info_struct(d->png);
        if (!d->info)
            give_up(d, media_fail(fault, OB_MEDIA_NO_MEMORY));
        png_set_read_fn(d->png, d, read_bytes);
        png_set_user_limits(d->png, OB_PDQ_MAX_SIDE, OB_PDQ_MAX_SIDE);
        png_set_chunk_cache_max(d->png, MAX_CHUNKS);
        png_set_chunk_malloc_max(d->png, MAX_CHUNK_BYTES);
        deliver(d, sink);
    }
    ob_status status = d->status;
    png_destroy_read_struct(&d->png, &d->info, NULL);
    free(d->pixels);
    free(d);
    return status;
}
