/* file: how files of a data directory are opened, read, written and made durable. The system's own
 * calls, with errno as they leave it; before each, whoever watches may refuse it or keep it
 * waiting, which is how tests make a disk full, broken or slow. Nothing that is installed sets a
 * watch. */
#ifndef OBHUT_FILE_H
#define OBHUT_FILE_H

#include <obhut/base.h>

#include <sys/stat.h>
#include <sys/types.h>

typedef enum ob_file_verb {
    OB_FILE_OPEN,
    OB_FILE_READ,
    OB_FILE_WRITE,
    OB_FILE_SYNC,
    OB_FILE_TRUNCATE,
    OB_FILE_RENAME,
    OB_FILE_UNLINK,
    OB_FILE_MKDIR,
    OB_FILE_STAT,
    OB_FILE_OWN,
    OB_FILE_VERBS,
} ob_file_verb;

/* ---- The calls ------------------------------------------------------------------------------ */

/* Paths are relative to `dir`, or to the working directory where it is AT_FDCWD. */
int ob_file_open(int dir, const char *path, int flags, mode_t mode); /* openat(2) */
ssize_t ob_file_read(int file, void *out, size_t size);
ssize_t ob_file_pread(int file, void *out, size_t size, off_t at);
ssize_t ob_file_write(int file, const void *bytes, size_t size);
ssize_t ob_file_pwrite(int file, const void *bytes, size_t size, off_t at);
int ob_file_sync(int file);      /* fsync(2) */
int ob_file_sync_data(int file); /* fdatasync(2) */
int ob_file_truncate(int file, off_t size);
int ob_file_own(int file, uid_t owner, gid_t group);       /* fchown(2), also with O_PATH */
int ob_file_rename(const char *from, const char *to);      /* the call's path is `to` */
int ob_file_unlink(int dir, const char *path, int flags);  /* unlinkat(2) */
int ob_file_mkdir(int dir, const char *path, mode_t mode); /* mkdirat(2) */
int ob_file_stat(struct stat *out, int file);              /* fstat(2) */
int ob_file_stat_at(struct stat *out, int dir, const char *path, int flags); /* fstatat(2) */

/* ---- Files of a data directory ----------------------------------------------------------------
 */

/* What such a file must be before a byte of it is believed. */
typedef struct ob_file_rule {
    uint64_t most;     /* bytes; 0: any number */
    mode_t forbidden;  /* what others must not be allowed: 0077, 0022; 0: nothing is asked */
    bool follow_links; /* only where the operator named the path */
} ob_file_rule;

/* Opens a regular file: not a pipe, a device, a directory or a link, of a plausible size, owned by
 * whoever runs this or by root (of whoever it is where root runs this), and not open to others.
 * Never waits: a pipe is refused at once.
 *
 * out      set on success, with O_CLOEXEC; the caller closes it
 * info     may be NULL; else set with *out
 * path     also names the file in sentences; relative to the working directory
 * flags    of open(2); a file that O_CREAT makes has mode 0600
 *
 * OB_ENOTFOUND: nothing stands there at all; OB_EIO: the system's reason; OB_EREFUSED: it stands
 * there and is something else, with what to do. */
ob_status ob_file_open_regular(int *out, struct stat *info, const char *path, int flags,
                               const ob_file_rule *rule, ob_error *err);

/* Whether it belongs to whoever runs this or to root; to whoever it is where root runs this. */
bool ob_file_is_own(const struct stat *is);

/* Gives a file or directory that root has made to whoever owns the directory `dir_path` (relative
 * to `dir`, as of openat(2)): whoever runs the service afterwards must be able to open it. Nothing
 * happens where root does not run this, or owns that directory. `path` is for the sentences. */
ob_status ob_file_give(int file, const char *path, int dir, const char *dir_path, ob_error *err);

/* Makes a directory for its owner alone, where none is, and gives it to whoever owns `above`. */
ob_status ob_file_make_dir(const char *path, const char *above, ob_error *err);

/* ---- Watching ------------------------------------------------------------------------------- */

/* A call that is about to be made. */
typedef struct ob_file_call {
    ob_file_verb verb;
    int file;         /* an open file, or the directory that `path` is relative to */
    const char *path; /* NULL: `file` itself */
} ob_file_call;

typedef struct ob_file_watch {
    /* 0: the call is made. Else it fails with this errno, without being made. On the thread that
     * calls, and on several at once. */
    int (*before)(void *context, const ob_file_call *call);
    void *context;
} ob_file_watch;

/* From now on, and for all threads of this process; NULL: nobody watches. *watch must stay where
 * it is. */
void ob_file_watch_by(const ob_file_watch *watch);

/* For those who make a call by themselves (SQLite): 0, or -1 with errno where it must fail. */
int ob_file_ask(ob_file_verb verb, int file, const char *path);

#endif
