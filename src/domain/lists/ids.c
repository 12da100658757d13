/* A set of entries' ids, as a tree that copies what is added. */
#include "ids.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool ids_have(const ids *of, const char *id)
{
    return of->count && tfind(id, &of->tree, compare);
}

ob_status ids_add(ids *to, const char *id, ob_error *err)
{
    if (ids_have(to, id))
        return OB_OK;
    char *copy = strdup(id);
    if (!copy || !tsearch(copy, &to->tree, compare)) {
        free(copy);
        return ob_fail(err, OB_ENOMEM, "out of memory: ids of entries");
    }
    to->count++;
    return OB_OK;
}

void ids_empty(ids *of)
{
    tdestroy(of->tree, free);
    *of = (ids){0};
}
