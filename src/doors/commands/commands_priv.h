/* The parts of commands: rows.c is the table, table.c what it says of a request, do.c does one,
 * web.c takes it over HTTP; commands of a kind are a file. */
#ifndef OBHUT_COMMANDS_PRIV_H
#define OBHUT_COMMANDS_PRIV_H

#include <obhut/commands.h>
#include <obhut/grounds.h>
#include <obhut/policy.h>
#include <obhut/records/person.h>
#include <obhut/records/proposal.h>
#include <obhut/staff.h>

/* A request that is being done. */
typedef struct commands_call {
    ob_service *service;
    const json_t *request;
    int file;
    const ob_commands_listener *listener;
    ob_actor actor;
    ob_person person; /* where actor.person is not NULL */
    ob_view *view;    /* the records; NULL while a deed runs */
    bool is_unknown;  /* nobody has its personal token */
    ob_act *act;      /* of a command that changes records, else NULL */
    /* SHA-256 of the file of such a command, read before it holds up others. */
    ob_status document_status;
    ob_error document_error;
    uint8_t document[32];
} commands_call;

/* Each command's function, an ob_command_run. */
ob_status commands_list_import(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_update(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_merge(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_withdraw(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_enable(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_disable(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_accept(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_list_remove(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_token_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_token_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_token_remove(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_gateway_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_gateway_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_gateway_remove(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_backup_make(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_scan(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_status(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_checkpoint_given(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_policy_show(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_policy_set(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_person_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_person_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_person_remove(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_proposal_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_proposal_approve(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_proposal_reject(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_report_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_report_confirm(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_report_remove(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_verdict_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_verdict_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_verdict_overturn(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_cause_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_cause_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_cause_end(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_cause_told(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_order_check(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_order_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_order_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_order_suspend(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_order_resume(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_order_revoke(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_order_halfway(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_consent_withdraw(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_safeguard_record(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_safeguard_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_safeguard_remove(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_detector_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_detector_suspend(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_detector_set(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_record_kinds(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_record_reap(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_hold_add(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_hold_ls(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_hold_end(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_hold_keep(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_check(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_audit_names(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_audit_code(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_audit_consents(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_audit_forget(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_clock_show(json_t **out, const commands_call *call, ob_error *err);
ob_status commands_clock_accept(json_t **out, const commands_call *call, ob_error *err);

/* ---- Steps of two persons -------------------------------------------------------------------- */

/* What happens when the second person agrees: `body` is what was proposed, `p` by whom, `second`
 * who agrees, `reason` why (""), as that person wrote it. */
typedef ob_status (*commands_step)(json_t **out, const commands_call *call, const json_t *body,
                                   const ob_proposal *p, const char *second, const char *reason,
                                   ob_error *err);

ob_status commands_verdict_step(json_t **out, const commands_call *call, const json_t *body,
                                const ob_proposal *p, const char *second, const char *reason,
                                ob_error *err);
ob_status commands_cause_step(json_t **out, const commands_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err);
ob_status commands_order_step(json_t **out, const commands_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err);
ob_status commands_detector_step(json_t **out, const commands_call *call, const json_t *body,
                                 const ob_proposal *p, const char *second, const char *reason,
                                 ob_error *err);
ob_status commands_clock_step(json_t **out, const commands_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err);

/* What is proposed, as the text that is kept until somebody agrees; takes the reference. The caller
 * frees it; NULL: out of memory. */
char *commands_body(json_t *body);

/* The proposal that a request has made: {proposal, kind, proposed_by, until}. */
json_t *commands_proposed(const commands_call *call, const char *kind, int64_t id);

/* Who the request is from: the person of its personal token, or the operator. Sets call->actor.
 * OB_EREFUSED: nobody has that token. */
ob_status commands_identify(commands_call *call, ob_view *view, ob_error *err);

/* Whether who it is may ask for the command at all: what its row says of persons and roles.
 * OB_EREFUSED. */
ob_status commands_may(const commands_call *call, const ob_command *command, ob_error *err);

enum {
    REVIEWERS = 1 << OB_ROLE_REVIEWER | 1 << OB_ROLE_LEAD,
    LEADS = 1 << OB_ROLE_LEAD,
    GUARDS = 1 << OB_ROLE_LEAD | 1 << OB_ROLE_OFFICER,
};

/* ---- The log --------------------------------------------------------------------------------- */

/* What of a request and of its answer stands in the log: what the command's row says of each field.
 */
void commands_log_request(ob_act *act, const json_t *request, const ob_command *command);
void commands_log_answer(ob_act *act, const json_t *request, const json_t *answer,
                         const ob_command *command);
/* Of a look: what for, and about whom, where the log knows them. The caller frees *out. */
ob_status commands_log_read(ob_entry **out, const commands_call *call, const ob_command *command,
                            ob_error *err);
ob_entry *commands_log_done(const json_t *answer, const ob_command *command);

/* What a profile opens: [{"surface", "basis", "what", "open", "needs", "set": ["KEY VALUE"]}];
 * "set" is what `obhut policy set` would have to be told, nothing where it is open. */
json_t *commands_open(const ob_profile *p);

/* ---- Requests -------------------------------------------------------------------------------- */

/* The number at `key`; OB_EINVAL where it is missing or none. */
ob_status commands_number(int64_t *out, const commands_call *call, const char *key, ob_error *err);

/* The set that an array of words at `key` means, whose bits have these names (NULL: no more); and
 * back. */
ob_status commands_set(uint32_t *out, const commands_call *call, const char *key,
                       const char *(*name)(int), ob_error *err);
json_t *commands_words(uint32_t set, int count, const char *(*name)(int));

/* Keys as text, and back. */
json_t *commands_key(const ob_record_key *key);
ob_status commands_key_parse(ob_record_key *out, const json_t *value, ob_error *err);

/* SHA-256 of the file that goes with the request: a document that is recorded. */
ob_status commands_document(uint8_t out[32], const commands_call *call, ob_error *err);

/* The account that the request names, as a pseudonym. */
ob_status commands_account(ob_record_key *out, const commands_call *call, ob_error *err);

/* An order as it was transcribed; docs/GATE.md has the fields. What is missing is left out, what is
 * unreadable is an error. Accounts are the caller's: free(). */
ob_status commands_order_read(ob_order *out, ob_record_key **accounts, size_t *count,
                              const json_t *json, const ob_acts *acts, ob_error *err);

/* The text at `key`; OB_EINVAL where it is missing or no text. */
ob_status commands_text(const char **out, const commands_call *call, const char *key,
                        ob_error *err);

/* The same, or NULL where there is none. */
const char *commands_optional(const commands_call *call, const char *key);

void commands_hear(const commands_call *call, json_t *event);

/* "2026-11-25T10:00:00Z". */
json_t *commands_time(int64_t seconds);

#endif
