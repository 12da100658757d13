/* The writer, one thread at a time: it takes all acts that wait, runs each in a part of one
 * transaction, appends their entries to the log with one write, and commits the transaction. So
 * what is in the records is in the log, and callers go on when both are durable. Where the records
 * refuse after all, or the process dies in between, a further entry says that the act was not done.
 * A thread of its own writes; a caller that waits anyway, and comes while nothing is written,
 * writes itself. */
#include "acts_priv.h"

#include <obhut/clock.h>
#include <obhut/records/log.h>
#include <obhut/records/retention.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOGETHER_MOST = 256,  /* acts of one transaction */
    WAITING_MOST = 16384, /* beyond, an act is refused with OB_EBUSY */
    PATIENCE_MS = 10000,  /* an act that has waited so long is not begun */
    OVERWRITING_MS = 500, /* how often to check whether overwriting has ended */
    BETWEEN_MS = 10,      /* checks for late acts; all that are late by then are refused together */
};

/* ---- Waiting --------------------------------------------------------------------------------- */

static void refuse_slow(ob_act_job *job)
{
    job->status = ob_fail(&job->error, OB_EIO,
                          "the records or the log are slow: nothing was done, try again");
}

/* Whether a patient act waits because deleted records are being overwritten: that ends by itself,
 * and does not count as slow. */
static bool waits_on(const ob_acts *acts, const ob_act_job *job)
{
    return job->patient && ob_store_overwrites(acts->store);
}

/* Removes the acts that have waited too long from the queue. Call this under the lock. */
static ob_act_job *take_late(ob_acts *acts)
{
    const int64_t now = ob_now_monotonic_ms();
    ob_act_job *late = NULL, **end = &late, **at = &acts->first;
    while (*at) {
        ob_act_job *job = *at;
        if (waits_on(acts, job))
            job->until_ms = now + PATIENCE_MS; /* its time begins when overwriting ends */
        if (job->until_ms > now) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        acts->waiting--;
        job->next = NULL;
        *end = job;
        end = &job->next;
    }
    acts->last = at;
    return late;
}

static void call_done(ob_act_job *jobs)
{
    for (ob_act_job *job = jobs, *next; job; job = next) {
        next = job->next; /* after its `done`, a job may no longer exist */
        job->done(job);
    }
}

/* When the first waiting act will have waited too long. Call this under the lock. Where no act
 * waits, later ones are due later than the instant returned; an act that is late already waits for
 * the end of overwriting. */
static struct timespec next_check(const ob_acts *acts)
{
    const int64_t now = ob_now_monotonic_ms();
    int64_t next = now + PATIENCE_MS;
    for (const ob_act_job *job = acts->first; job; job = job->next) {
        const int64_t due = waits_on(acts, job) ? now + OVERWRITING_MS : job->until_ms;
        if (due < next)
            next = due;
    }
    return ob_in_ms(next - now > BETWEEN_MS ? next - now : BETWEEN_MS);
}

/* A second thread: it refuses acts that have waited too long while the writer waits for a disk. */
static void *watch(void *argument)
{
    ob_acts *acts = argument;
    pthread_mutex_lock(&acts->queue);
    while (!acts->closing) {
        const struct timespec until = next_check(acts);
        pthread_cond_timedwait(&acts->ends, &acts->queue, &until);
        ob_act_job *late = take_late(acts);
        pthread_mutex_unlock(&acts->queue);
        for (ob_act_job *job = late; job; job = job->next)
            refuse_slow(job);
        call_done(late);
        pthread_mutex_lock(&acts->queue);
    }
    pthread_mutex_unlock(&acts->queue);
    return NULL;
}

/* ---- One act --------------------------------------------------------------------------------- */

/* Acts that are written together. */
typedef struct together {
    ob_acts *acts;
    ob_writing *w;
    ob_audit_entry *entries;
    ob_entry **members; /* of these entries; owned */
    size_t count, capacity;
    uint64_t first; /* number of the first, once it is in the log */
    bool logged;
} together;

/* Adds an entry. Takes ownership of *members where it succeeds. */
static ob_status add_entry(together *t, const char *what, ob_entry **members, ob_error *err)
{
    if (t->count == t->capacity) {
        size_t more = 2 * t->capacity + 32;
        ob_audit_entry *entries = realloc(t->entries, more * sizeof *entries);
        if (entries)
            t->entries = entries;
        ob_entry **owned = realloc(t->members, more * sizeof *owned);
        if (owned)
            t->members = owned;
        if (!entries || !owned)
            return ob_fail(err, OB_ENOMEM, "out of memory: entries of the log");
        t->capacity = more;
    }
    ob_entry_yes(*members, "act", true);
    const ob_audit_entry entry = {.what = what, .members = *members};
    ob_status status =
        ob_audit_entry_check(&entry, err); /* a wrong entry would fail the others, too */
    if (status)
        return status;
    t->entries[t->count] = entry;
    t->members[t->count++] = *members;
    *members = NULL;
    return OB_OK;
}

static void forget_entries(together *t, size_t from)
{
    while (t->count > from)
        ob_entry_free(t->members[--t->count]);
}

/* Adds the entries of an act, its own as the last. */
static ob_status add_entries(together *t, ob_act *act, ob_error *err)
{
    ob_status status =
        act->error.status ? ob_fail(err, act->error.status, "%s", act->error.text) : OB_OK;
    for (size_t i = 0; i < act->also_count && !status; i++)
        status = add_entry(t, act->also[i].what, &act->also[i].members, err);
    if (!status && !act->quiet)
        status = add_entry(t, act->what, &act->members, err);
    return status;
}

/* Logs that a forbidden act was refused, as an act of its own, so that the entry stays although the
 * refused act is undone. */
static ob_status say_refused(together *t, const ob_act_job *job, ob_error *err)
{
    ob_act act;
    const size_t before = t->count;
    const char *token = ob_entry_get_text(job->act.members, "token");
    ob_status status = ob_writing_part(t->w, err);
    if (status)
        return status;
    act_begin(&act, t->acts, t->w, "refused", job->actor);
    ob_act_word(&act, "wanted", job->what);
    if (token)
        ob_act_word(&act, "token", token);
    status = add_entries(t, &act, err);
    status = ob_writing_part_end(t->w, status, err);
    if (status)
        forget_entries(t, before);
    act_end(&act);
    return status;
}

static void fail_job(ob_act_job *job, ob_status status, const ob_error *why)
{
    job->status = status;
    job->error = *why;
}

/* Runs one act in a part of the transaction, so that it can be undone alone. */
static void run_job(together *t, ob_act_job *job)
{
    const size_t before = t->count;
    ob_act *act = &job->act;
    ob_error *err = &job->error;
    *act = (ob_act){.acts = t->acts};
    job->entry = UINT64_MAX;
    job->status = ob_writing_part(t->w, err);
    if (job->status)
        return;
    act_begin(act, t->acts, t->w, job->what, job->actor);
    ob_status status = job->run ? job->run(act, job->context, err) : OB_OK;
    if (!status)
        status = add_entries(t, act, err);
    job->status = ob_writing_part_end(t->w, status, err);
    if (job->status)
        forget_entries(t, before);
    job->first_entry = before;
    job->entry_count = t->count - before;
    if (job->status == OB_EREFUSED) {
        ob_error unsaid = {0};
        status = say_refused(t, job, &unsaid);
        if (status)
            fail_job(job, status, &unsaid);
    }
}

/* ---- Together -------------------------------------------------------------------------------- */

/* Appends all entries, before the transaction is committed; every entry but the last says that more
 * follow. */
static ob_status append(together *t, ob_error *err)
{
    for (size_t i = 0; i + 1 < t->count; i++)
        ob_entry_yes(t->members[i], "part", true);
    ob_status status = ob_audit_append_all(&t->first, t->acts->audit, t->entries, t->count, err);
    t->logged = !status;
    return status ? ob_fail_in(err, status, "what cannot be logged is not done") : OB_OK;
}

/* Gives acts their entries' numbers, before the transaction is committed. */
static ob_status call_on_commit(together *t, ob_act_job *jobs, ob_error *err)
{
    ob_status status = OB_OK;
    for (ob_act_job *job = jobs; job && !status; job = job->next) {
        if (job->status || !job->entry_count)
            continue;
        job->entry = t->first + job->first_entry + job->entry_count - 1;
        if (job->act.on_commit)
            status = job->act.on_commit(job->act.on_commit_context, t->w, job->entry, err);
    }
    return status ? status
                  : ob_store_counter_set(t->w, OB_COUNTER_LOG_ENTRY,
                                         (int64_t)(t->first + t->count - 1), err);
}

/* Handles a failed commit: the records may have it all the same, and could no longer say so. */
static ob_status recover(together *t, ob_status status, ob_error *err)
{
    int64_t last;
    t->acts->must_recover = acts_recover_log(&last, t->acts, NULL) != OB_OK;
    if (t->acts->must_recover || last < (int64_t)(t->first + t->count - 1))
        return status;
    *err = (ob_error){0};
    return OB_OK;
}

/* Takes the waiting acts only when the transaction has begun: until then each of them may still be
 * refused for waiting too long. */
static ob_status begin(together *t, ob_error *err)
{
    int64_t last;
    ob_acts *acts = t->acts;
    ob_status status = acts->must_recover ? acts_recover_log(&last, acts, err) : OB_OK;
    if (status)
        return status;
    acts->must_recover = false;
    return ob_writing_begin(&t->w, acts->store, err);
}

static ob_status write_jobs(together *t, ob_act_job *jobs, ob_error *err)
{
    ob_status status = OB_OK;
    for (ob_act_job *job = jobs; job; job = job->next)
        run_job(t, job);
    if (t->count)
        status = append(t, err);
    if (!status && t->count)
        status = call_on_commit(t, jobs, err);
    status = ob_writing_end(t->w, status, err);
    return status && t->logged ? recover(t, status, err) : status;
}

/* Writes the acts; `begun` is the result of beginning the transaction, with its error. */
static void write_together(together *t, ob_act_job *jobs, ob_status begun, ob_error *err)
{
    ob_status status = begun ? begun : write_jobs(t, jobs, err);
    for (ob_act_job *job = jobs; job; job = job->next) {
        /* a refusal is reported once it is in the log */
        if (status && (!job->status || job->status == OB_EREFUSED))
            fail_job(job, status, err);
        act_end(&job->act);
    }
    forget_entries(t, 0);
    free(t->entries);
    free(t->members);
    call_done(jobs);
}

/* Takes the waiting acts; NULL where there are none. */
static ob_act_job *take_some(ob_acts *acts)
{
    pthread_mutex_lock(&acts->queue);
    ob_act_job *jobs = acts->first, **end = &jobs;
    for (unsigned count = 0; count < TOGETHER_MOST && *end; count++) {
        end = &(*end)->next;
        acts->waiting--;
    }
    acts->first = *end;
    if (!acts->first)
        acts->last = &acts->first;
    *end = NULL;
    pthread_mutex_unlock(&acts->queue);
    return jobs;
}

static void write_some(ob_acts *acts)
{
    ob_error err = {0};
    together t = {.acts = acts};
    ob_status begun = begin(&t, &err);
    write_together(&t, take_some(acts), begun, &err);
}

static void *write_all(void *argument)
{
    ob_acts *acts = argument;
    pthread_mutex_lock(&acts->queue);
    for (;;) {
        while (acts->writes || (!acts->first && !acts->closing))
            pthread_cond_wait(&acts->some, &acts->queue);
        if (!acts->first)
            break;
        acts->writes = true;
        pthread_mutex_unlock(&acts->queue);
        write_some(acts);
        pthread_mutex_lock(&acts->queue);
        acts->writes = false;
    }
    pthread_mutex_unlock(&acts->queue);
    return NULL;
}

/* ---- Asking for it --------------------------------------------------------------------------- */

static void prepare(ob_act_job *job)
{
    job->status = OB_OK;
    job->error = (ob_error){0};
    job->next = NULL;
    job->act = (ob_act){0};
    job->entry_count = 0;
    job->until_ms = ob_now_monotonic_ms() + PATIENCE_MS;
}

static bool may_write(ob_acts *acts)
{
    pthread_mutex_lock(&acts->queue);
    const bool may = !acts->writes && !acts->first && !acts->closing && !acts->must_recover;
    if (may)
        acts->writes = true;
    pthread_mutex_unlock(&acts->queue);
    return may;
}

static void has_written(ob_acts *acts)
{
    pthread_mutex_lock(&acts->queue);
    acts->writes = false;
    if (acts->first || acts->closing)
        pthread_cond_signal(&acts->some);
    pthread_mutex_unlock(&acts->queue);
}

/* Writes the act on this thread, if that is possible at once. Returns false where it would have to
 * wait: then it joins the queue, where waiting is limited. */
static bool write_itself(ob_acts *acts, ob_act_job *job)
{
    ob_error err = {0};
    together t = {.acts = acts};
    if (!may_write(acts))
        return false;
    ob_status begun = ob_writing_begin_at_once(&t.w, acts->store, &err);
    if (begun != OB_EBUSY) {
        prepare(job);
        write_together(&t, job, begun, &err);
    }
    has_written(acts);
    return begun != OB_EBUSY;
}

void ob_acts_post(ob_acts *acts, ob_act_job *job)
{
    prepare(job);
    pthread_mutex_lock(&acts->queue);
    if (acts->closing)
        job->status = ob_fail(&job->error, OB_EBUSY, "the service is stopping");
    else if (acts->waiting >= WAITING_MOST)
        job->status = ob_fail(&job->error, OB_EBUSY, "too much waits to be recorded: try again");
    const bool is_refused = job->status != OB_OK;
    if (!is_refused) {
        *acts->last = job;
        acts->last = &job->next;
        acts->waiting++;
        if (!acts->writes) /* a running writer checks the queue again by itself */
            pthread_cond_signal(&acts->some);
    }
    pthread_mutex_unlock(&acts->queue);
    if (is_refused) /* else it belongs to the writer, and may be done already */
        job->done(job);
}

typedef struct waiting {
    ob_act_job job; /* first */
    pthread_mutex_t lock;
    pthread_cond_t is_done;
    bool done;
} waiting;

static void wake(ob_act_job *job)
{
    waiting *w = (waiting *)job;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->is_done);
    pthread_mutex_unlock(&w->lock);
}

static ob_status do_and_wait(waiting *w, ob_acts *acts, ob_error *err)
{
    w->job.done = wake;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->is_done, NULL);
    if (!write_itself(acts, &w->job))
        ob_acts_post(acts, &w->job);
    pthread_mutex_lock(&w->lock);
    while (!w->done)
        pthread_cond_wait(&w->is_done, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_cond_destroy(&w->is_done);
    pthread_mutex_destroy(&w->lock);
    return w->job.status ? ob_fail(err, w->job.status, "%s", w->job.error.text) : OB_OK;
}

ob_status ob_acts_do(uint64_t *entry, ob_acts *acts, const char *what, const ob_actor *actor,
                     ob_act_run run, void *context, ob_error *err)
{
    waiting w = {.job = {.what = what, .actor = actor, .run = run, .context = context}};
    ob_status status = do_and_wait(&w, acts, err);
    if (!status && entry)
        *entry = w.job.entry;
    return status;
}

ob_status ob_acts_note(ob_acts *acts, const char *what, ob_act_run run, void *context,
                       ob_error *err)
{
    waiting w = {.job = {.what = what, .run = run, .context = context, .patient = true}};
    return do_and_wait(&w, acts, err);
}

static ob_status add_members(ob_act *act, void *context, ob_error *err)
{
    (void)err;
    if (context)
        ob_entry_fill(act->members, context);
    return OB_OK;
}

ob_status ob_acts_log(uint64_t *entry, ob_acts *acts, const char *what, const ob_actor *actor,
                      ob_entry *members, ob_error *err)
{
    ob_status status = ob_acts_do(entry, acts, what, actor, add_members, members, err);
    ob_entry_free(members);
    return status;
}

bool ob_acts_log_fine(const ob_acts *acts)
{
    return ob_audit_fine(acts->audit);
}

bool ob_acts_log_slow(const ob_acts *acts)
{
    return ob_audit_slow(acts->audit);
}

/* ---- What is not in the records -------------------------------------------------------------- */

typedef struct ended {
    uint64_t entry;
    ob_entry *members;
} ended;

static ob_status end_intent(ob_act *act, void *context, ob_error *err)
{
    const ended *e = context;
    ob_status status = add_members(act, e->members, err);
    ob_act_number(act, "entry", (int64_t)e->entry);
    return status ? status : ob_store_intent_end(act->w, e->entry, err);
}

void ob_acts_intent_ended(ob_acts *acts, uint64_t entry, bool done, ob_entry *members)
{
    ended e = {.entry = entry, .members = members};
    /* where that cannot be logged, the next start logs that the outcome is unknown */
    ob_acts_do(NULL, acts, done ? "done" : "not_done", NULL, end_intent, &e, NULL);
    ob_entry_free(members);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool start(pthread_t *out, void *(*run)(void *), ob_acts *acts)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the service's business */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = !pthread_create(out, NULL, run, acts);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

ob_status acts_writer_start(ob_acts *acts, ob_error *err)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&acts->queue, NULL);
    pthread_cond_init(&acts->some, NULL);
    pthread_cond_init(&acts->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
    acts->last = &acts->first;
    acts->has_queue = true;
    acts->has_writer = start(&acts->writer, write_all, acts);
    acts->has_watch = acts->has_writer && start(&acts->watch, watch, acts);
    return acts->has_watch ? OB_OK : ob_fail(err, OB_ENOMEM, "no thread for the records");
}

void acts_writer_stop(ob_acts *acts)
{
    if (!acts->has_queue)
        return;
    pthread_mutex_lock(&acts->queue);
    acts->closing = true;
    pthread_cond_broadcast(&acts->some);
    pthread_cond_broadcast(&acts->ends);
    pthread_mutex_unlock(&acts->queue);
    if (acts->has_writer)
        pthread_join(acts->writer, NULL);
    if (acts->has_watch)
        pthread_join(acts->watch, NULL);
    pthread_mutex_destroy(&acts->queue);
    pthread_cond_destroy(&acts->some);
    pthread_cond_destroy(&acts->ends);
}
