/* From the bytes of a JPEG to its hash: how long, and where the time goes. */
#include "bench.h"

#include "hash_priv.h"
#include "media_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const uint8_t *bytes;
    size_t size;
    ob_media_options options;
    unsigned scale;
    ob_media_result result;
    /* decoded rows, for the parts behind the decoder */
    ob_pdq_shape shape;
    ob_buf rows;
    float *luma;
    pdq_dct_matrix *matrix;
    float *a;
} job;

static void hash(void *context)
{
    job *j = context;
    ob_media_fault fault;
    if (ob_media_hash(&j->result, j->bytes, j->size, &j->options, &fault)) {
        fprintf(stderr, "reason %u\n", fault.reason);
        exit(1);
    }
}

static void hash_plainly(void *context)
{
    job *j = context;
    plain_hash(&j->result.pdq, j->bytes, j->size);
}

static void decode_grey(void *context)
{
    job *j = context;
    plain_decode(j->bytes, j->size, j->scale, true);
}

static void decode_colour(void *context)
{
    job *j = context;
    plain_decode(j->bytes, j->size, 1, false);
}

/* ---- Parts behind the decoder ------------------------------------------------------------- */

static ob_status keep_shape(void *context, const media_picture *picture, ob_media_fault *fault)
{
    (void)fault;
    ((job *)context)->shape = picture->shape;
    return OB_OK;
}

static ob_status keep_rows(void *context, const uint8_t *rows, size_t stride, size_t count,
                           ob_media_fault *fault)
{
    (void)fault;
    return ob_buf_append(&((job *)context)->rows, rows, stride * count, NULL);
}

static size_t cells(const job *j)
{
    return (j->shape.width + j->shape.scale - 1) / j->shape.scale;
}

static size_t lines(const job *j)
{
    return (j->shape.height + j->shape.scale - 1) / j->shape.scale;
}

static void whole_hash(void *context)
{
    job *j = context;
    ob_pdq_hash(&j->result.pdq, &j->shape, (const uint8_t *)j->rows.bytes,
                cells(j) * j->shape.samples, NULL);
}

static void luma(void *context)
{
    job *j = context;
    const pdq_kernel *kernel = pdq_kernel_for(OB_ISA_AUTO);
    for (size_t y = 0; y < lines(j); y++)
        kernel->luma_of_rgb(j->luma, (const uint8_t *)j->rows.bytes + y * cells(j) * 3, cells(j));
}

static void dct_and_bits(void *context)
{
    job *j = context;
    _Alignas(64) float b[PDQ_FREQS * PDQ_FREQS];
    const pdq_kernel *kernel = pdq_kernel_for(OB_ISA_AUTO);
    kernel->dct(b, j->a, j->matrix);
    j->result.pdq.quality = (int)kernel->gradient(j->a);
    pdq_bits(j->result.pdq.hash, b, kernel);
}

static void print_shares(job *j, const char *name, double whole)
{
    media_facts facts = {.orientation = 1, .frames = 1};
    const media_sink sink = {.begin = keep_shape, .rows = keep_rows, .context = j, .facts = &facts};
    const media_wish wish = {.colour = j->options.exact, .min_side = j->options.exact ? 0 : 512};
    if (media_decode_jpeg(&sink, j->bytes, j->size, &wish, NULL))
        exit(1);
    j->luma = malloc(cells(j) * sizeof *j->luma);
    j->matrix = aligned_alloc(64, sizeof *j->matrix);
    j->a = aligned_alloc(64, PDQ_SIDE * PDQ_SIDE * sizeof *j->a);
    if (!j->luma || !j->matrix || !j->a)
        abort();
    pdq_dct_matrix_init(j->matrix);
    for (int k = 0; k < PDQ_SIDE * PDQ_SIDE; k++)
        j->a[k] = (float)(k * 37 % 256);
    double all = bench_median(whole_hash, j, 9), bits = bench_median(dct_and_bits, j, 9);
    double grey = j->shape.samples == OB_PDQ_RGB ? bench_median(luma, j, 9) : 0;
    printf("    %-8s decoding %.1f %%, luma %.1f %%, filter %.1f %%, DCT and bits %.1f %% "
           "(hashing %.2f ms on top of decoding: %.1f %%)\n",
           name, 100 * (whole - all) / whole, 100 * grey / whole, 100 * (all - grey - bits) / whole,
           100 * bits / whole, 1000 * all, 100 * all / (whole - all));
    free(j->luma);
    free(j->matrix);
    free(j->a);
    ob_buf_free(&j->rows);
}

/* ---- One picture -------------------------------------------------------------------------- */

static bool read_file(ob_buf *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    char chunk[65536];
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        if (ob_buf_append(out, chunk, got, NULL))
            abort();
    fclose(file);
    return true;
}

static void measure(const char *path, const char *name)
{
    ob_buf file = {0};
    if (!read_file(&file, path)) {
        printf("  %s is missing\n", path);
        return;
    }
    job quick = {.bytes = (const uint8_t *)file.bytes, .size = file.size}, exact = quick;
    job other = quick, plain = quick;
    exact.options.exact = true;
    hash(&quick);
    hash(&exact);
    hash_plainly(&plain);
    uint32_t side =
        quick.result.width < quick.result.height ? quick.result.width : quick.result.height;
    for (quick.scale = 1; quick.scale < 8 && side / (2 * quick.scale) >= 512;)
        quick.scale *= 2;

    printf("\n  %s: %u x %u, %.1f MB, decoded at 1/%u\n", name, quick.result.width,
           quick.result.height, (double)file.size / 1e6, quick.scale);
    double t_quick = bench_median(hash, &quick, 9), t_grey = bench_median(decode_grey, &quick, 9);
    double t_exact = bench_median(hash, &exact, 9);
    double t_colour = bench_median(decode_colour, &exact, 9);
    double t_plain = bench_median(hash_plainly, &plain, 5);
    void *both[2] = {&quick, &other};
    double t_two = bench_threads(hash, both, 2, 20) / 2;
    printf("    %8.1f pictures/s on one thread, %.1f on two; --exact %.1f; plain hasher %.1f\n",
           1 / t_quick, 1 / t_two, 1 / t_exact, 1 / t_plain);
    printf("    %8.2f x the plain hasher (--exact %.2f x)\n", t_plain / t_quick, t_plain / t_exact);
    printf("    %8.3f x the time of libjpeg-turbo alone at the same scale (--exact %.3f x of its "
           "full decoding)\n",
           t_quick / t_grey, t_exact / t_colour);
    printf("    bits moved from --exact: default %u, plain hasher %u\n",
           ob_hash256_distance(&quick.result.pdq.hash[0], &exact.result.pdq.hash[0]),
           ob_hash256_distance(&plain.result.pdq.hash[0], &exact.result.pdq.hash[0]));
    print_shares(&quick, "default:", t_quick);
    print_shares(&exact, "--exact:", t_exact);
    ob_buf_free(&file);
}

void bench_pictures(const char *dir)
{
    static const char *const names[] = {"0.3", "1.6", "12"};
    printf(
        "\nJPEG to hash (reference: a plainly written full-decode hasher, libjpeg-turbo alone)\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512], name[64];
        for (int k = 0; k < 2; k++) {
            snprintf(path, sizeof path, "%s/%s-%d.jpg", dir, names[i], k);
            snprintf(name, sizeof name, "%s megapixels, photograph %d", names[i], k + 1);
            measure(path, name);
        }
    }
}
