/* Makes a backup and restores it, letting the 1st, 2nd, 3rd, … allocation or call of a file fail,
 * once or from then on, until there is no fault left. Whatever fails: a sentence, no backup that
 * passes for one, no half directory, and the next attempt works.
 *
 * There are tens of thousands: every one of the first, then some, the more the higher DENSITY.
 *
 *     backup-faults DENSITY SEED
 *
 * tests/cli/test_backup.py runs it in a directory of its own; allocations fail with preload.c
 * loaded. */
#include "../unit/once.h"
#include "walk.h"

#include <obhut/backup.h>
#include <obhut/crypto.h>
#include <obhut/lists.h>
#include <obhut/records/token.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As where: what was tried, the fault's number. */
typedef struct where {
    const char *what;
    walk_kind kind;
    unsigned long n;
    bool from_then_on;
} where;

static void fail(const where *w, const char *problem, const ob_error *err)
{
    fprintf(stderr, "%s, %s %lu%s: %s: %s\n", w->what, walk_name(w->kind), w->n,
            w->from_then_on ? " and on" : "", problem, err ? err->text : "");
    exit(1);
}

/* The same error in status and sentence. */
static void check_error(const where *w, ob_status status, const ob_error *err)
{
    if (err->status != status || strlen(err->text) < 10 || strchr(err->text, '\n'))
        fail(w, "an error without a clear sentence", err);
}

typedef struct fixture {
    ob_store *store;
    ob_audit *audit;
    ob_seal_public key;
    ob_seal_secret secret;
} fixture;

static const char source_dir[] = "data", target[] = "new", file_name[] = "b.obb";

static void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void open_all(fixture *f)
{
    ob_error err = {0};
    const ob_audit_options options = {.dir = source_dir};
    must(ob_store_open(&f->store, source_dir, NULL, &err), &err);
    must(ob_audit_open(&f->audit, &options, &err), &err);
    must(ob_audit_append(NULL, f->audit, "test", NULL, &err), &err); /* something to seal */
}

static void close_all(fixture *f)
{
    ob_audit_close(f->audit, NULL);
    ob_store_close(f->store);
}

/* ---- Making ---------------------------------------------------------------------------------- */

static ob_status make(const fixture *f, ob_error *err)
{
    const ob_backup_source source = {.dir = source_dir, .store = f->store, .audit = f->audit};
    ob_backup_about about;
    int file = open(file_name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ob_status status = file < 0 ? ob_fail(err, OB_EIO, "%s: %s", file_name, strerror(errno))
                                : ob_backup_make(&about, file, &f->key, &source, err);
    if (file >= 0)
        close(file);
    return status;
}

static ob_status show(const fixture *f, ob_error *err)
{
    ob_backup_about about;
    int file = open(file_name, O_RDONLY | O_CLOEXEC);
    ob_status status = ob_backup_show(&about, file, &f->secret, NULL, NULL, err);
    close(file);
    return status;
}

/* True where there was a fault. */
static bool try_make(fixture *f, where *w)
{
    ob_error err = {0}, shown = {0};
    w->what = "make";
    open_all(f);
    walk_arm(w->kind, w->n, w->from_then_on);
    ob_status status = make(f, &err);
    bool met = walk_disarm() >= w->n;
    close_all(f);
    if (status)
        check_error(w, status, &err);
    if (status && !met)
        fail(w, "it failed without a fault", &err);
    if (!status != !show(f, &shown))
        fail(w, "what passes for a backup is not what was made", &shown);
    return met;
}

/* ---- Restoring ------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 10, FTW_DEPTH | FTW_PHYS);
}

static ob_status restore(const fixture *f, ob_error *err)
{
    const ob_backup_target wanted = {.dir = target};
    ob_backup_about about;
    int file = open(file_name, O_RDONLY | O_CLOEXEC);
    ob_status status = ob_backup_restore(&about, file, &f->secret, &wanted, err);
    close(file);
    return status;
}

/* The directory can be worked with. */
static void check_whole(const where *w)
{
    ob_error err = {0};
    ob_store *store = NULL;
    ob_audit *audit = NULL;
    ob_lists *lists = NULL;
    ob_token *tokens = NULL;
    size_t count = 0;
    const ob_audit_options options = {.dir = target};
    ob_status status = ob_store_open(&store, target, NULL, &err);
    if (!status)
        status = READS(store, &err, ob_store_tokens(&tokens, &count, view, &err));
    if (!status)
        status = ob_audit_open(&audit, &options, &err);
    if (!status)
        status = ob_lists_open(&lists, target, &err);
    if (status || count != 1)
        fail(w, "the directory is not whole", &err);
    free(tokens);
    ob_lists_close(lists);
    ob_audit_close(audit, NULL);
    ob_store_close(store);
}

static bool try_restore(fixture *f, where *w)
{
    ob_error err = {0};
    w->what = "restore";
    walk_arm(w->kind, w->n, w->from_then_on);
    ob_status status = restore(f, &err);
    bool met = walk_disarm() >= w->n;
    bool is_there = !access(target, F_OK);
    if (status)
        check_error(w, status, &err);
    if (status && !met)
        fail(w, "it failed without a fault", &err);
    /* Only the last step may fail with the directory at its place, and says so. */
    if (!status != is_there && !(is_there && strstr(err.text, "is restored, but")))
        fail(w, "the directory is there and should not be, or the other way round", &err);
    if (is_there)
        check_whole(w);
    remove_tree(target);
    return met;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void set_up(fixture *f)
{
    ob_error err = {0};
    const ob_token token = {.name = "forum", .surfaces = 1, .scopes = 1};
    const ob_import import = {.file = "list.txt", .name = "known", .type = OB_IMPORT_PDQ};
    ob_import_result result;
    ob_lists *lists = NULL;
    must(ob_crypto_start(&err), &err);
    ob_seal_pair(&f->key, &f->secret);
    must(ob_lists_own(&lists, source_dir, &err), &err);
    must(ob_lists_import(&result, lists, &import, &err), &err);
    ob_lists_close(lists);
    if (mkdir("data/keys", 0700))
        exit(1);
    open_all(f);
    must(WRITES(f->store, &err, ob_store_token_add(w, &token, &err)), &err);
    must(make(f, &err), &err);
    close_all(f);
}

int main(int argc, char **argv)
{
    static const walk_kind kinds[] = {WALK_ALLOC, WALK_CHANGE, WALK_FILE};
    bool (*const tries[])(fixture * f, where * w) = {try_make, try_restore};
    unsigned long density = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, faults = 0;
    fixture f = {0};
    ob_error err = {0};
    if (!density) {
        fprintf(stderr, "backup-faults DENSITY SEED\n");
        return 2;
    }
    srandom((unsigned)strtoul(argv[2], NULL, 10));
    set_up(&f);
    for (int t = 0; t < 2; t++) {
        for (int way = 0; way < 6; way++) {
            where w = {.kind = kinds[way / 2], .n = 1, .from_then_on = way % 2};
            if (!walk_can(w.kind))
                continue;
            for (; tries[t](&f, &w); faults++)
                w.n += 1 + (unsigned long)random() % (1 + 2 * w.n / density);
        }
    }
    must(restore(&f, &err), &err); /* and all is as it was */
    printf("%lu faults\n", faults);
    return 0;
}
