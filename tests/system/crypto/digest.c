#include "test.h"

#include <obhut/crypto.h>

/* RFC 1321 and FIPS 180-4: the published digests of "abc" and of nothing. */
static void published_digests_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *md5, *sha1, *sha256;
    } known[] = {
        {"abc", "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"", "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    };
    ob_digester *digester = NULL;
    assert_int_equal(ob_digester_new(&digester, NULL), OB_OK);
    for (int i = 0; i < 4; i++) { /* twice each: a digester can be used again */
        char text[65];
        ob_digests digests;
        const char *from = known[i % 2].text;
        assert_int_equal(ob_digester_reset(digester, OB_DIGEST_ALL, NULL), OB_OK);
        for (const char *p = from; *p; p++) /* in pieces */
            assert_int_equal(ob_digester_add(digester, p, 1, NULL), OB_OK);
        assert_int_equal(ob_digester_finish(&digests, digester, NULL), OB_OK);
        ob_hex(text, digests.md5, OB_MD5_SIZE);
        assert_string_equal(text, known[i % 2].md5);
        ob_hex(text, digests.sha1, OB_SHA1_SIZE);
        assert_string_equal(text, known[i % 2].sha1);
        ob_hex(text, digests.sha256, OB_SHA256_SIZE);
        assert_string_equal(text, known[i % 2].sha256);
        uint8_t sum[OB_SHA256_SIZE];
        assert_int_equal(ob_sha256(sum, from, strlen(from), NULL), OB_OK);
        assert_memory_equal(sum, digests.sha256, sizeof sum);
    }
    ob_digester_free(digester);
}

static void one_sum_serves_many_pieces(void **state)
{
    (void)state;
    static const char *const texts[] = {"abc", "", "", "a longer piece of text", "abc"};
    ob_sha256_sum *sum = NULL;
    assert_int_equal(ob_sha256_begin(&sum, NULL), OB_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t next[OB_SHA256_SIZE], once[OB_SHA256_SIZE];
        for (const char *p = texts[i]; *p; p++)
            assert_int_equal(ob_sha256_add(sum, p, 1, NULL), OB_OK);
        assert_int_equal(ob_sha256_next(next, sum, NULL), OB_OK);
        assert_int_equal(ob_sha256(once, texts[i], strlen(texts[i]), NULL), OB_OK);
        assert_memory_equal(next, once, sizeof once);
    }
    ob_sha256_drop(&sum);
}

/* RFC 8032, 7.1, tests 1 and 2: of nothing, and of one byte. */
static void published_signatures_come_out_and_no_other_fits(void **state)
{
    (void)state;
    static const struct {
        const char *seed, *public_key, *signature;
        uint8_t message[1];
        size_t size;
    } known[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "c"
         "f9b46bd25bf5f0595bbe24655141438e7a100b",
         {0},
         0},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0"
         "f11d8c387b2eaeb4302aeeb00d291612bb0c00",
         {0x72},
         1},
    };
    assert_int_equal(ob_crypto_start(NULL), OB_OK);
    for (int i = 0; i < 2; i++) {
        uint8_t seed[OB_KEY_SIZE], signature[OB_SIGNATURE_SIZE];
        char text[2 * OB_SIGNATURE_SIZE + 1];
        ob_sign_key key;
        assert_int_equal(ob_hex_parse(seed, sizeof seed, known[i].seed, NULL), OB_OK);
        ob_sign_start(&key, seed);
        ob_hex(text, key.public_key, OB_SIGN_PUBLIC);
        assert_string_equal(text, known[i].public_key);
        ob_sign(signature, &key, known[i].message, known[i].size);
        ob_hex(text, signature, sizeof signature);
        assert_string_equal(text, known[i].signature);
        assert_true(ob_sign_check(signature, key.public_key, known[i].message, known[i].size));
        for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(ob_sign_check(signature, key.public_key, known[i].message, known[i].size));
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

/* RFC 4648, section 10, and what else a lax reader takes for the same. */
static void base64_is_written_and_read_in_one_way(void **state)
{
    (void)state;
    static const char *const known[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {
        "Zg",     "Zg=",  "Zh==", "Zm9=", " Zg==",   "Zg== ",   "Zg==Zg==",
        "Zm9v\n", "Zm-v", "Z",    "====", "\xDAg==", "Zg=\xBD", "Zm9vYmFyZm9vYmFy"};
    char out[8];
    size_t size;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        ob_buf text = {0};
        assert_int_equal(ob_base64(&text, known[i][0], strlen(known[i][0]), NULL), OB_OK);
        assert_string_equal(text.bytes, known[i][1]);
        assert_int_equal(ob_base64_parse(out, &size, sizeof out, text.bytes, text.size, NULL),
                         OB_OK);
        assert_int_equal(size, strlen(known[i][0]));
        assert_memory_equal(out, known[i][0], size);
        ob_buf_free(&text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ob_base64_parse(out, &size, sizeof out, bad[i], strlen(bad[i]), NULL),
                         OB_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_digests_come_out),
        cmocka_unit_test(one_sum_serves_many_pieces),
        cmocka_unit_test(published_signatures_come_out_and_no_other_fits),
        cmocka_unit_test(base64_is_written_and_read_in_one_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
