/* Reading the file of a published list: from bytes (bytes.c) to lines or records (read.c,
 * document.c, xml.c), from these to named fields (text.c, table.c, record.c), and from fields to an
 * entry (fields.c). names.c keeps what was understood on the way. */
#ifndef OBHUT_LISTFILE_READ_PRIV_H
#define OBHUT_LISTFILE_READ_PRIV_H

#include "listfile_priv.h"

struct json_t;

/* ---- bytes.c --------------------------------------------------------------------------------- */

/* A file's text as UTF-8 without a byte order mark, whatever it is packed or coded in: gzip,
 * UTF-16. Memory does not depend on what the file says. */
typedef struct list_bytes list_bytes;

ob_status bytes_new(list_bytes **out, int file, const char *label, ob_error *err);
void bytes_free(list_bytes *bytes);

/* Sets *got to how many bytes of `room` were filled, 0 at the end. OB_EFORMAT: packed or coded in a
 * way that is not read, or damaged; OB_EIO; both are final. */
ob_status bytes_read(size_t *got, list_bytes *from, char *to, size_t room, ob_error *err);
/* SHA-256 of the whole file as it is, once: at the end. */
ob_status bytes_finish(uint8_t out[OB_SHA256_SIZE], list_bytes *bytes, ob_error *err);
uint64_t bytes_count(const list_bytes *bytes);     /* of the file, read so far */
const char *bytes_coding(const list_bytes *bytes); /* ", gzip", ", UTF-16" …, or "" */

/* ---- fields.c -------------------------------------------------------------------------------- */

/* What an entry is made of, wherever it stands. */
typedef enum field {
    FIELD_MD5, /* the kinds of digests come first, in their order */
    FIELD_SHA1,
    FIELD_SHA256,
    FIELD_PHOTODNA,
    FIELD_TMK,
    FIELD_VPDQ,
    FIELD_PDQ,
    FIELD_ANY, /* of the kind that FIELD_TYPE names, or that its length says */
    FIELD_TYPE,
    FIELD_ID,
    FIELD_SOURCE,
    FIELD_CLASSIFICATION,
    FIELD_STATE,
    FIELD_GONE, /* true: withdrawn */
    FIELD_HERE, /* false: withdrawn */
    FIELD_QUALITY,
    FIELDS
} field;

/* The field that a column or member of this name is, or -1: case, blanks and signs do not count. */
int field_of(const char *name);
bool field_is_hash(int field);

/* Whether it says that an entry counts, or does not. */
bool field_is_state(int field);

/* A word that says so where nothing names it: "withdrawn", "active". */
bool field_state_is_known(const char *word);

/* Digits as only hashes have them. */
bool field_could_be_hash(const char *text);

/* What stands in an entry, by field: of hashes, and of what says whether it counts, also what
 * stands there a second time. */
enum { SAID_MORE = 32 };
typedef struct said {
    char *text[FIELDS];
    struct {
        int field;
        char *text;
    } more[SAID_MORE];
    unsigned more_count;
} said;

/* *used: it means something. OB_EFORMAT: more than is kept. */
ob_status said_put(bool *used, said *to, int field, char *text, ob_error *err);

/* What records inside another have from it. */
typedef struct inherited {
    bool withdrawn, has_hash;
    char id[OB_LIST_ID_MAX + 1];
    char source[OB_LIST_TEXT_MAX + 1], classification[OB_LIST_TEXT_MAX + 1];
} inherited;

/* The kind that a word like "ImagePDQ" or "HASH_MD5" names, FIELD_ANY for one that names none
 * ("image"), or -1 for one that is not known. */
int field_kind(const char *word);

/* ---- names.c --------------------------------------------------------------------------------- */

/* Counts a name; *at is where it may stand, and where it stands afterwards (SIZE_MAX: nowhere,
 * there are too many). True: it is new. */
bool names_note(size_t *at, ob_import_names *names, const char *text);

/* ---- read.c ---------------------------------------------------------------------------------- */

enum { LINE_MOST = 1 << 20, RECORD_MOST = 1 << 20, COLUMNS_MAX = 256 };

typedef enum shape {
    SHAPE_UNKNOWN,
    SHAPE_TEXT,
    SHAPE_TABLE,
    SHAPE_LINES,
    SHAPE_DOCUMENT,
    SHAPE_XML
} shape;

typedef struct document document;
typedef struct xml_list xml_list;

struct reader {
    list_bytes *from;
    const char *label;
    ob_import_type type; /* of 64 digits that do not say what they are */
    ob_import_understood *told, own;
    ob_buf input;
    size_t at;         /* first byte of `input` that is not used up */
    uint64_t line;     /* or record */
    bool ended;        /* nothing comes behind `input` */
    bool over;         /* no more entries, whatever stands there */
    unsigned headless; /* lines so far that are neither entry nor header */
    shape shape;
    char separator;
    int column[COLUMNS_MAX]; /* table: which field each is, or -1 */
    int columns;
    size_t record_most;                  /* bytes of a record of JSON that is read whole */
    struct json_t *object;               /* JSON: what the entry points into */
    int member[OB_IMPORT_NAMES_MAX];     /* JSON: field of told->columns.name[i] */
    char digits[FIELDS + SAID_MORE][24]; /* JSON: numbers as text */
    struct nest *nest;                   /* JSON: where the walk through that object is */
    unsigned nested;
    const inherited *inherited; /* NULL: nothing */
    entry also[SAID_MORE + 1];  /* further hashes of the entry that was made last */
    unsigned also_count, also_given;
    document *document;
    xml_list *xml;
};

/* Records of JSON that are longer are not read whole, but in parts. */
void reader_keep(reader *reader, size_t most);

/* Reads on; r->ended where there is no more. */
ob_status reader_fill(reader *r, ob_error *err);

/* ---- What makes entries ---------------------------------------------------------------------- */

/* Fields that are NULL or empty are absent; their ends are cut. *skipped: of a kind that is not
 * used. Further hashes of a kind become entries in r->also. */
ob_status entry_from_fields(entry *out, bool *skipped, reader *r, const said *said, ob_error *err);

/* Only what is said of whether it counts. */
ob_status withdrawn_from_fields(bool *withdrawn, const said *said, ob_error *err);

/* text.c: by its first word that is a hash, named or not. */
ob_status entry_from_text(entry *out, bool *skipped, reader *r, char *line, ob_error *err);

/* table.c */
ob_status table_header(reader *r, char *line, ob_error *err);
ob_status entry_from_row(entry *out, bool *skipped, reader *r, char *line, ob_error *err);

/* record.c: an object of JSON, of which the reader keeps what the entry points into. Outermost: it
 * may be what the records came in. */
enum { NESTS_MOST = 16 };
ob_status entry_from_record(entry *out, bool *none, reader *r, const char *text, size_t length,
                            bool outermost, ob_error *err);

/* The next of the records that stand in it; !*any: there are no more. */
ob_status record_next(entry *out, bool *none, bool *any, reader *r, ob_error *err);

/* Where one is too long to be read whole: what stands before its first array of records, and what
 * is behind one, which these can not have any more: OB_EREFUSED, where they should. */
ob_status entry_from_head(entry *out, bool *none, inherited *gives, reader *r, const char *text,
                          size_t length, bool outermost, ob_error *err);
ob_status check_tail(reader *r, const char *text, size_t length, bool outermost, ob_error *err);

bool record_has_array(const char *name, const struct json_t *value);

/* document.c: JSON that is not one object a line. Calls end with *end, an entry, or OB_EFORMAT. */
ob_status document_new(document **out, ob_error *err);
void document_free(document *document);
bool is_array_of_records(const char *key, size_t size);
ob_status document_next(entry *out, bool *skipped, bool *end, reader *r, ob_error *err);

/* Whether the file goes on as such a document: the start of it, up to a line, is in the buffer. */
bool document_begins(const char *line, size_t length, const char *next, size_t next_length);

/* xml.c */
ob_status xml_new(xml_list **out, ob_error *err);
void xml_free(xml_list *xml);
ob_status xml_next(entry *out, bool *skipped, bool *end, reader *r, ob_error *err);

#endif
