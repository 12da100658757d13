/* Bytes that somebody else chose, as strings of JSON. */
#include <obhut/http.h>

/* Length of the UTF-8 character at `p`, or 0 where there is none. */
static size_t character(const unsigned char *p)
{
    size_t length = *p < 0x80   ? 1
                    : *p < 0xC2 ? 0
                    : *p < 0xE0 ? 2
                    : *p < 0xF0 ? 3
                    : *p < 0xF5 ? 4
                                : 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) || (*p == 0xF0 && p[1] < 0x90) ||
        (*p == 0xF4 && p[1] > 0x8F))
        return 0; /* overlong, half a surrogate pair, beyond the last character */
    return length;
}

bool ob_is_utf8(const void *bytes, size_t size)
{
    const unsigned char *p = bytes, *end = p + size;
    while (p < end) {
        if (*p < 0x80) {
            p++;
            continue;
        }
        unsigned char last[4] = {0}; /* what is cut off is no character */
        const size_t left = (size_t)(end - p);
        for (size_t i = 0; i < sizeof last && i < left; i++)
            last[i] = p[i];
        const size_t length = character(last);
        if (!length)
            return false;
        p += length;
    }
    return true;
}

json_t *ob_json_text(const char *bytes)
{
    json_t *text = json_string(bytes);
    if (text)
        return text;
    ob_buf clean = {0};
    ob_status status = OB_OK;
    for (const char *p = bytes; *p && !status;) {
        size_t length = character((const unsigned char *)p);
        status = length ? ob_buf_append(&clean, p, length, NULL)
                        : ob_buf_append(&clean, "\xEF\xBF\xBD", 3, NULL);
        p += length ? length : 1;
    }
    if (!status)
        text = json_string(clean.bytes);
    ob_buf_free(&clean);
    return text;
}
