/* The detector "digests": the same bytes as an entry of a list. MD5, SHA-1 and SHA-256 of a whole
 * file; of queries also digests of other kinds. Measured by data/detectors/digests.json: two
 * different files with one digest are the only false alarm there is. */
#include "detect_priv.h"

#include <string.h>

/* Of each match, which digest it was. */
static ob_status add(ob_signals *out, const ob_list_matches *found, ob_list_digest digest,
                     ob_detector detector, ob_error *err)
{
    if (!found->count)
        return OB_OK;
    ob_signal *signal = ob_signals_more(out, found->count, err);
    if (!signal)
        return OB_ENOMEM;
    for (size_t i = 0; i < found->count; i++)
        signal[i] = (ob_signal){.detectors = UINT32_C(1) << detector,
                                .score = 1,
                                .has_entry = true,
                                .entry = found->match[i],
                                .by_digest = true,
                                .digest = digest};
    return OB_OK;
}

static ob_status judge(ob_signals *out, const ob_judging *with, const ob_job_result *of,
                       ob_error *err)
{
    const uint8_t *const digest[OB_LIST_FILE_DIGESTS] = {of->digests.md5, of->digests.sha1,
                                                         of->digests.sha256};
    ob_status status = OB_OK;
    for (int d = 0; d < OB_LIST_FILE_DIGESTS && !status; d++) {
        if (!(of->digested >> d & 1))
            continue;
        ob_list_matches *found = ob_signals_part(out);
        status = ob_lists_match_digests(found, with->lists, (ob_list_digest)d, digest[d], 1,
                                        OB_LISTS_OF_EACH, err);
        if (!status)
            status = add(out, found, (ob_list_digest)d, with->detector, err);
    }
    return status;
}

static bool owns(const ob_query *query)
{
    return query->is_digest;
}

/* Queries of one kind go together. */
static ob_status look_up_kind(ob_list_matches *out, const ob_judging *with,
                              const ob_query_part *part, ob_list_digest kind, ob_error *err)
{
    uint32_t place[OB_QUERIES_TOGETHER], some = 0;
    uint8_t keys[OB_QUERIES_TOGETHER * OB_LIST_DIGEST_MAX];
    const unsigned width = ob_list_digest_width(kind);
    for (uint32_t i = part->from; i < part->from + part->count; i++) {
        const ob_query *q = &part->queries[i];
        if (!q->is_digest || q->kind != kind)
            continue;
        memcpy(keys + (size_t)some * width, q->digest, width);
        place[some++] = i;
    }
    if (!some)
        return OB_OK;
    ob_status status = ob_lists_match_digests(out, with->lists, kind, keys, some, part->limit, err);
    return status ? status : query_places(out, place, some, err);
}

static ob_status look_up(ob_query_matches *out, const ob_judging *with, const ob_query_part *part,
                         ob_error *err)
{
    ob_status status = OB_OK;
    for (int k = 0; k < OB_LIST_DIGESTS && !status; k++)
        status = look_up_kind(&out->of[1 + k], with, part, (ob_list_digest)k, err);
    return status;
}

const ob_detector_class detect_digests = {
    .name = "digests",
    .media = OB_EVERY_MEDIA,
    .extract = OB_EXTRACT_DIGESTS,
    .judge = judge,
    .owns = owns,
    .look_up = look_up,
};
