/* What files cost, as their heads tell it. */
#include "test.h"

#include <obhut/media.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

typedef struct bytes {
    const uint8_t *bytes;
    size_t size;
    unsigned reads;
} bytes;

static size_t read_bytes(void *context, void *out, size_t size, uint64_t at)
{
    bytes *b = context;
    b->reads++;
    assert_true(at < b->size && size <= b->size - at);
    memcpy(out, b->bytes + at, size);
    return size;
}

static ob_media_cost cost_of(const void *of, size_t size)
{
    bytes b = {.bytes = of, .size = size};
    const ob_media_cost cost = ob_media_estimate(read_bytes, &b, size);
    assert_true(b.reads <= 1024);
    return cost;
}

/* A head and nothing behind it but so many zeros. */
static ob_media_cost cost_of_head(const char *head, size_t size, size_t zeros)
{
    uint8_t *all = calloc(1, size + zeros + 1);
    assert_non_null(all);
    memcpy(all, head, size);
    const ob_media_cost cost = cost_of(all, size + zeros);
    free(all);
    return cost;
}

#define HEAD(text) text, sizeof(text) - 1

/* 16,383 x 16,383 pixels of one colour, lossless. */
static const char webp[] = "RIFF\0\0\0\0WEBPVP8L\x14\0\0\0\x2f\xfe\xbf\xfc\x0f\x07\x50\x81\x54\x08"
                           "\x20\0\0\xa9\xaf\xec\x78\x88\x8f\xe0\x07";

static void forty_bytes_can_be_slow(void **state)
{
    (void)state;
    const ob_media_cost cost = cost_of(webp, 40);
    assert_true(cost.is_slow && cost.us > 2000000);
}

/* One of 256 x 256 pixels, as its directory has it. */
#define ICON                                                                                       \
    "\0\0\x01\0\x01\0"                                                                             \
    "\0\0\0\0\x01\0\x20\0\0\x01\0\0\x16\0\0\0"

static void a_head_of_every_format_tells_its_size(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        size_t size;
        bool is_slow; /* 16,000 x 16,000 pixels; else 256 x 256 */
    } cases[] = {
        {HEAD("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x3e\x80\0\0\x3e\x80\x08\x02\0\0\0"), true},
        {HEAD("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x02\0\0\0"), false},
        {HEAD("\xff\xd8\xff\xe0\0\x04xx\xff\xc2\0\x11\x08\x3e\x80\x3e\x80\x03"), true},
        {HEAD("\xff\xd8\xff\xe0\0\x04xx\xff\xc2\0\x11\x08\x01\0\x01\0\x03"), false},
        {HEAD("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x80\x3e\x80\x3e"), true},
        {HEAD("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\0\x01\0\x01"), false},
        {HEAD("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x3e\0\x7f\x3e\0"), true},
        {HEAD("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\0\0\xff\0\0"), false},
        {HEAD("GIF89a\x80\x3e\x80\x3e\0\0\0,\0\0\0\0\x80\x3e\x80\x3e\0\x08\0;"), true},
        {HEAD("GIF89a\0\x01\0\x01\0\0\0,\0\0\0\0\0\x01\0\x01\0\x08\0;"), false},
        {HEAD("II*\0\x08\0\0\0\x02\0\0\x01\x03\0\x01\0\0\0\x80\x3e\0\0"
              "\x01\x01\x04\0\x01\0\0\0\x80\x3e\0\0\0\0\0\0"),
         true},
        {HEAD("MM\0*\0\0\0\x08\0\x02\x01\0\0\x03\0\0\0\x01\x01\0\0\0"
              "\x01\x01\0\x04\0\0\0\x01\0\0\x01\0\0\0\0\0"),
         false},
        {HEAD("\0\0\0\x18"
              "ftypavif\0\0\0\0\0\0\0\x14ispe\0\0\0\0\0\0\x3e\x80\0\0\x3e\x80"),
         true},
        {HEAD("\0\0\0\x18"
              "ftypheic\0\0\0\0\0\0\0\x14ispe\0\0\0\0\0\0\x01\0\0\0\x01\0"),
         false},
        {HEAD("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x80\x3e\0\0\x80\xc1\xff\xff\x01\0\x01\0"),
         true},
        {HEAD("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\0\x01\0\0\0\xff\xff\xff\x01\0\x18\0"), false},
        {HEAD("BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x80\x3e\x80\x3e\x01\0\x01\0"), true},
        {HEAD(ICON "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x3e\x80\0\0\x3e\x80\x08\x02\0\0\0"), true},
        {HEAD(ICON "\x28\0\0\0\x80\x3e\0\0\0\x7d\0\0\x01\0\x01\0"), true},
        {HEAD(ICON "\x28\0\0\0\x20\0\0\0\x40\0\0\0\x01\0\x20\0"), false},
        {HEAD("\0\0\0\x0cJXL \r\n\x87\n"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ob_media_cost cost = cost_of_head(cases[i].head, cases[i].size, 64);
        if (cost.is_slow != cases[i].is_slow)
            fail_msg("case %zu: %llu us", i, (unsigned long long)cost.us);
    }
}

static void what_its_bytes_lead_one_to_expect_is_not_slow(void **state)
{
    (void)state;
    /* 8,000 x 6,000 pixels of a camera, 12 MB; a screen of 3,840 x 2,160, 1 MB */
    assert_false(
        cost_of_head(HEAD("\xff\xd8\xff\xc0\0\x11\x08\x17\x70\x1f\x40\x03"), 12000000).is_slow);
    assert_false(
        cost_of_head(HEAD("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x0f\0\0\0\x08\x70\x08\x02\0"), 1000000)
            .is_slow);
}

static void frames_count(void **state)
{
    (void)state;
    static const char head[] = "GIF89a\xd0\x07\xd0\x07\0\0\0";
    static const char frame[] = ",\0\0\0\0\xd0\x07\xd0\x07\0\x08\x01x";
    uint8_t all[2000] = {0};
    size_t size = sizeof head - 1;
    memcpy(all, head, size);
    const uint64_t none = cost_of(all, size + 64).us;
    for (int i = 0; i < 60; i++, size += sizeof frame)
        memcpy(all + size, frame, sizeof frame);
    const ob_media_cost cost = cost_of(all, size);
    assert_true(cost.is_slow && cost.us > 20 * none);
}

/* 1,000 x 1,000 pixels, moving and not: behind text, in a file whose brands are many, and told
 * behind the pixels. */
static void frames_of_png_and_avif_count(void **state)
{
    (void)state;
    static const char png[] =
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\xe8\0\0\x03\xe8\x08\x06\0\0\0xxxx"
        "\0\0\0\x04tEXtabcdxxxx\0\0\0\x08"
        "acTL\0\0\x01\0\0\0\0\0xxxx\0\0\0\x04IDATabcdxxxx";
    uint8_t all[512 + 17000] = {0};
    memcpy(all, png, sizeof png);
    const uint64_t moving = cost_of(all, sizeof png + 64).us;
    all[53] ^= 1; /* another name */
    assert_true(moving > 100 * cost_of(all, sizeof png + 64).us);

    memset(all, 0, sizeof all);
    memcpy(all, "\0\0\x01\0ftypmiaf", 12);
    memcpy(all + 252, "avis", 4);
    memcpy(all + 256, "\0\0\x42\0mdat", 8);
    uint8_t *track = all + 256 + 0x4200;
    memcpy(track, "\0\0\x01\0moov\0\0\0\x5ctkhd", 16);
    memcpy(track + 12 + 80, "\x03\xe8\0\0\x03\xe8", 6);
    const uint64_t still = cost_of(all, sizeof all).us;
    memcpy(track + 120, "stsz\0\0\0\0\0\0\0\0\0\0\x01\0", 16);
    const ob_media_cost cost = cost_of(all, sizeof all);
    assert_true(still > 10000 && cost.is_slow && cost.us > 100 * still);
}

static void without_a_size_it_is_slow_and_without_a_format_it_is_not(void **state)
{
    (void)state;
    assert_true(cost_of_head(HEAD("\xff\xd8\xff\xe0\0\x04xx"), 0).is_slow);
    assert_true(cost_of_head(HEAD("GIF89a"), 0).is_slow);
    assert_false(cost_of_head(HEAD("no picture at all"), 0).is_slow);
    assert_false(cost_of("", 0).is_slow);
}

/* A chain of pages that bites its own tail, and directories without end. */
static void a_head_without_end_costs_a_bounded_number_of_reads(void **state)
{
    (void)state;
    cost_of_head(HEAD("II*\0\x08\0\0\0\0\0\x08\0\0\0"), 64);
    cost_of_head(HEAD("II*\0\x08\0\0\0\xff\xff"), 2000000);
    cost_of_head(HEAD("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\xff\0\0\xff\0\0"), 2000000);
    cost_of_head(HEAD("GIF89a\0\x01\0\x01\0\0\0!"), 9000000);
    uint8_t *fill = malloc(100000);
    assert_non_null(fill);
    memset(fill, 0xFF, 100000);
    fill[1] = 0xD8;
    assert_true(cost_of(fill, 100000).is_slow);
    free(fill);
}

static void ordinary_pictures_are_not_slow(void **state)
{
    (void)state;
    DIR *dir = opendir(OB_TESTS "/conformance/pdq/images");
    unsigned seen = 0;
    assert_non_null(dir);
    for (struct dirent *one; (one = readdir(dir));) {
        char path[512];
        size_t size;
        snprintf(path, sizeof path, OB_TESTS "/conformance/pdq/images/%s", one->d_name);
        uint8_t *file = *one->d_name == '.' ? NULL : test_file(path, &size);
        if (!file)
            continue;
        assert_false(cost_of(file, size).is_slow);
        free(file);
        seen++;
    }
    closedir(dir);
    assert_true(seen > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forty_bytes_can_be_slow),
        cmocka_unit_test(a_head_of_every_format_tells_its_size),
        cmocka_unit_test(what_its_bytes_lead_one_to_expect_is_not_slow),
        cmocka_unit_test(frames_count),
        cmocka_unit_test(frames_of_png_and_avif_count),
        cmocka_unit_test(without_a_size_it_is_slow_and_without_a_format_it_is_not),
        cmocka_unit_test(a_head_without_end_costs_a_bounded_number_of_reads),
        cmocka_unit_test(ordinary_pictures_are_not_slow),
    };
    return cmocka_run_group_tests_name("media_cost", tests, NULL, NULL);
}
