/* Writing of .obx files: under a temporary name, durable before it takes its place. */
#include "lists_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

typedef struct writer {
    int file;
    const char *path;
    uint64_t offset;
    obx_header header;
    obx_section sections[OBX_SECTIONS_MAX];
    ob_error *err;
} writer;

static ob_status write_all(writer *w, const void *bytes, uint64_t size, uint64_t offset)
{
    const char *from = bytes;
    while (size) {
        ssize_t done = pwrite(w->file, from, size < (1u << 30) ? size : 1u << 30, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ob_fail(w->err, OB_EIO, "%s cannot be written: %s", w->path,
                           done ? strerror(errno) : "nothing was taken");
        from += done;
        offset += (uint64_t)done;
        size -= (uint64_t)done;
    }
    return OB_OK;
}

static ob_status add_section(writer *w, obx_kind kind, const void *bytes, uint64_t size)
{
    obx_section *section = &w->sections[w->header.sections++];
    *section = (obx_section){.kind = (uint32_t)kind, .offset = w->offset, .size = size};
    ob_status status = ob_sha256(section->sha256, bytes, size, w->err);
    if (!status)
        status = write_all(w, bytes, size, w->offset);
    w->offset = (w->offset + size + OBX_ALIGN - 1) / OBX_ALIGN * OBX_ALIGN;
    return status;
}

static ob_status add_meta(writer *w, const ob_list_info *info, const entries *entries)
{
    json_t *meta = json_object(), *attributes = json_array();
    for (size_t i = 1; i < entries->attribute_count; i++)
        json_array_append_new(attributes, json_pack("[s, s]", entries->attributes[i].source,
                                                    entries->attributes[i].classification));
    json_object_set_new(meta, "purpose", json_string(info->purpose));
    json_object_set_new(meta, "source", json_string(info->source));
    json_object_set_new(meta, "imported_at", json_integer(info->imported_at));
    json_object_set_new(meta, "attributes", attributes);
    char *text = meta ? json_dumps(meta, JSON_COMPACT) : NULL;
    json_decref(meta);
    ob_status status = text ? add_section(w, OBX_META, text, strlen(text))
                            : ob_fail(w->err, OB_ENOMEM, "out of memory: a list's description");
    free(text);
    return status;
}

static ob_status add_hashes(writer *w, const entries *entries)
{
    uint64_t size = ob_index_size(entries->count);
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!memory)
        return ob_fail(w->err, OB_ENOMEM, "out of memory: an index of %llu entries",
                       (unsigned long long)entries->count);
    ob_status status = ob_index_build(memory, size, entries->hashes, entries->count, w->err);
    if (!status)
        status = add_section(w, OBX_HASHES, memory, size);
    free(memory);
    return status;
}

static ob_status add_everything(writer *w, const ob_list_info *info, const entries *entries)
{
    uint64_t n = entries->count;
    ob_status status = add_meta(w, info, entries);
    if (!status)
        status = add_hashes(w, entries);
    if (!status)
        status = add_section(w, OBX_LINES, entries->lines, n * sizeof *entries->lines);
    if (!status && entries->id_ends)
        status = add_section(w, OBX_ID_ENDS, entries->id_ends, n * sizeof *entries->id_ends);
    if (!status && entries->id_ends)
        status = add_section(w, OBX_IDS, entries->ids.bytes, entries->ids.size);
    if (!status && entries->attributes_of)
        status = add_section(w, OBX_ATTRIBUTES, entries->attributes_of,
                             n * sizeof *entries->attributes_of);
    if (status)
        return status;

    memcpy(w->header.magic, OBX_MAGIC, sizeof w->header.magic);
    w->header.version = OBX_VERSION;
    w->header.entries = n;
    w->header.file_size = w->offset;
    struct {
        obx_header header;
        obx_section sections[OBX_SECTIONS_MAX];
    } start = {.header = w->header};
    memcpy(start.sections, w->sections, sizeof w->sections);
    size_t size = sizeof start.header + w->header.sections * sizeof *w->sections;
    status = ob_sha256(start.header.sha256, &start, size, w->err);
    if (!status)
        status = write_all(w, &start, size, 0);
    if (!status && ftruncate(w->file, (off_t)w->offset))
        status = ob_fail(w->err, OB_EIO, "%s cannot be written: %s", w->path, strerror(errno));
    if (!status && fsync(w->file))
        status = ob_fail(w->err, OB_EIO, "%s cannot be made durable: %s", w->path, strerror(errno));
    return status;
}

ob_status obx_write(const char *dir, const char *name, bool enabled, const ob_list_info *info,
                    const entries *entries, ob_error *err)
{
    _Static_assert(sizeof(obx_header) == 64 && sizeof(obx_section) == 56, "laid out as documented");
    writer w = {.file = -1, .offset = OBX_ALIGN, .err = err};
    char *temporary = NULL, *path = NULL;
    ob_status status = list_path(&path, dir, name, enabled, err);
    if (!status && asprintf(&temporary, "%s/lists/.%s.%d.tmp", dir, name, (int)getpid()) < 0) {
        temporary = NULL;
        status = ob_fail(err, OB_ENOMEM, "out of memory: a path");
    }
    if (status)
        goto out;
    w.path = temporary;
    w.file = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w.file < 0)
        status = ob_fail(err, OB_EIO, "%s cannot be made: %s", temporary, strerror(errno));
    if (!status)
        status = add_everything(&w, info, entries);
    if (w.file >= 0)
        close(w.file);
    if (!status && rename(temporary, path))
        status = ob_fail(err, OB_EIO, "%s cannot be put in place: %s", path, strerror(errno));
    if (status && w.file >= 0)
        unlink(temporary);
    if (!status)
        status = list_sync_dir(dir, err);
out:
    free(temporary);
    free(path);
    return status;
}
