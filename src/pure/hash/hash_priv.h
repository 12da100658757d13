/* The parts of PDQ. In order: pdq_axis.c plans which samples feed which of the 64 outputs along
 * one axis; pdq.c sums rows by that plan; a kernel does the arithmetic; pdq_bits.c turns the
 * 16 x 16 coefficients into bits.
 *
 * A kernel exists as the definition (pdq_portable.c) and once for each instruction set. All give
 * the same bits, because every sum below has its order fixed: sums over rows and over k go one
 * term after the other; a sum over a window has sixteen partial sums, added as a tree. */
#ifndef OBHUT_HASH_PRIV_H
#define OBHUT_HASH_PRIV_H

#include <obhut/hash.h>

enum {
    PDQ_SIDE = 64,     /* of the reduced picture A */
    PDQ_FREQS = 16,    /* of the coefficients B */
    PDQ_LANES = 16,    /* partial sums of a window */
    PDQ_NEAREST = 512, /* the reference variant's side */
};

/* ---- One axis: two box filters and the choice of 64 of their outputs, as weights ------------- */

typedef struct pdq_axis {
    uint32_t cells;             /* samples along the axis, as fed */
    uint32_t first[PDQ_SIDE];   /* first sample with a weight */
    uint32_t last[PDQ_SIDE];    /* last one */
    uint32_t same_as[PDQ_SIDE]; /* an earlier output with the very same weights, or itself */
    uint32_t at[PDQ_SIDE];      /* where its weights start in `weights` */
    uint32_t open_most;         /* outputs whose samples overlap, at most */
    float *weights;             /* of each output: last - first + 1, then zeros up to a multiple of
                                 * PDQ_LANES */
} pdq_axis;

/* For `size` samples of which `scale` at a time were summed up into one. Where fields have no
 * middle sample, the one behind it is taken: `mirrored` takes the one before it, as if the axis had
 * been turned round before. */
ob_status pdq_axis_init(pdq_axis *axis, uint32_t size, uint32_t scale, bool mirrored,
                        ob_error *err);
void pdq_axis_free(pdq_axis *axis);

/* ---- The arithmetic -------------------------------------------------------------------------- */

/* D of PDQ, and its transpose. */
typedef struct pdq_dct_matrix {
    _Alignas(64) float d[PDQ_FREQS][PDQ_SIDE];
    _Alignas(64) float t[PDQ_SIDE][PDQ_FREQS];
} pdq_dct_matrix;

typedef struct pdq_kernel {
    /* sums[k] += weight * row[k] */
    void (*add_luma)(float *sums, const uint8_t *row, float weight, size_t count);
    void (*add_float)(float *sums, const float *row, float weight, size_t count);

    /* luma[k] = (0.299 R + 0.587 G) + 0.114 B */
    void (*luma_of_rgb)(float *luma, const uint8_t *rgb, size_t count);

    /* out[j] = the window of output j: partial sum l takes samples l, l + 16, … of the window.
     * Reads `sums` up to PDQ_LANES - 1 samples behind the last window; those count as zero. */
    void (*windows)(float out[PDQ_SIDE], const float *sums, const pdq_axis *columns);

    /* b = D a D', sums over k from 0 up. Both 64-byte aligned. */
    void (*dct)(float b[PDQ_FREQS * PDQ_FREQS], const float a[PDQ_SIDE * PDQ_SIDE],
                const pdq_dct_matrix *matrix);

    /* Sum of |trunc((u - v) * 100 / 255)| over vertical and horizontal neighbours of a. */
    uint32_t (*gradient)(const float a[PDQ_SIDE * PDQ_SIDE]);

    /* The 128th smallest of 256 keys. 64-byte aligned. */
    uint32_t (*median)(const uint32_t keys[PDQ_FREQS * PDQ_FREQS]);
} pdq_kernel;

extern const pdq_kernel pdq_kernel_portable;
#if OB_HAVE_X86
extern const pdq_kernel pdq_kernel_avx2, pdq_kernel_avx512;
#endif

const pdq_kernel *pdq_kernel_for(ob_isa isa);

void pdq_dct_matrix_init(pdq_dct_matrix *matrix);

/* All eight hashes from the coefficients. */
void pdq_bits(ob_hash256 out[OB_DIHEDRAL_COUNT], const float b[PDQ_FREQS * PDQ_FREQS],
              const pdq_kernel *kernel);

/* How many coefficients lie within a quarter of the median. */
unsigned pdq_undecided(const float b[PDQ_FREQS * PDQ_FREQS], const pdq_kernel *kernel);

#endif
