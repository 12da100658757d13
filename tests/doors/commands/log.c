/* What the log is told of a request and of its answer: what the row says of each field. */
#include "asking.h"

#include "commands_priv.h"

static const ob_command_field takes[] = {
    {.name = "secret", .kind = OB_FIELD_TEXT, .logged = OB_LOGGED_NEVER},
    {.name = "word", .kind = OB_FIELD_TEXT, .logged = OB_LOGGED_PLAIN},
    {.name = "number", .kind = OB_FIELD_NUMBER, .logged = OB_LOGGED_PLAIN},
    {.name = "so", .kind = OB_FIELD_TRUTH, .logged = OB_LOGGED_PLAIN},
    {.name = "words", .kind = OB_FIELD_WORDS, .logged = OB_LOGGED_PLAIN},
    {.name = "reason",
     .kind = OB_FIELD_TEXT,
     .logged = OB_LOGGED_CODE}, /* before whom it is about */
    {.name = "account", .kind = OB_FIELD_TEXT, .logged = OB_LOGGED_ABOUT},
    {.name = "person", .kind = OB_FIELD_TEXT, .logged = OB_LOGGED_PERSON},
    {0},
};
static const ob_command_field gives[] = {
    {.name = "id", .kind = OB_FIELD_NUMBER, .logged = OB_LOGGED_PLAIN},
    {.name = "state", .kind = OB_FIELD_TEXT, .logged = OB_LOGGED_PLAIN},
    {.name = "word", .kind = OB_FIELD_TEXT, .logged = OB_LOGGED_PLAIN},
    {.name = "token", .kind = OB_FIELD_TEXT, .logged = OB_LOGGED_NEVER},
    {0},
};
static const ob_command command = {.name = "test.log", .takes = takes, .gives = gives};

typedef struct said {
    const json_t *request, *answer;
} said;

static ob_status say(ob_act *act, void *context, ob_error *err)
{
    const said *s = context;
    (void)err;
    commands_log_request(act, s->request, &command);
    if (s->answer)
        commands_log_answer(act, s->request, s->answer, &command);
    return OB_OK;
}

/* Takes both; the caller frees the entry. */
static ob_entry *told(memory_place *p, json_t *request, json_t *answer)
{
    said s = {request, answer};
    const ob_actor operator= {NULL};
    assert_non_null(request);
    MUST(ob_acts_do(NULL, p->acts, "test.log", &operator, say, &s, &err_));
    json_decref(request);
    json_decref(answer);
    return last(p, "test.log");
}

static void each_field_is_told_as_its_rule_says(void **state)
{
    memory_place *p = *state;
    ob_entry *e = told(p,
                       json_pack("{s:s, s:s, s:i, s:b, s:[s, s], s:s, s:s, s:s}", "secret", "abc",
                                 "word", "eu-dsa", "number", 7, "so", 1, "words", "scan", "match",
                                 "reason", "in my own words", "account", "zed", "person", "ada"),
                       NULL);
    assert_false(ob_entry_has(e, "secret") || ob_entry_has(e, "account"));
    assert_string_equal(ob_entry_get_text(e, "word"), "eu-dsa");
    assert_int_equal(ob_entry_get_number(e, "number"), 7);
    assert_true(ob_entry_is(e, "so"));
    assert_int_equal(ob_entry_list_size(e, "words"), 2);
    assert_non_null(strstr(ob_entry_get_text(e, "about"), "account:"));
    assert_non_null(strstr(ob_entry_get_text(e, "person"), "person:"));
    assert_int_equal(strlen(ob_entry_get_text(e, "reason")), 2 * OB_MAC_SIZE);
    ob_entry_free(e);
}

/* A name has no blanks: what has is somebody's own words, whatever the row says. */
static void what_is_no_word_is_not_told_as_one(void **state)
{
    memory_place *p = *state;
    char long_word[200];
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    ob_entry *e = told(
        p, json_pack("{s:s, s:[s, s], s:[]}", "word", "two words", "words", "scan", "a b", "so"),
        NULL);
    assert_false(ob_entry_has(e, "word") || ob_entry_has(e, "words"));
    ob_entry_free(e);
    e = told(p, json_pack("{s:s}", "word", long_word), NULL);
    assert_false(ob_entry_has(e, "word"));
    ob_entry_free(e);
}

static void an_answer_tells_what_the_request_has_not(void **state)
{
    memory_place *p = *state;
    ob_entry *e = told(p, json_pack("{s:s, s:s}", "word", "mine", "reason", "why"),
                       json_pack("{s:i, s:s, s:s, s:s}", "id", 4, "state", "on", "word", "theirs",
                                 "token", "abc"));
    assert_int_equal(ob_entry_get_number(e, "id"), 4);
    assert_string_equal(ob_entry_get_text(e, "state"), "on");
    assert_string_equal(ob_entry_get_text(e, "word"), "mine");
    assert_false(ob_entry_has(e, "token"));
    assert_int_equal(strlen(ob_entry_get_text(e, "reason")), 2 * OB_MAC_SIZE); /* about nobody */
    ob_entry_free(e);
}

static void how_a_deed_ended_is_words_and_numbers_of_its_answer(void **state)
{
    (void)state;
    json_t *answer = json_pack("{s:i, s:s, s:s}", "id", 4, "state", "two words", "token", "abc");
    ob_entry *e = commands_log_done(answer, &command);
    assert_int_equal(ob_entry_get_number(e, "id"), 4);
    assert_false(ob_entry_has(e, "state") || ob_entry_has(e, "token"));
    ob_entry_free(e);
    json_decref(answer);
    e = commands_log_done(NULL, &command); /* it failed */
    assert_false(ob_entry_failed(e) || ob_entry_has(e, "id"));
    ob_entry_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(each_field_is_told_as_its_rule_says),
        IN_MEMORY(what_is_no_word_is_not_told_as_one),
        IN_MEMORY(an_answer_tells_what_the_request_has_not),
        cmocka_unit_test(how_a_deed_ended_is_words_and_numbers_of_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
