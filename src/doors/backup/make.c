/* Making a backup: what belongs together is opened at one moment and copied afterwards. */
#include "backup_priv.h"

#include <obhut/clock.h>
#include <obhut/crypto.h>
#include <obhut/file.h>
#include <obhut/lists.h>
#include <obhut/records/log.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that will be copied: its first `head.size` bytes. */
typedef struct item {
    sequence_file head; /* first: sequence_order */
    int file;           /* -1: `about` and the records, which do not lie there as files */
} item;

typedef struct making {
    const ob_backup_source *source;
    ob_backup_about about;
    item *items;
    size_t count, capacity;
    ob_buf text; /* of `about` */
    spool records;
    ob_seal_writer *out;
    uint64_t done, reported;
} making;

/* ---- Collecting ------------------------------------------------------------------------------ */

/* Takes the descriptor over. */
static ob_status add_item(making *m, const char *name, int file, uint64_t size, uint32_t mode,
                          ob_error *err)
{
    ob_status status = OB_OK;
    if (m->count == m->capacity) {
        size_t capacity = 2 * m->capacity + 16;
        item *more = realloc(m->items, capacity * sizeof *more);
        if (more) {
            m->items = more;
            m->capacity = capacity;
        } else {
            status = ob_fail(err, OB_ENOMEM, "out of memory: files of a backup");
        }
    }
    item one = {.file = file, .head = {.size = size, .mode = mode & 0200 ? 0600 : 0400}};
    if (!status &&
        snprintf(one.head.name, sizeof one.head.name, "%s", name) >= (int)sizeof one.head.name)
        status = ob_fail(err, OB_ELIMIT, "%s: the name is too long for a backup", name);
    one.head.rank = sequence_rank(one.head.name);
    if (!status && one.head.rank == RANKS)
        status =
            ob_fail(err, OB_EREFUSED,
                    "%s is no file that Obhut has made: move it out of the data directory", name);
    if (status && file >= 0)
        close(file);
    if (!status)
        m->items[m->count++] = one;
    return status;
}

/* Opens DIR/NAME; `size` is how much of it counts, UINT64_MAX: all that is there now. */
static ob_status add_file(making *m, const char *name, uint64_t size, ob_error *err)
{
    struct stat info;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", m->source->dir, name) >= (int)sizeof path)
        return ob_fail(err, OB_EINVAL, "%s: the path is too long", m->source->dir);
    int file = ob_file_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
    if (file < 0 || ob_file_stat(&info, file) || !S_ISREG(info.st_mode)) {
        ob_status status = ob_fail(err, OB_EIO, "%s cannot be read: %s", path,
                                   file < 0 ? strerror(errno) : "it is no file");
        if (file >= 0)
            close(file);
        return status;
    }
    uint64_t now = (uint64_t)info.st_size;
    if (size != UINT64_MAX && now < size) {
        close(file);
        return ob_fail(err, OB_EIO, "%s is shorter than it was: `obhut audit verify`", path);
    }
    return add_item(m, name, file, size == UINT64_MAX ? now : size, info.st_mode, err);
}

/* What a key has before it is complete. */
static bool is_unfinished(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && !strcmp(name + length - 4, ".new");
}

static ob_status add_keys(making *m, ob_error *err)
{
    char path[4096], name[SEQUENCE_NAME * 4];
    ob_status status = OB_OK;
    if (snprintf(path, sizeof path, "%s/keys", m->source->dir) >= (int)sizeof path)
        return ob_fail(err, OB_EINVAL, "%s: the path is too long", m->source->dir);
    DIR *keys = opendir(path);
    if (!keys)
        return ob_fail(err, OB_EIO, "%s cannot be read: %s", path, strerror(errno));
    for (struct dirent *one; !status && (one = readdir(keys)) != NULL;) {
        if (!strcmp(one->d_name, ".") || !strcmp(one->d_name, "..") || is_unfinished(one->d_name))
            continue;
        snprintf(name, sizeof name, "keys/%s", one->d_name);
        status = add_file(m, name, UINT64_MAX, err);
        if (!status && m->items[m->count - 1].head.size > SEQUENCE_SMALL)
            status = ob_fail(err, OB_EREFUSED, "%s/%s is too large to be a key", path, one->d_name);
    }
    closedir(keys);
    return status;
}

static ob_status add_log(making *m, const ob_audit_extent *extent, ob_error *err)
{
    ob_status status = add_file(m, "audit/key", UINT64_MAX, err);
    if (!status)
        status = add_file(m, "audit/log", extent->log_bytes, err);
    if (!status)
        status = add_file(m, "audit/checkpoints", extent->checkpoint_bytes, err);
    m->about.audit_entries = extent->entries;
    return status;
}

static ob_status add_lists(making *m, ob_error *err)
{
    ob_list_files files = {0};
    ob_status status = ob_list_files_open(&files, m->source->dir, err);
    for (size_t i = 0; i < files.count && !status; i++) {
        char name[SEQUENCE_NAME + 1];
        int file = fcntl(files.file[i].file, F_DUPFD_CLOEXEC, 3);
        snprintf(name, sizeof name, "lists/%s", files.file[i].name);
        status = file < 0 ? ob_fail(err, OB_EIO, "%s cannot be read: %s", name, strerror(errno))
                          : add_item(m, name, file, files.file[i].size, 0600, err);
    }
    ob_list_files_close(&files);
    return status;
}

static void report(making *m, const char *step, uint64_t done, uint64_t total)
{
    enum { OFTEN = 1 << 20 };
    if (m->source->progress && (!done || done - m->reported >= OFTEN)) {
        m->source->progress(m->source->context, step, done, total);
        m->reported = done;
    }
}

static ob_status take_records(void *context, const void *bytes, size_t size, ob_error *err)
{
    making *m = context;
    return spool_put(&m->records, bytes, size, err);
}

/* What belongs together: nothing is recorded while the instant of the records and the extent of the
 * log are fixed, which is brief. The rest is read while everything goes on. */
static ob_status fix_instant(ob_view *view, ob_audit_extent *extent, const making *m, ob_error *err)
{
    int64_t last;
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, m->source->store, err);
    if (status)
        return status;
    status = ob_store_counter(&last, view, OB_COUNTER_LOG_ENTRY, err);
    if (!status)
        status = ob_audit_extent_now(extent, m->source->audit, err);
    return ob_writing_end(w, status, err);
}

static ob_status collect_at_once(making *m, ob_error *err)
{
    ob_audit_extent extent;
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, m->source->store, err);
    if (!status)
        status = fix_instant(view, &extent, m, err);
    m->about.made_at = ob_now();
    if (!status)
        status = add_log(m, &extent, err);
    if (!status)
        status = add_keys(m, err);
    if (!status)
        status = ob_store_dump(view, take_records, m, err);
    ob_view_close(view);
    return status;
}

static ob_status collect(making *m, ob_error *err)
{
    ob_status status = spool_open(&m->records, m->source->dir, err);
    if (!status)
        status = collect_at_once(m, err);
    if (!status)
        status = spool_turn(&m->records, err);
    if (!status && !m->source->without_lists)
        status = add_lists(m, err);
    if (!status)
        status = add_item(m, "records", -1, m->records.size, 0600, err);
    if (!status)
        status = about_print(&m->text, &m->about, err);
    if (!status)
        status = add_item(m, "about", -1, m->text.size, 0600, err);
    if (!status && m->count > SEQUENCE_FILES_MOST)
        status = ob_fail(err, OB_ELIMIT, "%zu files: a backup has at most %d", m->count,
                         SEQUENCE_FILES_MOST);
    if (!status)
        qsort(m->items, m->count, sizeof *m->items, sequence_order);
    return status;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static ob_status put_sealed(void *context, const void *bytes, size_t size, ob_error *err)
{
    making *m = context;
    return ob_seal_add(m->out, bytes, size, err);
}

typedef struct piece {
    char *bytes;
    size_t size;
} piece;

/* Reads the next bytes of an item, at most into->size, and sets that to how many there were; 0
 * where the item is shorter than it was. */
static ob_status read_item(piece *into, making *m, const item *from, uint64_t at, ob_error *err)
{
    if (from->head.rank == RANK_RECORDS)
        return spool_get(&m->records, into->bytes, into->size, &into->size, err);
    if (from->head.rank == RANK_ABOUT) {
        memcpy(into->bytes, m->text.bytes + at, into->size);
        return OB_OK;
    }
    ssize_t now = ob_file_pread(from->file, into->bytes, into->size, (off_t)at);
    into->size = now > 0 ? (size_t)now : 0;
    return now < 0 && errno != EINTR
               ? ob_fail(err, OB_EIO, "%s cannot be read: %s", from->head.name, strerror(errno))
           : now ? OB_OK
                 : ob_fail(err, OB_EIO, "%s became shorter while it was copied", from->head.name);
}

static ob_status copy_item(making *m, const item *from, char *bytes, uint64_t total, ob_error *err)
{
    ob_status status = sequence_put(&from->head, put_sealed, m, err);
    for (uint64_t at = 0; at < from->head.size && !status;) {
        uint64_t left = from->head.size - at;
        piece now = {bytes, left < OB_SEAL_PIECE ? (size_t)left : OB_SEAL_PIECE};
        status = read_item(&now, m, from, at, err);
        if (!status)
            status = ob_seal_add(m->out, now.bytes, now.size, err);
        at += now.size;
        m->done += now.size;
        if (!status)
            report(m, "writing", m->done, total);
    }
    return status;
}

static ob_status write_out(making *m, int file, const ob_seal_public *to, ob_error *err)
{
    uint64_t total = 0;
    char *piece = malloc(OB_SEAL_PIECE);
    ob_status status = piece ? OB_OK : ob_fail(err, OB_ENOMEM, "out of memory: a backup");
    if (!status)
        status = ob_seal_begin(&m->out, &ob_backup_kind, to, stream_write, &file, err);
    for (size_t i = 0; i < m->count; i++)
        total += m->items[i].head.size;
    m->reported = 0;
    for (size_t i = 0; i < m->count && !status; i++)
        status = copy_item(m, &m->items[i], piece, total, err);
    if (!status)
        status = ob_seal_finish(m->out, err);
    m->about.files = m->count - 1; /* without `about`, which describes the others */
    m->about.bytes = total;
    if (piece)
        ob_wipe(piece, OB_SEAL_PIECE);
    free(piece);
    return status;
}

/* ---- All of it ------------------------------------------------------------------------------- */

ob_status ob_backup_make(ob_backup_about *out, int file, const ob_seal_public *to,
                         const ob_backup_source *source, ob_error *err)
{
    making m = {.source = source,
                .about = {.program = OB_VERSION, .has_lists = !source->without_lists},
                .records = {.file = -1}};
    ob_status status = collect(&m, err);
    if (!status)
        status = write_out(&m, file, to, err);
    if (!status)
        *out = m.about;
    for (size_t i = 0; i < m.count; i++)
        if (m.items[i].file >= 0)
            close(m.items[i].file);
    free(m.items);
    ob_buf_free(&m.text);
    ob_seal_drop(m.out);
    spool_close(&m.records);
    return status;
}
