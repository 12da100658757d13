/* obhut hash: hashes and digests of pictures. */
#include "cli.h"
#include "pictures.h"

#include <obhut/services.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

typedef struct printer {
    bool json, dihedral;
} printer;

static void set_digest(json_t *object, const char *key, const uint8_t *digest, size_t size)
{
    char text[2 * OB_SHA256_SIZE + 1];
    ob_hex(text, digest, size);
    json_object_set_new(object, key, json_string(text));
}

static void print_json(const printer *printer, const picture *picture)
{
    json_t *object = json_object();
    json_object_set_new(object, "file", ob_json_text(picture->path));
    if (picture->job.status) {
        json_object_set_new(object, "error", ob_json_text(picture->job.error.text));
        cli_print_json(object);
        return;
    }
    const ob_media_result *result = &picture->job.media;
    const ob_digests *digests = &picture->job.digests;
    ob_services_set_picture(object, result);
    set_digest(object, "md5", digests->md5, OB_MD5_SIZE);
    set_digest(object, "sha1", digests->sha1, OB_SHA1_SIZE);
    set_digest(object, "sha256", digests->sha256, OB_SHA256_SIZE);
    if (printer->dihedral) {
        json_t *all = json_object();
        for (int i = 0; i < OB_DIHEDRAL_COUNT; i++)
            json_object_set_new(all, ob_dihedral_name(i), cli_json_hash(&result->pdq.hash[i]));
        json_object_set_new(object, "dihedral", all);
    }
    cli_print_json(object);
}

static void print(void *context, const picture *picture)
{
    const printer *printer = context;
    if (picture->job.status)
        cli_say("%s: %s", picture->path, picture->job.error.text);
    else
        cli_progress(NULL);
    if (printer->json) {
        print_json(printer, picture);
    } else if (!picture->job.status) {
        char hash[OB_HASH256_HEX + 1];
        ob_hash256_print(hash, &picture->job.media.pdq.hash[OB_DIHEDRAL_ORIGINAL]);
        printf("%s %3d ", hash, picture->job.media.pdq.quality);
        cli_put_name(stdout, picture->path);
        putchar('\n');
    }
}

int cmd_hash(const cli *cli, int argc, char **argv)
{
    (void)cli;
    enum { JSON = 256, DIHEDRAL };
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"dihedral", no_argument, NULL, DIHEDRAL},
                                          OPTIONS_PICTURES,
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    printer printer = {0};
    pictures_options options = {0};
    int option;
    while ((option = cli_option("hash", argc, argv, longs)) != -1)
        switch (option) {
        case JSON:
            printer.json = true;
            break;
        case DIHEDRAL:
            printer.dihedral = true;
            break;
        case 'h':
            return cli_help_of("hash");
        default:
            if (!options_picture(&options, option, optarg))
                return cli_usage("hash", "%s", "");
        }
    if (printer.dihedral && !printer.json)
        return cli_usage("hash", "--dihedral needs --json");
    if (optind == argc)
        return cli_usage("hash", "which files?");

    options.digests = printer.json ? OB_DIGEST_ALL : 0;
    pictures_count count;
    ob_error err = {0};
    if (pictures_each(&count, argv + optind, &options, print, &printer, &err)) {
        cli_say("%s", err.text);
        return cli_finish(CLI_FAILURE);
    }
    return cli_finish(pictures_summary(&count));
}
