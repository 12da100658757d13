/* The table of picture formats, their first bytes, limits, frames: what needs no decoder. */
#include "media_priv.h"

#include <string.h>

/* ---- First bytes ------------------------------------------------------------------------------
 */

static bool begins(const uint8_t *bytes, size_t size, const char *with, size_t length)
{
    return size >= length && !memcmp(bytes, with, length);
}

static bool is_jpeg(const uint8_t *bytes, size_t size)
{
    return begins(bytes, size, "\xFF\xD8\xFF", 3);
}

static bool is_png(const uint8_t *bytes, size_t size)
{
    return begins(bytes, size, "\x89PNG\r\n\x1A\n", 8);
}

static bool is_webp(const uint8_t *bytes, size_t size)
{
    return size >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4);
}

static bool is_gif(const uint8_t *bytes, size_t size)
{
    return begins(bytes, size, "GIF87a", 6) || begins(bytes, size, "GIF89a", 6);
}

static bool is_tiff(const uint8_t *bytes, size_t size)
{
    return begins(bytes, size, "II*\0", 4) || begins(bytes, size, "MM\0*", 4) ||
           begins(bytes, size, "II+\0", 4) || begins(bytes, size, "MM\0+", 4);
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

static bool has_brands(const uint8_t *bytes, size_t size)
{
    return size >= 12 && !memcmp(bytes + 4, "ftyp", 4);
}

/* The first brand, or one of those that it says to be compatible with: browsers take either. */
static ob_format sniff_brands(const uint8_t *bytes, size_t size)
{
    static const char avif[][5] = {"avif", "avis"}, mini[][5] = {"mif3"};
    static const char heic[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};
    ob_format found = OB_FORMAT_UNKNOWN;
    if (!has_brands(bytes, size))
        return found;
    const uint64_t box =
        (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | bytes[2] << 8 | bytes[3];
    size_t end = size < OB_MEDIA_SNIFF ? size : OB_MEDIA_SNIFF;
    end = box < end ? (size_t)box : end;
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

static bool is_avif_mini(const uint8_t *bytes, size_t size)
{
    return sniff_brands(bytes, size) == OB_FORMAT_AVIF_MINI;
}

static bool is_avif(const uint8_t *bytes, size_t size)
{
    return sniff_brands(bytes, size) == OB_FORMAT_AVIF;
}

static bool is_heic(const uint8_t *bytes, size_t size)
{
    return sniff_brands(bytes, size) == OB_FORMAT_HEIC;
}

/* The signature of JPEG XL (ISO/IEC 18181-2), bare or in boxes. */
static bool is_jxl(const uint8_t *bytes, size_t size)
{
    static const uint8_t boxed[12] = {0, 0, 0, 12, 'J', 'X', 'L', ' ', 13, 10, 0x87, 10};
    return (size >= 2 && bytes[0] == 0xFF && bytes[1] == 0x0A) ||
           (size >= sizeof boxed && !memcmp(bytes, boxed, sizeof boxed));
}

/* JPEG 2000 (ISO/IEC 15444-1): bare, or in boxes. */
static bool is_jpeg_2000(const uint8_t *bytes, size_t size)
{
    static const uint8_t boxed[12] = {0, 0, 0, 12, 'j', 'P', ' ', ' ', 13, 10, 0x87, 10};
    return (size >= 4 && !memcmp(bytes, "\xFF\x4F\xFF\x51", 4)) ||
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

/* ---- The formats ------------------------------------------------------------------------------
 *
 * docs/HASHING.md has this table; tests/docs/test_tables.py holds it, fuzzers and tests to it. */

static const ob_format_row formats[OB_FORMATS] = {
    [OB_FORMAT_UNKNOWN] = {"unknown", "unknown", OB_PROGRAM_NONE, NULL, NULL},
    [OB_FORMAT_JPEG] = {"jpeg", "JPEG", OB_PROGRAM_STANDARD,
                        "every kind that libjpeg-turbo decodes, CMYK and progressive too; of MPO "
                        "and Ultra HDR the first picture",
                        is_jpeg},
    [OB_FORMAT_PNG] = {"png", "PNG", OB_PROGRAM_STANDARD,
                       "every colour type and depth; of a moving one every frame, and the picture "
                       "that it hides",
                       is_png},
    [OB_FORMAT_WEBP] = {"webp", "WebP", OB_PROGRAM_STANDARD,
                        "still; of a moving one every frame, each as it is shown: drawn onto what "
                        "was there",
                        is_webp},
    [OB_FORMAT_GIF] = {"gif", "GIF", OB_PROGRAM_STANDARD,
                       "still; of a moving one every frame, each as it is shown: drawn onto what "
                       "was there",
                       is_gif},
    [OB_FORMAT_TIFF] = {"tiff", "TIFF", OB_PROGRAM_STANDARD,
                        "everything that libtiff turns into RGBA; grey, RGB and CMYK of any number "
                        "of bits and floating point, the largest being white where nothing says "
                        "what is; pages count as frames",
                        is_tiff},
    [OB_FORMAT_AVIF_MINI] = {"avif-mini", "AVIF of brand mif3", OB_PROGRAM_NONE, NULL,
                             is_avif_mini},
    [OB_FORMAT_AVIF] = {"avif", "AVIF", OB_PROGRAM_HEIF,
                        "the picture, turned as its file says, with its crop and without; of a "
                        "sequence every frame",
                        is_avif},
    [OB_FORMAT_HEIC] = {"heic", "HEIC", OB_PROGRAM_HEIF,
                        "the primary picture, turned as its file says", is_heic},
    [OB_FORMAT_JXL] = {"jxl", "JPEG XL", OB_PROGRAM_NONE, NULL, is_jxl},
    [OB_FORMAT_JPEG_2000] = {"jpeg-2000", "JPEG 2000", OB_PROGRAM_NONE, NULL, is_jpeg_2000},
    [OB_FORMAT_BMP] = {"bmp", "BMP", OB_PROGRAM_STANDARD,
                       "every kind but those that hold a JPEG or PNG", is_bmp},
    [OB_FORMAT_ICO] = {"ico", "ICO", OB_PROGRAM_STANDARD,
                       "the largest picture; of a cursor (CUR) too", is_ico},
    [OB_FORMAT_SVG] = {"svg", "SVG", OB_PROGRAM_NONE, NULL, is_svg},
};

const ob_format_row *ob_format_at(ob_format format)
{
    return &formats[format < OB_FORMATS ? format : OB_FORMAT_UNKNOWN];
}

const char *ob_format_name(ob_format format)
{
    return ob_format_at(format)->name;
}

ob_format ob_media_sniff(const uint8_t *bytes, size_t size)
{
    /* A file with brands is told by these alone: a film may look like a directory of icons. */
    const int end = has_brands(bytes, size) ? OB_FORMAT_HEIC + 1 : OB_FORMATS;
    for (int f = OB_FORMAT_UNKNOWN + 1; f < end; f++)
        if (formats[f].is(bytes, size))
            return (ob_format)f;
    return OB_FORMAT_UNKNOWN;
}

/* ---- Looks ------------------------------------------------------------------------------------
 */

const char *ob_look_name(ob_look look)
{
    static const char *const names[OB_LOOKS] = {"stored", "coloured", "on_white", "on_black",
                                                "whole"};
    return look < OB_LOOKS ? names[look] : "unknown";
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
