/* Lists and the records that know what these must be: the lists know no records, and the records no
 * lists. */
#include "admin_priv.h"

#include <string.h>

static ob_lists_bound to_lists(const ob_staff_lists *from)
{
    ob_lists_bound out = {.changes = from->changes};
    _Static_assert(sizeof out.sum == sizeof from->sum, "the same");
    memcpy(out.sum, from->sum, sizeof out.sum);
    return out;
}

static ob_status keep(void *context, const ob_lists_bound *now, ob_error *err)
{
    ob_staff_lists known = {.changes = now->changes};
    memcpy(known.sum, now->sum, sizeof known.sum);
    return ob_staff_lists_keep(context, &known, err);
}

ob_status ob_admin_bind(const ob_admin *admin, ob_error *err)
{
    bool is_known = false;
    ob_staff_lists known = {0};
    ob_status status =
        ob_staff_lists_known(&is_known, &known, admin->store, ob_lists_dir(admin->lists), err);
    const ob_lists_bound bound = to_lists(&known);
    return status ? status
                  : ob_lists_bind(admin->lists, is_known ? &bound : NULL, keep, admin->staff, err);
}

ob_status admin_compare_lists(const char *dir, const ob_staff_lists *known, ob_error *err)
{
    const ob_lists_bound bound = to_lists(known);
    return ob_lists_compare(dir, &bound, err);
}

ob_status admin_list_accept(json_t **out, const admin_call *call, ob_error *err)
{
    (void)out;
    return ob_lists_accept(call->admin->lists, err);
}
