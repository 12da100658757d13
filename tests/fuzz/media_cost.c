/* Any bytes as a file whose cost is estimated from its head. */
#include <obhut/media.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct input {
    const uint8_t *bytes;
    size_t size;
    unsigned reads;
} input;

static size_t read_input(void *context, void *out, size_t size, uint64_t at)
{
    input *in = context;
    in->reads++;
    if (at >= in->size || size > in->size - at)
        abort(); /* whoever asks knows how much there is */
    memcpy(out, in->bytes + at, size);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input in = {.bytes = bytes, .size = size};
    ob_media_cost cost = ob_media_estimate(read_input, &in, size);
    /* a bounded number of small reads, and never more than the largest picture costs */
    if (in.reads > 1024 || cost.us > 100000000 + size)
        abort();
    return 0;
}
