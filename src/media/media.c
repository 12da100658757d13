#include "media_priv.h"

#include <string.h>

const char *ob_format_name(ob_format format)
{
    switch (format) {
    case OB_FORMAT_JPEG:
        return "jpeg";
    case OB_FORMAT_PNG:
        return "png";
    default:
        return "unknown";
    }
}

ob_format ob_media_sniff(const uint8_t *bytes, size_t size)
{
    if (size >= 3 && !memcmp(bytes, "\xFF\xD8\xFF", 3))
        return OB_FORMAT_JPEG;
    if (size >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1A\n", 8))
        return OB_FORMAT_PNG;
    return OB_FORMAT_UNKNOWN;
}

ob_status media_check_size(uint64_t width, uint64_t height, ob_error *err)
{
    if (!width || !height)
        return ob_fail(err, OB_EFORMAT, "a picture without any pixels");
    if (width > OB_PDQ_MAX_SIDE || height > OB_PDQ_MAX_SIDE)
        return ob_fail(err, OB_ELIMIT, "%llu x %llu pixels; a side may have %d",
                       (unsigned long long)width, (unsigned long long)height, OB_PDQ_MAX_SIDE);
    if (width * height > OB_MEDIA_MAX_PIXELS)
        return ob_fail(err, OB_ELIMIT, "%llu x %llu pixels; at most %llu million are decoded",
                       (unsigned long long)width, (unsigned long long)height,
                       (unsigned long long)(OB_MEDIA_MAX_PIXELS / 1000000));
    return OB_OK;
}

ob_status media_check_memory(uint64_t bytes, const char *kind, ob_error *err)
{
    if (bytes > OB_MEDIA_MAX_MEMORY)
        return ob_fail(err, OB_ELIMIT, "%s would take %llu MiB to decode; at most %llu are given",
                       kind, (unsigned long long)(bytes >> 20),
                       (unsigned long long)(OB_MEDIA_MAX_MEMORY >> 20));
    return OB_OK;
}

/* ---- From rows to the hash ---------------------------------------------------------------- */

typedef struct hashing {
    const ob_media_options *options;
    ob_pdq_stream *stream;
    uint32_t width, height;
} hashing;

static ob_status begin(void *context, const ob_pdq_shape *shape, ob_error *err)
{
    hashing *h = context;
    ob_pdq_shape complete = *shape;
    complete.variant = h->options->variant;
    complete.isa = h->options->isa;
    h->width = shape->width;
    h->height = shape->height;
    return ob_pdq_begin(&h->stream, &complete, err);
}

static ob_status rows(void *context, const uint8_t *from, size_t stride, size_t count,
                      ob_error *err)
{
    hashing *h = context;
    return ob_pdq_rows(h->stream, from, stride, count, err);
}

ob_status ob_media_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                        const ob_media_options *options, ob_error *err)
{
    /* A reduced picture must keep 512 pixels a side: coarser ones move too many bits. */
    media_wish wish = {.colour = options->exact,
                       .min_side = options->exact || options->variant != OB_PDQ_FULL ? 0 : 512};
    hashing h = {.options = options};
    media_sink sink = {.begin = begin, .rows = rows, .context = &h};
    ob_media_result result = {.format = ob_media_sniff(bytes, size)};
    ob_status status;
    switch (result.format) {
    case OB_FORMAT_JPEG:
        status = media_decode_jpeg(&sink, bytes, size, &wish, err);
        break;
    case OB_FORMAT_PNG:
        status = media_decode_png(&sink, bytes, size, &wish, err);
        break;
    default:
        status = ob_fail(err, OB_EFORMAT, "not a JPEG or PNG picture");
    }
    if (!status)
        status = ob_pdq_finish(&result.pdq, h.stream, err);
    ob_pdq_free(h.stream);
    if (status)
        return status;
    result.width = h.width;
    result.height = h.height;
    *out = result;
    return OB_OK;
}
