/* ICC profiles of three primaries and three curves, read here as far as it takes to find out that
 * they change little: most do, and what lcms needs to say so takes as long as decoding a small
 * picture. Of any other kind nothing is said (ICC.1:2022, sections 7, 8.4.2, 10.6, 10.18). */
#include "media_priv.h"

#include <math.h>
#include <string.h>

enum {
    HEADER = 128,
    ENTRY = 12,
    TAGS_MOST = 100,
    PARAMETERS_MOST = 7,
    LEVELS = 255 / MEDIA_LEVEL_STEP + 1
};

typedef struct tag {
    const uint8_t *bytes;
    size_t size;
} tag;

typedef struct icc {
    tag primary[3], curve[3];
    double to_srgb[3][3];
    double linear[3][LEVELS]; /* of every MEDIA_LEVEL_STEP-th level of each colour */
} icc;

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static unsigned big16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* s15Fixed16Number */
static double fixed(const uint8_t *p)
{
    return (int32_t)big32(p) / 65536.0;
}

/* ---- Tags -------------------------------------------------------------------------------------
 */

/* Where a tag of this name is kept; NULL: nowhere. */
static tag *place_of(icc *p, const uint8_t *name)
{
    static const char primaries[3][5] = {"rXYZ", "gXYZ", "bXYZ"};
    static const char curves[3][5] = {"rTRC", "gTRC", "bTRC"};
    for (int c = 0; c < 3; c++) {
        if (!memcmp(name, primaries[c], 4))
            return &p->primary[c];
        if (!memcmp(name, curves[c], 4))
            return &p->curve[c];
    }
    return NULL;
}

/* Tables that count more than primaries and curves, and codes that do. */
static bool is_other_kind(const uint8_t *name)
{
    return !memcmp(name, "A2B", 3) || !memcmp(name, "D2B", 3) || !memcmp(name, "cicp", 4);
}

static bool take_tag(icc *p, const uint8_t *entry, const uint8_t *profile, size_t size)
{
    tag *to = place_of(p, entry);
    if (!to)
        return !is_other_kind(entry);
    const uint32_t at = big32(entry + 4), length = big32(entry + 8);
    if (to->bytes || at > size || length > size - at || length < 12)
        return false;
    *to = (tag){profile + at, length};
    return true;
}

static bool take_tags(icc *p, const uint8_t *profile, size_t size)
{
    if (size < HEADER + 4 || big32(profile) > size || memcmp(profile + 36, "acsp", 4) ||
        memcmp(profile + 12, "mntr", 4) || memcmp(profile + 16, "RGB XYZ ", 8))
        return false;
    const uint32_t count = big32(profile + HEADER);
    if (count > TAGS_MOST || HEADER + 4 + (size_t)count * ENTRY > size)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!take_tag(p, profile + HEADER + 4 + (size_t)i * ENTRY, profile, size))
            return false;
    for (int c = 0; c < 3; c++)
        if (!p->primary[c].bytes || !p->curve[c].bytes)
            return false;
    return true;
}

/* ---- Curves and primaries ---------------------------------------------------------------------
 */

static double within(double value)
{
    return value > 0 ? value < 1 ? value : 1 : 0; /* no number: 0 */
}

static double of_table(const uint8_t *values, uint32_t count, double x)
{
    const double at = x * (count - 1);
    const uint32_t left = (uint32_t)at < count - 1 ? (uint32_t)at : count - 2;
    const double a = big16(values + 2 * (size_t)left), b = big16(values + 2 * (size_t)left + 2);
    return (a + (b - a) * (at - left)) / 65535;
}

/* "curv": nothing, a power, or a table. */
static bool read_curve(double out[LEVELS], const tag *t)
{
    const uint32_t count = big32(t->bytes + 8);
    if (count > (t->size - 12) / 2)
        return false;
    for (int i = 0; i < LEVELS; i++) {
        const double x = (double)i / (LEVELS - 1);
        out[i] = !count       ? x
                 : count == 1 ? within(pow(x, big16(t->bytes + 12) / 256.0))
                              : of_table(t->bytes + 12, count, x);
    }
    return true;
}

/* "para": Y = (aX + b)^g + e from d on, cX + f before. */
static bool read_parameters(double out[LEVELS], const tag *t)
{
    static const unsigned counts[5] = {1, 3, 4, 5, 7};
    const unsigned type = big16(t->bytes + 8);
    double p[PARAMETERS_MOST] = {1, 1};
    if (type > 4 || t->size < 12 + 4 * (size_t)counts[type])
        return false;
    for (unsigned k = 0; k < counts[type]; k++)
        p[k] = fixed(t->bytes + 12 + 4 * (size_t)k);
    const double g = p[0], a = p[1], b = p[2];
    double c = p[3], d = p[4], e = p[5], f = p[6];
    if (type == 1 || type == 2) { /* from where aX + b is 0; the fourth is added to both */
        if (!a)
            return false;
        e = f = c;
        c = 0;
        d = -b / a;
    }
    for (int i = 0; i < LEVELS; i++) {
        const double x = (double)i / (LEVELS - 1);
        out[i] = within(x >= d ? pow(a * x + b, g) + e : c * x + f);
    }
    return true;
}

/* From the profile's light to that of sRGB: the inverse of sRGB's primaries, adapted to D50 as
 * those of every profile are, times the profile's. */
static bool read_matrix(icc *p)
{
    static const double of_srgb[3][3] = {{3.1338561, -1.6168667, -0.4906146},
                                         {-0.9787684, 1.9161415, 0.0334540},
                                         {0.0719453, -0.2289914, 1.4052427}};
    for (int column = 0; column < 3; column++) {
        const tag *t = &p->primary[column];
        if (t->size < 20 || memcmp(t->bytes, "XYZ ", 4))
            return false;
        for (int row = 0; row < 3; row++)
            for (int k = 0; k < 3; k++)
                p->to_srgb[row][column] += of_srgb[row][k] * fixed(t->bytes + 8 + 4 * k);
    }
    return true;
}

static bool read_curves(icc *p)
{
    for (int c = 0; c < 3; c++) {
        const tag *t = &p->curve[c];
        const bool is_table = !memcmp(t->bytes, "curv", 4);
        if (!is_table && memcmp(t->bytes, "para", 4))
            return false;
        if (!(is_table ? read_curve : read_parameters)(p->linear[c], t))
            return false;
    }
    return true;
}

/* IEC 61966-2-1 */
static uint8_t encoded(double light)
{
    const double x = within(light);
    return (uint8_t)(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055) + 0.5);
}

static void convert(const void *context, uint8_t to[3], const uint8_t from[3])
{
    const icc *p = context;
    for (int row = 0; row < 3; row++) {
        double light = 0;
        for (int c = 0; c < 3; c++)
            light += p->to_srgb[row][c] * p->linear[c][from[c] / MEDIA_LEVEL_STEP];
        to[row] = encoded(light);
    }
}

bool media_icc_changes_little(const uint8_t *profile, size_t size)
{
    icc p = {0};
    return take_tags(&p, profile, size) && read_matrix(&p) && read_curves(&p) &&
           !media_colours_change(convert, &p, false);
}
