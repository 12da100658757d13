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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_digests_come_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
