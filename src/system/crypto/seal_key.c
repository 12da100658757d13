/* Keys of sealed streams, and how they are written down. */
#include <obhut/crypto.h>
#include <obhut/seal.h>

#include <stdio.h>
#include <string.h>

#include <sodium.h>

_Static_assert((int)OB_SEAL_KEY == (int)crypto_box_PUBLICKEYBYTES, "libsodium's size");
_Static_assert((int)OB_SEAL_KEY == (int)crypto_box_SECRETKEYBYTES, "libsodium's size");

static const char public_word[] = "obhut-public-", secret_word[] = "obhut-secret-";

enum {
    WORD = sizeof public_word - 1,
    SUM = 4,
    DIGITS = 48, /* base64url of key and checksum */
};
_Static_assert((int)WORD + (int)DIGITS == (int)OB_SEAL_KEY_TEXT, "word and digits");
_Static_assert(sizeof public_word == sizeof secret_word, "one length");

void ob_seal_pair(ob_seal_public *out_public, ob_seal_secret *out_secret)
{
    crypto_box_keypair(out_public->bytes, out_secret->bytes);
}

void ob_seal_public_of(ob_seal_public *out, const ob_seal_secret *secret)
{
    crypto_scalarmult_base(out->bytes, secret->bytes);
}

/* ---- As text --------------------------------------------------------------------------------- */

static void sum_of(uint8_t out[SUM], const char *word, const uint8_t key[OB_SEAL_KEY])
{
    uint8_t text[WORD + OB_SEAL_KEY], sum[crypto_hash_sha256_BYTES];
    memcpy(text, word, WORD);
    memcpy(text + WORD, key, OB_SEAL_KEY);
    crypto_hash_sha256(sum, text, sizeof text);
    memcpy(out, sum, SUM);
    sodium_memzero(text, sizeof text);
}

static void print(char out[OB_SEAL_KEY_TEXT + 1], const char *word, const uint8_t key[OB_SEAL_KEY])
{
    uint8_t both[OB_SEAL_KEY + SUM];
    memcpy(both, key, OB_SEAL_KEY);
    sum_of(both + OB_SEAL_KEY, word, key);
    memcpy(out, word, WORD);
    sodium_bin2base64(out + WORD, DIGITS + 1, both, sizeof both,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(both, sizeof both);
}

void ob_seal_public_print(char out[OB_SEAL_KEY_TEXT + 1], const ob_seal_public *key)
{
    print(out, public_word, key->bytes);
}

void ob_seal_secret_print(char out[OB_SEAL_KEY_TEXT + 1], const ob_seal_secret *key)
{
    print(out, secret_word, key->bytes);
}

/* ---- And back -------------------------------------------------------------------------------- */

/* The first line that says something, without white space around it. */
static void find_line(const char **line, size_t *length, const char *text, size_t size)
{
    static const char white[] = " \t\r";
    *length = 0;
    for (size_t at = 0; at < size && !*length;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t stop = end ? (size_t)(end - text) : size, first = at, last = stop;
        while (first < last && strchr(white, text[first]))
            first++;
        while (last > first && strchr(white, text[last - 1]))
            last--;
        if (first < last && text[first] != '#') {
            *line = text + first;
            *length = last - first;
        }
        at = stop + 1;
    }
}

static ob_status parse(uint8_t out[OB_SEAL_KEY], const char *word, const char *text, size_t size,
                       ob_error *err)
{
    uint8_t both[OB_SEAL_KEY + SUM], sum[SUM];
    const char *line = text;
    size_t length, read = 0;
    ob_status status = OB_OK;
    find_line(&line, &length, text, size);
    if (length != OB_SEAL_KEY_TEXT || memcmp(line, word, WORD) ||
        sodium_base642bin(both, sizeof both, line + WORD, DIGITS, NULL, &read, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) ||
        read != sizeof both)
        status = ob_fail(err, OB_EFORMAT,
                         "not a key: one is \"%s\" and %d more characters; is something missing?",
                         word, DIGITS);
    if (!status)
        sum_of(sum, word, both);
    if (!status && sodium_memcmp(sum, both + OB_SEAL_KEY, SUM))
        status = ob_fail(err, OB_EFORMAT,
                         "a key with a mistake in it: its characters do not fit each other");
    if (!status)
        memcpy(out, both, OB_SEAL_KEY);
    sodium_memzero(both, sizeof both);
    return status;
}

static bool begins_with(const char *text, size_t size, const char *word)
{
    const char *line = text;
    size_t length;
    find_line(&line, &length, text, size);
    return length >= WORD && !memcmp(line, word, WORD);
}

ob_status ob_seal_public_parse(ob_seal_public *out, const char *text, size_t size, ob_error *err)
{
    if (begins_with(text, size, secret_word))
        return ob_fail(err, OB_EREFUSED,
                       "this is the secret key: keep it elsewhere, and give the public one here");
    return parse(out->bytes, public_word, text, size, err);
}

ob_status ob_seal_secret_parse(ob_seal_secret *out, const char *text, size_t size, ob_error *err)
{
    if (begins_with(text, size, public_word))
        return ob_fail(err, OB_EREFUSED, "this is the public key: reading needs the secret one");
    return parse(out->bytes, secret_word, text, size, err);
}
