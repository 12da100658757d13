/* What a request is held against: the row of its command. And what all rows have in common. */
#include "test.h"

#include <obhut/commands.h>
#include <obhut/gate.h>
#include <obhut/staff.h>

/* ---- Requests -------------------------------------------------------------------------------- */

static const ob_command_field inner[] = {
    {.name = "who", .kind = OB_FIELD_TEXT, .least = 1, .most = 4, .is_needed = true, .about = "w"},
    {.name = "so", .kind = OB_FIELD_TRUTH, .about = "s"},
    {0},
};
static const ob_command_field all_kinds[] = {
    {.name = "text", .kind = OB_FIELD_TEXT, .least = 2, .most = 4, .about = "t"},
    {.name = "word", .kind = OB_FIELD_WORD, .words = "one|two", .about = "w"},
    {.name = "words",
     .kind = OB_FIELD_WORDS,
     .least = 1,
     .most = 3,
     .each = OB_FIELD_WORD_MOST,
     .about = "ws"},
    {.name = "set",
     .kind = OB_FIELD_WORDS,
     .least = 1,
     .most = 3,
     .each = OB_FIELD_WORD_MOST,
     .words = "one|two",
     .about = "s"},
    {.name = "number", .kind = OB_FIELD_NUMBER, .least = -1, .most = 30, .about = "n"},
    {.name = "large", .kind = OB_FIELD_NUMBER, .least = 1, .most = INT64_MAX, .about = "l"},
    {.name = "truth", .kind = OB_FIELD_TRUTH, .about = "tr"},
    {.name = "time", .kind = OB_FIELD_TIME, .about = "ti"},
    {.name = "object", .kind = OB_FIELD_OBJECT, .about = "o"},
    {.name = "file", .kind = OB_FIELD_FILE, .about = "f"},
    {.name = "document", .kind = OB_FIELD_DOCUMENT, .about = "d"},
    {.name = "places", .kind = OB_FIELD_PLACES, .about = "p"},
    {.name = "list", .kind = OB_FIELD_LIST, .most = 2, .fields = inner, .about = "li"},
    {.name = "any", .kind = OB_FIELD_ANY, .most = 1, .about = "a"},
    {.name = "here", .kind = OB_FIELD_TEXT, .least = 1, .most = 4, .is_local = true, .about = "h"},
    {0},
};
static const ob_command every_kind = {.name = "test.kinds", .takes = all_kinds};

static ob_status check(const ob_command *command, json_t *request, bool has_file, ob_error *err)
{
    assert_non_null(request);
    *err = (ob_error){0};
    ob_status status = ob_command_check(command, request, has_file, err);
    json_decref(request);
    return status;
}

static json_t *words(size_t count, size_t size)
{
    char word[OB_FIELD_WORD_MOST + 2] = "";
    json_t *array = json_array();
    memset(word, 'a', size);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(word));
    return array;
}

static json_t *text_of(size_t size)
{
    char *bytes = calloc(1, size + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    json_t *text = json_stringn(bytes, size);
    free(bytes);
    return text;
}

static void a_value_is_of_its_kind_and_within_its_bounds(void **state)
{
    (void)state;
    const char digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const struct {
        const char *field;
        bool fits;
        json_t *value;
    } cases[] = {
        {"text", true, json_string("ab")},
        {"text", true, json_string("abcd")},
        {"text", true, json_string("äö")}, /* bytes, not characters */
        {"text", false, json_string("a")},
        {"text", false, json_string("abcde")},
        {"text", false, json_string("äöü")},
        {"text", false, json_stringn("a\0c", 3)},
        {"text", false, json_integer(12)},
        {"text", false, json_null()},
        {"word", true, json_string("one")},
        {"word", true, json_string("two")},
        {"word", false, json_string("")},
        {"word", false, json_string("on")},
        {"word", false, json_string("ones")},
        {"word", false, json_string("one|two")},
        {"word", false, json_string("three")},
        {"word", false, json_stringn("one\0x", 5)},
        {"word", false, json_true()},
        {"words", true, words(1, 1)},
        {"words", true, words(3, OB_FIELD_WORD_MOST)},
        {"words", false, words(0, 1)},
        {"words", false, words(4, 1)},
        {"words", false, words(1, OB_FIELD_WORD_MOST + 1)},
        {"words", false, words(1, 0)},
        {"words", false, json_pack("[i]", 1)},
        {"words", false, json_string("a,b")},
        {"set", true, json_pack("[s, s]", "two", "one")},
        {"set", false, json_pack("[s, s]", "two", "three")},
        {"set", false, json_pack("[s]", "one|two")},
        {"number", true, json_integer(-1)},
        {"number", true, json_integer(30)},
        {"number", false, json_integer(-2)},
        {"number", false, json_integer(31)},
        {"number", false, json_real(1.0)},
        {"number", false, json_string("1")},
        {"large", true, json_integer(INT64_MAX)},
        {"large", false, json_integer(0)},
        {"large", false, json_integer(INT64_MIN)},
        {"truth", true, json_true()},
        {"truth", true, json_false()},
        {"truth", false, json_integer(1)},
        {"truth", false, json_string("true")},
        {"time", true, json_string("2027-01-31")},
        {"time", true, json_string("2026-11-25T10:00:00Z")},
        {"time", false, json_string("2027-13-31")},
        {"time", false, json_string("2027-01-31 ")},
        {"time", false, json_string("2026-11-25T10:00:00Zx")},
        {"time", false, json_string("")},
        {"time", false, json_stringn("2027-01-31\0T", 12)},
        {"time", false, json_integer(1700000000)},
        {"object", true, json_object()},
        {"object", false, json_array()},
        {"object", false, json_string("{}")},
        {"file", true, json_string("")},
        {"file", true, text_of(4096)},
        {"file", false, text_of(4097)},
        {"document", true, json_string(digits)},
        {"document", false, json_stringn(digits, 63)},
        {"document", false,
         json_string("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")},
        {"document", false, json_string("document.pdf")},
        {"places", true, json_array()},
        {"places", true, json_pack("[s, s]", "a", "b")},
        {"places", false, json_pack("[s]", "")},
        {"places", false, json_pack("[n]")},
        {"list", true, json_array()},
        {"list", true, json_pack("[{s:s}, {s:s, s:b}]", "who", "a", "who", "b", "so", 1)},
        {"list", false, json_pack("[{}, {}, {}]")},
        {"list", false, json_object()},
        {"any", true, json_integer(1)},
        {"any", true, json_pack("[n]")},
        {"any", false, json_pack("[n, n]")},
    };
    ob_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char named[40];
        json_t *request =
            json_pack("{s:s, s:o}", "do", "test.kinds", cases[i].field, cases[i].value);
        ob_status status = check(&every_kind, request, false, &err);
        if ((status == OB_OK) != cases[i].fits)
            fail_msg("case %zu, %s: %s", i, cases[i].field, err.text);
        snprintf(named, sizeof named, "\"%s\"", cases[i].field);
        if (status && (status != OB_EINVAL || !strstr(err.text, named)))
            fail_msg("case %zu: %d %s", i, (int)status, err.text);
    }
}

static void what_is_no_field_is_refused_by_name(void **state)
{
    (void)state;
    ob_error err;
    assert_int_equal(
        check(&every_kind, json_pack("{s:s, s:s}", "do", "x", "person_token", "y"), false, &err),
        OB_OK);
    assert_int_equal(check(&every_kind, json_pack("{s:i}", "unknown", 1), false, &err), OB_EINVAL);
    assert_non_null(strstr(err.text, "\"unknown\" is no field of \"test.kinds\""));
    assert_int_equal(check(&every_kind, json_pack("{s:s}", "here", "x"), false, &err), OB_EINVAL);
    assert_non_null(strstr(err.text, "\"here\" is no field"));
    const ob_command nothing = {.name = "test.nothing"};
    assert_int_equal(check(&nothing, json_object(), false, &err), OB_OK);
    assert_int_equal(check(&nothing, json_pack("{s:i}", "a", 1), false, &err), OB_EINVAL);
}

static void what_is_needed_is_needed_by_name_and_a_file_may_stand_for_it(void **state)
{
    (void)state;
    static const ob_command_field fields[] = {
        {.name = "n",
         .kind = OB_FIELD_NUMBER,
         .least = 1,
         .most = 9,
         .is_needed = true,
         .about = "how many"},
        {.name = "document", .kind = OB_FIELD_DOCUMENT, .is_needed = true, .about = "which"},
        {.name = "here", .kind = OB_FIELD_TEXT, .is_needed = true, .is_local = true, .about = "h"},
        {0},
    };
    const ob_command command = {.name = "test.needs", .takes = fields};
    ob_error err;
    assert_int_equal(check(&command, json_object(), true, &err), OB_EINVAL);
    assert_string_equal(err.text, "\"n\" is needed: a number from 1 to 9 (how many)");
    assert_int_equal(check(&command, json_pack("{s:i}", "n", 1), false, &err), OB_EINVAL);
    assert_string_equal(err.text, "\"document\" is needed: a document (which)");
    assert_int_equal(check(&command, json_pack("{s:i}", "n", 1), true, &err), OB_OK);
}

static void a_file_goes_only_with_what_takes_one(void **state)
{
    (void)state;
    const ob_command nothing = {.name = "test.nothing"};
    ob_error err;
    assert_int_equal(check(&nothing, json_object(), true, &err), OB_EINVAL);
    assert_string_equal(err.text, "no file goes with \"test.nothing\"");
    assert_int_equal(check(&every_kind, json_object(), true, &err), OB_OK);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void rows_have_names_of_their_own_and_are_found_by_them(void **state)
{
    (void)state;
    const ob_command *c, *other;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++) {
        assert_ptr_equal(ob_command_find(c->name), c);
        for (size_t k = 0; k < i; k++) {
            other = ob_command_at(k);
            if (c->path && other->path && !strcmp(c->path, other->path) &&
                !strcmp(c->method, other->method))
                fail_msg("%s and %s have the same method and path", c->name, other->name);
        }
    }
    assert_null(ob_command_find("nix"));
}

static void check_fields(const ob_command *c, const ob_command_field *fields, bool taken)
{
    for (const ob_command_field *f = fields; f && f->name; f++) {
        if (!f->about || !*f->about || !f->kind || !f->logged)
            fail_msg("%s, %s: no sentence, kind or rule for the log", c->name, f->name);
        assert_ptr_equal(ob_command_field_find(fields, f->name), f); /* once */
        if (f->least > f->most && f->most)
            fail_msg("%s, %s: its bounds", c->name, f->name);
        if (f->kind == OB_FIELD_WORD && (!f->words || !strchr(f->words, '|')))
            fail_msg("%s, %s: a choice has words", c->name, f->name);
        if (taken && f->kind == OB_FIELD_LIST && !f->fields)
            fail_msg("%s, %s: what its objects have is not said", c->name, f->name);
        if (f->kind == OB_FIELD_WORDS && taken && f->each < 1)
            fail_msg("%s, %s: how long each may be", c->name, f->name);
        check_fields(c, f->fields, taken);
    }
}

static void every_row_and_field_says_what_it_is(void **state)
{
    (void)state;
    const ob_command *c;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++) {
        if (!c->about || !*c->about || !c->effect || !c->places)
            fail_msg("%s: no sentence, effect or place", c->name);
        if (!c->run != (c->places == OB_AT_SHELL || c->begin))
            fail_msg("%s: the command line does alone what has no function", c->name);
        check_fields(c, c->takes, true);
        check_fields(c, c->gives, false);
        const bool shows = c->effect == OB_EFFECT_SHOWS || c->effect == OB_EFFECT_READS;
        if (shows && c->path && c->run && !c->gives)
            fail_msg("%s: what it shows", c->name);
        if (!c->begin != !c->answers)
            fail_msg("%s: what services ask says how it is answered", c->name);
    }
}

static void persons_and_roles_go_together(void **state)
{
    (void)state;
    const uint32_t known = (UINT32_C(1) << OB_ROLES) - 1;
    const ob_command *c;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++) {
        const bool two = c->persons == OB_PERSONS_TWO || c->persons == OB_PERSONS_PROPOSED;
        if ((c->roles | c->agree) & ~known || two != (c->agree != 0) || (two && !c->roles))
            fail_msg("%s: roles %#x, who agrees %#x", c->name, c->roles, c->agree);
        if (c->persons == OB_PERSONS_NONE && c->roles)
            fail_msg("%s: whoever is an operator may, a person of some roles only", c->name);
    }
}

static void check_path(const ob_command *c)
{
    for (const char *at = c->path; (at = strchr(at, '{')) != NULL; at++) {
        char name[OB_FIELD_WORD_MOST] = "";
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        const ob_command_field *f = ob_command_field_find(c->takes, name);
        if (!f || !f->is_needed || f->is_local)
            fail_msg("%s: {%s} of its path is no field that is needed", c->name, name);
    }
}

static void a_path_is_made_of_fields_and_has_a_method_and_a_place(void **state)
{
    (void)state;
    const uint32_t web = OB_AT_STAFF | OB_AT_SERVICES | OB_AT_PUBLIC;
    const ob_command *c;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++) {
        if (!c->path != !c->method || !c->path != !(c->places & web))
            fail_msg("%s: path, method and place go together", c->name);
        if (!c->path)
            continue;
        if (strcmp(c->method, "GET") && strcmp(c->method, "POST") && strcmp(c->method, "DELETE") &&
            strcmp(c->method, "PUT"))
            fail_msg("%s: %s", c->name, c->method);
        const bool looks = c->effect == OB_EFFECT_SHOWS || c->effect == OB_EFFECT_READS;
        if (!strcmp(c->method, "GET") && !looks)
            fail_msg("%s: GET changes nothing", c->name);
        check_path(c);
    }
}

static void every_command_is_of_a_group_and_every_group_has_one(void **state)
{
    (void)state;
    const ob_command *c;
    const ob_command_group *g;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++) {
        int groups = 0;
        for (size_t k = 0; (g = ob_command_group_at(k)) != NULL; k++)
            groups += ob_command_is_of(c, g->name);
        if (groups != 1 && !c->is_inner)
            fail_msg("%s is of %d groups", c->name, groups);
    }
    for (size_t k = 0; (g = ob_command_group_at(k)) != NULL; k++) {
        size_t commands = 0;
        for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++)
            commands += ob_command_is_of(c, g->name);
        if (!commands || !g->about || !g->examples[0])
            fail_msg("the group %s has no command, sentence or example", g->name);
    }
}

static void all_of_it_is_said_as_json(void **state)
{
    (void)state;
    size_t i, rows = 0;
    json_t *all = ob_commands_json(), *one;
    assert_non_null(all);
    json_array_foreach(json_object_get(all, "commands"), i, one)
    {
        const ob_command *c = ob_command_at(i);
        assert_non_null(c);
        assert_string_equal(json_string_value(json_object_get(one, "name")), c->name);
        size_t fields = 0;
        while (c->takes && c->takes[fields].name)
            fields++;
        assert_int_equal(json_array_size(json_object_get(one, "takes")), fields);
        rows++;
    }
    assert_null(ob_command_at(rows));
    assert_true(rows > 60);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_of_its_kind_and_within_its_bounds),
        cmocka_unit_test(what_is_no_field_is_refused_by_name),
        cmocka_unit_test(what_is_needed_is_needed_by_name_and_a_file_may_stand_for_it),
        cmocka_unit_test(a_file_goes_only_with_what_takes_one),
        cmocka_unit_test(rows_have_names_of_their_own_and_are_found_by_them),
        cmocka_unit_test(every_row_and_field_says_what_it_is),
        cmocka_unit_test(persons_and_roles_go_together),
        cmocka_unit_test(a_path_is_made_of_fields_and_has_a_method_and_a_place),
        cmocka_unit_test(every_command_is_of_a_group_and_every_group_has_one),
        cmocka_unit_test(all_of_it_is_said_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
