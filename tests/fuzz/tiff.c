/* Any bytes as a TIFF. */
#include "media_any.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return fuzz_media(OB_FORMAT_TIFF, bytes, size);
}
