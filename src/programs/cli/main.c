/* obhut: finds the command and the data directory, nothing else. */
#include "cli.h"

#include <obhut/crypto.h>

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(const cli *cli, int argc, char **argv);
} commands[] = {
    {"audit", cmd_audit},     {"backup", cmd_backup}, {"check", cmd_check},   {"gate", cmd_gate},
    {"gateway", cmd_gateway}, {"hash", cmd_hash},     {"list", cmd_list},     {"match", cmd_match},
    {"restore", cmd_restore}, {"scan", cmd_scan},     {"status", cmd_status}, {"token", cmd_token},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* What no command is called; returns the exit code. */
static int unknown_command(const char *word)
{
    enum { MOST = 48 };
    const char *known[MOST];
    size_t count = 0;
    while (count < MOST && (known[count] = cmd_records_group(count)) != NULL)
        count++;
    return cli_unknown("", word, known, count);
}

/* -1: there is no such command. */
static int run_command(const cli *cli, int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[0], commands[i].name))
            return commands[i].run(cli, argc, argv);
    return cmd_records_has(argv[0]) ? cmd_records(cli, argc, argv) : -1;
}

/* "obhut help COMMAND" is "obhut COMMAND --help". */
static int help_with(const cli *cli, char *word)
{
    if (word && !strcmp(word, "--json"))
        return cli_help_json();
    char wish[] = "--help", *argv[] = {word, wish, NULL};
    int code = word ? run_command(cli, 2, argv) : cli_help_all();
    return code < 0 ? unknown_command(word) : code;
}

static int say_version(void)
{
    puts("obhut " OB_VERSION);
    return cli_finish(CLI_NOTHING);
}

/* Where a service of the whole machine keeps everything. */
static const char of_the_machine[] = "/var/lib/obhut";

/* A user who forgets this would import lists into a directory that the service never sees. */
static void say_whose(const char *data_dir, const char *command)
{
    static const char *const without[] = {"hash", "gate", "restore", "help", "version"};
    struct stat there;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (!strcmp(command, without[i]))
            return;
    if (geteuid() && !lstat(of_the_machine, &there) && there.st_uid != geteuid())
        cli_say("this is about %s; of the service in %s, ask as root or as its user", data_dir,
                of_the_machine);
}

/* Sets *out (owned by the caller) unless there is no home directory to take a default from. */
static const char *default_data_dir(char **out)
{
    const char *given = getenv("OBHUT_DATA");
    if (given && *given)
        return given;
    if (geteuid() == 0)
        return of_the_machine;
    const char *home = getenv("HOME");
    if (!home || !*home || asprintf(out, "%s/.local/share/obhut", home) < 0)
        return NULL;
    return *out;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGXFSZ, SIG_IGN); /* a file may grow no more: an error is told, and the process lives */
    ob_error err = {0};
    if (ob_crypto_start(&err)) {
        cli_say("%s", err.text);
        return CLI_FAILURE;
    }
    cli cli = {0};
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h"))
            return cli_help_all();
        if (!strcmp(argv[at], "--version"))
            return say_version();
        if (!strcmp(argv[at], "--data") && at + 1 < argc)
            cli.data_dir = argv[++at];
        else if (!strncmp(argv[at], "--data=", 7))
            cli.data_dir = argv[at] + 7;
        else if (!strcmp(argv[at], "--data"))
            return cli_usage("", "--data needs a directory");
        else
            return cli_usage("", "no option %s", argv[at]);
    }
    if (at == argc)
        return cli_usage("", "which command? obhut --help lists them");
    if (!strcmp(argv[at], "help"))
        return help_with(&cli, argv[at + 1]);
    if (!strcmp(argv[at], "version"))
        return say_version();
    if (cli.data_dir && !*cli.data_dir)
        return cli_usage("", "--data needs a directory");

    char *made = NULL;
    if (!cli.data_dir)
        cli.data_dir = default_data_dir(&made);
    if (made)
        say_whose(made, argv[at]);
    int code = -1;
    if (!cli.data_dir) {
        cli_say("no data directory: $HOME is not set; say --data DIR");
        code = CLI_USAGE;
    }
    if (code < 0)
        code = run_command(&cli, argc - at, argv + at);
    if (code < 0)
        code = unknown_command(argv[at]);
    free(made);
    return code;
}
