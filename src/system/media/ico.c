/* ICO and CUR: a directory of pictures, PNG or BMP; what is shown is the largest. */
#include "bmp_priv.h"

#include <string.h>

enum { DIRECTORY = 6, ENTRY = 16 };

static uint32_t little32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* By pixels, then by bits. */
static uint32_t worth(const uint8_t *entry)
{
    const uint32_t width = entry[0] ? entry[0] : 256, height = entry[1] ? entry[1] : 256;
    return width * height << 8 | entry[6];
}

ob_status media_decode_ico(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault)
{
    const size_t count = bytes[4] | (size_t)bytes[5] << 8;
    const uint8_t *best = NULL;
    for (size_t i = 0; i < count && DIRECTORY + (i + 1) * ENTRY <= size; i++) {
        const uint8_t *entry = bytes + DIRECTORY + i * ENTRY;
        if (little32(entry + 12) < size && (!best || worth(entry) > worth(best)))
            best = entry;
    }
    if (!best)
        return media_fail(fault, OB_MEDIA_CUT_EARLY);
    const size_t at = little32(best + 12);
    if (size - at >= 8 && !memcmp(bytes + at, "\x89PNG\r\n\x1A\n", 8))
        return media_decode_png(sink, bytes + at, size - at, wish, fault);
    return bmp_decode(sink, bytes + at, size - at, 0, true, fault);
}
