#include "rules.h"

#include <stdlib.h>
#include <string.h>

static bool take_number(unsigned long *out, const char **at)
{
    char *end;
    *out = strtoul(*at, &end, 10);
    bool fine = end > *at && **at != '-';
    *at = end;
    return fine;
}

static bool take_word(const char **at, const char *word)
{
    size_t length = strlen(word);
    bool is = !strncmp(*at, word, length);
    *at += is ? length : 0;
    return is;
}

static bool take_says(files_rule *rule, const char **at)
{
    unsigned long n = 0;
    if (take_word(at, "hold"))
        return rule->holds = true;
    if (take_word(at, "errno=") && take_number(&n, at))
        return (rule->error = (int)n) > 0;
    if (take_word(at, "delay=") && take_number(&n, at))
        return (rule->delay_ms = (unsigned)n) > 0;
    rule->and_on = !strncmp(*at, "from=", 5);
    return (take_word(at, "nth=") || take_word(at, "from=")) && take_number(&rule->nth, at) &&
           rule->nth > 0;
}

static bool take_verb(files_rule *rule, const char **at)
{
    size_t length = strcspn(*at, ":");
    int verb = files_verb(*at, length);
    rule->verbs = length == 3 && !memcmp(*at, "any", 3)      ? FILES_ANY
                  : length == 6 && !memcmp(*at, "change", 6) ? FILES_CHANGES
                  : verb >= 0                                ? 1u << verb
                                                             : 0;
    *at += length;
    return rule->verbs && take_word(at, ":");
}

static bool take_rule(files_rule *rule, const char **at)
{
    if (!take_verb(rule, at))
        return false;
    size_t length = strcspn(*at, ":;\n");
    if (length >= sizeof rule->path)
        return false;
    memcpy(rule->path, *at, length);
    *at += length;
    if (!take_word(at, ":"))
        return false;
    do
        if (!take_says(rule, at))
            return false;
    while (take_word(at, ","));
    return true;
}

static bool take_clock(rules_text *out, const char **at, int64_t now)
{
    bool back = take_word(at, "-"), ahead = !back && take_word(at, "+");
    unsigned long n = 0;
    if (!take_number(&n, at))
        return false;
    out->has_clock = true;
    out->ahead = back ? -(int64_t)n : ahead ? (int64_t)n : (int64_t)n - now;
    return true;
}

bool rules_read(rules_text *out, const char **wrong, const char *text, int64_t now)
{
    *out = (rules_text){0};
    for (const char *at = text; *at;) {
        at += strspn(at, "; \n");
        *wrong = at;
        if (!*at)
            break;
        bool fine = take_word(&at, "clock:")
                        ? take_clock(out, &at, now)
                        : out->count < FILES_RULES && take_rule(&out->rules[out->count++], &at);
        if (!fine || (*at && !strchr("; \n", *at)))
            return false;
    }
    return true;
}
