/* System calls that the confinement of a front refuses. */
#include "hostile_front.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All must fail: "NUMBER" is another process's, as its own namespace does not hide it. */
void try_calls(int process)
{
    const int yes = 1, sparse = memory_file(0, false);
    char address[256] = {2, 0, 0, 80, 127, 0, 0, 1};
    struct f_owner_ex owner = {F_OWNER_PID, process};
    const struct {
        const char *name;
        long result;
    } all[] = {
        {"tgkill", syscall(SYS_tgkill, process, process, 0)},
        {"kill", syscall(SYS_kill, process, 0)},
        {"kill-all", syscall(SYS_kill, -1, 0)},
        {"tkill", syscall(SYS_tkill, process, 0)},
        {"rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, process, 0, NULL)},
        {"rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, process, process, 0, NULL)},
        {"pidfd_open", syscall(434, process, 0)},
        {"setown", fcntl(CONTROL_FD, F_SETOWN, process)},
        {"setown-ex", fcntl(CONTROL_FD, F_SETOWN_EX, &owner)},
        {"setsig", fcntl(CONTROL_FD, F_SETSIG, 9)},
        {"setlease", fcntl(CONTROL_FD, F_SETLEASE, F_RDLCK)},
        {"notify", fcntl(CONTROL_FD, F_NOTIFY, 1)},
        {"dup", fcntl(CONTROL_FD, F_DUPFD, 20)},
        {"async", fcntl(CONTROL_FD, F_SETFL, fcntl(CONTROL_FD, F_GETFL) | O_ASYNC)},
        {"stat-path", syscall(SYS_newfstatat, AT_FDCWD, "/", address, 0x1000)},
        {"stat", syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", address, 0)},
        {"make-sparse", ftruncate(sparse, 1 << 20)},
        {"others-clock", syscall(SYS_clock_gettime, (int)(~(unsigned)process << 3 | 2), address)},
        {"large-pages", syscall(SYS_mmap, 0, 1 << 21, 3, 0x40022, -1, 0)},
        {"log-ends", shutdown(STDERR_FILENO, SHUT_RDWR)},
        {"log-forged", write(STDERR_FILENO, "forged\n", 7)},
        {"terminal-forged", write(STDOUT_FILENO, "forged\n", 7)},
        {"terminal-read", read(STDIN_FILENO, address, 1) ? 0 : -1},
        {"listening-waits", fcntl(LISTEN_FD, F_SETFL, 0)},
        {"listening-ends", shutdown(LISTEN_FD, SHUT_RDWR)},
        {"staff-waits", fcntl(LISTEN_FD + OB_LISTENER_STAFF, F_SETFL, 0)},
        {"staff-ends", shutdown(LISTEN_FD + OB_LISTENER_STAFF, SHUT_RDWR)},
        {"public-waits", fcntl(LISTEN_FD + OB_LISTENER_PUBLIC, F_SETFL, 0)},
        {"public-ends", shutdown(LISTEN_FD + OB_LISTENER_PUBLIC, SHUT_RDWR)},
        {"take-elsewhere", accept4(LISTEN_END, NULL, NULL, 0)},
        {"fioasync", syscall(SYS_ioctl, CONTROL_FD, 0x5452, &yes)},
        {"fiosetown", syscall(SYS_ioctl, CONTROL_FD, 0x8901, &process)},
        {"siocspgrp", syscall(SYS_ioctl, CONTROL_FD, 0x8902, &process)},
        {"ptrace", syscall(SYS_ptrace, 16, process, 0, 0)},
        {"process_vm_readv", syscall(SYS_process_vm_readv, process, NULL, 0, NULL, 0, 0)},
        {"prctl", prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)},
        {"prlimit", syscall(SYS_prlimit64, process, 7, NULL, NULL)},
        {"setpriority", syscall(SYS_setpriority, 0, process, 19)},
        {"socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0)},
        {"socketpair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, address)},
        {"connect", syscall(SYS_connect, visitor_socket, address, 16)},
        {"bind", syscall(SYS_bind, LISTEN_FD, address, 16)},
        {"listen", syscall(SYS_listen, LISTEN_FD, 1)},
        {"sendto-address", sendto(visitor_socket, "x", 1, MSG_NOSIGNAL, (void *)address, 16)},
        {"sendto-fast-open", sendto(visitor_socket, "x", 1, MSG_NOSIGNAL | MSG_FASTOPEN, NULL, 0)},
        {"sendmmsg", syscall(SYS_sendmmsg, visitor_socket, NULL, 0, 0)},
        {"peer-process",
         getsockopt(CONTROL_FD, SOL_SOCKET, SO_PEERCRED, address, &(socklen_t){12})},
        {"attach-filter", setsockopt(visitor_socket, SOL_SOCKET, SO_ATTACH_FILTER, address, 16)},
        {"open", syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY)},
        {"fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)},
        {"executable", syscall(SYS_mmap, 0, 4096, PROT_EXEC | PROT_READ, 0x22, -1, 0)},
        {"unshare", syscall(SYS_unshare, 0x10000000)},
        {"io_uring", syscall(425, 1, address)},
        {"bpf", syscall(SYS_bpf, 0, address, 16)},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        say("%s %s", all[i].name, all[i].result == -1 ? "fails" : "SUCCEEDS");
}
