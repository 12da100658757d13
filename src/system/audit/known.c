/* Compares the log with what the records know to have been signed. A person who has the files but
 * not the key could cut both files back to an older checkpoint and append other entries; the log
 * alone would not show that. */
#include "audit_priv.h"

#include <string.h>

#define RESTORE "restore log and records from one backup; nothing was changed or signed"

static ob_status other(ob_error *err, const ob_audit_signed *known)
{
    return ob_fail(err, OB_EFORMAT,
                   "audit/checkpoints, before byte %llu: the checkpoint over %llu entries that "
                   "the records know is not there: the file is that of another log, or was "
                   "changed. Keep a copy, and " RESTORE,
                   (unsigned long long)known->note_bytes, (unsigned long long)known->entries);
}

ob_status known_check(note *out, const ob_audit_signed *known, const notes_file *notes,
                      ob_error *err)
{
    notes_file before = *notes; /* up to where it was signed */
    note is = {0};
    bool is_there = false;
    uint64_t end = 0;
    ob_buf text = {0};
    if (notes->size < known->note_bytes)
        return ob_fail(err, OB_EFORMAT,
                       "audit/checkpoints, byte %llu: it ends there, and the records know that "
                       "%llu entries were signed by byte %llu: the end was cut off, or the file is "
                       "an older one. Keep a copy, and " RESTORE,
                       (unsigned long long)notes->size, (unsigned long long)known->entries,
                       (unsigned long long)known->note_bytes);
    before.size = known->note_bytes;
    ob_status status = notes_last(&is, &is_there, &end, &text, &before, NULL);
    ob_buf_free(&text);
    if (status == OB_EIO || status == OB_ENOMEM)
        return ob_fail(err, status, "audit/checkpoints cannot be read");
    if (status || !is_there || end != known->note_bytes || is.frontier.size != known->entries ||
        memcmp(is.root.bytes, known->root, sizeof known->root))
        return other(err, known);
    *out = is;
    return OB_OK;
}

/* What follows has the codes of this log by now: it is of another time than the records. */
static ob_status other_time(ob_error *err, const ob_audit_signed *known, const char *file,
                            uint64_t entry, uint64_t offset)
{
    return ob_fail(err, OB_EFORMAT,
                   "%s, entry %llu (byte %llu): the records say that the service stopped when it "
                   "had signed %llu entries, and the log goes on: they are of different times. "
                   "Keep a copy, and " RESTORE,
                   file, (unsigned long long)entry, (unsigned long long)offset,
                   (unsigned long long)known->entries);
}

ob_status known_check_end(const ob_audit_signed *known, uint64_t covered, uint64_t entries,
                          uint64_t torn, uint64_t offset, ob_error *err)
{
    if (!known->is_closed)
        return OB_OK;
    if (covered > known->entries)
        return other_time(err, known, "audit/checkpoints", covered, offset);
    if (entries)
        return other_time(err, known, "audit/log", covered, offset);
    if (torn)
        return ob_fail(err, OB_EFORMAT,
                       "audit/log, byte %llu: the service had signed everything when it stopped, "
                       "and %llu bytes were added since, not by a service. Keep a copy and look at "
                       "them; `truncate -s %llu` makes the log what was signed. Nothing was "
                       "changed or signed",
                       (unsigned long long)offset, (unsigned long long)torn,
                       (unsigned long long)offset);
    return OB_OK;
}
