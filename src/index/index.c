#include "index_priv.h"

#include <string.h>

uint64_t ob_index_size(uint64_t count)
{
    return 2 * sizeof(ob_index_half) * count;
}

static ob_status check(const void *memory, uint64_t size, uint64_t count, ob_error *err)
{
    if (count > OB_INDEX_MAX_COUNT)
        return ob_fail(err, OB_ELIMIT, "an index of %llu entries; at most %llu are possible",
                       (unsigned long long)count, (unsigned long long)OB_INDEX_MAX_COUNT);
    if (size != ob_index_size(count))
        return ob_fail(err, OB_EFORMAT, "an index of %llu entries takes %llu bytes, not %llu",
                       (unsigned long long)count, (unsigned long long)ob_index_size(count),
                       (unsigned long long)size);
    if ((uintptr_t)memory % 64)
        return ob_fail(err, OB_EINVAL, "an index must start at a multiple of 64 bytes");
    return OB_OK;
}

ob_status ob_index_build(void *memory, uint64_t size, const ob_hash256 *hashes, uint64_t count,
                         ob_error *err)
{
    ob_status status = check(memory, size, count, err);
    if (status)
        return status;
    ob_index_half *first = memory, *second = first + count;
    for (uint64_t e = 0; e < count; e++) {
        ob_hash256 stored = index_permute(&hashes[e]);
        memcpy(&first[e], &stored.q[0], sizeof first[e]);
        memcpy(&second[e], &stored.q[2], sizeof second[e]);
    }
    return OB_OK;
}

ob_status ob_index_open(ob_index *out, const void *memory, uint64_t size, uint64_t count,
                        ob_isa isa, ob_error *err)
{
    ob_status status = check(memory, size, count, err);
    if (status)
        return status;
    const ob_index_half *first = memory;
    *out = (ob_index){.half = {first, first + count}, .count = count, .isa = ob_isa_resolve(isa)};
    return OB_OK;
}

ob_hash256 ob_index_get(const ob_index *index, uint64_t entry)
{
    ob_hash256 stored;
    memcpy(&stored.q[0], &index->half[0][entry], sizeof index->half[0][entry]);
    memcpy(&stored.q[2], &index->half[1][entry], sizeof index->half[1][entry]);
    return index_unpermute(&stored);
}

ob_status ob_index_search(const ob_index *index, const ob_hash256 *queries, uint32_t count,
                          unsigned distance, ob_index_found found, void *context, ob_error *err)
{
    if (distance > OB_INDEX_MAX_DISTANCE)
        return ob_fail(err, OB_EINVAL, "distance %u; at most %d can be asked for", distance,
                       OB_INDEX_MAX_DISTANCE);
    return index_scan(index, queries, count, distance, found, context);
}
