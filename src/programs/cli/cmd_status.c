/* obhut status: what an operator should know at a glance. */
#include "cli.h"
#include "status_log.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* ---- Lists ----------------------------------------------------------------------------------- */

static void print_list(const json_t *list)
{
    const char *source = text_of(list, "source");
    const long long days = number_of(list, "age_days");
    const long long entries = number_of(list, "entries");
    printf("  %-20s %s%lld entr%s, %s%s%s, imported %.10s%s (%lld day%s ago)\n",
           text_of(list, "list"), json_is_true(json_object_get(list, "enabled")) ? "" : "OFF, ",
           entries, entries == 1 ? "y" : "ies", *source ? "from \"" : "no source given", source,
           *source ? "\"" : "", text_of(list, "imported_at"),
           json_is_true(json_object_get(list, "updated")) ? ", last updated" : "", days,
           days == 1 ? "" : "s");
}

static void print_lists(const json_t *status)
{
    const json_t *lists = json_object_get(status, "lists");
    size_t enabled = 0;
    puts("\nLists");
    for (size_t i = 0; i < json_array_size(lists); i++) {
        print_list(json_array_get(lists, i));
        enabled += json_is_true(json_object_get(json_array_get(lists, i), "enabled"));
    }
    if (!enabled)
        puts(
            "  NO LIST IS ENABLED: nothing can be found. docs/LISTS-FROM.md says who gives lists.");
    if (number_of(status, "lists_unsearchable"))
        puts("  A LIST CANNOT BE SEARCHED: obhut check says which, and why.");
}

/* ---- Hits ------------------------------------------------------------------------------------ */

/* What software hears that hears yes and no only. A gateway that says nothing of `review` lets a
 * question for a person pass. */
static const char *heard(const json_t *gateway, const char *action)
{
    const char *review = text_of(gateway, "review");
    if (!strcmp(action, "allow"))
        return "let through";
    if (!strcmp(action, "block") || !strcmp(action, "hold") || !strcmp(review, "refuse"))
        return "refused";
    return "LET THROUGH, and nobody is asked";
}

/* What becomes of files that nobody looks at. */
static const char *unseen(const json_t *gateway, const char *member, const char *passes)
{
    return strcmp(text_of(gateway, member), passes) ? "refused" : "LET THROUGH, unseen";
}

static void print_gateway(const json_t *gateway, const char *one, const char *two)
{
    const char *surface = text_of(gateway, "surface");
    printf("  gateway %s (%s, %s): by one source: %s; by two: %s; damaged or unknown files: %s; "
           "where Obhut cannot look now: %s\n",
           text_of(gateway, "name"), text_of(gateway, "kind"), surface, heard(gateway, one),
           heard(gateway, two), unseen(gateway, "damaged", "pass"),
           unseen(gateway, "fail", "open"));
    if (strcmp(surface, "public") != 0)
        printf("    on %s nobody may look without a basis: LETS such files THROUGH, unseen\n",
               surface);
}

static void print_hits(const json_t *status)
{
    const json_t *actions = json_object_get(status, "actions");
    const json_t *gateways = json_object_get(status, "gateways");
    const char *list, *one = text_of(actions, "one_source"), *two = text_of(actions, "two_sources");
    json_t *action;
    puts("\nWhat a hit does");
    printf("  listed by one source: %s; by two or more: %s\n", one, two);
    json_object_foreach(json_object_get(actions, "lists"), list, action)
        printf("  in list \"%s\" at least: %s\n", list, json_string_value(action));
    puts("  over HTTP (/v1/scan): the answer says this action, and the service that asked does it");
    for (size_t i = 0; i < json_array_size(gateways); i++)
        print_gateway(json_array_get(gateways, i), one, two);
    puts("\nWho is told\n  the caller, in the answer; Obhut itself sends no message to anybody");
}

static void print_persons(const json_t *status)
{
    const json_t *persons = json_object_get(status, "persons");
    size_t there = 0;
    for (size_t i = 0; i < json_array_size(persons); i++) {
        const json_t *one = json_array_get(persons, i);
        if (json_object_get(one, "ended_at"))
            continue;
        printf("  %s (%s)\n", text_of(one, "name"), cli_join(json_object_get(one, "role")));
        there++;
    }
    if (!there)
        puts("  no reviewer is known here (obhut person add)");
}

/* ---- What is open ---------------------------------------------------------------------------- */

static void print_open(const json_t *status)
{
    const json_t *open = json_object_get(status, "open");
    puts("\nWhat may be looked at");
    for (size_t i = 0; i < json_array_size(open); i++) {
        const json_t *one = json_array_get(open, i);
        const char *needs = text_of(one, "needs");
        if (json_is_true(json_object_get(one, "open")))
            printf("  %s: %s%s%s\n", text_of(one, "surface"), text_of(one, "what"),
                   *needs ? "; needs " : "", needs);
    }
    puts("  nothing else; obhut policy show says what would open what");
}

static void print_tokens(const json_t *status)
{
    const json_t *tokens = json_object_get(status, "tokens");
    puts("\nWho may ask");
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const json_t *one = json_array_get(tokens, i);
        printf("  token %s: %s", text_of(one, "name"), cli_join(json_object_get(one, "scope")));
        printf(" on %s\n", cli_join(json_object_get(one, "surface")));
    }
    if (!json_array_size(tokens))
        puts("  nobody yet (obhut token add)");
}

/* An address is told as what a browser takes; a path, or that nobody listens, as it is. */
static void print_listeners(const json_t *status)
{
    const char *listener;
    json_t *one;
    if (!json_object_size(json_object_get(status, "listeners")))
        return;
    puts("\nWhere it is asked");
    json_object_foreach(json_object_get(status, "listeners"), listener, one)
    {
        const char *where = json_string_value(one);
        printf("  %-9s %s%s\n", listener, strchr(where, ':') && *where != '/' ? "http://" : "",
               where);
    }
}

static void print_times(const json_t *status)
{
    const char *backup = text_of(status, "last_backup");
    const char *given = text_of(status, "last_checkpoint_given");
    printf("\nLast backup             %s\n", *backup ? backup : "NEVER (obhut backup make)");
    printf("Last checkpoint given   %s\n",
           *given ? given : "NEVER (obhut audit checkpoint, and keep it elsewhere)");
}

int cmd_status(const cli *cli, int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    int option;
    while ((option = cli_option("status", argc, argv, longs)) != -1)
        if (option == 'j')
            json = true;
        else
            return option == 'h' ? cli_help_of("status") : cli_usage("status", "%s", "");
    if (optind < argc)
        return cli_usage("status", "it takes no argument: --data DIR says where");
    json_t *status = cli_ask(cli, json_pack("{s:s}", "do", "status"));
    if (!status)
        return cli_finish(CLI_FAILURE);
    status_from_log(status, cli->data_dir);
    if (json) {
        cli_print_json(status);
        return cli_finish(CLI_NOTHING);
    }
    printf("Obhut %s in %s: %s\n", text_of(status, "version"), cli->data_dir,
           json_is_true(json_object_get(status, "running")) ? "the service runs"
                                                            : "NO SERVICE RUNS HERE");
    print_lists(status);
    print_hits(status);
    print_persons(status);
    print_open(status);
    print_listeners(status);
    print_tokens(status);
    print_times(status);
    json_decref(status);
    return cli_finish(CLI_NOTHING);
}
