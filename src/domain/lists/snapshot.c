/* Opens files of lists that belong together, so that they can be copied. */
#include "lists_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ob_status add_file(ob_list_files *to, const char *path, ino_t *inode, ob_error *err)
{
    struct stat info;
    const char *name = strrchr(path, '/') + 1;
    ob_list_file *more = realloc(to->file, (to->count + 1) * sizeof *more);
    if (!more)
        return ob_fail(err, OB_ENOMEM, "out of memory: files of lists");
    to->file = more;
    int file = -1;
    const ob_file_rule rule = {.most = OBX_SIZE_MOST, .forbidden = 0022};
    if (strlen(name) > OB_LIST_FILE_MAX)
        return ob_fail(err, OB_EIO, "%s is not a file of a list", path);
    ob_status status = ob_file_open_regular(&file, &info, path, O_RDONLY, &rule, err);
    if (status)
        return status;
    ob_list_file *one = &to->file[to->count++];
    *one = (ob_list_file){.file = file, .size = (uint64_t)info.st_size};
    snprintf(one->name, sizeof one->name, "%s", name);
    *inode = info.st_ino;
    return OB_OK;
}

static void drop_from(ob_list_files *files, size_t first)
{
    for (size_t i = first; i < files->count; i++)
        close(files->file[i].file);
    files->count = first;
}

/* The file, then its journals: what was added after the journals were listed was acknowledged
 * later than that. Sets *moved where a merge or a switch came in between. */
static ob_status add_list(ob_list_files *to, bool *moved, const char *dir, const char *name,
                          ob_error *err)
{
    bool enabled = false;
    char *path = NULL;
    uint64_t *numbers = NULL;
    size_t count = 0;
    ino_t inode = 0, other;
    struct stat now;
    ob_status status = list_find(&enabled, dir, name, err);
    if (!status)
        status = list_path(&path, dir, name, enabled, err);
    if (!status)
        status = add_file(to, path, &inode, err);
    if (!status)
        status = list_journals(&numbers, &count, dir, name, err);
    for (size_t i = 0; i < count && !status; i++) {
        char *journal = NULL;
        status = list_journal_path(&journal, dir, name, numbers[i], err);
        if (!status)
            status = add_file(to, journal, &other, err);
        free(journal);
    }
    *moved = status == OB_ENOTFOUND ||
             (!status &&
              (ob_file_stat_at(&now, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) || now.st_ino != inode));
    free(numbers);
    free(path);
    return status;
}

static ob_status add_at_rest(ob_list_files *to, const char *dir, const char *name, ob_error *err)
{
    enum { TRIES = 100 };
    const size_t first = to->count;
    for (int try = 0; try < TRIES; try++) {
        bool moved = false, enabled;
        ob_status status = add_list(to, &moved, dir, name, err);
        if (!moved)
            return status;
        drop_from(to, first);
        if (list_find(&enabled, dir, name, NULL) == OB_ENOTFOUND) /* removed in the meantime */
            return OB_OK;
    }
    return ob_fail(err, OB_EBUSY, "list \"%s\" changes all the time", name);
}

/* A copy that lacks a list would be a directory that never had it. */
static ob_status need_noted(const char *dir, ob_error *err)
{
    lists_state state;
    ob_status status = state_load(&state, dir, err);
    for (size_t i = 0; i < state.count && !status; i++) {
        bool enabled;
        const list_state *list = &state.lists[i];
        if (list->removed || !state_has_file(list))
            continue;
        status = list_find(&enabled, dir, list->name, err);
        if (status == OB_ENOTFOUND) /* or it was switched this moment */
            status = list_find(&enabled, dir, list->name, err);
        if (status == OB_ENOTFOUND)
            status = ob_fail(err, OB_EFORMAT,
                             "%s/lists/%s.obx is missing, and nobody removed that list: put it "
                             "back, import or remove it, or leave the lists out",
                             dir, list->name);
    }
    state_free(&state);
    return status;
}

ob_status ob_list_files_open(ob_list_files *out, const char *dir, ob_error *err)
{
    list_name *names = NULL;
    size_t count = 0;
    ob_list_files files = {0};
    ob_status status = need_noted(dir, err);
    if (!status)
        status = list_names(&names, &count, dir, err);
    for (size_t i = 0; i < count && !status; i++)
        status = add_at_rest(&files, dir, names[i].name, err);
    free(names);
    if (status)
        ob_list_files_close(&files);
    else
        *out = files;
    return status;
}

void ob_list_files_close(ob_list_files *files)
{
    drop_from(files, 0);
    free(files->file);
    *files = (ob_list_files){0};
}

/* A list that was not whole when it was copied is not whole now: nothing that it is fits. */
static ob_status adopt(lists_state *to, const char *dir, const char *name, ob_error *err)
{
    live *list = NULL;
    ob_error problem = {0};
    ob_status status = live_open(&list, dir, name, &problem);
    if (status) /* what is damaged stays so; memory may have been short for a moment */
        status = live_open(&list, dir, name, &problem);
    list_state *of = state_need(to, name);
    if (!of || status == OB_ENOMEM) {
        live_release(list);
        return ob_fail(err, OB_ENOMEM, "out of memory: the state of lists");
    }
    if (status)
        memcpy(of->file, state_unknown, sizeof of->file);
    status = status ? OB_OK : live_note(of, list, err);
    live_release(list);
    return status;
}

ob_status ob_lists_adopt(const char *dir, ob_error *err)
{
    list_name *names = NULL;
    size_t count = 0;
    lists_state state = {.there = false};
    ob_status status = list_names(&names, &count, dir, err);
    if (!status && count) /* which knows of none: what opens then is taken as it is */
        status = state_save(&state, dir, err);
    for (size_t i = 0; i < count && !status; i++)
        status = adopt(&state, dir, names[i].name, err);
    if (!status && count)
        status = state_save(&state, dir, err);
    free(names);
    state_free(&state);
    return status;
}
