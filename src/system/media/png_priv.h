/* Between png.c, which has libpng, and apng.c, which knows what moves. */
#ifndef OBHUT_PNG_PRIV_H
#define OBHUT_PNG_PRIV_H

#include "media_priv.h"

/* What the chunks of a file say before any is decoded. */
typedef struct png_outline {
    bool moves;  /* it has frames beside the picture */
    bool is_cut; /* it ends within its pixels */
    bool is_hdr; /* its tones are those of HDR */
} png_outline;

png_outline png_outline_of(const uint8_t *bytes, size_t size);

/* The frames of a moving picture; the picture that all decoders know was delivered as frame 0. */
ob_status png_deliver_moving(const media_sink *sink, const uint8_t *bytes, size_t size,
                             ob_media_fault *fault);

/* Decodes a whole PNG of this size to RGBA. */
ob_status png_read_rgba(uint8_t *out, uint32_t width, uint32_t height, const uint8_t *bytes,
                        size_t size, ob_media_fault *fault);

#endif
