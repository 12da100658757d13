/* What is done with whole lists: switch, remove, check, describe, export. */
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

/* The info of all lists. */
typedef struct telling {
    const char *dir;
    ob_list_info *infos;
    size_t count;
    void (*broken)(void *context, const char *sentence);
    void *context;
} telling;

static void report_broken(telling *t, const char *name, bool enabled, const ob_error *why)
{
    ob_list_info *info = &t->infos[t->count++];
    *info = (ob_list_info){.enabled = enabled, .is_broken = true};
    snprintf(info->name, sizeof info->name, "%s", name);
    if (t->broken)
        t->broken(t->context, why->text);
}

static ob_status report_list(telling *t, const list_name *name, const lists_state *state,
                             ob_error *err)
{
    live *list = NULL;
    ob_error problem = {0};
    ob_status status = live_open(&list, t->dir, name->name, &problem);
    if (status == OB_ENOMEM)
        return ob_fail(err, status, "%s", problem.text);
    if (!status)
        live_info(&t->infos[t->count++], list);
    else if (status != OB_ENOTFOUND) /* else it was removed in the meantime */
        report_broken(t, name->name, state_is_on(state_find(state, name->name), name->enabled),
                      &problem);
    live_release(list);
    return OB_OK;
}

static void report_missing(telling *t, const list_state *list)
{
    bool enabled;
    ob_error why = {0};
    if (list->removed || !state_has_file(list) ||
        list_find(&enabled, t->dir, list->name, NULL) != OB_ENOTFOUND)
        return;
    ob_fail(&why, OB_EFORMAT,
            "%s/lists/%s.obx is missing, and nobody removed that list: put it back, or import or "
            "remove it",
            t->dir, list->name);
    report_broken(t, list->name, state_is_on(list, true), &why);
}

static int info_by_name(const void *a, const void *b)
{
    return strcmp(((const ob_list_info *)a)->name, ((const ob_list_info *)b)->name);
}

ob_status ob_list_all(ob_list_info **out, size_t *count, const char *dir,
                      void (*broken)(void *context, const char *sentence), void *context,
                      ob_error *err)
{
    list_name *names = NULL;
    size_t found = 0;
    lists_state state;
    telling t = {.dir = dir, .broken = broken, .context = context};
    ob_status status = list_names(&names, &found, dir, err);
    ob_status known = state_load(&state, dir, status ? NULL : err);
    if (!status)
        status = known;
    t.infos = calloc(found + state.count + 1, sizeof *t.infos);
    if (!status && !t.infos)
        status = ob_fail(err, OB_ENOMEM, "out of memory: lists");
    for (size_t i = 0; i < found && !status; i++)
        status = report_list(&t, &names[i], &state, err);
    for (size_t i = 0; i < state.count && !status; i++)
        report_missing(&t, &state.lists[i]);
    free(names);
    state_free(&state);
    if (status) {
        free(t.infos);
        return status;
    }
    qsort(t.infos, t.count, sizeof *t.infos, info_by_name);
    *out = t.infos;
    *count = t.count;
    return OB_OK;
}

/* ---- Export ---------------------------------------------------------------------------------- */

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
    int kinds; /* columns of digests: those of signals where the list has any */
}
export;

static ob_status print_entry(void *context, const entry *e, ob_error *err)
{
    const export *x = context;
    char hex[LIST_DIGEST_TEXT] = "";
    if (e->has_hash)
        ob_hash256_print(hex, &e->hash);
    fputs(hex, x->to);
    for (int k = 0; k < x->kinds; k++) {
        *hex = '\0';
        if (e->has_digest[k])
            list_digest_print(hex, (ob_list_digest)k, e->digest[k]);
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
    x.kinds = OB_LIST_FILE_DIGESTS;
    for (int k = OB_LIST_FILE_DIGESTS; k < DIGEST_KINDS; k++)
        if (info.kinds[OB_LIST_KIND_MD5 + k])
            x.kinds = DIGEST_KINDS;
    fprintf(to, "pdq,md5,sha1,sha256,%sid,source,classification\n",
            x.kinds == DIGEST_KINDS ? "photodna,tmk,vpdq," : "");
    status = live_each(list, print_entry, &x, err);
    if (!status && (fflush(to) || ferror(to)))
        status = ob_fail(err, OB_EIO, "%s", errno ? strerror(errno) : "an earlier error");
    live_release(list);
    return status ? ob_fail_in(err, status, "list \"%s\" could not be written out", name) : OB_OK;
}
