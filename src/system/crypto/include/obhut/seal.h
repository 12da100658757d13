/* seal: bytes of any length that only the owner of one secret key can read, and of which every
 * change is found. docs/FORMAT-BACKUP.md has the form.
 *
 * Whoever seals needs the public key alone, and cannot read what it has sealed. A sealed stream
 * says for whom it is, not by whom it was made. ob_crypto_start must have been called. */
#ifndef OBHUT_SEAL_H
#define OBHUT_SEAL_H

#include <obhut/base.h>

/* ---- Keys ----------------------------------------------------------------------------------- */

enum { OB_SEAL_KEY = 32, OB_SEAL_KEY_TEXT = 61 };

/* X25519. */
typedef struct ob_seal_public {
    uint8_t bytes[OB_SEAL_KEY];
} ob_seal_public;

/* Wiped by whoever holds one: ob_wipe. */
typedef struct ob_seal_secret {
    uint8_t bytes[OB_SEAL_KEY];
} ob_seal_secret;

/* A new pair. */
void ob_seal_pair(ob_seal_public *out_public, ob_seal_secret *out_secret);

/* The public key of a pair, from the other one. */
void ob_seal_public_of(ob_seal_public *out, const ob_seal_secret *secret);

/* "obhut-public-…", "obhut-secret-…", and a NUL. They end in a checksum: a key that was mistyped is
 * not another key. */
void ob_seal_public_print(char out[OB_SEAL_KEY_TEXT + 1], const ob_seal_public *key);
void ob_seal_secret_print(char out[OB_SEAL_KEY_TEXT + 1], const ob_seal_secret *key);

/* A key from such a text, or from the lines of a file with one: empty ones and those that begin
 * with # are passed over. OB_EFORMAT: no key or a damaged one; OB_EREFUSED: the other one of a
 * pair. *out is untouched on error; errors never contain the text. */
ob_status ob_seal_public_parse(ob_seal_public *out, const char *text, size_t size, ob_error *err);
ob_status ob_seal_secret_parse(ob_seal_secret *out, const char *text, size_t size, ob_error *err);

/* ---- Streams -------------------------------------------------------------------------------- */

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
ob_status ob_seal_add(ob_seal_writer *writer, const void *bytes, size_t size, ob_error *err);

/* Hands the last piece over; without it nobody takes the stream for a whole one. Add nothing
 * more. */
ob_status ob_seal_finish(ob_seal_writer *writer, ob_error *err);
void ob_seal_drop(ob_seal_writer *writer); /* NULL is fine */

typedef struct ob_seal_reader ob_seal_reader;

/* Reads the head. OB_EFORMAT: another kind of file, or damaged; OB_EREFUSED: made by a newer
 * version, or for another key. The caller owns *out: ob_unseal_drop. */
ob_status ob_unseal_begin(ob_seal_reader **out, const ob_seal_kind *kind,
                          const ob_seal_secret *secret, ob_seal_get get, void *context,
                          ob_error *err);

/* The next 1 to `capacity` bytes, each of them verified; *size is 0 once the stream has ended as it
 * was made. OB_EFORMAT: damaged or cut off; the reader then says so again and again. An ob_seal_get
 * with a reader as its context. */
ob_status ob_unseal_read(void *reader, void *bytes, size_t capacity, size_t *size, ob_error *err);
void ob_unseal_drop(ob_seal_reader *reader); /* NULL is fine */

#endif
