/* Giving up what is not needed. Only the filter of system calls must hold; the other layers are
 * used where the kernel has them and lets them. */
#include "sandbox_priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Address space of a worker: what decoding may hold, the file, and the program. */
#define WORKER_MEMORY (OB_MEDIA_MAX_MEMORY + (UINT64_C(768) << 20))

enum { THREADS = 256 }; /* decoders take one for each processor */

static bool limit(int what, rlim_t most)
{
    const struct rlimit both = {most, most};
    return !setrlimit(what, &both);
}

static bool set_limits(ob_confinement profile)
{
    bool fine = limit(RLIMIT_CORE, 0);
    if (profile == OB_PROFILE_FRONT)
        return fine;
    fine &= limit(RLIMIT_NOFILE, 16) && limit(RLIMIT_MEMLOCK, 0);
#ifndef OB_SANITIZED /* shadow memory is larger than any limit, and reports are files */
    fine &= limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_AS, WORKER_MEMORY);
#endif
    return fine;
}

/* Nobody in particular, with no group: files that only the operator may read are out of reach even
 * where every other layer is missing. */
static void leave_root(void)
{
    enum { NOBODY = 65534 };
    if (geteuid() != 0)
        return;
    if (!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY))
        (void)!setresuid(NOBODY, NOBODY, NOBODY);
}

#ifndef OB_SANITIZED
/* An empty file system in the place of the real one. */
static bool replace_files(void)
{
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0555") ||
        chdir("/proc"))
        return false;
    if (syscall(SYS_pivot_root, ".", "."))
        return false;
    (void)!umount2(".", MNT_DETACH);
    return !chdir("/");
}

/* The same where that cannot be: the root of a process in a chroot is no mount. An empty file
 * system that is mounted nowhere becomes the root; nobody gets back without a capability. */
static bool leave_chroot(void)
{
    int kind = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (kind < 0)
        return false;
    (void)syscall(SYS_fsconfig, kind, FSCONFIG_SET_STRING, "size", "4k", 0);
    (void)syscall(SYS_fsconfig, kind, FSCONFIG_SET_STRING, "mode", "0555", 0);
    int root = -1;
    if (!syscall(SYS_fsconfig, kind, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
        root = (int)syscall(SYS_fsmount, kind, FSMOUNT_CLOEXEC, 0);
    bool left = root >= 0 && !fchdir(root) && !chroot(".");
    if (root >= 0)
        close(root);
    close(kind);
    return left;
}

enum { ALONE = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP };

static bool leave_files(void)
{
    return replace_files() || leave_chroot();
}

/* Root can do this by itself, also in a chroot; others need a namespace of users. Sets *users where
 * this process has one. */
static bool leave_namespaces(bool *users)
{
    const bool left = geteuid() == 0 && !unshare(ALONE) && leave_files();
    leave_root();
    *users = !unshare(left ? CLONE_NEWUSER : CLONE_NEWUSER | ALONE);
    return left || (*users && leave_files());
}

/* What newer kernels know beyond <linux/landlock.h> of the machine that this is built on. */
typedef struct landlock_wish {
    uint64_t files, net, scoped;
} landlock_wish;

/* All that a version knows is taken, and nothing given. */
static landlock_wish landlock_wish_of(long version)
{
    landlock_wish wish = {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}; /* the bits 0 to 12 */
    if (version >= 2)
        wish.files |= UINT64_C(1) << 13; /* moving into another directory */
    if (version >= 3)
        wish.files |= UINT64_C(1) << 14; /* cutting */
    if (version >= 4)
        wish.net = 1 | 2; /* binding and connecting, TCP */
    if (version >= 5)
        wish.files |= UINT64_C(1) << 15; /* controls of devices */
    if (version >= 6)
        wish.scoped = 1 | 2; /* sockets without a name in the file system, signals */
    return wish;
}

static uint32_t leave_to_landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return 0;
    const landlock_wish wish = landlock_wish_of(version);
    const size_t size = version >= 6   ? sizeof wish
                        : version >= 4 ? 2 * sizeof(uint64_t)
                                       : sizeof(uint64_t);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &wish, size, 0);
    if (rules < 0)
        return 0;
    bool held = !syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
    if (!held)
        return 0;
    return OB_CONFINED_LANDLOCK | (wish.scoped ? (uint32_t)OB_CONFINED_SCOPES : 0);
}
#endif

static void drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}, {0}};
    for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
        (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    (void)syscall(SYS_capset, &head, none);
}

/* Who leaves a user loses the promise that a process ends with the one that started it. */
static ob_status die_with(pid_t parent, ob_error *err)
{
    if (!prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) && getppid() == parent)
        return OB_OK;
    return ob_fail(err, OB_EREFUSED, "the process that this one was started for has ended");
}

ob_status ob_confine(uint32_t *layers, ob_confinement profile, ob_error *err)
{
    const pid_t parent = getppid();
    uint32_t held = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return ob_fail(err, OB_EREFUSED, "this kernel cannot forbid new privileges: %s",
                       strerror(errno));
#ifdef OB_SANITIZED
    leave_root();
#else
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    bool users = false;
    if (leave_namespaces(&users))
        held |= OB_CONFINED_NAMESPACES;
    if (users && profile == OB_PROFILE_WORKER_THREADS)
        (void)limit(RLIMIT_NPROC, THREADS); /* of this process alone; else it would be of a user */
    held |= leave_to_landlock();
    if (getpid() == 1) /* the first of its namespace sees nobody before it */
        held |= OB_CONFINED_PROCESSES;
#endif
    drop_capabilities();
    if (set_limits(profile))
        held |= OB_CONFINED_LIMITS;
    ob_status status = die_with(parent, err);
    if (!status)
        status = filter_load(profile, err);
    if (!status)
        *layers = held | OB_CONFINED_SECCOMP;
    return status;
}
