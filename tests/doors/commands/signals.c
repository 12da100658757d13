/* What detectors say of a file, as an answer tells it. */
#include "test.h"

#include "services_priv.h"

#include <stdlib.h>

static const ob_detector_class brightness = {.name = "brightness"};
static const ob_detectors detectors = {.of = {[2] = &brightness}};

static void answers(ob_scan *scan, ob_signal *signal, size_t count, const char *expected)
{
    scan->signals.signal = signal;
    scan->signals.count = scan->signals.total = count;
    json_t *answer = ob_services_scan(scan, &detectors, 31);
    char *text = json_dumps(answer, JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(answer);
}

static void what_a_detector_without_a_list_says_has_its_explanation(void **state)
{
    (void)state;
    ob_job_result result = {.status = OB_OK};
    ob_scan scan = {.work.decision.action = OB_ACTION_REVIEW, .file.result = &result};
    ob_signal bright = {.detectors = 1 << 2, .score = 0.5F};
    snprintf(bright.words, sizeof bright.words, "mean brightness 128, more than 100");
    answers(
        &scan, &bright, 1,
        "{\"action\":\"review\",\"basis\":\"none\",\"matches\":[],\"regime\":\"\",\"signals\":[{"
        "\"detectors\":[\"brightness\"],\"explanation\":\"mean brightness 128, more than 100\","
        "\"score\":0.5}],\"took_us\":0,\"total\":1}");
}

static void entries_of_lists_are_matches_and_nothing_else_is_said(void **state)
{
    (void)state;
    static const char *const sources[] = {"Hotline"};
    ob_job_result result = {.status = OB_OK};
    ob_scan scan = {.work.decision.action = OB_ACTION_REVIEW, .file.result = &result};
    ob_signal known = {.detectors = 1,
                       .score = 1,
                       .has_entry = true,
                       .entry = {.list = "known", .entry = "7", .classification = ""},
                       .by_digest = true,
                       .digest = OB_LIST_MD5,
                       .sources = sources,
                       .source_count = 1};
    answers(&scan, &known, 1,
            "{\"action\":\"review\",\"basis\":\"none\",\"matches\":[{\"digest\":\"md5\",\"entry\":"
            "\"7\",\"list\":\"known\",\"sources\":[\"Hotline\"]}],\"regime\":\"\",\"took_us\":0,"
            "\"total\":1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_detector_without_a_list_says_has_its_explanation),
        cmocka_unit_test(entries_of_lists_are_matches_and_nothing_else_is_said),
    };
    return cmocka_run_group_tests_name("commands_signals", tests, NULL, NULL);
}
