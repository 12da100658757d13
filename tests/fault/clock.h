/* A clock that a test sets. One a process, any thread; linked into tests only. */
#ifndef OBHUT_FAULT_CLOCK_H
#define OBHUT_FAULT_CLOCK_H

#include <obhut/clock.h>

/* It stands, at this second, until it is moved. The monotonic one stands too, at 1,000,000 ms. */
void clock_stand(int64_t now);

/* So much time goes by, for both. */
void clock_pass(int64_t seconds);

/* Somebody sets it, forwards or back: the monotonic one stays as it is. */
void clock_set(int64_t now);

/* The machine's again. */
void clock_real(void);

#endif
