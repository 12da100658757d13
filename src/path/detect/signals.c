/* Signals of one item, brought together. */
#include "detect_priv.h"

#include <stdlib.h>
#include <string.h>

const char *ob_version_name(ob_version version)
{
    static const char *const names[] = {"stored", "shown", "turned"};
    return version <= OB_VERSION_TURNED ? names[version] : "unknown";
}

/* ---- Adding ---------------------------------------------------------------------------------- */

ob_list_matches *ob_signals_part(ob_signals *s)
{
    return &s->part[s->part_count < OB_SIGNAL_PARTS ? s->part_count++ : OB_SIGNAL_PARTS - 1];
}

ob_signal *ob_signals_more(ob_signals *s, size_t count, ob_error *err)
{
    if (s->count + count > s->room) {
        ob_signal *grown = realloc(s->signal, (s->count + count) * sizeof *grown);
        if (!grown) {
            ob_fail(err, OB_ENOMEM, "out of memory: signals");
            return NULL;
        }
        s->signal = grown;
        s->room = s->count + count;
    }
    s->count += count;
    return s->signal + s->count - count;
}

/* ---- Sorting -------------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Entries first; then the surest. */
static int by_score(const ob_signal *x, const ob_signal *y)
{
    if (x->has_entry != y->has_entry)
        return x->has_entry ? -1 : 1;
    return (x->score < y->score) - (x->score > y->score);
}

static int by_entry(const void *a, const void *b)
{
    const ob_signal *x = a, *y = b;
    if (!x->has_entry || !y->has_entry)
        return by_score(x, y);
    int order = strcmp(x->entry.list, y->entry.list);
    if (!order)
        order = strcmp(x->entry.entry, y->entry.entry);
    if (!order)
        order = y->by_hash - x->by_hash;
    if (!order)
        order = compare(x->entry.distance, y->entry.distance);
    return order ? order : compare(x->entry.query, y->entry.query);
}

static int by_distance(const void *a, const void *b)
{
    const ob_signal *x = a, *y = b;
    if (!x->has_entry || !y->has_entry)
        return by_score(x, y);
    int order = compare(x->entry.distance, y->entry.distance);
    return order ? order : by_entry(a, b);
}

static bool is_same_entry(const ob_signal *a, const ob_signal *b)
{
    return a->has_entry && b->has_entry && !strcmp(a->entry.list, b->entry.list) &&
           !strcmp(a->entry.entry, b->entry.entry);
}

/* An entry that several frames, orientations or digests reach stands there once, with the nearest.
 */
static void keep_nearest(ob_signals *s)
{
    size_t count = 0;
    qsort(s->signal, s->count, sizeof *s->signal, by_entry);
    for (size_t i = 0; i < s->count; i++) {
        ob_signal *last = count ? &s->signal[count - 1] : NULL;
        if (!last || !is_same_entry(last, &s->signal[i])) {
            s->signal[count++] = s->signal[i];
            continue;
        }
        last->detectors |= s->signal[i].detectors;
        if (s->signal[i].by_digest && !last->by_digest) {
            last->by_digest = true;
            last->digest = s->signal[i].digest;
        }
    }
    s->count = count;
    qsort(s->signal, count, sizeof *s->signal, by_distance);
}

/* ---- Sources --------------------------------------------------------------------------------- */

static bool is_among(const ob_list_match *match, const ob_list_match **others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ob_match_same_source(others[i], match))
            return true;
    return false;
}

static bool is_same_content(const ob_signal *a, const ob_signal *b)
{
    if (a->by_digest && b->by_digest)
        return true; /* the same bytes */
    return a->by_hash && b->by_hash &&
           !memcmp(&a->entry.hash, &b->entry.hash, sizeof a->entry.hash);
}

/* Who lists each of `entries`. At most MOST are compared with each other: an item that has more
 * needs no count. */
static ob_status gather_sources(ob_signals *s, size_t entries, ob_error *err)
{
    enum { MOST = 200 };
    size_t count = entries < MOST ? entries : MOST, used = 0;
    s->texts = malloc((count * count + entries + 1) * sizeof *s->texts);
    if (!s->texts)
        return ob_fail(err, OB_ENOMEM, "out of memory: sources of matches");
    for (size_t i = 0; i < entries; i++) {
        ob_signal *signal = &s->signal[i];
        const char **mine = s->texts + used;
        const ob_list_match *of[MOST + 1] = {&signal->entry};
        size_t n = 1;
        for (size_t j = 0; i < count && j < count; j++)
            if (is_same_content(signal, &s->signal[j]) && !is_among(&s->signal[j].entry, of, n))
                of[n++] = &s->signal[j].entry;
        for (size_t j = 0; j < n; j++)
            mine[j] = of[j]->source;
        signal->sources = mine;
        signal->source_count = n;
        used += n;
    }
    return OB_OK;
}

/* 2 are as good as more. */
static size_t count_sources(const ob_signals *s, size_t entries)
{
    size_t different = 0;
    for (size_t i = 0; i < entries && different < 2; i++) {
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = !ob_match_same_source(&s->signal[i].entry, &s->signal[j].entry);
        different += first;
    }
    return different;
}

/* ---- All of it ------------------------------------------------------------------------------- */

ob_status signals_bring_together(ob_signals *s, ob_error *err)
{
    size_t entries = 0;
    if (!s->count)
        return OB_OK;
    keep_nearest(s);
    s->total = s->count;
    while (entries < s->count && s->signal[entries].has_entry)
        entries++;
    s->source_count = count_sources(s, entries);
    return entries ? gather_sources(s, entries, err) : OB_OK;
}

void ob_signals_free(ob_signals *s)
{
    for (unsigned i = 0; i < s->part_count; i++)
        ob_list_matches_free(&s->part[i]);
    free(s->texts);
    free(s->signal);
    *s = (ob_signals){.count = 0};
}
