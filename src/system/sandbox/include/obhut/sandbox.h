/* sandbox: processes that can do little. Worker processes decode and hash, and nothing else: no
 * files, no network, no new processes.
 *
 * Whoever has bytes hands a worker a descriptor of them; what comes back are hashes. A worker is
 * started once and kept. One that dies, hangs or breaks its bounds costs the job that it was at,
 * and is replaced for the next one. */
#ifndef OBHUT_SANDBOX_H
#define OBHUT_SANDBOX_H

#include <obhut/base.h>
#include <obhut/clock.h> /* permits go by it */
#include <obhut/crypto.h>
#include <obhut/media.h>
#include <obhut/permit.h>

/* ---- Permits --------------------------------------------------------------------------------- */

/* A holder of permits: a worker process, or a thread that makes and takes its own. Its key works in
 * the process that made it and in no other, not even after a fork. One thread at a time. */
typedef struct ob_holder {
    uint8_t key[OB_KEY_SIZE];
    int process;
    uint64_t made, taken; /* numbers of the last permits */
} ob_holder;

/* Makes a key for a holder in this process; no permit has been made for it yet. */
void ob_holder_init(ob_holder *holder);
/* Returns what ob_permit_make needs to make permits for this holder. It points to *holder. */
ob_permit_mac ob_holder_maker(ob_holder *holder);
/* Returns what ob_permit_take needs to take permits as this holder. It points to *holder. */
ob_permit_mac ob_holder_taker(ob_holder *holder);

/* Epochs in memory that workers can read and not write. Any thread. */
typedef struct ob_epoch_page ob_epoch_page;
/* Makes a page of epochs, both 0, that workers can read and not change. The caller frees *out:
 * ob_epoch_page_free. */
ob_status ob_epoch_page_new(ob_epoch_page **out, ob_error *err);
/* Frees a page. NULL is fine. */
void ob_epoch_page_free(ob_epoch_page *page);
/* Raises one of the epochs: permits that were made before are void, also in a worker that is
 * decoding. */
void ob_epoch_raise(ob_epoch_page *page, bool personal);
/* Returns both epochs as they are now. */
ob_epochs ob_epochs_now(const ob_epoch_page *page);

/* Makes the permit for an item and the worker that will get it, at the last moment. *detectors is
 * what is wanted; it may be made less. OB_EREFUSED: nobody may look. */
typedef ob_status (*ob_permit_maker)(void *context, ob_permit *out, uint32_t *detectors,
                                     const ob_permit_item *item, ob_epochs epochs,
                                     const ob_permit_mac *mac, ob_error *err);

/* The maker for commands on files of one's own: permits everything. No service has a use for it. */
ob_status ob_own_files_permit(void *context, ob_permit *out, uint32_t *detectors,
                              const ob_permit_item *item, ob_epochs epochs,
                              const ob_permit_mac *mac, ob_error *err);

/* ---- Jobs ------------------------------------------------------------------------------------ */

/* What a worker can take from a file. */
typedef enum ob_extract {
    OB_EXTRACT_PDQ,     /* hashes of its pictures */
    OB_EXTRACT_DIGESTS, /* of its bytes */
    OB_EXTRACT_FILE,    /* a memory file that the worker program fills: a rendition, frames, text */
    OB_EXTRACTS,
} ob_extract;

/* "hashes", "digests", "a memory file"; "nothing" of any other number. */
const char *ob_extract_name(ob_extract extract);

/* What is wanted of a file. */
typedef struct ob_job {
    uint32_t wants[OB_EXTRACTS]; /* bit d: detector d needs it; 0: it is not taken */
    uint32_t digests;            /* OB_EXTRACT_DIGESTS: which, OB_DIGEST_… */
    uint64_t size;               /* bytes, from the beginning of the file */
    ob_media_options media;
    uint64_t client;   /* whose file: a process gets one client's only */
    unsigned trial_ms; /* not 0: it gets no more of the processor, and where that is not enough it
                        * is tried again: its OB_ETIME is no news */
    uint8_t item[OB_PERMIT_KEY]; /* whose permit it is */
    ob_permit_maker permit;
    void *permit_context;
} ob_job;

/* For commands on files of one's own, whose permits name no detector: what they want of a file. */
enum { OB_OWN_WISH = 1 };

typedef struct ob_job_result {
    /* Of hashing, where it was wanted: OB_OK, and media is set; OB_EFORMAT: damaged; OB_ELIMIT,
     * OB_ENOMEM, OB_ETIME: beyond a bound; OB_ENOTFOUND: no picture of a format that is known or
     * whose worker is installed; OB_ECRASH: the worker died of it. error says why. */
    ob_status status;
    ob_error error;
    ob_media_result media;
    uint32_t detectors; /* that the permit was for */
    uint32_t digested;  /* OB_DIGEST_… that are set in digests; also where hashing failed */
    ob_digests digests;
    /* OB_EXTRACT_FILE, where the worker has filled it: nobody can change it any more. What is in it
     * was made from bytes that nobody vouches for, by a process that they may have taken over. */
    bool has_file;
    int file;           /* the caller's: ob_result_close */
    uint64_t file_size; /* bytes that were filled, at most OB_RESULT_FILE_MOST */
} ob_job_result;

enum { OB_RESULT_FILE_MOST = 4 << 20 };

/* Reads the first bytes of a result's memory file; returns how many, 0 where there is none. */
size_t ob_result_read(void *out, size_t size, const ob_job_result *of);

/* Closes the memory file, where there is one. */
void ob_result_close(ob_job_result *result);

/* ---- Workers ------------------------------------------------------------------------------ */

/* What holds a process. */
enum {
    OB_CONFINED_SECCOMP = 1,    /* an allow-list of system calls: alone it suffices */
    OB_CONFINED_LANDLOCK = 2,   /* no file can be opened */
    OB_CONFINED_NAMESPACES = 4, /* no network, no file system is in sight */
    OB_CONFINED_LIMITS = 8,     /* memory, files, core dumps */
    OB_CONFINED_SCOPES = 16,    /* Landlock: no signals to others, no sockets without a name */
    OB_CONFINED_PROCESSES = 32, /* a numbering of its own: no other process has a number */
};

typedef struct ob_worker_options {
    const char *program; /* NULL: obhut-worker, beside this program or where it was installed */
    unsigned time_ms;    /* for one job, 0: 20,000 */
    unsigned cpu_ms;     /* of the processor for one job, 0: 15,000 */
    const ob_epoch_page *epochs; /* NULL: nothing is ever withdrawn */
    /* Hears of every worker that died of a job: a sentence without anything of the item. */
    void (*problem)(void *context, const char *sentence);
    void *context;
} ob_worker_options;

/* A worker, and its successors. One thread at a time. */
typedef struct ob_worker ob_worker;

/* Starts the process and waits until it is confined. The strings and the context in options must
 * outlive *out, which the caller owns: ob_worker_stop. OB_ENOTFOUND: there is no such program;
 * OB_EIO; OB_ETIME. */
ob_status ob_worker_start(ob_worker **out, const ob_worker_options *options, ob_error *err);

/* OB_CONFINED_… that hold this worker. */
uint32_t ob_worker_layers(const ob_worker *worker);

/* The process that runs now. */
int ob_worker_process(const ob_worker *worker);

/* Does one job and waits for it, as long as is allowed. Where the process has had files of another
 * client, a new one does it. `file` is a sealed memory file, or a
 * regular one: somebody may then change it meanwhile, which costs the job; it stays the caller's.
 *
 * OB_OK: *out is set, whatever became of the file; otherwise nothing was looked at, or what was
 * seen is forgotten: OB_EREFUSED: there is no permit, or it was withdrawn meanwhile; OB_EIO,
 * OB_ENOTFOUND, OB_ENOMEM: no worker could be had. */
ob_status ob_worker_do(ob_job_result *out, ob_worker *worker, const ob_job *job, int file,
                       ob_error *err);

void ob_worker_stop(ob_worker *worker); /* NULL is fine */

/* The workers that all formats need, some for each worker program: those of another than the
 * standard one are started when a file of its formats comes, and further ones when further clients
 * do. */
typedef struct ob_workers ob_workers;
/* Starts the first worker and waits until it is confined. The strings and the context in options
 * must outlive *out, which the caller owns: ob_workers_stop. Errors as ob_worker_start. */
ob_status ob_workers_start(ob_workers **out, const ob_worker_options *options, ob_error *err);
/* Does one job in a worker of the program that its format needs, as ob_worker_do. */
ob_status ob_workers_do(ob_job_result *out, ob_workers *workers, const ob_job *job, int file,
                        ob_error *err);
/* Returns OB_CONFINED_… of the first worker; all others have the same. */
uint32_t ob_workers_layers(const ob_workers *workers);
void ob_workers_stop(ob_workers *workers); /* NULL is fine */

/* Whether a worker program is installed. */
bool ob_workers_have(ob_media_program program);

/* ---- Confining oneself ----------------------------------------------------------------------- */

typedef enum ob_confinement {
    OB_PROFILE_WORKER,         /* the channel (descriptor OB_WORKER_CHANNEL) and memory */
    OB_PROFILE_WORKER_THREADS, /* and threads of its own */
    OB_PROFILE_FRONT,          /* sockets that exist, memory files, timers */
} ob_confinement;

/* Gives up what the profile does not need, for good; *layers is set to what holds. OB_EREFUSED: not
 * even the filter of system calls could be had. Call it while there is one thread. */
ob_status ob_confine(uint32_t *layers, ob_confinement profile, ob_error *err);

/* Descriptors' places: a worker's channel; the first of those where the front listens, and how many
 * there are. */
enum { OB_WORKER_CHANNEL = 3, OB_FRONT_LISTENING = 4, OB_FRONT_LISTENERS = 3 };

typedef ob_status (*ob_worker_hasher)(ob_media_result *out, const uint8_t *bytes, size_t size,
                                      const ob_media_options *options, ob_media_fault *fault);

/* What a worker program does. */
typedef struct ob_worker_program {
    ob_confinement profile;
    ob_worker_hasher hash;
    /* Fills a memory file of `room` zero bytes and sets *size; NULL, or not OB_OK: there is none.
     */
    ob_status (*fill)(void *out, size_t *size, size_t room, const uint8_t *bytes, size_t of);
    void (*prepare)(void); /* before the confinement; may be NULL */
} ob_worker_program;

/* The life of a worker process: confines itself and does jobs until its channel is closed. Returns
 * the exit code. `arguments` are the program's: the first says how many seconds of the processor
 * its life may take. */
int ob_worker_serve(char **arguments, const ob_worker_program *program);

#endif
