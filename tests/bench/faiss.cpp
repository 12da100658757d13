// FAISS behind a C interface, on one thread.
#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHash.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <omp.h>

#include <cstdint>

extern "C" {
void *faiss_flat_new(const void *hashes, uint64_t count);
void *faiss_multi_hash_new(const void *hashes, uint64_t count);
uint64_t faiss_search(void *index, const void *queries, uint64_t count, int distance);
void faiss_free(void *index);
}

void *faiss_flat_new(const void *hashes, uint64_t count)
{
    omp_set_num_threads(1);
    faiss::IndexBinary *index = new faiss::IndexBinaryFlat(256);
    index->add(static_cast<faiss::IndexBinary::idx_t>(count),
               static_cast<const uint8_t *>(hashes));
    return index;
}

void *faiss_multi_hash_new(const void *hashes, uint64_t count)
{
    omp_set_num_threads(1);
    auto *hash = new faiss::IndexBinaryMultiHash(256, 16, 16);
    hash->nflip = 1;
    faiss::IndexBinary *index = hash;
    index->add(static_cast<faiss::IndexBinary::idx_t>(count),
               static_cast<const uint8_t *>(hashes));
    return index;
}

uint64_t faiss_search(void *index, const void *queries, uint64_t count, int distance)
{
    faiss::RangeSearchResult result(count);
    static_cast<faiss::IndexBinary *>(index)->range_search(
        static_cast<faiss::IndexBinary::idx_t>(count), static_cast<const uint8_t *>(queries),
        distance + 1, &result);
    return result.lims[count];
}

void faiss_free(void *index)
{
    delete static_cast<faiss::IndexBinary *>(index);
}
