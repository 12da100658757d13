/* A kind of record: one constant. Its table, its statements, its reading, its page in docs/DATA.md
 * and its end are all made of it, so that a column is written down once. */
#ifndef OBHUT_STORE_RECORD_H
#define OBHUT_STORE_RECORD_H

#include "store_priv.h"

#include <obhut/records/retention.h>

#include <stddef.h>

typedef enum column_kind {
    COLUMN_I64,
    COLUMN_U64,
    COLUMN_U32, /* and values of an enum */
    COLUMN_BOOL,
    COLUMN_TEXT,
    COLUMN_BYTES, /* exactly so many */
} column_kind;

typedef struct record_column {
    ob_record_field field; /* name, purpose */
    column_kind kind;
    size_t offset, size; /* in the struct */
    int key;             /* its place in the primary key, from 1; 0: none */
    bool is_unique;
    bool came_later; /* a later step of the schema added it: rows that were there have 0 */
} record_column;

#define COLUMN_KIND(member)                                                                        \
    _Generic((member), int64_t                                                                     \
             : COLUMN_I64, uint64_t                                                                \
             : COLUMN_U64, uint32_t                                                                \
             : COLUMN_U32, bool                                                                    \
             : COLUMN_BOOL, char *                                                                 \
             : COLUMN_TEXT, uint8_t *                                                              \
             : COLUMN_BYTES, ob_record_key                                                         \
             : COLUMN_BYTES)

/* The column `name` of a struct's member; COLUMN: they have the same name. */
#define COLUMN_AS(name, type, member, purpose)                                                     \
    .field = {name, purpose}, .kind = COLUMN_KIND(((type *)0)->member),                            \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define COLUMN(type, member, purpose) COLUMN_AS(#member, type, member, purpose)

#define COLUMNS(array) .columns = (array), .count = sizeof(array) / sizeof *(array)

/* How rows go. Commands and holds call such a record by `word`. */
typedef struct record_retention {
    const char *word;
    int months, days;  /* the period */
    const char *since; /* the instant from which it counts: an expression of columns */
    const char *only;  /* of rows for which this is true; NULL: of all */
    const char *by;    /* rows are chosen by this column */
    bool law;          /* the least that a law allows wins */
    bool withdraws;    /* without such a record something may no longer be scanned */
    bool may_be_held;
    const struct record_kind *parts; /* go with it: their rows whose parts_by is `by`, of those for
                                        which parts_only is true */
    const char *parts_by, *parts_only;
} record_retention;

enum { RETENTIONS = 2 };

typedef struct record_kind {
    ob_record_kind about; /* first */
    const record_column *columns;
    size_t count;
    size_t size;         /* of the struct */
    const char *indexes; /* statements that make them; NULL: none */
    record_retention retention[RETENTIONS];
} record_kind;

/* All of them, in the order of docs/DATA.md; each stands in kinds/, in the file of its name. */
extern const record_kind kind_token, kind_gateway, kind_profile, kind_person, kind_proposal,
    kind_incoming, kind_incoming_item, kind_verdict, kind_cause, kind_order, kind_order_account,
    kind_conversation, kind_member, kind_safeguard, kind_detector, kind_hold, kind_delivery,
    kind_log_key, kind_tally, kind_denied, kind_salt, kind_counter, kind_binding, kind_written;
extern const record_kind *const record_kinds[];
extern const size_t record_kind_count;

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Appends the statements that make its table. */
ob_status record_create(ob_buf *out, const record_kind *kind, ob_error *err);

/* ---- Writing --------------------------------------------------------------------------------- */

/* One row. What a column's rules forbid is OB_EINVAL. */
ob_status record_add(ob_writing *w, const record_kind *kind, const void *record, ob_error *err);

/* The same; *added is false where the key, or what is unique, was there before. */
ob_status record_add_new(bool *added, ob_writing *w, const record_kind *kind, const void *record,
                         ob_error *err);

/* The same, in place of the one that has its key. */
ob_status record_put(ob_writing *w, const record_kind *kind, const void *record, ob_error *err);

/* The same with the next number of that word, which is set in the record at `id`. A number is never
 * given twice, not even when its record is deleted. */
ob_status record_add_next(ob_writing *w, const record_kind *kind, const char *word, int64_t *id,
                          const void *record, ob_error *err);

/* ---- Reading --------------------------------------------------------------------------------- */

/* Begins "SELECT every column FROM its table" and `rest`, a literal: "WHERE id = ?". */
void record_select(sql *q, ob_view *view, const record_kind *kind, const char *rest, ob_error *err);

/* All rows of that, into an array that the caller frees; `out` points to the pointer. */
ob_status record_read_all(void *out, size_t *count, sql *q);
ob_status record_read_one(bool *found, void *out, sql *q);

/* For statements of one's own that ask for more besides: the names of the columns, and reading
 * those of a row. */
ob_status record_columns(ob_buf *out, const record_kind *kind, ob_error *err);
void record_read(void *record, sql *q);

/* The one that has a number; OB_ENOTFOUND in that word. */
ob_status record_get(void *out, ob_view *view, const record_kind *kind, const char *word,
                     int64_t id, ob_error *err);

/* The newest, by number. */
ob_status record_newest(void *out, size_t *count, ob_view *view, const record_kind *kind,
                        size_t most, ob_error *err);

/* ---- Ends ------------------------------------------------------------------------------------ */

/* What counts how many rows are due, or are due and nobody holds them. Parameters: the instant
 * before which a row is due; for those that may be held, where `free`, now and what a law's maximum
 * lies before. */
ob_status retention_count(ob_buf *out, const record_kind *kind, const record_retention *retention,
                          bool free, ob_error *err);

/* What deletes some of these, or their parts, by the same choice. The same parameters, and then how
 * many. */
ob_status retention_remove(ob_buf *out, const record_kind *kind, const record_retention *retention,
                           bool parts, ob_error *err);

/* The instant from which the period of row ? counts. */
ob_status retention_since(ob_buf *out, const record_kind *kind, const record_retention *retention,
                          ob_error *err);

/* The retention of that word, and its kind; NULL where nothing is called so. */
const record_retention *retention_of(const record_kind **kind, const char *word);

#endif
