/* Entries of the audit log, as lines that a person reads or as they are. */
#include "audit.h"
#include "cli.h"

#include <obhut/audit.h>
#include <obhut/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool audit_time_is_valid(const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00Z";
    size_t length = strlen(text);
    if (length != 4 && length != 7 && length != 10 && length != 13 && length != 16 &&
        length != 19 && length != 20)
        return false;
    for (size_t i = 0; i < length; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return true;
}

/* ---- One line -------------------------------------------------------------------------------- */

/* Text without anything that a terminal would take for an order. */
static ob_status add_text(ob_buf *out, const char *text)
{
    ob_status status = OB_OK;
    for (const char *p = text; *p && !status; p++)
        status = (unsigned char)*p < ' ' || *p == 0x7F ? ob_buf_append(out, " ", 1, NULL)
                                                       : ob_buf_append(out, p, 1, NULL);
    return status;
}

static ob_status add_value(ob_buf *out, const json_t *value);

static ob_status add_array(ob_buf *out, const json_t *array)
{
    ob_status status = json_array_size(array) ? OB_OK : add_text(out, "none");
    for (size_t i = 0; i < json_array_size(array) && !status; i++) {
        status = ob_buf_append(out, " + ", i ? 3 : 0, NULL);
        if (!status)
            status = add_value(out, json_array_get(array, i));
    }
    return status;
}

static ob_status add_value(ob_buf *out, const json_t *value)
{
    if (json_is_string(value))
        return add_text(out, json_string_value(value));
    if (json_is_boolean(value))
        return add_text(out, json_is_true(value) ? "yes" : "no");
    if (json_is_array(value))
        return add_array(out, value);
    char *text = ob_json_write(value, JSON_COMPACT | JSON_ENCODE_ANY);
    ob_status status = text ? add_text(out, text) : OB_ENOMEM;
    free(text);
    return status;
}

/* Told elsewhere in the line, or nothing that a person reads. */
static bool is_for_machines(const char *member)
{
    return !strcmp(member, "n") || !strcmp(member, "at") || !strcmp(member, "what") ||
           !strcmp(member, "act") || !strcmp(member, "mac");
}

static ob_status add_members(ob_buf *out, json_t *entry)
{
    const char *key;
    json_t *value;
    ob_status status = OB_OK;
    bool first = true;
    json_object_foreach(entry, key, value)
    {
        if (is_for_machines(key))
            continue;
        status = ob_buf_append(out, ", ", first ? 0 : 2, NULL);
        first = false;
        if (!status)
            status = add_text(out, key);
        if (!status)
            status = ob_buf_append(out, ": ", 2, NULL);
        if (!status)
            status = add_value(out, value);
        if (status)
            break;
    }
    return status;
}

static const char *text_of(const json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));
    return text ? text : "";
}

/* "7311  2026-11-25 14:00:00  cause.begun  account: …, days: 30" */
static void print_parts(json_t *entry, const char *members)
{
    const char *at = text_of(entry, "at");
    printf("%-7lld %.10s %.8s  %s%s%s\n",
           (long long)json_integer_value(json_object_get(entry, "n")), at,
           strlen(at) > 11 ? at + 11 : "", text_of(entry, "what"), *members ? "  " : "", members);
}

/* Members that are the code of somebody whose name is known. */
static void put_names(json_t *entry, const json_t *names)
{
    const char *key;
    json_t *value;
    json_object_foreach(entry, key, value)
    {
        const char *code = json_string_value(value);
        json_t *name = code ? json_object_get(names, code) : NULL;
        if (name)
            json_object_set(entry, key, name); /* of a member that is there: the order stays */
    }
}

void audit_print_entry(const char *text, size_t size, const struct json_t *names)
{
    ob_buf members = {0};
    json_t *entry = json_loadb(text, size, 0, NULL);
    if (entry && names)
        put_names(entry, names);
    if (entry && !ob_buf_reserve(&members, 0, NULL) && !add_members(&members, entry))
        print_parts(entry, members.size ? members.bytes : "");
    else
        printf("%.*s\n", (int)size, text);
    ob_buf_free(&members);
    json_decref(entry);
}

/* ---- Which ----------------------------------------------------------------------------------- */

static bool has_words(const audit_wishes *w, json_t *entry)
{
    ob_buf members = {0};
    bool has = !w->word_count || !add_members(&members, entry);
    for (int i = 0; i < w->word_count && has; i++)
        has = strcasestr(members.size ? members.bytes : "", w->words[i]) ||
              strcasestr(text_of(entry, "what"), w->words[i]);
    ob_buf_free(&members);
    return has;
}

/* Times are compared as far as they were given: --after 2026-11-25 includes that day, --before does
 * not. */
static bool is_wanted(const audit_wishes *w, json_t *entry)
{
    const char *at = text_of(entry, "at"), *what = text_of(entry, "what");
    return (!w->what || !strncmp(what, w->what, strlen(w->what))) &&
           (!w->after || strncmp(at, w->after, strlen(w->after)) >= 0) &&
           (!w->before || strncmp(at, w->before, strlen(w->before)) < 0) && has_words(w, entry);
}

static ob_status take(void *context, uint64_t number, const char *text, size_t size, ob_error *err)
{
    const audit_wishes *w = context;
    json_t *entry = json_loadb(text, size, 0, NULL);
    if (!entry)
        return ob_fail(err, OB_EFORMAT, "entry %llu is no JSON; `obhut audit verify` says more",
                       (unsigned long long)number);
    if (is_wanted(w, entry)) {
        if (w->json)
            printf("%.*s\n", (int)size, text);
        else
            audit_print_entry(text, size, w->names);
    }
    json_decref(entry);
    return ferror(stdout) ? ob_fail(err, OB_EIO, "the output could not be written") : OB_OK;
}

int audit_show(const char *dir, const audit_wishes *w)
{
    ob_error err = {0};
    audit_wishes copy = *w;
    ob_status status = ob_audit_read(dir, w->from, w->to, take, &copy, &err);
    if (!status)
        return CLI_NOTHING;
    cli_say("%s", err.text);
    return status == OB_EFORMAT ? CLI_FOUND : CLI_FAILURE;
}
