/* Any bytes as the body of /v1/match, and as a hash that people type. */
#include "services_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_query(const char *text, size_t length)
{
    ob_query query = {0};
    ob_error err = {0};
    if (ob_query_parse(&query, text, length, &err) && (err.status != OB_EFORMAT || !*err.text))
        abort();
}

/* What was counted before bounds what was made. */
static unsigned depth_of(const json_t *value)
{
    const char *key;
    json_t *one;
    size_t i;
    unsigned deepest = 0;
    json_object_foreach((json_t *)(uintptr_t)value, key, one)
    {
        unsigned depth = depth_of(one);
        deepest = depth > deepest ? depth : deepest;
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, one)
    {
        unsigned depth = depth_of(one);
        deepest = depth > deepest ? depth : deepest;
    }
    if (json_object_size(value) > 256 || json_array_size(value) > 65537)
        abort();
    return deepest + (json_is_object(value) || json_is_array(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_error err = {0};
    const ob_body body = {.bytes = (const char *)bytes, .size = size, .file = -1};
    json_t *json = ob_json_body(body, &err), *one;
    size_t i;
    if (!json && ((err.status != OB_EFORMAT && err.status != OB_ELIMIT) || !*err.text))
        abort();
    if (json && depth_of(json) > 16)
        abort();
    json_array_foreach(json_object_get(json, "queries"), i, one) if (json_is_string(one))
        read_query(json_string_value(one), json_string_length(one));
    json_decref(json);
    read_query((const char *)bytes, size);
    return 0;
}
