/* index: which of many hashes lie within a distance of a query: exactly, always all of them. And
 * which digests are in a set.
 *
 * Works on memory that it is given; threads and files belong to the caller. Entries are numbered
 * from 0 in the order in which they were given. What a build writes depends on the entries only
 * and can be stored and opened elsewhere; whatever stands in opened memory, a search never leaves
 * it. */
#ifndef OBHUT_INDEX_H
#define OBHUT_INDEX_H

#include <obhut/base.h>

/* The largest distance that can be asked for. */
enum { OB_INDEX_MAX_DISTANCE = 31 };

/* At most this many entries in one index. */
#define OB_INDEX_MAX_COUNT (UINT64_C(1) << 31)

/* ---- Layout ---------------------------------------------------------------------------------- */

/* Half a stored hash. */
typedef struct ob_index_half {
    uint64_t q[2];
} ob_index_half;

/* An index is one block of memory, 64-byte aligned, that consists of pieces: piece 0 the hashes,
 * pieces 1 to 16 one for each 16-bit word of the stored hash: which entries have it there. An index
 * of fewer than OB_INDEX_MIN_WORDS entries has piece 0 only and compares with all of them. */
enum { OB_INDEX_WORDS = 16, OB_INDEX_PIECES = 1 + OB_INDEX_WORDS, OB_INDEX_MIN_WORDS = 16384 };

/* Returns the bytes of an index of `count` entries. */
uint64_t ob_index_size(uint64_t count);
/* Returns where a piece starts, a multiple of 64. */
uint64_t ob_index_piece_offset(uint64_t count, unsigned piece);
/* Returns the bytes of a piece; 0 where an index of `count` entries does not have it. */
uint64_t ob_index_piece_size(uint64_t count, unsigned piece);

/* ---- Building -------------------------------------------------------------------------------- */

/* Fills the whole of `memory`, ob_index_size(count) bytes. OB_EINVAL: size or alignment do not
 * fit; OB_ELIMIT: too many entries; OB_ENOMEM. */
ob_status ob_index_build(void *memory, uint64_t size, const ob_hash256 *hashes, uint64_t count,
                         ob_error *err);

/* Stores one hash as two halves, for builds that use several threads or write as they go. Piece 0
 * is the first halves of all stored hashes, then the second halves. */
void ob_index_store(ob_index_half *first, ob_index_half *second, const ob_hash256 *hash);

/* Builds one of the pieces 1 to 16 from all halves. Allocates 256 KiB meanwhile. OB_ENOMEM. */
ob_status ob_index_build_piece(void *memory, unsigned piece, const ob_index_half *const half[2],
                               uint64_t count, ob_error *err);

/* ---- Searching ------------------------------------------------------------------------------- */

/* A view of a built index. Cheap to copy; valid as long as the memory is. Any number of threads
 * may search it at once. */
typedef struct ob_index {
    const ob_index_half *half[2];         /* `count` halves each */
    const uint8_t *words[OB_INDEX_WORDS]; /* pieces 1 to 16; NULL: compare with all */
    uint64_t count;
    ob_isa isa;
} ob_index;

/* Views memory that ob_index_build filled. *out is untouched on error. OB_EFORMAT: the size is not
 * that of `count` entries; OB_EINVAL: not aligned. */
ob_status ob_index_open(ob_index *out, const void *memory, uint64_t size, uint64_t count,
                        ob_isa isa, ob_error *err);

/* Views hashes as they were stored, without pieces 1 to 16: for few entries, or while more are
 * added behind `count`. The halves are `capacity` entries apart. */
ob_index ob_index_open_halves(const void *piece0, uint64_t capacity, uint64_t count, ob_isa isa);

/* Entry number `entry` (below index->count). */
ob_hash256 ob_index_get(const ob_index *index, uint64_t entry);

/* Called for every match with the numbers of query and entry and their distance. A status other
 * than OB_OK ends the search and is returned. */
typedef ob_status (*ob_index_found)(void *context, uint32_t query, uint64_t entry,
                                    unsigned distance);

/* Finds, for each of `count` queries, every entry at most `distance` (0..31) away. Matches come in
 * no particular order, each exactly once. Many queries in one call cost less than one by one.
 *
 * Never slower than comparing with all entries by more than a tenth, whatever the entries are:
 * where too many share words with a query, that is what it does.
 * OB_EINVAL: distance above OB_INDEX_MAX_DISTANCE; OB_EFORMAT: the memory is not what
 * ob_index_build wrote. */
ob_status ob_index_search(const ob_index *index, const ob_hash256 *queries, uint32_t count,
                          unsigned distance, ob_index_found found, void *context, ob_error *err);

/* ---- Digests --------------------------------------------------------------------------------- */

/* A set of digests of one kind, sorted: the first bits of a digest say where to look. */
typedef struct ob_digest_set {
    const uint32_t *starts; /* 2^bits + 1 */
    const uint8_t *digests; /* sorted, `width` bytes each */
    uint64_t count;
    unsigned width, bits;
} ob_digest_set;

enum { OB_DIGEST_WIDTH_MAX = 32 };

/* Returns the bytes of a set of `count` digests of `width` (4 to 32) bytes. */
uint64_t ob_digest_set_size(uint64_t count, unsigned width);

/* Sorts `digests` (count times width bytes) into `memory` (64-byte aligned), equal ones stay next
 * to each other. Where `order` is not NULL, order[k] is set to which of the given ones stands at
 * place k. OB_ENOMEM, OB_EINVAL, OB_ELIMIT. */
ob_status ob_digest_set_build(void *memory, uint64_t size, uint32_t *order, const uint8_t *digests,
                              uint64_t count, unsigned width, ob_error *err);

/* Makes *out a view of memory that ob_digest_set_build filled; the memory stays the caller's.
 * Untouched on error. OB_EFORMAT: the memory is not such a set of `count` digests; OB_EINVAL: not
 * aligned, or an impossible width. */
ob_status ob_digest_set_open(ob_digest_set *out, const void *memory, uint64_t size, uint64_t count,
                             unsigned width, ob_error *err);

/* Sets first[i] to the place of the first digest equal to number i of `wanted`, and found[i] to how
 * many there are (0: none). Several in one call cost less than one by one. */
void ob_digest_set_find(uint64_t *first, uint64_t *found, const ob_digest_set *set,
                        const uint8_t *wanted, uint32_t count);

#endif
