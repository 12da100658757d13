/* Between tiff.c and tiff_samples.c. */
#ifndef OBHUT_TIFF_PRIV_H
#define OBHUT_TIFF_PRIV_H

#include "media_priv.h"

#include <tiffio.h>

/* Delivers the current page where its samples are of a kind that libtiff does not turn into RGBA.
 */
ob_status tiff_deliver_samples(const media_sink *sink, TIFF *tiff, uint32_t number,
                               ob_media_fault *fault);

#endif
