/* Updates a list by a file of 9,000 lines, letting the 1st, 2nd, 3rd, … write or allocation fail,
 * once or from then on, until there is no fault left. Whatever fails: the list says what it said
 * before, or after what was said to be done, also when it is opened again; and the next update
 * works.
 *
 *     lists-faults DENSITY SEED
 *
 * tests/cli/test_list.py runs it in a directory of its own, with preload.c loaded. */
#include "fault.h"

#include <obhut/lists.h>

#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OLD = 1000, CHANGES = 9000, GONE = 500 };

static void (*arm)(int kind, unsigned long n, bool from_then_on);
static unsigned long (*disarm)(void);

static const char dir[] = "data";
static ob_hash256 hashes[OLD + CHANGES]; /* the old ones first */

typedef struct where {
    int kind;
    unsigned long n;
    bool from_then_on;
} where;

static void fail(const where *w, const char *problem, const ob_error *err)
{
    fprintf(stderr, "%s %lu%s: %s: %s\n", w->kind == FAULT_ALLOC ? "allocation" : "write", w->n,
            w->from_then_on ? " and on" : "", problem, err ? err->text : "");
    exit(1);
}

static void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void write_files(void)
{
    FILE *old = fopen("old.txt", "w"), *delta = fopen("delta.jsonl", "w");
    if (!old || !delta)
        exit(1);
    for (size_t i = 0; i < OLD + CHANGES; i++) {
        char hex[OB_HASH256_HEX + 1];
        for (int k = 0; k < 4; k++)
            hashes[i].q[k] =
                (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
        ob_hash256_print(hex, &hashes[i]);
        if (i < OLD)
            fprintf(old, "%s\n", hex);
        if (i < GONE || i >= OLD + GONE)
            fprintf(delta, "{\"pdq\": \"%s\"%s}\n", hex,
                    i < GONE ? ", \"state\": \"withdrawn\"" : "");
    }
    fclose(old);
    fclose(delta);
}

static ob_status change(ob_import_result *out, ob_lists *lists, ob_error *err)
{
    return ob_lists_update(
        out, lists, &(ob_import){.file = "delta.jsonl", .name = "x", .type = OB_IMPORT_PDQ}, err);
}

/* Makes the list what it was at first. */
static void put_back(ob_lists *lists)
{
    ob_error err = {0};
    ob_import_result result;
    must(ob_lists_import(&result, lists,
                         &(ob_import){.file = "old.txt",
                                      .name = "x",
                                      .type = OB_IMPORT_PDQ,
                                      .accept = OB_IMPORT_SHRINKING},
                         &err),
         &err);
    must(ob_lists_add(NULL, lists, "x", &(ob_list_entry){.hash = &hashes[OLD]}, 1, &err), &err);
}

static ob_lists *own(void)
{
    ob_lists *lists = NULL;
    ob_error err = {0};
    must(ob_lists_own(&lists, dir, &err), &err);
    return lists;
}

/* Each hash is found exactly if it should be. */
static void check(const where *w, ob_lists *lists, bool after, const char *when)
{
    ob_list_matches found;
    ob_error err = {0};
    uint8_t seen[OLD + CHANGES] = {0};
    must(ob_lists_match(&found, lists, hashes, OLD + CHANGES, 0, 0, &err), &err);
    for (size_t i = 0; i < found.count; i++)
        seen[found.match[i].query]++;
    ob_list_matches_free(&found);
    for (size_t i = 0; i < OLD + CHANGES; i++) {
        bool wanted = i == OLD || (i < GONE ? !after : i < OLD || (i >= OLD + GONE && after));
        if (seen[i] != wanted)
            fail(w, when, NULL);
    }
}

/* True where there was a fault. */
static bool try_update(const where *w)
{
    ob_error err = {0};
    ob_import_result result;
    ob_lists *lists = own();
    put_back(lists);
    arm(w->kind, w->n, w->from_then_on);
    ob_status status = change(&result, lists, &err);
    bool met = disarm() >= w->n;
    if (status && !met)
        fail(w, "it failed without a fault", &err);
    if (status && (err.status != status || strlen(err.text) < 10 || strchr(err.text, '\n')))
        fail(w, "an error without a clear sentence", &err);
    if (result.withdrawn != (status ? 0 : GONE) || result.entries != (status ? 0 : CHANGES - GONE))
        fail(w, "the numbers are not what happened", &err);
    check(w, lists, !status, "the list is half of each");
    ob_lists_close(lists);
    lists = own();
    check(w, lists, !status, "the list is another one when it is opened again");
    must(change(&result, lists, &err), &err);
    check(w, lists, true, "the next update did not work");
    ob_lists_close(lists);
    return met;
}

static void check_syncs(void)
{
    ob_error err = {0};
    ob_import_result result;
    ob_lists *lists = own();
    put_back(lists);
    arm(FAULT_SYNC, ULONG_MAX, false);
    must(change(&result, lists, &err), &err);
    unsigned long syncs = disarm();
    /* The journal, and what there must be. */
    if (syncs != 2)
        fprintf(stderr, "%lu syncs for one update\n", syncs);
    ob_lists_close(lists);
}

int main(int argc, char **argv)
{
    unsigned long density = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, faults = 0;
    if (!density) {
        fprintf(stderr, "lists-faults DENSITY SEED\n");
        return 2;
    }
    srandom((unsigned)strtoul(argv[2], NULL, 10));
    *(void **)&arm = dlsym(RTLD_DEFAULT, "fault_arm");
    *(void **)&disarm = dlsym(RTLD_DEFAULT, "fault_disarm");
    if (!arm || !disarm) {
        fprintf(stderr, "fault-preload.so is not loaded\n");
        return 1;
    }
    write_files();
    check_syncs();
    for (int way = 0; way < 4; way++) {
        where w = {.kind = way & 1 ? FAULT_WRITE : FAULT_ALLOC, .n = 1, .from_then_on = way & 2};
        for (; try_update(&w); faults++)
            w.n += 1 + (unsigned long)random() % (1 + 2 * w.n / density);
    }
    printf("%lu faults\n", faults);
    return 0;
}
