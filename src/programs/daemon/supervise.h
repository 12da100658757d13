/* Processes that are to run, and do again when they have ended. */
#ifndef OBHUT_SUPERVISE_H
#define OBHUT_SUPERVISE_H

#include "roles.h"

/* Runs until a signal or until a process cannot be started; returns the exit code. */
int supervise(const supervision *s);

#endif
