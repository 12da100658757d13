/* PDQ over rows as they come: box filters, then 64 by 64 averages, then bits. */
#include "hash_priv.h"

#include <stdlib.h>
#include <string.h>

/* Filter and decimation are linear and separable, so A = R L C' with sparse R and C: each row that
 * arrives is added, weighted, to the one or two rows of A that it touches; a row of sums that is
 * complete is reduced to 64 values and forgotten. */
struct ob_pdq_stream {
    pdq_dct_matrix matrix;
    _Alignas(64) float a[PDQ_SIDE * PDQ_SIDE];
    ob_pdq_shape shape;
    const pdq_kernel *kernel;
    pdq_axis rows, columns;
    uint32_t rows_expected, rows_seen; /* of the caller */
    uint32_t rows_filtered;            /* given to the filter: differs when sampling */
    uint32_t output;                   /* first output row whose sums are not complete */
    bool nearest;                      /* sample 512 x 512 first */
    uint8_t *sampled;                  /* nearest: one row of pixels */
    float *luma;                       /* RGB: one row of it */
    float *sums;                       /* rows.open_most rows, `pitch` apart */
    size_t pitch;
    unsigned undecided; /* bits; once it is finished */
};

static bool too_small(const ob_pdq_shape *shape)
{
    return shape->width < 5 || shape->height < 5;
}

static ob_status check_shape(const ob_pdq_shape *s, ob_error *err)
{
    if (s->width < 1 || s->width > OB_PDQ_MAX_SIDE || s->height < 1 || s->height > OB_PDQ_MAX_SIDE)
        return ob_fail(err, OB_EINVAL, "a picture of %u x %u pixels; sides of 1 to %d are possible",
                       s->width, s->height, OB_PDQ_MAX_SIDE);
    if (s->scale != 1 && s->scale != 2 && s->scale != 4 && s->scale != 8)
        return ob_fail(err, OB_EINVAL, "a picture reduced %u times; 1, 2, 4 or 8 are possible",
                       s->scale);
    if (s->samples != OB_PDQ_LUMA && s->samples != OB_PDQ_RGB)
        return ob_fail(err, OB_EINVAL, "samples of %d bytes; 1 or 3 are possible", (int)s->samples);
    if (s->variant != OB_PDQ_FULL && s->variant != OB_PDQ_REFERENCE)
        return ob_fail(err, OB_EINVAL, "no PDQ variant %d", (int)s->variant);
    if (s->variant == OB_PDQ_REFERENCE && s->scale != 1)
        return ob_fail(err, OB_EINVAL, "the reference variant needs the picture at full size");
    return OB_OK;
}

ob_status ob_pdq_begin(ob_pdq_stream **out, const ob_pdq_shape *shape, ob_error *err)
{
    ob_status status = check_shape(shape, err);
    if (status)
        return status;
    ob_pdq_stream *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
    if (!s)
        return ob_fail(err, OB_ENOMEM, "out of memory: hashing a picture");
    memset(s, 0, sizeof *s);
    s->shape = *shape;
    s->kernel = pdq_kernel_for(shape->isa);
    s->rows_expected = (shape->height + shape->scale - 1) / shape->scale;
    s->nearest = shape->variant == OB_PDQ_REFERENCE &&
                 (shape->width > PDQ_NEAREST || shape->height > PDQ_NEAREST);
    pdq_dct_matrix_init(&s->matrix);

    status = pdq_axis_init(&s->columns, s->nearest ? PDQ_NEAREST : shape->width, shape->scale,
                           shape->mirror_x, err);
    if (!status)
        status = pdq_axis_init(&s->rows, s->nearest ? PDQ_NEAREST : shape->height, shape->scale,
                               shape->mirror_y, err);
    if (!status) {
        /* The last window may be read up to 15 samples behind the row. */
        s->pitch = ((size_t)s->columns.cells + 2 * PDQ_LANES - 1) & ~(size_t)(PDQ_LANES - 1);
        s->sums = aligned_alloc(64, s->rows.open_most * s->pitch * sizeof *s->sums);
        if (s->nearest)
            s->sampled = malloc((size_t)PDQ_NEAREST * shape->samples);
        if (shape->samples == OB_PDQ_RGB)
            s->luma = malloc(s->pitch * sizeof *s->luma);
        if (!s->sums || (s->nearest && !s->sampled) || (shape->samples == OB_PDQ_RGB && !s->luma))
            status =
                ob_fail(err, OB_ENOMEM, "out of memory: a picture %u pixels wide", shape->width);
    }
    if (status) {
        ob_pdq_free(s);
        return status;
    }
    memset(s->sums, 0, s->rows.open_most * s->pitch * sizeof *s->sums);
    *out = s;
    return OB_OK;
}

ob_status ob_pdq_copy(ob_pdq_stream **out, const ob_pdq_stream *from, ob_error *err)
{
    ob_pdq_stream *to = NULL;
    ob_status status = ob_pdq_begin(&to, &from->shape, err);
    if (status)
        return status;
    memcpy(to->a, from->a, sizeof to->a);
    memcpy(to->sums, from->sums, from->rows.open_most * from->pitch * sizeof *from->sums);
    to->rows_seen = from->rows_seen;
    to->rows_filtered = from->rows_filtered;
    to->output = from->output;
    *out = to;
    return OB_OK;
}

/* Adds row number s->rows_filtered to every output row that it touches. */
static void filter_row(ob_pdq_stream *s, const uint8_t *row)
{
    const pdq_kernel *kernel = s->kernel;
    uint32_t number = s->rows_filtered++, width = s->columns.cells;
    bool have_luma = false;
    for (uint32_t i = s->output; i < PDQ_SIDE && s->rows.first[i] <= number; i++) {
        if (s->rows.same_as[i] != i || s->rows.last[i] < number)
            continue;
        float weight = s->rows.weights[s->rows.at[i] + number - s->rows.first[i]];
        float *sums = s->sums + (i % s->rows.open_most) * s->pitch;
        if (s->shape.samples == OB_PDQ_LUMA) {
            kernel->add_luma(sums, row, weight, width);
            continue;
        }
        if (!have_luma)
            kernel->luma_of_rgb(s->luma, row, width);
        have_luma = true;
        kernel->add_float(sums, s->luma, weight, width);
    }
    while (s->output < PDQ_SIDE && s->rows.last[s->output] <= number) {
        uint32_t i = s->output++;
        float *a = s->a + (size_t)i * PDQ_SIDE;
        if (s->rows.same_as[i] != i) {
            memcpy(a, a - PDQ_SIDE, PDQ_SIDE * sizeof *a);
            continue;
        }
        float *sums = s->sums + (i % s->rows.open_most) * s->pitch;
        kernel->windows(a, sums, &s->columns);
        memset(sums, 0, s->pitch * sizeof *sums);
    }
}

/* The source sample of number `at` of 512. */
static uint64_t nearest(uint64_t at, uint64_t size, bool mirrored)
{
    return mirrored ? size - 1 - (PDQ_NEAREST - 1 - at) * size / PDQ_NEAREST
                    : at * size / PDQ_NEAREST;
}

/* Gives the filter each of the 512 sampled rows that source row `number` stands for. */
static void sample_row(ob_pdq_stream *s, const uint8_t *row, uint32_t number)
{
    uint64_t width = s->shape.width, height = s->shape.height;
    unsigned bytes = s->shape.samples;
    bool sampled = false;
    while (s->rows_filtered < PDQ_NEAREST &&
           nearest(s->rows_filtered, height, s->shape.mirror_y) == number) {
        for (uint64_t c = 0; !sampled && c < PDQ_NEAREST; c++)
            memcpy(s->sampled + c * bytes, row + nearest(c, width, s->shape.mirror_x) * bytes,
                   bytes);
        sampled = true;
        filter_row(s, s->sampled);
    }
}

ob_status ob_pdq_rows(ob_pdq_stream *s, const uint8_t *rows, size_t stride, size_t count,
                      ob_error *err)
{
    size_t cells = (s->shape.width + s->shape.scale - 1) / s->shape.scale;
    if (count > 1 && stride < cells * s->shape.samples)
        return ob_fail(err, OB_EINVAL, "rows %zu bytes apart; one has %zu bytes", stride,
                       cells * s->shape.samples);
    if (count > s->rows_expected - s->rows_seen)
        return ob_fail(err, OB_EINVAL, "more than the %u rows of the picture", s->rows_expected);
    for (size_t r = 0; r < count; r++, s->rows_seen++, rows += stride) {
        if (too_small(&s->shape))
            continue;
        if (s->nearest)
            sample_row(s, rows, s->rows_seen);
        else
            filter_row(s, rows);
    }
    return OB_OK;
}

ob_status ob_pdq_finish(ob_pdq *out, ob_pdq_stream *s, ob_error *err)
{
    if (s->rows_seen != s->rows_expected)
        return ob_fail(err, OB_EINVAL, "only %u of the %u rows of the picture were fed",
                       s->rows_seen, s->rows_expected);
    if (too_small(&s->shape)) {
        *out = (ob_pdq){0};
        return OB_OK;
    }
    _Alignas(64) float b[PDQ_FREQS * PDQ_FREQS];
    s->kernel->dct(b, s->a, &s->matrix);
    pdq_bits(out->hash, b, s->kernel);
    s->undecided = pdq_undecided(b, s->kernel);
    uint32_t quality = s->kernel->gradient(s->a) / 90;
    out->quality = quality > 100 ? 100 : (int)quality;
    return OB_OK;
}

unsigned ob_pdq_undecided(const ob_pdq_stream *s)
{
    return s->undecided;
}

void ob_pdq_free(ob_pdq_stream *s)
{
    if (!s)
        return;
    pdq_axis_free(&s->rows);
    pdq_axis_free(&s->columns);
    free(s->sampled);
    free(s->luma);
    free(s->sums);
    free(s);
}

ob_status ob_pdq_hash(ob_pdq *out, const ob_pdq_shape *shape, const uint8_t *pixels, size_t stride,
                      ob_error *err)
{
    ob_pdq_stream *s = NULL;
    ob_status status = ob_pdq_begin(&s, shape, err);
    if (!status)
        status = ob_pdq_rows(s, pixels, stride, s->rows_expected, err);
    if (!status)
        status = ob_pdq_finish(out, s, err);
    ob_pdq_free(s);
    return status;
}
