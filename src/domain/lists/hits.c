/* What a search has found: everything, or of each query the nearest. */
#include "lists_priv.h"

#include <stdlib.h>

static int in_order(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    int order = (x->query > y->query) - (x->query < y->query);
    if (!order)
        order = (x->distance > y->distance) - (x->distance < y->distance);
    if (!order)
        order = (x->list > y->list) - (x->list < y->list);
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

ob_status hits_begin(hits *out, uint32_t queries, uint32_t limit, ob_error *err)
{
    hits made = {.limit = limit, .queries = queries};
    if (limit) {
        made.hit = malloc((size_t)queries * limit * sizeof *made.hit + 1);
        made.used = calloc((size_t)queries + 1, sizeof *made.used);
        made.totals = calloc((size_t)queries + 1, sizeof *made.totals);
    }
    *out = made;
    if (limit && (!made.hit || !made.used || !made.totals))
        return ob_fail(err, OB_ENOMEM, "out of memory: matches of %u queries", queries);
    return OB_OK;
}

void hits_free(hits *h)
{
    free(h->hit);
    free(h->used);
    free(h->totals);
    *h = (hits){0};
}

/* ---- Heaps: the farthest of a query first ---------------------------------------------------- */

static void swap(hit *a, hit *b)
{
    const hit swapped = *a;
    *a = *b;
    *b = swapped;
}

static void rise(hit *heap, uint32_t at)
{
    for (uint32_t above; at && in_order(&heap[above = (at - 1) / 2], &heap[at]) < 0; at = above)
        swap(&heap[above], &heap[at]);
}

static void sink(hit *heap, uint32_t count)
{
    for (uint32_t at = 0, below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && in_order(&heap[below], &heap[below + 1]) < 0)
            below++;
        if (in_order(&heap[at], &heap[below]) >= 0)
            return;
        swap(&heap[at], &heap[below]);
    }
}

static void note_nearest(hits *to, const hit *found)
{
    hit *heap = to->hit + (size_t)found->query * to->limit;
    uint32_t *used = &to->used[found->query];
    to->totals[found->query]++;
    if (*used < to->limit) {
        heap[*used] = *found;
        rise(heap, (*used)++);
    } else if (in_order(found, heap) < 0) {
        heap[0] = *found;
        sink(heap, *used);
    }
}

/* ---- Noting ---------------------------------------------------------------------------------- */

static ob_status need_room(hits *to, size_t more, ob_error *err)
{
    size_t capacity = to->capacity ? to->capacity : 64;
    while (capacity < to->count + more)
        capacity *= 2;
    if (capacity == to->capacity)
        return OB_OK;
    hit *grown = realloc(to->hit, capacity * sizeof *grown);
    if (!grown)
        return ob_fail(err, OB_ENOMEM, "out of memory: %zu matches", to->count);
    to->hit = grown;
    to->capacity = capacity;
    return OB_OK;
}

ob_status hits_note(hits *to, const hit *found, ob_error *err)
{
    hit one = *found;
    one.list = to->list;
    if (to->limit) {
        note_nearest(to, &one);
        return OB_OK;
    }
    ob_status status = need_room(to, 1, err);
    if (!status)
        to->hit[to->count++] = one;
    return status;
}

ob_status hits_append(hits *to, const hits *from, ob_error *err)
{
    ob_status status = need_room(to, from->count, err);
    if (status)
        return status;
    for (size_t i = 0; i < from->count; i++)
        to->hit[to->count++] = from->hit[i];
    return OB_OK;
}

/* ---- The end --------------------------------------------------------------------------------- */

static void count_of_each(hits *h)
{
    for (size_t from = 0, to; from < h->count; from = to) {
        for (to = from; to < h->count && h->hit[to].query == h->hit[from].query;)
            to++;
        for (size_t i = from; i < to; i++)
            h->hit[i].of_query = to - from;
    }
}

void hits_end(uint64_t *total, hits *h)
{
    *total = h->count;
    for (uint32_t q = 0; h->limit && q < h->queries; q++) {
        for (uint32_t i = 0; i < h->used[q]; i++) {
            h->hit[h->count] = h->hit[(size_t)q * h->limit + i];
            h->hit[h->count++].of_query = h->totals[q];
        }
        *total += h->totals[q];
    }
    if (h->count)
        qsort(h->hit, h->count, sizeof *h->hit, in_order);
    if (!h->limit)
        count_of_each(h);
}
