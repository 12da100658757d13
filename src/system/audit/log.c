/* Appends entries. The first thread that comes while no other writes leads: it writes everything
 * that has gathered and syncs it once. Threads that come meanwhile gather behind, and the first of
 * them leads next. */
#include "audit_priv.h"

#include <obhut/clock.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- State ----------------------------------------------------------------------------------- */

int64_t audit_now(const ob_audit *audit)
{
    return audit->now ? audit->now(audit->context) : ob_now();
}

void audit_report(ob_audit *audit, atomic_bool *fine, bool works, const char *sentence)
{
    bool worked = atomic_exchange(fine, works);
    if (worked && !works && audit->problem)
        audit->problem(audit->context, sentence);
}

bool ob_audit_fine(const ob_audit *audit)
{
    return audit->log_fine && audit->notes_fine;
}

static long long monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool ob_audit_slow(const ob_audit *audit)
{
    enum { SLOW_MS = 1000 };
    long long since = atomic_load(&audit->writing_since);
    return since && monotonic_ms() - since > SLOW_MS;
}

uint64_t ob_audit_size(ob_audit *audit)
{
    pthread_mutex_lock(&audit->lock);
    uint64_t size = audit->frontier.size;
    pthread_mutex_unlock(&audit->lock);
    return size;
}

/* ---- One entry as text ----------------------------------------------------------------------- */

/* An entry as text, without its number and instant. */
typedef struct printed {
    const char *what;
    ob_buf members; /* what follows `what` */
} printed;

/* Writes what follows `what`, ",…}" or "}", to an empty buffer. */
static ob_status print_members(ob_buf *out, const ob_entry *entry, ob_error *err)
{
    enum { USUAL = 400 }; /* bytes */
    ob_status status = OB_OK;
    const json_t *members = entry_members(entry);
    if (ob_entry_failed(entry))
        return ob_fail(err, OB_ENOMEM, "out of memory: an audit entry");
    if (json_object_get(members, "n") || json_object_get(members, "at") ||
        json_object_get(members, "what") || json_object_get(members, "mac"))
        return ob_fail(err, OB_EINVAL,
                       "\"n\", \"at\", \"what\" and \"mac\" are the log's own members");
    if (!json_object_size(members))
        return ob_buf_append(out, "}", 1, err);
    size_t size = USUAL;
    do {
        status = ob_buf_reserve(out, size, err);
        if (!status)
            size = json_dumpb(members, out->bytes, out->capacity - 1, JSON_COMPACT);
    } while (!status && size >= out->capacity);
    if (!status && !size)
        status = ob_fail(err, OB_ENOMEM, "out of memory: an audit entry");
    if (status)
        return status;
    *out->bytes = ','; /* in the place of its brace */
    out->size = size;
    out->bytes[size] = '\0';
    return OB_OK;
}

/* Replaces the brace that ends the entry by its MAC. */
static ob_status print_mac(ob_buf *out, size_t start, ob_audit *audit, const tree_hash *before,
                           ob_error *err)
{
    char text[MAC_TEXT + 1];
    out->size--;
    const mac_input input = {before, out->bytes + start, out->size - start};
    ob_status status = mac_of(text, &audit->mac, &input, audit->sum, err);
    return status ? status : ob_buf_append(out, text, MAC_TEXT, err);
}

/* Returns the present instant as text, made once a second. */
static const char *time_of(ob_audit *audit)
{
    const int64_t now = audit_now(audit);
    if (!*audit->at || now != audit->at_second)
        time_print(audit->at, now);
    audit->at_second = now;
    return audit->at;
}

/* Appends the line of an entry to what is gathered, and sets *leaf. */
static ob_status print_line(tree_hash *leaf, ob_audit *audit, uint64_t number, const printed *entry,
                            const tree_hash *before, ob_error *err)
{
    ob_buf *out = &audit->gathering.text;
    char digits[2 * OB_AUDIT_HASH + 1] = "";
    const ob_buf *members = &entry->members;
    size_t start = out->size;
    memset(digits, ' ', LINE_HEAD - 1); /* until the hash is known */
    ob_status status =
        ob_buf_printf(out, err, "%s {\"n\":%llu,\"at\":\"%s\",\"what\":\"%s\"", digits,
                      (unsigned long long)number, time_of(audit), entry->what);
    if (!status)
        status = ob_buf_append(out, members->bytes, members->size, err);
    if (!status)
        status = print_mac(out, start + LINE_HEAD, audit, before, err);
    if (!status)
        status = tree_leaf(leaf, audit->sum, out->bytes + start + LINE_HEAD,
                           out->size - start - LINE_HEAD, err);
    if (!status)
        status = ob_buf_append(out, "\n", 1, err);
    if (status) {
        out->size = start;
        return status;
    }
    ob_hex(digits, leaf->bytes, OB_AUDIT_HASH);
    memcpy(out->bytes + start, digits, LINE_HEAD - 1);
    return OB_OK;
}

/* ---- Batches --------------------------------------------------------------------------------- */

static tree_hash last_leaf(const batch *batch)
{
    tree_hash out;
    memcpy(&out, batch->leaves.bytes + (batch->count - 1) * sizeof out, sizeof out);
    return out;
}

/* Appends an entry to the batch. Call this and the following under the lock. */
static ob_status add_line(ob_audit *audit, const printed *entry, ob_error *err)
{
    batch *batch = &audit->gathering;
    tree_hash leaf, before = batch->count           ? last_leaf(batch)
                             : audit->writing.count ? last_leaf(&audit->writing)
                                                    : audit->tip;
    uint64_t n = audit->frontier.size + audit->writing.count + batch->count;
    ob_status status = print_line(&leaf, audit, n, entry, &before, err);
    if (!status)
        status = ob_buf_append(&batch->leaves, &leaf, sizeof leaf, err);
    if (!status)
        batch->count++;
    return status;
}

/* Appends all entries one behind the other, or none. */
static ob_status gather(uint64_t *first, ob_audit *audit, waiter *waiter, const printed *entries,
                        size_t count, ob_error *err)
{
    batch *batch = &audit->gathering;
    const size_t text = batch->text.size, leaves = batch->leaves.size;
    const uint64_t before = batch->count;
    ob_status status = OB_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = add_line(audit, &entries[i], err);
    if (status) {
        batch->text.size = text;
        batch->leaves.size = leaves;
        batch->count = before;
        return status;
    }
    if (batch->last)
        batch->last->next = waiter;
    else
        batch->first = waiter;
    batch->last = waiter;
    *first = audit->frontier.size + audit->writing.count + before;
    return OB_OK;
}

static void finish(batch *batch, ob_status status, const ob_error *err)
{
    for (waiter *w = batch->first, *next; w; w = next) {
        next = w->next; /* a waiter that is done may no longer exist */
        w->status = status;
        if (status)
            w->err = *err;
        w->done = true;
        pthread_cond_signal(&w->woken);
    }
    batch->text.size = batch->leaves.size = 0;
    batch->count = 0;
    batch->first = batch->last = NULL;
}

/* Computes the tree with this batch before a byte is written, so that nothing can fail once the
 * batch is durable. */
static ob_status grow(ob_audit *audit, const batch *batch, ob_error *err)
{
    ob_status status = OB_OK;
    audit->next = audit->frontier;
    for (uint64_t i = 0; i < batch->count && !status; i++) {
        tree_hash leaf;
        memcpy(&leaf, batch->leaves.bytes + i * sizeof leaf, sizeof leaf);
        status = tree_push(&audit->next, audit->sum, &leaf, err);
    }
    return status;
}

/* Writes the batch and syncs. Call this without the lock. */
static ob_status write_text(ob_audit *audit, ob_error *err)
{
    atomic_store(&audit->writing_since, monotonic_ms());
    ob_status status = tail_check(&audit->log, audit->log_path, err);
    if (!status)
        status = tail_write(&audit->log, audit->writing.text.bytes, audit->writing.text.size, err);
    atomic_store(&audit->writing_since, 0);
    audit_report(audit, &audit->log_fine, !status, err->text);
    return status;
}

/* Writes what has gathered; unlocks meanwhile. */
static void write_batch(ob_audit *audit)
{
    ob_error err = {0};
    batch swapped = audit->writing;
    audit->writing = audit->gathering;
    audit->gathering = swapped;
    ob_status status = grow(audit, &audit->writing, &err);
    if (!status) {
        pthread_mutex_unlock(&audit->lock);
        status = write_text(audit, &err);
        pthread_mutex_lock(&audit->lock);
    }
    if (status) {
        audit->refused += audit->writing.count + audit->gathering.count;
        /* The entries behind have numbers that follow those of the lost ones. */
        finish(&audit->gathering, status, &err);
    } else {
        audit->frontier = audit->next;
        audit->tip = last_leaf(&audit->writing);
        audit->log_bytes = audit->log.bytes;
    }
    finish(&audit->writing, status, &err);
    if (audit->gathering.first) {
        audit->gathering.first->leads = true;
        pthread_cond_signal(&audit->gathering.first->woken);
    } else {
        audit->somebody_writes = false;
    }
}

static ob_status append(uint64_t *first, ob_audit *audit, const printed *entries, size_t count,
                        ob_error *err)
{
    waiter self = {.next = NULL};
    pthread_cond_init(&self.woken, NULL);
    pthread_mutex_lock(&audit->lock);
    ob_status status = gather(first, audit, &self, entries, count, err);
    if (status)
        goto out;
    if (audit->somebody_writes)
        while (!self.done && !self.leads)
            pthread_cond_wait(&self.woken, &audit->lock);
    else
        audit->somebody_writes = true;
    if (!self.done)
        write_batch(audit);
    status = self.status ? ob_fail(err, self.status, "%s", self.err.text) : OB_OK;
out:
    pthread_mutex_unlock(&audit->lock);
    pthread_cond_destroy(&self.woken);
    return status;
}

static ob_status print_entry(printed *out, const ob_audit_entry *entry, ob_error *err)
{
    *out = (printed){.what = entry->what};
    if (!word_is_valid(entry->what))
        return ob_fail(err, OB_EINVAL,
                       "\"%.80s\" is no word for the audit log: 1 to %d of a-z 0-9 "
                       ". _ -",
                       entry->what, OB_AUDIT_WORD_MAX);
    ob_status status = print_members(&out->members, entry->members, err);
    /* 128: more than n, at, mac and their names take */
    if (!status && out->members.size + strlen(entry->what) + 128 > OB_AUDIT_ENTRY_MAX)
        status = ob_fail(err, OB_ELIMIT, "an audit entry has at most %d bytes", OB_AUDIT_ENTRY_MAX);
    return status;
}

ob_status ob_audit_entry_check(const ob_audit_entry *entry, ob_error *err)
{
    printed p;
    ob_status status = print_entry(&p, entry, err);
    ob_buf_free(&p.members);
    return status;
}

ob_status ob_audit_append_all(uint64_t *first, ob_audit *audit, const ob_audit_entry *entries,
                              size_t count, ob_error *err)
{
    uint64_t n = 0;
    printed *all = count ? calloc(count, sizeof *all) : NULL;
    ob_status status = !count ? ob_fail(err, OB_EINVAL, "no entry for the audit log")
                       : all  ? OB_OK
                              : ob_fail(err, OB_ENOMEM, "out of memory: an audit entry");
    for (size_t i = 0; i < count && !status; i++)
        status = print_entry(&all[i], &entries[i], err);
    if (!status)
        status = append(&n, audit, all, count, err);
    if (!status && first)
        *first = n;
    for (size_t i = 0; i < count && all; i++)
        ob_buf_free(&all[i].members);
    free(all);
    return status;
}

ob_status ob_audit_append(uint64_t *number, ob_audit *audit, const char *what,
                          const ob_entry *members, ob_error *err)
{
    const ob_audit_entry entry = {.what = what, .members = members};
    return ob_audit_append_all(number, audit, &entry, 1, err);
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static ob_status copy_lines(ob_audit *audit, const char *const *lines, ob_error *err)
{
    size_t count = 0, total = 0;
    while (lines && lines[count])
        count++;
    audit->lines = calloc(count + 1, sizeof *audit->lines);
    if (!audit->lines)
        return ob_fail(err, OB_ENOMEM, "out of memory: lines of checkpoints");
    for (size_t i = 0; i < count; i++) {
        total += strlen(lines[i]) + 1;
        if (!note_line_is_allowed(lines[i]) || total > OB_AUDIT_CHECKPOINT_MAX / 2)
            return ob_fail(err, OB_EINVAL, "\"%.80s\" cannot be a line of a checkpoint", lines[i]);
        audit->lines[i] = strdup(lines[i]);
        if (!audit->lines[i])
            return ob_fail(err, OB_ENOMEM, "out of memory: lines of checkpoints");
    }
    return OB_OK;
}

static void free_batch(batch *batch)
{
    ob_buf_free(&batch->text);
    ob_buf_free(&batch->leaves);
}

static void release(ob_audit *audit)
{
    for (char **line = audit->lines; line && *line; line++)
        free(*line);
    free(audit->lines);
    free_batch(&audit->gathering);
    free_batch(&audit->writing);
    ob_sha256_drop(&audit->sum);
    ob_sha256_drop(&audit->note_sum);
    if (audit->log.file >= 0)
        close(audit->log.file);
    if (audit->notes.file >= 0)
        close(audit->notes.file);
    if (audit->dir >= 0)
        close(audit->dir); /* which releases the lock */
    pthread_mutex_destroy(&audit->lock);
    pthread_mutex_destroy(&audit->signing);
    pthread_mutex_destroy(&audit->hearing);
    free(audit->log_path);
    free(audit->notes_path);
    pthread_mutex_destroy(&audit->sleep);
    pthread_cond_destroy(&audit->wake);
    ob_wipe(&audit->key, sizeof audit->key);
    ob_wipe(&audit->mac, sizeof audit->mac);
    free(audit);
}

static ob_audit *new_audit(const ob_audit_options *options)
{
    ob_audit *audit = calloc(1, sizeof *audit);
    if (!audit)
        return NULL;
    audit->dir = -1;
    audit->log = (tail){.file = -1, .name = "audit/log"};
    audit->notes = (tail){.file = -1, .name = "audit/checkpoints"};
    audit->checkpoint_ms = options->checkpoint_ms ? options->checkpoint_ms : 60000;
    audit->now = options->now;
    audit->problem = options->problem;
    audit->context = options->context;
    audit->log_fine = audit->notes_fine = true;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&audit->lock, NULL);
    pthread_mutex_init(&audit->signing, NULL);
    pthread_mutex_init(&audit->hearing, NULL);
    pthread_mutex_init(&audit->sleep, NULL);
    pthread_cond_init(&audit->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return audit;
}

static ob_status log_repair(ob_audit *audit, const repair *cut, ob_error *err)
{
    ob_entry *members = ob_entry_new();
    ob_entry_number(members, "bytes", (int64_t)cut->log_bytes);
    if (cut->note_bytes)
        ob_entry_number(members, "checkpoint_bytes", (int64_t)cut->note_bytes);
    ob_status status = ob_audit_append(NULL, audit, "log.repaired", members, err);
    ob_entry_free(members);
    return status;
}

/* Logged before they are signed: these entries were found, and nobody can say who wrote them. */
static ob_status log_follows(ob_audit *audit, const repair *found, ob_error *err)
{
    ob_error said = {0};
    ob_fail(&said, OB_EFORMAT,
            "audit/log: %llu entries from %llu on were not signed before the service ended; they "
            "are signed from now on, and the log says so (log.unsealed)",
            (unsigned long long)found->following, (unsigned long long)audit->covered);
    if (audit->problem)
        audit->problem(audit->context, said.text);
    ob_entry *members = ob_entry_new();
    ob_entry_number(members, "from", (int64_t)audit->covered);
    ob_entry_number(members, "entries", (int64_t)found->following);
    ob_status status = ob_audit_append(NULL, audit, "log.unsealed", members, err);
    ob_entry_free(members);
    return status;
}

ob_status ob_audit_open(ob_audit **out, const ob_audit_options *options, ob_error *err)
{
    repair cut = {0};
    ob_audit *audit = new_audit(options);
    if (!audit)
        return ob_fail(err, OB_ENOMEM, "out of memory: the audit log");
    ob_status status = copy_lines(audit, options->lines, err);
    if (!status)
        status = ob_sha256_begin(&audit->sum, err);
    if (!status)
        status = ob_sha256_begin(&audit->note_sum, err);
    if (!status)
        status = audit_load(audit, options, &cut, err);
    if (!status && (cut.log_bytes || cut.note_bytes))
        status = log_repair(audit, &cut, err);
    if (!status && cut.following)
        status = log_follows(audit, &cut, err);
    if (!status)
        status = audit_signer_start(audit, err);
    if (status)
        release(audit);
    else
        *out = audit;
    return status;
}

ob_status ob_audit_sign_last(ob_audit *audit, ob_error *err)
{
    audit_signer_stop(audit);
    return ob_audit_sign(audit, err);
}

ob_status ob_audit_close(ob_audit *audit, ob_error *err)
{
    if (!audit)
        return OB_OK;
    ob_status status = ob_audit_sign_last(audit, err);
    release(audit);
    return status;
}
