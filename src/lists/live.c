/* A list that changes while it answers: opening, adding, withdrawing, settling. */
#include "live_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- Users -------------------------------------------------------------------------------- */

static ob_status live_new(live **out, obx *file, ob_error *err)
{
    live *list = calloc(1, sizeof *list);
    _Atomic uint64_t *withdrawn = calloc(file->info.entries / 64 + 1, sizeof *withdrawn);
    if (!list || !withdrawn) {
        free(list);
        free(withdrawn);
        obx_close(file);
        return ob_fail(err, OB_ENOMEM, "out of memory: a list");
    }
    atomic_init(&list->users, 1);
    list->file = *file;
    list->withdrawn = withdrawn;
    atomic_init(&list->index, &list->file.index);
    *out = list;
    return OB_OK;
}

live *live_keep(live *list)
{
    atomic_fetch_add(&list->users, 1);
    return list;
}

static void free_chunk(chunk *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free(c->entries[i]);
    free(c);
}

void live_release(live *list)
{
    if (!list || atomic_fetch_sub(&list->users, 1) > 1)
        return;
    for (size_t i = 0; i < list->chunk_count; i++)
        free_chunk(list->chunks[i]);
    free(list->spare);
    if (list->pages)
        munmap(list->pages, list->pages_size);
    free(list->withdrawn);
    obx_close(&list->file);
    free(list);
}

void live_info(ob_list_info *out, const live *list)
{
    *out = list->file.info;
    out->unmerged = atomic_load(&list->added_count);
    out->withdrawn = atomic_load(&list->withdrawn_count);
    out->entries += out->unmerged;
    /* Entries that were added and withdrawn again count in neither. */
    for (uint64_t word = 0; out->withdrawn && word <= list->file.info.entries / 64; word++)
        out->entries -= (uint64_t)__builtin_popcountll(atomic_load(&list->withdrawn[word]));
}

uint64_t live_journal(const live *list)
{
    return list->file.journal;
}

uint32_t live_digests(const live *list)
{
    uint32_t kinds = 0;
    size_t chunks = atomic_load(&list->chunk_count);
    for (int k = 0; k < DIGEST_KINDS; k++) {
        bool any = list->file.digests[k].count > 0;
        for (size_t i = 0; i < chunks; i++)
            any |= atomic_load(&atomic_load(&list->chunks[i])->digest_count[k]) > 0;
        kinds |= (uint32_t)any << k;
    }
    return kinds;
}

uint64_t live_changes(const live *list)
{
    return atomic_load(&list->added_count) + atomic_load(&list->withdrawn_count);
}

/* ---- Opening ------------------------------------------------------------------------------ */

static ob_status replay(void *context, const entry *e, ob_error *err)
{
    live *list = context;
    hits found = {0};
    prepared one = {0};
    ob_status status = e->withdrawn ? live_find(&found, list, e, err) : OB_OK;
    for (size_t i = 0; i < found.count; i++)
        live_withdraw(list, found.hit[i].entry);
    free(found.hit);
    if (status || e->withdrawn)
        return status;
    if (!e->id)
        return ob_fail(err, OB_EFORMAT, "an added entry without an id");
    status = live_prepare(&one, list, e, 1, err);
    if (!status)
        live_publish(list, &one);
    return status;
}

static ob_status read_journals(live *list, const char *dir, const char *name, ob_error *err)
{
    uint64_t *numbers = NULL, whole;
    size_t count = 0;
    ob_status status = list_journals(&numbers, &count, dir, name, err);
    for (size_t i = 0; i < count && !status; i++) {
        char *path = NULL;
        if (numbers[i] < list->file.journal)
            continue;
        status = list_journal_path(&path, dir, name, numbers[i], err);
        if (!status)
            status = journal_read(&whole, path, replay, list, err);
        free(path);
    }
    free(numbers);
    return status;
}

static bool is_still(const obx *file, const char *path)
{
    struct stat now;
    return !stat(path, &now) && now.st_dev == file->device && now.st_ino == file->inode;
}

ob_status live_open(live **out, const char *dir, const char *name, ob_error *err)
{
    enum { TRIES = 100 };
    /* Where a merge or a switch comes in between, file and journals do not belong together. */
    for (int try = 1;; try++) {
        bool enabled = false;
        char *path = NULL;
        obx file;
        live *list = NULL;
        ob_status status = list_find(&enabled, dir, name, err);
        if (status)
            return status;
        status = list_path(&path, dir, name, enabled, err);
        if (!status)
            status = obx_open(&file, path, err);
        if (!status)
            status = live_new(&list, &file, err);
        if (list) {
            snprintf(list->file.info.name, sizeof list->file.info.name, "%s", name);
            list->file.info.enabled = enabled;
            status = read_journals(list, dir, name, err);
        }
        bool moved = (status == OB_ENOTFOUND && !list) || (list && !is_still(&list->file, path));
        free(path);
        if (!status && !moved) {
            *out = list;
            return OB_OK;
        }
        live_release(list);
        if (!moved || try == TRIES)
            return status ? status
                          : ob_fail(err, OB_EBUSY, "list \"%s\" changes all the time", name);
    }
}

/* ---- Changes ------------------------------------------------------------------------------ */

static void copy_text(const char **text, char **to)
{
    size_t size = strlen(*text) + 1;
    memcpy(*to, *text, size);
    *text = *to;
    *to += size;
}

/* A copy with its texts behind it; freed with free(). */
static added *copy_entry(const entry *from)
{
    const char *source = from->source ? from->source : "";
    const char *classification = from->classification ? from->classification : "";
    added *made =
        malloc(sizeof *made + strlen(from->id) + strlen(source) + strlen(classification) + 3);
    if (!made)
        return NULL;
    made->entry = *from;
    made->entry.source = source;
    made->entry.classification = classification;
    atomic_init(&made->withdrawn, false);
    char *to = (char *)(made + 1);
    copy_text(&made->entry.id, &to);
    copy_text(&made->entry.source, &to);
    copy_text(&made->entry.classification, &to);
    return made;
}

static ob_status need_spare(live *list, ob_error *err)
{
    void *made = NULL;
    if (list->spare)
        return OB_OK;
    if (atomic_load(&list->chunk_count) == CHUNKS_MAX)
        return ob_fail(err, OB_ELIMIT, "list \"%s\": %d entries were added; merge it first",
                       list->file.info.name, CHUNK * (CHUNKS_MAX - 1));
    if (posix_memalign(&made, 64, sizeof(chunk)))
        return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
    list->spare = made;
    atomic_init(&list->spare->count, 0);
    atomic_init(&list->spare->hashes, 0);
    for (int k = 0; k < DIGEST_KINDS; k++)
        atomic_init(&list->spare->digest_count[k], 0);
    return OB_OK;
}

/* Makes the spare chunk the last one. */
static void use_spare(live *list)
{
    size_t count = atomic_load(&list->chunk_count);
    atomic_store(&list->chunks[count], list->spare);
    atomic_store(&list->chunk_count, count + 1);
    list->spare = NULL;
}

/* The chunk that takes the next entry, or NULL where that is the spare one. */
static chunk *last_chunk(const live *list)
{
    size_t count = atomic_load(&list->chunk_count);
    chunk *last = count ? atomic_load(&list->chunks[count - 1]) : NULL;
    return last && atomic_load(&last->count) < CHUNK ? last : NULL;
}

ob_status live_prepare(prepared *out, live *list, const entry *entries, size_t count, ob_error *err)
{
    _Static_assert((int)OB_LISTS_ADD_MAX <= (int)CHUNK, "one spare chunk is enough");
    const chunk *last = last_chunk(list);
    prepared made = {0};
    if (count > OB_LISTS_ADD_MAX)
        return ob_fail(err, OB_ELIMIT, "%zu entries at once; at most %d can be added", count,
                       OB_LISTS_ADD_MAX);
    ob_status status =
        last && CHUNK - atomic_load(&last->count) >= count ? OB_OK : need_spare(list, err);
    if (status)
        return status;
    made.entries = calloc(count + 1, sizeof(added *));
    for (size_t i = 0; made.entries && i < count; i++) {
        made.entries[i] = copy_entry(&entries[i]);
        if (!made.entries[i])
            break;
        made.count++;
    }
    if (made.count < count || !made.entries) {
        live_drop(&made);
        return ob_fail(err, OB_ENOMEM, "out of memory: entries of a list");
    }
    *out = made;
    return OB_OK;
}

void live_drop(prepared *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->entries[i]);
    free(p->entries);
    *p = (prepared){0};
}

static void publish(live *list, added *made)
{
    chunk *c = last_chunk(list);
    if (!c) {
        use_spare(list);
        c = last_chunk(list);
    }
    const entry *e = &made->entry;
    uint32_t number = atomic_load(&c->count), at;
    c->entries[number] = made;
    atomic_store(&c->count, number + 1);
    atomic_fetch_add(&list->added_count, 1);
    if (e->has_hash) {
        at = atomic_load(&c->hashes);
        ob_index_store(&c->half[0][at], &c->half[1][at], &e->hash);
        c->of_hash[at] = (uint16_t)number;
        atomic_store(&c->hashes, at + 1);
    }
    for (int k = 0; k < DIGEST_KINDS; k++) {
        if (!e->has_digest[k])
            continue;
        unsigned width = list_digest_kinds[k].width;
        at = atomic_load(&c->digest_count[k]);
        memcpy(c->digests[k] + (size_t)at * width, e->digest[k], width);
        c->of_digest[k][at] = (uint16_t)number;
        atomic_store(&c->digest_count[k], at + 1);
    }
}

void live_publish(live *list, prepared *p)
{
    for (size_t i = 0; i < p->count; i++)
        publish(list, p->entries[i]);
    p->count = 0;
    live_drop(p);
}

void live_withdraw(live *list, uint64_t number)
{
    bool before;
    if (number >= list->file.info.entries) {
        before = atomic_exchange(&live_added(list, number)->withdrawn, true);
        if (!before)
            atomic_fetch_sub(&list->added_count, 1);
    } else {
        uint64_t bit = UINT64_C(1) << (number % 64);
        before = atomic_fetch_or(&list->withdrawn[number / 64], bit) & bit;
    }
    if (!before)
        atomic_fetch_add(&list->withdrawn_count, 1);
}

ob_status live_seal(size_t *chunks, live *list, ob_error *err)
{
    size_t count = atomic_load(&list->chunk_count);
    const chunk *last = last_chunk(list);
    bool empty = last && !atomic_load(&last->count);
    ob_status status = last && !empty ? need_spare(list, err) : OB_OK;
    if (status)
        return status;
    if (last && !empty)
        use_spare(list);
    *chunks = empty ? count - 1 : count;
    return OB_OK;
}

/* ---- All entries --------------------------------------------------------------------------- */

/* Where the hash and the digests of each entry of the file stand, + 1; 0: nowhere. */
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

ob_status live_each(const live *list, size_t chunks,
                    ob_status (*each)(void *context, const entry *entry, ob_error *err),
                    void *context, ob_error *err)
{
    places p = {0};
    ob_status status = find_places(&p, &list->file, err);
    for (uint64_t n = 0; n < list->file.info.entries && !status; n++) {
        char id[OB_LIST_ID_MAX + 1];
        entry e;
        if (live_is_withdrawn(list, n))
            continue;
        status = file_entry(&e, id, &list->file, &p, n, err);
        if (!status)
            status = each(context, &e, err);
    }
    free_places(&p);
    size_t there = atomic_load(&list->chunk_count);
    for (size_t i = 0; i < there && i < chunks && !status; i++) {
        const chunk *c = atomic_load(&list->chunks[i]);
        uint32_t count = atomic_load(&c->count);
        for (uint32_t k = 0; k < count && !status; k++)
            if (!atomic_load(&c->entries[k]->withdrawn))
                status = each(context, &c->entries[k]->entry, err);
    }
    return status;
}

/* ---- Settling ----------------------------------------------------------------------------- */

/* Memory that is free, or could be at once; 0 where the system does not say. */
static uint64_t available_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long long kib = 0;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib << 10;
}

ob_status live_check(live *list, ob_error *err)
{
    ob_status status = obx_check(&list->file, err);
    if (status == OB_EFORMAT)
        atomic_store(&list->damaged, true);
    return status ? ob_fail_in(err, status, "list \"%s\"", list->file.info.name) : OB_OK;
}

ob_status live_settle(live *list, ob_error *err)
{
    const uint64_t huge = UINT64_C(2) << 20, size = list->file.index_size;
    ob_status status = live_check(list, err);
    if (status)
        return status;
    if (size < huge || list->pages || size + size / 4 > available_memory())
        return OB_OK;
    char *pages = mmap(NULL, size + huge, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        return OB_OK;
    list->pages = pages;
    list->pages_size = size + huge;
    char *start = pages + (huge - (uintptr_t)pages % huge) % huge;
    madvise(start, size, MADV_HUGEPAGE);
    memcpy(start, list->file.bytes + list->file.index_offset, size);
    mprotect(pages, list->pages_size, PROT_READ);
    status = ob_index_open(&list->settled, start, size, list->file.index.count, OB_ISA_AUTO, err);
    if (!status) {
        atomic_store(&list->index, &list->settled);
        madvise((void *)(uintptr_t)(list->file.bytes + list->file.index_offset), size,
                MADV_DONTNEED);
    }
    return status;
}
