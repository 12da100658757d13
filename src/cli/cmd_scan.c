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
    "Hashes pictures as `obhut hash` does and looks each up in the enabled lists, in all eight\n"
    "ways to turn and mirror it. Where a list has digests (MD5, SHA-1, SHA-256), every file is "
    "looked\n"
    "up by them too, whatever it is. Prints what was found and where nothing was.\n"
    "\n"
    "  --json        one object a file: file, format, width, height, pdq, quality,\n"
    "                matches = [{list, entry, pdq, distance, orientation, digest, source,\n"
    "                classification}]; digest alone where only the bytes are listed\n"
    "  --distance N  at most N of 256 bits differ (0 to 31, default 31)\n"
    "  --exact, --variant full|reference, --threads N   as for `obhut hash`\n"
    "\n"
    "A picture of quality below 50 has too little in it to be matched by hash: it is said so\n"
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
    ob_lists *lists;
    unsigned distance;
    bool json, found;
    ob_error failure; /* matching itself failed: not one file's fault */
} scanner;

/* One entry that a file matches, by hash, by digest, or both. */
typedef struct found {
    ob_list_match match;
    bool by_hash, by_digest;
    ob_list_digest kind;
} found;

/* What was found of one file. */
typedef struct findings {
    found *found;
    size_t count;
    ob_list_matches of[1 + OB_LIST_DIGESTS]; /* that the texts belong to */
} findings;

/* ---- Matching ----------------------------------------------------------------------------- */

static int by_entry(const void *a, const void *b)
{
    const found *x = a, *y = b;
    int order = strcmp(x->match.list, y->match.list);
    if (!order)
        order = strcmp(x->match.entry, y->match.entry);
    if (!order)
        order = y->by_hash - x->by_hash;
    if (!order)
        order = (x->match.distance > y->match.distance) - (x->match.distance < y->match.distance);
    return order ? order : (x->match.query > y->match.query) - (x->match.query < y->match.query);
}

static int by_distance(const void *a, const void *b)
{
    const found *x = a, *y = b;
    int order = (x->match.distance > y->match.distance) - (x->match.distance < y->match.distance);
    return order ? order : by_entry(a, b);
}

/* An entry that several orientations or digests reach is told of once, with the nearest. */
static void keep_nearest(findings *f)
{
    size_t kept = 0;
    if (f->count)
        qsort(f->found, f->count, sizeof *f->found, by_entry);
    for (size_t i = 0; i < f->count; i++) {
        found *last = kept ? &f->found[kept - 1] : NULL;
        if (!last || strcmp(last->match.list, f->found[i].match.list) ||
            strcmp(last->match.entry, f->found[i].match.entry)) {
            f->found[kept++] = f->found[i];
        } else if (f->found[i].by_digest) {
            last->by_digest = true;
            last->kind = f->found[i].kind;
        }
    }
    f->count = kept;
    if (kept)
        qsort(f->found, kept, sizeof *f->found, by_distance);
}

static void drop_findings(findings *f)
{
    free(f->found);
    for (int i = 0; i <= OB_LIST_DIGESTS; i++)
        ob_list_matches_free(&f->of[i]);
}

static ob_status look_up(findings *out, const scanner *s, const picture *picture, bool low,
                         ob_error *err)
{
    const uint8_t *const digest[OB_LIST_DIGESTS] = {picture->digests.md5, picture->digests.sha1,
                                                    picture->digests.sha256};
    findings f = {0};
    ob_status status = OB_OK;
    if (!picture->status && !low)
        status = ob_lists_match(&f.of[0], s->lists, picture->result.pdq.hash, OB_DIHEDRAL_COUNT,
                                s->distance, OB_LISTS_NO_LIMIT, err);
    for (int k = 0; k < OB_LIST_DIGESTS && !status && picture->digested; k++)
        status = ob_lists_match_digests(&f.of[1 + k], s->lists, (ob_list_digest)k, digest[k], 1,
                                        OB_LISTS_NO_LIMIT, err);
    size_t count = 0;
    for (int i = 0; i <= OB_LIST_DIGESTS; i++)
        count += f.of[i].count;
    f.found = malloc((count + 1) * sizeof *f.found);
    if (!f.found && !status)
        status = ob_fail(err, OB_ENOMEM, "out of memory: matches");
    for (int i = 0; i <= OB_LIST_DIGESTS && !status; i++)
        for (size_t k = 0; k < f.of[i].count; k++)
            f.found[f.count++] = (found){.match = f.of[i].match[k],
                                         .by_hash = !i,
                                         .by_digest = i,
                                         .kind = (ob_list_digest)(i ? i - 1 : 0)};
    if (status) {
        drop_findings(&f);
        return status;
    }
    keep_nearest(&f);
    *out = f;
    return OB_OK;
}

/* ---- Output ------------------------------------------------------------------------------- */

static json_t *found_json(const found *found)
{
    json_t *object = matches_json(&found->match, found->by_hash ? NULL : &found->kind);
    if (found->by_hash)
        json_object_set_new(object, "orientation",
                            json_string(ob_dihedral_name((ob_dihedral)found->match.query)));
    if (found->by_hash && found->by_digest)
        json_object_set_new(object, "digest", json_string(ob_list_digest_name(found->kind)));
    return object;
}

static void print_json(const picture *picture, const findings *f, bool low)
{
    json_t *object = json_object(), *array = json_array();
    const ob_media_result *result = &picture->result;
    json_object_set_new(object, "file", cli_json_text(picture->path));
    if (picture->status) {
        json_object_set_new(object, "error", cli_json_text(picture->error.text));
    } else {
        json_object_set_new(object, "format", json_string(ob_format_name(result->format)));
        json_object_set_new(object, "width", json_integer(result->width));
        json_object_set_new(object, "height", json_integer(result->height));
        json_object_set_new(object, "pdq", cli_json_hash(&result->pdq.hash[OB_DIHEDRAL_ORIGINAL]));
        json_object_set_new(object, "quality", json_integer(result->pdq.quality));
    }
    if (low)
        json_object_set_new(object, "not_matched", json_string("LOW_QUALITY"));
    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(array, found_json(&f->found[i]));
    json_object_set_new(object, "matches", array);
    cli_print_json(object);
}

static void print_text(const picture *picture, const findings *f, bool low)
{
    for (size_t i = 0; i < f->count; i++) {
        const found *one = &f->found[i];
        bool turned = one->by_hash && one->match.query;
        printf("%s: list %s, entry %s, ", picture->path, one->match.list, one->match.entry);
        if (one->by_digest)
            printf("the same bytes (%s)\n", ob_list_digest_name(one->kind));
        else
            printf("distance %u%s%s\n", one->match.distance, turned ? ", turned or mirrored: " : "",
                   turned ? ob_dihedral_name((ob_dihedral)one->match.query) : "");
    }
    if (low)
        printf("%s: not matched by hash: quality %d is below %d\n", picture->path,
               picture->result.pdq.quality, OB_PDQ_MIN_QUALITY);
    else if (!f->count && !picture->status)
        printf("%s: nothing found\n", picture->path);
}

static void scan(void *context, const picture *picture)
{
    scanner *s = context;
    findings f = {0};
    bool low = !picture->status && picture->result.pdq.quality < OB_PDQ_MIN_QUALITY;
    if (s->failure.status || look_up(&f, s, picture, low, &s->failure))
        return;
    s->found |= f.count > 0;
    if (picture->status && !picture->skipped)
        cli_say("%s: %s", picture->path, picture->error.text);
    else
        cli_progress(NULL);
    bool other = picture->skipped && !f.count; /* no picture, and not listed */
    if (s->json && !other)
        print_json(picture, &f, low);
    else if (!other)
        print_text(picture, &f, low);
    drop_findings(&f);
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
    options.digests = options.other_files = lists && ob_lists_have_digests(lists);
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
