/* The parts of `obhut check`: check_files.c opens and reads files; cmd_check.c asks those who know
 * what is in them, and prints. */
#ifndef OBHUT_CLI_CHECK_H
#define OBHUT_CLI_CHECK_H

#include "cli.h"

/* What was found: a line each, or a JSON object each. */
typedef struct checking {
    const char *dir;
    bool json;
    json_t *files;
    unsigned right, wrong, unread;
} checking;

/* OB_OK: right; else the sentence of `err` says what is wrong, and where. */
void check_report(checking *c, const char *name, ob_status status, const ob_error *err);

/* DIR/NAME. */
ob_status check_path(char *out, size_t size, const checking *c, const char *name, ob_error *err);

/* Modes of directories, and all files that one look at them is enough for. */
void check_files(checking *c);

/* What the operator wrote: a link is followed, and nothing is said of who may read it. */
ob_status check_operators_file(const char *path, ob_error *err);

#endif
