/* The definition of a search: every entry is compared with every query. */
#include <obhut/index.h>

uint64_t ob_index_size(uint64_t count)
{
    return 4 * sizeof(uint64_t) * ((count + 7) & ~UINT64_C(7));
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
    uint64_t *planes = memory;
    uint64_t stride = (count + 7) & ~UINT64_C(7);
    for (uint64_t e = 0; e < stride; e++)
        for (uint64_t w = 0; w < 4; w++)
            planes[w * stride + e] = e < count ? hashes[e].q[w] : 0;
    return OB_OK;
}

ob_status ob_index_open(ob_index *out, const void *memory, uint64_t size, uint64_t count,
                        ob_isa isa, ob_error *err)
{
    ob_status status = check(memory, size, count, err);
    if (status)
        return status;
    *out = (ob_index){.planes = memory,
                      .count = count,
                      .stride = (count + 7) & ~UINT64_C(7),
                      .isa = ob_isa_resolve(isa)};
    return OB_OK;
}

ob_hash256 ob_index_get(const ob_index *index, uint64_t entry)
{
    ob_hash256 hash;
    for (uint64_t w = 0; w < 4; w++)
        hash.q[w] = index->planes[w * index->stride + entry];
    return hash;
}

ob_status ob_index_search(const ob_index *index, const ob_hash256 *queries, uint32_t count,
                          unsigned distance, ob_index_found found, void *context, ob_error *err)
{
    if (distance > OB_INDEX_MAX_DISTANCE)
        return ob_fail(err, OB_EINVAL, "distance %u; at most %d can be asked for", distance,
                       OB_INDEX_MAX_DISTANCE);
    for (uint32_t q = 0; q < count; q++)
        for (uint64_t e = 0; e < index->count; e++) {
            ob_hash256 hash = ob_index_get(index, e);
            unsigned d = ob_hash256_distance(&hash, &queries[q]);
            if (d > distance)
                continue;
            ob_status status = found(context, q, e, d);
            if (status)
                return status;
        }
    return OB_OK;
}
