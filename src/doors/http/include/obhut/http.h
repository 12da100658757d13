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

/* Names of the header fields that reach a handler, up to NULL. A request has each of them at most
 * once; all other fields end in the front. A handler that needs another field adds its name here.
 */
extern const char *const ob_request_headers[];
enum { OB_REQUEST_HEADERS = 6 };

/* The head of a request. Names and values are decoded once, NUL-terminated UTF-8 without control
 * characters (values of header fields: any bytes but control characters), and may be hostile. */
typedef struct ob_request {
    ob_listener listener; /* over which it came */
    const char *method;
    const char *path;      /* see ob_path_is */
    const char *peer;      /* the client's address, "192.0.2.7"; "": a socket of this machine. It is
                            * personal data: nobody writes it down */
    const ob_field *query; /* in the order in which the fields came */
    size_t query_count;
    const ob_field *headers; /* those of ob_request_headers that were sent, in that order */
    size_t header_count;
    const ob_field *cookies; /* in the order in which they came */
    size_t cookie_count;
    int64_t content_length; /* of the body; -1: it comes in chunks, 0: there is none */
} ob_request;

/* The first value of a name in the query, or NULL. */
const char *ob_request_value(const ob_request *request, const char *name);

/* The value of a header field, or NULL; `name` is one of ob_request_headers, in any case. */
const char *ob_request_header(const ob_request *request, const char *name);

/* The first value of a cookie, or NULL. A name has the case that it has. */
const char *ob_request_cookie(const ob_request *request, const char *name);

/* What follows "Bearer ", or NULL. */
const char *ob_request_token(const ob_request *request);

/* Whether bytes are UTF-8: no overlong forms, no halves of surrogate pairs. */
bool ob_is_utf8(const void *bytes, size_t size);

/* ---- Paths ---------------------------------------------------------------------------------- */

/* A path is decoded but for "%2F" and "%25", so that a slash that belongs to a part is known from
 * one that ends it. A shape is a path in which `{name}` stands for a part; it may have several.
 *
 * A part is not empty. Where a shape has a single `{name}` and `wide` is set, slashes that were not
 * escaped belong to it, too: proxies unescape them. */
bool ob_path_is(const char *shape, const char *path, bool wide);

/* Copies the part that stands for `{name}` in a path of that shape, wholly decoded, with its NUL.
 * False, and "" in `out`: there is no such part, or no room for it. */
bool ob_path_part(char *out, size_t size, const char *shape, const char *path, const char *name);

/* ---- Answers -------------------------------------------------------------------------------- */

typedef struct ob_answer {
    unsigned status;
    const char *type;       /* of the body: lives for ever */
    ob_buf body;            /* the answer's owner frees it: ob_answer_free */
    ob_buf headers;         /* lines of "Name: value"; filled by ob_answer_header */
    unsigned retry_after_s; /* 0: not said */
    const char *allow;      /* methods, with 405 */
    bool has_file;          /* the body is a file, and not in `body` */
    bool in_pieces;         /* the body follows, with ob_answer_piece */
    int file;               /* where has_file is set: a descriptor, the answer's */
} ob_answer;

/* Frees what belongs to an answer; it may be called again. */
void ob_answer_free(ob_answer *answer);

/* Adds a header field: several of a name are several fields. OB_EINVAL, and nothing is added: the
 * name is none; the value has control characters, so that it could be two fields; the field is
 * one that the front alone sets, such as Content-Length; or all of them have more than 16 KB. */
ob_status ob_answer_header(ob_answer *answer, const char *name, const char *value, ob_error *err);

/* Adds a cookie that only this service's own pages send back, over TLS, and that no script reads.
 * `max_age_s` 0: it is deleted. OB_EINVAL: `name` or `value` has characters that no cookie has. */
ob_status ob_answer_cookie(ob_answer *answer, const char *name, const char *value,
                           unsigned max_age_s, ob_error *err);

/* Gives the answer a version: a request whose If-None-Match names it is answered with 304. `tag`:
 * visible ASCII without quotes. */
ob_status ob_answer_version(ob_answer *answer, const char *tag, ob_error *err);

/* A body of that file, from its first to its last byte; the answer owns the descriptor. Parts of it
 * can be asked for (Range). A regular file must not become shorter while it is sent: then the
 * connection ends. */
ob_answer ob_answer_file(unsigned status, const char *type, int file);

/* A body that follows in pieces. */
ob_answer ob_answer_in_pieces(unsigned status, const char *type);

/* Whether an If-None-Match or If-Range field names a version, as its header field has it:
 * "\"tag\"". `strong`: weak versions ("W/…") are not equal. */
bool ob_version_is_named(const char *field, const char *version, bool strong);

/* What a Range field asks of `size` bytes. */
typedef enum ob_range {
    OB_RANGE_WHOLE, /* all of it: no field, or one that is not understood or asks for several parts
                     */
    OB_RANGE_PART,  /* *first to *last, both of it */
    OB_RANGE_NONE,  /* no byte that there is */
} ob_range;
/* Reads a Range field (NULL: there is none) for a body of `size` bytes. Sets *first and *last for
 * OB_RANGE_PART only. */
ob_range ob_range_of(uint64_t *first, uint64_t *last, const char *field, uint64_t size);

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
    OB_PLAN_WAIT,   /* no body is wanted, and the answer comes when something has happened, or when
                     * call->wait_ms are over; no thread waits for that */
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
    /* With OB_PLAN_WAIT: whether it is time for `again`. Asked some times a second, by a thread
     * that must not wait. */
    bool (*happened)(const ob_call *call);
    /* With OB_PLAN_WAIT: sets call->answer and returns true, or returns false: it waits on. `last`:
     * the time is over, and there must be an answer. */
    bool (*again)(ob_call *call, bool last);
    /* Nobody waits for the answer any more, and the body is with the handler, which may make its
     * answer come sooner: what would be told is told to nobody. NULL: it does not care. */
    void (*gone)(ob_call *call);
    /* Nobody waits for the answer any more, or it was given: frees what belongs to the call. */
    void (*end)(ob_call *call);
} ob_call_class;

/* A handler's own struct begins with one. */
struct ob_call {
    const ob_call_class *class;
    uint64_t most;    /* bytes of a body that are taken */
    uint64_t client;  /* whose it is, where that is known: bodies of different ones take turns */
    unsigned wait_ms; /* with OB_PLAN_WAIT */
    ob_answer answer;
    /* Set by whoever carries the request: told once the answer to a body is there; any thread. */
    void (*answered)(ob_call *call);
    bool (*piece)(ob_call *call, const void *bytes, size_t size, bool last);
    void *carrier;
};

/* Sets the answer and tells. Unless it is one in pieces the call may be gone then. */
void ob_call_answer(ob_call *call, ob_answer answer);

/* Sends the next piece of an answer that is in pieces, once that was given, and waits while the
 * client has too much that it has not taken yet: so no thread that others wait for may call it.
 * `last`: the body ends with this piece, which may be empty; the call may be gone then.
 *
 * False: nobody takes it any more, and the client does not take it for whole. The call must be
 * ended with a last piece all the same. */
bool ob_answer_piece(ob_call *call, const void *bytes, size_t size, bool last);

#endif
