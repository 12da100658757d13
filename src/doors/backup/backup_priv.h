/* The parts of backup: sequence.c knows the files that a backup may hold and their order; spool.c
 * keeps records that wait; make.c collects and writes, read.c looks, restore.c builds a directory
 * at the place that place.c keeps ready. */
#ifndef OBHUT_BACKUP_PRIV_H
#define OBHUT_BACKUP_PRIV_H

#include <obhut/backup.h>

/* ---- sequence.c ------------------------------------------------------------------------------ */

enum { SEQUENCE_NAME = 127, SEQUENCE_FILES_MOST = 100000, SEQUENCE_SMALL = 1 << 16 };

/* Kinds of files, in their order. */
typedef enum backup_rank {
    RANK_ABOUT,
    RANK_KEYS,
    RANK_AUDIT,
    RANK_LISTS,
    RANK_RECORDS,
    RANKS, /* no such file */
} backup_rank;

typedef struct sequence_file {
    char name[SEQUENCE_NAME + 1];
    uint64_t size;
    uint32_t mode; /* 0600 or 0400 */
    backup_rank rank;
} sequence_file;

/* RANKS where a backup has no file of that name. */
backup_rank sequence_rank(const char *name);

/* As qsort wants it: in the order of a backup. Both begin with a sequence_file. */
int sequence_order(const void *a, const void *b);

/* Hands the head of a file to `put`; its bytes follow. */
ob_status sequence_put(const sequence_file *file, ob_seal_put put, void *context, ob_error *err);

/* Reads file after file from any bytes. Starts as {.get, .context}. */
typedef struct sequence {
    ob_seal_get get;
    void *context;
    sequence_file now; /* the file whose bytes come */
    uint64_t left;     /* of them */
    uint32_t files;
    uint64_t bytes;
    bool has[3]; /* audit/checkpoints, audit/key, audit/log */
} sequence;

/* The next file: s->now, or *end, where whatever must be there was. The bytes of the one before
 * must have been read. OB_EFORMAT: hostile or damaged; the sentence names what. */
ob_status sequence_next(bool *end, sequence *s, ob_error *err);

/* Bytes of the file; *size 0 at its end. An ob_seal_get with a sequence as its context. */
ob_status sequence_read(void *s, void *bytes, size_t capacity, size_t *size, ob_error *err);

/* Reads what is left of the file and forgets it. */
ob_status sequence_skip(sequence *s, ob_error *err);

/* ---- about.c --------------------------------------------------------------------------------- */

/* The first file. about_print appends it to *out; about_read takes it from a sequence. */
ob_status about_print(ob_buf *out, const ob_backup_about *about, ob_error *err);
ob_status about_read(ob_backup_about *out, sequence *s, ob_error *err);

/* ---- stream.c -------------------------------------------------------------------------------- */

/* Writes all of it to the descriptor that `context` points to: an ob_seal_put. */
ob_status stream_write(void *context, const void *bytes, size_t size, ob_error *err);

/* Reads from the descriptor that `context` points to: an ob_seal_get. */
ob_status stream_read(void *context, void *bytes, size_t capacity, size_t *size, ob_error *err);

/* A backup that is being read, from its first byte on. */
typedef struct opened {
    int file;
    ob_seal_reader *sealed;
    sequence sequence;
} opened;

/* Opens the seal and reads what the backup says of itself. `out` must stay where it is;
 * opened_close in any case. */
ob_status opened_begin(opened *out, ob_backup_about *about, int file, const ob_seal_secret *secret,
                       ob_error *err);
void opened_close(opened *o);

/* ---- spool.c --------------------------------------------------------------------------------- */

/* Bytes that wait in a file without a name, sealed with a key that is nowhere else. */
typedef struct spool {
    int file; /* -1: none */
    ob_seal_secret secret;
    ob_seal_writer *writer;
    ob_seal_reader *reader;
    uint64_t size, checked; /* bytes in it; up to where the disk's room was looked at */
} spool;

/* In a directory; spool_close in any case. */
ob_status spool_open(spool *out, const char *dir, ob_error *err);
ob_status spool_put(void *spool, const void *bytes, size_t size, ob_error *err);

/* From now on it is read. */
ob_status spool_turn(spool *s, ob_error *err);
ob_status spool_get(void *spool, void *bytes, size_t capacity, size_t *size, ob_error *err);
void spool_close(spool *s);

/* ---- place.c --------------------------------------------------------------------------------- */

/* Where a directory is built before it takes its name. */
typedef struct place {
    char *dir;  /* what it will be */
    char *path; /* DIR.restoring */
    int file;   /* the directory there, locked; -1: none */
    bool has_owner;
    unsigned owner, group;
} place;

/* Checks that `dir` may be made and clears what an earlier attempt left; place_drop in any case. */
ob_status place_begin(place *out, const char *dir, ob_error *err);

/* Makes a file below it, at "name" or "folder/name", and its folder. */
ob_status place_file(int *out, const place *p, const char *name, uint32_t mode, ob_error *err);

/* Makes everything durable and gives it its name. */
ob_status place_finish(place *p, ob_error *err);

/* Removes what was built, unless it has its name already. */
void place_drop(place *p);

#endif
