/* Any bytes in gzip, cut anywhere, and as UTF-16 of either order. */
#include "list_any.h"

#include <zlib.h>

static size_t pack(uint8_t *to, size_t room, const uint8_t *bytes, size_t size)
{
    z_stream z = {0};
    if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (uint8_t *)(uintptr_t)bytes;
    z.avail_in = (uInt)size;
    z.next_out = to;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&z);
    return z.total_out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2)
        return 0;
    const uint8_t what = bytes[0], cut = bytes[1];
    bytes += 2;
    size -= 2;
    const size_t room = 2 * size + 1024;
    uint8_t *packed = malloc(room);
    if (!packed)
        abort();
    static const uint8_t marks[2][2] = {{0xFF, 0xFE}, {0xFE, 0xFF}};
    memcpy(packed, marks[what >> 1 & 1], 2);
    memcpy(packed + 2, bytes, size);
    size_t length = size + 2;
    if (what & 1) {
        length = pack(packed, room, bytes, size);
        length -= cut % 3 ? 0 : cut % length;
        packed[cut % (length + 1)] ^= (uint8_t)(what & 4);
    }
    int file = file_of("", packed, length);
    read_all(file, SIZE_MAX);
    close(file);
    free(packed);
    return 0;
}
