/* Files in memory: copies, of which nothing can take a byte away, and, for what is too large for
 * that, mappings. Where a mapped file was cut or its disk fails, who reads it gets zeros and the
 * mapping is broken, instead of the process being ended; its parts can be checked when they are
 * first read; and a write into the file is noticed.
 *
 * Both need handlers of SIGBUS and SIGSEGV, which belong to the whole process, and so does the list
 * of mappings that these look into. A signal comes from an instruction that reads such a mapping:
 * its thread holds none of the locks below, and somebody keeps the mapping. */
#include "listfile_priv.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef enum state { WHOLE, UNREADABLE, CHANGED, WRITTEN } state;

struct mapping {
    uint8_t *bytes;  /* what everybody reads */
    uint8_t *source; /* the same once more, for checks: bytes are hidden until they were checked;
                      * NULL: a copy */
    uint64_t size;
    uint64_t reserved; /* of a copy: with what its alignment took */
    uint8_t *start;
    int file; /* -1: a copy */
    struct timespec written;
    _Atomic uint64_t checked; /* the tick of the clock at which the file was checked at last */
    _Atomic state state;
    _Atomic uint64_t where; /* the first place that was not right */

    pthread_mutex_t checking; /* for the next */
    const uint8_t *sums;      /* NULL: nothing is hidden */
    uint64_t end;             /* of what is hidden */
    uint64_t part;            /* bytes that become visible together */
    bool *seen;               /* of each part */
    struct mapping *next;
};

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static mapping *mappings;
static struct sigaction before_us[2]; /* of SIGBUS and of SIGSEGV */

/* ---- What a signal means --------------------------------------------------------------------- */

static bool is_in(const uint8_t *address, const uint8_t *start, uint64_t size)
{
    return start && address >= start && address < start + size;
}

static mapping *find(const uint8_t *address)
{
    pthread_mutex_lock(&registry);
    mapping *m = mappings;
    while (m && !is_in(address, m->bytes, m->size) && !is_in(address, m->source, m->size))
        m = m->next;
    pthread_mutex_unlock(&registry);
    return m;
}

static void set_state(mapping *m, state what, uint64_t where)
{
    state whole = WHOLE;
    if (atomic_compare_exchange_strong(&m->state, &whole, what))
        atomic_store(&m->where, where);
}

/* Zeros from that page on: behind a cut nothing can be read, and what a failing disk still gives
 * is no longer needed. By the system call itself: tools that watch mmap take it for a race. */
static bool give_zeros(mapping *m, const uint8_t *address)
{
    uint8_t *start = is_in(address, m->bytes, m->size) ? m->bytes : m->source;
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t at = (uint64_t)(address - start) / page * page;
    set_state(m, UNREADABLE, at);
    return syscall(SYS_mmap, start + at, m->size - at, PROT_READ,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != -1;
}

static bool is_right(const mapping *m, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to;) {
        const uint64_t block = at / OBX_BLOCK, next = (block + 1) * OBX_BLOCK;
        const uint64_t stop = next < to ? next : to;
        uint8_t sum[OB_SHA256_SIZE];
        ob_sha256_bare(sum, m->source + at, stop - at);
        if (memcmp(sum, m->sums + block * sizeof sum, sizeof sum) != 0)
            return false;
        at = stop;
    }
    return true;
}

/* Compares a part with its sums, once. */
static void check_part(mapping *m, uint64_t number)
{
    const uint64_t start = number * m->part, stop = start + m->part;
    const uint64_t from = start < OBX_ALIGN ? OBX_ALIGN : start, to = stop < m->end ? stop : m->end;
    if (!m->seen[number] && from < to && !is_right(m, from, to))
        set_state(m, CHANGED, from);
    m->seen[number] = true;
}

/* Where the kernel has no room for one more piece: all of it is checked and becomes one. */
static bool show_all(mapping *m)
{
    for (uint64_t number = 0; number * m->part < m->end; number++)
        check_part(m, number);
    return !mprotect(m->bytes, m->size, PROT_READ);
}

/* Lets a part be seen once it was compared, right or not: who reads it looks afterwards whether the
 * mapping is broken. */
static bool show(mapping *m, uint64_t at)
{
    bool shown = true;
    pthread_mutex_lock(&m->checking);
    if (m->sums && at < m->end && !m->seen[at / m->part]) {
        const uint64_t start = at / m->part * m->part, stop = start + m->part;
        check_part(m, at / m->part);
        shown = !mprotect(m->bytes + start, (stop < m->size ? stop : m->size) - start, PROT_READ) ||
                show_all(m);
    }
    pthread_mutex_unlock(&m->checking);
    return shown;
}

/* As if there were no handler of ours. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
    const struct sigaction *old = &before_us[signal == SIGSEGV];
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(signal, info, context);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(signal);
    } else { /* the instruction fails once more, or the signal is sent again */
        sigaction(signal, old, NULL);
        if (info->si_code <= 0)
            raise(signal);
    }
}

/* Another thread may have shown a part meanwhile; but what goes on failing is an error of ours. */
static bool is_endless(const uint8_t *address)
{
    enum { MOST = 1000 };
    static _Thread_local const uint8_t *last;
    static _Thread_local unsigned times;
    times = address == last ? times + 1 : 0;
    last = address;
    return times > MOST;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    const int saved = errno;
    const uint8_t *address = info->si_addr;
    mapping *m = info->si_code > 0 ? find(address) : NULL;
    bool gone_on = false;
    if (m && !is_endless(address))
        gone_on = signal == SIGBUS ? give_zeros(m, address)
                                   : is_in(address, m->bytes, m->size) &&
                                         show(m, (uint64_t)(address - m->bytes));
    errno = saved;
    if (!gone_on)
        pass_on(signal, info, context);
}

/* Under the registry's lock. Others in this process may have put theirs in the place of ours. */
static void install(int signal, struct sigaction *before)
{
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK}, now;
    sigemptyset(&ours.sa_mask);
    if (sigaction(signal, NULL, &now) ||
        (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_signal))
        return;
    *before = now;
    sigaction(signal, &ours, NULL);
}

/* ---- Mappings -------------------------------------------------------------------------------- */

static uint8_t *map(int file, uint64_t size)
{
    void *bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}

static ob_status make(mapping **out, uint64_t size, ob_error *err)
{
    mapping *m = calloc(1, sizeof *m);
    if (!m)
        return ob_fail(err, OB_ENOMEM, "out of memory: a list");
    pthread_mutex_init(&m->checking, NULL);
    m->size = size;
    m->file = -1;
    *out = m;
    return OB_OK;
}

/* Memory that is free, or could be at once; 0 where the system does not say. */
static uint64_t available_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long long kib = 0;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib << 10;
}

uint8_t *mapping_room(void **start, uint64_t *reserved, uint64_t size)
{
    const uint64_t huge = UINT64_C(2) << 20, align = size < huge ? OBX_ALIGN : huge;
    if (size >= huge && size + size / 4 > available_memory())
        return NULL;
    uint8_t *memory = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    *start = memory;
    *reserved = size + align;
    memory += (align - (uintptr_t)memory % align) % align;
    if (size >= huge)
        madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

/* Reads all of it. */
static ob_status fill(mapping *m, int file, const char *path, ob_error *err)
{
    uint64_t at = 0;
    while (at < m->size) {
        const ssize_t got = ob_file_pread(file, m->bytes + at, m->size - at, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ob_fail(err, OB_EIO, "%s cannot be read: %s", path,
                           got ? strerror(errno) : "it became shorter");
        at += (uint64_t)got;
    }
    mprotect(m->start, m->reserved, PROT_READ);
    return OB_OK;
}

ob_status mapping_copy(mapping **out, int file, uint64_t size, const char *path, ob_error *err)
{
    mapping *m = NULL;
    void *start = NULL;
    ob_status status = make(&m, size, err);
    if (status)
        return status;
    m->bytes = mapping_room(&start, &m->reserved, size);
    m->start = start;
    status = m->bytes ? fill(m, file, path, err) : ob_fail(err, OB_ENOMEM, "out of memory: a list");
    if (status)
        mapping_close(m);
    else
        *out = m;
    return status;
}

ob_status mapping_open(mapping **out, int file, uint64_t size, const char *path, ob_error *err)
{
    mapping *m = NULL;
    struct stat is;
    ob_status status = make(&m, size, err);
    if (status)
        return status;
    m->bytes = map(file, size);
    m->source = m->bytes ? map(file, size) : NULL;
    m->file = m->source ? fcntl(file, F_DUPFD_CLOEXEC, 0) : -1;
    if (m->file >= 0 && !ob_file_stat(&is, m->file))
        m->written = is.st_mtim;
    pthread_mutex_lock(&registry);
    install(SIGBUS, &before_us[0]);
    install(SIGSEGV, &before_us[1]);
    m->next = mappings;
    mappings = m;
    pthread_mutex_unlock(&registry);
    if (m->file < 0) {
        ob_fail(err, OB_EIO, "%s cannot be mapped: %s", path, strerror(errno));
        mapping_close(m);
        return OB_EIO;
    }
    madvise(m->bytes, size, MADV_RANDOM); /* a query needs a few bytes here and there */
    *out = m;
    return OB_OK;
}

void mapping_close(mapping *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&registry);
    mapping **link = &mappings;
    while (*link && *link != m)
        link = &(*link)->next;
    if (*link) /* copies are not there */
        *link = m->next;
    pthread_mutex_unlock(&registry);
    if (m->start)
        munmap(m->start, m->reserved);
    else if (m->bytes)
        munmap(m->bytes, m->size);
    if (m->source)
        munmap(m->source, m->size);
    if (m->file >= 0)
        close(m->file);
    pthread_mutex_destroy(&m->checking);
    free(m->seen);
    free(m);
}

const uint8_t *mapping_bytes(const mapping *m)
{
    return m->bytes;
}

const uint8_t *mapping_source(const mapping *m)
{
    return m->source ? m->source : m->bytes;
}

bool mapping_is_copy(const mapping *m)
{
    return !m->source;
}

bool mapping_hide(mapping *m, const uint8_t *sums, uint64_t end)
{
    enum { PARTS_MOST = 16384 }; /* each may become a mapping of its own for the kernel */
    if (!m->source)
        return false;
    m->part = OBX_BLOCK;
    while (end / m->part >= PARTS_MOST)
        m->part *= 2;
    m->seen = calloc(end / m->part + 1, sizeof *m->seen);
    m->end = end;
    if (!m->seen || mprotect(m->bytes + OBX_ALIGN, end - OBX_ALIGN, PROT_NONE))
        return false;
    m->sums = sums;
    return true;
}

void mapping_show(mapping *m)
{
    pthread_mutex_lock(&m->checking);
    if (m->sums && !mprotect(m->bytes, m->size, PROT_READ))
        m->sums = NULL;
    pthread_mutex_unlock(&m->checking);
    if (!m->source) /* a copy: there is nothing behind it */
        return;
    madvise(m->source, m->size, MADV_DONTNEED);
    /* It came into view part by part: the kernel maps it anew, in as large pieces as it can.
     * Without that a search takes a quarter more. */
    madvise(m->bytes, m->size, MADV_DONTNEED);
}

/* Nobody writes into a list's file; a new one has another. Looked at once a tick of the kernel's
 * clock, which is some thousandths of a second: the call may cost a tenth of a search. */
static void check_file(mapping *m)
{
    struct stat is;
    struct timespec now;
    if (m->file < 0 || clock_gettime(CLOCK_MONOTONIC_COARSE, &now))
        return;
    const uint64_t tick = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    if (atomic_load_explicit(&m->checked, memory_order_relaxed) == tick)
        return;
    atomic_store_explicit(&m->checked, tick, memory_order_relaxed);
    if (ob_file_stat(&is, m->file) || (uint64_t)is.st_size != m->size ||
        is.st_mtim.tv_sec != m->written.tv_sec || is.st_mtim.tv_nsec != m->written.tv_nsec)
        set_state(m, WRITTEN, 0);
}

ob_status mapping_problem(mapping *m, ob_error *err)
{
    check_file(m);
    const unsigned long long where = atomic_load(&m->where);
    switch (atomic_load(&m->state)) {
    case WRITTEN:
        return ob_fail(err, OB_EIO,
                       "somebody wrote into its file, or cut it, while it was searched");
    case UNREADABLE:
        return ob_fail(err, OB_EIO,
                       "its file can no longer be read from byte %llu on: it was cut, or the "
                       "disk fails",
                       where);
    case CHANGED:
        return ob_fail(err, OB_EFORMAT,
                       "damaged list file: bytes from %llu on are not those that were written",
                       where);
    default:
        return OB_OK;
    }
}
