/* Files of `obhut backup`: keys, and what is written. */
#ifndef OBHUT_CLI_BACKUP_FILES_H
#define OBHUT_CLI_BACKUP_FILES_H

#include <obhut/seal.h>

/* A new file with a secret key, durable, 0600; never over another one. */
ob_status backup_write_secret(const char *path, const ob_seal_public *public,
                              const ob_seal_secret *secret, ob_error *err);

/* OB_EREFUSED: others may read it, or it is the public key. The caller wipes *out. */
ob_status backup_read_secret(ob_seal_secret *out, const char *path, ob_error *err);

/* A key as it is given to --key: itself, or a file with it. */
ob_status backup_read_public(ob_seal_public *out, const char *given, ob_error *err);

/* A backup to read; "-" is standard input. The caller closes it. */
ob_status backup_open(int *out, const char *path, ob_error *err);

/* A backup that is being written: under PATH.part until it is kept. */
typedef struct backup_output {
    const char *path;
    char *part; /* NULL: standard output, or nothing yet */
    int file;   /* -1: none */
} backup_output;

/* "-" is standard output. OB_EREFUSED: there is something else than a backup at `path`, or standard
 * output is a terminal; OB_EBUSY: another process is writing there. backup_output_drop in any case.
 */
ob_status backup_output_open(backup_output *out, const char *path, ob_error *err);

/* Makes it durable under its own name. */
ob_status backup_output_commit(backup_output *o, ob_error *err);

/* Removes what was not kept. */
void backup_output_drop(backup_output *o);

#endif
