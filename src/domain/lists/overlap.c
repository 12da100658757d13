/* How much of a list stands in others: two lists that share much are not two voices. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 1024 };

/* Some entries of a list on their way to the others. */
typedef struct batch {
    uint32_t entries, hash_count, digest_count[DIGEST_KINDS];
    uint32_t hash_of[BATCH], digest_of[DIGEST_KINDS][BATCH]; /* which entry it is of */
    ob_hash256 hash[BATCH];
    uint8_t digest[DIGEST_KINDS][BATCH * OB_DIGEST_WIDTH_MAX];
    bool found[BATCH];
} batch;

typedef struct comparing {
    live *of, **others;
    ob_list_shared *shared; /* of each of the others */
    size_t count;
    uint64_t stride, at, compared;
    batch batch;
} comparing;

/* ---- One batch, one list --------------------------------------------------------------------- */

static void note_found(batch *b, const hits *found, const uint32_t *of)
{
    for (size_t i = 0; i < found->count; i++)
        b->found[of[found->hit[i].query]] = true;
}

static ob_status compare_hashes(batch *b, const live *with, ob_error *err)
{
    hits found = {0};
    uint64_t total;
    if (!b->hash_count)
        return OB_OK;
    ob_status status = hits_begin(&found, b->hash_count, 1, err);
    if (!status)
        status = live_match(&found, with, b->hash, b->hash_count, 0, err);
    if (!status) {
        hits_end(&total, &found);
        note_found(b, &found, b->hash_of);
    }
    hits_free(&found);
    return status;
}

static ob_status compare_digests(batch *b, const live *with, int kind, ob_error *err)
{
    hits found = {0};
    uint64_t total;
    if (!b->digest_count[kind])
        return OB_OK;
    ob_status status = hits_begin(&found, b->digest_count[kind], 1, err);
    if (!status)
        status =
            live_match_digests(&found, with, kind, b->digest[kind], b->digest_count[kind], err);
    if (!status) {
        hits_end(&total, &found);
        note_found(b, &found, b->digest_of[kind]);
    }
    hits_free(&found);
    return status;
}

static ob_status compare_batch(comparing *c, ob_error *err)
{
    batch *b = &c->batch;
    ob_status status = OB_OK;
    for (size_t i = 0; i < c->count && !status; i++) {
        memset(b->found, 0, sizeof b->found);
        status = compare_hashes(b, c->others[i], err);
        for (int k = 0; k < DIGEST_KINDS && !status; k++)
            status = compare_digests(b, c->others[i], k, err);
        for (uint32_t e = 0; e < b->entries && !status; e++)
            c->shared[i].entries += b->found[e];
    }
    c->compared += b->entries;
    b->entries = b->hash_count = 0;
    memset(b->digest_count, 0, sizeof b->digest_count);
    return status;
}

/* ---- A list ---------------------------------------------------------------------------------- */

static ob_status take(void *context, const entry *e, ob_error *err)
{
    comparing *c = context;
    batch *b = &c->batch;
    if (c->at++ % c->stride)
        return OB_OK;
    if (e->has_hash) {
        b->hash_of[b->hash_count] = b->entries;
        b->hash[b->hash_count++] = e->hash;
    }
    for (int k = 0; k < DIGEST_KINDS; k++) {
        const size_t width = list_digest_kinds[k].width;
        if (!e->has_digest[k])
            continue;
        b->digest_of[k][b->digest_count[k]] = b->entries;
        memcpy(b->digest[k] + width * b->digest_count[k]++, e->digest[k], width);
    }
    return ++b->entries == BATCH ? compare_batch(c, err) : OB_OK;
}

/* The list, and all others that there are, switched on or not. */
static ob_status ref_lists(comparing *c, ob_lists *lists, const char *name, ob_error *err)
{
    pthread_mutex_lock(&lists->guard);
    c->others = calloc(lists->count + 1, sizeof(live *));
    c->shared = calloc(lists->count + 1, sizeof *c->shared);
    for (size_t i = 0; c->others && c->shared && i < lists->count; i++) {
        const slot *slot = lists->slots[i];
        if (slot->now && !strcmp(slot->name, name)) {
            c->of = live_ref(slot->now);
        } else if (slot->now) {
            memcpy(c->shared[c->count].list, slot->name, sizeof slot->name);
            c->others[c->count++] = live_ref(slot->now);
        }
    }
    pthread_mutex_unlock(&lists->guard);
    if (!c->others || !c->shared)
        return ob_fail(err, OB_ENOMEM, "out of memory: lists");
    return c->of ? OB_OK : ob_fail(err, OB_ENOTFOUND, "there is no list \"%s\"", name);
}

static size_t drop_strangers(ob_list_shared *shared, size_t count)
{
    size_t shared_count = 0;
    for (size_t i = 0; i < count; i++)
        if (shared[i].entries)
            shared[shared_count++] = shared[i];
    return shared_count;
}

ob_status ob_lists_overlap(ob_list_shared **out, size_t *count, uint64_t *compared, ob_lists *lists,
                           const char *name, uint64_t most, ob_error *err)
{
    comparing *c = calloc(1, sizeof *c);
    if (!c)
        return ob_fail(err, OB_ENOMEM, "out of memory: lists");
    ob_status status = ref_lists(c, lists, name, err);
    if (!status && c->count) {
        ob_list_info info;
        live_info(&info, c->of);
        c->stride = info.entries / (most ? most : 1) + 1;
        status = live_each(c->of, take, c, err);
    }
    if (!status && c->batch.entries)
        status = compare_batch(c, err);
    for (size_t i = 0; i < c->count; i++)
        live_release(c->others[i]);
    if (c->of)
        live_release(c->of);
    if (!status) {
        *out = c->shared;
        *count = drop_strangers(c->shared, c->count);
        *compared = c->compared;
        c->shared = NULL;
    }
    free(c->shared);
    free(c->others);
    free(c);
    return status;
}
