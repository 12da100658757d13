/* `checkpoints`, read one by one, or only the last. */
#include "audit_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

ob_status notes_open(stream *out, int dir, ob_error *err)
{
    return stream_open(out, dir, "checkpoints", 8 * OB_AUDIT_CHECKPOINT_MAX, err);
}

ob_status notes_next(note *out, bool *is_there, stream *s, const log_key *key, ob_sha256_sum *sum,
                     ob_error *err)
{
    const note_rule rule = {NOTE_STORED, key, sum};
    for (;;) {
        size_t got = 0, used = 0;
        bool more = false;
        /* Twice the most: the text, and as much again for its signature. */
        ob_status status = stream_fill(&got, s, 2 * OB_AUDIT_CHECKPOINT_MAX, err);
        if (!status && !got) {
            *is_there = false;
            return OB_OK;
        }
        if (!status)
            status = note_parse(out, &used, s->buffer + s->start, got, &rule, err);
        if (status == OB_ENOTFOUND && !stream_wait(&more, s, NULL) && more)
            continue;
        if (!status) {
            stream_take(s, used);
            *is_there = true;
        }
        return status;
    }
}

/* ---- The last -------------------------------------------------------------------------------- */

/* Behind the first newline, or NULL. */
static const char *line_end(const char *text, const char *end)
{
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    return newline ? newline + 1 : NULL;
}

/* The last complete checkpoint of `text`: from *start to *end. The end of one is the beginning of
 * the next. False when there is none. */
static bool find_last(size_t *start, size_t *end, const char *text, size_t size)
{
    static const char before_signature[] = "\n\n\xE2\x80\x94 ";
    const char *stop = text + size, *found, *signature_end;
    *start = *end = 0;
    for (const char *at = text; at < stop; at = signature_end) {
        found = memmem(at, (size_t)(stop - at), before_signature, sizeof before_signature - 1);
        signature_end = found ? line_end(found + 2, stop) : NULL;
        if (!signature_end)
            break;
        *start = *end;
        *end = (size_t)(signature_end - text);
    }
    return *end > 0;
}

/* Whether a checkpoint that was being written can have left this: the beginning of one, or blocks
 * that never got their contents. */
static bool is_unfinished(const char *text, size_t size, const log_key *key)
{
    size_t start = size < OB_AUDIT_NAME ? size : OB_AUDIT_NAME;
    const char *blank = memmem(text, size, "\n\n", 2);
    const char *dash = memmem(text, size, "\xE2\x80\x94", 3);
    const char *last = blank ? blank + 2 : dash; /* no line ends behind this */
    bool begun = !memcmp(text, key->name, start) &&
                 (!last || !memchr(last, '\n', size - (size_t)(last - text)));
    return size <= OB_AUDIT_CHECKPOINT_MAX && (!size || begun || !text[size - 1]);
}

ob_status notes_last(note *out, bool *is_there, uint64_t *end, ob_buf *text, const notes_file *in,
                     ob_error *err)
{
    const note_rule rule = {NOTE_STORED, in->key, in->sum};
    enum { WINDOW = 4 * OB_AUDIT_CHECKPOINT_MAX };
    size_t first = 0, last = 0, used = 0;
    ob_error problem = {0};
    uint64_t from = in->size > WINDOW ? in->size - WINDOW : 0;
    size_t length = (size_t)(in->size - from);
    ob_status status = ob_buf_reserve(text, length, err);
    if (!status)
        status = file_read(text->bytes, in->file, "checkpoints", from, length, err);
    if (status)
        return status;
    bool found = find_last(&first, &last, text->bytes, length);
    if (!is_unfinished(text->bytes + last, length - last, in->key) || (found && from && !first))
        return ob_fail(err, OB_EFORMAT,
                       "checkpoints does not end as checkpoints do; " AUDIT_ADVICE);
    if (found && (status = note_parse(out, &used, text->bytes + first, last - first, &rule,
                                      &problem)) != OB_OK)
        return ob_fail(err, status == OB_ENOTFOUND ? OB_EFORMAT : status,
                       "the last one in checkpoints: %s; " AUDIT_ADVICE, problem.text);
    memmove(text->bytes, text->bytes + first, last - first);
    text->size = last - first;
    text->bytes[text->size] = '\0';
    *end = from + last;
    *is_there = found;
    return OB_OK;
}
