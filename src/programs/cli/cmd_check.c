/* obhut check: reads all that lies in the data directory and says, file by file, what is right. It
 * changes nothing, and works while a service runs and where none would start. */
#include "check.h"

#include <obhut/audit.h>
#include <obhut/commands.h>
#include <obhut/crypto.h>
#include <obhut/file.h>
#include <obhut/lists.h>
#include <obhut/socket.h>

#include "../daemon/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHECK_WRONG = CLI_FOUND };

/* ---- Telling --------------------------------------------------------------------------------- */

static void report(checking *c, const char *name, json_t *right, const char *problem)
{
    if (c->json) {
        json_t *file = json_pack("{s:o, s:o}", "file", ob_json_text(name), "right", right);
        if (file && problem)
            json_object_set_new(file, "problem", ob_json_text(problem));
        json_array_append_new(c->files, file);
        return;
    }
    const char *word = json_is_true(right) ? "right" : json_is_false(right) ? "WRONG" : "unread";
    printf("%-6s %s%s%s\n", word, name, problem ? ": " : "", problem ? problem : "");
    json_decref(right);
}

void check_report(checking *c, const char *name, ob_status status, const ob_error *err)
{
    *(status ? &c->wrong : &c->right) += 1;
    report(c, name, json_boolean(!status), status ? err->text : NULL);
}

static void report_unread(checking *c, const char *name, const char *why)
{
    c->unread++;
    report(c, name, json_null(), why);
}

static int finish(checking *c)
{
    const int code = c->wrong ? CHECK_WRONG : CLI_NOTHING;
    if (c->json)
        cli_print_json(json_pack("{s:o, s:i, s:i, s:i}", "files", c->files, "right", (int)c->right,
                                 "wrong", (int)c->wrong, "unread", (int)c->unread));
    else
        printf("%u right, %u wrong\n", c->right, c->wrong);
    return code;
}

ob_status check_path(char *out, size_t size, const checking *c, const char *name, ob_error *err)
{
    return snprintf(out, size, "%s/%s", c->dir, name) < (int)size
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "%s: the path is too long", c->dir);
}

/* ---- Records and log ------------------------------------------------------------------------- */

static void check_log(checking *c, const ob_socket_checked *checked)
{
    char path[4096], file[32];
    ob_error err = {0};
    ob_audit_report report;
    ob_status status = check_path(path, sizeof path, c, "audit", &err);
    ob_audit_check check = {.dir = path};
    ob_socket_check_log(&check, checked);
    if (!status)
        status = ob_audit_verify(&report, &check, &err);
    if (status) {
        check_report(c, "audit", status, &err);
        return;
    }
    if (report.fine) {
        check_report(c, "audit (log, checkpoints, key)", OB_OK, NULL);
        return;
    }
    snprintf(file, sizeof file, "audit/%s", report.file);
    const unsigned long long offset = report.offset, entry = report.entry;
    if (!strncmp(report.problem, "entry ", 6)) /* it says so itself */
        status = ob_fail(&err, OB_EFORMAT, "byte %llu, %s", offset, report.problem);
    else
        status =
            ob_fail(&err, OB_EFORMAT, "byte %llu, entry %llu: %s", offset, entry, report.problem);
    check_report(c, file, status, &err);
}

static void check_records(checking *c, ob_error *lists)
{
    static const char name[] = "records and what binds keys and log to them";
    ob_socket_checked checked = {.is_known = false};
    ob_error err = {0};
    ob_status status = ob_socket_check(&checked, c->dir, true, &err);
    if (!status && checked.is_old)
        report_unread(
            c, name,
            "made by an older version; the service brings them up to date when it starts, "
            "and then they can be read");
    else if (status || checked.has_records)
        check_report(c, name, status, &err);
    check_log(c, &checked);
    *lists = checked.lists;
    ob_wipe(checked.seed, sizeof checked.seed);
}

/* ---- Lists ----------------------------------------------------------------------------------- */

static void check_list(checking *c, const char *file, size_t length)
{
    char name[256], shown[300];
    ob_list_info info;
    ob_error err = {0};
    snprintf(name, sizeof name, "%.*s", (int)length, file);
    snprintf(shown, sizeof shown, "lists/%s", file);
    ob_status status = ob_list_check(&info, c->dir, name, &err);
    check_report(c, shown, status, &err);
}

static size_t length_without(const char *file, const char *end)
{
    const size_t length = strlen(file), cut = strlen(end);
    return length > cut && !strcmp(file + length - cut, end) ? length - cut : 0;
}

/* Each list with what belongs to it; and all together, which also finds what is missing, or another
 * than the records know. */
static void check_lists(checking *c, const ob_error *known)
{
    char path[4096];
    ob_error err = {0};
    ob_lists *lists = NULL;
    struct dirent *entry;
    DIR *dir = check_path(path, sizeof path, c, "lists", NULL) ? NULL : opendir(path);
    while (dir && (entry = readdir(dir)) != NULL) {
        size_t length = length_without(entry->d_name, ".obx");
        if (!length)
            length = length_without(entry->d_name, ".obx.off");
        if (length)
            check_list(c, entry->d_name, length);
    }
    if (dir)
        closedir(dir);
    ob_status status = ob_lists_open(&lists, c->dir, &err);
    ob_lists_close(lists);
    if (!status && known->status)
        status = ob_fail(&err, known->status, "%s", known->text);
    check_report(c, "lists", status, &err);
}

/* ---- Configuration --------------------------------------------------------------------------- */

static void check_config(checking *c, const char *file)
{
    config config;
    ob_error err = {0};
    ob_status status = check_operators_file(file, &err);
    if (!status) {
        status = config_read(&config, file, &err);
        if (!status)
            config_free(&config);
    }
    check_report(c, file, status, &err);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static int check_all(const char *data_dir, const char *config_file, bool json)
{
    checking c = {.dir = data_dir, .json = json, .files = json_array()};
    if (access(data_dir, R_OK | X_OK)) {
        cli_say("%s cannot be read: %s", data_dir, strerror(errno));
        json_decref(c.files);
        return CLI_FAILURE;
    }
    check_files(&c);
    ob_error lists = {0};
    check_records(&c, &lists);
    check_lists(&c, &lists);
    if (config_file)
        check_config(&c, config_file);
    if (!json)
        json_decref(c.files);
    return finish(&c);
}

int cmd_check(const cli *cli, int argc, char **argv)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    const char *config_file = NULL;
    bool json = false;
    int option;
    while ((option = cli_option("check", argc, argv, longs)) != -1)
        if (option == 'c')
            config_file = optarg;
        else if (option == 'j')
            json = true;
        else
            return option == 'h' ? cli_help_of("check") : cli_usage("check", "%s", "");
    if (optind < argc)
        return cli_usage("check", "it takes no argument: --data DIR says where");
    return cli_finish(check_all(cli->data_dir, config_file, json));
}
