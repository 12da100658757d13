/* Any bytes as a list file. The checksums are put right first: they stop accidents, not attackers.
 */
#include "listfile_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static ob_status look_at(void *context, uint32_t query, uint64_t at, unsigned distance)
{
    (void)query;
    (void)distance;
    char id[OB_LIST_ID_MAX + 1];
    uint64_t entry;
    if (obx_hash_entry(&entry, context, at, NULL))
        return OB_OK;
    if (!obx_id(id, NULL, context, entry, NULL) && strlen(id) > OB_LIST_ID_MAX)
        abort();
    return obx_attribute_of(context, entry) ? OB_OK : OB_EIO;
}

static void look_for_digests(const obx *file)
{
    const uint8_t wanted[OB_LIST_DIGEST_MAX] = {0};
    for (int k = 0; k < DIGEST_KINDS; k++) {
        uint64_t first, found, entry;
        if (!file->digests[k].count)
            continue;
        ob_digest_set_find(&first, &found, &file->digests[k], wanted, 1);
        for (uint64_t i = 0; i < found; i++)
            if (!obx_digest_entry(&entry, file, k, first + i, NULL) && entry >= file->info.entries)
                abort();
    }
}

/* Puts the checksums right. */
static void reseal(uint8_t *bytes, size_t size)
{
    obx_header header;
    if (size < sizeof header)
        return;
    memcpy(&header, bytes, sizeof header);
    uint64_t covered = sizeof header + (uint64_t)header.sections * sizeof(obx_section);
    memset(bytes + offsetof(obx_header, sha256), 0, OB_SHA256_SIZE);
    if (header.sections > OBX_SECTIONS_MAX || covered > size)
        return;
    for (uint32_t i = 0; i < header.sections; i++) {
        obx_section section;
        uint8_t *at = bytes + sizeof header + i * sizeof section;
        memcpy(&section, at, sizeof section);
        if (section.offset <= size && section.size <= size - section.offset)
            ob_sha256(section.sha256, bytes + section.offset, section.size, NULL);
        memcpy(at, &section, sizeof section);
    }
    ob_sha256(header.sha256, bytes, covered, NULL);
    memcpy(bytes + offsetof(obx_header, sha256), header.sha256, OB_SHA256_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = aligned_alloc(4096, (size + 4096) / 4096 * 4096);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    reseal(copy, size);
    obx file;
    ob_error err = {0};
    if (!obx_view(&file, copy, size, &err)) {
        ob_hash256 queries[2] = {{{0}}};
        if (file.index.count)
            queries[1] = ob_index_get(&file.index, file.index.count - 1);
        ob_status status = ob_index_search(&file.index, queries, 2, 31, look_at, &file, NULL);
        if (status && status != OB_EFORMAT)
            abort();
        look_for_digests(&file);
        obx_drop(&file);
    } else if (!err.text[0]) {
        abort();
    }
    free(copy);
    return 0;
}
