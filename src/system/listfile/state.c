/* Reads and writes lists.state: what each list must have. It lies beside the folder of lists, so
 * that the loss of a list, a journal or a change is noticed, even that of the whole folder
 * (docs/FORMAT-OBX.md). */
#include "listfile_priv.h"

#include <obhut/file.h>
#include <obhut/json.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

enum { STATE_VERSION = 1, STATE_MOST = 64 << 20, STATE_DIGITS = 2 * OB_SHA256_SIZE };

const uint8_t state_unknown[OB_SHA256_SIZE] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static ob_status out_of_memory(ob_error *err)
{
    return ob_fail(err, OB_ENOMEM, "out of memory: the state of lists");
}

/* ---- What it says ---------------------------------------------------------------------------- */

bool state_has_file(const list_state *list)
{
    static const uint8_t none[OB_SHA256_SIZE];
    return memcmp(list->file, none, sizeof none) != 0;
}

bool state_is_on(const list_state *list, bool as_called)
{
    return list && list->is != SWITCH_UNKNOWN ? list->is == SWITCH_ON : as_called;
}

list_state *state_find(const lists_state *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++)
        if (!strcmp(state->lists[i].name, name))
            return &state->lists[i];
    return NULL;
}

list_state *state_need(lists_state *state, const char *name)
{
    list_state *found = state_find(state, name);
    if (found)
        return found;
    list_state *more = realloc(state->lists, (state->count + 1) * sizeof *more);
    if (!more)
        return NULL;
    state->lists = more;
    found = &more[state->count++];
    *found = (list_state){.removed = false};
    snprintf(found->name, sizeof found->name, "%s", name);
    return found;
}

void state_drop(lists_state *state, const char *name)
{
    list_state *found = state_find(state, name);
    if (!found)
        return;
    free(found->journals);
    *found = state->lists[--state->count];
}

uint64_t state_next_journal(const lists_state *state, const char *name)
{
    const list_state *list = state_find(state, name);
    uint64_t next = 1;
    for (size_t i = 0; list && i < list->journal_count; i++)
        if (list->journals[i].number >= next)
            next = list->journals[i].number + 1;
    return next;
}

const journal_extent *state_extent(const list_state *list, uint64_t number)
{
    for (size_t i = 0; list && i < list->journal_count; i++)
        if (list->journals[i].number == number)
            return &list->journals[i];
    return NULL;
}

ob_status state_put_extent(list_state *list, const journal_extent *extent, ob_error *err)
{
    for (size_t i = 0; i < list->journal_count; i++)
        if (list->journals[i].number == extent->number) {
            list->journals[i] = *extent;
            return OB_OK;
        }
    journal_extent *more = realloc(list->journals, (list->journal_count + 1) * sizeof *more);
    if (!more)
        return out_of_memory(err);
    list->journals = more;
    more[list->journal_count++] = *extent;
    return OB_OK;
}

void state_drop_extents(list_state *list, uint64_t below)
{
    size_t count = 0;
    for (size_t i = 0; i < list->journal_count; i++)
        if (list->journals[i].number >= below)
            list->journals[count++] = list->journals[i];
    list->journal_count = count;
}

/* ---- What the records know ------------------------------------------------------------------- */

/* Adds a version that the records may know. Where there are too many, the oldest is dropped: then
 * right lists may be refused, but wrong ones are never accepted. */
static void note_reported(lists_state *state, const uint8_t sum[OB_SHA256_SIZE])
{
    size_t count = 0;
    for (size_t i = 0; i < state->reported_count; i++)
        if (memcmp(state->reported[i], sum, OB_SHA256_SIZE) != 0 && i != count++)
            memcpy(state->reported[count - 1], state->reported[i], OB_SHA256_SIZE);
    if (count == STATE_REPORTED_MOST) {
        memmove(state->reported[0], state->reported[1],
                sizeof state->reported - sizeof state->reported[0]);
        count--;
    }
    memcpy(state->reported[count], sum, OB_SHA256_SIZE);
    state->reported_count = count + 1;
}

void state_reporting(lists_state *state)
{
    note_reported(state, state->said);
}

void state_reported(lists_state *state)
{
    memcpy(state->reported[0], state->said, OB_SHA256_SIZE);
    state->reported_count = 1;
}

bool state_follows(const lists_state *state, const uint8_t known[OB_SHA256_SIZE])
{
    bool follows = !memcmp(state->said, known, OB_SHA256_SIZE);
    for (size_t i = 0; i < state->reported_count; i++)
        follows |= !memcmp(state->reported[i], known, OB_SHA256_SIZE);
    return follows;
}

void state_free(lists_state *state)
{
    for (size_t i = 0; i < state->count; i++)
        free(state->lists[i].journals);
    free(state->lists);
    *state = (lists_state){.there = false};
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Makes the text, or nothing where memory runs out: an incomplete text would be written and
 * believed. */
static json_t *whole(json_t *made, bool good)
{
    if (!good)
        json_decref(made);
    return good ? made : NULL;
}

static bool set_sum(json_t *object, const char *key, const uint8_t sum[OB_SHA256_SIZE])
{
    static const uint8_t none[OB_SHA256_SIZE];
    char digits[STATE_DIGITS + 1];
    if (!memcmp(sum, none, sizeof none))
        return true;
    ob_hex(digits, sum, OB_SHA256_SIZE);
    return !json_object_set_new(object, key, json_string(digits));
}

static json_t *journals_to_json(const list_state *list)
{
    json_t *journals = json_array();
    bool good = true;
    for (size_t i = 0; i < list->journal_count; i++)
        good &= !json_array_append_new(
            journals, json_pack("[I, I, s]", (json_int_t)list->journals[i].number,
                                (json_int_t)list->journals[i].groups, list->journals[i].sum));
    return whole(journals, good);
}

static json_t *to_json(const list_state *list)
{
    json_t *object =
        json_pack("{s:s, s:o}", "name", list->name, "journals", journals_to_json(list));
    bool good = set_sum(object, "file", list->file) && set_sum(object, "next", list->next);
    if (list->removed)
        good &= !json_object_set_new(object, "removed", json_true());
    if (list->is != SWITCH_UNKNOWN)
        good &= !json_object_set_new(object, "on", json_boolean(list->is == SWITCH_ON));
    return whole(object, good);
}

static json_t *lists_to_json(const lists_state *state)
{
    json_t *lists = json_array();
    bool good = true;
    for (size_t i = 0; i < state->count; i++)
        good &= !json_array_append_new(lists, to_json(&state->lists[i]));
    return whole(lists, good);
}

/* Computes the sum over what the state says of lists, and over nothing else. */
static ob_status sum_lists(uint8_t out[OB_SHA256_SIZE], const lists_state *state, ob_error *err)
{
    json_t *lists = lists_to_json(state);
    char *text = ob_json_write(lists, JSON_COMPACT);
    json_decref(lists);
    ob_status status = text ? ob_sha256(out, text, strlen(text), err) : out_of_memory(err);
    free(text);
    return status;
}

/* Written beside what the file says of lists: a version that does not know it can ignore it. */
static json_t *updated_to_json(const lists_state *state)
{
    json_t *updated = json_object();
    bool good = true;
    for (size_t i = 0; i < state->count; i++)
        if (state->lists[i].updated_at)
            good &= !json_object_set_new(updated, state->lists[i].name,
                                         json_integer((json_int_t)state->lists[i].updated_at));
    return whole(updated, good);
}

/* Writes the versions that the records may know, except the present one. */
static json_t *since_to_json(const lists_state *state)
{
    json_t *since = json_array();
    bool good = true;
    for (size_t i = 0; i < state->reported_count; i++) {
        char digits[STATE_DIGITS + 1];
        ob_hex(digits, state->reported[i], OB_SHA256_SIZE);
        if (memcmp(state->reported[i], state->said, OB_SHA256_SIZE) != 0)
            good &= !json_array_append_new(since, json_string(digits));
    }
    return whole(since, good);
}

static ob_status make_text(char **out, char sum[STATE_DIGITS + 1], const lists_state *state,
                           ob_error *err)
{
    uint8_t digest[OB_SHA256_SIZE];
    json_t *object = json_pack("{s:i, s:o, s:I, s:o, s:o}", "version", STATE_VERSION, "lists",
                               lists_to_json(state), "changes", (json_int_t)state->changes, "since",
                               since_to_json(state), "updated", updated_to_json(state));
    char *text = ob_json_write(object, JSON_COMPACT);
    json_decref(object);
    if (!text)
        return out_of_memory(err);
    ob_status status = ob_sha256(digest, text, strlen(text), err);
    if (!status)
        ob_hex(sum, digest, sizeof digest);
    if (!status && asprintf(out, "%s %s\n", sum, text) < 0)
        status = out_of_memory(err);
    free(text);
    return status;
}

static ob_status sync_folder(const char *dir, ob_error *err)
{
    int file = ob_file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    ob_status status = OB_OK;
    if (file < 0 || ob_file_sync(file))
        status = ob_fail(err, OB_EIO, "%s cannot be made durable: %s", dir, strerror(errno));
    if (file >= 0)
        close(file);
    return status;
}

static void note_file(lists_state *state, const struct stat *is)
{
    state->inode = is->st_ino;
    state->size = is->st_size;
    state->written = is->st_mtim;
}

bool state_is_ours(const lists_state *state, const char *dir)
{
    struct stat is;
    char *path = NULL;
    if (!state->there || list_beside(&path, dir, "lists.state", NULL))
        return true;
    const bool same = !ob_file_stat_at(&is, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) &&
                      is.st_ino == state->inode && is.st_size == state->size &&
                      is.st_mtim.tv_sec == state->written.tv_sec &&
                      is.st_mtim.tv_nsec == state->written.tv_nsec;
    free(path);
    return same;
}

/* Writes a new file and renames it, so that there is always a complete one. */
static ob_status write_state(lists_state *state, const char *dir, ob_error *err)
{
    char *path = NULL, *temporary = NULL, *text = NULL, sum[STATE_DIGITS + 1];
    int file = -1;
    struct stat is;
    ob_status status = list_beside(&path, dir, "lists.state", err);
    if (!status)
        status = list_beside(&temporary, dir, "lists.state.tmp", err);
    if (!status)
        status = make_text(&text, sum, state, err);
    if (status)
        goto out;
    ob_file_unlink(AT_FDCWD, temporary, 0); /* whatever stands there */
    file = ob_file_open(AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        status = ob_fail(err, OB_EIO, "%s cannot be made: %s", temporary, strerror(errno));
    if (!status)
        status = ob_file_give(file, temporary, AT_FDCWD, dir, err);
    if (!status)
        status = disk_write(file, temporary, text, strlen(text), 0, err);
    if (!status)
        status = disk_sync(file, temporary, err);
    if (!status && ob_file_rename(temporary, path))
        status = ob_fail(err, OB_EIO, "%s cannot be put in place: %s", path, strerror(errno));
    if (!status && !ob_file_stat(&is, file))
        note_file(state, &is);
    if (!status) {
        status = sync_folder(dir, err);
        state->unsure = status != OB_OK;
    }
    if (!status) {
        memcpy(state->sum, sum, sizeof sum);
        state->there = true;
    }
out:
    if (file >= 0)
        close(file);
    free(text);
    free(temporary);
    free(path);
    return status;
}

ob_status state_save(lists_state *state, const char *dir, ob_error *err)
{
    uint8_t before[OB_SHA256_SIZE];
    memcpy(before, state->said, sizeof before);
    ob_status status = sum_lists(state->said, state, err);
    const bool changed = !status && memcmp(before, state->said, sizeof before) != 0;
    state->changes += changed;
    if (!status)
        status = write_state(state, dir, err);
    if (status) { /* nothing knows yet what the file may say now */
        state->changes -= changed;
        memcpy(state->said, before, sizeof before);
    }
    return status;
}

ob_status state_save_changed(lists_state *state, const char *dir, ob_error *err)
{
    uint8_t said[OB_SHA256_SIZE];
    ob_status status = sum_lists(said, state, err);
    if (status || (state->there && !memcmp(said, state->said, sizeof said)))
        return status;
    return state_save(state, dir, err);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool take_sum(uint8_t out[OB_SHA256_SIZE], const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    if (!value)
        return true;
    return text && strlen(text) == STATE_DIGITS && !ob_hex_parse(out, OB_SHA256_SIZE, text, NULL);
}

static ob_status take_list(lists_state *state, const json_t *object, bool *good, ob_error *err)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const json_t *journals = json_object_get(object, "journals");
    *good = name && list_name_is_valid(name) && json_is_array(journals);
    list_state *list = *good ? state_need(state, name) : NULL;
    if (!*good)
        return OB_OK;
    if (!list)
        return out_of_memory(err);
    *good = take_sum(list->file, object, "file") && take_sum(list->next, object, "next");
    list->removed = json_is_true(json_object_get(object, "removed"));
    const json_t *on = json_object_get(object, "on");
    *good = *good && (!on || json_is_boolean(on));
    list->is = !on ? SWITCH_UNKNOWN : json_is_true(on) ? SWITCH_ON : SWITCH_OFF;
    ob_status status = OB_OK;
    for (size_t i = 0; i < json_array_size(journals) && *good && !status; i++) {
        const json_t *one = json_array_get(journals, i);
        const char *sum = json_string_value(json_array_get(one, 2));
        journal_extent extent = {
            .number = (uint64_t)json_integer_value(json_array_get(one, 0)),
            .groups = (uint64_t)json_integer_value(json_array_get(one, 1)),
        };
        *good = sum && strlen(sum) <= JOURNAL_SUM_DIGITS;
        if (*good) {
            snprintf(extent.sum, sizeof extent.sum, "%s", sum);
            status = state_put_extent(list, &extent, err);
        }
    }
    return status;
}

static bool take_updated(lists_state *state, const json_t *object)
{
    const json_t *updated = json_object_get(object, "updated");
    bool good = !updated || json_is_object(updated);
    for (size_t i = 0; i < state->count && good; i++) {
        const json_t *when = json_object_get(updated, state->lists[i].name);
        good = !when || json_integer_value(when) > 0;
        state->lists[i].updated_at = (int64_t)json_integer_value(when);
    }
    return good;
}

/* Reads the versions that the records may know. */
static bool take_since(lists_state *state, const json_t *object)
{
    const json_t *since = json_object_get(object, "since");
    const json_t *changes = json_object_get(object, "changes");
    bool good = (!since || json_is_array(since)) && (!changes || json_is_integer(changes)) &&
                json_integer_value(changes) >= 0 && json_array_size(since) <= STATE_REPORTED_MOST;
    state->changes = (uint64_t)json_integer_value(changes);
    for (size_t i = 0; i < json_array_size(since) && good; i++) {
        uint8_t sum[OB_SHA256_SIZE];
        const char *text = json_string_value(json_array_get(since, i));
        good = text && strlen(text) == STATE_DIGITS && !ob_hex_parse(sum, sizeof sum, text, NULL);
        if (good)
            note_reported(state, sum);
    }
    return good;
}

ob_status state_take(lists_state *out, const char *text, size_t size, const char *path,
                     ob_error *err)
{
    uint8_t digest[OB_SHA256_SIZE];
    const size_t head = STATE_DIGITS + 1;
    bool good = size > head && text[head - 1] == ' ' && text[size - 1] == '\n';
    ob_status status = good ? ob_sha256(digest, text + head, size - head - 1, err) : OB_OK;
    if (!status && good) {
        ob_hex(out->sum, digest, sizeof digest);
        good = !memcmp(out->sum, text, STATE_DIGITS);
    }
    json_error_t why;
    json_t *object = !status && good
                         ? json_loadb(text + head, size - head - 1, JSON_REJECT_DUPLICATES, &why)
                         : NULL;
    if (!status && good && !object && json_error_code(&why) == json_error_out_of_memory)
        status = out_of_memory(err);
    good = good && json_integer_value(json_object_get(object, "version")) == STATE_VERSION;
    const json_t *lists = json_object_get(object, "lists");
    for (size_t i = 0; i < json_array_size(lists) && good && !status; i++)
        status = take_list(out, json_array_get(lists, i), &good, err);
    good = good && take_since(out, object) && take_updated(out, object);
    json_decref(object);
    if (!status && good)
        status = sum_lists(out->said, out, err);
    if (!status && good)
        state_reporting(out);
    if (!status && !good)
        status = ob_fail(err, OB_EFORMAT,
                         "%s is not what was written, so that nobody can say whether the lists are "
                         "whole: put back one that is, or delete it and import the lists again",
                         path);
    out->there = !status;
    return status;
}

static ob_status read_all(char **out, size_t *size, int file, uint64_t wanted, const char *path,
                          ob_error *err)
{
    char *text = malloc(wanted + 1);
    size_t got = 0;
    ssize_t more = 1;
    if (!text)
        return out_of_memory(err);
    while (got < wanted && more) {
        more = ob_file_pread(file, text + got, wanted - got, (off_t)got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0) {
            free(text);
            return ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
        }
        got += (size_t)more;
    }
    *out = text;
    *size = got;
    return OB_OK;
}

ob_status state_load(lists_state *out, const char *dir, ob_error *err)
{
    const ob_file_rule rule = {.most = STATE_MOST, .forbidden = 0022};
    char *path = NULL, *text = NULL;
    size_t size = 0;
    int file = -1;
    struct stat info;
    ob_error problem = {0};
    *out = (lists_state){.there = false};
    ob_status status = list_beside(&path, dir, "lists.state", err);
    if (status)
        return status;
    status = ob_file_open_regular(&file, &info, path, O_RDONLY, &rule, &problem);
    if (status == OB_ENOTFOUND) {
        free(path);
        return OB_OK;
    }
    if (status)
        ob_fail(err, status, "%s", problem.text);
    if (!status)
        status = read_all(&text, &size, file, (uint64_t)info.st_size, path, err);
    if (!status)
        status = state_take(out, text, size, path, err);
    if (!status)
        note_file(out, &info);
    if (file >= 0)
        close(file);
    free(text);
    free(path);
    return status;
}
