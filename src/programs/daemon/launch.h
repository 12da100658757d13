/* Starting a process of the service. */
#ifndef OBHUT_LAUNCH_H
#define OBHUT_LAUNCH_H

#include "daemon.h"

#include <sys/types.h>

typedef struct launch_plan {
    char *const *arguments;
    int control; /* becomes CONTROL_FD */
    /* Without an environment, without other descriptors than 0 to 2 and those that stand here, and
     * with a numbering of processes of its own. */
    bool is_apart;
    /* OB_LISTENERS sockets that become LISTEN_FD and on, where it is apart; -1: an empty file does.
     * NULL: all are empty. */
    const int *listening;
} launch_plan;

/* Starts this program once more. Returns its number, or -1 with errno set. */
pid_t launch(const launch_plan *plan);

#endif
