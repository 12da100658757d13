/* What it costs to look at pictures as people see them: what every frame and every further hash
 * takes, beside the same picture without. */
#include "bench.h"

#include "media_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { TURNS = 9 };

typedef struct job {
    ob_buf file;
    ob_media_result result;
} job;

static void hash(void *context)
{
    job *j = context;
    const ob_media_options options = {.isa = OB_ISA_AUTO};
    if (ob_media_hash(&j->result, (const uint8_t *)j->file.bytes, j->file.size, &options, NULL))
        abort();
}

static bool take(job *j, const char *dir, const char *name)
{
    char path[512], chunk[65536];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    *j = (job){0};
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        if (ob_buf_append(&j->file, chunk, got, NULL))
            abort();
    fclose(file);
    return true;
}

/* In turns with what it is compared with. */
static void compare(const char *dir, const char *what, const char *name, const char *with)
{
    job one, other;
    if (!take(&one, dir, name))
        return;
    if (!take(&other, dir, with)) {
        ob_buf_free(&one.file);
        return;
    }
    double t = 0, reference = 0;
    for (int i = 0; i < 3; i++) {
        t += bench_median(hash, &one, TURNS) / 3;
        reference += bench_median(hash, &other, TURNS) / 3;
    }
    printf("  %8.2f x  %s (%.1f ms, %u hashes; %.1f ms)\n", t / reference, what, 1000 * t,
           1 + one.result.more_count, 1000 * reference);
    ob_buf_free(&one.file);
    ob_buf_free(&other.file);
}

/* ---- Frames: decoded alone, and hashed ----------------------------------------------------- */

static ob_status begin_nothing(void *context, const media_picture *picture, ob_media_fault *fault)
{
    (void)context;
    (void)picture;
    (void)fault;
    return OB_OK;
}

static ob_status take_nothing(void *context, const uint8_t *rows, size_t stride, size_t count,
                              ob_media_fault *fault)
{
    (void)context;
    (void)rows;
    (void)stride;
    (void)count;
    (void)fault;
    return OB_OK;
}

static void only_decode(void *context)
{
    job *j = context;
    media_facts facts = {.orientation = 1, .frames = 1};
    const media_sink sink = {.begin = begin_nothing, .rows = take_nothing, .facts = &facts};
    const media_wish wish = {0};
    if (media_decode_gif(&sink, (const uint8_t *)j->file.bytes, j->file.size, &wish, NULL))
        abort();
}

static void frames(const char *dir, const char *name)
{
    job j;
    if (!take(&j, dir, name))
        return;
    double decoded = bench_median(only_decode, &j, TURNS), t = bench_median(hash, &j, TURNS);
    printf(
        "  %8.2f x  every frame of a GIF of %u hashed (%.1f ms, %u hashes; decoded and drawn alone "
        "%.1f ms)\n",
        t / decoded, j.result.frames, 1000 * t, 1 + j.result.more_count, 1000 * decoded);
    ob_buf_free(&j.file);
}

void bench_looks(const char *dir)
{
    printf("\npictures as people see them, 1.6 megapixels (reference: the same picture without)\n");
    compare(dir, "a JPEG with the profile of sRGB", "usual.jpg", "plain.jpg");
    compare(dir, "a JPEG with a profile that changes it", "profile.jpg", "plain.jpg");
    compare(dir, "a PNG that could be transparent and is not", "opaque.png", "plain.png");
    compare(dir, "a PNG that is transparent, over white and black", "alpha.png", "plain.png");
    compare(dir, "a PNG with a gamma that changes it", "gamma.png", "plain.png");
    frames(dir, "frames-8.gif");
    frames(dir, "frames-64.gif");
}
