/* obhut gate: what may be looked at, and why. */
#include "cli.h"

#include <obhut/clock.h>
#include <obhut/law.h>

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MOST = 64 << 20, REGIME_MOST = 1 << 20 };

typedef struct explainer {
    ob_law_question question;
    ob_language language;
    bool json;
    unsigned long answers;
} explainer;

/* ---- Reading --------------------------------------------------------------------------------- */

/* The whole of a file, with a NUL behind it. */
static ob_status read_all(ob_buf *out, const char *path, size_t most, ob_error *err)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    if (!file)
        return ob_fail(err, OB_EIO, "%s cannot be opened: %s", path, strerror(errno));
    ob_status status = OB_OK;
    for (size_t got = 1; got && !status;) {
        status = ob_buf_reserve(out, (1 << 16) + 1, err);
        if (status)
            break;
        got = fread(out->bytes + out->size, 1, 1 << 16, file);
        out->size += got;
        if (out->size > most)
            status = ob_fail(err, OB_ELIMIT, "%s has more than %zu MB", path, most >> 20);
    }
    if (!status && ferror(file))
        status = ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    if (file != stdin)
        fclose(file);
    if (!status)
        out->bytes[out->size] = '\0';
    return status;
}

/* ---- Answering ------------------------------------------------------------------------------- */

/* `place`: where a situation should be and is none; else NULL. */
static ob_status answer(explainer *e, const json_t *situation, const char *place, ob_error *err)
{
    if (e->json) {
        json_t *object = ob_law_explain(situation, &e->question);
        if (object && place)
            json_object_set_new(object, "names", json_string(place));
        cli_print_json(object);
        return OB_OK;
    }
    ob_buf letter = {0};
    ob_status status = ob_law_letter(&letter, situation, &e->question, e->language, err);
    if (!status)
        printf("%s%.*s", e->answers ? "\n--\n\n" : "", (int)letter.size, letter.bytes);
    if (!status && place)
        printf("%s\n", place);
    ob_buf_free(&letter);
    e->answers++;
    return status;
}

static ob_status answer_line(explainer *e, const char *line, size_t size, unsigned long number,
                             ob_error *err)
{
    json_error_t problem;
    char place[400];
    json_t *situation = json_loadb(line, size, JSON_REJECT_DUPLICATES, &problem);
    if (!situation)
        snprintf(place, sizeof place, "line %lu: no JSON: %s", number, problem.text);
    else if (!json_is_object(situation))
        snprintf(place, sizeof place, "line %lu: no JSON object", number);
    ob_status status = answer(e, situation, json_is_object(situation) ? NULL : place, err);
    json_decref(situation);
    return status;
}

static bool is_blank(const char *line, size_t size)
{
    while (size && strchr(" \t\r\n", *line) && *line) {
        line++;
        size--;
    }
    return !size;
}

/* One situation over many lines, or one on each. */
static ob_status answer_all(explainer *e, const ob_buf *input, ob_error *err)
{
    json_t *whole = json_loadb(input->bytes, input->size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(whole)) {
        ob_status status = answer(e, whole, NULL, err);
        json_decref(whole);
        return status;
    }
    json_decref(whole);
    ob_status status = OB_OK;
    unsigned long number = 0;
    bool any = false;
    for (size_t from = 0; from < input->size && !status;) {
        const char *line = input->bytes + from;
        const char *end = memchr(line, '\n', input->size - from);
        size_t size = end ? (size_t)(end - line) : input->size - from;
        from += size + 1;
        number++;
        if (is_blank(line, size))
            continue;
        status = answer_line(e, line, size, number, err);
        any = true;
    }
    return status || any ? status : answer_line(e, "", 0, 1, err);
}

static bool locale_is_german(void)
{
    const char *name = getenv("LC_ALL");
    if (!name || !*name)
        name = getenv("LC_MESSAGES");
    if (!name || !*name)
        name = getenv("LANG");
    return name && !strncmp(name, "de", 2);
}

static int explain(int argc, char **argv)
{
    enum { JSON = 256, WHAT_IF, AT, REGIME, LANGUAGE };
    static const struct option longs[] = {{"json", no_argument, NULL, JSON},
                                          {"what-if", no_argument, NULL, WHAT_IF},
                                          {"at", required_argument, NULL, AT},
                                          {"regime", required_argument, NULL, REGIME},
                                          {"lang", required_argument, NULL, LANGUAGE},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    explainer e = {.language = locale_is_german() ? OB_GERMAN : OB_ENGLISH};
    const char *regime_path = NULL;
    int64_t at;
    int option;
    while ((option = cli_option("gate explain", argc, argv, longs)) != -1)
        switch (option) {
        case JSON:
            e.json = true;
            break;
        case WHAT_IF:
            e.question.what_if = true;
            break;
        case AT:
            if (!ob_time_parse(&at, optarg))
                return cli_usage("gate", "--at %s: an instant is written 2028-04-03T20:00:00Z",
                                 optarg);
            e.question.at = optarg;
            break;
        case REGIME:
            regime_path = optarg;
            break;
        case LANGUAGE:
            if (strcmp(optarg, "en") && strcmp(optarg, "de"))
                return cli_usage("gate", "--lang is en or de");
            e.language = strcmp(optarg, "de") ? OB_ENGLISH : OB_GERMAN;
            break;
        case 'h':
            return cli_help_of("gate");
        default:
            return cli_usage("gate", "%s", "");
        }
    if (optind + 1 != argc)
        return cli_usage("gate", "explain needs one file, or - for standard input");
    ob_buf input = {0}, regime = {0};
    ob_law_file *file = NULL;
    ob_error err = {0};
    ob_status status = OB_OK;
    if (regime_path) {
        ob_error why = {0};
        status = read_all(&regime, regime_path, REGIME_MOST, &err);
        if (!status && (status = ob_law_file_read(&file, regime.bytes, regime.size, &why)))
            ob_fail(&err, status, "%s: %s", regime_path, why.text);
        e.question.regime = file;
    }
    if (!status)
        status = read_all(&input, argv[optind], INPUT_MOST, &err);
    if (!status)
        status = answer_all(&e, &input, &err);
    if (status)
        cli_say("%s", err.text);
    ob_law_file_free(file);
    ob_buf_free(&regime);
    ob_buf_free(&input);
    return cli_finish(status ? CLI_FAILURE : CLI_NOTHING);
}

/* ---- Regimes --------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "-";
}

static void print_regime(const json_t *r)
{
    const json_t *left = json_object_get(r, "days_left");
    printf("%-20s %-10s %-11s %-20s  %-20s ", text_of(r, "id"), text_of(r, "kind"),
           text_of(r, "state"), text_of(r, "from"), text_of(r, "until"));
    if (json_is_integer(left))
        printf("%5lld ", (long long)json_integer_value(left));
    else
        printf("%5s ", "-");
    printf("%.12s  %s\n", text_of(r, "digest"), text_of(r, "title"));
}

static int regimes(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    int option;
    while ((option = cli_option("gate regimes", argc, argv, longs)) != -1)
        if (option == 'j')
            json = true;
        else
            return option == 'h' ? cli_help_of("gate") : cli_usage("gate", "%s", "");
    if (optind != argc)
        return cli_usage("gate", "regimes takes no argument");
    json_t *all = ob_law_overview(ob_now()), *one;
    size_t i;
    bool orders = false;
    if (json) {
        cli_print_json(all);
        return cli_finish(CLI_NOTHING);
    }
    printf("%-20s %-10s %-11s %-20s  %-20s %5s %-12s  %s\n", "REGIME", "KIND", "STATE", "FROM",
           "UNTIL", "DAYS", "DIGEST", "TITLE");
    json_array_foreach(json_object_get(all, "regimes"), i, one)
    {
        print_regime(one);
        orders |= !strcmp(text_of(one, "state"), "in_force") &&
                  json_is_true(json_object_get(one, "orders"));
    }
    if (!orders)
        puts("\nNo regime in force knows orders.");
    printf("All together: %s\nThe floor:    %s\n", text_of(all, "digest"),
           text_of(all, "floor_digest"));
    json_decref(all);
    return cli_finish(CLI_NOTHING);
}

int cmd_gate(const cli *cli, int argc, char **argv)
{
    (void)cli;
    if (argc > 1 && !strcmp(argv[1], "explain"))
        return explain(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "regimes"))
        return regimes(argc - 1, argv + 1);
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return cli_help_of("gate");
    static const char *const known[] = {"explain", "regimes"};
    return argc > 1 ? cli_unknown("gate", argv[1], known, 2)
                    : cli_usage("gate", "gate explain, or gate regimes?");
}
