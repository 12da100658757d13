/* Commands over HTTP: which row a request is of, where its fields stand, what is answered. */
#include "asking.h"

#include <pthread.h>

/* ---- Asking ---------------------------------------------------------------------------------- */

typedef struct waited {
    pthread_mutex_t lock;
    pthread_cond_t is_there;
    bool answered;
} waited;

static void on_answered(ob_call *call)
{
    waited *w = call->carrier;
    pthread_mutex_lock(&w->lock);
    w->answered = true;
    pthread_cond_signal(&w->is_there);
    pthread_mutex_unlock(&w->lock);
}

typedef struct asking {
    const char *method, *path, *token, *body; /* NULL: none */
    ob_field query[2];
    int64_t length; /* of the body, as the head says; 0: what it has */
} asking;

static void hand_over(ob_call *call, const char *body)
{
    waited w = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_there = PTHREAD_COND_INITIALIZER};
    call->answered = on_answered;
    call->carrier = &w;
    call->class->body(
        call, (ob_body){.bytes = body ? body : "", .size = body ? strlen(body) : 0, .file = -1});
    pthread_mutex_lock(&w.lock);
    while (!w.answered)
        pthread_cond_wait(&w.is_there, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.is_there);
    pthread_mutex_destroy(&w.lock);
}

/* The answer, whose body the caller frees. */
static ob_answer answer_to(ob_service *s, const asking *a)
{
    char bearer[200];
    ob_call *call = NULL;
    snprintf(bearer, sizeof bearer, "Bearer %s", a->token ? a->token : "");
    const ob_field token = {"Authorization", bearer};
    ob_request r = {.listener = OB_LISTENER_STAFF,
                    .method = a->method,
                    .path = a->path,
                    .query = a->query,
                    .headers = &token,
                    .header_count = a->token ? 1 : 0,
                    .content_length = a->length ? a->length
                                      : a->body ? (int64_t)strlen(a->body)
                                                : 0};
    while (r.query_count < 2 && a->query[r.query_count].name)
        r.query_count++;
    if (ob_commands_begin_http(&call, s, &r) == OB_PLAN_BYTES)
        hand_over(call, a->body);
    ob_answer answer = call->answer;
    call->answer.body = (ob_buf){0};
    assert_true(ob_commands_wait(60000)); /* its thread has done with the call */
    call->class->end(call);
    return answer;
}

static void answers(ob_service *s, const asking *a, unsigned status, const char *says)
{
    ob_answer answer = answer_to(s, a);
    assert_int_equal(ob_buf_append(&answer.body, "", 1, NULL), OB_OK);
    if (answer.status != status || !strstr(answer.body.bytes, says))
        fail_msg("%s %s: %u %s", a->method, a->path, answer.status, answer.body.bytes);
    ob_buf_free(&answer.body);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void what_is_not_here_is_not_found_and_another_method_is_told_which(void **state)
{
    ob_service s = service_of(*state);
    char *ada = person(&s, "ada", "lead");
    for (const char *const *path =
             (const char *const[]){"/", "/v1/nix", "/v1/verdicts/", "/v1/verdicts//overturn",
                                   "/v1/scan", "/v1/verdicts/1/overturn/x", NULL};
         *path; path++)
        answers(&s, &(asking){.method = "GET", .path = *path, .token = ada}, 404, "NOT_FOUND");
    answers(&s, &(asking){.method = "PUT", .path = "/v1/verdicts", .token = ada}, 405,
            "this path takes POST, GET, HEAD");
    answers(&s, &(asking){.method = "GET", .path = "/v1/verdicts/1/overturn"}, 405,
            "this path takes POST");
    free(ada);
}

static void who_is_nobody_is_told_so_before_anything_is_read(void **state)
{
    ob_service s = service_of(*state);
    answers(&s, &(asking){.method = "POST", .path = "/v1/verdicts", .body = "no JSON"}, 401,
            "a personal token is needed");
    answers(&s,
            &(asking){.method = "POST",
                      .path = "/v1/verdicts",
                      .token = "nobody has this",
                      .query = {{"x", "y"}},
                      .length = 1 << 30},
            401, "is not known here");
}

static void fields_stand_where_the_method_has_them(void **state)
{
    ob_service s = service_of(*state);
    char *ada = person(&s, "ada", "lead");
    const asking cases[] = {
        {"POST", "/v1/verdicts", ada, "{}", {{"account", "zed"}}, 0},
        {"GET", "/v1/audit/code", ada, "{\"account\":\"zed\"}", {{0}}, 0},
        {"GET", "/v1/audit/code", ada, NULL, {{"account", "a"}, {"account", "b"}}, 0},
        {"GET", "/v1/audit/code", ada, NULL, {{"do", "verdict.ls"}}, 0},
        {"GET", "/v1/audit/code", ada, NULL, {{"person_token", "x"}}, 0},
        {"POST", "/v1/proposals/1/approve", ada, "{\"proposal\":2}", {{0}}, 0},
        {"POST", "/v1/verdicts", ada, "{\"person_token\":\"x\"}", {{0}}, 0},
        {"POST", "/v1/verdicts", ada, "[]", {{0}}, 0},
        {"POST", "/v1/verdicts", ada, "{", {{0}}, 0},
        {"POST", "/v1/proposals/x/approve", ada, "{}", {{0}}, 0},
        {"POST", "/v1/proposals/+1/approve", ada, "{}", {{0}}, 0},
        {"GET", "/v1/reports", ada, NULL, {{"notices", "1"}}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        answers(&s, &cases[i], 400, "INVALID");
    answers(&s, &(asking){"POST", "/v1/verdicts", ada, "{}", {{0}}, (1 << 20) + 1}, 413,
            "TOO_LARGE");
    free(ada);
}

static void it_is_done_as_at_the_socket(void **state)
{
    memory_place *p = *state;
    ob_service s = service_of(p);
    char *ada = person(&s, "ada", "lead"), *bea = person(&s, "bea", "reviewer");
    answers(&s,
            &(asking){.method = "POST",
                      .path = "/v1/verdicts",
                      .token = ada,
                      .body = "{\"account\":\"zed\",\"reason\":\"why\"}"},
            200, "\"proposal\":1");
    ob_entry_free(last(p, "verdict.add"));
    const asking agrees = {.method = "POST",
                           .path = "/v1/proposals/1/approve",
                           .token = bea,
                           .body = "{\"reason\":\"I saw it, too\"}"};
    answers(&s, &(asking){"POST", agrees.path, ada, agrees.body, {{0}}, 0}, 403, "REFUSED");
    answers(&s, &agrees, 200, "\"verdict\":1");
    answers(&s, &(asking){.method = "GET", .path = "/v1/verdicts", .token = ada}, 200,
            "I saw it, too");
    answers(&s, &(asking){.method = "HEAD", .path = "/v1/verdicts", .token = ada}, 200, "verdicts");
    answers(&s, &(asking){.method = "POST", .path = "/v1/verdicts/7/overturn", .token = ada}, 404,
            "NOT_FOUND");
    answers(&s, &(asking){.method = "POST", .path = "/v1/reports/7/confirm", .token = ada}, 404,
            "NOT_FOUND");
    answers(&s,
            &(asking){
                .method = "POST", .path = "/v1/detectors/pdq/suspend", .token = ada, .body = "{}"},
            400, "\\\"reason\\\" is needed");
    free(ada);
    free(bea);
}

static void too_many_at_once_are_told_to_come_again(void **state)
{
    ob_service s = service_of(*state);
    char *ada = person(&s, "ada", "lead");
    unsigned taken = 0;
    while (ob_commands_enter(OB_AT_STAFF))
        taken++;
    assert_int_equal(taken, 32);
    ob_call *call = NULL;
    char bearer[200];
    snprintf(bearer, sizeof bearer, "Bearer %s", ada);
    const ob_field token = {"Authorization", bearer};
    const ob_request r = {.listener = OB_LISTENER_STAFF,
                          .method = "GET",
                          .path = "/v1/policy",
                          .headers = &token,
                          .header_count = 1};
    assert_int_equal(ob_commands_begin_http(&call, &s, &r), OB_PLAN_BYTES);
    hand_over(call, NULL);
    assert_int_equal(call->answer.status, 503);
    assert_true(call->answer.retry_after_s > 0);
    call->class->end(call);
    while (taken--)
        ob_commands_exit(OB_AT_STAFF);
    answers(&s, &(asking){.method = "GET", .path = "/v1/policy", .token = ada}, 200, "regime");
    free(ada);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(what_is_not_here_is_not_found_and_another_method_is_told_which),
        IN_MEMORY(who_is_nobody_is_told_so_before_anything_is_read),
        IN_MEMORY(fields_stand_where_the_method_has_them),
        IN_MEMORY(it_is_done_as_at_the_socket),
        IN_MEMORY(too_many_at_once_are_told_to_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
