/* For programs that walk through faults: the 1st, 2nd, 3rd, … of a kind fails, until one is not
 * reached. One walk a process at a time. */
#ifndef OBHUT_FAULT_WALK_H
#define OBHUT_FAULT_WALK_H

#include <stdbool.h>

typedef enum walk_kind {
    WALK_ALLOC,  /* allocations: with tests/fault/preload.c loaded */
    WALK_SEND,   /* what is written past base, as to a PostgreSQL server: with it loaded, too */
    WALK_CHANGE, /* whatever changes a file (tests/fault/files.h): the disk is full */
    WALK_FILE,   /* whatever is asked of a file, reading and opening too: the disk is broken */
    WALK_KINDS,
} walk_kind;

const char *walk_name(walk_kind kind); /* "allocation", … */

/* False where preload.c is needed and not loaded. */
bool walk_can(walk_kind kind);

/* From now on the n-th of this kind (counted from 1) fails: once, or with all that follow. */
void walk_arm(walk_kind kind, unsigned long n, bool and_on);

/* Nothing fails any more; returns how many of this kind there were since. */
unsigned long walk_disarm(void);

#endif
