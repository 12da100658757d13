/* Kinds of records, what each is for, and how long they stay. */
#ifndef OBHUT_RECORDS_RETENTION_H
#define OBHUT_RECORDS_RETENTION_H

#include <obhut/store.h>

/* A column, and why it is kept. */
typedef struct ob_record_field {
    const char *name, *purpose;
} ob_record_field;

/* A table. */
typedef struct ob_record_kind {
    const char *table, *title;
    const char *purpose, *period;
    const char *persons; /* what it tells about persons */
} ob_record_kind;

/* The kinds there are, by their place from 0; NULL beyond the last. */
const ob_record_kind *ob_record_kind_at(size_t index);

/* Its columns in the same way. */
const ob_record_field *ob_record_field_at(const ob_record_kind *kind, size_t index);

/* What the reaper is told. */
typedef struct ob_reap {
    int64_t now;
    uint32_t law_months; /* the least that a law of this service allows at most; 0: none says so */
    bool only_count;     /* what would go */
} ob_reap;

/* What it found of one kind: due = deleted + held, and left = held, unless something was added
 * meanwhile. */
typedef struct ob_reaped {
    const char *word; /* "report" */
    bool daily;       /* codes and the like, which go every day */
    uint64_t due, held, deleted, left;
} ob_reaped;

enum { OB_REAPED_MOST = 32 };

/* What was deleted is not found in the database's files any more (docs/DATA.md says what PostgreSQL
 * needs for that): OB_EBUSY where somebody still reads it, and then the next time sees to it. */
ob_status ob_store_scrub(ob_store *store, ob_error *err);

/* Whether who wants to write waits for that. Any thread. */
bool ob_store_overwrites(const ob_store *store);

/* Deletes what has been kept long enough, batch after batch. Sets `out` for kinds of which
 * something was due, also when it fails in the middle: what is deleted stays deleted, and the next
 * run goes on. */
ob_status ob_store_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                        const ob_reap *how, ob_error *err);

/* `at` less so many calendar months; the last day of a month goes back to the last day. */
int64_t ob_months_before(int64_t at, int months);

#endif
