/* obhut backup, obhut restore: everything in one file that only the owner of a secret key can read,
 * and a directory from it. */
#include "backup_files.h"
#include "cli.h"

#include <obhut/backup.h>
#include <obhut/commands.h>
#include <obhut/crypto.h>
#include <obhut/socket.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the command line says. */
typedef struct wish {
    const char *file; /* what stands without an option's name */
    const char *out, *to, *key, *secret, *into, *records;
    bool without_lists, json;
} wish;

static int failed(const ob_error *err)
{
    cli_say("%s", err->text);
    return CLI_FAILURE;
}

/* ---- Progress, and results ------------------------------------------------------------------- */

static void show_progress(const char *step, int64_t done, int64_t total)
{
    enum { MEGA = 1000000 };
    char text[96];
    if (total)
        snprintf(text, sizeof text, "%s: %lld of %lld MB (%u %%)", step, (long long)(done / MEGA),
                 (long long)(total / MEGA), (unsigned)((double)done / (double)total * 100));
    else
        snprintf(text, sizeof text, "%s: %lld MB", step, (long long)(done / MEGA));
    cli_progress(text);
}

static void on_progress(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)context;
    show_progress(step, (int64_t)done, (int64_t)total);
}

static void on_event(void *context, json_t *event)
{
    const json_t *progress = json_object_get(event, "progress");
    const char *step = json_string_value(json_object_get(progress, "step"));
    (void)context;
    if (step)
        show_progress(step, json_integer_value(json_object_get(progress, "done")),
                      json_integer_value(json_object_get(progress, "total")));
}

static json_t *about_json(const ob_backup_about *about)
{
    char at[32] = "";
    time_t when = (time_t)about->made_at;
    struct tm utc;
    if (gmtime_r(&when, &utc))
        strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I}", "made_at", at, "program", about->program,
                     "lists", (int)about->has_lists, "audit_entries",
                     (json_int_t)about->audit_entries, "files", (json_int_t)about->files, "bytes",
                     (json_int_t)about->bytes);
}

/* "made 2026-11-25T14:00:00Z by Obhut 0.1.0: 12 files, 34567 bytes, 17 entries of the log". */
static void print_about(FILE *to, const json_t *about)
{
    fprintf(to, "made %s by Obhut %s: %lld files, %lld bytes, %lld entries of the log%s\n",
            json_string_value(json_object_get(about, "made_at")),
            json_string_value(json_object_get(about, "program")),
            (long long)json_integer_value(json_object_get(about, "files")),
            (long long)json_integer_value(json_object_get(about, "bytes")),
            (long long)json_integer_value(json_object_get(about, "audit_entries")),
            json_is_true(json_object_get(about, "lists")) ? "" : "; lists were left out");
}

/* ---- Key ------------------------------------------------------------------------------------- */

static int make_key(const cli *cli, const wish *w)
{
    ob_seal_public public;
    ob_seal_secret secret;
    char text[OB_SEAL_KEY_TEXT + 1];
    ob_error err = {0};
    (void)cli;
    ob_seal_pair(&public, &secret);
    ob_status status = backup_write_secret(w->out, &public, &secret, &err);
    ob_wipe(&secret, sizeof secret);
    if (status)
        return failed(&err);
    ob_seal_public_print(text, &public);
    puts(text);
    return CLI_NOTHING;
}

/* ---- Make ------------------------------------------------------------------------------------ */

static ob_status ask(json_t **out, const cli *cli, const wish *w, const ob_seal_public *key,
                     int file, ob_error *err)
{
    const ob_commands_listener listener = {.hear = on_event};
    char text[OB_SEAL_KEY_TEXT + 1];
    ob_seal_public_print(text, key);
    json_t *request = json_pack("{s:s, s:s, s:b}", "do", "backup.make", "key", text,
                                "without_lists", (int)w->without_lists);
    ob_status status = request ? ob_socket_once(out, cli->data_dir, request, file, &listener, err)
                               : ob_fail(err, OB_ENOMEM, "out of memory: a request");
    json_decref(request);
    cli_progress(NULL);
    return status;
}

static void log_made(const wish *w, json_t *about)
{
    bool is_file = strcmp(w->to, "-") != 0;
    if (w->json && is_file) {
        json_object_set_new(about, "file", ob_json_text(w->to));
        cli_print_json(json_incref(about));
        return;
    }
    if (is_file)
        printf("%s: ", w->to);
    print_about(is_file ? stdout : stderr, about);
}

static int make(const cli *cli, const wish *w)
{
    ob_seal_public key;
    backup_output to = {.file = -1};
    json_t *about = NULL;
    ob_error err = {0};
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error like another */
    ob_status status = backup_read_public(&key, w->key, &err);
    if (!status && access(cli->data_dir, F_OK))
        status = ob_fail(&err, OB_ENOTFOUND, "there is no data directory %s", cli->data_dir);
    if (!status)
        status = backup_output_open(&to, w->to, &err);
    if (!status)
        status = ask(&about, cli, w, &key, to.file, &err);
    if (!status)
        status = backup_output_commit(&to, &err);
    backup_output_drop(&to);
    if (!status)
        log_made(w, about);
    json_decref(about);
    return status ? failed(&err) : CLI_NOTHING;
}

/* ---- Show ------------------------------------------------------------------------------------ */

static void see_file(void *context, const char *name, uint64_t size)
{
    json_array_append_new(context,
                          json_pack("{s:s, s:I}", "name", name, "bytes", (json_int_t)size));
}

static int show(const cli *cli, const wish *w)
{
    ob_seal_secret secret;
    ob_backup_about about;
    int file = -1;
    ob_error err = {0};
    json_t *files = json_array();
    (void)cli;
    ob_status status = backup_read_secret(&secret, w->secret, &err);
    if (!status)
        status = backup_open(&file, w->file, &err);
    if (!status) {
        status = ob_backup_show(&about, file, &secret, see_file, files, &err);
        if (status)
            ob_fail_in(&err, status, "%s", w->file);
    }
    ob_wipe(&secret, sizeof secret);
    if (file >= 0)
        close(file);
    json_t *object = status ? NULL : about_json(&about);
    if (object && w->json) {
        json_object_set(object, "files", files);
        cli_print_json(json_incref(object));
    } else if (object) {
        for (size_t i = 0; i < json_array_size(files); i++)
            printf(
                "%14lld  %s\n",
                (long long)json_integer_value(json_object_get(json_array_get(files, i), "bytes")),
                json_string_value(json_object_get(json_array_get(files, i), "name")));
        print_about(stdout, object);
    }
    json_decref(object);
    json_decref(files);
    return status ? failed(&err) : CLI_NOTHING;
}

/* ---- Restore --------------------------------------------------------------------------------- */

static ob_status open_log(ob_audit **out, const char *dir, ob_error *err)
{
    return ob_engine_audit(out, NULL, dir, NULL, NULL, err);
}

static int restore(const cli *cli, const wish *w)
{
    ob_seal_secret secret;
    ob_backup_about about;
    int file = -1;
    ob_error err = {0};
    const ob_backup_target target = {.dir = w->into ? w->into : cli->data_dir,
                                     .records = w->records,
                                     .open_log = open_log,
                                     .progress = on_progress};
    ob_status status = backup_read_secret(&secret, w->secret, &err);
    if (!status)
        status = backup_open(&file, w->file, &err);
    if (!status)
        status = ob_backup_restore(&about, file, &secret, &target, &err);
    ob_wipe(&secret, sizeof secret);
    if (file >= 0)
        close(file);
    cli_progress(NULL);
    json_t *object = status ? NULL : about_json(&about);
    if (object && w->json) {
        json_object_set_new(object, "into", ob_json_text(target.dir));
        cli_print_json(json_incref(object));
    } else if (object) {
        printf("restored into %s: ", target.dir);
        print_about(stdout, object);
        printf("What was withdrawn or erased since is there again: docs/OPERATION.md says what to "
               "do.\n");
    }
    json_decref(object);
    return status ? failed(&err) : CLI_NOTHING;
}

/* ---- The command line ------------------------------------------------------------------------ */

enum { OUT = 256, TO, KEY, SECRET, INTO, RECORDS, WITHOUT_LISTS, JSON };

static const struct option longs[] = {{"out", required_argument, NULL, OUT},
                                      {"to", required_argument, NULL, TO},
                                      {"key", required_argument, NULL, KEY},
                                      {"secret", required_argument, NULL, SECRET},
                                      {"into", required_argument, NULL, INTO},
                                      {"records", required_argument, NULL, RECORDS},
                                      {"without-lists", no_argument, NULL, WITHOUT_LISTS},
                                      {"json", no_argument, NULL, JSON},
                                      {"help", no_argument, NULL, 'h'},
                                      {0}};

/* What an action takes: bit k for the option OUT + k. */
#define TAKES(option) (1u << ((option)-OUT))

static const struct action {
    const char *name;
    bool file;
    unsigned needs, may;
    int (*run)(const cli *cli, const wish *w);
} actions[] = {
    {"key", false, TAKES(OUT), 0, make_key},
    {"make", false, TAKES(TO) | TAKES(KEY), TAKES(WITHOUT_LISTS) | TAKES(JSON), make},
    {"show", true, TAKES(SECRET), TAKES(JSON), show},
    {"restore", true, TAKES(SECRET), TAKES(INTO) | TAKES(RECORDS) | TAKES(JSON), restore},
};
enum { RESTORE = 3 };

static void take(wish *w, int option)
{
    const char **const texts[] = {&w->out, &w->to, &w->key, &w->secret, &w->into, &w->records};
    if (option == WITHOUT_LISTS)
        w->without_lists = true;
    else if (option == JSON)
        w->json = true;
    else
        *texts[option - OUT] = optarg;
}

static const char *option_name(unsigned options)
{
    return longs[__builtin_ctz(options)].name;
}

static int run(const cli *cli, const char *command, const struct action *a, int argc, char **argv)
{
    wish w = {0};
    unsigned given = 0;
    char words[40];
    int option;
    snprintf(words, sizeof words, strcmp(a->name, command) ? "%s %s" : "%s", command, a->name);
    while ((option = cli_option(words, argc, argv, longs)) != -1) {
        if (option == 'h')
            return cli_help_of(command);
        if (option == '?')
            return cli_usage(command, "%s", "");
        given |= TAKES(option);
        take(&w, option);
    }
    if (given & ~(a->needs | a->may))
        return cli_usage(command, "%s does not take --%s", a->name,
                         option_name(given & ~(a->needs | a->may)));
    if (a->needs & ~given)
        return cli_usage(command, "%s needs --%s", a->name, option_name(a->needs & ~given));
    if (argc - optind != a->file)
        return a->file ? cli_usage(command, "%s needs one backup: a file, or -", a->name)
                       : cli_usage(command, "%s: too much: \"%s\"", a->name, argv[optind]);
    w.file = a->file ? argv[optind] : NULL;
    return cli_finish(a->run(cli, &w));
}

int cmd_backup(const cli *cli, int argc, char **argv)
{
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return cli_help_of("backup");
    for (size_t i = 0; argc > 1 && i < RESTORE; i++)
        if (!strcmp(argv[1], actions[i].name))
            return run(cli, "backup", &actions[i], argc - 1, argv + 1);
    static const char *const known[] = {"key", "make", "show"};
    return argc > 1 ? cli_unknown("backup", argv[1], known, 3)
                    : cli_usage("backup", "which action? key, make, show; and obhut restore");
}

int cmd_restore(const cli *cli, int argc, char **argv)
{
    return run(cli, "restore", &actions[RESTORE], argc, argv);
}
