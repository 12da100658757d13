/* obhut list: import, show, switch and remove lists of known hashes. */
#include "cli.h"
#include "understood.h"

#include <obhut/commands.h>
#include <obhut/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct wishes {
    bool json;
    ob_import import;
    const char *id, *classification, *type;
    json_t *accept;    /* what is refused otherwise; NULL: nothing of it */
    char *const *more; /* operands behind the first */
    size_t more_count;
} wishes;

/* ---- Output ---------------------------------------------------------------------------------- */

static void format_time(char out[32], int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm utc;
    if (!gmtime_r(&when, &utc) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc))
        snprintf(out, 32, "%lld", (long long)seconds);
}

static json_t *kinds_of(const ob_list_info *info)
{
    json_t *kinds = json_object();
    for (int k = 0; k < OB_LIST_KINDS; k++)
        if (info->kinds[k])
            json_object_set_new(kinds, ob_list_kind_name((ob_list_kind)k),
                                json_integer((json_int_t)info->kinds[k]));
    return kinds;
}

static void print_kinds(const ob_list_info *info)
{
    const char *between = "";
    for (int k = 0; k < OB_LIST_KINDS; k++) {
        if (info->kinds[k])
            printf("%s%s %llu", between, ob_list_kind_name((ob_list_kind)k),
                   (unsigned long long)info->kinds[k]);
        between = info->kinds[k] ? ", " : between;
    }
    printf("\n");
}

static json_t *info_json(const ob_list_info *info)
{
    if (info->is_broken)
        return json_pack("{s:s, s:b, s:b}", "list", info->name, "enabled", info->enabled, "broken",
                         true);
    char imported_at[32];
    format_time(imported_at, info->imported_at);
    return json_pack("{s:s, s:b, s:I, s:o, s:I, s:I, s:s, s:o, s:s, s:I}", "list", info->name,
                     "enabled", info->enabled, "entries", (json_int_t)info->entries, "kinds",
                     kinds_of(info), "unmerged", (json_int_t)info->unmerged, "withdrawn",
                     (json_int_t)info->withdrawn, "purpose", info->purpose, "source",
                     ob_json_text(info->source), "imported_at", imported_at, "size_bytes",
                     (json_int_t)info->size_bytes);
}

static void print_all_json(const ob_list_info *infos, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, info_json(&infos[i]));
    cli_print_json(json_pack("{s:o}", "lists", array));
}

static void print_table(const ob_list_info *info, size_t count)
{
    printf("%-24s %-8s %12s  %-20s  %s\n", "LIST", "STATE", "ENTRIES", "IMPORTED", "SOURCE");
    for (size_t i = 0; i < count; i++) {
        char imported_at[32];
        if (info[i].is_broken) {
            printf("%-24s %-8s %12s  %-20s  %s\n", info[i].name, "BROKEN", "?", "?",
                   info[i].enabled ? "" : "(off)");
            continue;
        }
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

/* ---- Actions --------------------------------------------------------------------------------- */

enum { ERRORS_SHOWN = 20 };

/* What comes before the answer: bad lines, of which the first are shown, and progress. */
static void on_event(void *context, json_t *event)
{
    uint64_t *seen = context;
    const char *line = json_string_value(json_object_get(event, "line"));
    const json_t *progress = json_object_get(event, "progress");
    const json_t *understood = json_object_get(event, "understood");
    if (understood)
        understood_print(stderr, understood);
    if (line && ++*seen <= ERRORS_SHOWN)
        cli_say("%s", line);
    const char *step = json_string_value(json_object_get(progress, "step"));
    if (!step)
        return;
    char text[96];
    const bool bytes = !strcmp(step, "reading");
    const json_int_t unit = bytes ? 1000000 : 1;
    const json_int_t done = json_integer_value(json_object_get(progress, "done"));
    const json_int_t total = json_integer_value(json_object_get(progress, "total"));
    if (total)
        snprintf(text, sizeof text, "%s: %lld of %lld%s (%u %%)", step, (long long)(done / unit),
                 (long long)(total / unit), bytes ? " MB" : "",
                 (unsigned)((double)done / (double)total * 100));
    else
        snprintf(text, sizeof text, "%s: %lld%s", step, (long long)(done / unit),
                 bytes ? " MB" : "");
    cli_progress(text);
}

/* Asks the process that owns the data directory; takes the reference to `request`. NULL after an
 * error was said. */
static json_t *ask(const cli *cli, json_t *request, int file)
{
    uint64_t seen = 0;
    const ob_commands_listener listener = {.hear = on_event, .context = &seen};
    ob_error err = {0};
    json_t *result = NULL;
    if (!request)
        ob_fail(&err, OB_ENOMEM, "out of memory: a request");
    else
        ob_socket_once(&result, cli->data_dir, request, file, &listener, &err);
    json_decref(request);
    cli_progress(NULL);
    if (seen > ERRORS_SHOWN)
        cli_say("… and %llu more such lines", (unsigned long long)(seen - ERRORS_SHOWN));
    if (!result)
        cli_say("%s", err.text);
    return result;
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* import and update: a file goes along. */
static int read_list(const cli *cli, const wishes *wishes, const char *action, const char *file,
                     const char *name, const char *how)
{
    bool standard_input = !strcmp(file, "-");
    int from = standard_input ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        cli_say("list \"%s\" cannot be opened: %s", file, strerror(errno));
        return cli_finish(CLI_FAILURE);
    }
    json_t *result =
        ask(cli,
            json_pack("{s:s, s:o, s:s*, s:s*, s:s*, s:b, s:s*, s:O*}", "do", action, "file",
                      ob_json_text(file), "name", name, "purpose", wishes->import.purpose, "source",
                      wishes->import.source, "keep_going", wishes->import.keep_going, "type",
                      wishes->type, "accept", wishes->accept),
            from);
    if (!standard_input)
        close(from);
    if (!result)
        return cli_finish(CLI_FAILURE);
    if (wishes->json)
        cli_print_json(json_incref(result));
    else
        printf("list \"%s\": %lld %s%s (%lld %s: %lld duplicate, %lld withdrawn, %lld bad, "
               "%lld refused)\n",
               json_string_value(json_object_get(result, "list")), number(result, "entries"),
               number(result, "entries") == 1 ? "entry" : "entries", how, number(result, "lines"),
               number(result, "lines") == 1 ? "line" : "lines", number(result, "duplicates"),
               number(result, "withdrawn"), number(result, "bad"), number(result, "refused"));
    if (!wishes->json) {
        understood_print(stdout, json_object_get(result, "understood"));
        understood_print_overlap(stdout, result);
    }
    json_decref(result);
    return cli_finish(CLI_NOTHING);
}

static int import_list(const cli *cli, const wishes *wishes, const char *file)
{
    return read_list(cli, wishes, "list.import", file, wishes->import.name, "");
}

static int update_list(const cli *cli, const wishes *wishes, const char *name)
{
    return read_list(cli, wishes, "list.update", wishes->more[0], name, " added");
}

static int change_list(const cli *cli, const wishes *wishes, const char *name, bool add)
{
    json_t *hashes = json_array();
    for (size_t i = 0; i < wishes->more_count; i++)
        json_array_append_new(hashes, ob_json_text(wishes->more[i]));
    json_t *result =
        ask(cli,
            json_pack("{s:s, s:s, s:o, s:s*, s:s*, s:s*}", "do", add ? "list.add" : "list.withdraw",
                      "name", name, "hashes", hashes, "id", wishes->id, "source",
                      wishes->import.source, "classification", wishes->classification),
            -1);
    if (!result)
        return cli_finish(CLI_FAILURE);
    long long changed = number(result, "changed"), asked = number(result, "asked");
    printf("list \"%s\": %lld %s%s\n", name, changed, add ? "added" : "withdrawn",
           add && changed < asked ? ", the others were there" : "");
    json_decref(result);
    return cli_finish(CLI_NOTHING);
}

static int add_to_list(const cli *cli, const wishes *wishes, const char *name)
{
    return change_list(cli, wishes, name, true);
}

static int withdraw_from_list(const cli *cli, const wishes *wishes, const char *name)
{
    if (!wishes->more_count && !wishes->id)
        return cli_usage("list", "list withdraw needs hashes or --id");
    return change_list(cli, wishes, name, false);
}

static int whole_list(const cli *cli, const char *action, const char *name)
{
    json_t *result = ask(cli, json_pack("{s:s, s:s}", "do", action, "name", name), -1);
    json_decref(result);
    return cli_finish(result ? CLI_NOTHING : CLI_FAILURE);
}

static int merge_list(const cli *cli, const wishes *wishes, const char *name)
{
    (void)wishes;
    return whole_list(cli, "list.merge", name);
}

static void say_broken(void *context, const char *sentence)
{
    ++*(size_t *)context;
    cli_say("%s", sentence);
}

static int show_all(const cli *cli, const wishes *wishes, const char *unused)
{
    (void)unused;
    ob_list_info *infos = NULL;
    size_t count = 0, broken = 0;
    ob_error err = {0};
    if (ob_list_all(&infos, &count, cli->data_dir, say_broken, &broken, &err))
        return failed(&err);
    if (!wishes->json && count)
        print_table(infos, count);
    if (wishes->json)
        print_all_json(infos, count);
    else if (!count)
        cli_say("no lists in %s", cli->data_dir);
    free(infos);
    return cli_finish(broken ? CLI_FAILURE : CLI_NOTHING);
}

/* As the directory is now, with the lists that are switched on; nothing where one cannot be opened.
 */
static void add_overlap(json_t *to, const cli *cli, const char *name)
{
    ob_lists *lists = NULL;
    ob_list_shared *shared = NULL;
    size_t count = 0;
    uint64_t compared = 0;
    if (!ob_lists_open(&lists, cli->data_dir, NULL) &&
        !ob_lists_overlap(&shared, &count, &compared, lists, name, OB_LISTS_OVERLAP_MOST, NULL)) {
        json_t *object = json_object();
        for (size_t i = 0; i < count; i++)
            json_object_set_new(object, shared[i].list,
                                json_integer((json_int_t)shared[i].entries));
        json_object_set_new(to, "compared", json_integer((json_int_t)compared));
        json_object_set_new(to, "shared", object);
    }
    free(shared);
    ob_lists_close(lists);
}

static int show_one(const cli *cli, const wishes *wishes, const char *name)
{
    ob_list_info info;
    ob_error err = {0};
    if (ob_list_check(&info, cli->data_dir, name, &err))
        return failed(&err);
    char imported_at[32];
    format_time(imported_at, info.imported_at);
    json_t *all = info_json(&info);
    add_overlap(all, cli, name);
    if (wishes->json) {
        cli_print_json(all);
        return cli_finish(CLI_NOTHING);
    }
    printf("list      %s\nstate     %s\nentries   %llu\nhashes    ", info.name,
           info.enabled ? "enabled" : "off", (unsigned long long)info.entries);
    print_kinds(&info);
    printf("unmerged  %llu added, %llu withdrawn\n"
           "purpose   %s\nsource    %s\nimported  %s\n"
           "size      %llu bytes, all checksums right\n",
           (unsigned long long)info.unmerged, (unsigned long long)info.withdrawn, info.purpose,
           *info.source ? info.source : "-", imported_at, (unsigned long long)info.size_bytes);
    understood_print_overlap(stdout, all);
    json_decref(all);
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
    return whole_list(cli, "list.disable", name);
}

static int enable_list(const cli *cli, const wishes *wishes, const char *name)
{
    (void)wishes;
    return whole_list(cli, "list.enable", name);
}

static int remove_list(const cli *cli, const wishes *wishes, const char *name)
{
    (void)wishes;
    return whole_list(cli, "list.remove", name);
}

static int accept_lists(const cli *cli, const wishes *wishes, const char *unused)
{
    (void)wishes;
    (void)unused;
    json_t *result = ask(cli, json_pack("{s:s}", "do", "list.accept"), -1);
    json_decref(result);
    return cli_finish(result ? CLI_NOTHING : CLI_FAILURE);
}

enum { SOME = 4096 };

enum { JSON = 256, NAME, PURPOSE, KEEP_GOING, SOURCE, ID, CLASSIFICATION, TYPE, ACCEPT };

static const struct {
    const char *name;
    const char *operands[2]; /* what it needs */
    int most;                /* operands */
    const char *options;     /* letters: n(ame) p(urpose) k(eep going) s(ource) i(d) c(lass)
                              t(ype) a(ccept) */
    int (*run)(const cli *cli, const wishes *wishes, const char *operand);
} actions[] = {
    {"import", {"a file"}, 1, "npksta", import_list},
    {"ls", {NULL}, 0, "", show_all},
    {"info", {"a list"}, 1, "", show_one},
    {"export", {"a list"}, 1, "", export_list},
    {"add", {"a list", "hashes"}, SOME, "sic", add_to_list},
    {"withdraw", {"a list"}, SOME, "i", withdraw_from_list},
    {"update", {"a list", "a file"}, 2, "ksta", update_list},
    {"merge", {"a list"}, 1, "", merge_list},
    {"disable", {"a list"}, 1, "", disable_list},
    {"enable", {"a list"}, 1, "", enable_list},
    {"remove", {"a list"}, 1, "", remove_list},
    {"accept", {NULL}, 0, "", accept_lists},
};

static int run_action(const cli *cli, size_t action, wishes *wishes, const char *options, int count,
                      char **operands)
{
    const char *name = actions[action].name;
    for (int i = 0; i < 2 && actions[action].operands[i]; i++)
        if (count <= i)
            return cli_usage("list", "list %s needs %s", name, actions[action].operands[i]);
    if (count > actions[action].most)
        return cli_usage("list", "list %s: too much: \"%s\"", name, operands[actions[action].most]);
    size_t fine = strspn(options, actions[action].options);
    if (options[fine])
        return cli_usage("list", "list %s does not take %s", name,
                         options[fine] == 'n'   ? "--name"
                         : options[fine] == 'p' ? "--purpose"
                         : options[fine] == 'k' ? "--keep-going"
                         : options[fine] == 's' ? "--source"
                         : options[fine] == 'i' ? "--id"
                         : options[fine] == 't' ? "--type"
                         : options[fine] == 'a' ? "--accept"
                                                : "--classification");
    wishes->more = operands + 1;
    wishes->more_count = count > 1 ? (size_t)count - 1 : 0;
    return actions[action].run(cli, wishes, count ? operands[0] : NULL);
}

static int read_and_run(const cli *cli, wishes *wishes, int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, JSON},
        {"name", required_argument, NULL, NAME},
        {"purpose", required_argument, NULL, PURPOSE},
        {"keep-going", no_argument, NULL, KEEP_GOING},
        {"source", required_argument, NULL, SOURCE},
        {"id", required_argument, NULL, ID},
        {"classification", required_argument, NULL, CLASSIFICATION},
        {"type", required_argument, NULL, TYPE},
        {"accept", required_argument, NULL, ACCEPT},
        {"help", no_argument, NULL, 'h'},
        {0}};
    static const char letters[] = "npksicta";
    char given[sizeof letters] = "";
    const char *words = cli_words(argc, argv);
    int option;
    while ((option = cli_option(words, argc, argv, longs)) != -1) {
        const char letter = option > JSON ? letters[option - NAME] : '\0';
        if (letter && !strchr(given, letter))
            given[strlen(given)] = letter;
        switch (option) {
        case JSON:
            wishes->json = true;
            break;
        case NAME:
            wishes->import.name = optarg;
            break;
        case PURPOSE:
            wishes->import.purpose = optarg;
            break;
        case KEEP_GOING:
            wishes->import.keep_going = true;
            break;
        case SOURCE:
            wishes->import.source = optarg;
            break;
        case ID:
            wishes->id = optarg;
            break;
        case CLASSIFICATION:
            wishes->classification = optarg;
            break;
        case TYPE:
            wishes->type = optarg;
            break;
        case ACCEPT:
            wishes->accept = wishes->accept ? wishes->accept : json_array();
            cli_words_between_commas(wishes->accept, optarg);
            break;
        case 'h':
            return cli_help_of("list");
        default:
            return cli_usage("list", "%s", "");
        }
    }
    if (optind == argc)
        return cli_usage("list", "which action? import, ls, info, export, add, withdraw, update, "
                                 "merge, disable, enable, remove, accept");
    const char *name = argv[optind++];
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(name, actions[i].name))
            return run_action(cli, i, wishes, given, argc - optind, argv + optind);
    enum { ACTIONS = sizeof actions / sizeof *actions };
    const char *known[ACTIONS];
    for (size_t i = 0; i < ACTIONS; i++)
        known[i] = actions[i].name;
    return cli_unknown("list", name, known, ACTIONS);
}

int cmd_list(const cli *cli, int argc, char **argv)
{
    wishes wishes = {0};
    int code = read_and_run(cli, &wishes, argc, argv);
    json_decref(wishes.accept);
    return code;
}
