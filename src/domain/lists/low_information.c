/* Pictures with nothing in them: their hashes lie close to those of many harmless pictures. */
#include "lists_priv.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    ob_hash256 hash;
} pictures[] = {
#include "low_information.inc"
};

enum { COUNT = sizeof pictures / sizeof *pictures };

ob_status list_screen_init(list_screen *screen, ob_error *err)
{
    ob_hash256 hashes[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        hashes[i] = pictures[i].hash;
    uint64_t size = ob_index_size(COUNT);
    screen->memory = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!screen->memory)
        return ob_fail(err, OB_ENOMEM, "out of memory: hashes of pictures with nothing in them");
    ob_status status = ob_index_build(screen->memory, size, hashes, COUNT, err);
    if (!status)
        status = ob_index_open(&screen->index, screen->memory, size, COUNT, OB_ISA_AUTO, err);
    return status;
}

static ob_status note(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    (void)entry;
    (void)distance;
    ((bool *)context)[query] = true;
    return OB_OK;
}

ob_status list_screen_all(bool *near, const list_screen *screen, const ob_hash256 *hashes,
                          uint32_t count, ob_error *err)
{
    memset(near, 0, count * sizeof *near);
    return ob_index_search(&screen->index, hashes, count, OB_INDEX_MAX_DISTANCE, note, near, err);
}

static ob_status remember(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    (void)query;
    (void)distance;
    *(const char **)context = pictures[entry].name;
    return OB_OK;
}

const char *list_screen_name(const list_screen *screen, const ob_hash256 *hash)
{
    const char *name = NULL;
    ob_index_search(&screen->index, hash, 1, OB_INDEX_MAX_DISTANCE, remember, &name, NULL);
    return name;
}

void list_screen_free(list_screen *screen)
{
    free(screen->memory);
    screen->memory = NULL;
}
