/* How many commands have a thread of their own: the operator's and those of staff each have room.
 */
#include <obhut/commands.h>

#include <stdatomic.h>
#include <time.h>

enum { THREADS_MOST = 32 };

static atomic_int operators, staffs;

static atomic_int *those_at(uint32_t place)
{
    return place == OB_AT_SOCKET ? &operators : &staffs;
}

bool ob_commands_enter(uint32_t place)
{
    if (atomic_fetch_add(those_at(place), 1) < THREADS_MOST)
        return true;
    ob_commands_exit(place);
    return false;
}

void ob_commands_exit(uint32_t place)
{
    atomic_fetch_sub(those_at(place), 1);
}

static bool any_is_busy(void)
{
    return atomic_load(&operators) || atomic_load(&staffs);
}

bool ob_commands_wait(unsigned time_ms)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    for (unsigned waited = 0; any_is_busy() && waited < time_ms; waited += 10)
        nanosleep(&moment, NULL);
    return !any_is_busy();
}
