/* Two processes that are to run, and do again when they have ended. */
#ifndef OBHUT_SUPERVISE_H
#define OBHUT_SUPERVISE_H

#include "listen.h"

typedef struct supervision {
    const char *config_file; /* NULL: none */
    const config *config;
    const listeners *listeners; /* told when everything is ready */
} supervision;

/* Runs until a signal or until a process cannot be started; returns the exit code. */
int supervise(const supervision *s);

#endif
