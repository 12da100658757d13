/* audit: the log that proves itself. Every act that matters is one entry, durable before the act
 * counts; a Merkle tree (RFC 9162) over all entries and signed checkpoints make every later change
 * visible, to anybody, with nothing but three files. docs/AUDIT.md describes them.
 *
 * One process writes a log (ob_audit_open takes a lock); any number may read it meanwhile.
 * ob_crypto_start must have been called. */
#ifndef OBHUT_AUDIT_H
#define OBHUT_AUDIT_H

#include <obhut/base.h>
#include <obhut/entry.h>

enum {
    OB_AUDIT_WORD_MAX = 64,              /* characters of `what`: a-z 0-9 . _ - */
    OB_AUDIT_ENTRY_MAX = 64 * 1024,      /* bytes of one entry as text */
    OB_AUDIT_CHECKPOINT_MAX = 16 * 1024, /* bytes of one checkpoint */
    OB_AUDIT_NAME = 26, /* characters of a log's name: obhut-log-0123456789abcdef */
    OB_AUDIT_KEY = 80,  /* characters of a verifier key, without newline */
    OB_AUDIT_TIME = 20, /* characters of 2026-11-25T14:00:00Z */
    OB_AUDIT_HASH = 32, /* bytes of a leaf, a node, a root */
};

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct ob_audit ob_audit;

/* What was signed: kept somewhere else than beside the log, it shows whether that is still there.
 */
typedef struct ob_audit_signed {
    uint64_t entries;            /* under the last checkpoint */
    uint64_t note_bytes;         /* of `checkpoints` up to its end */
    uint8_t root[OB_AUDIT_HASH]; /* of these entries */
    bool is_closed;              /* the log was closed then: no entry may follow */
} ob_audit_signed;

typedef struct ob_audit_options {
    const char *dir;          /* the data directory: DIR/audit, DIR/keys/audit */
    const char *const *lines; /* of every checkpoint ("regimes HEX"), NULL at the end; may be NULL;
                               * copied. One line each, printable, none that begins with "at ",
                               * "before ", "bytes ", "frontier": those are the log's own */
    unsigned checkpoint_ms;   /* how long entries may wait for a checkpoint; 0: 60000 */
    /* What is known to have been signed: where it is missing, or where entries follow a
     * log that was closed, the log is refused; nothing is made and nothing changed then. Entries
     * that follow one that was not closed (the machine stopped) are told by an entry `log.unsealed`
     * {"from":N,"entries":N} before they are signed. NULL: nothing is known. */
    const ob_audit_signed *known;
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

/* Writes a last checkpoint and frees `audit`, whatever it returns; no thread may use `audit`
 * afterwards. NULL is fine. */
ob_status ob_audit_close(ob_audit *audit, ob_error *err);

/* Appends {"n":…,"at":…,"what":what, members…} and sets *number to its n (NULL: not wanted). Any
 * thread; those that come together share one write. OB_OK: it is durable. On any error it is not in
 * the log, *number is untouched, and what depends on it must not happen:
 * OB_EIO     could not be written (full disk, …); the next call tries again
 * OB_EINVAL  `what` is no word, or members has "n", "at", "what" or "mac"
 * OB_ELIMIT  larger than OB_AUDIT_ENTRY_MAX
 * OB_ENOMEM  also where something of the members could not be kept
 * members    or NULL; borrowed, nobody may change them meanwhile */
ob_status ob_audit_append(uint64_t *number, ob_audit *audit, const char *what,
                          const ob_entry *members, ob_error *err);

/* Several entries, one behind the other, with one write: all of them or none. *first is set to the
 * number of the first (NULL: not wanted). Errors as ob_audit_append; OB_EINVAL also for none. */
typedef struct ob_audit_entry {
    const char *what;
    const ob_entry *members;
} ob_audit_entry;
/* Appends several entries with one write: all of them or none. *first is set to the number of the
 * first (NULL: not wanted). Errors as ob_audit_append; OB_EINVAL also where `count` is 0. */
ob_status ob_audit_append_all(uint64_t *first, ob_audit *audit, const ob_audit_entry *entries,
                              size_t count, ob_error *err);

/* Checks whether an entry could be appended if the disk takes it: OB_EINVAL, OB_ELIMIT, OB_ENOMEM
 * as ob_audit_append. */
ob_status ob_audit_entry_check(const ob_audit_entry *entry, ob_error *err);

/* Whether the last thing that was to be written could be: entries and checkpoints. While it is
 * false the log itself tries once a second, with an entry `log.resumed` {"refused":N} for the
 * entries that were refused, so that a caller that asks this first is not locked out. Never
 * blocks; any thread. */
bool ob_audit_fine(const ob_audit *audit);

/* Whether what is being written to the log has been on its way to the disk for more than a second.
 * Never blocks; any thread. */
bool ob_audit_slow(const ob_audit *audit);

/* Returns the number of entries that are durable. Any thread. */
uint64_t ob_audit_size(ob_audit *audit);

/* Signs and writes a checkpoint now, if there are entries behind the last one. Any thread. OB_EIO,
 * OB_ENOMEM. */
ob_status ob_audit_sign(ob_audit *audit, ob_error *err);
/* Signs and writes the last checkpoint: afterwards the log appends nothing by itself. Call this
 * once, before ob_audit_close. Errors as ob_audit_sign. */
ob_status ob_audit_sign_last(ob_audit *audit, ob_error *err);

/* The log as of its last checkpoint: what a backup copies. */
typedef struct ob_audit_extent {
    uint64_t entries, log_bytes, checkpoint_bytes;
} ob_audit_extent;

/* Sets *out to what is signed now; is_closed is false. Any thread. */
void ob_audit_signed_now(ob_audit_signed *out, ob_audit *audit);

/* Sets the function that is called after every checkpoint that is durable, on the log's own thread
 * and without a lock that appending needs. NULL sets none, and returns after the last call has
 * ended. */
void ob_audit_on_signed(ob_audit *audit,
                        void (*hear)(void *context, const ob_audit_signed *is_signed),
                        void *context);

/* Signs a checkpoint and sets *out: so many bytes of `log` and `checkpoints` belong together and
 * will not change. Errors as ob_audit_sign. */
ob_status ob_audit_extent_now(ob_audit_extent *out, ob_audit *audit, ob_error *err);

/* ---- Verifying ------------------------------------------------------------------------------- */

/* These read a directory with `log`, `checkpoints` and `key`, wherever it is, and change nothing;
 * also while a service writes it. */

typedef struct ob_audit_check {
    const char *dir;   /* with the three files */
    const char *key;   /* whom to trust: a verifier key as `key` has it; NULL: DIR/key itself */
    const char *since; /* a checkpoint that was kept elsewhere; NULL: none */
    size_t since_size;
    const ob_audit_signed *known; /* what else is known to have been signed; NULL: nothing */
    /* The seed in DIR/keys/audit, OB_KEY_SIZE bytes, which must make the log's key; with `known`,
     * it finds entries that no checkpoint covers yet to be the service's own. NULL: not asked */
    const uint8_t *seed;
    /* Bytes of the log; about once a megabyte; may be NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
} ob_audit_check;

/* What was found. `entries`, `covered`, `checkpoints`, `log_bytes` count what verified: all of it
 * where `fine`, else what comes before the damage. */
typedef struct ob_audit_report {
    bool fine;
    uint64_t entries, covered; /* entries - covered: not yet under a checkpoint */
    uint64_t checkpoints, log_bytes;
    char signed_at[OB_AUDIT_TIME + 1]; /* when the last checkpoint was written; or "" */
    char key[OB_AUDIT_KEY + 1];        /* the one that was trusted; or "" */
    const char *file;                  /* where it is wrong: "log", "checkpoints", "key", "since" */
    uint64_t offset;                   /* first bad byte of that file */
    uint64_t entry;                    /* the first entry that can no longer be relied on */
    char problem[sizeof((ob_error){0}.text)]; /* a sentence */
    unsigned strangers;                       /* files that do not belong there */
    char stranger[256];                       /* the name of one */
} ob_audit_report;

/* Verifies every leaf, number, checkpoint and signature, in bounded memory. OB_OK: *out is set, and
 * out->fine says whether the log is unchanged. On error *out is untouched. OB_ENOTFOUND: no log is
 * there. OB_EINVAL: check->key is no key. OB_EIO, OB_ENOMEM. */
ob_status ob_audit_verify(ob_audit_report *out, const ob_audit_check *check, ob_error *err);

/* ---- Reading --------------------------------------------------------------------------------- */

/* An entry: `size` bytes of JSON on one line, not followed by a NUL. Anything but OB_OK ends the
 * reading and is what ob_audit_read returns. */
typedef ob_status (*ob_audit_take)(void *context, uint64_t number, const char *text, size_t size,
                                   ob_error *err);

/* Gives the entries from..to, both included (UINT64_MAX: to the end), in order. Each is compared
 * with its leaf hash: OB_EFORMAT where that does not fit. */
ob_status ob_audit_read(const char *audit_dir, uint64_t from, uint64_t to, ob_audit_take take,
                        void *context, ob_error *err);

/* ---- Proofs ---------------------------------------------------------------------------------- */

/* The tree under the last checkpoint, in memory: 72 bytes an entry. For many proofs. Not safe from
 * several threads at once. */
typedef struct ob_audit_tree ob_audit_tree;

/* *out is owned by the caller: ob_audit_tree_free. OB_EFORMAT: the log is not what the checkpoint
 * says. */
ob_status ob_audit_tree_open(ob_audit_tree **out, const char *audit_dir, ob_error *err);
/* Frees a tree. NULL is fine. */
void ob_audit_tree_free(ob_audit_tree *tree);
/* Returns the number of entries under the tree's checkpoint. */
uint64_t ob_audit_tree_size(const ob_audit_tree *tree);

/* Appends a file that proves, to anybody who has the key, that this entry is in the log
 * (c2sp.org/tlog-proof@v1). OB_ENOTFOUND: no checkpoint covers the entry. */
ob_status ob_audit_tree_prove(ob_buf *out, ob_audit_tree *tree, uint64_t entry, ob_error *err);

/* Appends a file that proves that the log still begins with everything under an older checkpoint
 * (obhut-consistency@v1). OB_EFORMAT: it does not, or `old_checkpoint` is no checkpoint;
 * OB_EREFUSED: that is one of another log. */
ob_status ob_audit_tree_prove_growth(ob_buf *out, ob_audit_tree *tree, const char *old_checkpoint,
                                     ob_error *err);

/* Appends the last checkpoint, whose signature is right: what to give away, so that the log can be
 * compared with it later. The log itself is not read. Errors as ob_audit_verify; OB_EFORMAT where
 * there is none. */
ob_status ob_audit_checkpoint(ob_buf *out, const char *audit_dir, ob_error *err);

/* Opens the tree, appends one proof as ob_audit_tree_prove does, and frees the tree. */
ob_status ob_audit_prove(ob_buf *out, const char *audit_dir, uint64_t entry, ob_error *err);
/* Opens the tree, appends one proof as ob_audit_tree_prove_growth does, and frees the tree. */
ob_status ob_audit_prove_growth(ob_buf *out, const char *audit_dir, const char *old_checkpoint,
                                ob_error *err);

typedef enum ob_audit_proof_kind { OB_AUDIT_INCLUDES, OB_AUDIT_GREW } ob_audit_proof_kind;

/* What a proof shows. */
typedef struct ob_audit_proof {
    ob_audit_proof_kind kind;
    uint64_t entry;                 /* OB_AUDIT_INCLUDES */
    ob_buf text;                    /* and what it says; ob_buf_free */
    uint64_t old_size;              /* OB_AUDIT_GREW */
    char old_at[OB_AUDIT_TIME + 1]; /* and when that was */
    uint64_t size;                  /* of the log at the (newer) checkpoint */
    char at[OB_AUDIT_TIME + 1];
    char key[OB_AUDIT_KEY + 1];
} ob_audit_proof;

/* Checks a proof with nothing but the key (a line as `key` has it). Sets *out only on OB_OK.
 * OB_EFORMAT: no proof, or it does not hold; OB_EREFUSED: signed by another key; OB_EINVAL: `key`
 * is no key. */
ob_status ob_audit_check_proof(ob_audit_proof *out, const char *text, size_t size, const char *key,
                               ob_error *err);

#endif
