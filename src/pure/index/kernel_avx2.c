/* Compares stored hashes with a query, with AVX2; equal to kernel_portable.c. */
#include "index_priv.h"

#if OB_HAVE_X86
#include <immintrin.h>
#include <string.h>

/* Counts of each 64-bit lane, by a table of the sixteen values of half a byte. */
OB_TARGET_AVX2
static inline __m256i count_bits(__m256i x)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                           2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    __m256i bytes =
        _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(x, low)),
                        _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), low)));
    return _mm256_sad_epu8(bytes, _mm256_setzero_si256());
}

/* Four hashes against `group` queries. */
OB_TARGET_AVX2
static inline __attribute__((always_inline)) uint32_t bound(const ob_index_half *first,
                                                            uint32_t count,
                                                            const ob_index_half *queries, int group,
                                                            unsigned distance)
{
    __m256i a[INDEX_GROUP], b[INDEX_GROUP], least[INDEX_GROUP];
    for (int i = 0; i < group; i++) {
        a[i] = _mm256_set1_epi64x((long long)queries[i].q[0]);
        b[i] = _mm256_set1_epi64x((long long)queries[i].q[1]);
        least[i] = _mm256_set1_epi64x(64);
    }
    for (uint32_t k = 0; k < count; k += 4) {
        ob_index_half tail[4];
        const ob_index_half *at = first + k;
        if (count - k < 4) { /* lanes behind the end repeat the last hash */
            for (uint32_t t = 0; t < 4; t++)
                tail[t] = at[t < count - k ? t : count - k - 1];
            at = tail;
        }
        __m256i left = _mm256_loadu_si256((const __m256i *)(const void *)at);
        __m256i right = _mm256_loadu_si256((const __m256i *)(const void *)(at + 2));
        __m256i x = _mm256_unpacklo_epi64(left, right);
        __m256i y = _mm256_unpackhi_epi64(left, right);
#pragma GCC unroll 8
        for (int i = 0; i < group; i++) {
            __m256i differing =
                _mm256_or_si256(_mm256_xor_si256(x, a[i]), _mm256_xor_si256(y, b[i]));
            /* counts are at most 64: their low halves may be compared as 32-bit numbers */
            least[i] = _mm256_min_epu32(least[i], count_bits(differing));
        }
    }
    uint32_t mask = 0;
    for (int i = 0; i < group; i++) {
        __m256i above = _mm256_cmpgt_epi64(least[i], _mm256_set1_epi64x(distance));
        mask |= (uint32_t)(_mm256_movemask_epi8(above) != -1) << i;
    }
    return mask;
}

OB_TARGET_AVX2
static uint32_t suspects(const ob_index_half *first, uint32_t count,
                         const ob_index_half queries[INDEX_GROUP], unsigned distance)
{
    return bound(first, count, queries, INDEX_GROUP / 2, distance) |
           bound(first, count, queries + INDEX_GROUP / 2, INDEX_GROUP / 2, distance)
               << INDEX_GROUP / 2;
}

OB_TARGET_AVX2
static uint32_t suspect(const ob_index_half *first, uint32_t count, const ob_index_half *query,
                        unsigned distance)
{
    return bound(first, count, query, 1, distance);
}

OB_TARGET_AVX2
static void verify(uint64_t hits[INDEX_BLOCK / 64], const ob_index_half *first,
                   const ob_index_half *second, uint32_t count, const ob_hash256 *query,
                   unsigned distance)
{
    memset(hits, 0, INDEX_BLOCK / 8);
    for (uint32_t k = 0; k < count; k++) {
        int64_t d = _mm_popcnt_u64(first[k].q[0] ^ query->q[0]) +
                    _mm_popcnt_u64(first[k].q[1] ^ query->q[1]) +
                    _mm_popcnt_u64(second[k].q[0] ^ query->q[2]) +
                    _mm_popcnt_u64(second[k].q[1] ^ query->q[3]);
        hits[k / 64] |= (uint64_t)(d <= (int64_t)distance) << (k % 64);
    }
}

OB_TARGET_AVX2
static uint32_t filter(uint16_t places[INDEX_BLOCK], const uint8_t *words, uint32_t count,
                       uint32_t word, unsigned bits)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                           2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    __m256i wanted = _mm256_set1_epi16((short)word), limit = _mm256_set1_epi16((short)bits);
    uint32_t passed = 0, k = 0;
    for (; k + 16 <= count; k += 16) {
        __m256i x = _mm256_xor_si256(
            _mm256_loadu_si256((const __m256i *)(const void *)(words + 2 * k)), wanted);
        __m256i bytes = _mm256_add_epi8(
            _mm256_shuffle_epi8(table, _mm256_and_si256(x, low)),
            _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), low)));
        __m256i differing = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
        uint32_t far = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi16(differing, limit));
        for (uint32_t near = ~far & 0x55555555; near; near &= near - 1)
            places[passed++] = (uint16_t)(k + (uint32_t)__builtin_ctz(near) / 2);
    }
    uint32_t more =
        index_kernel_portable.filter(places + passed, words + 2 * k, count - k, word, bits);
    for (uint32_t i = 0; i < more; i++)
        places[passed + i] = (uint16_t)(places[passed + i] + k);
    return passed + more;
}

const index_kernel index_kernel_avx2 = {
    .suspects = suspects, .suspect = suspect, .verify = verify, .filter = filter};
#else
typedef int index_nothing_here;
#endif
