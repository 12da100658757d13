/* obhut list: import, show, switch and remove lists of known hashes. */
#include "cli.h"

#include <obhut/lists.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "Usage: obhut [--data DIR] list ACTION …\n"
    "\n"
    "  import FILE [--name NAME] [--source LABEL] [--purpose csam] [--keep-going]\n"
    "               read a list (plain text, CSV with a header, JSON Lines; - is standard input)\n"
    "               and put it in the place of the old one of that name\n"
    "  ls           all lists\n"
    "  info NAME    one list; reads all of it and compares its checksums\n"
    "  export NAME  as CSV on standard output\n"
    "  disable NAME keep it, but do not match against it\n"
    "  enable NAME\n"
    "  remove NAME\n"
    "\n"
    "  --json       with import, ls and info\n"
    "  --keep-going leave lines out that are bad or refused; without it the whole file counts or\n"
    "               nothing does, and the old list stays\n"
    "\n"
    "An entry near a picture with nothing in it (flat, graded, blank, patterned) is refused: it\n"
    "would match anything.\n"
    "\n"
    "  obhut list import known.csv --name hotline --source \"Hotline, 2026-11\"\n"
    "  obhut list import - --name own < hashes.txt\n"
    "  obhut list ls\n";

typedef struct wishes {
    bool json;
    ob_import import;
} wishes;

/* ---- Output ------------------------------------------------------------------------------- */

static void format_time(char out[32], int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm utc;
    if (!gmtime_r(&when, &utc) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc))
        snprintf(out, 32, "%lld", (long long)seconds);
}

static void print_info_json(const ob_list_info *info)
{
    char imported_at[32];
    format_time(imported_at, info->imported_at);
    cli_print_json(json_pack("{s:s, s:b, s:I, s:s, s:o, s:s, s:I}", "list", info->name, "enabled",
                             info->enabled, "entries", (json_int_t)info->entries, "purpose",
                             info->purpose, "source", cli_json_text(info->source), "imported_at",
                             imported_at, "size_bytes", (json_int_t)info->size_bytes));
}

static void print_table(const ob_list_info *info, size_t count)
{
    printf("%-24s %-8s %12s  %-20s  %s\n", "LIST", "STATE", "ENTRIES", "IMPORTED", "SOURCE");
    for (size_t i = 0; i < count; i++) {
        char imported_at[32];
        format_time(imported_at, info[i].imported_at);
        printf("%-24s %-8s %12llu  %-20s  %s\n", info[i].name, info[i].enabled ? "enabled" : "off",
               (unsigned long long)info[i].entries, imported_at, info[i].source);
    }
}

static int failed(const ob_error *err)
{
    cli_say("%s", err->text);
    return cli_finish(CLI_FAILURE);
}

/* ---- Actions ------------------------------------------------------------------------------ */

enum { ERRORS_SHOWN = 20 };

static void on_line_error(void *context, const char *sentence)
{
    uint64_t *seen = context;
    if (++*seen <= ERRORS_SHOWN)
        cli_say("%s", sentence);
}

static void on_progress(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)context;
    char text[96];
    if (total)
        snprintf(text, sizeof text, "%s: %llu of %llu MB", step,
                 (unsigned long long)(done / 1000000), (unsigned long long)(total / 1000000));
    else
        snprintf(text, sizeof text, "%s: %llu MB", step, (unsigned long long)(done / 1000000));
    cli_progress(text);
}

static int import_list(const cli *cli, const wishes *wishes, const char *file)
{
    uint64_t seen = 0;
    ob_import import = wishes->import;
    import.file = file;
    import.line_error = on_line_error;
    import.progress = on_progress;
    import.context = &seen;
    ob_import_result r;
    ob_error err = {0};
    ob_status status = ob_list_import(&r, cli->data_dir, &import, &err);
    if (seen > ERRORS_SHOWN)
        cli_say("… and %llu more such lines", (unsigned long long)(seen - ERRORS_SHOWN));
    if (status)
        return failed(&err);
    cli_progress(NULL);
    if (wishes->json)
        cli_print_json(json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "list", r.name, "lines", (json_int_t)r.lines,
            "entries", (json_int_t)r.entries, "duplicates", (json_int_t)r.duplicates, "withdrawn",
            (json_int_t)r.withdrawn, "bad", (json_int_t)r.bad, "refused", (json_int_t)r.refused));
    else
        printf("list \"%s\": %llu entries (%llu lines: %llu duplicate, %llu withdrawn, %llu bad, "
               "%llu refused)\n",
               r.name, (unsigned long long)r.entries, (unsigned long long)r.lines,
               (unsigned long long)r.duplicates, (unsigned long long)r.withdrawn,
               (unsigned long long)r.bad, (unsigned long long)r.refused);
    return cli_finish(CLI_NOTHING);
}

static int show_all(const cli *cli, const wishes *wishes, const char *unused)
{
    (void)unused;
    ob_list_info *infos = NULL;
    size_t count = 0;
    ob_error err = {0};
    if (ob_list_all(&infos, &count, cli->data_dir, &err))
        return failed(&err);
    if (!wishes->json && count)
        print_table(infos, count);
    for (size_t i = 0; i < count && wishes->json; i++)
        print_info_json(&infos[i]);
    if (!count)
        cli_say("no lists in %s", cli->data_dir);
    free(infos);
    return cli_finish(CLI_NOTHING);
}

static int show_one(const cli *cli, const wishes *wishes, const char *name)
{
    ob_list_info info;
    ob_error err = {0};
    if (ob_list_check(&info, cli->data_dir, name, &err))
        return failed(&err);
    char imported_at[32];
    format_time(imported_at, info.imported_at);
    if (wishes->json)
        print_info_json(&info);
    else
        printf("list      %s\nstate     %s\nentries   %llu\npurpose   %s\nsource    %s\n"
               "imported  %s\nsize      %llu bytes, all checksums right\n",
               info.name, info.enabled ? "enabled" : "off", (unsigned long long)info.entries,
               info.purpose, *info.source ? info.source : "-", imported_at,
               (unsigned long long)info.size_bytes);
    return cli_finish(CLI_NOTHING);
}

static int export_list(const cli *cli, const wishes *wishes, const char *name)
{
    (void)wishes;
    ob_error err = {0};
    return ob_list_export(cli->data_dir, name, stdout, &err) ? failed(&err)
                                                             : cli_finish(CLI_NOTHING);
}

static int disable_list(const cli *cli, const wishes *wishes, const char *name)
{
    (void)wishes;
    ob_error err = {0};
    return ob_list_set_enabled(cli->data_dir, name, false, &err) ? failed(&err)
                                                                 : cli_finish(CLI_NOTHING);
}

static int enable_list(const cli *cli, const wishes *wishes, const char *name)
{
    (void)wishes;
    ob_error err = {0};
    return ob_list_set_enabled(cli->data_dir, name, true, &err) ? failed(&err)
                                                                : cli_finish(CLI_NOTHING);
}

static int remove_list(const cli *cli, const wishes *wishes, const char *name)
{
    (void)wishes;
    ob_error err = {0};
    return ob_list_remove(cli->data_dir, name, &err) ? failed(&err) : cli_finish(CLI_NOTHING);
}

static const struct {
    const char *name;
    const char *operand; /* what it needs, or NULL */
    int (*run)(const cli *cli, const wishes *wishes, const char *operand);
} actions[] = {
    {"import", "a file", import_list},   {"ls", NULL, show_all},
    {"info", "a list", show_one},        {"export", "a list", export_list},
    {"disable", "a list", disable_list}, {"enable", "a list", enable_list},
    {"remove", "a list", remove_list},
};

int cmd_list(const cli *cli, int argc, char **argv)
{
    enum { JSON = 256, NAME, PURPOSE, SOURCE, KEEP_GOING };
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"name", required_argument, NULL, NAME},
                                          {"purpose", required_argument, NULL, PURPOSE},
                                          {"source", required_argument, NULL, SOURCE},
                                          {"keep-going", no_argument, NULL, KEEP_GOING},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    wishes wishes = {0};
    bool import_option = false;
    int option;
    while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        import_option |= option >= NAME && option <= KEEP_GOING;
        switch (option) {
        case JSON:
            wishes.json = true;
            break;
        case NAME:
            wishes.import.name = optarg;
            break;
        case PURPOSE:
            wishes.import.purpose = optarg;
            break;
        case SOURCE:
            wishes.import.source = optarg;
            break;
        case KEEP_GOING:
            wishes.import.keep_going = true;
            break;
        case 'h':
            return cli_help(help);
        default:
            return cli_usage("list", "%s", "");
        }
    }
    if (optind == argc)
        return cli_usage("list", "which action? import, ls, info, export, disable, enable, remove");
    const char *name = argv[optind++];
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(name, actions[i].name))
            continue;
        int operands = actions[i].operand ? 1 : 0;
        if (argc - optind < operands)
            return cli_usage("list", "list %s needs %s", name, actions[i].operand);
        if (argc - optind > operands)
            return cli_usage("list", "list %s: too much: \"%s\"", name, argv[optind + operands]);
        if (import_option && i)
            return cli_usage("list", "--name, --purpose, --source and --keep-going are for import");
        return actions[i].run(cli, &wishes, operands ? argv[optind] : NULL);
    }
    return cli_usage("list", "no action \"%s\"", name);
}
