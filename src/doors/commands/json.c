/* The JSON of answers: matches, findings, pictures, lists. */
#include "services_priv.h"

#include <string.h>
#include <time.h>

static json_t *hash_text(const ob_hash256 *hash)
{
    char text[OB_HASH256_HEX + 1];
    ob_hash256_print(text, hash);
    return json_string(text);
}

static void set_sources(json_t *object, const char *const *sources, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(sources[i]));
    json_object_set_new(object, "sources", array);
}

static json_t *entry_of(const ob_list_match *match)
{
    json_t *object = json_object();
    json_object_set_new(object, "list", json_string(match->list));
    json_object_set_new(object, "entry", json_string(match->entry));
    return object;
}

static void set_hash(json_t *object, const ob_list_match *match, unsigned threshold)
{
    json_object_set_new(object, "pdq", hash_text(&match->hash));
    json_object_set_new(object, "distance", json_integer(match->distance));
    json_object_set_new(object, "threshold", json_integer(threshold));
}

static void set_classification(json_t *object, const ob_list_match *match)
{
    if (*match->classification)
        json_object_set_new(object, "classification", json_string(match->classification));
}

json_t *ob_services_match(const ob_signal *signal, unsigned threshold)
{
    json_t *object = entry_of(&signal->entry);
    if (signal->by_hash) {
        set_hash(object, &signal->entry, threshold);
        json_object_set_new(object, "quality", json_integer(signal->quality));
        json_object_set_new(object, "version", json_string(ob_version_name(signal->version)));
        json_object_set_new(object, "orientation",
                            json_string(ob_dihedral_name(signal->orientation)));
        json_object_set_new(object, "frame", json_integer(signal->frame));
        json_object_set_new(object, "look", json_string(ob_look_name(signal->look)));
    }
    if (signal->by_digest)
        json_object_set_new(object, "digest", json_string(ob_list_digest_name(signal->digest)));
    set_sources(object, signal->sources, signal->source_count);
    set_classification(object, &signal->entry);
    return object;
}

json_t *ob_services_signal(const ob_signal *signal, const ob_detectors *detectors)
{
    json_t *names = json_array();
    for (int d = 0; d < OB_DETECTORS_MOST; d++)
        if (signal->detectors >> d & 1 && detectors->of[d])
            json_array_append_new(names, json_string(detectors->of[d]->name));
    return json_pack("{s:o, s:f, s:s}", "detectors", names, "score", (double)signal->score,
                     "explanation", signal->words);
}

json_t *ob_services_entry(const ob_list_match *match, const ob_list_match *all, size_t count,
                          const ob_list_digest *digest, unsigned threshold)
{
    const char *sources[OB_MATCH_SOURCES];
    json_t *object = entry_of(match);
    if (digest)
        json_object_set_new(object, "digest", json_string(ob_list_digest_name(*digest)));
    else
        set_hash(object, match, threshold);
    set_sources(object, sources, ob_match_sources(sources, match, all, count, digest));
    set_classification(object, match);
    return object;
}

static void set_more(json_t *object, const ob_media_result *media)
{
    json_t *more = media->more_count ? json_array() : NULL;
    for (unsigned i = 0; i < media->more_count; i++) {
        const ob_media_frame *m = &media->more[i];
        json_t *frame = json_object();
        json_object_set_new(frame, "frame", json_integer(m->number));
        json_object_set_new(frame, "look", json_string(ob_look_name((ob_look)m->look)));
        json_object_set_new(frame, "pdq", hash_text(&m->pdq.hash[OB_DIHEDRAL_ORIGINAL]));
        if (media->orientation != 1)
            json_object_set_new(frame, "pdq_shown", hash_text(&m->shown));
        json_object_set_new(frame, "quality", json_integer(m->pdq.quality));
        json_array_append_new(more, frame);
    }
    if (more)
        json_object_set_new(object, "more_frames", more);
}

void ob_services_set_picture(json_t *object, const ob_media_result *media)
{
    json_object_set_new(object, "format", json_string(ob_format_name(media->format)));
    json_object_set_new(object, "width", json_integer(media->width));
    json_object_set_new(object, "height", json_integer(media->height));
    json_object_set_new(object, "pdq", hash_text(&media->pdq.hash[OB_DIHEDRAL_ORIGINAL]));
    json_object_set_new(object, "quality", json_integer(media->pdq.quality));
    if (media->orientation != 1) {
        json_object_set_new(object, "exif_orientation", json_integer(media->orientation));
        json_object_set_new(object, "pdq_shown", hash_text(&media->shown));
    }
    if (media->frames > 1)
        json_object_set_new(object, "frames", json_integer(media->frames));
    if (media->incomplete)
        json_object_set_new(object, "incomplete", json_true());
    if (media->unseen)
        json_object_set_new(object, "unseen", json_string(ob_services_unseen(media->unseen)));
    set_more(object, media);
}

const char *ob_services_unseen(uint32_t unseen)
{
    return unseen == OB_UNSEEN_TONES ? "UNSUPPORTED" : "TOO_LARGE";
}

const char *ob_services_unseen_text(uint32_t unseen)
{
    return unseen == OB_UNSEEN_TONES ? "HDR, whose tones are not mapped as screens do it"
                                     : "not every frame was looked at: there are too many";
}

const char *ob_services_undecodable(ob_status status)
{
    return ob_undecodable_name(ob_undecodable_of(status));
}

json_t *ob_services_list(const ob_list_info *info)
{
    char imported_at[32] = "";
    time_t when = (time_t)info->imported_at;
    struct tm utc;
    if (gmtime_r(&when, &utc))
        strftime(imported_at, sizeof imported_at, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:s, s:s, s:s, s:I}", "list", info->name, "enabled",
                     info->enabled, "entries", (json_int_t)info->entries, "unmerged",
                     (json_int_t)info->unmerged, "withdrawn", (json_int_t)info->withdrawn,
                     "purpose", info->purpose, "source", info->source, "imported_at", imported_at,
                     "size_bytes", (json_int_t)info->size_bytes);
}
