/* file: opens, reads, writes and syncs the files of a data directory. The functions are the
 * system's own calls and set errno as these do. Before each call a watch may refuse or delay it:
 * tests use that to simulate a disk that is full, broken or slow. Installed programs never set a
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

/* ---- The calls ------------------------------------------------------------------------------- */

/* openat(2). `path` is relative to `dir`, or to the working directory where `dir` is AT_FDCWD. The
 * caller closes the descriptor. */
int ob_file_open(int dir, const char *path, int flags, mode_t mode);
/* read(2), as the watch permits: the number of bytes, 0 at the end, -1 with errno. */
ssize_t ob_file_read(int file, void *out, size_t size);
/* pread(2), as the watch permits: the number of bytes from `at`, 0 at the end, -1 with errno. */
ssize_t ob_file_pread(int file, void *out, size_t size, off_t at);
/* write(2), as the watch permits: the number of bytes, which may be less than `size`, or -1 with
 * errno. */
ssize_t ob_file_write(int file, const void *bytes, size_t size);
/* pwrite(2), as the watch permits: the number of bytes, which may be less than `size`, or -1 with
 * errno. */
ssize_t ob_file_pwrite(int file, const void *bytes, size_t size, off_t at);
/* fsync(2), as the watch permits: 0, or -1 with errno. */
int ob_file_sync(int file);
/* fdatasync(2), as the watch permits: 0, or -1 with errno. */
int ob_file_sync_data(int file);
/* ftruncate(2), as the watch permits: 0, or -1 with errno. */
int ob_file_truncate(int file, off_t size);
/* fchown(2), also for descriptors opened with O_PATH: 0, or -1 with errno. */
int ob_file_own(int file, uid_t owner, gid_t group);
/* rename(2), as the watch permits; the watch is asked for the path `to`. */
int ob_file_rename(const char *from, const char *to);
/* unlinkat(2), as the watch permits: 0, or -1 with errno. */
int ob_file_unlink(int dir, const char *path, int flags);
/* mkdirat(2), as the watch permits: 0, or -1 with errno. */
int ob_file_mkdir(int dir, const char *path, mode_t mode);
/* fstat(2), as the watch permits: 0, or -1 with errno. */
int ob_file_stat(struct stat *out, int file);
/* fstatat(2), as the watch permits: 0, or -1 with errno. */
int ob_file_stat_at(struct stat *out, int dir, const char *path, int flags);

/* ---- Files of a data directory --------------------------------------------------------------- */

/* What such a file must be before a byte of it is believed. */
typedef struct ob_file_rule {
    uint64_t most;     /* bytes; 0: any number */
    mode_t forbidden;  /* what others must not be allowed: 0077, 0022; 0: nothing is asked */
    bool follow_links; /* only where the operator named the path */
} ob_file_rule;

/* Opens a regular file: not a pipe, a device, a directory or a link, of a plausible size, owned by
 * this process's user or by root (where root runs this process, by any user), and not open to
 * others. Never waits: a pipe is refused at once.
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

/* Says whether a file belongs to the user of this process or to root. Where root runs the process,
 * every owner counts. */
bool ob_file_is_own(const struct stat *is);

/* Gives a file or directory that root has made to the owner of the directory `dir_path` (relative
 * to `dir`, as for openat(2)), so that the service can open it later. Nothing happens where this
 * process is not root's, or root owns that directory. `path` appears in sentences only. */
ob_status ob_file_give(int file, const char *path, int dir, const char *dir_path, ob_error *err);

/* Makes a directory with mode 0700 where none exists, and gives it to the owner of `above`. */
ob_status ob_file_make_dir(const char *path, const char *above, ob_error *err);

/* ---- Watching -------------------------------------------------------------------------------- */

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

/* Sets the watch for all threads of this process, until the next call; NULL removes it. The caller
 * owns *watch, which must stay where it is. */
void ob_file_watch_by(const ob_file_watch *watch);

/* Asks the watch about a call that the caller makes by itself (as SQLite does): 0, or -1 with errno
 * where the call must fail. */
int ob_file_ask(ob_file_verb verb, int file, const char *path);

#endif
