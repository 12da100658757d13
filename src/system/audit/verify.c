/* Verifying: both files are read side by side, each checkpoint when the log has come to its size.
 */
#include "audit_priv.h"

#include <obhut/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct verify {
    const ob_audit_check *check;
    ob_audit_report report;
    int dir;
    log_key key;
    ob_sha256_sum *sum;
    stream log, notes;
    audit_walk walk;
    tree_hash tip; /* the leaf of the last entry */
    mac_key mac;
    note last; /* the last checkpoint that fits */
    bool has_since, since_done, known_done;
    note since;
    uint64_t shown; /* bytes that were reported as progress */
} verify;

/* ---- What is wrong --------------------------------------------------------------------------- */

static void wrong(verify *v, const char *file, uint64_t offset, uint64_t entry, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

/* The first one counts. */
static void wrong(verify *v, const char *file, uint64_t offset, uint64_t entry, const char *format,
                  ...)
{
    if (!v->report.fine)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(v->report.problem, sizeof v->report.problem, format, args);
    va_end(args);
    v->report.fine = false;
    v->report.file = file;
    v->report.offset = offset;
    v->report.entry = entry;
}

static void wrong_since(verify *v, const char *sentence)
{
    wrong(v, "since", 0, 0, "%s", sentence);
}

/* ---- The key --------------------------------------------------------------------------------- */

static ob_status choose_key(verify *v, ob_error *err)
{
    ob_error problem = {0};
    log_key own;
    ob_status status = OB_OK;
    if (v->check->key && key_parse(&v->key, v->check->key, strlen(v->check->key), &problem))
        return ob_fail(err, OB_EINVAL, "the key to trust: %s", problem.text);
    ob_status found = reader_key(&own, v->dir, &problem);
    if (found == OB_ENOMEM || found == OB_EIO)
        return ob_fail(err, found, "%s", problem.text);
    if (found)
        wrong(v, "key", 0, 0, "%s", problem.text);
    else if (v->check->key && !key_same(&own, &v->key))
        wrong(v, "key", 0, 0,
              "key is not the one to trust: another log, or one that was made anew");
    if (!v->check->key && !found)
        v->key = own;
    if (v->check->key || !found)
        status = key_print(v->report.key, &v->key, err);
    return status;
}

/* Whether what signs here is what signed the log. */
static ob_status check_seed(verify *v, ob_error *err)
{
    ob_sign_key pair;
    log_key own;
    if (!v->check->seed || !v->report.fine)
        return OB_OK;
    ob_sign_start(&pair, v->check->seed);
    ob_status status = key_of(&own, pair.public_key, err);
    ob_wipe(&pair, sizeof pair);
    if (!status && !key_same(&own, &v->key))
        wrong(v, "key", 0, 0,
              "it is not the key that keys/audit makes: one of them is of another log; put the "
              "right one back");
    return status;
}

/* ---- The older checkpoint -------------------------------------------------------------------- */

static ob_status read_since(verify *v, ob_error *err)
{
    size_t used;
    ob_error problem = {0};
    if (!v->check->since)
        return OB_OK;
    const note_rule rule = {NOTE_ALONE, &v->key, v->sum};
    ob_status status =
        note_parse(&v->since, &used, v->check->since, v->check->since_size, &rule, &problem);
    if (status == OB_ENOMEM)
        return ob_fail(err, status, "%s", problem.text);
    if (status)
        wrong(v, "since", 0, 0, "the older checkpoint: %s", problem.text);
    v->has_since = !status;
    return OB_OK;
}

/* Whether what the log has up to here is what it had then. */
static ob_status compare_since(verify *v, ob_error *err)
{
    tree_hash root;
    if (!v->has_since || v->since_done || v->walk.frontier.size != v->since.frontier.size)
        return OB_OK;
    v->since_done = true;
    ob_status status = tree_root(&root, &v->walk.frontier, v->sum, err);
    if (!status && (!tree_same(&root, &v->since.root) || v->log.at != v->since.bytes))
        wrong_since(v, "the log does not begin with what it had at the older checkpoint: entries "
                       "were changed since then");
    return status;
}

/* ---- Entries --------------------------------------------------------------------------------- */

static ob_status wrong_leaf(verify *v, const wrong_line *line, ob_error *err)
{
    located place = {.offset = line->offset};
    ob_status status = locate(&place, &v->log, &v->walk.frontier, line, v->sum, err);
    if (!status)
        wrong(v, "log", place.offset, v->walk.frontier.size, "entry %llu does not fit its hash: %s",
              (unsigned long long)v->walk.frontier.size, place.what);
    return status;
}

/* What a checkpoint covers needs no MAC; and where the one that the records know is missing, that
 * is what is wrong. */
static ob_status check_mac(verify *v, const line *line, uint64_t offset, const note *next,
                           ob_error *err)
{
    bool is_own = true;
    ob_status status = !next && v->known_done && v->check->seed
                           ? mac_check(&is_own, &v->mac, &v->tip, line, v->sum, err)
                           : OB_OK;
    if (!status && !is_own)
        wrong(v, "log", offset, line->number, "entry %llu: " MAC_WRONG,
              (unsigned long long)line->number);
    return status;
}

static ob_status take_line(verify *v, const char *bytes, size_t size, uint64_t offset,
                           const note *next, ob_error *err)
{
    line line;
    size_t bad = 0;
    tree_hash leaf;
    ob_error problem = {0};
    uint64_t entry = v->walk.frontier.size;
    if (line_head(&line, &bad, bytes, size, &problem)) {
        wrong(v, "log", offset + bad, entry, "entry %llu: %s", (unsigned long long)entry,
              problem.text);
        return OB_OK;
    }
    ob_status status = tree_leaf(&leaf, v->sum, line.text, line.size, err);
    if (status)
        return status;
    if (!tree_same(&leaf, &line.stored))
        return wrong_leaf(v, &(wrong_line){&line, bytes, offset, next}, err);
    if (line_entry(&line, &bad, &problem))
        wrong(v, "log", offset + bad, entry, "entry %llu: %s", (unsigned long long)entry,
              problem.text);
    else if (line.number != entry)
        wrong(v, "log", offset, entry, "entry %llu stands where entry %llu belongs",
              (unsigned long long)line.number, (unsigned long long)entry);
    else
        status = check_mac(v, &line, offset, next, err);
    if (!status && v->report.fine)
        status = walk_push(&v->walk, v->sum, &leaf, offset, err);
    v->tip = leaf;
    if (!status && v->report.fine)
        v->report.log_bytes = offset + size + 1;
    return status;
}

static void report(verify *v)
{
    enum { STEP = 1 << 20 };
    if (v->check->progress && (v->log.at - v->shown >= STEP || v->log.at == v->log.end)) {
        v->check->progress(v->check->context, v->log.at, v->log.end);
        v->shown = v->log.at;
    }
}

/* Takes entries until there are `most`, or the log ends (*ended). next: the checkpoint on the way
 * to which they are, or NULL. */
static ob_status take_entries(verify *v, bool *ended, uint64_t most, const note *next,
                              ob_error *err)
{
    ob_status status = compare_since(v, err);
    while (!status && v->report.fine && v->walk.frontier.size < most) {
        lines_found found = LINES_END;
        const char *bytes = NULL;
        size_t size = 0;
        uint64_t offset = v->log.at;
        status = lines_next(&found, &bytes, &size, &v->log, err);
        if (!status && found == LINES_LINE)
            status = take_line(v, bytes, size, offset, next, err);
        else if (!status && found == LINES_TORN)
            wrong(v, "log", offset, v->walk.frontier.size,
                  next ? "the last line has no end, and what should follow it is missing"
                       : "the last line has no end: a write that was interrupted, or a cut. A "
                         "service cuts it off when it starts, and says so in the log");
        else if (!status && found == LINES_LONG)
            wrong(v, "log", offset, v->walk.frontier.size, "a line that is longer than any entry");
        *ended = !status && found == LINES_END;
        if (status || *ended || !v->report.fine)
            break;
        status = compare_since(v, err);
        report(v);
    }
    return status;
}

/* ---- Checkpoints ----------------------------------------------------------------------------- */

/* What can be said of a checkpoint without the log. */
static bool follows(verify *v, const note *note, uint64_t offset)
{
    const char *what = NULL;
    bool first = !v->report.checkpoints;
    if (first && (note->frontier.size || note->before || note->bytes))
        what = "the first checkpoint of a log is over nothing; this one is not: those before it "
               "are missing";
    else if (!first && note->before != v->last.frontier.size)
        what = "this checkpoint does not follow on the one before it: some are missing, twice or "
               "in another order";
    else if (!first &&
             (note->frontier.size <= v->last.frontier.size || note->bytes <= v->last.bytes))
        what = "this checkpoint covers no more than the one before it";
    if (what)
        wrong(v, "checkpoints", offset, v->last.frontier.size, "%s", what);
    return !what;
}

/* The log has come to the size of this checkpoint. */
static ob_status compare(verify *v, const note *note, uint64_t offset, ob_error *err)
{
    tree_hash root;
    ob_status status = tree_root(&root, &v->walk.frontier, v->sum, err);
    if (status)
        return status;
    if (!tree_same(&root, &note->root)) {
        walk_place place = walk_differs(&v->walk, &note->frontier);
        bool later = place.entry > v->last.frontier.size;
        uint64_t entry = later ? place.entry : v->last.frontier.size;
        wrong(v, "log", later ? place.offset : v->last.bytes, entry,
              "the entries from %llu on are not those that the checkpoint over %llu was made of: "
              "they were written anew",
              (unsigned long long)entry, (unsigned long long)note->frontier.size);
    } else if (note->bytes != v->log.at) {
        wrong(v, "checkpoints", offset, v->last.frontier.size,
              "this checkpoint says %llu bytes, and its entries have %llu",
              (unsigned long long)note->bytes, (unsigned long long)v->log.at);
    }
    return OB_OK;
}

static ob_status take_note(verify *v, const note *note, uint64_t offset, ob_error *err)
{
    bool ended = false;
    ob_status status = OB_OK;
    if (!follows(v, note, offset))
        return OB_OK;
    status = take_entries(v, &ended, note->frontier.size, note, err);
    if (!status && ended)
        wrong(v, "log", v->log.at, v->walk.frontier.size,
              "the log has %llu entries, and a checkpoint covers %llu: the end is missing",
              (unsigned long long)v->walk.frontier.size, (unsigned long long)note->frontier.size);
    if (!status && v->report.fine)
        status = compare(v, note, offset, err);
    if (!status && v->report.fine) {
        const ob_audit_signed *known = v->check->known;
        v->known_done |= known && known->entries == note->frontier.size &&
                         known->note_bytes == v->notes.at &&
                         !memcmp(known->root, note->root.bytes, sizeof known->root);
        v->last = *note;
        v->report.checkpoints++;
        v->report.covered = note->frontier.size;
        memcpy(v->report.signed_at, note->at, sizeof note->at);
    }
    return status;
}

static ob_status take_notes(verify *v, ob_error *err)
{
    ob_status status = OB_OK;
    bool is_there = true;
    while (!status && v->report.fine && is_there) {
        note note;
        ob_error problem = {0};
        uint64_t offset = v->notes.at;
        status = notes_next(&note, &is_there, &v->notes, &v->key, v->sum, &problem);
        if (status == OB_EIO || status == OB_ENOMEM)
            return ob_fail(err, status, "%s", problem.text);
        if (status)
            wrong(v, "checkpoints", offset, v->last.frontier.size, "%s", problem.text);
        status = !status && is_there ? take_note(v, &note, offset, err) : OB_OK;
    }
    if (!status && !v->report.checkpoints)
        wrong(v, "checkpoints", 0, 0, "there is no checkpoint");
    return status;
}

/* ---- The directory --------------------------------------------------------------------------- */

static bool belongs(const char *name)
{
    return !strcmp(name, "log") || !strcmp(name, "checkpoints") || !strcmp(name, "key") ||
           !strcmp(name, ".") || !strcmp(name, "..");
}

static ob_status count_strangers(verify *v, ob_error *err)
{
    int copy = ob_file_open(v->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (!dir) {
        ob_status status =
            ob_fail(err, OB_EIO, "the directory cannot be read: %s", strerror(errno));
        if (copy >= 0)
            close(copy);
        return status;
    }
    for (struct dirent *file; (file = readdir(dir)) != NULL;)
        if (!belongs(file->d_name) && !v->report.strangers++)
            snprintf(v->report.stranger, sizeof v->report.stranger, "%s", file->d_name);
    closedir(dir);
    return OB_OK;
}

/* A file that is missing or no file is something wrong with the log, unless all are missing. */
static ob_status open_file(verify *v, stream *s, const char *name, unsigned *missing, ob_error *err)
{
    ob_error problem = {0};
    ob_status status =
        !strcmp(name, "log") ? lines_open(s, v->dir, &problem) : notes_open(s, v->dir, &problem);
    if (status != OB_ENOTFOUND && status != OB_EREFUSED)
        return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
    *missing += status == OB_ENOTFOUND;
    wrong(v, name, 0, 0, "%s", problem.text);
    return OB_OK;
}

/* The checkpoints first: what they cover is in the log by then. */
static ob_status open_files(verify *v, ob_error *err)
{
    unsigned missing = 0;
    ob_status status = reader_dir(&v->dir, v->check->dir, err);
    if (!status)
        status = choose_key(v, err);
    if (!status)
        status = check_seed(v, err);
    if (!status)
        status = open_file(v, &v->notes, "checkpoints", &missing, err);
    if (!status)
        status = open_file(v, &v->log, "log", &missing, err);
    if (!status && missing == 2)
        status = ob_fail(err, OB_ENOTFOUND, "%s: no audit log is there", v->check->dir);
    return status;
}

/* ---- Everything ------------------------------------------------------------------------------ */

/* What the records know: who has no key can cut a log back to an older checkpoint, and cannot make
 * this one again. */
static void compare_known(verify *v)
{
    const ob_audit_signed *known = v->check->known;
    if (!v->known_done)
        wrong(v, "checkpoints", v->notes.at, v->last.frontier.size,
              "the records know a checkpoint over %llu entries, up to byte %llu, which is not "
              "there: the end was cut off, or the file is an older one, or that of another log",
              (unsigned long long)known->entries, (unsigned long long)known->note_bytes);
    else if (known->is_closed && v->report.covered > known->entries)
        wrong(v, "checkpoints", v->notes.at, known->entries,
              "the records say that the service stopped when it had signed %llu entries, and "
              "checkpoints follow: they are of different times",
              (unsigned long long)known->entries);
    else if (known->is_closed && v->report.entries > v->report.covered)
        wrong(v, "log", v->last.bytes, v->last.frontier.size,
              "the service had signed everything when it stopped; what follows was not added by "
              "a service");
}

static ob_status verify_all(verify *v, ob_error *err)
{
    bool ended = false;
    ob_status status = read_since(v, err);
    if (!status && v->report.fine)
        status = take_notes(v, err);
    if (!status && v->report.fine)
        status = take_entries(v, &ended, UINT64_MAX, NULL, err);
    if (!status && v->report.fine && v->has_since && !v->since_done)
        wrong_since(v, "the log has fewer entries than at the older checkpoint: the end was cut "
                       "off");
    v->report.entries = v->walk.frontier.size;
    if (!status && v->report.fine && v->check->known)
        compare_known(v);
    return status;
}

ob_status ob_audit_verify(ob_audit_report *out, const ob_audit_check *check, ob_error *err)
{
    verify v = {.check = check,
                .report = {.fine = true},
                .dir = -1,
                .log = {.file = -1},
                .notes = {.file = -1}};
    if (check->seed)
        mac_key_of(&v.mac, check->seed);
    ob_status status = ob_sha256_begin(&v.sum, err);
    if (!status)
        status = open_files(&v, err);
    if (!status)
        status = count_strangers(&v, err);
    if (!status && v.report.fine)
        status = verify_all(&v, err);
    if (!status)
        *out = v.report;
    stream_close(&v.log);
    stream_close(&v.notes);
    ob_sha256_drop(&v.sum);
    ob_wipe(&v.mac, sizeof v.mac);
    if (v.dir >= 0)
        close(v.dir);
    return status;
}
