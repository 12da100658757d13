/* What the client is sent: status, header fields, and a body from memory, of a file, or in pieces.
 */
#include "front.h"

#include <string.h>
#include <strings.h>

/* Where the bytes of a body are, and which of them are sent. */
typedef struct body {
    uint64_t first, size, whole; /* whole: bytes that there are */
    bool is_part;
} body;

/* ---- Fields of the answer ---------------------------------------------------------------------
 */

/* The value of a field that the core has set, up to its line's end; NULL: it has not. */
static const char *find_field(const exchange *x, const char *name, size_t *size)
{
    const size_t length = strlen(name);
    const char *line = x->headers.bytes;
    while (line && *line) {
        const char *end = line + strcspn(line, "\n");
        if (!strncasecmp(line, name, length) && !strncmp(line + length, ": ", 2)) {
            *size = (size_t)(end - line) - length - 2;
            return line + length + 2;
        }
        line = *end ? end + 1 : end;
    }
    return NULL;
}

static bool has_field(const exchange *x, const char *name)
{
    size_t size;
    return find_field(x, name, &size) != NULL;
}

/* "" where it has none. */
static void version_of(char *out, size_t room, const exchange *x)
{
    size_t size = 0;
    const char *tag = x->page ? x->page->version : find_field(x, "ETag", &size);
    if (x->page)
        size = strlen(tag);
    snprintf(out, room, "%.*s", tag && size < room ? (int)size : 0, tag ? tag : "");
}

/* Those that the core has set. The library refuses what could be two. */
static void add_fields(struct MHD_Response *response, exchange *x)
{
    char *line = x->headers.bytes;
    while (line && *line) {
        char *end = line + strcspn(line, "\n");
        char *next = *end ? end + 1 : end;
        char *colon = strchr(line, ':');
        *end = '\0';
        if (colon && colon[1] == ' ') {
            *colon = '\0';
            MHD_add_response_header(response, line, colon + 2);
        }
        line = next;
    }
}

static void add_default(struct MHD_Response *response, const exchange *x, const char *name,
                        const char *value)
{
    if (!has_field(x, name))
        MHD_add_response_header(response, name, value);
}

static void add_number(struct MHD_Response *response, const char *name, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    MHD_add_response_header(response, name, text);
}

static void add_part(struct MHD_Response *response, const exchange *x, const body *b)
{
    char text[80];
    if (x->status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
        snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)b->whole);
    else
        snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)b->first,
                 (unsigned long long)(b->first + b->size - 1), (unsigned long long)b->whole);
    MHD_add_response_header(response, "Content-Range", text);
}

static void add_page(struct MHD_Response *response, const ob_page *page)
{
    MHD_add_response_header(response, "ETag", page->version);
    MHD_add_response_header(response, "Cache-Control",
                            page->is_immutable ? "public, max-age=31536000, immutable"
                                               : "no-cache");
}

/* No script, nothing from elsewhere. */
static const char policy[] = "default-src 'none'; style-src 'self'; img-src 'self'; "
                             "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

static bool can_be_asked_in_parts(const exchange *x)
{
    return x->page || x->answer_is_file;
}

static void add_all(struct MHD_Response *response, exchange *x, const body *b)
{
    MHD_add_response_header(response, "Content-Type", x->type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (x->status == MHD_HTTP_RANGE_NOT_SATISFIABLE) /* it is of this request, not of the file */
        MHD_add_response_header(response, "Cache-Control", "no-store");
    else if (x->page)
        add_page(response, x->page);
    else
        add_default(response, x, "Cache-Control", "no-store");
    if (!strncmp(x->type, "text/html", 9) || !strcmp(x->type, "image/svg+xml"))
        add_default(response, x, "Content-Security-Policy", policy);
    if (can_be_asked_in_parts(x))
        MHD_add_response_header(response, "Accept-Ranges", "bytes");
    if (b->is_part)
        add_part(response, x, b);
    if (*x->allow)
        MHD_add_response_header(response, "Allow", x->allow);
    if (x->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (x->retry_after_s)
        add_number(response, "Retry-After", x->retry_after_s);
    if (x->status == MHD_HTTP_UNSUPPORTED_MEDIA_TYPE)
        MHD_add_response_header(response, "Accept-Encoding", "identity");
    if (x->front->stopping || x->is_beyond || x->closes)
        MHD_add_response_header(response, "Connection", "close");
    add_fields(response, x);
}

/* ---- Which bytes ------------------------------------------------------------------------------
 */

static bool reads(const exchange *x)
{
    return x->status == MHD_HTTP_OK && (x->is_get || x->is_head);
}

/* 304, where the client has this version already. */
static bool is_known(const exchange *x, const char *version)
{
    const char *known = *version ? exchange_header(x, "If-None-Match") : NULL;
    return known && ob_version_is_named(known, version, false);
}

/* 206 or 416, where it asks for a part of this version, or of whatever there is. */
static void choose_part(exchange *x, body *b, const char *version)
{
    const char *only = exchange_header(x, "If-Range");
    uint64_t last;
    if (!x->is_get || (only && !(*version && ob_version_is_named(only, version, true))))
        return;
    switch (ob_range_of(&b->first, &last, exchange_header(x, "Range"), b->whole)) {
    case OB_RANGE_WHOLE:
        break;
    case OB_RANGE_PART:
        b->size = last - b->first + 1;
        b->is_part = true;
        x->status = MHD_HTTP_PARTIAL_CONTENT;
        break;
    case OB_RANGE_NONE:
        b->size = 0;
        b->is_part = true;
        x->status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
        break;
    }
}

static body choose_bytes(exchange *x)
{
    char version[104];
    const uint64_t whole = x->page               ? x->page->size
                           : x->answer_file >= 0 ? x->answer_file_size
                                                 : x->answer.size;
    body b = {.size = whole, .whole = whole};
    if (!reads(x))
        return b;
    version_of(version, sizeof version, x);
    if (is_known(x, version)) {
        x->status = MHD_HTTP_NOT_MODIFIED;
        b.size = 0;
    } else if (can_be_asked_in_parts(x)) {
        choose_part(x, &b, version);
    }
    return b;
}

/* ---- Sending ----------------------------------------------------------------------------------
 */

/* Programs are told a problem, people who look for a page get one that says it. */
static void show_to_people(exchange *x)
{
    ob_buf page = {0};
    const char *chosen = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "lang");
    if (!exchange_came_by(x, OB_LISTENER_PUBLIC) ||
        strcmp(x->type, "application/problem+json") != 0)
        return;
    if (page_of(&page, x->status, exchange_header(x, "Accept"),
                chosen ? chosen : exchange_header(x, "Accept-Language"))) {
        const ob_buf problem = x->answer;
        x->answer = page;
        page = problem;
        snprintf(x->type, sizeof x->type, "text/html; charset=utf-8");
    }
    ob_buf_free(&page);
}

static struct MHD_Response *response_of(exchange *x, const body *b)
{
    enum { BLOCK = 32768 };
    if (x->flow.flows)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, flow_read, x, NULL);
    if (x->page) {
        char *bytes;
        memcpy(&bytes, &x->page->bytes, sizeof bytes); /* only read */
        return MHD_create_response_from_buffer(b->size, bytes + b->first, MHD_RESPMEM_PERSISTENT);
    }
    if (x->answer_file >= 0 && b->size) {
        const int file = x->answer_file;
        x->answer_file = -1; /* the response's now */
        return MHD_create_response_from_fd_at_offset64(b->size, file, b->first);
    }
    return MHD_create_response_from_buffer(b->size, x->answer.bytes, MHD_RESPMEM_MUST_COPY);
}

enum MHD_Result reply_give(exchange *x)
{
    show_to_people(x);
    const body b = choose_bytes(x);
    struct MHD_Response *response = response_of(x, &b);
    if (!response)
        return MHD_NO;
    add_all(response, x, &b);
    enum MHD_Result queued = MHD_queue_response(x->connection, x->status, response);
    MHD_destroy_response(response);
    x->state = EXCHANGE_ANSWERED;
    return queued;
}
