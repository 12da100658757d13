/* Any bytes as the body of a report, a notice, or of who is a member: one act whose texts and
 * numbers are within bounds, or one problem, which never says that it is the service's fault. */
#include "services_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/token.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static unsigned handed_in, answers;

/* A pseudonym is made of what is no longer than a text may be. */
void __wrap_ob_acts_pseudonym(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                              const char *text);
void __wrap_ob_acts_pseudonym(ob_record_key *out, const ob_acts *acts, ob_pseudonym_kind kind,
                              const char *text)
{
    (void)acts;
    if (!*text || (kind != OB_PSEUDONYM_DELIVERY && strlen(text) > OB_PSEUDONYM_TEXT))
        abort();
    *out = (ob_record_key){{1}};
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
    job->status = ob_fail(&job->error, OB_EREFUSED, "this is only a target");
    job->done(job);
}

static void on_answered(ob_call *call)
{
    (void)call;
    answers++;
}

enum { PATH = 4096 };

/* What stands in place of %s is the service's own word. */
static const struct target {
    const char *method, *path;
} targets[] = {{"POST", "/v1/reports"},
               {"POST", "/v1/notices"},
               {"PUT", "/v1/conversations/%s/members"},
               {"DELETE", "/v1/conversations/%s/members"},
               {"DELETE", "/v1/accounts/%s/consents"}};
enum { TARGETS = sizeof targets / sizeof *targets };

static void check(const ob_call *call)
{
    const unsigned status = call->answer.status;
    if (answers != 1 || handed_in > 1 || !call->answer.body.size)
        abort();
    if (handed_in ? status != 403 : status != 400 && status != 413)
        abort();
}

static void print_path(char out[PATH], const char *path, const char *word)
{
    const char *place = strstr(path, "%s");
    const int before = (int)(place ? place - path : (long)strlen(path));
    snprintf(out, PATH, "%.*s%.2000s%s", before, path, place ? word : "", place ? place + 2 : "");
}

static void ask(ob_services *services, const struct target *to, const char *word, const char *named,
                ob_body body)
{
    char path[PATH];
    print_path(path, to->path, word);
    const ob_field headers[] = {{"Authorization", "Bearer x"},
                                {"Content-Type", "application/json"},
                                {"Idempotency-Key", named}};
    const ob_request request = {.method = to->method,
                                .path = path,
                                .headers = headers,
                                .header_count = named ? 3 : 2,
                                .content_length = -1};
    ob_call *call = NULL;
    if (ob_services_begin(&call, services, &request) == OB_PLAN_BYTES) {
        call->answered = on_answered;
        handed_in = answers = 0;
        call->class->body(call, body);
        check(call);
    } else if (call->answer.status != 400 && call->answer.status != 404) {
        abort();
    }
    call->class->end(call);
}

/* The first byte says whose body it is, and whether a text before the first NUL is the word in the
 * path or what names the request. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { IS_WORD = 0x40, IS_NAMED = 0x80 };
    static ob_services *services;
    const ob_services_options options = {.written_most = UINT64_MAX};
    if (!size)
        return 0;
    if (!services && (ob_crypto_start(NULL) || ob_services_open(&services, &options, NULL)))
        abort();
    const uint8_t kind = *bytes++;
    const uint8_t *end = kind & (IS_WORD | IS_NAMED) ? memchr(bytes, 0, --size) : NULL;
    char *text = end ? strdup((const char *)bytes) : NULL;
    size -= end ? (size_t)(end + 1 - bytes) : !(kind & (IS_WORD | IS_NAMED));
    char *exact = malloc(size ? size : 1); /* not a byte more than there is */
    if (!exact)
        abort();
    memcpy(exact, end ? end + 1 : bytes, size);
    const struct target *to = &targets[(kind & ~(IS_WORD | IS_NAMED)) % TARGETS];
    const char *word = text && kind & IS_WORD ? text : "a";
    ask(services, to, word, text && kind & IS_NAMED ? text : NULL,
        (ob_body){.bytes = exact, .size = size, .file = -1});
    ask(services, to, word, NULL, (ob_body){.file = -1, .too_large = true});
    free(exact);
    free(text);
    return 0;
}
