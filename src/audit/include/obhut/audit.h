/* audit: the log that proves itself. Every act that matters is one entry, durable before the act
 * counts; a Merkle tree (RFC 9162) over all entries and signed checkpoints make every later change
 * visible, to anybody, with nothing but three files. docs/AUDIT.md describes them.
 *
 * One process writes a log (ob_audit_open takes a lock); any number may read it meanwhile.
 * ob_crypto_start must have been called. */
#ifndef OBHUT_AUDIT_H
#define OBHUT_AUDIT_H

#include <obhut/base.h>

#include <jansson.h>

enum {
    OB_AUDIT_WORD_MAX = 64,              /* characters of `what`: a-z 0-9 . _ - */
    OB_AUDIT_ENTRY_MAX = 64 * 1024,      /* bytes of one entry as text */
    OB_AUDIT_CHECKPOINT_MAX = 16 * 1024, /* bytes of one checkpoint */
    OB_AUDIT_NAME = 26, /* characters of a log's name: obhut-log-0123456789abcdef */
    OB_AUDIT_KEY = 80,  /* characters of a verifier key, without newline */
    OB_AUDIT_TIME = 20, /* characters of 2026-11-25T14:00:00Z */
    OB_AUDIT_HASH = 32, /* bytes of a leaf, a node, a root */
};

/* ---- Writing -------------------------------------------------------------------------------- */

typedef struct ob_audit ob_audit;

typedef struct ob_audit_options {
    const char *dir;          /* the data directory: DIR/audit, DIR/keys/audit */
    const char *const *lines; /* of every checkpoint ("regimes HEX"), NULL at the end; may be NULL;
                               * copied. One line each, printable, and none that begins with "at ",
                               * "bytes " or "frontier", which are the log's own */
    unsigned seal_ms;         /* how long entries may wait for a checkpoint; 0: 60000 */
    int64_t (*now)(void *context); /* seconds since 1970; NULL: the real clock */
    /* Told when writing begins to fail, and not again before it has worked; from any thread, and
     * without a lock held; may be NULL. */
    void (*problem)(void *context, const char *sentence);
    void *context; /* of both */
} ob_audit_options;

/* Opens the log, or makes it (DIR must be there). Only what follows the last checkpoint is read. A
 * last line or checkpoint that was being written when the machine stopped was never acknowledged:
 * it is cut off, and an entry `log.repaired` {"bytes":N} says so ("checkpoint_bytes" for a
 * checkpoint). Whatever else is wrong is refused with OB_EFORMAT (damaged), OB_EREFUSED (another
 * key, a newer format) and a sentence that says what to do. OB_EBUSY: another process writes it.
 *
 * *out is owned by the caller: ob_audit_close. Untouched on error. */
ob_status ob_audit_open(ob_audit **out, const ob_audit_options *options, ob_error *err);

/* Seals and frees, whatever it returns; nobody may use `audit` any more. NULL is fine. */
ob_status ob_audit_close(ob_audit *audit, ob_error *err);

/* Appends {"n":…,"at":…,"what":what, members…} and sets *number to its n (NULL: not wanted). Any
 * thread; those that come together share one write. OB_OK: it is durable. On any error it is not in
 * the log, *number is untouched, and what depends on it must not happen:
 * OB_EIO     could not be written (full disk, …); the next call tries again
 * OB_EINVAL  `what` is no word, or members has "n", "at", "what" or is no object
 * OB_ELIMIT  larger than OB_AUDIT_ENTRY_MAX
 * OB_ENOMEM
 * members    a JSON object or NULL, borrowed; nobody may change it meanwhile */
ob_status ob_audit_append(uint64_t *number, ob_audit *audit, const char *what,
                          const json_t *members, ob_error *err);

/* Whether the last thing that was to be written could be: entries and checkpoints. While it is
 * false the log itself tries once a second, with an entry `log.resumed` {"refused":N} for the
 * entries that were refused, so that a caller that asks this first is not locked out. Never
 * blocks; any thread. */
bool ob_audit_fine(const ob_audit *audit);

/* Entries that are durable. */
uint64_t ob_audit_size(ob_audit *audit);

/* Writes a checkpoint now, if anything is behind the last one. Any thread. OB_EIO, OB_ENOMEM. */
ob_status ob_audit_seal(ob_audit *audit, ob_error *err);

/* The log as of its last checkpoint: what a backup copies. */
typedef struct ob_audit_extent {
    uint64_t entries, log_bytes, checkpoint_bytes;
} ob_audit_extent;

/* Seals, and sets *out: that many bytes of `log` and `checkpoints` belong together and will not
 * change any more. */
ob_status ob_audit_extent_now(ob_audit_extent *out, ob_audit *audit, ob_error *err);

#endif
