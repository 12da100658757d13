/* The lists of a directory, searched together. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Slots -------------------------------------------------------------------------------- */

slot *set_find(ob_lists *lists, const char *name)
{
    slot *found = NULL;
    pthread_mutex_lock(&lists->guard);
    for (size_t i = 0; i < lists->count && !found; i++)
        if (!strcmp(lists->slots[i]->name, name))
            found = lists->slots[i];
    pthread_mutex_unlock(&lists->guard);
    return found;
}

live *set_now(ob_lists *lists, slot *slot)
{
    pthread_mutex_lock(&lists->guard);
    live *now = slot->now ? live_keep(slot->now) : NULL;
    pthread_mutex_unlock(&lists->guard);
    return now;
}

void set_replace(ob_lists *lists, slot *slot, live *with)
{
    ob_list_info info = {0};
    if (with)
        live_info(&info, with);
    pthread_mutex_lock(&lists->guard);
    live *old = slot->now;
    slot->now = with;
    slot->enabled = info.enabled;
    pthread_mutex_unlock(&lists->guard);
    live_release(old);
}

void set_advance(ob_lists *lists, slot *slot, live *next)
{
    pthread_mutex_lock(&lists->guard);
    live *old = slot->now;
    slot->now = next;
    pthread_mutex_unlock(&lists->guard);
    live_release(old);
}

ob_status set_slot(slot **out, ob_lists *lists, const char *name, ob_error *err)
{
    *out = set_find(lists, name);
    if (*out)
        return OB_OK;
    slot *made = calloc(1, sizeof *made);
    pthread_mutex_lock(&lists->guard);
    slot **more = made ? realloc(lists->slots, (lists->count + 1) * sizeof(slot *)) : NULL;
    if (more) {
        snprintf(made->name, sizeof made->name, "%s", name);
        pthread_mutex_init(&made->renewing, NULL);
        pthread_mutex_init(&made->writing, NULL);
        made->journal.file = -1;
        size_t at = lists->count++;
        for (; at && strcmp(more[at - 1]->name, name) > 0; at--)
            more[at] = more[at - 1];
        more[at] = made;
        lists->slots = more;
        *out = made;
    }
    pthread_mutex_unlock(&lists->guard);
    if (more)
        return OB_OK;
    free(made);
    return ob_fail(err, OB_ENOMEM, "out of memory: lists");
}

/* ---- Opening ------------------------------------------------------------------------------ */

ob_status set_open(ob_lists **out, const char *dir, int lock, ob_error *err)
{
    list_name *names = NULL;
    size_t found = 0;
    ob_lists *lists = calloc(1, sizeof *lists);
    char *copy = strdup(dir);
    if (!lists || !copy) {
        free(lists);
        free(copy);
        return ob_fail(err, OB_ENOMEM, "out of memory: lists");
    }
    lists->dir = copy;
    lists->lock = -1;
    pthread_mutex_init(&lists->guard, NULL);
    pthread_cond_init(&lists->wake, NULL);
    ob_status status = list_names(&names, &found, dir, err);
    for (size_t i = 0; i < found && !status; i++) {
        live *list = NULL;
        slot *slot = NULL;
        ob_error problem = {0};
        if (!names[i].enabled && lock < 0)
            continue;
        status = live_open(&list, dir, names[i].name, &problem);
        if (status == OB_ENOTFOUND) { /* removed in the meantime */
            status = OB_OK;
            continue;
        }
        if (!status)
            status = set_slot(&slot, lists, names[i].name, &problem);
        if (!status)
            set_replace(lists, slot, list);
        else
            ob_fail(err, status, "%s", problem.text);
    }
    free(names);
    if (status) {
        ob_lists_close(lists);
        return status;
    }
    lists->lock = lock;
    *out = lists;
    return OB_OK;
}

ob_status ob_lists_open(ob_lists **out, const char *dir, ob_error *err)
{
    return set_open(out, dir, -1, err);
}

void ob_lists_close(ob_lists *lists)
{
    if (!lists)
        return;
    own_end(lists);
    for (size_t i = 0; i < lists->count; i++) {
        slot *slot = lists->slots[i];
        live_release(slot->now);
        pthread_mutex_destroy(&slot->renewing);
        pthread_mutex_destroy(&slot->writing);
        free(slot);
    }
    free(lists->slots);
    list_screen_free(&lists->screen);
    if (lists->lock >= 0)
        list_unlock(lists->lock);
    pthread_mutex_destroy(&lists->guard);
    pthread_cond_destroy(&lists->wake);
    free(lists->dir);
    free(lists);
}

const char *ob_lists_dir(const ob_lists *lists)
{
    return lists->dir;
}

size_t ob_lists_count(ob_lists *lists)
{
    size_t count = 0;
    pthread_mutex_lock(&lists->guard);
    for (size_t i = 0; i < lists->count; i++)
        count += lists->slots[i]->now && lists->slots[i]->enabled;
    pthread_mutex_unlock(&lists->guard);
    return count;
}

uint64_t ob_lists_entries(ob_lists *lists)
{
    uint64_t entries = 0;
    pthread_mutex_lock(&lists->guard);
    for (size_t i = 0; i < lists->count; i++) {
        ob_list_info info = {0};
        if (lists->slots[i]->now && lists->slots[i]->enabled)
            live_info(&info, lists->slots[i]->now);
        entries += info.entries;
    }
    pthread_mutex_unlock(&lists->guard);
    return entries;
}

static int info_by_name(const void *a, const void *b)
{
    return strcmp(((const ob_list_info *)a)->name, ((const ob_list_info *)b)->name);
}

ob_status ob_lists_info(ob_list_info **out, size_t *count, ob_lists *lists, ob_error *err)
{
    pthread_mutex_lock(&lists->guard);
    ob_list_info *infos = calloc(lists->count + 1, sizeof *infos);
    size_t found = 0;
    for (size_t i = 0; infos && i < lists->count; i++)
        if (lists->slots[i]->now) {
            live_info(&infos[found], lists->slots[i]->now);
            infos[found++].enabled = lists->slots[i]->enabled;
        }
    pthread_mutex_unlock(&lists->guard);
    if (!infos)
        return ob_fail(err, OB_ENOMEM, "out of memory: lists");
    qsort(infos, found, sizeof *infos, info_by_name);
    *out = infos;
    *count = found;
    return OB_OK;
}

uint32_t ob_lists_digests(ob_lists *lists)
{
    uint32_t any = 0;
    pthread_mutex_lock(&lists->guard);
    for (size_t i = 0; i < lists->count; i++)
        if (lists->slots[i]->now && lists->slots[i]->enabled)
            any |= live_digests(lists->slots[i]->now);
    pthread_mutex_unlock(&lists->guard);
    return any;
}

/* ---- Matching ----------------------------------------------------------------------------- */

/* The lists that one search looks at. */
typedef struct kept {
    size_t count;
    live *lists[];
} kept;

static ob_status keep_enabled(kept **out, ob_lists *lists, ob_error *err)
{
    pthread_mutex_lock(&lists->guard);
    kept *k = malloc(sizeof *k + lists->count * sizeof *k->lists);
    if (k)
        k->count = 0;
    for (size_t i = 0; k && i < lists->count; i++)
        if (lists->slots[i]->now && lists->slots[i]->enabled)
            k->lists[k->count++] = live_keep(lists->slots[i]->now);
    pthread_mutex_unlock(&lists->guard);
    *out = k;
    return k ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: lists");
}

void ob_list_matches_free(ob_list_matches *matches)
{
    kept *k = matches->kept;
    for (size_t i = 0; k && i < k->count; i++)
        live_release(k->lists[i]);
    free(k);
    free(matches->match);
    *matches = (ob_list_matches){0};
}

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

/* Counts the hits of each query, and leaves the first `limit` of them. */
static void apply_limit(hits *found, uint32_t limit)
{
    size_t count = 0;
    for (size_t from = 0, to; from < found->count; from = to) {
        for (to = from; to < found->count && found->hit[to].query == found->hit[from].query;)
            to++;
        uint64_t of_query = to - from;
        for (size_t i = from; i < to && (limit == OB_LISTS_NO_LIMIT || i - from < limit); i++) {
            found->hit[count] = found->hit[i];
            found->hit[count++].of_query = of_query;
        }
    }
    found->count = count;
}

/* Turns hits into *out, which takes `k` over. */
static ob_status tell(ob_list_matches *out, kept *k, hits *found, uint32_t limit, ob_error *err)
{
    ob_list_matches told = {.total = found->count, .kept = k};
    ob_status status = OB_OK;
    if (found->count)
        qsort(found->hit, found->count, sizeof *found->hit, in_order);
    apply_limit(found, limit);
    if (found->count) {
        told.match = malloc(found->count * sizeof *told.match);
        if (!told.match)
            status = ob_fail(err, OB_ENOMEM, "out of memory: %zu matches", found->count);
    }
    for (size_t i = 0; i < found->count && !status; i++) {
        const hit *h = &found->hit[i];
        ob_list_match *match = &told.match[told.count++];
        *match = (ob_list_match){
            .query = h->query, .distance = h->distance, .hash = h->hash, .of_query = h->of_query};
        status = live_describe(match, k->lists[h->list], h->entry, err);
    }
    if (status)
        ob_list_matches_free(&told);
    else
        *out = told;
    return status;
}

ob_status ob_lists_match(ob_list_matches *out, ob_lists *lists, const ob_hash256 *queries,
                         uint32_t query_count, unsigned distance, uint32_t limit, ob_error *err)
{
    kept *k = NULL;
    hits found = {0};
    if (distance > OB_INDEX_MAX_DISTANCE)
        return ob_fail(err, OB_EINVAL, "distance %u; at most %d can be asked for", distance,
                       OB_INDEX_MAX_DISTANCE);
    ob_status status = keep_enabled(&k, lists, err);
    for (size_t i = 0; !status && i < k->count; i++) {
        found.list = (uint32_t)i;
        status = live_match(&found, k->lists[i], queries, query_count, distance, err);
    }
    ob_list_matches mine = {.kept = k};
    if (status)
        ob_list_matches_free(&mine);
    else
        status = tell(out, k, &found, limit, err);
    free(found.hit);
    return status;
}

ob_status ob_lists_match_digests(ob_list_matches *out, ob_lists *lists, ob_list_digest kind,
                                 const uint8_t *queries, uint32_t query_count, uint32_t limit,
                                 ob_error *err)
{
    kept *k = NULL;
    hits found = {0};
    ob_status status = keep_enabled(&k, lists, err);
    for (size_t i = 0; !status && i < k->count; i++) {
        found.list = (uint32_t)i;
        status = live_match_digests(&found, k->lists[i], (int)kind, queries, query_count, err);
    }
    ob_list_matches mine = {.kept = k};
    if (status)
        ob_list_matches_free(&mine);
    else
        status = tell(out, k, &found, limit, err);
    free(found.hit);
    return status;
}
