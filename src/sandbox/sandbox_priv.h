/* The parts of sandbox: epochs.c and holder.c are what permits need; confine.c takes rights away,
 * filter.c is the list of system calls; serve.c runs in the worker; worker.c in who hands out jobs;
 * wire.c checks what one says to the other. */
#ifndef OBHUT_SANDBOX_PRIV_H
#define OBHUT_SANDBOX_PRIV_H

#include <obhut/sandbox.h>

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

/* Comes with the descriptor of the file. */
typedef struct wire_job {
    uint64_t number, size;
    uint32_t hash, digests, variant, exact, cpu_ms, unused;
    uint8_t item[OB_PERMIT_KEY];
    ob_permit permit;
} wire_job;

typedef struct wire_result {
    uint64_t number;
    int32_t status;
    uint32_t digested, refused; /* refused: there was no permit for it */
    char text[480];
    ob_media_result media;
    ob_digests digests;
} wire_result;

/* What a worker says is checked as if it came from the file that it has just decoded. False when it
 * is not an answer to `job`. */
bool wire_take_result(ob_job_result *out, const wire_result *result, const wire_job *job);

/* Sends with at most one descriptor (-1: none). Returns false when the other side is gone. */
bool wire_send(int channel, const void *bytes, size_t size, int file);

/* Receives one packet of exactly `size` bytes, and *file (or -1) where `file` is not NULL. Returns
 * false at the end, on an error, or on a packet of another size or with other descriptors. */
bool wire_receive(int channel, void *bytes, size_t size, int *file);

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
