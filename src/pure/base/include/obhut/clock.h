/* clock: what time it is, for everything that asks. The machine's, unless a test sets another. */
#ifndef OBHUT_CLOCK_H
#define OBHUT_CLOCK_H

#include <stdint.h>
#include <time.h>

typedef struct ob_clock {
    int64_t (*now)(void *context);          /* seconds since 1970 */
    int64_t (*monotonic_ms)(void *context); /* of a clock that nobody sets, and that goes on while
                                             * the machine sleeps */
    void *context;
} ob_clock;

extern const ob_clock ob_clock_real;

/* From now on, and for all threads of this process; NULL: the real one. *clock must stay where it
 * is. For tests: nothing that is installed calls it. */
void ob_clock_use(const ob_clock *clock);

/* Of the clock in use. Any thread; also in a worker, once it is confined. */
int64_t ob_now(void);
int64_t ob_now_monotonic_ms(void);

/* In so many milliseconds by the machine's CLOCK_MONOTONIC, whatever clock is in use: how long to
 * sleep. 0 or less: now. */
struct timespec ob_in_ms(int64_t ms);

#endif
