/* Proofs: the whole tree in memory, and the paths through it (RFC 9162, 2.1.3.1 and 2.1.4.1). */
#include "audit_priv.h"
#include "proof_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ob_audit_tree {
    reader reader;
    int log;
    note note;
    ob_buf checkpoint;
    uint64_t *lines;                    /* where each line begins, and where the last one ends */
    tree_hash *levels[TREE_HEIGHT_MAX]; /* roots of complete subtrees of 2^k leaves; 0: leaves */
};

/* ---- The tree -------------------------------------------------------------------------------- */

static ob_status no_memory(ob_error *err)
{
    return ob_fail(err, OB_ENOMEM, "out of memory: the tree of the audit log");
}

static ob_status read_leaves(ob_audit_tree *tree, stream *s, ob_error *err)
{
    uint64_t size = tree->note.frontier.size;
    ob_status status = OB_OK;
    for (uint64_t i = 0; i < size && !status; i++) {
        lines_found found = LINES_END;
        const char *bytes;
        size_t length, bad;
        line line;
        tree->lines[i] = s->at;
        status = lines_next(&found, &bytes, &length, s, err);
        if (!status && (found != LINES_LINE || line_head(&line, &bad, bytes, length, NULL)))
            status = ob_fail(err, OB_EFORMAT, "entry %llu is damaged; " AUDIT_ADVICE,
                             (unsigned long long)i);
        if (!status)
            tree->levels[0][i] = line.stored;
    }
    tree->lines[size] = s->at;
    return status;
}

static ob_status build_levels(ob_audit_tree *tree, ob_error *err)
{
    ob_status status = OB_OK;
    uint64_t count = tree->note.frontier.size / 2;
    for (int k = 1; count && !status; k++, count /= 2) {
        tree_hash *level = tree->levels[k] = malloc(count * sizeof *level);
        const tree_hash *below = tree->levels[k - 1];
        if (!level)
            return no_memory(err);
        for (uint64_t i = 0; i < count && !status; i++)
            status = tree_node(&level[i], tree->reader.sum, &below[2 * i], &below[2 * i + 1], err);
    }
    return status;
}

/* The largest power of two below n, which is at least 2. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The hash over the leaves from..to-1, where `from` is a multiple of the power of two that holds
 * them all. */
static ob_status hash_of(tree_hash *out, ob_audit_tree *tree, uint64_t from, uint64_t to,
                         ob_error *err)
{
    uint64_t n = to - from;
    tree_hash left, right;
    if (!(n & (n - 1))) {
        int k = __builtin_ctzll(n);
        *out = tree->levels[k][from >> k];
        return OB_OK;
    }
    ob_status status = hash_of(&left, tree, from, from + split(n), err);
    if (!status)
        status = hash_of(&right, tree, from + split(n), to, err);
    return status ? status : tree_node(out, tree->reader.sum, &left, &right, err);
}

static ob_status root_at(tree_hash *out, ob_audit_tree *tree, uint64_t size, ob_error *err)
{
    return size ? hash_of(out, tree, 0, size, err)
                : ob_sha256_next(out->bytes, tree->reader.sum, err);
}

static ob_status load(ob_audit_tree *tree, stream *s, ob_error *err)
{
    tree_hash root;
    uint64_t size = tree->note.frontier.size;
    if (size > SIZE_MAX / 128)
        return no_memory(err);
    tree->lines = malloc((size_t)(size + 1) * sizeof *tree->lines);
    tree->levels[0] = malloc((size_t)(size + 1) * sizeof *tree->levels[0]);
    if (!tree->lines || !tree->levels[0])
        return no_memory(err);
    ob_status status = read_leaves(tree, s, err);
    if (!status)
        status = build_levels(tree, err);
    if (!status)
        status = root_at(&root, tree, size, err);
    if (!status && !tree_same(&root, &tree->note.root))
        status =
            ob_fail(err, OB_EFORMAT, "the log is not what its last checkpoint says; " AUDIT_ADVICE);
    return status;
}

static ob_status load_checkpoint(ob_audit_tree *tree, ob_error *err)
{
    int file = -1;
    uint64_t size = 0, end;
    bool is_there = false;
    ob_status status = file_open(&file, tree->reader.dir, "checkpoints", O_RDONLY, err);
    if (!status)
        status = file_size(&size, file, "checkpoints", err);
    if (!status)
        status = notes_last(&tree->note, &is_there, &end, &tree->checkpoint,
                            &(notes_file){file, size, &tree->reader.key, tree->reader.sum}, err);
    if (!status && !is_there)
        status = ob_fail(err, OB_EFORMAT, "there is no checkpoint; " AUDIT_ADVICE);
    if (file >= 0)
        close(file);
    return status;
}

/* A tree that knows its checkpoint and no leaves yet. On error there is none. */
static ob_status tree_begin(ob_audit_tree **out, const char *audit_dir, ob_error *err)
{
    ob_audit_tree *tree = calloc(1, sizeof *tree);
    if (!tree)
        return no_memory(err);
    tree->log = tree->reader.dir = -1;
    ob_status status = reader_open(&tree->reader, audit_dir, err);
    if (!status)
        status = load_checkpoint(tree, err);
    if (status)
        ob_audit_tree_free(tree);
    else
        *out = tree;
    return status;
}

ob_status ob_audit_tree_open(ob_audit_tree **out, const char *audit_dir, ob_error *err)
{
    stream s = {.file = -1};
    ob_audit_tree *tree = NULL;
    ob_status status = tree_begin(&tree, audit_dir, err);
    if (status)
        return status;
    status = lines_open(&s, tree->reader.dir, err);
    if (!status)
        status = load(tree, &s, err);
    if (!status)
        status = file_open(&tree->log, tree->reader.dir, "log", O_RDONLY, err);
    stream_close(&s);
    if (status)
        ob_audit_tree_free(tree);
    else
        *out = tree;
    return status;
}

void ob_audit_tree_free(ob_audit_tree *tree)
{
    if (!tree)
        return;
    for (int k = 0; k < TREE_HEIGHT_MAX; k++)
        free(tree->levels[k]);
    free(tree->lines);
    ob_buf_free(&tree->checkpoint);
    if (tree->log >= 0)
        close(tree->log);
    reader_close(&tree->reader);
    free(tree);
}

uint64_t ob_audit_tree_size(const ob_audit_tree *tree)
{
    return tree->note.frontier.size;
}

/* ---- Paths ----------------------------------------------------------------------------------- */

static ob_status print_hash(ob_buf *out, ob_audit_tree *tree, uint64_t from, uint64_t to,
                            ob_error *err)
{
    tree_hash hash;
    ob_status status = hash_of(&hash, tree, from, to, err);
    if (!status)
        status = ob_base64(out, hash.bytes, sizeof hash.bytes, err);
    return status ? status : ob_buf_append(out, "\n", 1, err);
}

/* PATH(m, D[from:to]), where m counts from 0 and not from `from`. */
static ob_status print_path(ob_buf *out, ob_audit_tree *tree, uint64_t m, uint64_t from,
                            uint64_t to, ob_error *err)
{
    if (to - from == 1)
        return OB_OK;
    uint64_t middle = from + split(to - from);
    bool left = m < middle;
    ob_status status = left ? print_path(out, tree, m, from, middle, err)
                            : print_path(out, tree, m, middle, to, err);
    if (status)
        return status;
    return left ? print_hash(out, tree, middle, to, err) : print_hash(out, tree, from, middle, err);
}

/* Entries of a tree; `known` while the old tree's root is a node of its own here. */
typedef struct growth {
    uint64_t from, to;
    bool known;
} growth;

/* SUBPROOF(m, D[from:to], known). */
static ob_status print_growth(ob_buf *out, ob_audit_tree *tree, uint64_t m, growth of,
                              ob_error *err)
{
    if (m == of.to)
        return of.known ? OB_OK : print_hash(out, tree, of.from, of.to, err);
    const uint64_t middle = of.from + split(of.to - of.from);
    const bool left = m <= middle;
    const growth half = left ? (growth){of.from, middle, of.known} : (growth){middle, of.to, false};
    ob_status status = print_growth(out, tree, m, half, err);
    if (status)
        return status;
    return left ? print_hash(out, tree, middle, of.to, err)
                : print_hash(out, tree, of.from, middle, err);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static ob_status print_extra(ob_buf *out, ob_audit_tree *tree, uint64_t entry, ob_error *err)
{
    uint64_t at = tree->lines[entry] + LINE_HEAD;
    size_t size = (size_t)(tree->lines[entry + 1] - 1 - at);
    char *text = malloc(size);
    ob_status status = text ? file_read(text, tree->log, "log", at, size, err) : no_memory(err);
    if (!status)
        status = ob_buf_printf(out, err, "extra ");
    if (!status)
        status = ob_base64(out, text, size, err);
    free(text);
    return status;
}

static ob_status print_checkpoint(ob_buf *out, const ob_audit_tree *tree, ob_error *err)
{
    ob_status status = ob_buf_append(out, "\n", 1, err);
    return status ? status : ob_buf_append(out, tree->checkpoint.bytes, tree->checkpoint.size, err);
}

ob_status ob_audit_tree_prove(ob_buf *out, ob_audit_tree *tree, uint64_t entry, ob_error *err)
{
    size_t before = out->size;
    uint64_t size = tree->note.frontier.size;
    if (entry >= size)
        return ob_fail(err, OB_ENOTFOUND,
                       "entry %llu is not under the last checkpoint, which covers %llu; the next "
                       "one is written within a minute",
                       (unsigned long long)entry, (unsigned long long)size);
    ob_status status = ob_buf_printf(out, err, PROOF_INCLUDES);
    if (!status)
        status = print_extra(out, tree, entry, err);
    if (!status)
        status = ob_buf_printf(out, err, "\nindex %llu\n", (unsigned long long)entry);
    if (!status)
        status = print_path(out, tree, entry, 0, size, err);
    if (!status)
        status = print_checkpoint(out, tree, err);
    if (status)
        out->size = before;
    return status;
}

static ob_status read_old(note *old, ob_audit_tree *tree, const char *text, ob_error *err)
{
    size_t used;
    tree_hash root;
    const note_rule rule = {NOTE_ALONE, &tree->reader.key, tree->reader.sum};
    ob_status status = note_parse(old, &used, text, strlen(text), &rule, err);
    if (status)
        return ob_fail_in(err, status == OB_ENOTFOUND ? OB_EFORMAT : status,
                          "the older checkpoint");
    if (old->frontier.size > tree->note.frontier.size)
        return ob_fail(err, OB_EFORMAT,
                       "the log has fewer entries than at the older checkpoint; " AUDIT_ADVICE);
    status = root_at(&root, tree, old->frontier.size, err);
    if (!status && !tree_same(&root, &old->root))
        status = ob_fail(
            err, OB_EFORMAT,
            "the log does not begin with what it had at the older checkpoint; " AUDIT_ADVICE);
    return status;
}

ob_status ob_audit_tree_prove_growth(ob_buf *out, ob_audit_tree *tree, const char *old_checkpoint,
                                     ob_error *err)
{
    note old;
    size_t before = out->size;
    uint64_t size = tree->note.frontier.size;
    ob_status status = read_old(&old, tree, old_checkpoint, err);
    if (!status)
        status = ob_buf_printf(out, err, PROOF_GREW "old ");
    if (!status)
        status = ob_base64(out, old_checkpoint, strlen(old_checkpoint), err);
    if (!status)
        status = ob_buf_append(out, "\n", 1, err);
    /* From nothing, and to itself, there is nothing to prove. */
    if (!status && old.frontier.size && old.frontier.size < size)
        status = print_growth(out, tree, old.frontier.size, (growth){0, size, true}, err);
    if (!status)
        status = print_checkpoint(out, tree, err);
    if (status)
        out->size = before;
    return status;
}

ob_status ob_audit_checkpoint(ob_buf *out, const char *audit_dir, ob_error *err)
{
    ob_audit_tree *tree = NULL;
    ob_status status = tree_begin(&tree, audit_dir, err);
    if (!status)
        status = ob_buf_append(out, tree->checkpoint.bytes, tree->checkpoint.size, err);
    ob_audit_tree_free(tree);
    return status;
}

ob_status ob_audit_prove(ob_buf *out, const char *audit_dir, uint64_t entry, ob_error *err)
{
    ob_audit_tree *tree = NULL;
    ob_status status = ob_audit_tree_open(&tree, audit_dir, err);
    if (!status)
        status = ob_audit_tree_prove(out, tree, entry, err);
    ob_audit_tree_free(tree);
    return status;
}

ob_status ob_audit_prove_growth(ob_buf *out, const char *audit_dir, const char *old_checkpoint,
                                ob_error *err)
{
    ob_audit_tree *tree = NULL;
    ob_status status = ob_audit_tree_open(&tree, audit_dir, err);
    if (!status)
        status = ob_audit_tree_prove_growth(out, tree, old_checkpoint, err);
    ob_audit_tree_free(tree);
    return status;
}
