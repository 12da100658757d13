/* What the front gives up before it takes the first connection. */
#include "front.h"
#include "roles.h"

#include <obhut/sandbox.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Not more than there is, where that is less. */
static bool limit(int what, rlim_t most)
{
    struct rlimit both;
    if (getrlimit(what, &both))
        return false;
    both.rlim_max = both.rlim_max < most ? both.rlim_max : most;
    both.rlim_cur = both.rlim_max;
    return !setrlimit(what, &both);
}

static bool limit_all(const config *config)
{
    enum { PROGRAM = 512 << 20, LEAST_FILE = 32 << 20, FILES = 64, FILES_EACH = 3 };
    rlim_t connections = 0;
    for (int i = 0; i < OB_LISTENERS; i++)
        connections += (rlim_t)config->connections_most[i] + FRONT_BEYOND;
    bool limited = limit(RLIMIT_NOFILE, FILES + FILES_EACH * connections);
#ifndef OB_SANITIZED /* shadow memory is larger than any limit, and reports are files */
    const rlim_t each = 8 * (rlim_t)FRONT_HEAD_AND_BUFFER;
    const rlim_t memory = config->memory_most + (OB_LISTENERS - 1) * (rlim_t)FRONT_OTHER_MEMORY;
    limited &= limit(RLIMIT_AS, PROGRAM + 2 * memory + connections * each);
    limited &= limit(RLIMIT_FSIZE, config->body_most > LEAST_FILE ? config->body_most : LEAST_FILE);
#endif
    return limited;
}

/* Descriptors 0 to 2 are main's and the core's as well: a terminal, a file, the journal's socket.
 * Whoever has them can write lines in others' names, cut the file, or end the socket for all. Once
 * confined, the front says nothing there. Returns where it complains until then, or -1. */
static int leave_terminal(void)
{
    int complaints = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, LISTEN_END);
    int nothing = memfd_create("nothing", MFD_CLOEXEC | MFD_ALLOW_SEALING); /* /dev is not needed */
#ifdef OB_SANITIZED /* whose reports would be lost */
    const int last = STDOUT_FILENO;
#else
    const int last = STDERR_FILENO;
#endif
    bool left = nothing >= 0 && channel_seal(nothing);
    for (int i = STDIN_FILENO; i <= last && left; i++)
        left = dup2(nothing, i) == i;
    close(nothing);
    if (left)
        return complaints;
    close(complaints);
    return -1;
}

ob_status front_leave(uint32_t *layers, const config *config, ob_error *err)
{
    const bool limited = limit_all(config);
    const int complaints = leave_terminal();
    if (complaints < 0)
        return ob_fail(err, OB_EIO, "descriptors 0 to 2 cannot be left");
    ob_status status = ob_confine(layers, roles[ROLE_FRONT].profile, err);
    if (status)
        dup2(complaints, STDERR_FILENO);
    else if (!limited)
        *layers &= ~(uint32_t)OB_CONFINED_LIMITS;
    close(complaints);
    return status;
}
