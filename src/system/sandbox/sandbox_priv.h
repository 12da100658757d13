/* The parts of sandbox: epochs.c and holder.c are what permits need; confine.c takes rights away,
 * filter.c is the list of system calls; serve.c runs in the worker; process.c starts and ends one,
 * worker.c hands out jobs and pool.c to whom; protocol.c checks what one says to the other. */
#ifndef OBHUT_SANDBOX_PRIV_H
#define OBHUT_SANDBOX_PRIV_H

#include <obhut/sandbox.h>
#include <obhut/wire.h>

#include <sys/types.h>

/* ---- protocol.c: what a worker and its owner say to each other ------------------------------- */

typedef enum worker_message {
    WORKER_HELLO = 1, /* from the worker: OB_CONFINED_… (0: it gives up), text: why */
    WORKER_WELCOME,   /* to it, with the descriptor of the epochs: the key that its permits are
                       * sealed with */
    WORKER_JOB,       /* to it, with the descriptor of the file: worker_job. The packet's number
                       * cannot be guessed: an answer to it was given by somebody who has read it */
    WORKER_ROOM,   /* to it, after a job that wants one: the descriptor of a memory file to fill */
    WORKER_RESULT, /* from it, under the job's number: worker_result */
    WORKER_MESSAGES,
} worker_message;

enum { WORKER_SIDE, OWNER_SIDE };
extern const ob_wire_protocol worker_protocol;

typedef struct worker_job {
    uint64_t number, size;
    uint32_t wants[OB_EXTRACTS], digests, variant, exact, cpu_ms;
    uint8_t item[OB_PERMIT_KEY];
    ob_permit permit;
} worker_job;

void worker_put_job(ob_packet *p, const worker_job *job);
bool worker_get_job(worker_job *out, ob_packet *p);

/* Reasons that are none of a picture's: they go on where ob_media_reason ends. */
enum {
    WORKER_NO_PERMIT = OB_MEDIA_REASONS, /* there was none, or it does not hold any more */
    WORKER_SHORT,                        /* fewer bytes than were announced */
    WORKER_NO_DIGESTS,
    WORKER_NO_ROOM, /* for a part of the file */
    WORKER_REASONS,
};

/* Numbers of closed lists and bounded fields only: the sentences are the receiver's. */
typedef struct worker_result {
    uint64_t number;
    ob_media_fault fault; /* its reason: ob_media_reason or WORKER_… */
    uint32_t digested;
    ob_media_result media;
    ob_digests digests;
    uint64_t file_size; /* of the memory file, that was filled; 0: none */
} worker_result;

void worker_put_result(ob_packet *p, const worker_result *result);

/* False: the fields are not those of a result. What they say is not checked. */
bool worker_get_result(worker_result *out, ob_packet *p);

/* What a worker says is checked as if it came from the file that it has just decoded. False when it
 * is not an answer to `job`. Whether a worker rightly claims that it had no permit (`*refused`),
 * its caller finds out. */
bool worker_take_result(ob_job_result *out, bool *refused, const worker_result *result,
                        const worker_job *job);

/* The detectors that something of a file is taken for. */
uint32_t worker_detectors(const uint32_t wants[OB_EXTRACTS]);

/* What the holder of the permit in a job knows when it is about to look. */
ob_permit_use worker_use(const worker_job *job, int file, ob_epochs epochs);

/* ---- process.c ------------------------------------------------------------------------------- */

/* A process of a worker program, confined and welcomed. */
typedef struct worker_process {
    pid_t id; /* 0: none runs */
    ob_wire *wire;
    uint32_t layers;
    unsigned cpu_s;   /* of the processor in its whole life */
    ob_holder holder; /* of its permits: a new key for every process */
} worker_process;

/* "obhut-worker": beside this program, or where it was installed; NULL where it is not. The
 * caller's. */
char *process_find(const char *name);

/* Starts one and waits for its hello. OB_EIO, OB_ETIME, OB_EREFUSED: *p is untouched. */
ob_status process_start(worker_process *p, char *program, unsigned cpu_s,
                        const ob_epoch_page *epochs, ob_error *err);

/* Kills it, and only then waits. Returns its wait status: how it had ended already, where it had.
 */
int process_kill(worker_process *p);

/* Of one that has nothing to do. False: it did not end well, which only sanitizers find out. */
bool process_dismiss(worker_process *p);

/* Seconds of the processor that it has used, rounded up. */
unsigned process_used_s(const worker_process *p);

/* For how long it has waited for a processor that others had; 0 where the kernel does not say. */
int64_t process_starved_ms(const worker_process *p);

/* Of a clock that no test sets: limits of time are the core's. */
int64_t process_now_ms(void);

/* True when there is something to read before the deadline, of process_now_ms. */
bool process_wait(const worker_process *p, int64_t deadline_ms);

/* Whether it has closed its end of the wire, by its end or otherwise. */
bool process_is_gone(const worker_process *p);

/* ---- epochs.c, holder.c ---------------------------------------------------------------------- */

int epochs_file(const ob_epoch_page *page); /* the page's still */

/* The page of such a file, to be read; NULL: it cannot be. Lives as long as the process. */
ob_epoch_page *epochs_open(int file);

/* Sets device and inode. */
bool holder_look_at(ob_permit_item *item, int file);

/* ---- result_file.c ------------------------------------------------------------------------- */

/* A memory file of OB_RESULT_FILE_MOST zero bytes that can neither grow nor shrink, for a worker to
 * fill; -1: there is no memory. */
int result_file_new(void);

/* From now on nobody can change it. False: somebody still may, who has it mapped. */
bool result_file_seal(int file);

/* In the worker: has `program` fill it. Returns how many bytes, 0: none. */
uint64_t result_file_fill(int file, const ob_worker_program *program, const uint8_t *bytes,
                          size_t size);

/* ---- filter.c ------------------------------------------------------------------------------ */

/* Loads the filter of system calls. OB_EREFUSED. */
ob_status filter_load(ob_confinement profile, ob_error *err);

#endif
