/* GIF by giflib: frames are drawn onto each other as GIF89a says. Transparency is ignored in the
 * first frame, which has nothing below it. */
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

/* The next frame's description is in gif->Image; *ended where there is none. */
static ob_status next_frame(bool *ended, control *control, GifFileType *gif, uint32_t frame,
                            ob_media_fault *fault)
{
    *control =
        (struct control){.disposal = DISPOSAL_UNSPECIFIED, .transparent = NO_TRANSPARENT_COLOR};
    for (;;) {
        GifRecordType type;
        if (DGifGetRecordType(gif, &type) == GIF_ERROR)
            return damaged(gif, 0, frame, fault);
        *ended = type == TERMINATE_RECORD_TYPE;
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

/* Counts the frames without decoding one. */
static ob_status count_frames(uint32_t *out, const uint8_t *bytes, size_t size,
                              ob_media_fault *fault)
{
    input in = {bytes, size};
    GifFileType *gif = NULL;
    control control;
    bool ended = false;
    uint32_t frames = 0;
    ob_status status = open_gif(&gif, &in, fault);
    if (!status)
        status = media_check_size((uint64_t)gif->SWidth, (uint64_t)gif->SHeight, fault);
    while (!status) {
        status = next_frame(&ended, &control, gif, frames, fault);
        if (status || ended)
            break;
        status = media_check_frames(++frames, fault);
        int code_size;
        GifByteType *code;
        int fine = status ? GIF_OK : DGifGetCode(gif, &code_size, &code);
        while (!status && fine == GIF_OK && code)
            fine = DGifGetCodeNext(gif, &code);
        if (fine == GIF_ERROR)
            status = damaged(gif, 0, frames - 1, fault);
    }
    if (!status)
        status = media_check_frames(frames, fault);
    DGifCloseFile(gif, NULL);
    if (!status)
        *out = frames;
    return status;
}

/* ---- Drawing -------------------------------------------------------------------------------- */

typedef struct canvas {
    uint32_t width, height;
    uint8_t *rgb;
    uint8_t *before; /* of a frame that is to be taken away again */
    GifPixelType *row;
} canvas;

static void colour_of(uint8_t rgb[3], const ColorMapObject *map, int index)
{
    bool known = map && index >= 0 && index < map->ColorCount;
    rgb[0] = known ? map->Colors[index].Red : 0;
    rgb[1] = known ? map->Colors[index].Green : 0;
    rgb[2] = known ? map->Colors[index].Blue : 0;
}

static void draw_row(canvas *c, const GifFileType *gif, const ColorMapObject *map, uint32_t row,
                     int transparent)
{
    const GifImageDesc *image = &gif->Image;
    uint64_t y = (uint64_t)image->Top + row;
    if (y >= c->height)
        return;
    for (uint32_t x = 0; x < (uint32_t)image->Width; x++) {
        uint64_t at = (uint64_t)image->Left + x;
        if (at >= c->width)
            break;
        if (c->row[x] != transparent)
            colour_of(c->rgb + 3 * (y * c->width + at), map, c->row[x]);
    }
}

/* Decodes all rows of the frame, in the order in which they are stored. */
static ob_status draw_frame(canvas *c, GifFileType *gif, int transparent, uint32_t frame,
                            ob_media_fault *fault)
{
    static const struct {
        uint32_t first, step;
    } passes[4] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    const GifImageDesc *image = &gif->Image;
    const ColorMapObject *map = image->ColorMap ? image->ColorMap : gif->SColorMap;
    if (!map)
        return media_fail_at(fault, OB_MEDIA_NO_COLOURS, frame, 0);
    uint32_t height = (uint32_t)image->Height;
    for (unsigned pass = 0; pass < (image->Interlace ? 4u : 1u); pass++) {
        uint32_t first = image->Interlace ? passes[pass].first : 0;
        uint32_t step = image->Interlace ? passes[pass].step : 1;
        for (uint32_t row = first; row < height; row += step) {
            if (DGifGetLine(gif, c->row, image->Width) == GIF_ERROR)
                return damaged(gif, 0, frame, fault);
            draw_row(c, gif, map, row, transparent);
        }
    }
    return OB_OK;
}

static void clear_frame(canvas *c, const GifImageDesc *image, const uint8_t background[3])
{
    for (uint64_t y = (uint64_t)image->Top; y < (uint64_t)image->Top + (uint64_t)image->Height; y++)
        for (uint64_t x = (uint64_t)image->Left; x < (uint64_t)image->Left + (uint64_t)image->Width;
             x++)
            if (y < c->height && x < c->width)
                memcpy(c->rgb + 3 * (y * c->width + x), background, 3);
}

static ob_status draw_all(canvas *c, GifFileType *gif, const media_sink *sink,
                          ob_media_fault *fault)
{
    uint64_t pixels = (uint64_t)c->width * c->height, drawn = 0;
    uint8_t background[3];
    colour_of(background, gif->SColorMap, gif->SBackGroundColor);
    for (uint64_t k = 0; k < pixels; k++)
        memcpy(c->rgb + 3 * k, background, 3);
    for (uint32_t frame = 0; frame < sink->facts->frames; frame++) {
        control control;
        bool ended;
        ob_status status = next_frame(&ended, &control, gif, frame, fault);
        if (!status && ended)
            status = media_fail_at(fault, OB_MEDIA_CUT_AT_FRAME, frame, 0);
        if (!status)
            status =
                media_check_size((uint64_t)gif->Image.Width, (uint64_t)gif->Image.Height, fault);
        if (status)
            return status;
        drawn += (uint64_t)gif->Image.Width * (uint64_t)gif->Image.Height;
        if (drawn > OB_MEDIA_MAX_PIXELS && frame)
            return OB_OK; /* frames beyond are not looked at: docs/HASHING.md */
        GifPixelType *row = realloc(c->row, (size_t)gif->Image.Width * sizeof *row);
        if (!row)
            return media_fail(fault, OB_MEDIA_NO_MEMORY);
        c->row = row;
        GifImageDesc image = gif->Image;
        if (control.disposal == DISPOSE_PREVIOUS)
            memcpy(c->before, c->rgb, pixels * 3);
        status =
            draw_frame(c, gif, frame ? control.transparent : NO_TRANSPARENT_COLOR, frame, fault);
        if (!status && media_frame_is_wanted(frame, sink->facts->frames))
            status = media_deliver(sink, c->rgb, (size_t)c->width * 3, c->width, c->height, frame,
                                   fault);
        if (status)
            return status;
        if (control.disposal == DISPOSE_PREVIOUS)
            memcpy(c->rgb, c->before, pixels * 3);
        else if (control.disposal == DISPOSE_BACKGROUND)
            clear_frame(c, &image, background);
    }
    return OB_OK;
}

ob_status media_decode_gif(const media_sink *sink, const uint8_t *bytes, size_t size,
                           const media_wish *wish, ob_media_fault *fault)
{
    (void)wish;
    input in = {bytes, size};
    canvas c = {0};
    GifFileType *gif = NULL;
    ob_status status = count_frames(&sink->facts->frames, bytes, size, fault);
    if (!status)
        status = open_gif(&gif, &in, fault);
    if (status)
        return status;
    c.width = (uint32_t)gif->SWidth;
    c.height = (uint32_t)gif->SHeight;
    uint64_t total = (uint64_t)c.width * c.height * 3;
    status = media_check_memory(2 * total, fault);
    if (!status) {
        c.rgb = malloc(total);
        c.before = malloc(total);
        if (!c.rgb || !c.before)
            status = media_fail(fault, OB_MEDIA_NO_MEMORY);
    }
    if (!status)
        status = draw_all(&c, gif, sink, fault);
    DGifCloseFile(gif, NULL);
    free(c.rgb);
    free(c.before);
    free(c.row);
    return status;
}
