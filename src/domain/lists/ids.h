/* A set of ids: of entries that are to be withdrawn, whatever hashes they have. */
#ifndef OBHUT_LISTS_IDS_H
#define OBHUT_LISTS_IDS_H

#include <obhut/base.h>

typedef struct ids {
    void *tree;
    size_t count;
} ids;

ob_status ids_add(ids *to, const char *id, ob_error *err); /* a copy */
bool ids_have(const ids *ids, const char *id);
void ids_empty(ids *ids);

#endif
