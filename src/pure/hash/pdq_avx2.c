/* The inner loops of PDQ with AVX2; equal to pdq_portable.c bit by bit. */
#include "hash_priv.h"

#if OB_HAVE_X86
#include <immintrin.h>

OB_TARGET_AVX2
static void add_luma(float *sums, const uint8_t *row, float weight, size_t count)
{
    __m256 w = _mm256_set1_ps(weight);
    size_t k = 0;
    for (; k + 8 <= count; k += 8) {
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(row + k));
        __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
        __m256 sum = _mm256_loadu_ps(sums + k);
        _mm256_storeu_ps(sums + k, _mm256_add_ps(sum, _mm256_mul_ps(w, value)));
    }
    pdq_kernel_portable.add_luma(sums + k, row + k, weight, count - k);
}

OB_TARGET_AVX2
static void add_float(float *sums, const float *row, float weight, size_t count)
{
    __m256 w = _mm256_set1_ps(weight);
    size_t k = 0;
    for (; k + 8 <= count; k += 8)
        _mm256_storeu_ps(sums + k, _mm256_add_ps(_mm256_loadu_ps(sums + k),
                                                 _mm256_mul_ps(w, _mm256_loadu_ps(row + k))));
    pdq_kernel_portable.add_float(sums + k, row + k, weight, count - k);
}

/* Eight pixels are six 32-bit words: three to each 128-bit lane, then one pixel to a word. */
OB_TARGET_AVX2
static void luma_of_rgb(float *luma, const uint8_t *rgb, size_t count)
{
    const __m256i six = _mm256_setr_epi32(-1, -1, -1, -1, -1, -1, 0, 0);
    const __m256i to_lanes = _mm256_setr_epi32(0, 1, 2, 7, 3, 4, 5, 7);
    const __m256i to_words = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    const __m256i low = _mm256_set1_epi32(0xFF);
    size_t k = 0;
    for (; k + 8 <= count; k += 8) {
        __m256i bytes = _mm256_maskload_epi32((const int *)(const void *)(rgb + 3 * k), six);
        __m256i words = _mm256_shuffle_epi8(_mm256_permutevar8x32_epi32(bytes, to_lanes), to_words);
        __m256 r = _mm256_cvtepi32_ps(_mm256_and_si256(words, low));
        __m256 g = _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(words, 8), low));
        __m256 b = _mm256_cvtepi32_ps(_mm256_srli_epi32(words, 16));
        __m256 rg = _mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(0.299f), r),
                                  _mm256_mul_ps(_mm256_set1_ps(0.587f), g));
        _mm256_storeu_ps(luma + k, _mm256_add_ps(rg, _mm256_mul_ps(_mm256_set1_ps(0.114f), b)));
    }
    pdq_kernel_portable.luma_of_rgb(luma + k, rgb + 3 * k, count - k);
}

OB_TARGET_AVX2
static void windows(float out[PDQ_SIDE], const float *sums, const pdq_axis *columns)
{
    for (uint32_t j = 0; j < PDQ_SIDE; j++) {
        const float *from = sums + columns->first[j];
        const float *weights = columns->weights + columns->at[j];
        uint32_t length = columns->last[j] - columns->first[j] + 1;
        __m256 low = _mm256_setzero_ps(), high = low;
        for (uint32_t k = 0; k < length; k += PDQ_LANES) {
            low = _mm256_add_ps(
                low, _mm256_mul_ps(_mm256_loadu_ps(weights + k), _mm256_loadu_ps(from + k)));
            high = _mm256_add_ps(high, _mm256_mul_ps(_mm256_loadu_ps(weights + k + 8),
                                                     _mm256_loadu_ps(from + k + 8)));
        }
        __m256 eight = _mm256_add_ps(low, high);
        __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        out[j] = _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
}

OB_TARGET_AVX2
static void dct(float b[PDQ_FREQS * PDQ_FREQS], const float a[PDQ_SIDE * PDQ_SIDE],
                const pdq_dct_matrix *matrix)
{
    enum { WORDS = PDQ_SIDE / 8 };
    float row[PDQ_SIDE];
    for (uint32_t i = 0; i < PDQ_FREQS; i++) {
        __m256 sum[WORDS];
        for (int c = 0; c < WORDS; c++)
            sum[c] = _mm256_setzero_ps();
        for (uint32_t k = 0; k < PDQ_SIDE; k++) {
            __m256 d = _mm256_set1_ps(matrix->d[i][k]);
            for (int c = 0; c < WORDS; c++)
                sum[c] = _mm256_add_ps(sum[c],
                                       _mm256_mul_ps(d, _mm256_load_ps(a + k * PDQ_SIDE + 8 * c)));
        }
        for (int c = 0; c < WORDS; c++)
            _mm256_storeu_ps(row + 8 * c, sum[c]);
        __m256 left = _mm256_setzero_ps(), right = left;
        for (uint32_t k = 0; k < PDQ_SIDE; k++) {
            __m256 value = _mm256_set1_ps(row[k]);
            left = _mm256_add_ps(left, _mm256_mul_ps(value, _mm256_load_ps(matrix->t[k])));
            right = _mm256_add_ps(right, _mm256_mul_ps(value, _mm256_load_ps(matrix->t[k] + 8)));
        }
        _mm256_store_ps(b + PDQ_FREQS * i, left);
        _mm256_store_ps(b + PDQ_FREQS * i + 8, right);
    }
}

OB_TARGET_AVX2
static inline __m256i steps(__m256 u, __m256 v)
{
    __m256 scaled = _mm256_div_ps(_mm256_mul_ps(_mm256_sub_ps(u, v), _mm256_set1_ps(100.0f)),
                                  _mm256_set1_ps(255.0f));
    return _mm256_abs_epi32(_mm256_cvttps_epi32(scaled));
}

OB_TARGET_AVX2
static uint32_t gradient(const float a[PDQ_SIDE * PDQ_SIDE])
{
    const __m256i all = _mm256_set1_epi32(-1);
    const __m256i seven = _mm256_setr_epi32(-1, -1, -1, -1, -1, -1, -1, 0);
    __m256i sum = _mm256_setzero_si256();
    for (uint32_t i = 0; i < PDQ_SIDE; i++)
        for (uint32_t j = 0; j < PDQ_SIDE; j += 8) {
            const float *here = a + i * PDQ_SIDE + j;
            __m256i right = j + 8 < PDQ_SIDE ? all : seven;
            __m256 u = _mm256_load_ps(here);
            if (i + 1 < PDQ_SIDE)
                sum = _mm256_add_epi32(sum, steps(u, _mm256_load_ps(here + PDQ_SIDE)));
            __m256i across = steps(u, _mm256_maskload_ps(here + 1, right));
            sum = _mm256_add_epi32(sum, _mm256_and_si256(across, right));
        }
    uint32_t parts[8], total = 0;
    _mm256_storeu_si256((__m256i *)(void *)parts, sum);
    for (int k = 0; k < 8; k++)
        total += parts[k];
    return total;
}

OB_TARGET_AVX2
static uint32_t median(const uint32_t keys[PDQ_FREQS * PDQ_FREQS])
{
    const __m256i sign = _mm256_set1_epi32(INT32_MIN); /* AVX2 compares signed numbers only */
    uint32_t found = 0;
    for (uint32_t bit = UINT32_C(1) << 31; bit; bit >>= 1) {
        __m256i limit = _mm256_xor_si256(sign, _mm256_set1_epi32((int)(found | bit)));
        __m256i negative = _mm256_setzero_si256();
        for (int k = 0; k < PDQ_FREQS * PDQ_FREQS; k += 8) {
            __m256i key = _mm256_load_si256((const __m256i *)(const void *)(keys + k));
            negative =
                _mm256_add_epi32(negative, _mm256_cmpgt_epi32(limit, _mm256_xor_si256(sign, key)));
        }
        int32_t parts[8], below = 0;
        _mm256_storeu_si256((__m256i *)(void *)parts, negative);
        for (int k = 0; k < 8; k++)
            below -= parts[k];
        if (below < PDQ_FREQS * PDQ_FREQS / 2)
            found |= bit;
    }
    return found;
}

const pdq_kernel pdq_kernel_avx2 = {
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
