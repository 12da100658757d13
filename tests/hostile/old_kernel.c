/* Runs a program as on a kernel without Landlock and namespaces, or in a container that forbids
 * them: "old-kernel PROGRAM ARGUMENT…". */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <seccomp.h>

static int forbid(scmp_filter_ctx filter)
{
    static const unsigned long namespaces[] = {CLONE_NEWUSER, CLONE_NEWPID};
    int failed =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
    if (!failed)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0);
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces && !failed; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                  SCMP_CMP(0, SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
    return failed ? failed : seccomp_load(filter);
}

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (argc < 2 || !filter || forbid(filter))
        return 2;
    seccomp_release(filter);
    execv(argv[1], argv + 1);
    fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
    return 2;
}
