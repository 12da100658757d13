/* Writing of .obx files: under a temporary name, durable before it takes its place. */
#include "listfile_priv.h"

#include <obhut/file.h>
#include <obhut/json.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

typedef struct writer {
    int file;
    const char *path;
    const obx_wish *wish;
    uint64_t offset; /* of what is written next */
    obx_header header;
    obx_section sections[OBX_SECTIONS_MAX];
    ob_sha256_sum *sum; /* of the open section */
    ob_sha256_sum *block_sum;
    uint64_t summed; /* up to here, in block_sum or in `sums` */
    ob_buf sums;     /* of whole blocks */
    ob_error *err;
} writer;

/* ---- Blocks ---------------------------------------------------------------------------------- */

static ob_status end_block(writer *w)
{
    uint8_t sum[OB_SHA256_SIZE];
    ob_status status = ob_sha256_next(sum, w->block_sum, w->err);
    return status ? status : ob_buf_append(&w->sums, sum, sizeof sum, w->err);
}

/* What is written at w->summed; NULL: zeros, so many that they end a section's padding. */
static ob_status sum_blocks(writer *w, const char *bytes, uint64_t size)
{
    static const char zeros[OBX_ALIGN];
    ob_status status = OB_OK;
    while (size && !status) {
        const uint64_t left = OBX_BLOCK - w->summed % OBX_BLOCK;
        uint64_t now = size < left ? size : left;
        if (!bytes && now > sizeof zeros)
            now = sizeof zeros;
        status = ob_sha256_add(w->block_sum, bytes ? bytes : zeros, now, w->err);
        w->summed += now;
        bytes = bytes ? bytes + now : NULL;
        size -= now;
        if (!status && w->summed % OBX_BLOCK == 0)
            status = end_block(w);
    }
    return status;
}

/* ---- Sections -------------------------------------------------------------------------------- */

static ob_status begin_section(writer *w, int kind)
{
    w->sections[w->header.sections] = (obx_section){.kind = (uint32_t)kind, .offset = w->offset};
    return ob_sha256_begin(&w->sum, w->err);
}

static ob_status append(writer *w, const void *bytes, uint64_t size)
{
    enum { STEP = 16 << 20 };
    ob_status status = OB_OK;
    for (const char *from = bytes; size && !status;) {
        uint64_t now = size < STEP ? size : STEP;
        if (w->wish->stop && atomic_load(w->wish->stop))
            return ob_fail(w->err, OB_EBUSY, "%s: stopped", w->path);
        status = ob_sha256_add(w->sum, from, now, w->err);
        if (!status)
            status = sum_blocks(w, from, now);
        if (!status)
            status = disk_write(w->file, w->path, from, now, w->offset, w->err);
        w->offset += now;
        from += now;
        size -= now;
    }
    return status;
}

static ob_status append_zeros(writer *w, uint64_t until)
{
    static const char zeros[OBX_ALIGN];
    ob_status status = OB_OK;
    while (w->offset < until && !status) {
        uint64_t left = until - w->offset;
        status = append(w, zeros, left < sizeof zeros ? left : sizeof zeros);
    }
    return status;
}

static ob_status end_section(writer *w)
{
    obx_section *section = &w->sections[w->header.sections++];
    section->size = w->offset - section->offset;
    w->offset = (w->offset + OBX_ALIGN - 1) / OBX_ALIGN * OBX_ALIGN;
    ob_status status = ob_sha256_finish(section->sha256, &w->sum, w->err);
    return status ? status : sum_blocks(w, NULL, w->offset - w->summed);
}

static ob_status add_section(writer *w, int kind, const void *bytes, uint64_t size)
{
    ob_status status = begin_section(w, kind);
    if (!status)
        status = append(w, bytes, size);
    return status ? status : end_section(w);
}

/* ---- The index: pieces are built side by side and written in order --------------------------- */

typedef struct pieces {
    writer *writer;
    const entries *entries;
    uint64_t start; /* of the section */
    pthread_mutex_t lock;
    pthread_cond_t written;
    unsigned next, next_written;
    ob_status status;
    ob_error error;
} pieces;

static ob_status write_piece(pieces *p, unsigned piece, const void *memory, uint64_t size)
{
    uint64_t count = p->entries->hash_count;
    ob_status status = append_zeros(p->writer, p->start + ob_index_piece_offset(count, piece));
    if (!status)
        status = append(p->writer, memory, size);
    if (p->writer->wish->progress)
        p->writer->wish->progress(p->writer->wish->context, "building the index", piece,
                                  OB_INDEX_WORDS);
    return status;
}

static void *build_pieces(void *argument)
{
    pieces *p = argument;
    uint64_t count = p->entries->hash_count, size = ob_index_piece_size(count, 1);
    const ob_index_half *const half[2] = {p->entries->half[0], p->entries->half[1]};
    ob_error error = {0};
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    ob_status status = memory ? OB_OK : ob_fail(&error, OB_ENOMEM, "out of memory: an index");
    pthread_mutex_lock(&p->lock);
    while (!p->status && !status && p->next < OB_INDEX_PIECES) {
        unsigned piece = p->next++;
        pthread_mutex_unlock(&p->lock);
        status = ob_index_build_piece(memory, piece, half, count, &error);
        pthread_mutex_lock(&p->lock);
        while (!p->status && p->next_written != piece)
            pthread_cond_wait(&p->written, &p->lock);
        if (!status && !p->status)
            status = write_piece(p, piece, memory, size); /* its error goes to the writer's */
        p->next_written++;
        pthread_cond_broadcast(&p->written);
    }
    if (status && !p->status) {
        p->status = status;
        p->error = error;
    }
    pthread_cond_broadcast(&p->written);
    pthread_mutex_unlock(&p->lock);
    free(memory);
    return NULL;
}

static unsigned processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

static ob_status add_words(writer *w, const entries *entries, uint64_t start)
{
    enum { MOST_THREADS = 8 }; /* each holds a piece: six bytes an entry */
    pthread_t threads[MOST_THREADS];
    unsigned wanted = processors(), started = 0;
    pieces p = {.writer = w,
                .entries = entries,
                .start = start,
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .written = PTHREAD_COND_INITIALIZER,
                .next = 1,
                .next_written = 1};
    while (started + 1 < wanted && started < MOST_THREADS &&
           !pthread_create(&threads[started], NULL, build_pieces, &p))
        started++;
    build_pieces(&p);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (p.status && p.error.text[0])
        return ob_fail(w->err, p.status, "%s", p.error.text);
    return p.status;
}

static ob_status add_index(writer *w, const entries *entries)
{
    uint64_t count = entries->hash_count, start = w->offset;
    ob_status status = begin_section(w, OBX_INDEX);
    for (int h = 0; h < 2 && !status; h++)
        status = append(w, entries->half[h], count * sizeof *entries->half[h]);
    if (!status && ob_index_piece_size(count, 1))
        status = add_words(w, entries, start);
    if (!status)
        status = append_zeros(w, start + ob_index_size(count));
    return status ? status : end_section(w);
}

/* ---- The rest -------------------------------------------------------------------------------- */

static ob_status add_meta(writer *w, const entries *entries)
{
    const ob_list_info *info = &w->wish->info;
    json_t *attributes = json_array(), *digests = json_object();
    bool good = true;
    for (size_t i = 1; i < entries->attribute_count; i++)
        good &=
            !json_array_append_new(attributes, json_pack("[s, s]", entries->attributes[i].source,
                                                         entries->attributes[i].classification));
    for (int k = 0; k < DIGEST_KINDS; k++)
        good &= !json_object_set_new(digests, list_digest_kinds[k].name,
                                     json_integer((json_int_t)entries->digest_count[k]));
    json_t *meta =
        json_pack("{s:s, s:s, s:I, s:I, s:b, s:I, s:o, s:o}", "purpose", info->purpose, "source",
                  info->source, "imported_at", (json_int_t)info->imported_at, "journal",
                  (json_int_t)w->wish->journal, "state", true, "hashes",
                  (json_int_t)entries->hash_count, "digests", digests, "attributes", attributes);
    char *text = meta && good ? ob_json_write(meta, JSON_COMPACT) : NULL;
    json_decref(meta);
    ob_status status = text ? add_section(w, OBX_META, text, strlen(text))
                            : ob_fail(w->err, OB_ENOMEM, "out of memory: a list's description");
    free(text);
    return status;
}

static ob_status add_digests(writer *w, const entries *e, int kind)
{
    uint64_t count = e->digest_count[kind];
    unsigned width = list_digest_kinds[kind].width;
    if (!count)
        return OB_OK;
    uint64_t size = ob_digest_set_size(count, width);
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    uint32_t *order = malloc(count * sizeof *order);
    const uint32_t *entry = e->digest_entries[kind].entry;
    ob_status status =
        memory && order ? OB_OK : ob_fail(w->err, OB_ENOMEM, "out of memory: digests of a list");
    if (!status)
        status = ob_digest_set_build(memory, size, order, (const uint8_t *)e->digests[kind].bytes,
                                     count, width, w->err);
    for (uint64_t k = 0; k < count && !status && entry; k++)
        order[k] = entry[order[k]];
    if (!status)
        status = add_section(w, list_digest_kinds[kind].section, memory, size);
    if (!status)
        status = add_section(w, list_digest_kinds[kind].entries, order, count * sizeof *order);
    free(order);
    free(memory);
    return status;
}

static ob_status add_columns(writer *w, const entries *e)
{
    uint64_t n = e->count;
    ob_status status = add_section(w, OBX_LINES, e->lines, n * sizeof *e->lines);
    if (!status && e->id_ends)
        status = add_section(w, OBX_ID_ENDS, e->id_ends, n * sizeof *e->id_ends);
    if (!status && e->id_ends)
        status = add_section(w, OBX_IDS, e->ids.bytes, e->ids.size);
    if (!status && e->attributes_of)
        status = add_section(w, OBX_ATTRIBUTES, e->attributes_of, n * sizeof *e->attributes_of);
    if (!status && e->hash_entries.entry)
        status = add_section(w, OBX_HASH_ENTRIES, e->hash_entries.entry,
                             e->hash_count * sizeof *e->hash_entries.entry);
    for (int k = 0; k < DIGEST_KINDS && !status; k++)
        status = add_digests(w, e, k);
    return status;
}

/* Of all blocks before it; the last one may be shorter. */
static ob_status add_sums(writer *w)
{
    ob_status status = w->summed % OBX_BLOCK ? end_block(w) : OB_OK;
    ob_buf sums = w->sums;
    w->sums = (ob_buf){0};
    if (!status)
        status = add_section(w, OBX_SUMS, sums.bytes, sums.size);
    ob_buf_free(&sums);
    return status;
}

static ob_status finish(writer *w, uint64_t count)
{
    memcpy(w->header.magic, OBX_MAGIC, sizeof w->header.magic);
    w->header.version = OBX_VERSION;
    w->header.entries = count;
    w->header.file_size = w->offset;
    struct {
        obx_header header;
        obx_section sections[OBX_SECTIONS_MAX];
    } start = {.header = w->header};
    memcpy(start.sections, w->sections, sizeof w->sections);
    size_t size = sizeof start.header + w->header.sections * sizeof *w->sections;
    ob_status status = ob_sha256(start.header.sha256, &start, size, w->err);
    if (!status)
        status = disk_write(w->file, w->path, &start, size, 0, w->err);
    if (!status)
        status = disk_cut(w->file, w->path, w->offset, w->err);
    return status ? status : disk_sync(w->file, w->path, w->err);
}

ob_status obx_write(char **out, const obx_wish *wish, const entries *entries, ob_error *err)
{
    _Static_assert(sizeof(obx_header) == 64 && sizeof(obx_section) == 56, "laid out as documented");
    writer w = {.file = -1, .offset = OBX_ALIGN, .summed = OBX_ALIGN, .wish = wish, .err = err};
    char *temporary = NULL;
    if (asprintf(&temporary, "%s/lists/.%s.%d.tmp", wish->dir, wish->name, (int)getpid()) < 0)
        return ob_fail(err, OB_ENOMEM, "out of memory: a path");
    ob_status status = OB_OK;
    w.path = temporary;
    w.file = ob_file_open(AT_FDCWD, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                          0600);
    if (w.file < 0)
        status = ob_fail(err, OB_EIO, "%s cannot be made: %s", temporary, strerror(errno));
    if (!status)
        status = ob_file_give(w.file, temporary, AT_FDCWD, wish->dir, err);
    if (!status)
        status = ob_sha256_begin(&w.block_sum, err);
    if (!status)
        status = add_meta(&w, entries);
    if (!status)
        status = add_index(&w, entries);
    if (!status)
        status = add_columns(&w, entries);
    if (!status)
        status = add_sums(&w);
    if (!status)
        status = finish(&w, entries->count);
    if (w.sum)
        ob_sha256_drop(&w.sum);
    if (w.block_sum)
        ob_sha256_drop(&w.block_sum);
    ob_buf_free(&w.sums);
    if (w.file >= 0)
        close(w.file);
    if (status && w.file >= 0)
        ob_file_unlink(AT_FDCWD, temporary, 0);
    if (status)
        free(temporary);
    else
        *out = temporary;
    return status;
}

ob_status obx_place(const char *temporary, const char *dir, const char *name, bool enabled,
                    ob_error *err)
{
    char *path = NULL;
    ob_status status = list_path(&path, dir, name, enabled, err);
    if (!status && ob_file_rename(temporary, path))
        status = ob_fail(err, OB_EIO, "%s cannot be put in place: %s", path, strerror(errno));
    if (status)
        ob_file_unlink(AT_FDCWD, temporary, 0);
    else if ((status = list_sync_dir(dir, err)) != OB_OK)
        ob_fail_in(err, status,
                   "list \"%s\" was replaced and the new one counts within seconds, but the disk "
                   "does not say that it keeps it: after a power failure it may be the old one",
                   name);
    free(path);
    return status;
}
