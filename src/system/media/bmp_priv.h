/* Between bmp.c and ico.c, whose icons are BMPs without a file header. */
#ifndef OBHUT_BMP_PRIV_H
#define OBHUT_BMP_PRIV_H

#include "media_priv.h"

/* Decodes the bitmap whose header is at the beginning of `bytes`.
 *
 * pixels_at   where its pixels are, from there; 0: behind header and colours
 * is_icon     its height counts a mask as well, which follows the pixels */
ob_status bmp_decode(const media_sink *sink, const uint8_t *bytes, size_t size, size_t pixels_at,
                     bool is_icon, ob_media_fault *fault);

#endif
