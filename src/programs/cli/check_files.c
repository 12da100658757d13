/* Directories and single files of a data directory: whether they are what they must be, and whether
 * what stands in them can be that. */
#include "check.h"

#include <obhut/crypto.h>
#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Directories ----------------------------------------------------------------------------- */

static void check_dir(checking *c, const char *name)
{
    char path[4096];
    struct stat is;
    ob_error err = {0};
    ob_status status = check_path(path, sizeof path, c, name, &err);
    if (!status && ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW))
        status = ob_fail(&err, OB_EIO, "cannot be read: %s", strerror(errno));
    else if (!status && !S_ISDIR(is.st_mode))
        status = ob_fail(&err, OB_EREFUSED, "is no directory");
    else if (!status && is.st_mode & 022)
        status =
            ob_fail(&err, OB_EREFUSED,
                    "has mode %04o: others than its owner may write there; look at who changed it "
                    "and what is in it, then `chmod go-w` it",
                    (unsigned)is.st_mode & 07777);
    check_report(c, *name ? name : ".", status, &err);
}

/* ---- Single files ---------------------------------------------------------------------------- */

static ob_status check_secret_text(int file, const char *path, const struct stat *is, ob_error *err)
{
    char text[OB_SECRET_TEXT + 2] = "";
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (is->st_size != OB_SECRET_TEXT + 1 ||
        ob_file_read(file, text, OB_SECRET_TEXT + 1) != OB_SECRET_TEXT + 1 ||
        strspn(text, allowed) != OB_SECRET_TEXT || text[OB_SECRET_TEXT] != '\n')
        return ob_fail(err, OB_EFORMAT,
                       "%s is no token: remove it, and the next start makes a new one", path);
    return OB_OK;
}

static ob_status check_header(int file, const char *path, const struct stat *is, ob_error *err)
{
    static const char wanted[16] = "SQLite format 3";
    char head[sizeof wanted] = "";
    if (is->st_size &&
        (ob_file_read(file, head, sizeof head) != sizeof head || memcmp(head, wanted, sizeof head)))
        return ob_fail(err, OB_EFORMAT, "%s, byte 0: no database begins so", path);
    return OB_OK;
}

static ob_status check_nothing(int file, const char *path, const struct stat *is, ob_error *err)
{
    (void)file, (void)path, (void)is, (void)err;
    return OB_OK;
}

static const struct single {
    const char *name;
    ob_file_rule rule;
    ob_status (*check)(int file, const char *path, const struct stat *is, ob_error *err);
} singles[] = {
    {"keys/api-token", {.most = 4096, .forbidden = 0077}, check_secret_text},
    {"lock", {.most = 4096, .forbidden = 0022}, check_nothing},
    {"records", {.most = 4096, .forbidden = 0077}, check_nothing},
    {"audit/key", {.most = 4096, .forbidden = 0022}, check_nothing},
    {"audit/checkpoints", {.forbidden = 0022}, check_nothing},
    {"audit/log", {.forbidden = 0022}, check_nothing},
    {"obhut.db", {.forbidden = 0022}, check_header},
};

/* What is not there at all is not needed by everybody; what is, is told by who reads it. */
static void check_single(checking *c, const struct single *s)
{
    char path[4096];
    struct stat is;
    int file = -1;
    ob_error err = {0};
    ob_status status = check_path(path, sizeof path, c, s->name, &err);
    if (!status)
        status = ob_file_open_regular(&file, &is, path, O_RDONLY, &s->rule, &err);
    if (status == OB_ENOTFOUND)
        return;
    if (!status)
        status = s->check(file, path, &is, &err);
    if (file >= 0)
        close(file);
    check_report(c, s->name, status, &err);
}

static void check_key(checking *c, const char *name)
{
    char path[4096];
    uint8_t key[OB_KEY_SIZE];
    ob_error err = {0};
    ob_status status = check_path(path, sizeof path, c, name, &err);
    if (!status)
        status = ob_key_file_read(key, path, &err);
    ob_wipe(key, sizeof key);
    check_report(c, name, status, &err);
}

/* ---- All of them ----------------------------------------------------------------------------- */

void check_files(checking *c)
{
    check_dir(c, "");
    check_dir(c, "keys");
    check_dir(c, "audit");
    check_key(c, "keys/audit");
    check_key(c, "keys/pseudonym");
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        check_single(c, &singles[i]);
}

ob_status check_operators_file(const char *path, ob_error *err)
{
    int file = -1;
    const ob_file_rule rule = {.most = 1 << 20, .forbidden = 0022, .follow_links = true};
    ob_status status = ob_file_open_regular(&file, NULL, path, O_RDONLY, &rule, err);
    if (file >= 0)
        close(file);
    return status;
}
