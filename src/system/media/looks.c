/* One frame in every way in which it is looked at: colours as they are stored, as lists have them;
 * as gamma or a profile changes them; over white and over black where transparency lets a page
 * through. What costs more than the stored picture begins where a row shows that it is needed. */
#include "media_priv.h"

#include <stdlib.h>
#include <string.h>

/* Hashes of one look: as stored, and mirrored as it is shown where that is another picture. */
typedef struct lane {
    ob_pdq_stream *plain, *mirrored;
} lane;

struct media_looks {
    lane lane[OB_LOOKS];
    ob_look stored; /* OB_LOOK_STORED or OB_LOOK_WHOLE */
    ob_pdq_shape shape;
    media_alpha alpha;
    unsigned orientation;
    const media_colour *colour;
    uint32_t frame;
    size_t cells;   /* pixels of a row as it is delivered */
    uint8_t *rgb;   /* a row without alpha */
    uint8_t *seen;  /* with its colours changed */
    uint8_t *on[2]; /* over white, over black */
    bool undecided;
};

/* ---- Lanes ------------------------------------------------------------------------------------
 */

static void close_lane(lane *l)
{
    ob_pdq_free(l->plain);
    ob_pdq_free(l->mirrored);
    *l = (lane){0};
}

/* Which way the stored picture is mirrored before it is, perhaps, transposed and shown. */
static void mirrors(bool *x, bool *y, unsigned orientation)
{
    *x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    *y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

static ob_status open_lane(lane *l, const media_looks *looks, ob_media_fault *fault)
{
    ob_pdq_shape turned = looks->shape;
    ob_status status = ob_pdq_begin(&l->plain, &looks->shape, NULL);
    mirrors(&turned.mirror_x, &turned.mirror_y, looks->orientation);
    if (!status && (turned.mirror_x || turned.mirror_y))
        status = ob_pdq_begin(&l->mirrored, &turned, NULL);
    return media_hashed(status, fault);
}

static ob_status copy_lane(lane *to, const lane *from, ob_media_fault *fault)
{
    ob_status status = ob_pdq_copy(&to->plain, from->plain, NULL);
    if (!status && from->mirrored)
        status = ob_pdq_copy(&to->mirrored, from->mirrored, NULL);
    return media_hashed(status, fault);
}

static ob_status feed(lane *l, const uint8_t *rows, size_t stride, size_t count,
                      ob_media_fault *fault)
{
    ob_status status = ob_pdq_rows(l->plain, rows, stride, count, NULL);
    if (!status && l->mirrored)
        status = ob_pdq_rows(l->mirrored, rows, stride, count, NULL);
    return media_hashed(status, fault);
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

ob_status media_looks_begin(media_looks **out, const media_picture *picture,
                            const media_facts *facts, ob_media_fault *fault)
{
    media_looks *l = calloc(1, sizeof *l);
    if (!l)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    l->shape = picture->shape;
    l->stored = picture->whole ? OB_LOOK_WHOLE : OB_LOOK_STORED;
    l->alpha = picture->alpha;
    l->orientation = facts->orientation;
    l->colour = picture->shape.samples == OB_PDQ_RGB ? facts->colour : NULL;
    l->frame = picture->frame;
    l->cells = (l->shape.width + l->shape.scale - 1) / l->shape.scale;
    ob_status status = OB_OK;
    if (l->alpha != MEDIA_OPAQUE && !(l->rgb = malloc(l->cells * 3)))
        status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    if (!status && l->colour && !(l->seen = malloc(l->cells * 3)))
        status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    if (!status)
        status = open_lane(&l->lane[l->stored], l, fault);
    if (!status && l->colour)
        status = open_lane(&l->lane[OB_LOOK_COLOURED], l, fault);
    if (status)
        media_looks_free(l);
    else
        *out = l;
    return status;
}

static bool is_opaque(const uint8_t *rgba, size_t pixels)
{
    uint8_t all = 255;
    for (size_t k = 0; k < pixels; k++)
        all &= rgba[4 * k + 3];
    return all == 255;
}

static void without_alpha(uint8_t *rgb, const uint8_t *rgba, size_t pixels)
{
    for (size_t k = 0; k < pixels; k++, rgb += 3, rgba += 4) {
        rgb[0] = rgba[0];
        rgb[1] = rgba[1];
        rgb[2] = rgba[2];
    }
}

static void rgb_of_ink(uint8_t *rgb, const uint8_t *ink, size_t pixels)
{
    for (size_t k = 0; k < pixels; k++, rgb += 3, ink += 4)
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((ink[c] * ink[3] + 127u) / 255);
}

/* The stored colours of a row. */
static const uint8_t *plain_row(media_looks *l, const uint8_t *row)
{
    if (l->alpha == MEDIA_OPAQUE)
        return row;
    (l->alpha == MEDIA_INK ? rgb_of_ink : without_alpha)(l->rgb, row, l->cells);
    return l->rgb;
}

static void change_colours(media_looks *l, uint8_t *to, const uint8_t *row)
{
    media_colour_apply(l->colour, to, row, l->alpha == MEDIA_OPAQUE ? 3 : 4, l->cells);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* A row over a white and over a black page. */
static void lay(uint8_t *white, uint8_t *black, const uint8_t *rgb, const uint8_t *rgba,
                size_t pixels, bool multiplied)
{
    for (size_t k = 0; k < pixels; k++) {
        const unsigned a = rgba[4 * k + 3];
        for (size_t c = 3 * k; c < 3 * k + 3; c++) {
            const unsigned over = multiplied ? least(rgb[c], a) : (rgb[c] * a + 127) / 255;
            black[c] = (uint8_t)over;
            white[c] = (uint8_t)(over + 255 - a);
        }
    }
}

/* From here on what is seen differs by the page. */
static ob_status open_pages(media_looks *l, ob_media_fault *fault)
{
    const size_t bytes = l->cells * l->shape.samples;
    const lane *from = &l->lane[l->colour ? OB_LOOK_COLOURED : l->stored];
    for (int i = 0; i < 2; i++)
        if (!(l->on[i] = malloc(bytes)))
            return media_fail(fault, OB_MEDIA_NO_MEMORY);
    ob_status status = copy_lane(&l->lane[OB_LOOK_ON_WHITE], from, fault);
    return status ? status : copy_lane(&l->lane[OB_LOOK_ON_BLACK], from, fault);
}

static ob_status feed_pages(media_looks *l, ob_media_fault *fault)
{
    ob_status status = feed(&l->lane[OB_LOOK_ON_WHITE], l->on[0], 0, 1, fault);
    return status ? status : feed(&l->lane[OB_LOOK_ON_BLACK], l->on[1], 0, 1, fault);
}

static ob_status take_row(media_looks *l, const uint8_t *row, ob_media_fault *fault)
{
    const bool has_alpha = l->alpha == MEDIA_ALPHA || l->alpha == MEDIA_MULTIPLIED;
    const uint8_t *rgb = plain_row(l, row), *seen = rgb;
    ob_status status = OB_OK;
    if (has_alpha && !l->on[1] && !is_opaque(row, l->cells))
        status = open_pages(l, fault);
    if (!status)
        status = feed(&l->lane[l->stored], rgb, 0, 1, fault);
    if (!status && l->colour) {
        change_colours(l, l->seen, row);
        seen = l->seen;
        status = feed(&l->lane[OB_LOOK_COLOURED], seen, 0, 1, fault);
    }
    if (status || !l->on[1])
        return status;
    lay(l->on[0], l->on[1], seen, row, l->cells, l->alpha == MEDIA_MULTIPLIED);
    return feed_pages(l, fault);
}

ob_status media_looks_rows(media_looks *l, const uint8_t *rows, size_t stride, size_t count,
                           ob_media_fault *fault)
{
    if (!l->alpha && !l->colour)
        return feed(&l->lane[l->stored], rows, stride, count, fault);
    ob_status status = OB_OK;
    for (size_t r = 0; r < count && !status; r++)
        status = take_row(l, rows + r * stride, fault);
    return status;
}

/* A row that is missing as it is seen: the page, or what is made up for it, which is opaque. */
static void see_missing(media_looks *l, const uint8_t *shown)
{
    const size_t bytes = l->cells * l->shape.samples;
    if (!shown) {
        memset(l->on[0], 255, bytes);
        memset(l->on[1], 0, bytes);
    } else {
        if (l->colour)
            change_colours(l, l->on[0], shown);
        else
            memcpy(l->on[0], plain_row(l, shown), bytes);
        memcpy(l->on[1], l->on[0], bytes);
    }
}

/* In the stored picture the row above goes on, which is near to what was there. */
ob_status media_looks_missing(media_looks *l, const uint8_t *last, const uint8_t *shown,
                              size_t stride, size_t count, ob_media_fault *fault)
{
    ob_status status = l->on[1] ? OB_OK : open_pages(l, fault);
    if (!status && l->colour)
        change_colours(l, l->seen, last);
    for (size_t r = 0; r < count && !status; r++) {
        see_missing(l, shown ? shown + r * stride : NULL);
        status = feed(&l->lane[l->stored], plain_row(l, last), 0, 1, fault);
        if (!status && l->colour)
            status = feed(&l->lane[OB_LOOK_COLOURED], l->seen, 0, 1, fault);
        if (!status)
            status = feed_pages(l, fault);
    }
    return status;
}

/* ---- Hashes -----------------------------------------------------------------------------------
 */

/* Photographs have a few such bits, of which fewer move: here are many. */
static bool is_undecided(const ob_pdq_stream *stream, int quality)
{
    enum { FEW = 20 };
    return quality >= OB_PDQ_MIN_QUALITY && ob_pdq_undecided(stream) > FEW;
}

static ob_status finish_lane(ob_media_frame *out, media_looks *looks, ob_look look,
                             ob_media_fault *fault)
{
    const lane *l = &looks->lane[look];
    ob_media_frame f = {.number = looks->frame, .look = look};
    ob_status status = ob_pdq_finish(&f.pdq, l->plain, NULL);
    ob_pdq shown = f.pdq;
    if (!status && l->mirrored)
        status = ob_pdq_finish(&shown, l->mirrored, NULL);
    f.shown = shown.hash[ob_media_shown(looks->orientation)];
    looks->undecided |= !status && is_undecided(l->plain, f.pdq.quality);
    if (!status)
        *out = f;
    return media_hashed(status, fault);
}

ob_status media_looks_finish(ob_media_frame out[OB_LOOKS], unsigned *count, media_looks *l,
                             ob_media_fault *fault)
{
    ob_status status = finish_lane(&out[0], l, l->stored, fault);
    *count = 1;
    if (l->on[1]) /* nobody sees it without a page */
        close_lane(&l->lane[OB_LOOK_COLOURED]);
    for (ob_look look = OB_LOOK_COLOURED; look <= OB_LOOK_ON_BLACK && !status; look++)
        if (l->lane[look].plain)
            status = finish_lane(&out[(*count)++], l, look, fault);
    return status;
}

bool media_looks_are_undecided(const media_looks *l)
{
    return l->undecided;
}

void media_looks_free(media_looks *l)
{
    if (!l)
        return;
    for (int i = 0; i < OB_LOOKS; i++)
        close_lane(&l->lane[i]);
    free(l->rgb);
    free(l->seen);
    free(l->on[0]);
    free(l->on[1]);
    free(l);
}
