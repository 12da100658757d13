/* How far the clock of a service is set forwards or back: a number in a file that its processes
 * share, workers too, who see nothing else once they are confined. */
#ifndef OBHUT_FAULT_PAGE_H
#define OBHUT_FAULT_PAGE_H

#include <stdint.h>

/* From now on this process has that clock. `control` is OBHUT_TEST_FILES_FROM; the number lies
 * beside it. Where that cannot be had, the process ends. */
void page_use(const char *control);

/* For all processes. */
void page_set(int64_t seconds_ahead);

#endif
