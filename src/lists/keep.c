#include "lists_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Renames NAME from one state to the other, or removes it where `to` is NULL. */
static ob_status change(const char *dir, const char *name, const bool *to, ob_error *err)
{
    bool enabled = false;
    int lock = -1;
    char *from_path = NULL, *to_path = NULL;
    /* Before the lock: asking for a list that is not there must not make a directory. */
    ob_status status = list_find(&enabled, dir, name, err);
    if (!status)
        status = list_lock(&lock, dir, err);
    if (!status)
        status = list_find(&enabled, dir, name, err);
    if (status || (to && *to == enabled))
        goto out;
    status = list_path(&from_path, dir, name, enabled, err);
    if (!status && to)
        status = list_path(&to_path, dir, name, *to, err);
    if (!status && (to ? rename(from_path, to_path) : unlink(from_path)))
        status = ob_fail(err, OB_EIO, "%s cannot be changed: %s", from_path, strerror(errno));
    if (!status)
        status = list_sync_dir(dir, err);
out:
    free(from_path);
    free(to_path);
    if (lock >= 0)
        list_unlock(lock);
    return status;
}

ob_status ob_list_set_enabled(const char *dir, const char *name, bool enabled, ob_error *err)
{
    return change(dir, name, &enabled, err);
}

ob_status ob_list_remove(const char *dir, const char *name, ob_error *err)
{
    return change(dir, name, NULL, err);
}

/* The list under its name, wherever it stands right now. */
static ob_status open_list(obx *out, const char *dir, const char *name, ob_error *err)
{
    char *path = NULL;
    bool enabled = false;
    ob_status status = list_find(&enabled, dir, name, err);
    if (!status)
        status = list_path(&path, dir, name, enabled, err);
    if (!status)
        status = obx_open(out, path, err);
    free(path);
    if (status)
        return status;
    snprintf(out->info.name, sizeof out->info.name, "%s", name);
    out->info.enabled = enabled;
    return OB_OK;
}

ob_status ob_list_check(ob_list_info *out, const char *dir, const char *name, ob_error *err)
{
    obx file;
    ob_status status = open_list(&file, dir, name, err);
    if (status)
        return status;
    status = obx_check(&file, err);
    if (status)
        ob_fail_in(err, status, "list \"%s\"", name);
    else
        *out = file.info;
    obx_close(&file);
    return status;
}

ob_status ob_list_all(ob_list_info **out, size_t *count, const char *dir, ob_error *err)
{
    list_name *names = NULL;
    size_t found = 0, used = 0;
    ob_list_info *infos = NULL;
    ob_status status = list_names(&names, &found, dir, err);
    if (!status) {
        infos = calloc(found + 1, sizeof *infos);
        if (!infos)
            status = ob_fail(err, OB_ENOMEM, "out of memory: lists");
    }
    for (size_t i = 0; i < found && !status; i++) {
        obx file;
        ob_error problem = {0};
        status = open_list(&file, dir, names[i].name, &problem);
        if (status == OB_ENOTFOUND) { /* removed in the meantime */
            status = OB_OK;
            continue;
        }
        if (status) {
            ob_fail(err, status, "%s", problem.text);
            break;
        }
        infos[used++] = file.info;
        obx_close(&file);
    }
    free(names);
    if (status) {
        free(infos);
        return status;
    }
    *out = infos;
    *count = used;
    return OB_OK;
}

/* ---- Export ------------------------------------------------------------------------------- */

static void print_field(FILE *to, const char *text)
{
    if (!strpbrk(text, ",\"")) {
        fprintf(to, ",%s", text);
        return;
    }
    fputs(",\"", to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

ob_status ob_list_export(const char *dir, const char *name, FILE *to, ob_error *err)
{
    obx file;
    ob_status status = open_list(&file, dir, name, err);
    if (status)
        return status;
    fprintf(to, "pdq,id,source,classification\n");
    for (uint64_t e = 0; e < file.info.entries && !status && !ferror(to); e++) {
        char hash[OB_HASH256_HEX + 1], id[OB_LIST_ID_MAX + 1];
        ob_hash256 value = ob_index_get(&file.index, e);
        ob_hash256_print(hash, &value);
        status = obx_id(id, &file, e, err);
        if (status)
            break;
        const obx_attribute *attribute = obx_attribute_of(&file, e);
        fputs(hash, to);
        print_field(to, id);
        print_field(to, attribute->source);
        print_field(to, attribute->classification);
        fputc('\n', to);
    }
    if (!status && (fflush(to) || ferror(to)))
        status = ob_fail(err, OB_EIO, "list \"%s\" could not be written out: %s", name,
                         errno ? strerror(errno) : "an earlier error");
    obx_close(&file);
    return status;
}
