/* hash: PDQ, a perceptual hash of pictures. Luma or RGB in, hash out; no decoders, no files.
 *
 * A picture is fed from top to bottom, a few rows at a time, and never held: memory grows with the
 * width only. The arithmetic is fixed down to the order of every sum, so the same pixels give the
 * same 256 bits on every machine, with every instruction set and in WebAssembly.
 *
 * Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", sections
 * 4-6. docs/HASHING.md explains each step and where published implementations part ways;
 * conformance: tests/conformance/pdq. */
#ifndef OBHUT_HASH_H
#define OBHUT_HASH_H

#include <obhut/base.h>

/* Two published ways to treat pictures above 512 pixels; below, they coincide. */
typedef enum ob_pdq_variant {
    OB_PDQ_FULL = 0,  /* every pixel counts: the Python and Java tools; the default */
    OB_PDQ_REFERENCE, /* first the nearest neighbour to 512 x 512: the C++ tool */
} ob_pdq_variant;

typedef enum ob_pdq_samples {
    OB_PDQ_LUMA = 1, /* one byte a pixel */
    OB_PDQ_RGB = 3,  /* three bytes a pixel, R G B */
} ob_pdq_samples;

/* The eight ways in which a picture can be turned and mirrored, in the published order. */
typedef enum ob_dihedral {
    OB_DIHEDRAL_ORIGINAL,
    OB_DIHEDRAL_ROTATE90,
    OB_DIHEDRAL_ROTATE180,
    OB_DIHEDRAL_ROTATE270,
    OB_DIHEDRAL_FLIPX,
    OB_DIHEDRAL_FLIPY,
    OB_DIHEDRAL_TRANSPOSE,
    OB_DIHEDRAL_TRANSVERSE,
    OB_DIHEDRAL_COUNT,
} ob_dihedral;

/* "original", "rotate90", … as in JSON output. */
const char *ob_dihedral_name(ob_dihedral which);

/* A match of a picture below this quality is not trustworthy: it has too little in it. */
enum { OB_PDQ_MIN_QUALITY = 50 };

/* Hashes at most this far apart match. */
enum { OB_PDQ_MAX_DISTANCE = 31 };

typedef struct ob_pdq {
    ob_hash256 hash[OB_DIHEDRAL_COUNT]; /* [OB_DIHEDRAL_ORIGINAL] is the hash of the picture */
    int quality;                        /* 0..100 */
} ob_pdq;

/* What will be fed. */
typedef struct ob_pdq_shape {
    uint32_t width, height; /* of the picture at full size, 1..OB_PDQ_MAX_SIDE */
    uint32_t scale;         /* 1, 2, 4 or 8: the rows fed are the picture reduced so many times,
                             * ceil(width / scale) samples by ceil(height / scale) rows;
                             * with OB_PDQ_REFERENCE 1 only */
    ob_pdq_samples samples;
    ob_pdq_variant variant;
    /* Of fields without a middle sample the one behind the middle is taken. In these directions
     * take the one before it: then those of the eight hashes that mirror there are, to the bit,
     * those of the mirrored picture. */
    bool mirror_x, mirror_y;
    ob_isa isa; /* OB_ISA_AUTO */
} ob_pdq_shape;

enum { OB_PDQ_MAX_SIDE = 1 << 20 };

/* A picture being hashed. One thread at a time. */
typedef struct ob_pdq_stream ob_pdq_stream;

/* Sets *out; the caller owns it: ob_pdq_free. OB_EINVAL: a shape outside the ranges above;
 * OB_ENOMEM. */
ob_status ob_pdq_begin(ob_pdq_stream **out, const ob_pdq_shape *shape, ob_error *err);

/* Feeds the next `count` rows, `stride` bytes apart. OB_EINVAL when they are more than the shape
 * has, or the stride is shorter than a row: nothing is taken then. */
ob_status ob_pdq_rows(ob_pdq_stream *stream, const uint8_t *rows, size_t stride, size_t count,
                      ob_error *err);

/* Sets *out once all rows were fed; OB_EINVAL (and *out untouched) before. A picture with a side
 * below 5 pixels has hash zero and quality 0, as published. */
ob_status ob_pdq_finish(ob_pdq *out, ob_pdq_stream *stream, ob_error *err);

/* How many of the 256 bits stand nearer to what decides them than a quarter of a grey level, so
 * that another way of rounding may turn them; 0 before ob_pdq_finish. In photographs they are few.
 */
unsigned ob_pdq_undecided(const ob_pdq_stream *stream);

/* Sets *out to a stream that has seen the same rows and goes its own way from here; the caller's.
 * OB_ENOMEM. */
ob_status ob_pdq_copy(ob_pdq_stream **out, const ob_pdq_stream *stream, ob_error *err);

void ob_pdq_free(ob_pdq_stream *stream); /* NULL is fine */

/* The three steps above for a picture in memory. */
ob_status ob_pdq_hash(ob_pdq *out, const ob_pdq_shape *shape, const uint8_t *pixels, size_t stride,
                      ob_error *err);

#endif
