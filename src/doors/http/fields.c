/* Header fields of answers: what may stand in one, versions, and parts of a body. */
#include <obhut/http.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- Writing --------------------------------------------------------------------------------- */

/* RFC 9110, 5.6.2. */
static bool is_token(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    const char *at = name;
    for (; *at; at++) {
        const bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (!is_letter && !(*at >= '0' && *at <= '9') && !strchr(marks, *at))
            return false;
    }
    return at != name;
}

static bool has_control(const char *value)
{
    for (; *value; value++)
        if (((uint8_t)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return true;
    return false;
}

/* Where an answer ends, and whether the connection does, is the front's alone; Content-Type, Allow
 * and Retry-After are members of the answer. */
static bool is_of_front(const char *name)
{
    static const char *const names[] = {
        "Connection", "Content-Length", "Content-Range",     "Content-Type",
        "Date",       "Keep-Alive",     "Transfer-Encoding", "Trailer",
        "Upgrade",    "Allow",          "Retry-After"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(names[i], name))
            return true;
    return false;
}

ob_status ob_answer_header(ob_answer *answer, const char *name, const char *value, ob_error *err)
{
    enum { MOST = 16384 };
    if (answer->headers.size + strlen(name) + strlen(value) + 3 > MOST)
        return ob_fail(err, OB_EINVAL, "header fields of an answer have at most %d bytes", MOST);
    if (!is_token(name))
        return ob_fail(err, OB_EINVAL, "\"%.40s\" is no name of a header field", name);
    if (is_of_front(name))
        return ob_fail(err, OB_EINVAL, "%s is set by the front", name);
    if (has_control(value))
        return ob_fail(err, OB_EINVAL, "the value of %s has control characters", name);
    return ob_buf_printf(&answer->headers, err, "%s: %s\n", name, value);
}

/* RFC 6265, 4.1.1. */
static bool is_cookie_value(const char *value)
{
    for (; *value; value++)
        if ((uint8_t)*value <= 0x20 || (uint8_t)*value >= 0x7f || strchr("\",;\\", *value))
            return false;
    return true;
}

ob_status ob_answer_cookie(ob_answer *answer, const char *name, const char *value,
                           unsigned max_age_s, ob_error *err)
{
    char text[4096];
    if (!is_token(name) || !is_cookie_value(value))
        return ob_fail(err, OB_EINVAL, "name or value of the cookie has characters that none has");
    const int size =
        snprintf(text, sizeof text, "%s=%s; Path=/; Max-Age=%u; Secure; HttpOnly; SameSite=Strict",
                 name, value, max_age_s);
    if (size < 0 || (size_t)size >= sizeof text)
        return ob_fail(err, OB_EINVAL, "a cookie has at most %zu bytes", sizeof text - 1);
    return ob_answer_header(answer, "Set-Cookie", text, err);
}

ob_status ob_answer_version(ob_answer *answer, const char *tag, ob_error *err)
{
    char text[100];
    if (!*tag || strlen(tag) > sizeof text - 3 || !is_cookie_value(tag))
        return ob_fail(err, OB_EINVAL, "\"%.40s\" cannot name a version", tag);
    snprintf(text, sizeof text, "\"%s\"", tag);
    return ob_answer_header(answer, "ETag", text, err);
}

void ob_answer_free(ob_answer *answer)
{
    ob_buf_free(&answer->body);
    ob_buf_free(&answer->headers);
    if (answer->has_file)
        close(answer->file);
    answer->has_file = false;
}

/* ---- Versions (RFC 9110, 8.8.3 and 13.1) ------------------------------------------------------
 */

static const char *behind_weak(const char *version)
{
    return strncmp(version, "W/", 2) ? version : version + 2;
}

bool ob_version_is_named(const char *field, const char *version, bool strong)
{
    const char *wanted = behind_weak(version);
    const size_t size = strlen(wanted);
    if (strong && wanted != version)
        return false;
    if (!strong && !strcmp(field, "*"))
        return true;
    while (*field) {
        field += strspn(field, ", \t");
        const char *at = behind_weak(field);
        const bool is_weak = at != field;
        if (*at != '"')
            return false;
        const char *end = strchr(at + 1, '"');
        if (!end)
            return false;
        end++;
        if ((size_t)(end - at) == size && !memcmp(at, wanted, size) && !(strong && is_weak))
            return true;
        field = end;
    }
    return false;
}

/* ---- Parts (RFC 9110, 14.1.2 and 14.2) --------------------------------------------------------
 */

/* Digits at *text, behind which it stands then. False: there are none, or too many. */
static bool take_number(uint64_t *out, const char **text)
{
    const char *begin = *text;
    for (*out = 0; **text >= '0' && **text <= '9'; (*text)++) {
        if (*out > UINT64_MAX / 10 - 1)
            return false;
        *out = *out * 10 + (uint64_t)(**text - '0');
    }
    return *text != begin;
}

/* The last `count` bytes. */
static ob_range take_tail(uint64_t *first, uint64_t *last, const char *text, uint64_t size)
{
    uint64_t count;
    if (!take_number(&count, &text) || *text)
        return OB_RANGE_WHOLE;
    if (!count || !size)
        return OB_RANGE_NONE;
    *first = count < size ? size - count : 0;
    *last = size - 1;
    return OB_RANGE_PART;
}

ob_range ob_range_of(uint64_t *first, uint64_t *last, const char *field, uint64_t size)
{
    static const char unit[] = "bytes=";
    uint64_t from, to = UINT64_MAX;
    if (!field || strncasecmp(field, unit, sizeof unit - 1))
        return OB_RANGE_WHOLE;
    const char *text = field + sizeof unit - 1;
    if (*text == '-')
        return take_tail(first, last, text + 1, size);
    if (!take_number(&from, &text) || *text++ != '-')
        return OB_RANGE_WHOLE;
    if (*text && (!take_number(&to, &text) || *text || to < from))
        return OB_RANGE_WHOLE;
    if (from >= size)
        return OB_RANGE_NONE;
    *first = from;
    *last = to < size ? to : size - 1;
    return OB_RANGE_PART;
}
