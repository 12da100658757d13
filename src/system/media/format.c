/* Formats by their first bytes, limits, frames: what needs no decoder. */
#include "media_priv.h"

#include <string.h>

const char *ob_format_name(ob_format format)
{
    static const char *const names[OB_FORMATS] = {"unknown", "jpeg", "png",      "webp", "gif",
                                                  "tiff",    "avif", "heic",     "bmp",  "ico",
                                                  "jxl",     "svg",  "avif-mini"};
    return format < OB_FORMATS ? names[format] : names[OB_FORMAT_UNKNOWN];
}

bool ob_format_is_heif(ob_format format)
{
    return format == OB_FORMAT_AVIF || format == OB_FORMAT_HEIC;
}

const char *ob_look_name(ob_look look)
{
    static const char *const names[OB_LOOKS] = {"stored", "coloured", "on_white", "on_black",
                                                "whole"};
    return look < OB_LOOKS ? names[look] : "unknown";
}

/* ISO base media files say with four letters what they are (ISO/IEC 23008-12, AV1 Image File
 * Format). */
static bool is_one_of(const uint8_t *brand, const char (*of)[5], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!memcmp(brand, of[i], 4))
            return true;
    return false;
}

/* The first brand, or one of those that it says to be compatible with: browsers take either. */
static ob_format sniff_brands(const uint8_t *bytes, size_t size)
{
    static const char avif[][5] = {"avif", "avis"}, mini[][5] = {"mif3"};
    static const char heic[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};
    const uint64_t box =
        (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | bytes[2] << 8 | bytes[3];
    size_t end = size < OB_MEDIA_SNIFF ? size : OB_MEDIA_SNIFF;
    end = box < end ? (size_t)box : end;
    ob_format found = OB_FORMAT_UNKNOWN;
    if (is_one_of(bytes + 8, mini, 1))
        return OB_FORMAT_AVIF_MINI;
    for (size_t at = 8; at + 4 <= (end < 12 ? 12 : end) && found != OB_FORMAT_AVIF;
         at += at == 8 ? 8 : 4) {
        if (is_one_of(bytes + at, avif, sizeof avif / sizeof *avif))
            found = OB_FORMAT_AVIF;
        else if (is_one_of(bytes + at, heic, sizeof heic / sizeof *heic))
            found = OB_FORMAT_HEIC;
    }
    return found;
}

/* The signature of JPEG XL (ISO/IEC 18181-2), bare or in boxes. */
static bool is_jxl(const uint8_t *bytes, size_t size)
{
    static const uint8_t boxed[12] = {0, 0, 0, 12, 'J', 'X', 'L', ' ', 13, 10, 0x87, 10};
    return (size >= 2 && bytes[0] == 0xFF && bytes[1] == 0x0A) ||
           (size >= sizeof boxed && !memcmp(bytes, boxed, sizeof boxed));
}

/* A directory of icons or cursors: two zero bytes, a kind, how many; the first has a zero byte and
 * its place lies behind the directory. */
static bool is_ico(const uint8_t *bytes, size_t size)
{
    if (size < 22 || bytes[0] || bytes[1] || (bytes[2] != 1 && bytes[2] != 2) || bytes[3])
        return false;
    const unsigned count = bytes[4] | bytes[5] << 8;
    const uint64_t at = bytes[18] | bytes[19] << 8 | bytes[20] << 16 | (uint64_t)bytes[21] << 24;
    return count && at >= 6 + 16 * (uint64_t)count;
}

/* The size of its header is one of those that there are. */
static bool is_bmp(const uint8_t *bytes, size_t size)
{
    if (size < 18 || memcmp(bytes, "BM", 2) || bytes[15] || bytes[16] || bytes[17])
        return false;
    return bytes[14] == 12 || (bytes[14] >= 16 && bytes[14] <= 124);
}

/* An element "svg" at the beginning of a text; what browsers go by is its media type. */
static bool is_svg(const uint8_t *bytes, size_t size)
{
    size_t at = size >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
    while (at < size && (bytes[at] == ' ' || (bytes[at] >= '\t' && bytes[at] <= '\r')))
        at++;
    if (at == size || bytes[at] != '<')
        return false;
    for (; at + 5 <= size && at < OB_MEDIA_SNIFF; at++)
        if (!memcmp(bytes + at, "<svg", 4) &&
            (bytes[at + 4] <= ' ' || bytes[at + 4] == '>' || bytes[at + 4] == ':'))
            return true;
    return false;
}

ob_format ob_media_sniff(const uint8_t *bytes, size_t size)
{
    if (size >= 3 && !memcmp(bytes, "\xFF\xD8\xFF", 3))
        return OB_FORMAT_JPEG;
    if (size >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1A\n", 8))
        return OB_FORMAT_PNG;
    if (size >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4))
        return OB_FORMAT_WEBP;
    if (size >= 6 && (!memcmp(bytes, "GIF87a", 6) || !memcmp(bytes, "GIF89a", 6)))
        return OB_FORMAT_GIF;
    if (size >= 4 && (!memcmp(bytes, "II*\0", 4) || !memcmp(bytes, "MM\0*", 4) ||
                      !memcmp(bytes, "II+\0", 4) || !memcmp(bytes, "MM\0+", 4)))
        return OB_FORMAT_TIFF;
    if (size >= 12 && !memcmp(bytes + 4, "ftyp", 4))
        return sniff_brands(bytes, size);
    if (is_jxl(bytes, size))
        return OB_FORMAT_JXL;
    if (is_bmp(bytes, size))
        return OB_FORMAT_BMP;
    if (is_ico(bytes, size))
        return OB_FORMAT_ICO;
    return is_svg(bytes, size) ? OB_FORMAT_SVG : OB_FORMAT_UNKNOWN;
}

/* ---- Orientation --------------------------------------------------------------------------- */

/* EXIF 2.32, tag 0x0112: where row 0 and column 0 of the stored picture lie when it is shown. */
ob_dihedral ob_media_shown(unsigned orientation)
{
    static const ob_dihedral shown[] = {
        [1] = OB_DIHEDRAL_ORIGINAL,   [2] = OB_DIHEDRAL_FLIPY,     [3] = OB_DIHEDRAL_ROTATE180,
        [4] = OB_DIHEDRAL_FLIPX,      [5] = OB_DIHEDRAL_TRANSPOSE, [6] = OB_DIHEDRAL_ROTATE270,
        [7] = OB_DIHEDRAL_TRANSVERSE, [8] = OB_DIHEDRAL_ROTATE90,
    };
    return orientation >= 1 && orientation <= 8 ? shown[orientation] : OB_DIHEDRAL_ORIGINAL;
}

/* ---- Limits -------------------------------------------------------------------------------- */

ob_status media_check_size(uint64_t width, uint64_t height, ob_media_fault *fault)
{
    if (!width || !height)
        return media_fail(fault, OB_MEDIA_NO_PIXELS);
    if (width > OB_PDQ_MAX_SIDE || height > OB_PDQ_MAX_SIDE)
        return media_fail(fault, OB_MEDIA_LONG_SIDE);
    if (width * height > OB_MEDIA_MAX_PIXELS)
        return media_fail_at(fault, OB_MEDIA_PIXELS, (uint32_t)width, (uint32_t)height);
    return OB_OK;
}

ob_status media_check_frames(uint64_t frames, ob_media_fault *fault)
{
    if (frames > OB_MEDIA_MAX_FRAMES)
        return media_fail(fault, OB_MEDIA_FRAMES_TOO_MANY);
    return frames ? OB_OK : media_fail(fault, OB_MEDIA_NO_FRAME);
}

ob_status media_check_memory(uint64_t bytes, ob_media_fault *fault)
{
    if (bytes > OB_MEDIA_MAX_MEMORY)
        return media_fail(fault, OB_MEDIA_MEMORY);
    return OB_OK;
}

bool media_is_enough(uint64_t rows, uint64_t of)
{
    return rows * 10 >= of * 9;
}
