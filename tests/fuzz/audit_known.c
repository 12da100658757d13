/* Any end of a log that the records know, and any end of its checkpoints: what a start takes is
 * what the service had written, or the beginning of it; nothing else is signed.
 *
 * Pieces of both files, each a byte that says what, a byte that says which or how long, and perhaps
 * bytes: lines and checkpoints of this log and of another past of it, bytes as they are, bytes as
 * an entry with its hash. */
#include "../unit/folder.h"
#include "audit_priv.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SEALED = 3, ENTRIES = 6, PIECES_MOST = 16 };

/* A log whose process was killed: checkpoints over 0 and 3 entries; the one over 5 the records do
 * not know yet. */
typedef struct past {
    char dir[TEST_FOLDER_SIZE];
    char log[8192], notes[8192];
    size_t log_size, notes_size, lines[ENTRIES + 1], ends[4];
    ob_audit_signed known;
} past;

static past own, other;
static ob_sha256_sum *sum;

static void path_of(char out[160], const past *p, const char *name)
{
    snprintf(out, 160, "%s/%s", p->dir, name);
}

static void save(const past *p, const char *name, const void *bytes, size_t size)
{
    char path[160];
    path_of(path, p, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    close(file);
}

static size_t load(char *out, size_t most, const past *p, const char *name)
{
    char path[160];
    path_of(path, p, name);
    int file = open(path, O_RDONLY);
    ssize_t got = file < 0 ? -1 : read(file, out, most);
    if (got < 0 || (size_t)got == most)
        abort();
    close(file);
    return (size_t)got;
}

static void find_ends(past *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->log_size; i++)
        if (p->log[i] == '\n')
            p->lines[++n] = i + 1;
    if (n != ENTRIES)
        abort();
    n = 0;
    p->notes[p->notes_size] = '\0';
    for (char *at = p->notes; (at = strstr(at, "\n\n\xE2\x80\x94 ")) != NULL;) {
        at = strchr(at + 2, '\n') + 1;
        p->ends[++n] = (size_t)(at - p->notes);
    }
    if (n != 3)
        abort();
}

static void make(past *p, int first)
{
    const uint8_t seed[OB_KEY_SIZE] = {42};
    char keys[160];
    ob_audit *audit = NULL;
    if (!test_folder(p->dir))
        abort();
    path_of(keys, p, "keys");
    if (mkdir(keys, 0700))
        abort();
    save(p, "keys/audit", seed, sizeof seed);
    const ob_audit_options options = {.dir = p->dir};
    if (ob_audit_open(&audit, &options, NULL))
        abort();
    for (int n = 0; n < ENTRIES; n++) {
        ob_entry *members = ob_entry_new();
        ob_entry_number(members, "value", first + n);
        if (ob_audit_append(NULL, audit, "word", members, NULL))
            abort();
        ob_entry_free(members);
        if ((n == SEALED - 1 || n == 4) && ob_audit_sign(audit, NULL))
            abort();
        if (n == SEALED - 1)
            ob_audit_signed_now(&p->known, audit);
    }
    p->log_size = load(p->log, sizeof p->log, p, "audit/log");
    p->notes_size = load(p->notes, sizeof p->notes, p, "audit/checkpoints");
    if (ob_audit_close(audit, NULL))
        abort();
    find_ends(p);
}

static void clean_up(void)
{
    static const char *const names[] = {
        "audit/log", "audit/checkpoints", "audit/key", "keys/audit", "audit", "keys", ""};
    const past *const pasts[] = {&own, &other};
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        char path[160];
        path_of(path, pasts[i % 2], names[i / 2]);
        remove(path);
    }
    ob_sha256_drop(&sum);
}

static void begin(void)
{
    if (sum)
        return;
    if (ob_crypto_start(NULL) || ob_sha256_begin(&sum, NULL))
        abort();
    make(&own, 0);
    make(&other, 0x1000);
    atexit(clean_up);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

typedef struct files {
    ob_buf log, notes;
} files;

static void add_hashed(ob_buf *log, const uint8_t *bytes, size_t size)
{
    tree_hash leaf;
    char digits[2 * OB_AUDIT_HASH + 1];
    tree_leaf(&leaf, sum, (const char *)bytes, size, NULL);
    ob_hex(digits, leaf.bytes, OB_AUDIT_HASH);
    ob_buf_printf(log, NULL, "%s ", digits);
    ob_buf_append(log, bytes, size, NULL);
    ob_buf_append(log, "\n", 1, NULL);
}

/* Sets *used to the bytes behind the first two. */
static void add_piece(files *f, size_t *used, uint8_t kind, uint8_t which, const uint8_t *bytes,
                      size_t size)
{
    const past *from = kind & 1 ? &other : &own;
    const size_t line = which % ENTRIES, note = which % 3, length = which < size ? which : size;
    ob_buf *to = kind & 1 ? &f->notes : &f->log;
    *used = 0;
    switch (kind / 2 % 5) {
    case 0:
        ob_buf_append(&f->log, from->log + from->lines[line],
                      from->lines[line + 1] - from->lines[line], NULL);
        break;
    case 1:
        ob_buf_append(&f->notes, from->notes + from->ends[note],
                      from->ends[note + 1] - from->ends[note], NULL);
        break;
    case 2:
        ob_buf_append(to, bytes, length, NULL);
        *used = length;
        break;
    case 3:
        add_hashed(&f->log, bytes, length);
        *used = length;
        break;
    default: /* ends earlier */
        to->size -= to->size < which ? to->size : which;
    }
}

/* Up to the last line of both that is the same, and then at most what a start says. */
static void check_taken(void)
{
    static char log[1 << 16];
    const size_t size = load(log, sizeof log, &own, "audit/log");
    size_t lines = SEALED, at = own.lines[SEALED];
    for (; lines < ENTRIES; lines++) {
        const size_t length = own.lines[lines + 1] - own.lines[lines];
        if (at + length > size || memcmp(log + at, own.log + at, length) != 0)
            break;
        at += length;
    }
    for (unsigned said = 0; at < size; said++) {
        const char *newline = memchr(log + at, '\n', size - at);
        const size_t length = newline ? (size_t)(newline - log) + 1 - at : 0;
        if (!length || said == 2 ||
            (!memmem(log + at, length, "\"log.repaired\"", 14) &&
             !memmem(log + at, length, "\"log.unsealed\"", 14)))
            abort();
        at += length;
    }
}

static void open_log(const files *f, bool is_closed)
{
    ob_audit *audit = NULL;
    ob_audit_signed known = own.known;
    ob_error err = {0};
    known.is_closed = is_closed;
    const ob_audit_options options = {.dir = own.dir, .known = &known};
    save(&own, "audit/log", f->log.bytes, f->log.size);
    save(&own, "audit/checkpoints", f->notes.bytes, f->notes.size);
    if (ob_audit_open(&audit, &options, &err)) {
        if (!*err.text)
            abort();
        return;
    }
    if (ob_audit_close(audit, NULL))
        abort();
    check_taken();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    files f = {.log = {0}};
    begin();
    if (!size)
        return 0;
    const bool is_closed = bytes[0] & 1;
    ob_buf_append(&f.log, own.log, own.lines[SEALED], NULL);
    ob_buf_append(&f.notes, own.notes, own.ends[2], NULL);
    size_t at = 1;
    for (unsigned n = 0; n < PIECES_MOST && at + 2 <= size; n++) {
        size_t used = 0;
        add_piece(&f, &used, bytes[at], bytes[at + 1], bytes + at + 2, size - at - 2);
        at += 2 + used;
    }
    open_log(&f, is_closed);
    ob_buf_free(&f.log);
    ob_buf_free(&f.notes);
    return 0;
}
