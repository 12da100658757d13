/* Reads a line of queries for `obhut match`: hashes, digests, or a line of `obhut hash --json`. */
#include "query_line.h"

#include <obhut/crypto.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

static const char *const kinds[] = {"pdq", "md5", "sha1", "sha256"};
enum { KINDS = sizeof kinds / sizeof *kinds, QUERY = 80 };

typedef ob_status (*query_heard)(void *context, const char *query, size_t length, ob_error *err);

/* An object of `obhut hash --json`: all the hashes that it has. */
static ob_status from_object(bool *any, const json_t *object, query_heard each, void *context,
                             ob_error *err)
{
    ob_status status = OB_OK;
    for (int k = 0; k < KINDS && !status; k++) {
        char query[QUERY];
        const char *hash = json_string_value(json_object_get(object, kinds[k]));
        if (!hash || !*hash)
            continue;
        int size = snprintf(query, sizeof query, "%s%s%s", k ? kinds[k] : "", k ? ":" : "", hash);
        *any = true;
        status = each(context, query, size < QUERY ? (size_t)size : QUERY - 1, err);
    }
    return status;
}

static size_t word(const char *from, size_t length)
{
    size_t size = 0;
    while (size < length && !strchr(" \t,;|", from[size]))
        size++;
    return size;
}

static void skip(const char **from, size_t *length, const char *what)
{
    while (*length && **from && strchr(what, **from)) {
        (*from)++;
        (*length)--;
    }
}

/* "pdq HASH" and "pdq: HASH": goes on to the hash. */
static const char *named(const char **from, size_t *length)
{
    for (int k = 0; k < KINDS; k++) {
        const size_t size = strlen(kinds[k]);
        if (*length <= size || strncasecmp(*from, kinds[k], size) || !strchr(": \t", (*from)[size]))
            continue;
        *from += size;
        *length -= size;
        skip(from, length, ": \t");
        return kinds[k];
    }
    return NULL;
}

/* What digits without a name are: only those of a PDQ hash need none. */
static const char *by_length(size_t size)
{
    return size == 2 * OB_MD5_SIZE ? "md5" : size == 2 * OB_SHA1_SIZE ? "sha1" : NULL;
}

/* Hashes of other methods may have commas and whatever else in them. */
static bool is_signal(const char *from, size_t length)
{
    static const char *const names[] = {"photodna:", "tmk:", "vpdq:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (length > strlen(names[i]) && !strncmp(from, names[i], strlen(names[i])))
            return true;
    return false;
}

ob_status query_line(const char *line, size_t length, query_heard each, void *context,
                     ob_error *err)
{
    char query[QUERY];
    const char *from = line;
    size_t left = length;
    skip(&from, &left, " \t");
    if (left && *from == '{') {
        bool any = false;
        json_t *object = json_loadb(from, left, 0, NULL);
        ob_status status = from_object(&any, object, each, context, err);
        json_decref(object);
        return status || any ? status : each(context, line, length, err);
    }
    if (is_signal(from, left))
        return each(context, from, left, err);
    const char *name = named(&from, &left);
    const size_t size = word(from, left);
    if (!name)
        name = by_length(size);
    if (size > 2 * OB_SHA256_SIZE + 8)
        return each(context, line, length, err);
    int made = snprintf(query, sizeof query, "%s%s%.*s", name && strcmp(name, "pdq") ? name : "",
                        name && strcmp(name, "pdq") ? ":" : "", (int)size, from);
    return each(context, query, (size_t)made, err);
}
