/* Lowers the priority of the calling thread. */
#include <obhut/thread.h>

#include <sys/resource.h>

static _Thread_local bool yields;

bool ob_yields_to_others(void)
{
    return yields;
}

void ob_yield_to_others(void)
{
    enum { LESS = 10, LEAST = 19 };
    const int now = getpriority(PRIO_PROCESS, 0); /* of Linux, and so of this thread alone */
    yields = true;
    (void)setpriority(PRIO_PROCESS, 0, now + LESS < LEAST ? now + LESS : LEAST);
}
