/* Profiles that change little are known without a transform, and no others. */
#include "media_priv.h"
#include "test.h"

#include <math.h>

#include <lcms2.h>

enum { ROOM = 65536 };

typedef struct file {
    uint8_t bytes[ROOM];
    cmsUInt32Number size;
} file;

/* A profile of sRGB's white, of these primaries (x and y each) and this curve for all three. */
static file profile_of(const double xy[6], cmsToneCurve *curve, double version)
{
    const cmsCIExyY white = {0.3127, 0.3290, 1};
    const cmsCIExyYTRIPLE primaries = {{xy[0], xy[1], 1}, {xy[2], xy[3], 1}, {xy[4], xy[5], 1}};
    cmsToneCurve *curves[3] = {curve, curve, curve};
    cmsHPROFILE profile = cmsCreateRGBProfile(&white, &primaries, curves);
    assert_non_null(profile);
    cmsSetProfileVersion(profile, version);
    file f = {0};
    assert_true(cmsSaveProfileToMem(profile, NULL, &f.size) && f.size <= ROOM);
    assert_true(cmsSaveProfileToMem(profile, f.bytes, &f.size));
    cmsCloseProfile(profile);
    cmsFreeToneCurve(curve);
    return f;
}

static const double srgb[6] = {0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
static const double swapped[6] = {0.30, 0.60, 0.15, 0.06, 0.64, 0.33};
static const double monitor[6] = {0.65, 0.335, 0.31, 0.61, 0.152, 0.065};

static cmsToneCurve *curve_of_srgb(void)
{
    const double p[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    return cmsBuildParametricToneCurve(NULL, 4, p);
}

static cmsToneCurve *table(double power, bool down)
{
    float values[1024];
    for (int i = 0; i < 1024; i++)
        values[i] = powf((float)(down ? 1023 - i : i) / 1023, (float)power);
    return cmsBuildTabulatedToneCurveFloat(NULL, 1024, values);
}

static bool changes_little(const file *f)
{
    return media_icc_changes_little(f->bytes, f->size);
}

static void usual_profiles_are_known_to_change_little(void **state)
{
    (void)state;
    const file all[] = {
        profile_of(srgb, curve_of_srgb(), 4.3),        profile_of(srgb, curve_of_srgb(), 2.1),
        profile_of(srgb, cmsBuildGamma(NULL, 2.2), 2), profile_of(srgb, table(2.2, false), 2.1),
        profile_of(monitor, curve_of_srgb(), 4.3),
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!changes_little(&all[i]))
            fail_msg("profile %zu", i);
}

static void profiles_that_change_a_picture_are_not(void **state)
{
    (void)state;
    const file all[] = {
        profile_of(swapped, curve_of_srgb(), 4.3),   profile_of(srgb, cmsBuildGamma(NULL, 1), 2.1),
        profile_of(srgb, table(1, false), 2.1),      profile_of(srgb, table(2.2, true), 2.1),
        profile_of(srgb, cmsBuildGamma(NULL, 4), 2),
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        media_colour *colour = media_colour_of_profile(all[i].bytes, all[i].size);
        if (changes_little(&all[i]) || !colour)
            fail_msg("profile %zu", i);
        media_colour_free(colour);
    }
}

static uint8_t *tag_named(file *f, const char *name)
{
    for (uint8_t *tag = f->bytes + 132; tag < f->bytes + 132 + 12 * f->bytes[131]; tag += 12)
        if (!memcmp(tag, name, 4))
            return tag;
    fail_msg("no tag %s", name);
    return NULL;
}

/* What counts more than primaries and curves, or says otherwise which they are. */
static void a_profile_with_anything_else_is_looked_at_closer(void **state)
{
    (void)state;
    const file usual = profile_of(srgb, curve_of_srgb(), 4.3);
    static const char *const others[] = {"A2B0", "A2B1", "D2B3", "cicp", "rTRC", "gXYZ"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        file f = usual;
        memcpy(tag_named(&f, "desc"), others[i], 4);
        assert_false(changes_little(&f));
    }
    static const struct {
        size_t at;
        const char *is;
    } heads[] = {{12, "link"}, {16, "CMYK"}, {16, "GRAY"}, {20, "Lab "}, {36, "none"}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        file f = usual;
        memcpy(f.bytes + heads[i].at, heads[i].is, 4);
        assert_false(changes_little(&f));
    }
}

/* Copies of the very size, so that a sanitizer sees what is read behind the end. */
static void a_profile_that_is_cut_or_points_behind_its_end_says_nothing(void **state)
{
    (void)state;
    file usual = profile_of(srgb, curve_of_srgb(), 4.3);
    for (cmsUInt32Number size = 1; size < usual.size; size++) {
        uint8_t *bytes = malloc(size);
        assert_non_null(bytes);
        memcpy(bytes, usual.bytes, size);
        assert_false(media_icc_changes_little(bytes, size));
        free(bytes);
    }
    file f = usual;
    memset(tag_named(&f, "rXYZ") + 4, 0xFF, 4);
    assert_false(changes_little(&f));
    f = usual;
    memset(tag_named(&f, "bTRC") + 8, 0xFF, 4);
    assert_false(changes_little(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_profiles_are_known_to_change_little),
        cmocka_unit_test(profiles_that_change_a_picture_are_not),
        cmocka_unit_test(a_profile_with_anything_else_is_looked_at_closer),
        cmocka_unit_test(a_profile_that_is_cut_or_points_behind_its_end_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
