/* Hashes and digests as people type them. */
#include <obhut/engine.h>

#include <string.h>

static ob_status parse_digest(ob_query *out, const char *text, size_t length, ob_error *err)
{
    unsigned width = ob_list_digest_width(out->kind);
    if (length != 2 * (size_t)width)
        return ob_fail(err, OB_EFORMAT, "%zu characters where %s has %u hexadecimal digits", length,
                       ob_list_digest_name(out->kind), 2 * width);
    return ob_hex_parse(out->digest, width, text, err);
}

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
            status = parse_digest(&made, text + size + 1, length - size - 1, err);
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
