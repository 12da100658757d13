/* The permutation of bits between a hash and its stored form. */
#include "index_priv.h"

/* A hash is a 16 x 16 square of bits: row r is bits 16 r … 16 r + 15. The stored hash takes its
 * word w from the diagonal (row r, column w - 5 r): each row is rotated by five times its number,
 * then rows become columns. */

static ob_hash256 rotate_rows(const ob_hash256 *hash, bool back)
{
    ob_hash256 out = {{0}};
    for (unsigned r = 0; r < 16; r++) {
        unsigned by = (back ? 16 - 5 * r % 16 : 5 * r) % 16;
        uint32_t row = (uint32_t)(hash->q[r / 4] >> (16 * (r % 4))) & 0xFFFF;
        row = (row << by | row >> (16 - by)) & 0xFFFF;
        out.q[r / 4] |= (uint64_t)row << (16 * (r % 4));
    }
    return out;
}

/* Swaps bit blocks between row pairs `rows` apart: both rows in *x when they share a word. */
static void swap_within(uint64_t *x, unsigned rows, uint64_t mask)
{
    unsigned shift = 16 * rows - rows;
    uint64_t t = (*x ^ (*x >> shift)) & mask;
    *x ^= t ^ (t << shift);
}

static void swap_between(uint64_t *a, uint64_t *b, unsigned columns, uint64_t mask)
{
    uint64_t t = ((*a >> columns) ^ *b) & mask;
    *b ^= t;
    *a ^= t << columns;
}

static ob_hash256 transpose(const ob_hash256 *hash)
{
    ob_hash256 x = *hash;
    for (int i = 0; i < 4; i++) {
        swap_within(&x.q[i], 1, UINT64_C(0x0000AAAA0000AAAA));
        swap_within(&x.q[i], 2, UINT64_C(0x00000000CCCCCCCC));
    }
    swap_between(&x.q[0], &x.q[1], 4, UINT64_C(0x0F0F0F0F0F0F0F0F));
    swap_between(&x.q[2], &x.q[3], 4, UINT64_C(0x0F0F0F0F0F0F0F0F));
    swap_between(&x.q[0], &x.q[2], 8, UINT64_C(0x00FF00FF00FF00FF));
    swap_between(&x.q[1], &x.q[3], 8, UINT64_C(0x00FF00FF00FF00FF));
    return x;
}

ob_hash256 index_permute(const ob_hash256 *hash)
{
    ob_hash256 rotated = rotate_rows(hash, false);
    return transpose(&rotated);
}

ob_hash256 index_unpermute(const ob_hash256 *stored)
{
    ob_hash256 rotated = transpose(stored);
    return rotate_rows(&rotated, true);
}
