/* A service in memory of which commands are asked, and its log. Included once by a program. */
#ifndef OBHUT_TEST_ASKING_H
#define OBHUT_TEST_ASKING_H

#include "place.h"

#include <obhut/commands.h>
#include <obhut/entry.h>

/* What of a place commands need. */
static inline ob_service service_of(const memory_place *p)
{
    return (ob_service){.store = p->store, .audit = p->audit, .acts = p->acts};
}

/* Takes `request`; the caller drops the answer. `token` NULL: the operator asks. */
static inline json_t *ask(ob_service *s, uint32_t place, const char *token, json_t *request)
{
    assert_non_null(request);
    if (token)
        json_object_set_new(request, "person_token", json_string(token));
    json_t *answer = ob_commands_do(s, request, -1, NULL, place);
    json_decref(request);
    assert_non_null(answer);
    return answer;
}

static inline json_t *done_of(json_t *answer)
{
    json_t *ok = json_object_get(answer, "ok");
    if (!ok)
        fail_msg("%s",
                 json_string_value(json_object_get(json_object_get(answer, "error"), "text")));
    return ok;
}

/* It is done; what of its answer is a number of this name. */
static inline int64_t does(ob_service *s, const char *token, json_t *request, const char *member)
{
    json_t *answer = ask(s, OB_AT_SOCKET, token, request);
    const int64_t number = json_integer_value(json_object_get(done_of(answer), member));
    json_decref(answer);
    return number;
}

/* It is not, with this status and a sentence that says so. */
static inline void fails(ob_service *s, const char *token, json_t *request, ob_status status,
                         const char *says)
{
    json_t *answer = ask(s, OB_AT_SOCKET, token, request);
    const json_t *error = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    if (!error || json_integer_value(json_object_get(error, "status")) != status ||
        !strstr(text, says))
        fail_msg("%s: %s", says, text ? text : "it was done");
    json_decref(answer);
}

/* Makes a person and returns their token, which the caller frees. */
static inline char *person(ob_service *s, const char *name, const char *role)
{
    json_t *answer =
        ask(s, OB_AT_SOCKET, NULL,
            json_pack("{s:s, s:s, s:[s]}", "do", "person.add", "name", name, "role", role));
    char *token = strdup(json_string_value(json_object_get(done_of(answer), "secret")));
    json_decref(answer);
    return token;
}

/* ---- The log --------------------------------------------------------------------------------- */

typedef struct last_entry {
    unsigned count; /* of all */
    ob_entry *last; /* the caller's to free */
} last_entry;

static inline ob_status take_entry(void *context, uint64_t number, const char *text, size_t size,
                                   ob_error *err)
{
    last_entry *e = context;
    (void)number;
    e->count++;
    ob_entry_free(e->last);
    e->last = NULL;
    return ob_entry_read(&e->last, text, size, err);
}

static inline last_entry log_of(const memory_place *p)
{
    char path[300];
    last_entry e = {0};
    snprintf(path, sizeof path, "%s/audit", p->dir);
    MUST(ob_audit_read(path, 0, UINT64_MAX, take_entry, &e, &err_));
    return e;
}

static inline unsigned entries(const memory_place *p)
{
    last_entry e = log_of(p);
    ob_entry_free(e.last);
    return e.count;
}

/* The last entry, which is of this word; the caller frees it. */
static inline ob_entry *last(const memory_place *p, const char *what)
{
    last_entry e = log_of(p);
    const char *is = ob_entry_get_text(e.last, "what");
    if (!is || strcmp(is, what) != 0)
        fail_msg("%s, not %s", is ? is : "nothing", what);
    return e.last;
}

#endif
