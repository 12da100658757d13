/* What a file says has changed: read whole, then added and withdrawn in batches. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>

typedef struct change {
    ob_hash256 hash;
    uint8_t digest[DIGEST_KINDS][OB_LIST_DIGEST_MAX];
    bool has_hash, has_digest[DIGEST_KINDS], withdrawn;
    size_t id, source, classification; /* where they start in the texts; 0: none */
} change;

typedef struct changes {
    change *change;
    size_t count, capacity;
    ob_buf texts;
} changes;

static ob_status keep_text(size_t *out, changes *c, const char *text, ob_error *err)
{
    if (!text || !*text)
        return OB_OK;
    *out = c->texts.size;
    return ob_buf_append(&c->texts, text, strlen(text) + 1, err);
}

static ob_status keep_change(void *context, const entry *from, ob_error *err)
{
    changes *c = context;
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 256;
        change *more = realloc(c->change, capacity * sizeof *more);
        if (!more)
            return ob_fail(err, OB_ENOMEM, "out of memory: changes of a list");
        c->change = more;
        c->capacity = capacity;
    }
    change made = {.hash = from->hash, .has_hash = from->has_hash, .withdrawn = from->withdrawn};
    memcpy(made.digest, from->digest, sizeof made.digest);
    memcpy(made.has_digest, from->has_digest, sizeof made.has_digest);
    ob_status status = c->texts.size ? OB_OK : ob_buf_append(&c->texts, "", 1, err);
    if (!status)
        status = keep_text(&made.id, c, from->id, err);
    if (!status)
        status = keep_text(&made.source, c, from->source, err);
    if (!status)
        status = keep_text(&made.classification, c, from->classification, err);
    if (!status)
        c->change[c->count++] = made;
    return status;
}

static ob_list_entry entry_of(const changes *c, const change *from, const char *source)
{
    ob_list_entry e = {.hash = from->has_hash ? &from->hash : NULL};
    for (int k = 0; k < DIGEST_KINDS; k++)
        e.digest[k] = from->has_digest[k] ? from->digest[k] : NULL;
    e.id = from->id ? c->texts.bytes + from->id : NULL;
    e.classification = from->classification ? c->texts.bytes + from->classification : NULL;
    e.source = from->source ? c->texts.bytes + from->source : source;
    return e;
}

/* As long as neighbours ask for the same they go together: the order of the file counts. */
static ob_status apply(ob_import_result *result, ob_lists *lists, const changes *c,
                       const ob_import *import, ob_error *err)
{
    ob_list_entry *batch = calloc(OB_LISTS_ADD_MAX, sizeof *batch);
    ob_status status = batch ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: changes of a list");
    for (size_t at = 0, count; at < c->count && !status; at += count) {
        bool withdrawn = c->change[at].withdrawn;
        uint64_t done = 0;
        for (count = 0; count < OB_LISTS_ADD_MAX && at + count < c->count &&
                        c->change[at + count].withdrawn == withdrawn;
             count++)
            batch[count] = entry_of(c, &c->change[at + count], withdrawn ? NULL : import->source);
        status = withdrawn ? ob_lists_withdraw(&done, lists, import->name, batch, count, err)
                           : ob_lists_add(&done, lists, import->name, batch, count, err);
        if (status)
            break;
        *(withdrawn ? &result->withdrawn : &result->entries) += done;
        result->duplicates += withdrawn ? 0 : count - done;
        if (import->progress)
            import->progress(import->context, "changing", at + count, c->count);
    }
    free(batch);
    return status;
}

ob_status ob_lists_update(ob_import_result *out, ob_lists *lists, const ob_import *import,
                          ob_error *err)
{
    changes c = {0};
    *out = (ob_import_result){0};
    ob_status status = import->name ? import_name(out->name, import, err)
                                    : ob_fail(err, OB_EINVAL, "which list? it needs a name");
    if (!status && !set_find(lists, import->name))
        status =
            ob_fail(err, OB_ENOTFOUND, "no list \"%s\" in %s; `obhut list ls` shows what there is",
                    import->name, lists->dir);
    if (!status)
        status = import_read(out, import, &lists->screen, keep_change, &c, err);
    if (!status)
        status = apply(out, lists, &c, import, err);
    free(c.change);
    ob_buf_free(&c.texts);
    return status;
}
