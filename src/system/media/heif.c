/* HEIC by libheif: the primary picture, turned as it is to be shown. */
#include "media_priv.h"

#include <stdlib.h>

#include <libheif/heif.h>

static ob_status damaged(const struct heif_error *problem, ob_media_fault *fault)
{
    if (problem->code == heif_error_Memory_allocation_error)
        return media_fail(fault, OB_MEDIA_MEMORY);
    return media_fail(fault, OB_MEDIA_KIND);
}

static media_alpha kind_of(const struct heif_image_handle *handle)
{
    if (!heif_image_handle_has_alpha_channel(handle))
        return MEDIA_OPAQUE;
    return heif_image_handle_is_premultiplied_alpha(handle) ? MEDIA_MULTIPLIED : MEDIA_ALPHA;
}

/* Of the profile, where there is one. */
static media_colour *profile(const struct heif_image_handle *handle)
{
    const size_t size = heif_image_handle_get_raw_color_profile_size(handle);
    uint8_t *bytes = size && size < 4 << 20 ? malloc(size) : NULL;
    media_colour *colour = NULL;
    if (bytes && !heif_image_handle_get_raw_color_profile(handle, bytes).code)
        colour = media_colour_of_profile(bytes, size);
    free(bytes);
    return colour;
}

static ob_status deliver(const media_sink *sink, const struct heif_image_handle *handle,
                         ob_media_fault *fault)
{
    int width = heif_image_handle_get_width(handle), height = heif_image_handle_get_height(handle);
    if (width <= 0 || height <= 0)
        return media_fail(fault, OB_MEDIA_NO_PIXELS);
    ob_status status = media_check_size((uint64_t)width, (uint64_t)height, fault);
    if (!status) /* planes as decoded, and RGB */
        status = media_check_memory((uint64_t)width * (uint64_t)height * 6, fault);
    if (status)
        return status;
    struct heif_image *image = NULL;
    const bool alpha = heif_image_handle_has_alpha_channel(handle);
    struct heif_error problem =
        heif_decode_image(handle, &image, heif_colorspace_RGB,
                          alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, NULL);
    if (problem.code)
        return damaged(&problem, fault);
    int stride = 0;
    const uint8_t *rgb = heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);
    width = heif_image_get_width(image, heif_channel_interleaved);
    height = heif_image_get_height(image, heif_channel_interleaved);
    if (!rgb || width <= 0 || height <= 0 || stride < (alpha ? 4 : 3) * width)
        status = media_fail(fault, OB_MEDIA_NO_PICTURE);
    else
        status = media_deliver(sink, rgb, (size_t)stride, (uint32_t)width, (uint32_t)height,
                               kind_of(handle), 0, fault);
    heif_image_release(image);
    return status;
}

ob_status media_decode_heif(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault)
{
    (void)wish;
    enum { MAX_SIDE = 65535 };
    struct heif_context *context = heif_context_alloc();
    struct heif_image_handle *handle = NULL;
    if (!context)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    heif_context_set_maximum_image_size_limit(context, MAX_SIDE);
    ob_status status = OB_OK;
    struct heif_error problem =
        heif_context_read_from_memory_without_copy(context, bytes, size, NULL);
    if (!problem.code)
        problem = heif_context_get_primary_image_handle(context, &handle);
    if (!problem.code)
        sink->facts->colour = profile(handle);
    status = problem.code ? damaged(&problem, fault) : deliver(sink, handle, fault);
    heif_image_handle_release(handle);
    heif_context_free(context);
    return status;
}

ob_status ob_media_hash_heif(ob_media_result *out, const uint8_t *bytes, size_t size,
                             const ob_media_options *options, ob_media_fault *fault)
{
    const ob_format format = ob_media_sniff(bytes, size);
    if (ob_format_at(format)->program != OB_PROGRAM_HEIF)
        return media_fail(fault, OB_MEDIA_KIND);
    return media_hash_with(out, format == OB_FORMAT_AVIF ? media_decode_avif : media_decode_heif,
                           bytes, size, options, fault);
}
