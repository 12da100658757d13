/* ICC profiles: what is read of them before lcms is asked. */
#include "media_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    media_icc_changes_little(bytes, size);
    return 0;
}
