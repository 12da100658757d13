/* The inner loops of PDQ with AVX-512; equal to pdq_portable.c bit by bit. */
#include "hash_priv.h"

#if OB_HAVE_X86
#include <immintrin.h>

OB_TARGET_AVX512
static void add_luma(float *sums, const uint8_t *row, float weight, size_t count)
{
    __m512 w = _mm512_set1_ps(weight);
    size_t k = 0;
    for (; k + 16 <= count; k += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(row + k));
        __m512 value = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
        __m512 sum = _mm512_loadu_ps(sums + k);
        _mm512_storeu_ps(sums + k, _mm512_add_ps(sum, _mm512_mul_ps(w, value)));
    }
    if (k < count) {
        __mmask16 rest = (__mmask16)((1u << (count - k)) - 1);
        __m512 value =
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(rest, row + k)));
        __m512 sum = _mm512_maskz_loadu_ps(rest, sums + k);
        _mm512_mask_storeu_ps(sums + k, rest, _mm512_add_ps(sum, _mm512_mul_ps(w, value)));
    }
}

OB_TARGET_AVX512
static void add_float(float *sums, const float *row, float weight, size_t count)
{
    __m512 w = _mm512_set1_ps(weight);
    size_t k = 0;
    for (; k + 16 <= count; k += 16)
        _mm512_storeu_ps(sums + k, _mm512_add_ps(_mm512_loadu_ps(sums + k),
                                                 _mm512_mul_ps(w, _mm512_loadu_ps(row + k))));
    if (k < count) {
        __mmask16 rest = (__mmask16)((1u << (count - k)) - 1);
        __m512 product = _mm512_mul_ps(w, _mm512_maskz_loadu_ps(rest, row + k));
        __m512 sum = _mm512_maskz_loadu_ps(rest, sums + k);
        _mm512_mask_storeu_ps(sums + k, rest, _mm512_add_ps(sum, product));
    }
}

/* Sixteen pixels are twelve 32-bit words: three to each 128-bit lane, then one pixel to a word. */
OB_TARGET_AVX512
static void luma_of_rgb(float *luma, const uint8_t *rgb, size_t count)
{
    const __m512i to_lanes =
        _mm512_setr_epi32(0, 1, 2, 15, 3, 4, 5, 15, 6, 7, 8, 15, 9, 10, 11, 15);
    const __m512i to_words =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    const __m512i low = _mm512_set1_epi32(0xFF);
    size_t k = 0;
    for (; k + 16 <= count; k += 16) {
        __m512i bytes = _mm512_maskz_loadu_epi32(0x0FFF, rgb + 3 * k);
        __m512i words = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(to_lanes, bytes), to_words);
        __m512 r = _mm512_cvtepi32_ps(_mm512_and_si512(words, low));
        __m512 g = _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(words, 8), low));
        __m512 b = _mm512_cvtepi32_ps(_mm512_srli_epi32(words, 16));
        __m512 rg = _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(0.299f), r),
                                  _mm512_mul_ps(_mm512_set1_ps(0.587f), g));
        _mm512_storeu_ps(luma + k, _mm512_add_ps(rg, _mm512_mul_ps(_mm512_set1_ps(0.114f), b)));
    }
    pdq_kernel_portable.luma_of_rgb(luma + k, rgb + 3 * k, count - k);
}

OB_TARGET_AVX512
static inline float tree(__m512 partial)
{
    __m256 eight =
        _mm256_add_ps(_mm512_castps512_ps256(partial), _mm512_extractf32x8_ps(partial, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

OB_TARGET_AVX512
static void windows(float out[PDQ_SIDE], const float *sums, const pdq_axis *columns)
{
    for (uint32_t j = 0; j < PDQ_SIDE; j++) {
        const float *from = sums + columns->first[j];
        const float *weights = columns->weights + columns->at[j];
        uint32_t length = columns->last[j] - columns->first[j] + 1;
        __m512 partial = _mm512_setzero_ps();
        for (uint32_t k = 0; k < length; k += PDQ_LANES)
            partial = _mm512_add_ps(
                partial, _mm512_mul_ps(_mm512_loadu_ps(weights + k), _mm512_loadu_ps(from + k)));
        out[j] = tree(partial);
    }
}

OB_TARGET_AVX512
static void dct(float b[PDQ_FREQS * PDQ_FREQS], const float a[PDQ_SIDE * PDQ_SIDE],
                const pdq_dct_matrix *matrix)
{
    enum { AT_ONCE = 4, WORDS = PDQ_SIDE / 16 };
    float rows[AT_ONCE][PDQ_SIDE];
    for (uint32_t i = 0; i < PDQ_FREQS; i += AT_ONCE) {
        __m512 sum[AT_ONCE][WORDS];
        for (int r = 0; r < AT_ONCE; r++)
            for (int c = 0; c < WORDS; c++)
                sum[r][c] = _mm512_setzero_ps();
        for (uint32_t k = 0; k < PDQ_SIDE; k++) {
            __m512 row[WORDS];
            for (int c = 0; c < WORDS; c++)
                row[c] = _mm512_load_ps(a + k * PDQ_SIDE + 16 * c);
            for (int r = 0; r < AT_ONCE; r++) {
                __m512 d = _mm512_set1_ps(matrix->d[i + (uint32_t)r][k]);
                for (int c = 0; c < WORDS; c++)
                    sum[r][c] = _mm512_add_ps(sum[r][c], _mm512_mul_ps(d, row[c]));
            }
        }
        for (int r = 0; r < AT_ONCE; r++)
            for (int c = 0; c < WORDS; c++)
                _mm512_storeu_ps(rows[r] + 16 * c, sum[r][c]);
        __m512 out[AT_ONCE];
        for (int r = 0; r < AT_ONCE; r++)
            out[r] = _mm512_setzero_ps();
        for (uint32_t k = 0; k < PDQ_SIDE; k++) {
            __m512 t = _mm512_load_ps(matrix->t[k]);
            for (int r = 0; r < AT_ONCE; r++)
                out[r] = _mm512_add_ps(out[r], _mm512_mul_ps(_mm512_set1_ps(rows[r][k]), t));
        }
        for (uint32_t r = 0; r < AT_ONCE; r++)
            _mm512_store_ps(b + PDQ_FREQS * (i + r), out[r]);
    }
}

OB_TARGET_AVX512
static inline __m512i steps(__m512 u, __m512 v)
{
    __m512 scaled = _mm512_div_ps(_mm512_mul_ps(_mm512_sub_ps(u, v), _mm512_set1_ps(100.0f)),
                                  _mm512_set1_ps(255.0f));
    return _mm512_abs_epi32(_mm512_cvttps_epi32(scaled));
}

OB_TARGET_AVX512
static uint32_t gradient(const float a[PDQ_SIDE * PDQ_SIDE])
{
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t i = 0; i < PDQ_SIDE; i++)
        for (uint32_t j = 0; j < PDQ_SIDE; j += 16) {
            const float *here = a + i * PDQ_SIDE + j;
            __mmask16 right = j + 16 < PDQ_SIDE ? 0xFFFF : 0x7FFF;
            __m512 u = _mm512_load_ps(here);
            if (i + 1 < PDQ_SIDE)
                sum = _mm512_add_epi32(sum, steps(u, _mm512_load_ps(here + PDQ_SIDE)));
            __m512i across = steps(u, _mm512_maskz_loadu_ps(right, here + 1));
            sum = _mm512_mask_add_epi32(sum, right, sum, across);
        }
    return (uint32_t)_mm512_reduce_add_epi32(sum);
}

OB_TARGET_AVX512
static uint32_t median(const uint32_t keys[PDQ_FREQS * PDQ_FREQS])
{
    __m512i key[16];
    for (int k = 0; k < 16; k++)
        key[k] = _mm512_load_si512((const void *)(keys + 16 * k));
    uint32_t found = 0;
    for (uint32_t bit = UINT32_C(1) << 31; bit; bit >>= 1) {
        __m512i limit = _mm512_set1_epi32((int)(found | bit));
        unsigned below = 0;
        for (int k = 0; k < 16; k += 2) {
            unsigned low = _mm512_cmplt_epu32_mask(key[k], limit);
            unsigned high = _mm512_cmplt_epu32_mask(key[k + 1], limit);
            below += (unsigned)__builtin_popcount(low | high << 16);
        }
        if (below < PDQ_FREQS * PDQ_FREQS / 2)
            found |= bit;
    }
    return found;
}

const pdq_kernel pdq_kernel_avx512 = {
    .add_luma = add_luma,
    .add_float = add_float,
    .luma_of_rgb = luma_of_rgb,
    .windows = windows,
    .dct = dct,
    .gradient = gradient,
    .median = median,
};
#else
typedef int pdq_nothing_here;
#endif
