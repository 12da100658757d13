/* One hold or order by its number, for tests: the service itself reads lists of them. */
#ifndef OBHUT_ONE_RECORD_H
#define OBHUT_ONE_RECORD_H

#include <obhut/records/hold.h>
#include <obhut/records/order.h>

#include <stdlib.h>

static inline ob_status one_hold(ob_hold *out, ob_view *view, int64_t id, ob_error *err)
{
    ob_hold *all = NULL;
    size_t count = 0;
    bool found = false;
    ob_status status = ob_store_holds(&all, &count, view, SIZE_MAX >> 1, err);
    for (size_t i = 0; i < count && !found; i++)
        if (all[i].id == id) {
            *out = all[i];
            found = true;
        }
    free(all);
    return status || found ? status
                           : ob_fail(err, OB_ENOTFOUND, "there is no hold %lld", (long long)id);
}

static inline ob_status one_order(ob_order *out, ob_view *view, int64_t id, ob_error *err)
{
    ob_order *all = NULL;
    size_t count = 0;
    bool found = false;
    ob_status status = ob_store_orders(&all, &count, view, SIZE_MAX >> 1, err);
    for (size_t i = 0; i < count && !found; i++)
        if (all[i].id == id) {
            *out = all[i];
            found = true;
        }
    free(all);
    return status || found ? status
                           : ob_fail(err, OB_ENOTFOUND, "there is no order %lld", (long long)id);
}

#endif
