/* Colours that are not what their numbers say: gamma and ICC profiles, by lcms2. What a browser
 * shows is sRGB; a profile that is about that is left alone. */
#include "media_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lcms2.h>

struct media_colour {
    cmsContext context;
    cmsHPROFILE from, to;
    cmsHTRANSFORM transform;
    bool is_grey; /* `table` is what there is */
    bool is_ink;  /* from four colours */
    uint8_t table[256 * 3];
};

static void ignore_error(cmsContext context, cmsUInt32Number code, const char *text)
{
    (void)context;
    (void)code;
    (void)text; /* may hold bytes of the file */
}

/* ---- Whether it changes anything ----------------------------------------------------------------
 */

static double luma(const uint8_t *rgb)
{
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

/* How far luma moves. */
typedef struct moves {
    media_convert convert;
    const void *context;
    double sum, most;
    unsigned count;
} moves;

static void add_move(moves *m, unsigned r, unsigned g, unsigned b)
{
    const uint8_t from[3] = {(uint8_t)r, (uint8_t)g, (uint8_t)b};
    uint8_t to[3];
    m->convert(m->context, to, from);
    const double moved = fabs(luma(to) - luma(from));
    m->most = moved > m->most ? moved : m->most;
    m->sum += moved;
    m->count++;
}

/* Over a grid of colours, and more greys: what moves luma by less moves a hash by a few bits at
 * most. */
bool media_colours_change(media_convert convert, const void *context, bool is_grey)
{
    enum { STEPS = 6, MEAN_MOST = 6, ONE_MOST = 32 };
    moves grid = {.convert = convert, .context = context}, greys = grid;
    for (unsigned i = 0; i < STEPS * STEPS * STEPS; i++) {
        const unsigned r = i % STEPS, g = i / STEPS % STEPS, b = i / STEPS / STEPS;
        if (!is_grey || (r == g && g == b))
            add_move(&grid, r * 51, g * 51, b * 51);
    }
    for (unsigned grey = 0; grey < 256; grey += MEDIA_LEVEL_STEP)
        add_move(&greys, grey, grey, grey);
    return grid.sum > MEAN_MOST * grid.count || grid.most > ONE_MOST || greys.most > ONE_MOST;
}

static void convert(const void *context, uint8_t to[3], const uint8_t from[3])
{
    media_colour_apply(context, to, from, 3, 1);
}

static bool changes(const media_colour *c)
{
    return media_colours_change(convert, c, c->is_grey);
}

/* ---- Making one ---------------------------------------------------------------------------------
 */

/* By the intent under which lcms moves no black point: browsers move none, and of curves that run
 * downwards it takes the wrong one. */
static bool set_transform(media_colour *c, cmsUInt32Number flags)
{
    if (c->transform)
        cmsDeleteTransform(c->transform);
    c->transform =
        cmsCreateTransformTHR(c->context, c->from, c->is_grey ? TYPE_GRAY_8 : TYPE_RGB_8, c->to,
                              TYPE_RGB_8, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE | flags);
    return c->transform;
}

/* Most profiles change little: what makes a transform quick takes longer than to find that out. */
static bool make_transform(media_colour *c)
{
    c->is_grey = cmsGetColorSpace(c->from) == cmsSigGrayData;
    if (!c->is_grey && cmsGetColorSpace(c->from) != cmsSigRgbData)
        return false;
    c->to = cmsCreate_sRGBProfileTHR(c->context);
    if (!c->to || !set_transform(c, cmsFLAGS_NOOPTIMIZE))
        return false;
    if (c->is_grey) {
        uint8_t all[256];
        for (int i = 0; i < 256; i++)
            all[i] = (uint8_t)i;
        cmsDoTransform(c->transform, all, c->table, 256);
    }
    return changes(c) && set_transform(c, cmsFLAGS_LOWRESPRECALC);
}

static media_colour *finish(media_colour *c)
{
    if (c->from && make_transform(c))
        return c;
    media_colour_free(c);
    return NULL;
}

static media_colour *begin(void)
{
    media_colour *c = calloc(1, sizeof *c);
    if (c && !(c->context = cmsCreateContext(NULL, NULL))) {
        free(c);
        return NULL;
    }
    if (c)
        cmsSetLogErrorHandlerTHR(c->context, ignore_error);
    return c;
}

static media_colour *begin_with(const uint8_t *profile, size_t size)
{
    enum { MOST = 4 << 20 };
    media_colour *c = profile && size >= 128 && size <= MOST ? begin() : NULL;
    if (c)
        c->from = cmsOpenProfileFromMemTHR(c->context, profile, (cmsUInt32Number)size);
    return c;
}

media_colour *media_colour_of_profile(const uint8_t *profile, size_t size)
{
    if (media_icc_changes_little(profile, size))
        return NULL;
    media_colour *c = begin_with(profile, size);
    return c ? finish(c) : NULL;
}

media_colour *media_colour_of_ink(const uint8_t *profile, size_t size)
{
    media_colour *c = begin_with(profile, size);
    if (!c)
        return NULL;
    c->is_ink = c->from && cmsGetColorSpace(c->from) == cmsSigCmykData;
    c->to = c->is_ink ? cmsCreate_sRGBProfileTHR(c->context) : NULL;
    if (c->to)
        c->transform =
            cmsCreateTransformTHR(c->context, c->from, TYPE_CMYK_8_REV, c->to, TYPE_RGB_8,
                                  INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE);
    if (c->transform)
        return c;
    media_colour_free(c);
    return NULL;
}

/* ITU-R BT.709, as sRGB has them: white, red, green, blue. */
static const double srgb[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};

media_colour *media_colour_of_gamma(double gamma, const double xy[8])
{
    if (!(gamma > 0.005 && gamma < 200))
        return NULL;
    const double *p = xy ? xy : srgb;
    media_colour *c = begin();
    if (!c)
        return NULL;
    const cmsCIExyY white = {p[0], p[1], 1};
    const cmsCIExyYTRIPLE primaries = {{p[2], p[3], 1}, {p[4], p[5], 1}, {p[6], p[7], 1}};
    cmsToneCurve *curve = cmsBuildGamma(c->context, gamma);
    cmsToneCurve *curves[3] = {curve, curve, curve};
    if (curve)
        c->from = cmsCreateRGBProfileTHR(c->context, &white, &primaries, curves);
    cmsFreeToneCurve(curve);
    return finish(c);
}

void media_colour_free(media_colour *c)
{
    if (!c)
        return;
    if (c->transform)
        cmsDeleteTransform(c->transform);
    if (c->from)
        cmsCloseProfile(c->from);
    if (c->to)
        cmsCloseProfile(c->to);
    cmsDeleteContext(c->context);
    free(c);
}

void media_colour_apply(const media_colour *c, uint8_t *to, const uint8_t *from, size_t step,
                        size_t pixels)
{
    if (c->is_ink || (!c->is_grey && step == 3)) {
        cmsDoTransform(c->transform, from, to, (cmsUInt32Number)pixels);
        return;
    }
    for (size_t k = 0; k < pixels; k++, to += 3, from += step)
        if (c->is_grey)
            memcpy(to, c->table + 3 * from[0], 3);
        else
            memcpy(to, from, 3);
    if (!c->is_grey) /* lcms works in place where pixels are of one size */
        cmsDoTransform(c->transform, to - 3 * pixels, to - 3 * pixels, (cmsUInt32Number)pixels);
}
