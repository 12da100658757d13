/* Commands about lists. */
#include "commands_priv.h"

#include <obhut/engine.h>
#include <obhut/http.h>

#include <stdlib.h>
#include <string.h>

/* ---- Import and update ----------------------------------------------------------------------- */

static void on_line(void *context, const char *sentence)
{
    commands_hear(context, json_pack("{s:o}", "line", ob_json_text(sentence)));
}

static void on_progress(void *context, const char *step, uint64_t done, uint64_t total)
{
    commands_hear(context, json_pack("{s:{s:s, s:I, s:I}}", "progress", "step", step, "done",
                                     (json_int_t)done, "total", (json_int_t)total));
}

static ob_status take_type(ob_import_type *out, const commands_call *call, ob_error *err)
{
    const char *type = commands_optional(call, "type");
    *out = OB_IMPORT_CHECKED;
    if (type && !strcmp(type, "pdq"))
        *out = OB_IMPORT_PDQ;
    else if (type && !strcmp(type, "sha256"))
        *out = OB_IMPORT_SHA256;
    else if (type)
        return ob_fail(err, OB_EINVAL, "type \"%.40s\": pdq and sha256 are known", type);
    return OB_OK;
}

static ob_status take_accept(unsigned *out, const commands_call *call, ob_error *err)
{
    size_t i;
    json_t *value;
    *out = 0;
    json_array_foreach(json_object_get(call->request, "accept"), i, value)
    {
        const char *word = json_string_value(value);
        if (word && !strcmp(word, "low-quality"))
            *out |= OB_IMPORT_LOW_QUALITY;
        else if (word && !strcmp(word, "shrinking"))
            *out |= OB_IMPORT_SHRINKING;
        else
            return ob_fail(err, OB_EINVAL,
                           "accept \"%.40s\": low-quality and shrinking can be accepted",
                           word ? word : "");
    }
    return OB_OK;
}

static ob_status import_of(ob_import *out, const commands_call *call, ob_error *err)
{
    const char *file = commands_optional(call, "file");
    *out = (ob_import){.file = file ? file : "-",
                       .from = call->file >= 0 ? &call->file : NULL,
                       .name = commands_optional(call, "name"),
                       .purpose = commands_optional(call, "purpose"),
                       .source = commands_optional(call, "source"),
                       .keep_going = json_is_true(json_object_get(call->request, "keep_going")),
                       .line_error = on_line,
                       .progress = on_progress,
                       .context = (void *)(uintptr_t)call};
    ob_status status = out->from ? OB_OK : ob_fail(err, OB_EINVAL, "a file is needed");
    if (!status)
        status = take_type(&out->type, call, err);
    return status ? status : take_accept(&out->accept, call, err);
}

/* ---- What was understood --------------------------------------------------------------------- */

static json_t *names_as_counts(const ob_import_names *names)
{
    json_t *object = json_object();
    for (size_t i = 0; i < names->count; i++)
        json_object_set_new(object, names->name[i].text,
                            json_integer((json_int_t)names->name[i].count));
    return object;
}

static json_t *columns(const ob_import_names *names, bool used)
{
    json_t *array = json_array();
    for (size_t i = 0; i < names->count; i++)
        if (names->name[i].used == used)
            json_array_append_new(array, json_string(names->name[i].text));
    return array;
}

static json_t *kinds(const ob_import_understood *u)
{
    json_t *object = json_object();
    for (int k = 0; k < OB_LIST_KINDS; k++)
        if (u->kinds[k])
            json_object_set_new(object, ob_list_kind_name((ob_list_kind)k),
                                json_integer((json_int_t)u->kinds[k]));
    return object;
}

static json_t *understood(const ob_import_understood *u)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "shape", u->shape, "kinds", kinds(u),
                     "columns", columns(&u->columns, true), "columns_unused",
                     columns(&u->columns, false), "states", names_as_counts(&u->states),
                     "kinds_unused", names_as_counts(&u->unused), "skipped",
                     (json_int_t)u->skipped);
}

/* Not known where it cannot be found out now. */
static void add_overlap(json_t *to, const commands_call *call, const char *name)
{
    ob_list_shared *shared = NULL;
    size_t count = 0;
    uint64_t compared = 0;
    if (!to || ob_lists_overlap(&shared, &count, &compared, call->service->lists, name,
                                OB_LISTS_OVERLAP_MOST, NULL))
        return;
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, shared[i].list, json_integer((json_int_t)shared[i].entries));
    free(shared);
    json_object_set_new(to, "compared", json_integer((json_int_t)compared));
    json_object_set_new(to, "shared", object);
}

static ob_status read_list(json_t **out, const commands_call *call,
                           ob_status (*read)(ob_import_result *, ob_lists *, const ob_import *,
                                             ob_error *),
                           ob_error *err)
{
    ob_import import;
    ob_import_result r = {.lines = 0};
    ob_status status = import_of(&import, call, err);
    if (!status)
        status = read(&r, call->service->lists, &import, err);
    if (status && *r.understood.shape) /* also why it was not taken may be seen in that */
        commands_hear(call, json_pack("{s:o}", "understood", understood(&r.understood)));
    if (!status)
        *out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "list", r.name, "sha256",
                         r.sha256, "lines", (json_int_t)r.lines, "entries", (json_int_t)r.entries,
                         "duplicates", (json_int_t)r.duplicates, "withdrawn",
                         (json_int_t)r.withdrawn, "bad", (json_int_t)r.bad, "refused",
                         (json_int_t)r.refused, "understood", understood(&r.understood));
    if (!status)
        add_overlap(*out, call, r.name);
    return status;
}

ob_status commands_list_import(json_t **out, const commands_call *call, ob_error *err)
{
    return read_list(out, call, ob_lists_import, err);
}

ob_status commands_list_update(json_t **out, const commands_call *call, ob_error *err)
{
    return read_list(out, call, ob_lists_update, err);
}

/* ---- Entries --------------------------------------------------------------------------------- */

typedef struct wanted {
    ob_query *queries;
    ob_list_entry *entries;
    size_t count;
} wanted;

static void wanted_free(wanted *w)
{
    free(w->queries);
    free(w->entries);
}

static ob_status wanted_read(wanted *out, const commands_call *call, ob_error *err)
{
    const json_t *hashes = json_object_get(call->request, "hashes");
    size_t given = json_array_size(hashes);
    wanted w = {.count = given ? given : 1};
    if (w.count > OB_LISTS_ADD_MAX)
        return ob_fail(err, OB_ELIMIT, "%zu hashes at once; at most %d", w.count, OB_LISTS_ADD_MAX);
    w.queries = calloc(w.count, sizeof *w.queries);
    w.entries = calloc(w.count, sizeof *w.entries);
    ob_status status =
        w.queries && w.entries ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: entries");
    for (size_t i = 0; i < w.count && !status; i++) {
        const char *text = json_string_value(json_array_get(hashes, i));
        w.entries[i].id = commands_optional(call, "id");
        w.entries[i].source = commands_optional(call, "source");
        w.entries[i].classification = commands_optional(call, "classification");
        if (!given)
            break;
        status = text ? ob_query_parse(&w.queries[i], text, strlen(text), err)
                      : ob_fail(err, OB_EINVAL, "\"hashes\" is an array of texts");
        if (status && text)
            status = ob_fail_in(err, status, "\"%.80s\"", text);
        if (w.queries[i].is_digest)
            w.entries[i].digest[w.queries[i].kind] = w.queries[i].digest;
        else
            w.entries[i].hash = &w.queries[i].hash;
    }
    if (status)
        wanted_free(&w);
    else
        *out = w;
    return status;
}

/* As an import does: what is called "pdq:" is taken as it is. */
static ob_status check_posing(const commands_call *call, const wanted *w, ob_error *err)
{
    const json_t *hashes = json_object_get(call->request, "hashes");
    for (size_t i = 0; i < json_array_size(hashes); i++) {
        const char *text = json_string_value(json_array_get(hashes, i));
        if (w->entries[i].hash && strncmp(text, "pdq:", 4) &&
            !ob_list_may_be_pdq(w->entries[i].hash))
            return ob_fail(err, OB_EREFUSED,
                           "\"%.16s…\" has more bits set than a PDQ hash can have: \"sha256:\" or "
                           "\"pdq:\" before it says what it is",
                           text);
    }
    return OB_OK;
}

static ob_status change(json_t **out, const commands_call *call, bool add, ob_error *err)
{
    const char *name;
    wanted w = {0};
    uint64_t changed = 0;
    ob_status status = commands_text(&name, call, "name", err);
    if (!status)
        status = wanted_read(&w, call, err);
    if (status)
        return status;
    if (add && (status = check_posing(call, &w, err)) != OB_OK) {
        wanted_free(&w);
        return status;
    }
    status = add ? ob_lists_add(&changed, call->service->lists, name, w.entries, w.count, err)
                 : ob_lists_withdraw(&changed, call->service->lists, name, w.entries, w.count, err);
    if (!status && !add && !changed)
        status = ob_fail(err, OB_ENOTFOUND, "list \"%s\" has no such entry", name);
    if (!status)
        *out =
            json_pack("{s:I, s:I}", "changed", (json_int_t)changed, "asked", (json_int_t)w.count);
    wanted_free(&w);
    return status;
}

ob_status commands_list_add(json_t **out, const commands_call *call, ob_error *err)
{
    return change(out, call, true, err);
}

ob_status commands_list_withdraw(json_t **out, const commands_call *call, ob_error *err)
{
    return change(out, call, false, err);
}

/* ---- Whole lists ----------------------------------------------------------------------------- */

ob_status commands_list_merge(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    (void)out;
    ob_status status = commands_text(&name, call, "name", err);
    return status ? status
                  : ob_lists_merge(call->service->lists, name, on_progress, (void *)(uintptr_t)call,
                                   err);
}

static ob_status set_enabled(const commands_call *call, bool enabled, ob_error *err)
{
    const char *name;
    ob_status status = commands_text(&name, call, "name", err);
    return status ? status : ob_lists_set_enabled(call->service->lists, name, enabled, err);
}

ob_status commands_list_enable(json_t **out, const commands_call *call, ob_error *err)
{
    (void)out;
    return set_enabled(call, true, err);
}

ob_status commands_list_disable(json_t **out, const commands_call *call, ob_error *err)
{
    (void)out;
    return set_enabled(call, false, err);
}

ob_status commands_list_remove(json_t **out, const commands_call *call, ob_error *err)
{
    const char *name;
    (void)out;
    ob_status status = commands_text(&name, call, "name", err);
    return status ? status : ob_lists_remove(call->service->lists, name, err);
}

ob_status commands_list_accept(json_t **out, const commands_call *call, ob_error *err)
{
    (void)out;
    return ob_lists_accept(call->service->lists, err);
}
