/* What a request's head must be. A head that two programs read differently (a proxy, and what is
 * behind it) lets a client hide a request in another, or in a name what was not meant: it is
 * refused, and so is a body whose bytes are not those of the file. */
#include "front.h"

#include <string.h>
#include <strings.h>

typedef enum MHD_Result yes_or_no;

static const head_fault fine = {0};

/* ---- The target ------------------------------------------------------------------------------ */

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* With what is escaped in it; false where an escape is none. */
static bool unescape(uint8_t *out, size_t *size, const char *text)
{
    *size = 0;
    for (; *text; text++) {
        int high = 0, low = 0;
        if (*text == '%' && ((high = digit(text[1])) < 0 || (low = digit(text[2])) < 0))
            return false;
        out[(*size)++] = *text == '%' ? (uint8_t)(high << 4 | low) : (uint8_t)*text;
        if (*text == '%')
            text += 2;
    }
    return true;
}

static bool has_control(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return true;
    return false;
}

/* Behind "http://HOST"; NULL: it is not of that form. */
static const char *behind_host(const char *target)
{
    const char *host = !strncasecmp(target, "http://", 7)    ? target + 7
                       : !strncasecmp(target, "https://", 8) ? target + 8
                                                             : NULL;
    return host ? host + strcspn(host, "/?%") : NULL;
}

static const char *wrong_target(const char *target)
{
    enum { MOST = FRONT_HEAD_AND_BUFFER };
    uint8_t bytes[MOST];
    size_t size = 0;
    const char *rest = behind_host(target);
    if (*target != '/' && (!rest || *rest == '%'))
        return "the target of a request is a path, or http://HOST/PATH";
    if (strpbrk(target, " \t"))
        return "there is a blank in the target";
    if (strlen(target) >= MOST || !unescape(bytes, &size, target))
        return "an escape in the target is none: % and two hexadecimal digits are one";
    if (has_control(bytes, size))
        return "control characters have no place in a target, escaped or not";
    return ob_is_utf8(bytes, size) ? NULL : "the target is no UTF-8";
}

void *strict_target(void *door, const char *target, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    visitor *v = info ? info->socket_context : NULL;
    (void)door;
    if (v) {
        v->target = target;
        v->target_end = target + strlen(target);
        v->wrong_target = wrong_target(target);
    }
    return NULL;
}

/* "%2F" and "%25" stay as they are: a slash that belongs to a part of a path does not end the part,
 * and nothing is decoded twice. */
static size_t unescape_path(char *text)
{
    size_t size = 0;
    for (const char *from = text; *from; from++) {
        int high = 0, low = 0;
        if (*from == '%' && (high = digit(from[1])) >= 0 && (low = digit(from[2])) >= 0) {
            const char c = (char)(high << 4 | low);
            from += 2;
            if (c == '/' || c == '%') {
                memcpy(text + size, c == '/' ? "%2F" : "%25", 3);
                size += 3;
            } else {
                text[size++] = c;
            }
        } else {
            text[size++] = *from;
        }
    }
    text[size] = '\0';
    return size;
}

size_t strict_unescape(void *door, struct MHD_Connection *connection, char *text)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const visitor *v = info ? info->socket_context : NULL;
    (void)door;
    return v && text == v->target ? unescape_path(text) : MHD_http_unescape(text);
}

const char *strict_path(const char *url)
{
    const char *rest = behind_host(url);
    return *url == '/' || !rest ? url : *rest == '/' ? rest : "/";
}

/* ---- Fields ---------------------------------------------------------------------------------- */

/* All that is looked at of the fields, in one go. */
typedef struct reading {
    const char *next; /* where the next one begins, if nothing is between */
    bool is_broken;   /* something was: a line that goes on, a NUL, a line end without CR */
    bool has_control, is_named; /* is_named: every name is one */
    unsigned hosts, lengths, codings, contents, keys, types, tokens, cookies, origins;
    const char *coding, *content, *key, *type, *expect;
} reading;

/* RFC 9110, 5.6.2. */
static bool is_name(const char *name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    if (!*name)
        return false;
    for (; *name; name++) {
        const bool is_letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
        if (!is_letter && !(*name >= '0' && *name <= '9') && !strchr(others, *name))
            return false;
    }
    return true;
}

static bool has_bad_control(const char *value)
{
    for (; *value; value++)
        if (((uint8_t)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return true;
    return false;
}

static yes_or_no read_field(void *context, enum MHD_ValueKind kind, const char *name,
                            const char *value)
{
    reading *r = context;
    const struct {
        const char *name;
        unsigned *count;
        const char **value;
    } known[] = {{"Host", &r->hosts, NULL},
                 {"Content-Length", &r->lengths, NULL},
                 {"Transfer-Encoding", &r->codings, &r->coding},
                 {"Content-Encoding", &r->contents, &r->content},
                 {"Idempotency-Key", &r->keys, &r->key},
                 {"Content-Type", &r->types, &r->type},
                 {"Authorization", &r->tokens, NULL},
                 {"Cookie", &r->cookies, NULL},
                 {"Origin", &r->origins, NULL}};
    (void)kind;
    if (!value)
        value = "";
    r->is_broken |= name != r->next;
    r->next = value + strlen(value) + 2; /* CR and LF */
    r->is_named &= is_name(name);
    r->has_control |= has_bad_control(value);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(known[i].name, name)) {
            (*known[i].count)++;
            if (known[i].value)
                *known[i].value = value;
        }
    return MHD_YES;
}

/* The library reads a head in place and puts a NUL at the end of each of its parts, so that they
 * stand one behind the other, but for what it lets pass and does not tell: a NUL, a line end
 * without CR, a line that goes on, blanks where none belong. */
static bool is_whole(const reading *r, const exchange *x, const char *method, const char *version)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return version == x->visitor->target_end + 1 && !r->is_broken && size &&
           r->next + 2 == method + size->header_size;
}

/* ---- What is said of it ---------------------------------------------------------------------- */

static head_fault bad(const char *sentence)
{
    return (head_fault){.status = 400, .code = "HEAD", .sentence = sentence, .closes = true};
}

static head_fault framing_of(const reading *r, const char *version)
{
    if (r->codings && r->lengths)
        return bad("Content-Length and Transfer-Encoding contradict each other");
    if (r->lengths > 1)
        return bad("one Content-Length is taken");
    if (r->codings && !strcmp(version, "HTTP/1.0"))
        return bad("HTTP/1.0 knows no Transfer-Encoding");
    if (r->codings > 1 || (r->codings && strcasecmp(r->coding, "chunked") != 0))
        return (head_fault){.status = 501,
                            .code = "TRANSFER_ENCODING",
                            .sentence = "chunked is the only transfer coding that is known here",
                            .closes = true};
    return fine;
}

static bool is_multipart(const char *type)
{
    static const char any[] = "multipart/", form[] = "multipart/form-data";
    return type && !strncasecmp(type, any, sizeof any - 1) &&
           strncasecmp(type, form, sizeof form - 1) != 0;
}

static head_fault body_of(const reading *r, const char *method)
{
    const bool brings = !strcmp(method, "POST") || !strcmp(method, "PUT");
    if (r->contents && (r->contents > 1 || strcasecmp(r->content, "identity") != 0))
        return (head_fault){.status = 415,
                            .code = "CODED",
                            .sentence = "bodies are taken as they are, without Content-Encoding"};
    if (brings && is_multipart(r->type))
        return (head_fault){.status = 415,
                            .code = "MULTIPART",
                            .sentence = "of all multipart bodies multipart/form-data is taken"};
    if (brings && !r->lengths && !r->codings)
        return (head_fault){.status = 411,
                            .code = "LENGTH",
                            .sentence = "Content-Length is needed, or a body in chunks"};
    return fine;
}

head_fault strict_head(exchange *x, const char *method, const char *version)
{
    reading r = {.next = version + strlen(version) + 2, .is_named = true};
    head_fault fault = fine;
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, read_field, &r);
    if (x->visitor->wrong_target)
        fault = bad(x->visitor->wrong_target);
    else if (!is_whole(&r, x, method, version))
        fault = bad("the lines of this head are not those of HTTP");
    else if (!r.is_named || r.has_control)
        fault = bad("a field of this head has characters that have no place there");
    else if (r.hosts > 1 || (!r.hosts && strcmp(version, "HTTP/1.0") != 0))
        fault = bad("one Host is needed");
    else if (r.keys > 1 || r.types > 1 || r.tokens > 1 || r.cookies > 1 || r.origins > 1)
        fault =
            bad("Authorization, Content-Type, Cookie, Idempotency-Key and Origin are taken once");
    else if (r.key && !ob_is_utf8(r.key, strlen(r.key)))
        fault = bad("Idempotency-Key is no UTF-8");
    if (!fault.status)
        fault = framing_of(&r, version);
    return fault.status ? fault : body_of(&r, method);
}
