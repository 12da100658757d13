/* TIFF by libtiff, which turns every kind of samples into RGBA. Pages count as frames. */
#include "media_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

typedef struct input {
    const uint8_t *bytes;
    size_t size, at;
    char problem[200]; /* the first that libtiff told of */
} input;

/* ---- What libtiff calls --------------------------------------------------------------------- */

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t count)
{
    input *in = handle;
    size_t left = in->at < in->size ? in->size - in->at : 0;
    size_t got = (size_t)count < left ? (size_t)count : left;
    memcpy(out, in->bytes + (got ? in->at : 0), got);
    in->at += got;
    return (tmsize_t)got;
}

static tmsize_t write_nothing(thandle_t handle, void *bytes, tmsize_t count)
{
    (void)handle;
    (void)bytes;
    (void)count;
    return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    input *in = handle;
    uint64_t base = whence == SEEK_CUR ? in->at : whence == SEEK_END ? in->size : 0;
    in->at = offset > SIZE_MAX - base ? SIZE_MAX : (size_t)(base + offset);
    return in->at;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle)
{
    return ((input *)handle)->size;
}

static int map(thandle_t handle, void **base, toff_t *size)
{
    input *in = handle;
    memcpy(base, &in->bytes, sizeof *base); /* libtiff only reads from it */
    *size = in->size;
    return 1;
}

static void unmap(thandle_t handle, void *base, toff_t size)
{
    (void)handle;
    (void)base;
    (void)size;
}

__attribute__((format(printf, 4, 0))) static int
on_error(TIFF *tiff, void *context, const char *module, const char *format, va_list args)
{
    (void)tiff;
    (void)module;
    input *in = context;
    if (!*in->problem)
        vsnprintf(in->problem, sizeof in->problem, format, args);
    return 1;
}

static int on_warning(TIFF *tiff, void *context, const char *module, const char *format,
                      va_list args)
{
    (void)tiff;
    (void)context;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static TIFF *open_tiff(input *in)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)OB_MEDIA_MAX_MEMORY);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, in);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, in);
    TIFF *tiff = TIFFClientOpenExt("", "r", in, read_bytes, write_nothing, seek, close_nothing,
                                   size_of, map, unmap, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static ob_status damaged(const input *in, uint32_t page, ob_error *err)
{
    return ob_fail(err, OB_EFORMAT, "damaged TIFF or one of an unknown kind, page %u: %s", page,
                   *in->problem ? in->problem : "it cannot be decoded");
}

/* Colours are left as they are where libtiff believes that they were multiplied by alpha already.
 */
static void ignore_alpha(TIFF *tiff)
{
    const uint16_t multiplied[1] = {EXTRASAMPLE_ASSOCALPHA};
    uint16_t count = 0, *kinds = NULL;
    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) && count)
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, multiplied);
}

/* Decodes the current page as it is stored, without regard to its orientation. */
static ob_status deliver_page(const media_sink *sink, TIFF *tiff, const input *in, uint32_t page,
                              uint32_t number, ob_error *err)
{
    uint32_t width = 0, height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    ob_status status = media_check_size(width, height, err);
    if (!status) /* libtiff holds a strip or tile besides, at most as much again */
        status = media_check_memory((uint64_t)width * height * 4, "this TIFF", err);
    if (status)
        return status;
    char problem[1024] = "";
    TIFFRGBAImage image;
    ignore_alpha(tiff);
    if (!TIFFRGBAImageOK(tiff, problem) || !TIFFRGBAImageBegin(&image, tiff, 1, problem))
        return ob_fail(err, OB_EFORMAT, "a TIFF of an unknown kind, page %u: %.200s", page,
                       *problem ? problem : in->problem);
    image.req_orientation = image.orientation;
    uint32_t *rgba = malloc((size_t)width * height * sizeof *rgba);
    if (!rgba)
        status = ob_fail(err, OB_ENOMEM, "out of memory: decoding a TIFF");
    else if (!TIFFRGBAImageGet(&image, rgba, width, height) || *in->problem)
        status = damaged(in, page, err);
    TIFFRGBAImageEnd(&image);
    if (!status) {
        uint8_t *rgb = (uint8_t *)rgba; /* R is the lowest byte of each */
        media_drop_alpha(rgb, (size_t)width * height);
        status = media_deliver(sink, rgb, (size_t)width * 3, width, height, number, err);
    }
    free(rgba);
    return status;
}

static unsigned orientation_of(TIFF *tiff)
{
    uint16_t orientation = 1;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/* Counts pages; a chain of pages that bites its own tail ends there. */
static ob_status count_pages(uint32_t *out, TIFF *tiff, const input *in, ob_error *err)
{
    uint64_t pages = 1;
    ob_status status = OB_OK;
    while (!status && TIFFReadDirectory(tiff))
        status = media_check_frames(++pages, err);
    if (!status && *in->problem)
        status = damaged(in, (uint32_t)pages, err);
    *out = (uint32_t)pages;
    return status;
}

ob_status media_decode_tiff(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_error *err)
{
    (void)wish;
    input in = {.bytes = bytes, .size = size};
    TIFF *tiff = open_tiff(&in);
    if (!tiff)
        return damaged(&in, 0, err);
    uint32_t pages = 0;
    ob_status status = count_pages(&pages, tiff, &in, err);
    sink->facts->frames = pages;
    for (uint32_t page = 0; page < pages && !status; page++) {
        if (!media_frame_is_wanted(page, pages))
            continue;
        if (!TIFFSetDirectory(tiff, (tdir_t)page))
            status = damaged(&in, page, err);
        if (!status && !page)
            sink->facts->orientation = orientation_of(tiff);
        if (!status)
            status = deliver_page(sink, tiff, &in, page, page, err);
    }
    TIFFClose(tiff);
    return status;
}
