/* Any bytes as a body of JSON: what is in it stays within the bounds that were counted before it
 * was read, or a sentence. */
#include <obhut/http.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct counted {
    size_t values, members; /* the largest object's */
    unsigned depth;
} counted;

static void count(counted *c, json_t *value, unsigned depth)
{
    const char *name;
    json_t *each;
    size_t i;
    c->values++;
    depth += json_is_object(value) || json_is_array(value);
    if (depth > c->depth)
        c->depth = depth;
    if (json_object_size(value) > c->members)
        c->members = json_object_size(value);
    json_object_foreach(value, name, each)
    {
        count(c, each, depth);
    }
    json_array_foreach(value, i, each)
    {
        count(c, each, depth);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    counted c = {0};
    ob_error err = {0};
    char *text = malloc(size ? size : 1); /* not a byte more than there is */
    if (!text)
        abort();
    memcpy(text, bytes, size);
    json_t *json = ob_json_body((ob_body){.bytes = text, .size = size, .file = -1}, &err);
    if (json)
        count(&c, json, 0);
    if (json ? c.depth > 16 || c.members > 256 || c.values > 65536 : !*err.text)
        abort();
    json_decref(json);
    free(text);
    return 0;
}
