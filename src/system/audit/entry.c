/* What an entry says, in the form of the log. */
#include "audit_priv.h"

#include <stdlib.h>
#include <string.h>

struct ob_entry {
    json_t *members;
    bool failed; /* something was not kept */
};

/* Stands for an entry for which there was no memory: nothing is ever written to it. */
static const ob_entry lost = {.failed = true};

ob_entry *ob_entry_new(void)
{
    ob_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return (ob_entry *)(uintptr_t)&lost;
    entry->members = json_object();
    entry->failed = !entry->members;
    return entry;
}

void ob_entry_free(ob_entry *entry)
{
    if (!entry || entry == &lost)
        return;
    json_decref(entry->members);
    free(entry);
}

const json_t *entry_members(const ob_entry *entry)
{
    return entry && !entry->failed ? entry->members : NULL;
}

bool ob_entry_failed(const ob_entry *entry)
{
    return entry && entry->failed;
}

/* ---- Building -------------------------------------------------------------------------------- */

static void set(ob_entry *entry, const char *member, json_t *value)
{
    if (entry->failed)
        json_decref(value);
    else if (json_object_set_new(entry->members, member, value))
        entry->failed = true;
}

void ob_entry_number(ob_entry *entry, const char *member, int64_t number)
{
    set(entry, member, json_integer((json_int_t)number));
}

void ob_entry_text(ob_entry *entry, const char *member, const char *text)
{
    set(entry, member, json_string(text));
}

void ob_entry_yes(ob_entry *entry, const char *member, bool is_so)
{
    set(entry, member, json_boolean(is_so));
}

void ob_entry_list(ob_entry *entry, const char *member)
{
    set(entry, member, json_array());
}

/* The members of `inner`, which is gone then; NULL where it has failed. */
static json_t *take(ob_entry *inner)
{
    json_t *members = inner->failed ? NULL : json_incref(inner->members);
    ob_entry_free(inner);
    return members;
}

void ob_entry_inner(ob_entry *entry, const char *member, ob_entry *inner)
{
    set(entry, member, take(inner));
}

static void add(ob_entry *entry, const char *member, json_t *value)
{
    if (!entry->failed && !json_object_get(entry->members, member))
        ob_entry_list(entry, member);
    if (entry->failed)
        json_decref(value);
    else if (json_array_append_new(json_object_get(entry->members, member), value))
        entry->failed = true;
}

void ob_entry_list_text(ob_entry *entry, const char *member, const char *text)
{
    add(entry, member, json_string(text));
}

void ob_entry_list_inner(ob_entry *entry, const char *member, ob_entry *inner)
{
    add(entry, member, take(inner));
}

void ob_entry_fill(ob_entry *entry, const ob_entry *from)
{
    if (!entry->failed)
        entry->failed =
            from->failed || json_object_update_missing(entry->members, from->members) != 0;
}

/* ---- Reading --------------------------------------------------------------------------------- */

ob_status ob_entry_read(ob_entry **out, const char *text, size_t size, ob_error *err)
{
    json_t *members = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(members)) {
        json_decref(members);
        return ob_fail(err, OB_EFORMAT, "an entry that is no object of JSON");
    }
    ob_entry *entry = calloc(1, sizeof *entry);
    if (!entry) {
        json_decref(members);
        return ob_fail(err, OB_ENOMEM, "out of memory: an entry of the log");
    }
    entry->members = members;
    *out = entry;
    return OB_OK;
}

static const json_t *get(const ob_entry *entry, const char *member)
{
    return entry ? json_object_get(entry->members, member) : NULL;
}

bool ob_entry_has(const ob_entry *entry, const char *member)
{
    return get(entry, member) != NULL;
}

int64_t ob_entry_get_number(const ob_entry *entry, const char *member)
{
    return json_integer_value(get(entry, member));
}

const char *ob_entry_get_text(const ob_entry *entry, const char *member)
{
    return json_string_value(get(entry, member));
}

bool ob_entry_is(const ob_entry *entry, const char *member)
{
    return json_is_true(get(entry, member));
}

size_t ob_entry_list_size(const ob_entry *entry, const char *member)
{
    return json_array_size(get(entry, member));
}

bool ob_entry_list_has(const ob_entry *entry, const char *member, const char *text)
{
    const json_t *list = get(entry, member);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));
        if (one && !strcmp(one, text))
            return true;
    }
    return false;
}
