/* Reading rows into arrays, and the end of a change. */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

ob_status store_read_all(void *out, size_t *count, sql *q, size_t size, row_reader read)
{
    void *records = NULL;
    size_t found = 0, capacity = 0;
    while (sql_step(q)) {
        void *record = store_grow(&records, &found, &capacity, size);
        if (!record) {
            q->status = ob_fail(q->err, OB_ENOMEM, "out of memory: records");
            break;
        }
        read(record, q);
    }
    ob_status status = sql_end(q);
    if (status) {
        free(records);
        return status;
    }
    memcpy(out, &records, sizeof records);
    *count = found;
    return OB_OK;
}

ob_status store_read_one(bool *found, void *out, sql *q, row_reader read)
{
    *found = sql_step(q);
    if (*found)
        read(out, q);
    return sql_end(q);
}

ob_status store_end_or(sql *q, ob_status none, const char *otherwise)
{
    sql_step(q);
    ob_writing *w = &q->view->store->writing;
    bool changed = !q->status && sql_changed(w) > 0;
    ob_error *err = q->err;
    ob_status status = sql_end(q);
    if (!status && !changed && otherwise) {
        status = ob_fail(err, none, "%s", otherwise);
        writing_fail(w, status, err);
    }
    return status;
}

ob_status store_end_change(sql *q, const char *otherwise)
{
    return store_end_or(q, OB_ENOTFOUND, otherwise);
}
