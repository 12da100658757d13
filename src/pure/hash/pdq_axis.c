/* Which samples of a row or column count for each of the 64 outputs, and with which weight. */
#include "hash_priv.h"

#include <stdlib.h>
#include <string.h>

/* The samples that a box filter of window `w` reads for output i: [*from, *to]. */
static void box(int64_t i, int64_t w, int64_t size, int64_t *from, int64_t *to)
{
    int64_t half = (w + 2) / 2;
    *from = i - (w - half);
    *to = i + half - 1;
    if (*from < 0)
        *from = 0;
    if (*to > size - 1)
        *to = size - 1;
}

/* Two passes of the box filter seen from output `centre`: sets weight[k - *from] for the samples
 * *from..*to that matter. `weight` has room for 2 w + 1. Each box of the first pass adds the same
 * value to a run of samples: noted as a step up and a step down, then summed. */
static void tent(double *weight, int64_t centre, int64_t w, int64_t size, int64_t *from,
                 int64_t *to)
{
    int64_t first, last, unused;
    box(centre, w, size, &first, &last);
    box(first, w, size, from, &unused);
    box(last, w, size, &unused, to);
    memset(weight, 0, (size_t)(*to - *from + 2) * sizeof *weight);
    for (int64_t i = first; i <= last; i++) {
        int64_t a, b;
        box(i, w, size, &a, &b);
        double value = 1.0 / ((double)(last - first + 1) * (double)(b - a + 1));
        weight[a - *from] += value;
        weight[b + 1 - *from] -= value;
    }
    for (int64_t k = 1; k <= *to - *from; k++)
        weight[k] += weight[k - 1];
}

/* Turns a window round: the other end of the axis comes first. */
static void turn(double *weight, int64_t size, int64_t *from, int64_t *to)
{
    int64_t length = *to - *from + 1, first = size - 1 - *to;
    for (int64_t k = 0; k < length / 2; k++) {
        double swapped = weight[k];
        weight[k] = weight[length - 1 - k];
        weight[length - 1 - k] = swapped;
    }
    *from = first;
    *to = first + length - 1;
}

ob_status pdq_axis_init(pdq_axis *axis, uint32_t size, uint32_t scale, bool mirrored, ob_error *err)
{
    int64_t w = ((int64_t)size + 127) / 128;
    size_t per_output =
        ((size_t)(2 * w + 1) / scale + 2 + 2 * PDQ_LANES) & ~(size_t)(PDQ_LANES - 1);
    double *weight = malloc((size_t)(2 * w + 3) * sizeof *weight);
    float *weights = calloc(PDQ_SIDE * per_output, sizeof *weights);
    if (!weight || !weights) {
        free(weight);
        free(weights);
        return ob_fail(err, OB_ENOMEM, "out of memory: the filter of a picture %u pixels long",
                       size);
    }
    *axis = (pdq_axis){.cells = (size + scale - 1) / scale, .weights = weights};
    uint32_t at = 0;
    int64_t before = -1;
    for (uint32_t i = 0; i < PDQ_SIDE; i++) {
        uint32_t output = mirrored ? PDQ_SIDE - 1 - i : i;
        int64_t centre = ((int64_t)(2 * output + 1) * size) / (2 * PDQ_SIDE);
        if (centre == before) { /* fewer than 64 samples: outputs repeat */
            axis->same_as[i] = axis->same_as[i - 1];
            axis->first[i] = axis->first[i - 1];
            axis->last[i] = axis->last[i - 1];
            axis->at[i] = axis->at[i - 1];
            continue;
        }
        before = centre;
        int64_t from, to;
        tent(weight, centre, w, size, &from, &to);
        if (mirrored)
            turn(weight, size, &from, &to);
        axis->same_as[i] = i;
        axis->first[i] = (uint32_t)(from / scale);
        axis->last[i] = (uint32_t)(to / scale);
        axis->at[i] = at;
        for (int64_t k = from; k <= to;) {
            int64_t end = (k / scale + 1) * scale;
            double sum = 0;
            for (; k <= to && k < end; k++)
                sum += weight[k - from];
            weights[at + (uint32_t)((end - 1) / scale) - axis->first[i]] = (float)sum;
        }
        uint32_t length = axis->last[i] - axis->first[i] + 1;
        at += (length + PDQ_LANES - 1) / PDQ_LANES * PDQ_LANES;
    }
    for (uint32_t i = 0; i < PDQ_SIDE; i++) {
        uint32_t open = 0;
        for (uint32_t j = 0; j <= i; j++)
            open += axis->same_as[j] == j && axis->last[j] >= axis->first[i];
        if (open > axis->open_most)
            axis->open_most = open;
    }
    free(weight);
    return OB_OK;
}

void pdq_axis_free(pdq_axis *axis)
{
    free(axis->weights);
    axis->weights = NULL;
}
