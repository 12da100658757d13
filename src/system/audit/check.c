/* Checking proofs, with nothing but the key (RFC 9162, 2.1.3.2 and 2.1.4.2). */
#include "audit_priv.h"
#include "proof_priv.h"

#include <stdlib.h>
#include <string.h>

typedef struct check {
    const char *at, *end;
    log_key key;
    ob_sha256_sum *sum;
    ob_buf carried; /* the entry, or the older checkpoint */
    uint64_t index;
    tree_hash hashes[PROOF_HASHES_MAX];
    unsigned count;
    note note, old;
} check;

/* ---- Reading --------------------------------------------------------------------------------- */

static ob_status no_proof(ob_error *err, const char *what)
{
    return ob_fail(err, OB_EFORMAT, "not a proof as Obhut writes them: %s", what);
}

static bool next_line(check *c, const char **line, size_t *length)
{
    const char *newline = c->at < c->end ? memchr(c->at, '\n', (size_t)(c->end - c->at)) : NULL;
    if (!newline)
        return false;
    *line = c->at;
    *length = (size_t)(newline - c->at);
    c->at = newline + 1;
    return true;
}

static bool begins(check *c, const char *with)
{
    size_t length = strlen(with);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, with, length))
        return false;
    c->at += length;
    return true;
}

static ob_status read_carried(check *c, ob_error *err)
{
    const char *line;
    size_t length, size = 0;
    if (!next_line(c, &line, &length))
        return no_proof(err, "it has no end");
    ob_status status = ob_buf_reserve(&c->carried, length, err);
    if (status)
        return status;
    if (ob_base64_parse(c->carried.bytes, &size, length, line, length, NULL))
        return no_proof(err, "what it carries is not base64");
    c->carried.size = size;
    c->carried.bytes[size] = '\0';
    return OB_OK;
}

static ob_status read_index(check *c, ob_error *err)
{
    const char *line;
    size_t length;
    return begins(c, "index ") && next_line(c, &line, &length) &&
                   number_parse(&c->index, line, line + length)
               ? OB_OK
               : no_proof(err, "no index");
}

static ob_status read_hashes(check *c, ob_error *err)
{
    const char *line;
    size_t length;
    for (;;) {
        size_t got = 0;
        if (!next_line(c, &line, &length))
            return no_proof(err, "it has no end");
        if (!length)
            return OB_OK;
        if (c->count == PROOF_HASHES_MAX ||
            ob_base64_parse(c->hashes[c->count].bytes, &got, OB_AUDIT_HASH, line, length, NULL) ||
            got != OB_AUDIT_HASH)
            return no_proof(err, "a line that is no hash");
        c->count++;
    }
}

static ob_status read_note(note *out, check *c, const char *text, size_t size, ob_error *err)
{
    size_t used;
    const note_rule rule = {NOTE_ALONE, &c->key, c->sum};
    ob_status status = note_parse(out, &used, text, size, &rule, err);
    return status == OB_ENOTFOUND ? no_proof(err, "the checkpoint has no end") : status;
}

/* ---- Inclusion ------------------------------------------------------------------------------- */

static ob_status refuse_proof(ob_error *err)
{
    return ob_fail(err, OB_EFORMAT,
                   "the proof does not hold: it does not lead to the root that "
                   "the checkpoint has");
}

/* RFC 9162, 2.1.3.2. */
static ob_status fold(tree_hash *r, check *c, bool *is_right, ob_error *err)
{
    uint64_t fn = c->index, sn = c->note.frontier.size - 1;
    ob_status status = OB_OK;
    for (unsigned i = 0; i < c->count && !status; i++) {
        if (!sn)
            return OB_OK;
        if (fn & 1 || fn == sn) {
            status = tree_node(r, c->sum, &c->hashes[i], r, err);
            for (; !(fn & 1) && fn; fn >>= 1)
                sn >>= 1;
        } else {
            status = tree_node(r, c->sum, r, &c->hashes[i], err);
        }
        fn >>= 1;
        sn >>= 1;
    }
    *is_right = !status && !sn && tree_same(r, &c->note.root);
    return status;
}

static ob_status check_entry(check *c, ob_error *err)
{
    line line = {.text = c->carried.bytes, .size = c->carried.size};
    size_t bad;
    if (line_entry(&line, &bad, NULL) || line.number != c->index ||
        memchr(line.text, '\n', line.size))
        return ob_fail(err, OB_EFORMAT,
                       "the proof does not hold: what it carries is not entry %llu",
                       (unsigned long long)c->index);
    return OB_OK;
}

static ob_status check_inclusion(ob_audit_proof *out, check *c, ob_error *err)
{
    tree_hash root;
    bool is_right = false;
    ob_status status = read_carried(c, err);
    if (!status)
        status = read_index(c, err);
    if (!status)
        status = read_hashes(c, err);
    if (!status)
        status = read_note(&c->note, c, c->at, (size_t)(c->end - c->at), err);
    if (!status && c->index >= c->note.frontier.size)
        status = refuse_proof(err);
    if (!status)
        status = tree_leaf(&root, c->sum, c->carried.bytes, c->carried.size, err);
    if (!status)
        status = fold(&root, c, &is_right, err);
    if (!status && !is_right)
        status = refuse_proof(err);
    if (!status)
        status = check_entry(c, err);
    if (status)
        return status;
    out->kind = OB_AUDIT_INCLUDES;
    out->entry = c->index;
    out->text = c->carried;
    c->carried = (ob_buf){0};
    return OB_OK;
}

/* ---- Growth ---------------------------------------------------------------------------------- */

/* RFC 9162, 2.1.4.2, for an old size above 0 and below the new one. */
static ob_status fold_both(check *c, bool *is_right, ob_error *err)
{
    uint64_t old = c->old.frontier.size, fn = old - 1, sn = c->note.frontier.size - 1;
    bool whole = !(old & (old - 1)); /* then the old root is the first node, and not repeated */
    unsigned i = whole ? 0 : 1;
    ob_status status = OB_OK;
    if (!whole && !c->count)
        return OB_OK;
    tree_hash fr = whole ? c->old.root : c->hashes[0], sr = fr;
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    for (; i < c->count && !status; i++) {
        if (!sn)
            return OB_OK;
        if (fn & 1 || fn == sn) {
            status = tree_node(&fr, c->sum, &c->hashes[i], &fr, err);
            if (!status)
                status = tree_node(&sr, c->sum, &c->hashes[i], &sr, err);
            for (; !(fn & 1) && fn; fn >>= 1)
                sn >>= 1;
        } else {
            status = tree_node(&sr, c->sum, &sr, &c->hashes[i], err);
        }
        fn >>= 1;
        sn >>= 1;
    }
    *is_right = !status && !sn && tree_same(&fr, &c->old.root) && tree_same(&sr, &c->note.root);
    return status;
}

static ob_status compare_sizes(check *c, ob_error *err)
{
    uint64_t old = c->old.frontier.size, new = c->note.frontier.size;
    bool is_right = false;
    ob_status status = OB_OK;
    if (old == new)
        is_right = !c->count && tree_same(&c->old.root, &c->note.root);
    else if (!old)
        is_right = !c->count;
    else if (old < new)
        status = fold_both(c, &is_right, err);
    return status || is_right ? status : refuse_proof(err);
}

static ob_status check_growth(ob_audit_proof *out, check *c, ob_error *err)
{
    ob_status status = read_carried(c, err);
    if (!status)
        status = read_hashes(c, err);
    if (!status)
        status = read_note(&c->note, c, c->at, (size_t)(c->end - c->at), err);
    if (!status)
        status = read_note(&c->old, c, c->carried.bytes, c->carried.size, err);
    if (!status)
        status = compare_sizes(c, err);
    if (status)
        return status;
    out->kind = OB_AUDIT_GREW;
    out->old_size = c->old.frontier.size;
    memcpy(out->old_at, c->old.at, sizeof out->old_at);
    return OB_OK;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static ob_status check_text(ob_audit_proof *out, check *c, ob_error *err)
{
    if (begins(c, PROOF_INCLUDES))
        return begins(c, "extra ") ? check_inclusion(out, c, err)
                                   : no_proof(err, "the entry is not with it (\"extra …\")");
    if (begins(c, PROOF_GREW))
        return begins(c, "old ") ? check_growth(out, c, err)
                                 : no_proof(err, "the older checkpoint is not with it");
    return no_proof(err, "the first line is neither c2sp.org/tlog-proof@v1 nor "
                         "obhut-consistency@v1");
}

ob_status ob_audit_check_proof(ob_audit_proof *out, const char *text, size_t size, const char *key,
                               ob_error *err)
{
    ob_audit_proof proof = {0};
    check *c = calloc(1, sizeof *c);
    if (!c)
        return ob_fail(err, OB_ENOMEM, "out of memory: a proof");
    c->at = text;
    c->end = text + size;
    ob_status status = key_parse(&c->key, key, strlen(key), NULL)
                           ? ob_fail(err, OB_EINVAL, "the key to trust is not a key of a log")
                           : key_print(proof.key, &c->key, err);
    if (!status)
        status = ob_sha256_begin(&c->sum, err);
    if (!status)
        status = check_text(&proof, c, err);
    if (!status) {
        proof.size = c->note.frontier.size;
        memcpy(proof.at, c->note.at, sizeof proof.at);
        *out = proof;
    }
    ob_buf_free(&c->carried);
    ob_sha256_drop(&c->sum);
    free(c);
    return status;
}
