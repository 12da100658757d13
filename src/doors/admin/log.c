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

enum { WORDS_MOST = 32 }; /* of a member */

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

static void copy_plain(ob_act *act, const json_t *from)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)from, member, value)
    {
        if (is_plain(member) && is_short(value) && !ob_entry_has(act->members, member))
            log_value(act, member, value);
    }
}

void admin_log_request(ob_act *act, const json_t *request, const char *command)
{
    const char *account = json_string_value(json_object_get(request, "account"));
    const char *reason = json_string_value(json_object_get(request, "reason"));
    const char *name = json_string_value(json_object_get(request, "name"));
    if (account && strlen(account) <= OB_PSEUDONYM_TEXT) {
        ob_record_key key;
        ob_acts_pseudonym(&key, act->acts, OB_PSEUDONYM_ACCOUNT, account);
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

ob_entry *admin_log_numbers(const json_t *answer)
{
    const char *member;
    json_t *value;
    ob_entry *numbers = ob_entry_new();
    json_object_foreach((json_t *)(uintptr_t)answer, member, value)
    {
        if (is_plain(member) && json_is_integer(value))
            ob_entry_number(numbers, member, json_integer_value(value));
        /* the list's name may come from the file's; which file it was */
        else if ((!strcmp(member, "list") || !strcmp(member, "sha256")) && is_word(value))
            ob_entry_text(numbers, member, json_string_value(value));
    }
    return numbers;
}
