/* Any bytes as AVIF or HEIC: a hash or an error, whatever the options. */
#include <obhut/media.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (ob_format_at(ob_media_sniff(bytes, size))->program != OB_PROGRAM_HEIF)
        return -1;
    const ob_media_options options = {.exact = size % 2,
                                      .variant = size % 3 ? OB_PDQ_FULL : OB_PDQ_REFERENCE};
    ob_media_result result;
    ob_media_fault fault = {0};
    ob_status status = ob_media_hash_heif(&result, bytes, size, &options, &fault);
    ob_error err = {0};
    if (status && (!ob_media_fault_is_sane(&fault) || ob_media_explain(&err, &fault) != status ||
                   !err.text[0]))
        abort();
    return 0;
}
