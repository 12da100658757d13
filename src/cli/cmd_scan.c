/* obhut scan: which pictures are on a list. */
#include "cli.h"
#include "matches.h"
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: obhut scan [OPTION…] FILE… | DIR…\n"
    "\n"
    "Hashes pictures as `obhut hash` does and looks each up in the enabled lists, in all eight "
    "ways\n"
    "to turn and mirror it. Prints what was found and where nothing was.\n"
    "\n"
    "  --json        one object a picture: file, format, width, height, pdq, quality,\n"
    "                matches = [{list, entry, pdq, distance, source, classification,\n"
    "                orientation}]\n"
    "  --distance N  at most N of 256 bits differ (0 to 31, default 31)\n"
    "  --exact, --variant full|reference, --threads N   as for `obhut hash`\n"
    "\n"
    "A picture of quality below 50 has too little in it to be matched: it is said so\n"
    "(\"not_matched\": \"LOW_QUALITY\"). The orientation of a match says how the picture must be\n"
    "turned or mirrored to become the listed one.\n"
    "\n"
    "Exit code 1 when something was found, else 3 when a file failed, else 0. A match is a "
    "question\n"
    "that a person must answer, not a finding about anybody.\n"
    "\n"
    "  obhut scan upload.jpg\n"
    "  obhut scan --json ~/Pictures > matches.jsonl\n";

typedef struct scanner {
    const ob_lists *lists;
    unsigned distance;
    bool json, found;
    ob_error failure; /* matching itself failed: not one file's fault */
} scanner;

static int by_entry(const void *a, const void *b)
{
    const ob_list_match *x = a, *y = b;
    int order = strcmp(x->list, y->list);
    if (!order)
        order = strcmp(x->entry, y->entry);
    if (!order)
        order = (x->distance > y->distance) - (x->distance < y->distance);
    return order ? order : (x->query > y->query) - (x->query < y->query);
}

static int by_distance(const void *a, const void *b)
{
    const ob_list_match *x = a, *y = b;
    int order = (x->distance > y->distance) - (x->distance < y->distance);
    return order ? order : by_entry(a, b);
}

/* An entry that several orientations reach is told of once, with the nearest. Returns how many
 * matches are left. */
static size_t keep_nearest(ob_list_match *match, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(match, count, sizeof *match, by_entry);
    for (size_t i = 0; i < count; i++)
        if (!kept || strcmp(match[kept - 1].list, match[i].list) ||
            strcmp(match[kept - 1].entry, match[i].entry))
            match[kept++] = match[i];
    if (kept)
        qsort(match, kept, sizeof *match, by_distance);
    return kept;
}

static void print_json(const picture *picture, const ob_list_match *match, size_t count, bool low)
{
    json_t *object = json_object(), *array = json_array();
    const ob_media_result *result = &picture->result;
    json_object_set_new(object, "file", cli_json_text(picture->path));
    if (picture->status) {
        json_object_set_new(object, "error", cli_json_text(picture->error.text));
        json_decref(array);
        cli_print_json(object);
        return;
    }
    json_object_set_new(object, "format", json_string(ob_format_name(result->format)));
    json_object_set_new(object, "width", json_integer(result->width));
    json_object_set_new(object, "height", json_integer(result->height));
    json_object_set_new(object, "pdq", cli_json_hash(&result->pdq.hash[OB_DIHEDRAL_ORIGINAL]));
    json_object_set_new(object, "quality", json_integer(result->pdq.quality));
    if (low)
        json_object_set_new(object, "not_matched", json_string("LOW_QUALITY"));
    for (size_t i = 0; i < count; i++) {
        json_t *one = matches_json(&match[i]);
        json_object_set_new(one, "orientation",
                            json_string(ob_dihedral_name((ob_dihedral)match[i].query)));
        json_array_append_new(array, one);
    }
    json_object_set_new(object, "matches", array);
    cli_print_json(object);
}

static void print_text(const picture *picture, const ob_list_match *match, size_t count, bool low)
{
    for (size_t i = 0; i < count; i++)
        printf("%s: list %s, entry %s, distance %u%s%s\n", picture->path, match[i].list,
               match[i].entry, match[i].distance, match[i].query ? ", turned or mirrored: " : "",
               match[i].query ? ob_dihedral_name((ob_dihedral)match[i].query) : "");
    if (low)
        printf("%s: not matched: quality %d is below %d\n", picture->path,
               picture->result.pdq.quality, OB_PDQ_MIN_QUALITY);
    else if (!count)
        printf("%s: nothing found\n", picture->path);
}

static void scan(void *context, const picture *picture)
{
    scanner *s = context;
    ob_list_match *match = NULL;
    size_t count = 0;
    bool low = !picture->status && picture->result.pdq.quality < OB_PDQ_MIN_QUALITY;
    if (s->failure.status)
        return;
    if (!picture->status && !low &&
        ob_lists_match(&match, &count, s->lists, picture->result.pdq.hash, OB_DIHEDRAL_COUNT,
                       s->distance, &s->failure))
        return;
    count = keep_nearest(match, count);
    s->found |= count > 0;
    if (picture->status)
        cli_say("%s: %s", picture->path, picture->error.text);
    else
        cli_progress(NULL);
    if (s->json)
        print_json(picture, match, count, low);
    else if (!picture->status)
        print_text(picture, match, count, low);
    free(match);
}

int cmd_scan(const cli *cli, int argc, char **argv)
{
    enum { JSON = 256, DISTANCE };
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"distance", required_argument, NULL, DISTANCE},
                                          OPTIONS_PICTURES,
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    scanner scanner = {.distance = OB_PDQ_MAX_DISTANCE};
    pictures_options options = {0};
    int option;
    while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1)
        switch (option) {
        case JSON:
            scanner.json = true;
            break;
        case DISTANCE:
            if (!options_number(&scanner.distance, "--distance", optarg, 0, OB_PDQ_MAX_DISTANCE))
                return cli_usage("scan", "%s", "");
            break;
        case 'h':
            return cli_help(help);
        default:
            if (!options_picture(&options, option, optarg))
                return cli_usage("scan", "%s", "");
        }
    if (optind == argc)
        return cli_usage("scan", "which files?");

    ob_error err = {0};
    ob_lists *lists = NULL;
    pictures_count count = {0};
    ob_status status = ob_lists_open(&lists, cli->data_dir, &err);
    if (!status && !ob_lists_count(lists))
        cli_say("no list is enabled in %s: nothing can match", cli->data_dir);
    scanner.lists = lists;
    if (!status)
        status = pictures_each(&count, argv + optind, &options, scan, &scanner, &err);
    if (!status && scanner.failure.status) {
        err = scanner.failure;
        status = err.status;
    }
    ob_lists_close(lists);
    if (status)
        cli_say("%s", err.text);
    int code = pictures_summary(&count);
    return cli_finish(status ? CLI_FAILURE : scanner.found ? CLI_FOUND : code);
}
