/* seal: encrypts bytes of any length to one public key; every change of the sealed bytes is found.
 * docs/FORMAT-BACKUP.md has the form.
 *
 * Sealing needs the public key alone, and only the secret key opens what was sealed. A sealed
 * stream names its recipient, not its maker. ob_crypto_start must have been called. */
#ifndef OBHUT_SEAL_H
#define OBHUT_SEAL_H

#include <obhut/base.h>

/* ---- Keys ------------------------------------------------------------------------------------ */

enum { OB_SEAL_KEY = 32, OB_SEAL_KEY_TEXT = 61 };

/* X25519. */
typedef struct ob_seal_public {
    uint8_t bytes[OB_SEAL_KEY];
} ob_seal_public;

/* The owner wipes it: ob_wipe. */
typedef struct ob_seal_secret {
    uint8_t bytes[OB_SEAL_KEY];
} ob_seal_secret;

/* A new pair. */
void ob_seal_pair(ob_seal_public *out_public, ob_seal_secret *out_secret);

/* The public key of a pair, from the other one. */
void ob_seal_public_of(ob_seal_public *out, const ob_seal_secret *secret);

/* Writes a public key as "obhut-public-…" and a NUL. The text ends in a checksum, so that a
 * mistyped key is not taken for another one. */
void ob_seal_public_print(char out[OB_SEAL_KEY_TEXT + 1], const ob_seal_public *key);
/* Writes a secret key as "obhut-secret-…" and a NUL, with a checksum too. */
void ob_seal_secret_print(char out[OB_SEAL_KEY_TEXT + 1], const ob_seal_secret *key);

/* Reads a public key from such a text, or from the lines of a file; empty lines and those that
 * begin with # are ignored. *out is untouched on error. OB_EFORMAT: no key, or a damaged one;
 * OB_EREFUSED: this is the secret key of a pair. Errors never contain the text. */
ob_status ob_seal_public_parse(ob_seal_public *out, const char *text, size_t size, ob_error *err);
/* Reads a secret key in the same way. OB_EREFUSED: this is the public key of a pair. */
ob_status ob_seal_secret_parse(ob_seal_secret *out, const char *text, size_t size, ob_error *err);

/* ---- Streams --------------------------------------------------------------------------------- */

/* What is sealed, so that one kind of file is not taken for another. */
typedef struct ob_seal_kind {
    uint8_t magic[8];
    uint32_t version;
    const char *name; /* for sentences: "backup" */
} ob_seal_kind;

enum { OB_SEAL_HEAD = 128, OB_SEAL_PIECE = 65536 };

/* Takes the next bytes of what is written. */
typedef ob_status (*ob_seal_put)(void *context, const void *bytes, size_t size, ob_error *err);

/* Gives the next 1 to `capacity` bytes of what is read; *size 0: there are no more. */
typedef ob_status (*ob_seal_get)(void *context, void *bytes, size_t capacity, size_t *size,
                                 ob_error *err);

typedef struct ob_seal_writer ob_seal_writer;

/* Hands the head to `put`. The caller owns *out: ob_seal_drop. `kind` must outlive it. */
ob_status ob_seal_begin(ob_seal_writer **out, const ob_seal_kind *kind, const ob_seal_public *to,
                        ob_seal_put put, void *context, ob_error *err);
/* Seals more bytes and hands full pieces to `put`, whose error is returned. */
ob_status ob_seal_add(ob_seal_writer *writer, const void *bytes, size_t size, ob_error *err);

/* Seals the last piece and hands it to `put`. A stream without it is recognised as cut off. Add
 * nothing more. */
ob_status ob_seal_finish(ob_seal_writer *writer, ob_error *err);
/* Frees a writer. NULL is fine. */
void ob_seal_drop(ob_seal_writer *writer);

typedef struct ob_seal_reader ob_seal_reader;

/* Reads the head. OB_EFORMAT: another kind of file, or damaged; OB_EREFUSED: made by a newer
 * version, or for another key. The caller owns *out: ob_unseal_drop. */
ob_status ob_unseal_begin(ob_seal_reader **out, const ob_seal_kind *kind,
                          const ob_seal_secret *secret, ob_seal_get get, void *context,
                          ob_error *err);

/* Reads the next 1 to `capacity` bytes, each of them verified; *size is 0 once the whole stream was
 * read. OB_EFORMAT: damaged or cut off, and every later call returns that again. The function is an
 * ob_seal_get with a reader as its context. */
ob_status ob_unseal_read(void *reader, void *bytes, size_t capacity, size_t *size, ob_error *err);
/* Frees a reader. NULL is fine. */
void ob_unseal_drop(ob_seal_reader *reader);

#endif
