/* Where exactly damage begins: which bytes of a bad line are the bad ones, and which entries a
 * checkpoint does not stand for. */
#include "audit_priv.h"

#include <string.h>

/* ---- Walking: a frontier that knows where its subtrees begin --------------------------------- */

ob_status walk_push(audit_walk *walk, ob_sha256_sum *sum, const tree_hash *leaf, uint64_t offset,
                    ob_error *err)
{
    ob_status status = tree_push(&walk->frontier, sum, leaf, err);
    if (!status && walk->frontier.size & 1) /* a subtree of its own; else it joined one before it */
        walk->starts[tree_roots(walk->frontier.size) - 1] = offset;
    return status;
}

walk_place walk_differs(const audit_walk *walk, const tree_frontier *other)
{
    walk_place place = {0};
    unsigned i = 0;
    for (int bit = TREE_HEIGHT_MAX - 1; bit >= 0; bit--) {
        uint64_t size = UINT64_C(1) << bit;
        if (!(other->size & size))
            continue;
        if (!tree_same(&walk->frontier.roots[i], &other->roots[i])) {
            place.offset = walk->starts[i];
            return place;
        }
        place.entry += size;
        i++;
    }
    return place;
}

/* ---- One line -------------------------------------------------------------------------------- */

/* A newline that became another byte: two lines in one. Sets *at to that byte. */
static bool is_two_lines(size_t *at, const line *l, ob_sha256_sum *sum)
{
    line second;
    size_t bad;
    tree_hash leaf;
    for (size_t i = 1; i + LINE_HEAD < l->size; i++)
        if (l->text[i - 1] == '}' && l->text[i + LINE_HEAD] == ' ' &&
            !line_head(&second, &bad, l->text + i + 1, l->size - i - 1, NULL) &&
            !tree_leaf(&leaf, sum, l->text, i, NULL) && tree_same(&leaf, &l->stored)) {
            *at = i;
            return true;
        }
    return false;
}

/* Goes on to the checkpoint with both possibilities: the text is right, or its hash is. */
typedef struct fork {
    tree_frontier text, stored;
} fork;

static bool push_both(fork *f, const tree_hash *text, const tree_hash *stored, ob_sha256_sum *sum)
{
    return !tree_push(&f->text, sum, text, NULL) && !tree_push(&f->stored, sum, stored, NULL);
}

static bool go_on(fork *f, stream *log, const note *next, ob_sha256_sum *sum)
{
    while (f->text.size < next->frontier.size) {
        lines_found found = LINES_END;
        const char *bytes;
        size_t size, bad;
        line line;
        tree_hash leaf;
        if (lines_next(&found, &bytes, &size, log, NULL) || found != LINES_LINE ||
            line_head(&line, &bad, bytes, size, NULL) ||
            tree_leaf(&leaf, sum, line.text, line.size, NULL) || !tree_same(&leaf, &line.stored) ||
            !push_both(f, &leaf, &leaf, sum))
            return false;
    }
    return f->text.size == next->frontier.size;
}

static bool has_root(const tree_frontier *frontier, const note *note, ob_sha256_sum *sum)
{
    tree_hash root;
    return !tree_root(&root, frontier, sum, NULL) && tree_same(&root, &note->root);
}

static size_t first_other_digit(const char *digits, const tree_hash *hash)
{
    char should[2 * OB_AUDIT_HASH + 1];
    size_t i = 0;
    ob_hex(should, hash->bytes, OB_AUDIT_HASH);
    while (i < 2 * OB_AUDIT_HASH && digits[i] == should[i])
        i++;
    return i;
}

ob_status locate(located *out, stream *log, const tree_frontier *frontier, const wrong_line *wrong,
                 ob_sha256_sum *sum, ob_error *err)
{
    const line *line = wrong->line;
    const note *next = wrong->next;
    fork f = {*frontier, *frontier};
    tree_hash leaf;
    size_t at;
    char digits[2 * OB_AUDIT_HASH];
    out->offset = wrong->offset;
    out->what = "one of them was changed";
    memcpy(digits, wrong->bytes, sizeof digits);
    if (is_two_lines(&at, line, sum)) {
        out->offset = wrong->offset + LINE_HEAD + at;
        out->what = "the newline behind it was changed";
        return OB_OK;
    }
    ob_status status = tree_leaf(&leaf, sum, line->text, line->size, err);
    if (status || !next)
        return status;
    tree_hash stored = line->stored; /* the line is gone when the next one is read */
    if (!push_both(&f, &leaf, &stored, sum) || !go_on(&f, log, next, sum))
        return OB_OK;
    if (has_root(&f.text, next, sum)) {
        out->offset = wrong->offset + first_other_digit(digits, &leaf);
        out->what = "the hash was changed; the entry is what it was";
    } else if (has_root(&f.stored, next, sum)) {
        out->offset = wrong->offset + LINE_HEAD;
        out->what = "the entry was changed";
    }
    return OB_OK;
}
