/* json: JSON as text, for modules that use jansson. base itself does not need that library. */
#ifndef OBHUT_JSON_H
#define OBHUT_JSON_H

#include <stdlib.h>

#include <jansson.h>

/* Writes a JSON value as text, for the caller to free; NULL where `value` is NULL or memory ran
 * out. `flags` are jansson's. Unlike json_dumps (jansson 2.14), which may return invalid JSON when
 * memory runs out while it writes a member's name, this computes the size first and then allocates
 * nothing more. */
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
