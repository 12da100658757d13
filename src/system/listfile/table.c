/* Tables: a header with the names of columns, and rows. */
#include "read_priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Splits in place (RFC 4180, with any separator; a quoted field ends on its line). */
static ob_status split(char *fields[COLUMNS_MAX], int *count, char *line, char separator,
                       ob_error *err)
{
    const char ends[] = {separator, '\0'};
    *count = 0;
    for (char *p = line;;) {
        if (*count == COLUMNS_MAX)
            return ob_fail(err, OB_EFORMAT, "more than %d columns", COLUMNS_MAX);
        if (separator != '\t' && p[strspn(p, " \t")] == '"')
            p += strspn(p, " \t");
        fields[(*count)++] = p;
        char *to = p;
        if (*p == '"') {
            for (p++;; *to++ = *p++) {
                if (*p == '"' && *++p != '"')
                    break;
                if (!*p)
                    return ob_fail(err, OB_EFORMAT, "a quoted field that does not end on its line");
            }
            if (separator != ' ' && *p != separator)
                p += strspn(p, " ");
            if (*p && *p != separator)
                return ob_fail(err, OB_EFORMAT, "something behind the closing quote of a field");
        } else {
            p += strcspn(p, ends);
            to = p;
        }
        bool more = *p == separator;
        *to = '\0';
        if (!more)
            return OB_OK;
        p++;
    }
}

/* How many names a header would have that are known, or 0 where none of them is a hash. (A "value"
 * is one only behind what says its type.) */
static int known_names(const char *line, size_t length, char separator)
{
    char copy[4096], *names[COLUMNS_MAX];
    int count, known = 0;
    bool hash = false, type = false;
    if (length >= sizeof copy)
        return 0;
    memcpy(copy, line, length + 1);
    if (split(names, &count, copy, separator, NULL))
        return 0;
    for (int i = 0; i < count; i++) {
        int field = field_of(names[i]);
        known += field >= 0;
        type |= field == FIELD_TYPE;
        hash |= field_is_hash(field) && (type || strcasecmp(names[i], "value"));
    }
    return hash ? known : 0;
}

static char find_separator(const char *line)
{
    static const char candidates[] = ",;\t|";
    char best = '\0';
    int most = 0;
    for (const char *c = candidates; *c; c++) {
        int known = known_names(line, strlen(line), *c);
        if (known > most) {
            most = known;
            best = *c;
        }
    }
    return best;
}

static void note_columns(reader *r, char *const names[], int count)
{
    bool taken[FIELDS] = {false};
    for (int i = 0; i < count; i++) {
        int field = field_of(names[i]);
        if (field >= 0 && taken[field] && !field_is_hash(field) && !field_is_state(field))
            field = -1;
        if (field >= 0)
            taken[field] = true;
        r->column[i] = field;
        size_t at = 0;
        if (names[i][strspn(names[i], " \t")])
            names_note(&at, &r->understood->columns, names[i] + strspn(names[i], " \t"));
        else
            at = SIZE_MAX;
        if (at != SIZE_MAX)
            r->understood->columns.name[at].used |= field >= 0;
    }
    r->columns = count;
}

static void say_shape(reader *r)
{
    const char *how = r->separator == '\t'  ? "columns separated by tabs"
                      : r->separator == ',' ? "CSV"
                      : r->separator == ';' ? "CSV with semicolons"
                                            : "columns separated by |";
    snprintf(r->understood->shape, sizeof r->understood->shape, "%s%s", how, bytes_coding(r->from));
}

ob_status table_header(reader *r, char *line, ob_error *err)
{
    char *names[COLUMNS_MAX];
    int count;
    char separator = find_separator(line);
    if (!separator)
        return ob_fail(
            err, OB_EFORMAT,
            "neither a hash nor a header with a column \"pdq\", \"md5\", \"sha1\", "
            "\"sha256\" or \"hash\" (separated by comma, semicolon, tab or |), nor JSON, "
            "nor XML");
    ob_status status = split(names, &count, line, separator, err);
    if (status)
        return status;
    r->separator = separator;
    r->shape = SHAPE_TABLE;
    note_columns(r, names, count);
    say_shape(r);
    return OB_OK;
}

ob_status entry_from_row(entry *out, bool *skipped, reader *r, char *line, ob_error *err)
{
    char *values[COLUMNS_MAX];
    said said = {.more_count = 0};
    int count;
    bool used;
    ob_status status = split(values, &count, line, r->separator, err);
    for (int i = 0; i < count && i < r->columns && !status; i++)
        status = said_put(&used, &said, r->column[i], values[i], err);
    return status ? status : entry_from_fields(out, skipped, r, &said, err);
}
