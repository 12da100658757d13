/* Searching a list that changes: first its file, then what was added. */
#include "live_priv.h"

#include <stdlib.h>

/* ---- Hashes ---------------------------------------------------------------------------------- */

typedef struct collector {
    const live *list;
    const ob_index *index; /* that is searched */
    const chunk *chunk;    /* NULL: the file */
    uint64_t first;        /* number of the chunk's first entry */
    hits *out;
    ob_error *err;
} collector;

static ob_status collect(void *context, uint32_t query, uint64_t at, unsigned distance)
{
    const collector *c = context;
    uint64_t entry = c->chunk ? c->first + c->chunk->owner[0][at] : 0;
    ob_status status = c->chunk ? OB_OK : obx_hash_entry(&entry, &c->list->base->file, at, c->err);
    if (status || live_is_withdrawn(c->list, entry))
        return status;
    const hit found = {
        .entry = entry, .query = query, .distance = distance, .hash = ob_index_get(c->index, at)};
    return hits_note(c->out, &found, c->err);
}

static ob_status match_file(hits *out, const live *list, const ob_hash256 *queries, uint32_t count,
                            unsigned distance, ob_error *err)
{
    collector c = {.list = list, .index = atomic_load(&list->base->index), .out = out, .err = err};
    return ob_index_search(c.index, queries, count, distance, collect, &c, err);
}

ob_status live_match(hits *out, const live *list, const ob_hash256 *queries, uint32_t count,
                     unsigned distance, ob_error *err)
{
    const base *b = list->base;
    collector c = {.list = list, .out = out, .err = err};
    ob_status status = live_whole(list, err);
    if (status)
        return status;
    status = match_file(out, list, queries, count, distance, err);
    for (size_t i = 0; i < live_chunks(list) && !status; i++) {
        c.chunk = b->chunks[i];
        c.first = b->file.info.entries + i * CHUNK;
        const ob_index index =
            ob_index_open_halves(c.chunk->half, CHUNK, live_used(list, i, 0), OB_ISA_AUTO);
        c.index = &index;
        status = ob_index_search(&index, queries, count, distance, collect, &c, err);
    }
    if (status)
        ob_fail_in(err, status, "list \"%s\"", b->file.info.name);
    return live_end(list, status, err);
}

/* ---- Digests --------------------------------------------------------------------------------- */

static ob_status match_file_digests(hits *out, const live *list, int kind, const uint8_t *queries,
                                    uint32_t count, ob_error *err)
{
    enum { AT_ONCE = 64 };
    const obx *file = &list->base->file;
    const ob_digest_set *set = &file->digests[kind];
    ob_status status = OB_OK;
    for (uint32_t from = 0; from < count && set->count && !status; from += AT_ONCE) {
        uint64_t first[AT_ONCE], found[AT_ONCE], entry;
        uint32_t now = count - from < AT_ONCE ? count - from : AT_ONCE;
        ob_digest_set_find(first, found, set, queries + (size_t)from * set->width, now);
        for (uint32_t q = 0; q < now; q++)
            for (uint64_t at = 0; at < found[q] && !status; at++) {
                status = obx_digest_entry(&entry, file, kind, first[q] + at, err);
                if (!status && !live_is_withdrawn(list, entry))
                    status = hits_note(out, &(hit){.entry = entry, .query = from + q}, err);
            }
    }
    return status;
}

/* Digests of one kind that are looked up. */
typedef struct wanted {
    int kind;
    const uint8_t *queries;
    uint32_t count;
} wanted;

static ob_status match_chunk_digests(hits *out, const live *list, size_t number, const wanted *what,
                                     ob_error *err)
{
    const chunk *c = list->base->chunks[number];
    const int kind = what->kind;
    const uint8_t *queries = what->queries;
    const uint32_t count = what->count;
    unsigned width = list_digest_kinds[kind].width;
    uint32_t there = live_used(list, number, 1 + kind);
    ob_status status = OB_OK;
    for (uint32_t at = 0; at < there; at++)
        for (uint32_t q = 0; q < count && !status; q++) {
            if (memcmp(c->digests[kind] + (size_t)at * width, queries + (size_t)q * width, width))
                continue;
            uint64_t entry =
                list->base->file.info.entries + number * CHUNK + c->owner[1 + kind][at];
            if (!live_is_withdrawn(list, entry))
                status = hits_note(out, &(hit){.entry = entry, .query = q}, err);
        }
    return status;
}

ob_status live_match_digests(hits *out, const live *list, int kind, const uint8_t *queries,
                             uint32_t count, ob_error *err)
{
    ob_status status = live_whole(list, err);
    if (status)
        return status;
    status = match_file_digests(out, list, kind, queries, count, err);
    for (size_t i = 0; i < live_chunks(list) && !status; i++)
        status = match_chunk_digests(out, list, i, &(wanted){kind, queries, count}, err);
    if (status)
        ob_fail_in(err, status, "list \"%s\"", list->base->file.info.name);
    return live_end(list, status, err);
}

/* ---- What an entry is ------------------------------------------------------------------------ */

ob_status live_describe(ob_list_match *out, const live *list, uint64_t number, ob_error *err)
{
    const obx *file = &list->base->file;
    out->list = file->info.name;
    if (number >= file->info.entries) {
        const added *a = live_added(list, number);
        out->source = *added_source(a) ? added_source(a) : file->info.source;
        out->classification = added_classification(a);
        memcpy(out->entry, added_id(a), strlen(added_id(a)) + 1);
        return OB_OK;
    }
    const obx_attribute *attribute = obx_attribute_of(file, number);
    out->source = attribute->source;
    out->classification = attribute->classification;
    ob_status status = obx_id(out->entry, NULL, file, number, err);
    if (status)
        ob_fail_in(err, status, "list \"%s\"", file->info.name);
    return live_end(list, status, err);
}

/* ---- Entries that have what is asked for ----------------------------------------------------- */

/* Keeps the hits that are in `other` too; both in order of their entries. */
static void intersect(hits *common, const hits *other)
{
    size_t count = 0, k = 0;
    for (size_t i = 0; i < common->count; i++) {
        while (k < other->count && other->hit[k].entry < common->hit[i].entry)
            k++;
        if (k < other->count && other->hit[k].entry == common->hit[i].entry)
            common->hit[count++] = common->hit[i];
    }
    common->count = count;
}

static int by_entry(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static ob_status filter_by_id(hits *hits, const live *list, const char *id, ob_error *err)
{
    size_t count = 0;
    ob_status status = OB_OK;
    for (size_t i = 0; i < hits->count && !status; i++) {
        ob_list_match match;
        status = live_describe(&match, list, hits->hit[i].entry, err);
        if (!status && !strcmp(match.entry, id))
            hits->hit[count++] = hits->hit[i];
    }
    hits->count = count;
    return status;
}

static ob_status find_in_file(hits *out, bool *narrowed, const live *list, const entry *which,
                              ob_error *err)
{
    *narrowed = which->has_hash;
    ob_status status = which->has_hash ? match_file(out, list, &which->hash, 1, 0, err) : OB_OK;
    for (int k = 0; k < DIGEST_KINDS && !status; k++) {
        hits other = {0};
        if (!which->has_digest[k])
            continue;
        status = match_file_digests(*narrowed ? &other : out, list, k, which->digest[k], 1, err);
        if (out->count)
            qsort(out->hit, out->count, sizeof *out->hit, by_entry);
        if (other.count)
            qsort(other.hit, other.count, sizeof *other.hit, by_entry);
        if (*narrowed)
            intersect(out, &other);
        *narrowed = true;
        free(other.hit);
    }
    return status;
}

typedef struct finding {
    hits *out;
    const live *list;
} finding;

static ob_status note_added(void *context, uint64_t number, ob_error *err)
{
    const finding *f = context;
    return live_is_withdrawn(f->list, number) ? OB_OK
                                              : hits_note(f->out, &(hit){.entry = number}, err);
}

ob_status live_find(hits *out, const live *next, const entry *which, ob_error *err)
{
    bool narrowed = false;
    finding f = {.out = out, .list = next};
    out->count = 0;
    ob_status status = live_whole(next, err);
    if (status)
        return status;
    status = find_in_file(out, &narrowed, next, which, err);
    if (!status && !narrowed)
        status = ob_fail(err, OB_EINVAL, "neither a hash nor a digest");
    if (!status)
        status = live_find_added(next, which, note_added, &f, err);
    if (!status && which->id)
        status = filter_by_id(out, next, which->id, err);
    return live_end(next, status, err);
}
