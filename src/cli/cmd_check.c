/* obhut check: reads all that lies in the data directory and says, file by file, what is right. It
 * changes nothing, and works while a service runs and where none would start. */
#include "cli.h"

#include <obhut/admin.h>
#include <obhut/audit.h>
#include <obhut/crypto.h>
#include <obhut/file.h>
#include <obhut/lists.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: obhut [--data DIR] check\n"
    "\n"
    "Reads everything in the data directory (keys, records, log, lists) and says of each\n"
    "file whether it is right: of a log also whether it still has what the records know to have\n"
    "been signed. Works while the service runs, and where it does not start.\n"
    "\n"
    "Exit codes: 0 all is right, 1 something is not, 2 wrong usage, 3 something failed.\n";

enum { CHECK_WRONG = CLI_FOUND };

typedef struct checking {
    const char *dir;
    unsigned right, wrong;
} checking;

static void tell(checking *c, const char *name, ob_status status, const ob_error *err)
{
    if (status)
        printf("WRONG  %s: %s\n", name, err->text);
    else
        printf("right  %s\n", name);
    *(status ? &c->wrong : &c->right) += 1;
}

static ob_status path_of(char *out, size_t size, const checking *c, const char *name, ob_error *err)
{
    return snprintf(out, size, "%s/%s", c->dir, name) < (int)size
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "%s: the path is too long", c->dir);
}

/* ---- Directories -------------------------------------------------------------------------------
 */

static void check_dir(checking *c, const char *name)
{
    char path[4096];
    struct stat is;
    ob_error err = {0};
    ob_status status = path_of(path, sizeof path, c, name, &err);
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
    tell(c, *name ? name : ".", status, &err);
}

/* ---- Single files ------------------------------------------------------------------------------
 */

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
    ob_status status = path_of(path, sizeof path, c, s->name, &err);
    if (!status)
        status = ob_file_open_regular(&file, &is, path, O_RDONLY, &s->rule, &err);
    if (status == OB_ENOTFOUND)
        return;
    if (!status)
        status = s->check(file, path, &is, &err);
    if (file >= 0)
        close(file);
    tell(c, s->name, status, &err);
}

static void check_key(checking *c, const char *name)
{
    char path[4096];
    uint8_t key[OB_KEY_SIZE];
    ob_error err = {0};
    ob_status status = path_of(path, sizeof path, c, name, &err);
    if (!status)
        status = ob_key_file_read(key, path, &err);
    ob_wipe(key, sizeof key);
    tell(c, name, status, &err);
}

/* ---- Records and log ---------------------------------------------------------------------------
 */

static void check_log(checking *c, const ob_admin_checked *checked)
{
    char path[4096], file[32];
    ob_error err = {0};
    ob_audit_report report;
    ob_status status = path_of(path, sizeof path, c, "audit", &err);
    ob_audit_check check = {.dir = path};
    ob_admin_check_log(&check, checked);
    if (!status)
        status = ob_audit_verify(&report, &check, &err);
    if (status) {
        tell(c, "audit", status, &err);
        return;
    }
    if (report.fine) {
        tell(c, "audit (log, checkpoints, key)", OB_OK, NULL);
        return;
    }
    snprintf(file, sizeof file, "audit/%s", report.file);
    status =
        ob_fail(&err, OB_EFORMAT, "byte %llu, entry %llu: %s", (unsigned long long)report.offset,
                (unsigned long long)report.entry, report.problem);
    tell(c, file, status, &err);
}

static void check_records(checking *c)
{
    ob_admin_checked checked = {.is_known = false};
    ob_error err = {0};
    ob_status status = ob_admin_check(&checked, c->dir, true, &err);
    if (status || checked.has_records)
        tell(c, "records and what binds keys and log to them", status, &err);
    check_log(c, &checked);
    ob_wipe(checked.seed, sizeof checked.seed);
}

/* ---- Lists -------------------------------------------------------------------------------------
 */

static void check_list(checking *c, const char *file, size_t length)
{
    char name[256], told[300];
    ob_list_info info;
    ob_error err = {0};
    snprintf(name, sizeof name, "%.*s", (int)length, file);
    snprintf(told, sizeof told, "lists/%s", file);
    ob_status status = ob_list_check(&info, c->dir, name, &err);
    tell(c, told, status, &err);
}

static void check_lists(checking *c)
{
    char path[4096];
    struct dirent *entry;
    DIR *dir = path_of(path, sizeof path, c, "lists", NULL) ? NULL : opendir(path);
    while (dir && (entry = readdir(dir)) != NULL) {
        const size_t length = strlen(entry->d_name);
        if (length > 4 && !strcmp(entry->d_name + length - 4, ".obx"))
            check_list(c, entry->d_name, length - 4);
    }
    if (dir)
        closedir(dir);
}

/* ---- All of it ---------------------------------------------------------------------------------
 */

static int check_all(const char *data_dir)
{
    checking c = {.dir = data_dir};
    if (access(data_dir, R_OK | X_OK)) {
        cli_say("%s cannot be read: %s", data_dir, strerror(errno));
        return CLI_FAILURE;
    }
    check_dir(&c, "");
    check_dir(&c, "keys");
    check_dir(&c, "audit");
    check_key(&c, "keys/audit");
    check_key(&c, "keys/pseudonym");
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        check_single(&c, &singles[i]);
    check_records(&c);
    check_lists(&c);
    printf("%u right, %u wrong\n", c.right, c.wrong);
    return c.wrong ? CHECK_WRONG : CLI_NOTHING;
}

int cmd_check(const cli *cli, int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1)
        return option == 'h' ? cli_help(help) : cli_usage("check", "%s", "");
    if (optind < argc)
        return cli_usage("check", "it takes no argument: --data DIR says where");
    return cli_finish(check_all(cli->data_dir));
}
