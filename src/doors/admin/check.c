/* What the records say of the files beside them, and whether all records can be read: of the
 * service that runs, or here, from the database itself, also where a service would not start. */
#include "admin_priv.h"

#include <obhut/file.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static ob_status count_bytes(void *context, const void *bytes, size_t size, ob_error *err)
{
    uint64_t *count = context;
    (void)bytes, (void)err;
    *count += size;
    return OB_OK;
}

static ob_status read_records(uint64_t *bytes, ob_view *view, ob_error *err)
{
    *bytes = 0;
    ob_status status = ob_store_whole(view, err);
    return status ? status : ob_store_dump(view, count_bytes, bytes, err);
}

/* Whoever changes them tells the records afterwards, and may do so twice in between. */
static ob_status ask_lists(ob_error *out, const char *dir, ob_store *store, ob_error *err)
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

/* ---- In the service ---------------------------------------------------------------------------
 */

ob_status admin_check(json_t **out, const admin_call *call, ob_error *err)
{
    ob_audit_signed now;
    uint64_t bytes = 0;
    char root[2 * sizeof now.root + 1];
    ob_status status = json_is_true(json_object_get(call->request, "records"))
                           ? read_records(&bytes, call->view, err)
                           : OB_OK;
    if (status)
        return status;
    ob_error lists = {0};
    status = ask_lists(&lists, ob_lists_dir(call->service->lists), call->service->store, err);
    if (status)
        return status;
    ob_audit_signed_now(&now, call->service->audit);
    ob_hex(root, now.root, sizeof now.root);
    *out = json_pack("{s:I, s:I, s:s, s:I, s:s*}", "entries", (json_int_t)now.entries, "note_bytes",
                     (json_int_t)now.note_bytes, "root", root, "record_bytes", (json_int_t)bytes,
                     "lists", lists.status ? lists.text : NULL);
    return OB_OK;
}

/* ---- Asking ------------------------------------------------------------------------------------
 */

static ob_status take_check(ob_admin_checked *out, const json_t *json, ob_error *err)
{
    const char *root = json_string_value(json_object_get(json, "root"));
    *out = (ob_admin_checked){.has_service = true, .has_records = true, .is_known = true};
    out->known.entries = (uint64_t)json_integer_value(json_object_get(json, "entries"));
    out->known.note_bytes = (uint64_t)json_integer_value(json_object_get(json, "note_bytes"));
    out->record_bytes = (uint64_t)json_integer_value(json_object_get(json, "record_bytes"));
    const char *lists = json_string_value(json_object_get(json, "lists"));
    if (lists)
        ob_fail(&out->lists, OB_EFORMAT, "%s", lists);
    if (!root || strlen(root) != 2 * sizeof out->known.root)
        return ob_fail(err, OB_EFORMAT, "the service does not say what of the log is signed");
    return ob_hex_parse(out->known.root, sizeof out->known.root, root, err);
}

static bool stands(const char *dir, const char *name)
{
    struct stat info;
    char path[4096];
    return snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path &&
           !ob_file_stat_at(&info, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

static ob_status check_here(ob_admin_checked *out, const char *dir, bool records, ob_error *err)
{
    ob_store *store = NULL;
    ob_view *view = NULL;
    *out = (ob_admin_checked){.has_records = stands(dir, "obhut.db") || stands(dir, "records")};
    if (!out->has_records && !(records && stands(dir, "audit/log"))) /* a copy of a log has none */
        return OB_OK;
    ob_status status = ob_store_look(&store, dir, err);
    out->is_old = !status && !store;
    if (status || !store)
        return status;
    if (records)
        status = ob_view_open(&view, store, err);
    if (!status && records)
        status = read_records(&out->record_bytes, view, err);
    ob_view_close(view);
    if (!status)
        status = ob_acts_signed(&out->is_known, &out->known, store, dir, err);
    if (!status)
        status = ask_lists(&out->lists, dir, store, err);
    ob_store_close(store);
    return status;
}

static ob_status check_records(ob_admin_checked *out, const char *dir, bool records, ob_error *err)
{
    json_t *answer = NULL, *request = json_pack("{s:s, s:b}", "do", "check", "records", records);
    ob_error problem = {0};
    ob_status status = request ? admin_ask_running(&answer, dir, request, &problem)
                               : ob_fail(&problem, OB_ENOMEM, "out of memory: a request");
    json_decref(request);
    if (status == OB_ENOTFOUND)
        return check_here(out, dir, records, err);
    if (!status)
        status = take_check(out, answer, &problem);
    json_decref(answer);
    return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
}

ob_status ob_admin_check(ob_admin_checked *out, const char *dir, bool records, ob_error *err)
{
    char path[4096];
    ob_admin_checked checked = {.has_records = false};
    ob_status status = check_records(&checked, dir, records, err);
    if (!status && snprintf(path, sizeof path, "%s/keys/audit", dir) < (int)sizeof path)
        checked.has_seed = !ob_key_file_read(checked.seed, path, NULL);
    *out = checked;
    return status;
}

void ob_admin_check_log(ob_audit_check *check, const ob_admin_checked *checked)
{
    check->known = checked->is_known ? &checked->known : NULL;
    check->seed = checked->has_seed ? checked->seed : NULL;
}
