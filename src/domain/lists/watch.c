/* What stands on the disk while a list answers: whether it still is what was written, and whether
 * what could not be opened is back. Part of the keeper's thread. */
#include "set_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Whether anything happened --------------------------------------------------------------- */

static void add(uint64_t *sum, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        *sum = (*sum ^ (value >> 8 * i & 0xFF)) * UINT64_C(0x100000001B3);
}

static void add_file(uint64_t *sum, const char *path)
{
    struct stat is;
    if (ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)) {
        add(sum, (uint64_t)errno);
        return;
    }
    add(sum, (uint64_t)is.st_ino);
    add(sum, (uint64_t)is.st_dev);
    add(sum, (uint64_t)is.st_size);
    add(sum, (uint64_t)is.st_mode);
    add(sum, (uint64_t)is.st_mtim.tv_sec);
    add(sum, (uint64_t)is.st_mtim.tv_nsec);
}

/* A number that is another one when a file of the list was written, cut, exchanged or removed. */
static uint64_t files_of(const ob_lists *lists, const char *name)
{
    uint64_t sum = UINT64_C(0xCBF29CE484222325), *numbers = NULL;
    size_t count = 0;
    char *path = NULL;
    for (int enabled = 0; enabled < 2; enabled++) {
        if (!list_path(&path, lists->dir, name, enabled, NULL))
            add_file(&sum, path);
        free(path);
        path = NULL;
    }
    list_journals(&numbers, &count, lists->dir, name, NULL);
    for (size_t i = 0; i < count; i++) {
        add(&sum, numbers[i]);
        if (!list_journal_path(&path, lists->dir, name, numbers[i], NULL))
            add_file(&sum, path);
        free(path);
        path = NULL;
    }
    free(numbers);
    return sum;
}

/* ---- Looking --------------------------------------------------------------------------------- */

/* Whether a list is on is not what its file is called. */
static void call_right(const ob_lists *lists, const slot *slot, ob_error *said)
{
    if (!enable_under_lock(lists->dir, slot->name, slot->enabled, said))
        ob_fail(said, OB_OK,
                "list \"%s\" is %s, whatever its file is called, and that is %s.obx%s again: "
                "`obhut list %s %s` switches it",
                slot->name, slot->enabled ? "on" : "off", slot->name, slot->enabled ? "" : ".off",
                slot->enabled ? "disable" : "enable", slot->name);
}

static ob_status check_file(const ob_lists *lists, const slot *slot, bool *same, ob_error *said,
                            ob_error *err)
{
    bool enabled;
    char *path = NULL;
    ob_status status = list_find(&enabled, lists->dir, slot->name, err);
    if (status == OB_ENOTFOUND)
        return set_missing(lists, slot->name, err);
    if (!status && enabled != slot->enabled) {
        call_right(lists, slot, said);
        status = list_find(&enabled, lists->dir, slot->name, err);
    }
    if (!status)
        status = list_path(&path, lists->dir, slot->name, enabled, err);
    if (!status)
        *same = live_is_of(slot->now, path);
    free(path);
    return status;
}

/* As far as changes were acknowledged, the journals must have them. */
static ob_status check_journals(ob_lists *lists, const slot *slot, ob_error *err)
{
    ob_status status = OB_OK;
    pthread_mutex_lock(&lists->noting);
    const list_state *of = state_find(&lists->state, slot->name);
    for (size_t i = 0; of && i < of->journal_count && !status; i++) {
        char *path = NULL;
        const journal_extent *extent = &of->journals[i];
        if (extent->number < live_journal(slot->now) || !extent->groups)
            continue;
        status = list_journal_path(&path, lists->dir, slot->name, extent->number, err);
        if (!status)
            status = journal_check(path, extent, err);
        free(path);
    }
    pthread_mutex_unlock(&lists->noting);
    return status;
}

/* Opens the list anew; all of it is read. */
static ob_status open_again(ob_lists *lists, slot *slot, ob_error *err)
{
    live *made = NULL;
    ob_status status = live_open(&made, lists->dir, slot->name, err);
    if (status == OB_ENOTFOUND)
        status = set_missing(lists, slot->name, err);
    if (!status)
        status = live_check(made, err);
    if (status) {
        live_release(made);
        return status;
    }
    note_list(lists, slot->name, made);
    journal_close(&slot->journal);
    set_replace(lists, slot, made);
    return OB_OK;
}

/* What is searched, with its files. */
static ob_status check_list(ob_lists *lists, slot *slot, ob_error *said, ob_error *err)
{
    bool same = false;
    ob_status status = live_whole(slot->now, err);
    if (!status)
        status = check_file(lists, slot, &same, said, err);
    if (!status)
        status = same ? check_journals(lists, slot, err) : open_again(lists, slot, err);
    return status;
}

/* Sets *said to what is new about the list. Under both of its locks. */
static void check_slot(ob_lists *lists, slot *slot, ob_error *said)
{
    ob_error now = {0};
    const uint64_t files = files_of(lists, slot->name);
    const bool broken = slot->now && live_whole(slot->now, NULL), out = slot->trouble != NULL;
    if ((!slot->now && !out) || (slot->checked && slot->files == files && !broken && !slot->again))
        return;
    const ob_status status =
        out ? open_again(lists, slot, &now) : check_list(lists, slot, said, &now);
    slot->checked = true;
    slot->files = files;
    slot->again = status && status != OB_EFORMAT; /* that stays as it is until somebody mends it */
    if (status == OB_ENOMEM)
        return;
    if (!status && out)
        ob_fail(said, OB_OK, "list \"%s\" is whole and searched again", slot->name);
    if (!status)
        return;
    if (!out)
        journal_close(&slot->journal);
    if (!out || strcmp(now.text, slot->trouble) != 0)
        set_trouble(lists, slot, now.text);
}

static void say_trouble(slot *slot, ob_error *said)
{
    if (!slot->trouble || slot->reported)
        return;
    slot->reported = true;
    ob_fail(said, OB_EIO, "%s", slot->trouble);
}

void watch_slot(ob_lists *lists, slot *slot)
{
    ob_error said = {0};
    if (!atomic_load(&lists->started))
        return;
    if (pthread_mutex_trylock(&slot->renewing)) /* it is imported, updated or removed */
        return;
    pthread_mutex_lock(&slot->writing);
    check_slot(lists, slot, &said);
    say_trouble(slot, &said);
    pthread_mutex_unlock(&slot->writing);
    pthread_mutex_unlock(&slot->renewing);
    if (said.text[0])
        own_say(lists, &said);
}

/* Once. */
static void say_other(ob_lists *lists)
{
    ob_error said = {0};
    pthread_mutex_lock(&lists->guard);
    if (lists->other && !lists->reported_other)
        ob_fail(&said, OB_EFORMAT, "%s", lists->other);
    lists->reported_other = lists->other != NULL;
    pthread_mutex_unlock(&lists->guard);
    if (said.status)
        own_say(lists, &said);
}

void watch_state(ob_lists *lists)
{
    ob_error err = {0};
    if (!atomic_load(&lists->started)) {
        say_other(lists);
        return;
    }
    pthread_mutex_lock(&lists->noting);
    const bool other = !state_is_ours(&lists->state, lists->dir);
    const ob_status status = other ? bind_save(lists, &err) : OB_OK;
    bind_again(lists);
    pthread_mutex_unlock(&lists->noting);
    if (other && !status)
        ob_fail(&err, OB_OK,
                "%s/lists.state was changed or removed by somebody else; it says again what the "
                "lists must have",
                lists->dir);
    if (other)
        own_say(lists, &err);
    say_other(lists);
}
