/* Retention: the kinds of records, what each is for, and when it is deleted. */
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

/* Returns the kind of records at a place from 0; NULL beyond the last. */
const ob_record_kind *ob_record_kind_at(size_t index);

/* Returns a kind's column at a place from 0; NULL beyond the last. */
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

/* Overwrites deleted records in the database's files, so that nobody can recover them (docs/DATA.md
 * says what PostgreSQL needs for that). OB_EBUSY: a reader still uses them; the next call tries
 * again. */
ob_status ob_store_scrub(ob_store *store, ob_error *err);

/* Says whether deleted records are being overwritten now, so that a writing would have to wait. Any
 * thread. */
bool ob_store_overwrites(const ob_store *store);

/* Deletes every record whose retention has ended, batch by batch. Sets out[0] to out[*count - 1],
 * one for each kind of which something was due, also when a batch fails: earlier batches stay
 * deleted, and the next call continues. */
ob_status ob_store_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                        const ob_reap *how, ob_error *err);

/* Returns the instant so many calendar months before `at`. The last day of a month becomes the last
 * day of the earlier month. */
int64_t ob_months_before(int64_t at, int months);

#endif
