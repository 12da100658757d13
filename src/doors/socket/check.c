/* What the records say of the files beside them, and whether all records can be read: asked of the
 * service that runs, or here, from the database itself, also where a service would not start. */
#include "socket_priv.h"

#include <obhut/file.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static ob_status take_check(ob_socket_checked *out, const json_t *json, ob_error *err)
{
    const char *root = json_string_value(json_object_get(json, "root"));
    *out = (ob_socket_checked){.has_service = true, .has_records = true, .is_known = true};
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

static ob_status check_here(ob_socket_checked *out, const char *dir, bool records, ob_error *err)
{
    ob_store *store = NULL;
    ob_view *view = NULL;
    *out = (ob_socket_checked){.has_records = stands(dir, "obhut.db") || stands(dir, "records")};
    if (!out->has_records && !(records && stands(dir, "audit/log"))) /* a copy of a log has none */
        return OB_OK;
    ob_status status = ob_store_open_to_read(&store, dir, err);
    out->is_old = !status && !store;
    if (status || !store)
        return status;
    if (records)
        status = ob_view_open(&view, store, err);
    if (!status && records)
        status = ob_service_read_records(&out->record_bytes, view, err);
    ob_view_close(view);
    if (!status)
        status = ob_acts_signed(&out->is_known, &out->known, store, dir, err);
    if (!status)
        status = ob_service_ask_lists(&out->lists, dir, store, err);
    ob_store_close(store);
    return status;
}

static ob_status check_records(ob_socket_checked *out, const char *dir, bool records, ob_error *err)
{
    json_t *answer = NULL, *request = json_pack("{s:s, s:b}", "do", "check", "records", records);
    ob_error problem = {0};
    ob_status status = request ? socket_ask_running(&answer, dir, request, &problem)
                               : ob_fail(&problem, OB_ENOMEM, "out of memory: a request");
    json_decref(request);
    if (status == OB_ENOTFOUND)
        return check_here(out, dir, records, err);
    if (!status)
        status = take_check(out, answer, &problem);
    json_decref(answer);
    return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
}

ob_status ob_socket_check(ob_socket_checked *out, const char *dir, bool records, ob_error *err)
{
    char path[4096];
    ob_socket_checked checked = {.has_records = false};
    ob_status status = check_records(&checked, dir, records, err);
    if (!status && snprintf(path, sizeof path, "%s/keys/audit", dir) < (int)sizeof path)
        checked.has_seed = !ob_key_file_read(checked.seed, path, NULL);
    *out = checked;
    return status;
}

void ob_socket_check_log(ob_audit_check *check, const ob_socket_checked *checked)
{
    check->known = checked->is_known ? &checked->known : NULL;
    check->seed = checked->has_seed ? checked->seed : NULL;
}
