/* Lines of lists: what is an entry, what is not, and how it is said. */
#include "test.h"

#include "listfile_priv.h"

#include <unistd.h>

#define A "2d2f1af3a856c529679ca3d6526fa836d4196c81c6dd04de0a26f855fc99b724"
#define B "707368344de303c3da3ac91d068e84e331e2be6d5d2da8b449e25cd3bee9ac9a"

static reader *read_text(const void *bytes, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    rewind(file);
    int copy = dup(fileno(file));
    lseek(copy, 0, SEEK_SET);
    fclose(file);
    reader *r = NULL;
    assert_int_equal(reader_new(&r, copy, "a.txt", OB_IMPORT_CHECKED, NULL, NULL), OB_OK);
    return r;
}

/* "ok LINE ID SOURCE CLASS;" or "bad SENTENCE;" for each line. */
static char *summary(const char *bytes, size_t size)
{
    static char out[8192];
    size_t at = 0;
    reader *r = read_text(bytes, size);
    for (bool end = false;;) {
        entry e;
        ob_error err = {0};
        ob_status status = reader_next(&e, &end, r, &err);
        if (!status && end)
            break;
        if (status)
            at += (size_t)snprintf(out + at, sizeof out - at, "bad %s;", err.text);
        else
            at += (size_t)snprintf(out + at, sizeof out - at, "ok %llu %s %s %s%s;",
                                   (unsigned long long)e.line, e.id ? e.id : "-", e.source,
                                   e.classification, e.withdrawn ? " withdrawn" : "");
        assert_true(at < sizeof out - 600);
    }
    out[at] = '\0';
    reader_free(r);
    return out;
}

#define SUMMARY(text) summary(text, sizeof(text) - 1)

static void plain_text_is_one_hash_a_line(void **state)
{
    (void)state;
    assert_string_equal(SUMMARY(A "\n" B "\n"), "ok 1 -  ;ok 2 -  ;");
    assert_string_equal(SUMMARY("\xEF\xBB\xBF# note\r\n\r\n" A "  \r\n" B), "ok 3 -  ;ok 4 -  ;");
    assert_string_equal(SUMMARY(""), "");
    assert_string_equal(SUMMARY("\n\n#\n"), "");
}

static void csv_goes_by_its_header(void **state)
{
    (void)state;
    assert_string_equal(SUMMARY("id,extra,PDQ,source,classification,state\n"
                                "7,x," A ",\"Hot \"\"line\"\"\",\"A1, first\",active\n"
                                ",,\"" B "\",,,withdrawn\n"),
                        "ok 2 7 Hot \"line\" A1, first;ok 3 -   withdrawn;");
    assert_string_equal(SUMMARY("hash\n" A "\n" A ",more\n"), "ok 2 -  ;ok 3 -  ;");
}

static void json_lines_are_objects_of_text(void **state)
{
    (void)state;
    assert_string_equal(SUMMARY("{\"pdq\":\"" A "\",\"id\":\"x-1\",\"score\":7}\n"
                                "{\"hash\":\"" B "\",\"state\":null}\n"),
                        "ok 1 x-1  ;ok 2 -  ;");
}

static void what_is_wrong_is_said_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } bad[] = {
        {A "\nzz\n", "list \"a.txt\", line 2: 2 characters where a hash has 64"},
        {A "\n" A "0\n", "line 2: 65 characters"},
        {"gg" A "\n", "line 1: neither a hash"},
        {"name,value\n", "line 1: neither a hash"},
        {"2d2f1af3a856c529679ca3d6526fa836d4196c81c6dd04de0a26f855fc99b72g\n", "line 1: "},
        {"pdq,id\n" A ",\"open\n", "line 2: a quoted field"},
        {"pdq,id\n" A ",\"x\"y\n", "line 2: something behind"},
        {"pdq,id\n" A ",\x01\n", "control character"},
        {"pdq,id\n" A ",\xFF\n", "not UTF-8"},
        {"pdq,state\n" A ",maybe\n", "state \"maybe\""},
        {"{\"pdq\":7}\n", "line 1: 1 characters where a hash has 64"},
        {"{\"pdq\":7.5}\n", "\"pdq\" is neither text nor a whole number"},
        {"{\"id\":\"x\"}\n", "no hash: neither pdq, md5, sha1, sha256, photodna, tmk nor vpdq"},
        {"{\"pdq\":\"" A "\"\n", "not JSON"},
        {"{}\n[]\n", "not an object"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *got = summary(bad[i].text, strlen(bad[i].text));
        if (!strstr(got, "bad list \"a.txt\", ") || !strstr(got, bad[i].reason))
            fail_msg("%s: %s", bad[i].text, got);
    }
    char nul[] = A "\n....";
    memcpy(nul + 65, "\0abc", 4);
    assert_non_null(strstr(summary(nul, sizeof nul - 1), "a NUL byte"));
}

static void a_line_without_end_is_forgotten_not_kept(void **state)
{
    (void)state;
    size_t size = 20 << 20;
    char *bytes = malloc(size + 100);
    assert_non_null(bytes);
    memset(bytes, 'a', size);
    int more = snprintf(bytes + size, 100, "\n%s\n", A);
    reader *r = read_text(bytes, size + (size_t)more);
    entry e;
    bool end;
    ob_error err = {0};
    assert_int_equal(reader_next(&e, &end, r, &err), OB_EFORMAT);
    assert_non_null(strstr(err.text, "longer than"));
    assert_int_equal(reader_next(&e, &end, r, &err), OB_OK);
    assert_int_equal(e.line, 2);
    assert_int_equal(reader_next(&e, &end, r, &err), OB_OK);
    assert_true(end);
    reader_free(r);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_one_hash_a_line),
        cmocka_unit_test(csv_goes_by_its_header),
        cmocka_unit_test(json_lines_are_objects_of_text),
        cmocka_unit_test(what_is_wrong_is_said_with_file_and_line),
        cmocka_unit_test(a_line_without_end_is_forgotten_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
