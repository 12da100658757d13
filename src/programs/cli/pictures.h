/* Files and directories named on the command line, hashed by workers in parallel, shown in
 * order. */
#ifndef OBHUT_CLI_PICTURES_H
#define OBHUT_CLI_PICTURES_H

#include <obhut/sandbox.h>

#include <jansson.h>

/* A file larger than this is no picture that anybody uploads. */
#define PICTURES_MAX_FILE (UINT64_C(256) << 20)

struct picture;

typedef struct pictures_options {
    ob_media_options media;
    uint32_t digests; /* OB_DIGEST_… */
    bool other_files; /* digests of files too that are no pictures */
    unsigned threads; /* 0: one for each processor */
    /* Instead of a worker of this process: sets picture->answer, and picture->job.status and error
     * where the file could not be looked at. Any thread. */
    ob_status (*ask)(void *context, struct picture *picture, int file, ob_error *err);
    void *context;
} pictures_options;

typedef struct picture {
    const char *path;
    bool skipped;      /* found in a directory and no picture: shown for its digests only */
    ob_job_result job; /* status OB_OK: hashed; otherwise error says why not, without the path */
    json_t *answer;    /* of `ask`; dropped after it was shown */
} picture;

typedef struct pictures_count {
    uint64_t hashed, failed, skipped;
} pictures_count;

/* Calls `each` for every file, from the calling thread, in the order of `paths` and within a
 * directory by name. Directories are entered, symbolic links in them are not followed. A file found
 * in a directory that is no picture, neither by its first bytes nor by the end of its name, is
 * counted as skipped, and shown only with other_files. */
ob_status pictures_each(pictures_count *out, char *const *paths, const pictures_options *options,
                        void (*each)(void *context, const picture *picture), void *context,
                        ob_error *err);

/* "3 files failed; 12 other files were no pictures" on standard error where there is something to
 * say, and the exit code for it. */
int pictures_summary(const pictures_count *count);

#endif
