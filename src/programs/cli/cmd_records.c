/* Commands that are one request each: options and places are what the table of commands says. */
#include "cli.h"

#include <obhut/commands.h>
#include <obhut/json.h>
#include <obhut/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 2, OPTIONS = 12 };

/* ---- Which command --------------------------------------------------------------------------- */

static bool is_asked_here(const ob_command *c)
{
    return c->run && !c->is_inner && c->places & OB_AT_SOCKET && strchr(c->name, '.');
}

const char *cmd_records_group(size_t number)
{
    const ob_command_group *group = ob_command_group_at(number);
    return group ? group->name : NULL;
}

bool cmd_records_has(const char *group)
{
    const ob_command *c;
    for (size_t i = 0; (c = ob_command_at(i)) != NULL; i++)
        if (is_asked_here(c) && ob_command_is_of(c, group))
            return true;
    return false;
}

/* ---- Reading the command line ---------------------------------------------------------------- */

typedef struct wish {
    const ob_command *command;
    const char *group, *action;
    json_t *request;
    int document; /* or -1 */
    bool json;
} wish;

/* Said several times they add up. */
static json_t *words_of(const wish *w, const char *name, const char *value)
{
    json_t *said = json_object_get(w->request, name);
    json_t *array = said ? json_incref(said) : json_array();
    cli_words_between_commas(array, value);
    return array;
}

static json_t *number(const char *value)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    return errno || !*value || *end ? NULL : json_integer(n);
}

static void option_name(char out[static 40], const ob_command_field *field)
{
    snprintf(out, 40, "%s", field->name);
    for (char *p = out; *p; p++)
        *p = *p == '_' ? '-' : *p;
}

/* False after saying what is wrong. */
static bool take(wish *w, const ob_command_field *field, const char *value)
{
    if (field->kind != OB_FIELD_WORDS && json_object_get(w->request, field->name)) {
        cli_say("--%s was said twice", field->name);
        return false;
    }
    json_t *json = NULL;
    json_error_t problem;
    switch (field->kind) {
    case OB_FIELD_NUMBER:
        json = number(value);
        if (!json)
            cli_say("%s is a number, not \"%s\"", field->name, value);
        break;
    case OB_FIELD_TRUTH:
        json = json_true();
        break;
    case OB_FIELD_WORDS:
        json = words_of(w, field->name, value);
        break;
    case OB_FIELD_DOCUMENT:
        w->document = open(value, O_RDONLY | O_CLOEXEC);
        if (w->document < 0)
            cli_say("%s cannot be opened: %s", value, strerror(errno));
        return w->document >= 0;
    case OB_FIELD_OBJECT:
        json = json_load_file(value, JSON_REJECT_DUPLICATES, &problem);
        if (!json)
            cli_say("%s: %s, line %d", value, problem.text, problem.line);
        break;
    default:
        json = ob_json_text(value);
        break;
    }
    return json && !json_object_set_new(w->request, field->name, json);
}

static bool has_all(const wish *w)
{
    char name[40];
    for (const ob_command_field *f = w->command->takes; f && f->name; f++) {
        bool there = f->kind == OB_FIELD_DOCUMENT ? w->document >= 0
                                                  : json_object_get(w->request, f->name) != NULL;
        option_name(name, f);
        if (f->is_needed && !f->is_place && !there) {
            cli_say("--%s is needed", name);
            return false;
        }
    }
    return true;
}

/* What stands without an option's name, in its order. */
static int take_places(wish *w, int argc, char **argv)
{
    const ob_command_field *place[PLACES];
    int places = 0;
    for (const ob_command_field *f = w->command->takes; f && f->name && places < PLACES; f++)
        if (f->is_place)
            place[places++] = f;
    if (argc - optind != places)
        return cli_usage(w->group, places ? "%s %s needs %s%s%s" : "%s %s takes no argument",
                         w->group, w->action, places ? place[0]->name : "",
                         places > 1 ? " and " : "", places > 1 ? place[1]->name : "");
    for (int i = 0; i < places; i++)
        if (!take(w, place[i], argv[optind + i]))
            return cli_usage(w->group, "%s", "");
    return -1;
}

/* -1: go on; else an exit code. */
static int read_line(wish *w, int argc, char **argv)
{
    enum { JSON = 256, OPTION };
    struct option longs[OPTIONS + 3] = {{"json", no_argument, NULL, JSON},
                                        {"help", no_argument, NULL, 'h'}};
    const ob_command_field *fields[OPTIONS];
    char names[OPTIONS][40], words[40];
    int option, count = 0;
    snprintf(words, sizeof words, "%s %s", w->group, w->action);
    for (const ob_command_field *f = w->command->takes; f && f->name && count < OPTIONS; f++) {
        if (f->is_place)
            continue;
        option_name(names[count], f);
        longs[2 + count] = (struct option){
            names[count], f->kind == OB_FIELD_TRUTH ? no_argument : required_argument, NULL,
            OPTION + count};
        fields[count++] = f;
    }
    while ((option = cli_option(words, argc, argv, longs)) != -1) {
        if (option == 'h')
            return cli_help_of(w->group);
        if (option == JSON)
            w->json = true;
        else if (option < OPTION || !take(w, fields[option - OPTION], optarg))
            return cli_usage(w->group, "%s", "");
    }
    int code = take_places(w, argc, argv);
    return code >= 0 || has_all(w) ? code : cli_usage(w->group, "%s", "");
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void print_value(const json_t *value)
{
    char *text;
    if (json_is_string(value)) {
        fputs(json_string_value(value), stdout);
        return;
    }
    if (json_is_array(value) && !json_is_object(json_array_get(value, 0))) {
        fputs(json_array_size(value) ? cli_join(value) : "none", stdout);
        return;
    }
    text = ob_json_write(value, JSON_COMPACT | JSON_ENCODE_ANY);
    fputs(text ? text : "", stdout);
    free(text);
}

static void print_object(const json_t *object, const char *between)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (json_is_null(value) || (json_is_string(value) && !*json_string_value(value)))
            continue;
        if (!first)
            fputs(between, stdout);
        first = false;
        printf("%s: ", key);
        print_value(value);
    }
    puts("");
}

/* What is set, and of what is closed what would have to be set. */
static void print_policy(json_t *policy)
{
    json_t *open = json_incref(json_object_get(policy, "open")), *set;
    size_t i, j = 0;
    json_object_del(policy, "open");
    print_object(policy, "\n");
    puts("\nWhat this opens (a law, Obhut's own floor and consent still decide for every item):");
    for (i = 0; i < json_array_size(open); i++) {
        const json_t *one = json_array_get(open, i);
        const char *needs = json_string_value(json_object_get(one, "needs"));
        const bool is_open = json_is_true(json_object_get(one, "open"));
        printf("  %s: %s: %s", json_string_value(json_object_get(one, "surface")),
               json_string_value(json_object_get(one, "what")), is_open ? "open" : "closed");
        printf("%s%s\n", needs && *needs ? "; needs " : "", needs ? needs : "");
        json_array_foreach(json_object_get(one, "set"), j, set)
        {
            printf("%s%s", j ? "; " : "      to open it, set ", json_string_value(set));
        }
        fputs(j ? "\n" : "", stdout);
    }
    puts("(obhut policy set KEY VALUE sets one; the country is yours)");
    json_decref(open);
}

/* A list of records is one line each; anything else one line a member. */
static void print_answer(const json_t *answer)
{
    const json_t *only = json_object_size(answer) == 1
                             ? json_object_iter_value(json_object_iter((json_t *)(uintptr_t)answer))
                             : NULL;
    const char *secret = json_string_value(json_object_get(answer, "secret"));
    if (secret) {
        puts(secret);
        return;
    }
    if (json_is_array(json_object_get(answer, "open"))) {
        print_policy((json_t *)(uintptr_t)answer);
        return;
    }
    if (!json_is_array(only)) {
        if (json_object_size(answer))
            print_object(answer, "\n");
        return;
    }
    if (!json_array_size(only))
        printf("no %s\n", json_object_iter_key(json_object_iter((json_t *)(uintptr_t)answer)));
    for (size_t i = 0; i < json_array_size(only); i++)
        print_object(json_array_get(only, i), "  ");
}

/* ---- Doing ----------------------------------------------------------------------------------- */

static int ask(const cli *cli, const wish *w)
{
    ob_error err = {0};
    json_t *answer = NULL;
    const char *token = getenv("OBHUT_PERSON_TOKEN");
    if (token && *token)
        json_object_set_new(w->request, "person_token", ob_json_text(token));
    if (ob_socket_once(&answer, cli->data_dir, w->request, w->document, NULL, &err)) {
        cli_say("%s", err.text);
        return CLI_FAILURE;
    }
    bool refused = json_is_false(json_object_get(answer, "taken"));
    if (w->json)
        cli_print_json(json_incref(answer));
    else
        print_answer(answer);
    json_decref(answer);
    return refused ? CLI_FAILURE : CLI_NOTHING;
}

static int unknown_action(const char *group, const char *word)
{
    enum { MOST = 24 };
    const char *known[MOST];
    const ob_command *c;
    size_t count = 0;
    for (size_t i = 0; count < MOST && (c = ob_command_at(i)) != NULL; i++)
        if (ob_command_is_of(c, group) && !c->is_inner && strchr(c->name, '.'))
            known[count++] = c->name + strlen(group) + 1;
    return cli_unknown(group, word, known, count);
}

static const ob_command *find(const char *group, const char *action)
{
    char name[OB_FIELD_WORD_MOST];
    snprintf(name, sizeof name, "%s.%.32s", group, action);
    const ob_command *c = ob_command_find(name);
    return c && is_asked_here(c) ? c : NULL;
}

int cmd_records(const cli *cli, int argc, char **argv)
{
    if (argc < 2)
        return cli_usage(argv[0], "what to do? obhut %s --help", argv[0]);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return cli_help_of(argv[0]);
    wish w = {
        .command = find(argv[0], argv[1]), .group = argv[0], .action = argv[1], .document = -1};
    if (!w.command)
        return unknown_action(argv[0], argv[1]);
    w.request = json_pack("{s:s}", "do", w.command->name);
    int code = read_line(&w, argc - 1, argv + 1);
    if (code < 0)
        code = ask(cli, &w);
    if (w.document >= 0)
        close(w.document);
    json_decref(w.request);
    return cli_finish(code);
}
