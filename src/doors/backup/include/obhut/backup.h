/* backup: everything that a data directory keeps as one file that only the owner of a secret key
 * can read, made while the service runs; and a directory from such a file. docs/FORMAT-BACKUP.md
 * has the form. Memory is bounded: a few pieces of 64 KiB. */
#ifndef OBHUT_BACKUP_H
#define OBHUT_BACKUP_H

#include <obhut/audit.h>
#include <obhut/seal.h>
#include <obhut/store.h>

/* How such a file begins, for ob_seal_begin and to know one. */
extern const ob_seal_kind ob_backup_kind;

/* What a backup says of itself. */
typedef struct ob_backup_about {
    int64_t made_at;        /* seconds since 1970, UTC */
    char program[32];       /* the version that made it; safe to print */
    bool has_lists;         /* false: they were left out */
    uint64_t audit_entries; /* in its log */
    uint64_t files,
        bytes; /* in it, without the description of them: counted while reading or writing */
} ob_backup_about;

/* Hears now and then how far it is; total is 0 where unknown. */
typedef void (*ob_backup_progress)(void *context, const char *step, uint64_t done, uint64_t total);

/* ---- Making ---------------------------------------------------------------------------------- */

/* What is copied, by the process that owns the directory. */
typedef struct ob_backup_source {
    const char *dir;
    ob_store *store;
    ob_audit *audit;
    bool without_lists;
    ob_backup_progress progress; /* may be NULL */
    void *context;
} ob_backup_source;

/* Writes a backup to a descriptor, which may be a pipe, from its position on; fsync is the
 * caller's. Records and log are of one moment; nobody writes only while it is fixed, and all goes
 * on while both are read. The caller has logged this before.
 *
 * The records wait in a file of the data directory without a name, sealed with a key that only this
 * process knows. *out is set on success. OB_EIO: what could not be read or written, and why; what
 * was written then is no backup, and readers say so. */
ob_status ob_backup_make(ob_backup_about *out, int file, const ob_seal_public *to,
                         const ob_backup_source *source, ob_error *err);

/* ---- Reading --------------------------------------------------------------------------------- */

/* Hears of every file. The name is safe to print and lives as long as the call. */
typedef void (*ob_backup_see)(void *context, const char *name, uint64_t size);

/* Reads a backup from a descriptor to its end and verifies all of it. `see` may be NULL.
 * OB_EFORMAT: no backup, damaged, or cut off; OB_EREFUSED: for another key, or by a newer version.
 */
ob_status ob_backup_show(ob_backup_about *out, int file, const ob_seal_secret *secret,
                         ob_backup_see see, void *context, ob_error *err);

typedef struct ob_backup_target {
    const char *dir;     /* empty, or not there */
    const char *records; /* URL of an empty database, or NULL: in the directory */
    /* Opens the log there; NULL: ob_audit_open without lines of its own in checkpoints. */
    ob_status (*open_log)(ob_audit **out, const char *dir, ob_error *err);
    ob_backup_progress progress; /* may be NULL */
    void *context;
} ob_backup_target;

/* Makes the directory from a backup: whole and on the disk, or untouched. It is built at
 * DIR.restoring and then takes its name; what a killed one left there is removed first. The log is
 * opened, so its end is checked, and gets an entry "backup.restored". Where root restores, all
 * files belong to the owner of the empty directory.
 *
 * Errors as ob_backup_show, and OB_EREFUSED: the directory is not empty, or a place of its own that
 * cannot be replaced; OB_EBUSY: a service or another restore is there; OB_EIO; those of
 * ob_store_open, ob_store_load, ob_audit_open. After an error the database of `records` is as empty
 * as it was, unless the error came while the directory took its name: the sentence then says so. */
ob_status ob_backup_restore(ob_backup_about *out, int file, const ob_seal_secret *secret,
                            const ob_backup_target *target, ob_error *err);

#endif
