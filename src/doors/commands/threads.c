/* How many commands have a thread of their own. */
#include <obhut/commands.h>

#include <stdatomic.h>
#include <time.h>

enum { THREADS_MOST = 32 };

static atomic_int busy;

bool ob_commands_enter(void)
{
    if (atomic_fetch_add(&busy, 1) < THREADS_MOST)
        return true;
    ob_commands_leave();
    return false;
}

void ob_commands_leave(void)
{
    atomic_fetch_sub(&busy, 1);
}

bool ob_commands_wait(unsigned time_ms)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    for (unsigned waited = 0; atomic_load(&busy) && waited < time_ms; waited += 10)
        nanosleep(&moment, NULL);
    return !atomic_load(&busy);
}
