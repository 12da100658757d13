/* The parts of admin: do.c finds the command; commands of a kind are a file; socket.c carries them,
 * in lines, which are line.c.
 */
#ifndef OBHUT_ADMIN_PRIV_H
#define OBHUT_ADMIN_PRIV_H

#include <obhut/admin.h>
#include <obhut/commands.h>
#include <obhut/records/order.h>
#include <obhut/records/person.h>
#include <obhut/records/proposal.h>
#include <obhut/staff.h>

/* A request that is being done. */
typedef struct admin_call {
    ob_service *service;
    const json_t *request;
    int file;
    const ob_admin_listener *listener;
    ob_actor actor;
    ob_person person; /* where actor.person is not NULL */
    ob_view *view;    /* the records; NULL while a deed runs */
    bool is_unknown;  /* nobody has its personal token */
    ob_act *act;      /* of a command that changes records, else NULL */
    /* SHA-256 of the file of such a command, read before it holds up others. */
    ob_status document_status;
    ob_error document_error;
    uint8_t document[32];
} admin_call;

/* Each command's function, an ob_command_run. */
ob_status admin_list_import(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_update(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_merge(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_withdraw(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_enable(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_disable(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_accept(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_list_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_token_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_token_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_token_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_gateway_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_gateway_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_gateway_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_backup_make(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_scan(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_status(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_checkpoint_given(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_policy_show(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_policy_set(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_person_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_person_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_person_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_proposal_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_proposal_approve(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_proposal_reject(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_report_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_report_confirm(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_report_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_verdict_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_verdict_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_verdict_overturn(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_cause_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_cause_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_cause_end(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_cause_told(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_order_check(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_order_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_order_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_order_suspend(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_order_resume(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_order_revoke(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_order_halfway(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_consent_withdraw(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_safeguard_record(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_safeguard_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_safeguard_remove(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_detector_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_detector_suspend(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_detector_set(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_record_kinds(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_record_reap(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_hold_add(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_hold_ls(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_hold_end(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_hold_keep(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_check(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_audit_names(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_audit_code(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_audit_consents(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_audit_forget(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_clock_show(json_t **out, const admin_call *call, ob_error *err);
ob_status admin_clock_accept(json_t **out, const admin_call *call, ob_error *err);

/* ob_admin_do, for what is asked at one of the OB_AT_… places. */
json_t *admin_do_at(ob_service *service, const json_t *request, int file,
                    const ob_admin_listener *listener, uint32_t place);

/* Before and after a command of a thread of its own, at most 32 at a time; ob_admin_wait waits for
 * them. */
bool admin_enter(void);
void admin_leave(void);

/* ---- Steps of two persons ----------------------------------------------------------------------
 */

/* What happens when the second person agrees: `body` is what was proposed, `p` by whom, `second`
 * who agrees, `reason` why (""), as that person wrote it. */
typedef ob_status (*admin_step)(json_t **out, const admin_call *call, const json_t *body,
                                const ob_proposal *p, const char *second, const char *reason,
                                ob_error *err);

ob_status admin_verdict_step(json_t **out, const admin_call *call, const json_t *body,
                             const ob_proposal *p, const char *second, const char *reason,
                             ob_error *err);
ob_status admin_cause_step(json_t **out, const admin_call *call, const json_t *body,
                           const ob_proposal *p, const char *second, const char *reason,
                           ob_error *err);
ob_status admin_order_step(json_t **out, const admin_call *call, const json_t *body,
                           const ob_proposal *p, const char *second, const char *reason,
                           ob_error *err);
ob_status admin_detector_step(json_t **out, const admin_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err);
ob_status admin_clock_step(json_t **out, const admin_call *call, const json_t *body,
                           const ob_proposal *p, const char *second, const char *reason,
                           ob_error *err);

/* Proposes, by whoever the request is from; takes the reference to `body`. *out: {proposal, until}.
 */
ob_status admin_propose(json_t **out, const admin_call *call, const char *kind, json_t *body,
                        ob_error *err);

/* Who the request is from: the person of its personal token, or the operator. Sets call->actor.
 * OB_EREFUSED: nobody has that token. */
ob_status admin_identify(admin_call *call, ob_view *view, ob_error *err);

/* Whether who it is may ask for the command at all: what its row says of persons and roles.
 * OB_EREFUSED. */
ob_status admin_may(const admin_call *call, const ob_command *command, ob_error *err);

enum {
    ADMIN_REVIEWERS = 1 << OB_ROLE_REVIEWER | 1 << OB_ROLE_LEAD,
    ADMIN_LEADS = 1 << OB_ROLE_LEAD,
    ADMIN_GUARDS = 1 << OB_ROLE_LEAD | 1 << OB_ROLE_OFFICER,
};

/* ---- The log -----------------------------------------------------------------------------------
 */

/* What of a request and of its answer stands in the log: what the command's row says of each field.
 */
void admin_log_request(ob_act *act, const json_t *request, const ob_command *command);
void admin_log_answer(ob_act *act, const json_t *answer, const ob_command *command);
json_t *admin_log_done(const json_t *answer, const ob_command *command);

/* What a profile opens: [{"surface", "basis", "what", "open", "needs", "set": ["KEY VALUE"]}];
 * "set" is what `obhut policy set` would have to be told, nothing where it is open. */
struct ob_profile;
json_t *admin_open(const struct ob_profile *p);

/* ---- Requests ----------------------------------------------------------------------------------
 */

/* The number at `key`; OB_EINVAL where it is missing or none. */
ob_status admin_number(int64_t *out, const admin_call *call, const char *key, ob_error *err);

/* A text that is kept: not empty, at most OB_RECORD_TEXT bytes. */
ob_status admin_reason(char out[OB_RECORD_TEXT + 1], const char *text, ob_error *err);

/* Keys as text, and back. */
json_t *admin_key(const ob_record_key *key);
ob_status admin_key_parse(ob_record_key *out, const json_t *value, ob_error *err);

/* SHA-256 of the file that goes with the request: a document that is recorded. */
ob_status admin_document(uint8_t out[32], const admin_call *call, ob_error *err);

/* The account that the request names, as a pseudonym. */
ob_status admin_account(ob_record_key *out, const admin_call *call, ob_error *err);

/* An order as it was transcribed; docs/GATE.md has the fields. What is missing is left out, what is
 * unreadable is an error. Accounts are the caller's: free(). */
ob_status admin_order_read(ob_order *out, ob_record_key **accounts, size_t *count,
                           const json_t *json, const ob_acts *acts, ob_error *err);

/* The text at `key`; OB_EINVAL where it is missing or no text. */
ob_status admin_text(const char **out, const admin_call *call, const char *key, ob_error *err);

/* The same, or NULL where there is none. */
const char *admin_optional(const admin_call *call, const char *key);

void admin_hear(const admin_call *call, json_t *event);

/* "2026-11-25T10:00:00Z". */
json_t *admin_time(int64_t seconds);

/* ---- Lines -------------------------------------------------------------------------------------
 */

/* False: nobody reads them any more. */
bool admin_send_all(int to, const char *bytes, size_t size);
bool admin_send_line(int to, const json_t *object);

/* Bytes that have come, and a descriptor that came with them. */
typedef struct admin_incoming {
    int from, file;
    bool takes_file; /* a request may have one; an answer has none */
    bool is_crowded; /* it had more than it may */
    ob_buf bytes;
    size_t used;
} admin_incoming;

/* The next line as an object, or NULL at the end, after too much, or where it is none. */
json_t *admin_receive_line(admin_incoming *in);

/* Closes what it is from, and the descriptor. */
void admin_incoming_free(admin_incoming *in);

/* socket.c: asks the service that runs; OB_ENOTFOUND: none answers at its socket. */
ob_status admin_ask_running(json_t **out, const char *dir, const json_t *request, ob_error *err);

#endif
