/* media: from the bytes of a file to its hash. Decoders stay in here, and pixels never leave: what
 * comes out is format, size, quality and hash. */
#ifndef OBHUT_MEDIA_H
#define OBHUT_MEDIA_H

#include <obhut/base.h>
#include <obhut/hash.h>

typedef enum ob_format {
    OB_FORMAT_UNKNOWN = 0,
    OB_FORMAT_JPEG,
    OB_FORMAT_PNG,
} ob_format;

/* "jpeg", "png", "unknown". */
const char *ob_format_name(ob_format format);

/* By the first bytes (OB_MEDIA_SNIFF are enough); names of files mean nothing. */
enum { OB_MEDIA_SNIFF = 16 };
ob_format ob_media_sniff(const uint8_t *bytes, size_t size);

/* Limits of what is decoded at all: beyond them OB_ELIMIT. */
#define OB_MEDIA_MAX_PIXELS (UINT64_C(1) << 28) /* the largest phone cameras make 200 million */
#define OB_MEDIA_MAX_MEMORY                                                                        \
    (UINT64_C(1) << 30)            /* bytes for one picture that cannot be streamed                \
                                      (progressive JPEG, interlaced PNG) */
enum { OB_MEDIA_MAX_SCANS = 500 }; /* of a progressive JPEG */

typedef struct ob_media_options {
    ob_pdq_variant variant;
    bool exact; /* decode fully, in colour, and follow the published steps to the bit. Without it
                 * JPEG is decoded in grey and, for OB_PDQ_FULL, at 1/2, 1/4 or 1/8 of its size
                 * while the short side stays at 512 or more: several times faster, at most 8 bits
                 * away (docs/HASHING.md) */
    ob_isa isa; /* OB_ISA_AUTO */
} ob_media_options;

typedef struct ob_media_result {
    ob_format format;
    uint32_t width, height; /* at full size, as stored: EXIF orientation is not applied */
    ob_pdq pdq;
} ob_media_result;

/* Decodes and hashes one picture.
 *
 * *out is set on success and untouched on error: there is no hash of a picture that could not be
 * decoded to its last row. OB_EFORMAT: not a JPEG or PNG, damaged or cut short (err says where);
 * OB_ELIMIT; OB_ENOMEM. Safe to call from any thread. */
ob_status ob_media_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                        const ob_media_options *options, ob_error *err);

#endif
