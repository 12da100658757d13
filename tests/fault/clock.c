#include "clock.h"

#include <stdatomic.h>
#include <stddef.h>

static _Atomic int64_t stands_at, monotonic_at;

static int64_t now(void *context)
{
    (void)context;
    return atomic_load(&stands_at);
}

static int64_t monotonic_ms(void *context)
{
    (void)context;
    return atomic_load(&monotonic_at);
}

void clock_stand(int64_t at)
{
    static const ob_clock standing = {now, monotonic_ms, NULL};
    atomic_store(&stands_at, at);
    atomic_store(&monotonic_at, 1000000);
    ob_clock_use(&standing);
}

void clock_pass(int64_t seconds)
{
    atomic_fetch_add(&stands_at, seconds);
    atomic_fetch_add(&monotonic_at, 1000 * seconds);
}

void clock_set(int64_t at)
{
    atomic_store(&stands_at, at);
}

void clock_real(void)
{
    ob_clock_use(NULL);
}
