/* The detector "pdq": a picture that looks like one that is listed. Every hash of a file, in eight
 * orientations, against PDQ hashes of lists, at a distance of 31 bits or less. Measured by
 * data/detectors/pdq.json. */
#include "detect_priv.h"

#include <string.h>

/* ---- Hashes of a file ------------------------------------------------------------------------ */

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

/* ---- Judging --------------------------------------------------------------------------------- */

static void note_hash(ob_signal *signal, const frames *f, const ob_job_result *of)
{
    const ob_dihedral shown = ob_media_shown(of->media.orientation);
    const uint32_t turned = f->count * OB_DIHEDRAL_COUNT, query = signal->entry.query;
    const hashed *hash = &f->of[query >= turned ? query - turned : query / OB_DIHEDRAL_COUNT];
    signal->by_hash = true;
    signal->orientation = query >= turned ? shown : (ob_dihedral)(query % OB_DIHEDRAL_COUNT);
    signal->frame = hash->frame;
    signal->quality = hash->quality;
    signal->look = hash->look;
    signal->version = signal->orientation == OB_DIHEDRAL_ORIGINAL ? OB_VERSION_STORED
                      : signal->orientation == shown              ? OB_VERSION_SHOWN
                                                                  : OB_VERSION_TURNED;
}

static ob_status judge(ob_signals *out, const ob_judging *with, const ob_job_result *of,
                       ob_error *err)
{
    frames frames = {.count = 0};
    if (of->status || !of->media.format)
        return OB_OK;
    take_frames(&frames, &of->media);
    out->low_quality = !frames.count;
    if (!frames.count)
        return OB_OK;
    ob_list_matches *found = ob_signals_part(out);
    ob_status status = ob_lists_match(found, with->lists, frames.hash, frames.queries,
                                      with->distance, OB_LISTS_OF_EACH, err);
    if (status || !found->count)
        return status;
    ob_signal *signal = ob_signals_more(out, found->count, err);
    for (size_t i = 0; signal && i < found->count; i++) {
        signal[i] = (ob_signal){.detectors = UINT32_C(1) << with->detector,
                                .score = 1,
                                .has_entry = true,
                                .entry = found->match[i]};
        note_hash(&signal[i], &frames, of);
    }
    return signal ? OB_OK : OB_ENOMEM;
}

/* ---- Queries --------------------------------------------------------------------------------- */

static bool owns(const ob_query *query)
{
    return !query->is_digest;
}

static ob_status look_up(ob_query_matches *out, const ob_judging *with, const ob_query_part *part,
                         ob_error *err)
{
    uint32_t place[OB_QUERIES_TOGETHER], some = 0;
    ob_hash256 hashes[OB_QUERIES_TOGETHER];
    for (uint32_t i = part->from; i < part->from + part->count; i++) {
        if (part->queries[i].is_digest)
            continue;
        hashes[some] = part->queries[i].hash;
        place[some++] = i;
    }
    if (!some)
        return OB_OK;
    ob_status status =
        ob_lists_match(&out->of[0], with->lists, hashes, some, with->distance, part->limit, err);
    return status ? status : query_places(&out->of[0], place, some, err);
}

const ob_detector_class detect_pdq = {
    .name = "pdq",
    .media = OB_EVERY_MEDIA, /* a request may call a picture what it likes: the bytes decide */
    .extract = OB_EXTRACT_PDQ,
    .judge = judge,
    .owns = owns,
    .look_up = look_up,
};
