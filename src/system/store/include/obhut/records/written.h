/* Written: how many bytes of records each token has added on its last day. */
#ifndef OBHUT_RECORDS_WRITTEN_H
#define OBHUT_RECORDS_WRITTEN_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef struct ob_written {
    char token[OB_NAME_MAX + 1];
    int64_t day;    /* of UTC, days since 1970: the last on which it wrote */
    uint64_t bytes; /* on that day */
} ob_written;

/* Adds bytes to a token's count of that day. The count of an earlier day is replaced. */
ob_status ob_store_written_add(ob_writing *w, const ob_written *more, ob_error *err);

/* Sets *out to the counts of all tokens that wrote on that day, for the caller to free. */
ob_status ob_store_written(ob_written **out, size_t *count, ob_view *view, int64_t day,
                           ob_error *err);

#endif
