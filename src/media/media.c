/* From what a decoder delivers to hashes. */
#include "media_priv.h"

#include <string.h>

/* ---- From rows to the hash ---------------------------------------------------------------- */

typedef struct hashing {
    const ob_media_options *options;
    const media_facts *facts;
    ob_pdq_stream *stream; /* of the frame that is being delivered */
    ob_pdq_stream *shown;  /* the same as it is shown, where that is another picture */
    unsigned orientation;  /* of the first frame */
    uint32_t frame, frames;
    ob_media_result result;
} hashing;

/* The frame that was being delivered is complete, if there was one. */
static ob_status finish_frame(hashing *h, ob_media_fault *fault)
{
    if (!h->stream)
        return OB_OK;
    ob_media_frame frame = {.number = h->frame};
    ob_status status = media_hashed(ob_pdq_finish(&frame.pdq, h->stream, NULL), fault);
    ob_pdq_free(h->stream);
    h->stream = NULL;
    if (status)
        return status;
    if (!h->frames++) {
        ob_pdq shown = frame.pdq;
        if (h->shown)
            status = media_hashed(ob_pdq_finish(&shown, h->shown, NULL), fault);
        ob_pdq_free(h->shown);
        h->shown = NULL;
        h->result.pdq = frame.pdq;
        h->result.shown = shown.hash[ob_media_shown(h->orientation)];
    } else if (h->result.more_count < OB_MEDIA_FRAMES - 1)
        h->result.more[h->result.more_count++] = frame;
    return status;
}

/* Which way the stored picture is mirrored before it is, perhaps, transposed and shown. */
static void mirrors(bool *x, bool *y, unsigned orientation)
{
    *x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    *y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

static ob_status begin(void *context, const media_picture *picture, ob_media_fault *fault)
{
    hashing *h = context;
    ob_status status = finish_frame(h, fault);
    if (status)
        return status;
    ob_pdq_shape shape = picture->shape;
    shape.variant = h->options->variant;
    shape.isa = h->options->isa;
    h->frame = picture->frame;
    if (!h->frames) {
        h->result.width = shape.width;
        h->result.height = shape.height;
        h->orientation = h->facts->orientation;
        ob_pdq_shape turned = shape;
        mirrors(&turned.mirror_x, &turned.mirror_y, h->orientation);
        if (turned.mirror_x || turned.mirror_y)
            status = media_hashed(ob_pdq_begin(&h->shown, &turned, NULL), fault);
        if (status)
            return status;
    }
    return media_hashed(ob_pdq_begin(&h->stream, &shape, NULL), fault);
}

static ob_status rows(void *context, const uint8_t *from, size_t stride, size_t count,
                      ob_media_fault *fault)
{
    hashing *h = context;
    ob_status status = ob_pdq_rows(h->stream, from, stride, count, NULL);
    if (!status && h->shown)
        status = ob_pdq_rows(h->shown, from, stride, count, NULL);
    return media_hashed(status, fault);
}

ob_status media_hash_with(ob_media_result *out, media_decode decode, const uint8_t *bytes,
                          size_t size, const ob_media_options *options, ob_media_fault *fault)
{
    /* A reduced picture must keep 512 pixels a side: coarser ones move too many bits. */
    media_wish wish = {.colour = options->exact,
                       .min_side = options->exact || options->variant != OB_PDQ_FULL ? 0 : 512};
    media_facts facts = {.orientation = 1, .frames = 1};
    hashing h = {.options = options, .facts = &facts, .result.format = ob_media_sniff(bytes, size)};
    media_sink sink = {.begin = begin, .rows = rows, .context = &h, .facts = &facts};
    ob_status status = decode(&sink, bytes, size, &wish, fault);
    if (!status)
        status = finish_frame(&h, fault);
    ob_pdq_free(h.stream);
    ob_pdq_free(h.shown);
    if (!status && !h.frames)
        status = media_fail(fault, OB_MEDIA_NO_PICTURE);
    if (status && fault)
        fault->format = h.result.format;
    if (status)
        return status;
    h.result.orientation = facts.orientation;
    h.result.frames = facts.frames;
    *out = h.result;
    return OB_OK;
}

ob_status media_deliver(const media_sink *sink, const uint8_t *rgb, size_t stride, uint32_t width,
                        uint32_t height, uint32_t frame, ob_media_fault *fault)
{
    const media_picture picture = {
        .shape = {.width = width, .height = height, .scale = 1, .samples = OB_PDQ_RGB},
        .frame = frame};
    ob_status status = sink->begin(sink->context, &picture, fault);
    return status ? status : sink->rows(sink->context, rgb, stride, height, fault);
}

void media_drop_alpha(uint8_t *pixels, size_t count)
{
    for (size_t k = 0; k < count; k++)
        memmove(pixels + 3 * k, pixels + 4 * k, 3);
}

/* ---- Formats ------------------------------------------------------------------------------- */

ob_status ob_media_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                        const ob_media_options *options, ob_media_fault *fault)
{
    static const media_decode decoders[OB_FORMATS] = {
        [OB_FORMAT_JPEG] = media_decode_jpeg, [OB_FORMAT_PNG] = media_decode_png,
        [OB_FORMAT_WEBP] = media_decode_webp, [OB_FORMAT_GIF] = media_decode_gif,
        [OB_FORMAT_TIFF] = media_decode_tiff,
    };
    ob_format format = ob_media_sniff(bytes, size);
    if (!decoders[format]) {
        media_fail(fault, ob_format_is_heif(format) ? OB_MEDIA_OTHER_DECODER : OB_MEDIA_NOT_KNOWN);
        if (fault)
            fault->format = format;
        return OB_ENOTFOUND;
    }
    return media_hash_with(out, decoders[format], bytes, size, options, fault);
}
