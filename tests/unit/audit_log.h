/* What the tests of the audit log share: logs in directories of their own, and a Merkle tree as its
 * definition says it. */
#ifndef OBHUT_TEST_AUDIT_LOG_H
#define OBHUT_TEST_AUDIT_LOG_H

#include "folder.h"
#include "test.h"

#include "audit_priv.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUST(call)                                                                                 \
    do {                                                                                           \
        ob_error err_ = {0};                                                                       \
        if (call)                                                                                  \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, err_.text);                                  \
    } while (0)

/* ---- Directories ----------------------------------------------------------------------------- */

typedef struct place {
    char dir[TEST_FOLDER_SIZE]; /* a data directory */
    char audit[80];             /* its log */
} place;

static inline int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static inline void remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline place new_place(void)
{
    place p;
    assert_true(test_folder(p.dir));
    snprintf(p.audit, sizeof p.audit, "%s/audit", p.dir);
    return p;
}

/* ---- Files ----------------------------------------------------------------------------------- */

typedef struct bytes {
    char *text;
    size_t size;
} bytes;

static inline bytes load(const char *dir, const char *name)
{
    char path[512];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int file = open(path, O_RDONLY);
    assert_true(file >= 0 && !fstat(file, &info));
    bytes b = {malloc((size_t)info.st_size + 1), (size_t)info.st_size};
    assert_non_null(b.text);
    assert_int_equal(read(file, b.text, b.size), b.size);
    b.text[b.size] = '\0';
    close(file);
    return b;
}

static inline void save(const char *dir, const char *name, const char *text, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, size), size);
    close(file);
}

/* ---- Logs ------------------------------------------------------------------------------------ */

static inline ob_audit *open_log(const char *dir)
{
    const char *const lines[] = {"regimes 0011", "build abc", NULL};
    ob_audit *audit = NULL;
    ob_audit_options options = {.dir = dir, .lines = lines};
    MUST(ob_audit_open(&audit, &options, &err_));
    return audit;
}

static inline uint64_t add(ob_audit *audit, const char *what, int value)
{
    uint64_t number = UINT64_MAX;
    ob_entry *members = ob_entry_new();
    ob_entry_number(members, "value", value);
    ob_entry_text(members, "text", "Grüße, \"quoted\"\n");
    MUST(ob_audit_append(&number, audit, what, members, &err_));
    ob_entry_free(members);
    return number;
}

static inline ob_audit_report verify_with(const char *dir, const char *key, const char *since)
{
    ob_audit_check check = {
        .dir = dir, .key = key, .since = since, .since_size = since ? strlen(since) : 0};
    ob_audit_report report;
    MUST(ob_audit_verify(&report, &check, &err_));
    return report;
}

static inline ob_audit_report verify_dir(const char *dir)
{
    return verify_with(dir, NULL, NULL);
}

static inline void assert_fine(const char *dir, uint64_t entries, uint64_t sealed)
{
    ob_audit_report report = verify_dir(dir);
    if (!report.fine)
        fail_msg("%s, byte %llu, entry %llu: %s", report.file, (unsigned long long)report.offset,
                 (unsigned long long)report.entry, report.problem);
    assert_int_equal(report.entries, entries);
    assert_int_equal(report.covered, sealed);
}

/* ---- The tree as RFC 9162, 2.1.1 defines it -------------------------------------------------- */

static inline tree_hash naive_root(const tree_hash *leaves, size_t count)
{
    uint8_t joined[65] = {1};
    tree_hash out;
    size_t left = 1;
    if (count == 0) {
        MUST(ob_sha256(out.bytes, "", 0, &err_));
        return out;
    }
    if (count == 1)
        return leaves[0];
    while (left * 2 < count)
        left *= 2;
    tree_hash a = naive_root(leaves, left), b = naive_root(leaves + left, count - left);
    memcpy(joined + 1, &a, 32);
    memcpy(joined + 33, &b, 32);
    MUST(ob_sha256(out.bytes, joined, sizeof joined, &err_));
    return out;
}

static inline tree_hash naive_leaf(const char *text, size_t size)
{
    tree_hash out;
    char *marked = malloc(size + 1);
    marked[0] = 0;
    memcpy(marked + 1, text, size);
    MUST(ob_sha256(out.bytes, marked, size + 1, &err_));
    free(marked);
    return out;
}

/* ---- Reading what is there ------------------------------------------------------------------- */

typedef struct found {
    uint64_t count;
    json_t *entries; /* an array */
} found;

static inline ob_status find(void *context, uint64_t number, const char *text, size_t size,
                             ob_error *err)
{
    found *f = context;
    json_t *entry = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    (void)err;
    assert_non_null(entry);
    assert_int_equal(json_integer_value(json_object_get(entry, "n")), number);
    json_array_append_new(f->entries, entry);
    f->count++;
    return OB_OK;
}

static inline found find_all(const char *audit_dir)
{
    found f = {0, json_array()};
    MUST(ob_audit_read(audit_dir, 0, UINT64_MAX, find, &f, &err_));
    return f;
}

static inline int64_t value_of(const found *f, uint64_t n)
{
    return json_integer_value(json_object_get(json_array_get(f->entries, (size_t)n), "value"));
}

static inline const char *what_of(const found *f, uint64_t n)
{
    return json_string_value(json_object_get(json_array_get(f->entries, (size_t)n), "what"));
}

static inline ob_status try_add(uint64_t *number, ob_audit *audit, int value)
{
    ob_entry *members = ob_entry_new();
    ob_entry_number(members, "value", value);
    ob_status status = ob_audit_append(number, audit, "try", members, NULL);
    ob_entry_free(members);
    return status;
}

/* The caller frees it. */
static inline char *last_checkpoint(const char *audit_dir)
{
    bytes b = load(audit_dir, "checkpoints");
    char *last = b.text;
    for (char *at = b.text; (at = strstr(at, "\n\n\xE2\x80\x94 ")) != NULL;) {
        char *end = strchr(at + 2, '\n') + 1;
        if (!*end)
            break;
        last = at = end;
    }
    last = strdup(last);
    free(b.text);
    return last;
}

#endif
