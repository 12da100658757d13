/* Who published an entry. An entry from two independent sources is unlikely to be an error. */
#include "detect_priv.h"

#include <string.h>
#include <strings.h>

static size_t trim(const char **text)
{
    *text += strspn(*text, " \t");
    size_t length = strlen(*text);
    while (length && strchr(" \t", (*text)[length - 1]))
        length--;
    return length;
}

bool ob_match_same_source(const ob_list_match *a, const ob_list_match *b)
{
    const char *x = a->source, *y = b->source;
    const size_t m = trim(&x), n = trim(&y);
    return m == n && !strncasecmp(x, y, m);
}

static bool is_told(const char *const *told, size_t count, const ob_list_match *match)
{
    for (size_t i = 0; i < count; i++)
        if (ob_match_same_source(&(ob_list_match){.source = told[i]}, match))
            return true;
    return false;
}

size_t ob_match_sources(const char *out[OB_MATCH_SOURCES], const ob_list_match *of,
                        const ob_list_match *all, size_t count, bool by_digest)
{
    size_t n = 0;
    out[n++] = of->source;
    for (size_t i = 0; i < count && n < OB_MATCH_SOURCES; i++)
        if ((by_digest || !memcmp(&all[i].hash, &of->hash, sizeof of->hash)) &&
            !is_told(out, n, &all[i]))
            out[n++] = all[i].source;
    return n;
}
