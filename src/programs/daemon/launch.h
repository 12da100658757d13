/* Starting a child of main's. */
#ifndef OBHUT_LAUNCH_H
#define OBHUT_LAUNCH_H

#include "daemon.h"

#include <sys/types.h>

typedef struct launch_plan {
    char *const *arguments;
    int control; /* becomes CONTROL_FD */
    /* The front's, which is apart: no environment, no other descriptor, and its own numbering of
     * processes. OB_LISTENERS sockets that become LISTEN_FD and on; -1: an empty file does. NULL:
     * it is another child. */
    const int *listening;
} launch_plan;

/* Starts this program once more. Returns its number, or -1 with errno set. */
pid_t launch(const launch_plan *plan);

/* All that the front is told of the configuration, as words of its command line. It reads no file:
 * what stands in there beside these numbers is none of its business. */
enum { FRONT_NUMBERS = OB_LISTENERS + 5, FRONT_WORD = 24 };
void front_words(char words[FRONT_NUMBERS][FRONT_WORD], const config *config);

/* Sets what the words say, and nothing else. False: they are not as many numbers. */
bool front_read_words(config *out, char *const *words, int count);

#endif
