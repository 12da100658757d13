/* Hashes and digests as people type them. */
#include <obhut/engine.h>

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
