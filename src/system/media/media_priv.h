/* Between a decoder and whoever takes its rows. format.c tells formats apart, fault.c says what is
 * wrong; looks.c hashes what a decoder delivers, as it is stored and as it is seen, colour.c knows
 * profiles, media.c keeps hashes that differ; a decoder is one file. */
#ifndef OBHUT_MEDIA_PRIV_H
#define OBHUT_MEDIA_PRIV_H

#include <obhut/media.h>

/* Colours that are not what their numbers say: colour.c. */
typedef struct media_colour media_colour;

/* What rows have besides colours. */
typedef enum media_alpha {
    MEDIA_OPAQUE,     /* nothing: grey or RGB */
    MEDIA_ALPHA,      /* RGBA */
    MEDIA_MULTIPLIED, /* RGBA, its colours multiplied by alpha already */
    MEDIA_INK,        /* CMYK, inverted: what is left of the light */
} media_alpha;

/* What a decoder is about to deliver. */
typedef struct media_picture {
    ob_pdq_shape shape; /* complete except for variant and isa */
    media_alpha alpha;
    uint32_t frame; /* its number; never less than the one before */
    bool whole;     /* of the first frame once more, with what a crop hides */
} media_picture;

/* What a decoder learns about the file besides pixels. */
typedef struct media_facts {
    unsigned orientation; /* 1 */
    uint32_t frames;      /* 1 */
    bool incomplete;      /* something is missing at the end */
    bool simplified;      /* not every pixel, or not its colours: some bits may move */
    ob_unseen unseen;
    media_colour *colour; /* NULL; known before the first frame, which is then RGB, RGBA or ink */
} media_facts;

typedef struct media_sink {
    /* Called for each frame, before its first row. */
    ob_status (*begin)(void *context, const media_picture *picture, ob_media_fault *fault);
    /* Called until all rows of the frame were delivered, top to bottom. */
    ob_status (*rows)(void *context, const uint8_t *rows, size_t stride, size_t count,
                      ob_media_fault *fault);
    /* Called instead for the last rows of a frame where they are missing; `last` is the row above
     * them. `shown`: what every decoder makes up for them; NULL: there the page is seen. */
    ob_status (*missing)(void *context, const uint8_t *last, const uint8_t *shown, size_t stride,
                         size_t count, ob_media_fault *fault);
    void *context;
    media_facts *facts;
} media_sink;

/* How a decoder should work. */
typedef struct media_wish {
    bool colour;       /* RGB rows where the picture has colour; otherwise grey will do */
    uint32_t min_side; /* 0: full size; else any reduction that leaves the short side this long */
} media_wish;

/* Each decodes one file into the sink; an error of the sink ends it and is returned.
 * OB_OK only when nine tenths of the rows of the first frame were there and undamaged. */
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
ob_status media_decode_bmp(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_ico(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_jxl(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_avif(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault);
ob_status media_decode_heif(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault);

/* Runs a decoder and hashes what it delivers. */
ob_status media_hash_with(ob_media_result *out, media_decode decode, const uint8_t *bytes,
                          size_t size, const ob_media_options *options, ob_media_fault *fault);

/* A whole picture in memory, RGB or RGBA: begin and rows. */
ob_status media_deliver(const media_sink *sink, const uint8_t *pixels, size_t stride,
                        uint32_t width, uint32_t height, media_alpha alpha, uint32_t frame,
                        ob_media_fault *fault);

/* The same of which only `there` rows are. */
ob_status media_deliver_part(const media_sink *sink, const uint8_t *pixels, size_t stride,
                             uint32_t width, uint32_t height, uint32_t there, media_alpha alpha,
                             uint32_t frame, ob_media_fault *fault);

/* Whether so many rows of a cut picture are hashed: nine tenths. */
bool media_is_enough(uint64_t rows, uint64_t of);

/* ---- looks.c ---- */

/* One frame being hashed in every way in which it is looked at. */
typedef struct media_looks media_looks;

ob_status media_looks_begin(media_looks **out, const media_picture *picture,
                            const media_facts *facts, ob_media_fault *fault);
ob_status media_looks_rows(media_looks *looks, const uint8_t *rows, size_t stride, size_t count,
                           ob_media_fault *fault);
ob_status media_looks_missing(media_looks *looks, const uint8_t *last, const uint8_t *shown,
                              size_t stride, size_t count, ob_media_fault *fault);
/* Sets out[0] to the frame as stored, further ones to what else is seen; returns how many in
 * *count. */
ob_status media_looks_finish(ob_media_frame out[OB_LOOKS], unsigned *count, media_looks *looks,
                             ob_media_fault *fault);
/* Whether decoding it more simply than in full may have moved too many bits; once finished. */
bool media_looks_are_undecided(const media_looks *looks);
void media_looks_free(media_looks *looks); /* NULL is fine */

/* ---- colour.c ---- */

/* What a profile, or gamma and chromaticities (white, red, green, blue; x and y each; NULL: those
 * of sRGB) make of colours. NULL where that is about what they are without, or nothing can be told.
 */
media_colour *media_colour_of_profile(const uint8_t *profile, size_t size);
/* The same of a profile for ink; always something where it is one. */
media_colour *media_colour_of_ink(const uint8_t *profile, size_t size);
media_colour *media_colour_of_gamma(double gamma, const double xy[8]);
/* From RGB, `step` bytes a pixel, or inverted ink of 4, to RGB of 3. */
void media_colour_apply(const media_colour *colour, uint8_t *to, const uint8_t *from, size_t step,
                        size_t pixels);
void media_colour_free(media_colour *colour); /* NULL is fine */

/* Makes one colour of another. */
typedef void (*media_convert)(const void *context, uint8_t to[3], const uint8_t from[3]);
/* Whether a picture would become another one; asked for levels that are multiples of this. */
enum { MEDIA_LEVEL_STEP = 17 };
bool media_colours_change(media_convert convert, const void *context, bool is_grey);

/* icc.c: whether a profile is certain to change little. False: look closer. */
bool media_icc_changes_little(const uint8_t *profile, size_t size);

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
