/* obhut scan: which pictures are on a list. */
#include "cli.h"
#include "options.h"
#include <obhut/api.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: obhut scan [OPTION…] FILE… | DIR…\n"
    "\n"
    "Hashes pictures as `obhut hash` does and looks each up in the enabled lists, in all eight\n"
    "ways to turn and mirror it. Where a list has digests (MD5, SHA-1, SHA-256), every file is "
    "looked\n"
    "up by them too, whatever it is. Prints what was found and where nothing was.\n"
    "\n"
    "  --json        one object a file: file, format, width, height, pdq, quality, frames,\n"
    "                matches = [{list, entry, pdq, distance, threshold, quality, version,\n"
    "                orientation, frame, digest, sources, classification}]; digest alone where\n"
    "                only the bytes are listed\n"
    "  --distance N  at most N of 256 bits differ (0 to 31, default 31)\n"
    "  --exact, --variant full|reference, --threads N   as for `obhut hash`\n"
    "\n"
    "A picture of quality below 50 has too little in it to be matched by hash: it is said so\n"
    "(\"not_matched\": \"LOW_QUALITY\"). The version of a match is stored, shown (as EXIF turns "
    "it)\n"
    "or turned; the orientation says how the stored picture must be turned or mirrored to become\n"
    "the listed one. Of a moving picture the first frame and seven others are looked at.\n"
    "\n"
    "Exit code 1 when something was found, else 3 when a file failed, else 0. A match is a "
    "question\n"
    "that a person must answer, not a finding about anybody.\n"
    "\n"
    "  obhut scan upload.jpg\n"
    "  obhut scan --json ~/Pictures > matches.jsonl\n";

typedef struct scanner {
    ob_lists *lists;
    unsigned distance;
    bool json, found;
    ob_error failure; /* matching itself failed: not one file's fault */
} scanner;

/* ---- Output ------------------------------------------------------------------------------- */

static void print_json(const scanner *s, const picture *picture, const ob_findings *f)
{
    json_t *object = json_object(), *array = json_array();
    json_object_set_new(object, "file", cli_json_text(picture->path));
    if (picture->job.status)
        json_object_set_new(object, "error", cli_json_text(picture->job.error.text));
    else
        ob_api_set_picture(object, &picture->job.media);
    if (f->low_quality)
        json_object_set_new(object, "not_matched", json_string("LOW_QUALITY"));
    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(array, ob_api_match(&f->match[i], s->distance));
    json_object_set_new(object, "matches", array);
    cli_print_json(object);
}

static void print_text(const picture *picture, const ob_findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const ob_match *one = &f->match[i];
        bool turned = one->by_hash && one->version != OB_VERSION_STORED;
        printf("%s: list %s, entry %s, ", picture->path, one->entry.list, one->entry.entry);
        if (one->by_digest)
            printf("the same bytes (%s)\n", ob_list_digest_name(one->digest));
        else
            printf("distance %u%s%s%s\n", one->entry.distance,
                   !turned                            ? ""
                   : one->version == OB_VERSION_SHOWN ? ", as it is shown: "
                                                      : ", turned or mirrored: ",
                   turned ? ob_dihedral_name(one->orientation) : "",
                   one->frame ? ", in a later frame" : "");
    }
    if (f->low_quality)
        printf("%s: not matched by hash: quality %d is below %d\n", picture->path,
               picture->job.media.pdq.quality, OB_PDQ_MIN_QUALITY);
    else if (!f->count && !picture->job.status)
        printf("%s: nothing found\n", picture->path);
}

static void scan(void *context, const picture *picture)
{
    scanner *s = context;
    ob_findings f = {0};
    if (s->failure.status || ob_find(&f, s->lists, &picture->job, s->distance, &s->failure))
        return;
    s->found |= f.count > 0;
    if (picture->job.status && !picture->skipped)
        cli_say("%s: %s", picture->path, picture->job.error.text);
    else
        cli_progress(NULL);
    bool other = picture->skipped && !f.count; /* no picture, and not listed */
    if (s->json && !other)
        print_json(s, picture, &f);
    else if (!other)
        print_text(picture, &f);
    ob_findings_free(&f);
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
    options.digests = lists ? ob_lists_digests(lists) : 0;
    options.other_files = options.digests;
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
