/* Compares stored hashes with a query, with AVX-512; equal to kernel_portable.c. */
#include "index_priv.h"

#if OB_HAVE_X86
#include <immintrin.h>
#include <string.h>

/* Eight hashes against `group` queries: xor, or-xor, popcount, minimum, each once for a query. The
 * group is a constant wherever this is inlined, so that all of it stays in registers. */
OB_TARGET_AVX512
static inline __attribute__((always_inline)) uint32_t bound(const ob_index_half *first,
                                                            uint32_t count,
                                                            const ob_index_half *queries, int group,
                                                            unsigned distance)
{
    __m512i a[INDEX_GROUP], b[INDEX_GROUP], least[INDEX_GROUP];
    for (int i = 0; i < group; i++) {
        a[i] = _mm512_set1_epi64((long long)queries[i].q[0]);
        b[i] = _mm512_set1_epi64((long long)queries[i].q[1]);
        least[i] = _mm512_set1_epi64(64);
    }
    for (uint32_t k = 0; k < count; k += 8) {
        const ob_index_half *at = first + k;
        __m512i left, right;
        if (count - k >= 8) {
            left = _mm512_loadu_si512((const void *)at);
            right = _mm512_loadu_si512((const void *)(at + 4));
        } else { /* lanes behind the end repeat the last hash, which changes no minimum */
            ob_index_half tail[8];
            for (uint32_t t = 0; t < 8; t++)
                tail[t] = at[t < count - k ? t : count - k - 1];
            left = _mm512_loadu_si512((const void *)tail);
            right = _mm512_loadu_si512((const void *)(tail + 4));
        }
        __m512i x = _mm512_unpacklo_epi64(left, right), y = _mm512_unpackhi_epi64(left, right);
#pragma GCC unroll 8
        for (int i = 0; i < group; i++) {
            /* 0xF6 is A | (B ^ C) */
            __m512i differing = _mm512_ternarylogic_epi64(_mm512_xor_si512(x, a[i]), y, b[i], 0xF6);
            least[i] = _mm512_min_epu64(least[i], _mm512_popcnt_epi64(differing));
        }
    }
    uint32_t mask = 0;
    __m512i limit = _mm512_set1_epi64(distance);
    for (int i = 0; i < group; i++)
        mask |= (uint32_t)(_mm512_cmple_epu64_mask(least[i], limit) != 0) << i;
    return mask;
}

OB_TARGET_AVX512
static uint32_t suspects(const ob_index_half *first, uint32_t count,
                         const ob_index_half queries[INDEX_GROUP], unsigned distance)
{
    return bound(first, count, queries, INDEX_GROUP, distance);
}

OB_TARGET_AVX512
static uint32_t suspect(const ob_index_half *first, uint32_t count, const ob_index_half *query,
                        unsigned distance)
{
    return bound(first, count, query, 1, distance);
}

OB_TARGET_AVX512
static inline __m512i count_bits(const ob_index_half *at, __m512i query)
{
    return _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512((const void *)at), query));
}

OB_TARGET_AVX512
static void verify(uint64_t hits[INDEX_BLOCK / 64], const ob_index_half *first,
                   const ob_index_half *second, uint32_t count, const ob_hash256 *query,
                   unsigned distance)
{
    uint32_t whole = count & ~3u;
    if (whole != count)
        index_kernel_portable.verify(hits, first, second, count, query, distance);
    if (whole != count)
        return;
    memset(hits, 0, INDEX_BLOCK / 8);
    __m512i a = _mm512_broadcast_i64x2(_mm_loadu_si128((const void *)&query->q[0]));
    __m512i b = _mm512_broadcast_i64x2(_mm_loadu_si128((const void *)&query->q[2]));
    __m512i limit = _mm512_set1_epi64(distance);
    for (uint32_t k = 0; k < whole; k += 4) {
        __m512i bits = _mm512_add_epi64(count_bits(first + k, a), count_bits(second + k, b));
        __m512i total = _mm512_add_epi64(bits, _mm512_permutex_epi64(bits, 0xB1));
        uint32_t near = _mm512_cmple_epu64_mask(total, limit);
        hits[k / 64] |= (uint64_t)_pext_u32(near, 0x55) << (k % 64);
    }
}

OB_TARGET_AVX512
static uint32_t filter(uint16_t places[INDEX_BLOCK], const uint8_t *words, uint32_t count,
                       uint32_t word, unsigned bits)
{
    __m512i wanted = _mm512_set1_epi16((short)word), limit = _mm512_set1_epi16((short)bits);
    uint32_t passed = 0;
    for (uint32_t k = 0; k < count; k += 32) {
        __mmask32 have = count - k >= 32 ? UINT32_MAX : (UINT32_C(1) << (count - k)) - 1;
        __m512i here = _mm512_maskz_loadu_epi16(have, words + 2 * k);
        __m512i differing = _mm512_popcnt_epi16(_mm512_xor_si512(here, wanted));
        uint32_t near = _mm512_mask_cmple_epu16_mask(have, differing, limit);
        for (; near; near &= near - 1)
            places[passed++] = (uint16_t)(k + (uint32_t)__builtin_ctz(near));
    }
    return passed;
}

const index_kernel index_kernel_avx512 = {
    .suspects = suspects, .suspect = suspect, .verify = verify, .filter = filter};
#else
typedef int index_nothing_here;
#endif
