/* What the one process that changes lists writes into DIR/lists.state, and when. */
#include "set_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ob_status out_of_memory(ob_error *err)
{
    return ob_fail(err, OB_ENOMEM, "out of memory: the state of lists");
}

static ob_status read_sum(uint8_t out[OB_SHA256_SIZE], const char *path, ob_error *err)
{
    obx_header header;
    int file = ob_file_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    const bool read = file >= 0 && ob_file_pread(file, &header, sizeof header, 0) == sizeof header;
    const int why = errno;
    if (file >= 0)
        close(file);
    if (!read)
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(why));
    memcpy(out, header.sha256, sizeof header.sha256);
    return OB_OK;
}

ob_status note_intent(void *context, const char *temporary, ob_error *err)
{
    const noting *n = context;
    uint8_t sum[OB_SHA256_SIZE];
    ob_status status = read_sum(sum, temporary, err);
    if (!status) {
        pthread_mutex_lock(&n->lists->noting);
        list_state *list = state_need(&n->lists->state, n->name);
        if (list) {
            memcpy(list->next, sum, sizeof sum);
            status = bind_save(n->lists, err);
        } else {
            status = out_of_memory(err);
        }
        pthread_mutex_unlock(&n->lists->noting);
    }
    if (status)
        ob_file_unlink(AT_FDCWD, temporary, 0);
    return status;
}

void note_list(ob_lists *lists, const char *name, const live *list)
{
    pthread_mutex_lock(&lists->noting);
    list_state *of = state_need(&lists->state, name);
    if (of && !live_note(of, list, NULL))
        bind_save(lists, NULL);
    pthread_mutex_unlock(&lists->noting);
}

/* Nothing of it counts; but the file may say so already. */
static ob_status take_back(ob_lists *lists, ob_status status, ob_error *err)
{
    if (bind_save(lists, NULL))
        ob_fail_in(
            err, status,
            "it could not be done, and %s/lists.state cannot be written: only the next start "
            "says whether it counts after all",
            lists->dir);
    return status;
}

ob_status note_journal(ob_lists *lists, const slot *slot, ob_error *err)
{
    pthread_mutex_lock(&lists->noting);
    list_state *list = state_need(&lists->state, slot->name);
    const journal_extent *known = state_extent(list, slot->journal.extent.number);
    const journal_extent before =
        known ? *known : (journal_extent){.number = slot->journal.extent.number};
    ob_status status =
        list ? state_put_extent(list, &slot->journal.extent, err) : out_of_memory(err);
    if (!status)
        status = bind_save(lists, err);
    if (status && list) {
        state_put_extent(list, &before, NULL);
        take_back(lists, status, err);
    }
    pthread_mutex_unlock(&lists->noting);
    return status;
}

int64_t note_updated(ob_lists *lists, const char *name, int64_t at)
{
    int64_t before = 0;
    pthread_mutex_lock(&lists->noting);
    list_state *list = state_need(&lists->state, name);
    if (list) {
        before = list->updated_at;
        list->updated_at = at;
    }
    pthread_mutex_unlock(&lists->noting);
    return before;
}

ob_status note_save(ob_lists *lists, ob_error *err)
{
    pthread_mutex_lock(&lists->noting);
    ob_status status = bind_save(lists, err);
    pthread_mutex_unlock(&lists->noting);
    return status;
}

bool note_unsure(ob_lists *lists)
{
    pthread_mutex_lock(&lists->noting);
    const bool unsure = lists->state.unsure;
    pthread_mutex_unlock(&lists->noting);
    return unsure;
}

ob_status note_recover(ob_lists *lists, ob_error *err)
{
    pthread_mutex_lock(&lists->noting);
    ob_status status = lists->state.unsure ? bind_save(lists, err) : OB_OK;
    pthread_mutex_unlock(&lists->noting);
    return status;
}

ob_status note_removing(ob_lists *lists, const char *name, ob_error *err)
{
    pthread_mutex_lock(&lists->noting);
    list_state *list = state_need(&lists->state, name);
    ob_status status = list ? OB_OK : out_of_memory(err);
    if (list) {
        list->removed = true;
        status = bind_save(lists, err);
    }
    if (list && status) {
        list->removed = false;
        take_back(lists, status, err);
    }
    pthread_mutex_unlock(&lists->noting);
    return status;
}

ob_status note_switch(ob_lists *lists, const char *name, bool enabled, ob_error *err)
{
    pthread_mutex_lock(&lists->noting);
    list_state *list = state_need(&lists->state, name);
    const list_switch before = list ? list->is : SWITCH_UNKNOWN;
    ob_status status = list ? OB_OK : out_of_memory(err);
    if (list) {
        list->is = enabled ? SWITCH_ON : SWITCH_OFF;
        status = bind_save(lists, err);
    }
    if (list && status) {
        list->is = before;
        take_back(lists, status, err);
    }
    pthread_mutex_unlock(&lists->noting);
    return status;
}

bool note_stands(const ob_lists *lists, const char *name)
{
    struct stat is;
    bool any = false;
    for (int enabled = 0; enabled < 2 && !any; enabled++) {
        char *path = NULL;
        any = !list_path(&path, lists->dir, name, enabled, NULL) &&
              !ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
        free(path);
    }
    return any;
}

void note_not_removed(ob_lists *lists, const char *name)
{
    pthread_mutex_lock(&lists->noting);
    list_state *list = state_need(&lists->state, name);
    if (list) {
        list->removed = false;
        bind_save(lists, NULL);
    }
    pthread_mutex_unlock(&lists->noting);
}

void note_removed(ob_lists *lists, const char *name)
{
    pthread_mutex_lock(&lists->noting);
    state_drop(&lists->state, name);
    bind_save(lists, NULL); /* else the next start finishes the removal */
    pthread_mutex_unlock(&lists->noting);
}

/* ---- The start ------------------------------------------------------------------------------- */

static ob_status finish_removals(ob_lists *lists, bool *any, ob_error *err)
{
    ob_status status = OB_OK;
    for (size_t i = lists->state.count; i-- > 0 && !status;)
        if (lists->state.lists[i].removed) {
            slot *opened = set_find(lists, lists->state.lists[i].name);
            status = remove_under_lock(lists->dir, lists->state.lists[i].name, err);
            if (!status && opened)
                set_replace(lists, opened, NULL);
            if (!status)
                state_drop(&lists->state, lists->state.lists[i].name);
            *any = true;
        }
    return status;
}

/* Where there was no state, nobody knows what a list that is in trouble should be: nothing fits. */
static ob_status note_slot(ob_lists *lists, const slot *slot, bool first, ob_error *err)
{
    if (!slot->now && !(slot->trouble && first))
        return OB_OK;
    list_state *list = state_need(&lists->state, slot->name);
    if (!list)
        return out_of_memory(err);
    if (slot->now)
        return live_note(list, slot->now, err);
    memcpy(list->file, state_unknown, sizeof list->file);
    return OB_OK;
}

void note_what_stands(ob_lists *lists)
{
    for (size_t i = 0; i < lists->state.count; i++)
        if (lists->state.lists[i].removed && note_stands(lists, lists->state.lists[i].name))
            lists->state.lists[i].removed = false;
}

ob_status note_start(ob_lists *lists, ob_error *err)
{
    bool any = false;
    ob_status status = finish_removals(lists, &any, err);
    for (size_t i = 0; i < lists->count && !status; i++) {
        status = note_slot(lists, lists->slots[i], lists->first, err);
        any = true;
    }
    return status || !any ? status : state_save_changed(&lists->state, lists->dir, err);
}
