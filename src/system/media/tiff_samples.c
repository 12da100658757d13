/* TIFF whose samples libtiff turns into no RGBA: floating point, integers of other than 8 and 16
 * bits, ink of 16. Each becomes a number between 0 and 1, and that a byte. */
#include "tiff_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_MOST = 4 };

typedef struct page {
    TIFF *tiff;
    uint32_t width, height;
    uint16_t bits, format, per_pixel, planar, photometric;
    unsigned channels; /* that are looked at: 1, 3 or 4 of ink */
    float *values;     /* width * height * channels */
} page;

static bool is_known(const page *p)
{
    const bool is_float = p->format == SAMPLEFORMAT_IEEEFP;
    if (p->per_pixel < p->channels || !p->channels || TIFFIsTiled(p->tiff))
        return false;
    if (is_float ? p->bits != 32 && p->bits != 64 : !p->bits || p->bits > 32)
        return false;
    return is_float || p->format == SAMPLEFORMAT_UINT || p->format == SAMPLEFORMAT_INT;
}

static unsigned channels_of(uint16_t photometric)
{
    switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
        return 1;
    case PHOTOMETRIC_RGB:
        return 3;
    case PHOTOMETRIC_SEPARATED:
        return 4;
    default:
        return 0;
    }
}

static void describe(page *p, TIFF *tiff)
{
    *p = (page){.tiff = tiff};
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &p->width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &p->height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &p->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &p->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &p->per_pixel);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &p->planar);
    if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &p->photometric))
        p->channels = channels_of(p->photometric);
}

/* ---- Samples ----------------------------------------------------------------------------------
 */

/* Whole bytes are in the machine's order by now; other samples lie bit behind bit. */
static uint32_t integer_at(const uint8_t *row, size_t index, unsigned bits)
{
    uint32_t value = 0;
    if (bits % 8 == 0)
        for (unsigned i = 0; i < bits / 8; i++)
            value |= (uint32_t)row[index * (bits / 8) + i] << (8 * i);
    else
        for (size_t bit = index * bits; bit < (index + 1) * bits; bit++)
            value = value << 1 | (row[bit / 8] >> (7 - bit % 8) & 1);
    return value;
}

static float value_at(const page *p, const uint8_t *row, size_t index)
{
    if (p->format == SAMPLEFORMAT_IEEEFP && p->bits == 64) {
        double value;
        memcpy(&value, row + index * 8, 8);
        return (float)value;
    }
    const uint32_t bits = integer_at(row, index, p->bits);
    if (p->format == SAMPLEFORMAT_UINT)
        return (float)((double)bits / (double)((UINT64_C(1) << p->bits) - 1));
    if (p->format == SAMPLEFORMAT_INT)
        return (float)((int32_t)(bits << (32 - p->bits)) >> (32 - p->bits));
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static void take_row(page *p, const uint8_t *row, uint32_t y, unsigned plane)
{
    float *to = p->values + (size_t)y * p->width * p->channels;
    for (size_t x = 0; x < p->width; x++)
        if (p->planar == PLANARCONFIG_SEPARATE)
            to[x * p->channels + plane] = value_at(p, row, x);
        else
            for (unsigned c = 0; c < p->channels; c++)
                to[x * p->channels + c] = value_at(p, row, x * p->per_pixel + c);
}

static bool read_values(page *p)
{
    const tmsize_t bytes = TIFFScanlineSize(p->tiff);
    const size_t samples =
        (size_t)p->width * (p->planar == PLANARCONFIG_SEPARATE ? 1 : p->per_pixel);
    const unsigned planes = p->planar == PLANARCONFIG_SEPARATE ? p->channels : 1;
    if (bytes <= 0 || (size_t)bytes < (samples * p->bits + 7) / 8)
        return false;
    uint8_t *row = malloc((size_t)bytes);
    bool fine = row;
    for (unsigned plane = 0; plane < planes && fine; plane++)
        for (uint32_t y = 0; y < p->height && fine; y++) {
            fine = TIFFReadScanline(p->tiff, row, y, (uint16_t)plane) == 1;
            if (fine)
                take_row(p, row, y, plane);
        }
    free(row);
    return fine;
}

/* ---- Bytes ------------------------------------------------------------------------------------
 */

/* What is white: numbers without a bound of their own go up to the largest, but not to less than
 * usual ones do. */
static float white_of(const page *p)
{
    float most = p->format == SAMPLEFORMAT_INT ? 255 : 1;
    const size_t count = (size_t)p->width * p->height * p->channels;
    for (size_t i = 0; i < count; i++)
        if (isfinite(p->values[i]) && p->values[i] > most)
            most = p->values[i];
    return most;
}

static uint8_t byte_of(float value, float white)
{
    const float part = value / white;
    return part >= 1 ? 255 : part > 0 ? (uint8_t)(part * 255 + 0.5f) : 0; /* no number: black */
}

static void make_pixel(uint8_t *rgb, const page *p, const float *values, float white)
{
    for (unsigned c = 0; c < 3; c++) {
        const unsigned byte = byte_of(values[p->channels == 1 ? 0 : c], white);
        if (p->channels == 4)
            rgb[c] = (uint8_t)((255 - byte) * (255u - byte_of(values[3], white)) / 255);
        else
            rgb[c] = (uint8_t)(p->photometric == PHOTOMETRIC_MINISWHITE ? 255 - byte : byte);
    }
}

static ob_status deliver(const page *p, const media_sink *sink, uint32_t number,
                         ob_media_fault *fault)
{
    const float white = white_of(p);
    const size_t pixels = (size_t)p->width * p->height;
    uint8_t *rgb = malloc(pixels * 3);
    if (!rgb)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    for (size_t k = 0; k < pixels; k++)
        make_pixel(rgb + 3 * k, p, p->values + k * p->channels, white);
    ob_status status = media_deliver(sink, rgb, (size_t)p->width * 3, p->width, p->height,
                                     MEDIA_OPAQUE, number, fault);
    free(rgb);
    return status;
}

ob_status tiff_deliver_samples(const media_sink *sink, TIFF *tiff, uint32_t number,
                               ob_media_fault *fault)
{
    page p;
    describe(&p, tiff);
    if (!is_known(&p))
        return media_fail_at(fault, OB_MEDIA_KIND_OF_PAGE, number, 0);
    const uint64_t pixels = (uint64_t)p.width * p.height;
    ob_status status = media_check_memory(pixels * (p.channels * sizeof(float) + 3), fault);
    if (status)
        return status;
    p.values = malloc((size_t)pixels * p.channels * sizeof(float));
    if (!p.values)
        status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    else
        status = read_values(&p) ? deliver(&p, sink, number, fault)
                                 : media_fail_at(fault, OB_MEDIA_KIND_OF_PAGE, number, 0);
    free(p.values);
    return status;
}
