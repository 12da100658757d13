/* What the records know of DIR/lists.state: so that an older copy of it that was put back together
 * with the lists shows. The file is written first and the records are told afterwards; the file
 * says what they may know meanwhile. So they know what it says, or something that it follows,
 * whenever the process ends; and never more than it says, unless somebody has put another one
 * there. */
#include "set_priv.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof((ob_lists_bound){0}.sum) == OB_SHA256_SIZE, "it is a SHA-256");

/* ---- Comparing ------------------------------------------------------------------------------- */

#define MEND                                                                                       \
    "Put back the newest copy of %s/lists together with lists.state; where these are all that is " \
    "left, look at them (`obhut list ls`), import what is missing, and then `obhut list accept`"

static ob_status compare(const lists_state *state, const char *dir, const ob_lists_bound *known,
                         ob_error *err)
{
    const unsigned long long is = state->changes, was = known->changes;
    if (state->there && state_follows(state, known->sum))
        return OB_OK;
    if (!state->there)
        return ob_fail(err, OB_EFORMAT,
                       "lists are missing: there is no %s/lists.state, and the records know the "
                       "lists of change %llu. " MEND,
                       dir, was, dir);
    if (is < was)
        return ob_fail(err, OB_EFORMAT,
                       "lists are older than the records say: %s/lists.state is of change %llu, "
                       "and the records know change %llu. " MEND,
                       dir, is, was, dir);
    return ob_fail(
        err, OB_EFORMAT,
        "lists are not those that the records know: %s/lists.state, of change %llu, does "
        "not follow change %llu that they know. " MEND,
        dir, is, was, dir);
}

ob_status ob_lists_compare(const char *dir, const ob_lists_bound *known, ob_error *err)
{
    lists_state state;
    ob_status status = state_load(&state, dir, err);
    if (!status)
        status = compare(&state, dir, known, err);
    state_free(&state);
    return status;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static ob_status store(ob_lists *lists, ob_error *err)
{
    ob_lists_bound now = {.changes = lists->state.changes};
    memcpy(now.sum, lists->state.said, sizeof now.sum);
    state_reporting(&lists->state); /* they may keep it and not say so */
    ob_status status = lists->store(lists->store_context, &now, err);
    lists->is_bound = !status;
    if (!status)
        state_reported(&lists->state);
    return status;
}

static bool may_store(ob_lists *lists)
{
    pthread_mutex_lock(&lists->guard);
    const bool other = lists->other != NULL;
    pthread_mutex_unlock(&lists->guard);
    return lists->store && lists->state.there && !other;
}

void bind_again(ob_lists *lists)
{
    if (!lists->is_bound && may_store(lists))
        store(lists, NULL);
}

ob_status bind_save(ob_lists *lists, ob_error *err)
{
    uint8_t before[OB_SHA256_SIZE];
    memcpy(before, lists->state.said, sizeof before);
    ob_status status = state_save(&lists->state, lists->dir, err);
    if (status)
        return status;
    lists->is_bound &= !memcmp(before, lists->state.said, sizeof before);
    bind_again(lists);
    return OB_OK;
}

/* ---- Beginning and accepting ----------------------------------------------------------------- */

static void set_other(ob_lists *lists, char *why)
{
    pthread_mutex_lock(&lists->guard);
    char *before = lists->other;
    lists->other = why;
    lists->reported_other = false;
    pthread_mutex_unlock(&lists->guard);
    free(before);
}

ob_status ob_lists_bind(ob_lists *lists, const ob_lists_bound *known, ob_lists_store_bound *to,
                        void *context, ob_error *err)
{
    ob_error problem = {0};
    ob_status status = OB_OK;
    pthread_mutex_lock(&lists->noting);
    lists->store = to;
    lists->store_context = context;
    if (known && compare(&lists->state, lists->dir, known, &problem)) {
        char *why = strdup(problem.text);
        set_other(lists, why);
        status = why ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: lists");
        pthread_mutex_unlock(&lists->noting);
        return status;
    }
    if (!atomic_load(&lists->started))
        status = own_start(lists, err);
    if (status) {
        /* said already */
    } else if (known && !memcmp(known->sum, lists->state.said, sizeof known->sum)) {
        state_reported(&lists->state);
        lists->is_bound = true;
    } else if (lists->state.there) {
        status = store(lists, err);
    }
    pthread_mutex_unlock(&lists->noting);
    return status;
}

void ob_lists_unbind(ob_lists *lists)
{
    if (!lists)
        return;
    pthread_mutex_lock(&lists->noting);
    bind_again(lists);
    lists->store = NULL;
    pthread_mutex_unlock(&lists->noting);
}

ob_status ob_lists_accept(ob_lists *lists, ob_error *err)
{
    pthread_mutex_lock(&lists->guard);
    const bool other = lists->other != NULL;
    pthread_mutex_unlock(&lists->guard);
    if (!other) /* they are, anyway */
        return OB_OK;
    pthread_mutex_lock(&lists->noting);
    note_what_stands(lists);
    ob_status status = atomic_load(&lists->started) ? OB_OK : own_start(lists, err);
    if (!status)
        status = state_save(&lists->state, lists->dir, err); /* it may be missing */
    if (!status && lists->store)
        status = store(lists, err);
    pthread_mutex_unlock(&lists->noting);
    if (!status)
        set_other(lists, NULL);
    return status;
}
