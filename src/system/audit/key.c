/* Verifier keys, as C2SP signed-note writes them. */
#include "audit_priv.h"

#include <stdio.h>
#include <string.h>

static const char name_start[] = "obhut-log-";

enum { NAME_BYTES = 8, ED25519 = 1, CODED = 1 + OB_SIGN_PUBLIC };

ob_status key_of(log_key *out, const uint8_t public_key[OB_SIGN_PUBLIC], ob_error *err)
{
    log_key key = {0};
    uint8_t digest[OB_SHA256_SIZE], named[OB_AUDIT_NAME + 2 + OB_SIGN_PUBLIC];
    ob_status status = ob_sha256(digest, public_key, OB_SIGN_PUBLIC, err);
    if (status)
        return status;
    memcpy(key.name, name_start, sizeof name_start);
    ob_hex(key.name + sizeof name_start - 1, digest, NAME_BYTES);
    memcpy(key.public_key, public_key, OB_SIGN_PUBLIC);
    memcpy(named, key.name, OB_AUDIT_NAME);
    named[OB_AUDIT_NAME] = '\n';
    named[OB_AUDIT_NAME + 1] = ED25519;
    memcpy(named + OB_AUDIT_NAME + 2, public_key, OB_SIGN_PUBLIC);
    status = ob_sha256(digest, named, sizeof named, err);
    if (status)
        return status;
    memcpy(key.id, digest, KEY_ID);
    *out = key;
    return OB_OK;
}

ob_status key_print(char out[OB_AUDIT_KEY + 1], const log_key *key, ob_error *err)
{
    uint8_t coded[CODED] = {ED25519};
    char id[2 * KEY_ID + 1];
    ob_buf text = {0};
    memcpy(coded + 1, key->public_key, OB_SIGN_PUBLIC);
    ob_hex(id, key->id, KEY_ID);
    ob_status status = ob_buf_printf(&text, err, "%s+%s+", key->name, id);
    if (!status)
        status = ob_base64(&text, coded, sizeof coded, err);
    if (!status)
        memcpy(out, text.bytes, OB_AUDIT_KEY + 1);
    ob_buf_free(&text);
    return status;
}

ob_status key_parse(log_key *out, const char *text, size_t size, ob_error *err)
{
    enum { BASE64_AT = OB_AUDIT_NAME + 1 + 2 * KEY_ID + 1 };
    uint8_t coded[CODED];
    size_t got = 0;
    log_key key;
    char again[OB_AUDIT_KEY + 1];
    if (size == KEY_LINE && text[OB_AUDIT_KEY] == '\n')
        size--;
    if (size != OB_AUDIT_KEY || memcmp(text, name_start, sizeof name_start - 1) ||
        ob_base64_parse(coded, &got, sizeof coded, text + BASE64_AT, OB_AUDIT_KEY - BASE64_AT,
                        NULL) ||
        got != CODED || coded[0] != ED25519)
        return ob_fail(err, OB_EFORMAT,
                       "not a key of a log: one line %s0123456789abcdef+01234567+BASE64",
                       name_start);
    ob_status status = key_of(&key, coded + 1, err);
    if (!status)
        status = key_print(again, &key, err);
    if (status)
        return status;
    if (memcmp(again, text, OB_AUDIT_KEY))
        return ob_fail(err, OB_EFORMAT,
                       "the name or the number in this key is not that of the key itself");
    *out = key;
    return OB_OK;
}

bool key_same(const log_key *a, const log_key *b)
{
    return !memcmp(a->public_key, b->public_key, OB_SIGN_PUBLIC);
}
