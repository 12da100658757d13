#include <obhut/base.h>

void ob_hash256_print(char out[OB_HASH256_HEX + 1], const ob_hash256 *hash)
{
    for (int digit = 0; digit < OB_HASH256_HEX; digit++) {
        int bit = 4 * (OB_HASH256_HEX - 1 - digit);
        out[digit] = "0123456789abcdef"[(hash->q[bit / 64] >> (bit % 64)) & 15];
    }
    out[OB_HASH256_HEX] = '\0';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

ob_status ob_hash256_parse(ob_hash256 *out, const char *text, size_t length, ob_error *err)
{
    if (length != OB_HASH256_HEX)
        return ob_fail(err, OB_EFORMAT, "%zu characters where a hash has %d hexadecimal digits",
                       length, OB_HASH256_HEX);
    ob_hash256 hash = {{0}};
    for (int digit = 0; digit < OB_HASH256_HEX; digit++) {
        int value = digit_value(text[digit]);
        if (value < 0)
            return ob_fail(err, OB_EFORMAT, "character %d of the hash is not a hexadecimal digit",
                           digit + 1);
        int bit = 4 * (OB_HASH256_HEX - 1 - digit);
        hash.q[bit / 64] |= (uint64_t)value << (bit % 64);
    }
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
