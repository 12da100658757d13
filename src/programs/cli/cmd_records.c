/* obhut person, policy, proposal, report, verdict, cause, order, consent, safeguard, detector,
 * clock: the records that the gate reads. Every action is a request; this file says which words it
 * takes. */
#include "cli.h"

#include <obhut/admin.h>
#include <obhut/json.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Records that the gate reads. What stops looking, the operator can do alone; what allows it\n"
    "needs persons: set OBHUT_PERSON_TOKEN to the personal token of whoever acts.\n"
    "\n"
    "  person add NAME --role reviewer|lead|officer[,…] [--external]   prints a personal token "
    "once\n"
    "  person ls | remove NAME\n"
    "\n"
    "  policy show\n"
    "  policy set KEY VALUE    service NAME; kinds hosting,interpersonal; country DE; regime ID "
    "(the\n"
    "                          house rule where no built-in law knows the country); surfaces "
    "public,…;\n"
    "                          bases public,report,…; detectors known,…; register yes|no: whether "
    "the\n"
    "                          service tells which conversations are protected\n"
    "\n"
    "  proposal ls | approve N [--reason TEXT] | reject N      what waits for a second person\n"
    "\n"
    "  report ls [--notices] | confirm N | remove N [--notices]\n"
    "  verdict add --account A --reason TEXT | ls | overturn N\n"
    "  cause add --account A (--verdict N | --report N) --reason TEXT [--days N]\n"
    "  cause ls | end N | told N\n"
    "  order check FILE.json | add FILE.json --document FILE\n"
    "  order ls | suspend N | resume N | revoke N | halfway N\n"
    "  consent withdraw --account A\n"
    "\n"
    "  safeguard record NAME --regime ID --document FILE [--year Y]    Y: of annual_report\n"
    "  safeguard ls | remove NAME --regime ID\n"
    "  detector ls | suspend NAME --reason TEXT\n"
    "  detector set NAME --state trial|on --items N --false-alarms N --data NAME --document FILE\n"
    "  clock show | accept\n"
    "\n"
    "  record reap             deletes what has been kept long enough; the service does it every "
    "hour\n"
    "  record kinds            what is stored, what for, how long\n"
    "  hold add (--report N | --notice N | --verdict N | --cause N | --order N) --reason TEXT\n"
    "           (--until TIME | --law ID [--from TIME])    a law: from when it was reported on\n"
    "  hold ls | end N | keep N --reason TEXT    keep: where one law demands keeping a record and\n"
    "                          another forbids it, a person decides\n"
    "\n"
    "  --json                  the answer as JSON\n"
    "\n"
    "docs/GATE.md explains them.\n"
    "\n"
    "  obhut person add ada --role lead\n"
    "  obhut policy set country DE\n"
    "  OBHUT_PERSON_TOKEN=… obhut proposal approve 3 --reason \"looked at all four items\"\n";

/* ---- What every action takes
 * ------------------------------------------------------------------------ */

typedef enum kind {
    NONE,
    TEXT,
    NUMBER,
    FLAG,
    LIST,     /* words between commas */
    DOCUMENT, /* a file that goes with the request */
    JSON_FILE,
} kind;

typedef struct word {
    const char *name; /* of the option, and with _ for - of the member */
    kind kind;
    bool needed;
} word;

enum { PLACES = 2, OPTIONS = 9 };

#define NOTHING                                                                                    \
    {                                                                                              \
        {                                                                                          \
            NULL, NONE, false                                                                      \
        }                                                                                          \
    }

static const struct action {
    const char *group, *name, *request;
    word places[PLACES]; /* what stands without an option's name */
    word options[OPTIONS];
    const char *fixed[2]; /* a member that the action itself says */
} actions[] = {
    {"person",
     "add",
     "person.add",
     {{"name", TEXT, true}},
     {{"role", LIST, true}, {"external", FLAG, false}},
     {NULL}},
    {"person", "ls", "person.ls", NOTHING, NOTHING, {NULL}},
    {"person", "remove", "person.remove", {{"name", TEXT, true}}, NOTHING, {NULL}},
    {"policy", "show", "policy.show", NOTHING, NOTHING, {NULL}},
    {"policy", "set", "policy.set", {{"key", TEXT, true}, {"value", TEXT, true}}, NOTHING, {NULL}},
    {"proposal", "ls", "proposal.ls", NOTHING, NOTHING, {NULL}},
    {"proposal",
     "approve",
     "proposal.approve",
     {{"proposal", NUMBER, true}},
     {{"reason", TEXT, false}},
     {NULL}},
    {"proposal", "reject", "proposal.reject", {{"proposal", NUMBER, true}}, NOTHING, {NULL}},
    {"report", "ls", "report.ls", NOTHING, {{"notices", FLAG, false}}, {NULL}},
    {"report", "confirm", "report.confirm", {{"report", NUMBER, true}}, NOTHING, {NULL}},
    {"report",
     "remove",
     "report.remove",
     {{"report", NUMBER, true}},
     {{"notices", FLAG, false}},
     {NULL}},
    {"verdict",
     "add",
     "verdict.add",
     NOTHING,
     {{"account", TEXT, true}, {"reason", TEXT, true}},
     {NULL}},
    {"verdict", "ls", "verdict.ls", NOTHING, NOTHING, {NULL}},
    {"verdict", "overturn", "verdict.overturn", {{"verdict", NUMBER, true}}, NOTHING, {NULL}},
    {"cause",
     "add",
     "cause.add",
     NOTHING,
     {{"account", TEXT, true},
      {"verdict", NUMBER, false},
      {"report", NUMBER, false},
      {"reason", TEXT, true},
      {"days", NUMBER, false}},
     {NULL}},
    {"cause", "ls", "cause.ls", NOTHING, NOTHING, {NULL}},
    {"cause", "end", "cause.end", {{"cause", NUMBER, true}}, NOTHING, {NULL}},
    {"cause", "told", "cause.told", {{"cause", NUMBER, true}}, NOTHING, {NULL}},
    {"order", "check", "order.check", {{"order", JSON_FILE, true}}, NOTHING, {NULL}},
    {"order",
     "add",
     "order.add",
     {{"order", JSON_FILE, true}},
     {{"document", DOCUMENT, true}},
     {NULL}},
    {"order", "ls", "order.ls", NOTHING, NOTHING, {NULL}},
    {"order", "suspend", "order.state", {{"order", NUMBER, true}}, NOTHING, {"state", "suspended"}},
    {"order", "resume", "order.state", {{"order", NUMBER, true}}, NOTHING, {"state", "valid"}},
    {"order", "revoke", "order.state", {{"order", NUMBER, true}}, NOTHING, {"state", "revoked"}},
    {"order", "halfway", "order.halfway", {{"order", NUMBER, true}}, NOTHING, {NULL}},
    {"record", "reap", "record.reap", NOTHING, NOTHING, {NULL}},
    {"record", "kinds", "record.kinds", NOTHING, NOTHING, {NULL}},
    {"hold",
     "add",
     "hold.add",
     NOTHING,
     {{"report", NUMBER, false},
      {"notice", NUMBER, false},
      {"verdict", NUMBER, false},
      {"cause", NUMBER, false},
      {"order", NUMBER, false},
      {"reason", TEXT, true},
      {"until", TEXT, false},
      {"law", TEXT, false},
      {"from", TEXT, false}},
     {NULL}},
    {"hold", "ls", "hold.ls", NOTHING, NOTHING, {NULL}},
    {"hold", "end", "hold.end", {{"hold", NUMBER, true}}, NOTHING, {NULL}},
    {"hold", "keep", "hold.keep", {{"hold", NUMBER, true}}, {{"reason", TEXT, true}}, {NULL}},
    {"audit",
     "code",
     "audit.code",
     NOTHING,
     {{"account", TEXT, false}, {"person", TEXT, false}},
     {NULL}},
    {"audit", "consents", "audit.consents", NOTHING, {{"account", TEXT, true}}, {NULL}},
    {"audit",
     "forget",
     "audit.forget",
     NOTHING,
     {{"account", TEXT, false}, {"person", TEXT, false}},
     {NULL}},
    {"consent", "withdraw", "consent.withdraw", NOTHING, {{"account", TEXT, true}}, {NULL}},
    {"safeguard",
     "record",
     "safeguard.record",
     {{"name", TEXT, true}},
     {{"regime", TEXT, true}, {"document", DOCUMENT, true}, {"year", NUMBER, false}},
     {NULL}},
    {"safeguard", "ls", "safeguard.ls", NOTHING, NOTHING, {NULL}},
    {"safeguard",
     "remove",
     "safeguard.remove",
     {{"name", TEXT, true}},
     {{"regime", TEXT, true}},
     {NULL}},
    {"detector", "ls", "detector.ls", NOTHING, NOTHING, {NULL}},
    {"detector",
     "suspend",
     "detector.suspend",
     {{"name", TEXT, true}},
     {{"reason", TEXT, true}},
     {NULL}},
    {"detector",
     "set",
     "detector.set",
     {{"name", TEXT, true}},
     {{"state", TEXT, true},
      {"items", NUMBER, true},
      {"false-alarms", NUMBER, true},
      {"data", TEXT, true},
      {"document", DOCUMENT, true}},
     {NULL}},
    {"clock", "show", "clock.show", NOTHING, NOTHING, {NULL}},
    {"clock", "accept", "clock.accept", NOTHING, NOTHING, {NULL}},
};

enum { ACTIONS = sizeof actions / sizeof *actions };

const char *cmd_records_group(size_t number)
{
    for (size_t i = 0; i < ACTIONS; i++)
        if ((i == 0 || strcmp(actions[i].group, actions[i - 1].group)) && number-- == 0)
            return actions[i].group;
    return NULL;
}

bool cmd_records_has(const char *group)
{
    for (size_t i = 0; i < ACTIONS; i++)
        if (!strcmp(actions[i].group, group))
            return true;
    return false;
}

/* ---- Reading the command line
 * ------------------------------------------------------------------------ */

typedef struct wish {
    const char *group;
    json_t *request;
    int document; /* or -1 */
    bool json;
} wish;

static json_t *words_between_commas(const char *value)
{
    json_t *array = json_array();
    char *copy = strdup(value), *rest = copy, *one;
    while (copy && (one = strsep(&rest, ",")) != NULL)
        json_array_append_new(array, ob_json_text(one));
    free(copy);
    return array;
}

static json_t *number(const char *value)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    return errno || !*value || *end ? NULL : json_integer(n);
}

/* False after saying what is wrong. */
static bool take(wish *w, const word *word, const char *value)
{
    char member[40];
    json_t *json = NULL;
    json_error_t problem;
    snprintf(member, sizeof member, "%s", word->name);
    for (char *p = member; *p; p++)
        *p = *p == '-' ? '_' : *p;
    switch (word->kind) {
    case TEXT:
        json = ob_json_text(value);
        break;
    case NUMBER:
        json = number(value);
        if (!json)
            cli_say("%s is a number, not \"%s\"", word->name, value);
        break;
    case FLAG:
        json = json_true();
        break;
    case LIST:
        json = words_between_commas(value);
        break;
    case DOCUMENT:
        w->document = open(value, O_RDONLY | O_CLOEXEC);
        if (w->document < 0)
            cli_say("%s cannot be opened: %s", value, strerror(errno));
        return w->document >= 0;
    case JSON_FILE:
        json = json_load_file(value, JSON_REJECT_DUPLICATES, &problem);
        if (!json)
            cli_say("%s: %s, line %d", value, problem.text, problem.line);
        break;
    default:
        break;
    }
    return json && !json_object_set_new(w->request, member, json);
}

static bool has_all(const wish *w, const struct action *a)
{
    for (int i = 0; i < OPTIONS && a->options[i].name; i++) {
        const word *word = &a->options[i];
        bool there = word->kind == DOCUMENT ? w->document >= 0
                                            : json_object_get(w->request, word->name) ||
                                                  !strcmp(word->name, "false-alarms");
        if (word->needed && !there) {
            cli_say("--%s is needed", word->name);
            return false;
        }
    }
    return true;
}

/* -1: go on; else an exit code. */
static int read_line(wish *w, const struct action *a, int argc, char **argv)
{
    enum { JSON = 256, OPTION };
    struct option longs[OPTIONS + 3] = {{"json", no_argument, NULL, JSON},
                                        {"help", no_argument, NULL, 'h'}};
    char words[40];
    int option, places = 0;
    snprintf(words, sizeof words, "%s %s", a->group, a->name);
    for (int i = 0; i < OPTIONS && a->options[i].name; i++)
        longs[2 + i] = (struct option){a->options[i].name,
                                       a->options[i].kind == FLAG ? no_argument : required_argument,
                                       NULL, OPTION + i};
    while ((option = cli_option(words, argc, argv, longs)) != -1) {
        if (option == 'h')
            return cli_help(help);
        if (option == JSON)
            w->json = true;
        else if (option < OPTION || !take(w, &a->options[option - OPTION], optarg))
            return cli_usage(a->group, "%s", "");
    }
    while (places < PLACES && a->places[places].name)
        places++;
    if (argc - optind != places)
        return cli_usage(a->group, places ? "%s %s needs %s%s%s" : "%s %s takes no argument",
                         a->group, a->name, a->places[0].name ? a->places[0].name : "",
                         places > 1 ? " and " : "", places > 1 ? a->places[1].name : "");
    for (int i = 0; i < places; i++)
        if (!take(w, &a->places[i], argv[optind + i]))
            return cli_usage(a->group, "%s", "");
    return has_all(w, a) ? -1 : cli_usage(a->group, "%s", "");
}

/* ---- Printing
 * ----------------------------------------------------------------------------------------- */

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
    for (size_t i = 0; i < json_array_size(only); i++)
        print_object(json_array_get(only, i), "  ");
}

/* ---- Doing
 * -------------------------------------------------------------------------------------------- */

static int ask(const cli *cli, const wish *w)
{
    ob_error err = {0};
    json_t *answer = NULL;
    const char *token = getenv("OBHUT_PERSON_TOKEN");
    if (token && *token)
        json_object_set_new(w->request, "person_token", ob_json_text(token));
    if (ob_admin_once(&answer, cli->data_dir, w->request, w->document, NULL, &err)) {
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
    const char *known[ACTIONS];
    size_t count = 0;
    for (size_t i = 0; i < ACTIONS; i++)
        if (!strcmp(actions[i].group, group))
            known[count++] = actions[i].name;
    return cli_unknown(group, word, known, count);
}

int cmd_records(const cli *cli, int argc, char **argv)
{
    const struct action *action = NULL;
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return argc < 2 ? cli_usage(argv[0], "what to do? obhut %s --help", argv[0])
                        : cli_help(help);
    for (size_t i = 0; i < ACTIONS; i++)
        if (!strcmp(actions[i].group, argv[0]) && !strcmp(actions[i].name, argv[1]))
            action = &actions[i];
    if (!action)
        return unknown_action(argv[0], argv[1]);
    wish w = {
        .group = argv[0], .request = json_pack("{s:s}", "do", action->request), .document = -1};
    if (action->fixed[0])
        json_object_set_new(w.request, action->fixed[0], json_string(action->fixed[1]));
    int code = read_line(&w, action, argc - 1, argv + 1);
    if (code < 0)
        code = ask(cli, &w);
    if (w.document >= 0)
        close(w.document);
    json_decref(w.request);
    return cli_finish(code);
}
