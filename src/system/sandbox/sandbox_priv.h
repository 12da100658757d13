/* The parts of sandbox: epochs.c and holder.c are what permits need; confine.c takes rights away,
 * filter.c is the list of system calls; serve.c runs in the worker; process.c starts and ends one,
 * worker.c hands out jobs and pool.c to whom; wire.c checks what one says to the other. */
#ifndef OBHUT_SANDBOX_PRIV_H
#define OBHUT_SANDBOX_PRIV_H

#include <obhut/sandbox.h>

#include <sys/types.h>

/* ---- wire.c: one packet each, both sides from the same build ------------------------------- */

enum { WIRE_HELLO = 0x4F425731 };

typedef struct wire_hello {
    uint32_t magic;  /* WIRE_HELLO */
    uint32_t layers; /* 0: it gives up, and `text` says why */
    char text[200];
} wire_hello;

/* The answer to it, with the descriptor of the epochs: the key that permits for this worker are
 * sealed with. */
typedef struct wire_welcome {
    uint32_t magic;
    uint8_t key[OB_KEY_SIZE];
} wire_welcome;

/* Comes with the descriptor of the file. Its number cannot be guessed: an answer to it was given by
 * somebody who has read it. */
typedef struct wire_job {
    uint64_t number, size;
    uint32_t hash, digests, variant, exact, cpu_ms, unused;
    uint8_t item[OB_PERMIT_KEY];
    ob_permit permit;
} wire_job;

/* Reasons that are none of a picture's: they go on where ob_media_reason ends. */
enum {
    WIRE_NO_PERMIT = OB_MEDIA_REASONS, /* there was none, or not any more */
    WIRE_SHORT,                        /* fewer bytes than were announced */
    WIRE_NO_DIGESTS,
    WIRE_NO_ROOM, /* for a part of the file */
    WIRE_REASONS,
};

/* Numbers of closed lists and bounded fields only: the sentences are the receiver's. */
typedef struct wire_result {
    uint64_t number;
    ob_media_fault fault; /* its reason: ob_media_reason or WIRE_… */
    uint32_t digested, unused;
    ob_media_result media;
    ob_digests digests;
} wire_result;

/* What a worker says is checked as if it came from the file that it has just decoded. False when it
 * is not an answer to `job`. Whether a worker rightly claims that it had no permit (`*refused`),
 * its caller finds out. */
bool wire_take_result(ob_job_result *out, bool *refused, const wire_result *result,
                      const wire_job *job);

/* What the holder of the permit in a job knows when it is about to look. */
ob_permit_use wire_use(const wire_job *job, int file, ob_epochs epochs);

/* Sends with at most one descriptor (-1: none), and never waits. Returns false when the other side
 * is gone, or does not read. */
bool wire_send(int channel, const void *bytes, size_t size, int file);

/* Receives one packet of exactly `size` bytes, and *file (or -1) where `file` is not NULL. Returns
 * false at the end, on an error, or on a packet of another size or with other descriptors. */
bool wire_receive(int channel, void *bytes, size_t size, int *file);

/* ---- process.c ------------------------------------------------------------------------------ */

/* A process of a worker program, confined and welcomed. */
typedef struct worker_process {
    pid_t id; /* 0: none runs */
    int channel;
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

/* Whether it has let go of its channel, by its end or otherwise. */
bool process_is_gone(const worker_process *p);

/* ---- epochs.c, holder.c -------------------------------------------------------------------- */

int epochs_file(const ob_epoch_page *page); /* the page's still */

/* The page of such a file, to be read; NULL: it cannot be. Lives as long as the process. */
ob_epoch_page *epochs_open(int file);

/* Sets device and inode. */
bool holder_look_at(ob_permit_item *item, int file);

/* ---- filter.c ------------------------------------------------------------------------------ */

/* Loads the filter of system calls. OB_EREFUSED. */
ob_status filter_load(ob_confinement profile, ob_error *err);

#endif
