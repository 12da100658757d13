/* TIFF by libtiff, which turns most kinds of samples into RGBA; others are tiff_samples.c. Pages
 * count as frames. */
#include "tiff_priv.h"

#include <stdlib.h>
#include <string.h>

typedef struct input {
    const uint8_t *bytes;
    size_t size, at;
    bool problem; /* libtiff has told of one */
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

static int on_error(TIFF *tiff, void *context, const char *module, const char *format, va_list args)
{
    (void)tiff;
    (void)module;
    input *in = context;
    (void)format; /* may hold bytes of the file */
    (void)args;
    in->problem = true;
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

static ob_status damaged(uint32_t page, ob_media_fault *fault)
{
    return media_fail_at(fault, OB_MEDIA_KIND_OF_PAGE, page, 0);
}

/* Colours are left as they are where libtiff believes that they were multiplied by alpha already.
 * Returns what the page really has. */
static media_alpha take_alpha(TIFF *tiff)
{
    const uint16_t multiplied[1] = {EXTRASAMPLE_ASSOCALPHA};
    uint16_t count = 0, *kinds = NULL;
    if (!TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) || !count)
        return MEDIA_OPAQUE;
    const uint16_t kind = kinds[0];
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, multiplied);
    return kind == EXTRASAMPLE_ASSOCALPHA   ? MEDIA_MULTIPLIED
           : kind == EXTRASAMPLE_UNASSALPHA ? MEDIA_ALPHA
                                            : MEDIA_OPAQUE;
}

static void make_opaque(uint8_t *rgba, size_t pixels)
{
    for (size_t k = 0; k < pixels; k++)
        rgba[4 * k + 3] = 255;
}

/* Decodes the current page as it is stored, without regard to its orientation. */
static ob_status deliver_page(const media_sink *sink, TIFF *tiff, const input *in, uint32_t page,
                              uint32_t number, ob_media_fault *fault)
{
    uint32_t width = 0, height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    ob_status status = media_check_size(width, height, fault);
    if (!status) /* libtiff holds a strip or tile besides, at most as much again */
        status = media_check_memory((uint64_t)width * height * 4, fault);
    if (status)
        return status;
    char problem[1024] = "";
    TIFFRGBAImage image;
    const media_alpha alpha = take_alpha(tiff);
    if (!TIFFRGBAImageOK(tiff, problem) || !TIFFRGBAImageBegin(&image, tiff, 1, problem))
        return tiff_deliver_samples(sink, tiff, number, fault);
    image.req_orientation = image.orientation;
    uint32_t *rgba = malloc((size_t)width * height * sizeof *rgba);
    if (!rgba)
        status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    else if (!TIFFRGBAImageGet(&image, rgba, width, height) || in->problem)
        status = damaged(page, fault);
    TIFFRGBAImageEnd(&image);
    if (!status) {
        uint8_t *bytes = (uint8_t *)rgba; /* R is the lowest byte of each */
        if (!alpha)
            make_opaque(bytes, (size_t)width * height);
        status = media_deliver(sink, bytes, (size_t)width * 4, width, height,
                               alpha ? alpha : MEDIA_ALPHA, number, fault);
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

/* Counts pages; a chain of pages that bites its own tail ends there, and so does one that leads
 * nowhere: the pages before it are whole. */
static uint32_t count_pages(TIFF *tiff, input *in, media_facts *facts)
{
    uint32_t pages = 1;
    while (pages < OB_MEDIA_MAX_FRAMES && TIFFReadDirectory(tiff))
        pages++;
    facts->incomplete = in->problem;
    if (!in->problem && !TIFFLastDirectory(tiff))
        facts->unseen = OB_UNSEEN_FRAMES;
    in->problem = false;
    return pages;
}

/* Pages behind the first: of a damaged one nothing is said. */
static ob_status deliver_later(const media_sink *sink, TIFF *tiff, input *in, uint32_t page,
                               ob_media_fault *fault)
{
    ob_status status = TIFFSetDirectory(tiff, (tdir_t)page)
                           ? deliver_page(sink, tiff, in, page, page, fault)
                           : damaged(page, fault);
    if (status != OB_EFORMAT)
        return status;
    in->problem = false;
    sink->facts->incomplete = true;
    return OB_OK;
}

static uint64_t pixels_of(TIFF *tiff)
{
    uint32_t width = 0, height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    return (uint64_t)width * height;
}

ob_status media_decode_tiff(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault)
{
    (void)wish;
    input in = {.bytes = bytes, .size = size};
    TIFF *tiff = open_tiff(&in);
    if (!tiff)
        return damaged(0, fault);
    in.problem = false; /* side tags that are wrong take no pixel away */
    const uint32_t pages = sink->facts->frames = count_pages(tiff, &in, sink->facts);
    ob_status status = TIFFSetDirectory(tiff, 0) ? OB_OK : damaged(0, fault);
    in.problem = false;
    if (!status) {
        sink->facts->orientation = orientation_of(tiff);
        status = deliver_page(sink, tiff, &in, 0, 0, fault);
    }
    uint64_t decoded = pixels_of(tiff);
    for (uint32_t page = 1; page < pages && !status; page++) {
        if (decoded > OB_MEDIA_MAX_PIXELS) {
            sink->facts->unseen = OB_UNSEEN_FRAMES;
            break;
        }
        status = deliver_later(sink, tiff, &in, page, fault);
        decoded += pixels_of(tiff);
    }
    TIFFClose(tiff);
    return status;
}
