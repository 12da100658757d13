/* What a backup says of itself: its first file. */
#include "backup_priv.h"

#include <obhut/json.h>

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { FORM = 1 };

ob_status about_print(ob_buf *out, const ob_backup_about *about, ob_error *err)
{
    json_t *object =
        json_pack("{s:i, s:I, s:s, s:b, s:I}", "obhut_backup", (int)FORM, "made_at",
                  (json_int_t)about->made_at, "program", about->program, "lists",
                  (int)about->has_lists, "audit_entries", (json_int_t)about->audit_entries);
    char *text = ob_json_write(object, JSON_COMPACT);
    ob_status status = text ? ob_buf_append(out, text, strlen(text), err)
                            : ob_fail(err, OB_ENOMEM, "out of memory: a backup");
    free(text);
    json_decref(object);
    return status;
}

/* It is printed to terminals. */
static bool is_version(const char *text)
{
    return text && strlen(text) < sizeof((ob_backup_about *)NULL)->program &&
           text[strspn(
               text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+~-")] == '\0';
}

static ob_status take(ob_backup_about *out, const json_t *object, ob_error *err)
{
    const json_t *form = json_object_get(object, "obhut_backup");
    const json_t *made_at = json_object_get(object, "made_at");
    const json_t *lists = json_object_get(object, "lists");
    const json_t *entries = json_object_get(object, "audit_entries");
    const char *program = json_string_value(json_object_get(object, "program"));
    if (json_is_integer(form) && json_integer_value(form) > FORM)
        return ob_fail(err, OB_EREFUSED, "made by a newer version of Obhut: use that one");
    if (json_integer_value(form) != FORM || !json_is_integer(made_at) || !json_is_boolean(lists) ||
        !json_is_integer(entries) || json_integer_value(entries) < 0 || !is_version(program))
        return ob_fail(err, OB_EFORMAT,
                       "the backup makes no sense: what it says of itself (\"about\")");
    *out = (ob_backup_about){.made_at = json_integer_value(made_at),
                             .has_lists = json_is_true(lists),
                             .audit_entries = (uint64_t)json_integer_value(entries)};
    snprintf(out->program, sizeof out->program, "%s", program);
    return OB_OK;
}

ob_status about_read(ob_backup_about *out, sequence *s, ob_error *err)
{
    bool end = false;
    size_t got = 1;
    ob_buf text = {0};
    ob_status status = sequence_next(&end, s, err);
    while (!status && got) {
        status = ob_buf_reserve(&text, SEQUENCE_SMALL, err);
        if (!status)
            status = sequence_read(s, text.bytes + text.size, SEQUENCE_SMALL, &got, err);
        text.size += status ? 0 : got;
    }
    json_t *object =
        status ? NULL : json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES, NULL);
    if (!status)
        status = take(out, object, err);
    json_decref(object);
    ob_buf_free(&text);
    return status;
}
