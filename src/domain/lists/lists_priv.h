/* The parts of lists: dir.c knows paths, the lock and how a file is replaced; read.c turns
 * what publishers write into entries (read_priv.h names its parts), entries.c gathers them; obx.c
 * and obx_write.c know the file format; journal.c and journal_read.c keep what was added and
 * withdrawn since; live.c is a list that answers while the next one is made of it; set.c, own.c,
 * change.c, update.c, import.c, merge.c and keep.c are what users call. */
#ifndef OBHUT_LISTS_PRIV_H
#define OBHUT_LISTS_PRIV_H

#include <obhut/crypto.h>
#include <obhut/index.h>
#include <obhut/lists.h>

#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

/* ---- dir.c -------------------------------------------------------------------------------- */

/* Creates DIR and DIR/lists and takes the lock; *out is given back with list_unlock. OB_EBUSY. */
ob_status list_lock(int *out, const char *dir, ob_error *err);
void list_unlock(int lock);

/* DIR/lists/NAME.obx, or with .off behind it. The caller frees *out. */
/* DIR/NAME; *out, the caller's to free, is NULL where there is no memory. */
ob_status list_beside(char **out, const char *dir, const char *name, ob_error *err);
ob_status list_path(char **out, const char *dir, const char *name, bool enabled, ob_error *err);

bool list_name_is_valid(const char *name);
ob_status list_check_name(const char *name, ob_error *err);

/* Sets *enabled; OB_ENOTFOUND where nothing stands there under either name, not even a link. */
ob_status list_find(bool *enabled, const char *dir, const char *name, ob_error *err);

/* Names of all lists, sorted, each with whether it is enabled. The caller frees *out. */
typedef struct list_name {
    char name[OB_LIST_NAME_MAX + 1];
    bool enabled;
} list_name;
ob_status list_names(list_name **out, size_t *count, const char *dir, ob_error *err);

/* Makes what happened to names in DIR/lists last. */
ob_status list_sync_dir(const char *dir, ob_error *err);

/* Removes what killed imports and merges left: files under a temporary name. Only under the lock.
 */
void list_sweep(const char *dir);

/* Journals of one list: DIR/lists/NAME.NUMBER.log. list_journals sets *out to the numbers, sorted,
 * freed by the caller. */
ob_status list_journal_path(char **out, const char *dir, const char *name, uint64_t number,
                            ob_error *err);
ob_status list_journals(uint64_t **out, size_t *count, const char *dir, const char *name,
                        ob_error *err);

/* The number that no journal of this list has had. */
ob_status list_next_journal(uint64_t *out, const char *dir, const char *name, ob_error *err);

/* Removes the journals below `number`. */
void list_drop_journals(const char *dir, const char *name, uint64_t number);

/* ---- digests.c ---------------------------------------------------------------------------- */

enum { DIGEST_KINDS = OB_LIST_DIGESTS };
extern const struct list_digest_kind {
    const char *name;
    unsigned width;
    bool is_signal;            /* the digest is of a signal, not of a file */
    uint32_t section, entries; /* of an .obx: OBX_… */
} list_digest_kinds[DIGEST_KINDS];

/* As ob_list_digest_parse reads it: digits, of signals with "sha256:" before them. */
enum { LIST_DIGEST_TEXT = 8 + 2 * OB_LIST_DIGEST_MAX };
void list_digest_print(char out[LIST_DIGEST_TEXT], ob_list_digest kind, const uint8_t *digest);

/* ---- Entries, and entries.c ---------------------------------------------------------------- */

/* One line of a list. Texts belong to whoever made the entry. */
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
} entries;

/* An entry with the same hash, digests and id as an earlier one is left out, and *duplicate set. */
ob_status entries_add(bool *duplicate, entries *to, const entry *from, ob_error *err);
void entries_free(entries *entries);

/* ---- read.c ------------------------------------------------------------------------------- */

typedef struct reader reader;

/* `file` is read from its current position; `label` names it in sentences. What is understood is
 * noted in `told`, which may be NULL. */
ob_status reader_new(reader **out, int file, const char *label, ob_import_type type,
                     ob_import_understood *told, ob_error *err);
void reader_free(reader *reader);

/* SHA-256 of the file, all of it: after the end. */
ob_status reader_finish(uint8_t out[OB_SHA256_SIZE], reader *reader, ob_error *err);

/* Sets *out to the next entry (valid until the next call) or *end; a withdrawn one may have an id
 * alone. What is no entry: OB_EFORMAT with file, line and reason; the next call goes on behind it,
 * or ends. Other errors are final. */
ob_status reader_next(entry *out, bool *end, reader *reader, ob_error *err);

/* Records of JSON that are longer are not read whole, but in parts. */
void reader_keep(reader *reader, size_t most);

uint64_t reader_bytes(const reader *reader);   /* of the file, read so far */
const char *reader_unit(const reader *reader); /* what entry.line counts: "line", "record" */

/* An entry from an object as journals have them, whose texts it uses. */
struct json_t;
ob_status entry_from_json(entry *out, const struct json_t *object, ob_error *err);

/* What may be a text of an entry; `name` is for the sentence ("an id"). */
ob_status list_check_text(const char *text, size_t most, const char *name, ob_error *err);

/* ---- mapping.c: a file in memory ----------------------------------------------------------- */

typedef struct mapping mapping;

/* Reads `size` bytes of an open file into memory of our own. OB_ENOMEM: there is not so much to
 * spare; OB_EIO. `path` serves the sentences. */
ob_status mapping_copy(mapping **out, int file, uint64_t size, const char *path, ob_error *err);
bool mapping_is_copy(const mapping *mapping);

/* Maps them. Where the file is cut later, or its disk fails, zeros are read and the mapping is
 * broken; so it is where somebody writes into the file. The caller closes `file` in any case. */
ob_status mapping_open(mapping **out, int file, uint64_t size, const char *path, ob_error *err);
void mapping_close(mapping *mapping); /* NULL is fine */

const uint8_t *mapping_bytes(const mapping *mapping);

/* The same bytes, never hidden: for who checks them. */
const uint8_t *mapping_source(const mapping *mapping);

/* Hides what lies between OBX_ALIGN and `end` until it is read: then its blocks are compared with
 * `sums`, which lie behind. The mapping is broken where these differ; who reads looks at that
 * afterwards. Before anybody else has the mapping. False: it could not be done. */
bool mapping_hide(mapping *mapping, const uint8_t *sums, uint64_t end);

/* All of it was checked: nothing is hidden any more. */
void mapping_show(mapping *mapping);

/* OB_EIO or OB_EFORMAT with the reason where it is broken, else OB_OK. */
ob_status mapping_problem(mapping *mapping, ob_error *err);

/* Memory in huge pages, where that is of use and there is so much to spare; NULL: not. *start and
 * *reserved are for munmap. */
uint8_t *mapping_room(void **start, uint64_t *reserved, uint64_t size);

/* ---- obx.c -------------------------------------------------------------------------------- */

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

/* `at_once` is that size. Files of earlier versions have no sums of their parts and are compared as
 * a whole. `path` only serves the sentences of errors. obx_close frees. */
ob_status obx_open(obx *out, const char *path, uint64_t at_once, ob_error *err);
void obx_close(obx *file);

/* OB_EIO, OB_EFORMAT: what was read may not be what was written. To be asked after each reading. */
ob_status obx_problem(const obx *file, ob_error *err);

/* Checks and takes over an image in memory; the bytes stay the caller's. For obx_open and tests;
 * obx_drop frees what was allocated. */
ob_status obx_view(obx *out, const uint8_t *bytes, uint64_t size, ob_error *err);
void obx_drop(obx *file);

/* Compares every section's checksum. */
ob_status obx_check(const obx *file, ob_error *err);

/* The entry behind a position of the index or of a digest set. OB_EFORMAT when impossible. */
ob_status obx_hash_entry(uint64_t *out, const obx *file, uint64_t position, ob_error *err);
ob_status obx_digest_entry(uint64_t *out, const obx *file, int kind, uint64_t position,
                           ob_error *err);

/* The id of an entry below info.entries, and whether it is its own (own may be NULL) or the line's
 * number. OB_EFORMAT where the file's offsets are impossible. */
ob_status obx_id(char out[OB_LIST_ID_MAX + 1], bool *own, const obx *file, uint64_t entry,
                 ob_error *err);
const obx_attribute *obx_attribute_of(const obx *file, uint64_t entry);

/* ---- obx_write.c -------------------------------------------------------------------------- */

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

/* Puts it in the place of DIR/lists/NAME.obx, or .obx.off, durably. */
ob_status obx_place(const char *temporary, const char *dir, const char *name, bool enabled,
                    ob_error *err);

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

/* Sets near[i] where such a picture is near hashes[i]. */
ob_status list_screen_all(bool *near, const list_screen *screen, const ob_hash256 *hashes,
                          uint32_t count, ob_error *err);

/* The name of such a picture near this hash, or NULL. */
const char *list_screen_name(const list_screen *screen, const ob_hash256 *hash);

/* ---- nothing.c ---------------------------------------------------------------------------- */

/* Why some digest of an entry would match what nobody means, or NULL. */
const char *list_digest_of_nothing(const entry *entry);

unsigned list_hash_bits(const ob_hash256 *hash);

/* ---- disk.c ------------------------------------------------------------------------------- */

/* `path` is for the sentences. */
ob_status disk_write(int file, const char *path, const void *bytes, uint64_t size, uint64_t at,
                     ob_error *err);
ob_status disk_cut(int file, const char *path, uint64_t size, ob_error *err);
ob_status disk_sync(int file, const char *path, ob_error *err);

/* ---- journal.c and journal_read.c ----------------------------------------------------------- */

/* What was added and withdrawn since a list file was written, in groups, each of which counts as a
 * whole or not at all (docs/FORMAT-OBX.md). */
enum { JOURNAL_VERSION = 3, JOURNAL_SUM_DIGITS = 16 };

/* How far a journal goes: so many groups, and the sum that stands for all of its lines. */
typedef struct journal_mark {
    uint64_t number, groups;
    char sum[JOURNAL_SUM_DIGITS + 1];
} journal_mark;

typedef struct journal {
    int file; /* -1: none */
    char *path;
    uint64_t size;     /* of what counts */
    journal_mark mark; /* of what counts */
    int version;       /* below JOURNAL_VERSION: may be read, but nothing may be added to it */
    bool uncertain;    /* what was not acknowledged may still stand behind it */
} journal;

/* Opens or makes a journal for appending, and cuts off what does not count. `least` is what was
 * acknowledged, where that is known: OB_EFORMAT where the journal has less. */
ob_status journal_open(journal *out, const char *dir, const char *name, uint64_t number,
                       const journal_mark *least, ob_error *err);
void journal_close(journal *journal);

/* Takes back what an earlier failure may have left. OB_EIO: it may count once this is opened again,
 * so nothing may follow it. */
ob_status journal_settle(journal *journal, ob_error *err);

/* A group on its way to the disk: what is added is written as it comes, and counts once
 * journal_commit has returned OB_OK, which syncs once. journal_drop ends it in any case, and takes
 * back what was not committed. One group at a time, after journal_settle. */
typedef struct journal_group {
    journal *journal;
    ob_buf entries, lines;            /* that wait */
    uint64_t at;                      /* where the lines go */
    char sum[JOURNAL_SUM_DIGITS + 1]; /* of the line before */
    bool begun;                       /* with a line that is not its last */
} journal_group;

void journal_begin(journal_group *out, journal *journal);
ob_status journal_add(journal_group *group, const entry *entry, ob_error *err);
ob_status journal_commit(journal_group *group, ob_error *err);
ob_status journal_drop(journal_group *group, ob_error *err);

/* Takes back a group that was committed a moment ago: `before` is the journal as it was then. */
/* Ends a group that may count after all: what stands there is cut off by the next change, once the
 * state is known. */
void journal_leave(journal_group *group);

void journal_step_back(journal *j, const journal *before);

/* Whether a journal has what was acknowledged, on the disk as it is now. OB_EFORMAT, OB_ENOTFOUND,
 * OB_EREFUSED, OB_EIO. */
ob_status journal_check(const char *path, const journal_mark *least, ob_error *err);

/* Calls `each` for every entry that counts; *whole (its number is the caller's) is how far these
 * go, and *version may be NULL. `least` is what was acknowledged, NULL where nobody knows.
 * OB_EFORMAT names a damaged line, or what is missing; OB_ENOTFOUND. */
ob_status journal_read(journal_mark *whole, int *version, const char *path,
                       const journal_mark *least,
                       ob_status (*each)(void *context, const entry *entry, ob_error *err),
                       void *context, ob_error *err);

/* ---- state.c: what each list must have --------------------------------------------------------
 */

typedef enum list_switch { SWITCH_UNKNOWN, SWITCH_ON, SWITCH_OFF } list_switch;

/* DIR/lists.state says, beside the folder of lists, which lists there are, which file each has and
 * how far its journals go (docs/FORMAT-OBX.md). */
typedef struct list_state {
    char name[OB_LIST_NAME_MAX + 1];
    uint8_t file[OB_SHA256_SIZE]; /* the sum in the file's header; zeros: not known yet */
    uint8_t next[OB_SHA256_SIZE]; /* of the file that is taking its place; zeros: none */
    bool removed;                 /* its files are being deleted */
    list_switch is;               /* on or off, whatever its file is called */
    int64_t updated_at;           /* from a file, since it was imported; 0: never, or not known */
    journal_mark *journals;
    size_t journal_count;
} list_state;

/* Stands for a file of which nobody knows what it should be: none has this sum. */
extern const uint8_t state_unknown[OB_SHA256_SIZE];

/* What the records may know (bind.c): as many as were told since they last said that they do. */
enum { STATE_TOLD_MOST = 32 };

typedef struct lists_state {
    bool there;
    uint64_t changes;             /* how often what it says became another */
    uint8_t said[OB_SHA256_SIZE]; /* of what it says of lists */
    uint8_t told[STATE_TOLD_MOST][OB_SHA256_SIZE];
    size_t told_count;
    ino_t inode; /* of the file, with its size and time: whether somebody else has changed it */
    off_t size;
    struct timespec written;
    char sum[2 * OB_SHA256_SIZE + 1]; /* of the file; "": there is none */
    list_state *lists;
    size_t count;
    bool unsure; /* the file may say more than this: it was put in place, and then a disk failed */
} lists_state;

/* OB_EFORMAT: damaged. Where there is no such file, *out has `there` unset. state_free in any case.
 */
ob_status state_load(lists_state *out, const char *dir, ob_error *err);
ob_status state_save(lists_state *state, const char *dir, ob_error *err);

/* The same where the file says something else. */
ob_status state_save_changed(lists_state *state, const char *dir, ob_error *err);

/* state_load of its text; `path` serves the sentence. */
ob_status state_take(lists_state *out, const char *text, size_t size, const char *path,
                     ob_error *err);
void state_free(lists_state *state);

/* The records are about to be told what it says; they know nothing else any more; whether this is
 * what they know, or what they knew before it. */
void state_telling(lists_state *state);
void state_has_told(lists_state *state);
bool state_follows(const lists_state *state, const uint8_t known[OB_SHA256_SIZE]);

/* Whether the file is the one that was read or written last. */
bool state_is_ours(const lists_state *state, const char *dir);

/* Whether the list is on; where nobody has noted that, as its file is called. `list` may be NULL.
 */
bool state_is_on(const list_state *list, bool as_called);

/* Whether it is known which file the list has, or that none fits. */
bool state_has_file(const list_state *list);

list_state *state_find(const lists_state *state, const char *name);

/* Finds or makes; NULL: out of memory. */
list_state *state_need(lists_state *state, const char *name);
void state_drop(lists_state *state, const char *name);

/* The number that no journal of this list has had, as far as the state knows. */
uint64_t state_next_journal(const lists_state *state, const char *name);

/* NULL: the journal is not known. */
const journal_mark *state_mark(const list_state *list, uint64_t number);
ob_status state_put_mark(list_state *list, const journal_mark *mark, ob_error *err);
void state_drop_marks(list_state *list, uint64_t below);

/* ---- live.c, live_change.c, live_search.c ---------------------------------------------------- */

/* A list as it is at one moment: a file, the entries added since, and which of all these were
 * withdrawn. Any number of threads may read it. It never changes once others have it: whoever
 * changes the list makes the next one beside it, which shares all that stays. Counts its users. */
typedef struct live live;

/* Opens a list with its journals, which must be what DIR/lists.state says. OB_EFORMAT names what is
 * damaged, missing or another; OB_ENOTFOUND: no such list. */
ob_status live_open(live **out, const char *dir, const char *name, ob_error *err);

/* The same with another size up to which its file is read at once (obx_open). */
ob_status live_open_as(live **out, const char *dir, const char *name, uint64_t at_once,
                       ob_error *err);

/* Notes in a list's state what was opened. */
ob_status live_note(list_state *to, const live *list, ob_error *err);
live *live_keep(live *list);
void live_release(live *list); /* NULL is fine */

void live_info(ob_list_info *out, const live *list);
uint64_t live_journal(const live *list); /* journals from this number on are not in the file */
uint32_t live_digests(const live *list); /* bit k: it has digests of kind k */
uint64_t live_changes(const live *list); /* entries added and withdrawn since */

/* Entries are numbered: those of the file, then those added. */
typedef struct hit {
    uint64_t entry;
    uint32_t query, list, distance;
    uint64_t of_query; /* how many the query has in all */
    ob_hash256 hash;   /* zero where a digest matched */
} hit;

/* What was found so far. With a limit, the nearest `limit` of each query are kept while it is
 * searched and the others only counted, so that memory does not depend on what a list has. */
typedef struct hits {
    hit *hit;
    size_t count, capacity;
    uint32_t list;           /* number that is noted with the next ones */
    uint32_t limit, queries; /* 0: no limit, `hit` grows */
    uint32_t *used;          /* of each query: how many of hit[query * limit …], a heap */
    uint64_t *totals;        /* of each query: all that were found */
} hits;

/* ---- hits.c */

/* Keeps at most `limit` (0: any number) of each of `queries` queries. hits_free in any case. */
ob_status hits_begin(hits *out, uint32_t queries, uint32_t limit, ob_error *err);
ob_status hits_note(hits *to, const hit *found, ob_error *err);
void hits_free(hits *hits);

/* Puts what is kept one behind the other, by query, distance, list, entry, each with how many its
 * query has in all; *total is of all queries. Nothing is noted afterwards. */
void hits_end(uint64_t *total, hits *hits);

/* Appends to `to`, which has no limit, what hits_end left. */
ob_status hits_append(hits *to, const hits *from, ob_error *err);

/* Appends whatever matches and counts. */
ob_status live_match(hits *out, const live *list, const ob_hash256 *queries, uint32_t count,
                     unsigned distance, ob_error *err);
ob_status live_match_digests(hits *out, const live *list, int kind, const uint8_t *queries,
                             uint32_t count, ob_error *err);

/* Fills list, source, classification and entry of a match; the texts are the list's. */
ob_status live_describe(ob_list_match *out, const live *list, uint64_t entry, ob_error *err);

/* The list as it will be: a copy that nobody else has yet, for the calls below. One at a time. */
ob_status live_next(live **out, const live *from, ob_error *err);

/* Gives up what live_next made of `from`, with all that was added to it. */
void live_give_up(live *next, const live *from);

/* Sets *out to the entries that count and have all that `which` has: a hash or a digest at least.
 */
ob_status live_find(hits *out, const live *next, const entry *which, ob_error *err);

/* Adds an entry, which must have an id. OB_ELIMIT: so many were added that they must be merged
 * first. */
ob_status live_add(live *next, const entry *entry, ob_error *err);

/* Withdraws an entry; *withdrawn is raised by one if it counted. */
ob_status live_withdraw(uint64_t *withdrawn, live *next, uint64_t entry, ob_error *err);

/* Calls `each` for every entry that counts, in order. Ids are NULL where the line's number is
 * meant. */
ob_status live_each(const live *list,
                    ob_status (*each)(void *context, const entry *entry, ob_error *err),
                    void *context, ob_error *err);

/* Whether that path leads to the list's file, and nobody has written into it. */
bool live_is_of(const live *list, const char *path);

/* Compares all checksums. After OB_EFORMAT or OB_EIO the list only fails. */
ob_status live_check(live *list, ob_error *err);

/* OB_EFORMAT or OB_EIO, with the list's name, where what was read from it so far cannot be
 * believed: to be asked after each reading. */
ob_status live_whole(const live *list, ob_error *err);

/* What a call that has read the list returns, given how it went. */
ob_status live_end(const live *list, ob_status status, ob_error *err);

/* Does that and moves the index into huge pages where there is memory, while searches go on. Once:
 * the next call, for this list or one made from it, does nothing. One thread at a time. */
ob_status live_settle(live *list, ob_error *err);

/* ---- import_read.c -------------------------------------------------------------------------- */

/* Reads import->file and calls `each` for every entry, withdrawn ones too (which may have an id
 * alone), but for those that are refused. Counts lines, bad and refused; an error where those must
 * not be. */
ob_status import_read(ob_import_result *counts, const ob_import *import, const list_screen *screen,
                      ob_status (*each)(void *context, const entry *entry, ob_error *err),
                      void *context, ob_error *err);

/* ---- import.c and keep.c, for who has the lock ---------------------------------------------- */

/* What an import has to do with DIR/lists.state. */
typedef struct import_notes {
    /* Called with the file that will be put in its place, before that. */
    ob_status (*intend)(void *context, const char *temporary, ob_error *err);
    void *context;
    uint64_t
        journal_least; /* journals below this one had their time, also those that are missing */
    uint64_t entries_before; /* of the list whose place is taken; 0: none */
} import_notes;

ob_status import_under_lock(ob_import_result *out, const char *dir, const ob_import *import,
                            const import_notes *notes, ob_error *err);
ob_status import_name(char out[OB_LIST_NAME_MAX + 1], const ob_import *import, ob_error *err);
ob_status enable_under_lock(const char *dir, const char *name, bool enabled, ob_error *err);
ob_status remove_under_lock(const char *dir, const char *name, ob_error *err);

#endif
