/* A detector is one file. This one, harmless, finds pictures that are bright. Permits, decisions,
 * statistics, explanations and the table of the documentation know it, and nothing else was
 * changed for it. */
#define MORE_DETECTORS                                                                             \
    {                                                                                              \
        "brightness", OB_MATERIAL_KNOWN, OB_STATE_TRIAL, 50, "pictures that are bright"            \
    }
#include "engine_place.h"

#include <obhut/records/detector.h>

#include <jpeglib.h>

enum { BRIGHTNESS = 2 };

/* ---- What its worker takes from the bytes ---------------------------------------------------- */

/* A small grey picture: width and height, then samples. */
typedef struct rendition {
    uint32_t width, height;
    uint8_t samples[64 * 64];
} rendition;

static ob_status render(void *out, size_t *size, size_t room, const uint8_t *bytes, size_t of)
{
    rendition *r = out;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    if (room < sizeof *r)
        return OB_ELIMIT;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, (unsigned long)of);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_GRAYSCALE;
    jpeg.scale_num = 1;
    jpeg.scale_denom = 8;
    jpeg_start_decompress(&jpeg);
    if (jpeg.output_width > 64 || jpeg.output_height > 64)
        return OB_ELIMIT;
    r->width = jpeg.output_width;
    r->height = jpeg.output_height;
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = r->samples + jpeg.output_scanline * jpeg.output_width;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_destroy_decompress(&jpeg);
    *size = sizeof *r;
    return OB_OK;
}

/* ---- The detector ---------------------------------------------------------------------------- */

static unsigned bound; /* a picture is bright whose mean is above it */

/* A worker may have been taken over: what it says is looked at like anything from outside. */
static bool mean_of(unsigned *out, const rendition *r)
{
    uint64_t sum = 0;
    const uint64_t count = (uint64_t)r->width * r->height;
    if (!r->width || !r->height || r->width > 64 || r->height > 64)
        return false;
    for (uint64_t i = 0; i < count; i++)
        sum += r->samples[i];
    *out = (unsigned)(sum / count);
    return true;
}

static ob_status judge(ob_signals *out, const ob_judging *with, const ob_job_result *of,
                       ob_error *err)
{
    rendition r;
    unsigned mean;
    if (ob_result_read(&r, sizeof r, of) != sizeof r || !mean_of(&mean, &r) || mean <= bound)
        return OB_OK;
    ob_signal *signal = ob_signals_more(out, 1, err);
    if (!signal)
        return OB_ENOMEM;
    *signal = (ob_signal){.detectors = UINT32_C(1) << with->detector, .score = (float)mean / 255};
    snprintf(signal->words, sizeof signal->words, "mean brightness %u, more than %u", mean, bound);
    return OB_OK;
}

static const ob_detector_class brightness = {
    .name = "brightness",
    .media = 1 << OB_MEDIA_IMAGE,
    .extract = OB_EXTRACT_FILE,
    .judge = judge,
};

/* ---- It is known ----------------------------------------------------------------------------- */

static ob_scan scan_once(place *p)
{
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .left = 1};
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    ob_scan scan = scan_for(&i, &w);
    ob_error err = {0};
    must(ob_engine_scan(p->engine, &scan, &err), &err);
    wait_for(&w);
    must(scan.work.status, &scan.work.error);
    return scan;
}

static void permits_know_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_gate_decision why;
    ob_permits *permits = ob_engine_permits(p->engine);
    const ob_item i = item(OB_SURFACE_PUBLIC, NULL);
    assert_int_equal(ob_permits_detector(permits, BRIGHTNESS), OB_STATE_TRIAL);
    must(ob_permits_ask(&why, permits, &i, 1 << BRIGHTNESS, &err), &err);
    assert_true(why.allow);
    ob_scan scan = scan_once(p);
    assert_true(scan.file.result->detectors >> BRIGHTNESS & 1);
    ob_scan_clear(&scan);
    const ob_detector_record r = {.detector = "brightness",
                                  .state = OB_STATE_SUSPENDED,
                                  .by = "ada",
                                  .reason = "r",
                                  .at = ob_now()};
    must(WRITES(p->store, &err, ob_store_detector_set(w, &r, &err)), &err);
    must(ob_permits_ask(&why, permits, &i, 1 << BRIGHTNESS, &err), &err);
    assert_int_equal(why.reason, OB_DETECTOR_SUSPENDED);
    scan = scan_once(p);
    assert_false(scan.file.result->detectors >> BRIGHTNESS & 1);
    assert_false(scan.file.result->has_file); /* nobody has taken it from the bytes */
    assert_int_equal(scan.signals.count, 0);
    ob_scan_clear(&scan);
}

static void decisions_and_explanations_know_it(void **state)
{
    place *p = *state;
    ob_scan scan = scan_once(p);
    assert_int_equal(scan.signals.count, 1);
    const ob_signal *signal = &scan.signals.signal[0];
    assert_int_equal(signal->detectors, 1 << BRIGHTNESS);
    assert_true(signal->score > 0 && signal->score < 1 && !signal->has_entry);
    assert_non_null(strstr(signal->words, "mean brightness"));
    assert_int_equal(scan.work.decision.action, OB_ACTION_REVIEW);
    assert_int_equal(scan.work.decision.because, OB_BECAUSE_SCORE);
    ob_scan_clear(&scan);
    bound = 255;
    scan = scan_once(p);
    assert_int_equal(scan.signals.count, 0);
    assert_int_equal(scan.work.decision.action, OB_ACTION_ALLOW);
    assert_int_equal(scan.work.decision.because, OB_BECAUSE_NOTHING_FOUND);
    ob_scan_clear(&scan);
}

static void statistics_know_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_engine_counts counts;
    ob_hit_count *hits = NULL;
    size_t count = 0;
    ob_scan scan = scan_once(p);
    ob_scan_clear(&scan);
    ob_engine_count(&counts, p->engine);
    assert_int_equal(counts.looked[BRIGHTNESS], 1);
    assert_int_equal(counts.signals[BRIGHTNESS], 1);
    assert_int_equal(counts.looked[PDQ], 1);
    assert_int_equal(counts.signals[PDQ], 0);
    must(ob_engine_hits(&hits, &count, p->engine, &err), &err);
    assert_int_equal(count, 1);
    assert_string_equal(hits[0].detector, "brightness");
    assert_int_equal(hits[0].action, OB_ACTION_REVIEW);
    free(hits);
}

static void the_table_of_the_documentation_knows_it(void **state)
{
    place *p = *state;
    ob_error err = {0};
    ob_buf out = {0};
    must(ob_detectors_table(&out, ob_engine_detectors(p->engine), &err), &err);
    must(ob_buf_append(&out, "", 1, &err), &err);
    assert_non_null(strstr((const char *)out.bytes,
                           "| `brightness` | known | image | a memory file | trial | 50 | pictures "
                           "that are bright |"));
    ob_buf_free(&out);
}

static void what_a_worker_has_filled_nobody_changes(void **state)
{
    place *p = *state;
    ob_scan scan = scan_once(p);
    const ob_job_result *result = scan.file.result;
    assert_true(result->has_file);
    assert_int_equal(result->file_size, sizeof(rendition));
    assert_int_equal(fcntl(result->file, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    assert_int_equal(pwrite(result->file, "x", 1, 0), -1);
    ob_scan_clear(&scan);
}

/* ---- What is not known ----------------------------------------------------------------------- */

static void a_class_without_data_or_a_second_one_of_its_name_is_refused(void **state)
{
    (void)state;
    ob_detectors all;
    ob_error err = {0};
    const ob_detector_class stranger = {.name = "stranger"};
    const ob_detector_class *const with[] = {&brightness, &stranger}, *const twice[] = {
                                                                          &brightness, &brightness};
    assert_int_equal(ob_detectors_make(&all, with, 2, &err), OB_EINVAL);
    assert_non_null(strstr(err.text, "\"stranger\" has no file in data/detectors"));
    assert_int_equal(ob_detectors_make(&all, twice, 2, &err), OB_EINVAL);
    assert_int_equal(ob_detectors_make(&all, NULL, 0, &err), OB_EINVAL);
    assert_non_null(strstr(err.text, "brightness.json has no detector"));
    assert_int_equal(ob_detectors_make(&all, with, 1, &err), OB_OK);
}

/* ---------------------------------------------------------------------------------------------- */

static int begin_bright(void **state)
{
    bound = 0;
    more_detector = &brightness;
    return begin(state);
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(permits_know_it, begin_bright, end),
        cmocka_unit_test_setup_teardown(decisions_and_explanations_know_it, begin_bright, end),
        cmocka_unit_test_setup_teardown(statistics_know_it, begin_bright, end),
        cmocka_unit_test_setup_teardown(the_table_of_the_documentation_knows_it, begin_bright, end),
        cmocka_unit_test_setup_teardown(what_a_worker_has_filled_nobody_changes, begin_bright, end),
        cmocka_unit_test(a_class_without_data_or_a_second_one_of_its_name_is_refused),
    };
    return cmocka_run_group_tests_name("detect_trial", tests, load_picture, free_picture);
}

/* This program is its own worker program, too. */
int main(int argc, char **argv)
{
    static char self[4096];
    const ob_worker_program program = {
        .profile = OB_PROFILE_WORKER, .hash = ob_media_hash, .fill = render};
    if (argc == 2 && *argv[1] >= '0' && *argv[1] <= '9')
        return ob_worker_serve(argv, &program);
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    worker_program = self;
    return all_tests();
}
