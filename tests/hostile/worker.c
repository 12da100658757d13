/* A worker whose decoder has been taken over: a file "EVIL NAME" says what it tries. It is the real
 * worker but for the decoder, and for the packets, which it can change: whoever runs in a process
 * has all of its memory. */
#include "../unit/flat.h"
#include "sandbox_priv.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

void __real_worker_put_result(ob_packet *p, const worker_result *result);
void __wrap_worker_put_result(ob_packet *p, const worker_result *result);
bool __real_worker_get_job(worker_job *out, ob_packet *p);
bool __wrap_worker_get_job(worker_job *out, ob_packet *p);

static worker_job job;    /* that it is at */
static uint8_t kept[256]; /* of the last file that was somebody else's */
static volatile int sink;
static volatile unsigned long turns;

/* ---- What it sends ------------------------------------------------------------------------- */

static void send_raw(const void *bytes, size_t size, int descriptors)
{
    enum { MOST = 64 };
    union {
        char bytes[CMSG_SPACE(MOST * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {.iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    memcpy(&piece.iov_base, &bytes, sizeof bytes);
    if (descriptors) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)descriptors * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN((size_t)descriptors * sizeof(int));
        for (int i = 0; i < descriptors; i++)
            memcpy(CMSG_DATA(head) + (size_t)i * sizeof(int), &(int){OB_WORKER_CHANNEL},
                   sizeof(int));
    }
    sink = (int)sendmsg(OB_WORKER_CHANNEL, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void set_picture(worker_result *r)
{
    r->digested = job.digests;
    r->media = (ob_media_result){
        .format = OB_FORMAT_PNG, .width = 640, .height = 480, .orientation = 1, .frames = 1};
    memcpy(&r->media.pdq.hash[0], kept, sizeof r->media.pdq.hash[0]);
}

static worker_result good(void)
{
    worker_result r;
    memset(&r, 0, sizeof r);
    r.number = job.number;
    set_picture(&r);
    return r;
}

static void live_on(void)
{
    for (;;)
        sched_yield();
}

/* ---- System calls --------------------------------------------------------------------------- */

static void *nothing(void *argument)
{
    return argument;
}

static void try_open(void)
{
    sink = open("/etc/passwd", O_RDONLY);
}
static void try_create(void)
{
    sink = open("/tmp/obhut-hostile", O_RDWR | O_CREAT, 0600);
}
static void try_socket(void)
{
    sink = socket(AF_INET, SOCK_STREAM, 0);
}
static void try_unix(void)
{
    sink = socket(AF_UNIX, SOCK_STREAM, 0);
}
static void try_pair(void)
{
    int ends[2];
    sink = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}
static void try_fork(void)
{
    sink = fork();
}
static void try_vfork(void)
{
    sink = (int)syscall(SYS_vfork);
}
static void try_thread(void)
{
    pthread_t t;
    sink = pthread_create(&t, NULL, nothing, NULL);
}
static void try_exec(void)
{
    char *none[] = {NULL};
    sink = execve("/bin/true", none, none);
}
static void try_ptrace(void)
{
    sink = (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static void try_read_other(void)
{
    sink = (int)syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}
static void try_write_other(void)
{
    sink = (int)syscall(SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0);
}
static void try_kill(void)
{
    sink = kill(-1, 0);
}
static void try_signal(void)
{
    sink = (int)syscall(SYS_rt_sigqueueinfo, 1, 0, NULL);
}
static void try_pidfd(void)
{
    sink = (int)syscall(SYS_pidfd_open, 1, 0);
}
static void try_own(void)
{
    sink = (int)syscall(SYS_setpgid, 0, 0);
}
static void try_session(void)
{
    sink = setsid();
}
static void try_execute(void)
{
    sink = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED;
}
static void try_protect(void)
{
    static char page[8192];
    sink = mprotect((void *)((uintptr_t)(page + 4095) & ~(uintptr_t)4095), 4096,
                    PROT_READ | PROT_EXEC);
}
static void try_write(void)
{
    sink = (int)write(2, "leak", 4);
}
static void try_read(void)
{
    char bytes[64];
    sink = (int)read(0, bytes, sizeof bytes);
}
static void try_other_channel(void)
{
    sink = (int)send(OB_WORKER_CHANNEL + 1, "x", 1, 0);
}
static void try_shutdown(void)
{
    sink = shutdown(OB_WORKER_CHANNEL, SHUT_RDWR);
}
static void try_options(void)
{
    sink = setsockopt(OB_WORKER_CHANNEL, SOL_SOCKET, SO_RCVBUF, &(int){1}, sizeof(int));
}
static void try_pause(void)
{
    pause();
}
static void try_limit(void)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    sink = setrlimit(RLIMIT_CPU, &all);
}
static void try_outlive(void)
{
    sink = (int)syscall(SYS_prctl, 1, 0, 0, 0, 0);
}
static void try_ignore(void)
{
    sink = signal(SIGXCPU, SIG_IGN) == SIG_ERR;
}
static void try_memfd(void)
{
    sink = memfd_create("x", 0);
}
static void try_grow(void)
{
    sink = ftruncate(OB_WORKER_CHANNEL + 1, 1 << 20);
}
static void try_ring(void)
{
    sink = (int)syscall(SYS_io_uring_setup, 1, NULL);
}
static void try_unshare(void)
{
    sink = (int)syscall(SYS_unshare, 0x10000000);
}
static void try_mount(void)
{
    sink = (int)syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL);
}
static void try_bpf(void)
{
    sink = (int)syscall(SYS_bpf, 0, NULL, 0);
}
static void try_fault(void)
{
    sink = (int)syscall(SYS_userfaultfd, 0);
}
static void try_keys(void)
{
    sink = (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}
static void try_user(void)
{
    sink = (int)syscall(SYS_setuid, 0);
}
static void try_nice(void)
{
    sink = (int)syscall(SYS_setpriority, 0, 0, -20);
}
static void try_clone3(void)
{
    sink = (int)syscall(SYS_clone3, NULL, 0);
}
static void try_watch(void)
{
    sink = (int)syscall(SYS_inotify_init1, 0);
}
static void try_clock(void)
{
    sink = (int)syscall(SYS_clock_settime, 0, NULL);
}

/* ---- Ends, and not ending ------------------------------------------------------------------- */

static void crash(void)
{
    *(volatile int *)(uintptr_t)(sink - 1) = 0;
}
static void trap(void)
{
    __builtin_trap();
}
static void leave(void)
{
    exit(0);
}
static void leave_badly(void)
{
    _exit(7);
}
static void loop(void)
{
    for (;;)
        turns++;
}
static void loop_untimed(void)
{
    const struct itimerval none = {{0}, {0}};
    setitimer(ITIMER_PROF, &none, NULL);
    loop();
}
static void wait_for_ever(void)
{
    static int word;
    for (;;)
        syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static void listen_for_ever(void)
{
    char bytes[16];
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    for (;;)
        sink = (int)recvmsg(OB_WORKER_CHANNEL, &message, 0);
}
static void answer_late(void)
{
    static int word;
    const struct timespec late = {.tv_sec = 1, .tv_nsec = 500000000};
    syscall(SYS_futex, &word, FUTEX_WAIT, 0, &late, NULL, 0);
}
static void eat(void)
{
    for (char *p; (p = malloc(16 << 20)) != NULL;)
        *p = 1;
}

/* ---- Packets that are no answers; and it lives on ------------------------------------------- */

static void say_nothing(void)
{
    send_raw("", 0, 0);
    live_on();
}
static void say_short(void)
{
    send_raw("hello", 5, 0);
    live_on();
}
static void say_long(void)
{
    static char big[60000];
    send_raw(big, sizeof big, 0);
    live_on();
}
static uint8_t answer[FLAT_MOST + 1];

/* Puts an answer where send_raw can take it; returns how many bytes it has. */
static size_t flat_result(const worker_result *r)
{
    ob_packet p = ob_packet_of(WORKER_RESULT, r->number);
    __real_worker_put_result(&p, r);
    const size_t size = flat(answer, &p);
    ob_packet_free(&p);
    return size;
}

static size_t flat_good(void)
{
    const worker_result r = good();
    return flat_result(&r);
}

static void say_less(void)
{
    send_raw(answer, flat_good() - 1, 0);
    live_on();
}
static void say_more(void)
{
    send_raw(answer, flat_good() + 1, 0);
    live_on();
}
static void say_hello(void)
{
    ob_packet p = ob_packet_of(WORKER_HELLO, job.number);
    ob_put_u32(&p, 1);
    ob_put_text(&p, "");
    send_raw(answer, flat(answer, &p), 0);
    live_on();
}
static void say_job(void)
{
    ob_packet p = ob_packet_of(WORKER_JOB, job.number);
    worker_put_job(&p, &job);
    send_raw(answer, flat(answer, &p), 0);
    live_on();
}
static void say_other_kind(void)
{
    ob_packet p = ob_packet_of(WORKER_MESSAGES, job.number);
    send_raw(answer, flat(answer, &p), 0);
    live_on();
}
static void let_go(void)
{
    close(OB_WORKER_CHANNEL);
    live_on();
}
static void let_go_and_sleep(void)
{
    close(OB_WORKER_CHANNEL);
    wait_for_ever();
}
static void send_one(void)
{
    send_raw(answer, flat_good(), 1);
    live_on();
}
static void send_two(void)
{
    send_raw("", 1, 2);
    live_on();
}
static void send_many(void)
{
    send_raw(answer, flat_good(), 16);
    live_on();
}
static void send_again(void)
{
    for (int i = 0; i < 1000; i++)
        send_raw("x", 1, 16);
    live_on();
}

/* Of any size, any content, and sometimes with descriptors; the answer that was asked follows. */
static void send_random(void)
{
    uint32_t sizes[4];
    const size_t size = flat_good();
    ob_random(sizes, sizeof sizes);
    if (sizes[0] % 2)
        ob_random(answer + sizes[1] % size, size - sizes[1] % size);
    else
        ob_random(answer, sizeof answer);
    send_raw(answer, sizes[2] % 3 ? size : sizes[1] % sizeof answer,
             sizes[3] % 8 ? 0 : (int)(sizes[3] % 5));
}

/* ---- Answers that make no sense -------------------------------------------------------------- */

static void number_zero(worker_result *r)
{
    r->number = 0;
}
static void number_next(worker_result *r)
{
    r->number++;
}
static void reason_unknown(worker_result *r)
{
    r->fault.reason = WORKER_REASONS;
}
static void reason_huge(worker_result *r)
{
    r->fault.reason = UINT32_MAX;
}
static void reason_of_none(worker_result *r)
{
    r->fault.reason = OB_MEDIA_DAMAGED;
    r->fault.at = 5;
}
static void reason_beyond(worker_result *r)
{
    r->fault = (ob_media_fault){.reason = OB_MEDIA_CUT_AT_ROW, .at = 9, .of = 8};
}
static void reason_far(worker_result *r)
{
    r->fault = (ob_media_fault){.reason = OB_MEDIA_CUT_AT_FRAME, .at = 70000};
}
static void reason_format(worker_result *r)
{
    r->fault = (ob_media_fault){.reason = OB_MEDIA_DAMAGED, .format = OB_FORMATS};
}
static void fine_with_row(worker_result *r)
{
    r->fault.at = 1;
}
static void refuse(worker_result *r)
{
    r->digested = 0;
    r->fault.reason = WORKER_NO_PERMIT;
}
static void refuse_and_tell(worker_result *r)
{
    r->fault.reason = WORKER_NO_PERMIT;
}
static void digests_all(worker_result *r)
{
    r->digested = UINT32_MAX;
}
static void digests_none(worker_result *r)
{
    r->digested = 0;
}
static void format_none(worker_result *r)
{
    r->media.format = OB_FORMAT_UNKNOWN;
}
static void format_beyond(worker_result *r)
{
    r->media.format = (ob_format)99;
}
static void width_none(worker_result *r)
{
    r->media.width = 0;
}
static void width_beyond(worker_result *r)
{
    r->media.width = UINT32_MAX;
}
static void pixels_beyond(worker_result *r)
{
    r->media.width = r->media.height = 1 << 20;
}
static void turned_none(worker_result *r)
{
    r->media.orientation = 0;
}
static void turned_beyond(worker_result *r)
{
    r->media.orientation = 9;
}
static void frames_none(worker_result *r)
{
    r->media.frames = 0;
}
static void frames_beyond(worker_result *r)
{
    r->media.frames = UINT32_MAX;
}
static void more_beyond(worker_result *r)
{
    r->media.more_count = OB_MEDIA_HASHES;
}
static void more_huge(worker_result *r)
{
    r->media.more_count = UINT32_MAX;
}
static void more_without_frames(worker_result *r)
{
    r->media.more_count = 1;
    r->media.more[0].number = 1;
}
static void more_backwards(worker_result *r)
{
    r->media.frames = 9;
    r->media.more_count = 2;
    r->media.more[0].number = 4;
    r->media.more[1].number = 3;
}
static void look_beyond(worker_result *r)
{
    r->media.more_count = 1;
    r->media.more[0].look = OB_LOOKS;
}
static void incomplete_beyond(worker_result *r)
{
    r->media.incomplete = 2;
}
static void unseen_beyond(worker_result *r)
{
    r->media.unseen = OB_UNSEENS;
}
static void quality_less(worker_result *r)
{
    r->media.pdq.quality = -1;
}
static void quality_beyond(worker_result *r)
{
    r->media.pdq.quality = 101;
}
static void quality_of_more(worker_result *r)
{
    r->media.frames = 2;
    r->media.more_count = 1;
    r->media.more[0] = (ob_media_frame){.number = 1, .pdq.quality = 1000};
}
static void all_ones(worker_result *r)
{
    memset(r, 0xFF, sizeof *r);
}
static void all_zero(worker_result *r)
{
    memset(r, 0, sizeof *r);
}
static void all_but_number(worker_result *r)
{
    const uint64_t n = r->number;
    memset(r, 0xEE, sizeof *r);
    r->number = n;
}

/* ---- Answers that do, and more --------------------------------------------------------------- */

static void once_more(worker_result *r)
{
    send_raw(answer, flat_result(r), 0);
}
static void once_empty(worker_result *r)
{
    send_raw(answer, flat_result(r), 0);
    memset(r, 0, sizeof *r);
    send_raw("", 0, 0);
}
static void flood(worker_result *r)
{
    send_raw(answer, flat_result(r), 0);
    for (int i = 0; i < 1000; i++)
        send_raw(answer, flat_result(r), 0);
}
static void lie(worker_result *r)
{
    memset(r->media.pdq.hash, 0x5A, sizeof r->media.pdq.hash);
}

static const struct kind {
    const char *name;
    void (*act)(void);
    void (*change)(worker_result *r);
} kinds[] = {
#define ACT(name)                                                                                  \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
#define CHANGE(name)                                                                               \
    {                                                                                              \
#name, NULL, name                                                                          \
    }
    ACT(try_open),
    ACT(try_create),
    ACT(try_socket),
    ACT(try_unix),
    ACT(try_pair),
    ACT(try_fork),
    ACT(try_vfork),
    ACT(try_thread),
    ACT(try_exec),
    ACT(try_ptrace),
    ACT(try_read_other),
    ACT(try_write_other),
    ACT(try_kill),
    ACT(try_signal),
    ACT(try_pidfd),
    ACT(try_own),
    ACT(try_session),
    ACT(try_execute),
    ACT(try_protect),
    ACT(try_write),
    ACT(try_read),
    ACT(try_other_channel),
    ACT(try_shutdown),
    ACT(try_options),
    ACT(try_pause),
    ACT(try_limit),
    ACT(try_outlive),
    ACT(try_ignore),
    ACT(try_memfd),
    ACT(try_grow),
    ACT(try_ring),
    ACT(try_unshare),
    ACT(try_mount),
    ACT(try_bpf),
    ACT(try_fault),
    ACT(try_keys),
    ACT(try_user),
    ACT(try_nice),
    ACT(try_clone3),
    ACT(try_watch),
    ACT(try_clock),
    ACT(crash),
    ACT(trap),
    ACT(leave),
    ACT(leave_badly),
    ACT(loop),
    ACT(loop_untimed),
    ACT(wait_for_ever),
    ACT(listen_for_ever),
    ACT(answer_late),
    ACT(eat),
    ACT(say_nothing),
    ACT(say_short),
    ACT(say_long),
    ACT(say_less),
    ACT(say_more),
    ACT(say_hello),
    ACT(say_job),
    ACT(say_other_kind),
    ACT(let_go),
    ACT(let_go_and_sleep),
    ACT(send_one),
    ACT(send_two),
    ACT(send_many),
    ACT(send_again),
    ACT(send_random),
    CHANGE(number_zero),
    CHANGE(number_next),
    CHANGE(reason_unknown),
    CHANGE(reason_huge),
    CHANGE(reason_of_none),
    CHANGE(reason_beyond),
    CHANGE(reason_far),
    CHANGE(reason_format),
    CHANGE(fine_with_row),
    CHANGE(refuse),
    CHANGE(refuse_and_tell),
    CHANGE(digests_all),
    CHANGE(digests_none),
    CHANGE(format_none),
    CHANGE(format_beyond),
    CHANGE(width_none),
    CHANGE(width_beyond),
    CHANGE(pixels_beyond),
    CHANGE(turned_none),
    CHANGE(turned_beyond),
    CHANGE(frames_none),
    CHANGE(frames_beyond),
    CHANGE(more_beyond),
    CHANGE(more_huge),
    CHANGE(more_without_frames),
    CHANGE(more_backwards),
    CHANGE(look_beyond),
    CHANGE(incomplete_beyond),
    CHANGE(unseen_beyond),
    CHANGE(quality_less),
    CHANGE(quality_beyond),
    CHANGE(quality_of_more),
    CHANGE(all_ones),
    CHANGE(all_zero),
    CHANGE(all_but_number),
    CHANGE(once_more),
    CHANGE(once_empty),
    CHANGE(flood),
    CHANGE(lie),
};

static const struct kind *now;

static ob_status hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                      const ob_media_options *options, ob_media_fault *fault)
{
    static const char evil[] = "EVIL ";
    char name[32] = "";
    (void)options;
    (void)fault;
    now = NULL;
    if (size > strlen(evil) && !memcmp(bytes, evil, strlen(evil))) {
        size -= strlen(evil);
        memcpy(name, bytes + strlen(evil), size < sizeof name ? size : sizeof name - 1);
        name[strcspn(name, "\n")] = '\0';
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (!strcmp(kinds[i].name, name))
                now = &kinds[i];
    } else {
        memcpy(kept, bytes, size < sizeof kept ? size : sizeof kept);
    }
    if (now && now->act)
        now->act();
    *out = good().media;
    return OB_OK;
}

bool __wrap_worker_get_job(worker_job *out, ob_packet *p)
{
    const bool got = __real_worker_get_job(out, p);
    if (got)
        job = *out;
    return got;
}

void __wrap_worker_put_result(ob_packet *p, const worker_result *result)
{
    worker_result r = *result;
    if (now && now->change)
        now->change(&r);
    p->id = r.number;
    __real_worker_put_result(p, &r);
}

int main(int argc, char **argv)
{
    (void)argc;
    const ob_worker_program program = {.profile = OB_PROFILE_WORKER, .hash = hash};
    return ob_worker_serve(argv, &program);
}
