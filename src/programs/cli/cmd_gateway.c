/* obhut gateway: software that asks in its own protocol. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

typedef struct wishes {
    bool json;
    const char *surface, *name, *fail, *review, *damaged;
} wishes;

static int add(const cli *cli, const wishes *w, const char *kind)
{
    json_t *result =
        cli_ask(cli, json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "do", "gateway.add",
                               "kind", kind, "surface", w->surface, "name", w->name, "fail",
                               w->fail, "review", w->review, "damaged", w->damaged));
    if (!result)
        return cli_finish(CLI_FAILURE);
    if (w->json)
        cli_print_json(json_incref(result));
    else
        printf("%s\n", json_string_value(json_object_get(result, "path")));
    json_decref(result);
    return cli_finish(CLI_NOTHING);
}

static int ls(const cli *cli, const wishes *w)
{
    json_t *result = cli_ask(cli, json_pack("{s:s}", "do", "gateway.ls")), *gateway;
    size_t i;
    if (!result)
        return cli_finish(CLI_FAILURE);
    const json_t *gateways = json_object_get(result, "gateways");
    if (w->json) {
        cli_print_json(result);
        return cli_finish(CLI_NOTHING);
    }
    if (json_array_size(gateways))
        printf("%-24s %-10s %-8s %-8s %-8s %-8s %s\n", "GATEWAY", "KIND", "SURFACE", "REVIEW",
               "DAMAGED", "FAIL", "MADE");
    json_array_foreach((json_t *)(uintptr_t)gateways, i, gateway)
    {
        printf("%-24s %-10s %-8s %-8s %-8s %-8s %s\n",
               json_string_value(json_object_get(gateway, "name")),
               json_string_value(json_object_get(gateway, "kind")),
               json_string_value(json_object_get(gateway, "surface")),
               json_string_value(json_object_get(gateway, "review")),
               json_string_value(json_object_get(gateway, "damaged")),
               json_string_value(json_object_get(gateway, "fail")),
               json_string_value(json_object_get(gateway, "made_at")));
    }
    if (!json_array_size(json_object_get(result, "gateways")))
        puts("no gateways");
    json_decref(result);
    return cli_finish(CLI_NOTHING);
}

static int remove_gateway(const cli *cli, const char *name)
{
    json_t *result = cli_ask(cli, json_pack("{s:s, s:s}", "do", "gateway.remove", "name", name));
    json_decref(result);
    return cli_finish(result ? CLI_NOTHING : CLI_FAILURE);
}

int cmd_gateway(const cli *cli, int argc, char **argv)
{
    enum { JSON = 256, SURFACE, NAME, FAIL, REVIEW, DAMAGED };
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"surface", required_argument, NULL, SURFACE},
                                          {"name", required_argument, NULL, NAME},
                                          {"fail", required_argument, NULL, FAIL},
                                          {"review", required_argument, NULL, REVIEW},
                                          {"damaged", required_argument, NULL, DAMAGED},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    wishes w = {0};
    const char *words = cli_words(argc, argv);
    int option;
    while ((option = cli_option(words, argc, argv, longs)) != -1)
        switch (option) {
        case JSON:
            w.json = true;
            break;
        case SURFACE:
            w.surface = optarg;
            break;
        case NAME:
            w.name = optarg;
            break;
        case FAIL:
            w.fail = optarg;
            break;
        case REVIEW:
            w.review = optarg;
            break;
        case DAMAGED:
            w.damaged = optarg;
            break;
        case 'h':
            return cli_help_of("gateway");
        default:
            return cli_usage("gateway", "%s", "");
        }
    int count = argc - optind;
    char **operands = argv + optind;
    const char *action = count ? operands[0] : "";
    bool needs_one = !strcmp(action, "add") || !strcmp(action, "remove");
    if (needs_one && count < 2)
        return cli_usage("gateway", "gateway %s needs a %s", action,
                         strcmp(action, "add") ? "name" : "kind: pict-rs");
    if (count > 1 + needs_one)
        return cli_usage("gateway", "gateway: too much: \"%s\"", operands[1 + needs_one]);
    if (!strcmp(action, "add"))
        return w.surface ? add(cli, &w, operands[1])
                         : cli_usage("gateway", "gateway add needs --surface");
    if (!strcmp(action, "ls"))
        return ls(cli, &w);
    if (!strcmp(action, "remove"))
        return remove_gateway(cli, operands[1]);
    static const char *const known[] = {"add", "ls", "remove"};
    return *action ? cli_unknown("gateway", action, known, 3)
                   : cli_usage("gateway", "which action? add, ls, remove");
}
