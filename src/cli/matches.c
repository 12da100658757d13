#include "matches.h"

json_t *matches_json(const ob_list_match *match)
{
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:i}", "list", match->list, "entry", cli_json_text(match->entry),
                  "pdq", cli_json_hash(&match->hash), "distance", (int)match->distance);
    if (object && *match->source)
        json_object_set_new(object, "source", cli_json_text(match->source));
    if (object && *match->classification)
        json_object_set_new(object, "classification", cli_json_text(match->classification));
    return object;
}
