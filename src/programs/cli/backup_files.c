/* The files of `obhut backup` and `obhut restore`: keys, the backup itself, standard input and
 * output. */
#include "backup_files.h"

#include <obhut/backup.h>
#include <obhut/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static ob_status system_error(ob_error *err, const char *path, const char *what)
{
    return ob_fail(err, OB_EIO, "%s cannot be %s: %s", path, what, strerror(errno));
}

/* Makes the names in the directory of `path` durable. */
static ob_status sync_folder(const char *path, ob_error *err)
{
    char *folder = strdup(path);
    if (!folder)
        return ob_fail(err, OB_ENOMEM, "out of memory: a path");
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    const char *name = slash ? folder : ".";
    int file = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ob_status status = file < 0 || fsync(file) ? system_error(err, name, "made durable") : OB_OK;
    if (file >= 0)
        close(file);
    free(folder);
    return status;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

enum { KEY_FILE_MOST = 4096 };

ob_status backup_write_secret(const char *path, const ob_seal_public *public,
                              const ob_seal_secret *secret, ob_error *err)
{
    char text[KEY_FILE_MOST], public_text[OB_SEAL_KEY_TEXT + 1], secret_text[OB_SEAL_KEY_TEXT + 1];
    ob_seal_public_print(public_text, public);
    ob_seal_secret_print(secret_text, secret);
    int size =
        snprintf(text, sizeof text,
                 "# The secret key of backups of Obhut. Anybody with it and a backup can read\n"
                 "# records and keys; who loses it has no backups.\n"
                 "# The public key that belongs to it: %s\n%s\n",
                 public_text, secret_text);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    ob_status status = OB_OK;
    if (file < 0 && errno == EEXIST)
        status =
            ob_fail(err, OB_EREFUSED, "%s is there already: a key is never written over", path);
    else if (file < 0)
        status = system_error(err, path, "made");
    else if (write(file, text, (size_t)size) != size || fsync(file)) {
        status = system_error(err, path, "written");
        unlink(path);
    }
    if (file >= 0)
        close(file);
    ob_wipe(text, sizeof text);
    ob_wipe(secret_text, sizeof secret_text);
    return status ? status : sync_folder(path, err);
}

static ob_status read_key_file(char out[KEY_FILE_MOST], size_t *size, const char *path,
                               bool is_secret, ob_error *err)
{
    struct stat info;
    ssize_t got = -1;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ob_status status = OB_OK;
    if (file < 0 || fstat(file, &info) || (got = read(file, out, KEY_FILE_MOST)) < 0)
        status = system_error(err, path, "read");
    else if (is_secret && S_ISREG(info.st_mode) && info.st_mode & 077)
        status =
            ob_fail(err, OB_EREFUSED, "%s: others than its owner may read it; chmod 600 it", path);
    *size = got > 0 ? (size_t)got : 0;
    if (file >= 0)
        close(file);
    return status;
}

ob_status backup_read_secret(ob_seal_secret *out, const char *path, ob_error *err)
{
    char text[KEY_FILE_MOST];
    size_t size = 0;
    ob_status status = read_key_file(text, &size, path, true, err);
    if (!status) {
        status = ob_seal_secret_parse(out, text, size, err);
        if (status)
            ob_fail_in(err, status, "%s", path);
    }
    ob_wipe(text, sizeof text);
    return status;
}

ob_status backup_read_public(ob_seal_public *out, const char *given, ob_error *err)
{
    static const char word[] = "obhut-";
    char text[KEY_FILE_MOST];
    size_t size = 0;
    if (!strncmp(given, word, sizeof word - 1) && access(given, F_OK))
        return ob_seal_public_parse(out, given, strlen(given), err);
    ob_status status = read_key_file(text, &size, given, false, err);
    if (!status) {
        status = ob_seal_public_parse(out, text, size, err);
        if (status)
            ob_fail_in(err, status, "%s", given);
    }
    ob_wipe(text, sizeof text); /* it may have been the wrong one */
    return status;
}

/* ---- Backups --------------------------------------------------------------------------------- */

ob_status backup_open(int *out, const char *path, ob_error *err)
{
    int file = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
                                 : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (file < 0)
        return system_error(err, path, "opened");
    *out = file;
    return OB_OK;
}

/* Only a backup is written over: nobody loses a key to a slip. */
static ob_status check_old(const char *path, ob_error *err)
{
    uint8_t magic[sizeof ob_backup_kind.magic];
    struct stat info;
    if (lstat(path, &info))
        return errno == ENOENT ? OB_OK : system_error(err, path, "written");
    int file = S_ISREG(info.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    ssize_t got = file >= 0 ? read(file, magic, sizeof magic) : -1;
    if (file >= 0)
        close(file);
    return got == 0 || (got == (ssize_t)sizeof magic &&
                        !memcmp(magic, ob_backup_kind.magic, sizeof magic))
               ? OB_OK
               : ob_fail(err, OB_EREFUSED,
                         "%s is there and is no backup: it is not written over; choose another "
                         "name, or - for standard output",
                         path);
}

/* Opens PATH.part and makes it this process's alone. */
static ob_status open_part(backup_output *o, ob_error *err)
{
    struct stat ours, now;
    o->file = open(o->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (o->file < 0 || fstat(o->file, &ours))
        return system_error(err, o->part, "written");
    bool is_locked = !flock(o->file, LOCK_EX | LOCK_NB);
    /* The process that had the lock may have renamed the file meanwhile. */
    if (!is_locked || lstat(o->part, &now) || now.st_ino != ours.st_ino ||
        now.st_dev != ours.st_dev)
        return ob_fail(err, OB_EBUSY, "another process is writing %s", o->part);
    if (!S_ISREG(ours.st_mode) || ours.st_uid != geteuid() || ours.st_nlink != 1)
        return ob_fail(err, OB_EREFUSED, "%s is there and not this user's own file: remove it",
                       o->part);
    return fchmod(o->file, 0600) || ftruncate(o->file, 0) ? system_error(err, o->part, "written")
                                                          : OB_OK;
}

ob_status backup_output_open(backup_output *out, const char *path, ob_error *err)
{
    *out = (backup_output){.path = path, .file = -1};
    if (!strcmp(path, "-")) {
        if (isatty(STDOUT_FILENO))
            return ob_fail(err, OB_EREFUSED,
                           "a backup is not for a terminal: send standard output to a file or a "
                           "program");
        out->file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        return out->file < 0 ? system_error(err, "standard output", "written") : OB_OK;
    }
    ob_status status = check_old(path, err);
    if (!status && asprintf(&out->part, "%s.part", path) < 0) {
        out->part = NULL;
        status = ob_fail(err, OB_ENOMEM, "out of memory: a path");
    }
    if (status)
        return status;
    status = open_part(out, err);
    if (status) { /* whatever is there is not ours */
        free(out->part);
        out->part = NULL;
    }
    return status;
}

ob_status backup_output_commit(backup_output *o, ob_error *err)
{
    if (!o->part)
        return OB_OK;
    if (fsync(o->file))
        return system_error(err, o->part, "made durable");
    if (rename(o->part, o->path))
        return system_error(err, o->path, "written");
    free(o->part);
    o->part = NULL;
    return sync_folder(o->path, err);
}

void backup_output_drop(backup_output *o)
{
    if (o->part)
        unlink(o->part);
    free(o->part);
    if (o->file >= 0)
        close(o->file);
    *o = (backup_output){.file = -1};
}
