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
static ob_status finish_frame(hashing *h, ob_error *err)
{
    if (!h->stream)
        return OB_OK;
    ob_media_frame frame = {.number = h->frame};
    ob_status status = ob_pdq_finish(&frame.pdq, h->stream, err);
    ob_pdq_free(h->stream);
    h->stream = NULL;
    if (status)
        return status;
    if (!h->frames++) {
        ob_pdq shown = frame.pdq;
        if (h->shown)
            status = ob_pdq_finish(&shown, h->shown, err);
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

static ob_status begin(void *context, const media_picture *picture, ob_error *err)
{
    hashing *h = context;
    ob_status status = finish_frame(h, err);
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
            status = ob_pdq_begin(&h->shown, &turned, err);
        if (status)
            return status;
    }
    return ob_pdq_begin(&h->stream, &shape, err);
}

static ob_status rows(void *context, const uint8_t *from, size_t stride, size_t count,
                      ob_error *err)
{
    hashing *h = context;
    ob_status status = ob_pdq_rows(h->stream, from, stride, count, err);
    if (!status && h->shown)
        status = ob_pdq_rows(h->shown, from, stride, count, err);
    return status;
}

ob_status media_hash_with(ob_media_result *out, media_decode decode, const uint8_t *bytes,
                          size_t size, const ob_media_options *options, ob_error *err)
{
    /* A reduced picture must keep 512 pixels a side: coarser ones move too many bits. */
    media_wish wish = {.colour = options->exact,
                       .min_side = options->exact || options->variant != OB_PDQ_FULL ? 0 : 512};
    media_facts facts = {.orientation = 1, .frames = 1};
    hashing h = {.options = options, .facts = &facts, .result.format = ob_media_sniff(bytes, size)};
    media_sink sink = {.begin = begin, .rows = rows, .context = &h, .facts = &facts};
    ob_status status = decode(&sink, bytes, size, &wish, err);
    if (!status)
        status = finish_frame(&h, err);
    ob_pdq_free(h.stream);
    ob_pdq_free(h.shown);
    if (!status && !h.frames)
        status = ob_fail(err, OB_EFORMAT, "a file without any picture");
    if (status)
        return status;
    h.result.orientation = facts.orientation;
    h.result.frames = facts.frames;
    *out = h.result;
    return OB_OK;
}

ob_status media_deliver(const media_sink *sink, const uint8_t *rgb, size_t stride, uint32_t width,
                        uint32_t height, uint32_t frame, ob_error *err)
{
    const media_picture picture = {
        .shape = {.width = width, .height = height, .scale = 1, .samples = OB_PDQ_RGB},
        .frame = frame};
    ob_status status = sink->begin(sink->context, &picture, err);
    return status ? status : sink->rows(sink->context, rgb, stride, height, err);
}

void media_drop_alpha(uint8_t *pixels, size_t count)
{
    for (size_t k = 0; k < count; k++)
        memmove(pixels + 3 * k, pixels + 4 * k, 3);
}

/* ---- Formats ------------------------------------------------------------------------------- */

ob_status ob_media_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                        const ob_media_options *options, ob_error *err)
{
    static const media_decode decoders[OB_FORMATS] = {
        [OB_FORMAT_JPEG] = media_decode_jpeg, [OB_FORMAT_PNG] = media_decode_png,
        [OB_FORMAT_WEBP] = media_decode_webp, [OB_FORMAT_GIF] = media_decode_gif,
        [OB_FORMAT_TIFF] = media_decode_tiff,
    };
    ob_format format = ob_media_sniff(bytes, size);
    if (ob_format_is_heif(format))
        return ob_fail(err, OB_ENOTFOUND, "this is no decoder of %s", ob_format_name(format));
    if (!decoders[format])
        return ob_fail(err, OB_ENOTFOUND, "no picture of a format that is known");
    return media_hash_with(out, decoders[format], bytes, size, options, err);
}
