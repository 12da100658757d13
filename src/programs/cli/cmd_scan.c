/* obhut scan: what the service would say of files. */
#include "cli.h"
#include "options.h"

#include <obhut/commands.h>
#include <obhut/socket.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is asked of each file, and what became of all. */
typedef struct scanner {
    ob_socket_session *session;
    json_t *request;
    bool json, found;
} scanner;

/* ---- Asking ---------------------------------------------------------------------------------- */

static const char *text_at(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

static ob_status ask_service(void *context, picture *picture, int file, ob_error *err)
{
    const scanner *s = context;
    ob_status status = ob_socket_ask(&picture->answer, s->session, s->request, file, NULL, err);
    if (!status && !strcmp(text_at(picture->answer, "action"), "undecodable"))
        picture->job.status =
            ob_fail(&picture->job.error, OB_EFORMAT, "%s", text_at(picture->answer, "detail"));
    if (!status && !strcmp(text_at(picture->answer, "action"), "could_not"))
        picture->job.status =
            ob_fail(&picture->job.error, OB_EBUSY, "nobody could look: %s: %s",
                    text_at(picture->answer, "reason"), text_at(picture->answer, "detail"));
    return status;
}

/* ---- Output ---------------------------------------------------------------------------------- */

static void print_json(const picture *picture)
{
    json_t *object = json_object();
    json_object_set_new(object, "file", ob_json_text(picture->path));
    if (picture->job.status)
        json_object_set_new(object, "error", ob_json_text(picture->job.error.text));
    if (picture->answer)
        json_object_update(object, picture->answer);
    cli_print_json(object);
}

static void print_match(const char *path, const json_t *match)
{
    const char *version = text_at(match, "version");
    cli_put_name(stdout, path);
    printf(": list %s, entry %s, ", text_at(match, "list"), text_at(match, "entry"));
    if (*text_at(match, "digest")) {
        printf("the same bytes (%s)\n", text_at(match, "digest"));
        return;
    }
    printf("distance %lld", (long long)json_integer_value(json_object_get(match, "distance")));
    if (!strcmp(version, "shown"))
        printf(", as it is shown: %s", text_at(match, "orientation"));
    else if (!strcmp(version, "turned"))
        printf(", turned or mirrored: %s", text_at(match, "orientation"));
    puts(json_integer_value(json_object_get(match, "frame")) ? ", in a later frame" : "");
}

static void print_text(const picture *picture)
{
    const json_t *a = picture->answer, *matches = json_object_get(a, "matches");
    const bool unseen = !strcmp(text_at(a, "action"), "not_scanned");
    const bool low = *text_at(a, "not_matched");
    for (size_t i = 0; i < json_array_size(matches); i++)
        print_match(picture->path, json_array_get(matches, i));
    if (!unseen && !low && (!a || json_array_size(matches) || picture->job.status))
        return;
    cli_put_name(stdout, picture->path);
    if (unseen)
        printf(": nobody looked: %s%s%s\n", text_at(a, "reason"), *text_at(a, "names") ? ", " : "",
               text_at(a, "names"));
    else if (low)
        printf(": not matched by hash: quality %lld is below %d\n",
               (long long)json_integer_value(json_object_get(a, "quality")), OB_PDQ_MIN_QUALITY);
    else
        puts(": nothing found");
}

static void show(void *context, const picture *picture)
{
    scanner *s = context;
    bool found = json_array_size(json_object_get(picture->answer, "matches")) > 0;
    s->found |= found;
    if (picture->job.status && !picture->skipped)
        cli_say("%s: %s", picture->path, picture->job.error.text);
    else
        cli_progress(NULL);
    if (picture->skipped && !found) /* no picture, and not listed */
        return;
    if (s->json)
        print_json(picture);
    else
        print_text(picture);
}

/* ---- The command ----------------------------------------------------------------------------- */

enum { JSON = 256, DISTANCE, ITEM };

/* Options that say what the item is go on as they are. */
static const char *const item_options[] = {"surface",      "account", "encryption", "locus",
                                           "conversation", "report",  "notice"};

/* -1: go on; else an exit code. */
static int read_line(scanner *s, pictures_options *pictures, int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"distance", required_argument, NULL, DISTANCE},
                                          {"surface", required_argument, NULL, ITEM},
                                          {"account", required_argument, NULL, ITEM + 1},
                                          {"encryption", required_argument, NULL, ITEM + 2},
                                          {"locus", required_argument, NULL, ITEM + 3},
                                          {"conversation", required_argument, NULL, ITEM + 4},
                                          {"report", required_argument, NULL, ITEM + 5},
                                          {"notice", required_argument, NULL, ITEM + 6},
                                          OPTIONS_PICTURES,
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    json_t *item = json_object_get(s->request, "item");
    unsigned distance;
    int option;
    while ((option = cli_option("scan", argc, argv, longs)) != -1)
        switch (option) {
        case JSON:
            s->json = true;
            break;
        case DISTANCE:
            if (!options_number(&distance, "--distance", optarg, 0, OB_PDQ_MAX_DISTANCE))
                return cli_usage("scan", "%s", "");
            json_object_set_new(s->request, "distance", json_integer((json_int_t)distance));
            break;
        case 'h':
            return cli_help_of("scan");
        default:
            if (option >= ITEM && option < ITEM + 7)
                json_object_set_new(item, item_options[option - ITEM], ob_json_text(optarg));
            else if (!options_picture(pictures, option, optarg))
                return cli_usage("scan", "%s", "");
        }
    if (!json_object_get(item, "surface"))
        return cli_usage("scan", "--surface is needed: where does the service have these files? "
                                 "(your own files: obhut hash, obhut match)");
    if (optind == argc)
        return cli_usage("scan", "which files?");
    json_object_set_new(s->request, "exact", json_boolean(pictures->media.exact));
    json_object_set_new(s->request, "reference",
                        json_boolean(pictures->media.variant == OB_PDQ_REFERENCE));
    return -1;
}

/* What would be wrong with every file is said once. */
static ob_status check_lists(const cli *cli, ob_error *err)
{
    ob_lists *lists = NULL;
    ob_status status = ob_lists_open(&lists, cli->data_dir, err);
    if (!status && !ob_lists_count(lists))
        cli_say("no list is enabled in %s: nothing can match", cli->data_dir);
    ob_lists_close(lists);
    return status;
}

int cmd_scan(const cli *cli, int argc, char **argv)
{
    scanner scanner = {.request = json_pack("{s:s, s:{}}", "do", "scan", "item")};
    pictures_options options = {
        .ask = ask_service, .context = &scanner, .digests = OB_DIGEST_ALL, .other_files = true};
    ob_error err = {0};
    pictures_count count = {0};
    int code = read_line(&scanner, &options, argc, argv);
    if (code < 0) {
        ob_status status = check_lists(cli, &err);
        if (!status)
            status = ob_socket_begin(&scanner.session, cli->data_dir, &err);
        if (!status)
            status = pictures_each(&count, argv + optind, &options, show, &scanner, &err);
        ob_socket_end(scanner.session);
        if (status)
            cli_say("%s", err.text);
        code = pictures_summary(&count);
        code = status ? CLI_FAILURE : scanner.found ? CLI_FOUND : code;
    }
    json_decref(scanner.request);
    return cli_finish(code);
}
