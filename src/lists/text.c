/* Lines without columns: a hash, named or not, and perhaps more behind it. */
#include "read_priv.h"

#include <string.h>

/* Where the next word begins and how long it is. */
static size_t word_at(char **from, const char *ends)
{
    *from += strspn(*from, " \t");
    return strcspn(*from, ends);
}

/* "pdq HASH", "pdq:HASH", "md5: HASH": sets *field and goes on to the hash. */
static void skip_name(int *field, char **at)
{
    char name[24];
    size_t length = strcspn(*at, ": \t");
    char *rest = *at + length;
    if (!length || length >= sizeof name || !*rest)
        return;
    memcpy(name, *at, length);
    name[length] = '\0';
    int kind = field_kind(name);
    if (kind < 0 || kind == FIELD_ANY)
        return;
    *field = kind;
    *at = rest + strspn(rest, ": \t");
}

/* "SHA256 (some file) = HASH", as md5sum --tag and BSD write it. */
static void skip_tag(char **at)
{
    char *last = **at == '(' ? strrchr(*at, '=') : NULL;
    if (last && last > *at && last[-1] == ' ')
        *at = last + 1 + strspn(last + 1, " ");
}

/* `obhut hash` prints the quality behind the hash. */
static char *quality_behind(char *rest)
{
    size_t length = word_at(&rest, " \t");
    if (!length || strspn(rest, "0123456789") != length)
        return NULL;
    rest[length] = '\0';
    return rest;
}

ob_status entry_from_text(entry *out, bool *skipped, reader *r, char *line, ob_error *err)
{
    int field = FIELD_ANY;
    char *fields[FIELDS] = {0};
    line += strspn(line, " \t");
    skip_name(&field, &line);
    if (field != FIELD_ANY)
        skip_tag(&line);
    line += *line == '\\'; /* md5sum, before a name with a line end in it */
    size_t length = strcspn(line, " \t,;|");
    char *rest = line[length] ? line + length + 1 : line + length;
    if (line[length])
        fields[FIELD_QUALITY] = quality_behind(rest);
    line[length] = '\0';
    fields[field] = line;
    if (!length)
        return ob_fail(err, OB_EFORMAT, "no hash");
    return entry_from_fields(out, skipped, r, fields, err);
}
