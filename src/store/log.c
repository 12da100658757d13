/* What the log needs of the records: keys of those whom it is about, and how far both agree.
 * Deliveries stand here too: they make one act of two. */
#include "store_priv.h"

#include <obhut/crypto.h>
#include <obhut/records.h>

#include <stdio.h>
#include <stdlib.h>

/* ---- Marks ------------------------------------------------------------------------------------
 */

static const char *const marks[OB_MARKS] = {"log.entry", "log.day", "reaped", "scrubbed"};

ob_status ob_store_mark(int64_t *out, ob_view *view, ob_mark mark, ob_error *err)
{
    sql q;
    *out = -1;
    sql_begin(&q, view, "SELECT value FROM mark WHERE name = ?", err);
    sql_bind_text(&q, 1, marks[mark]);
    if (sql_step(&q))
        *out = sql_int(&q, 0);
    return sql_end(&q);
}

ob_status ob_store_mark_set(ob_writing *w, ob_mark mark, int64_t value, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO mark (name, value) VALUES (?, ?)"
              " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
              err);
    sql_bind_text(&q, 1, marks[mark]);
    sql_bind_int(&q, 2, value);
    return store_end_change(&q, NULL);
}

/* ---- Deeds ------------------------------------------------------------------------------------
 */

static ob_status change_deed(ob_writing *w, const char *text, uint64_t entry, ob_error *err)
{
    sql q;
    char name[32];
    snprintf(name, sizeof name, "deed.%llu", (unsigned long long)entry);
    sql_begin(&q, &w->view, text, err);
    sql_bind_text(&q, 1, name);
    return store_end_change(&q, NULL);
}

ob_status ob_store_deed_begin(ob_writing *w, uint64_t entry, ob_error *err)
{
    return change_deed(w, "INSERT INTO mark (name, value) VALUES (?, 1)", entry, err);
}

ob_status ob_store_deed_end(ob_writing *w, uint64_t entry, ob_error *err)
{
    return change_deed(w, "DELETE FROM mark WHERE name = ?", entry, err);
}

static void read_deed(void *record, sql *q)
{
    uint64_t *entry = record;
    char name[64];
    sql_text(q, 0, name, sizeof name);
    *entry = strtoull(name + sizeof "deed." - 1, NULL, 10);
}

ob_status ob_store_deeds(uint64_t **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    sql_begin(&q, view, "SELECT name FROM mark WHERE name LIKE 'deed.%' ORDER BY name", err);
    return store_read_all(out, count, &q, sizeof **out, read_deed);
}

/* ---- Keys -------------------------------------------------------------------------------------
 */

static void read_log_key(void *record, sql *q)
{
    sql_key(q, 0, record);
}

ob_status ob_store_log_key_find(bool *found, ob_record_key *out, ob_view *view,
                                const ob_record_key *subject, ob_error *err)
{
    sql q;
    sql_begin(&q, view, "SELECT key FROM log_key WHERE subject = ?", err);
    sql_bind_key(&q, 1, subject);
    return store_read_one(found, out, &q, read_log_key);
}

ob_status ob_store_log_key(ob_record_key *out, ob_writing *w, const ob_record_key *subject,
                           int64_t at, ob_error *err)
{
    enum { ROUGHLY = 86400 }; /* the age need not be exact, and a write costs */
    sql q;
    bool found = false;
    ob_status status = ob_store_log_key_find(&found, out, &w->view, subject, err);
    if (status)
        return status;
    if (found) {
        sql_begin(&q, &w->view, "UPDATE log_key SET used_at = ? WHERE subject = ? AND used_at < ?",
                  err);
        sql_bind_int(&q, 1, at);
        sql_bind_key(&q, 2, subject);
        sql_bind_int(&q, 3, at - ROUGHLY);
        return store_end_change(&q, NULL);
    }
    ob_random(out->bytes, sizeof out->bytes);
    sql_begin(&q, &w->view, "INSERT INTO log_key (subject, key, used_at) VALUES (?, ?, ?)", err);
    sql_bind_key(&q, 1, subject);
    sql_bind_key(&q, 2, out);
    sql_bind_int(&q, 3, at);
    return store_end_change(&q, NULL);
}

ob_status ob_store_log_key_destroy(ob_writing *w, const ob_record_key *subject, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "DELETE FROM log_key WHERE subject = ?", err);
    sql_bind_key(&q, 1, subject);
    ob_status status = store_end_change(&q, "the log has no key of that name");
    if (!status)
        status = store_want_scrub(w, "log_key", err);
    return status;
}

/* ---- Deliveries -------------------------------------------------------------------------------
 */

ob_status ob_store_delivery(bool *found, int64_t *id, ob_view *view, const ob_record_key *key,
                            const ob_record_key *digest, ob_error *err)
{
    sql q;
    ob_record_key before;
    sql_begin(&q, view, "SELECT digest, id FROM delivery WHERE key = ?", err);
    sql_bind_key(&q, 1, key);
    *found = sql_step(&q);
    if (*found) {
        sql_key(&q, 0, &before);
        *id = sql_int(&q, 1);
    }
    ob_status status = sql_end(&q);
    if (!status && *found && !ob_same(before.bytes, digest->bytes, sizeof before.bytes))
        status = ob_fail(err, OB_EREFUSED,
                         "this Idempotency-Key came with another body before: a new request needs "
                         "a new key");
    return status;
}

ob_status ob_store_delivery_add(ob_writing *w, const ob_record_key *key,
                                const ob_record_key *digest, int64_t id, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "INSERT INTO delivery (key, digest, id, at) VALUES (?, ?, ?, ?)", err);
    sql_bind_key(&q, 1, key);
    sql_bind_key(&q, 2, digest);
    sql_bind_int(&q, 3, id);
    sql_bind_int(&q, 4, at);
    return store_end_change(&q, NULL);
}
