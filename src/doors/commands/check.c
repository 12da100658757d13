/* What the records say of the files beside them, and whether all records can be read. */
#include "commands_priv.h"

#include <stdio.h>
#include <string.h>

ob_status commands_check(json_t **out, const commands_call *call, ob_error *err)
{
    ob_audit_signed now;
    uint64_t bytes = 0;
    char root[2 * sizeof now.root + 1];
    ob_status status = json_is_true(json_object_get(call->request, "records"))
                           ? ob_service_read_records(&bytes, call->view, err)
                           : OB_OK;
    if (status)
        return status;
    ob_error lists = {0};
    status =
        ob_service_ask_lists(&lists, ob_lists_dir(call->service->lists), call->service->store, err);
    if (status)
        return status;
    ob_audit_signed_now(&now, call->service->audit);
    ob_hex(root, now.root, sizeof now.root);
    *out = json_pack("{s:I, s:I, s:s, s:I, s:s*}", "entries", (json_int_t)now.entries, "note_bytes",
                     (json_int_t)now.note_bytes, "root", root, "record_bytes", (json_int_t)bytes,
                     "lists", lists.status ? lists.text : NULL);
    return OB_OK;
}
