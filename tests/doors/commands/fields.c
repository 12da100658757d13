/* What a service's request is held against: path, query, head and body by the row. */
#include "test.h"

#include <obhut/commands.h>

#include <stdio.h>

/* `word`: what stands in the path for its field; NULL: it has none. */
static ob_status check(const char *command, ob_request *r, const char *word, const char **code,
                       ob_error *err)
{
    char path[400];
    const ob_command *c = ob_command_find(command);
    const char *brace = strchr(c->path, '{');
    snprintf(path, sizeof path, "%.*s%s%s", (int)strcspn(c->path, "{"), c->path, word ? word : "",
             brace ? brace + strcspn(brace, "}") + 1 : "");
    *code = NULL;
    *err = (ob_error){0};
    r->path = path;
    return ob_command_check_head(code, c, r, err);
}

typedef struct head_case {
    const char *command;
    ob_field query[3];
    const char *word, *named; /* in the path; Idempotency-Key */
    const char *code, *says;  /* NULL: it is fine */
} head_case;

static char long_text[300];

static void a_head_is_what_the_row_says_or_a_problem_with_its_code(void **state)
{
    (void)state;
    memset(long_text, 'x', 257);
    const head_case cases[] = {
        {"file.scan", {{"surface", "public"}}, NULL, NULL, NULL, NULL},
        {"file.scan", {{"surface", "public"}, {"account", "\xFF\xFE"}}, NULL, "", NULL, NULL},
        {"file.scan", {{0}}, NULL, NULL, "SURFACE", "\"surface\" is needed"},
        {"file.scan", {{"surface", "Public"}}, NULL, NULL, "SURFACE", "one of direct|group"},
        {"file.scan", {{"surface", ""}}, NULL, NULL, "SURFACE", "one of"},
        {"file.scan", {{"surface", "public"}, {"account", ""}}, NULL, NULL, "ACCOUNT", "1 to 256"},
        {"file.scan", {{"surface", "public"}, {"item", long_text}}, NULL, NULL, "ITEM", "256"},
        {"file.scan", {{"surface", "public"}}, NULL, long_text, "ITEM", "Idempotency-Key"},
        {"file.scan", {{"surface", "public"}, {"report", "0"}}, NULL, NULL, "REPORT", "from 1"},
        {"file.scan", {{"surface", "public"}, {"report", "+1"}}, NULL, NULL, "REPORT", "number"},
        {"file.scan", {{"surface", "public"}, {"report", "07"}}, NULL, NULL, "REPORT", "number"},
        {"file.scan", {{"surface", "public"}, {"report", "7"}}, NULL, NULL, NULL, NULL},
        {"file.scan",
         {{"surface", "public"}, {"notice", "99999999999999999999"}},
         NULL,
         NULL,
         "NOTICE",
         "number"},
        {"file.scan",
         {{"surface", "public"}, {"basis", "consent"}},
         NULL,
         NULL,
         "UNKNOWN_FIELD",
         "\"basis\" is no field"},
        {"file.scan", {{"surface", "public"}, {"file", "x"}}, NULL, NULL, "UNKNOWN_FIELD", "file"},
        {"file.scan",
         {{"surface", "public"}, {"surface", "public"}},
         NULL,
         NULL,
         "FIELD_TWICE",
         "said twice"},
        {"hash.match", {{"surface", "public"}, {"limit", "1"}}, NULL, NULL, "UNKNOWN_FIELD", ""},
        {"situation.explain", {{"at", "2028-04-03T20:00:00Z"}}, NULL, NULL, NULL, NULL},
        {"situation.explain", {{"at", "2028-04-03"}}, NULL, NULL, NULL, NULL},
        {"situation.explain", {{"at", "soon"}}, NULL, NULL, "INVALID", "a time"},
        {"situation.explain", {{"what_if", "1"}}, NULL, NULL, "INVALID", "true or false"},
        {"members.set", {{0}}, "room", "key", NULL, NULL},
        {"members.set", {{0}}, long_text, NULL, "INVALID", "\"id\""},
        {"members.set", {{0}}, "", NULL, "INVALID", "\"id\""},
        {"members.set", {{"free", "true"}}, "room", NULL, "UNKNOWN_FIELD", "free"},
        {"consents.withdraw", {{0}}, "a", long_text, "INVALID", "Idempotency-Key"},
        {"page", {{"lang", "fr"}}, NULL, NULL, NULL, NULL},
        {"page", {{"x", ""}}, NULL, NULL, "UNKNOWN_FIELD", "x"},
        {"ready", {{"x", ""}}, NULL, NULL, NULL, NULL},
        {"metrics", {{"x", "1"}, {"x", "2"}}, NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const head_case *c = &cases[i];
        const ob_field named = {"Idempotency-Key", c->named};
        ob_request r = {.query = c->query, .headers = &named, .header_count = c->named ? 1 : 0};
        const char *code;
        ob_error err;
        while (r.query_count < 3 && c->query[r.query_count].name)
            r.query_count++;
        const ob_status status = check(c->command, &r, c->word, &code, &err);
        if (!status != !c->code)
            fail_msg("case %zu, %s: %d %s", i, c->command, (int)status, err.text);
        if (status && (strcmp(code, c->code) || !strstr(err.text, c->says)))
            fail_msg("case %zu, %s: %s: %s", i, c->command, code, err.text);
    }
}

static void a_body_is_what_the_row_says_down_to_its_last_member(void **state)
{
    (void)state;
    static const struct {
        const char *command, *body, *says; /* NULL: it is fine */
    } cases[] = {
        {"members.set", "{\"members\":[]}", NULL},
        {"members.set", "{\"members\":[{\"account\":\"a\",\"consents\":true}],\"free\":true}",
         NULL},
        {"members.set", "{\"members\":[{\"account\":\"a\"},{\"consents\":true}]}",
         "\"members\", 1: \"account\" is needed"},
        {"members.set", "{\"members\":[{\"account\":\"a\",\"since\":1}]}",
         "\"members\", 0: \"since\" is no field"},
        {"members.set", "{\"members\":[1]}", "\"members\", 0: no JSON object"},
        {"members.set", "{\"members\":[],\"protected\":\"maybe\"}", "one of yes|no|unknown"},
        {"members.set", "{\"members\":[],\"id\":\"x\"}", "\"id\" is no field"},
        {"members.set", "{}", "\"members\" is needed"},
        {"members.set", "[]", "no JSON object"},
        {"notice.add", "{\"items\":[\"i\"],\"reason\":\"x\"}", NULL},
        {"notice.add", "{\"items\":[\"i\",\"\"],\"reason\":\"x\"}",
         "\"items\", 1: a text of 1 to 256"},
        {"notice.add", "{\"items\":[],\"reason\":\"x\"}", "a list of 1 to 1000"},
        {"notice.add", "{\"items\":[\"i\"],\"reason\":\"\"}", "\"reason\" must be"},
        {"notice.add", "{\"items\":[\"i\"],\"reason\":\"x\",\"Idempotency-Key\":\"k\"}",
         "is no field"},
        {"hash.match", "{\"query\":\"x\",\"limit\":0}", "\"limit\""},
        {"hash.match", "{\"queries\":[\"x\",7]}", "\"queries\", 1: a text"},
        {"hash.match", "{\"query\":\"x\",\"surface\":\"public\"}", "\"surface\" is no field"},
        {"situation.explain", "3", NULL},
        {"situation.explain", "[{},{}]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_error err = {0};
        json_t *body = json_loads(cases[i].body, JSON_DECODE_ANY, NULL);
        assert_non_null(body);
        const ob_status status =
            ob_command_check_body(ob_command_find(cases[i].command), body, &err);
        json_decref(body);
        if (!status != !cases[i].says || (status && !strstr(err.text, cases[i].says)))
            fail_msg("%s %s: %d %s", cases[i].command, cases[i].body, (int)status, err.text);
    }
}

static void a_number_in_a_query_has_digits_and_nothing_before_them(void **state)
{
    static const ob_command_field fields[] = {
        {.name = "n", .kind = OB_FIELD_NUMBER, .least = -20, .most = 20, .where = OB_IN_QUERY},
        {.name = "any",
         .kind = OB_FIELD_NUMBER,
         .least = INT64_MIN,
         .most = INT64_MAX,
         .where = OB_IN_QUERY},
        {0},
    };
    static const ob_command command = {.name = "test.numbers", .takes = fields};
    static const struct {
        const char *name, *text;
        bool fits;
    } cases[] = {
        {"n", "0", true},
        {"n", "7", true},
        {"n", "-20", true},
        {"n", "20", true},
        {"n", "21", false},
        {"n", "-21", false},
        {"n", "", false},
        {"n", "-", false},
        {"n", "-0", false},
        {"n", "00", false},
        {"n", "07", false},
        {"n", "+7", false},
        {"n", " 7", false},
        {"n", "7 ", false},
        {"n", "7.0", false},
        {"n", "0x7", false},
        {"n", "--7", false},
        {"n", "seven", false},
        {"any", "9223372036854775807", true},
        {"any", "-9223372036854775808", true},
        {"any", "9223372036854775808", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ob_field query = {cases[i].name, cases[i].text};
        const ob_request r = {.query = &query, .query_count = 1};
        const char *code;
        ob_error err = {0};
        const ob_status status = ob_command_check_head(&code, &command, &r, &err);
        if (!status != cases[i].fits)
            fail_msg("%s=%s: %d %s", cases[i].name, cases[i].text, (int)status, err.text);
    }
}

static void a_field_stands_in_one_place(void **state)
{
    (void)state;
    static const struct {
        const char *command, *field;
        ob_field_where where;
    } cases[] = {
        {"file.scan", "surface", OB_IN_QUERY},     {"file.scan", "file", OB_IS_BODY},
        {"members.set", "id", OB_IN_PATH},         {"members.set", "members", OB_IN_BODY},
        {"report.add", "reason", OB_IN_BODY},      {"report.add", "Idempotency-Key", OB_IN_HEAD},
        {"report.ls", "notices", OB_IN_QUERY},     {"report.remove", "report", OB_IN_PATH},
        {"report.remove", "notices", OB_IN_QUERY}, {"verdict.add", "account", OB_IN_BODY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ob_command *c = ob_command_find(cases[i].command);
        const ob_command_field *f = ob_command_field_find(c->takes, cases[i].field);
        assert_non_null(f);
        if (ob_command_where(c, f) != cases[i].where)
            fail_msg("%s, %s", cases[i].command, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_what_the_row_says_or_a_problem_with_its_code),
        cmocka_unit_test(a_body_is_what_the_row_says_down_to_its_last_member),
        cmocka_unit_test(a_number_in_a_query_has_digits_and_nothing_before_them),
        cmocka_unit_test(a_field_stands_in_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
