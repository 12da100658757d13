/* The layout of an index in memory, and its entry points. */
#include "index_priv.h"

#include <stdlib.h>

enum { ALIGN = 64 };

static uint64_t aligned(uint64_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

uint64_t ob_index_piece_size(uint64_t count, unsigned piece)
{
    if (piece == 0)
        return 2 * sizeof(ob_index_half) * count;
    if (piece >= OB_INDEX_PIECES || count < OB_INDEX_MIN_WORDS)
        return 0;
    return INDEX_HEAD + INDEX_POSTING * count;
}

uint64_t ob_index_piece_offset(uint64_t count, unsigned piece)
{
    if (piece == 0)
        return 0;
    return aligned(ob_index_piece_size(count, 0)) +
           (piece - 1) * aligned(ob_index_piece_size(count, 1));
}

uint64_t ob_index_size(uint64_t count)
{
    return ob_index_piece_offset(count, OB_INDEX_PIECES);
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
    if ((uintptr_t)memory % ALIGN)
        return ob_fail(err, OB_EINVAL, "an index must start at a multiple of %d bytes", ALIGN);
    return OB_OK;
}

ob_status ob_index_build(void *memory, uint64_t size, const ob_hash256 *hashes, uint64_t count,
                         ob_error *err)
{
    ob_status status = check(memory, size, count, err);
    if (status)
        return status;
    char *bytes = memory;
    ob_index_half *first = memory, *second = first + count;
    const ob_index_half *const half[2] = {first, second};
    for (uint64_t e = 0; e < count; e++)
        ob_index_store(&first[e], &second[e], &hashes[e]);
    uint64_t end = ob_index_piece_size(count, 0);
    for (unsigned piece = 1; piece < OB_INDEX_PIECES && !status; piece++) {
        uint64_t offset = ob_index_piece_offset(count, piece);
        if (!ob_index_piece_size(count, piece))
            break;
        memset(bytes + end, 0, offset - end);
        end = offset + ob_index_piece_size(count, piece);
        status = ob_index_build_piece(bytes + offset, piece, half, count, err);
    }
    memset(bytes + end, 0, size - end);
    return status;
}

ob_status ob_index_open(ob_index *out, const void *memory, uint64_t size, uint64_t count,
                        ob_isa isa, ob_error *err)
{
    ob_status status = check(memory, size, count, err);
    if (status)
        return status;
    *out = ob_index_open_halves(memory, count, count, isa);
    for (unsigned word = 0; word < OB_INDEX_WORDS && count >= OB_INDEX_MIN_WORDS; word++)
        out->words[word] = (const uint8_t *)memory + ob_index_piece_offset(count, word + 1);
    return OB_OK;
}

ob_index ob_index_open_halves(const void *piece0, uint64_t capacity, uint64_t count, ob_isa isa)
{
    const ob_index_half *first = piece0;
    return (ob_index){
        .half = {first, first + capacity}, .count = count, .isa = ob_isa_resolve(isa)};
}

ob_hash256 ob_index_get(const ob_index *index, uint64_t entry)
{
    ob_hash256 stored = index_stored(index, entry);
    return index_unpermute(&stored);
}

const index_kernel *index_kernel_for(ob_isa isa)
{
    switch (ob_isa_resolve(isa)) {
#if OB_HAVE_X86
    case OB_ISA_AVX512:
        return &index_kernel_avx512;
    case OB_ISA_AVX2:
        return &index_kernel_avx2;
#endif
#ifdef __wasm_simd128__
    case OB_ISA_SIMD128:
        return &index_kernel_simd128;
#endif
    default:
        return &index_kernel_portable;
    }
}

ob_status index_damaged(ob_error *err)
{
    return ob_fail(err, OB_EFORMAT, "a damaged index: it is not what was built");
}

/* Queries that are permuted at once without asking for memory. */
enum { FEW = 256 };

static ob_status search_permuted(const ob_index *index, const ob_hash256 *stored, uint32_t number,
                                 uint32_t count, const index_asker *asker)
{
    if (!index->words[0])
        return index_scan(index, stored, number, count, NULL, asker);
    if (count >= INDEX_BATCH_MIN)
        return index_search_batch(index, stored, number, count, asker);
    ob_status status = OB_OK;
    for (uint32_t q = 0; q < count && !status; q++)
        status = index_search_one(index, &stored[q], number + q, asker);
    return status;
}

ob_status ob_index_search(const ob_index *index, const ob_hash256 *queries, uint32_t count,
                          unsigned distance, ob_index_found found, void *context, ob_error *err)
{
    if (distance > OB_INDEX_MAX_DISTANCE)
        return ob_fail(err, OB_EINVAL, "distance %u; at most %d can be asked for", distance,
                       OB_INDEX_MAX_DISTANCE);
    const index_asker asker = {
        .distance = distance, .found = found, .context = context, .err = err};
    ob_hash256 few[FEW], *stored = few;
    uint32_t at_once = FEW;
    if (count > FEW && index->words[0]) { /* without memory it is slower, not wrong */
        ob_hash256 *many =
            malloc((count < INDEX_BATCH_MAX ? count : INDEX_BATCH_MAX) * sizeof *many);
        stored = many ? many : few;
        at_once = many ? INDEX_BATCH_MAX : FEW;
    }
    ob_status status = OB_OK;
    for (uint32_t at = 0; at < count && !status; at += at_once) {
        uint32_t now = count - at < at_once ? count - at : at_once;
        for (uint32_t q = 0; q < now; q++)
            stored[q] = index_permute(&queries[at + q]);
        status = search_permuted(index, stored, at, now, &asker);
    }
    if (stored != few)
        free(stored);
    return status;
}
