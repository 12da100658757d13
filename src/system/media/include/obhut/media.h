/* media: from the bytes of a file to its hashes. Decoders stay in here, linked into workers only,
 * and pixels never leave: what comes out is format, size, quality and hashes. */
#ifndef OBHUT_MEDIA_H
#define OBHUT_MEDIA_H

#include <obhut/base.h>
#include <obhut/hash.h>

/* In the order in which first bytes are compared; format.c has a row for each. */
typedef enum ob_format {
    OB_FORMAT_UNKNOWN = 0,
    OB_FORMAT_JPEG,
    OB_FORMAT_PNG,
    OB_FORMAT_WEBP,
    OB_FORMAT_GIF,
    OB_FORMAT_TIFF,
    OB_FORMAT_AVIF_MINI, /* known and not decoded: AVIF of brand mif3 */
    OB_FORMAT_AVIF,
    OB_FORMAT_HEIC,
    OB_FORMAT_JXL,       /* known and not decoded */
    OB_FORMAT_JPEG_2000, /* the same */
    OB_FORMAT_BMP,
    OB_FORMAT_ICO,
    OB_FORMAT_SVG, /* the same */
    OB_FORMATS,
} ob_format;

/* Programs that decode: each is a process of its own, with its own libraries. */
typedef enum ob_media_program {
    OB_PROGRAM_NONE,     /* nobody decodes it */
    OB_PROGRAM_STANDARD, /* obhut-worker */
    OB_PROGRAM_HEIF,     /* obhut-worker-heif: links libraries under the GPL, installed by choice */
    OB_PROGRAMS,
} ob_media_program;

/* A picture format. */
typedef struct ob_format_row {
    const char *name;         /* "jpeg": in answers, and of its fuzzer and seeds */
    const char *title;        /* as people write it */
    ob_media_program program; /* that decodes it */
    const char *hashed;       /* what of it is hashed; NULL: nothing */
    bool (*is)(const uint8_t *bytes, size_t size); /* by its first bytes */
} ob_format_row;

/* The row of a format; of OB_FORMAT_UNKNOWN where there is no such format. */
const ob_format_row *ob_format_at(ob_format format);

/* "jpeg", "png", …, "unknown". */
const char *ob_format_name(ob_format format);

/* By the first bytes (OB_MEDIA_SNIFF are enough); names of files mean nothing. */
enum { OB_MEDIA_SNIFF = 512 };
/* Returns the format by the first bytes (OB_MEDIA_SNIFF are enough); the name of a file does not
 * matter. */
ob_format ob_media_sniff(const uint8_t *bytes, size_t size);

/* Limits of what is decoded at all: beyond them OB_ELIMIT. */
#define OB_MEDIA_MAX_PIXELS (UINT64_C(1) << 28) /* the largest phone cameras make 200 million */
#define OB_MEDIA_MAX_MEMORY                                                                        \
    (UINT64_C(1) << 30) /* bytes for one picture that cannot be streamed                           \
                         */
enum {
    OB_MEDIA_MAX_SCANS = 500,   /* of a progressive JPEG */
    OB_MEDIA_MAX_FRAMES = 4096, /* of a moving picture, pages of a TIFF */
};

/* Every frame of a moving picture is looked at; hashes that differ from those before are kept, and
 * so are those of other looks of a frame: this many in all. */
enum { OB_MEDIA_HASHES = 128 };

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
                 * away; twice where more would be (docs/HASHING.md) */
    ob_isa isa; /* OB_ISA_AUTO */
} ob_media_options;

/* How a frame was looked at. Lists were made of stored colours; people see another picture where
 * colours, transparency or a crop say so. */
typedef enum ob_look {
    OB_LOOK_STORED,   /* colours as they are stored, whatever lies beside them */
    OB_LOOK_COLOURED, /* as the gamma or the colour profile in the file says */
    OB_LOOK_ON_WHITE, /* over a white page, as transparency says; so are missing rows */
    OB_LOOK_ON_BLACK,
    OB_LOOK_WHOLE, /* with what a crop in the file would hide */
    OB_LOOKS,
} ob_look;

/* "stored", "coloured", "on_white", "on_black", "whole". */
const char *ob_look_name(ob_look look);

/* What of a file was not looked at although it is shown: without a match, nobody may take the
 * answer for one. */
typedef enum ob_unseen {
    OB_UNSEEN_NOTHING,
    OB_UNSEEN_FRAMES, /* frames beyond what is decoded, or more different ones than are kept */
    OB_UNSEEN_TONES,  /* HDR, whose tones every screen maps otherwise */
    OB_UNSEENS,
} ob_unseen;

typedef struct ob_media_frame {
    uint32_t number; /* from 0 */
    uint32_t look;   /* ob_look */
    ob_pdq pdq;
    ob_hash256 shown; /* as EXIF orientation shows it */
} ob_media_frame;

typedef struct ob_media_result {
    ob_format format;
    uint32_t width, height; /* at full size, as stored: EXIF orientation is not applied */
    ob_pdq pdq;             /* of the first frame, as stored */
    unsigned orientation;   /* EXIF, 1..8; 1: shown as stored */
    ob_hash256 shown;       /* hash of the first frame as it is shown */
    uint32_t frames;        /* in the file, at least 1 */
    uint32_t incomplete;    /* 1: rows, scans or frames at the end are missing */
    uint32_t unseen;        /* ob_unseen */
    unsigned more_count;
    ob_media_frame more[OB_MEDIA_HASHES - 1]; /* further hashes, by number of the frame */
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
    OB_MEDIA_UNSUPPORTED,
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
 * *out is set on success and untouched on error: there is no hash of a picture of which less than
 * nine tenths of the rows could be decoded. OB_EFORMAT: damaged or cut short; OB_ELIMIT; OB_ENOMEM;
 * OB_EUNSUPPORTED; OB_ENOTFOUND: no picture of a known format, or one for the other worker program.
 * *fault (may be NULL) says why.
 * Safe to call from any thread. */
ob_status ob_media_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                        const ob_media_options *options, ob_media_fault *fault);

/* The same for AVIF and HEIC; links libheif. */
ob_status ob_media_hash_heif(ob_media_result *out, const uint8_t *bytes, size_t size,
                             const ob_media_options *options, ob_media_fault *fault);

#endif
