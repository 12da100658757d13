/* crypto: digests of files (MD5, SHA-1, SHA-256) by OpenSSL's libcrypto; random numbers, keys,
 * MACs, signatures and base64 by libsodium. */
#ifndef OBHUT_CRYPTO_H
#define OBHUT_CRYPTO_H

#include <obhut/base.h>

enum { OB_MD5_SIZE = 16, OB_SHA1_SIZE = 20, OB_SHA256_SIZE = 32 };

/* The three digests that lists of known files use. MD5 and SHA-1 identify known files here; they
 * protect nothing. */
typedef struct ob_digests {
    uint8_t md5[OB_MD5_SIZE], sha1[OB_SHA1_SIZE], sha256[OB_SHA256_SIZE];
} ob_digests;

/* Which of them. */
enum {
    OB_DIGEST_MD5 = 1,
    OB_DIGEST_SHA1 = 2,
    OB_DIGEST_SHA256 = 4,
    OB_DIGEST_ALL = OB_DIGEST_MD5 | OB_DIGEST_SHA1 | OB_DIGEST_SHA256,
};

/* Some or all of them over one stream of bytes. */
typedef struct ob_digester ob_digester;

/* *out is owned by the caller: ob_digester_free; it computes all of them. OB_ENOMEM, or OB_EREFUSED
 * when this machine's libcrypto forbids MD5 or SHA-1 (FIPS mode). */
ob_status ob_digester_new(ob_digester **out, ob_error *err);

/* Begins anew with other bytes, so that one digester serves many files. `which`: OB_DIGEST_…
 * bits. */
ob_status ob_digester_reset(ob_digester *digester, uint32_t which, ob_error *err);
/* Adds bytes to all wanted digests. OB_EREFUSED as ob_digester_new; the digests are lost then. */
ob_status ob_digester_add(ob_digester *digester, const void *bytes, size_t size, ob_error *err);

/* Sets *out, with zeros for digests that were not wanted. Call ob_digester_reset before adding
 * more. */
ob_status ob_digester_finish(ob_digests *out, ob_digester *digester, ob_error *err);
/* Frees a digester. NULL is fine. */
void ob_digester_free(ob_digester *digester);

/* Computes SHA-256 of one piece of memory. On error *out is untouched. */
ob_status ob_sha256(uint8_t out[OB_SHA256_SIZE], const void *bytes, size_t size, ob_error *err);

/* Computes the same without allocating, locking or failing, for the handler of a signal. */
void ob_sha256_bare(uint8_t out[OB_SHA256_SIZE], const void *bytes, size_t size);

/* SHA-256 alone, over a stream of bytes. ob_sha256_finish frees and sets *sum to NULL; so does
 * ob_sha256_drop without a result. */
typedef struct ob_sha256_sum ob_sha256_sum;
/* Begins SHA-256 over a stream of bytes. The caller owns *out: ob_sha256_finish or ob_sha256_drop
 * frees it. */
ob_status ob_sha256_begin(ob_sha256_sum **out, ob_error *err);
/* Adds bytes to the stream. */
ob_status ob_sha256_add(ob_sha256_sum *sum, const void *bytes, size_t size, ob_error *err);
/* Sets *out to the result, frees the sum and sets *sum to NULL, also on error. */
ob_status ob_sha256_finish(uint8_t out[OB_SHA256_SIZE], ob_sha256_sum **sum, ob_error *err);
/* Frees a sum without a result and sets *sum to NULL. A NULL in *sum is fine. */
void ob_sha256_drop(ob_sha256_sum **sum);

/* Sets *out to the result so far and begins anew: one sum serves many small pieces, and the
 * algorithm is looked up once. After an error of this function or of ob_sha256_add the sum is
 * empty. */
ob_status ob_sha256_next(uint8_t out[OB_SHA256_SIZE], ob_sha256_sum *sum, ob_error *err);

/* ---- Random numbers, keys, MACs -------------------------------------------------------------- */

enum { OB_KEY_SIZE = 32, OB_MAC_SIZE = 32 };

/* Prepares libsodium. Must have returned OB_OK once in a process before anything below is called.
 * Any thread. */
ob_status ob_crypto_start(ob_error *err);

/* Fills `out` with unpredictable bytes. */
void ob_random(void *out, size_t size);

/* Says whether two pieces of memory are equal, in a time that does not depend on where they
 * differ. */
bool ob_same(const void *a, const void *b, size_t size);

/* Overwrites memory with zeros in a way that the compiler does not remove. */
void ob_wipe(void *bytes, size_t size);

/* BLAKE2b with a key (RFC 7693): nobody without the key can make or recompute it. `what` keeps uses
 * of one key apart: a word of the program's own. Safe from any thread. */
void ob_mac(uint8_t out[OB_MAC_SIZE], const uint8_t key[OB_KEY_SIZE], const char *what,
            const void *bytes, size_t size);

/* The key in a file of 32 bytes that only its owner may read; *out is untouched on error.
 * OB_ENOTFOUND: there is none; OB_EFORMAT: another size, or only zeros; OB_EREFUSED: others may
 * read it, or it is no file; OB_EIO. */
ob_status ob_key_file_read(uint8_t out[OB_KEY_SIZE], const char *path, ob_error *err);

/* Reads a key as ob_key_file_read does; where there is none, makes one and syncs it before it is
 * used. Call this only where nothing was made with an earlier key. */
ob_status ob_key_file(uint8_t out[OB_KEY_SIZE], const char *path, ob_error *err);

/* A secret for somebody outside: 32 random bytes as 43 characters of base64url, and a NUL. */
enum { OB_SECRET_TEXT = 43 };
/* Makes a secret: 32 random bytes as 43 characters of base64url, and a NUL. */
void ob_secret_make(char out[OB_SECRET_TEXT + 1]);

/* Computes the fingerprint of a secret: SHA-256 of its characters, which is what is stored in order
 * to recognise it. A secret has 256 bits of its own, so no salt and no slow hash are needed. */
void ob_secret_fingerprint(uint8_t out[OB_MAC_SIZE], const char *secret, size_t length);

/* ---- Signatures ------------------------------------------------------------------------------ */

enum { OB_SIGN_PUBLIC = 32, OB_SIGNATURE_SIZE = 64 };

/* An Ed25519 key pair (RFC 8032). Wipe it (ob_wipe) when it is no longer needed. */
typedef struct ob_sign_key {
    uint8_t secret[64];
    uint8_t public_key[OB_SIGN_PUBLIC];
} ob_sign_key;

/* The pair that belongs to a seed, such as the one that ob_key_file keeps. */
void ob_sign_start(ob_sign_key *out, const uint8_t seed[OB_KEY_SIZE]);

/* Sets *out to the signature; the same bytes give the same signature. Safe from any thread. */
void ob_sign(uint8_t out[OB_SIGNATURE_SIZE], const ob_sign_key *key, const void *bytes,
             size_t size);

/* Says whether the owner of the secret key signed exactly these bytes. */
bool ob_sign_check(const uint8_t signature[OB_SIGNATURE_SIZE],
                   const uint8_t public_key[OB_SIGN_PUBLIC], const void *bytes, size_t size);

/* ---- Base64 (RFC 4648, section 4) ------------------------------------------------------------ */

/* Appends the text of `size` bytes, with padding. OB_ENOMEM. */
ob_status ob_base64(ob_buf *out, const void *bytes, size_t size, ob_error *err);

/* Reads `length` characters, all of them: with padding, without spaces, and only in the one way
 * that ob_base64 would have written. Sets *out (room for `most` bytes) and *size. OB_EFORMAT. */
ob_status ob_base64_parse(void *out, size_t *size, size_t most, const char *text, size_t length,
                          ob_error *err);

#endif
