/* The references, written as plainly as possible. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

/* ---- Pictures ----------------------------------------------------------------------------- */

static uint8_t *decode(const uint8_t *bytes, size_t size, unsigned scale, bool grey, int *width,
                       int *height)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, size);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg.scale_num = 1;
    jpeg.scale_denom = scale;
    jpeg_start_decompress(&jpeg);
    size_t pitch = (size_t)jpeg.output_width * (grey ? 1 : 3);
    bool keep = width != NULL;
    uint8_t *pixels = malloc(pitch * (keep ? jpeg.output_height : 16));
    if (!pixels)
        abort();
    JSAMPROW rows[16];
    while (jpeg.output_scanline < jpeg.output_height) {
        for (int r = 0; r < 16; r++)
            rows[r] = pixels + ((keep ? jpeg.output_scanline : 0) + (unsigned)r) * pitch;
        JDIMENSION left = jpeg.output_height - jpeg.output_scanline;
        jpeg_read_scanlines(&jpeg, rows, left < 16 ? left : 16);
    }
    if (keep) {
        *width = (int)jpeg.output_width;
        *height = (int)jpeg.output_height;
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return pixels;
}

void plain_decode(const uint8_t *bytes, size_t size, unsigned scale, bool grey)
{
    free(decode(bytes, size, scale, grey, NULL, NULL));
}

static void box(const float *in, float *out, int length, int stride, int w)
{
    int half = (w + 2) / 2;
    float sum = 0;
    int from = 0, to = -1;
    for (int i = 0; i < length; i++) {
        int first = i - (w - half), last = i + half - 1;
        first = first < 0 ? 0 : first;
        last = last > length - 1 ? length - 1 : last;
        while (to < last)
            sum += in[(size_t)++to * (size_t)stride];
        while (from < first)
            sum -= in[(size_t)from++ * (size_t)stride];
        out[(size_t)i * (size_t)stride] = sum / (float)(last - first + 1);
    }
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void plain_hash(ob_pdq *out, const uint8_t *bytes, size_t size)
{
    int w, h;
    uint8_t *rgb = decode(bytes, size, 1, false, &w, &h);
    size_t count = (size_t)w * (size_t)h;
    float *luma = malloc(count * sizeof *luma), *other = malloc(count * sizeof *other);
    if (!luma || !other)
        abort();
    for (size_t k = 0; k < count; k++)
        luma[k] = 0.299f * rgb[3 * k] + 0.587f * rgb[3 * k + 1] + 0.114f * rgb[3 * k + 2];
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < h; y++)
            box(luma + (size_t)y * (size_t)w, other + (size_t)y * (size_t)w, w, 1, (w + 127) / 128);
        for (int x = 0; x < w; x++)
            box(other + x, luma + x, h, w, (h + 127) / 128);
    }
    static float a[64][64], d[16][64], t[16][64], b[256], sorted[256];
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < 64; j++)
            a[i][j] =
                luma[(size_t)((2 * i + 1) * h / 128) * (size_t)w + (size_t)((2 * j + 1) * w / 128)];
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 64; j++)
            d[i][j] = (float)(sqrt(2.0 / 64) * cos(acos(-1) / 128 * (i + 1) * (2 * j + 1)));
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 64; j++) {
            t[i][j] = 0;
            for (int k = 0; k < 64; k++)
                t[i][j] += d[i][k] * a[k][j];
        }
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) {
            b[16 * i + j] = 0;
            for (int k = 0; k < 64; k++)
                b[16 * i + j] += t[i][k] * d[j][k];
        }
    memcpy(sorted, b, sizeof sorted);
    qsort(sorted, 256, sizeof *sorted, by_value);
    *out = (ob_pdq){0};
    for (int k = 0; k < 256; k++)
        out->hash[0].q[k / 64] |= (uint64_t)(b[k] > sorted[127]) << (k % 64);
    free(other);
    free(luma);
    free(rgb);
}

/* ---- Searching ---------------------------------------------------------------------------- */

__attribute__((target("popcnt"))) uint64_t plain_scan(const ob_hash256 *hashes, uint64_t count,
                                                      const ob_hash256 *queries,
                                                      uint32_t query_count, unsigned distance)
{
    uint64_t found = 0;
    for (uint32_t q = 0; q < query_count; q++)
        for (uint64_t e = 0; e < count; e++) {
            int64_t d = __builtin_popcountll(hashes[e].q[0] ^ queries[q].q[0]) +
                        __builtin_popcountll(hashes[e].q[1] ^ queries[q].q[1]) +
                        __builtin_popcountll(hashes[e].q[2] ^ queries[q].q[2]) +
                        __builtin_popcountll(hashes[e].q[3] ^ queries[q].q[3]);
            found += d <= (int64_t)distance;
        }
    return found;
}
