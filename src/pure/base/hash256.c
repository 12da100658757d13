/* The 256-bit hash as text, and the distance of two. */
#include <obhut/base.h>

void ob_hash256_print(char out[OB_HASH256_HEX + 1], const ob_hash256 *hash)
{
    for (int digit = 0; digit < OB_HASH256_HEX; digit++) {
        int bit = 4 * (OB_HASH256_HEX - 1 - digit);
        out[digit] = "0123456789abcdef"[(hash->q[bit / 64] >> (bit % 64)) & 15];
    }
    out[OB_HASH256_HEX] = '\0';
}

ob_status ob_hash256_parse(ob_hash256 *out, const char *text, size_t length, ob_error *err)
{
    uint8_t bytes[OB_HASH256_HEX / 2];
    if (length != OB_HASH256_HEX)
        return ob_fail(err, OB_EFORMAT, "%zu characters where a hash has %d hexadecimal digits",
                       length, OB_HASH256_HEX);
    ob_status status = ob_hex_parse(bytes, sizeof bytes, text, err);
    if (status)
        return status;
    ob_hash256 hash = {{0}};
    for (unsigned i = 0; i < sizeof bytes; i++) /* most significant first */
        hash.q[3 - i / 8] = hash.q[3 - i / 8] << 8 | bytes[i];
    *out = hash;
    return OB_OK;
}

unsigned ob_hash256_distance(const ob_hash256 *a, const ob_hash256 *b)
{
    unsigned distance = 0;
    for (int i = 0; i < 4; i++)
        distance += (unsigned)__builtin_popcountll(a->q[i] ^ b->q[i]);
    return distance;
}
