/* GIF by giflib: frames are drawn onto each other as GIF89a says. Where the first frame is
 * transparent its colours are kept, since lists have them, and nothing of them is seen. */
#include "media_priv.h"

#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

typedef struct input {
    const uint8_t *bytes;
    size_t left;
} input;

static int read_bytes(GifFileType *gif, GifByteType *out, int count)
{
    input *in = gif->UserData;
    size_t got = (size_t)count < in->left ? (size_t)count : in->left;
    memcpy(out, in->bytes, got);
    in->bytes += got;
    in->left -= got;
    return (int)got;
}

static ob_status damaged(const GifFileType *gif, int code, uint32_t frame, ob_media_fault *fault)
{
    code = gif && gif->Error ? gif->Error : code;
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    if (code == D_GIF_ERR_EOF_TOO_SOON || code == D_GIF_ERR_READ_FAILED)
        return media_fail_at(fault, OB_MEDIA_CUT_AT_FRAME, frame, 0);
    return media_fail_at(fault, OB_MEDIA_DAMAGED_AT_FRAME, frame, 0);
}

static ob_status open_gif(GifFileType **out, input *in, ob_media_fault *fault)
{
    int code = 0;
    *out = DGifOpen(in, read_bytes, &code);
    return *out ? OB_OK : damaged(NULL, code, 0, fault);
}

/* How the next frame is drawn. */
typedef struct control {
    int disposal, transparent; /* NO_TRANSPARENT_COLOR */
} control;

/* Reads an extension block; sets *control where it is about the next frame. */
static ob_status read_extension(control *control, GifFileType *gif, uint32_t frame,
                                ob_media_fault *fault)
{
    int kind;
    GifByteType *data;
    if (DGifGetExtension(gif, &kind, &data) == GIF_ERROR)
        return damaged(gif, 0, frame, fault);
    while (data) {
        GraphicsControlBlock block;
        if (kind == GRAPHICS_EXT_FUNC_CODE &&
            DGifExtensionToGCB(data[0], data + 1, &block) == GIF_OK) {
            control->disposal = block.DisposalMode;
            control->transparent = block.TransparentColor;
        }
        if (DGifGetExtensionNext(gif, &data) == GIF_ERROR)
            return damaged(gif, 0, frame, fault);
    }
    return OB_OK;
}

/* The next frame's description is in gif->Image; *ended where there is none. What is no block of a
 * GIF ends it, as it does in browsers. */
static ob_status next_frame(bool *ended, control *control, GifFileType *gif, uint32_t frame,
                            ob_media_fault *fault)
{
    *control =
        (struct control){.disposal = DISPOSAL_UNSPECIFIED, .transparent = NO_TRANSPARENT_COLOR};
    for (;;) {
        GifRecordType type;
        *ended = DGifGetRecordType(gif, &type) == GIF_ERROR || type == TERMINATE_RECORD_TYPE;
        if (*ended)
            return OB_OK;
        if (type == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageHeader(gif) == GIF_ERROR ? damaged(gif, 0, frame, fault) : OB_OK;
        if (type != EXTENSION_RECORD_TYPE)
            continue;
        ob_status status = read_extension(control, gif, frame, fault);
        if (status)
            return status;
    }
}

/* ---- Drawing -------------------------------------------------------------------------------- */

typedef struct canvas {
    uint32_t width, height;
    uint8_t *rgba;
    uint8_t *before; /* of a frame that is to be taken away again */
    GifPixelType *row;
    uint8_t background[4];
} canvas;

/* How a frame is drawn. */
typedef struct drawing {
    const ColorMapObject *map;
    int transparent;
    bool is_first;
} drawing;

static void colour_of(uint8_t rgb[3], const ColorMapObject *map, int index)
{
    bool known = map && index >= 0 && index < map->ColorCount;
    rgb[0] = known ? map->Colors[index].Red : 0;
    rgb[1] = known ? map->Colors[index].Green : 0;
    rgb[2] = known ? map->Colors[index].Blue : 0;
}

static void draw_row(canvas *c, const GifImageDesc *image, const drawing *how, uint32_t row)
{
    uint64_t y = (uint64_t)image->Top + row;
    if (y >= c->height)
        return;
    for (uint32_t x = 0; x < (uint32_t)image->Width; x++) {
        uint64_t at = (uint64_t)image->Left + x;
        if (at >= c->width)
            break;
        const bool is_there = c->row[x] != how->transparent;
        uint8_t *to = c->rgba + 4 * (y * c->width + at);
        if (is_there || how->is_first)
            colour_of(to, how->map, c->row[x]);
        if (is_there)
            to[3] = 255;
    }
}

/* Rows of the last pass that never came look like those above them. */
static void draw_between(canvas *c, const GifImageDesc *image, uint32_t row)
{
    for (; row < (uint32_t)image->Height; row += 2) {
        const uint64_t y = (uint64_t)image->Top + row;
        if (y && y < c->height)
            memcpy(c->rgba + 4 * y * c->width, c->rgba + 4 * (y - 1) * c->width,
                   (size_t)c->width * 4);
    }
}

/* Decodes the rows of the frame, in the order in which they are stored; *rows becomes how many of
 * them, from the top, are there. */
static ob_status draw_frame(uint32_t *rows, canvas *c, GifFileType *gif, const drawing *how,
                            uint32_t frame, ob_media_fault *fault)
{
    static const struct {
        uint32_t first, step;
    } passes[4] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    const GifImageDesc *image = &gif->Image;
    *rows = 0;
    if (!how->map)
        return media_fail_at(fault, OB_MEDIA_NO_COLOURS, frame, 0);
    const uint32_t height = (uint32_t)image->Height;
    for (unsigned pass = 0; pass < (image->Interlace ? 4u : 1u); pass++) {
        const uint32_t first = image->Interlace ? passes[pass].first : 0;
        const uint32_t step = image->Interlace ? passes[pass].step : 1;
        for (uint32_t row = first; row < height; row += step) {
            if (DGifGetLine(gif, c->row, image->Width) == GIF_ERROR) {
                if (image->Interlace && pass == 3 && media_is_enough(*rows, height)) {
                    draw_between(c, image, row);
                    *rows = height;
                }
                return damaged(gif, 0, frame, fault);
            }
            draw_row(c, image, how, row);
            ++*rows;
        }
    }
    return OB_OK;
}

static void clear_frame(canvas *c, const GifImageDesc *image)
{
    for (uint64_t y = (uint64_t)image->Top; y < (uint64_t)image->Top + (uint64_t)image->Height; y++)
        for (uint64_t x = (uint64_t)image->Left; x < (uint64_t)image->Left + (uint64_t)image->Width;
             x++)
            if (y < c->height && x < c->width)
                memcpy(c->rgba + 4 * (y * c->width + x), c->background, 4);
}

/* ---- All of it --------------------------------------------------------------------------------
 */

/* The screen is at least as large as the first frame, whatever it says: so browsers have it. */
static ob_status open_canvas(canvas *c, const GifFileType *gif, ob_media_fault *fault)
{
    const GifImageDesc *image = &gif->Image;
    const uint32_t right = (uint32_t)image->Left + (uint32_t)image->Width;
    const uint32_t bottom = (uint32_t)image->Top + (uint32_t)image->Height;
    c->width = (uint32_t)gif->SWidth > right ? (uint32_t)gif->SWidth : right;
    c->height = (uint32_t)gif->SHeight > bottom ? (uint32_t)gif->SHeight : bottom;
    const uint64_t pixels = (uint64_t)c->width * c->height;
    ob_status status = media_check_size(c->width, c->height, fault);
    if (!status)
        status = media_check_memory(8 * pixels, fault);
    if (status)
        return status;
    c->rgba = malloc(pixels * 4);
    c->before = malloc(pixels * 4);
    if (!c->rgba || !c->before)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    colour_of(c->background, gif->SColorMap, gif->SBackGroundColor);
    for (uint64_t k = 0; k < pixels; k++)
        memcpy(c->rgba + 4 * k, c->background, 4);
    return OB_OK;
}

static ob_status make_row(canvas *c, const GifFileType *gif, ob_media_fault *fault)
{
    ob_status status =
        media_check_size((uint64_t)gif->Image.Width, (uint64_t)gif->Image.Height, fault);
    if (status)
        return status;
    GifPixelType *row = realloc(c->row, (size_t)gif->Image.Width * sizeof *row);
    if (!row)
        return media_fail(fault, OB_MEDIA_NO_MEMORY);
    c->row = row;
    return OB_OK;
}

static ob_status deliver(const canvas *c, const media_sink *sink, uint32_t there, uint32_t frame,
                         ob_media_fault *fault)
{
    return media_deliver_part(sink, c->rgba, (size_t)c->width * 4, c->width, c->height,
                              there < c->height ? there : c->height, MEDIA_ALPHA, frame, fault);
}

/* Draws a frame and hands it on. Of a damaged one that is not the first nothing is said. */
static ob_status take_frame(canvas *c, GifFileType *gif, const control *control,
                            const media_sink *sink, uint32_t frame, ob_media_fault *fault)
{
    const drawing how = {.map = gif->Image.ColorMap ? gif->Image.ColorMap : gif->SColorMap,
                         .transparent = control->transparent,
                         .is_first = !frame};
    const size_t bytes = (size_t)c->width * c->height * 4;
    const GifImageDesc image = gif->Image;
    uint32_t rows;
    if (control->disposal == DISPOSE_PREVIOUS)
        memcpy(c->before, c->rgba, bytes);
    ob_status damage = draw_frame(&rows, c, gif, &how, frame, fault);
    if (damage && !media_is_enough(rows, (uint64_t)image.Height))
        return damage;
    uint32_t there = c->height;
    if (damage && rows < (uint32_t)image.Height && !frame)
        there = (uint32_t)image.Top + rows;
    ob_status status = deliver(c, sink, there, frame, fault);
    if (status)
        return status;
    sink->facts->frames = frame + 1;
    if (control->disposal == DISPOSE_PREVIOUS)
        memcpy(c->rgba, c->before, bytes);
    else if (control->disposal == DISPOSE_BACKGROUND)
        clear_frame(c, &image);
    return damage;
}

/* Frames beyond are not looked at: docs/HASHING.md. */
static bool is_too_much(const canvas *c, const GifFileType *gif, uint64_t *drawn, uint64_t *hashed,
                        uint32_t frame)
{
    *drawn += (uint64_t)gif->Image.Width * (uint64_t)gif->Image.Height;
    *hashed += (uint64_t)c->width * c->height;
    return frame && (*drawn > OB_MEDIA_MAX_PIXELS || *hashed > 4 * OB_MEDIA_MAX_PIXELS ||
                     frame >= OB_MEDIA_MAX_FRAMES);
}

static ob_status draw_all(canvas *c, GifFileType *gif, const media_sink *sink,
                          ob_media_fault *fault)
{
    uint64_t drawn = 0, hashed = 0;
    for (uint32_t frame = 0;; frame++) {
        control control;
        bool ended;
        ob_status status = next_frame(&ended, &control, gif, frame, fault);
        if (!status && ended)
            return frame ? OB_OK : damaged(gif, 0, frame, fault);
        if (!status && !frame)
            status = open_canvas(c, gif, fault);
        if (!status)
            status = make_row(c, gif, fault);
        if (!status && is_too_much(c, gif, &drawn, &hashed, frame)) {
            sink->facts->unseen = OB_UNSEEN_FRAMES;
            return OB_OK;
        }
        if (!status)
            status = take_frame(c, gif, &control, sink, frame, fault);
        if (status)
            return status;
    }
}

/* What is damaged behind a frame that was shown leaves that frame. */
static ob_status forgive(const canvas *c, ob_status status, const media_sink *sink, bool was_shown)
{
    if (status != OB_EFORMAT || !was_shown || !c->rgba)
        return status;
    sink->facts->incomplete = true;
    return OB_OK;
}

ob_status media_decode_gif(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault)
{
    (void)wish;
    input in = {bytes, size};
    canvas c = {0};
    GifFileType *gif = NULL;
    ob_status status = open_gif(&gif, &in, fault);
    if (status)
        return status;
    sink->facts->frames = 0;
    status = draw_all(&c, gif, sink, fault);
    status = forgive(&c, status, sink, sink->facts->frames > 0);
    DGifCloseFile(gif, NULL);
    free(c.rgba);
    free(c.before);
    free(c.row);
    return status;
}
