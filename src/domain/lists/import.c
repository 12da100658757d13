/* A published list becomes a list file. */
#include "lists_priv.h"

#include <obhut/clock.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct importing {
    const ob_import *wish;
    const import_notes *notes;
    ob_import_result result;
    entries entries;
} importing;

/* ---- Wishes ---------------------------------------------------------------------------------- */

/* "…/Known 2024.csv" becomes "known-2024". */
static ob_status name_from_file(char out[OB_LIST_NAME_MAX + 1], const char *file, ob_error *err)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
    size_t length = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    if (!strcmp(file, "-"))
        return ob_fail(err, OB_EINVAL, "a list from standard input needs a name: --name NAME");
    if (length > OB_LIST_NAME_MAX)
        length = OB_LIST_NAME_MAX;
    for (size_t k = 0; k < length; k++) {
        char c = (char)tolower((unsigned char)base[k]);
        out[k] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ? c : '-';
    }
    out[length] = '\0';
    if (list_name_is_valid(out))
        return OB_OK;
    return ob_fail(err, OB_EINVAL, "no list name can be made of \"%s\": --name NAME", file);
}

static ob_status check_wish(const ob_import *wish, ob_error *err)
{
    if (wish->purpose && strcmp(wish->purpose, OB_LIST_PURPOSE_CSAM))
        return ob_fail(err, OB_EREFUSED,
                       "a list for the purpose \"%s\": nothing is looked for but "
                       "child sexual abuse material (\"%s\")",
                       wish->purpose, OB_LIST_PURPOSE_CSAM);
    if (wish->source && strlen(wish->source) > OB_LIST_TEXT_MAX)
        return ob_fail(err, OB_EINVAL, "a source of %zu bytes; at most %d are kept",
                       strlen(wish->source), OB_LIST_TEXT_MAX);
    return wish->name ? list_check_name(wish->name, err) : OB_OK;
}

ob_status import_name(char out[OB_LIST_NAME_MAX + 1], const ob_import *wish, ob_error *err)
{
    ob_status status = check_wish(wish, err);
    if (!status && wish->name)
        snprintf(out, OB_LIST_NAME_MAX + 1, "%s", wish->name);
    else if (!status)
        status = name_from_file(out, wish->file, err);
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* Whether the list is on, or true for a new one. */
static ob_status is_enabled(bool *out, const char *dir, const char *name, ob_error *err)
{
    ob_error problem;
    ob_status status = list_find(out, dir, name, &problem);
    if (status == OB_ENOTFOUND) {
        *out = true;
        return OB_OK;
    }
    return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
}

static ob_status write_list(importing *i, const char *dir, ob_error *err)
{
    const char *name = i->result.name;
    char *temporary = NULL;
    bool enabled = true;
    obx_wish wish = {.dir = dir,
                     .name = name,
                     .info.imported_at = ob_now(),
                     .progress = i->wish->progress,
                     .context = i->wish->context};
    snprintf(wish.info.purpose, sizeof wish.info.purpose, "%s", OB_LIST_PURPOSE_CSAM);
    snprintf(wish.info.source, sizeof wish.info.source, "%s",
             i->wish->source ? i->wish->source : "");
    free(i->entries.table); /* memory that the building of the index can use */
    i->entries.table = NULL;
    /* What was added to the old list and withdrawn from it is not in the new one. */
    ob_status status = list_next_journal(&wish.journal, dir, name, err);
    if (wish.journal < i->notes->journal_least)
        wish.journal = i->notes->journal_least;
    if (!status)
        status = obx_write(&temporary, &wish, &i->entries, err);
    if (!status)
        status = is_enabled(&enabled, dir, name, err);
    if (!status)
        status = i->notes->intend(i->notes->context, temporary, err);
    if (!status)
        status = obx_place(temporary, dir, name, enabled, err);
    if (!status)
        list_drop_journals(dir, name, wish.journal);
    free(temporary);
    return status;
}

static ob_status take(void *context, const entry *from, ob_error *err)
{
    importing *i = context;
    bool duplicate = false;
    if (from->withdrawn) {
        i->result.withdrawn++;
        return OB_OK;
    }
    if (i->entries.count >= OB_INDEX_MAX_COUNT || from->line > UINT32_MAX)
        return ob_fail(err, OB_ELIMIT, "more than %llu entries",
                       (unsigned long long)OB_INDEX_MAX_COUNT);
    ob_status status = entries_add(&duplicate, &i->entries, from, err);
    i->result.duplicates += duplicate;
    return status;
}

ob_status ob_list_import_name(char out[OB_LIST_NAME_MAX + 1], const ob_import *import,
                              ob_error *err)
{
    return import_name(out, import, err);
}

static ob_status has_entries(const importing *i, ob_error *err)
{
    const uint64_t skipped = i->result.understood.skipped;
    if (i->entries.count)
        return OB_OK;
    if (skipped)
        return ob_fail(err, OB_EFORMAT,
                       "list \"%s\" was not imported: it has no usable entry; %llu have hashes of "
                       "kinds that are not used alone",
                       i->wish->file, (unsigned long long)skipped);
    return ob_fail(err, OB_EFORMAT, "list \"%s\" was not imported: it has no usable entry",
                   i->wish->file);
}

/* A file that was cut, or the wrong one, must not end what a list finds. */
static ob_status has_enough(const importing *i, ob_error *err)
{
    const uint64_t before = i->notes->entries_before, now = i->entries.count;
    if (now >= before - before / 2 || (i->wish->accept & OB_IMPORT_SHRINKING))
        return OB_OK;
    return ob_fail(err, OB_EREFUSED,
                   "list \"%s\" was not imported: list \"%s\" has %llu entries now and would have "
                   "%llu, less than half (--accept shrinking imports it all the same)",
                   i->wish->file, i->result.name, (unsigned long long)before,
                   (unsigned long long)now);
}

ob_status import_under_lock(ob_import_result *out, const char *dir, const ob_import *wish,
                            const import_notes *notes, ob_error *err)
{
    importing i = {.wish = wish, .notes = notes};
    list_screen screen = {0};
    ob_status status = import_name(i.result.name, wish, err);
    if (!status)
        status = list_screen_init(&screen, err);
    if (!status)
        status = import_read(&i.result, wish, &screen, take, &i, err);
    if (!status)
        status = has_entries(&i, err);
    if (!status)
        status = has_enough(&i, err);
    if (!status)
        status = write_list(&i, dir, err);
    i.result.entries = status ? 0 : i.entries.count;
    entries_free(&i.entries);
    list_screen_free(&screen);
    *out = i.result;
    return status;
}
