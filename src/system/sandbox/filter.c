/* The system calls that a process may still make, and with which arguments. docs/THREATS.md has
 * them as a table, which a test compares with what the kernel says. */
#include "sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

/* What memory, threads and leaving need. */
static const int everybody[] = {
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(getrandom),
    SCMP_SYS(close),
    SCMP_SYS(sched_yield),
    SCMP_SYS(lseek),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sysinfo), /* the C library's qsort looks how much memory there is */
};

static const int workers[] = {SCMP_SYS(setitimer), SCMP_SYS(getpid), SCMP_SYS(fstat)};

static const int threads[] = {
    SCMP_SYS(set_robust_list),    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),  SCMP_SYS(gettid),
    SCMP_SYS(rt_sigaction),       SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
};

static const int front[] = {
    SCMP_SYS(recvfrom),    SCMP_SYS(recvmsg),     SCMP_SYS(read),          SCMP_SYS(readv),
    SCMP_SYS(write),       SCMP_SYS(writev),      SCMP_SYS(sendfile),      SCMP_SYS(shutdown),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),  SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2),      SCMP_SYS(poll),
    SCMP_SYS(getpid),      SCMP_SYS(gettid),      SCMP_SYS(pread64),       SCMP_SYS(rt_sigaction),
};

/* A call that is allowed where the bits `mask` of one or two arguments are `value`. */
typedef struct rule {
    int call;
    unsigned count;
    struct scmp_arg_cmp where[2];
} rule;

enum { FIRST = OB_FRONT_LISTENING, SECOND, THIRD, LISTENING_END };
_Static_assert(LISTENING_END - FIRST == OB_FRONT_LISTENERS, "a rule for each");
#define EVERY_BIT UINT32_MAX
#define BITS(argument, mask, value)                                                                \
    {                                                                                              \
        argument, SCMP_CMP_MASKED_EQ, mask, value                                                  \
    }
#define ALL_BUT(flags) (UINT32_MAX & ~(uint32_t)(flags))

/* Numbers of clocks beyond these are other processes'. */
#define CLOCKS ALL_BUT(15)

static const rule everybody_where[] = {
    {SCMP_SYS(clock_gettime), 1, {BITS(0, CLOCKS, 0)}},
};

static const rule workers_where[] = {
    {SCMP_SYS(sendmsg), 1, {BITS(0, EVERY_BIT, OB_WORKER_CHANNEL)}},
    {SCMP_SYS(recvmsg), 1, {BITS(0, EVERY_BIT, OB_WORKER_CHANNEL)}},
};

#ifndef OB_SANITIZED
/* Memory that can never be executed, and none of the large pages that are somebody else's. */
static const rule memory_where[] = {
    {SCMP_SYS(mmap), 2, {BITS(2, PROT_EXEC, 0), BITS(3, MAP_HUGETLB, 0)}},
    {SCMP_SYS(mprotect), 1, {BITS(2, PROT_EXEC, 0)}},
};

/* Threads of the own process, by the older of two calls, whose flags can be seen. Libraries
 * complain on descriptor 2; nobody listens. */
#define A_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define BESIDE                                                                                     \
    (CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |                   \
     CLONE_CHILD_SETTID | CLONE_DETACHED)
static const rule threads_where[] = {
    {SCMP_SYS(clone), 1, {BITS(0, ALL_BUT(BESIDE), A_THREAD)}},
    {SCMP_SYS(clock_nanosleep), 1, {BITS(0, CLOCKS, 0)}},
    {SCMP_SYS(prctl), 1, {BITS(0, EVERY_BIT, PR_SET_NAME)}},
    {SCMP_SYS(write), 1, {BITS(0, EVERY_BIT, STDERR_FILENO)}},
};
#endif

/* Sending with MSG_FASTOPEN connects; a socket whose owner is somebody else's number sends them
 * signals; options of a socket attach programs and hand out descriptors of processes. */
static const rule front_where[] = {
    {SCMP_SYS(accept4), 1, {BITS(0, EVERY_BIT, FIRST)}},
    {SCMP_SYS(accept4), 1, {BITS(0, EVERY_BIT, SECOND)}},
    {SCMP_SYS(accept4), 1, {BITS(0, EVERY_BIT, THIRD)}},
    {SCMP_SYS(sendto), 2, {BITS(3, MSG_FASTOPEN, 0), BITS(4, UINT64_MAX, 0)}},
    {SCMP_SYS(sendmsg), 1, {BITS(2, MSG_FASTOPEN, 0)}},
    {SCMP_SYS(setsockopt), 2, {BITS(1, EVERY_BIT, IPPROTO_TCP), BITS(2, EVERY_BIT, TCP_NODELAY)}},
    {SCMP_SYS(setsockopt), 2, {BITS(1, EVERY_BIT, IPPROTO_TCP), BITS(2, EVERY_BIT, TCP_CORK)}},
    {SCMP_SYS(getsockopt), 2, {BITS(1, EVERY_BIT, SOL_SOCKET), BITS(2, EVERY_BIT, SO_ERROR)}},
    {SCMP_SYS(fcntl), 1, {BITS(1, EVERY_BIT, F_GETFD)}},
    {SCMP_SYS(fcntl), 1, {BITS(1, EVERY_BIT, F_SETFD)}},
    {SCMP_SYS(fcntl), 1, {BITS(1, EVERY_BIT, F_GETFL)}},
    {SCMP_SYS(fcntl),
     2,
     {BITS(1, EVERY_BIT, F_SETFL), BITS(2, ALL_BUT(O_NONBLOCK | O_ACCMODE), 0)}},
    {SCMP_SYS(fcntl), 1, {BITS(1, EVERY_BIT, F_ADD_SEALS)}},
    {SCMP_SYS(fcntl), 1, {BITS(1, EVERY_BIT, F_GET_SEALS)}},
    {SCMP_SYS(memfd_create), 1, {BITS(1, ALL_BUT(MFD_CLOEXEC | MFD_ALLOW_SEALING), 0)}},
};

/* The listening sockets are the next front's, too: nobody changes how they are, or ends them. */
#define NEVER(file)                                                                                \
    {SCMP_SYS(shutdown), 1, {BITS(0, EVERY_BIT, file)}},                                           \
        {SCMP_SYS(setsockopt), 1, {BITS(0, EVERY_BIT, file)}},                                     \
    {                                                                                              \
        SCMP_SYS(fcntl), 2,                                                                        \
        {                                                                                          \
            BITS(0, EVERY_BIT, file), BITS(1, EVERY_BIT, F_SETFL)                                  \
        }                                                                                          \
    }
static const rule front_never[] = {NEVER(FIRST), NEVER(SECOND), NEVER(THIRD)};

#ifdef OB_SANITIZED
/* What the sanitizers' own bookkeeping needs; not part of any other build. */
static const int sanitizers[] = {
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fstat),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(clone),
    SCMP_SYS(wait4),
    SCMP_SYS(ptrace),
    SCMP_SYS(prctl),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(stat),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(personality),
    SCMP_SYS(getrlimit),
    SCMP_SYS(prlimit64),
    SCMP_SYS(uname),
    SCMP_SYS(ioctl),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(getppid),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(fcntl),
    SCMP_SYS(mincore),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(getrusage),
    SCMP_SYS(dup2),
    SCMP_SYS(dup),
    SCMP_SYS(pipe2),
    SCMP_SYS(sysinfo),
};
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return failed;
}

static int add_rules(scmp_filter_ctx filter, uint32_t action, const rule *rules, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++) {
        failed =
            seccomp_rule_add_array(filter, action, rules[i].call, rules[i].count, rules[i].where);
        if (failed == -EEXIST) /* the sanitizers need it with every argument */
            failed = 0;
    }
    return failed;
}

static int allow_where(scmp_filter_ctx filter, const rule *rules, size_t count)
{
    return add_rules(filter, SCMP_ACT_ALLOW, rules, count);
}

static int allow_everybody(scmp_filter_ctx filter)
{
    int failed = allow(filter, everybody, COUNT(everybody));
    if (!failed)
        failed = allow_where(filter, everybody_where, COUNT(everybody_where));
#ifdef OB_SANITIZED
    return failed ? failed : allow(filter, sanitizers, COUNT(sanitizers));
#else
    return failed ? failed : allow_where(filter, memory_where, COUNT(memory_where));
#endif
}

static int allow_worker(scmp_filter_ctx filter)
{
    int failed = allow(filter, workers, COUNT(workers));
    return failed ? failed : allow_where(filter, workers_where, COUNT(workers_where));
}

static int allow_threads(scmp_filter_ctx filter)
{
    int failed = allow(filter, threads, COUNT(threads));
    if (!failed)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
#ifndef OB_SANITIZED
    if (!failed)
        failed = allow_where(filter, threads_where, COUNT(threads_where));
#endif
    return failed;
}

static int allow_front(scmp_filter_ctx filter)
{
    const rule own = {SCMP_SYS(tgkill), 1, {BITS(0, EVERY_BIT, (scmp_datum_t)getpid())}};
    int failed = allow(filter, front, COUNT(front));
    if (!failed)
        failed = allow_where(filter, front_where, COUNT(front_where));
    return failed ? failed : allow_where(filter, &own, 1); /* abort() */
}

/* A filter of its own: of two, the stricter one counts. */
static int forbid_listening(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!failed)
        failed = add_rules(filter, SCMP_ACT_ERRNO(EPERM), front_never, COUNT(front_never));
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    return failed;
}

static int fill(scmp_filter_ctx filter, ob_confinement profile)
{
    int failed = allow_everybody(filter);
    if (!failed && profile != OB_PROFILE_FRONT)
        failed = allow_worker(filter);
    if (!failed && profile == OB_PROFILE_WORKER_THREADS)
        failed = allow_threads(filter);
    if (!failed && profile == OB_PROFILE_FRONT)
        failed = allow_front(filter);
    return failed;
}

ob_status filter_load(ob_confinement profile, ob_error *err)
{
    /* Whatever a library of the front's asks for beyond fails; a worker that asks for more is
     * hostile. */
    scmp_filter_ctx filter =
        seccomp_init(profile == OB_PROFILE_FRONT ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return ob_fail(err, OB_ENOMEM, "out of memory: the filter of system calls");
    int failed = profile == OB_PROFILE_FRONT ? forbid_listening() : 0;
    if (!failed) /* calls by another entry of the kernel, not only the thread that made them */
        failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!failed)
        failed = fill(filter, profile);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    if (failed)
        return ob_fail(err, OB_EREFUSED, "the filter of system calls cannot be had: %s",
                       strerror(-failed));
    return OB_OK;
}
