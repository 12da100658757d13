/* Signatures, and base64 for what carries them. */
#include <obhut/crypto.h>

#include <sodium.h>

void ob_sign_start(ob_sign_key *out, const uint8_t seed[OB_KEY_SIZE])
{
    crypto_sign_seed_keypair(out->public_key, out->secret, seed);
}

void ob_sign(uint8_t out[OB_SIGNATURE_SIZE], const ob_sign_key *key, const void *bytes, size_t size)
{
    crypto_sign_detached(out, NULL, bytes, size, key->secret);
}

bool ob_sign_check(const uint8_t signature[OB_SIGNATURE_SIZE],
                   const uint8_t public_key[OB_SIGN_PUBLIC], const void *bytes, size_t size)
{
    return crypto_sign_verify_detached(signature, bytes, size, public_key) == 0;
}

ob_status ob_base64(ob_buf *out, const void *bytes, size_t size, ob_error *err)
{
    if (size > SIZE_MAX / 4)
        return ob_fail(err, OB_ENOMEM, "out of memory: base64 of %zu bytes", size);
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    ob_status status = ob_buf_reserve(out, room, err);
    if (status)
        return status;
    sodium_bin2base64(out->bytes + out->size, room, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    out->size += room - 1; /* room counts a NUL */
    return OB_OK;
}

ob_status ob_base64_parse(void *out, size_t *size, size_t most, const char *text, size_t length,
                          ob_error *err)
{
    size_t got = 0;
    bool fits = true;
    for (size_t i = 0; i < length; i++)
        fits &= !(text[i] & 0x80); /* libsodium would take these for others */
    if (!fits || sodium_base642bin(out, most, text, length, NULL, &got, NULL,
                                   sodium_base64_VARIANT_ORIGINAL))
        return ob_fail(err, OB_EFORMAT, "not the base64 of at most %zu bytes", most);
    *size = got;
    return OB_OK;
}
