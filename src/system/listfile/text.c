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

/* A further hash, named or not. */
static ob_status take_word(said *to, char *word, ob_error *err)
{
    bool used;
    char *colon = strrchr(word, ':');
    int field = FIELD_ANY;
    if (colon) {
        *colon = '\0';
        field = field_kind(word);
        word = colon + 1;
    }
    return field >= 0 && field_could_be_hash(word) ? said_put(&used, to, field, word, err) : OB_OK;
}

/* What stands between separators: a state where it is nothing else, or words, of which any may be a
 * hash. */
static ob_status take_behind(said *to, char *text, ob_error *err)
{
    bool used;
    text += strspn(text, " \t\"");
    size_t size = strlen(text);
    while (size && strchr(" \t\"", text[size - 1]))
        size--;
    text[size] = '\0';
    if (field_state_is_known(text))
        return said_put(&used, to, FIELD_STATE, text, err);
    ob_status status = OB_OK;
    for (char *rest = NULL, *word = strtok_r(text, " ", &rest); word && !status;
         word = strtok_r(NULL, " ", &rest))
        status = take_word(to, word, err);
    return status;
}

/* Behind the first hash; md5sum has names of files there. */
static ob_status take_rest(said *to, char *rest, ob_error *err)
{
    ob_status status = OB_OK;
    for (char *more = NULL, *part = strtok_r(rest, ",;|\t", &more); part && !status;
         part = strtok_r(NULL, ",;|\t", &more))
        status = take_behind(to, part, err);
    return status;
}

ob_status entry_from_text(entry *out, bool *skipped, reader *r, char *line, ob_error *err)
{
    int field = FIELD_ANY;
    said said = {.more_count = 0};
    line += strspn(line, " \t");
    skip_name(&field, &line);
    if (field != FIELD_ANY)
        skip_tag(&line);
    line += *line == '\\'; /* md5sum, before a name with a line end in it */
    size_t length = strcspn(line, " \t,;|");
    const bool more = line[length];
    char *rest = more ? line + length + 1 : line + length;
    const bool is_sum = line[length] == ' ' && (*rest == ' ' || *rest == '*');
    line[length] = '\0';
    said.text[field] = line;
    if (!length)
        return ob_fail(err, OB_EFORMAT, "no hash");
    char *const end = rest + strlen(rest);
    if (more)
        said.text[FIELD_QUALITY] = quality_behind(rest);
    if (said.text[FIELD_QUALITY])
        rest = said.text[FIELD_QUALITY] + strlen(said.text[FIELD_QUALITY]);
    rest += rest < end && !*rest; /* the number's end was written there */
    ob_status status = is_sum ? OB_OK : take_rest(&said, rest, err);
    return status ? status : entry_from_fields(out, skipped, r, &said, err);
}
