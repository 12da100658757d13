/* Routes that are in no release, in obhutd-trial: what a handler can ask of a request and give as
 * an answer, for tests/service/test_exchange.py. */
#include "services_priv.h"

#include "rows.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const ob_command *__real_ob_command_at(size_t index);
const ob_command *__wrap_ob_command_at(size_t index);

/* ---- What came ---------------------------------------------------------------------------------
 */

static json_t *pairs(const ob_field *fields, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("[o, o]", ob_json_text(fields[i].name),
                                               ob_json_text(fields[i].value)));
    return array;
}

static ob_plan echo(services_call *c, const ob_request *r, const ob_token *token)
{
    (void)token;
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "method", r->method, "path", r->path, "peer",
                  r->peer, "headers", pairs(r->headers, r->header_count), "cookies",
                  pairs(r->cookies, r->cookie_count), "query", pairs(r->query, r->query_count));
    return services_end(c, ob_answer_json(200, object));
}

static ob_plan parts(services_call *c, const ob_request *r, const ob_token *token)
{
    static const char *const names[] = {"a", "b", "c"};
    json_t *object = json_object();
    (void)token;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char part[300];
        const bool is_there = ob_path_part(part, sizeof part, c->command->path, r->path, names[i]);
        json_object_set_new(object, names[i], is_there ? ob_json_text(part) : json_null());
    }
    return services_end(c, ob_answer_json(200, object));
}

/* ---- Header fields of the answer ------------------------------------------------------------- */

/* `value`: with "|r" for CR, "|n" for LF, as a target can have neither. */
static void translate(char *out, size_t size, const char *value)
{
    size_t used = 0;
    for (; value && *value && used + 1 < size; value++) {
        const bool is_mark = *value == '|' && (value[1] == 'r' || value[1] == 'n');
        out[used++] = (char)(!is_mark ? *value : value[1] == 'r' ? '\r' : '\n');
        value += is_mark;
    }
    out[used] = '\0';
}

static ob_plan fields(services_call *c, const ob_request *r, const ob_token *token)
{
    ob_answer answer = ob_answer_text(200, "text/plain", "fine\n");
    (void)token;
    for (size_t i = 0; i < r->query_count; i++) {
        char name[200], value[200];
        ob_error err = {0};
        translate(name, sizeof name, r->query[i].name);
        translate(value, sizeof value, r->query[i].value);
        const bool is_cookie = !strncmp(name, "cookie:", 7);
        if (is_cookie ? ob_answer_cookie(&answer, name + 7, value, 60, &err)
                      : ob_answer_header(&answer, name, value, &err)) {
            ob_answer_free(&answer);
            return services_end(c, ob_answer_problem(500, "FAILED", "%s", err.text));
        }
    }
    return services_end(c, answer);
}

/* ---- Files ------------------------------------------------------------------------------------
 */

static int memory_file(size_t size)
{
    int file = memfd_create("trial", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (size_t i = 0; i < size; i++) {
        const char digit = (char)('0' + i % 10);
        if (write(file, &digit, 1) != 1)
            abort();
    }
    return file;
}

static ob_plan file(services_call *c, const ob_request *r, const ob_token *token)
{
    const char *path = ob_request_value(r, "path"), *size = ob_request_value(r, "size");
    const char *version = ob_request_value(r, "version");
    (void)token;
    const int opened =
        path ? open(path, O_RDONLY | O_CLOEXEC) : memory_file(size ? strtoul(size, NULL, 10) : 0);
    if (opened < 0)
        return services_end(c, ob_answer_problem(404, "NOT_FOUND", "there is no such file"));
    ob_answer answer = ob_answer_file(200, "application/octet-stream", opened);
    if (version)
        ob_answer_version(&answer, version, NULL);
    return services_end(c, answer);
}

/* ---- Pieces -----------------------------------------------------------------------------------
 */

static atomic_uint running, refused;
static atomic_ullong sent;
static _Atomic unsigned count, size, pause_ms;

static void *make_pieces(void *argument)
{
    services_call *c = argument;
    char *bytes = malloc(size + 1U);
    bool goes = bytes != NULL;
    ob_call_answer(&c->call, ob_answer_in_pieces(200, "application/octet-stream"));
    for (unsigned i = 0; i < count && goes; i++) {
        memset(bytes, 'a' + (int)(i % 26), size);
        usleep(1000 * pause_ms);
        goes = ob_answer_piece(&c->call, bytes, size, false);
        sent += goes ? size : 0;
    }
    goes = ob_answer_piece(&c->call, "", 0, true) && goes;
    refused += !goes;
    free(bytes);
    running--;
    return NULL;
}

static void begin_pieces(ob_call *call, ob_body body)
{
    pthread_t thread;
    (void)body;
    running++;
    if (pthread_create(&thread, NULL, make_pieces, call))
        abort();
    pthread_detach(thread);
}

static unsigned number_of(const ob_request *r, const char *name)
{
    const char *text = ob_request_value(r, name);
    return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static ob_plan pieces(services_call *c, const ob_request *r, const ob_token *token)
{
    static const ob_call_class class = {.body = begin_pieces, .end = services_end_call};
    (void)token;
    count = number_of(r, "count");
    size = number_of(r, "size");
    pause_ms = number_of(r, "pause_ms");
    sent = 0;
    refused = 0;
    c->call.class = &class;
    return OB_PLAN_BYTES;
}

static ob_plan told(services_call *c, const ob_request *r, const ob_token *token)
{
    (void)r;
    (void)token;
    return services_end(
        c, ob_answer_json(200, json_pack("{s:i, s:i, s:I}", "running", (int)running, "refused",
                                         (int)refused, "sent", (json_int_t)sent)));
}

/* ---------------------------------------------------------------------------------------------- */

#define ROUTE(p, f)                                                                                \
    {                                                                                              \
        .name = p, .about = "a trial", .effect = OB_EFFECT_SHOWS, .places = OB_AT_SERVICES,        \
        .is_inner = true, .method = "GET", .path = p, .scope = OB_TOKEN_NONE, .begin = f,          \
        ANSWERS(.takes_any_query = true)                                                           \
    }

static const ob_command rows[] = {
    ROUTE("/v1/trial/echo", echo),     ROUTE("/v1/trial/fields", fields),
    ROUTE("/v1/trial/file", file),     ROUTE("/v1/trial/pieces", pieces),
    ROUTE("/v1/trial/told", told),     ROUTE("/v1/trial/{a}/of/{b}/and/{c}", parts),
    ROUTE("/v1/trial/one/{a}", parts),
};

const ob_command *__wrap_ob_command_at(size_t index)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    return index < ROWS ? &rows[index] : __real_ob_command_at(index - ROWS);
}
