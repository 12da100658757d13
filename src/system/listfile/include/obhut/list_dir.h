/* list_dir: the folder of lists in a data directory: its lock, the names of its files, and their
 * removal. `dir` is the data directory. Errors of the disk are OB_EIO, with path and reason. */
#ifndef OBHUT_LIST_DIR_H
#define OBHUT_LIST_DIR_H

#include <obhut/listfile.h>

/* Makes DIR and DIR/lists where they are missing, and takes the lock. list_unlock releases *out.
 * OB_EBUSY: another process has the lock. */
ob_status list_lock(int *out, const char *dir, ob_error *err);
/* Releases the lock that list_lock took. */
void list_unlock(int lock);

/* Sets *out to DIR/lists/NAME.obx, with .off behind it for a list that is switched off. The caller
 * frees *out. */
ob_status list_path(char **out, const char *dir, const char *name, bool enabled, ob_error *err);

/* Says whether a list can have this name: a-z 0-9 . _ -, first a letter or digit, at most
 * OB_LIST_NAME_MAX characters. */
bool list_name_is_valid(const char *name);
/* Checks a list's name: OB_EINVAL with a sentence where list_name_is_valid is false. */
ob_status list_check_name(const char *name, ob_error *err);

/* Sets *enabled to whether the list's file has the name of a list that is switched on.
 * OB_ENOTFOUND: nothing has either name, not even a link. */
ob_status list_find(bool *enabled, const char *dir, const char *name, ob_error *err);

/* Names of all lists, sorted, each with whether it is enabled. The caller frees *out. */
typedef struct list_name {
    char name[OB_LIST_NAME_MAX + 1];
    bool enabled;
} list_name;
/* Sets *out to the names of all lists, sorted, each with whether it is switched on. The caller
 * frees *out. */
ob_status list_names(list_name **out, size_t *count, const char *dir, ob_error *err);

/* Syncs the directory DIR/lists, so that new, renamed and removed files are durable. */
ob_status list_sync_dir(const char *dir, ob_error *err);

/* Removes temporary files that killed imports and merges left. Call this only under the lock. */
void list_sweep(const char *dir);

/* Sets *out to DIR/lists/NAME.NUMBER.log. The caller frees *out. */
ob_status list_journal_path(char **out, const char *dir, const char *name, uint64_t number,
                            ob_error *err);
/* Sets *out to the numbers of a list's journals, sorted. The caller frees *out. */
ob_status list_journals(uint64_t **out, size_t *count, const char *dir, const char *name,
                        ob_error *err);

/* Sets *out to a number above that of every journal of this list in the folder. */
ob_status list_next_journal(uint64_t *out, const char *dir, const char *name, ob_error *err);

/* Removes the journals with numbers below `number`. */
void list_drop_journals(const char *dir, const char *name, uint64_t number);

#endif
