/* Reads entries, each compared with its leaf hash. */
#include "audit_priv.h"

#include <string.h>

static ob_status damaged(ob_error *err, uint64_t entry)
{
    return ob_fail(err, OB_EFORMAT, "entry %llu is damaged; " AUDIT_ADVICE,
                   (unsigned long long)entry);
}

static ob_status read_line(line *out, const char *bytes, size_t size, uint64_t entry,
                           ob_sha256_sum *sum, ob_error *err)
{
    size_t bad;
    tree_hash leaf;
    if (line_head(out, &bad, bytes, size, NULL) || line_entry(out, &bad, NULL))
        return damaged(err, entry);
    ob_status status = tree_leaf(&leaf, sum, out->text, out->size, err);
    if (!status && (!tree_same(&leaf, &out->stored) || out->number != entry))
        status = damaged(err, entry);
    return status;
}

/* Which entries are wanted, and by whom. */
typedef struct range {
    uint64_t from, to;
    ob_audit_take take;
    void *context;
} range;

static ob_status read_range(stream *s, const range *r, ob_sha256_sum *sum, ob_error *err)
{
    ob_status status = lines_seek(s, r->from, err);
    for (uint64_t n = r->from; n <= r->to && !status; n++) {
        lines_found found = LINES_END;
        const char *bytes;
        size_t size;
        line line;
        status = lines_next(&found, &bytes, &size, s, err);
        if (!status && found == LINES_LONG)
            status = damaged(err, n);
        if (status || found != LINES_LINE) /* a last line without end is no entry yet */
            break;
        status = read_line(&line, bytes, size, n, sum, err);
        if (!status)
            status = r->take(r->context, n, line.text, line.size, err);
        if (n == UINT64_MAX)
            break;
    }
    return status;
}

ob_status ob_audit_read(const char *audit_dir, uint64_t from, uint64_t to, ob_audit_take take,
                        void *context, ob_error *err)
{
    reader r = {.dir = -1};
    stream s = {.file = -1};
    ob_status status = reader_dir(&r.dir, audit_dir, err);
    if (!status)
        status = ob_sha256_begin(&r.sum, err);
    if (!status)
        status = lines_open(&s, r.dir, err);
    if (!status)
        status = read_range(&s, &(range){from, to, take, context}, r.sum, err);
    stream_close(&s);
    reader_close(&r);
    return status;
}
