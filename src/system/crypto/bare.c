/* SHA-256 as libcrypto had it before its algorithms were looked up: deprecated there, and the only
 * way that takes no memory and no lock. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <obhut/crypto.h>

#include <openssl/sha.h>

void ob_sha256_bare(uint8_t out[OB_SHA256_SIZE], const void *bytes, size_t size)
{
    SHA256_CTX sum;
    SHA256_Init(&sum); /* these cannot fail */
    SHA256_Update(&sum, bytes, size);
    SHA256_Final(out, &sum);
}
