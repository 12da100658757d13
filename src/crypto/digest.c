#include <obhut/crypto.h>

#include <stdlib.h>

#include <openssl/evp.h>

enum { KINDS = 3 };

struct ob_digester {
    EVP_MD_CTX *kind[KINDS];
    uint32_t which; /* bit k: kind[k] */
};

static ob_status refused(ob_error *err)
{
    return ob_fail(err, OB_EREFUSED,
                   "this machine's libcrypto refuses MD5, SHA-1 or SHA-256 (FIPS mode?)");
}

ob_status ob_digester_new(ob_digester **out, ob_error *err)
{
    ob_digester *digester = calloc(1, sizeof *digester);
    ob_status status = digester ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: a digester");
    for (int i = 0; i < KINDS && !status; i++) {
        digester->kind[i] = EVP_MD_CTX_new();
        if (!digester->kind[i])
            status = ob_fail(err, OB_ENOMEM, "out of memory: a digester");
    }
    if (!status)
        status = ob_digester_reset(digester, OB_DIGEST_ALL, err);
    if (status)
        ob_digester_free(digester);
    else
        *out = digester;
    return status;
}

ob_status ob_digester_reset(ob_digester *digester, uint32_t which, ob_error *err)
{
    const EVP_MD *const kinds[KINDS] = {EVP_md5(), EVP_sha1(), EVP_sha256()};
    digester->which = which;
    for (int i = 0; i < KINDS; i++)
        if (which >> i & 1 && EVP_DigestInit_ex(digester->kind[i], kinds[i], NULL) != 1)
            return refused(err);
    return OB_OK;
}

ob_status ob_digester_add(ob_digester *digester, const void *bytes, size_t size, ob_error *err)
{
    for (int i = 0; i < KINDS; i++)
        if (digester->which >> i & 1 && EVP_DigestUpdate(digester->kind[i], bytes, size) != 1)
            return refused(err);
    return OB_OK;
}

ob_status ob_digester_finish(ob_digests *out, ob_digester *digester, ob_error *err)
{
    ob_digests digests = {0};
    uint8_t *const results[KINDS] = {digests.md5, digests.sha1, digests.sha256};
    for (int i = 0; i < KINDS; i++)
        if (digester->which >> i & 1 &&
            EVP_DigestFinal_ex(digester->kind[i], results[i], NULL) != 1)
            return refused(err);
    *out = digests;
    return OB_OK;
}

void ob_digester_free(ob_digester *digester)
{
    if (!digester)
        return;
    for (int i = 0; i < KINDS; i++)
        EVP_MD_CTX_free(digester->kind[i]);
    free(digester);
}

ob_status ob_sha256(uint8_t out[OB_SHA256_SIZE], const void *bytes, size_t size, ob_error *err)
{
    return EVP_Digest(bytes, size, out, NULL, EVP_sha256(), NULL) == 1 ? OB_OK : refused(err);
}

ob_status ob_sha256_begin(ob_sha256_sum **out, ob_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        return ob_fail(err, OB_ENOMEM, "out of memory: a checksum");
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return refused(err);
    }
    *out = (ob_sha256_sum *)context;
    return OB_OK;
}

ob_status ob_sha256_add(ob_sha256_sum *sum, const void *bytes, size_t size, ob_error *err)
{
    return EVP_DigestUpdate((EVP_MD_CTX *)sum, bytes, size) == 1 ? OB_OK : refused(err);
}

ob_status ob_sha256_finish(uint8_t out[OB_SHA256_SIZE], ob_sha256_sum **sum, ob_error *err)
{
    int done = EVP_DigestFinal_ex((EVP_MD_CTX *)*sum, out, NULL);
    ob_sha256_drop(sum);
    return done == 1 ? OB_OK : refused(err);
}

ob_status ob_sha256_next(uint8_t out[OB_SHA256_SIZE], ob_sha256_sum *sum, ob_error *err)
{
    /* No algorithm named: the context keeps the one it has, and nothing is looked up again. */
    return EVP_DigestFinal_ex((EVP_MD_CTX *)sum, out, NULL) == 1 &&
                   EVP_DigestInit_ex((EVP_MD_CTX *)sum, NULL, NULL) == 1
               ? OB_OK
               : refused(err);
}

void ob_sha256_drop(ob_sha256_sum **sum)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)*sum);
    *sum = NULL;
}
