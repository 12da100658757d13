/* Any bytes as a picture of one format: a hash or an error, whatever the options. */
#ifndef OBHUT_FUZZ_MEDIA_ANY_H
#define OBHUT_FUZZ_MEDIA_ANY_H

#include <obhut/media.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static inline int fuzz_media(ob_format format, const uint8_t *bytes, size_t size)
{
    if (ob_media_sniff(bytes, size) != format)
        return -1;
    const ob_media_options options = {.exact = size % 2,
                                      .variant = size % 3 ? OB_PDQ_FULL : OB_PDQ_REFERENCE};
    ob_media_result result;
    ob_media_fault fault = {0};
    ob_status status = ob_media_hash(&result, bytes, size, &options, &fault);
    ob_error err = {0};
    if (status && (!ob_media_fault_is_sane(&fault) || ob_media_explain(&err, &fault) != status ||
                   !err.text[0]))
        abort();
    return 0;
}

#endif
