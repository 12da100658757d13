/* Every kind of JPEG and PNG, written by the libraries' own encoders, and what cutting does. */
#include "test.h"

#include <obhut/media.h>

#include <jpeglib.h>
#include <png.h>

enum { WIDTH = 163, HEIGHT = 117 };

static void expect_same(const ob_pdq *a, const ob_pdq *b)
{
    assert_memory_equal(a->hash, b->hash, sizeof a->hash);
    assert_int_equal(a->quality, b->quality);
}

/* ---- Pictures ----------------------------------------------------------------------------- */

/* Grey levels with structure, in steps that every depth of PNG can hold exactly. */
static uint8_t grey_at(uint32_t x, uint32_t y, unsigned levels)
{
    unsigned value = (x * 7 + y * 3 + (x * y) / 16 + (x / 20) * (y / 13) * 9) & 0xFF;
    unsigned step = value * levels / 256;
    return (uint8_t)(step * 255 / (levels - 1));
}

static ob_pdq hash_luma(unsigned levels)
{
    static uint8_t pixels[WIDTH * HEIGHT];
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            pixels[y * WIDTH + x] = grey_at(x, y, levels);
    ob_pdq_shape shape = {.width = WIDTH, .height = HEIGHT, .scale = 1, .samples = OB_PDQ_LUMA};
    ob_pdq pdq;
    assert_int_equal(ob_pdq_hash(&pdq, &shape, pixels, WIDTH, NULL), OB_OK);
    return pdq;
}

/* ---- PNG ---------------------------------------------------------------------------------- */

static void png_append(png_structp png, png_bytep bytes, size_t size)
{
    assert_int_equal(ob_buf_append(png_get_io_ptr(png), bytes, size, NULL), OB_OK);
}

static void png_no_flush(png_structp png)
{
    (void)png;
}

static void put_bits(uint8_t *row, uint32_t number, int depth, unsigned value)
{
    if (depth == 16) {
        row[2 * number] = (uint8_t)(value >> 8);
        row[2 * number + 1] = (uint8_t)value;
    } else {
        unsigned bit = number * (unsigned)depth;
        row[bit / 8] |= (uint8_t)(value << (8 - (unsigned)depth - bit % 8));
    }
}

/* The grey picture of `levels` in the given colour type and depth. */
static ob_buf write_png(int type, int depth, bool interlaced, unsigned levels)
{
    ob_buf out = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &out, png_append, png_no_flush);
    png_set_IHDR(png, info, WIDTH, HEIGHT, depth, type,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[256];
        png_byte alpha[256];
        for (unsigned i = 0; i < levels; i++) {
            png_byte grey = (png_byte)(i * 255 / (levels - 1));
            palette[i] = (png_color){grey, grey, grey};
            alpha[i] = (png_byte)(i * 37);
        }
        png_set_PLTE(png, info, palette, (int)levels);
        png_set_tRNS(png, info, alpha, (int)levels, NULL); /* must be ignored */
    }
    png_write_info(png, info);
    uint8_t *rows[HEIGHT];
    unsigned most = (1u << depth) - 1;
    for (uint32_t y = 0; y < HEIGHT; y++) {
        rows[y] = calloc(WIDTH, 8);
        assert_non_null(rows[y]);
        for (uint32_t x = 0, n = 0; x < WIDTH; x++) {
            unsigned grey = grey_at(x, y, levels), value = grey * most / 255;
            if (type == PNG_COLOR_TYPE_PALETTE)
                value = grey * (levels - 1) / 255;
            int channels = type & PNG_COLOR_MASK_COLOR && type != PNG_COLOR_TYPE_PALETTE ? 3 : 1;
            for (int c = 0; c < channels; c++)
                put_bits(rows[y], n++, depth, value);
            if (type & PNG_COLOR_MASK_ALPHA)
                put_bits(rows[y], n++, depth, (x * 41) & most);
        }
    }
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    for (uint32_t y = 0; y < HEIGHT; y++)
        free(rows[y]);
    return out;
}

static void every_colour_type_and_depth_of_png_gives_its_hash(void **state)
{
    (void)state;
    static const struct {
        int type, depth;
    } kinds[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                 {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            unsigned levels = kinds[i].depth >= 8 ? 256 : 1u << kinds[i].depth;
            ob_buf file = write_png(kinds[i].type, kinds[i].depth, interlaced, levels);
            ob_media_options options = {.exact = interlaced};
            ob_media_result result;
            ob_media_fault fault = {0};
            if (ob_media_hash(&result, (uint8_t *)file.bytes, file.size, &options, &fault))
                fail_msg("type %d, depth %d: reason %u", kinds[i].type, kinds[i].depth,
                         fault.reason);
            ob_pdq expected = hash_luma(levels);
            assert_int_equal(result.format, OB_FORMAT_PNG);
            assert_int_equal(result.width, WIDTH);
            assert_int_equal(result.height, HEIGHT);
            assert_int_equal(result.pdq.quality, expected.quality);
            /* (0.299 + 0.587 + 0.114) x is x to the last bit but one */
            assert_true(ob_hash256_distance(&result.pdq.hash[0], &expected.hash[0]) <=
                        (kinds[i].type == 0 || kinds[i].type == 4 ? 0 : 2));
            ob_buf_free(&file);
        }
}

/* ---- JPEG --------------------------------------------------------------------------------- */

typedef struct jpeg_kind {
    const char *name;
    int components; /* 1 grey, 3 colour, 4 CMYK */
    int h, v;       /* sampling of the first component */
    bool progressive;
    int restart; /* rows between restart markers */
} jpeg_kind;

typedef uint8_t (*sample_at)(uint32_t x, uint32_t y, int component);

static ob_buf write_jpeg_of(const jpeg_kind *kind, uint32_t width, uint32_t height,
                            sample_at sample, int quality)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = kind->components;
    jpeg.in_color_space = kind->components == 1   ? JCS_GRAYSCALE
                          : kind->components == 3 ? JCS_RGB
                                                  : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    if (kind->components == 3) {
        jpeg.comp_info[0].h_samp_factor = kind->h;
        jpeg.comp_info[0].v_samp_factor = kind->v;
    }
    if (kind->progressive)
        jpeg_simple_progression(&jpeg);
    jpeg.restart_in_rows = kind->restart;
    jpeg_start_compress(&jpeg, TRUE);
    uint8_t *row = malloc((size_t)width * 4);
    assert_non_null(row);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++)
            for (int c = 0; c < kind->components; c++)
                row[x * (uint32_t)kind->components + (uint32_t)c] = sample(x, y, c);
        JSAMPROW rows[1] = {row};
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    free(row);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    ob_buf out = {0};
    assert_int_equal(ob_buf_append(&out, bytes, size, NULL), OB_OK);
    free(bytes);
    return out;
}

/* CMYK, inverted: no black ink. */
static uint8_t grey_sample(uint32_t x, uint32_t y, int component)
{
    return component == 3 ? 255 : grey_at(x % WIDTH, y % HEIGHT, 256);
}

static ob_buf write_jpeg(const jpeg_kind *kind, uint32_t width, uint32_t height)
{
    return write_jpeg_of(kind, width, height, grey_sample, 92);
}

static const jpeg_kind jpeg_kinds[] = {
    {.name = "grey", .components = 1},
    {.name = "4:4:4", .components = 3, .h = 1, .v = 1},
    {.name = "4:2:0", .components = 3, .h = 2, .v = 2},
    {.name = "4:2:2", .components = 3, .h = 2, .v = 1},
    {.name = "4:1:1", .components = 3, .h = 4, .v = 1},
    {.name = "4:4:0", .components = 3, .h = 1, .v = 2},
    {.name = "progressive", .components = 3, .h = 2, .v = 2, .progressive = true},
    {.name = "progressive grey", .components = 1, .progressive = true},
    {.name = "restarts", .components = 3, .h = 2, .v = 2, .restart = 1},
    {.name = "CMYK", .components = 4},
};

static ob_status hash_bytes(ob_media_result *out, const void *bytes, size_t size, bool exact,
                            ob_error *err)
{
    const ob_media_options options = {.exact = exact};
    ob_media_fault fault = {0};
    ob_status status = ob_media_hash(out, bytes, size, &options, &fault);
    assert_true(ob_media_fault_is_sane(&fault));
    assert_int_equal(ob_media_explain(err, &fault), status);
    return status;
}

/* All hues, each line another, darker towards the corners: smooth, and as colourful as can be. */
static uint8_t hue_sample(uint32_t x, uint32_t y, int component)
{
    const int hue = (int)((y * 6 * 256 / 288 + 512 * (uint32_t)component) % 1536);
    const int wave = hue < 256 ? hue : hue < 768 ? 255 : hue < 1024 ? 1023 - hue : 0;
    const int dx = (int)x - 192, dy = (int)y - 144;
    return (uint8_t)(wave * (255 - (dx * dx + dy * dy) / 700) / 255);
}

static void a_smooth_picture_of_full_colours_is_hashed_as_it_is_drawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof jpeg_kinds / sizeof *jpeg_kinds; i++) {
        if (jpeg_kinds[i].components != 3)
            continue;
        ob_buf file = write_jpeg_of(&jpeg_kinds[i], 384, 288, hue_sample, 60);
        ob_media_result drawn, quick;
        assert_int_equal(hash_bytes(&drawn, file.bytes, file.size, true, NULL), OB_OK);
        assert_int_equal(hash_bytes(&quick, file.bytes, file.size, false, NULL), OB_OK);
        assert_true(drawn.pdq.quality >= OB_PDQ_MIN_QUALITY);
        expect_same(&quick.pdq, &drawn.pdq);
        ob_buf_free(&file);
    }
}

static void every_kind_of_jpeg_gives_its_hash(void **state)
{
    (void)state;
    ob_pdq expected = hash_luma(256);
    for (size_t i = 0; i < sizeof jpeg_kinds / sizeof *jpeg_kinds; i++)
        for (int exact = 0; exact < 2; exact++) {
            ob_buf file = write_jpeg(&jpeg_kinds[i], WIDTH, HEIGHT);
            ob_media_result result;
            ob_error err = {0};
            if (hash_bytes(&result, file.bytes, file.size, exact, &err))
                fail_msg("%s: %s", jpeg_kinds[i].name, err.text);
            assert_int_equal(result.width, WIDTH);
            unsigned distance = ob_hash256_distance(&result.pdq.hash[0], &expected.hash[0]);
            if (distance > 10)
                fail_msg("%s: %u bits away", jpeg_kinds[i].name, distance);
            ob_buf_free(&file);
        }
}

static void expect_near(const ob_pdq *a, const ob_pdq *b, unsigned most)
{
    const unsigned distance = ob_hash256_distance(&a->hash[0], &b->hash[0]);
    if (distance > most)
        fail_msg("%u bits away", distance);
}

static void a_cut_file_has_a_hash_where_nine_tenths_of_its_rows_are_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof jpeg_kinds / sizeof *jpeg_kinds + 2; i++) {
        bool png = i >= sizeof jpeg_kinds / sizeof *jpeg_kinds;
        ob_buf file = png ? write_png(2, 8, i % 2, 256) : write_jpeg(&jpeg_kinds[i], WIDTH, HEIGHT);
        ob_media_result whole;
        bool was_refused = false;
        assert_int_equal(hash_bytes(&whole, file.bytes, file.size, true, NULL), OB_OK);
        for (size_t part = 0; part < 64; part++) {
            ob_media_result result = {.width = 4711};
            ob_error err = {0};
            size_t size = file.size * part / 64;
            uint8_t *cut = malloc(size + 1); /* so that a read behind the end is found */
            assert_non_null(cut);
            memcpy(cut, file.bytes, size);
            ob_status status = hash_bytes(&result, cut, size, part % 2, &err);
            if (status) {
                bool known = ob_media_sniff(cut, size) != OB_FORMAT_UNKNOWN;
                assert_int_equal(status, known ? OB_EFORMAT : OB_ENOTFOUND);
                assert_true(strlen(err.text) > 10);
                assert_int_equal(result.width, 4711);
                was_refused = true;
            } else {
                assert_true(result.incomplete);
                assert_true(part > 57 || (!png && jpeg_kinds[i].progressive));
                if (part > 60)
                    expect_near(&whole.pdq, &result.pdq, 31);
            }
            free(cut);
        }
        assert_true(was_refused);
        ob_buf_free(&file);
    }
}

static void a_missing_end_mark_or_bytes_behind_it_do_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof jpeg_kinds / sizeof *jpeg_kinds; i++) {
        ob_buf file = write_jpeg(&jpeg_kinds[i], WIDTH, HEIGHT);
        ob_media_result whole, more, less;
        assert_int_equal(hash_bytes(&whole, file.bytes, file.size, true, NULL), OB_OK);
        assert_int_equal(hash_bytes(&less, file.bytes, file.size - 2, true, NULL), OB_OK);
        assert_false(less.incomplete);
        expect_same(&whole.pdq, &less.pdq);
        assert_int_equal(ob_buf_append(&file, "behind the end", 14, NULL), OB_OK);
        assert_int_equal(hash_bytes(&more, file.bytes, file.size, true, NULL), OB_OK);
        expect_same(&whole.pdq, &more.pdq);
        ob_buf_free(&file);
    }
    ob_buf file = write_png(2, 8, false, 256);
    ob_media_result whole, less;
    assert_int_equal(hash_bytes(&whole, file.bytes, file.size, true, NULL), OB_OK);
    assert_int_equal(hash_bytes(&less, file.bytes, file.size - 12, true, NULL), OB_OK);
    expect_same(&whole.pdq, &less.pdq);
    ob_buf_free(&file);
}

static void extreme_shapes_are_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t width, height;
    } shapes[] = {{1, 1}, {8, 8}, {65500, 1}, {1, 65500}, {65500, 5}, {5, 65500}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ob_buf file = write_jpeg(&jpeg_kinds[2], shapes[i].width, shapes[i].height);
        ob_media_result result;
        assert_int_equal(hash_bytes(&result, file.bytes, file.size, i % 2, NULL), OB_OK);
        assert_int_equal(result.width, shapes[i].width);
        assert_int_equal(result.height, shapes[i].height);
        ob_buf_free(&file);
    }
    /* A header that announces more pixels than anybody decodes. */
    ob_buf png = write_png(0, 8, false, 256);
    memcpy(png.bytes + 16, "\0\1\0\0\0\1\0\0", 8); /* 65536 x 65536; the checksum is now wrong */
    ob_media_result result;
    ob_error err = {0};
    assert_int_equal(hash_bytes(&result, png.bytes, png.size, true, &err), OB_ELIMIT);
    ob_buf_free(&png);
    ob_buf jpeg = write_jpeg(&jpeg_kinds[0], 16, 16);
    for (size_t k = 0; k + 9 < jpeg.size; k++)
        if ((uint8_t)jpeg.bytes[k] == 0xFF && (uint8_t)jpeg.bytes[k + 1] == 0xC0) {
            memcpy(jpeg.bytes + k + 5, "\xFF\xDC\xFF\xDC", 4);
            break;
        }
    assert_int_equal(hash_bytes(&result, jpeg.bytes, jpeg.size, true, &err), OB_ELIMIT);
    assert_non_null(strstr(err.text, "65500 x 65500"));
    ob_buf_free(&jpeg);
}

static void a_progressive_picture_of_endless_scans_is_refused(void **state)
{
    (void)state;
    jpeg_kind kind = {.components = 1, .progressive = true};
    ob_buf file = write_jpeg(&kind, 64, 64);
    /* Repeats the last scan: from its marker to the end mark. */
    size_t scan = 0;
    for (size_t k = 0; k + 1 < file.size; k++)
        if ((uint8_t)file.bytes[k] == 0xFF && (uint8_t)file.bytes[k + 1] == 0xDA)
            scan = k;
    size_t length = file.size - 2 - scan;
    char *piece = malloc(length);
    assert_non_null(piece);
    memcpy(piece, file.bytes + scan, length);
    file.size -= 2;
    for (int i = 0; i < 2 * OB_MEDIA_MAX_SCANS; i++)
        assert_int_equal(ob_buf_append(&file, piece, length, NULL), OB_OK);
    ob_media_result result;
    assert_int_not_equal(hash_bytes(&result, file.bytes, file.size, true, NULL), OB_OK);
    free(piece);
    ob_buf_free(&file);
}

static void what_is_no_picture_is_said_to_be_none(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "GIF88a",
                                         "plain text",
                                         "\xFF\xD8",
                                         "\x89PNG\r\n",
                                         "RIFF....WAVEfmt ",
                                         "....ftypisom",
                                         "%PDF-1.4"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ob_media_result result;
        ob_error err = {0};
        assert_int_equal(ob_media_sniff((const uint8_t *)others[i], strlen(others[i])),
                         OB_FORMAT_UNKNOWN);
        assert_int_equal(hash_bytes(&result, others[i], strlen(others[i]), false, &err),
                         OB_ENOTFOUND);
        assert_non_null(strstr(err.text, "no picture of a format that is known"));
    }
}

/* ---- First bytes ---------------------------------------------------------------------------- */

/* The beginning of a file of each format; what is behind it does not matter. */
static const struct {
    ob_format format;
    size_t size;
    const char *bytes;
} beginnings[] = {
    {OB_FORMAT_JPEG, 4, "\xFF\xD8\xFF\xE0"},
    {OB_FORMAT_PNG, 8, "\x89PNG\r\n\x1A\n"},
    {OB_FORMAT_WEBP, 12, "RIFF\0\0\0\0WEBP"},
    {OB_FORMAT_GIF, 6, "GIF87a"},
    {OB_FORMAT_GIF, 6, "GIF89a"},
    {OB_FORMAT_TIFF, 4, "II*\0"},
    {OB_FORMAT_TIFF, 4, "MM\0+"},
    {OB_FORMAT_AVIF_MINI, 20,
     "\0\0\0\x14"
     "ftypmif3\0\0\0\0avif"},
    {OB_FORMAT_AVIF, 20,
     "\0\0\0\x14"
     "ftypmif1\0\0\0\0avif"},
    {OB_FORMAT_HEIC, 20,
     "\0\0\0\x14"
     "ftypheic\0\0\0\0mif1"},
    {OB_FORMAT_JXL, 2, "\xFF\x0A"},
    {OB_FORMAT_JXL, 12, "\0\0\0\x0CJXL \r\n\x87\n"},
    {OB_FORMAT_JPEG_2000, 4, "\xFF\x4F\xFF\x51"},
    {OB_FORMAT_JPEG_2000, 12, "\0\0\0\x0CjP  \r\n\x87\n"},
    {OB_FORMAT_BMP, 18, "BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0"},
    {OB_FORMAT_ICO, 22, "\0\0\1\0\1\0\x20\x20\0\0\0\0\0\0\0\0\0\0\x16\0\0\0"},
    {OB_FORMAT_SVG, 6, " <svg "},
    {OB_FORMAT_UNKNOWN, 5, "hello"},
    /* a film whose box of brands looks like a directory of icons */
    {OB_FORMAT_UNKNOWN, 24,
     "\0\0\1\0"
     "ftypisom\0\0\0\0isomisom"},
};

static void every_format_is_known_by_its_first_bytes(void **state)
{
    uint32_t seen = 0;
    (void)state;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        uint8_t bytes[64] = {0};
        memcpy(bytes, beginnings[i].bytes, beginnings[i].size);
        assert_int_equal(ob_media_sniff(bytes, sizeof bytes), beginnings[i].format);
        seen |= UINT32_C(1) << beginnings[i].format;
    }
    assert_int_equal(seen, (UINT32_C(1) << OB_FORMATS) - 1);
}

static void every_format_has_a_row_of_its_own(void **state)
{
    (void)state;
    for (int f = 0; f < OB_FORMATS; f++) {
        const ob_format_row *row = ob_format_at((ob_format)f);
        assert_true(row->name && *row->name && row->title && row->program < OB_PROGRAMS);
        assert_int_equal(row->hashed != NULL, row->program != OB_PROGRAM_NONE);
        assert_int_equal(row->is != NULL, f != OB_FORMAT_UNKNOWN);
        for (int other = 0; other < f; other++)
            assert_string_not_equal(row->name, ob_format_name((ob_format)other));
    }
    assert_string_equal(ob_format_name(OB_FORMATS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_known_by_its_first_bytes),
        cmocka_unit_test(every_format_has_a_row_of_its_own),
        cmocka_unit_test(every_colour_type_and_depth_of_png_gives_its_hash),
        cmocka_unit_test(every_kind_of_jpeg_gives_its_hash),
        cmocka_unit_test(a_smooth_picture_of_full_colours_is_hashed_as_it_is_drawn),
        cmocka_unit_test(a_cut_file_has_a_hash_where_nine_tenths_of_its_rows_are_there),
        cmocka_unit_test(a_missing_end_mark_or_bytes_behind_it_do_not_matter),
        cmocka_unit_test(extreme_shapes_are_decoded_or_refused),
        cmocka_unit_test(a_progressive_picture_of_endless_scans_is_refused),
        cmocka_unit_test(what_is_no_picture_is_said_to_be_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
