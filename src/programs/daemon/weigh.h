/* What memory files of a process take: no limit of a process counts them. */
#ifndef OBHUT_WEIGH_H
#define OBHUT_WEIGH_H

#include "daemon.h"

#include <sys/types.h>

/* Bytes of the files without a name that a child has open; 0 where the kernel does not let us see.
 */
uint64_t weigh_files(pid_t child);

/* More than a front with this configuration ever has. */
uint64_t weigh_front_most(const config *config);

#endif
