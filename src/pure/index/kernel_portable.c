/* The definition of what kernels answer. */
#include "index_priv.h"

#include <string.h>

/* Without a machine instruction the compiler would call a function for each count. */
static unsigned popcount(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}

static uint32_t suspect(const ob_index_half *first, uint32_t count, const ob_index_half *query,
                        unsigned distance)
{
    unsigned least = 64;
    for (uint32_t k = 0; k < count; k++) {
        unsigned bound = popcount((first[k].q[0] ^ query->q[0]) | (first[k].q[1] ^ query->q[1]));
        if (bound < least)
            least = bound;
    }
    return least <= distance;
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
    memset(hits, 0, INDEX_BLOCK / 8);
    for (uint32_t k = 0; k < count; k++) {
        unsigned d = popcount(first[k].q[0] ^ query->q[0]) + popcount(first[k].q[1] ^ query->q[1]) +
                     popcount(second[k].q[0] ^ query->q[2]) +
                     popcount(second[k].q[1] ^ query->q[3]);
        hits[k / 64] |= (uint64_t)(d <= distance) << (k % 64);
    }
}

/* Four words at a time, in the four parts of a 64-bit number. */
static uint32_t filter(uint16_t places[INDEX_BLOCK], const uint8_t *words, uint32_t count,
                       uint32_t word, unsigned bits)
{
    const uint64_t ones = UINT64_C(0x0001000100010001);
    uint32_t passed = 0, k = 0;
    for (; k + 4 <= count; k += 4) {
        uint64_t x;
        memcpy(&x, words + 2 * k, sizeof x);
        x ^= word * ones;
        x -= x >> 1 & UINT64_C(0x5555555555555555);
        x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
        x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
        x = (x + (x >> 8)) & UINT64_C(0x001F001F001F001F);
        uint64_t above = x + (0x7FFF - bits) * ones; /* the top bit of a part: more than `bits` */
        for (uint64_t left = ~above & 0x8000 * ones; left; left &= left - 1)
            places[passed++] = (uint16_t)(k + (unsigned)__builtin_ctzll(left) / 16);
    }
    for (; k < count; k++) {
        uint16_t x;
        memcpy(&x, words + 2 * k, sizeof x);
        if (popcount(x ^ (uint64_t)word) <= bits)
            places[passed++] = (uint16_t)k;
    }
    return passed;
}

const index_kernel index_kernel_portable = {
    .suspects = suspects, .suspect = suspect, .verify = verify, .filter = filter};
