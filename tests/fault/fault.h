/* How a test program arms tests/fault/preload.c. One process, all threads.
 *
 * A program that knows nothing of this can be armed from outside: with FAULT_NUMBER=n its n-th
 * write fails, and with FAULT_PATH=text only those count that go to files with this in their path.
 */
#ifndef OBHUT_FAULT_H
#define OBHUT_FAULT_H

#include <stdbool.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_ALLOC, /* malloc, calloc, realloc: ENOMEM */
    FAULT_WRITE, /* write, pwrite, fsync, fdatasync, ftruncate: ENOSPC; send: ECONNRESET */
    FAULT_SYNC,  /* of these, fdatasync alone */
};

/* From now on the n-th call (counted from 1) of this kind fails: once, or with all that follow. */
void fault_arm(int kind, unsigned long n, bool from_then_on);

/* Nothing fails any more; returns how many calls there were since. */
unsigned long fault_disarm(void);

#endif
