/* Checkpoints: written every minute when something happened, at close, and when asked. */
#include "audit_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 1000 };

ob_status audit_note(ob_buf *out, note *note, ob_audit *audit, ob_sha256_sum *sum, ob_error *err)
{
    note->before = audit->covered;
    time_print(note->at, audit_now(audit));
    ob_status status = tree_root(&note->root, &note->frontier, sum, err);
    if (!status)
        status = note_print(out, note, &audit->name, &audit->key, (const char *const *)audit->lines,
                            err);
    return status;
}

/* Under `signing`: appending goes on meanwhile. */
static ob_status sign(ob_audit *audit, ob_error *err)
{
    ob_buf text = {0};
    note note = {0};
    pthread_mutex_lock(&audit->lock);
    note.frontier = audit->frontier;
    note.bytes = audit->log_bytes;
    pthread_mutex_unlock(&audit->lock);
    if (note.frontier.size == audit->covered)
        return OB_OK;
    ob_status status = audit_note(&text, &note, audit, audit->note_sum, err);
    if (!status)
        status = tail_check(&audit->notes, audit->notes_path, err);
    if (!status)
        status = tail_write(&audit->notes, text.bytes, text.size, err);
    if (!status) {
        audit->covered = note.frontier.size;
        audit->signed_bytes = note.bytes;
        audit->signed_root = note.root;
    }
    ob_buf_free(&text);
    return status;
}

static ob_status sign_and(ob_audit_extent *out, ob_audit *audit, ob_error *err)
{
    ob_error problem = {0};
    pthread_mutex_lock(&audit->signing);
    ob_status status = sign(audit, &problem);
    if (!status && out)
        *out = (ob_audit_extent){audit->covered, audit->signed_bytes, audit->notes.bytes};
    pthread_mutex_unlock(&audit->signing);
    audit_report(audit, &audit->notes_fine, !status, problem.text);
    return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
}

ob_status ob_audit_sign(ob_audit *audit, ob_error *err)
{
    return sign_and(NULL, audit, err);
}

ob_status ob_audit_extent_now(ob_audit_extent *out, ob_audit *audit, ob_error *err)
{
    return sign_and(out, audit, err);
}

void ob_audit_signed_now(ob_audit_signed *out, ob_audit *audit)
{
    pthread_mutex_lock(&audit->signing);
    *out = (ob_audit_signed){.entries = audit->covered, .note_bytes = audit->notes.bytes};
    memcpy(out->root, audit->signed_root.bytes, sizeof out->root);
    pthread_mutex_unlock(&audit->signing);
}

void ob_audit_on_signed(ob_audit *audit,
                        void (*hear)(void *context, const ob_audit_signed *is_signed),
                        void *context)
{
    pthread_mutex_lock(&audit->hearing);
    audit->hear = hear;
    audit->hear_context = context;
    pthread_mutex_unlock(&audit->hearing);
}

/* Only from the log's own thread: who seals elsewhere may hold what the listener waits for. */
static void report_signed(ob_audit *audit)
{
    ob_audit_signed now;
    ob_audit_signed_now(&now, audit);
    pthread_mutex_lock(&audit->hearing);
    if (audit->hear && now.entries != audit->heard) {
        audit->heard = now.entries;
        audit->hear(audit->hear_context, &now);
    }
    pthread_mutex_unlock(&audit->hearing);
}

/* ---- The thread that sees to it -------------------------------------------------------------- */

static void wait_until_due(ob_audit *audit, unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!audit->stop && pthread_cond_timedwait(&audit->wake, &audit->sleep, &until) != ETIMEDOUT)
        ;
}

/* Nobody else may come as long as writing fails: the attempt is an entry that says so. */
static void try_again(ob_audit *audit)
{
    pthread_mutex_lock(&audit->lock);
    uint64_t refused = audit->refused;
    pthread_mutex_unlock(&audit->lock);
    ob_entry *members = ob_entry_new();
    ob_entry_number(members, "refused", (int64_t)refused);
    const bool failed = ob_audit_append(NULL, audit, "log.resumed", members, NULL) != OB_OK;
    pthread_mutex_lock(&audit->lock);
    if (failed && audit->refused > refused) /* the attempt was nobody's entry */
        audit->refused--;
    else if (!failed)
        audit->refused -= refused;
    pthread_mutex_unlock(&audit->lock);
    ob_entry_free(members);
}

static bool has_refused(ob_audit *audit)
{
    pthread_mutex_lock(&audit->lock);
    bool has = audit->refused > 0;
    pthread_mutex_unlock(&audit->lock);
    return has;
}

static void *sign_now_and_then(void *context)
{
    ob_audit *audit = context;
    unsigned since_last = 0;
    pthread_mutex_lock(&audit->sleep);
    while (!audit->stop) {
        /* Short steps: a log that begins to fail is tried a second later. */
        unsigned left = audit->checkpoint_ms - since_last;
        unsigned step = left < RETRY_MS ? left : RETRY_MS;
        wait_until_due(audit, step);
        if (audit->stop)
            break;
        pthread_mutex_unlock(&audit->sleep);
        since_last += step;
        if (!audit->log_fine || has_refused(audit))
            try_again(audit);
        if (since_last >= audit->checkpoint_ms || !audit->notes_fine) {
            ob_audit_sign(audit, NULL);
            report_signed(audit);
            since_last = 0;
        }
        pthread_mutex_lock(&audit->sleep);
    }
    pthread_mutex_unlock(&audit->sleep);
    return NULL;
}

ob_status audit_signer_start(ob_audit *audit, ob_error *err)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the service's business */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int problem = pthread_create(&audit->signer, NULL, sign_now_and_then, audit);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (problem)
        return ob_fail(err, OB_ENOMEM, "no thread for the audit log: %s", strerror(problem));
    audit->has_signer = true;
    return OB_OK;
}

void audit_signer_stop(ob_audit *audit)
{
    if (!audit->has_signer)
        return;
    pthread_mutex_lock(&audit->sleep);
    audit->stop = true;
    pthread_cond_signal(&audit->wake);
    pthread_mutex_unlock(&audit->sleep);
    pthread_join(audit->signer, NULL);
    audit->has_signer = false;
}
