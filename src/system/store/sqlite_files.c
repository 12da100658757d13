/* The files of SQLite, as one of its "VFS": SQLite's own does the work, after base was asked as for
 * any other file of a data directory. Locks and memory that connections share pass unasked. */
#include "sqlite_files.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>

#include <sqlite3.h>

/* What SQLite allocates for a file; the real one lies behind it. */
typedef struct asked_file {
    sqlite3_file base;
    const char *path;     /* SQLite's, which outlives the file, or this file's own */
    sqlite3_filename own; /* the name that a file for a while had when it was made; else NULL */
    sqlite3_int64 real[];
} asked_file;

static sqlite3_file *real(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((asked_file *)(void *)file)->real;
}

static bool refused(ob_file_verb verb, sqlite3_file *file)
{
    return ob_file_ask(verb, AT_FDCWD, ((asked_file *)(void *)file)->path);
}

/* ---- One file -------------------------------------------------------------------------------- */

static int close_file(sqlite3_file *file)
{
    int code = real(file)->pMethods->xClose(real(file));
    sqlite3_free_filename(((asked_file *)(void *)file)->own);
    return code;
}

static int read_file(sqlite3_file *file, void *out, int size, sqlite3_int64 at)
{
    return refused(OB_FILE_READ, file) ? SQLITE_IOERR_READ
                                       : real(file)->pMethods->xRead(real(file), out, size, at);
}

static int write_file(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    if (refused(OB_FILE_WRITE, file))
        return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return real(file)->pMethods->xWrite(real(file), bytes, size, at);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    return refused(OB_FILE_TRUNCATE, file) ? SQLITE_IOERR_TRUNCATE
                                           : real(file)->pMethods->xTruncate(real(file), size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    return refused(OB_FILE_SYNC, file) ? SQLITE_IOERR_FSYNC
                                       : real(file)->pMethods->xSync(real(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int check_lock(sqlite3_file *file, int *out)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int control_file(sqlite3_file *file, int what, void *argument)
{
    return real(file)->pMethods->xFileControl(real(file), what, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int characteristics(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int map_shared(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    return real(file)->pMethods->xShmMap(real(file), region, size, extend, out);
}

static int lock_shared(sqlite3_file *file, int offset, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void order_shared(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int unmap_shared(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

/* Version 2: no pages mapped into memory, past those who are asked for every read. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = order_shared,
    .xShmUnmap = unmap_shared,
};

/* ---- Names ----------------------------------------------------------------------------------- */

static sqlite3_vfs *below(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static _Thread_local const char *beside;

void sqlite_files_beside(const char *path)
{
    beside = path;
}

/* Files for a while hold what the records hold, so they are made beside them and nowhere else, and
 * have lost their name (SQLITE_OPEN_DELETEONCLOSE) before anything is written to them. One that was
 * killed in between has left an empty one. */
static sqlite3_filename name_for_a_while(sqlite3_vfs *vfs)
{
    char *path = beside ? sqlite3_mprintf("%s-rewritten", beside) : NULL;
    sqlite3_filename name = path ? sqlite3_create_filename(path, "", "", 0, NULL) : NULL;
    sqlite3_free(path);
    if (name)
        below(vfs)->xDelete(below(vfs), name, 0);
    return name;
}

static int open_real(sqlite3_vfs *vfs, sqlite3_file *out, int flags, int *flags_got)
{
    asked_file *file = (asked_file *)(void *)out;
    if (refused(OB_FILE_OPEN, out))
        return SQLITE_CANTOPEN;
    int code = below(vfs)->xOpen(below(vfs), file->path, real(out), flags, flags_got);
    if (real(out)->pMethods) /* also after an error: then it is closed */
        file->base.pMethods = &methods;
    return code;
}

static int open_file(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *out, int flags,
                     int *flags_got)
{
    asked_file *file = (asked_file *)(void *)out;
    sqlite3_filename own = path ? NULL : name_for_a_while(vfs);
    *file = (asked_file){.path = path ? path : own, .own = own};
    real(out)->pMethods = NULL;
    int code = file->path ? open_real(vfs, out, flags, flags_got) : SQLITE_CANTOPEN;
    if (!file->base.pMethods)
        sqlite3_free_filename(own);
    return code;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
    return ob_file_ask(OB_FILE_UNLINK, AT_FDCWD, path)
               ? SQLITE_IOERR_DELETE
               : below(vfs)->xDelete(below(vfs), path, sync_dir);
}

static int check_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    return below(vfs)->xAccess(below(vfs), path, flags, out);
}

static int full_path(sqlite3_vfs *vfs, const char *path, int capacity, char *out)
{
    return below(vfs)->xFullPathname(below(vfs), path, capacity, out);
}

/* ---- What is not about files ----------------------------------------------------------------- */

static int randomness(sqlite3_vfs *vfs, int size, char *out)
{
    return below(vfs)->xRandomness(below(vfs), size, out);
}

static int sleep_us(sqlite3_vfs *vfs, int us)
{
    return below(vfs)->xSleep(below(vfs), us);
}

static int current_time(sqlite3_vfs *vfs, double *out)
{
    return below(vfs)->xCurrentTime(below(vfs), out);
}

static int last_error(sqlite3_vfs *vfs, int capacity, char *out)
{
    return below(vfs)->xGetLastError(below(vfs), capacity, out);
}

/* ---- Known by its name ----------------------------------------------------------------------- */

static sqlite3_vfs asking = {
    .iVersion = 1, /* extensions cannot be loaded, and nobody needs finer time */
    .zName = "obhut",
    .xOpen = open_file,
    .xDelete = delete_file,
    .xAccess = check_access,
    .xFullPathname = full_path,
    .xRandomness = randomness,
    .xSleep = sleep_us,
    .xCurrentTime = current_time,
    .xGetLastError = last_error,
};

const char *sqlite_files(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    sqlite3_vfs *usual = asking.pAppData ? NULL : sqlite3_vfs_find(NULL);
    if (usual) {
        asking.szOsFile = (int)sizeof(asked_file) + usual->szOsFile;
        asking.mxPathname = usual->mxPathname;
        asking.pAppData = sqlite3_vfs_register(&asking, 0) == SQLITE_OK ? usual : NULL;
    }
    const char *name = asking.pAppData ? asking.zName : NULL;
    pthread_mutex_unlock(&lock);
    return name;
}
