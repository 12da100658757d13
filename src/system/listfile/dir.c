/* The folder of lists: its lock, the names of its files, and their removal. */
#include "listfile_priv.h"

#include <obhut/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static ob_status out_of_memory(ob_error *err)
{
    return ob_fail(err, OB_ENOMEM, "out of memory: a path");
}

ob_status list_beside(char **out, const char *dir, const char *name, ob_error *err)
{
    if (asprintf(out, "%s/%s", dir, name) >= 0)
        return OB_OK;
    *out = NULL;
    return out_of_memory(err);
}

/* Creates a directory and those above it; *made where it was not there. */
static ob_status make_dir(bool *made, const char *path, ob_error *err)
{
    char *copy = strdup(path);
    if (!copy)
        return out_of_memory(err);
    ob_status status = OB_OK;
    for (char *p = copy + 1; !status; p++) {
        char saved = *p;
        if (saved != '/' && saved != '\0')
            continue;
        *p = '\0';
        *made = !ob_file_mkdir(AT_FDCWD, copy, 0700);
        if (!*made && errno != EEXIST)
            status = ob_fail(err, OB_EIO, "directory %s cannot be made: %s", copy, strerror(errno));
        *p = saved;
        if (!saved)
            break;
    }
    free(copy);
    return status;
}

static ob_status make_lists(const char *path, const char *dir, ob_error *err)
{
    bool made = false;
    ob_status status = make_dir(&made, path, err);
    if (status || !made)
        return status;
    int file = ob_file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (file < 0)
        return ob_fail(err, OB_EIO, "directory %s cannot be opened: %s", path, strerror(errno));
    status = ob_file_give(file, path, AT_FDCWD, dir, err);
    close(file);
    return status;
}

ob_status list_lock(int *out, const char *dir, ob_error *err)
{
    char *lists = NULL, *path = NULL;
    int lock = -1;
    ob_status status = list_beside(&lists, dir, "lists", err);
    if (!status)
        status = list_beside(&path, dir, "lock", err);
    if (!status)
        status = make_lists(lists, dir, err);
    if (status)
        goto out;
    status =
        ob_file_open_regular(&lock, NULL, path, O_RDWR | O_CREAT, &(ob_file_rule){.most = 0}, err);
    if (!status)
        status = ob_file_give(lock, path, AT_FDCWD, dir, err);
    if (!status && flock(lock, LOCK_EX | LOCK_NB))
        status = errno == EWOULDBLOCK
                     ? ob_fail(err, OB_EBUSY,
                               "another process is changing lists in %s: try again "
                               "when it has finished",
                               dir)
                     : ob_fail(err, OB_EIO, "%s cannot be locked: %s", path, strerror(errno));
    if (status && lock >= 0)
        close(lock);
    if (!status)
        *out = lock;
out:
    free(path);
    free(lists);
    return status;
}

void list_unlock(int lock)
{
    close(lock);
}

ob_status list_path(char **out, const char *dir, const char *name, bool enabled, ob_error *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/lists/%s.obx%s", dir, name, enabled ? "" : ".off") < 0)
        return out_of_memory(err);
    *out = path;
    return OB_OK;
}

bool list_name_is_valid(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return length > 0 && length <= OB_LIST_NAME_MAX && !name[length] && !strchr("._-", name[0]);
}

ob_status list_check_name(const char *name, ob_error *err)
{
    if (list_name_is_valid(name))
        return OB_OK;
    return ob_fail(
        err, OB_EINVAL,
        "\"%.80s\" cannot name a list: 1 to %d of a-z 0-9 . _ -, first a letter or digit", name,
        OB_LIST_NAME_MAX);
}

static ob_status exists(bool *out, const char *dir, const char *name, bool enabled, ob_error *err)
{
    char *path = NULL;
    ob_status status = list_path(&path, dir, name, enabled, err);
    if (status)
        return status;
    struct stat is; /* of a link itself: where it leads may not be mounted */
    if (!ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW))
        *out = true;
    else if (errno == ENOENT || errno == ENOTDIR)
        *out = false;
    else
        status = ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    free(path);
    return status;
}

ob_status list_find(bool *enabled, const char *dir, const char *name, ob_error *err)
{
    bool on = false, off = false;
    ob_status status = list_check_name(name, err);
    if (!status)
        status = exists(&on, dir, name, true, err);
    if (!status && !on)
        status = exists(&off, dir, name, false, err);
    if (status)
        return status;
    if (!on && !off)
        return ob_fail(err, OB_ENOTFOUND,
                       "no list \"%s\" in %s; `obhut list ls` shows what there is", name, dir);
    *enabled = on;
    return OB_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const list_name *)a)->name, ((const list_name *)b)->name);
}

/* "NAME.obx" or "NAME.obx.off"; anything else is not a list. */
static bool parse_file_name(list_name *out, const char *file)
{
    size_t length = strlen(file);
    out->enabled = true;
    if (length > 4 && !strcmp(file + length - 4, ".off")) {
        out->enabled = false;
        length -= 4;
    }
    if (length <= 4 || strncmp(file + length - 4, ".obx", 4) || length - 4 > OB_LIST_NAME_MAX)
        return false;
    memcpy(out->name, file, length - 4);
    out->name[length - 4] = '\0';
    return list_name_is_valid(out->name);
}

/* Whether lists may stand there: not where others could put one, take one away, or switch it off by
 * its name. */
static ob_status check_own(DIR *opened, const char *path, ob_error *err)
{
    struct stat is;
    if (ob_file_stat(&is, dirfd(opened)))
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    if (is.st_mode & 022)
        return ob_fail(err, OB_EREFUSED,
                       "directory %s has mode %04o: others than its owner may write there. Look at "
                       "who changed it and what is in it, then `chmod go-w` it",
                       path, (unsigned)is.st_mode & 07777);
    return OB_OK;
}

/* *out is NULL where there are no lists; a link to what is not mounted is no such place. */
static ob_status open_own(DIR **out, const char *path, ob_error *err)
{
    struct stat is;
    *out = opendir(path);
    if (*out)
        return check_own(*out, path, err);
    const int why = errno;
    if (why == ENOENT && ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW))
        return OB_OK;
    return ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(why));
}

ob_status list_names(list_name **out, size_t *count, const char *dir, ob_error *err)
{
    char *path = NULL;
    DIR *open_dir = NULL;
    list_name *names = NULL;
    size_t used = 0, capacity = 0;
    ob_status status = list_beside(&path, dir, "lists", err);
    if (!status)
        status = open_own(&open_dir, path, err);
    for (struct dirent *file; open_dir && !status && (file = readdir(open_dir)) != NULL;) {
        list_name name;
        if (!parse_file_name(&name, file->d_name))
            continue;
        if (used == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            list_name *more = realloc(names, capacity * sizeof *names);
            if (!more) {
                status = ob_fail(err, OB_ENOMEM, "out of memory: names of lists");
                break;
            }
            names = more;
        }
        names[used++] = name;
    }
    if (open_dir)
        closedir(open_dir);
    free(path);
    if (status) {
        free(names);
        return status;
    }
    if (used)
        qsort(names, used, sizeof *names, by_name);
    *out = names;
    *count = used;
    return OB_OK;
}

ob_status list_sync_dir(const char *dir, ob_error *err)
{
    char *path = NULL;
    ob_status status = list_beside(&path, dir, "lists", err);
    if (status)
        return status;
    int file = ob_file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (file < 0 || ob_file_sync(file))
        status = ob_fail(err, OB_EIO, "%s cannot be made durable: %s", path, strerror(errno));
    if (file >= 0)
        close(file);
    free(path);
    return status;
}

/* ---- Journals -------------------------------------------------------------------------------- */

ob_status list_journal_path(char **out, const char *dir, const char *name, uint64_t number,
                            ob_error *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/lists/%s.%llu.log", dir, name, (unsigned long long)number) < 0)
        return out_of_memory(err);
    *out = path;
    return OB_OK;
}

/* "NAME.NUMBER.log"; a name may have dots. */
static bool parse_journal_name(char name[OB_LIST_NAME_MAX + 1], uint64_t *number, const char *file)
{
    size_t length = strlen(file);
    if (length <= 4 || strcmp(file + length - 4, ".log"))
        return false;
    size_t digits = length - 4;
    while (digits && file[digits - 1] >= '0' && file[digits - 1] <= '9')
        digits--;
    if (digits < 2 || file[digits - 1] != '.' || digits == length - 4 || length - 4 - digits > 18 ||
        digits - 1 > OB_LIST_NAME_MAX)
        return false;
    memcpy(name, file, digits - 1);
    name[digits - 1] = '\0';
    *number = strtoull(file + digits, NULL, 10);
    return list_name_is_valid(name);
}

bool ob_list_file_is_valid(const char *name)
{
    list_name list;
    char of[OB_LIST_NAME_MAX + 1];
    uint64_t number;
    return parse_file_name(&list, name) || parse_journal_name(of, &number, name);
}

static DIR *open_lists(const char *dir, ob_error *err)
{
    char *path = NULL;
    if (list_beside(&path, dir, "lists", err))
        return NULL;
    DIR *opened = opendir(path);
    if (!opened)
        ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    free(path);
    return opened;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

ob_status list_journals(uint64_t **out, size_t *count, const char *dir, const char *name,
                        ob_error *err)
{
    DIR *opened = open_lists(dir, err);
    if (!opened)
        return OB_EIO;
    ob_buf numbers = {0};
    ob_status status = OB_OK;
    for (struct dirent *file; !status && (file = readdir(opened)) != NULL;) {
        char of[OB_LIST_NAME_MAX + 1];
        uint64_t number;
        if (parse_journal_name(of, &number, file->d_name) && !strcmp(of, name))
            status = ob_buf_append(&numbers, &number, sizeof number, err);
    }
    closedir(opened);
    if (status) {
        ob_buf_free(&numbers);
        return status;
    }
    *count = numbers.size / sizeof **out;
    *out = (void *)numbers.bytes;
    if (*count)
        qsort(*out, *count, sizeof **out, by_number);
    return OB_OK;
}

ob_status list_next_journal(uint64_t *out, const char *dir, const char *name, ob_error *err)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    ob_status status = list_journals(&numbers, &count, dir, name, err);
    if (!status)
        *out = count ? numbers[count - 1] + 1 : 1;
    free(numbers);
    return status;
}

void list_drop_journals(const char *dir, const char *name, uint64_t number)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    if (list_journals(&numbers, &count, dir, name, NULL))
        return;
    for (size_t i = 0; i < count && numbers[i] < number; i++) {
        char *path = NULL;
        if (!list_journal_path(&path, dir, name, numbers[i], NULL))
            ob_file_unlink(AT_FDCWD, path, 0);
        free(path);
    }
    free(numbers);
}

/* ---- Leftovers ------------------------------------------------------------------------------- */

void list_sweep(const char *dir)
{
    DIR *opened = open_lists(dir, NULL);
    for (struct dirent *file; opened && (file = readdir(opened)) != NULL;) {
        size_t length = strlen(file->d_name);
        if (file->d_name[0] == '.' && length > 4 && !strcmp(file->d_name + length - 4, ".tmp"))
            ob_file_unlink(dirfd(opened), file->d_name, 0);
    }
    if (opened)
        closedir(opened);
}
