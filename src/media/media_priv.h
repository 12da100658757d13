/* Between a decoder and whoever takes its rows. */
#ifndef OBHUT_MEDIA_PRIV_H
#define OBHUT_MEDIA_PRIV_H

#include <obhut/media.h>

/* What a decoder is about to deliver: the shape is complete except for variant and isa. */
typedef struct media_sink {
    /* Called once, before the first row. */
    ob_status (*begin)(void *context, const ob_pdq_shape *shape, ob_error *err);
    /* Called until all rows were delivered, top to bottom. */
    ob_status (*rows)(void *context, const uint8_t *rows, size_t stride, size_t count,
                      ob_error *err);
    void *context;
} media_sink;

/* How a decoder should work. */
typedef struct media_wish {
    bool colour;       /* RGB rows where the picture has colour; otherwise grey will do */
    uint32_t min_side; /* 0: full size; else any reduction that leaves the short side this long */
} media_wish;

/* Each decodes one picture into the sink; an error of the sink ends it and is returned.
 * OB_OK only when every row of the picture was there and undamaged. */
ob_status media_decode_jpeg(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_error *err);
ob_status media_decode_png(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_error *err);

/* OB_ELIMIT when a picture of this size is not decoded at all. */
ob_status media_check_size(uint64_t width, uint64_t height, ob_error *err);

/* OB_ELIMIT when a picture that must be held as a whole would take more than is given. */
ob_status media_check_memory(uint64_t bytes, const char *kind, ob_error *err);

#endif
