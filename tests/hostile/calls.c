/* What the kernel says to system calls in a profile: "names" prints those that the C library's
 * headers know, "PROFILE" (front, worker, threads) reads lines "NUMBER ARGUMENT…" with up to five
 * arguments and prints for each what becomes of it: allowed, killed, or the number of the error. A
 * number beyond 2^31 is that of a call by the entry for programs of 32 bits (int 0x80). No
 * call is made: a second filter, of which the stricter verdict counts, answers in its place what
 * was allowed. */
#include "sandbox_priv.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

enum { ARGUMENTS = 5, ALLOWED = 4000 /* no error that a kernel knows */, KILLED = -1, NONE = -2 };
enum { NUMBERS = 1024, TRIES = 1 << 20 };

/* In the sixth argument: calls that are tried, not those that the trying needs. */
#define MARK UINT64_C(0x7E57AB1E7E57AB1E)

/* Beside a number. The kernel without that entry: the process ends with SIGSEGV. */
#define BY_I386 INT64_C(0x80000000)

/* Stand for numbers of processes. */
#define OWN    (MARK + 1)
#define PARENT (MARK + 2)

typedef struct
try {
    long number;
    uint64_t arguments[ARGUMENTS];
    int verdict;
}
try;

typedef struct table {
    size_t count, at;
    try tries[TRIES];
} table;

/* Answers marked calls that every other filter allows. */
static bool answer_marked(void)
{
    const uint32_t half = (uint32_t)MARK;
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, half, 0, 1), /* the entry of 32 bits has this half */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ALLOWED),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
    return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
           !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* -1 and errno, as syscall(2). */
static long call_i386(long number, const uint64_t a[ARGUMENTS])
{
#if defined(__x86_64__)
    long result = number & (BY_I386 - 1);
    register uint64_t mark __asm__("r12") = MARK;
    __asm__ volatile("xchg %%rbp, %1\n\tint $0x80\n\txchg %%rbp, %1"
                     : "+a"(result), "+r"(mark)
                     : "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
                     : "memory", "cc", "r8", "r9", "r10", "r11");
    errno = (int)-result;
    return -1;
#else
    (void)number;
    (void)a;
    raise(SIGSEGV);
    return -1;
#endif
}

/* In a process of its own, from where the last one was killed. */
static void try_on(table *t, ob_confinement profile)
{
    const uint64_t own = (uint64_t)getpid(), parent = (uint64_t)getppid();
    ob_error err = {0};
    if (!answer_marked() || filter_load(profile, &err)) {
        fprintf(stderr, "no filter: %s\n", err.text);
        _exit(3);
    }
    for (; t->at < t->count; t->at++) {
        try *this = &t->tries[t->at];
        uint64_t a[ARGUMENTS];
        for (int i = 0; i < ARGUMENTS; i++)
            a[i] = this->arguments[i] == OWN      ? own
                   : this->arguments[i] == PARENT ? parent
                                                  : this->arguments[i];
        this->verdict = KILLED;
        long result = this->number & BY_I386
                          ? call_i386(this->number, a)
                          : syscall(this->number, a[0], a[1], a[2], a[3], a[4], MARK);
        this->verdict = result == -1 ? errno : 0;
    }
    syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0); /* _exit() could leave the mark where it is */
    _exit(0);
}

static bool try_all(table *t, ob_confinement profile)
{
    while (t->at < t->count) {
        int ended = 0;
        pid_t process = fork();
        if (!process)
            try_on(t, profile);
        if (process < 0 || waitpid(process, &ended, 0) != process)
            return false;
        if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGSYS)
            t->at++;
        else if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGSEGV &&
                 t->tries[t->at].number & BY_I386)
            t->tries[t->at++].verdict = NONE;
        else if (!WIFEXITED(ended) || WEXITSTATUS(ended)) {
            fprintf(stderr, "call %ld: ended with %x\n", t->tries[t->at].number, (unsigned)ended);
            return false;
        }
    }
    return true;
}

static uint64_t number_of(const char *word)
{
    return !strcmp(word, "own") ? OWN : !strcmp(word, "parent") ? PARENT : strtoull(word, NULL, 0);
}

static bool read_tries(table *t)
{
    char line[400], *rest = NULL;
    while (fgets(line, sizeof line, stdin)) {
        if (t->count == TRIES)
            return false;
        try *this = &t->tries[t->count++];
        char *word = strtok_r(line, " \n", &rest);
        this->number = word ? strtol(word, NULL, 0) : -1;
        for (int i = 0; i < ARGUMENTS && (word = strtok_r(NULL, " \n", &rest)); i++)
            this->arguments[i] = number_of(word);
    }
    return true;
}

static int print_names(void)
{
    for (int number = 0; number < NUMBERS; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        if (name)
            printf("%d %s\n", number, name);
        free(name);
    }
    return 0;
}

static int print_verdicts(ob_confinement profile)
{
    table *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t == MAP_FAILED || !read_tries(t) || !try_all(t, profile))
        return 1;
    for (size_t i = 0; i < t->count; i++)
        if (t->tries[i].verdict == ALLOWED)
            puts("allowed");
        else if (t->tries[i].verdict == KILLED)
            puts("killed");
        else if (t->tries[i].verdict == NONE)
            puts("none");
        else
            printf("%d\n", t->tries[i].verdict);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        ob_confinement profile;
    } profiles[] = {{"front", OB_PROFILE_FRONT},
                    {"worker", OB_PROFILE_WORKER},
                    {"threads", OB_PROFILE_WORKER_THREADS}};
    if (argc == 2 && !strcmp(argv[1], "names"))
        return print_names();
    for (size_t i = 0; argc == 2 && i < sizeof profiles / sizeof *profiles; i++)
        if (!strcmp(argv[1], profiles[i].name))
            return print_verdicts(profiles[i].profile);
    return 2;
}
