/* Sealed streams: what was sealed comes out, and nothing else ever does. */
#include "source.h"
#include "test.h"

#include <obhut/crypto.h>
#include <obhut/seal.h>

static const ob_seal_kind kind = {"\x89TST\r\n\x1a", 3, "thing"};

typedef struct pair {
    ob_seal_public public;
    ob_seal_secret secret;
} pair;

static pair new_pair(void)
{
    pair p;
    ob_seal_pair(&p.public, &p.secret);
    return p;
}

/* ---- In memory ------------------------------------------------------------------------------- */

static ob_status put(void *context, const void *bytes, size_t size, ob_error *err)
{
    return ob_buf_append(context, bytes, size, err);
}

static ob_buf seal(const ob_seal_kind *of, const ob_seal_public *to, const uint8_t *bytes,
                   size_t size, size_t step)
{
    ob_buf sealed = {0};
    ob_seal_writer *w = NULL;
    assert_int_equal(ob_seal_begin(&w, of, to, put, &sealed, NULL), OB_OK);
    for (size_t at = 0; at < size; at += step)
        assert_int_equal(ob_seal_add(w, bytes + at, size - at < step ? size - at : step, NULL),
                         OB_OK);
    assert_int_equal(ob_seal_finish(w, NULL), OB_OK);
    ob_seal_drop(w);
    return sealed;
}

/* Everything up to the end or the first error. */
static ob_status unseal(ob_buf *out, const uint8_t *bytes, size_t size,
                        const ob_seal_secret *secret, size_t step, ob_error *err)
{
    source from = {bytes, size, 0, step};
    ob_seal_reader *r = NULL;
    uint8_t piece[5000];
    size_t got = 1;
    ob_status status = ob_unseal_begin(&r, &kind, secret, get, &from, err);
    while (!status && got) {
        status = ob_unseal_read(r, piece, sizeof piece < step ? sizeof piece : step, &got, err);
        if (!status)
            assert_int_equal(ob_buf_append(out, piece, got, NULL), OB_OK);
    }
    if (status && r) /* and it stays so */
        assert_int_equal(ob_unseal_read(r, piece, 1, &got, NULL), status);
    ob_unseal_drop(r);
    return status;
}

static uint8_t *noise(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    ob_random(bytes, size);
    return bytes;
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void what_was_sealed_comes_out(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,
                                   1,
                                   100,
                                   OB_SEAL_PIECE - 1,
                                   OB_SEAL_PIECE,
                                   OB_SEAL_PIECE + 1,
                                   2 * OB_SEAL_PIECE - 1,
                                   2 * OB_SEAL_PIECE,
                                   2 * OB_SEAL_PIECE + 1,
                                   5 * OB_SEAL_PIECE + 17};
    pair own = new_pair();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t step = 7; step <= 1 << 20; step *= 97) {
            uint8_t *bytes = noise(sizes[i]);
            ob_buf sealed = seal(&kind, &own.public, bytes, sizes[i], step), opened = {0};
            size_t pieces = sizes[i] ? (sizes[i] + OB_SEAL_PIECE - 1) / OB_SEAL_PIECE : 1;
            assert_int_equal(sealed.size, OB_SEAL_HEAD + sizes[i] + 17 * pieces);
            ob_error err = {0};
            assert_int_equal(
                unseal(&opened, (uint8_t *)sealed.bytes, sealed.size, &own.secret, step, &err),
                OB_OK);
            assert_int_equal(opened.size, sizes[i]);
            if (sizes[i])
                assert_memory_equal(opened.bytes, bytes, sizes[i]);
            ob_buf_free(&sealed);
            ob_buf_free(&opened);
            free(bytes);
        }
}

static void two_seals_of_the_same_have_nothing_in_common(void **state)
{
    (void)state;
    pair own = new_pair();
    const uint8_t bytes[1000] = {0};
    ob_buf a = seal(&kind, &own.public, bytes, sizeof bytes, 1000);
    ob_buf b = seal(&kind, &own.public, bytes, sizeof bytes, 1000);
    size_t same = 0;
    for (size_t i = OB_SEAL_HEAD; i < a.size; i++)
        same += a.bytes[i] == b.bytes[i];
    assert_true(same < 50); /* 4 are expected */
    ob_buf_free(&a);
    ob_buf_free(&b);
}

/* Nothing that came out before an error is anything but what was sealed. */
static void assert_found(const uint8_t *bytes, size_t size, const uint8_t *plain, size_t plain_size,
                         const ob_seal_secret *secret)
{
    ob_buf opened = {0};
    ob_error err = {0};
    ob_status status = unseal(&opened, bytes, size, secret, 1 << 20, &err);
    assert_true(status == OB_EFORMAT || status == OB_EREFUSED);
    assert_true(err.text[0]);
    assert_true(opened.size <= plain_size);
    if (opened.size)
        assert_memory_equal(opened.bytes, plain, opened.size);
    ob_buf_free(&opened);
}

static void a_flipped_byte_is_found(void **state)
{
    (void)state;
    enum { SIZE = 700 };
    pair own = new_pair();
    uint8_t *bytes = noise(SIZE);
    ob_buf sealed = seal(&kind, &own.public, bytes, SIZE, SIZE);
    for (size_t at = 0; at < sealed.size; at++)
        for (int bit = 0; bit < 8; bit++) {
            sealed.bytes[at] ^= (char)(1 << bit);
            assert_found((uint8_t *)sealed.bytes, sealed.size, bytes, SIZE, &own.secret);
            sealed.bytes[at] ^= (char)(1 << bit);
        }
    ob_buf_free(&sealed);
    free(bytes);
}

static void a_cut_is_found(void **state)
{
    (void)state;
    enum { SIZE = 3 * OB_SEAL_PIECE, FULL = OB_SEAL_PIECE + 17 };
    pair own = new_pair();
    uint8_t *bytes = noise(SIZE);
    ob_buf sealed = seal(&kind, &own.public, bytes, SIZE, SIZE);
    for (size_t size = 0; size < 400; size++)
        assert_found((uint8_t *)sealed.bytes, size, bytes, SIZE, &own.secret);
    for (size_t piece = 1; piece <= 3; piece++) /* around every border of two pieces */
        for (size_t size = OB_SEAL_HEAD + piece * FULL - 20;
             size < OB_SEAL_HEAD + piece * FULL + 20 && size < sealed.size; size++)
            assert_found((uint8_t *)sealed.bytes, size, bytes, SIZE, &own.secret);
    ob_buf_free(&sealed);
    free(bytes);
}

static void pieces_cannot_be_moved_repeated_or_added(void **state)
{
    (void)state;
    enum { SIZE = 3 * OB_SEAL_PIECE, FULL = OB_SEAL_PIECE + 17 };
    pair own = new_pair();
    uint8_t *bytes = noise(SIZE), *changed = malloc(OB_SEAL_HEAD + 4 * FULL);
    assert_non_null(changed);
    ob_buf sealed = seal(&kind, &own.public, bytes, SIZE, SIZE);
    ob_buf other = seal(&kind, &own.public, bytes, SIZE, SIZE);
    static const int orders[][4] = {{1, 0, 2, -1}, {0, 0, 1, 2}, {0, 2, -1, -1},
                                    {0, 1, 2, 2},  {0, 1, 2, 0}, {2, -1, -1, -1}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        size_t size = OB_SEAL_HEAD;
        memcpy(changed, sealed.bytes, OB_SEAL_HEAD);
        for (int k = 0; k < 4 && orders[i][k] >= 0; k++, size += FULL)
            memcpy(changed + size, sealed.bytes + OB_SEAL_HEAD + orders[i][k] * FULL, FULL);
        assert_found(changed, size, bytes, SIZE, &own.secret);
    }
    memcpy(changed, sealed.bytes, sealed.size); /* one byte more */
    changed[sealed.size] = 0;
    assert_found(changed, sealed.size + 1, bytes, SIZE, &own.secret);
    memcpy(changed + OB_SEAL_HEAD, other.bytes + OB_SEAL_HEAD, FULL); /* another stream's */
    assert_found(changed, sealed.size, bytes, SIZE, &own.secret);
    ob_buf_free(&sealed);
    ob_buf_free(&other);
    free(changed);
    free(bytes);
}

static void another_key_kind_or_version_is_named(void **state)
{
    (void)state;
    pair own = new_pair(), other = new_pair();
    const struct {
        ob_seal_kind kind;
        const pair *to;
        ob_status status;
        const char *says;
    } cases[] = {
        {kind, &other, OB_EREFUSED, "another key"},
        {{"\x89TST\r\n\x1a", 4, "thing"}, &own, OB_EREFUSED, "newer version"},
        {{"\x89TST\r\n\x1a", 2, "thing"}, &own, OB_EFORMAT, "makes no sense"},
        {{"\x89TSU\r\n\x1a", 3, "thing"}, &own, OB_EFORMAT, "not a thing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_error err = {0};
        ob_buf opened = {0};
        ob_buf sealed = seal(&cases[i].kind, &cases[i].to->public, (const uint8_t *)"abc", 3, 3);
        assert_int_equal(
            unseal(&opened, (uint8_t *)sealed.bytes, sealed.size, &own.secret, 1000, &err),
            cases[i].status);
        assert_non_null(strstr(err.text, cases[i].says));
        ob_buf_free(&sealed);
        ob_buf_free(&opened);
    }
}

static ob_status put_some(void *context, const void *bytes, size_t size, ob_error *err)
{
    size_t *left = context;
    (void)bytes;
    if (size > *left)
        return ob_fail(err, OB_EIO, "full");
    *left -= size;
    return OB_OK;
}

static void what_cannot_be_written_is_said(void **state)
{
    (void)state;
    pair own = new_pair();
    uint8_t *bytes = noise(2 * OB_SEAL_PIECE);
    for (size_t left = 0; left < OB_SEAL_HEAD + 2 * (OB_SEAL_PIECE + 17); left += 1999) {
        size_t room = left;
        ob_error err = {0};
        ob_seal_writer *w = NULL;
        ob_status status = ob_seal_begin(&w, &kind, &own.public, put_some, &room, &err);
        if (!status)
            status = ob_seal_add(w, bytes, 2 * OB_SEAL_PIECE, &err);
        if (!status)
            status = ob_seal_finish(w, &err);
        assert_int_equal(status, OB_EIO);
        assert_string_equal(err.text, "full");
        ob_seal_drop(w);
    }
    free(bytes);
}

static void keys_are_written_down_and_read_again(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        pair own = new_pair();
        ob_seal_public public, of;
        ob_seal_secret secret;
        char text[OB_SEAL_KEY_TEXT + 1], file[200];
        ob_seal_public_of(&of, &own.secret);
        assert_memory_equal(&of, &own.public, sizeof of);
        ob_seal_public_print(text, &own.public);
        assert_int_equal(strlen(text), OB_SEAL_KEY_TEXT);
        assert_int_equal(ob_seal_public_parse(&public, text, strlen(text), NULL), OB_OK);
        assert_memory_equal(&public, &own.public, sizeof public);
        assert_int_equal(ob_seal_secret_parse(&secret, text, strlen(text), NULL), OB_EREFUSED);
        ob_seal_secret_print(text, &own.secret);
        snprintf(file, sizeof file, "# a key\n\n  \t\r\n %s \r\n", text);
        assert_int_equal(ob_seal_secret_parse(&secret, file, strlen(file), NULL), OB_OK);
        assert_memory_equal(&secret, &own.secret, sizeof secret);
        assert_int_equal(ob_seal_public_parse(&public, file, strlen(file), NULL), OB_EREFUSED);
    }
}

static void a_mistyped_key_is_no_key(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    pair own = new_pair();
    ob_seal_public public;
    ob_error err = {0};
    char text[OB_SEAL_KEY_TEXT + 1];
    ob_seal_public_print(text, &own.public);
    for (size_t at = 0; at < OB_SEAL_KEY_TEXT; at++) {
        char right = text[at];
        for (size_t k = 0; k < sizeof digits - 1; k++) {
            text[at] = digits[k];
            if (digits[k] != right)
                assert_int_equal(ob_seal_public_parse(&public, text, strlen(text), &err),
                                 OB_EFORMAT);
        }
        assert_null(strstr(err.text, text + 20));
        text[at] = right;
        assert_int_equal(ob_seal_public_parse(&public, text, at, NULL), OB_EFORMAT);
    }
    assert_int_equal(ob_seal_public_parse(&public, "\0\0\n#", 4, NULL), OB_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_comes_out),
        cmocka_unit_test(two_seals_of_the_same_have_nothing_in_common),
        cmocka_unit_test(a_flipped_byte_is_found),
        cmocka_unit_test(a_cut_is_found),
        cmocka_unit_test(pieces_cannot_be_moved_repeated_or_added),
        cmocka_unit_test(another_key_kind_or_version_is_named),
        cmocka_unit_test(what_cannot_be_written_is_said),
        cmocka_unit_test(keys_are_written_down_and_read_again),
        cmocka_unit_test(a_mistyped_key_is_no_key),
    };
    return ob_crypto_start(NULL) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
