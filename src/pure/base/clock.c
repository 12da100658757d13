/* The clock in use. */
#include <obhut/clock.h>

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

static int64_t real_now(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

static int64_t real_monotonic_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const ob_clock ob_clock_real = {real_now, real_monotonic_ms, NULL};

static _Atomic(const ob_clock *) in_use = &ob_clock_real;

void ob_clock_use(const ob_clock *clock)
{
    atomic_store_explicit(&in_use, clock ? clock : &ob_clock_real, memory_order_release);
}

int64_t ob_now(void)
{
    const ob_clock *clock = atomic_load_explicit(&in_use, memory_order_acquire);
    return clock->now(clock->context);
}

int64_t ob_now_monotonic_ms(void)
{
    const ob_clock *clock = atomic_load_explicit(&in_use, memory_order_acquire);
    return clock->monotonic_ms(clock->context);
}

struct timespec ob_in_ms(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    if (ms > 0) {
        at.tv_sec += (time_t)(ms / 1000);
        at.tv_nsec += (long)(ms % 1000) * 1000000;
    }
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}
