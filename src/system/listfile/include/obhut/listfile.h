/* listfile: the files of lists: what publishers give away, read in all its shapes; .obx files,
 * written and mapped; journals; and DIR/lists.state, which says what there must be.
 * docs/FORMAT-OBX.md describes them. Which list answers, and when it changes, is for lists to say.
 *
 * This header has what is known of a list and of its entries everywhere. What handles the files
 * stands in list_dir.h, list_entry.h, list_reader.h, obx.h, list_journal.h and list_state.h. */
#ifndef OBHUT_LISTFILE_H
#define OBHUT_LISTFILE_H

#include <obhut/base.h>

enum {
    OB_LIST_NAME_MAX = 64,  /* a list's name: a-z 0-9 . _ -, first a letter or digit */
    OB_LIST_ID_MAX = 127,   /* bytes of an entry's id */
    OB_LIST_TEXT_MAX = 127, /* bytes of a source, a classification */
};

/* What a list is for. Nothing but child sexual abuse material is looked for. */
#define OB_LIST_PURPOSE_CSAM "csam"

/* Kinds of hashes: PDQ, digests, and signals: those of methods that are not ours. */
typedef enum ob_list_kind {
    OB_LIST_KIND_PDQ,
    OB_LIST_KIND_MD5,
    OB_LIST_KIND_SHA1,
    OB_LIST_KIND_SHA256,
    OB_LIST_KIND_PHOTODNA,
    OB_LIST_KIND_TMK,
    OB_LIST_KIND_VPDQ,
    OB_LIST_KINDS
} ob_list_kind;
/* Returns the name of a kind of hashes: "pdq", "md5", … The text is a constant. */
const char *ob_list_kind_name(ob_list_kind kind);

typedef struct ob_list_info {
    char name[OB_LIST_NAME_MAX + 1];
    char purpose[16];
    char source[OB_LIST_TEXT_MAX + 1]; /* who published it, as told at import; may be empty */
    uint64_t entries;    /* that count: in the file or added since, and not withdrawn */
    uint64_t unmerged;   /* of these, added since the file was written */
    uint64_t withdrawn;  /* withdrawn since the file was written */
    uint64_t size_bytes; /* of the file */
    int64_t imported_at; /* seconds since 1970, UTC */
    int64_t updated_at;  /* ob_lists_info: when it was last updated from a file, or imported */
    bool enabled;
    bool is_broken; /* damaged, missing or not to be read: only name and enabled are known */
    uint64_t kinds[OB_LIST_KINDS]; /* hashes; those withdrawn since the file was written count */
} ob_list_info;

/* ---- Files of publishers --------------------------------------------------------------------- */

/* What 64 hexadecimal digits are that do not say so. */
typedef enum ob_import_type {
    OB_IMPORT_CHECKED, /* PDQ hashes, unless they cannot be */
    OB_IMPORT_PDQ,     /* PDQ hashes, though they have other bits than PDQ hashes have */
    OB_IMPORT_SHA256,
} ob_import_type;

/* Words that a file uses: names of its columns, of states, of kinds. */
enum { OB_IMPORT_NAMES_MAX = 48, OB_IMPORT_NAME_MAX = 47 };
typedef struct ob_import_name {
    char text[OB_IMPORT_NAME_MAX + 1]; /* as the file has it */
    bool used;                         /* a column: read; a state: such entries count */
    uint64_t count;                    /* a state, a kind: so many entries */
} ob_import_name;
typedef struct ob_import_names {
    ob_import_name name[OB_IMPORT_NAMES_MAX];
    size_t count;
    uint64_t more; /* others, which are not named here */
} ob_import_names;

/* What was understood of a file. */
typedef struct ob_import_understood {
    char shape[64];                /* "CSV with ;, gzip" */
    uint64_t kinds[OB_LIST_KINDS]; /* hashes of entries that count, good lines only */
    ob_import_names columns;       /* of a table, of the objects of JSON, of XML */
    ob_import_names states;
    ob_import_names unused; /* kinds that nothing is done with: entries that were left out for it */
    uint64_t skipped;       /* entries that have nothing but such */
} ob_import_understood;

/* ---- Digests --------------------------------------------------------------------------------- */

/* What entries may have beside a PDQ hash, and of which only an equal one matches: digests of a
 * file, as bits OB_DIGEST_MD5, … of crypto, and the digests of signals (PhotoDNA, TMK, vPDQ), which
 * somebody else makes. */
typedef enum ob_list_digest {
    OB_LIST_MD5,
    OB_LIST_SHA1,
    OB_LIST_SHA256,
    OB_LIST_PHOTODNA,
    OB_LIST_TMK,
    OB_LIST_VPDQ
} ob_list_digest;
enum { OB_LIST_FILE_DIGESTS = 3, OB_LIST_DIGESTS = 6, OB_LIST_DIGEST_MAX = 32 };

/* Returns the name of a kind of digests: "md5", "photodna", … The text is a constant. */
const char *ob_list_digest_name(ob_list_digest kind);
/* Returns the bytes of one digest: 16, 20 or 32; of a signal 32, because its digest is SHA-256. */
unsigned ob_list_digest_width(ob_list_digest kind);

/* Reads `length` characters: hexadecimal digits; of a signal the signal itself (PhotoDNA's 144
 * bytes as base64, hexadecimal digits or numbers; others as they are given away), or "sha256:" and
 * the digits of its digest. OB_EFORMAT. */
ob_status ob_list_digest_parse(uint8_t out[OB_LIST_DIGEST_MAX], ob_list_digest kind,
                               const char *text, size_t length, ob_error *err);

/* ---- Files of a directory -------------------------------------------------------------------- */

enum { OB_LIST_FILE_MAX = 95 }; /* bytes of a file's name */

/* Says whether a file of DIR/lists can have this name: NAME.obx, NAME.obx.off or
 * NAME.NUMBER.log. */
bool ob_list_file_is_valid(const char *name);

#endif
