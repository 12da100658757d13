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

static const char help[] =
    "Usage: obhut [--data DIR] COMMAND [OPTION…] …\n"
    "\n"
    "  hash    hashes and digests of pictures\n"
    "  scan    what the service would say of files\n"
    "  match   which hashes are on a list\n"
    "  list    import, show, switch and remove lists of known hashes\n"
    "  gate    what may be looked at, and why\n"
    "  token   who may ask the service, and for what\n"
    "  person, policy, proposal, report, verdict, cause, order, consent, safeguard, detector, "
    "clock\n"
    "          the records that the gate reads: obhut cause --help\n"
    "  record, hold\n"
    "          how long records stay: obhut hold --help\n"
    "  gateway software that asks in its own protocol\n"
    "  audit   verify, show, search and prove what was done\n"
    "  status  lists and their age, what a hit does, what is open, the last backup\n"
    "  check   read all that lies in the data directory, and say what is right\n"
    "  backup  everything in one file, encrypted to a key of yours, while the service runs\n"
    "  restore a data directory from such a file\n"
    "\n"
    "  --data DIR   where lists are kept; else $OBHUT_DATA, else /var/lib/obhut for root and\n"
    "               ~/.local/share/obhut for everybody else\n"
    "  --version\n"
    "  --help       also after a command; obhut help COMMAND does the same\n"
    "\n"
    "Exit codes: 0 nothing found, 1 something found, 2 wrong usage, 3 something failed.\n"
    "\n"
    "hash and match look at your own files on your own machine. What a service hands over, and "
    "what\n"
    "scan is told that it does, is looked at only where a cause, a legal basis or a person's own "
    "wish\n"
    "allows it.\n"
    "\n"
    "  obhut list import known.csv --source \"Hotline\"\n"
    "  obhut scan --surface public ~/uploads\n";

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
    enum { MOST = COMMANDS + 24 };
    const char *known[MOST];
    size_t count = 0;
    for (; count < COMMANDS; count++)
        known[count] = commands[count].name;
    for (size_t i = 0; count < MOST && (known[count] = cmd_records_group(i)) != NULL; i++)
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
    char wish[] = "--help", *argv[] = {word, wish, NULL};
    int code = word ? run_command(cli, 2, argv) : cli_help(help);
    return code < 0 ? unknown_command(word) : code;
}

static int say_version(void)
{
    puts("obhut " OB_VERSION);
    return cli_finish(CLI_NOTHING);
}

/* Where a service of the whole machine keeps everything. */
static const char of_the_machine[] = "/var/lib/obhut";

/* Whoever forgets whose service it is would import lists that it never sees. */
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
            return cli_help(help);
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
