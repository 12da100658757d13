/* Requests and answers. */
#include <obhut/http.h>
#include <obhut/json.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *ob_listener_name(ob_listener listener)
{
    static const char *const names[OB_LISTENERS] = {"services", "staff", "public"};
    return names[listener];
}

/* ---- Requests ------------------------------------------------------------------------------- */

const char *const ob_request_headers[] = {"Authorization",
                                          "Content-Type",
                                          "Idempotency-Key",
                                          "Accept-Language",
                                          "If-None-Match",
                                          "Origin",
                                          NULL};

_Static_assert(sizeof ob_request_headers / sizeof *ob_request_headers == OB_REQUEST_HEADERS + 1,
               "as many as there are");

const char *ob_request_value(const ob_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (!strcmp(request->query[i].name, name))
            return request->query[i].value;
    return NULL;
}

const char *ob_request_header(const ob_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (!strcasecmp(request->headers[i].name, name))
            return request->headers[i].value;
    return NULL;
}

const char *ob_request_cookie(const ob_request *request, const char *name)
{
    for (size_t i = 0; i < request->cookie_count; i++)
        if (!strcmp(request->cookies[i].name, name))
            return request->cookies[i].value;
    return NULL;
}

const char *ob_request_token(const ob_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *value = ob_request_header(request, "Authorization");
    if (!value || strncasecmp(value, scheme, sizeof scheme - 1))
        return NULL;
    value += sizeof scheme - 1;
    return value + strspn(value, " ");
}

/* ---- Answers -------------------------------------------------------------------------------- */

static const char out_of_memory[] =
    "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"BUSY\","
    "\"detail\":\"out of memory\",\"action\":\"could_not\",\"reason\":\"BUSY\"}\n";

ob_answer ob_answer_file(unsigned status, const char *type, int file)
{
    return (ob_answer){.status = status, .type = type, .has_file = true, .file = file};
}

ob_answer ob_answer_in_pieces(unsigned status, const char *type)
{
    return (ob_answer){.status = status, .type = type, .in_pieces = true};
}

ob_answer ob_answer_text(unsigned status, const char *type, const char *text)
{
    ob_answer answer = {.status = status, .type = type};
    if (ob_buf_append(&answer.body, text, strlen(text), NULL))
        answer.status = 500;
    return answer;
}

static ob_answer no_memory(void)
{
    ob_answer answer = ob_answer_text(503, "application/problem+json", out_of_memory);
    answer.retry_after_s = ob_hindrance_retry_s(OB_HINDRANCE_BUSY);
    return answer;
}

static ob_answer json_of_type(unsigned status, json_t *value, const char *type)
{
    char *text = ob_json_write(value, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(value);
    if (!text)
        return no_memory();
    ob_answer answer = {.status = status, .type = type};
    if (ob_buf_append(&answer.body, text, strlen(text), NULL) ||
        ob_buf_append(&answer.body, "\n", 1, NULL)) {
        ob_buf_free(&answer.body);
        answer = no_memory();
    }
    free(text);
    return answer;
}

ob_answer ob_answer_json(unsigned status, json_t *value)
{
    return json_of_type(status, value, "application/json");
}

/* RFC 9110, section 15. */
static const char *title_of(unsigned status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 507:
        return "Insufficient Storage";
    default:
        return "Internal Server Error";
    }
}

static json_t *problem(unsigned status, const char *code, const char *detail)
{
    return json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "title", title_of(status),
                     "status", (int)status, "code", code, "detail", ob_json_text(detail));
}

ob_answer ob_answer_problem(unsigned status, const char *code, const char *format, ...)
{
    char detail[600];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    return json_of_type(status, problem(status, code, detail), "application/problem+json");
}

ob_answer ob_answer_could_not(ob_hindrance hindrance, const char *detail)
{
    const char *reason = ob_hindrance_name(hindrance);
    json_t *object = problem(503, reason, detail ? detail : ob_hindrance_text(hindrance));
    if (object && (json_object_set_new(object, "action", json_string("could_not")) ||
                   json_object_set_new(object, "reason", json_string(reason)))) {
        json_decref(object);
        object = NULL;
    }
    ob_answer answer = json_of_type(503, object, "application/problem+json");
    answer.retry_after_s = ob_hindrance_retry_s(hindrance);
    return answer;
}

ob_answer ob_answer_error(const ob_error *err)
{
    switch (err->status) {
    case OB_EINVAL:
    case OB_EFORMAT:
        return ob_answer_problem(400, "INVALID", "%s", err->text);
    case OB_ENOTFOUND:
        return ob_answer_problem(404, "NOT_FOUND", "%s", err->text);
    case OB_ELIMIT:
        return ob_answer_problem(413, "TOO_LARGE", "%s", err->text);
    case OB_EREFUSED:
        return ob_answer_problem(403, "REFUSED", "%s", err->text);
    case OB_EBUSY:
    case OB_EIO: /* a full disk, a database that is gone: later it may work */
    case OB_ENOMEM:
        return ob_answer_could_not(ob_hindrance_of(err->status), NULL);
    default:
        return ob_answer_problem(500, "FAILED", "%s", err->text);
    }
}

void ob_call_answer(ob_call *call, ob_answer answer)
{
    call->answer = answer;
    call->answered(call);
}

bool ob_answer_piece(ob_call *call, const void *bytes, size_t size, bool last)
{
    return call->piece(call, bytes, size, last);
}
