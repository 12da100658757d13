/* From what was computed of a file to the entries that it matches. */
#include <obhut/engine.h>

#include <stdlib.h>
#include <string.h>

enum { KINDS = 1 + OB_LIST_FILE_DIGESTS };

/* What the texts of findings belong to. */
typedef struct kept {
    ob_list_matches of[KINDS];
    const char **sources;
} kept;

const char *ob_version_name(ob_version version)
{
    static const char *const names[] = {"stored", "shown", "turned"};
    return version <= OB_VERSION_TURNED ? names[version] : "unknown";
}

/* ---- Asking --------------------------------------------------------------------------------- */

/* One hash of a file, and what it is a hash of. */
typedef struct hashed {
    uint32_t frame;
    int quality;
    ob_look look;
} hashed;

/* The hashes of a file that have enough in them. */
typedef struct frames {
    hashed of[OB_MEDIA_HASHES];
    ob_hash256 hash[OB_MEDIA_HASHES * (OB_DIHEDRAL_COUNT + 1)];
    uint32_t count;
    uint32_t queries; /* eight of each, and then, where it differs, each as it is shown */
} frames;

static void add_frame(frames *f, uint32_t number, ob_look look, const ob_pdq *pdq)
{
    f->of[f->count] = (hashed){.frame = number, .quality = pdq->quality, .look = look};
    memcpy(f->hash + f->count * OB_DIHEDRAL_COUNT, pdq->hash, sizeof pdq->hash);
    f->count++;
}

static bool has_enough(const ob_pdq *pdq)
{
    return pdq->quality >= OB_PDQ_MIN_QUALITY;
}

static void take_frames(frames *f, const ob_media_result *media)
{
    f->count = 0;
    if (has_enough(&media->pdq))
        add_frame(f, 0, OB_LOOK_STORED, &media->pdq);
    for (unsigned i = 0; i < media->more_count; i++)
        if (has_enough(&media->more[i].pdq))
            add_frame(f, media->more[i].number, (ob_look)media->more[i].look, &media->more[i].pdq);
    f->queries = f->count * OB_DIHEDRAL_COUNT;
    if (media->orientation == 1)
        return;
    if (has_enough(&media->pdq))
        f->hash[f->queries++] = media->shown;
    for (unsigned i = 0; i < media->more_count; i++)
        if (has_enough(&media->more[i].pdq))
            f->hash[f->queries++] = media->more[i].shown;
}

/* ---- Sorting -------------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_entry(const void *a, const void *b)
{
    const ob_match *x = a, *y = b;
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
    const ob_match *x = a, *y = b;
    int order = compare(x->entry.distance, y->entry.distance);
    return order ? order : by_entry(a, b);
}

/* An entry that several frames, orientations or digests reach is told of once, with the nearest. */
static void keep_nearest(ob_findings *f)
{
    size_t count = 0;
    if (f->count)
        qsort(f->match, f->count, sizeof *f->match, by_entry);
    for (size_t i = 0; i < f->count; i++) {
        ob_match *last = count ? &f->match[count - 1] : NULL;
        if (!last || strcmp(last->entry.list, f->match[i].entry.list) ||
            strcmp(last->entry.entry, f->match[i].entry.entry)) {
            f->match[count++] = f->match[i];
        } else if (f->match[i].by_digest && !last->by_digest) {
            last->by_digest = true;
            last->digest = f->match[i].digest;
        }
    }
    f->count = f->total = count;
    if (count)
        qsort(f->match, count, sizeof *f->match, by_distance);
}

/* ---- Sources -------------------------------------------------------------------------------- */

static bool is_among(const ob_list_match *match, const ob_list_match **others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ob_match_same_source(others[i], match))
            return true;
    return false;
}

static bool is_same_content(const ob_match *a, const ob_match *b)
{
    if (a->by_digest && b->by_digest)
        return true; /* the same bytes */
    return a->by_hash && b->by_hash &&
           !memcmp(&a->entry.hash, &b->entry.hash, sizeof a->entry.hash);
}

/* Who lists each of them, and how many there are in all. At most MOST matches are compared with
 * each other: whoever has more of them needs no count. */
static ob_status gather_sources(ob_findings *f, kept *k, ob_error *err)
{
    enum { MOST = 200 };
    size_t count = f->count < MOST ? f->count : MOST, used = 0;
    k->sources = malloc((count * count + f->count + 1) * sizeof *k->sources);
    if (!k->sources)
        return ob_fail(err, OB_ENOMEM, "out of memory: sources of matches");
    for (size_t i = 0; i < f->count; i++) {
        ob_match *match = &f->match[i];
        const char **mine = k->sources + used;
        const ob_list_match *of[MOST + 1] = {&match->entry};
        size_t n = 1;
        for (size_t j = 0; i < count && j < count; j++)
            if (is_same_content(match, &f->match[j]) && !is_among(&f->match[j].entry, of, n))
                of[n++] = &f->match[j].entry;
        for (size_t j = 0; j < n; j++)
            mine[j] = of[j]->source;
        match->sources = mine;
        match->source_count = n;
        used += n;
    }
    for (size_t i = 0; i < f->count; i++) { /* 2 are as good as more */
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = !ob_match_same_source(&f->match[i].entry, &f->match[j].entry);
        f->source_count += first;
        if (f->source_count > 1)
            break;
    }
    return OB_OK;
}

/* ---- All of it ------------------------------------------------------------------------------ */

/* One match is enough to be told of; none is no answer while a list cannot be searched, whether it
 * was asked or not: nobody knows what it has. */
static ob_status need_all(const kept *k, ob_lists *lists, ob_error *err)
{
    char *why = NULL;
    ob_status status = OB_OK;
    for (int i = 0; i < KINDS; i++)
        if (k->of[i].count)
            return OB_OK;
    for (int i = 0; i < KINDS && !status; i++)
        status = ob_list_matches_whole(&k->of[i], 1, err);
    if (!status && ob_lists_trouble(&why, lists))
        status = ob_fail(err, OB_EIO, "%s", why ? why : "a list cannot be searched");
    free(why);
    return status;
}

static ob_status ask(kept *k, ob_lists *lists, const frames *f, const ob_job_result *job,
                     unsigned distance, ob_error *err)
{
    const uint8_t *const digest[OB_LIST_FILE_DIGESTS] = {job->digests.md5, job->digests.sha1,
                                                         job->digests.sha256};
    ob_status status = OB_OK;
    if (f->count)
        status =
            ob_lists_match(&k->of[0], lists, f->hash, f->queries, distance, OB_LISTS_OF_EACH, err);
    for (int d = 0; d < OB_LIST_FILE_DIGESTS && !status; d++)
        if (job->digested >> d & 1)
            status = ob_lists_match_digests(&k->of[1 + d], lists, (ob_list_digest)d, digest[d], 1,
                                            OB_LISTS_OF_EACH, err);
    return status ? status : need_all(k, lists, err);
}

static void note_hash(ob_match *match, const frames *f, const ob_job_result *job)
{
    const ob_dihedral shown = ob_media_shown(job->media.orientation);
    const uint32_t turned = f->count * OB_DIHEDRAL_COUNT, query = match->entry.query;
    const hashed *of = &f->of[query >= turned ? query - turned : query / OB_DIHEDRAL_COUNT];
    match->by_hash = true;
    match->orientation = query >= turned ? shown : (ob_dihedral)(query % OB_DIHEDRAL_COUNT);
    match->frame = of->frame;
    match->quality = of->quality;
    match->look = of->look;
    match->version = match->orientation == OB_DIHEDRAL_ORIGINAL ? OB_VERSION_STORED
                     : match->orientation == shown              ? OB_VERSION_SHOWN
                                                                : OB_VERSION_TURNED;
}

ob_status ob_find(ob_findings *out, ob_lists *lists, const ob_job_result *job, unsigned distance,
                  const ob_leave *leave, ob_error *err)
{
    ob_status allowed = ob_permit_still(leave->permit, leave->use, leave->mac, err);
    if (allowed)
        return allowed;
    frames frames = {.count = 0};
    const bool was_hashed = !job->status && job->media.format;
    if (was_hashed)
        take_frames(&frames, &job->media);
    ob_findings f = {.low_quality = was_hashed && !frames.count};
    kept *k = calloc(1, sizeof *k);
    f.kept = k;
    ob_status status = k ? ask(k, lists, &frames, job, distance, err)
                         : ob_fail(err, OB_ENOMEM, "out of memory: matches");
    size_t most = 0;
    for (int i = 0; !status && i < KINDS; i++)
        most += k->of[i].count;
    f.match = status ? NULL : calloc(most + 1, sizeof *f.match);
    if (!status && !f.match)
        status = ob_fail(err, OB_ENOMEM, "out of memory: matches");
    for (int i = 0; !status && i < KINDS; i++)
        for (size_t m = 0; m < k->of[i].count; m++) {
            ob_match *match = &f.match[f.count++];
            match->entry = k->of[i].match[m];
            match->by_digest = i > 0;
            match->digest = (ob_list_digest)(i ? i - 1 : 0);
            if (!i)
                note_hash(match, &frames, job);
        }
    if (!status) {
        keep_nearest(&f);
        status = gather_sources(&f, k, err);
    }
    if (status) {
        ob_findings_free(&f);
        return status;
    }
    *out = f;
    return OB_OK;
}

void ob_findings_free(ob_findings *f)
{
    kept *k = f->kept;
    for (int i = 0; k && i < KINDS; i++)
        ob_list_matches_free(&k->of[i]);
    if (k)
        free(k->sources);
    free(k);
    free(f->match);
    *f = (ob_findings){0};
}
