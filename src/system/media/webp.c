/* WebP by libwebp; moving ones by libwebpdemux. */
#include "media_priv.h"

#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

/* What libwebp says when it stops. */
static ob_status damaged(VP8StatusCode code, ob_media_fault *fault)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return media_fail(fault, OB_MEDIA_CUT);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return media_fail(fault, OB_MEDIA_KIND);
    default:
        return media_fail(fault, OB_MEDIA_DAMAGED);
    }
}

/* Row by row as the bytes come, so that of a cut file what is there is had. */
static VP8StatusCode decode_rows(int *rows, WebPDecoderConfig *config, const uint8_t *bytes,
                                 size_t size)
{
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, config);
    if (!decoder)
        return VP8_STATUS_OUT_OF_MEMORY;
    VP8StatusCode code = WebPIUpdate(decoder, bytes, size);
    *rows = 0;
    WebPIDecGetRGB(decoder, rows, NULL, NULL, NULL);
    WebPIDelete(decoder);
    return code;
}

static ob_status decode_still(const media_sink *sink, const uint8_t *bytes, size_t size,
                              const WebPBitstreamFeatures *features, ob_media_fault *fault)
{
    const uint32_t width = (uint32_t)features->width, height = (uint32_t)features->height;
    const bool alpha = features->has_alpha;
    const size_t stride = (size_t)width * (alpha ? 4 : 3), total = stride * height;
    ob_status status = media_check_memory(total, fault);
    if (status)
        return status;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return media_fail(fault, OB_MEDIA_LIBRARY);
    uint8_t *pixels = malloc(total);
    if (!pixels)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = total;
    VP8StatusCode code = WebPDecode(bytes, size, &config);
    int rows = (int)height;
    if (code != VP8_STATUS_OK && code != VP8_STATUS_OUT_OF_MEMORY) {
        decode_rows(&rows, &config, bytes, size);
        sink->facts->incomplete = true;
    }
    if (code != VP8_STATUS_OK && (rows < 1 || !media_is_enough((uint64_t)rows, height)))
        status = damaged(code, fault);
    else
        status = media_deliver_part(sink, pixels, stride, width, height, (uint32_t)rows,
                                    alpha ? MEDIA_ALPHA : MEDIA_OPAQUE, 0, fault);
    free(pixels);
    return status;
}

static WebPAnimDecoder *open_moving(const WebPData *data)
{
    WebPAnimDecoderOptions options;
    if (!WebPAnimDecoderOptionsInit(&options))
        return NULL;
    options.color_mode = MODE_RGBA;
    return WebPAnimDecoderNew(data, &options);
}

/* Each frame is drawn onto the ones before it. */
static ob_status draw_frames(const media_sink *sink, WebPAnimDecoder *decoder,
                             const WebPAnimInfo *info, ob_media_fault *fault)
{
    const uint64_t pixels = (uint64_t)info->canvas_width * info->canvas_height;
    uint64_t drawn = 0;
    ob_status status = OB_OK;
    sink->facts->frames = 0;
    while (!status && sink->facts->frames < info->frame_count) {
        const uint32_t frame = sink->facts->frames;
        uint8_t *rgba;
        int timestamp;
        if (((drawn += pixels) > OB_MEDIA_MAX_PIXELS && frame) || frame == OB_MEDIA_MAX_FRAMES) {
            sink->facts->unseen = OB_UNSEEN_FRAMES;
            return OB_OK;
        }
        if (!WebPAnimDecoderGetNext(decoder, &rgba, &timestamp)) {
            sink->facts->incomplete = true;
            return frame ? OB_OK : media_fail_at(fault, OB_MEDIA_DAMAGED_AT_FRAME, frame, 0);
        }
        status = media_deliver(sink, rgba, (size_t)info->canvas_width * 4, info->canvas_width,
                               info->canvas_height, MEDIA_ALPHA, frame, fault);
        sink->facts->frames = frame + 1;
    }
    return status;
}

static ob_status decode_moving(const media_sink *sink, const WebPData *data, uint32_t width,
                               uint32_t height, ob_media_fault *fault)
{
    /* libwebp holds the picture twice and one frame */
    ob_status status = media_check_memory((uint64_t)width * height * 12, fault);
    WebPAnimInfo info;
    WebPAnimDecoder *decoder = status ? NULL : open_moving(data);
    if (!status && (!decoder || !WebPAnimDecoderGetInfo(decoder, &info) || !info.frame_count))
        status = media_fail(fault, OB_MEDIA_DAMAGED);
    if (!status)
        status = draw_frames(sink, decoder, &info, fault);
    WebPAnimDecoderDelete(decoder);
    return status;
}

/* A copy that ends with the last whole chunk, its size set right; of a file that is cut within its
 * frames. */
static ob_status decode_cut(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const WebPBitstreamFeatures *features, ob_media_fault *fault)
{
    size_t end = 12;
    while (size - end >= 8) {
        const uint64_t length = bytes[end + 4] | bytes[end + 5] << 8 | bytes[end + 6] << 16 |
                                (uint64_t)bytes[end + 7] << 24;
        const uint64_t whole = 8 + length + (length & 1);
        if (whole > size - end)
            break;
        end += (size_t)whole;
    }
    uint8_t *copy = malloc(end);
    if (!copy)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    memcpy(copy, bytes, end);
    for (int i = 0; i < 4; i++)
        copy[4 + i] = (uint8_t)((end - 8) >> (8 * i));
    const WebPData data = {.bytes = copy, .size = end};
    sink->facts->incomplete = true;
    ob_status status =
        decode_moving(sink, &data, (uint32_t)features->width, (uint32_t)features->height, fault);
    free(copy);
    return status == OB_EFORMAT ? media_fail(fault, OB_MEDIA_CUT) : status;
}

static media_colour *profile(const WebPDemuxer *demuxer)
{
    WebPChunkIterator chunk;
    media_colour *colour = NULL;
    if (WebPDemuxGetChunk(demuxer, "ICCP", 1, &chunk)) {
        colour = media_colour_of_profile(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return colour;
}

static unsigned orientation(const WebPDemuxer *demuxer)
{
    WebPChunkIterator chunk;
    unsigned told = 1;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        told = media_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return told;
}

ob_status media_decode_webp(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault)
{
    (void)wish;
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(bytes, size, &features);
    if (code != VP8_STATUS_OK)
        return damaged(code, fault);
    ob_status status = media_check_size((uint64_t)features.width, (uint64_t)features.height, fault);
    if (status)
        return status;
    const WebPData data = {.bytes = bytes, .size = size};
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
    if (demuxer) {
        sink->facts->orientation = orientation(demuxer);
        sink->facts->colour = profile(demuxer);
    }
    WebPDemuxDelete(demuxer);
    if (!features.has_animation)
        return decode_still(sink, bytes, size, &features, fault);
    if (state != WEBP_DEMUX_DONE)
        return decode_cut(sink, bytes, size, &features, fault);
    return decode_moving(sink, &data, (uint32_t)features.width, (uint32_t)features.height, fault);
}
