#include "config_whole.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    FILE *file;
    int line;
    int last; /* the character before the next one */
} reader;

static int next(reader *r, int before)
{
    r->last = before;
    if (before == '\n')
        r->line++;
    return getc(r->file);
}

static int skip_line(reader *r, int c)
{
    while (c != '\n' && c != EOF)
        c = next(r, c);
    return c;
}

/* From the character after the quote; what has no end is found by libconfuse, with its line. */
static int skip_text(reader *r, int c, int quote)
{
    while (c != quote && c != EOF) {
        if (c == '\\')
            c = next(r, c);
        c = c == EOF ? c : next(r, c);
    }
    return c == EOF ? c : next(r, c);
}

/* From the character after the star; *ended is whether it has an end. */
static int skip_comment(bool *ended, reader *r, int c)
{
    bool star = false;
    for (; c != EOF && !(star && c == '/'); c = next(r, c))
        star = c == '*';
    *ended = c != EOF;
    return c == EOF ? c : next(r, c);
}

/* A slash within a word begins no comment. */
static bool begins_word(int before)
{
    return before == EOF || strchr(" \t\r\n={}(),;\"'", before) != NULL;
}

enum { DEEPEST = 8 };

typedef struct braces {
    int depth, line[DEEPEST]; /* of the braces that are open */
} braces;

static void brace(braces *o, int line, int c)
{
    if (c == '{' && o->depth < DEEPEST)
        o->line[o->depth++] = line;
    else if (c == '}' && o->depth)
        o->depth--;
}

static ob_status walk(reader *r, const char *name, ob_error *err)
{
    braces o = {.depth = 0};
    for (int c = next(r, EOF); c != EOF;) {
        const int before = r->last, line = r->line;
        bool ended = true;
        const int now = c;
        c = next(r, c);
        if (now == '#')
            c = skip_line(r, c);
        else if (now == '"' || now == '\'')
            c = skip_text(r, c, now);
        else if (now == '/' && begins_word(before) && c == '/')
            c = skip_line(r, c);
        else if (now == '/' && begins_word(before) && c == '*')
            c = skip_comment(&ended, r, next(r, c));
        else
            brace(&o, line, now);
        if (!ended)
            return ob_fail(err, OB_EFORMAT, "%s, line %d: this comment has no end", name, line);
    }
    if (o.depth)
        return ob_fail(err, OB_EFORMAT,
                       "%s, line %d: the section that begins here has no end: a } is missing, or "
                       "the file was cut short",
                       name, o.line[o.depth - 1]);
    return OB_OK;
}

ob_status config_is_whole(const char *file, ob_error *err)
{
    reader r = {.file = fopen(file, "re"), .line = 1};
    if (!r.file)
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", file, strerror(errno));
    ob_status status = walk(&r, file, err);
    if (!status && ferror(r.file))
        status = ob_fail(err, OB_EIO, "%s cannot be read: %s", file, strerror(errno));
    fclose(r.file);
    return status;
}
