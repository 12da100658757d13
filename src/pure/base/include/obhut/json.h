/* JSON as text, for whoever has jansson: base itself does without it. */
#ifndef OBHUT_JSON_H
#define OBHUT_JSON_H

#include <stdlib.h>

#include <jansson.h>

/* Texts that are kept or sent: jansson's json_dumps (2.14) forgets that memory ran out while it
 * wrote the name of a member, and returns what is no JSON. Here the size comes first, and then the
 * bytes, for which nothing is allocated. NULL: out of memory, or `value` is NULL. The caller frees
 * it. `flags`: jansson's. */
static inline char *ob_json_write(const json_t *value, size_t flags)
{
    const size_t size = value ? json_dumpb(value, NULL, 0, flags) : 0;
    char *text = size ? malloc(size + 1) : NULL;
    if (text && json_dumpb(value, text, size, flags) != size) {
        free(text);
        return NULL;
    }
    if (text)
        text[size] = '\0';
    return text;
}

#endif
