/* What a file says has changed: one change of the list. */
#include "ids.h"
#include "set_priv.h"

#include <obhut/clock.h>

typedef struct updating {
    change change;
    const ob_import *import;
    const ob_import_result *counts;
    ids gone; /* that were named alone */
} updating;

/* ---- Withdrawn by number --------------------------------------------------------------------- */

/* Publishers tell deletions by the entry's number alone. The list is read once for many of them. */
enum { IDS_MOST = 65536 };

/* Called for every entry of the list as it will be. */
static ob_status withdraw_named(void *context, const entry *e, ob_error *err)
{
    updating *u = context;
    char line[24];
    snprintf(line, sizeof line, "%llu", (unsigned long long)e->line);
    entry found = *e;
    found.id = e->id ? e->id : line;
    if (!ids_have(&u->gone, found.id))
        return OB_OK;
    found.withdrawn = true;
    return change_make(&u->change, &found, err);
}

static ob_status withdraw_ids(updating *u, ob_error *err)
{
    if (!u->gone.count)
        return OB_OK;
    ob_status status = live_each(u->change.next, withdraw_named, u, err);
    ids_empty(&u->gone);
    return status;
}

static ob_status copy_id(updating *u, const char *id, ob_error *err)
{
    ob_status status = ids_add(&u->gone, id, err);
    return status || u->gone.count < IDS_MOST ? status : withdraw_ids(u, err);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

/* A file that is refused in the end is read on only for its other faults. */
static ob_status take(void *context, const entry *from, ob_error *err)
{
    updating *u = context;
    entry e = *from;
    if ((u->counts->bad || u->counts->refused) && !u->import->keep_going)
        return OB_OK;
    if (e.withdrawn && !entry_has_content(&e))
        return copy_id(u, e.id, err);
    if (!*e.source && u->import->source)
        e.source = u->import->source;
    ob_status status = OB_OK;
    if (!e.withdrawn && e.id && ids_have(&u->gone, e.id)) /* it comes after its number went */
        status = withdraw_ids(u, err);
    return status ? status : change_make(&u->change, &e, err);
}

/* A file that brings nothing new renews the list all the same: its publisher has nothing more. */
static ob_status end_update(updating *u, ob_status status, ob_error *err)
{
    ob_lists *lists = u->change.lists;
    const char *name = u->change.slot ? u->change.slot->name : "";
    if (status)
        return change_end(&u->change, status, err);
    const int64_t before = note_updated(lists, name, ob_now());
    const bool changes = u->change.added || u->change.withdrawn;
    status = change_end(&u->change, status, err);
    if (status)
        note_updated(lists, name, before);
    else if (!changes)
        note_save(lists, NULL);
    return status;
}

static ob_status update_slot(ob_import_result *out, ob_lists *lists, slot *slot,
                             const ob_import *import, ob_error *err)
{
    updating u = {.import = import, .counts = out};
    ob_status status = change_begin(&u.change, lists, slot, err);
    if (!status)
        status = import_read(out, import, &lists->screen, take, &u, err);
    if (!status)
        status = withdraw_ids(&u, err);
    ids_empty(&u.gone);
    pthread_mutex_lock(&slot->writing);
    status = end_update(&u, status, err);
    atomic_store(&slot->busy, SLOT_FREE);
    pthread_mutex_unlock(&slot->writing);
    if (status && status != OB_EFORMAT && status != OB_EREFUSED) /* which say so themselves */
        ob_fail_in(err, status, "list \"%s\" was not updated", slot->name);
    if (!status) {
        out->entries = u.change.added;
        out->duplicates = u.change.known;
        out->withdrawn = u.change.withdrawn;
    }
    return status;
}

ob_status ob_lists_update(ob_import_result *out, ob_lists *lists, const ob_import *import,
                          ob_error *err)
{
    slot *slot = NULL;
    *out = (ob_import_result){0};
    ob_status status = import->name ? import_name(out->name, import, err)
                                    : ob_fail(err, OB_EINVAL, "which list? it needs a name");
    if (!status) /* no merge meanwhile: it would begin a journal behind one whose group is not whole
                  */
        status = own_begin_alone(&slot, lists, out->name, err);
    if (status)
        return status;
    atomic_store(&slot->busy, SLOT_UPDATED);
    pthread_mutex_unlock(&slot->writing);
    status = update_slot(out, lists, slot, import, err);
    pthread_mutex_unlock(&slot->renewing);
    return status;
}
