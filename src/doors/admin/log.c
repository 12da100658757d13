#include "admin_priv.h"

#include <string.h>

/* Members that may stand in the log as they are. */
static bool is_plain(const char *member)
{
    static const char *const plain[] = {
        /* names that the operator gave, and words of ours */
        "name", "kind", "surface", "scope", "role", "key", "value", "regime", "state", "fail",
        "law", "until", "detector", "document", "country", "type", "accept",
        /* numbers of records */
        "proposal", "report", "notice", "verdict", "cause", "order", "hold", "record",
        /* numbers */
        "days", "year", "items", "false_alarms", "conversations", "changed", "lines", "entries",
        "duplicates", "withdrawn", "bad", "refused", "asked",
        /* yes or no */
        "external", "notices", "done"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(plain[i], member))
            return true;
    return false;
}

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

static void copy_plain(ob_act *act, const json_t *from)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)from, member, value)
    {
        if (is_plain(member) && is_short(value) && !json_object_get(act->members, member))
            ob_act_value(act, member, json_deep_copy(value));
    }
}

void admin_log_request(ob_act *act, const json_t *request, const char *command)
{
    const char *account = json_string_value(json_object_get(request, "account"));
    const char *reason = json_string_value(json_object_get(request, "reason"));
    const char *name = json_string_value(json_object_get(request, "name"));
    if (account && strlen(account) <= OB_PSEUDONYM_TEXT) {
        ob_record_key key;
        ob_staff_pseudonym(&key, act->staff, OB_PSEUDONYM_ACCOUNT, account);
        ob_act_account(act, "about", &key);
        if (reason)
            ob_act_text(act, "reason", reason);
    }
    if (!name && !strcmp(command, "list.import")) {
        char list[OB_LIST_NAME_MAX + 1];
        const ob_import import = {.file = json_string_value(json_object_get(request, "file"))};
        if (import.file && !ob_list_import_name(list, &import, NULL))
            ob_act_word(act, "name", list);
    }
    if (name && !strncmp(command, "person.", 7) && strlen(name) <= OB_PSEUDONYM_TEXT)
        ob_act_person(act, "name", name);
    copy_plain(act, request);
}

void admin_log_answer(ob_act *act, const json_t *answer)
{
    copy_plain(act, answer);
}

json_t *admin_log_numbers(const json_t *answer)
{
    const char *member;
    json_t *value, *numbers = json_object();
    json_object_foreach((json_t *)(uintptr_t)answer, member, value)
    {
        if ((is_plain(member) && json_is_integer(value)) ||
            /* the list's name may come from the file's; which file it was */
            ((!strcmp(member, "list") || !strcmp(member, "sha256")) && is_word(value)))
            json_object_set(numbers, member, value);
    }
    return numbers;
}
