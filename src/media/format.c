/* Formats by their first bytes, limits, frames: what needs no decoder. */
#include "media_priv.h"

#include <string.h>

const char *ob_format_name(ob_format format)
{
    static const char *const names[OB_FORMATS] = {"unknown", "jpeg", "png",  "webp",
                                                  "gif",     "tiff", "avif", "heic"};
    return format < OB_FORMATS ? names[format] : names[OB_FORMAT_UNKNOWN];
}

bool ob_format_is_heif(ob_format format)
{
    return format == OB_FORMAT_AVIF || format == OB_FORMAT_HEIC;
}

/* ISO base media files say with four letters what they are (ISO/IEC 23008-12, AV1 Image File
 * Format). */
static ob_format sniff_brand(const uint8_t *brand)
{
    static const char avif[][5] = {"avif", "avis"};
    static const char heic[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};
    for (size_t i = 0; i < sizeof avif / sizeof *avif; i++)
        if (!memcmp(brand, avif[i], 4))
            return OB_FORMAT_AVIF;
    for (size_t i = 0; i < sizeof heic / sizeof *heic; i++)
        if (!memcmp(brand, heic[i], 4))
            return OB_FORMAT_HEIC;
    return OB_FORMAT_UNKNOWN;
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
        return sniff_brand(bytes + 8);
    return OB_FORMAT_UNKNOWN;
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

bool media_frame_is_wanted(uint32_t number, uint32_t frames)
{
    if (frames <= OB_MEDIA_FRAMES)
        return number < frames;
    for (uint64_t k = 0; k < OB_MEDIA_FRAMES; k++)
        if (number == k * (frames - 1) / (OB_MEDIA_FRAMES - 1))
            return true;
    return false;
}
