/* WebP by libwebp; moving ones by libwebpdemux. Alpha is ignored. */
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

static ob_status decode_still(const media_sink *sink, const uint8_t *bytes, size_t size,
                              const WebPBitstreamFeatures *features, ob_media_fault *fault)
{
    uint32_t width = (uint32_t)features->width, height = (uint32_t)features->height;
    size_t stride = (size_t)width * 3, total = stride * height;
    ob_status status = media_check_memory(total, fault);
    if (status)
        return status;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return media_fail(fault, OB_MEDIA_LIBRARY);
    uint8_t *rgb = malloc(total);
    if (!rgb)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = rgb;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = total;
    VP8StatusCode code = WebPDecode(bytes, size, &config);
    status = code == VP8_STATUS_OK ? media_deliver(sink, rgb, stride, width, height, 0, fault)
                                   : damaged(code, fault);
    free(rgb);
    return status;
}

/* Each frame is drawn onto the ones before it. */
static ob_status decode_moving(const media_sink *sink, const WebPData *data, uint32_t width,
                               uint32_t height, ob_media_fault *fault)
{
    size_t pixels = (size_t)width * height;
    /* libwebp holds the picture twice and one frame, we a copy */
    ob_status status = media_check_memory(pixels * 16, fault);
    WebPAnimDecoderOptions options;
    WebPAnimInfo info;
    WebPAnimDecoder *decoder = NULL;
    uint8_t *copy = status ? NULL : malloc(pixels * 4);
    if (!status && !copy)
        status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    if (!status && WebPAnimDecoderOptionsInit(&options)) {
        options.color_mode = MODE_RGBA;
        decoder = WebPAnimDecoderNew(data, &options);
    }
    if (!status && (!decoder || !WebPAnimDecoderGetInfo(decoder, &info)))
        status = media_fail(fault, OB_MEDIA_DAMAGED);
    if (!status)
        status = media_check_frames(info.frame_count, fault);
    if (!status)
        sink->facts->frames = info.frame_count;
    uint64_t drawn = 0;
    for (uint32_t frame = 0; !status && frame < info.frame_count; frame++) {
        uint8_t *rgba;
        int timestamp;
        if ((drawn += pixels) > OB_MEDIA_MAX_PIXELS && frame)
            break; /* frames beyond are not looked at: docs/HASHING.md */
        if (!WebPAnimDecoderGetNext(decoder, &rgba, &timestamp)) {
            status = media_fail_at(fault, OB_MEDIA_DAMAGED_AT_FRAME, frame, 0);
        } else if (media_frame_is_wanted(frame, info.frame_count)) {
            memcpy(copy, rgba, pixels * 4);
            media_drop_alpha(copy, pixels);
            status = media_deliver(sink, copy, (size_t)width * 3, width, height, frame, fault);
        }
    }
    WebPAnimDecoderDelete(decoder);
    free(copy);
    return status;
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
    WebPDemuxState state;
    WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
    if (features.has_animation && (!demuxer || state != WEBP_DEMUX_DONE))
        status = media_fail(fault, OB_MEDIA_CUT);
    else if (features.has_animation)
        status = media_check_frames(WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT), fault);
    if (!status && demuxer)
        sink->facts->orientation = orientation(demuxer);
    WebPDemuxDelete(demuxer);
    if (status)
        return status;
    return features.has_animation ? decode_moving(sink, &data, (uint32_t)features.width,
                                                  (uint32_t)features.height, fault)
                                  : decode_still(sink, bytes, size, &features, fault);
}
