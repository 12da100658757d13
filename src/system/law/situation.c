/* A situation from JSON: every leaf is told to the gate, which checks it. */
#include "law_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ob_law_situation {
    ob_facts facts;
    char *memory;
};

enum { DEEPEST = 8, PATH = 200 };

/* Bytes of all texts below. */
static size_t size_of(const json_t *value, int depth)
{
    size_t i, size = 0;
    const char *key;
    json_t *below;
    if (depth > DEEPEST)
        return 0;
    if (json_is_string(value))
        return json_string_length(value) + 1;
    json_array_foreach((json_t *)(uintptr_t)value, i, below) size += size_of(below, depth + 1);
    json_object_foreach((json_t *)(uintptr_t)value, key, below) size += size_of(below, depth + 1);
    return size;
}

static void add(ob_facts *f, const char *path, const json_t *value, int depth)
{
    size_t i;
    const char *key;
    json_t *below;
    if (depth > DEEPEST)
        return;
    switch (json_typeof(value)) {
    case JSON_STRING:
        /* a NUL within: nothing that is known */
        ob_facts_add(f, path,
                     strlen(json_string_value(value)) == json_string_length(value) ? OB_FACT_TEXT
                                                                                   : OB_FACT_OTHER,
                     json_string_value(value), 0);
        break;
    case JSON_INTEGER:
        ob_facts_add(f, path, OB_FACT_NUMBER, NULL, json_integer_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        ob_facts_add(f, path, json_is_true(value) ? OB_FACT_TRUE : OB_FACT_FALSE, NULL, 0);
        break;
    case JSON_NULL:
        break;
    case JSON_ARRAY:
        ob_facts_add(f, path, OB_FACT_ARRAY, NULL, 0);
        json_array_foreach((json_t *)(uintptr_t)value, i, below) add(f, path, below, depth + 1);
        break;
    case JSON_OBJECT:
        if (*path)
            ob_facts_add(f, path, OB_FACT_OBJECT, NULL, 0);
        json_object_foreach((json_t *)(uintptr_t)value, key, below)
        {
            char longer[PATH];
            snprintf(longer, sizeof longer, "%s%s%s", path, *path ? "." : "", key);
            add(f, longer, below, depth + 1);
        }
        break;
    default:
        ob_facts_add(f, path, OB_FACT_OTHER, NULL, 0);
    }
}

ob_status ob_law_situation_read(ob_law_situation **out, const json_t *object, ob_error *err)
{
    ob_law_situation *s = calloc(1, sizeof *s);
    size_t size = size_of(object, 0);
    if (s)
        s->memory = malloc(size + 1);
    if (!s || !s->memory) {
        free(s);
        return ob_fail(err, OB_ENOMEM, "out of memory: a situation");
    }
    ob_facts_begin(&s->facts, s->memory, size);
    if (json_is_object(object))
        add(&s->facts, "", object, 0);
    ob_facts_end(&s->facts);
    *out = s;
    return OB_OK;
}

ob_situation *ob_law_situation_get(ob_law_situation *s)
{
    return &s->facts.situation;
}

void ob_law_situation_free(ob_law_situation *s)
{
    if (!s)
        return;
    free(s->memory);
    free(s);
}
