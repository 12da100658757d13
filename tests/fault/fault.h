/* How a test program arms tests/fault/preload.c. One process, all threads. */
#ifndef OBHUT_FAULT_H
#define OBHUT_FAULT_H

#include <stdbool.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_ALLOC, /* malloc, calloc, realloc: ENOMEM */
    FAULT_WRITE, /* write, pwrite, fsync, fdatasync, ftruncate: ENOSPC; send: ECONNRESET */
};

/* From now on the n-th call (counted from 1) of this kind fails: once, or with all that follow. */
void fault_arm(int kind, unsigned long n, bool from_then_on);

/* Nothing fails any more; returns how many calls there were since. */
unsigned long fault_disarm(void);

#endif
