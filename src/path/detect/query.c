/* Hashes and digests as people type them. */
#include "detect_priv.h"

#include <string.h>

ob_status ob_query_parse(ob_query *out, const char *text, size_t length, ob_error *err)
{
    ob_query made = {0};
    ob_status status;
    for (int k = 0; k < OB_LIST_DIGESTS; k++) {
        const char *name = ob_list_digest_name((ob_list_digest)k);
        size_t size = strlen(name);
        if (length > size && !strncmp(text, name, size) && text[size] == ':') {
            made.is_digest = true;
            made.kind = (ob_list_digest)k;
            status = ob_list_digest_parse(made.digest, made.kind, text + size + 1,
                                          length - size - 1, err);
            if (!status)
                *out = made;
            return status;
        }
    }
    size_t skip = length > 4 && !strncmp(text, "pdq:", 4) ? 4 : 0;
    status = ob_hash256_parse(&made.hash, text + skip, length - skip, err);
    if (!status)
        *out = made;
    return status;
}

ob_status query_places(ob_list_matches *found, const uint32_t *place, uint32_t count, ob_error *err)
{
    ob_status status = ob_list_matches_whole(found, count, err);
    for (size_t i = 0; i < found->count && !status; i++)
        found->match[i].query = place[found->match[i].query];
    return status;
}

void ob_query_matches_free(ob_query_matches *matches)
{
    for (int i = 0; i < OB_QUERY_KINDS; i++)
        ob_list_matches_free(&matches->of[i]);
}
