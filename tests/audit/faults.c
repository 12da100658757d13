/* Walks one life of a log (open, append, seal, verify, prove, close), letting the 1st, 2nd, 3rd, …
 * allocation or call of a file fail, once or from then on, until it passes without a fault.
 * Whatever fails: a clear sentence or success, never another; and what was acknowledged is there,
 * in a log that verifies, when it is opened again.
 *
 * tests/cli/test_audit.py runs it; allocations fail with tests/fault/preload.c loaded. */
#include "../fault/walk.h"
#include "../unit/folder.h"

#include <obhut/audit.h>
#include <obhut/crypto.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES = 6 };

typedef struct life {
    char dir[TEST_FOLDER_SIZE], audit[80];
    bool kept[ENTRIES]; /* acknowledged, under the number below */
    uint64_t numbers[ENTRIES];
    bool failed; /* anything */
} life;

static void die(const char *what, const ob_error *err)
{
    printf("%s: %s\n", what, err ? err->text : "");
    exit(1);
}

/* An error has its own status and one whole sentence. */
static bool fine(life *l, ob_status status, const ob_error *err)
{
    if (!status)
        return true;
    if (err->status != status || strlen(err->text) < 10 || strchr(err->text, '\n'))
        die("an error without a clear sentence", err);
    if (status != OB_ENOMEM && status != OB_EIO)
        die("a fault that was taken for something else", err);
    l->failed = true;
    return false;
}

static void append_all(life *l, ob_audit *audit)
{
    for (int i = 0; i < ENTRIES; i++) {
        ob_error err = {0};
        ob_entry *members = ob_entry_new();
        ob_entry_number(members, "value", i);
        l->kept[i] = fine(l, ob_audit_append(&l->numbers[i], audit, "word", members, &err), &err);
        ob_entry_free(members);
        if (i % 3 == 2)
            fine(l, ob_audit_sign(audit, &err), &err);
    }
}

static void read_all(life *l)
{
    ob_error err = {0};
    ob_audit_report report;
    ob_buf proof = {0};
    ob_audit_check check = {.dir = l->audit};
    if (fine(l, ob_audit_verify(&report, &check, &err), &err) && !report.fine)
        die(report.problem, NULL);
    ob_status status = ob_audit_prove(&proof, l->audit, 0, &err);
    if (status != OB_ENOTFOUND)
        fine(l, status, &err);
    ob_buf_free(&proof);
}

static void live(life *l)
{
    ob_error err = {0};
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = l->dir, .checkpoint_ms = 1000000};
    if (!fine(l, ob_audit_open(&audit, &options, &err), &err))
        return;
    append_all(l, audit);
    read_all(l);
    fine(l, ob_audit_close(audit, &err), &err);
}

static ob_status compare(void *context, uint64_t number, const char *text, size_t size,
                         ob_error *err)
{
    life *l = context;
    (void)err;
    for (int i = 0; i < ENTRIES; i++) {
        char end[40];
        snprintf(end, sizeof end, "\"value\":%d,\"mac\":", i);
        if (l->kept[i] && l->numbers[i] == number)
            l->kept[i] = !memmem(text, size, end, strlen(end));
    }
    return OB_OK;
}

/* Without faults: everything is there, and it goes on. */
static void look(life *l)
{
    ob_error err = {0};
    ob_audit *audit = NULL;
    ob_audit_report report;
    ob_audit_options options = {.dir = l->dir};
    ob_audit_check check = {.dir = l->audit};
    if (ob_audit_open(&audit, &options, &err) || ob_audit_append(NULL, audit, "word", NULL, &err) ||
        ob_audit_close(audit, &err) || ob_audit_verify(&report, &check, &err))
        die("it does not go on", &err);
    if (!report.fine)
        die(report.problem, NULL);
    if (ob_audit_read(l->audit, 0, UINT64_MAX, compare, l, &err))
        die("it cannot be read", &err);
    for (int i = 0; i < ENTRIES; i++)
        if (l->kept[i])
            die("an acknowledged entry is not there", NULL);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static unsigned walk(walk_kind kind, bool from_then_on)
{
    for (unsigned long n = 1;; n++) {
        life l = {.failed = false};
        if (!test_folder(l.dir))
            die("no directory", NULL);
        snprintf(l.audit, sizeof l.audit, "%s/audit", l.dir);
        walk_arm(kind, n, from_then_on);
        live(&l);
        bool reached = walk_disarm() >= n;
        look(&l);
        nftw(l.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        if (!reached && l.failed)
            die("something failed without a fault", NULL);
        if (!reached)
            return (unsigned)n - 1;
    }
}

int main(void)
{
    static const walk_kind kinds[] = {WALK_ALLOC, WALK_CHANGE, WALK_FILE};
    ob_error err = {0};
    uint8_t digest[OB_SHA256_SIZE]; /* by the first one, libcrypto gets ready */
    if (ob_crypto_start(&err) || ob_sha256(digest, "", 0, &err))
        die("it does not begin", &err);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int ever = 0; ever < 2 && walk_can(kinds[k]); ever++)
            printf("every %s %s: %u faults\n", walk_name(kinds[k]), ever ? "from then on" : "once",
                   walk(kinds[k], ever));
    return 0;
}
