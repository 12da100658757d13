/* After an end that nobody planned: what the log has and the records do not was not done, and what
 * had begun outside of them is told as unfinished. */
#include "acts_priv.h"

#include <obhut/records/log.h>

#include <stdlib.h>
#include <string.h>

typedef struct tail {
    uint64_t *unsure; /* entries of acts that the records do not have */
    size_t count, capacity;
    size_t acts; /* how often acts were written together */
    bool in_part;
} tail;

static ob_status add_unsure(tail *t, uint64_t n, ob_error *err)
{
    if (t->count == t->capacity) {
        size_t more = 2 * t->capacity + 16;
        uint64_t *grown = realloc(t->unsure, more * sizeof *grown);
        if (!grown)
            return ob_fail(err, OB_ENOMEM, "out of memory: the log");
        t->unsure = grown;
        t->capacity = more;
    }
    t->unsure[t->count++] = n;
    return OB_OK;
}

static ob_status take_entry(void *context, uint64_t number, const char *text, size_t size,
                            ob_error *err)
{
    tail *t = context;
    ob_entry *entry = NULL;
    ob_status status = ob_entry_read(&entry, text, size, err);
    if (status)
        return ob_fail(err, status, "entry %llu of the log cannot be read",
                       (unsigned long long)number);
    const char *what = ob_entry_get_text(entry, "what");
    const bool is_act = ob_entry_is(entry, "act");
    if (what && !strcmp(what, "not_done") && !is_act) { /* with `act`: of a deed */
        const int64_t which = ob_entry_get_number(entry, "entry");
        for (size_t i = 0; i < t->count; i++)
            if (t->unsure[i] == (uint64_t)which) {
                t->unsure[i] = t->unsure[--t->count];
                t->acts = 0; /* of an act that is settled already */
            }
    } else if (is_act) {
        t->acts += !t->in_part;
        t->in_part = ob_entry_is(entry, "part");
        status = add_unsure(t, number, err);
    }
    ob_entry_free(entry);
    return status;
}

static ob_status say(ob_acts *acts, const char *what, uint64_t entry, ob_error *err)
{
    ob_entry *members = ob_entry_new();
    ob_entry_number(members, "entry", (int64_t)entry);
    ob_status status = ob_audit_append(NULL, acts->audit, what, members, err);
    ob_entry_free(members);
    return status;
}

static ob_status read_counter(int64_t *last, ob_acts *acts, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, acts->store, err);
    if (!status)
        status = ob_store_counter(last, view, OB_COUNTER_LOG_ENTRY, err);
    ob_view_close(view);
    return status;
}

/* A commit whose answer was lost may still take effect: the server completes it after the
 * connection broke, or the next opening finds it in the journal. A new transaction begins after the
 * first case and overwrites the second; from then on the records do not change by themselves. */
static ob_status recover(int64_t *last, ob_acts *acts, ob_error *err)
{
    int64_t times = 0;
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, acts->store, err);
    if (status)
        return status;
    status = ob_store_counter(last, ob_writing_view(w), OB_COUNTER_LOG_ENTRY, err);
    if (!status)
        status = ob_store_counter(&times, ob_writing_view(w), OB_COUNTER_RECOVERED, err);
    if (!status) /* another value every time, or nothing would be written */
        status = ob_store_counter_set(w, OB_COUNTER_RECOVERED, times + 1, err);
    return ob_writing_end(w, status, err);
}

ob_status acts_recover_log(int64_t *out, ob_acts *acts, ob_error *err)
{
    int64_t last;
    tail t = {0};
    uint64_t size = ob_audit_size(acts->audit);
    ob_status status = read_counter(&last, acts, err);
    if (!status && last + 1 < (int64_t)size)
        status = recover(&last, acts, err);
    if (!status && last >= (int64_t)size)
        status = ob_fail(err, OB_EREFUSED,
                         "the records know entry %lld of the log, which has only %llu: they are "
                         "not of one piece; restore both from one backup",
                         (long long)last, (unsigned long long)size);
    if (!status && last + 1 < (int64_t)size)
        status =
            ob_audit_read(acts->audit_dir, (uint64_t)(last + 1), size - 1, take_entry, &t, err);
    if (!status && t.acts > 1) /* what is written together can be unsure, and nothing before it */
        status = ob_fail(err, OB_EREFUSED,
                         "the log has acts that the records do not know: the records are older, or "
                         "others; restore both from one backup");
    for (size_t i = 0; i < t.count && !status; i++)
        status = say(acts, "not_done", t.unsure[i], err);
    free(t.unsure);
    if (!status)
        *out = last;
    return status;
}

static ob_status end_intent(ob_act *act, void *context, ob_error *err)
{
    const uint64_t *entry = context;
    ob_act_number(act, "entry", (int64_t)*entry);
    return ob_store_intent_end(act->w, *entry, err);
}

ob_status acts_recover_intents(ob_acts *acts, ob_error *err)
{
    uint64_t *entries = NULL;
    size_t count = 0;
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, acts->store, err);
    if (!status)
        status = ob_store_intents(&entries, &count, view, err);
    ob_view_close(view);
    for (size_t i = 0; i < count && !status; i++)
        status = ob_acts_do(NULL, acts, "unfinished", NULL, end_intent, &entries[i], err);
    free(entries);
    return status;
}
