/* Any bytes as a key of backups, as somebody types it: a key that prints as it was read, or a
 * sentence. */
#include <obhut/crypto.h>
#include <obhut/seal.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_public(const char *text, size_t size)
{
    ob_seal_public key, again;
    char printed[OB_SEAL_KEY_TEXT + 1];
    ob_error err = {0};
    if (ob_seal_public_parse(&key, text, size, &err)) {
        if (!*err.text)
            abort();
        return;
    }
    ob_seal_public_print(printed, &key);
    if (ob_seal_public_parse(&again, printed, strlen(printed), NULL) ||
        memcmp(&key, &again, sizeof key) != 0)
        abort();
}

static void check_secret(const char *text, size_t size)
{
    ob_seal_secret key, again;
    char printed[OB_SEAL_KEY_TEXT + 1];
    ob_error err = {0};
    if (ob_seal_secret_parse(&key, text, size, &err)) {
        if (!*err.text)
            abort();
        return;
    }
    ob_seal_secret_print(printed, &key);
    if (ob_seal_secret_parse(&again, printed, strlen(printed), NULL) ||
        memcmp(&key, &again, sizeof key) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size ? size : 1); /* not a byte more than there is */
    if (!text || ob_crypto_start(NULL))
        abort();
    memcpy(text, bytes, size);
    check_public(text, size);
    check_secret(text, size);
    free(text);
    return 0;
}
