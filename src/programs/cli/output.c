/* What all commands print: sentences, progress, JSON. */
#include "cli.h"

#include <obhut/commands.h>
#include <obhut/json.h>
#include <obhut/nearest.h>
#include <obhut/socket.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cli_say(const char *format, ...)
{
    cli_progress(NULL);
    va_list args;
    char *sentence;
    va_start(args, format);
    if (vasprintf(&sentence, format, args) < 0)
        sentence = NULL;
    va_end(args);
    fputs("obhut: ", stderr);
    cli_put_name(stderr, sentence ? sentence : "out of memory: a sentence");
    fputc('\n', stderr);
    free(sentence);
}

void cli_put_name(FILE *to, const char *name)
{
    for (; *name; name++)
        fputc((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name, to);
}

int cli_usage(const char *command, const char *format, ...)
{
    char sentence[600];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (*sentence)
        cli_say("%s", sentence);
    fprintf(stderr, "Help: obhut %s%s--help\n", command, *command ? " " : "");
    return CLI_USAGE;
}

const char *cli_words(int argc, char **argv)
{
    static char words[100];
    const bool has_action = argc > 1 && argv[1][0] != '-';
    snprintf(words, sizeof words, "%s%s%.60s", argv[0], has_action ? " " : "",
             has_action ? argv[1] : "");
    return words;
}

static void say_no_option(const char *words, const char *given, const struct option *longs)
{
    enum { MOST = 24 };
    const char *known[MOST], *near = NULL;
    size_t count = 0;
    char name[44];
    for (; longs[count].name && count < MOST; count++)
        known[count] = longs[count].name;
    snprintf(name, sizeof name, "%s", given + strspn(given, "-"));
    name[strcspn(name, "=")] = '\0';
    near = ob_nearest(name, known, count);
    cli_say("%s: no option %.80s%s%s%s", words, given, near ? "; --" : "", near ? near : "",
            near ? " was probably meant" : "");
}

static const char *name_of(int value, const struct option *longs)
{
    while (longs->name && longs->val != value)
        longs++;
    return longs->name ? longs->name : "?";
}

int cli_option(const char *words, int argc, char **argv, const struct option *longs)
{
    opterr = 0; /* what the C library would say names no command */
    int option = getopt_long(argc, argv, ":h", longs, NULL);
    if (option == ':')
        cli_say("%s: --%s needs a value", words, name_of(optopt, longs));
    else if (option == '?' && optopt > UCHAR_MAX)
        cli_say("%s: --%s takes no value", words, name_of(optopt, longs));
    else if (option == '?' && optopt)
        cli_say("%s: no option -%c", words, optopt);
    else if (option == '?')
        say_no_option(words, argv[optind - 1], longs);
    return option == ':' ? '?' : option;
}

int cli_unknown(const char *command, const char *word, const char *const *known, size_t count)
{
    const char *near = ob_nearest(word, known, count);
    return cli_usage(command, "no command %s%s%s%s%s%s", command, *command ? " " : "", word,
                     near ? "; \"" : "", near ? near : "", near ? "\" was probably meant" : "");
}

void cli_progress(const char *text)
{
    static bool shown;
    if (!isatty(STDERR_FILENO) || (!shown && (!text || !*text)))
        return;
    shown = text && *text;
    fprintf(stderr, "\r\033[K%s", shown ? text : "");
    fflush(stderr);
}

int cli_finish(int code)
{
    cli_progress(NULL);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    cli_say("the output could not be written: %s", errno ? strerror(errno) : "an earlier error");
    return CLI_FAILURE;
}

json_t *cli_json_hash(const ob_hash256 *hash)
{
    char text[OB_HASH256_HEX + 1];
    ob_hash256_print(text, hash);
    return json_string(text);
}

void cli_print_json(json_t *object)
{
    char *text = ob_json_write(object, JSON_COMPACT);
    if (text)
        puts(text);
    else
        cli_say("out of memory: a line of output");
    free(text);
    json_decref(object);
}

json_t *cli_ask(const cli *cli, json_t *request)
{
    ob_error err = {0};
    json_t *result = NULL;
    if (!request)
        ob_fail(&err, OB_ENOMEM, "out of memory: a request");
    else
        ob_socket_once(&result, cli->data_dir, request, -1, NULL, &err);
    json_decref(request);
    if (!result)
        cli_say("%s", err.text);
    return result;
}

void cli_words_between_commas(json_t *array, const char *value)
{
    char *copy = strdup(value), *rest = copy, *one;
    while (copy && (one = strsep(&rest, ",")) != NULL)
        json_array_append_new(array, ob_json_text(one));
    free(copy);
}

const char *cli_join(const json_t *array)
{
    static char joined[200];
    size_t i;
    json_t *value;
    *joined = '\0';
    json_array_foreach((json_t *)(uintptr_t)array, i, value)
    {
        const char *text = json_string_value(value);
        size_t length = strlen(joined);
        snprintf(joined + length, sizeof joined - length, "%s%s", i ? "," : "", text ? text : "?");
    }
    return joined;
}
