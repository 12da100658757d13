/* AVIF by libavif, still and moving: the picture without its crop and with it, turned as the file
 * says. */
#include "media_priv.h"

#include <stdlib.h>
#include <string.h>

#include <avif/avif.h>

enum { THREADS = 8 };

static ob_status damaged(avifResult result, ob_media_fault *fault)
{
    switch (result) {
    case AVIF_RESULT_OUT_OF_MEMORY:
        return media_fail(fault, OB_MEDIA_MEMORY);
    case AVIF_RESULT_TRUNCATED_DATA:
        return media_fail(fault, OB_MEDIA_CUT);
    default:
        return media_fail(fault, OB_MEDIA_KIND);
    }
}

/* ---- As it is shown ---------------------------------------------------------------------------
 */

/* A picture in memory; its pixels are of 4 bytes. */
typedef struct pixels {
    uint8_t *rgba;
    uint32_t width, height;
} pixels;

/* ISO/IEC 23008-12: first it is turned anticlockwise, then mirrored. */
typedef struct turning {
    unsigned quarters;
    bool mirrored_x, mirrored_y;
} turning;

static turning turning_of(const avifImage *image)
{
    turning t = {0};
    if (image->transformFlags & AVIF_TRANSFORM_IROT)
        t.quarters = image->irot.angle & 3;
    if (image->transformFlags & AVIF_TRANSFORM_IMIR) {
        t.mirrored_y = !image->imir.mode;
        t.mirrored_x = image->imir.mode;
    }
    return t;
}

/* Where the pixel that is shown at x, y is stored. */
static size_t stored_at(const pixels *from, const turning *t, const pixels *to, uint32_t x,
                        uint32_t y)
{
    if (t->mirrored_x)
        x = to->width - 1 - x;
    if (t->mirrored_y)
        y = to->height - 1 - y;
    switch (t->quarters) {
    case 1:
        return (size_t)x * from->width + (from->width - 1 - y);
    case 2:
        return (size_t)(from->height - 1 - y) * from->width + (from->width - 1 - x);
    case 3:
        return (size_t)(from->height - 1 - x) * from->width + y;
    default:
        return (size_t)y * from->width + x;
    }
}

static ob_status turn(pixels *p, const turning *t, ob_media_fault *fault)
{
    if (!t->quarters && !t->mirrored_x && !t->mirrored_y)
        return OB_OK;
    pixels to = *p;
    if (t->quarters & 1) {
        to.width = p->height;
        to.height = p->width;
    }
    to.rgba = malloc((size_t)to.width * to.height * 4);
    if (!to.rgba)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    for (uint32_t y = 0; y < to.height; y++)
        for (uint32_t x = 0; x < to.width; x++)
            memcpy(to.rgba + ((size_t)y * to.width + x) * 4,
                   p->rgba + 4 * stored_at(p, t, &to, x, y), 4);
    free(p->rgba);
    *p = to;
    return OB_OK;
}

/* ---- Crops ------------------------------------------------------------------------------------
 */

/* Where the clean aperture lies; false where there is none, or none that makes sense. */
static bool crop_of(avifCropRect *out, const avifImage *image)
{
    avifDiagnostics unused;
    return image->transformFlags & AVIF_TRANSFORM_CLAP &&
           avifCropRectConvertCleanApertureBox(out, &image->clap, image->width, image->height,
                                               AVIF_PIXEL_FORMAT_YUV444, &unused) &&
           out->width && out->height;
}

static ob_status cut_out(pixels *out, const pixels *from, const avifCropRect *crop,
                         ob_media_fault *fault)
{
    *out = (pixels){.width = crop->width, .height = crop->height};
    out->rgba = malloc((size_t)crop->width * crop->height * 4);
    if (!out->rgba)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    for (uint32_t y = 0; y < crop->height; y++)
        memcpy(out->rgba + (size_t)y * crop->width * 4,
               from->rgba + ((size_t)(crop->y + y) * from->width + crop->x) * 4,
               (size_t)crop->width * 4);
    return OB_OK;
}

/* ---- Frames -----------------------------------------------------------------------------------
 */

static ob_status deliver(const media_sink *sink, const pixels *p, bool whole, uint32_t frame,
                         ob_media_fault *fault)
{
    const media_picture picture = {
        .shape = {.width = p->width, .height = p->height, .scale = 1, .samples = OB_PDQ_RGB},
        .alpha = MEDIA_ALPHA,
        .frame = frame,
        .whole = whole};
    ob_status status = sink->begin(sink->context, &picture, fault);
    return status ? status
                  : sink->rows(sink->context, p->rgba, (size_t)p->width * 4, p->height, fault);
}

/* The cut-out is what is stored for lists; browsers show the whole where it does not begin in the
 * corner. */
static ob_status deliver_both(const media_sink *sink, pixels *p, const avifImage *image,
                              uint32_t frame, ob_media_fault *fault)
{
    const turning t = turning_of(image);
    avifCropRect crop;
    pixels part = {0};
    const bool is_cropped = crop_of(&crop, image);
    ob_status status = is_cropped ? cut_out(&part, p, &crop, fault) : OB_OK;
    if (!status && is_cropped)
        status = turn(&part, &t, fault);
    if (!status && is_cropped)
        status = deliver(sink, &part, false, frame, fault);
    if (!status)
        status = turn(p, &t, fault);
    if (!status)
        status = deliver(sink, p, is_cropped, frame, fault);
    free(part.rgba);
    return status;
}

/* Planes, and twice RGBA where it is turned. */
static ob_status check_limits(const avifImage *image, ob_media_fault *fault)
{
    const uint64_t bytes = image->depth > 8 ? 16 : 10;
    ob_status status = media_check_size(image->width, image->height, fault);
    return status ? status
                  : media_check_memory((uint64_t)image->width * image->height * bytes, fault);
}

static ob_status deliver_frame(const media_sink *sink, const avifImage *image, uint32_t frame,
                               ob_media_fault *fault)
{
    pixels p = {.width = image->width, .height = image->height};
    ob_status status = check_limits(image, fault);
    if (!status && !(p.rgba = malloc((size_t)p.width * p.height * 4)))
        status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    if (status)
        return status;
    avifRGBImage rgb;
    avifRGBImageSetDefaults(&rgb, image);
    rgb.format = AVIF_RGB_FORMAT_RGBA;
    rgb.depth = 8;
    rgb.pixels = p.rgba;
    rgb.rowBytes = p.width * 4;
    avifResult result = avifImageYUVToRGB(image, &rgb);
    status = result == AVIF_RESULT_OK ? deliver_both(sink, &p, image, frame, fault)
                                      : damaged(result, fault);
    free(p.rgba);
    return status;
}

/* Colours: a profile, or numbers of ITU-T H.273 that are not about those of sRGB. */
static void take_colours(media_facts *facts, const avifImage *image)
{
    switch (image->icc.size ? AVIF_TRANSFER_CHARACTERISTICS_UNSPECIFIED
                            : image->transferCharacteristics) {
    case AVIF_TRANSFER_CHARACTERISTICS_SMPTE2084:
    case AVIF_TRANSFER_CHARACTERISTICS_HLG:
        facts->unseen = OB_UNSEEN_TONES;
        break;
    case AVIF_TRANSFER_CHARACTERISTICS_LINEAR:
        facts->colour = media_colour_of_gamma(1, NULL);
        break;
    case AVIF_TRANSFER_CHARACTERISTICS_BT470BG:
        facts->colour = media_colour_of_gamma(2.8, NULL);
        break;
    default:
        facts->colour = media_colour_of_profile(image->icc.data, image->icc.size);
    }
}

static ob_status deliver_all(const media_sink *sink, avifDecoder *decoder, ob_media_fault *fault)
{
    const uint64_t pixels = (uint64_t)decoder->image->width * decoder->image->height;
    uint64_t drawn = 0;
    ob_status status = OB_OK;
    sink->facts->frames = 0;
    while (!status && sink->facts->frames < (uint32_t)decoder->imageCount) {
        const uint32_t frame = sink->facts->frames;
        if (((drawn += pixels) > OB_MEDIA_MAX_PIXELS && frame) || frame == OB_MEDIA_MAX_FRAMES) {
            sink->facts->unseen = OB_UNSEEN_FRAMES;
            return OB_OK;
        }
        avifResult result = avifDecoderNextImage(decoder);
        if (result != AVIF_RESULT_OK) {
            sink->facts->incomplete = true;
            return frame ? OB_OK : damaged(result, fault);
        }
        status = deliver_frame(sink, decoder->image, frame, fault);
        sink->facts->frames = frame + 1;
    }
    return status;
}

ob_status media_decode_avif(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault)
{
    (void)wish;
    avifDecoder *decoder = avifDecoderCreate();
    if (!decoder)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    decoder->maxThreads = THREADS;
    decoder->imageSizeLimit = (uint32_t)OB_MEDIA_MAX_PIXELS;
    decoder->strictFlags = AVIF_STRICT_DISABLED;
    decoder->ignoreXMP = AVIF_TRUE;
    decoder->ignoreExif = AVIF_TRUE;
    avifResult result = avifDecoderSetIOMemory(decoder, bytes, size);
    if (result == AVIF_RESULT_OK)
        result = avifDecoderParse(decoder);
    ob_status status =
        result == AVIF_RESULT_OK ? check_limits(decoder->image, fault) : damaged(result, fault);
    if (!status) {
        take_colours(sink->facts, decoder->image);
        status = deliver_all(sink, decoder, fault);
    }
    avifDecoderDestroy(decoder);
    return status;
}
