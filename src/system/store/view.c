/* Connections: who reads takes one that is idle, or makes one, up to a small number. */
#include "store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    VIEWS_MOST = 12, /* connections that read at the same time */
    IDLE_MOST = 6,   /* of them that stay when nobody reads */
    PATIENCE_S = 5,  /* for one to become free */
};

/* ---- Connections ----------------------------------------------------------------------------- */

ob_status view_connect(ob_view *view, ob_store *store, connection_use use, ob_error *err)
{
    *view = (ob_view){.store = store, .use = use};
    return store->driver->open(&view->db, store->where, use, err);
}

void view_disconnect(ob_view *view)
{
    sql_forget(view);
    if (view->db)
        view->store->driver->close(view->db);
    view->db = NULL;
}

ob_status view_ready(ob_view *view, ob_error *err)
{
    bool is_new = false;
    ob_store *store = view->store;
    ob_status status = store->driver->ready ? store->driver->ready(&is_new, view->db, err) : OB_OK;
    if (is_new) {
        store_notify(store, true, true, true);
        view->is_unchecked = true;
    }
    if (!status && view->is_unchecked) {
        status = schema_check(view, err);
        view->is_unchecked = status != OB_OK;
    }
    return status;
}

/* ---- The pool -------------------------------------------------------------------------------- */

/* Under the lock. */
static ob_status wait_for_place(ob_store *store, ob_error *err)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    while (!store->idle && store->view_count >= VIEWS_MOST)
        if (pthread_cond_timedwait(&store->view_freed, &store->pool, &until) == ETIMEDOUT)
            return ob_fail(err, OB_EBUSY, "too many read the records at the same time: try again");
    return OB_OK;
}

static ob_status connect_new(ob_view **out, ob_store *store, ob_error *err)
{
    ob_view *view = malloc(sizeof *view);
    ob_status status = view ? view_connect(view, store, CONNECTION_READS, err)
                            : ob_fail(err, OB_ENOMEM, "out of memory: the records");
    if (status)
        free(view);
    else
        *out = view;
    return status;
}

ob_status ob_view_open(ob_view **out, ob_store *store, ob_error *err)
{
    ob_view *view = NULL;
    pthread_mutex_lock(&store->pool);
    ob_status status = wait_for_place(store, err);
    if (!status && store->idle) {
        view = store->idle;
        store->idle = view->next;
        store->idle_count--;
    } else if (!status) {
        store->view_count++;
    }
    pthread_mutex_unlock(&store->pool);
    if (!status && !view) {
        status = connect_new(&view, store, err);
        if (status) {
            pthread_mutex_lock(&store->pool);
            store->view_count--;
            pthread_cond_signal(&store->view_freed);
            pthread_mutex_unlock(&store->pool);
        }
    }
    if (!status)
        *out = view;
    return status;
}

void ob_view_close(ob_view *view)
{
    if (!view)
        return;
    ob_store *store = view->store;
    if (view->is_open)
        store->driver->rollback(view->db);
    view->is_open = false;
    view->failed = (ob_error){0};
    pthread_mutex_lock(&store->pool);
    bool stays = store->idle_count < IDLE_MOST;
    if (stays) {
        view->next = store->idle;
        store->idle = view;
        store->idle_count++;
    } else {
        store->view_count--;
    }
    pthread_cond_signal(&store->view_freed);
    pthread_mutex_unlock(&store->pool);
    if (!stays) {
        view_disconnect(view);
        free(view);
    }
}

void view_pool_close(ob_store *store)
{
    for (ob_view *view = store->idle, *next; view; view = next) {
        next = view->next;
        view_disconnect(view);
        free(view);
    }
    store->idle = NULL;
    store->idle_count = 0;
}

void view_pool_empty(ob_store *store)
{
    pthread_mutex_lock(&store->pool);
    store->view_count -= store->idle_count;
    view_pool_close(store);
    pthread_mutex_unlock(&store->pool);
}
