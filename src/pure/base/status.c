/* Fills in errors, and cuts their text at a character border. */
#include <obhut/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* vsnprintf may cut in the middle of a UTF-8 character: drop the broken rest. */
static void trim_partial_character(char *text, size_t capacity)
{
    size_t length = strlen(text);
    if (length + 1 < capacity)
        return;
    size_t start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0xC0)
        text[start - 1] = '\0';
}

ob_status ob_fail(ob_error *err, ob_status status, const char *format, ...)
{
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    trim_partial_character(err->text, sizeof err->text);
    err->status = status;
    return status;
}

ob_status ob_fail_in(ob_error *err, ob_status status, const char *where, ...)
{
    if (!err)
        return status;
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, where);
    int length = vsnprintf(err->text, sizeof err->text, where, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof err->text)
        snprintf(err->text + length, sizeof err->text - (size_t)length, ": %s", inner);
    trim_partial_character(err->text, sizeof err->text);
    if (err->status == OB_OK)
        err->status = status;
    return err->status;
}
