/* media: from the bytes of a file to its hashes. Decoders stay in here, linked into workers only,
 * and pixels never leave: what comes out is format, size, quality and hashes. */
#ifndef OBHUT_MEDIA_H
#define OBHUT_MEDIA_H

#include <obhut/base.h>
#include <obhut/hash.h>

typedef enum ob_format {
    OB_FORMAT_UNKNOWN = 0,
    OB_FORMAT_JPEG,
    OB_FORMAT_PNG,
    OB_FORMAT_WEBP,
    OB_FORMAT_GIF,
    OB_FORMAT_TIFF,
    OB_FORMAT_AVIF,
    OB_FORMAT_HEIC,
    OB_FORMATS,
} ob_format;

/* "jpeg", "png", …, "unknown". */
const char *ob_format_name(ob_format format);

/* By the first bytes (OB_MEDIA_SNIFF are enough); names of files mean nothing. */
enum { OB_MEDIA_SNIFF = 16 };
ob_format ob_media_sniff(const uint8_t *bytes, size_t size);

/* Whether only the worker program for HEIF decodes it: that one links libraries under the GPL and
 * is installed by choice. */
bool ob_format_is_heif(ob_format format);

/* Limits of what is decoded at all: beyond them OB_ELIMIT. */
#define OB_MEDIA_MAX_PIXELS (UINT64_C(1) << 28) /* the largest phone cameras make 200 million */
#define OB_MEDIA_MAX_MEMORY                                                                        \
    (UINT64_C(1) << 30) /* bytes for one picture that cannot be streamed                           \
                         */
enum {
    OB_MEDIA_MAX_SCANS = 500,   /* of a progressive JPEG */
    OB_MEDIA_MAX_FRAMES = 4096, /* of a moving picture, pages of a TIFF */
};

/* Of a moving picture the first frame and others evenly spread up to the last are hashed, this many
 * in all. */
enum { OB_MEDIA_FRAMES = 8 };

/* ---- What a file will cost ---------------------------------------------------------------------
 */

/* Reads so many bytes at a place of a file; returns how many it got. */
typedef size_t (*ob_media_read)(void *context, void *out, size_t size, uint64_t at);

typedef struct ob_media_cost {
    uint64_t us;  /* of a processor, about */
    bool is_slow; /* far beyond what its bytes lead one to expect: a few bytes can be a picture of
                   * 268 million pixels */
} ob_media_cost;

/* From the head of a file: its format, pixels and frames as it tells them; nothing is decoded, and
 * nothing allocated. A file may lie, or be damaged. One of a known format in which no size is found
 * is slow. */
ob_media_cost ob_media_estimate(ob_media_read read, void *context, uint64_t size);

typedef struct ob_media_options {
    ob_pdq_variant variant;
    bool exact; /* decode fully, in colour, and follow the published steps to the bit. Without it
                 * JPEG is decoded in grey and, for OB_PDQ_FULL, at 1/2, 1/4 or 1/8 of its size
                 * while the short side stays at 512 or more: several times faster, at most 8 bits
                 * away (docs/HASHING.md) */
    ob_isa isa; /* OB_ISA_AUTO */
} ob_media_options;

typedef struct ob_media_frame {
    uint32_t number; /* from 0 */
    ob_pdq pdq;
} ob_media_frame;

typedef struct ob_media_result {
    ob_format format;
    uint32_t width, height; /* at full size, as stored: EXIF orientation is not applied */
    ob_pdq pdq;             /* of the first frame, as stored */
    unsigned orientation;   /* EXIF, 1..8; 1: shown as stored */
    ob_hash256 shown;       /* hash of the first frame as it is shown */
    uint32_t frames;        /* in the file, at least 1 */
    unsigned more_count;
    ob_media_frame more[OB_MEDIA_FRAMES - 1]; /* further frames, by number */
} ob_media_result;

/* Why there is no hash: one of a closed list. Decoders may have been taken over by what they
 * decode, so that they say it in numbers, and whoever asked makes the sentence. */
typedef enum ob_media_reason {
    OB_MEDIA_FINE = 0,
    OB_MEDIA_EMPTY,
    OB_MEDIA_NO_PICTURE,
    OB_MEDIA_NO_PIXELS,
    OB_MEDIA_NO_FRAME,
    OB_MEDIA_NOT_KNOWN,
    OB_MEDIA_OTHER_DECODER,
    OB_MEDIA_LONG_SIDE,
    OB_MEDIA_PIXELS,
    OB_MEDIA_FRAMES_TOO_MANY,
    OB_MEDIA_SCANS,
    OB_MEDIA_MEMORY,
    OB_MEDIA_NO_MEMORY,
    OB_MEDIA_CUT,
    OB_MEDIA_CUT_EARLY,
    OB_MEDIA_CUT_AT_ROW,
    OB_MEDIA_CUT_AT_SCAN,
    OB_MEDIA_CUT_AT_FRAME,
    OB_MEDIA_DAMAGED,
    OB_MEDIA_DAMAGED_AT_ROW,
    OB_MEDIA_DAMAGED_AT_FRAME,
    OB_MEDIA_NO_COLOURS,
    OB_MEDIA_KIND,
    OB_MEDIA_KIND_OF_PAGE,
    OB_MEDIA_LIBRARY,
    OB_MEDIA_NO_HASH,
    OB_MEDIA_REASONS,
} ob_media_reason;

typedef struct ob_media_fault {
    uint32_t reason, format; /* ob_media_reason, ob_format */
    uint32_t at, of;         /* row, frame, page or scan; of how many; 0 where there is none */
} ob_media_fault;

/* Whether every number is one that its reason may have. */
bool ob_media_fault_is_sane(const ob_media_fault *fault);

/* The status of a reason, and its sentence in *err (when not NULL). */
ob_status ob_media_explain(ob_error *err, const ob_media_fault *fault);

/* Which of the eight hashes of the stored picture is that of the picture as it is shown. */
ob_dihedral ob_media_shown(unsigned orientation);

/* Decodes and hashes one picture.
 *
 * *out is set on success and untouched on error: there is no hash of a picture that could not be
 * decoded to its last row. OB_EFORMAT: damaged or cut short; OB_ELIMIT; OB_ENOMEM; OB_ENOTFOUND: no
 * picture of a known format, or one for the other worker program. *fault (may be NULL) says why.
 * Safe to call from any thread. */
ob_status ob_media_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                        const ob_media_options *options, ob_media_fault *fault);

/* The same for AVIF and HEIC; links libheif. */
ob_status ob_media_hash_heif(ob_media_result *out, const uint8_t *bytes, size_t size,
                             const ob_media_options *options, ob_media_fault *fault);

#endif
