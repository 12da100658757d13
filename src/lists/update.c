/* What a file says has changed: one change of the list. */
#include "set_priv.h"

typedef struct updating {
    change change;
    const ob_import *import;
    const ob_import_result *counts;
} updating;

/* A file that is refused in the end is read on only for its other faults. */
static ob_status take(void *context, const entry *from, ob_error *err)
{
    updating *u = context;
    entry e = *from;
    if ((u->counts->bad || u->counts->refused) && !u->import->keep_going)
        return OB_OK;
    if (!*e.source && u->import->source)
        e.source = u->import->source;
    return change_make(&u->change, &e, err);
}

static ob_status update_slot(ob_import_result *out, ob_lists *lists, slot *slot,
                             const ob_import *import, ob_error *err)
{
    updating u = {.import = import, .counts = out};
    ob_status status = change_begin(&u.change, lists, slot, err);
    if (!status)
        status = import_read(out, import, &lists->screen, take, &u, err);
    pthread_mutex_lock(&slot->writing);
    status = change_end(&u.change, status, err);
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
