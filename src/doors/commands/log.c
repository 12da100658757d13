/* What the log hears of a command: what its row says of each field. */
#include "commands_priv.h"

#include <string.h>

enum { WORDS_MOST = 32 }; /* of a field */

/* Names and words are short and have no spaces; what somebody says has. */
static bool is_word(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) <= OB_NAME_MAX + 1 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:,-") ==
               strlen(text);
}

static bool is_short(const json_t *value)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)value, i, one)
    {
        if (i >= WORDS_MOST || !is_word(one))
            return false;
    }
    return json_is_array(value) || json_is_integer(value) || json_is_boolean(value) ||
           is_word(value);
}

static bool is_plain(const ob_command_field *f, const json_t *from)
{
    const json_t *value = json_object_get(from, f->name);
    return value && f->logged == OB_LOGGED_PLAIN && is_short(value);
}

static void log_words(ob_act *act, const char *member, const json_t *list)
{
    const char *words[WORDS_MOST];
    size_t count = 0;
    for (; count < json_array_size(list) && count < WORDS_MOST; count++)
        words[count] = json_string_value(json_array_get(list, count));
    ob_act_words(act, member, words, count);
}

static void log_value(ob_act *act, const char *member, const json_t *value)
{
    if (json_is_string(value))
        ob_act_word(act, member, json_string_value(value));
    else if (json_is_integer(value))
        ob_act_number(act, member, json_integer_value(value));
    else if (json_is_boolean(value))
        ob_act_yes(act, member, json_is_true(value));
    else
        log_words(act, member, value);
}

/* Whom it is about comes first: what they said is told by a code of their key. */
static void add_about(ob_act *act, const ob_command_field *f, const json_t *request)
{
    const char *text = json_string_value(json_object_get(request, f->name));
    ob_record_key key;
    if (!text || strlen(text) > OB_PSEUDONYM_TEXT || f->logged != OB_LOGGED_ABOUT)
        return;
    ob_acts_pseudonym(&key, act->acts, OB_PSEUDONYM_ACCOUNT, text);
    ob_act_account(act, "about", &key);
}

static void add_member(ob_act *act, const ob_command_field *f, const json_t *request)
{
    const json_t *value = json_object_get(request, f->name);
    const char *text = json_string_value(value);
    if (text && f->logged == OB_LOGGED_CODE && act->has_key)
        ob_act_text(act, f->name, text);
    else if (text && f->logged == OB_LOGGED_PERSON && strlen(text) <= OB_PSEUDONYM_TEXT)
        ob_act_person(act, f->name, text);
    else if (is_plain(f, request))
        log_value(act, f->name, value);
}

/* A list may be called as its file is. */
static void add_list(ob_act *act, const json_t *request)
{
    char list[OB_LIST_NAME_MAX + 1];
    const ob_import import = {.file = json_string_value(json_object_get(request, "file"))};
    if (import.file && !ob_list_import_name(list, &import, NULL))
        ob_act_word(act, "name", list);
}

/* A command that makes the log forget somebody says itself whom, by the alias that there was: made
 * here, it would be another one, and that would be forgotten. */
static bool says_it_itself(const ob_command *command)
{
    return command->run == commands_audit_forget;
}

void commands_log_request(ob_act *act, const json_t *request, const ob_command *command)
{
    if (says_it_itself(command))
        return;
    for (const ob_command_field *f = command->takes; f && f->name; f++)
        add_about(act, f, request);
    for (const ob_command_field *f = command->takes; f && f->name; f++)
        add_member(act, f, request);
    if (command->run == commands_list_import && !json_object_get(request, "name"))
        add_list(act, request);
}

/* What somebody said where the entry is about no account: as the command is done it is known. */
static void add_words(ob_act *act, const ob_command_field *f, const json_t *request)
{
    const char *text = json_string_value(json_object_get(request, f->name));
    if (text && f->logged == OB_LOGGED_CODE && !ob_entry_has(act->members, f->name))
        ob_act_text(act, f->name, text);
}

void commands_log_answer(ob_act *act, const json_t *request, const json_t *answer,
                         const ob_command *command)
{
    for (const ob_command_field *f = command->takes; f && f->name; f++)
        add_words(act, f, request);
    for (const ob_command_field *f = command->gives; f && f->name; f++)
        if (is_plain(f, answer) && !ob_entry_has(act->members, f->name))
            log_value(act, f->name, json_object_get(answer, f->name));
}

/* Only where the log knows them already: who looks makes no key. */
static ob_status add_subject(ob_entry *out, const ob_command_field *f, const commands_call *call,
                             ob_view *view, ob_error *err)
{
    const char *text = json_string_value(json_object_get(call->request, f->name));
    const bool is_account = f->logged == OB_LOGGED_ABOUT;
    char code[OB_LOG_ALIAS];
    bool found = false;
    if (!text || strlen(text) > OB_PSEUDONYM_TEXT || (!is_account && f->logged != OB_LOGGED_PERSON))
        return OB_OK;
    ob_status status =
        ob_acts_log_alias(&found, code, call->service->acts, view,
                          is_account ? OB_PSEUDONYM_ACCOUNT : OB_PSEUDONYM_PERSON, text, err);
    if (!status && found)
        ob_entry_text(out, is_account ? "about" : f->name, code);
    return status;
}

ob_status commands_log_read(ob_entry **out, const commands_call *call, const ob_command *command,
                            ob_error *err)
{
    ob_entry *members = ob_entry_new();
    ob_view *view = NULL;
    ob_entry_text(members, "for", command->name);
    ob_status status = ob_view_open(&view, call->service->store, err);
    for (const ob_command_field *f = command->takes; f && f->name && !status; f++)
        status = add_subject(members, f, call, view, err);
    ob_view_close(view);
    if (status)
        ob_entry_free(members);
    else
        *out = members;
    return status;
}

ob_entry *commands_log_done(const json_t *answer, const ob_command *command)
{
    ob_entry *members = ob_entry_new();
    for (const ob_command_field *f = command->gives; f && f->name; f++) {
        const json_t *value = json_object_get(answer, f->name);
        if (is_plain(f, answer) && json_is_string(value))
            ob_entry_text(members, f->name, json_string_value(value));
        else if (is_plain(f, answer) && json_is_integer(value))
            ob_entry_number(members, f->name, json_integer_value(value));
    }
    return members;
}
