/* The audit log with a million entries: appending beside the same disk's bare fdatasync, verifying
 * beside SHA-256 over the same bytes, proving. */
#include "bench.h"

#include <obhut/audit.h>
#include <obhut/crypto.h>

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRY = 300, MILLION = 1000000, THREADS_MOST = 64 };

static void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

typedef struct log {
    char dir[64], audit[80];
    ob_audit *audit_log;
    double until;
    uint64_t most; /* entries */
    int bare;      /* a file beside it */
    uint64_t bare_bytes;
} log;

/* ---- Appending ------------------------------------------------------------------------------- */

/* Lines of about ENTRY bytes, as the service writes them. */
static void *append(void *context)
{
    log *l = context;
    ob_error err = {0};
    ob_entry *members = ob_entry_new();
    ob_entry_text(members, "account", "account:9c56cc51b374c3ba189210d5b6d4bf57");
    ob_entry_text(members, "by", "person:a443ee2e95c31b7af146c583c293f7de");
    ob_entry_text(members, "reason", "0b1f2b7c5d3a4e6f8091a2b3c4d5e6f708192a3b4c5d6e7f");
    ob_entry_number(members, "days", 30);
    ob_entry_text(members, "basis", "voluntary");
    while (bench_now() < l->until) {
        uint64_t number;
        must(ob_audit_append(&number, l->audit_log, "cause.begun", members, &err), &err);
        if (number >= l->most)
            break;
    }
    ob_entry_free(members);
    return NULL;
}

/* Entries a second. */
static double append_with(log *l, int threads, double seconds, uint64_t most)
{
    pthread_t thread[THREADS_MOST];
    uint64_t before = ob_audit_size(l->audit_log);
    double started = bench_now();
    l->until = started + seconds;
    l->most = most;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, append, l))
            abort();
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return (double)(ob_audit_size(l->audit_log) - before) / (bench_now() - started);
}

/* Writes of ENTRY bytes to a file that grows, each made durable, a second: what the disk can do. */
static double bare(log *l, double seconds)
{
    char bytes[ENTRY];
    uint64_t done = 0;
    memset(bytes, 'x', sizeof bytes);
    double started = bench_now();
    for (; bench_now() < started + seconds; done++, l->bare_bytes += ENTRY)
        if (pwrite(l->bare, bytes, ENTRY, (off_t)l->bare_bytes) != ENTRY || fdatasync(l->bare)) {
            perror("bench");
            exit(1);
        }
    return (double)done / (bench_now() - started);
}

/* In many short turns: a disk that is shared has moods. */
static void print_appends(log *l)
{
    enum { TURNS = 15 };
    static const int counts[] = {1, 8, 64};
    char path[100];
    snprintf(path, sizeof path, "%s/bare", l->dir);
    l->bare = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bare(l, 0.2); /* warm */
    append_with(l, 8, 0.2, UINT64_MAX);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double own = 0, other = 0;
        for (int turn = 0; turn < TURNS; turn++) {
            other += bare(l, 0.15) / TURNS;
            own += append_with(l, counts[i], 0.15, UINT64_MAX) / TURNS;
        }
        printf("    %8.2f x, %2d threads: %.0f entries/s, each durable; bare: %.0f/s\n",
               own / other, counts[i], own, other);
    }
}

/* ---- Verifying ---------------------------------------------------------------------------------
 */

typedef struct text {
    char *bytes;
    size_t size;
} text;

static text load(const log *l)
{
    char path[100];
    snprintf(path, sizeof path, "%s/log", l->audit);
    FILE *file = fopen(path, "rb");
    text t = {0};
    if (!file || fseek(file, 0, SEEK_END))
        abort();
    t.size = (size_t)ftell(file);
    t.bytes = malloc(t.size);
    rewind(file);
    if (!t.bytes || fread(t.bytes, 1, t.size, file) != t.size)
        abort();
    fclose(file);
    return t;
}

static void hash_all(void *context)
{
    const text *t = context;
    uint8_t digest[OB_SHA256_SIZE];
    ob_error err = {0};
    must(ob_sha256(digest, t->bytes, t->size, &err), &err);
}

static void verify(void *context)
{
    const log *l = context;
    ob_error err = {0};
    ob_audit_report report;
    ob_audit_check check = {.dir = l->audit};
    must(ob_audit_verify(&report, &check, &err), &err);
    if (!report.fine)
        abort();
}

static void print_verifying(log *l, uint64_t entries)
{
    text t = load(l);
    double hash = bench_median(hash_all, &t, 3), own = bench_median(verify, l, 3);
    printf(
        "    %8.2f x the time of SHA-256 over the same bytes: %.2f s, %.0f MB/s, %.0f entries/s; "
        "SHA-256: %.0f MB/s\n",
        own / hash, own, (double)t.size / own / 1e6, (double)entries / own,
        (double)t.size / hash / 1e6);
    free(t.bytes);
}

/* ---- Proving ------------------------------------------------------------------------------------
 */

typedef struct prover {
    ob_audit_tree *tree;
    uint64_t random;
    ob_buf proof;
    char key[OB_AUDIT_KEY + 1];
} prover;

enum { ROUND = 1000 };

static void prove(void *context)
{
    prover *p = context;
    ob_error err = {0};
    for (int i = 0; i < ROUND; i++) {
        p->proof.size = 0;
        must(ob_audit_tree_prove(&p->proof, p->tree,
                                 bench_random(&p->random) % ob_audit_tree_size(p->tree), &err),
             &err);
    }
}

static void check(void *context)
{
    prover *p = context;
    ob_error err = {0};
    for (int i = 0; i < ROUND; i++) {
        ob_audit_proof shown;
        must(ob_audit_check_proof(&shown, p->proof.bytes, p->proof.size, p->key, &err), &err);
        ob_buf_free(&shown.text);
    }
}

static void print_proofs(log *l)
{
    ob_error err = {0};
    ob_audit_report report;
    ob_audit_check what = {.dir = l->audit};
    prover p = {.random = 7};
    must(ob_audit_verify(&report, &what, &err), &err);
    memcpy(p.key, report.key, sizeof p.key);
    double started = bench_now();
    must(ob_audit_tree_open(&p.tree, l->audit, &err), &err);
    double opened = bench_now() - started, made = bench_median(prove, &p, 9);
    printf("    %8.0f proofs/s from one tree, which is there after %.2f s; %.0f checked/s\n",
           ROUND / made, opened, ROUND / bench_median(check, &p, 9));
    ob_audit_tree_free(p.tree);
    ob_buf_free(&p.proof);
}

/* ---- Everything
 * ---------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void begin(log *l, const char *where)
{
    ob_error err = {0};
    ob_audit_options options = {.dir = l->dir};
    snprintf(l->dir, sizeof l->dir, "%s/bench-audit-XXXXXX", where);
    if (!mkdtemp(l->dir)) {
        perror("bench: a directory for the log");
        exit(1);
    }
    snprintf(l->audit, sizeof l->audit, "%s/audit", l->dir);
    must(ob_audit_open(&l->audit_log, &options, &err), &err);
}

static void end(log *l)
{
    ob_error err = {0};
    must(ob_audit_close(l->audit_log, &err), &err);
    l->audit_log = NULL;
}

void bench_audit(void)
{
    log disk = {0}, memory = {0};
    ob_error err = {0};
    must(ob_crypto_start(&err), &err);
    printf("\naudit log, %d entries (references: pwrite of %d bytes and fdatasync; SHA-256)\n",
           MILLION, ENTRY);
    begin(&disk, "build"); /* where /tmp may be memory */
    print_appends(&disk);
    end(&disk);
    nftw(disk.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);

    begin(&memory, access("/dev/shm", W_OK) ? "build" : "/dev/shm"); /* what follows is no disk's */
    double rate = append_with(&memory, 1, 1000, MILLION);
    uint64_t entries = ob_audit_size(memory.audit_log);
    end(&memory);
    printf("    %8.0f entries/s without a disk, 1 thread\n", rate);
    double started = bench_now();
    const ob_audit_options again = {.dir = memory.dir};
    must(ob_audit_open(&memory.audit_log, &again, &err), &err);
    printf("    %8.2f ms to open it again\n", (bench_now() - started) * 1e3);
    end(&memory);
    print_verifying(&memory, entries);
    print_proofs(&memory);
    nftw(memory.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
