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
    bool ended;      /* the bytes ran out before the end of the picture was announced */
    bool lacking;    /* something is missing or damaged, if only what refines the picture */
    uint32_t good;   /* rows of the output above the first that is missing or damaged */
    bool made_up;    /* those below are shown as libjpeg makes them up */
    uint32_t height; /* of the output, once it is known */
    uint8_t *rows;   /* as libjpeg gives them */
    uint8_t *last;   /* the last good row that was delivered */
    uint32_t given;  /* rows that were delivered */
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

/* Whether the scan that is read has the first bits of the brightness: what is missing of later ones
 * only refines the picture. */
static bool is_first_scan(const struct jpeg_decompress_struct *jpeg)
{
    for (int i = 0; i < jpeg->comps_in_scan; i++)
        if (jpeg->cur_comp_info[i] == &jpeg->comp_info[0])
            return !jpeg->progressive_mode || (!jpeg->Ss && !jpeg->Ah);
    return false;
}

static void refuse_rest(decoder *d, uint32_t row)
{
    const ob_media_reason reason = d->ended ? OB_MEDIA_CUT_AT_ROW : OB_MEDIA_DAMAGED_AT_ROW;
    give_up(d, media_fail_at(d->fault, reason, row, d->height));
}

/* After a warning libjpeg goes on with pixels that it made up: rows from here on do not count.
 * Where the file goes on, everybody shows those pixels; where it has ended, nobody does. */
static void note_damage(decoder *d)
{
    const struct jpeg_decompress_struct *jpeg = &d->jpeg;
    d->lacking = true;
    d->height = jpeg->output_height;
    if (!d->height)
        give_up(d, describe(d));
    if (!is_first_scan(jpeg))
        return;
    const uint32_t row = jpeg->input_iMCU_row * (uint32_t)jpeg->max_v_samp_factor *
                         (uint32_t)jpeg->min_DCT_scaled_size;
    if (!media_is_enough(row, d->height))
        refuse_rest(d, row);
    if (row < d->good) {
        d->good = row;
        d->made_up = !d->ended;
    }
}

/* Some warnings are about markers around the picture, about an odd order of whole scans, or about
 * fields that every decoder ignores: the picture is there. */
static void on_message(j_common_ptr info, int level)
{
    decoder *d = (decoder *)info;
    if (level >= 0)
        return;
    switch (d->errors.msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_TOO_MUCH_DATA:
        return;
    case JWRN_JPEG_EOF:
        d->ended = true;
        return;
    default:
        note_damage(d);
    }
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

/* ---- Markers ------------------------------------------------------------------------------ */

/* Some cameras write another byte behind the mark than zero. */
static unsigned orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const char mark[] = "Exif";
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > sizeof mark + 1 &&
            !memcmp(m->data, mark, sizeof mark))
            return media_exif_orientation(m->data + sizeof mark + 1,
                                          m->data_length - sizeof mark - 1);
    return 1;
}

static bool is_cmyk(const struct jpeg_decompress_struct *jpeg)
{
    return jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
}

/* Everybody stores ink inverted: so do all profiles' readers take it. */
static media_colour *profile(struct jpeg_decompress_struct *jpeg)
{
    JOCTET *bytes = NULL;
    unsigned size = 0;
    if (!jpeg_read_icc_profile(jpeg, &bytes, &size))
        return NULL;
    media_colour *colour =
        (is_cmyk(jpeg) ? media_colour_of_ink : media_colour_of_profile)(bytes, size);
    free(bytes);
    return colour;
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

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Rows as they are delivered. */
typedef struct output {
    const media_sink *sink;
    size_t pitch; /* of rows as libjpeg gives them */
    JSAMPROW row[ROWS_AT_ONCE];
} output;

static ob_status prepare(output *o, decoder *d, const media_sink *sink, const media_wish *wish)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    bool grey = jpeg->jpeg_color_space == JCS_GRAYSCALE || !wish->colour;
    grey &= !sink->facts->colour;
    const bool cmyk = is_cmyk(jpeg);
    *o = (output){.sink = sink};
    jpeg->out_color_space = cmyk ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->scale_num = 1;
    jpeg->scale_denom = reduction(jpeg, wish->min_side);
    jpeg_start_decompress(jpeg);

    const media_picture picture = {.shape = {.width = jpeg->image_width,
                                             .height = jpeg->image_height,
                                             .scale = jpeg->scale_denom,
                                             .samples = cmyk || !grey ? OB_PDQ_RGB : OB_PDQ_LUMA},
                                   .alpha = cmyk ? MEDIA_INK : MEDIA_OPAQUE};
    sink->facts->simplified =
        jpeg->scale_denom > 1 || (grey && jpeg->jpeg_color_space != JCS_GRAYSCALE);
    d->height = jpeg->output_height;
    o->pitch = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    d->rows = malloc(ROWS_AT_ONCE * o->pitch);
    d->last = malloc((size_t)jpeg->output_width * 4);
    if (!d->rows || !d->last)
        return media_fail(d->fault, OB_MEDIA_NO_MEMORY);
    for (int r = 0; r < ROWS_AT_ONCE; r++)
        o->row[r] = d->rows + (size_t)r * o->pitch;
    return sink->begin(sink->context, &picture, d->fault);
}

/* Hands on those of the next `got` rows that are good, and what is made up below. */
static ob_status hand_on(const output *o, decoder *d, uint32_t got)
{
    const media_sink *sink = o->sink;
    const uint32_t good = least(got, d->good - least(d->good, d->given));
    const size_t pitch = o->pitch;
    ob_status status = OB_OK;
    if (good) {
        memcpy(d->last, d->rows + (good - 1) * pitch, pitch);
        status = sink->rows(sink->context, d->rows, pitch, good, d->fault);
    }
    d->given += good;
    if (status || good == got || !d->made_up)
        return status;
    d->given += got - good;
    return sink->missing(sink->context, d->last, d->rows + good * pitch, pitch, got - good,
                         d->fault);
}

/* Scans of a picture that never came leave no other trace. */
static void check_scans(decoder *d)
{
    const struct jpeg_decompress_struct *jpeg = &d->jpeg;
    if (!jpeg_has_multiple_scans((j_decompress_ptr)&d->jpeg) || !d->ended)
        return;
    const bool has_first =
        jpeg->coef_bits ? jpeg->coef_bits[0][0] >= 0 : jpeg->comp_info[0].quant_table != NULL;
    if (!has_first)
        give_up(
            d, media_fail_at(d->fault, OB_MEDIA_CUT_AT_SCAN, (uint32_t)jpeg->input_scan_number, 0));
    for (int c = 0; c < jpeg->num_components; c++)
        for (int k = 0; jpeg->coef_bits && k < DCTSIZE2; k++)
            d->lacking |= jpeg->coef_bits[c][k] != 0;
}

/* Decodes all rows into the sink. Errors of libjpeg leave by longjmp. */
static void deliver(decoder *d, const media_sink *sink, const media_wish *wish)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    output o;
    ob_status status = prepare(&o, d, sink, wish);
    if (status)
        give_up(d, status);
    check_scans(d);
    while (jpeg->output_scanline < jpeg->output_height) {
        JDIMENSION got = 0;
        while (got < ROWS_AT_ONCE && jpeg->output_scanline < jpeg->output_height)
            got += jpeg_read_scanlines(jpeg, o.row + got, ROWS_AT_ONCE - got);
        status = hand_on(&o, d, got);
        if (status)
            give_up(d, status);
    }
    if (d->given < d->height)
        status = sink->missing(sink->context, d->last, NULL, 0, d->height - d->given, d->fault);
    if (status)
        give_up(d, status);
    sink->facts->incomplete = d->lacking;
}

ob_status media_decode_jpeg(const media_sink *sink, const uint8_t *bytes, size_t size,
                            const media_wish *wish, ob_media_fault *fault)
{
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    d->fault = fault;
    d->good = UINT32_MAX;
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
        jpeg_save_markers(&d->jpeg, JPEG_APP0 + 2, 0xFFFF);
        jpeg_read_header(&d->jpeg, TRUE);
        sink->facts->orientation = orientation(&d->jpeg);
        d->status = check_limits(&d->jpeg, fault);
        if (!d->status)
            sink->facts->colour = profile(&d->jpeg);
        if (!d->status)
            deliver(d, sink, wish);
    }
    ob_status status = d->status;
    jpeg_destroy_decompress(&d->jpeg);
    free(d->rows);
    free(d->last);
    free(d);
    return status;
}
