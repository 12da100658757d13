/* crypto: digests of files (MD5, SHA-1, SHA-256), by OpenSSL's libcrypto. */
#ifndef OBHUT_CRYPTO_H
#define OBHUT_CRYPTO_H

#include <obhut/base.h>

enum { OB_MD5_SIZE = 16, OB_SHA1_SIZE = 20, OB_SHA256_SIZE = 32 };

/* The three digests that lists of known files use. MD5 and SHA-1 identify known files here; they
 * protect nothing. */
typedef struct ob_digests {
    uint8_t md5[OB_MD5_SIZE], sha1[OB_SHA1_SIZE], sha256[OB_SHA256_SIZE];
} ob_digests;

/* All three over one stream of bytes. */
typedef struct ob_digester ob_digester;

/* *out is owned by the caller: ob_digester_free. OB_ENOMEM, or OB_EREFUSED when this machine's
 * libcrypto forbids MD5 or SHA-1 (FIPS mode). */
ob_status ob_digester_new(ob_digester **out, ob_error *err);

/* Forgets what was fed, so that one digester serves many files. */
ob_status ob_digester_reset(ob_digester *digester, ob_error *err);
ob_status ob_digester_add(ob_digester *digester, const void *bytes, size_t size, ob_error *err);

/* Sets *out; feed nothing more before ob_digester_reset. */
ob_status ob_digester_finish(ob_digests *out, ob_digester *digester, ob_error *err);
void ob_digester_free(ob_digester *digester);

/* SHA-256 of one piece of memory. */
ob_status ob_sha256(uint8_t out[OB_SHA256_SIZE], const void *bytes, size_t size, ob_error *err);

/* SHA-256 alone, over a stream of bytes. ob_sha256_finish frees and sets *sum to NULL; so does
 * ob_sha256_drop without a result. */
typedef struct ob_sha256_sum ob_sha256_sum;
ob_status ob_sha256_begin(ob_sha256_sum **out, ob_error *err);
ob_status ob_sha256_add(ob_sha256_sum *sum, const void *bytes, size_t size, ob_error *err);
ob_status ob_sha256_finish(uint8_t out[OB_SHA256_SIZE], ob_sha256_sum **sum, ob_error *err);
void ob_sha256_drop(ob_sha256_sum **sum);

#endif
