/* What the log hears of a command: what its row says of each field. */
#include "admin_priv.h"

#include <string.h>

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
        if (i >= 32 || !is_word(one))
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

/* Whom it is about comes first: what they said is told by a code of their key. */
static void tell_about(ob_act *act, const ob_command_field *f, const json_t *request)
{
    const char *text = json_string_value(json_object_get(request, f->name));
    ob_record_key key;
    if (!text || strlen(text) > OB_PSEUDONYM_TEXT || f->logged != OB_LOGGED_ABOUT)
        return;
    ob_acts_pseudonym(&key, act->acts, OB_PSEUDONYM_ACCOUNT, text);
    ob_act_account(act, "about", &key);
}

static void tell(ob_act *act, const ob_command_field *f, const json_t *request)
{
    const json_t *value = json_object_get(request, f->name);
    const char *text = json_string_value(value);
    if (text && f->logged == OB_LOGGED_CODE)
        ob_act_text(act, f->name, text);
    else if (text && f->logged == OB_LOGGED_PERSON && strlen(text) <= OB_PSEUDONYM_TEXT)
        ob_act_person(act, f->name, text);
    else if (is_plain(f, request))
        ob_act_value(act, f->name, json_deep_copy(value));
}

/* A list may be called as its file is. */
static void tell_list(ob_act *act, const json_t *request)
{
    char list[OB_LIST_NAME_MAX + 1];
    const ob_import import = {.file = json_string_value(json_object_get(request, "file"))};
    if (import.file && !ob_list_import_name(list, &import, NULL))
        ob_act_word(act, "name", list);
}

void admin_log_request(ob_act *act, const json_t *request, const ob_command *command)
{
    for (const ob_command_field *f = command->takes; f && f->name; f++)
        tell_about(act, f, request);
    for (const ob_command_field *f = command->takes; f && f->name; f++)
        tell(act, f, request);
    if (command->run == admin_list_import && !json_object_get(request, "name"))
        tell_list(act, request);
}

void admin_log_answer(ob_act *act, const json_t *answer, const ob_command *command)
{
    for (const ob_command_field *f = command->gives; f && f->name; f++)
        if (is_plain(f, answer) && !json_object_get(act->members, f->name))
            ob_act_value(act, f->name, json_deep_copy(json_object_get(answer, f->name)));
}

json_t *admin_log_done(const json_t *answer, const ob_command *command)
{
    json_t *members = json_object();
    for (const ob_command_field *f = command->gives; f && f->name; f++)
        if (is_plain(f, answer))
            json_object_set(members, f->name, json_object_get(answer, f->name));
    return members;
}
