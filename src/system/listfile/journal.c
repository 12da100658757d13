/* Writing journals: groups of changes, each of which counts as a whole or not at all
 * (docs/FORMAT-OBX.md). */
#include "journal_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const journal_opening[] = {
    [LINE_WHOLE] = "[",        [LINE_BEGIN] = "{\"begin\":[",    [LINE_MORE] = "{\"more\":[",
    [LINE_END] = "{\"end\":[", [LINE_VERSION] = "{\"version\":",
};

ob_status journal_sum(char out[SUM_DIGITS + 1], const char *text, size_t size, ob_error *err)
{
    uint8_t sum[OB_SHA256_SIZE];
    ob_status status = ob_sha256(sum, text, size, err);
    if (!status)
        ob_hex(out, sum, SUM_DIGITS / 2);
    return status;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* What was not acknowledged must be gone, or it would count when the journal is read again. */
static ob_status undo(journal *j, ob_error *err)
{
    j->uncertain = true;
    ob_status status = disk_cut(j->file, j->path, j->size, err);
    if (!status)
        status = disk_sync(j->file, j->path, err);
    j->uncertain = status != OB_OK;
    return status;
}

ob_status journal_recover(journal *j, ob_error *err)
{
    return j->uncertain ? undo(j, err) : OB_OK;
}

/* The line that an empty journal begins with: another list's, or an older one's, has another. */
static ob_status write_version(journal *j, ob_error *err)
{
    char text[96], sum[SUM_DIGITS + 1], line[128];
    snprintf(text, sizeof text, "%s%d,\"journal\":%llu}", journal_opening[LINE_VERSION],
             JOURNAL_VERSION, (unsigned long long)j->extent.number);
    ob_status status = journal_sum(sum, text, strlen(text), err);
    if (status)
        return status;
    snprintf(line, sizeof line, "%s %s\n", sum, text);
    status = disk_write(j->file, j->path, line, strlen(line), 0, err);
    j->size = status ? 0 : strlen(line);
    j->version = JOURNAL_VERSION;
    memcpy(j->extent.sum, sum, sizeof sum);
    return status;
}

ob_status journal_open(journal *out, const char *dir, const char *name, uint64_t number,
                       const journal_extent *least, ob_error *err)
{
    journal j = {.file = -1, .extent.number = number};
    const ob_file_rule rule = {.most = JOURNAL_SIZE_MOST, .forbidden = 0022};
    ob_status status = list_journal_path(&j.path, dir, name, number, err);
    if (status)
        return status;
    status = ob_file_open_regular(&j.file, NULL, j.path, O_RDWR | O_CREAT, &rule, err);
    if (!status)
        status = ob_file_give(j.file, j.path, AT_FDCWD, dir, err);
    if (!status)
        status = journal_measure(&j, least, err);
    if (!status)
        status = disk_cut(j.file, j.path, j.size, err);
    if (!status && !j.size)
        status = write_version(&j, err);
    if (!status)
        status = disk_sync(j.file, j.path, err);
    if (!status)
        status = list_sync_dir(dir, err);
    if (status)
        journal_close(&j);
    else
        *out = j;
    return status;
}

void journal_close(journal *j)
{
    if (j->file >= 0) {
        journal_recover(j, NULL);
        close(j->file);
    }
    free(j->path);
    *j = (journal){.file = -1};
}

/* ---- Entries as JSON ------------------------------------------------------------------------- */

/* Texts have no control characters and are UTF-8: list_check_text. */
static ob_status put_text(ob_buf *to, const char *name, const char *text, ob_error *err)
{
    if (!text || !*text)
        return OB_OK;
    ob_status status =
        ob_buf_printf(to, err, "%s\"%s\":\"", to->bytes[to->size - 1] == '{' ? "" : ",", name);
    while (*text && !status) {
        size_t plain = strcspn(text, "\"\\");
        status = ob_buf_append(to, text, plain, err);
        text += plain;
        if (!status && *text) {
            const char escaped[] = {'\\', *text++};
            status = ob_buf_append(to, escaped, sizeof escaped, err);
        }
    }
    return status ? status : ob_buf_append(to, "\"", 1, err);
}

static ob_status put_entry(ob_buf *to, const entry *e, ob_error *err)
{
    char hex[LIST_DIGEST_TEXT];
    ob_status status = ob_buf_append(to, "{", 1, err);
    if (!status && e->has_hash) {
        ob_hash256_print(hex, &e->hash);
        status = put_text(to, "pdq", hex, err);
    }
    for (int k = 0; k < DIGEST_KINDS && !status; k++)
        if (e->has_digest[k]) {
            list_digest_print(hex, (ob_list_digest)k, e->digest[k]);
            status = put_text(to, list_digest_kinds[k].name, hex, err);
        }
    if (!status)
        status = put_text(to, "id", e->id, err);
    if (!status)
        status = put_text(to, "source", e->source, err);
    if (!status)
        status = put_text(to, "classification", e->classification, err);
    if (!status)
        status = put_text(to, "state", e->withdrawn ? "withdrawn" : NULL, err);
    return status ? status : ob_buf_append(to, "}", 1, err);
}

/* ---- Groups ---------------------------------------------------------------------------------- */

void journal_begin(journal_group *out, journal *j)
{
    *out = (journal_group){.journal = j, .at = j->size};
    memcpy(out->sum, j->extent.sum, sizeof out->sum);
}

static ob_status flush(journal_group *g, ob_error *err)
{
    ob_status status =
        disk_write(g->journal->file, g->journal->path, g->lines.bytes, g->lines.size, g->at, err);
    g->at += g->lines.size; /* on error too: so much may be there */
    g->lines.size = 0;
    return status;
}

/* The entries that wait become a line; its sum is over the line before's too, so that no line can
 * be missing, doubled or another without all behind it being wrong. */
static ob_status put_line(journal_group *g, line_kind kind, ob_error *err)
{
    ob_buf text = {0};
    const size_t before = strlen(g->sum);
    ob_status status = ob_buf_printf(&text, err, "%s%s", g->sum, journal_opening[kind]);
    if (!status && g->entries.size)
        status = ob_buf_append(&text, g->entries.bytes, g->entries.size, err);
    if (!status)
        status = ob_buf_printf(&text, err, kind == LINE_WHOLE ? "]" : "]}");
    if (!status)
        status = journal_sum(g->sum, text.bytes, text.size, err);
    if (!status)
        status = ob_buf_printf(&g->lines, err, "%s ", g->sum);
    if (!status)
        status = ob_buf_append(&g->lines, text.bytes + before, text.size - before, err);
    if (!status)
        status = ob_buf_append(&g->lines, "\n", 1, err);
    ob_buf_free(&text);
    g->entries.size = 0;
    g->begun = true;
    return status;
}

ob_status journal_add(journal_group *g, const entry *e, ob_error *err)
{
    enum { LINE_MOST = 64 << 10, WAITING_MOST = 256 << 10 };
    ob_status status = g->entries.size ? ob_buf_append(&g->entries, ",", 1, err) : OB_OK;
    if (!status)
        status = put_entry(&g->entries, e, err);
    if (!status && g->entries.size >= LINE_MOST)
        status = put_line(g, g->begun ? LINE_MORE : LINE_BEGIN, err);
    if (!status && g->lines.size >= WAITING_MOST)
        status = flush(g, err);
    return status;
}

ob_status journal_commit(journal_group *g, ob_error *err)
{
    ob_status status = OB_OK;
    if (!g->begun && !g->entries.size)
        return OB_OK;
    status = put_line(g, g->begun ? LINE_END : LINE_WHOLE, err);
    if (!status)
        status = flush(g, err);
    if (!status)
        status = disk_sync(g->journal->file, g->journal->path, err);
    if (!status) {
        g->journal->size = g->at;
        g->journal->extent.groups++;
        memcpy(g->journal->extent.sum, g->sum, sizeof g->sum);
    }
    return status;
}

void journal_step_back(journal *j, const journal *before)
{
    j->size = before->size;
    j->extent = before->extent;
}

void journal_abandon(journal_group *g)
{
    g->journal->uncertain |= g->at > g->journal->size;
    ob_buf_free(&g->entries);
    ob_buf_free(&g->lines);
    *g = (journal_group){0};
}

ob_status journal_drop(journal_group *g, ob_error *err)
{
    journal *j = g->journal;
    ob_status status = j && g->at > j->size ? undo(j, err) : OB_OK;
    ob_buf_free(&g->entries);
    ob_buf_free(&g->lines);
    *g = (journal_group){0};
    return status;
}
