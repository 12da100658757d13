/* A line of `log`, taken apart. */
#include "audit_priv.h"

#include <string.h>

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool word_is_valid(const char *word)
{
    size_t length = 0;
    while (is_word_character(word[length]))
        length++;
    return !word[length] && length > 0 && length <= OB_AUDIT_WORD_MAX;
}

/* Lower-case only: there is one way to write a hash. A table, because which kind of digit comes
 * next cannot be foreseen. */
static const bool digits[256] = {
    ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true,
    ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['a'] = true, ['b'] = true,
    ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true,
};

typedef struct scan {
    const char *at, *end;
} scan;

static bool skip(scan *s, const char *text)
{
    while (*text && s->at < s->end && *s->at == *text)
        s->at++, text++;
    return !*text;
}

/* {"n":N,"at":"TIME","what":"WORD" and then members or the end. Leaves s->at where it went wrong.
 */
static bool parse_entry(line *out, scan *s)
{
    if (!skip(s, "{\"n\":"))
        return false;
    const char *number = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    if (!number_parse(&out->number, number, s->at) || !skip(s, ",\"at\":\""))
        return false;
    out->at = s->at;
    if (s->end - s->at < OB_AUDIT_TIME || !time_is_valid(s->at, OB_AUDIT_TIME))
        return false;
    s->at += OB_AUDIT_TIME;
    if (!skip(s, "\",\"what\":\""))
        return false;
    out->what = s->at;
    while (s->at < s->end && is_word_character(*s->at))
        s->at++;
    out->what_length = (size_t)(s->at - out->what);
    return out->what_length && out->what_length <= OB_AUDIT_WORD_MAX && skip(s, "\"") &&
           s->at < s->end && (*s->at == ',' || (*s->at == '}' && s->at + 1 == s->end)) &&
           s->end[-1] == '}';
}

ob_status line_head(line *out, size_t *bad, const char *bytes, size_t size, ob_error *err)
{
    line parsed = {0};
    size_t length = LINE_HEAD - 1, i = 0;
    while (i < length && i < size && digits[(unsigned char)bytes[i]])
        i++;
    if (i < length || size == length || bytes[length] != ' ') {
        *bad = i;
        return ob_fail(err, OB_EFORMAT, "a line that does not begin with a hash of 64 digits");
    }
    if (size > LINE_HEAD + OB_AUDIT_ENTRY_MAX) {
        *bad = 0;
        return ob_fail(err, OB_EFORMAT, "a line of %zu bytes", size);
    }
    parsed.text = bytes + LINE_HEAD;
    parsed.size = size - LINE_HEAD;
    ob_status status = ob_hex_parse(parsed.stored.bytes, OB_AUDIT_HASH, bytes, err);
    if (!status)
        *out = parsed;
    return status;
}

ob_status line_entry(line *out, size_t *bad, ob_error *err)
{
    scan s = {out->text, out->text + out->size};
    if (parse_entry(out, &s))
        return OB_OK;
    *bad = LINE_HEAD + (size_t)(s.at - out->text);
    return ob_fail(err, OB_EFORMAT,
                   "an entry that does not begin as those of this version do; use the version of "
                   "Obhut that wrote it, or a newer one");
}
