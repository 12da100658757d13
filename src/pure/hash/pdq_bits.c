/* The cosine transform of 64 by 64 averages, the hash of its 16 by 16 lowest frequencies, and the
 * quality. */
#include "hash_priv.h"

#include <string.h>

/* cos(k * pi / 128) for k = 0..64, so that no machine's library decides the last digit. */
static const double cosine[65] = {
    0x1.0000000000000p+0,
    0x1.ffd886084cd0dp-1,
    0x1.ff621e3796d7ep-1,
    0x1.fe9cdad01883ap-1,
    0x1.fd88da3d12526p-1,
    0x1.fc26470e19fd3p-1,
    0x1.fa7557f08a517p-1,
    0x1.f8764fa714ba9p-1,
    0x1.f6297cff75cb0p-1,
    0x1.f38f3ac64e589p-1,
    0x1.f0a7efb9230d7p-1,
    0x1.ed740e7684963p-1,
    0x1.e9f4156c62ddap-1,
    0x1.e6288ec48e112p-1,
    0x1.e212104f686e5p-1,
    0x1.ddb13b6ccc23cp-1,
    0x1.d906bcf328d46p-1,
    0x1.d4134d14dc93ap-1,
    0x1.ced7af43cc773p-1,
    0x1.c954b213411f5p-1,
    0x1.c38b2f180bdb1p-1,
    0x1.bd7c0ac6f952ap-1,
    0x1.b728345196e3ep-1,
    0x1.b090a58150200p-1,
    0x1.a9b66290ea1a3p-1,
    0x1.a29a7a0462782p-1,
    0x1.9b3e047f38741p-1,
    0x1.93a22499263fbp-1,
    0x1.8bc806b151741p-1,
    0x1.83b0e0bff976ep-1,
    0x1.7b5df226aafafp-1,
    0x1.72d0837efff96p-1,
    0x1.6a09e667f3bcdp-1,
    0x1.610b7551d2cdfp-1,
    0x1.57d69348ceca0p-1,
    0x1.4e6cabbe3e5e9p-1,
    0x1.44cf325091dd6p-1,
    0x1.3affa292050b9p-1,
    0x1.30ff7fce17035p-1,
    0x1.26d054cdd12dfp-1,
    0x1.1c73b39ae68c8p-1,
    0x1.11eb3541b4b23p-1,
    0x1.073879922ffeep-1,
    0x1.f8ba4dbf89abap-2,
    0x1.e2b5d3806f63bp-2,
    0x1.cc66e9931c45ep-2,
    0x1.b5d1009e15cc0p-2,
    0x1.9ef7943a8ed8ap-2,
    0x1.87de2a6aea963p-2,
    0x1.7088530fa459fp-2,
    0x1.58f9a75ab1fddp-2,
    0x1.4135c94176601p-2,
    0x1.294062ed59f06p-2,
    0x1.111d262b1f677p-2,
    0x1.f19f97b215f1bp-3,
    0x1.c0b826a7e4f63p-3,
    0x1.8f8b83c69a60bp-3,
    0x1.5e214448b3fc6p-3,
    0x1.2c8106e8e613ap-3,
    0x1.f564e56a9730ep-4,
    0x1.917a6bc29b42cp-4,
    0x1.2d52092ce19f6p-4,
    0x1.91f65f10dd814p-5,
    0x1.92155f7a3667ep-6,
    0x0.0p+0,
};

static double cosine_of(unsigned k)
{
    k %= 256;
    if (k > 128)
        k = 256 - k;
    return k <= 64 ? cosine[k] : -cosine[128 - k];
}

void pdq_dct_matrix_init(pdq_dct_matrix *matrix)
{
    const double scale = 0.17677669529663688110; /* sqrt(2 / 64) */
    for (unsigned i = 0; i < PDQ_FREQS; i++)
        for (unsigned j = 0; j < PDQ_SIDE; j++) {
            float value = (float)(scale * cosine_of((i + 1) * (2 * j + 1)));
            matrix->d[i][j] = value;
            matrix->t[j][i] = value;
        }
}

/* Turning or mirroring a picture changes the sign of some coefficients and may transpose them.
 * These are the four patterns of signs: which (row, column) parities are negated. */
typedef enum sign_pattern {
    SIGN_NONE,
    SIGN_EVEN_ROWS,
    SIGN_EVEN_COLUMNS,
    SIGN_CHEQUERED
} sign_pattern;

static bool negated(sign_pattern pattern, unsigned row, unsigned column)
{
    switch (pattern) {
    case SIGN_EVEN_ROWS:
        return row % 2 == 0;
    case SIGN_EVEN_COLUMNS:
        return column % 2 == 0;
    case SIGN_CHEQUERED:
        return (row + column) % 2 == 1;
    default:
        return false;
    }
}

/* Unsigned integers in the order of the floats. */
static uint32_t key_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & UINT32_C(0x80000000) ? ~bits : bits | UINT32_C(0x80000000);
}

static float value_of(uint32_t key)
{
    uint32_t bits = key & UINT32_C(0x80000000) ? key & ~UINT32_C(0x80000000) : ~key;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static ob_hash256 hash_of(const float b[PDQ_FREQS * PDQ_FREQS], sign_pattern pattern,
                          const pdq_kernel *kernel)
{
    enum { COUNT = PDQ_FREQS * PDQ_FREQS };
    _Alignas(64) float values[COUNT];
    _Alignas(64) uint32_t keys[COUNT];
    for (unsigned k = 0; k < COUNT; k++) {
        values[k] = negated(pattern, k / PDQ_FREQS, k % PDQ_FREQS) ? -b[k] : b[k];
        keys[k] = key_of(values[k]);
    }
    float median = value_of(kernel->median(keys));
    ob_hash256 hash = {{0}};
    for (unsigned k = 0; k < COUNT; k++)
        hash.q[k / 64] |= (uint64_t)(values[k] > median) << (k % 64);
    return hash;
}

unsigned pdq_undecided(const float b[PDQ_FREQS * PDQ_FREQS], const pdq_kernel *kernel)
{
    enum { COUNT = PDQ_FREQS * PDQ_FREQS };
    _Alignas(64) uint32_t keys[COUNT];
    for (unsigned k = 0; k < COUNT; k++)
        keys[k] = key_of(b[k]);
    const float median = value_of(kernel->median(keys));
    unsigned count = 0;
    for (unsigned k = 0; k < COUNT; k++)
        count += b[k] >= median - 0.25f && b[k] <= median + 0.25f;
    return count;
}

static ob_hash256 transposed(const ob_hash256 *hash)
{
    ob_hash256 out = {{0}};
    for (unsigned i = 0; i < PDQ_FREQS; i++)
        for (unsigned j = 0; j < PDQ_FREQS; j++) {
            unsigned from = PDQ_FREQS * i + j, to = PDQ_FREQS * j + i;
            out.q[to / 64] |= (hash->q[from / 64] >> (from % 64) & 1) << (to % 64);
        }
    return out;
}

void pdq_bits(ob_hash256 out[OB_DIHEDRAL_COUNT], const float b[PDQ_FREQS * PDQ_FREQS],
              const pdq_kernel *kernel)
{
    out[OB_DIHEDRAL_ORIGINAL] = hash_of(b, SIGN_NONE, kernel);
    out[OB_DIHEDRAL_FLIPX] = hash_of(b, SIGN_EVEN_ROWS, kernel);
    out[OB_DIHEDRAL_FLIPY] = hash_of(b, SIGN_EVEN_COLUMNS, kernel);
    out[OB_DIHEDRAL_ROTATE180] = hash_of(b, SIGN_CHEQUERED, kernel);
    out[OB_DIHEDRAL_TRANSPOSE] = transposed(&out[OB_DIHEDRAL_ORIGINAL]);
    out[OB_DIHEDRAL_ROTATE270] = transposed(&out[OB_DIHEDRAL_FLIPX]);
    out[OB_DIHEDRAL_ROTATE90] = transposed(&out[OB_DIHEDRAL_FLIPY]);
    out[OB_DIHEDRAL_TRANSVERSE] = transposed(&out[OB_DIHEDRAL_ROTATE180]);
}

const char *ob_dihedral_name(ob_dihedral which)
{
    static const char *const names[OB_DIHEDRAL_COUNT] = {"original",  "rotate90",  "rotate180",
                                                         "rotate270", "flipx",     "flipy",
                                                         "transpose", "transverse"};
    return which >= 0 && which < OB_DIHEDRAL_COUNT ? names[which] : "unknown";
}
