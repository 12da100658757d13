/* Reading of .obx files. Bytes are hostile until checked: every bound is compared before it is
 * used, and what is looked up later (ids, attributes) is compared again then. */
#include "listfile_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

static ob_status damaged(ob_error *err, const char *what)
{
    return ob_fail(err, OB_EFORMAT, "damaged list file: %s", what);
}

/* ---- Header and sections --------------------------------------------------------------------- */

static ob_status check_header(obx_header *out, const uint8_t *bytes, uint64_t size, ob_error *err)
{
    if (size < sizeof *out)
        return damaged(err, "shorter than a header");
    memcpy(out, bytes, sizeof *out);
    if (memcmp(out->magic, OBX_MAGIC, sizeof out->magic))
        return ob_fail(err, OB_EFORMAT, "not a list file (.obx)");
    if (out->version != OBX_VERSION)
        return ob_fail(err, OB_EFORMAT, "list file of version %u; this obhut reads version %d",
                       out->version, OBX_VERSION);
    if (out->file_size != size)
        return ob_fail(err, OB_EFORMAT, "damaged list file: %llu bytes where it says %llu",
                       (unsigned long long)size, (unsigned long long)out->file_size);
    if (out->sections > OBX_SECTIONS_MAX ||
        size - sizeof *out < out->sections * sizeof(obx_section))
        return damaged(err, "an impossible number of sections");
    if (out->entries > OB_INDEX_MAX_COUNT)
        return damaged(err, "an impossible number of entries");

    size_t table = out->sections * sizeof(obx_section);
    uint8_t sum[OB_SHA256_SIZE], covered[sizeof *out + OBX_SECTIONS_MAX * sizeof(obx_section)];
    memcpy(covered, bytes, sizeof *out + table);
    memset(covered + offsetof(obx_header, sha256), 0, OB_SHA256_SIZE);
    ob_status status = ob_sha256(sum, covered, sizeof *out + table, err);
    if (!status && memcmp(sum, out->sha256, sizeof sum))
        status = damaged(err, "the header's checksum");
    return status;
}

static obx_section section_at(const uint8_t *bytes, uint32_t number)
{
    obx_section section;
    memcpy(&section, bytes + sizeof(obx_header) + number * sizeof section, sizeof section);
    return section;
}

/* Sections follow each other, without overlap. */
static ob_status check_sections(const obx *file, uint32_t sections, ob_error *err)
{
    uint64_t at = sizeof(obx_header) + sections * sizeof(obx_section);
    for (uint32_t i = 0; i < sections; i++) {
        obx_section section = section_at(file->bytes, i);
        if (section.zero || section.offset % OBX_ALIGN || section.offset < at ||
            section.offset > file->size || section.size > file->size - section.offset)
            return damaged(err, "a section outside of its place");
        at = section.offset + section.size;
    }
    return OB_OK;
}

/* Sets *out to the section's bytes, or NULL where the file has none of this kind. */
static ob_status find_section(const uint8_t **out, uint64_t *size, const obx *file,
                              uint32_t sections, int kind, ob_error *err)
{
    *out = NULL;
    *size = 0;
    for (uint32_t i = 0; i < sections; i++) {
        obx_section section = section_at(file->bytes, i);
        if (section.kind != (uint32_t)kind)
            continue;
        if (*out)
            return damaged(err, "the same section twice");
        *out = file->bytes + section.offset;
        *size = section.size;
    }
    return OB_OK;
}

/* A section of `count` times `each` bytes. */
typedef struct column {
    uint32_t kind;
    uint64_t count, each;
} column;

/* Sets *out to a column; NULL where the file does not have it. */
static ob_status find_column(const void **out, const obx *file, uint32_t sections, column is,
                             ob_error *err)
{
    const uint8_t *bytes;
    uint64_t size;
    ob_status status = find_section(&bytes, &size, file, sections, (int)is.kind, err);
    if (!status && bytes && (is.count > OB_INDEX_MAX_COUNT || size != is.each * is.count))
        status = damaged(err, "a section of the wrong size");
    if (!status)
        *out = bytes;
    return status;
}

/* ---- META ------------------------------------------------------------------------------------ */

static ob_status take_text(char *out, size_t capacity, const json_t *value, const char *name,
                           ob_error *err)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) >= capacity)
        return ob_fail(err, OB_EFORMAT, "damaged list file: no usable \"%s\"", name);
    memcpy(out, text, strlen(text) + 1);
    return OB_OK;
}

static ob_status take_attributes(obx *file, const json_t *array, ob_error *err)
{
    size_t count = json_array_size(array);
    if (count > OBX_ATTRIBUTES_MAX)
        return damaged(err, "too many sources");
    file->attributes = calloc(count + 1, sizeof *file->attributes);
    if (!file->attributes)
        return ob_fail(err, OB_ENOMEM, "out of memory: sources of a list");
    file->attribute_count = count + 1;
    memcpy(file->attributes[0].source, file->info.source, sizeof file->info.source);
    ob_status status = OB_OK;
    for (size_t i = 0; i < count && !status; i++) {
        const json_t *pair = json_array_get(array, i);
        obx_attribute *to = &file->attributes[i + 1];
        status = take_text(to->source, sizeof to->source, json_array_get(pair, 0), "source", err);
        if (!status)
            status = take_text(to->classification, sizeof to->classification,
                               json_array_get(pair, 1), "classification", err);
        if (!status && !to->source[0])
            memcpy(to->source, file->info.source, sizeof file->info.source);
    }
    return status;
}

/* A number that is not there is 0. */
static uint64_t number_in(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

typedef struct counts {
    uint64_t hashes, digests[DIGEST_KINDS];
} counts;

static ob_status take_meta(counts *out, obx *file, const uint8_t *bytes, uint64_t size,
                           ob_error *err)
{
    json_error_t where;
    json_t *meta =
        bytes ? json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, &where) : NULL;
    if (!json_is_object(meta)) {
        json_decref(meta);
        return damaged(err, "its description");
    }
    ob_list_info *info = &file->info;
    ob_status status = take_text(info->purpose, sizeof info->purpose,
                                 json_object_get(meta, "purpose"), "purpose", err);
    if (!status && strcmp(info->purpose, OB_LIST_PURPOSE_CSAM))
        status = ob_fail(err, OB_EREFUSED, "a list for the purpose \"%s\"; the only one is \"%s\"",
                         info->purpose, OB_LIST_PURPOSE_CSAM);
    if (!status)
        status = take_text(info->source, sizeof info->source, json_object_get(meta, "source"),
                           "source", err);
    if (!status)
        status = take_attributes(file, json_object_get(meta, "attributes"), err);
    info->imported_at = json_integer_value(json_object_get(meta, "imported_at"));
    file->journal = number_in(meta, "journal");
    file->has_state = json_is_true(json_object_get(meta, "state"));
    out->hashes = number_in(meta, "hashes");
    for (int k = 0; k < DIGEST_KINDS; k++)
        out->digests[k] = number_in(json_object_get(meta, "digests"), list_digest_kinds[k].name);
    json_decref(meta);
    return status;
}

/* ---- The file -------------------------------------------------------------------------------- */

static ob_status take_index(obx *file, uint32_t sections, uint64_t count, ob_error *err)
{
    const uint8_t *bytes;
    uint64_t size;
    const void *entries = NULL;
    ob_status status = find_section(&bytes, &size, file, sections, OBX_INDEX, err);
    if (!status && !bytes)
        status = damaged(err, "no index");
    if (!status)
        status = ob_index_open(&file->index, bytes, size, count, OB_ISA_AUTO, err);
    if (!status)
        status = find_column(&entries, file, sections, (column){OBX_HASH_ENTRIES, count, 4}, err);
    if (!status && !entries && count > file->info.entries)
        status = damaged(err, "more hashes than entries");
    if (status)
        return status;
    file->hash_entries = entries;
    file->index_offset = (uint64_t)(bytes - file->bytes);
    file->index_size = size;
    return OB_OK;
}

static ob_status take_digests(obx *file, uint32_t sections, int kind, uint64_t count, ob_error *err)
{
    const uint8_t *bytes;
    uint64_t size;
    const void *entries = NULL;
    unsigned width = list_digest_kinds[kind].width;
    ob_status status =
        find_section(&bytes, &size, file, sections, list_digest_kinds[kind].section, err);
    if (!status && !bytes != !count)
        status = damaged(err, "digests that are not there");
    if (status || !count)
        return status;
    status = ob_digest_set_open(&file->digests[kind], bytes, size, count, width, err);
    if (!status)
        status = find_column(&entries, file, sections,
                             (column){list_digest_kinds[kind].entries, count, 4}, err);
    if (!status && !entries)
        status = damaged(err, "digests without entries");
    file->digest_entries[kind] = entries;
    return status;
}

static ob_status take_columns(obx *file, uint32_t sections, ob_error *err)
{
    uint64_t n = file->info.entries;
    const uint8_t *ids = NULL;
    const void *lines = NULL, *id_ends = NULL, *attributes_of = NULL;
    ob_status status = find_column(&lines, file, sections, (column){OBX_LINES, n, 4}, err);
    if (!status)
        status = find_column(&id_ends, file, sections, (column){OBX_ID_ENDS, n, 8}, err);
    if (!status)
        status = find_section(&ids, &file->ids_size, file, sections, OBX_IDS, err);
    if (!status)
        status = find_column(&attributes_of, file, sections, (column){OBX_ATTRIBUTES, n, 2}, err);
    if (!status && !lines)
        status = damaged(err, "no line numbers");
    file->lines = lines;
    file->id_ends = id_ends;
    file->ids = (const char *)ids;
    file->attributes_of = attributes_of;
    return status;
}

/* Everything but the sums: whatever the bytes are, what is looked up later stays within them. */
static ob_status view(obx *out, const uint8_t *bytes, uint64_t size, ob_error *err)
{
    obx file = {.bytes = bytes, .size = size};
    obx_header header;
    const uint8_t *meta = NULL;
    uint64_t meta_size = 0;
    counts counts = {0};
    ob_status status = check_header(&header, bytes, size, err);
    uint32_t n = status ? 0 : header.sections;
    if (!status) {
        file.info.entries = header.entries;
        file.info.size_bytes = size;
        memcpy(file.sum, header.sha256, sizeof file.sum);
        status = check_sections(&file, n, err);
    }
    if (!status)
        status = find_section(&meta, &meta_size, &file, n, OBX_META, err);
    if (!status)
        status = take_meta(&counts, &file, meta, meta_size, err);
    if (!status)
        status = take_index(&file, n, counts.hashes, err);
    for (int k = 0; k < DIGEST_KINDS && !status; k++)
        status = take_digests(&file, n, k, counts.digests[k], err);
    if (!status)
        status = take_columns(&file, n, err);
    if (status)
        obx_drop(&file);
    else
        *out = file;
    return status;
}

ob_status obx_view(obx *out, const uint8_t *bytes, uint64_t size, ob_error *err)
{
    obx file;
    ob_status status = view(&file, bytes, size, err);
    if (!status && size <= OBX_READ_AT_ONCE) {
        status = obx_check(&file, err);
        if (status)
            obx_drop(&file);
    }
    if (!status)
        *out = file;
    return status;
}

void obx_drop(obx *file)
{
    free(file->attributes);
    file->attributes = NULL;
}

static bool is_zero(const uint8_t *bytes, uint64_t from, uint64_t to)
{
    while (from < to && !bytes[from])
        from++;
    return from >= to;
}

static ob_status check_section(const obx_section *section, const uint8_t *bytes, uint64_t from,
                               ob_error *err)
{
    uint8_t sum[OB_SHA256_SIZE];
    ob_status status = ob_sha256(sum, bytes + section->offset, section->size, err);
    if (!status &&
        (memcmp(sum, section->sha256, sizeof sum) != 0 || !is_zero(bytes, from, section->offset)))
        status = ob_fail(err, OB_EFORMAT,
                         "damaged list file: bytes %llu to %llu are not those that were written",
                         (unsigned long long)from,
                         (unsigned long long)(section->offset + section->size));
    return status;
}

ob_status obx_problem(const obx *file, ob_error *err)
{
    return file->mapping ? mapping_problem(file->mapping, err) : OB_OK;
}

ob_status obx_check(const obx *file, ob_error *err)
{
    const uint8_t *bytes = file->mapping ? mapping_source(file->mapping) : file->bytes;
    obx_header header;
    if (file->mapping && !mapping_is_copy(file->mapping))
        madvise((void *)(uintptr_t)bytes, file->size, MADV_SEQUENTIAL);
    ob_status status = check_header(&header, bytes, file->size, err);
    uint64_t at = sizeof header + header.sections * sizeof(obx_section);
    for (uint32_t i = 0; i < header.sections && !status; i++) {
        const obx_section section = section_at(bytes, i);
        status = check_section(&section, bytes, at, err);
        at = section.offset + section.size;
    }
    if (!status && !is_zero(bytes, at, file->size))
        status = damaged(err, "something behind the last section");
    const ob_status problem = obx_problem(file, err); /* which says more */
    if (problem)
        return problem;
    if (file->mapping && !status)
        mapping_show(file->mapping);
    return status;
}

/* Sets *done where the file has sums of its blocks, and each is checked before it is read from now
 * on. What is not among these blocks is checked here, with what was read already. */
static ob_status check_by_parts(bool *done, const obx *file, ob_error *err)
{
    obx_header header;
    memcpy(&header, file->bytes, sizeof header);
    const obx_section last =
        header.sections ? section_at(file->bytes, header.sections - 1) : (obx_section){.kind = 0};
    const uint64_t blocks = (last.offset + OBX_BLOCK - 1) / OBX_BLOCK;
    *done = false;
    if (last.kind != OBX_SUMS || last.size != blocks * OB_SHA256_SIZE)
        return OB_OK;
    ob_status status = check_section(&last, file->bytes, last.offset, err);
    if (!status && !is_zero(file->bytes, last.offset + last.size, file->size))
        status = damaged(err, "something behind the last section");
    uint64_t at = sizeof header + header.sections * sizeof(obx_section);
    if (!status && !is_zero(file->bytes, at, OBX_ALIGN))
        status = damaged(err, "something behind the header");
    for (uint32_t i = 0; i < header.sections && !status; i++) {
        const obx_section section = section_at(file->bytes, i);
        if (section.kind == OBX_META)
            status = check_section(&section, file->bytes, section.offset, err);
    }
    if (!status)
        *done = mapping_hide(file->mapping, file->bytes + last.offset, last.offset);
    return status;
}

ob_status obx_open(obx *out, const char *path, uint64_t at_once, ob_error *err)
{
    const ob_file_rule rule = {.most = OBX_SIZE_MOST, .forbidden = 0022};
    struct stat info;
    int file = -1;
    obx made = {.bytes = NULL};
    mapping *mapped = NULL;
    bool by_parts = false;
    ob_status status = ob_file_open_regular(&file, &info, path, O_RDONLY, &rule, err);
    if (status)
        return status;
    const uint64_t size = (uint64_t)info.st_size;
    if (!size)
        status = ob_fail(err, OB_EFORMAT, "%s: not a list file (.obx)", path);
    else if (size <= at_once)
        status = mapping_copy(&mapped, file, size, path, err);
    if (size > at_once || status == OB_ENOMEM)
        status = mapping_open(&mapped, file, size, path, err);
    close(file);
    if (status)
        return status;
    status = view(&made, mapping_bytes(mapped), size, err);
    made.mapping = mapped;
    if (!status && size > at_once)
        status = check_by_parts(&by_parts, &made, err);
    if (!status && !by_parts)
        status = obx_check(&made, err);
    if (status) {
        obx_drop(&made);
        mapping_close(mapped);
        return ob_fail_in(err, status, "%s", path);
    }
    made.written = info.st_mtim;
    made.device = info.st_dev;
    made.inode = info.st_ino;
    *out = made;
    return OB_OK;
}

void obx_close(obx *file)
{
    mapping_close(file->mapping);
    obx_drop(file);
    *file = (obx){.bytes = NULL};
}

ob_status obx_hash_entry(uint64_t *out, const obx *file, uint64_t position, ob_error *err)
{
    *out = file->hash_entries ? file->hash_entries[position] : position;
    return *out < file->info.entries ? OB_OK : damaged(err, "an entry that is not there");
}

ob_status obx_digest_entry(uint64_t *out, const obx *file, int kind, uint64_t position,
                           ob_error *err)
{
    *out = file->digest_entries[kind][position];
    return *out < file->info.entries ? OB_OK : damaged(err, "an entry that is not there");
}

ob_status obx_id(char out[OB_LIST_ID_MAX + 1], bool *own, const obx *file, uint64_t entry,
                 ob_error *err)
{
    uint64_t from = 0, to = 0;
    if (file->id_ends) {
        from = entry ? file->id_ends[entry - 1] : 0;
        to = file->id_ends[entry];
        if (from > to || to > file->ids_size || to - from > OB_LIST_ID_MAX)
            return damaged(err, "an entry's id");
    }
    if (own)
        *own = from < to;
    if (from < to) {
        memcpy(out, file->ids + from, to - from);
        out[to - from] = '\0';
    } else {
        snprintf(out, OB_LIST_ID_MAX + 1, "%u", file->lines[entry]);
    }
    return OB_OK;
}

const obx_attribute *obx_attribute_of(const obx *file, uint64_t entry)
{
    uint16_t number = file->attributes_of ? file->attributes_of[entry] : 0;
    return &file->attributes[number < file->attribute_count ? number : 0];
}
