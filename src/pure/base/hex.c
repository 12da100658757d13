/* Bytes as hexadecimal digits, and back. */
#include <obhut/base.h>

void ob_hex(char *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = '\0';
}

/* Value + 1 of each digit; 0: none. */
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

ob_status ob_hex_parse(uint8_t *out, size_t size, const char *text, ob_error *err)
{
    for (size_t i = 0; i < size; i++) {
        unsigned high = digit_values[(unsigned char)text[2 * i]];
        unsigned low = high ? digit_values[(unsigned char)text[2 * i + 1]] : 0;
        if (!high || !low)
            return ob_fail(err, OB_EFORMAT, "character %zu is not a hexadecimal digit",
                           2 * i + (high ? 2 : 1));
        out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return OB_OK;
}
