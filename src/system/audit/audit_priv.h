/* The parts of audit: entry.c is what an entry says; tree.c hashes; key.c and note.c know keys and
 * checkpoints as text, line.c lines of the log, mac.c who wrote them; files.c opens and writes
 * files. For the process that writes: open.c reads what is there when the log is opened, log.c
 * appends, checkpoint.c writes checkpoints. For readers: reader.c opens a directory, lines.c reads
 * `log` line by line, notes.c `checkpoints` one by one, locate.c finds where damage is; verify.c,
 * read.c, prove.c and check.c are what users call. */
#ifndef OBHUT_AUDIT_PRIV_H
#define OBHUT_AUDIT_PRIV_H

#include <obhut/audit.h>
#include <obhut/crypto.h>

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

/* What a person should do about a damaged log. */
#define AUDIT_ADVICE "`obhut audit verify` says what is wrong"

/* The sentence about an entry that no checkpoint covers and that has no MAC of this log. */
#define MAC_WRONG "it was not appended by this service (its MAC is not made with keys/audit)"

/* ---- entry.c --------------------------------------------------------------------------------- */

/* Returns the entry's JSON, which stays the entry's; NULL where there is no entry, or it has
 * failed. */
const json_t *entry_members(const ob_entry *entry);

/* ---- tree.c: RFC 9162, section 2.1 ----------------------------------------------------------- */

typedef struct tree_hash {
    uint8_t bytes[OB_AUDIT_HASH];
} tree_hash;

ob_status tree_leaf(tree_hash *out, ob_sha256_sum *sum, const char *text, size_t size,
                    ob_error *err);
ob_status tree_node(tree_hash *out, ob_sha256_sum *sum, const tree_hash *left,
                    const tree_hash *right, ob_error *err);
bool tree_same(const tree_hash *a, const tree_hash *b);

/* A tree that only grows needs no more than the roots of its maximal complete subtrees, left to
 * right: one for each bit of its size. */
enum { TREE_HEIGHT_MAX = 64 };
typedef struct tree_frontier {
    uint64_t size;
    tree_hash roots[TREE_HEIGHT_MAX];
} tree_frontier;

unsigned tree_roots(uint64_t size); /* how many such subtrees */
ob_status tree_push(tree_frontier *frontier, ob_sha256_sum *sum, const tree_hash *leaf,
                    ob_error *err);
/* The root of the whole tree: all subtrees folded together; SHA-256 of nothing for size 0. */
ob_status tree_root(tree_hash *out, const tree_frontier *frontier, ob_sha256_sum *sum,
                    ob_error *err);

/* ---- key.c ----------------------------------------------------------------------------------- */

enum { KEY_ID = 4, KEY_LINE = OB_AUDIT_KEY + 1 }; /* KEY_LINE counts the newline */

/* Who signs: the name follows from the public key, the id from both. */
typedef struct log_key {
    char name[OB_AUDIT_NAME + 1];
    uint8_t id[KEY_ID];
    uint8_t public_key[OB_SIGN_PUBLIC];
} log_key;

ob_status key_of(log_key *out, const uint8_t public_key[OB_SIGN_PUBLIC], ob_error *err);
/* NAME+ID+BASE64, without newline, and a NUL. */
ob_status key_print(char out[OB_AUDIT_KEY + 1], const log_key *key, ob_error *err);
/* Reads what key_print writes, and nothing else but one newline. OB_EFORMAT. */
ob_status key_parse(log_key *out, const char *text, size_t size, ob_error *err);
bool key_same(const log_key *a, const log_key *b);

/* ---- note.c ---------------------------------------------------------------------------------- */

/* One checkpoint. */
typedef struct note {
    uint64_t bytes;  /* of the log */
    uint64_t before; /* the size at the checkpoint before this one */
    char at[OB_AUDIT_TIME + 1];
    tree_frontier frontier; /* with the size */
    tree_hash root;
} note;

bool note_line_is_allowed(const char *line);

/* Appends the signed text; lines: those of the caller, NULL at the end, may be NULL. */
ob_status note_print(ob_buf *out, const note *note, const log_key *name, const ob_sign_key *key,
                     const char *const *lines, ob_error *err);

typedef enum note_kind {
    NOTE_STORED, /* as in `checkpoints`: one signature, and other text may follow */
    NOTE_ALONE,  /* from outside: others may have signed too, and nothing follows */
} note_kind;

/* How a checkpoint must be: of which form, and signed by whom. `sum` is the caller's, to hash with.
 */
typedef struct note_rule {
    note_kind kind;
    const log_key *key;
    ob_sha256_sum *sum;
} note_rule;

/* Reads the checkpoint at the beginning of `text` and sets *used to its bytes. *out is undefined on
 * error.
 * OB_ENOTFOUND  it has no end: a write that did not finish
 * OB_EFORMAT    no checkpoint, its parts contradict each other, or the signature does not fit
 * OB_EREFUSED   signed by another key, or by the right one in a newer format */
ob_status note_parse(note *out, size_t *used, const char *text, size_t size, const note_rule *rule,
                     ob_error *err);

/* Reads a number without sign or leading zero, up to `end`. */
bool number_parse(uint64_t *out, const char *text, const char *end);
void time_print(char out[OB_AUDIT_TIME + 1], int64_t seconds);
bool time_is_valid(const char *text, size_t length);

/* ---- line.c ---------------------------------------------------------------------------------- */

/* A line of `log`: the leaf hash in hexadecimal digits, a space, the entry, a newline. */
enum { LINE_HEAD = 2 * OB_AUDIT_HASH + 1, LINE_MAX = LINE_HEAD + OB_AUDIT_ENTRY_MAX + 1 };

typedef struct line {
    tree_hash stored;
    const char *text; /* the entry */
    size_t size;
    uint64_t number;
    const char *at; /* OB_AUDIT_TIME characters */
    const char *what;
    size_t what_length;
} line;

/* Read the two parts of a line without its newline: the hash, and the entry. OB_EFORMAT: the part
 * has another form, and *bad is its first wrong byte. Neither function computes a hash. */
ob_status line_head(line *out, size_t *bad, const char *bytes, size_t size, ob_error *err);
/* Call this after line_head. */
ob_status line_entry(line *out, size_t *bad, ob_error *err);
bool word_is_valid(const char *word);

/* ---- mac.c ----------------------------------------------------------------------------------- */

/* The last member of an entry that a service wrote: a MAC, made with the log's key, over the entry
 * and the one before it. Until a checkpoint signs the entry, the MAC shows that the service wrote
 * it. */
#define LINE_MAC ",\"mac\":\""
enum { MAC_SIZE = 16, MAC_TEXT = sizeof LINE_MAC - 1 + 2 * MAC_SIZE + 2 }; /* with the end: "} */

typedef struct mac_key {
    uint8_t bytes[OB_KEY_SIZE];
} mac_key;
void mac_key_of(mac_key *out, const uint8_t seed[OB_KEY_SIZE]);
/* What the MAC of an entry is over: its text up to LINE_MAC, and the leaf of the entry before it,
 * zeros where there is none. */
typedef struct mac_input {
    const tree_hash *before;
    const char *text;
    size_t size;
} mac_input;
/* Writes the end of an entry: LINE_MAC, the MAC and "}. */
ob_status mac_of(char out[MAC_TEXT + 1], const mac_key *key, const mac_input *input,
                 ob_sha256_sum *sum, ob_error *err);
/* Sets *is_own to whether the entry ends in the MAC that it should have. */
ob_status mac_check(bool *is_own, const mac_key *key, const tree_hash *before, const line *line,
                    ob_sha256_sum *sum, ob_error *err);

/* ---- files.c --------------------------------------------------------------------------------- */

/* Opens a directory without following a symbolic link. Where there is none and `above` names the
 * one above it, it is made and given to the owner of that. */
ob_status dir_open(int *out, const char *path, const char *above, ob_error *err);
/* Checks that only its owner may write to a directory. OB_EREFUSED. */
ob_status dir_check(int dir, const char *path, ob_error *err);
/* Opens a regular file in a directory; `flags` of open(2). OB_ENOTFOUND, OB_EREFUSED, OB_EIO. */
ob_status file_open(int *out, int dir, const char *name, int flags, ob_error *err);
ob_status file_size(uint64_t *out, int file, const char *name, ob_error *err);
/* Reads exactly `size` bytes at `offset`. */
ob_status file_read(void *out, int file, const char *name, uint64_t offset, size_t size,
                    ob_error *err);
ob_status file_sync(int file, const char *name, ob_error *err);

/* The end of a file that only grows, by complete and durable writes. A failed write is cut off, at
 * once or before the next attempt. One thread at a time. */
typedef struct tail {
    int file;
    const char *name;
    uint64_t bytes;  /* durable */
    bool dirty;      /* a failed write may stand behind them */
    int64_t checked; /* the tick of the clock of the last tail_check; -1: check now */
} tail;
/* Whether `path` still is this file, as long as it is known to be: a directory that was removed or
 * exchanged, or a file that somebody else changes, keeps nothing. Looks once a tick of the kernel's
 * clock, which is some thousandths of a second, and at once where it was not right. OB_EIO. */
ob_status tail_check(tail *tail, const char *path, ob_error *err);
ob_status tail_write(tail *tail, const char *bytes, size_t size, ob_error *err);
/* Cuts the file after `bytes`, durably. */
ob_status tail_cut(tail *tail, ob_error *err);

/* ---- lines.c: `log`, line by line ------------------------------------------------------------ */

/* A file that is read from front to back, a piece at a time. */
typedef struct stream {
    int dir, file;
    const char *name;
    char *buffer;
    size_t capacity, start, filled;
    uint64_t at;  /* the file's offset of buffer[start] */
    uint64_t end; /* read up to this offset */
} stream;

/* `piece`: at least twice the size of the largest part that is read as one. */
ob_status stream_open(stream *out, int dir, const char *name, size_t piece, ob_error *err);
void stream_close(stream *s);
void stream_seek(stream *s, uint64_t offset);
/* Reads until `want` bytes (or all up to the end) stand at buffer[start]; *got says how many do. */
ob_status stream_fill(size_t *got, stream *s, size_t want, ob_error *err);
void stream_take(stream *s, size_t bytes);
/* Call this where the file ends in the middle of an entry. Where a service writes the file, waits
 * until there is more and reads on; *more is false where no process writes it. */
ob_status stream_wait(bool *more, stream *s, ob_error *err);

typedef enum lines_found { LINES_LINE, LINES_END, LINES_TORN, LINES_LONG } lines_found;
ob_status lines_open(stream *out, int dir, ob_error *err);
/* Reads the next line. LINES_LINE: *bytes is valid until the next call, and *size does not count
 * the newline. Otherwise nothing is consumed: this is the end, a line without a newline, or one
 * that is too long. */
ob_status lines_next(lines_found *found, const char **bytes, size_t *size, stream *s,
                     ob_error *err);
/* Moves to the line of this entry; to the end where there is none. */
ob_status lines_seek(stream *s, uint64_t entry, ob_error *err);

/* ---- notes.c: `checkpoints`, one by one ------------------------------------------------------ */

ob_status notes_open(stream *out, int dir, ob_error *err);
/* *is_there is false at the end. As note_parse; then s->at is where the bad one begins. */
ob_status notes_next(note *out, bool *is_there, stream *s, const log_key *key, ob_sha256_sum *sum,
                     ob_error *err);

/* The first `size` bytes of an open file of checkpoints, which must be signed with `key`. */
typedef struct notes_file {
    int file;
    uint64_t size;
    const log_key *key;
    ob_sha256_sum *sum;
} notes_file;

/* Reads the last complete checkpoint of a file. *is_there is false where there is none; *end is
 * where it ends; `text` is given its text. */
ob_status notes_last(note *out, bool *is_there, uint64_t *end, ob_buf *text, const notes_file *in,
                     ob_error *err);

/* ---- reader.c: what everybody needs who reads a directory ------------------------------------ */

typedef struct reader {
    int dir;
    log_key key;
    ob_sha256_sum *sum;
} reader;

ob_status reader_dir(int *out, const char *path, ob_error *err);
ob_status reader_key(log_key *out, int dir, ob_error *err);
/* Opens the directory, reads the key, and begins a sum. */
ob_status reader_open(reader *out, const char *path, ob_error *err);
void reader_close(reader *r);

/* ---- locate.c -------------------------------------------------------------------------------- */

/* The tree so far, with the offsets of its subtrees in the file. */
typedef struct audit_walk {
    tree_frontier frontier;
    uint64_t starts[TREE_HEIGHT_MAX];
} audit_walk;
ob_status walk_push(audit_walk *walk, ob_sha256_sum *sum, const tree_hash *leaf, uint64_t offset,
                    ob_error *err);

/* The first subtree in which two trees of the same size differ. */
typedef struct walk_place {
    uint64_t entry, offset;
} walk_place;
walk_place walk_differs(const audit_walk *walk, const tree_frontier *other);

typedef struct located {
    uint64_t offset;
    const char *what;
} located;
/* A line whose hash and entry do not fit each other. */
typedef struct wrong_line {
    const line *line;
    const char *bytes;
    uint64_t offset;  /* where it begins */
    const note *next; /* the checkpoint that covers it; NULL: none does */
} wrong_line;
/* Finds out what is wrong with a line; `log` stands behind it, `frontier` before it. Reads on to
 * wrong->next to see whether the hash or the entry is right. Nothing can be verified with `log`
 * after that. */
ob_status locate(located *out, stream *log, const tree_frontier *frontier, const wrong_line *wrong,
                 ob_sha256_sum *sum, ob_error *err);

/* ---- The log that is open -------------------------------------------------------------------- */

/* A thread that waits for its entry. Lives on that thread's stack. */
typedef struct waiter {
    struct waiter *next;
    pthread_cond_t woken;
    bool leads, done;
    ob_status status;
    ob_error err;
} waiter;

/* Entries that are written together. */
typedef struct batch {
    ob_buf text, leaves;
    uint64_t count;
    waiter *first, *last;
} batch;

struct ob_audit {
    int dir; /* also the lock */
    char **lines;
    unsigned checkpoint_ms;
    int64_t (*now)(void *context);
    void (*problem)(void *context, const char *sentence);
    void *context;
    log_key name;
    ob_sign_key key;
    mac_key mac;
    bool has_macs; /* entries that no checkpoint covers must have MACs: the records know this log */

    pthread_mutex_t lock; /* of what follows */
    ob_sha256_sum *sum;
    int64_t at_second; /* of which `at` is the text */
    char at[OB_AUDIT_TIME + 1];
    tree_frontier frontier; /* of what is durable */
    tree_hash tip;          /* the leaf of its last entry; zeros where there is none */
    uint64_t log_bytes;     /* that it is made of */
    char *log_path;         /* entries count only while the file has this path */
    tail log;               /* used by the leading thread alone, without a lock */
    tree_frontier next;     /* what the frontier will be when that is written; likewise */
    batch gathering, writing;
    bool somebody_writes;
    uint64_t refused; /* entries, since writing failed */

    pthread_mutex_t signing; /* taken before `lock`; of what follows */
    ob_sha256_sum *note_sum;
    char *notes_path;
    tail notes;
    uint64_t covered, signed_bytes; /* what the last checkpoint covers */
    tree_hash signed_root;

    pthread_mutex_t hearing; /* of what follows */
    void (*hear)(void *context, const ob_audit_signed *is_signed);
    void *hear_context;
    uint64_t heard; /* the last number of entries that was reported */

    atomic_bool log_fine, notes_fine;
    atomic_llong writing_since; /* monotonic ms; 0: nothing is being written to the log */

    pthread_mutex_t sleep;
    pthread_cond_t wake;
    bool stop;
    bool has_signer;
    pthread_t signer;
};

/* log.c */
void audit_report(ob_audit *audit, atomic_bool *fine, bool works, const char *sentence);
int64_t audit_now(const ob_audit *audit);

/* open.c: fills what the files say. */
typedef struct repair {
    uint64_t log_bytes, note_bytes; /* that were cut off */
    uint64_t following;             /* entries behind what is known to have been signed */
} repair;
ob_status audit_load(ob_audit *audit, const ob_audit_options *options, repair *cut, ob_error *err);

/* known.c: sets *out to the checkpoint that is known, which `checkpoints` must still have. */
ob_status known_check(note *out, const ob_audit_signed *known, const notes_file *notes,
                      ob_error *err);
/* Checks whether `entries` entries and `torn` bytes may follow the known checkpoint at `offset`. */
ob_status known_check_end(const ob_audit_signed *known, uint64_t covered, uint64_t entries,
                          uint64_t torn, uint64_t offset, ob_error *err);

/* checkpoint.c */
ob_status audit_signer_start(ob_audit *audit, ob_error *err);
void audit_signer_stop(ob_audit *audit);
/* Completes a checkpoint over note->frontier and note->bytes: sets its instant and root, and *out
 * to its text. */
ob_status audit_note(ob_buf *out, note *note, ob_audit *audit, ob_sha256_sum *sum, ob_error *err);

#endif
