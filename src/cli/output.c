#include "cli.h"

#include <obhut/admin.h>
#include <obhut/json.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cli_say(const char *format, ...)
{
    cli_progress(NULL);
    va_list args;
    va_start(args, format);
    fputs("obhut: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

int cli_usage(const char *command, const char *format, ...)
{
    if (*format) {
        va_list args;
        va_start(args, format);
        fputs("obhut: ", stderr);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        va_end(args);
    }
    fprintf(stderr, "Help: obhut %s%s--help\n", command, *command ? " " : "");
    return CLI_USAGE;
}

int cli_help(const char *text)
{
    fputs(text, stdout);
    return cli_finish(CLI_NOTHING);
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
        ob_admin_once(&result, cli->data_dir, request, -1, NULL, &err);
    json_decref(request);
    if (!result)
        cli_say("%s", err.text);
    return result;
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
