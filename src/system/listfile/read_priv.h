/* Reads the file of a published list: from bytes (bytes.c) to lines or records (read.c, document.c,
 * xml.c), from these to named fields (text.c, table.c, record.c), and from fields to an entry
 * (fields.c). names.c counts the names that were understood. */
#ifndef OBHUT_LISTFILE_READ_PRIV_H
#define OBHUT_LISTFILE_READ_PRIV_H

#include "listfile_priv.h"

struct json_t;

/* ---- bytes.c --------------------------------------------------------------------------------- */

/* A file's text as UTF-8 without a byte order mark; gzip and UTF-16 are converted. The memory that
 * this takes does not depend on the file. */
typedef struct list_bytes list_bytes;

ob_status bytes_new(list_bytes **out, int file, const char *label, ob_error *err);
void bytes_free(list_bytes *bytes);

/* Sets *got to how many bytes of `room` were filled, 0 at the end. OB_EFORMAT: the compression or
 * encoding is not supported, or damaged; OB_EIO. Both are final. */
ob_status bytes_read(size_t *got, list_bytes *from, char *to, size_t room, ob_error *err);
/* Sets *out to SHA-256 of the whole file. Call this once, at the end. */
ob_status bytes_finish(uint8_t out[OB_SHA256_SIZE], list_bytes *bytes, ob_error *err);
uint64_t bytes_count(const list_bytes *bytes);     /* of the file, read so far */
const char *bytes_coding(const list_bytes *bytes); /* ", gzip", ", UTF-16" …, or "" */

/* ---- fields.c -------------------------------------------------------------------------------- */

/* The fields of an entry, whatever the shape of the file. */
typedef enum field {
    FIELD_MD5, /* the kinds of digests come first, in their order */
    FIELD_SHA1,
    FIELD_SHA256,
    FIELD_PHOTODNA,
    FIELD_TMK,
    FIELD_VPDQ,
    FIELD_PDQ,
    FIELD_ANY, /* a hash of the kind that FIELD_TYPE names, or that its length shows */
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

/* Returns the field that a column or member of this name has, or -1. Case, blanks and signs do not
 * matter. */
int field_of(const char *name);
bool field_is_hash(int field);

/* Says whether this field is about the state of an entry: active or withdrawn. */
bool field_is_state(int field);

/* Says whether a word is a state that needs no name: "withdrawn", "active". */
bool field_state_is_known(const char *word);

/* Says whether a text looks like a hash: digits of the right number. */
bool field_could_be_hash(const char *text);

/* The values of an entry, by field; of hashes and states also the second and further values. */
enum { SAID_MORE = 32 };
typedef struct said {
    char *text[FIELDS];
    struct {
        int field;
        char *text;
    } more[SAID_MORE];
    unsigned more_count;
} said;

/* Adds a value; *used says whether it means something. OB_EFORMAT: there are too many. */
ob_status said_put(bool *used, said *to, int field, char *text, ob_error *err);

/* What records inside another one inherit from it. */
typedef struct inherited {
    bool withdrawn, has_hash;
    char id[OB_LIST_ID_MAX + 1];
    char source[OB_LIST_TEXT_MAX + 1], classification[OB_LIST_TEXT_MAX + 1];
} inherited;

/* Returns the kind that a word like "ImagePDQ" or "HASH_MD5" names; FIELD_ANY for a word that names
 * none ("image"), and -1 for an unknown word. */
int field_kind(const char *word);

/* ---- names.c --------------------------------------------------------------------------------- */

/* Counts a name. *at is where to look first, and is set to where the name is (SIZE_MAX: nowhere,
 * there are too many). Returns whether the name is new. */
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
    ob_import_type type; /* of 64 digits without a kind */
    ob_import_understood *understood, own;
    ob_buf input;
    size_t at;         /* first byte of `input` that is not used up */
    uint64_t line;     /* or record */
    bool ended;        /* the file ends with `input` */
    bool over;         /* no more entries are read */
    unsigned headless; /* lines so far that are neither an entry nor a header */
    shape shape;
    char separator;
    int column[COLUMNS_MAX]; /* table: which field each is, or -1 */
    int columns;
    size_t record_most;                  /* bytes of a record of JSON that is read whole */
    struct json_t *object;               /* JSON: what the entry points into */
    int member[OB_IMPORT_NAMES_MAX];     /* JSON: field of told->columns.name[i] */
    char digits[FIELDS + SAID_MORE][24]; /* JSON: numbers as text */
    struct nest *nest;                   /* JSON: the present place in that object */
    unsigned nested;
    const inherited *inherited; /* NULL: nothing */
    entry also[SAID_MORE + 1];  /* further hashes of the entry that was made last */
    unsigned also_count, also_given;
    document *document;
    xml_list *xml;
};

/* Limits the size of JSON records that are read whole; longer ones are read in parts. */
void reader_limit(reader *reader, size_t most);

/* Reads more of the file; sets r->ended at its end. */
ob_status reader_fill(reader *r, ob_error *err);

/* ---- What makes entries ---------------------------------------------------------------------- */

/* Makes an entry of its fields; those that are NULL or empty are absent, and blanks at the ends are
 * removed. *skipped: the entry has only unused kinds. Further hashes of a kind become entries in
 * r->also. */
ob_status entry_from_fields(entry *out, bool *skipped, reader *r, const said *said, ob_error *err);

/* Reads the state alone: whether the entry is withdrawn. */
ob_status withdrawn_from_fields(bool *withdrawn, const said *said, ob_error *err);

/* text.c: an entry from the first word of a line that is a hash, named or not. */
ob_status entry_from_text(entry *out, bool *skipped, reader *r, char *line, ob_error *err);

/* table.c */
ob_status table_header(reader *r, char *line, ob_error *err);
ob_status entry_from_row(entry *out, bool *skipped, reader *r, char *line, ob_error *err);

/* record.c: the text of a JSON object. */
typedef struct record_text {
    const char *text;
    size_t length;
    bool outermost; /* it may be the wrapping of all records */
} record_text;

/* Makes an entry of such an object; the reader owns what the entry points into. */
enum { NESTS_MOST = 16 };
ob_status entry_from_record(entry *out, bool *none, reader *r, const record_text *from,
                            ob_error *err);

/* Makes an entry of the next record inside that object; *any is false where there are no more. */
ob_status record_next(entry *out, bool *none, bool *any, reader *r, ob_error *err);

/* For an object that is too long to be read whole: the part before its first array of records, and
 * the part behind one. OB_EREFUSED: that part has something that the records should have inherited.
 */
ob_status entry_from_head(entry *out, bool *none, inherited *gives, reader *r,
                          const record_text *from, ob_error *err);
ob_status check_tail(reader *r, const record_text *from, ob_error *err);

bool record_has_array(const char *name, const struct json_t *value);

/* document.c: JSON that is not one object for each line. A call gives *end, an entry, or
 * OB_EFORMAT. */
ob_status document_new(document **out, ob_error *err);
void document_free(document *document);
bool is_array_of_records(const char *key, size_t size);
ob_status document_next(entry *out, bool *skipped, bool *end, reader *r, ob_error *err);

/* Says whether the file is such a document; its start, up to a line, is in the buffer. */
bool document_begins(const char *line, size_t length, const char *next, size_t next_length);

/* xml.c */
ob_status xml_new(xml_list **out, ob_error *err);
void xml_free(xml_list *xml);
ob_status xml_next(entry *out, bool *skipped, bool *end, reader *r, ob_error *err);

#endif
