/* Any bytes as a line of standard input that asks for hashes: each is asked for within the line's
 * bounds, and an error is a sentence. */
#include "query_line.h"

#include <obhut/engine.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static ob_status hear(void *context, const char *query, size_t length, ob_error *err)
{
    unsigned *heard = context;
    ob_query parsed = {0};
    ++*heard;
    return ob_query_parse(&parsed, query, length, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ob_error err = {0};
    unsigned heard = 0;
    char *line = malloc(size + 1);
    if (!line)
        abort();
    memcpy(line, bytes, size);
    line[size] = '\0'; /* as getline has it */
    const size_t length = strcspn(line, "\n");
    const ob_status status = query_line(line, length, hear, &heard, &err);
    if (!heard || (status && !*err.text))
        abort();
    free(line);
    return 0;
}
