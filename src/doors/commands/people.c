/* Commands about persons, and about what they agree to. */
#include "commands_priv.h"

#include <obhut/crypto.h>
#include <obhut/json.h>

#include <stdlib.h>
#include <string.h>

/* ---- Who it is ------------------------------------------------------------------------------- */

ob_status commands_identify(commands_call *call, ob_view *view, ob_error *err)
{
    const json_t *said = json_object_get(call->request, "person_token");
    const char *token = json_string_value(said);
    bool found = false;
    call->actor = (ob_actor){NULL};
    if (said && !token)
        return ob_fail(err, OB_EINVAL, "\"person_token\" must be a text");
    if (!token)
        return OB_OK;
    ob_status status = ob_staff_person_find(&found, &call->person, view, token, err);
    call->is_unknown = !status && !found;
    if (call->is_unknown)
        status = ob_fail(err, OB_EREFUSED, "this personal token is not known here");
    if (!status)
        call->actor.person = &call->person;
    return status;
}

ob_status commands_may(const commands_call *call, const ob_command *command, ob_error *err)
{
    const bool needs_one = command->persons == OB_PERSONS_ONE || command->persons == OB_PERSONS_TWO;
    if (!call->actor.person)
        return needs_one
                   ? ob_fail(
                         err, OB_EREFUSED,
                         "only a person can do this: set OBHUT_PERSON_TOKEN to a personal token")
                   : OB_OK;
    return !command->roles || ob_actor_has(&call->actor, command->roles)
               ? OB_OK
               : ob_fail(err, OB_EREFUSED, "%s has no role for this", call->person.name);
}

/* ---- Persons --------------------------------------------------------------------------------- */

static const char *role_name(int role)
{
    return role < OB_ROLES ? ob_role_name((ob_role)role) : NULL;
}

ob_status commands_person_add(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    char secret[OB_SECRET_TEXT + 1];
    uint32_t wanted = 0;
    ob_status status = commands_text(&name, call, "name", err);
    if (!status)
        status = commands_set(&wanted, call, "role", role_name, err);
    if (!status)
        status = ob_staff_person_add(secret, call->act->w, name, wanted,
                                     json_is_true(json_object_get(call->request, "external")), err);
    if (!status)
        *out = json_pack("{s:s, s:s}", "name", name, "secret", secret);
    ob_wipe(secret, sizeof secret);
    return status;
}

ob_status commands_person_ls(json_t **out, const commands_call *call, ob_error *err)
{
    ob_person *persons = NULL;
    size_t count = 0;
    ob_status status = ob_store_persons(&persons, &count, call->view, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one =
            json_pack("{s:s, s:o, s:b, s:o}", "name", persons[i].name, "role",
                      commands_words(persons[i].roles, OB_ROLES, role_name), "external",
                      (int)persons[i].is_external, "made_at", commands_time(persons[i].made_at));
        if (persons[i].ended_at)
            json_object_set_new(one, "ended_at", commands_time(persons[i].ended_at));
        json_array_append_new(array, one);
    }
    free(persons);
    *out = json_pack("{s:o}", "persons", array);
    return OB_OK;
}

ob_status commands_person_remove(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    (void)out;
    ob_status status = commands_text(&name, call, "name", err);
    return status ? status : ob_store_person_end(call->act->w, name, ob_now(), err);
}

/* ---- Proposals ------------------------------------------------------------------------------- */

static const struct {
    const char *kind, *command; /* whose row says who agrees, and whether they say why */
    commands_step step;
} steps[] = {
    {"verdict", "verdict.add", commands_verdict_step},
    {"cause", "cause.add", commands_cause_step},
    {"order", "order.add", commands_order_step},
    {"detector", "detector.set", commands_detector_step},
    {"clock", "clock.accept", commands_clock_step},
};

static bool needs_reason(const ob_command *command)
{
    const ob_command_field *reason = ob_command_field_find(command->takes, "reason");
    return reason && reason->is_needed;
}

/* It is not what the client sent. */
static ob_status damaged(int64_t id, ob_error *err)
{
    return ob_fail(err, OB_EIO, "proposal %lld is damaged: it must be made anew", (long long)id);
}

char *commands_body(json_t *body)
{
    char *text = ob_json_write(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

json_t *commands_proposed(const commands_call *call, const char *kind, int64_t id)
{
    return json_pack("{s:I, s:s, s:s, s:o}", "proposal", (json_int_t)id, "kind", kind,
                     "proposed_by", ob_actor_name(&call->actor), "until",
                     commands_time(ob_now() + OB_PROPOSAL_SECONDS));
}

static json_t *proposal_json(const ob_proposal *p)
{
    static const char *const states[] = {"open", "approved", "rejected"};
    const char *state =
        p->state == OB_PROPOSAL_OPEN && ob_now() >= p->until ? "over" : states[p->state];
    json_t *body = json_loads(p->body, 0, NULL);
    json_t *one = json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o}", "proposal", (json_int_t)p->id,
                            "kind", p->kind, "state", state, "proposed_by", p->proposed_by,
                            "proposed_at", commands_time(p->proposed_at), "until",
                            commands_time(p->until), "body", body ? body : json_null());
    if (*p->decided_by)
        json_object_set_new(one, "decided_by", json_string(p->decided_by));
    return one;
}

ob_status commands_proposal_ls(json_t **out, const commands_call *call, ob_error *err)
{
    enum { MOST = 200 };
    ob_proposal *proposals = NULL;
    size_t count = 0;
    ob_status status = ob_store_proposals(&proposals, &count, call->view, MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, proposal_json(&proposals[i]));
    free(proposals);
    *out = json_pack("{s:o}", "proposals", array);
    return OB_OK;
}

static ob_status run_step(json_t **out, const commands_call *call, const ob_proposal *p,
                          commands_step step, const char *second, const char *reason, ob_error *err)
{
    json_t *body = json_loads(p->body, 0, NULL);
    ob_status status = body ? step(out, call, body, p, second, reason, err) : OB_EFORMAT;
    json_decref(body);
    if (status == OB_EFORMAT)
        status = damaged(p->id, err);
    if (!status)
        status = ob_store_proposal_decide(call->act->w, p->id, OB_PROPOSAL_APPROVED, second,
                                          ob_now(), err);
    return status;
}

/* Stores a reason beside that of the operator, who proposed: the second person reads both. */
static ob_status store_reason(const commands_call *call, const ob_proposal *p, const char *reason,
                              ob_error *err)
{
    json_t *body = json_loads(p->body, 0, NULL);
    if (!body)
        return damaged(p->id, err);
    json_object_set_new(body, "reason_of_proposer", json_string(reason));
    char *text = commands_body(body);
    ob_status status = text ? ob_store_proposal_reword(call->act->w, p->id, text, err)
                            : ob_fail(err, OB_ENOMEM, "out of memory: a proposal");
    free(text);
    return status;
}

static ob_status adopt(json_t **out, const commands_call *call, const ob_proposal *p,
                       const char *reason, ob_error *err)
{
    ob_status status = reason ? store_reason(call, p, reason, err) : OB_OK;
    if (!status)
        *out = json_pack("{s:I, s:b, s:s}", "proposal", (json_int_t)p->id, "done", 0, "proposed_by",
                         ob_actor_name(&call->actor));
    return status;
}

ob_status commands_proposal_approve(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    ob_proposal *p = calloc(1, sizeof *p);
    bool adopted = false;
    const char *reason = commands_optional(call, "reason");
    ob_status status =
        p ? commands_number(&id, call, "proposal", err) : ob_fail(err, OB_ENOMEM, "out of memory");
    if (!status)
        status = ob_store_proposal(p, call->view, id, err);
    size_t k = 0;
    while (!status && k < sizeof steps / sizeof *steps && strcmp(steps[k].kind, p->kind))
        k++;
    if (!status && k == sizeof steps / sizeof *steps)
        status = damaged(id, err);
    const ob_command *command = status ? NULL : ob_command_find(steps[k].command);
    if (!status)
        status = ob_acts_second(&adopted, p, call->act->w, id, &call->actor, command->agree, err);
    if (!status && needs_reason(command) && !reason)
        status = ob_fail(err, OB_EINVAL, "who agrees to this says why: a reason is needed");
    if (!status && adopted)
        status = adopt(out, call, p, reason, err);
    else if (!status)
        status = run_step(out, call, p, steps[k].step, ob_actor_name(&call->actor),
                          reason ? reason : "", err);
    free(p);
    return status;
}

ob_status commands_proposal_reject(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_proposal *p = calloc(1, sizeof *p);
    ob_status status =
        p ? commands_number(&id, call, "proposal", err) : ob_fail(err, OB_ENOMEM, "out of memory");
    if (!status)
        status = ob_store_proposal(p, call->view, id, err); /* whether there is one */
    free(p);
    if (!status)
        status = ob_store_proposal_decide(call->act->w, id, OB_PROPOSAL_REJECTED,
                                          ob_actor_name(&call->actor), ob_now(), err);
    return status;
}
