/* What is there when a log is opened: made where nothing is, repaired where a write did not finish,
 * refused where anything else is wrong. */
#include "audit_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- Directories, lock, key ------------------------------------------------------------------ */

/* Makes DIR/NAME last, and what is in it, and opens it. */
static ob_status open_below(int *out, const char *data_dir, const char *name, bool make,
                            ob_error *err)
{
    char *path = NULL;
    int above = -1, dir = -1;
    if (asprintf(&path, "%s/%s", data_dir, name) < 0)
        return ob_fail(err, OB_ENOMEM, "out of memory: a path");
    above = ob_file_open(AT_FDCWD, data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    ob_status status = above < 0 ? ob_fail(err, OB_EIO, "directory %s cannot be opened: %s",
                                           data_dir, strerror(errno))
                                 : dir_check(above, data_dir, err);
    if (!status)
        status = dir_open(&dir, path, make ? data_dir : NULL, err);
    if (!status)
        status = dir_check(dir, path, err);
    if (!status)
        status = file_sync(above, data_dir, err);
    if (above >= 0)
        close(above);
    if (!status)
        *out = dir;
    else if (dir >= 0)
        close(dir);
    free(path);
    return status;
}

static ob_status load_secret(ob_audit *audit, const char *data_dir, bool make, ob_error *err)
{
    uint8_t seed[OB_KEY_SIZE];
    char *path = NULL;
    int keys = -1;
    ob_status status = open_below(&keys, data_dir, "keys", make, err);
    if (status)
        return status;
    if (asprintf(&path, "%s/keys/audit", data_dir) < 0) {
        path = NULL;
        status = ob_fail(err, OB_ENOMEM, "out of memory: a path");
    }
    if (!status)
        status = make ? ob_key_file(seed, path, err) : ob_key_file_read(seed, path, err);
    if (!status) {
        ob_sign_start(&audit->key, seed);
        mac_key_of(&audit->mac, seed);
        ob_wipe(seed, sizeof seed);
        status = key_of(&audit->name, audit->key.public_key, err);
    }
    if (!status)
        status = file_sync(keys, "keys", err);
    close(keys);
    free(path);
    return status;
}

/* A reader that looks whether somebody writes holds it for a moment: hence the patience. */
static ob_status take_lock(ob_audit *audit, ob_error *err)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    int tries = 100;
    while (flock(audit->dir, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK)
            return ob_fail(err, OB_EIO, "the audit log cannot be locked: %s", strerror(errno));
        if (!--tries)
            return ob_fail(err, OB_EBUSY, "another process writes this audit log: stop it first");
        nanosleep(&pause, NULL);
    }
    return OB_OK;
}

/* The public key, complete or as far as it had been written when the machine stopped. */
static ob_status load_public(ob_audit *audit, int create, ob_error *err)
{
    char is[KEY_LINE + 1], should[KEY_LINE + 1];
    int file = -1;
    uint64_t size = 0;
    ob_status status = key_print(should, &audit->name, err);
    if (!status)
        status = file_open(&file, audit->dir, "key", O_RDWR | create, err);
    if (!status)
        status = file_size(&size, file, "key", err);
    if (status)
        goto out;
    should[OB_AUDIT_KEY] = '\n';
    size_t got = size < sizeof is ? (size_t)size : sizeof is;
    status = file_read(is, file, "key", 0, got, err);
    if (!status && (got > KEY_LINE || memcmp(is, should, got)))
        status = ob_fail(err, OB_EREFUSED,
                         "audit/key is not the key that keys/audit makes: the log was begun with "
                         "another one. Put that one back, or restore records, log and keys "
                         "from one backup");
    if (!status && got < KEY_LINE) {
        tail key = {.file = file, .name = "key"};
        status = tail_write(&key, should, KEY_LINE, err);
    }
out:
    if (file >= 0)
        close(file);
    return status;
}

/* ---- The last checkpoint --------------------------------------------------------------------- */

/* Sets *last to the last checkpoint, and the end of `notes` to where that ends. */
static ob_status load_note(note *last, bool *is_there, uint64_t *torn, ob_audit *audit,
                           ob_error *err)
{
    uint64_t size = 0, end = 0;
    ob_buf text = {0};
    ob_status status = file_size(&size, audit->notes.file, "checkpoints", err);
    if (!status)
        status = notes_last(last, is_there, &end, &text,
                            &(notes_file){audit->notes.file, size, &audit->name, audit->sum}, err);
    ob_buf_free(&text);
    if (status)
        return status;
    *torn = size - end;
    audit->notes.bytes = end;
    return OB_OK;
}

/* ---- What follows it ------------------------------------------------------------------------- */

static ob_status damaged(ob_error *err, uint64_t entry, uint64_t offset, const char *what)
{
    return ob_fail(err, OB_EFORMAT,
                   "audit/log, entry %llu (byte %llu): %s; nothing was changed. " AUDIT_ADVICE,
                   (unsigned long long)entry, (unsigned long long)offset, what);
}

/* Where the last checkpoint ends, the log must be what it signed. Where nothing behind a checkpoint
 * that the records know is believed unread, one of another past of this log is found, too. */
static ob_status check_signed(const ob_audit *audit, uint64_t end, ob_error *err)
{
    tree_hash root;
    if (audit->frontier.size != audit->covered)
        return OB_OK;
    ob_status status = tree_root(&root, &audit->frontier, audit->sum, err);
    if (status || (tree_same(&root, &audit->signed_root) && end == audit->signed_bytes))
        return status;
    return ob_fail(err, OB_EFORMAT,
                   "audit/log, before entry %llu (byte %llu): the last checkpoint in "
                   "audit/checkpoints was made of other entries; nothing was changed or signed. "
                   "Keep a copy; " AUDIT_ADVICE,
                   (unsigned long long)audit->covered, (unsigned long long)end);
}

/* Whether it was this service that wrote it: no checkpoint says so yet. */
static ob_status check_mac(ob_audit *audit, const line *line, uint64_t offset, ob_error *err)
{
    bool is_own = true;
    ob_status status = audit->has_macs
                           ? mac_check(&is_own, &audit->mac, &audit->tip, line, audit->sum, err)
                           : OB_OK;
    if (status || is_own)
        return status;
    return ob_fail(err, OB_EFORMAT,
                   "audit/log, entry %llu (byte %llu): " MAC_WRONG "; it was not signed, and "
                   "nothing was changed. Keep a copy and look at it; `truncate -s %llu` makes the "
                   "log end before it",
                   (unsigned long long)line->number, (unsigned long long)offset,
                   (unsigned long long)offset);
}

static ob_status take_line(ob_audit *audit, const char *text, size_t size, uint64_t offset,
                           ob_error *err)
{
    line line;
    size_t bad;
    tree_hash leaf;
    ob_error problem = {0};
    uint64_t entry = audit->frontier.size;
    if (line_head(&line, &bad, text, size, &problem) || line_entry(&line, &bad, &problem))
        return damaged(err, entry, offset + bad, problem.text);
    ob_status status = tree_leaf(&leaf, audit->sum, line.text, line.size, err);
    if (status)
        return status;
    if (!tree_same(&leaf, &line.stored))
        return damaged(err, entry, offset, "its hash is not the one that was stored with it");
    if (line.number != entry)
        return damaged(err, entry, offset, "another entry is in its place");
    status = check_mac(audit, &line, offset, err);
    if (status)
        return status;
    audit->tip = leaf;
    status = tree_push(&audit->frontier, audit->sum, &leaf, err);
    return status ? status : check_signed(audit, offset + LINE_HEAD + line.size + 1, err);
}

/* Takes all lines that end in the buffer; *used: their bytes. */
static ob_status take_lines(size_t *used, ob_audit *audit, const char *text, size_t size,
                            uint64_t offset, ob_error *err)
{
    ob_status status = OB_OK;
    const char *at = text, *end = text + size, *newline;
    while (!status && at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        status = take_line(audit, at, (size_t)(newline - at), offset + (uint64_t)(at - text), err);
        at = newline + 1;
    }
    *used = (size_t)(at - text);
    return status;
}

/* Whether nothing but zeros follows the first zero, up to the end: blocks of the file that never
 * got their contents when the power failed. No line has a zero. */
static bool is_unwritten(ob_audit *audit, const char *text, size_t length, uint64_t size)
{
    char piece[4096];
    const char *zero = memchr(text, '\0', length);
    uint64_t at = zero ? audit->log.bytes + (uint64_t)(zero - text) : size;
    bool all = zero != NULL;
    while (all && at < size) {
        size_t some = size - at < sizeof piece ? (size_t)(size - at) : sizeof piece;
        all = !file_read(piece, audit->log.file, "log", at, some, NULL);
        for (size_t i = 0; i < some && all; i++)
            all = !piece[i];
        at += some;
    }
    return all;
}

/* Reads on from audit->log.bytes; what is left at the end has no newline. */
static ob_status load_tail(uint64_t *torn, ob_audit *audit, uint64_t size, ob_error *err)
{
    enum { BUFFER = 4 * LINE_MAX };
    char *buffer = malloc(BUFFER);
    ob_status status = buffer ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: reading the log");
    while (!status && audit->log.bytes < size) {
        uint64_t left = size - audit->log.bytes;
        size_t length = left < BUFFER ? (size_t)left : BUFFER, used = 0;
        status = file_read(buffer, audit->log.file, "log", audit->log.bytes, length, err);
        if (!status)
            status = take_lines(&used, audit, buffer, length, audit->log.bytes, err);
        if (!status && !used && length > LINE_MAX && !is_unwritten(audit, buffer, length, size))
            status = damaged(err, audit->frontier.size, audit->log.bytes, "a line without end");
        audit->log.bytes += used;
        if (!used)
            break;
    }
    free(buffer);
    *torn = size - audit->log.bytes;
    return status;
}

/* The leaf of the last entry that the checkpoint covers, as it stands in the log. */
static ob_status load_tip(ob_audit *audit, uint64_t end, ob_error *err)
{
    const uint64_t from = end > LINE_MAX ? end - LINE_MAX : 0;
    const size_t size = (size_t)(end - from);
    char *buffer = malloc(LINE_MAX);
    ob_status status = buffer ? file_read(buffer, audit->log.file, "log", from, size, err)
                              : ob_fail(err, OB_ENOMEM, "out of memory: reading the log");
    if (!status) {
        const char *before = memrchr(buffer, '\n', size - 1);
        const char *text = before ? before + 1 : buffer;
        line line;
        size_t bad;
        if (line_head(&line, &bad, text, (size_t)(buffer + size - 1 - text), NULL))
            status = damaged(err, audit->frontier.size - 1, from + (uint64_t)(text - buffer),
                             "no entry is there");
        else
            audit->tip = line.stored;
    }
    free(buffer);
    return status;
}

/* from: the checkpoint whose frontier is gone on from, of which the log is read. */
static ob_status load_from(uint64_t *torn, ob_audit *audit, const note *from, uint64_t size,
                           ob_error *err)
{
    audit->frontier = from->frontier;
    audit->log.bytes = from->bytes;
    ob_status status = from->bytes ? load_tip(audit, from->bytes, err) : OB_OK;
    if (!status)
        status = check_signed(audit, from->bytes, err);
    if (!status)
        status = load_tail(torn, audit, size, err);
    if (!status && audit->frontier.size < audit->covered)
        status = damaged(err, audit->frontier.size, audit->log.bytes,
                         "entries that the last checkpoint covers are missing");
    return status;
}

static ob_status load_log(uint64_t *torn, ob_audit *audit, const note *from, const note *last,
                          uint64_t size, ob_error *err)
{
    enum { BEHIND_MOST = 1 << 30 };
    char before = '\n';
    if (size > last->bytes && size - last->bytes > BEHIND_MOST)
        return damaged(err, last->frontier.size, last->bytes,
                       "more follows the last checkpoint than a service ever writes behind one");
    if (size < last->bytes)
        return ob_fail(err, OB_EFORMAT,
                       "audit/log has %llu bytes, and its last checkpoint covers %llu: the end is "
                       "missing. Restore it from a backup; " AUDIT_ADVICE,
                       (unsigned long long)size, (unsigned long long)last->bytes);
    ob_status status =
        last->bytes ? file_read(&before, audit->log.file, "log", last->bytes - 1, 1, err) : OB_OK;
    if (status)
        return status;
    if (before != '\n')
        return damaged(err, last->frontier.size, last->bytes - 1,
                       "no line ends where the last checkpoint says");
    audit->signed_bytes = last->bytes;
    audit->covered = last->frontier.size;
    audit->signed_root = last->root;
    return load_from(torn, audit, from, size, err);
}

/* ---- Everything ------------------------------------------------------------------------------ */

/* A log begins with a checkpoint over nothing, so that one without any is never taken for new. */
static ob_status begin(note *first, ob_audit *audit, ob_error *err)
{
    ob_buf text = {0};
    *first = (note){0};
    audit->notes.dirty = true; /* half a checkpoint may be there */
    ob_status status = audit_note(&text, first, audit, audit->sum, err);
    if (!status)
        status = tail_write(&audit->notes, text.bytes, text.size, err);
    ob_buf_free(&text);
    return status;
}

static ob_status open_files(ob_audit *audit, const char *data_dir, bool make, ob_error *err)
{
    const int create = make ? O_CREAT : 0;
    ob_error problem = {0};
    ob_status status = open_below(&audit->dir, data_dir, "audit", make, &problem);
    if (!status && (asprintf(&audit->log_path, "%s/audit/log", data_dir) < 0 ||
                    asprintf(&audit->notes_path, "%s/audit/checkpoints", data_dir) < 0))
        status = ob_fail(&problem, OB_ENOMEM, "out of memory: a path");
    if (!status)
        status = take_lock(audit, &problem);
    if (!status)
        status = load_public(audit, create, &problem);
    if (!status)
        status =
            file_open(&audit->notes.file, audit->dir, "checkpoints", O_RDWR | create, &problem);
    if (!status)
        return OB_OK;
    if (status == OB_ENOTFOUND && !make)
        return ob_fail(err, OB_EREFUSED,
                       "the audit log in %s: %s; the records know it, so restore records, log and "
                       "keys from one backup",
                       data_dir, problem.text);
    return ob_fail(err, status, "the audit log in %s: %s", data_dir, problem.text);
}

/* The log itself is made last: where it has a byte, the first checkpoint is durable. */
static ob_status open_log(uint64_t *size, ob_audit *audit, const note *last, bool has_note,
                          ob_error *err)
{
    int make = has_note && last->bytes ? 0 : O_CREAT;
    ob_status status = file_open(&audit->log.file, audit->dir, "log", O_RDWR | make, err);
    if (status == OB_ENOTFOUND)
        return ob_fail(err, OB_EFORMAT,
                       "audit/log is missing, and audit/checkpoints is there: restore records, log "
                       "and keys from one backup");
    if (!status)
        status = file_size(size, audit->log.file, "log", err);
    if (!status)
        status = file_sync(audit->log.file, "log", err);
    return status;
}

/* Where there is no checkpoint, there is no entry. */
static ob_status check_unbegun(const ob_audit *audit, ob_error *err)
{
    struct stat info;
    if (ob_file_stat_at(&info, audit->dir, "log", AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT
                   ? OB_OK
                   : ob_fail(err, OB_EIO, "audit/log cannot be read: %s", strerror(errno));
    return info.st_size
               ? ob_fail(err, OB_EFORMAT,
                         "audit/log has entries, and audit/checkpoints has no checkpoint. Restore "
                         "it from a backup; " AUDIT_ADVICE)
               : OB_OK;
}

/* The last checkpoint, and the one that is known to have been signed: the last where none is. */
typedef struct found_notes {
    note from, last;
    bool has_note;
} found_notes;

/* Reads the last checkpoint, and checks whether what was signed before is still there. */
static ob_status load_notes(found_notes *out, repair *cut, ob_audit *audit,
                            const ob_audit_signed *known, ob_error *err)
{
    ob_status status = load_note(&out->last, &out->has_note, &cut->note_bytes, audit, err);
    if (!status && known)
        status = known_check(
            &out->from, known,
            &(notes_file){audit->notes.file, audit->notes.bytes, &audit->name, audit->sum}, err);
    if (!status && !out->has_note)
        status = check_unbegun(audit, err);
    if (!status && !out->has_note) {
        cut->note_bytes = 0; /* nothing had begun */
        status = begin(&out->last, audit, err);
    }
    if (!known)
        out->from = out->last;
    return status;
}

ob_status audit_load(ob_audit *audit, const ob_audit_options *options, repair *cut, ob_error *err)
{
    found_notes notes = {0};
    uint64_t size = 0;
    const ob_audit_signed *known = options->known;
    audit->has_macs = known != NULL;
    ob_status status = load_secret(audit, options->dir, !known, err);
    if (!status)
        status = open_files(audit, options->dir, !known, err);
    if (!status)
        status = load_notes(&notes, cut, audit, known, err);
    if (!status)
        status = open_log(&size, audit, &notes.last, notes.has_note, err);
    if (!status)
        status = load_log(&cut->log_bytes, audit, &notes.from, &notes.last, size, err);
    audit->log_bytes = audit->log.bytes;
    cut->following = known ? audit->frontier.size - audit->covered : 0;
    if (!status && known)
        status = known_check_end(known, audit->covered, cut->following, cut->log_bytes,
                                 audit->signed_bytes, err);
    if (!status && cut->log_bytes)
        status = tail_cut(&audit->log, err);
    if (!status && cut->note_bytes)
        status = tail_cut(&audit->notes, err);
    if (!status)
        status = file_sync(audit->dir, "audit", err);
    return status;
}
