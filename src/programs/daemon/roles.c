/* The table of processes, and the words of their command lines. */
#include "roles.h"

#include "weigh.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Words ---------------------------------------------------------------------------------- */

void words_add(role_words *to, const char *format, ...)
{
    va_list args;
    char *word = NULL;
    va_start(args, format);
    const bool made = to->count < ROLE_WORDS && vasprintf(&word, format, args) >= 0;
    va_end(args);
    if (made)
        to->words[to->count++] = word;
    else
        to->failed = true;
}

void words_free(role_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->words[i]);
    *words = (role_words){.count = 0};
}

/* The core reads the configuration file again, as main did, and what the command line said. */
static void core_words(role_words *to, const supervision *s)
{
    words_add(to, "--data=%s", s->config->data);
    for (int i = 0; i < OB_LISTENERS; i++)
        words_add(to, "--%s=%s", config_listen_keys[i], s->listeners->told[i]);
    if (s->config_file)
        words_add(to, "--config=%s", s->config_file);
}

enum { FRONT_NUMBERS = OB_LISTENERS + 5 };

void front_words(role_words *to, const config *c)
{
    words_add(to, "%llu", (unsigned long long)c->memory_most);
    words_add(to, "%llu", (unsigned long long)c->body_most);
    words_add(to, "%u", c->head_time_ms);
    words_add(to, "%u", c->body_time_ms);
    words_add(to, "%u", c->gateway_time_ms);
    for (int i = 0; i < OB_LISTENERS; i++)
        words_add(to, "%u", c->connections_most[i]);
}

static void tell_front(role_words *to, const supervision *s)
{
    front_words(to, s->config);
}

bool front_read_words(config *out, char *const *words, int count)
{
    uint64_t numbers[FRONT_NUMBERS];
    if (count != FRONT_NUMBERS)
        return false;
    for (int i = 0; i < FRONT_NUMBERS; i++) {
        char *end;
        errno = 0;
        numbers[i] = strtoull(words[i], &end, 10);
        if (errno || end == words[i] || *end)
            return false;
    }
    out->memory_most = numbers[0];
    out->body_most = numbers[1];
    out->head_time_ms = (unsigned)numbers[2];
    out->body_time_ms = (unsigned)numbers[3];
    out->gateway_time_ms = (unsigned)numbers[4];
    for (int i = 0; i < OB_LISTENERS; i++)
        out->connections_most[i] = (unsigned)numbers[FRONT_NUMBERS - OB_LISTENERS + i];
    return true;
}

/* ---- The table ------------------------------------------------------------------------------ */

enum { CALM_MS = 10000, AGAIN_MOST_MS = 2000 };

const role roles[ROLES] = {
    [ROLE_CORE] = {.name = "core",
                   .tell = core_words,
                   .run = core_main,
                   .peers = 1U << ROLE_FRONT,
                   .judges = 1U << ROLE_FRONT,
                   .calm_ms = CALM_MS,
                   .again_most_ms = AGAIN_MOST_MS,
                   .stops_after = 1U << ROLE_FRONT,
                   .stop_ms = 9500},
    [ROLE_FRONT] = {.name = "front",
                    .tell = tell_front,
                    .read = front_read_words,
                    .run = front_main,
                    .is_confined = true,
                    .profile = OB_PROFILE_FRONT,
                    .listens = true,
                    .peers = 1U << ROLE_CORE,
                    .files_most = weigh_front_most,
                    .calm_ms = CALM_MS,
                    .again_most_ms = AGAIN_MOST_MS,
                    .stop_ms = 8500}, /* to finish its requests */
};

role_id role_find(const char *name)
{
    int i = 0;
    while (i < ROLES && strcmp(name, roles[i].name) != 0)
        i++;
    return (role_id)i;
}
