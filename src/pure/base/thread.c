/* Lowers the priority of the calling thread. */
#include <obhut/thread.h>

#include <sys/resource.h>

void ob_yield_to_others(void)
{
    enum { LESS = 10, LEAST = 19 };
    const int now = getpriority(PRIO_PROCESS, 0); /* of Linux, and so of this thread alone */
    (void)setpriority(PRIO_PROCESS, 0, now + LESS < LEAST ? now + LESS : LEAST);
}
