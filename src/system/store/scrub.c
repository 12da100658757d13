/* What was deleted is overwritten in the database's files: once for all that was deleted since, on
 * a night (obhut/engine.h says when), while readers go on. */
#include "store_priv.h"

#include <obhut/records/log.h>
#include <obhut/records/retention.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    NAME = 64,
    TRIES = 50, /* while somebody reads what must go */
    TRY_MS = 100,
};

/* A wish is a mark: 1 is open, 2 is being fulfilled. It stays until what it is about was
 * overwritten, also if the process dies in between. */
ob_status store_want_scrub(ob_writing *w, const char *table, ob_error *err)
{
    sql q;
    char name[NAME];
    snprintf(name, sizeof name, "scrub.%s", table);
    sql_begin(&q, &w->view,
              "INSERT INTO mark (name, value) VALUES (?, 1)"
              " ON CONFLICT (name) DO UPDATE SET value = 1",
              err);
    sql_bind_text(&q, 1, name);
    return store_end_change(&q, NULL);
}

typedef struct wish {
    char table[NAME];
} wish;

static void read_wish(void *record, sql *q)
{
    wish *one = record;
    char name[NAME];
    sql_text(q, 0, name, sizeof name);
    snprintf(one->table, sizeof one->table, "%s", name + strlen("scrub."));
}

static ob_status change_wishes(ob_writing *w, const char *text, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, text, err);
    return store_end_change(&q, NULL);
}

/* What is deleted from now on makes a new wish. */
static ob_status take_wishes(wish **out, size_t *count, ob_store *store, ob_error *err)
{
    sql q;
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    if (status)
        return status;
    status = change_wishes(w, "UPDATE mark SET value = 2 WHERE name LIKE 'scrub.%'", err);
    if (!status) {
        sql_begin(&q, &w->view, "SELECT name FROM mark WHERE name LIKE 'scrub.%' ORDER BY name",
                  err);
        status = store_read_all(out, count, &q, sizeof **out, read_wish);
    }
    return ob_writing_end(w, status, err);
}

static ob_status end_wishes(ob_store *store, ob_error *err)
{
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    if (status)
        return status;
    status = change_wishes(w, "DELETE FROM mark WHERE name LIKE 'scrub.%' AND value = 2", err);
    return ob_writing_end(w, status, err);
}

/* ---- Rewriting ------------------------------------------------------------------------------- */

typedef struct rewriting {
    ob_store *store;
    ob_view *view;     /* the one that writes, or one of its own */
    const char *table; /* NULL: all */
} rewriting;

typedef ob_status (*rewriting_step)(const rewriting *r, ob_error *err);

/* Waits for readers; writers go on between the attempts. */
static ob_status try_often(rewriting_step step, const rewriting *r, ob_error *err)
{
    const struct timespec moment = {.tv_nsec = TRY_MS * 1000000};
    ob_status status = OB_EBUSY;
    for (int i = 0; i < TRIES && status == OB_EBUSY; i++) {
        if (i)
            nanosleep(&moment, NULL);
        status = step(r, err);
    }
    return status;
}

static ob_status rewrite(const rewriting *r, ob_error *err)
{
    return r->store->driver->rewrite(r->view->db, r->table, err);
}

/* The connection that writes is used in turns. */
static ob_status in_turn(const rewriting *r,
                         ob_status (*step)(void *db, const char *table, ob_error *err),
                         ob_error *err)
{
    writing_turn(r->store);
    atomic_store(&r->store->overwrites, true);
    ob_status status = view_ready(r->view, err);
    if (!status)
        status = step(r->view->db, r->table, err);
    atomic_store(&r->store->overwrites, false);
    writing_turn_over(r->store);
    return status;
}

static ob_status rewrite_in_turn(const rewriting *r, ob_error *err)
{
    return in_turn(r, r->store->driver->rewrite, err);
}

static ob_status empty_in_turn(const rewriting *r, ob_error *err)
{
    return in_turn(r, r->store->driver->empty_journal, err);
}

static ob_status rewrite_all(ob_store *store, ob_error *err)
{
    const rewriting r = {.store = store, .view = &store->writing.view};
    ob_status status = try_often(rewrite_in_turn, &r, err);
    return status ? status : try_often(empty_in_turn, &r, err);
}

static ob_status rewrite_each(ob_store *store, const wish *wishes, size_t count, ob_error *err)
{
    ob_view own;
    ob_status status = view_connect(&own, store, CONNECTION_SCRUBS, err);
    rewriting r = {.store = store, .view = &own};
    for (size_t i = 0; i < count && !status; i++) {
        r.table = wishes[i].table;
        status = try_often(rewrite, &r, err);
    }
    if (!status)
        status = store->driver->empty_journal(own.db, NULL, err);
    view_disconnect(&own);
    return status;
}

bool ob_store_overwrites(const ob_store *store)
{
    return atomic_load(&store->overwrites);
}

static ob_status scrub(ob_store *store, ob_error *err)
{
    wish *wishes = NULL;
    size_t count = 0;
    ob_status status = take_wishes(&wishes, &count, store, err);
    if (!status && count)
        status = store->driver->rewrites_all ? rewrite_all(store, err)
                                             : rewrite_each(store, wishes, count, err);
    free(wishes);
    return status || !count ? status : end_wishes(store, err);
}

/* One at a time: wishes that are being fulfilled are those of one. */
ob_status ob_store_scrub(ob_store *store, ob_error *err)
{
    pthread_mutex_lock(&store->scrubbing);
    ob_status status = scrub(store, err);
    pthread_mutex_unlock(&store->scrubbing);
    return status;
}
