/* list_dir: the folder of lists in a data directory: its lock, how the files in it are called, and
 * what is removed from it. `dir` is the data directory. Errors of the disk are OB_EIO, with path
 * and reason. */
#ifndef OBHUT_LIST_DIR_H
#define OBHUT_LIST_DIR_H

#include <obhut/listfile.h>

/* Creates DIR and DIR/lists and takes the lock; *out is given back with list_unlock. OB_EBUSY. */
ob_status list_lock(int *out, const char *dir, ob_error *err);
void list_unlock(int lock);

/* DIR/lists/NAME.obx, or with .off behind it. The caller frees *out. */
ob_status list_path(char **out, const char *dir, const char *name, bool enabled, ob_error *err);

bool list_name_is_valid(const char *name);
ob_status list_check_name(const char *name, ob_error *err);

/* Sets *enabled; OB_ENOTFOUND where nothing stands there under either name, not even a link. */
ob_status list_find(bool *enabled, const char *dir, const char *name, ob_error *err);

/* Names of all lists, sorted, each with whether it is enabled. The caller frees *out. */
typedef struct list_name {
    char name[OB_LIST_NAME_MAX + 1];
    bool enabled;
} list_name;
ob_status list_names(list_name **out, size_t *count, const char *dir, ob_error *err);

/* Makes what happened to names in DIR/lists last. */
ob_status list_sync_dir(const char *dir, ob_error *err);

/* Removes what killed imports and merges left: files under a temporary name. Only under the lock.
 */
void list_sweep(const char *dir);

/* Journals of one list: DIR/lists/NAME.NUMBER.log. list_journals sets *out to the numbers, sorted,
 * freed by the caller. */
ob_status list_journal_path(char **out, const char *dir, const char *name, uint64_t number,
                            ob_error *err);
ob_status list_journals(uint64_t **out, size_t *count, const char *dir, const char *name,
                        ob_error *err);

/* The number that no journal of this list has had. */
ob_status list_next_journal(uint64_t *out, const char *dir, const char *name, ob_error *err);

/* Removes the journals below `number`. */
void list_drop_journals(const char *dir, const char *name, uint64_t number);

#endif
