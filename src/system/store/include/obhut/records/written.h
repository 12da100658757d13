/* What each token's records take, by day. */
#ifndef OBHUT_RECORDS_WRITTEN_H
#define OBHUT_RECORDS_WRITTEN_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef struct ob_written {
    char token[OB_NAME_MAX + 1];
    int64_t day;    /* of UTC, days since 1970: the last on which it wrote */
    uint64_t bytes; /* on that day */
} ob_written;

/* Adds to what is kept of that day; of an earlier one nothing is. */
ob_status ob_store_written_add(ob_writing *w, const ob_written *more, ob_error *err);

/* Of all tokens that wrote on that day. The caller frees *out. */
ob_status ob_store_written(ob_written **out, size_t *count, ob_view *view, int64_t day,
                           ob_error *err);

#endif
