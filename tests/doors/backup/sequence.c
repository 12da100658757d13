/* The sequence of files within a backup, and what is refused of it. */
#include "source.h"
#include "test.h"

#include "backup_priv.h"

#include <unistd.h>

#include <obhut/crypto.h>

/* ---- In memory ------------------------------------------------------------------------------- */

static ob_status put(void *context, const void *bytes, size_t size, ob_error *err)
{
    return ob_buf_append(context, bytes, size, err);
}

static void put_raw(ob_buf *to, const char *name, size_t name_size, uint64_t size, uint16_t mode,
                    uint32_t zero)
{
    const uint16_t length = (uint16_t)name_size;
    assert_int_equal(ob_buf_append(to, &size, 8, NULL), OB_OK);
    assert_int_equal(ob_buf_append(to, &mode, 2, NULL), OB_OK);
    assert_int_equal(ob_buf_append(to, &length, 2, NULL), OB_OK);
    assert_int_equal(ob_buf_append(to, &zero, 4, NULL), OB_OK);
    assert_int_equal(ob_buf_append(to, name, name_size, NULL), OB_OK);
}

/* A file whose bytes are its name. */
static void put_file(ob_buf *to, const char *name)
{
    put_raw(to, name, strlen(name), strlen(name), 0600, 0);
    assert_int_equal(ob_buf_append(to, name, strlen(name), NULL), OB_OK);
}

static ob_buf of_names(const char *const *names, size_t count)
{
    ob_buf all = {0};
    for (size_t i = 0; i < count; i++)
        put_file(&all, names[i]);
    return all;
}

static ob_status read_all(const ob_buf *bytes, size_t size, size_t step, ob_error *err)
{
    source from = {bytes->bytes, size, 0, step};
    sequence s = {.get = get, .context = &from};
    bool end = false;
    ob_status status = sequence_next(&end, &s, err);
    while (!status && !end) {
        char text[SEQUENCE_NAME + 1] = "";
        size_t got = 1, used = 0;
        while (!status && got) {
            status = sequence_read(&s, text + used, sizeof text - 1 - used, &got, err);
            used += status ? 0 : got;
        }
        if (!status)
            assert_string_equal(text, s.now.name);
        if (!status)
            status = sequence_next(&end, &s, err);
    }
    return status;
}

static const char *const whole[] = {
    "about",     "keys/api-token", "keys/audit",    "keys/pseudonym", "audit/checkpoints",
    "audit/key", "audit/log",      "lists/a.1.log", "lists/a.obx",    "lists/b.obx.off",
    "records",
};
enum { WHOLE = sizeof whole / sizeof *whole };

/* ---- Tests ----------------------------------------------------------------------------------- */

static void what_was_put_comes_out(void **state)
{
    (void)state;
    ob_buf all = of_names(whole, WHOLE);
    for (size_t step = 1; step < 40; step++)
        assert_int_equal(read_all(&all, all.size, step, NULL), OB_OK);
    ob_buf_free(&all);
    ob_buf head = {0}, raw = {0};
    const sequence_file file = {.name = "keys/audit", .size = 7, .mode = 0400};
    assert_int_equal(sequence_put(&file, put, &head, NULL), OB_OK);
    put_raw(&raw, "keys/audit", 10, 7, 0400, 0);
    assert_int_equal(head.size, raw.size);
    assert_memory_equal(head.bytes, raw.bytes, raw.size);
    ob_buf_free(&head);
    ob_buf_free(&raw);
}

static void a_cut_sequence_is_refused(void **state)
{
    (void)state;
    ob_buf all = of_names(whole, WHOLE);
    for (size_t size = 0; size < all.size; size++) {
        ob_error err = {0};
        assert_int_equal(read_all(&all, size, 1000, &err), OB_EFORMAT);
        assert_true(err.text[0]);
    }
    ob_buf_free(&all);
}

static void any_other_order_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++)
        for (size_t k = i; k < WHOLE; k++) { /* i and k change places; i == k: twice */
            const char *names[WHOLE + 1];
            size_t count = WHOLE;
            memcpy(names, whole, sizeof whole);
            names[i] = whole[k];
            names[k] = whole[i];
            if (i == k) {
                memmove(names + i + 1, names + i, (WHOLE - i) * sizeof *names);
                count++;
            }
            ob_buf all = of_names(names, count);
            assert_int_equal(read_all(&all, all.size, 1000, NULL), OB_EFORMAT);
            ob_buf_free(&all);
        }
}

static void what_must_be_there_is_missed(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        const char *names[WHOLE - 1];
        memcpy(names, whole, i * sizeof *names);
        memcpy(names + i, whole + i + 1, (WHOLE - 1 - i) * sizeof *names);
        bool needed = !strncmp(whole[i], "audit/", 6) || !strcmp(whole[i], "about") ||
                      !strcmp(whole[i], "records");
        ob_buf all = of_names(names, WHOLE - 1);
        assert_int_equal(read_all(&all, all.size, 1000, NULL), needed ? OB_EFORMAT : OB_OK);
        ob_buf_free(&all);
    }
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "../keys/audit",
        "keys",
        "keys/",
        "keys/.",
        "keys/..",
        "keys/../audit/log",
        "keys//audit",
        "keys/a/b",
        "keys/A",
        "keys/.hidden",
        "keys/a b",
        "keys/\xC3\xA4",
        "keys/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "audit/log.1",
        "audit/../about",
        "lists/a",
        "lists/.a.1.tmp",
        "lists/a.obx.on",
        "lists/../x.obx",
        "lists/a/b.obx",
        "lists/a.x.log",
        "run/admin.sock",
        "lock",
        "obhut.db",
        "records/x",
        "about ",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ob_buf all = {0};
        assert_int_equal(sequence_rank(names[i]), RANKS);
        put_file(&all, "about");
        put_file(&all, names[i]);
        assert_int_equal(read_all(&all, all.size, 1000, NULL), OB_EFORMAT);
        ob_buf_free(&all);
    }
    ob_buf all = {0}; /* a NUL within */
    put_file(&all, "about");
    put_raw(&all, "keys/a\0b", 8, 0, 0600, 0);
    assert_int_equal(read_all(&all, all.size, 1000, NULL), OB_EFORMAT);
    ob_buf_free(&all);
}

static void impossible_heads_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t size;
        uint16_t mode;
        uint32_t zero;
    } heads[] = {
        {"keys/a", 0, 0644, 0},
        {"keys/a", 0, 0700, 0},
        {"keys/a", 0, 04600, 0},
        {"keys/a", 0, 0, 0},
        {"keys/a", 0, 0600, 1},
        {"keys/a", SEQUENCE_SMALL + 1, 0600, 0},
        {"lists/a.obx", UINT64_MAX, 0600, 0},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        ob_buf all = {0};
        put_file(&all, "about");
        put_raw(&all, heads[i].name, strlen(heads[i].name), heads[i].size, heads[i].mode,
                heads[i].zero);
        assert_int_equal(read_all(&all, all.size, 1000, NULL), OB_EFORMAT);
        ob_buf_free(&all);
    }
}

/* ---- What it says of itself ------------------------------------------------------------------ */

static ob_status about_of(ob_backup_about *out, const char *text)
{
    ob_buf all = {0};
    put_raw(&all, "about", 5, strlen(text), 0600, 0);
    assert_int_equal(ob_buf_append(&all, text, strlen(text), NULL), OB_OK);
    source from = {all.bytes, all.size, 0, 7};
    sequence s = {.get = get, .context = &from};
    ob_status status = about_read(out, &s, NULL);
    ob_buf_free(&all);
    return status;
}

static void what_it_says_of_itself_comes_out(void **state)
{
    (void)state;
    const ob_backup_about about = {
        .made_at = 1795617935, .program = "0.1.0~rc1+x", .has_lists = true, .audit_entries = 17};
    ob_backup_about again = {0};
    ob_buf text = {0};
    assert_int_equal(about_print(&text, &about, NULL), OB_OK);
    assert_int_equal(about_of(&again, text.bytes), OB_OK);
    assert_int_equal(again.made_at, about.made_at);
    assert_string_equal(again.program, about.program);
    assert_true(again.has_lists);
    assert_int_equal(again.audit_entries, 17);
    ob_buf_free(&text);
}

static void nonsense_of_itself_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ob_status status;
    } cases[] = {
        {"", OB_EFORMAT},
        {"[]", OB_EFORMAT},
        {"{}", OB_EFORMAT},
        {"{\"obhut_backup\":2}", OB_EREFUSED},
        {"{\"obhut_backup\":1}", OB_EFORMAT},
        {"{\"obhut_backup\":1,\"made_at\":1,\"program\":\"\\u001b[31m\",\"lists\":true,"
         "\"audit_entries\":1}",
         OB_EFORMAT},
        {"{\"obhut_backup\":1,\"made_at\":1,\"program\":\"1\",\"lists\":true,"
         "\"audit_entries\":-1}",
         OB_EFORMAT},
        {"{\"obhut_backup\":1,\"made_at\":1,\"program\":"
         "\"1234567890123456789012345678901234567890\",\"lists\":true,\"audit_entries\":1}",
         OB_EFORMAT},
        {"{\"obhut_backup\":1,\"made_at\":1,\"program\":\"1\",\"lists\":true,"
         "\"audit_entries\":1}",
         OB_OK},
    };
    ob_backup_about about;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(about_of(&about, cases[i].text), cases[i].status);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void what_waits_is_unreadable_and_comes_out(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    static const char word[] = "somebody's name ";
    spool s;
    char *bytes = malloc(SIZE), *again = malloc(SIZE + 1), *raw = malloc(2 * SIZE);
    assert_non_null(bytes);
    assert_non_null(again);
    assert_non_null(raw);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = word[i % (sizeof word - 1)];
    assert_int_equal(spool_open(&s, ".", NULL), OB_OK);
    for (size_t at = 0; at < SIZE; at += 1000)
        assert_int_equal(spool_put(&s, bytes + at, 1000, NULL), OB_OK);
    assert_int_equal(spool_turn(&s, NULL), OB_OK);
    ssize_t size = pread(s.file, raw, 2 * SIZE, 0);
    assert_true(size > SIZE);
    assert_null(memmem(raw, (size_t)size, word, 8));
    size_t got = 1, used = 0;
    while (got) {
        assert_int_equal(spool_get(&s, again + used, SIZE + 1 - used, &got, NULL), OB_OK);
        used += got;
    }
    assert_int_equal(used, SIZE);
    assert_memory_equal(again, bytes, SIZE);
    spool_close(&s);
    free(bytes);
    free(again);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_out),
        cmocka_unit_test(a_cut_sequence_is_refused),
        cmocka_unit_test(any_other_order_is_refused),
        cmocka_unit_test(what_must_be_there_is_missed),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(impossible_heads_are_refused),
        cmocka_unit_test(what_it_says_of_itself_comes_out),
        cmocka_unit_test(nonsense_of_itself_is_refused),
        cmocka_unit_test(what_waits_is_unreadable_and_comes_out),
    };
    return ob_crypto_start(NULL) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
