/* Commands about how long records stay, and about whom the log knows. */
#include "commands_priv.h"

#include <obhut/records/log.h>
#include <obhut/records/retention.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Periods --------------------------------------------------------------------------------- */

ob_status commands_record_kinds(json_t **out, const commands_call *call, ob_error *err)
{
    const ob_record_kind *kind;
    json_t *array = json_array();
    (void)call;
    (void)err;
    for (size_t i = 0; (kind = ob_record_kind_at(i)) != NULL; i++) {
        json_t *fields = json_object();
        const ob_record_field *field;
        for (size_t f = 0; (field = ob_record_field_at(kind, f)) != NULL; f++)
            json_object_set_new(fields, field->name, json_string(field->purpose));
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "table", kind->table,
                                        "title", kind->title, "purpose", kind->purpose, "period",
                                        kind->period, "persons", kind->persons, "fields", fields));
    }
    *out = json_pack("{s:o}", "kinds", array);
    return OB_OK;
}

/* As the log tells it, too. */
static json_t *reaped_json(const ob_reaped *reaped, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:I, s:I}", "kind", reaped[i].word,
                                               "due", (json_int_t)reaped[i].due, "deleted",
                                               (json_int_t)reaped[i].deleted, "held",
                                               (json_int_t)reaped[i].held, "left",
                                               (json_int_t)reaped[i].left));
    return array;
}

ob_status commands_record_reap(json_t **out, const commands_call *call, ob_error *err)
{
    ob_reaped reaped[OB_REAPED_MOST];
    size_t count = 0;
    ob_status status = ob_records_reap(reaped, &count, call->service->store, call->service->acts,
                                       &call->actor, ob_now(), true, err);
    if (!status)
        *out = json_pack("{s:o}", "reaped", reaped_json(reaped, count));
    return status;
}

/* ---- Holds ----------------------------------------------------------------------------------- */

/* "report", "verdict", …: the one that the request names. */
static ob_status read_record(ob_hold_wish *h, const commands_call *call, ob_error *err)
{
    static const char *const kinds[] = {"report", "notice", "verdict", "cause", "order"};
    int named = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const json_t *number = json_object_get(call->request, kinds[i]);
        if (!json_is_integer(number))
            continue;
        named++;
        h->record = json_integer_value(number);
        h->kind = kinds[i];
    }
    return named == 1 ? OB_OK
                      : ob_fail(err, OB_EINVAL,
                                "one record is needed: a report, notice, verdict, cause or order");
}

static ob_status read_time(int64_t *out, const commands_call *call, const char *member,
                           ob_error *err)
{
    char text[OB_TIME_TEXT + 1];
    const char *until = commands_optional(call, member);
    if (!until)
        return ob_fail(err, OB_EINVAL, "\"%s\" is needed: a time, or a day", member);
    snprintf(text, sizeof text, strlen(until) == 10 ? "%.10sT00:00:00Z" : "%.20s", until);
    return ob_time_parse(out, text)
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "\"%.40s\" is no time: 2027-01-31", until);
}

/* Until when; or which law demands it, and from when it counts. */
static ob_status read_end(ob_hold_wish *h, const commands_call *call, ob_error *err)
{
    h->law = commands_optional(call, "law");
    if (h->law && commands_optional(call, "until"))
        return ob_fail(err, OB_EINVAL, "a hold ends at \"until\" or as its \"law\" says, not both");
    if (!h->law)
        return read_time(&h->until, call, "until", err);
    return commands_optional(call, "from") ? read_time(&h->reported_at, call, "from", err) : OB_OK;
}

ob_status commands_hold_add(json_t **out, const commands_call *call, ob_error *err)
{
    ob_hold_wish wish = {.reason = commands_optional(call, "reason")};
    ob_hold h;
    bool must_be_decided = false;
    ob_status status = read_record(&wish, call, err);
    if (!status)
        status = read_end(&wish, call, err);
    if (!status)
        status = ob_hold_add(&h, &must_be_decided, call->act, &wish, err);
    if (!status)
        *out = json_pack("{s:I, s:o, s:b}", "hold", (json_int_t)h.id, "until",
                         commands_time(h.until), "must_be_decided", (int)must_be_decided);
    return status;
}

static json_t *hold_json(const ob_hold *h, bool must_be_decided, int64_t now)
{
    bool over = ob_hold_is_over(h, now);
    json_t *one = json_pack("{s:I, s:s, s:s, s:I, s:s, s:s, s:o, s:o}", "hold", (json_int_t)h->id,
                            "state", over ? "over" : "holds", "kind", h->kind, "record",
                            (json_int_t)h->record, "reason", h->reason, "by", h->by, "made_at",
                            commands_time(h->made_at), "until", commands_time(h->until));
    if (*h->law)
        json_object_set_new(one, "law", json_string(h->law));
    if (h->ended_at)
        json_object_set_new(one, "ended_at", commands_time(h->ended_at));
    if (h->decided_at) {
        json_object_set_new(one, "decided_by", json_string(h->decided_by));
        json_object_set_new(one, "decided_why", json_string(h->decided_why));
        json_object_set_new(one, "decided_at", commands_time(h->decided_at));
    }
    if (must_be_decided)
        json_object_set_new(one, "must_be_decided", json_true());
    return one;
}

ob_status commands_hold_ls(json_t **out, const commands_call *call, ob_error *err)
{
    enum { MOST = 1000 };
    ob_hold *holds = NULL;
    size_t count = 0;
    int64_t now = ob_now();
    ob_status status = ob_store_holds(&holds, &count, call->view, MOST, err);
    json_t *array = json_array();
    for (size_t i = 0; i < count && !status; i++) {
        bool must_be_decided;
        status = ob_hold_must_be_decided(&must_be_decided, &holds[i], call->view, now, err);
        json_array_append_new(array, hold_json(&holds[i], must_be_decided, now));
    }
    free(holds);
    if (status)
        json_decref(array);
    else
        *out = json_pack("{s:o}", "holds", array);
    return status;
}

ob_status commands_hold_end(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, "hold", err);
    return status ? status : ob_hold_end(call->act, id, err);
}

ob_status commands_hold_keep(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, "hold", err);
    return status ? status : ob_hold_decide(call->act, id, commands_optional(call, "reason"), err);
}

/* ---- Who is in the log ----------------------------------------------------------------------- */

static ob_status read_subject(ob_pseudonym_kind *kind, const char **name, const commands_call *call,
                              ob_error *err)
{
    const char *account = commands_optional(call, "account"),
               *person = commands_optional(call, "person");
    *kind = account ? OB_PSEUDONYM_ACCOUNT : OB_PSEUDONYM_PERSON;
    *name = account ? account : person;
    return *name && !(account && person) && strlen(*name) <= OB_PSEUDONYM_TEXT
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "an account or a person is needed");
}

/* OB_ENOTFOUND: there is none, or none any longer. */
static ob_status find_alias(char out[OB_LOG_ALIAS], const commands_call *call,
                            ob_pseudonym_kind kind, const char *name, ob_error *err)
{
    bool found = false;
    ob_status status =
        ob_acts_log_alias(&found, out, call->service->acts, call->view, kind, name, err);
    return status || found ? status
                           : ob_fail(err, OB_ENOTFOUND,
                                     "nobody of that name is in the log; or their key was "
                                     "destroyed, and nobody can tell");
}

ob_status commands_audit_code(json_t **out, const commands_call *call, ob_error *err)
{
    ob_pseudonym_kind kind;
    const char *name;
    char code[OB_LOG_ALIAS];
    ob_status status = read_subject(&kind, &name, call, err);
    if (!status)
        status = find_alias(code, call, kind, name, err);
    if (!status)
        *out = json_pack("{s:s}", "code", code);
    return status;
}

/* Of the staff. */
ob_status commands_audit_names(json_t **out, const commands_call *call, ob_error *err)
{
    ob_person *persons = NULL;
    size_t count = 0;
    json_t *names = json_object();
    ob_status status = ob_store_persons(&persons, &count, call->view, err);
    for (size_t i = 0; i < count && !status; i++) {
        char code[OB_LOG_ALIAS];
        bool found = false;
        status = ob_acts_log_alias(&found, code, call->service->acts, call->view,
                                   OB_PSEUDONYM_PERSON, persons[i].name, err);
        if (!status && found)
            json_object_set_new(names, code, json_string(persons[i].name));
    }
    free(persons);
    if (status)
        json_decref(names);
    else
        *out = json_pack("{s:o}", "names", names);
    return status;
}

static json_t *consents_json(const ob_logged_consent *consents, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_pack("{s:I, s:s, s:s}", "entry", (json_int_t)consents[i].entry, "at",
                             consents[i].at, "consent", consents[i].given ? "given" : "withdrawn"));
    return array;
}

ob_status commands_audit_consents(json_t **out, const commands_call *call, ob_error *err)
{
    const char *account;
    ob_logged_consent *found = NULL;
    size_t count = 0;
    ob_status status = commands_text(&account, call, "account", err);
    if (!status && strlen(account) > OB_PSEUDONYM_TEXT)
        status =
            ob_fail(err, OB_EINVAL, "an account is named by at most %d bytes", OB_PSEUDONYM_TEXT);
    if (!status)
        status = ob_acts_log_consents(&found, &count, call->service->acts, account, err);
    if (!status)
        *out = json_pack("{s:o}", "consents", consents_json(found, count));
    free(found);
    return status;
}

/* Of accounts at any time; of persons when they have left. */
ob_status commands_audit_forget(json_t **out, const commands_call *call, ob_error *err)
{
    ob_pseudonym_kind kind;
    const char *name;
    ob_person *all = NULL;
    size_t count = 0;
    ob_record_key subject;
    char alias[OB_LOG_ALIAS];
    (void)out;
    ob_status status = read_subject(&kind, &name, call, err);
    if (!status && kind == OB_PSEUDONYM_PERSON)
        status = ob_store_persons(&all, &count, call->view, err);
    for (size_t i = 0; i < count && !status; i++)
        if (!strcmp(all[i].name, name) && !all[i].ended_at)
            status = ob_fail(err, OB_EREFUSED, "%s still acts: obhut person remove first", name);
    free(all);
    if (!status)
        status = find_alias(alias, call, kind, name, err);
    if (status)
        return status;
    ob_act_word(call->act, kind == OB_PSEUDONYM_PERSON ? "person" : "about", alias);
    ob_acts_pseudonym(&subject, call->service->acts, kind, name);
    return ob_store_log_key_destroy(call->act->w, &subject, err);
}
