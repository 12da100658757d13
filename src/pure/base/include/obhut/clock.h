/* clock: the time, for all code that needs it. It is the machine's time, unless a test sets
 * another. */
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

/* Replaces the clock for all threads of this process, until the next call; NULL sets the real one.
 * The caller owns *clock, which must stay where it is. Only tests call this. */
void ob_clock_use(const ob_clock *clock);

/* Returns the seconds since 1970 (UTC) by the clock in use. Any thread; also in a confined
 * worker. */
int64_t ob_now(void);
/* Returns milliseconds by a clock that nobody sets and that goes on while the machine sleeps. Any
 * thread; also in a confined worker. */
int64_t ob_now_monotonic_ms(void);

/* Returns the instant `ms` milliseconds from now by the machine's CLOCK_MONOTONIC, whatever clock
 * is in use, for waits with a limit. 0 or less means now. */
struct timespec ob_in_ms(int64_t ms);

#endif
