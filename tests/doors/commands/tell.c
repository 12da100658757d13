/* What requests about records make of their bodies. No staff is there: the linker
 * puts stand-ins in their place. */
#include "test.h"

#include "services_priv.h"

#include <obhut/records/token.h>

#include <stdio.h>

static unsigned deliveries, handed_in;

void __wrap_ob_acts_pseudonym(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                              const char *text);
void __wrap_ob_acts_pseudonym(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                              const char *text)
{
    (void)acts;
    (void)text;
    *out = (ob_record_key){{1}};
    deliveries += kind == OB_PSEUDONYM_DELIVERY;
}

ob_status __wrap_ob_staff_token_find(bool *found, ob_token *out, ob_staff *staff,
                                     const char *secret, ob_error *err);
ob_status __wrap_ob_staff_token_find(bool *found, ob_token *out, ob_staff *staff,
                                     const char *secret, ob_error *err)
{
    (void)staff;
    (void)secret;
    (void)err;
    *found = true;
    *out = (ob_token){.name = "client", .scopes = UINT32_MAX, .surfaces = UINT32_MAX};
    return OB_OK;
}

void __wrap_ob_acts_post(ob_acts *acts, ob_act_job *job);
void __wrap_ob_acts_post(ob_acts *acts, ob_act_job *job)
{
    (void)acts;
    handed_in++;
    job->status = ob_fail(&job->error, OB_EREFUSED, "this is only a test");
    job->done(job);
}

static void on_answered(ob_call *call)
{
    (void)call;
}

static ob_services *asked;

/* Goes as far as to the act that it would be. */
static ob_call *ask(uint64_t written_most, const char *method, const char *path, const char *body)
{
    const ob_field headers[] = {{"Authorization", "Bearer x"},
                                {"Content-Type", "application/json"},
                                {"Idempotency-Key", "one"}};
    const ob_request request = {.method = method,
                                .path = path,
                                .headers = headers,
                                .header_count = 3,
                                .content_length = (int64_t)strlen(body)};
    const ob_services_options options = {.written_most = written_most};
    ob_call *call = NULL;
    assert_int_equal(ob_services_open(&asked, &options, NULL), OB_OK);
    assert_int_equal(ob_services_begin(&call, asked, &request), OB_PLAN_BYTES);
    call->answered = on_answered;
    deliveries = handed_in = 0;
    call->class->body(call, (ob_body){.bytes = body, .size = strlen(body), .file = -1});
    return call;
}

static void leave(ob_call *call)
{
    call->class->end(call);
    ob_services_close(asked);
}

static void send_request(const char *method, const char *path, const char *body)
{
    ob_call *call = ask(0, method, path, body);
    if (handed_in != 1)
        fail_msg("%s %s: %.*s", method, path, (int)call->answer.body.size, call->answer.body.bytes);
    leave(call);
}

static void a_report_or_notice_is_known_again(void **state)
{
    (void)state;
    send_request("POST", "/v1/reports",
                 "{\"conversation\":\"c\",\"reporter\":\"r\",\"account\":\"a\",\"items\":[\"i\"],"
                 "\"reason\":\"x\"}");
    assert_int_equal(deliveries, 2); /* of its body, and of its name */
    send_request("POST", "/v1/notices", "{\"items\":[\"i\"],\"reason\":\"x\"}");
    assert_int_equal(deliveries, 2);
}

static void of_consents_no_code_is_made_that_nobody_reads(void **state)
{
    (void)state;
    send_request("PUT", "/v1/conversations/a/members",
                 "{\"members\":[{\"account\":\"a\",\"consents\":true}]}");
    assert_int_equal(deliveries, 0);
}

/* As in a query: the service that has such an account can take back what it consents to. */
static void a_word_in_a_path_may_have_any_bytes(void **state)
{
    (void)state;
    static const char *const words[] = {"\xFF\xFE", "\xC3", "K\xC3\xA4se"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char path[64];
        snprintf(path, sizeof path, "/v1/accounts/%s/consents", words[i]);
        send_request("DELETE", path, "");
        snprintf(path, sizeof path, "/v1/conversations/%s/members", words[i]);
        send_request("DELETE", path, "");
        send_request("PUT", path, "{\"members\":[]}");
    }
}

/* Under AddressSanitizer: nothing of them is left, either. */
static void what_is_refused_for_its_head_leaves_nothing(void **state)
{
    (void)state;
    char name[OB_PSEUDONYM_TEXT + 2];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    static const char *const cases[][2] = {{"POST", "/v1/reports"},
                                           {"POST", "/v1/notices"},
                                           {"PUT", "/v1/conversations/a/members"},
                                           {"DELETE", "/v1/accounts/a/consents"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ob_field headers[] = {{"Authorization", "Bearer x"}, {"Idempotency-Key", name}};
        const ob_request request = {.method = cases[i][0],
                                    .path = cases[i][1],
                                    .headers = headers,
                                    .header_count = 2,
                                    .content_length = 1};
        ob_call *call = NULL;
        assert_int_equal(ob_services_open(&asked, &(ob_services_options){0}, NULL), OB_OK);
        assert_int_equal(ob_services_begin(&call, asked, &request), OB_PLAN_ANSWER);
        assert_int_equal(call->answer.status, 400);
        leave(call);
    }
}

/* What takes a consent back is done all the same. */
static void a_token_that_has_written_enough_is_told_when_to_come_again(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *body;
        unsigned status;
    } cases[] = {{"POST", "/v1/notices", "{\"items\":[\"i\"],\"reason\":\"x\"}", 429},
                 {"PUT", "/v1/conversations/a/members", "{\"members\":[]}", 429},
                 {"DELETE", "/v1/conversations/a/members", "", 403},
                 {"DELETE", "/v1/accounts/a/consents", "", 403}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ob_call *call = ask(1, cases[i].method, cases[i].path, cases[i].body);
        assert_int_equal(call->answer.status, cases[i].status);
        assert_int_equal(handed_in, cases[i].status != 429);
        assert_int_equal(call->answer.retry_after_s > 0, cases[i].status == 429);
        leave(call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_or_notice_is_known_again),
        cmocka_unit_test(a_token_that_has_written_enough_is_told_when_to_come_again),
        cmocka_unit_test(what_is_refused_for_its_head_leaves_nothing),
        cmocka_unit_test(a_word_in_a_path_may_have_any_bytes),
        cmocka_unit_test(of_consents_no_code_is_made_that_nobody_reads),
    };
    return cmocka_run_group_tests_name("services_records", tests, NULL, NULL);
}
