/* What is done with whole lists: switched, removed, checked, told of, printed. */
#include "lists_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Never over a file that stands there already. */
ob_status enable_under_lock(const char *dir, const char *name, bool to, ob_error *err)
{
    bool enabled = false;
    struct stat is;
    char *from_path = NULL, *to_path = NULL;
    ob_status status = list_find(&enabled, dir, name, err);
    if (status || to == enabled)
        return status;
    status = list_path(&from_path, dir, name, enabled, err);
    if (!status)
        status = list_path(&to_path, dir, name, to, err);
    if (!status && !ob_file_stat_at(&is, AT_FDCWD, to_path, AT_SYMLINK_NOFOLLOW))
        status = ob_fail(err, OB_EREFUSED,
                         "%s and %s are both there: move away the one that "
                         "is not the list",
                         from_path, to_path);
    if (!status && ob_file_rename(from_path, to_path))
        status = ob_fail(err, OB_EIO, "%s cannot be changed: %s", from_path, strerror(errno));
    if (!status)
        status = list_sync_dir(dir, err);
    free(from_path);
    free(to_path);
    return status;
}

ob_status remove_under_lock(const char *dir, const char *name, ob_error *err)
{
    ob_status status = OB_OK;
    for (int enabled = 0; enabled < 2 && !status; enabled++) {
        char *path = NULL;
        status = list_path(&path, dir, name, enabled, err);
        if (!status && ob_file_unlink(AT_FDCWD, path, 0) && errno != ENOENT)
            status = ob_fail(err, OB_EIO, "%s cannot be changed: %s", path, strerror(errno));
        free(path);
    }
    if (!status)
        list_drop_journals(dir, name, UINT64_MAX);
    return status ? status : list_sync_dir(dir, err);
}

ob_status ob_list_check(ob_list_info *out, const char *dir, const char *name, ob_error *err)
{
    live *list = NULL;
    ob_status status = live_open(&list, dir, name, err);
    if (!status)
        status = live_check(list, err);
    if (!status)
        live_info(out, list);
    live_release(list);
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
        live *list = NULL;
        ob_error problem = {0};
        status = live_open(&list, dir, names[i].name, &problem);
        if (status == OB_ENOTFOUND) /* removed in the meantime */
            status = OB_OK;
        else if (status)
            ob_fail(err, status, "%s", problem.text);
        else
            live_info(&infos[used++], list);
        live_release(list);
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

typedef struct export
{
    FILE *to;
    const ob_list_info *info;
}
export;

static ob_status print_entry(void *context, const entry *e, ob_error *err)
{
    const export *x = context;
    char hex[2 * OB_DIGEST_WIDTH_MAX + 1] = "";
    if (e->has_hash)
        ob_hash256_print(hex, &e->hash);
    fputs(hex, x->to);
    for (int k = 0; k < DIGEST_KINDS; k++) {
        *hex = '\0';
        if (e->has_digest[k])
            ob_hex(hex, e->digest[k], list_digest_kinds[k].width);
        fprintf(x->to, ",%s", hex);
    }
    char line[24];
    snprintf(line, sizeof line, "%llu", (unsigned long long)e->line);
    print_field(x->to, e->id ? e->id : line);
    print_field(x->to, *e->source ? e->source : x->info->source);
    print_field(x->to, e->classification);
    fputc('\n', x->to);
    return ferror(x->to) ? ob_fail(err, OB_EIO, "%s", strerror(errno)) : OB_OK;
}

ob_status ob_list_export(const char *dir, const char *name, FILE *to, ob_error *err)
{
    live *list = NULL;
    ob_list_info info;
    export x = {.to = to, .info = &info};
    ob_status status = live_open(&list, dir, name, err);
    if (status)
        return status;
    live_info(&info, list);
    fprintf(to, "pdq,md5,sha1,sha256,id,source,classification\n");
    status = live_each(list, print_entry, &x, err);
    if (!status && (fflush(to) || ferror(to)))
        status = ob_fail(err, OB_EIO, "%s", errno ? strerror(errno) : "an earlier error");
    live_release(list);
    return status ? ob_fail_in(err, status, "list \"%s\" could not be written out", name) : OB_OK;
}
