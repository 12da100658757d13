/* Whether a value is what a field takes: of its kind, and within its bounds. */
#include "fields_priv.h"

#include <obhut/gate.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values in JSON -------------------------------------------------------------------------- */

bool fields_is_text(const json_t *value, int64_t least, int64_t most)
{
    const char *text = json_string_value(value);
    const size_t size = json_string_length(value);
    return text && strlen(text) == size && (int64_t)size >= least && (int64_t)size <= most;
}

bool fields_one_of(const char *words, const char *text)
{
    const size_t size = strlen(text);
    if (strchr(text, '|'))
        return false;
    for (const char *at = words; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (!strncmp(at, text, size) && (at[size] == '|' || !at[size]))
            return true;
    }
    return false;
}

/* A JSON text without NUL; NULL: it is none. */
static const char *plain_text(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

bool fields_is_set(const ob_command_field *f)
{
    return f->words && strchr(f->words, '|');
}

bool ob_command_instant(int64_t *out, const char *text)
{
    char instant[OB_TIME_TEXT + 1];
    const size_t size = strlen(text);
    snprintf(instant, sizeof instant, size == 10 ? "%.10sT00:00:00Z" : "%.20s", text);
    return size <= OB_TIME_TEXT && ob_time_parse(out, instant);
}

static bool is_time(const char *text)
{
    int64_t when;
    return ob_command_instant(&when, text);
}

static bool are_texts(const json_t *value, int64_t least, int64_t count_most, int64_t most)
{
    size_t i;
    json_t *one;
    if (!json_is_array(value) || (int64_t)json_array_size(value) < least ||
        (int64_t)json_array_size(value) > count_most)
        return false;
    json_array_foreach((json_t *)(uintptr_t)value, i, one)
    {
        if (!fields_is_text(one, 1, most))
            return false;
    }
    return true;
}

static bool is_sha256(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool is_list(const ob_command_field *f, const json_t *value)
{
    return json_is_array(value) && (int64_t)json_array_size(value) >= f->least &&
           (int64_t)json_array_size(value) <= f->most;
}

bool fields_fit(const ob_command_field *f, const json_t *value)
{
    enum { PLACE_MOST = 4096 };
    const char *text = plain_text(value);
    switch (f->kind) {
    case OB_FIELD_TEXT:
        return fields_is_text(value, f->least, f->most);
    case OB_FIELD_WORD:
        return text && fields_one_of(f->words, text);
    case OB_FIELD_NUMBER:
        return json_is_integer(value) && json_integer_value(value) >= f->least &&
               json_integer_value(value) <= f->most;
    case OB_FIELD_TRUTH:
        return json_is_boolean(value);
    case OB_FIELD_TIME:
        return text && is_time(text);
    case OB_FIELD_OBJECT:
        return json_is_object(value);
    case OB_FIELD_FILE:
        return fields_is_text(value, 0, PLACE_MOST);
    case OB_FIELD_DOCUMENT:
        return is_sha256(value);
    case OB_FIELD_PLACES:
        return are_texts(value, 0, INT64_MAX, PLACE_MOST);
    case OB_FIELD_WORDS: /* each is looked at by check_words */
    case OB_FIELD_LIST:  /* by check_members */
        return is_list(f, value);
    case OB_FIELD_ANY:
        return !json_is_array(value) || (int64_t)json_array_size(value) <= f->most;
    }
    return false;
}

/* ---- Values as text, in a path, a query or a head -------------------------------------------- */

/* Digits as people write them: no sign but -, no zeros before. */
static bool is_number(const ob_command_field *f, const char *text)
{
    char *end;
    const char *digits = text + (*text == '-');
    if (*digits < '0' || *digits > '9' || (*digits == '0' && (digits[1] || digits != text)))
        return false;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    return !*end && !errno && number >= f->least && number <= f->most;
}

/* The bytes of a text may be any here: as they were sent, they are a service's own word. */
bool fields_text_fits(const ob_command_field *f, const char *text)
{
    const int64_t size = (int64_t)strlen(text);
    switch (f->kind) {
    case OB_FIELD_TEXT:
        return size >= f->least && size <= f->most;
    case OB_FIELD_WORD:
        return fields_one_of(f->words, text);
    case OB_FIELD_NUMBER:
        return is_number(f, text);
    case OB_FIELD_TRUTH:
        return !strcmp(text, "true") || !strcmp(text, "false");
    case OB_FIELD_TIME:
        return is_time(text);
    default:
        return false;
    }
}

/* ---- In words -------------------------------------------------------------------------------- */

void fields_say(char *out, size_t size, const ob_command_field *f)
{
    static const char *const kinds[] = {
        [OB_FIELD_TRUTH] = "true or false",    [OB_FIELD_TIME] = "a time: 2027-01-31",
        [OB_FIELD_OBJECT] = "a JSON object",   [OB_FIELD_FILE] = "a file",
        [OB_FIELD_DOCUMENT] = "a document",    [OB_FIELD_PLACES] = "texts",
        [OB_FIELD_LIST] = "a list of objects", [OB_FIELD_ANY] = "JSON",
    };
    const long long least = f->least, most = f->most, each = f->each;
    if (f->kind == OB_FIELD_NUMBER && f->most == INT64_MAX)
        snprintf(out, size, "a number from %lld", least);
    else if (f->kind == OB_FIELD_NUMBER)
        snprintf(out, size, "a number from %lld to %lld", least, most);
    else if (f->kind == OB_FIELD_TEXT)
        snprintf(out, size, "a text of %lld to %lld bytes", least, most);
    else if (f->kind == OB_FIELD_WORD)
        snprintf(out, size, "one of %s", f->words);
    else if (f->kind == OB_FIELD_WORDS && fields_is_set(f))
        snprintf(out, size, "a list of %lld to %lld of %s", least, most, f->words);
    else if (f->kind == OB_FIELD_WORDS)
        snprintf(out, size, "a list of %lld to %lld texts of 1 to %lld bytes", least, most, each);
    else if (f->kind == OB_FIELD_LIST || f->kind == OB_FIELD_ANY)
        snprintf(out, size, "%s, at most %lld", kinds[f->kind], most);
    else
        snprintf(out, size, "%s", kinds[f->kind]);
}
