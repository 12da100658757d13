/* SQL as it is written here → as PostgreSQL wants it. Words and marks within quotes are left alone.
 */
#include "postgresql.h"

#include <ctype.h>
#include <string.h>

static const struct word {
    const char *here, *there;
} words[] = {
    {"BLOB", "BYTEA"},
    {"INTEGER", "BIGINT"},
    {"TEXT", "TEXT COLLATE \"C\""}, /* ordered by bytes, as SQLite does */
    {"STRICT", ""},
};

/* The length of what is quoted at `text`, with its quotes; 0: nothing is. */
static size_t quoted(const char *text)
{
    if (*text != '\'' && *text != '"')
        return 0;
    const char *end = strchr(text + 1, *text);
    return end ? (size_t)(end - text) + 1 : strlen(text);
}

static size_t word_at(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

static ob_status append_word(ob_buf *out, const char *word, size_t size, ob_error *err)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].here) == size && !memcmp(words[i].here, word, size))
            return ob_buf_append(out, words[i].there, strlen(words[i].there), err);
    return ob_buf_append(out, word, size, err);
}

ob_status postgresql_words(ob_buf *out, const char *text, ob_error *err)
{
    ob_status status = ob_buf_append(out, "", 0, err);
    while (*text && !status) {
        size_t size = quoted(text), word = size ? 0 : word_at(text);
        if (word)
            status = append_word(out, text, size = word, err);
        else
            status = ob_buf_append(out, text, size = size ? size : 1, err);
        text += size;
    }
    return status;
}

ob_status postgresql_parameters(ob_buf *out, int *count, const char *text, ob_error *err)
{
    ob_status status = ob_buf_append(out, "", 0, err);
    for (*count = 0; *text && !status;) {
        size_t size = quoted(text);
        if (*text == '?')
            status = ob_buf_printf(out, err, "$%d", ++*count);
        else
            status = ob_buf_append(out, text, size ? size : 1, err);
        text += size ? size : 1;
    }
    return status;
}
