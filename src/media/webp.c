/* WebP by libwebp; moving ones by libwebpdemux. Alpha is ignored. */
#include "media_priv.h"

#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

/* What libwebp says when it stops. */
static ob_status damaged(VP8StatusCode code, ob_error *err)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return ob_fail(err, OB_ENOMEM, "out of memory: decoding a WebP");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return ob_fail(err, OB_EFORMAT, "WebP cut short");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return ob_fail(err, OB_EFORMAT, "a WebP with a feature that is unknown");
    default:
        return ob_fail(err, OB_EFORMAT, "damaged WebP");
    }
}

static ob_status decode_still(const media_sink *sink, const uint8_t *bytes, size_t size,
                              const WebPBitstreamFeatures *features, ob_error *err)
{
    uint32_t width = (uint32_t)features->width, height = (uint32_t)features->height;
    size_t stride = (size_t)width * 3, total = stride * height;
    ob_status status = media_check_memory(total, "this WebP", err);
    if (status)
        return status;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return ob_fail(err, OB_EFORMAT, "another libwebp than this was built for");
    uint8_t *rgb = malloc(total);
    if (!rgb)
        return ob_fail(err, OB_ENOMEM, "out of memory: decoding a WebP");
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = rgb;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = total;
    VP8StatusCode code = WebPDecode(bytes, size, &config);
    status = code == VP8_STATUS_OK ? media_deliver(sink, rgb, stride, width, height, 0, err)
                                   : damaged(code, err);
    free(rgb);
    return status;
}

/* Each frame is drawn onto the ones before it. */
static ob_status decode_moving(const media_sink *sink, const WebPData *data, uint32_t width,
                               uint32_t height, ob_error *err)
{
    size_t pixels = (size_t)width * height;
    /* libwebp holds the picture twice and one frame, we a copy */
    ob_status status = media_check_memory(pixels * 16, "this moving WebP", err);
    WebPAnimDecoderOptions options;
    WebPAnimInfo info;
    WebPAnimDecoder *decoder = NULL;
    uint8_t *copy = status ? NULL : malloc(pixels * 4);
    if (!status && !copy)
        status = ob_fail(err, OB_ENOMEM, "out of memory: decoding a WebP");
    if (!status && WebPAnimDecoderOptionsInit(&options)) {
        options.color_mode = MODE_RGBA;
        decoder = WebPAnimDecoderNew(data, &options);
    }
    if (!status && (!decoder || !WebPAnimDecoderGetInfo(decoder, &info)))
        status = ob_fail(err, OB_EFORMAT, "damaged moving WebP");
    if (!status)
        status = media_check_frames(info.frame_count, err);
    if (!status)
        sink->facts->frames = info.frame_count;
    uint64_t drawn = 0;
    for (uint32_t frame = 0; !status && frame < info.frame_count; frame++) {
        uint8_t *rgba;
        int timestamp;
        if ((drawn += pixels) > OB_MEDIA_MAX_PIXELS && frame)
            break; /* frames beyond are not looked at: docs/HASHING.md */
        if (!WebPAnimDecoderGetNext(decoder, &rgba, &timestamp)) {
            status = ob_fail(err, OB_EFORMAT, "damaged moving WebP, at frame %u of %u", frame,
                             info.frame_count);
        } else if (media_frame_is_wanted(frame, info.frame_count)) {
            memcpy(copy, rgba, pixels * 4);
            media_drop_alpha(copy, pixels);
            status = media_deliver(sink, copy, (size_t)width * 3, width, height, frame, err);
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
                            const media_wish *wish, ob_error *err)
{
    (void)wish;
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(bytes, size, &features);
    if (code != VP8_STATUS_OK)
        return damaged(code, err);
    ob_status status = media_check_size((uint64_t)features.width, (uint64_t)features.height, err);
    if (status)
        return status;
    const WebPData data = {.bytes = bytes, .size = size};
    WebPDemuxState state;
    WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
    if (features.has_animation && (!demuxer || state != WEBP_DEMUX_DONE))
        status = ob_fail(err, OB_EFORMAT, "moving WebP cut short or damaged");
    else if (features.has_animation)
        status = media_check_frames(WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT), err);
    if (!status && demuxer)
        sink->facts->orientation = orientation(demuxer);
    WebPDemuxDelete(demuxer);
    if (status)
        return status;
    return features.has_animation ? decode_moving(sink, &data, (uint32_t)features.width,
                                                  (uint32_t)features.height, err)
                                  : decode_still(sink, bytes, size, &features, err);
}
