/* Threads and their priority. */
#ifndef OBHUT_THREAD_H
#define OBHUT_THREAD_H

#include <stdbool.h>

/* From now on this thread, and processes that it starts, run where nobody else wants the processor,
 * and a little where somebody does (ten steps of nice). There is no way back. */
void ob_yield_to_others(void);

/* Whether this thread does. */
bool ob_yields_to_others(void);

#endif
