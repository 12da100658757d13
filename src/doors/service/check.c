/* What can be said about a directory after reading all of it. */
#include <obhut/service.h>

static ob_status count_bytes(void *context, const void *bytes, size_t size, ob_error *err)
{
    uint64_t *count = context;
    (void)bytes, (void)err;
    *count += size;
    return OB_OK;
}

ob_status ob_service_read_records(uint64_t *bytes, ob_view *view, ob_error *err)
{
    *bytes = 0;
    ob_status status = ob_store_whole(view, err);
    return status ? status : ob_store_dump(view, count_bytes, bytes, err);
}

/* The records learn of a change afterwards, and lists may change twice in between. */
ob_status ob_service_ask_lists(ob_error *out, const char *dir, ob_store *store, ob_error *err)
{
    enum { TRIES = 3 };
    ob_acts_lists known;
    bool is_known = false;
    ob_status status = OB_OK;
    for (int i = 0; i < TRIES && !status; i++) {
        *out = (ob_error){0};
        status = ob_acts_lists_known(&is_known, &known, store, dir, err);
        if (status || !is_known || !ob_service_compare_lists(dir, &known, out))
            break;
    }
    return status;
}
