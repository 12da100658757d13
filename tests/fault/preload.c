/* Lets the n-th allocation or write fail, for programs that are run with
 * LD_PRELOAD=fault-preload.so and find these functions with dlsym (tests/fault/fault.h). Release
 * builds only: sanitizers have an allocator of their own.
 *
 * Any program can be given a slow disk instead, by its environment: OBHUT_FAULT_DELAY_MS is how
 * long OBHUT_FAULT_CALL (fsync or fdatasync; without it, both) waits where the path of the file
 * contains OBHUT_FAULT_PATH, and OBHUT_FAULT_WHILE a file without which nothing waits any more:
 * whoever tests makes and removes it. Processes that sync nothing, as the confined ones, never come
 * here.
 *
 * The real work is done by glibc's own names and by system calls: looking functions up with dlsym
 * would allocate. */
#undef _FILE_OFFSET_BITS /* it would make one name of pwrite and pwrite64 */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
ssize_t pwrite64(int to, const void *bytes, size_t size, off64_t at);
int ftruncate64(int file, off64_t size);

static atomic_int armed; /* enum fault_kind */
static atomic_bool ever_after;
static atomic_ulong calls, failing;

void fault_arm(int kind, unsigned long n, bool from_then_on)
{
    atomic_store(&calls, 0);
    atomic_store(&failing, n);
    atomic_store(&ever_after, from_then_on);
    atomic_store(&armed, kind);
}

unsigned long fault_disarm(void)
{
    atomic_store(&armed, FAULT_NONE);
    return atomic_load(&calls);
}

static bool fails(int kind)
{
    if (atomic_load(&armed) != kind)
        return false;
    unsigned long call = 1 + atomic_fetch_add(&calls, 1), n = atomic_load(&failing);
    return atomic_load(&ever_after) ? call >= n : call == n;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

void *malloc(size_t size)
{
    if (!fails(FAULT_ALLOC))
        return __libc_malloc(size);
    errno = ENOMEM;
    return NULL;
}

void *calloc(size_t count, size_t size)
{
    if (!fails(FAULT_ALLOC))
        return __libc_calloc(count, size);
    errno = ENOMEM;
    return NULL;
}

void *realloc(void *memory, size_t size)
{
    if (!fails(FAULT_ALLOC))
        return __libc_realloc(memory, size);
    errno = ENOMEM;
    return NULL;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Only files with this in their path; "": all. */
static char only[64];

__attribute__((constructor)) static void arm_from_outside(void)
{
    const char *number = getenv("FAULT_NUMBER"), *path = getenv("FAULT_PATH");
    if (path)
        strncpy(only, path, sizeof only - 1);
    if (number)
        fault_arm(FAULT_WRITE, strtoul(number, NULL, 10), false);
}

static bool is_meant(int file)
{
    char link[32], path[512];
    if (!*only)
        return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    return strstr(path, only) != NULL;
}

/* A full disk is what happens most. */
static bool write_fails(int file)
{
    if (atomic_load(&armed) != FAULT_WRITE || !is_meant(file) || !fails(FAULT_WRITE))
        return false;
    errno = ENOSPC;
    return true;
}

ssize_t write(int to, const void *bytes, size_t size)
{
    return write_fails(to) ? -1 : syscall(SYS_write, to, bytes, size);
}

ssize_t pwrite(int to, const void *bytes, size_t size, off_t at)
{
    return write_fails(to) ? -1 : syscall(SYS_pwrite64, to, bytes, size, at);
}

ssize_t pwrite64(int to, const void *bytes, size_t size, off64_t at)
{
    return pwrite(to, bytes, size, at);
}

static bool is_slow(const char *call, int file)
{
    char link[32], path[4096];
    const char *part = getenv("OBHUT_FAULT_PATH"), *only = getenv("OBHUT_FAULT_CALL");
    if (!part || (only && strcmp(only, call)))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return strstr(path, part);
}

static void delay(const char *call, int file)
{
    enum { STEP_MS = 20 };
    const char *most = getenv("OBHUT_FAULT_DELAY_MS"), *flag = getenv("OBHUT_FAULT_WHILE");
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    if (!most || !is_slow(call, file))
        return;
    for (long left = atol(most); left > 0 && (!flag || !access(flag, F_OK)); left -= STEP_MS)
        nanosleep(&step, NULL);
}

int fsync(int file)
{
    delay("fsync", file);
    return write_fails(file) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    delay("fdatasync", file);
    return write_fails(file) || fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fdatasync, file);
}

int ftruncate(int file, off_t size)
{
    return write_fails(file) ? -1 : (int)syscall(SYS_ftruncate, file, size);
}

int ftruncate64(int file, off64_t size)
{
    return ftruncate(file, size);
}

/* What a client of a database writes. A connection that cannot be written to is gone for both
 * sides. */
ssize_t send(int to, const void *bytes, size_t size, int flags)
{
    if (!fails(FAULT_WRITE))
        return syscall(SYS_sendto, to, bytes, size, flags, NULL, 0);
    shutdown(to, SHUT_RDWR);
    errno = ECONNRESET;
    return -1;
}
