/* The 128-bit instructions of WebAssembly: there at compile time or not at all. */
#include "index_priv.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>

/* Differing bits of the halves, OR-ed, of two hashes: two 32-bit sums for each. */
static inline v128_t bound_of_two(const ob_index_half *at, v128_t query)
{
    v128_t a = wasm_v128_xor(wasm_v128_load(at), query);
    v128_t b = wasm_v128_xor(wasm_v128_load(at + 1), query);
    v128_t either = wasm_v128_or(wasm_i64x2_shuffle(a, b, 0, 2), wasm_i64x2_shuffle(a, b, 1, 3));
    return wasm_u32x4_extadd_pairwise_u16x8(
        wasm_u16x8_extadd_pairwise_u8x16(wasm_i8x16_popcnt(either)));
}

static uint32_t suspect(const ob_index_half *first, uint32_t count, const ob_index_half *query,
                        unsigned distance)
{
    v128_t wanted = wasm_v128_load(query), least = wasm_i32x4_splat(128);
    uint32_t k = 0;
    for (; k + 4 <= count; k += 4) {
        v128_t a = bound_of_two(first + k, wanted), b = bound_of_two(first + k + 2, wanted);
        v128_t sum = wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6),
                                    wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
        least = wasm_u32x4_min(least, sum);
    }
    if (wasm_v128_any_true(wasm_u32x4_le(least, wasm_i32x4_splat((int)distance))))
        return 1;
    return k < count ? index_kernel_portable.suspect(first + k, count - k, query, distance) : 0;
}

static uint32_t suspects(const ob_index_half *first, uint32_t count,
                         const ob_index_half queries[INDEX_GROUP], unsigned distance)
{
    uint32_t mask = 0;
    for (int i = 0; i < INDEX_GROUP; i++)
        mask |= suspect(first, count, &queries[i], distance) << i;
    return mask;
}

static void verify(uint64_t hits[INDEX_BLOCK / 64], const ob_index_half *first,
                   const ob_index_half *second, uint32_t count, const ob_hash256 *query,
                   unsigned distance)
{
    index_kernel_portable.verify(hits, first, second, count, query, distance);
}

static uint32_t filter(uint16_t places[INDEX_BLOCK], const uint8_t *words, uint32_t count,
                       uint32_t word, unsigned bits)
{
    v128_t wanted = wasm_i16x8_splat((short)word), limit = wasm_i16x8_splat((short)bits);
    uint32_t passed = 0, k = 0;
    for (; k + 8 <= count; k += 8) {
        v128_t here = wasm_v128_xor(wasm_v128_load(words + 2 * k), wanted);
        v128_t differing = wasm_u16x8_extadd_pairwise_u8x16(wasm_i8x16_popcnt(here));
        for (uint32_t near = wasm_i16x8_bitmask(wasm_u16x8_le(differing, limit)); near;
             near &= near - 1)
            places[passed++] = (uint16_t)(k + (uint32_t)__builtin_ctz(near));
    }
    if (k < count) {
        uint32_t more =
            index_kernel_portable.filter(places + passed, words + 2 * k, count - k, word, bits);
        for (uint32_t i = 0; i < more; i++)
            places[passed + i] = (uint16_t)(places[passed + i] + k);
        passed += more;
    }
    return passed;
}

const index_kernel index_kernel_simd128 = {
    .suspects = suspects, .suspect = suspect, .verify = verify, .filter = filter};
#else
typedef int index_nothing_here;
#endif
