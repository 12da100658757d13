/* A directory from a backup. */
#include "backup_priv.h"

#include <obhut/lists.h>

#include <obhut/file.h>
#include <obhut/records/binding.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct restoring {
    const ob_backup_target *target;
    opened from;
    place place;
    ob_backup_about about;
    uint64_t reported;
} restoring;

static void report(restoring *r, const char *step)
{
    enum { OFTEN = 1 << 20 };
    uint64_t done = r->from.sequence.bytes;
    if (r->target->progress && done - r->reported >= OFTEN) {
        r->target->progress(r->target->context, step, done, 0);
        r->reported = done;
    }
}

/* ---- Files ----------------------------------------------------------------------------------- */

static ob_status write_all(int to, const char *bytes, size_t size, const char *name, ob_error *err)
{
    while (size) {
        ssize_t done = ob_file_write(to, bytes, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ob_fail(err, OB_EIO, "%s cannot be written: %s", name,
                           done ? strerror(errno) : "nothing was taken");
        bytes += done;
        size -= (size_t)done;
    }
    return OB_OK;
}

static ob_status restore_file(restoring *r, char *piece, ob_error *err)
{
    sequence *s = &r->from.sequence;
    int file = -1;
    size_t got = 1;
    ob_status status = place_file(&file, &r->place, s->now.name, s->now.mode, err);
    while (!status && got) {
        status = sequence_read(s, piece, OB_SEAL_PIECE, &got, err);
        if (!status)
            status = write_all(file, piece, got, s->now.name, err);
        report(r, "reading");
    }
    if (file >= 0 && close(file) && !status)
        status = ob_fail(err, OB_EIO, "%s cannot be written: %s", s->now.name, strerror(errno));
    return status;
}

/* ---- Records --------------------------------------------------------------------------------- */

/* The database keeps them when their end is told: so before that, the end of all is verified. */
static ob_status give_records(void *context, void *bytes, size_t capacity, size_t *size,
                              ob_error *err)
{
    restoring *r = context;
    bool end = false;
    ob_status status = sequence_read(&r->from.sequence, bytes, capacity, size, err);
    report(r, "records");
    if (status || *size || !capacity)
        return status;
    status = sequence_next(&end, &r->from.sequence, err);
    return !status && !end ? ob_fail(err, OB_EFORMAT, "the backup goes on behind its records")
                           : status;
}

/* The lists of a backup are of a later moment than its records, or are not in it at all: what
 * stands there when the service starts is what is kept from then on. */
static ob_status unbind_lists(ob_store *store, ob_error *err)
{
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    return status ? status : ob_writing_end(w, ob_store_binding_drop(w, "lists", err), err);
}

static ob_status restore_records(restoring *r, ob_error *err)
{
    ob_store *store = NULL;
    ob_status status = ob_store_open(&store, r->place.path, r->target->records, err);
    if (!status)
        status = ob_store_load(store, give_records, r, err);
    if (!status)
        status = unbind_lists(store, err);
    ob_store_close(store);
    return status;
}

/* ---- The log --------------------------------------------------------------------------------- */

static ob_status open_log(ob_audit **out, const char *dir, ob_error *err)
{
    const ob_audit_options options = {.dir = dir};
    return ob_audit_open(out, &options, err);
}

static ob_entry *members_of(const ob_backup_about *about)
{
    char at[32] = "";
    time_t when = (time_t)about->made_at;
    struct tm utc;
    if (gmtime_r(&when, &utc))
        strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &utc);
    ob_entry *out = ob_entry_new();
    ob_entry_text(out, "made_at", at);
    ob_entry_text(out, "program", about->program);
    return out;
}

/* Opening checks that key, checkpoint and end belong together. The entry says what happened: who
 * reads two logs that go on differently behind one place learns which of them was restored. */
static ob_status restore_log(restoring *r, ob_error *err)
{
    ob_audit *audit = NULL;
    ob_entry *members = members_of(&r->about);
    ob_status status =
        (r->target->open_log ? r->target->open_log : open_log)(&audit, r->place.path, err);
    if (!status && ob_audit_size(audit) != r->about.audit_entries)
        status = ob_fail(
            err, OB_EFORMAT, "the log in the backup has %llu entries where it says %llu",
            (unsigned long long)ob_audit_size(audit), (unsigned long long)r->about.audit_entries);
    if (!status)
        status = ob_audit_append(NULL, audit, "backup.restored", members, err);
    ob_status closed = ob_audit_close(audit, status ? NULL : err);
    ob_entry_free(members);
    return status ? status : closed;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* In the order of a backup: the log is complete and checked before a database keeps anything. */
static ob_status restore_all(restoring *r, ob_error *err)
{
    bool end = false;
    char *piece = malloc(OB_SEAL_PIECE);
    ob_status status = piece ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: a backup");
    while (!status && !end) {
        status = sequence_next(&end, &r->from.sequence, err);
        if (status || end)
            break;
        if (r->from.sequence.now.rank != RANK_RECORDS) {
            status = restore_file(r, piece, err);
            continue;
        }
        status = restore_log(r, err);
        if (!status)
            status = restore_records(r, err);
        end = true; /* give_records has seen it */
    }
    free(piece);
    return status;
}

ob_status ob_backup_restore(ob_backup_about *out, int file, const ob_seal_secret *secret,
                            const ob_backup_target *target, ob_error *err)
{
    restoring r = {.target = target, .place = {.file = -1}};
    ob_status status = opened_begin(&r.from, &r.about, file, secret, err);
    if (!status)
        status = place_begin(&r.place, target->dir, err);
    if (!status)
        status = restore_all(&r, err);
    if (!status)
        status = ob_lists_adopt(r.place.path, err);
    if (!status) {
        status = place_finish(&r.place, err);
        if (status && target->records)
            ob_fail_in(err, status, "the database has the records, but");
    }
    if (!status) {
        r.about.files = r.from.sequence.files - 1;
        r.about.bytes = r.from.sequence.bytes;
        *out = r.about;
    }
    place_drop(&r.place);
    opened_close(&r.from);
    return status;
}
