/* The definition of PDQ's arithmetic: every other kernel gives these very bits. */
#include "hash_priv.h"

#include <stdlib.h>
#include <string.h>

static void add_luma(float *sums, const uint8_t *row, float weight, size_t count)
{
    for (size_t k = 0; k < count; k++)
        sums[k] += weight * (float)row[k];
}

static void add_float(float *sums, const float *row, float weight, size_t count)
{
    for (size_t k = 0; k < count; k++)
        sums[k] += weight * row[k];
}

static void luma_of_rgb(float *luma, const uint8_t *rgb, size_t count)
{
    for (size_t k = 0; k < count; k++)
        luma[k] = (0.299f * (float)rgb[3 * k] + 0.587f * (float)rgb[3 * k + 1]) +
                  0.114f * (float)rgb[3 * k + 2];
}

static float window(const float *sums, const float *weights, uint32_t length)
{
    float partial[PDQ_LANES] = {0};
    for (uint32_t k = 0; k < length; k += PDQ_LANES)
        for (uint32_t lane = 0; lane < PDQ_LANES; lane++)
            partial[lane] += weights[k + lane] * sums[k + lane];
    for (uint32_t half = PDQ_LANES / 2; half > 0; half /= 2)
        for (uint32_t lane = 0; lane < half; lane++)
            partial[lane] += partial[lane + half];
    return partial[0];
}

static void windows(float out[PDQ_SIDE], const float *sums, const pdq_axis *columns)
{
    for (uint32_t j = 0; j < PDQ_SIDE; j++)
        out[j] = window(sums + columns->first[j], columns->weights + columns->at[j],
                        columns->last[j] - columns->first[j] + 1);
}

static void dct(float b[PDQ_FREQS * PDQ_FREQS], const float a[PDQ_SIDE * PDQ_SIDE],
                const pdq_dct_matrix *matrix)
{
    for (uint32_t i = 0; i < PDQ_FREQS; i++) {
        float row[PDQ_SIDE] = {0};
        for (uint32_t k = 0; k < PDQ_SIDE; k++)
            for (uint32_t j = 0; j < PDQ_SIDE; j++)
                row[j] += matrix->d[i][k] * a[k * PDQ_SIDE + j];
        float *out = b + PDQ_FREQS * i;
        memset(out, 0, PDQ_FREQS * sizeof *out);
        for (uint32_t k = 0; k < PDQ_SIDE; k++)
            for (uint32_t j = 0; j < PDQ_FREQS; j++)
                out[j] += row[k] * matrix->t[k][j];
    }
}

static uint32_t step(float u, float v)
{
    return (uint32_t)abs((int)((u - v) * 100.0f / 255.0f));
}

static uint32_t gradient(const float a[PDQ_SIDE * PDQ_SIDE])
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < PDQ_SIDE; i++)
        for (uint32_t j = 0; j < PDQ_SIDE; j++) {
            const float *here = a + i * PDQ_SIDE + j;
            if (i + 1 < PDQ_SIDE)
                sum += step(here[0], here[PDQ_SIDE]);
            if (j + 1 < PDQ_SIDE)
                sum += step(here[0], here[1]);
        }
    return sum;
}

/* Finds the key bit by bit from the top: a bit is set when fewer than 128 keys lie below. */
static uint32_t median(const uint32_t keys[PDQ_FREQS * PDQ_FREQS])
{
    uint32_t found = 0;
    for (uint32_t bit = UINT32_C(1) << 31; bit; bit >>= 1) {
        uint32_t below = 0;
        for (uint32_t k = 0; k < PDQ_FREQS * PDQ_FREQS; k++)
            below += keys[k] < (found | bit);
        if (below < PDQ_FREQS * PDQ_FREQS / 2)
            found |= bit;
    }
    return found;
}

const pdq_kernel pdq_kernel_portable = {
    .add_luma = add_luma,
    .add_float = add_float,
    .luma_of_rgb = luma_of_rgb,
    .windows = windows,
    .dct = dct,
    .gradient = gradient,
    .median = median,
};

const pdq_kernel *pdq_kernel_for(ob_isa isa)
{
    switch (ob_isa_resolve(isa)) {
#if OB_HAVE_X86
    case OB_ISA_AVX512:
        return &pdq_kernel_avx512;
    case OB_ISA_AVX2:
        return &pdq_kernel_avx2;
#endif
    default:
        return &pdq_kernel_portable;
    }
}
