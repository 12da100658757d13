/* list_entry: one entry of a list, and the table of entries that becomes a file. */
#ifndef OBHUT_LIST_ENTRY_H
#define OBHUT_LIST_ENTRY_H

#include <obhut/crypto.h>
#include <obhut/index.h>
#include <obhut/listfile.h>

/* ---- Kinds of digests ------------------------------------------------------------------------ */

enum { DIGEST_KINDS = OB_LIST_DIGESTS };
extern const struct list_digest_kind {
    const char *name;
    unsigned width;
    bool is_signal;            /* the digest is of a signal, not of a file */
    uint32_t section, entries; /* of an .obx: OBX_… */
} list_digest_kinds[DIGEST_KINDS];

/* As ob_list_digest_parse reads it: digits, of signals with "sha256:" before them. */
enum { LIST_DIGEST_TEXT = 8 + 2 * OB_LIST_DIGEST_MAX };
/* Writes a digest in a form that ob_list_digest_parse reads: hexadecimal digits, with "sha256:"
 * before them for a signal. */
void list_digest_print(char out[LIST_DIGEST_TEXT], ob_list_digest kind, const uint8_t *digest);

/* ---- Entries --------------------------------------------------------------------------------- */

/* One line of a list. Texts belong to the maker of the entry. */
typedef struct entry {
    bool has_hash, has_digest[DIGEST_KINDS];
    ob_hash256 hash;
    uint8_t digest[DIGEST_KINDS][OB_DIGEST_WIDTH_MAX];
    uint64_t line;
    const char *id;                      /* NULL: none */
    const char *source, *classification; /* never NULL */
    bool withdrawn;
    bool low_quality; /* by the word of the file that it was read from */
} entry;

typedef struct obx_attribute {
    char source[OB_LIST_TEXT_MAX + 1];
    char classification[OB_LIST_TEXT_MAX + 1];
} obx_attribute;

/* Positions in a column of hashes or digests, and which entry each belongs to: NULL as long as
 * position and entry are the same number. */
typedef struct column_entries {
    uint32_t *entry;
    uint64_t capacity;
} column_entries;

/* Entries on their way into a file. */
typedef struct entries {
    uint64_t count, capacity;
    uint32_t *lines;         /* of the file they were read from */
    uint64_t *id_ends;       /* NULL until the first entry with an id of its own */
    uint16_t *attributes_of; /* NULL until the first entry with a source or classification */
    ob_buf ids;
    obx_attribute *attributes; /* NULL or [0] is empty */
    size_t attribute_count, attribute_capacity;
    ob_index_half *half[2]; /* stored hashes */
    uint64_t hash_count, hash_capacity;
    column_entries hash_entries;
    ob_buf digests[DIGEST_KINDS];
    uint64_t digest_count[DIGEST_KINDS];
    column_entries digest_entries[DIGEST_KINDS];
    uint64_t *table; /* finds duplicates */
    unsigned table_bits;
    uint64_t seed; /* of its places */
} entries;

/* Adds a copy of an entry. An entry with the same hash, digests and id as an earlier one is left
 * out, and *duplicate set. OB_ENOMEM; OB_ELIMIT: a file has no room for so many sources and
 * classifications. Call entries_free in any case. */
ob_status entries_add(bool *duplicate, entries *to, const entry *from, ob_error *err);
/* Frees everything in `entries`. */
void entries_free(entries *entries);

/* Checks a text of an entry: UTF-8, without control characters, at most `most` bytes. `name` ("an
 * id") is for the sentence. OB_EFORMAT. */
ob_status list_check_text(const char *text, size_t most, const char *name, ob_error *err);

#endif
