/* obhut token: who may ask the service, and for what. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

typedef struct wishes {
    bool json;
    json_t *surfaces, *scopes;
} wishes;

static int add(const cli *cli, const wishes *w, const char *name)
{
    json_t *result = cli_ask(cli, json_pack("{s:s, s:s, s:O, s:O}", "do", "token.add", "name", name,
                                            "surface", w->surfaces, "scope", w->scopes));
    if (!result)
        return cli_finish(CLI_FAILURE);
    if (w->json)
        cli_print_json(json_incref(result));
    else
        printf("%s\n", json_string_value(json_object_get(result, "secret")));
    json_decref(result);
    return cli_finish(CLI_NOTHING);
}

static int ls(const cli *cli, const wishes *w)
{
    json_t *result = cli_ask(cli, json_pack("{s:s}", "do", "token.ls")), *token;
    size_t i;
    if (!result)
        return cli_finish(CLI_FAILURE);
    const json_t *tokens = json_object_get(result, "tokens");
    if (w->json) {
        cli_print_json(result);
        return cli_finish(CLI_NOTHING);
    }
    if (json_array_size(tokens))
        printf("%-24s %-30s %-18s %s\n", "TOKEN", "SURFACES", "SCOPES", "MADE");
    json_array_foreach((json_t *)(uintptr_t)tokens, i, token)
    {
        printf("%-24s ", json_string_value(json_object_get(token, "name")));
        printf("%-30s ", cli_join(json_object_get(token, "surface")));
        printf("%-18s ", cli_join(json_object_get(token, "scope")));
        printf("%s\n", json_string_value(json_object_get(token, "made_at")));
    }
    json_decref(result);
    return cli_finish(CLI_NOTHING);
}

static int remove_token(const cli *cli, const char *name)
{
    json_t *result = cli_ask(cli, json_pack("{s:s, s:s}", "do", "token.remove", "name", name));
    json_decref(result);
    return cli_finish(result ? CLI_NOTHING : CLI_FAILURE);
}

static int run(const cli *cli, const wishes *w, int count, char **operands)
{
    const char *action = count ? operands[0] : "";
    bool needs_name = !strcmp(action, "add") || !strcmp(action, "remove");
    if (needs_name && count < 2)
        return cli_usage("token", "token %s needs a name", action);
    if (count > 1 + needs_name)
        return cli_usage("token", "token: too much: \"%s\"", operands[1 + needs_name]);
    if (!strcmp(action, "add") && (!json_array_size(w->surfaces) || !json_array_size(w->scopes)))
        return cli_usage("token", "token add needs --surface and --scope");
    if (!strcmp(action, "add"))
        return add(cli, w, operands[1]);
    if (!strcmp(action, "ls"))
        return ls(cli, w);
    if (!strcmp(action, "remove"))
        return remove_token(cli, operands[1]);
    static const char *const known[] = {"add", "ls", "remove"};
    return *action ? cli_unknown("token", action, known, 3)
                   : cli_usage("token", "which action? add, ls, remove");
}

int cmd_token(const cli *cli, int argc, char **argv)
{
    enum { JSON = 256, SURFACE, SCOPE };
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"surface", required_argument, NULL, SURFACE},
                                          {"scope", required_argument, NULL, SCOPE},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    wishes w = {.surfaces = json_array(), .scopes = json_array()};
    const char *words = cli_words(argc, argv);
    int option, code = -1;
    while (code < 0 && (option = cli_option(words, argc, argv, longs)) != -1)
        switch (option) {
        case JSON:
            w.json = true;
            break;
        case SURFACE:
            cli_words_between_commas(w.surfaces, optarg);
            break;
        case SCOPE:
            cli_words_between_commas(w.scopes, optarg);
            break;
        case 'h':
            code = cli_help_of("token");
            break;
        default:
            code = cli_usage("token", "%s", "");
        }
    if (code < 0)
        code = run(cli, &w, argc - optind, argv + optind);
    json_decref(w.surfaces);
    json_decref(w.scopes);
    return code;
}
