/* The lists of a directory, searched together. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Slots ----------------------------------------------------------------------------------- */

/* Under the guard. */
static slot *find(const ob_lists *lists, const char *name)
{
    for (size_t i = 0; i < lists->count; i++)
        if (!strcmp(lists->slots[i]->name, name))
            return lists->slots[i];
    return NULL;
}

slot *set_find(ob_lists *lists, const char *name)
{
    pthread_mutex_lock(&lists->guard);
    slot *found = find(lists, name);
    pthread_mutex_unlock(&lists->guard);
    return found;
}

live *set_now(ob_lists *lists, slot *slot)
{
    pthread_mutex_lock(&lists->guard);
    live *now = slot->now ? live_ref(slot->now) : NULL;
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
    char *trouble = slot->trouble;
    slot->now = with;
    slot->enabled = info.enabled;
    slot->trouble = NULL;
    lists->changes++;
    pthread_mutex_unlock(&lists->guard);
    free(trouble);
    live_release(old);
}

void set_trouble(ob_lists *lists, slot *slot, const char *why)
{
    char *copy = strdup(why);
    pthread_mutex_lock(&lists->guard);
    live *old = slot->now;
    char *before = slot->trouble;
    if (copy) /* else the list stays, and fails again */
        slot->now = NULL;
    if (copy) {
        slot->trouble = copy;
        slot->reported = false;
        lists->changes++;
    }
    pthread_mutex_unlock(&lists->guard);
    if (copy) {
        free(before);
        live_release(old);
    }
}

void set_advance(ob_lists *lists, slot *slot, live *next)
{
    pthread_mutex_lock(&lists->guard);
    live *old = slot->now;
    slot->now = next;
    lists->changes++;
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
    *out = find(lists, name); /* somebody may have made it meanwhile */
    if (*out) {
        pthread_mutex_unlock(&lists->guard);
        free(made);
        return OB_OK;
    }
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

/* ---- Opening --------------------------------------------------------------------------------- */

/* An owner goes on without a list that cannot be opened, and reports it; a reader fails. */
static ob_status open_list(ob_lists *lists, const list_name *name, bool owner, ob_error *err)
{
    live *list = NULL;
    slot *slot = NULL;
    ob_error problem = {0};
    ob_status status = live_open(&list, lists->dir, name->name, &problem);
    if (status == OB_ENOTFOUND) /* removed in the meantime, or open_missing says so */
        return OB_OK;
    if (status && (!owner || status == OB_ENOMEM))
        return ob_fail(err, status, "%s", problem.text);
    ob_status made = set_slot(&slot, lists, name->name, err);
    if (made) {
        live_release(list);
        return made;
    }
    if (status) {
        set_trouble(lists, slot, problem.text);
        slot->enabled = state_is_on(state_find(&lists->state, name->name), name->enabled);
    } else {
        set_replace(lists, slot, list);
    }
    return OB_OK;
}

ob_status set_missing(const ob_lists *lists, const char *name, ob_error *err)
{
    return ob_fail(err, OB_EFORMAT,
                   "%s/lists/%s.obx is missing, and nobody removed that list: put it back, or "
                   "import or remove it",
                   lists->dir, name);
}

/* A list that is noted and does not stand in the folder. */
static ob_status open_missing(ob_lists *lists, const list_state *list, bool owner, ob_error *err)
{
    bool enabled;
    slot *slot = NULL;
    ob_error problem = {0};
    if (list->removed || !state_has_file(list) || set_find(lists, list->name) ||
        list_find(&enabled, lists->dir, list->name, NULL) != OB_ENOTFOUND)
        return OB_OK;
    set_missing(lists, list->name, &problem);
    if (!owner)
        return ob_fail(err, OB_EFORMAT, "%s", problem.text);
    ob_status status = set_slot(&slot, lists, list->name, err);
    if (!status) {
        set_trouble(lists, slot, problem.text);
        slot->enabled = state_is_on(list, true);
    }
    return status;
}

static ob_status open_all(ob_lists *lists, bool owner, ob_error *err)
{
    list_name *names = NULL;
    size_t found = 0;
    ob_status status = list_names(&names, &found, lists->dir, err);
    if (!status)
        status = state_load(&lists->state, lists->dir, err);
    for (size_t i = 0; i < found && !status; i++)
        if (owner || state_is_on(state_find(&lists->state, names[i].name), names[i].enabled))
            status = open_list(lists, &names[i], owner, err);
    free(names);
    /* After the lists, so that a list that was removed meanwhile is no longer in the state. */
    state_free(&lists->state);
    if (!status)
        status = state_load(&lists->state, lists->dir, err);
    for (size_t i = 0; i < lists->state.count && !status; i++)
        status = open_missing(lists, &lists->state.lists[i], owner, err);
    return status;
}

ob_status set_open(ob_lists **out, const char *dir, int lock, ob_error *err)
{
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
    pthread_mutex_init(&lists->noting, NULL);
    pthread_condattr_t steady; /* nobody sets that clock */
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&lists->wake, &steady);
    pthread_condattr_destroy(&steady);
    ob_status status = open_all(lists, lock >= 0, err);
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
        free(slot->trouble);
        pthread_mutex_destroy(&slot->renewing);
        pthread_mutex_destroy(&slot->writing);
        free(slot);
    }
    free(lists->slots);
    list_screen_free(&lists->screen);
    if (lists->lock >= 0)
        list_unlock(lists->lock);
    state_free(&lists->state);
    free(lists->other);
    pthread_mutex_destroy(&lists->noting);
    pthread_mutex_destroy(&lists->guard);
    pthread_cond_destroy(&lists->wake);
    free(lists->dir);
    free(lists);
}

const char *ob_lists_dir(const ob_lists *lists)
{
    return lists->dir;
}

uint64_t ob_lists_changes(const ob_lists *lists)
{
    return lists->changes;
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
    pthread_mutex_lock(&lists->noting);
    for (size_t i = 0; i < found; i++) {
        const list_state *state = state_find(&lists->state, infos[i].name);
        const int64_t updated = state ? state->updated_at : 0;
        infos[i].updated_at = updated > infos[i].imported_at ? updated : infos[i].imported_at;
    }
    pthread_mutex_unlock(&lists->noting);
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

/* ---- Matching -------------------------------------------------------------------------------- */

/* The lists that one search looks at. */
typedef struct list_refs {
    ob_error missing; /* why some list could not be searched; OB_OK: all were */
    size_t count;
    live *lists[];
} list_refs;

static ob_status ref_enabled(list_refs **out, ob_lists *lists, ob_error *err)
{
    pthread_mutex_lock(&lists->guard);
    list_refs *k = malloc(sizeof *k + lists->count * sizeof *k->lists);
    if (k)
        *k = (list_refs){.count = 0};
    if (k && lists->other)
        ob_fail(&k->missing, OB_EIO, "%s", lists->other);
    for (size_t i = 0; k && !lists->other && i < lists->count; i++) {
        const slot *slot = lists->slots[i];
        if (slot->now && slot->enabled)
            k->lists[k->count++] = live_ref(slot->now);
        else if (slot->trouble && slot->enabled)
            ob_fail(&k->missing, OB_EIO, "%s", slot->trouble);
    }
    pthread_mutex_unlock(&lists->guard);
    *out = k;
    return k ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: lists");
}

void ob_list_matches_free(ob_list_matches *matches)
{
    list_refs *k = matches->refs;
    for (size_t i = 0; k && i < k->count; i++)
        live_release(k->lists[i]);
    free(k);
    free(matches->match);
    *matches = (ob_list_matches){0};
}

/* A list that turns out not to be whole is left out from now on. What it has told already may be
 * wrong: *again is set. */
static ob_status exclude(bool *again, list_refs *k, size_t number, const ob_error *problem,
                         ob_error *err)
{
    if (problem->status != OB_EFORMAT && problem->status != OB_EIO)
        return ob_fail(err, problem->status, "%s", problem->text);
    ob_fail(&k->missing, OB_EIO, "%s", problem->text);
    live_release(k->lists[number]);
    k->lists[number] = k->lists[--k->count];
    *again = true;
    return OB_OK;
}

/* Turns what hits_end left into *out, which takes `k` over unless it must be looked for again. */
static ob_status make_matches(ob_list_matches *out, bool *again, list_refs *k, const hits *found,
                              uint64_t total, ob_error *err)
{
    ob_list_matches made = {
        .total = total, .refs = k, .missing = k->missing.status ? k->missing.text : NULL};
    ob_status status = OB_OK;
    if (found->count) {
        made.match = malloc(found->count * sizeof *made.match);
        if (!made.match)
            status = ob_fail(err, OB_ENOMEM, "out of memory: %zu matches", found->count);
    }
    for (size_t i = 0; i < found->count && !status && !*again; i++) {
        const hit *h = &found->hit[i];
        ob_list_match *match = &made.match[made.count++];
        *match = (ob_list_match){
            .query = h->query, .distance = h->distance, .hash = h->hash, .of_query = h->of_query};
        ob_error problem = {0};
        if (live_describe(match, k->lists[h->list], h->entry, &problem))
            status = exclude(again, k, h->list, &problem, err);
    }
    if (status || *again)
        free(made.match);
    else
        *out = made;
    return status;
}

/* What is looked for. */
typedef struct search {
    const ob_hash256 *hashes; /* NULL: digests */
    const uint8_t *digests;
    ob_list_digest kind;
    uint32_t count;
    unsigned distance;
    uint32_t limit;
} search;

static ob_status search_live(hits *out, const search *s, const live *list, ob_error *err)
{
    return s->hashes ? live_match(out, list, s->hashes, s->count, s->distance, err)
                     : live_match_digests(out, list, (int)s->kind, s->digests, s->count, err);
}

static ob_status search_list(hits *out, bool *again, const search *s, list_refs *k, size_t number,
                             ob_error *err)
{
    ob_error problem = {0};
    if (!search_live(out, s, k->lists[number], &problem))
        return OB_OK;
    return exclude(again, k, number, &problem, err);
}

static uint32_t share_of(const search *s)
{
    const uint32_t share = s->count ? OB_LISTS_MATCHES_MOST / s->count : OB_LISTS_MATCHES_MOST;
    return share ? share : 1;
}

/* The nearest of each list on its own, so that none is left out because another has many. */
static ob_status search_each(hits *out, uint64_t *total, bool *again, const search *s, list_refs *k,
                             ob_error *err)
{
    ob_status status = OB_OK;
    for (size_t i = 0; !status && !*again && i < k->count; i++) {
        hits of_list = {0};
        uint64_t more = 0;
        status = hits_begin(&of_list, s->count, share_of(s), err);
        of_list.list = (uint32_t)i;
        if (!status)
            status = search_list(&of_list, again, s, k, i, err);
        if (!status) {
            hits_end(&more, &of_list);
            status = hits_append(out, &of_list, err);
        }
        *total += more;
        hits_free(&of_list);
    }
    if (!status) {
        uint64_t appended;
        hits_end(&appended, out);
    }
    return status;
}

static ob_status search_all(hits *out, uint64_t *total, bool *again, const search *s, list_refs *k,
                            ob_error *err)
{
    const uint32_t share = share_of(s);
    ob_status status = hits_begin(out, s->count, s->limit < share ? s->limit : share, err);
    for (size_t i = 0; !status && !*again && i < k->count; i++) {
        out->list = (uint32_t)i;
        status = search_list(out, again, s, k, i, err);
    }
    if (!status)
        hits_end(total, out);
    return status;
}

static ob_status match(ob_list_matches *out, ob_lists *lists, const search *s, ob_error *err)
{
    list_refs *k = NULL;
    hits found = {0};
    uint64_t total = 0;
    bool again = true;
    ob_status status = ref_enabled(&k, lists, err);
    while (!status && again) {
        hits_free(&found);
        total = 0;
        again = false;
        status = s->limit == OB_LISTS_OF_EACH ? search_each(&found, &total, &again, s, k, err)
                                              : search_all(&found, &total, &again, s, k, err);
        if (!status && !again)
            status = make_matches(out, &again, k, &found, total, err);
        if (again && lists->maintaining)
            own_wake(lists); /* the keeper takes it out and says so */
    }
    ob_list_matches mine = {.refs = k};
    if (status)
        ob_list_matches_free(&mine);
    hits_free(&found);
    return status;
}

ob_status ob_list_matches_whole(const ob_list_matches *matches, uint32_t queries, ob_error *err)
{
    uint32_t with_match = 0;
    if (!matches->missing)
        return OB_OK;
    for (size_t i = 0; i < matches->count; i++)
        with_match += !i || matches->match[i].query != matches->match[i - 1].query;
    return with_match >= queries ? OB_OK : ob_fail(err, OB_EIO, "%s", matches->missing);
}

/* ---- Trouble --------------------------------------------------------------------------------- */

size_t ob_lists_trouble(char **out, ob_lists *lists)
{
    size_t count = 0;
    char *first = NULL;
    pthread_mutex_lock(&lists->guard);
    for (size_t i = 0; i < lists->count; i++) {
        const slot *slot = lists->slots[i];
        ob_error problem = {0};
        if (!slot->enabled || (!slot->trouble && !(slot->now && live_whole(slot->now, &problem))))
            continue;
        if (!count++ && out)
            first = strdup(slot->trouble ? slot->trouble : problem.text);
    }
    if (lists->other) { /* it is all of them, whatever else is wrong */
        count = lists->count ? lists->count : 1;
        free(first);
        first = out ? strdup(lists->other) : NULL;
    }
    pthread_mutex_unlock(&lists->guard);
    if (out)
        *out = first;
    return count;
}

ob_status ob_lists_match(ob_list_matches *out, ob_lists *lists, const ob_hash256 *queries,
                         uint32_t query_count, unsigned distance, uint32_t limit, ob_error *err)
{
    if (distance > OB_INDEX_MAX_DISTANCE)
        return ob_fail(err, OB_EINVAL, "distance %u; at most %d can be asked for", distance,
                       OB_INDEX_MAX_DISTANCE);
    const search s = {
        .hashes = queries, .count = query_count, .distance = distance, .limit = limit};
    return match(out, lists, &s, err);
}

ob_status ob_lists_match_digests(ob_list_matches *out, ob_lists *lists, ob_list_digest kind,
                                 const uint8_t *queries, uint32_t query_count, uint32_t limit,
                                 ob_error *err)
{
    const search s = {.digests = queries, .kind = kind, .count = query_count, .limit = limit};
    return match(out, lists, &s, err);
}
