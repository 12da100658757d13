/* Starts a process of the service: this program once more, with the descriptors that its role has.
 */
#include "launch.h"

#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- In the child ---------------------------------------------------------------------------- */

static bool place(int file, int where)
{
    if (file == where)
        return !fcntl(file, F_SETFD, 0);
    return dup2(file, where) == where;
}

static void write_once(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    (void)!write(file, text, strlen(text));
    close(file);
}

/* In a namespace of users, it is root for itself and the same user as before for all others. So its
 * entry in /proc is that user's, and main can see what it has open. */
static void keep_user(uid_t user, gid_t group)
{
    char line[64];
    snprintf(line, sizeof line, "0 %u 1\n", (unsigned)user);
    write_once("/proc/self/uid_map", line);
    write_once("/proc/self/setgroups", "deny");
    snprintf(line, sizeof line, "0 %u 1\n", (unsigned)group);
    write_once("/proc/self/gid_map", line);
}

#ifdef OB_SANITIZED /* their options, which are no secret */
static char *const *no_environment(void)
{
    static const char *const wanted[] = {"ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
                                         "UBSAN_OPTIONS"};
    static char kept[4][800];
    static char *all[5];
    for (size_t i = 0; i < 4; i++) {
        const char *value = getenv(wanted[i]);
        snprintf(kept[i], sizeof kept[i], "%s=%s", wanted[i], value ? value : "");
        all[i] = kept[i];
    }
    return all;
}
#else
static char *const *no_environment(void)
{
    static char *none[] = {NULL};
    return none;
}
#endif

/* Nothing else may come to lie where a process is only let take connections. */
static int empty_file(void)
{
    const int file = memfd_create("nothing", MFD_ALLOW_SEALING);
    if (file >= 0)
        channel_seal(file);
    return file;
}

/* NULL: it has none of them. Nothing else stays open. */
static bool place_listening(const int *listening)
{
    bool placed = true;
    for (int i = 0; i < OB_LISTENERS && listening; i++)
        if (listening[i] >= 0)
            placed &= place(listening[i], LISTEN_FD + i);
    for (int i = 0; i < OB_LISTENERS; i++)
        if (!listening || listening[i] < 0) {
            close(LISTEN_FD + i);
            placed &= place(empty_file(), LISTEN_FD + i);
        }
    (void)syscall(SYS_close_range, (unsigned)LISTEN_END, ~0U,
                  1U << 2 /* when it becomes another */);
    return placed;
}

static _Noreturn void become(const launch_plan *p)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (place(p->control, CONTROL_FD) && (!p->is_apart || place_listening(p->listening)))
        execve("/proc/self/exe", p->arguments, p->is_apart ? no_environment() : environ);
    _exit(EXIT_FAILED);
}

/* ---- In main --------------------------------------------------------------------------------- */

/* As fork(), in new namespaces. Main has one thread. */
static pid_t part(unsigned long namespaces)
{
    return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
}

/* Root may number processes anew; others can in a namespace of users. */
static unsigned long namespaces_wanted(uid_t user)
{
#ifdef OB_SANITIZED /* whose look for leaks is another process */
    (void)user;
    return 0;
#else
    return user ? CLONE_NEWUSER | CLONE_NEWPID : CLONE_NEWPID;
#endif
}

pid_t launch(const launch_plan *plan)
{
    const uid_t user = geteuid();
    const gid_t group = getegid();
    unsigned long namespaces = plan->is_apart ? namespaces_wanted(user) : 0;
    pid_t process = part(namespaces);
    if (process < 0 && namespaces) /* this kernel, or whoever started us, does not want it */
        process = part(namespaces = 0);
    if (process)
        return process;
    if (namespaces & CLONE_NEWUSER)
        keep_user(user, group);
    become(plan);
}
