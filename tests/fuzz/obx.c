/* Any bytes as a list file. The checksum of the header is put right first: it stops accidents, not
 * attackers. */
#include "lists_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static ob_status look_at(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    (void)query;
    (void)distance;
    char id[OB_LIST_ID_MAX + 1];
    if (!obx_id(id, context, entry, NULL) && strlen(id) > OB_LIST_ID_MAX)
        abort();
    return obx_attribute_of(context, entry) ? OB_OK : OB_EIO;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = aligned_alloc(4096, (size + 4096) / 4096 * 4096);
    obx_header header;
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    if (size >= sizeof header) {
        memcpy(&header, copy, sizeof header);
        uint64_t covered = sizeof header + (uint64_t)header.sections * sizeof(obx_section);
        memset(copy + offsetof(obx_header, sha256), 0, OB_SHA256_SIZE);
        if (header.sections <= OBX_SECTIONS_MAX && covered <= size)
            ob_sha256(header.sha256, copy, covered, NULL);
        memcpy(copy + offsetof(obx_header, sha256), header.sha256, OB_SHA256_SIZE);
    }
    obx file;
    ob_error err = {0};
    if (!obx_view(&file, copy, size, &err)) {
        ob_hash256 queries[2] = {{{0}}};
        if (file.info.entries)
            queries[1] = ob_index_get(&file.index, file.info.entries - 1);
        if (ob_index_search(&file.index, queries, 2, 31, look_at, &file, NULL))
            abort();
        obx_check(&file, NULL);
        obx_drop(&file);
    } else if (!err.text[0]) {
        abort();
    }
    free(copy);
    return 0;
}
