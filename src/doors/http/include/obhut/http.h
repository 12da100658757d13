/* http: what a request and its answer are, once the protocol is done with. No sockets, no parsing
 * of HTTP: that is the front's library. */
#ifndef OBHUT_HTTP_H
#define OBHUT_HTTP_H

#include <obhut/base.h>
#include <obhut/hindrance.h>

#include <jansson.h>

/* ---- Listeners ------------------------------------------------------------------------------ */

/* Who asks where: each has paths, limits and error pages of its own, and none of another's. */
typedef enum ob_listener {
    OB_LISTENER_SERVICES, /* services with tokens, gateways, who watches over the process */
    OB_LISTENER_STAFF,    /* persons */
    OB_LISTENER_PUBLIC,   /* everybody: pages without login */
    OB_LISTENERS,
} ob_listener;

/* "services", "staff", "public". */
const char *ob_listener_name(ob_listener listener);

/* ---- Requests ------------------------------------------------------------------------------- */

typedef struct ob_field {
    const char *name, *value;
} ob_field;

/* The head of a request. Everything is decoded, NUL-terminated, and may be hostile. */
typedef struct ob_request {
    ob_listener listener; /* over which it came */
    const char *method, *path;
    const ob_field *query; /* in the order in which it came */
    size_t query_count;
    const char *authorization, *content_type, *idempotency_key, *language; /* NULL: not sent */
    int64_t content_length; /* of the body; -1: it comes in chunks, 0: there is none */
} ob_request;

/* The first value of a name, or NULL. */
const char *ob_request_value(const ob_request *request, const char *name);

/* What follows "Bearer ", or NULL. */
const char *ob_request_token(const ob_request *request);

/* ---- Answers -------------------------------------------------------------------------------- */

typedef struct ob_answer {
    unsigned status;
    const char *type;       /* of the body: lives for ever */
    ob_buf body;            /* the answer's owner frees it */
    unsigned retry_after_s; /* 0: not said */
    const char *allow;      /* methods, with 405 */
} ob_answer;

/* Takes the reference to `value`. NULL (out of memory while it was made) becomes a 503. */
ob_answer ob_answer_json(unsigned status, json_t *value);

/* RFC 9457: {type, title, status, code, detail}. `code` is an upper-case word that programs can
 * rely on; `detail` a sentence for people. */
ob_answer ob_answer_problem(unsigned status, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What cannot be done now: 503 with Retry-After, a problem whose `code` is the reason's word, with
 * two members more: {action: "could_not", reason}. `detail` NULL: the hindrance's own sentence;
 * never the text of an error, which may name paths and addresses. */
ob_answer ob_answer_could_not(ob_hindrance hindrance, const char *detail);

/* A string for bytes that may not be UTF-8 (names of files, what a sentence quotes and cuts): what
 * is not becomes U+FFFD. NULL only when out of memory. */
json_t *ob_json_text(const char *bytes);

/* Text of some type. */
ob_answer ob_answer_text(unsigned status, const char *type, const char *text);

/* The problem that goes with a status. What failed only for now (OB_EIO, OB_EBUSY, OB_ENOMEM) is
 * ob_answer_could_not. */
ob_answer ob_answer_error(const ob_error *err);

/* ---- A request on its way -------------------------------------------------------------------- */

/* What is to become of a request whose head was looked at. */
typedef enum ob_plan {
    OB_PLAN_ANSWER, /* the answer is there; a body that comes is nobody's business */
    OB_PLAN_BYTES,  /* the body is wanted, in memory */
    OB_PLAN_FILE,   /* the body is wanted, as a sealed memory file */
} ob_plan;

/* A body that was wanted. */
typedef struct ob_body {
    const char *bytes; /* OB_PLAN_BYTES: the giver's, during the call */
    size_t size;
    int file;       /* OB_PLAN_FILE: the taker closes it */
    bool too_large; /* it went beyond call->most: nothing of it is here, file is -1 */
} ob_body;

/* OB_ELIMIT: it is nested too deep, or has more members or values than any request needs. Whether
 * it is JSON is not looked at. Time and memory do not depend on what it says. */
ob_status ob_json_bounds(const char *bytes, size_t size, ob_error *err);

/* The body, or NULL with *err set: OB_EFORMAT, or OB_ELIMIT as above. The caller drops it. */
json_t *ob_json_body(ob_body body, ob_error *err);

typedef struct ob_call ob_call;

/* How a handler takes part. */
typedef struct ob_call_class {
    /* A body of a few bytes may take long to read: it is read where that keeps nobody waiting. */
    bool is_long;
    /* The body has come. Ends, now or later and on any thread, with one ob_call_answer. */
    void (*body)(ob_call *call, ob_body body);
    /* Instead of it: the body cannot be taken now. Answers as `body` does. NULL: that it could not
     * be done is all that there is to tell. */
    void (*could_not)(ob_call *call, ob_hindrance hindrance);
    /* The body is with the handler, and who asks waits no longer: what is told instead of the
     * answer that ob_call_answer still brings. `gone` follows. NULL: who asks waits. */
    ob_answer (*late)(ob_call *call);
    /* Nobody waits for the answer any more, and the body is with the handler, which may make its
     * answer come sooner: what would be told is told to nobody. NULL: it does not care. */
    void (*gone)(ob_call *call);
    /* Nobody waits for the answer any more, or it was given: frees what belongs to the call. */
    void (*end)(ob_call *call);
} ob_call_class;

/* A handler's own struct begins with one. */
struct ob_call {
    const ob_call_class *class;
    uint64_t most;   /* bytes of a body that are taken */
    uint64_t client; /* whose it is, where that is known: bodies of different ones take turns */
    ob_answer answer;
    /* Set by whoever carries the request: told once the answer to a body is there; any thread. */
    void (*answered)(ob_call *call);
    void *carrier;
};

/* Sets the answer and tells. */
void ob_call_answer(ob_call *call, ob_answer answer);

#endif
