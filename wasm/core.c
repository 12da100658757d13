/* What WebAssembly needs besides the public functions of base, hash and index, which are exported as
 * they are: a search that keeps what it found, for callers that cannot be called back. */
#include <obhut/index.h>

typedef struct core_match {
    uint32_t query, entry, distance;
} core_match;

typedef struct core_matches {
    core_match *match;
    uint32_t capacity, count;
} core_matches;

/* Fills match[0..capacity) and sets *total to how many matches there are. */
ob_status core_search(uint32_t *total, core_match *match, uint32_t capacity, const void *memory,
                      uint32_t entries, const ob_hash256 *queries, uint32_t count,
                      uint32_t distance, ob_error *err);

static ob_status keep(void *context, uint32_t query, uint64_t entry, unsigned distance)
{
    core_matches *m = context;
    if (m->count < m->capacity)
        m->match[m->count] = (core_match){query, (uint32_t)entry, distance};
    m->count++;
    return OB_OK;
}

ob_status core_search(uint32_t *total, core_match *match, uint32_t capacity, const void *memory,
                      uint32_t entries, const ob_hash256 *queries, uint32_t count,
                      uint32_t distance, ob_error *err)
{
    core_matches m = {.match = match, .capacity = capacity};
    ob_index index;
    ob_status status =
        ob_index_open(&index, memory, ob_index_size(entries), entries, OB_ISA_AUTO, err);
    if (!status)
        status = ob_index_search(&index, queries, count, distance, keep, &m, err);
    if (!status)
        *total = m.count;
    return status;
}
