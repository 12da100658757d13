/* Draws pictures with nothing in them, hashes them, and prints the table that module lists refuses
 * entries by: src/domain/lists/low_information.inc. The pictures are formulas, so the table can be
 * made again anywhere: `build/release/tools/low-information >
 * src/domain/lists/low_information.inc`. */
#include <obhut/hash.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 512, MOST_PIXELS = 1920 * 1920, MOST = 8192 };

/* Bits of a flat or evenly graded picture are rounding errors, which depend on its size: these are
 * drawn in several. */
static const int sizes[][2] = {{64, 64},     {100, 100},  {128, 128},   {200, 200},   {256, 256},
                               {300, 300},   {400, 400},  {500, 500},   {512, 512},   {600, 600},
                               {640, 640},   {800, 800},  {1000, 1000}, {1024, 1024}, {320, 240},
                               {400, 300},   {640, 480},  {800, 600},   {1024, 768},  {1280, 720},
                               {1920, 1080}, {1080, 1920}};

typedef struct table {
    ob_hash256 hashes[MOST];
    size_t count;
    int width, height; /* of what is drawn */
    uint8_t pixels[MOST_PIXELS];
    bool failed;
} table;

static void add_hash(table *t, const char *name, const ob_hash256 *hash)
{
    for (size_t i = 0; i < t->count; i++)
        if (!ob_hash256_distance(&t->hashes[i], hash))
            return;
    if (t->count == MOST) {
        t->failed = true;
        return;
    }
    t->hashes[t->count++] = *hash;
    printf("{\"%s\", {{0x%016llx, 0x%016llx, 0x%016llx, 0x%016llx}}},\n", name,
           (unsigned long long)hash->q[0], (unsigned long long)hash->q[1],
           (unsigned long long)hash->q[2], (unsigned long long)hash->q[3]);
}

/* Hashes the picture that was drawn, in all eight orientations. */
__attribute__((format(printf, 2, 3))) static void add(table *t, const char *name, ...)
{
    char text[80];
    va_list args;
    va_start(args, name);
    vsnprintf(text, sizeof text, name, args);
    va_end(args);
    ob_pdq pdq;
    ob_pdq_shape shape = {.width = (uint32_t)t->width,
                          .height = (uint32_t)t->height,
                          .scale = 1,
                          .samples = OB_PDQ_LUMA};
    if (ob_pdq_hash(&pdq, &shape, t->pixels, shape.width, NULL))
        t->failed = true;
    for (int i = 0; i < OB_DIHEDRAL_COUNT && !t->failed; i++)
        add_hash(t, text, &pdq.hash[i]);
}

static void published(table *t, const char *name, const char *hex)
{
    ob_hash256 hash;
    if (ob_hash256_parse(&hash, hex, strlen(hex), NULL))
        t->failed = true;
    else
        add_hash(t, name, &hash);
}

/* Sets every pixel to an expression in x and y, 0..255. */
#define DRAW(t, expression)                                                                        \
    for (int y = 0; y < (t)->height; y++)                                                          \
        for (int x = 0; x < (t)->width; x++)                                                       \
    (t)->pixels[y * (t)->width + x] = (uint8_t)(expression)

static void flats(table *t)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        t->width = sizes[i][0];
        t->height = sizes[i][1];
        for (int grey = 0; grey <= 255; grey += 51) {
            DRAW(t, grey + 0 * x * y);
            add(t, "flat grey %d", grey);
        }
        for (int grey = 32; grey <= 224; grey += 32) {
            DRAW(t, grey + 0 * x * y);
            add(t, "flat grey %d", grey);
        }
        for (int cell = 15; cell <= 120; cell *= 2) {
            DRAW(t, (x / cell + y / cell) % 2 ? 255 : 0);
            add(t, "chequered, %d", cell);
        }
        DRAW(t, (x + y) * 255 / (t->width + t->height - 2));
        add(t, "gradient from corner to corner");
        DRAW(t, x * 255 / (t->width - 1));
        add(t, "gradient from side to side");
        DRAW(t, 255 - x * 255 / (t->width - 1));
        add(t, "gradient from side to side");
        DRAW(t, y * 255 / (t->height - 1) + 0 * x);
        add(t, "gradient from top to bottom");
    }
}

static void gradients(table *t)
{
    DRAW(t, x / 2);
    add(t, "gradient from side to side");
    DRAW(t, 255 - x / 2);
    add(t, "gradient from side to side");
    for (int levels = 64; levels >= 2; levels /= 2) {
        DRAW(t, x * levels / SIDE * 255 / (levels - 1));
        add(t, "gradient of %d steps", levels);
    }
    DRAW(t, (x + y) / 4);
    add(t, "gradient from corner to corner");
    DRAW(t, x * y / (4 * SIDE));
    add(t, "gradient into one corner");
    DRAW(t, fmin(255, hypot(x - 255.5, y - 255.5)));
    add(t, "gradient from the middle");
    DRAW(t, 255 - fmin(255, 0.7 * hypot(x - 255.5, y - 255.5)));
    add(t, "vignette");
    DRAW(t, abs(2 * x - SIDE) / 2);
    add(t, "gradient to both sides");
}

static void stripes_and_waves(table *t)
{
    for (int period = 2; period <= SIDE; period += period < 16 ? 2 : period / 4)
        for (int phase = 0; phase < period; phase += (period + 1) / 2) {
            DRAW(t, (x + phase) % period < period / 2 ? 255 : 0 * y);
            add(t, "stripes of %d", period);
            DRAW(t, 127.5 + 127.5 * cos(2 * 3.14159265358979 * (x + phase) / period) + 0 * y);
            add(t, "waves of %d", period);
        }
    for (int period = 8; period <= SIDE; period *= 2) {
        DRAW(t, (x + y) % period < period / 2 ? 255 : 0);
        add(t, "diagonal stripes of %d", period);
    }
}

static void patterns(table *t)
{
    for (int cell = 2; cell <= SIDE / 2; cell += cell < 16 ? 2 : cell / 4) {
        DRAW(t, (x / cell + y / cell) % 2 ? 255 : 0);
        add(t, "chequered, %d", cell);
    }
    for (int period = 8; period <= SIDE / 2; period += period / 4) {
        int line = period / 16 + 1;
        DRAW(t, y % period < line ? 90 : 255 - 0 * x);
        add(t, "lined paper, %d", period);
        DRAW(t, x % period < line || y % period < line ? 90 : 255);
        add(t, "squared paper, %d", period);
        DRAW(t, hypot(x % period - period / 2, y % period - period / 2) < period / 4 ? 0 : 255);
        add(t, "dots, %d", period);
    }
    for (int width = 4; width < SIDE / 2; width += width / 2) {
        DRAW(t, x < width || y < width || x >= SIDE - width || y >= SIDE - width ? 0 : 255);
        add(t, "frame of %d", width);
        DRAW(t, y < width || y >= SIDE - width ? 0 : 128 + 0 * x);
        add(t, "bars of %d above and below", width);
        DRAW(t, y < width ? 40 : 255 + 0 * x);
        add(t, "blank page with a head of %d", width);
        DRAW(t, hypot(x - 255.5, y - 255.5) < width ? 0 : 255);
        add(t, "disc of %d", width);
        DRAW(t, abs(x - SIDE / 2) < width / 2 || abs(y - SIDE / 2) < width / 2 ? 0 : 255);
        add(t, "cross of %d", width);
    }
    DRAW(t, x < y ? 0 : 255);
    add(t, "two triangles");
    DRAW(t, x < SIDE / 2 ? 0 : 255 + 0 * y);
    add(t, "two halves");
    DRAW(t, (x < SIDE / 2) != (y < SIDE / 2) ? 0 : 255);
    add(t, "four quarters");
}

int main(void)
{
    table *t = calloc(1, sizeof *t);
    if (!t)
        return 1;
    puts("/* Made by tools/low_information.c; do not edit. */");
    add_hash(t, "no picture: what failed decoding leaves", &(ob_hash256){{0}});
    add_hash(t, "no picture: all ones", &(ob_hash256){{~0ull, ~0ull, ~0ull, ~0ull}});
    /* Of the published tools for a flat, a graded and a chequered picture, whose bits depend on how
     * they round. */
    published(t, "published: checkerboard",
              "aaaafbff0000fbff0000fbff0c00040002a8fbff0000fbff03a8fbff1c00fbff");
    published(t, "published: checkerboard",
              "03c0fcff03c0fcff03c0fcff03c003000300fcff03c0fcff0380fcff0380fcff");
    published(t, "published: checkerboard",
              "5455abaa5455abaa5455abaaabaa54555455abaa5455abaa5455abaa5455abaa");
    published(t, "published: checkerboard",
              "5655565556555655565556555655a9aa56555655565556555655565556555655");
    published(t, "published: checkerboard",
              "ab2aab2aa100ab2a01000100feffffffff2aaf2aab2aab2aab2aab2aab2aab2a");
    published(t, "published: checkerboard",
              "f3ff0380f3ff0380d3ff03c0d3fffdff03000300d3ff0300d3ff0300d3ff0300");
    published(t, "published: checkerboard",
              "5655a9aa5655a9aa5655a9aa565556555655a9aa5655a9aa5655a9aa5655a9aa");
    published(t, "published: checkerboard",
              "545554555455545554555455abaaabaafe7ffe75545554555455545554555455");
    published(t, "published: checkerboard",
              "0100feff0100feff0100fefffeff01000100feff0100feff0100feff0100feff");
    published(t, "published: flat-grey",
              "b3ba4c45b3bab3ba4c454c45b3bab3bab3ba4c454c45b3bab3ba4c454c454c45");
    published(t, "published: flat-grey",
              "000000002c4b11342c4b2c4b0000554b00002c4b113411342c4b585e2c4b017e");
    published(t, "published: flat-grey",
              "000000012c4a2c4b2c4e103500002c4e0000103010312c4a2d4f2c4a2d4f1035");
    published(t, "published: flat-grey",
              "00000000391e391e391e04610000d741000004610461391e391ef2f4391e0b54");
    published(t, "published: flat-grey",
              "01040001381e0461381b381f010504640004381a04640460381a0460381a381f");
    published(t, "published: flat-grey",
              "000000002c4b2c4b2c4b1134000082000000113411342c4b2c4ba7a12c4b5e01");
    published(t, "published: flat-grey",
              "00000000391e0461391e391e0000000a0000391e04610461391e0d0b391e542b");
    published(t, "published: flat-grey",
              "000001042c4a11342c4e2d4a0000113100002d4f103110352d4f10352d4f2d4a");
    published(t, "published: flat-grey",
              "01040104381e391e381b05600105391b000405650464381f381a381f381a0560");
    published(t, "published: gradient",
              "0000b3bab39ab3bab39ab3ba4c45b3ba0000b3bab31ab3bab3bab3ba4c45b3ba");
    published(t, "published: gradient",
              "e3a7201128c2012847b119314480f7da45d640acfe231e40431b2b700e4b8057");
    published(t, "published: gradient",
              "81216412e124100a2436e004893e6233abc0de689c64a232114a7f2ea1ab33d4");
    published(t, "published: gradient",
              "a6f200b96d97010202e4111301d55d7000834206ab763462124e01525b1e2add");
    published(t, "published: gradient",
              "8020ceb8a031102021234aa6886bc899ea8174c2c9300898400bd584b4fe997e");
    published(t, "published: gradient",
              "e3a745ec28c2104747b140464480082545d60243fe236133431b04070e4b2b88");
    published(t, "published: gradient",
              "a6f265446d97106d02e4486401d5a28f008300e9ab764b11124e2e255b1e8102");
    published(t, "published: gradient",
              "81218be8e124053024360bb2893e9d8cabc021979c644d8d114a80c1a1abcc2b");
    published(t, "published: gradient",
              "80202142a031051a2123a110886b3726ea818b3dc930e727400b2a6bb4fe6681");
    flats(t);
    t->width = t->height = SIDE;
    gradients(t);
    stripes_and_waves(t);
    patterns(t);
    int code = t->failed || ferror(stdout) || fflush(stdout);
    fprintf(stderr, "%zu hashes\n", t->count);
    free(t);
    return code;
}
