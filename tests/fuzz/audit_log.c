/* Any three files as a log. Where the first byte says so, the lines get their hashes and the
 * checkpoints their signatures: what stands behind them is what is tried. Verifying ends with a
 * report or a sentence, reading with entries that fit their hashes, and a service opens nothing
 * that does not verify.
 *
 * The files are separated by a zero byte: the log, then the checkpoints. */
#include "../unit/folder.h"
#include "audit_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct place {
    char dir[TEST_FOLDER_SIZE], audit[80];
    ob_sign_key pair;
    log_key name;
    ob_sha256_sum *sum;
} place;

static void save(const char *dir, const char *name, const void *bytes, size_t size)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    close(file);
}

static void clean_up(void);
static place here;

static const place *get_place(void)
{
    uint8_t seed[OB_KEY_SIZE] = {42};
    char keys[80];
    if (here.sum)
        return &here;
    if (!test_folder(here.dir) || ob_crypto_start(NULL) || ob_sha256_begin(&here.sum, NULL))
        abort();
    snprintf(here.audit, sizeof here.audit, "%s/audit", here.dir);
    snprintf(keys, sizeof keys, "%s/keys", here.dir);
    if (mkdir(here.audit, 0700) || mkdir(keys, 0700))
        abort();
    save(keys, "audit", seed, sizeof seed);
    ob_sign_start(&here.pair, seed);
    if (key_of(&here.name, here.pair.public_key, NULL))
        abort();
    atexit(clean_up);
    return &here;
}

static void clean_up(void)
{
    static const char *const names[] = {
        "audit/log", "audit/checkpoints", "audit/key", "keys/audit", "audit", "keys", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", here.dir, names[i]);
        remove(path);
    }
    ob_sha256_drop(&here.sum);
}

/* Each line without its hash becomes one with it. */
static void hash_lines(ob_buf *out, const place *p, const char *text, size_t size)
{
    for (const char *at = text, *end = text + size; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
        char digits[2 * OB_AUDIT_HASH + 1];
        tree_hash leaf;
        tree_leaf(&leaf, p->sum, at, length, NULL);
        ob_hex(digits, leaf.bytes, OB_AUDIT_HASH);
        ob_buf_printf(out, NULL, "%s ", digits);
        ob_buf_append(out, at, length + (newline ? 1 : 0), NULL);
        at += length + 1;
    }
}

/* Each text up to an empty line becomes a note. */
static void sign_notes(ob_buf *out, const place *p, const char *text, size_t size)
{
    for (const char *at = text, *end = text + size; at < end;) {
        uint8_t coded[KEY_ID + OB_SIGNATURE_SIZE];
        const char *empty = memmem(at, (size_t)(end - at), "\n\n", 2);
        size_t length = empty ? (size_t)(empty - at) + 1 : (size_t)(end - at), start = out->size;
        ob_buf_printf(out, NULL, "%s\n", p->name.name);
        ob_buf_append(out, at, length, NULL);
        memcpy(coded, p->name.id, KEY_ID);
        ob_sign(coded + KEY_ID, &p->pair, out->bytes + start, out->size - start);
        ob_buf_printf(out, NULL, "\n\xE2\x80\x94 %s ", p->name.name);
        ob_base64(out, coded, sizeof coded, NULL);
        ob_buf_append(out, "\n", 1, NULL);
        at += length + 1;
    }
}

static ob_status count(void *context, uint64_t number, const char *text, size_t size, ob_error *err)
{
    uint64_t *next = context;
    (void)err;
    if (number != (*next)++ || !size || text[size - 1] != '}')
        abort();
    return OB_OK;
}

/* What a service goes on with is a log that verifies, also afterwards. */
static void open_and_close(const place *p, const ob_audit_check *check,
                           const ob_audit_report *before)
{
    ob_audit *audit = NULL;
    ob_audit_report after;
    ob_audit_options options = {.dir = p->dir};
    if (ob_audit_open(&audit, &options, NULL))
        return;
    if (ob_audit_size(audit) < before->entries && before->fine)
        abort();
    if (ob_audit_append(NULL, audit, "word", NULL, NULL) || ob_audit_close(audit, NULL))
        abort();
    if (before->fine && (ob_audit_verify(&after, check, NULL) || !after.fine))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const place *p = get_place();
    const char *text = (const char *)bytes + 1;
    ob_buf log = {0}, notes = {0}, proof = {0};
    char key[OB_AUDIT_KEY + 2];
    ob_audit_report report = {0};
    ob_audit_check check = {.dir = p->audit};
    uint64_t next = 0;
    if (!size-- || key_print(key, &p->name, NULL))
        return 0;
    const char *zero = memchr(text, '\0', size);
    size_t first = zero ? (size_t)(zero - text) : size, second = zero ? size - first - 1 : 0;
    if (bytes[0] & 1)
        hash_lines(&log, p, text, first);
    else
        ob_buf_append(&log, text, first, NULL);
    if (bytes[0] & 2 && zero)
        sign_notes(&notes, p, zero + 1, second);
    else if (zero)
        ob_buf_append(&notes, zero + 1, second, NULL);
    key[OB_AUDIT_KEY] = '\n';
    save(p->audit, "key", key, OB_AUDIT_KEY + 1);
    save(p->audit, "log", log.bytes ? log.bytes : "", log.size);
    save(p->audit, "checkpoints", notes.bytes ? notes.bytes : "", notes.size);
    if (ob_audit_verify(&report, &check, NULL) || (!report.fine && !*report.problem))
        abort();
    ob_audit_read(p->audit, 0, UINT64_MAX, count, &next, NULL);
    if (report.fine && next != report.entries)
        abort();
    if (report.fine && report.covered && ob_audit_prove(&proof, p->audit, report.covered - 1, NULL))
        abort();
    open_and_close(p, &check, &report);
    ob_buf_free(&log);
    ob_buf_free(&notes);
    ob_buf_free(&proof);
    return 0;
}
