/* JPEG by libjpeg-turbo. Grey is the Y channel alone: colour is not even inverse-transformed. */
#include "media_priv.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum { ROWS_AT_ONCE = 16 };

typedef struct decoder {
    struct jpeg_decompress_struct jpeg; /* first: libjpeg hands it back */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    ob_media_fault *fault;
    ob_status status;
    bool ended;    /* the bytes ran out before the end of the picture was announced */
    uint8_t *rows; /* as libjpeg gives them */
    uint8_t *rgb;  /* CMYK: the same in RGB */
} decoder;

/* ---- What libjpeg calls ------------------------------------------------------------------- */

static void give_up(decoder *d, ob_status status)
{
    d->status = status;
    longjmp(d->failed, 1);
}

/* Without the library's words: they may hold bytes of the file. */
static ob_status describe(decoder *d)
{
    if (d->jpeg.output_height && d->jpeg.output_scanline)
        return media_fail_at(d->fault, OB_MEDIA_DAMAGED_AT_ROW, d->jpeg.output_scanline,
                             d->jpeg.output_height);
    return media_fail(d->fault, OB_MEDIA_DAMAGED);
}

static void on_error(j_common_ptr info)
{
    decoder *d = (decoder *)info;
    bool memory = d->errors.msg_code == JERR_OUT_OF_MEMORY;
    give_up(d, memory ? media_fail(d->fault, OB_MEDIA_NO_MEMORY) : describe(d));
}

/* After most warnings libjpeg goes on with pixels that it made up: those end the decoding. The
 * rest is about markers around the picture, not about the picture. */
static void on_message(j_common_ptr info, int level)
{
    decoder *d = (decoder *)info;
    if (level >= 0)
        return;
    switch (d->errors.msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
        return;
    case JWRN_JPEG_EOF:
        d->ended = true;
        return;
    case JWRN_HIT_MARKER:
        if (d->ended)
            give_up(d, media_fail_at(d->fault, OB_MEDIA_CUT_AT_ROW, d->jpeg.output_scanline,
                                     d->jpeg.output_height));
        break;
    default:
        break;
    }
    give_up(d, describe(d));
}

static void no_output(j_common_ptr info)
{
    (void)info;
}

static void source_nothing(j_decompress_ptr info)
{
    (void)info;
}

/* All bytes are there from the start: when libjpeg wants more, the file has ended too early. An
 * end marker lets it finish what it has; whether that was the whole picture shows itself. */
static boolean source_end(j_decompress_ptr info)
{
    static const JOCTET end[2] = {0xFF, JPEG_EOI};
    WARNMS(info, JWRN_JPEG_EOF);
    info->src->next_input_byte = end;
    info->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void source_skip(j_decompress_ptr info, long count)
{
    struct jpeg_source_mgr *source = info->src;
    if (count <= 0)
        return;
    if ((size_t)count > source->bytes_in_buffer) {
        source_end(info);
        return;
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (size_t)count;
}

/* A small file can announce thousands of scans over a huge picture. */
static void on_progress(j_common_ptr info)
{
    decoder *d = (decoder *)info;
    if (d->jpeg.input_scan_number > OB_MEDIA_MAX_SCANS)
        give_up(d, media_fail(d->fault, OB_MEDIA_SCANS));
}

/* ---- Orientation -------------------------------------------------------------------------- */

static unsigned orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const char mark[] = "Exif";
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->data_length > sizeof mark && !memcmp(m->data, mark, sizeof mark))
            return media_exif_orientation(m->data, m->data_length);
    return 1;
}

/* ---- Decoding ----------------------------------------------------------------------------- */

/* Coefficients of a picture that does not come row by row are all held at once. */
static ob_status check_limits(struct jpeg_decompress_struct *jpeg, ob_media_fault *fault)
{
    ob_status status = media_check_size(jpeg->image_width, jpeg->image_height, fault);
    if (status || !jpeg_has_multiple_scans(jpeg))
        return status;
    uint64_t bytes = 0;
    for (int c = 0; c < jpeg->num_components; c++) {
        const jpeg_component_info *component = &jpeg->comp_info[c];
        bytes +=
            (uint64_t)component->width_in_blocks * component->height_in_blocks * sizeof(JBLOCK);
    }
    return media_check_memory(bytes, fault);
}

/* The strongest reduction of libjpeg that is fast and leaves the short side long enough. */
static unsigned reduction(const struct jpeg_decompress_struct *jpeg, uint32_t min_side)
{
    uint32_t side = jpeg->image_width < jpeg->image_height ? jpeg->image_width : jpeg->image_height;
    unsigned scale = 1;
    while (min_side && scale < 8 && side / (2 * scale) >= min_side)
        scale *= 2;
    return scale;
}

static bool is_cmyk(const struct jpeg_decompress_struct *jpeg)
{
    return jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
}

/* Adobe stores the ink inverted: what is left of the light. */
static void rgb_of_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t pixels, bool inverted)
{
    for (size_t k = 0; k < pixels; k++, rgb += 3, cmyk += 4)
        for (int c = 0; c < 3; c++) {
            unsigned colour = inverted ? cmyk[c] : 255u - cmyk[c];
            unsigned key = inverted ? cmyk[3] : 255u - cmyk[3];
            rgb[c] = (uint8_t)((colour * key + 127) / 255);
        }
}

/* Decodes all rows into the sink. Errors of libjpeg leave by longjmp. */
static void deliver(decoder *d, const media_sink *sink, const media_wish *wish)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    bool cmyk = is_cmyk(jpeg), grey = jpeg->jpeg_color_space == JCS_GRAYSCALE || !wish->colour;
    jpeg->out_color_space = cmyk ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->scale_num = 1;
    jpeg->scale_denom = reduction(jpeg, wish->min_side);
    jpeg_start_decompress(jpeg);

    const media_picture picture = {.shape = {.width = jpeg->image_width,
                                             .height = jpeg->image_height,
                                             .scale = jpeg->scale_denom,
                                             .samples = cmyk || !grey ? OB_PDQ_RGB : OB_PDQ_LUMA}};
    size_t pitch = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    size_t rgb_pitch = (size_t)jpeg->output_width * 3;
    d->rows = malloc(ROWS_AT_ONCE * pitch);
    d->rgb = cmyk ? malloc(ROWS_AT_ONCE * rgb_pitch) : NULL;
    if (!d->rows || (cmyk && !d->rgb))
        give_up(d, media_fail(d->fault, OB_MEDIA_NO_MEMORY));
    ob_status status = sink->begin(sink->context, &picture, d->fault);
    if (status)
        give_up(d, status);
    JSAMPROW row[ROWS_AT_ONCE];
    for (int r = 0; r < ROWS_AT_ONCE; r++)
        row[r] = d->rows + (size_t)r * pitch;
    while (jpeg->output_scanline < jpeg->output_height) {
        JDIMENSION got = 0;
        while (got < ROWS_AT_ONCE && jpeg->output_scanline < jpeg->output_height)
            got += jpeg_read_scanlines(jpeg, row + got, ROWS_AT_ONCE - got);
        if (cmyk)
            rgb_of_cmyk(d->rgb, d->rows, (size_t)got * jpeg->output_width, jpeg->saw_Adobe_marker);
        status = cmyk ? sink->rows(sink->context, d->rgb, rgb_pitch, got, d->fault)
                      : sink->rows(sink->context, d->rows, pitch, got, d->fault);
        if (status)
            give_up(d, status);
    }
    /* Scans of a progressive picture that never came leave no other trace. */
    if (d->ended && jpeg_has_multiple_scans(jpeg))
        give_up(
            d, media_fail_at(d->fault, OB_MEDIA_CUT_AT_SCAN, (uint32_t)jpeg->input_scan_number, 0));
}

ob_status media_decode_jpeg(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault)
{
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    d->fault = fault;
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->errors.output_message = no_output;
    d->progress.progress_monitor = on_progress;
    d->source = (struct jpeg_source_mgr){.next_input_byte = bytes,
                                         .bytes_in_buffer = size,
                                         .init_source = source_nothing,
                                         .fill_input_buffer = source_end,
                                         .skip_input_data = source_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = source_nothing};
    if (!setjmp(d->failed)) {
        jpeg_create_decompress(&d->jpeg);
        d->jpeg.src = &d->source;
        d->jpeg.progress = &d->progress;
        jpeg_save_markers(&d->jpeg, JPEG_APP0 + 1, 0xFFFF);
        jpeg_read_header(&d->jpeg, TRUE);
        sink->facts->orientation = orientation(&d->jpeg);
        d->status = check_limits(&d->jpeg, fault);
        if (!d->status)
            deliver(d, sink, wish);
    }
    ob_status status = d->status;
    jpeg_destroy_decompress(&d->jpeg);
    free(d->rows);
    free(d->rgb);
    free(d);
    return status;
}
