/* A list at one moment: opens it, describes it, checks it. */
#include "live_priv.h"

#include <obhut/file.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- Users ----------------------------------------------------------------------------------- */

static ob_status live_new(live **out, obx *file, ob_error *err)
{
    live *list = calloc(1, sizeof *list);
    base *b = calloc(1, sizeof *b);
    if (!list || !b) {
        free(list);
        free(b);
        obx_close(file);
        return ob_fail(err, OB_ENOMEM, "out of memory: a list");
    }
    atomic_init(&b->users, 1);
    b->file = *file;
    atomic_init(&b->index, &b->file.index);
    atomic_init(&list->users, 1);
    list->base = b;
    for (int k = 0; k < DIGEST_KINDS; k++)
        list->digests |= (uint32_t)(file->digests[k].count > 0) << k;
    *out = list;
    return OB_OK;
}

live *live_ref(live *list)
{
    atomic_fetch_add(&list->users, 1);
    return list;
}

static void release_base(base *b)
{
    if (atomic_fetch_sub(&b->users, 1) > 1)
        return;
    live_drop_added(b);
    if (b->pages)
        munmap(b->pages, b->pages_size);
    obx_close(&b->file);
    free(b);
}

void live_release(live *list)
{
    if (!list || atomic_fetch_sub(&list->users, 1) > 1)
        return;
    if (list->withdrawn && atomic_fetch_sub(&list->withdrawn->users, 1) == 1)
        free(list->withdrawn);
    free(list->extents);
    release_base(list->base);
    free(list);
}

static uint64_t values_in(const live *list, int column)
{
    const obx *file = &list->base->file;
    uint64_t count = column ? file->digests[column - 1].count : file->index.count;
    for (size_t i = 0; i < live_chunks(list); i++)
        count += live_used(list, i, column);
    return count;
}

void live_info(ob_list_info *out, const live *list)
{
    _Static_assert((int)COLUMNS == (int)OB_LIST_KINDS, "a column is a kind");
    *out = list->base->file.info;
    out->unmerged = list->added - list->withdrawn_of_added;
    out->withdrawn = list->withdrawn_of_file + list->withdrawn_of_added;
    out->entries += out->unmerged - list->withdrawn_of_file;
    for (int column = 0; column < COLUMNS; column++)
        out->kinds[column] = values_in(list, column);
}

uint64_t live_journal(const live *list)
{
    return list->base->file.journal;
}

uint32_t live_digests(const live *list)
{
    return list->digests;
}

uint64_t live_changes(const live *list)
{
    return list->added + list->withdrawn_of_file;
}

/* ---- Opening --------------------------------------------------------------------------------- */

typedef struct replaying {
    live *list;
    hits found;
} replaying;

static ob_status replay(void *context, const entry *e, ob_error *err)
{
    replaying *r = context;
    uint64_t withdrawn = 0;
    if (!e->withdrawn)
        return e->id ? live_add(r->list, e, err)
                     : ob_fail(err, OB_EFORMAT, "an added entry without an id");
    ob_status status = live_find(&r->found, r->list, e, err);
    for (size_t i = 0; i < r->found.count && !status; i++)
        status = live_withdraw(&withdrawn, r->list, r->found.hit[i].entry, err);
    return status;
}

/* How to read a list. */
typedef struct reading {
    const char *dir, *name;
    const lists_state *state;
    const list_state *of; /* NULL: the state does not have this list */
    uint64_t at_once;
} reading;

static ob_status read_journal(replaying *r, const reading *from, uint64_t number, ob_error *err)
{
    char *path = NULL;
    int version = 0;
    journal_extent whole = {.number = number};
    const journal_reading how = {state_extent(from->of, number), replay, r};
    ob_status status = list_journal_path(&path, from->dir, from->name, number, err);
    if (!status)
        status = journal_read(&whole, &version, path, &how, err);
    if (!status && version >= JOURNAL_VERSION && !from->state->there)
        status = ob_fail(err, OB_EFORMAT,
                         "%s/lists.state is missing, so that nobody can say whether %s is whole: "
                         "put it back, or import or remove the list",
                         from->dir, path);
    if (!status) {
        journal_extent *more =
            realloc(r->list->extents, (r->list->extent_count + 1) * sizeof *more);
        if (more) {
            r->list->extents = more;
            more[r->list->extent_count++] = whole;
        } else {
            status = ob_fail(err, OB_ENOMEM, "out of memory: journals of a list");
        }
    }
    free(path);
    return status;
}

static ob_status check_journals(const live *list, const reading *from, ob_error *err)
{
    for (size_t i = 0; from->of && i < from->of->journal_count; i++) {
        const journal_extent *extent = &from->of->journals[i];
        bool there = extent->number < live_journal(list) || !extent->groups;
        for (size_t k = 0; k < list->extent_count && !there; k++)
            there = list->extents[k].number == extent->number;
        if (!there)
            return ob_fail(err, OB_EFORMAT,
                           "%s/lists/%s.%llu.log is missing, with %llu changes that were "
                           "acknowledged: restore it from a backup, or import or remove the list",
                           from->dir, from->name, (unsigned long long)extent->number,
                           (unsigned long long)extent->groups);
    }
    return OB_OK;
}

static ob_status read_journals(live *list, const reading *from, ob_error *err)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    replaying r = {.list = list};
    ob_status status = list_journals(&numbers, &count, from->dir, from->name, err);
    for (size_t i = 0; i < count && !status; i++)
        if (numbers[i] >= live_journal(list))
            status = read_journal(&r, from, numbers[i], err);
    if (!status)
        status = check_journals(list, from, err);
    free(numbers);
    free(r.found.hit);
    return status;
}

static bool is_sum(const uint8_t known[OB_SHA256_SIZE], const obx *file)
{
    return !memcmp(known, file->sum, sizeof file->sum);
}

/* Says whether the file is the one that was written last, or was about to take its place. */
static ob_status check_file(const obx *file, const reading *from, const char *path, ob_error *err)
{
    static const uint8_t none[OB_SHA256_SIZE];
    const bool unknown = from->of && !memcmp(from->of->file, state_unknown, sizeof none) &&
                         !is_sum(from->of->next, file);
    if (unknown || (!from->state->there && file->has_state))
        return ob_fail(err, OB_EFORMAT,
                       "%s/lists.state is or was missing, so that nobody can say whether %s is "
                       "whole: put it back, or import or remove the list",
                       from->dir, path);
    if (!from->of || is_sum(from->of->file, file) || is_sum(from->of->next, file) ||
        (!memcmp(from->of->file, none, sizeof none) && !memcmp(from->of->next, none, sizeof none)))
        return OB_OK;
    return ob_fail(err, OB_EFORMAT,
                   "%s is a list, but not the one that was written last, perhaps an older copy: "
                   "put that back, or import or remove the list",
                   path);
}

static bool is_still(const obx *file, const char *path)
{
    struct stat now;
    return !stat(path, &now) && now.st_dev == file->device && now.st_ino == file->inode;
}

bool live_is_of(const live *list, const char *path)
{
    const obx *file = &list->base->file;
    struct stat now;
    return !ob_file_stat_at(&now, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) &&
           now.st_dev == file->device && now.st_ino == file->inode &&
           (uint64_t)now.st_size == file->size && now.st_mtim.tv_sec == file->written.tv_sec &&
           now.st_mtim.tv_nsec == file->written.tv_nsec && !(now.st_mode & 0022);
}

/* Sets *moved where a merge, an import or a switch happened meanwhile, so that file and journals do
 * not belong together. */
static ob_status open_once(live **out, bool *moved, const reading *from, ob_error *err)
{
    bool enabled = false;
    char *path = NULL;
    obx file;
    live *list = NULL;
    *moved = false;
    ob_status status = list_find(&enabled, from->dir, from->name, err);
    if (status)
        return status;
    status = list_path(&path, from->dir, from->name, enabled, err);
    if (!status)
        status = obx_open(&file, path, from->at_once, err);
    if (!status)
        status = live_new(&list, &file, err);
    if (list) {
        ob_list_info *info = &list->base->file.info;
        snprintf(info->name, sizeof info->name, "%s", from->name);
        info->enabled = state_is_on(from->of, enabled);
        status = check_file(&list->base->file, from, path, err);
        if (!status)
            status = read_journals(list, from, err);
    }
    *moved = (status == OB_ENOTFOUND && !list) || (list && !is_still(&list->base->file, path));
    free(path);
    if (status || *moved)
        live_release(list);
    else
        *out = list;
    return status;
}

/* Says whether DIR/lists.state was written again meanwhile, and reads it then. */
static bool has_changed(lists_state *state, const char *dir)
{
    lists_state now;
    const bool changed = !state_load(&now, dir, NULL) && strcmp(now.sum, state->sum) != 0;
    if (changed) {
        state_free(state);
        *state = now;
    } else {
        state_free(&now);
    }
    return changed;
}

ob_status live_open_as(live **out, const char *dir, const char *name, uint64_t at_once,
                       ob_error *err)
{
    enum { TRIES = 100 };
    lists_state state;
    ob_status status = state_load(&state, dir, err);
    for (int try = 1; !status; try++) {
        bool moved = false;
        const reading from = {.dir = dir,
                              .name = name,
                              .state = &state,
                              .of = state_find(&state, name),
                              .at_once = at_once};
        status = open_once(out, &moved, &from, err);
        const bool changed = status && has_changed(&state, dir);
        if (!moved && !changed)
            break;
        status =
            try == TRIES ? ob_fail(err, OB_EBUSY, "list \"%s\" changes all the time", name) : OB_OK;
    }
    state_free(&state);
    return status;
}

ob_status live_open(live **out, const char *dir, const char *name, ob_error *err)
{
    return live_open_as(out, dir, name, OBX_READ_AT_ONCE, err);
}

ob_status live_note(list_state *to, const live *list, ob_error *err)
{
    ob_status status = OB_OK;
    memcpy(to->file, list->base->file.sum, sizeof to->file);
    memset(to->next, 0, sizeof to->next);
    to->removed = false;
    to->is = list->base->file.info.enabled ? SWITCH_ON : SWITCH_OFF;
    state_drop_extents(to, live_journal(list));
    for (size_t i = 0; i < list->extent_count && !status; i++)
        if (list->extents[i].groups)
            status = state_put_extent(to, &list->extents[i], err);
    return status;
}

/* ---- All entries ----------------------------------------------------------------------------- */

/* The places of the hash and digests of each entry in the file, plus 1; 0: none. */
typedef struct places {
    uint32_t *of[1 + DIGEST_KINDS];
} places;

static void free_places(places *p)
{
    for (int i = 0; i <= DIGEST_KINDS; i++)
        free(p->of[i]);
}

static ob_status find_places(places *out, const obx *file, ob_error *err)
{
    ob_status status = OB_OK;
    for (int i = 0; i <= DIGEST_KINDS && !status; i++) {
        uint64_t count = i ? file->digests[i - 1].count : file->index.count, entry;
        if (!count || (!i && !file->hash_entries))
            continue; /* none, or the same numbers */
        out->of[i] = calloc(file->info.entries + 1, sizeof *out->of[i]);
        if (!out->of[i])
            return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
        for (uint64_t at = 0; at < count && !status; at++) {
            status = i ? obx_digest_entry(&entry, file, i - 1, at, err)
                       : obx_hash_entry(&entry, file, at, err);
            if (!status)
                out->of[i][entry] = (uint32_t)at + 1;
        }
    }
    return status;
}

static ob_status file_entry(entry *out, char id[OB_LIST_ID_MAX + 1], const obx *file,
                            const places *p, uint64_t number, ob_error *err)
{
    entry e = {.line = file->lines[number]};
    uint64_t at = p->of[0] ? p->of[0][number] : number < file->index.count ? number + 1 : 0;
    if (at) {
        e.has_hash = true;
        e.hash = ob_index_get(&file->index, at - 1);
    }
    for (int k = 0; k < DIGEST_KINDS; k++) {
        at = p->of[1 + k] ? p->of[1 + k][number] : 0;
        if (!at)
            continue;
        unsigned width = list_digest_kinds[k].width;
        e.has_digest[k] = true;
        memcpy(e.digest[k], file->digests[k].digests + (at - 1) * width, width);
    }
    const obx_attribute *attribute = obx_attribute_of(file, number);
    e.source = attribute->source;
    e.classification = attribute->classification;
    bool own = false;
    ob_status status = obx_id(id, &own, file, number, err);
    if (!status) {
        e.id = own ? id : NULL;
        *out = e;
    }
    return status;
}

static entry added_entry(const live *list, uint64_t number)
{
    const chunk *c = list->base->chunks[number / CHUNK];
    const added *a = c->entries[number % CHUNK];
    entry e = {.id = added_id(a),
               .source = added_source(a),
               .classification = added_classification(a),
               .has_hash = a->at[0] != 0};
    if (e.has_hash) {
        const ob_index index = ob_index_open_halves(c->half, CHUNK, a->at[0], OB_ISA_AUTO);
        e.hash = ob_index_get(&index, a->at[0] - 1u);
    }
    for (int k = 0; k < DIGEST_KINDS; k++) {
        const unsigned width = list_digest_kinds[k].width;
        e.has_digest[k] = a->at[1 + k] != 0;
        if (e.has_digest[k])
            memcpy(e.digest[k], c->digests[k] + (a->at[1 + k] - 1u) * (size_t)width, width);
    }
    return e;
}

ob_status live_each(const live *list,
                    ob_status (*each)(void *context, const entry *entry, ob_error *err),
                    void *context, ob_error *err)
{
    const obx *file = &list->base->file;
    places p = {0};
    ob_status status = find_places(&p, file, err);
    for (uint64_t n = 0; n < file->info.entries && !status; n++) {
        char id[OB_LIST_ID_MAX + 1];
        entry e;
        if (live_is_withdrawn(list, n))
            continue;
        status = file_entry(&e, id, file, &p, n, err);
        if (!status)
            status = each(context, &e, err);
    }
    free_places(&p);
    for (uint64_t n = 0; n < list->added && !status; n++) {
        if (live_is_withdrawn(list, file->info.entries + n))
            continue;
        const entry e = added_entry(list, n);
        status = each(context, &e, err);
    }
    return live_end(list, status, err);
}

/* ---- Settling -------------------------------------------------------------------------------- */

ob_status live_whole(const live *list, ob_error *err)
{
    const base *b = list->base;
    ob_status status = obx_problem(&b->file, err);
    if (!status && atomic_load(&b->damaged))
        status = ob_fail(err, OB_EFORMAT,
                         "damaged list file: it is not what was written; import it again");
    return status ? ob_fail_in(err, status, "list \"%s\"", b->file.info.name) : OB_OK;
}

ob_status live_end(const live *list, ob_status status, ob_error *err)
{
    if (status == OB_EFORMAT)
        atomic_store(&list->base->damaged, true);
    return status ? status : live_whole(list, err);
}

ob_status live_check(live *list, ob_error *err)
{
    base *b = list->base;
    ob_status status = obx_check(&b->file, err);
    if (status)
        ob_fail_in(err, status, "list \"%s\"", b->file.info.name);
    return live_end(list, status, err);
}

ob_status live_preload(live *list, ob_error *err)
{
    base *b = list->base;
    const uint64_t huge = UINT64_C(2) << 20, size = b->file.index_size;
    if (b->preloaded || mapping_is_copy(b->file.mapping))
        return OB_OK;
    b->preloaded = true;
    ob_status status = live_check(list, err);
    if (status || size < huge)
        return status;
    uint8_t *pages = mapping_room(&b->pages, &b->pages_size, size);
    if (!pages)
        return OB_OK;
    memcpy(pages, b->file.bytes + b->file.index_offset, size);
    mprotect(b->pages, b->pages_size, PROT_READ);
    status = ob_index_open(&b->moved, pages, size, b->file.index.count, OB_ISA_AUTO, err);
    if (!status)
        status = live_whole(list, err); /* what was copied is what was checked */
    if (!status) {
        atomic_store(&b->index, &b->moved);
        madvise((void *)(uintptr_t)(b->file.bytes + b->file.index_offset), size, MADV_DONTNEED);
    }
    return status;
}
