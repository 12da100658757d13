/* obx: a list's file (docs/FORMAT-OBX.md), read and written. */
#ifndef OBHUT_OBX_H
#define OBHUT_OBX_H

#include <obhut/list_entry.h>

#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

/* ---- Reading --------------------------------------------------------------------------------- */

/* A file in memory. */
typedef struct mapping mapping;

/* Says whether the file is in memory of our own, which nobody can cut. */
bool mapping_is_copy(const mapping *mapping);

/* Returns memory in huge pages, where that helps and so much can be spared; else NULL. *start and
 * *reserved are for munmap: the caller frees it. */
uint8_t *mapping_room(void **start, uint64_t *reserved, uint64_t size);

enum {
    OBX_VERSION = 2,
    OBX_ALIGN = 4096,
    OBX_SECTIONS_MAX = 64,
    OBX_ATTRIBUTES_MAX = 65535,
    OBX_BLOCK = 65536, /* bytes that have one sum in OBX_SUMS */
};

typedef enum obx_kind {
    OBX_META = 1,         /* JSON */
    OBX_INDEX = 2,        /* memory of ob_index_build */
    OBX_LINES = 3,        /* u32 an entry: its id is this number */
    OBX_ID_ENDS = 4,      /* u64 an entry: where its id ends in OBX_IDS */
    OBX_IDS = 5,          /* ids, one behind the other */
    OBX_ATTRIBUTES = 6,   /* u16 an entry: number of its source and classification in META */
    OBX_HASH_ENTRIES = 7, /* u32 a hash: its entry; absent: the same number */
    OBX_MD5 = 8,          /* memory of ob_digest_set_build; so are the other digests */
    OBX_SHA1 = 9,
    OBX_SHA256 = 10,
    OBX_MD5_ENTRIES = 11, /* u32 a digest: its entry; so of the others */
    OBX_SHA1_ENTRIES = 12,
    OBX_SHA256_ENTRIES = 13,
    OBX_SUMS = 14, /* SHA-256 of each block of what lies before: the last section */
    OBX_PHOTODNA = 15,
    OBX_TMK = 16,
    OBX_VPDQ = 17,
    OBX_PHOTODNA_ENTRIES = 18,
    OBX_TMK_ENTRIES = 19,
    OBX_VPDQ_ENTRIES = 20,
} obx_kind;

/* Little-endian, as all machines that this runs on. */
typedef struct obx_header {
    char magic[8];
    uint32_t version, sections;
    uint64_t file_size;
    uint64_t entries;
    uint8_t sha256[OB_SHA256_SIZE]; /* of this header with zeros here, and the section table */
} obx_header;

typedef struct obx_section {
    uint32_t kind, zero;
    uint64_t offset, size;
    uint8_t sha256[OB_SHA256_SIZE];
} obx_section;

#define OBX_MAGIC "\x89OBX\r\n\x1a\n"

/* An open file. Any content is safe: whatever is read from the mapping is checked first. */
typedef struct obx {
    ob_list_info info; /* without name and enabled */
    ob_index index;
    const uint32_t *hash_entries; /* NULL: position and entry are the same */
    ob_digest_set digests[DIGEST_KINDS];
    const uint32_t *digest_entries[DIGEST_KINDS];
    const uint32_t *lines;
    const uint64_t *id_ends;
    const char *ids;
    uint64_t ids_size;
    const uint16_t *attributes_of;
    obx_attribute *attributes; /* [0] is the list's own */
    size_t attribute_count;
    uint64_t journal;                  /* journals below this number are in the file already */
    uint64_t index_offset, index_size; /* of the section, for who moves it */
    const uint8_t *bytes;
    uint64_t size;
    mapping *mapping;            /* that the bytes are of; NULL: the caller's memory */
    uint8_t sum[OB_SHA256_SIZE]; /* of the header, and so of everything */
    bool has_state;              /* written by who keeps DIR/lists.state too */
    dev_t device;                /* of an opened file: whether a path still leads to it */
    ino_t inode;
    struct timespec written; /* and whether it is what it was */
} obx;

/* More than any list file has: 2^31 entries with ids, hashes and digests. */
#define OBX_SIZE_MOST (UINT64_C(1) << 39)

/* Files up to this size are read into memory and compared with their checksums when they are
 * opened; larger ones are mapped and compared part by part, each before it is first read. */
#define OBX_READ_AT_ONCE (UINT64_C(64) << 20)

/* Opens a list's file. Up to `at_once` bytes are read and checked now; larger files are mapped and
 * checked part by part, but files of earlier versions as a whole. `path` is also for sentences. The
 * caller closes *out: obx_close. OB_EFORMAT, OB_EIO, OB_ENOTFOUND. */
ob_status obx_open(obx *out, const char *path, uint64_t at_once, ob_error *err);
/* Unmaps the file and frees what belongs to it. A closed one is fine. */
void obx_close(obx *file);

/* Returns OB_EIO or OB_EFORMAT where something that was read may differ from what was written. Call
 * this after each reading. */
ob_status obx_problem(const obx *file, ob_error *err);

/* Checks an image in memory and makes *out a view of it; the bytes stay the caller's. For obx_open
 * and tests. obx_drop frees what was allocated. */
ob_status obx_view(obx *out, const uint8_t *bytes, uint64_t size, ob_error *err);
/* Frees what obx_view allocated. */
void obx_drop(obx *file);

/* Compares the checksum of every section. OB_EFORMAT: one differs. */
ob_status obx_check(const obx *file, ob_error *err);

/* Sets *out to the entry behind a position of the index. OB_EFORMAT: the file names an impossible
 * one. */
ob_status obx_hash_entry(uint64_t *out, const obx *file, uint64_t position, ob_error *err);
/* Sets *out to the entry behind a position of a digest set. OB_EFORMAT: the file names an
 * impossible one. */
ob_status obx_digest_entry(uint64_t *out, const obx *file, int kind, uint64_t position,
                           ob_error *err);

/* The id of an entry below info.entries, and whether it is its own (own may be NULL) or the line's
 * number. OB_EFORMAT where the file's offsets are impossible. */
ob_status obx_id(char out[OB_LIST_ID_MAX + 1], bool *own, const obx *file, uint64_t entry,
                 ob_error *err);
/* Returns source and classification of an entry below info.entries; they belong to `file`. */
const obx_attribute *obx_attribute_of(const obx *file, uint64_t entry);

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct obx_wish {
    const char *dir, *name;
    ob_list_info info; /* purpose, source, imported_at */
    uint64_t journal;
    void (*progress)(void *context, const char *step, uint64_t done, uint64_t total);
    void *context;
    const atomic_bool *stop; /* may be NULL: end with OB_EBUSY once it is true */
} obx_wish;

/* Writes a list's file under a temporary name and makes it durable; *temporary is its path, for
 * obx_place, freed by the caller. On error nothing is left behind. Uses a thread for each
 * processor. */
ob_status obx_write(char **temporary, const obx_wish *wish, const entries *entries, ob_error *err);

/* Renames the temporary file to DIR/lists/NAME.obx, or .obx.off, and makes that durable. */
ob_status obx_place(const char *temporary, const char *dir, const char *name, bool enabled,
                    ob_error *err);

#endif
