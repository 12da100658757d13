/* `obhut backup make`: run by the process that owns the directory, into a file that came with the
 * request. */
#include "commands_priv.h"

#include <obhut/backup.h>

#include <fcntl.h>
#include <string.h>

static void on_progress(void *context, const char *step, uint64_t done, uint64_t total)
{
    commands_hear(context, json_pack("{s:{s:s, s:I, s:I}}", "progress", "step", step, "done",
                                     (json_int_t)done, "total", (json_int_t)total));
}

ob_status commands_backup_make(json_t **out, const commands_call *call, ob_error *err)
{
    const char *text;
    ob_seal_public key;
    ob_backup_about about;
    const ob_backup_source source = {
        .dir = ob_lists_dir(call->service->lists),
        .store = call->service->store,
        .audit = call->service->audit,
        .without_lists = json_is_true(json_object_get(call->request, "without_lists")),
        .progress = on_progress,
        .context = (void *)(uintptr_t)call};
    int mode = call->file >= 0 ? fcntl(call->file, F_GETFL) : -1;
    ob_status status = commands_text(&text, call, "key", err);
    if (!status)
        status = ob_seal_public_parse(&key, text, strlen(text), err);
    if (!status && (mode < 0 || (mode & O_ACCMODE) == O_RDONLY))
        status = ob_fail(err, OB_EINVAL, "a file to write to is needed");
    if (!status)
        status = ob_backup_make(&about, call->file, &key, &source, err);
    if (!status)
        *out = json_pack("{s:o, s:s, s:b, s:I, s:I, s:I}", "made_at", commands_time(about.made_at),
                         "program", about.program, "lists", (int)about.has_lists, "audit_entries",
                         (json_int_t)about.audit_entries, "files", (json_int_t)about.files, "bytes",
                         (json_int_t)about.bytes);
    return status;
}
