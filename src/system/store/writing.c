/* The one transaction that changes records, and its parts. */
#include "store_priv.h"

/* Databases differ in what a failed statement leaves of a transaction (SQLite may have undone it
 * and would keep what follows). Here nothing of it is left, whatever failed, and nothing follows.
 */
void writing_fail(ob_writing *w, ob_status status, const ob_error *err)
{
    ob_view *view = &w->view;
    if (!view->is_open || view->failed.status)
        return;
    view->failed = (ob_error){.status = status};
    ob_fail(&view->failed, status, "%s",
            err && err->status == status ? err->text : "an earlier part of this step failed");
}

/* Writers take turns in the order in which they came, so that one with many batches lets others
 * between. */
void writing_turn(ob_store *store)
{
    pthread_mutex_lock(&store->turns);
    uint64_t mine = store->last_turn++;
    while (mine != store->turn)
        pthread_cond_wait(&store->turn_over, &store->turns);
    pthread_mutex_unlock(&store->turns);
}

void writing_turn_over(ob_store *store)
{
    pthread_mutex_lock(&store->turns);
    store->turn++;
    pthread_cond_broadcast(&store->turn_over);
    pthread_mutex_unlock(&store->turns);
}

static bool writing_turn_at_once(ob_store *store)
{
    pthread_mutex_lock(&store->turns);
    const bool is_free = store->turn == store->last_turn;
    store->last_turn += is_free;
    pthread_mutex_unlock(&store->turns);
    return is_free;
}

/* Whose turn it is. */
static ob_status begin(ob_writing **out, ob_store *store, ob_error *err)
{
    ob_writing *w = &store->writing;
    w->changed = w->personal = w->service = false;
    ob_status status = view_ready(&w->view, err);
    if (!status)
        status = store->driver->begin(w->view.db, err);
    w->view.is_open = !status;
    if (status)
        writing_turn_over(store);
    else
        *out = w;
    return status;
}

ob_status ob_writing_begin(ob_writing **out, ob_store *store, ob_error *err)
{
    writing_turn(store);
    return begin(out, store, err);
}

ob_status ob_writing_begin_at_once(ob_writing **out, ob_store *store, ob_error *err)
{
    return writing_turn_at_once(store) ? begin(out, store, err)
                                       : ob_fail(err, OB_EBUSY, "somebody else writes records");
}

/* Views that begin from now on see what was changed; permits that rest on what was there before
 * are void before anybody is told that it is gone. Also where it is unknown whether it is. */
static ob_status commit(ob_writing *w, ob_error *err)
{
    ob_store *store = w->view.store;
    ob_status status = store->driver->commit(w->view.db, err);
    if (status)
        store->driver->rollback(w->view.db);
    store_notify(store, w->changed, w->personal, w->service);
    return status;
}

ob_status ob_writing_end(ob_writing *w, ob_status so_far, ob_error *err)
{
    ob_view *view = &w->view;
    ob_store *store = view->store;
    ob_status status = so_far;
    if (!status && view->failed.status)
        status = ob_fail(err, view->failed.status, "%s", view->failed.text);
    view->failed = (ob_error){0};
    view->is_open = false;
    if (status)
        store->driver->rollback(view->db);
    else
        status = commit(w, err);
    writing_turn_over(store);
    return status;
}

ob_view *ob_writing_view(ob_writing *w)
{
    return &w->view;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

ob_status ob_writing_part(ob_writing *w, ob_error *err)
{
    if (w->view.failed.status)
        return ob_fail(err, w->view.failed.status, "%s", w->view.failed.text);
    ob_status status = w->view.store->driver->run(w->view.db, "SAVEPOINT part", err);
    if (status)
        writing_fail(w, status, err);
    return status;
}

ob_status ob_writing_part_end(ob_writing *w, ob_status so_far, ob_error *err)
{
    const driver *driver = w->view.store->driver;
    ob_view *view = &w->view;
    ob_error undoing = {0};
    ob_status status = so_far;
    if (!status && view->failed.status)
        status = ob_fail(err, view->failed.status, "%s", view->failed.text);
    view->failed = (ob_error){0};
    if (status) {
        if (driver->run(view->db, "ROLLBACK TO part; RELEASE part", &undoing))
            writing_fail(w, undoing.status, &undoing);
        return status;
    }
    status = driver->run(view->db, "RELEASE part", err);
    if (status)
        writing_fail(w, status, err);
    return status;
}

/* ---- What others keep in memory -------------------------------------------------------------- */

void store_changed(ob_writing *w)
{
    w->changed = true;
}

void store_withdrawn(ob_writing *w, bool personal)
{
    *(personal ? &w->personal : &w->service) = true;
}
