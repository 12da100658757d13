/* Which database a directory has. DIR/records is one line with a URL; where there is none,
 * DIR/obhut.db is the database. */
#include "store_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>

enum { PATH = 4096, URL = 2048 };

typedef struct place {
    const char *dir;
    char records[PATH], sqlite[PATH];
    char noted[URL]; /* what DIR/records says, "" where there is none */
} place;

static ob_status file_error(const char *path, const char *what, ob_error *err)
{
    return ob_fail(err, OB_EIO, "%s cannot be %s: %s", path, what, strerror(errno));
}

bool ob_store_url_is_valid(const char *url)
{
    size_t length = strlen(url);
    return length < URL - 2 && length == strcspn(url, "\r\n") &&
           (!strncmp(url, "postgresql://", 13) || !strncmp(url, "postgres://", 11));
}

/* ---- DIR/records ----------------------------------------------------------------------------- */

static ob_status read_open(place *p, int file, ob_error *err)
{
    const ssize_t size = ob_file_read(file, p->noted, sizeof p->noted - 1);
    if (size < 0)
        return file_error(p->records, "read", err);
    p->noted[size] = '\0'; /* and where it is too long, it is not valid */
    size_t length = strlen(p->noted);
    if (length && p->noted[length - 1] == '\n')
        p->noted[length - 1] = '\0';
    if (!ob_store_url_is_valid(p->noted))
        return ob_fail(err, OB_EFORMAT, "%s: one line postgresql://USER@HOST/DATABASE is expected",
                       p->records);
    return OB_OK;
}

static ob_status read_noted(place *p, ob_error *err)
{
    /* It can have a password in it. */
    const ob_file_rule rule = {.most = 65536, .forbidden = 0077};
    int file = -1;
    ob_error problem = {0};
    ob_status status = ob_file_open_regular(&file, NULL, p->records, O_RDONLY, &rule, &problem);
    if (status == OB_ENOTFOUND)
        return OB_OK;
    if (status)
        return ob_fail(err, status, "%s", problem.text);
    status = read_open(p, file, err);
    close(file);
    return status;
}

static ob_status sync_dir(const char *dir, ob_error *err)
{
    int file = ob_file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    ob_status status = file < 0 || ob_file_sync(file) ? file_error(dir, "written", err) : OB_OK;
    if (file >= 0)
        close(file);
    return status;
}

static ob_status write_file(const char *path, const char *dir, const char *url, ob_error *err)
{
    ob_file_unlink(AT_FDCWD, path, 0); /* left by a start that was ended, or whatever it is */
    int file = ob_file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return file_error(path, "written", err);
    char line[URL + 1];
    const int size = snprintf(line, sizeof line, "%s\n", url);
    ob_status status = ob_file_give(file, path, AT_FDCWD, dir, err);
    if (!status && (ob_file_write(file, line, (size_t)size) != size || ob_file_sync(file)))
        status = file_error(path, "written", err);
    close(file);
    return status;
}

static ob_status note(const place *p, const char *url, ob_error *err)
{
    char next[PATH + 8];
    snprintf(next, sizeof next, "%s.new", p->records);
    ob_status status = write_file(next, p->dir, url, err);
    if (!status && ob_file_rename(next, p->records))
        status = file_error(p->records, "written", err);
    if (status)
        ob_file_unlink(AT_FDCWD, next, 0);
    return status ? status : sync_dir(p->dir, err);
}

/* ---- The same records, or others ------------------------------------------------------------- */

static const char *part(const PQconninfoOption *options, const char *key)
{
    for (; options && options->keyword; options++)
        if (!strcmp(options->keyword, key))
            return options->val ? options->val : "";
    return "";
}

/* The password may change, and the user where the database is named; where the records are may not:
 * options, too, can lead to other tables. */
static bool is_same(const char *one, const char *other)
{
    static const char *const keys[] = {"host", "hostaddr", "port", "dbname", "service", "options"};
    PQconninfoOption *a = PQconninfoParse(one, NULL), *b = PQconninfoParse(other, NULL);
    bool same = a && b;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        same = same && !strcmp(part(a, keys[i]), part(b, keys[i]));
    if (same && !*part(a, "dbname")) /* then the user's name is the database's */
        same = !strcmp(part(a, "user"), part(b, "user"));
    PQconninfoFree(a);
    PQconninfoFree(b);
    return same || !strcmp(one, other);
}

static ob_status check_url(const place *p, const char *url, ob_error *err)
{
    if (!ob_store_url_is_valid(url))
        return ob_fail(err, OB_EINVAL,
                       "the address of the records: postgresql://USER@HOST/DATABASE is expected");
    if (*p->noted && !is_same(p->noted, url))
        return ob_fail(
            err, OB_EREFUSED,
            "%s keeps its records in another database (the file `records` in it says "
            "which): a changed address moves nothing; docs/OPERATION.md says how records "
            "are moved",
            p->dir);
    if (!*p->noted && !access(p->sqlite, F_OK))
        return ob_fail(
            err, OB_EREFUSED,
            "%s keeps its records in obhut.db, and a changed address moves nothing: leave "
            "`records` out of the configuration; docs/OPERATION.md says how records are "
            "moved",
            p->dir);
    return OB_OK;
}

/* SQLite, which must follow no link to its file, would follow none on the way to it either. The
 * directory itself may be one, as systemd makes them for services without a user of their own. */
static ob_status find(place *p, const char *dir, ob_error *err)
{
    *p = (place){.dir = dir};
    char *resolved = realpath(dir, NULL);
    const bool fits =
        snprintf(p->records, sizeof p->records, "%s/records", dir) < (int)sizeof p->records &&
        snprintf(p->sqlite, sizeof p->sqlite, "%s/obhut.db", resolved ? resolved : dir) <
            (int)sizeof p->sqlite;
    free(resolved);
    return fits ? read_noted(p, err) : ob_fail(err, OB_EINVAL, "%s: the path is too long", dir);
}

/* The log is begun after the records are: where it stands, they were there. */
static bool has_log(const place *p)
{
    struct stat is;
    char path[sizeof p->sqlite + 16];
    snprintf(path, sizeof path, "%s/audit/log", p->dir);
    return !ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) && is.st_size > 0;
}

static ob_status fail_missing(const place *p, ob_error *err)
{
    return ob_fail(err, OB_EREFUSED,
                   "%s is missing, and the log beside it shows that there were records: restore "
                   "it, or records, "
                   "log and keys, from one backup",
                   p->sqlite);
}

/* Only looked at: opening and closing it would take the locks away that SQLite has in this process.
 */
static ob_status check_sqlite(const place *p, ob_error *err)
{
    struct stat is;
    if (ob_file_stat_at(&is, AT_FDCWD, p->sqlite, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? OB_OK : file_error(p->sqlite, "read", err);
    if (!S_ISREG(is.st_mode))
        return ob_fail(err, OB_EREFUSED,
                       "%s is a %s, where the file with the records must be: put the file itself "
                       "there",
                       p->sqlite,
                       S_ISLNK(is.st_mode)    ? "link"
                       : S_ISFIFO(is.st_mode) ? "pipe"
                       : S_ISDIR(is.st_mode)  ? "directory"
                                              : "device");
    if (!ob_file_is_own(&is))
        return ob_fail(err, OB_EREFUSED, "%s belongs to user %u: look at who changed it", p->sqlite,
                       (unsigned)is.st_uid);
    if (is.st_mode & 022)
        return ob_fail(err, OB_EREFUSED,
                       "%s has mode %04o: others than its owner may write it. Look at who changed "
                       "it, then `chmod go-w` it",
                       p->sqlite, (unsigned)is.st_mode & 07777);
    return OB_OK;
}

/* All steps or none. */
static ob_status update(ob_store *store, ob_error *err)
{
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    return status ? status : ob_writing_end(w, schema_update(w, schema_steps(), err), err);
}

static ob_status open_noted(ob_store **out, const place *p, const char *url, ob_error *err)
{
    ob_status status = url ? OB_OK : check_sqlite(p, err);
    if (status)
        return status;
    return url ? sql_open(out, &driver_postgresql, url, err)
               : sql_open(out, &driver_sqlite, p->sqlite, err);
}

ob_status ob_store_open(ob_store **out, const char *dir, const char *url, ob_error *err)
{
    ob_store *store = NULL;
    place *p = malloc(sizeof *p);
    if (!p)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    ob_status status = find(p, dir, err);
    if (!status && url && *url)
        status = check_url(p, url, err);
    if (!status && !(url && *url))
        url = *p->noted ? p->noted : NULL;
    if (!status)
        status = open_noted(&store, p, url, err);
    if (!status && url && strcmp(url, p->noted) != 0) /* before anything is in there */
        status = note(p, url, err);
    if (!status)
        status = update(store, err);
    if (status)
        ob_store_close(store);
    else
        *out = store;
    free(p);
    return status;
}

ob_status ob_store_expect(const char *dir, const char *url, ob_error *err)
{
    place *p = malloc(sizeof *p);
    if (!p)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    ob_status status = find(p, dir, err);
    const bool is_elsewhere = (url && *url) || (!status && *p->noted);
    if (!status && !is_elsewhere && access(p->sqlite, F_OK) && errno == ENOENT && has_log(p))
        status = fail_missing(p, err);
    free(p);
    return status;
}

static ob_status check_age(bool *is_old, ob_store *store, ob_error *err)
{
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    return status ? status : ob_writing_end(w, schema_is_old(is_old, ob_writing_view(w), err), err);
}

ob_status ob_store_open_to_read(ob_store **out, const char *dir, ob_error *err)
{
    ob_store *store = NULL;
    bool is_old = false;
    place *p = malloc(sizeof *p);
    if (!p)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    ob_status status = find(p, dir, err);
    if (!status && !*p->noted && access(p->sqlite, F_OK))
        status = has_log(p) ? fail_missing(p, err)
                            : ob_fail(err, OB_EFORMAT, "%s: no records are there", dir);
    if (!status)
        status = open_noted(&store, p, *p->noted ? p->noted : NULL, err);
    if (!status)
        status = check_age(&is_old, store, err);
    if (status || is_old) {
        ob_store_close(store);
        store = NULL;
    }
    if (!status)
        *out = store;
    free(p);
    return status;
}
