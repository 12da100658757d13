/* The parts of lists: dir.c knows paths, the lock and how a file is replaced; obx.c and obx_write.c
 * know the file format; entries.c
 * gathers entries; read.c turns lines of a published list into entries; import.c, keep.c and
 * match.c are what users call. */
#ifndef OBHUT_LISTS_PRIV_H
#define OBHUT_LISTS_PRIV_H

#include <obhut/crypto.h>
#include <obhut/index.h>
#include <obhut/lists.h>

/* ---- dir.c -------------------------------------------------------------------------------- */

/* Creates DIR and DIR/lists and takes the lock; *out is given back with list_unlock. OB_EBUSY. */
ob_status list_lock(int *out, const char *dir, ob_error *err);
void list_unlock(int lock);

/* DIR/lists/NAME.obx, or with .off behind it. The caller frees *out. */
ob_status list_path(char **out, const char *dir, const char *name, bool enabled, ob_error *err);

bool list_name_is_valid(const char *name);
ob_status list_check_name(const char *name, ob_error *err);

/* Sets *enabled; OB_ENOTFOUND where neither file exists. */
ob_status list_find(bool *enabled, const char *dir, const char *name, ob_error *err);

/* Names of all lists, sorted, each with whether it is enabled. Freed by list_names_free. */
typedef struct list_name {
    char name[OB_LIST_NAME_MAX + 1];
    bool enabled;
} list_name;
ob_status list_names(list_name **out, size_t *count, const char *dir, ob_error *err);

/* Makes what happened to names in DIR/lists last. */
ob_status list_sync_dir(const char *dir, ob_error *err);

/* Removes what killed imports left. Only under the lock. */
void list_sweep(const char *dir);

/* ---- obx.c -------------------------------------------------------------------------------- */

enum { OBX_VERSION = 1, OBX_ALIGN = 4096, OBX_SECTIONS_MAX = 64, OBX_ATTRIBUTES_MAX = 65535 };

typedef enum obx_kind {
    OBX_META = 1,       /* JSON */
    OBX_HASHES = 2,     /* memory of ob_index_build */
    OBX_LINES = 3,      /* u32 an entry: its id is this number */
    OBX_ID_ENDS = 4,    /* u64 an entry: where its id ends in OBX_IDS */
    OBX_IDS = 5,        /* ids, one behind the other */
    OBX_ATTRIBUTES = 6, /* u16 an entry: number of its source and classification in META */
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

typedef struct obx_attribute {
    char source[OB_LIST_TEXT_MAX + 1];
    char classification[OB_LIST_TEXT_MAX + 1];
} obx_attribute;

/* An open file. Any content is safe: whatever is read from the mapping is checked first. */
typedef struct obx {
    ob_list_info info; /* without name and enabled */
    ob_index index;
    const uint32_t *lines;
    const uint64_t *id_ends;
    const char *ids;
    uint64_t ids_size;
    const uint16_t *attributes_of;
    obx_attribute *attributes; /* [0] is the list's own */
    size_t attribute_count;
    const uint8_t *bytes;
    uint64_t size;
} obx;

/* `path` only serves the sentences of errors. obx_close frees. */
ob_status obx_open(obx *out, const char *path, ob_error *err);
void obx_close(obx *file);

/* Checks and takes over an image in memory; the bytes stay the caller's. For obx_open and tests;
 * obx_drop frees what was allocated. */
ob_status obx_view(obx *out, const uint8_t *bytes, uint64_t size, ob_error *err);
void obx_drop(obx *file);

/* Compares every section's checksum. */
ob_status obx_check(const obx *file, ob_error *err);

/* The id of an entry below info.entries; OB_EFORMAT where the file's offsets are impossible. */
ob_status obx_id(char out[OB_LIST_ID_MAX + 1], const obx *file, uint64_t entry, ob_error *err);
const obx_attribute *obx_attribute_of(const obx *file, uint64_t entry);

/* ---- entries.c ---------------------------------------------------------------------------- */

typedef struct entries {
    ob_hash256 *hashes;
    uint32_t *lines;         /* of the file they were read from */
    uint64_t *id_ends;       /* NULL until the first entry with an id of its own */
    uint16_t *attributes_of; /* NULL until the first entry with a source or classification */
    ob_buf ids;
    obx_attribute *attributes; /* NULL or [0] is empty */
    size_t attribute_count, attribute_capacity;
    uint64_t count, capacity;
    uint32_t *table; /* finds duplicates */
    uint64_t slots;
} entries;

typedef struct entry {
    ob_hash256 hash;
    uint64_t line;
    const char *id;                      /* NULL: none */
    const char *source, *classification; /* never NULL */
    bool withdrawn;
} entry;

/* An entry with the same hash and the same id (or both without one) as an earlier one is left out,
 * and *duplicate set. */
ob_status entries_add(bool *duplicate, entries *to, const entry *from, ob_error *err);
void entries_free(entries *entries);

/* ---- low_information.c --------------------------------------------------------------------- */

/* Hashes of flat, graded, blank and patterned pictures: whatever lies within 31 of one would match
 * anything. tools/low_information.c draws them. */
typedef struct list_screen {
    void *memory;
    ob_index index;
} list_screen;

/* list_screen_free in any case. */
ob_status list_screen_init(list_screen *screen, ob_error *err);
void list_screen_free(list_screen *screen);

/* The name of such a picture near this hash, or NULL. */
const char *list_screen_name(const list_screen *screen, const ob_hash256 *hash);

/* ---- obx_write.c -------------------------------------------------------------------------- */

/* Writes DIR/lists/NAME.obx (.off when not enabled) under a temporary name, makes it durable and
 * puts it in place. On error nothing is left behind and the old file stays. */
ob_status obx_write(const char *dir, const char *name, bool enabled, const ob_list_info *info,
                    const entries *entries, ob_error *err);

/* ---- read.c ------------------------------------------------------------------------------- */

typedef struct reader reader;

/* `file` is read from its current position; `label` names it in sentences. */
ob_status reader_new(reader **out, int file, const char *label, ob_error *err);
void reader_free(reader *reader);

/* Sets *out to the next entry (valid until the next call) or *end. A line that is no entry:
 * OB_EFORMAT with file, line and reason; the next call goes on behind it. Other errors are final.
 */
ob_status reader_next(entry *out, bool *end, reader *reader, ob_error *err);
uint64_t reader_bytes(const reader *reader); /* read so far */

#endif
