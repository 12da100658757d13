/* Between a decoder and whoever takes its rows. format.c tells formats apart, fault.c says what is
 * wrong, media.c hashes what a decoder delivers; a decoder is one file. */
#ifndef OBHUT_MEDIA_PRIV_H
#define OBHUT_MEDIA_PRIV_H

#include <obhut/media.h>

/* What a decoder is about to deliver. */
typedef struct media_picture {
    ob_pdq_shape shape; /* complete except for variant and isa */
    uint32_t frame;     /* its number; ascending */
} media_picture;

/* What a decoder learns about the file besides pixels. */
typedef struct media_facts {
    unsigned orientation; /* 1 */
    uint32_t frames;      /* 1 */
} media_facts;

typedef struct media_sink {
    /* Called for each frame, before its first row. */
    ob_status (*begin)(void *context, const media_picture *picture, ob_media_fault *fault);
    /* Called until all rows of the frame were delivered, top to bottom. */
    ob_status (*rows)(void *context, const uint8_t *rows, size_t stride, size_t count,
                      ob_media_fault *fault);
    void *context;
    media_facts *facts;
} media_sink;

/* How a decoder should work. */
typedef struct media_wish {
    bool colour;       /* RGB rows where the picture has colour; otherwise grey will do */
    uint32_t min_side; /* 0: full size; else any reduction that leaves the short side this long */
} media_wish;

/* Each decodes one file into the sink; an error of the sink ends it and is returned.
 * OB_OK only when every row of every wanted frame was there and undamaged. */
typedef ob_status (*media_decode)(const media_sink *sink, const uint8_t *bytes, size_t size,
                                  const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_jpeg(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_png(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_webp(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_gif(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_tiff(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_heif(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault);

/* Runs a decoder and hashes what it delivers. */
ob_status media_hash_with(ob_media_result *out, media_decode decode, const uint8_t *bytes,
                          size_t size, const ob_media_options *options, ob_media_fault *fault);

/* A whole picture of RGB rows in memory: begin and rows. */
ob_status media_deliver(const media_sink *sink, const uint8_t *rgb, size_t stride, uint32_t width,
                        uint32_t height, uint32_t frame, ob_media_fault *fault);

/* RGBA becomes RGB, in place; alpha is ignored. */
void media_drop_alpha(uint8_t *pixels, size_t count);

/* Whether frame `number` of `frames` is one of those that are hashed. */
bool media_frame_is_wanted(uint32_t number, uint32_t frames);

/* OB_ELIMIT when a picture of this size, with this many frames, is not decoded at all. */
ob_status media_check_size(uint64_t width, uint64_t height, ob_media_fault *fault);
ob_status media_check_frames(uint64_t frames, ob_media_fault *fault);

/* OB_ELIMIT when a picture that must be held as a whole would take more than is given. */
ob_status media_check_memory(uint64_t bytes, ob_media_fault *fault);

/* fault.c: sets *fault (when not NULL), numbers held to what the reason may have, and returns the
 * reason's status. */
ob_status media_fail(ob_media_fault *fault, ob_media_reason reason);
ob_status media_fail_at(ob_media_fault *fault, ob_media_reason reason, uint32_t at, uint32_t of);

/* The same for what hashing returned. */
ob_status media_hashed(ob_status status, ob_media_fault *fault);

/* The orientation that EXIF data tells, with or without "Exif\0\0" before it; 1 where it tells
 * none.
 */
unsigned media_exif_orientation(const uint8_t *bytes, size_t size);

#endif
