/* Any bytes as a JPEG. */
#include "media_any.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return fuzz_media(OB_FORMAT_JPEG, bytes, size);
}
