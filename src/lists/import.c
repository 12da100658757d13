#include "lists_priv.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- Reading ------------------------------------------------------------------------------ */

typedef struct import {
    const ob_import *wish;
    const char *label;
    ob_import_result result;
    entries entries;
    list_screen screen;
} import;

static void line_error(const import *i, const char *sentence)
{
    if (i->wish->line_error)
        i->wish->line_error(i->wish->context, sentence);
}

static ob_status read_entries(import *i, int file, uint64_t total, ob_error *err)
{
    reader *reader = NULL;
    ob_status status = reader_new(&reader, file, i->label, err);
    for (uint64_t shown = 0; !status;) {
        entry entry;
        bool end;
        ob_error problem = {0};
        status = reader_next(&entry, &end, reader, &problem);
        if (!status && end)
            break;
        i->result.lines++;
        const char *picture = NULL;
        if (status == OB_EFORMAT) {
            i->result.bad++;
            line_error(i, problem.text);
            status = OB_OK;
        } else if (status) {
            status = ob_fail(err, status, "%s", problem.text);
        } else if (entry.withdrawn) {
            i->result.withdrawn++;
        } else if ((picture = list_screen_name(&i->screen, &entry.hash)) != NULL) {
            i->result.refused++;
            ob_fail(&problem, OB_EREFUSED,
                    "list \"%s\", line %llu: refused: within %d of a picture with nothing in it "
                    "(%s); it would match anything",
                    i->label, (unsigned long long)entry.line, OB_INDEX_MAX_DISTANCE, picture);
            line_error(i, problem.text);
        } else if (i->entries.count >= OB_INDEX_MAX_COUNT || entry.line > UINT32_MAX) {
            status = ob_fail(err, OB_ELIMIT, "list \"%s\" has more than %llu entries", i->label,
                             (unsigned long long)OB_INDEX_MAX_COUNT);
        } else {
            bool duplicate = false;
            status = entries_add(&duplicate, &i->entries, &entry, err);
            i->result.duplicates += duplicate;
        }
        if (i->wish->progress && reader_bytes(reader) >= shown + (8u << 20)) {
            shown = reader_bytes(reader);
            i->wish->progress(i->wish->context, "reading", shown, total);
        }
    }
    reader_free(reader);
    return status;
}

/* ---- The whole ---------------------------------------------------------------------------- */

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

/* Whether what was read may become the list. */
static ob_status judge(const import *i, ob_error *err)
{
    const ob_import_result *r = &i->result;
    if (r->bad && !i->wish->keep_going)
        return ob_fail(err, OB_EFORMAT,
                       "list \"%s\" was not imported: %llu of %llu lines cannot be read "
                       "(--keep-going leaves them out)",
                       i->label, (unsigned long long)r->bad, (unsigned long long)r->lines);
    if (r->refused && !i->wish->keep_going)
        return ob_fail(err, OB_EREFUSED,
                       "list \"%s\" was not imported: %llu of %llu entries were refused "
                       "(--keep-going leaves them out)",
                       i->label, (unsigned long long)r->refused, (unsigned long long)r->lines);
    if (!i->entries.count)
        return ob_fail(err, OB_EFORMAT, "list \"%s\" was not imported: it has no usable entry",
                       i->label);
    return OB_OK;
}

static ob_status write_list(const import *i, const char *dir, ob_error *err)
{
    bool enabled = true;
    ob_list_info info = {.imported_at = (int64_t)time(NULL)};
    snprintf(info.purpose, sizeof info.purpose, "%s", OB_LIST_PURPOSE_CSAM);
    snprintf(info.source, sizeof info.source, "%s", i->wish->source ? i->wish->source : "");
    ob_error none;
    ob_status status = list_find(&enabled, dir, i->result.name, &none);
    if (status == OB_ENOTFOUND)
        enabled = true;
    else if (status)
        return ob_fail(err, status, "%s", none.text);
    if (i->wish->progress)
        i->wish->progress(i->wish->context, "writing", 0, i->entries.count);
    return obx_write(dir, i->result.name, enabled, &info, &i->entries, err);
}

ob_status ob_list_import(ob_import_result *out, const char *dir, const ob_import *wish,
                         ob_error *err)
{
    bool standard_input = !strcmp(wish->file, "-");
import i = {.wish = wish, .label = standard_input ? "standard input" :wish->file };
    int lock = -1, file = -1;
    struct stat info = {0};
    ob_status status = check_wish(wish, err);
    if (!status && wish->name)
        snprintf(i.result.name, sizeof i.result.name, "%s", wish->name);
    else if (!status)
        status = name_from_file(i.result.name, wish->file, err);
    if (status)
        goto out;
    file = standard_input ? STDIN_FILENO : open(wish->file, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) || S_ISDIR(info.st_mode)) {
        status = ob_fail(err, OB_EIO, "list \"%s\" cannot be opened: %s", i.label,
                         file >= 0 && S_ISDIR(info.st_mode) ? "a directory" : strerror(errno));
        goto out;
    }
    status = list_lock(&lock, dir, err);
    if (status)
        goto out;
    list_sweep(dir);
    status = list_screen_init(&i.screen, err);
    if (!status)
        status = read_entries(&i, file, S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0, err);
    if (!status)
        status = judge(&i, err);
    if (!status)
        status = write_list(&i, dir, err);
    i.result.entries = status ? 0 : i.entries.count;
out:
    if (lock >= 0)
        list_unlock(lock);
    if (file >= 0 && !standard_input)
        close(file);
    entries_free(&i.entries);
    list_screen_free(&i.screen);
    *out = i.result;
    return status;
}
