/* MD5, SHA-1 and SHA-256 of files, by libcrypto. */
#include <obhut/crypto.h>

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>

enum { KINDS = 3 };

struct ob_digester {
    EVP_MD_CTX *kind[KINDS];
    uint32_t which; /* bit k: kind[k] */
};

/* Why libcrypto would not: an algorithm that it has not (or may not have), else out of memory,
 * which it tells in many ways. Empties its queue of errors. */
static ob_status refused(ob_error *err)
{
    bool unsupported = false, no_memory = false;
    for (unsigned long code; (code = ERR_get_error()) != 0;) {
        int reason = ERR_GET_REASON(code);
        unsupported |= reason == ERR_R_UNSUPPORTED || reason == EVP_R_UNSUPPORTED_ALGORITHM;
        no_memory |= reason == ERR_R_MALLOC_FAILURE;
    }
    if (no_memory || !unsupported)
        return ob_fail(err, OB_ENOMEM, "out of memory: a checksum");
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

struct ob_sha256_sum {
    EVP_MD *kind; /* looked up once */
    EVP_MD_CTX *context;
    bool has_begun;
};

ob_status ob_sha256_begin(ob_sha256_sum **out, ob_error *err)
{
    ob_sha256_sum *sum = calloc(1, sizeof *sum);
    if (!sum)
        return ob_fail(err, OB_ENOMEM, "out of memory: a checksum");
    sum->context = EVP_MD_CTX_new();
    sum->kind = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sum->context || !sum->kind) {
        ob_sha256_drop(&sum);
        return refused(err);
    }
    *out = sum;
    return OB_OK;
}

/* What goes wrong leaves a sum of nothing. */
static ob_status step(ob_sha256_sum *sum, bool worked, ob_error *err)
{
    sum->has_begun = worked;
    return worked ? OB_OK : refused(err);
}

static ob_status begin(ob_sha256_sum *sum, ob_error *err)
{
    return sum->has_begun ? OB_OK
                          : step(sum, EVP_DigestInit_ex2(sum->context, sum->kind, NULL) == 1, err);
}

ob_status ob_sha256_add(ob_sha256_sum *sum, const void *bytes, size_t size, ob_error *err)
{
    ob_status status = begin(sum, err);
    return status ? status : step(sum, EVP_DigestUpdate(sum->context, bytes, size) == 1, err);
}

ob_status ob_sha256_next(uint8_t out[OB_SHA256_SIZE], ob_sha256_sum *sum, ob_error *err)
{
    ob_status status = begin(sum, err);
    if (!status)
        status = step(sum, EVP_DigestFinal_ex(sum->context, out, NULL) == 1, err);
    sum->has_begun = false;
    return status;
}

ob_status ob_sha256_finish(uint8_t out[OB_SHA256_SIZE], ob_sha256_sum **sum, ob_error *err)
{
    ob_status status = ob_sha256_next(out, *sum, err);
    ob_sha256_drop(sum);
    return status;
}

void ob_sha256_drop(ob_sha256_sum **sum)
{
    if (!*sum)
        return;
    EVP_MD_CTX_free((*sum)->context);
    EVP_MD_free((*sum)->kind);
    free(*sum);
    *sum = NULL;
}
