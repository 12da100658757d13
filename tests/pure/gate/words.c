/* Words, instants and facts. */
#include "test.h"

#include "gate_priv.h"

static void every_word_has_a_name_and_is_found_by_it(void **state)
{
    (void)state;
    for (unsigned word = 0; word < OB_WORDS; word++) {
        unsigned count = 0, value;
        for (const char *name; (name = ob_word_name((ob_word)word, count)) != NULL; count++) {
            assert_true(ob_word_parse(&value, (ob_word)word, name));
            assert_int_equal(value, count);
        }
        assert_true(count > 1);
        assert_false(ob_word_parse(&value, (ob_word)word, ""));
        assert_false(ob_word_parse(&value, (ob_word)word, "Nothing"));
    }
}

static void every_reason_speaks_two_languages(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason < OB_REASON_COUNT; reason++) {
        const char *english = ob_reason_text((ob_reason)reason, OB_ENGLISH);
        const char *german = ob_reason_text((ob_reason)reason, OB_GERMAN);
        assert_true(english && german && strlen(english) > 10 && strlen(german) > 10);
        assert_true(strcmp(english, german) != 0);
        assert_true(english[strlen(english) - 1] == '.' && german[strlen(german) - 1] == '.');
    }
}

static void instants_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at;
    } cases[] = {{"1970-01-01T00:00:00Z", 0},          {"2000-02-29T23:59:59Z", 951868799},
                 {"2026-11-02T12:00:00Z", 1793620800}, {"2028-04-03T20:00:00Z", 1838404800},
                 {"2100-03-01T00:00:00Z", 4107542400}, {"9999-12-31T23:59:59Z", 253402300799}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t at = 0;
        char text[OB_TIME_TEXT + 1];
        assert_true(ob_time_parse(&at, cases[i].text));
        assert_int_equal(at, cases[i].at);
        ob_time_print(text, at);
        assert_string_equal(text, cases[i].text);
    }
    test_random r = {5};
    for (int i = 0; i < 20000; i++) {
        int64_t at = (int64_t)test_below(&r, 253402300800), back;
        char text[OB_TIME_TEXT + 1];
        ob_time_print(text, at);
        assert_true(ob_time_parse(&back, text));
        assert_int_equal(at, back);
    }
}

static void what_is_no_instant_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026-11-02",
        "2026-11-02T12:00:00",
        "2026-11-02T12:00:00z",
        "2026-11-02T12:00:00+00:00",
        "2026-11-02T12:00:00.5Z",
        "2026-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T12:60:00Z",
        "2026-01-01T12:00:60Z",
        "1969-12-31T23:59:59Z",
        "2026-1 -02T12:00:00Z",
        "2026-11-02T12:00:00Z ",
        "-026-11-02T12:00:00Z",
        "2026-11-02 12:00:00Z",
    };
    int64_t at = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(ob_time_parse(&at, wrong[i]));
    assert_int_equal(at, 7);
}

static void months_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        unsigned months;
        const char *to;
    } cases[] = {{"2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"},
                 {"2028-01-31T10:00:00Z", 1, "2028-02-29T10:00:00Z"},
                 {"2026-11-30T00:00:00Z", 3, "2027-02-28T00:00:00Z"},
                 {"2026-06-15T12:30:00Z", 24, "2028-06-15T12:30:00Z"},
                 {"2026-06-15T12:30:00Z", 0, "2026-06-15T12:30:00Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t from = 0;
        char text[OB_TIME_TEXT + 1];
        assert_true(ob_time_parse(&from, cases[i].from));
        ob_time_print(text, ob_time_add_months(from, cases[i].months));
        assert_string_equal(text, cases[i].to);
    }
}

/* ---- Facts ----------------------------------------------------------------------------------- */

static const struct told {
    const char *path;
    ob_fact_kind kind;
    const char *text;
    int64_t number;
} whole[] = {
    {"mode", OB_FACT_TEXT, "production", 0},
    {"at", OB_FACT_TEXT, "2026-11-02T12:00:00Z", 0},
    {"regime", OB_FACT_TEXT, "some-law", 0},
    {"service", OB_FACT_OBJECT, NULL, 0},
    {"service.kind", OB_FACT_TEXT, "hosting", 0},
    {"item", OB_FACT_OBJECT, NULL, 0},
    {"item.id", OB_FACT_TEXT, "item-1", 0},
    {"item.account", OB_FACT_TEXT, "acct-1", 0},
    {"item.media", OB_FACT_TEXT, "image", 0},
    {"item.surface", OB_FACT_TEXT, "public", 0},
    {"item.encryption", OB_FACT_TEXT, "transport", 0},
    {"item.locus", OB_FACT_TEXT, "server", 0},
    {"detector", OB_FACT_TEXT, "known", 0},
    {"basis", OB_FACT_TEXT, "public", 0},
    {"conversation", OB_FACT_OBJECT, NULL, 0},
    {"conversation.protected", OB_FACT_TEXT, "no", 0},
    {"detector_health", OB_FACT_OBJECT, NULL, 0},
    {"detector_health.state", OB_FACT_TEXT, "on", 0},
    {"host", OB_FACT_OBJECT, NULL, 0},
    {"host.clock", OB_FACT_TEXT, "ok", 0},
    {"host.audit", OB_FACT_TEXT, "ok", 0},
    {"policy", OB_FACT_OBJECT, NULL, 0},
    {"policy.bases", OB_FACT_ARRAY, NULL, 0},
    {"policy.bases", OB_FACT_TEXT, "public", 0},
    {"policy.detectors", OB_FACT_ARRAY, NULL, 0},
    {"policy.detectors", OB_FACT_TEXT, "known", 0},
    {"policy.surfaces", OB_FACT_ARRAY, NULL, 0},
    {"policy.surfaces", OB_FACT_TEXT, "public", 0},
    {"list", OB_FACT_OBJECT, NULL, 0},
    {"list.trust", OB_FACT_TEXT, "signed", 0},
    {"list.purpose", OB_FACT_TEXT, "csam", 0},
};
enum { WHOLE = sizeof whole / sizeof *whole };

static char memory[4096];

/* Tells everything but number `without`, of which another kind may be told. */
static const char *tell(ob_facts *f, size_t without, const struct told *instead)
{
    ob_facts_begin(f, memory, sizeof memory);
    for (size_t i = 0; i < WHOLE; i++) {
        const struct told *t = i == without ? instead : &whole[i];
        if (t)
            ob_facts_add(f, t->path, t->kind, t->text, t->number);
    }
    ob_facts_end(f);
    return f->situation.incomplete;
}

static bool is_leaf(const struct told *t)
{
    return t->kind != OB_FACT_OBJECT && t->kind != OB_FACT_ARRAY && !strstr(t->path, "policy");
}

static void a_missing_fact_is_named(void **state)
{
    (void)state;
    ob_facts f;
    assert_null(tell(&f, WHOLE, NULL));
    for (size_t i = 0; i < WHOLE; i++)
        if (is_leaf(&whole[i]))
            assert_string_equal(tell(&f, i, NULL), whole[i].path);
}

static void every_fact_that_is_needed_has_a_bit(void **state)
{
    (void)state;
    const ob_facts f = {0};
    assert_true(facts_needed_below() > 0);
    assert_true(facts_needed_below() <= 8 * sizeof f.seen);
}

static void a_fact_of_a_wrong_kind_denies(void **state)
{
    (void)state;
    static const ob_fact_kind kinds[] = {OB_FACT_NUMBER, OB_FACT_TRUE, OB_FACT_OBJECT,
                                         OB_FACT_OTHER};
    ob_facts f;
    for (size_t i = 0; i < WHOLE; i++)
        for (size_t k = 0; is_leaf(&whole[i]) && k < sizeof kinds / sizeof *kinds; k++) {
            const struct told other = {whole[i].path, kinds[k], NULL, 1};
            assert_non_null(tell(&f, i, &other));
        }
}

static void an_unknown_fact_is_named_without_what_could_harm(void **state)
{
    (void)state;
    ob_facts f;
    const struct told other = {"item.colour\x1b[2J<b>", OB_FACT_TEXT, "red", 0};
    ob_facts_begin(&f, memory, sizeof memory);
    for (size_t i = 0; i < WHOLE; i++)
        ob_facts_add(&f, whole[i].path, whole[i].kind, whole[i].text, whole[i].number);
    ob_facts_add(&f, other.path, other.kind, other.text, other.number);
    ob_facts_end(&f);
    assert_string_equal(f.situation.incomplete, "item.colour?????b?");
}

static void texts_beyond_the_memory_deny(void **state)
{
    (void)state;
    ob_facts f;
    char little[16];
    ob_facts_begin(&f, little, sizeof little);
    for (size_t i = 0; i < WHOLE; i++)
        ob_facts_add(&f, whole[i].path, whole[i].kind, whole[i].text, whole[i].number);
    ob_facts_end(&f);
    assert_non_null(f.situation.incomplete);
}

static void only_what_is_of_now_is_operational(void **state)
{
    (void)state;
    for (int r = OB_ALLOWED; r < OB_REASON_COUNT; r++) {
        const char *name = ob_reason_name((ob_reason)r);
        bool of_now = !strcmp(name, "CLOCK") || !strcmp(name, "NO_AUDIT");
        assert_int_equal(ob_reason_is_operational((ob_reason)r), of_now);
        if (of_now) /* neither a law nor anybody else has said no */
            assert_int_equal(ob_reason_ceiling((ob_reason)r), OB_CEILING_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_has_a_name_and_is_found_by_it),
        cmocka_unit_test(every_reason_speaks_two_languages),
        cmocka_unit_test(only_what_is_of_now_is_operational),
        cmocka_unit_test(instants_are_read_and_written),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(months_are_those_of_the_calendar),
        cmocka_unit_test(a_missing_fact_is_named),
        cmocka_unit_test(every_fact_that_is_needed_has_a_bit),
        cmocka_unit_test(a_fact_of_a_wrong_kind_denies),
        cmocka_unit_test(an_unknown_fact_is_named_without_what_could_harm),
        cmocka_unit_test(texts_beyond_the_memory_deny),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
