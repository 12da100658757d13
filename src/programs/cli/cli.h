/* What the commands of `obhut` share. A command is one file, cmd_NAME.c, with one function. */
#ifndef OBHUT_CLI_H
#define OBHUT_CLI_H

#include <obhut/base.h>
#include <obhut/http.h>

#include <jansson.h>

/* Exit codes of every command. */
enum { CLI_NOTHING = 0, CLI_FOUND = 1, CLI_USAGE = 2, CLI_FAILURE = 3 };

typedef struct cli {
    const char *data_dir; /* --data, $OBHUT_DATA, or the default for this user */
} cli;

/* argv[0] is the command's own name; options are read with cli_option. */
int cmd_audit(const cli *cli, int argc, char **argv);
int cmd_backup(const cli *cli, int argc, char **argv);
int cmd_restore(const cli *cli, int argc, char **argv);
int cmd_check(const cli *cli, int argc, char **argv);
int cmd_gate(const cli *cli, int argc, char **argv);
int cmd_gateway(const cli *cli, int argc, char **argv);
int cmd_hash(const cli *cli, int argc, char **argv);
int cmd_list(const cli *cli, int argc, char **argv);
int cmd_match(const cli *cli, int argc, char **argv);
/* Several commands, whose first word is argv[0]. */
int cmd_records(const cli *cli, int argc, char **argv);
bool cmd_records_has(const char *group);
const char *cmd_records_group(size_t number); /* first words of all commands; NULL: no more */
int cmd_scan(const cli *cli, int argc, char **argv);
int cmd_status(const cli *cli, int argc, char **argv);
int cmd_token(const cli *cli, int argc, char **argv);

/* "obhut: SENTENCE" on standard error. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Somebody else's name, with ? for what would begin a line or move a terminal's cursor. */
void cli_put_name(FILE *to, const char *name);

/* The same and where help is to be had; returns CLI_USAGE. An empty sentence says nothing of its
 * own: the mistake was reported already. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The next option, as getopt_long has it; -1: there is none. '?' after a sentence that names an
 * option that is unknown, lacks its value or has one too many; `words` are those of the command. */
struct option;
int cli_option(const char *words, int argc, char **argv, const struct option *longs);

/* The command and its action ("list ls"), for cli_option. Static memory. */
const char *cli_words(int argc, char **argv);

/* "no COMMAND WORD" and, where one of the known words is near, which was probably meant. */
int cli_unknown(const char *command, const char *word, const char *const *known, size_t count);

/* Prints help on the commands of a first word, on all, or all that can be asked as JSON, and
 * returns the exit code. */
int cli_help_of(const char *group);
int cli_help_all(void);
int cli_help_json(void);

/* One line "TEXT" on standard error that the next one replaces; nothing when that is no terminal.
 * NULL or "" wipes it. */
void cli_progress(const char *text);

/* Flushes standard output and returns `code`, or CLI_FAILURE with a sentence when something could
 * not be written (a full disk, a closed pipe). Every command ends through it. */
int cli_finish(int code);

/* Asks the service that owns the data directory, or does it here: takes the reference to `request`.
 * NULL after an error was said. */
json_t *cli_ask(const cli *cli, json_t *request);

/* Appends the words of "a,b" to an array. */
void cli_words_between_commas(json_t *array, const char *value);

/* The texts of an array in a row, with commas. Static memory. */
const char *cli_join(const json_t *array);

/* A JSON string of a hash. */
json_t *cli_json_hash(const ob_hash256 *hash);

/* Prints one JSON object on one line and drops the reference. NULL (out of memory while it was
 * made) is said on standard error. */
void cli_print_json(json_t *object);

#endif
