/* A worker process: found, started, waited for, ended. */
#include "sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 10000, END_MS = 3000 };

int64_t process_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- The program ----------------------------------------------------------------------------- */

/* Beside this program, as in a build, or where packages put it. */
char *process_find(const char *name)
{
    char self[4096], *path = NULL;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0) {
        self[length] = '\0';
        char *slash = strrchr(self, '/');
        if (slash && asprintf(&path, "%.*s/%s", (int)(slash - self), self, name) >= 0) {
            if (!access(path, X_OK))
                return path;
            free(path);
        }
    }
    if (asprintf(&path, "%s/%s", OB_LIBEXECDIR, name) < 0)
        return NULL;
    if (!access(path, X_OK))
        return path;
    free(path);
    return NULL;
}

/* ---- Its end --------------------------------------------------------------------------------- */

static void forget(worker_process *p)
{
    p->id = 0;
    ob_wire_free(p->wire);
    p->wire = NULL;
    ob_wipe(&p->holder, sizeof p->holder);
}

int process_kill(worker_process *p)
{
    int ended = 0;
    if (!p->id)
        return 0;
    kill(p->id, SIGKILL); /* whoever has let go of its channel may live on all the same */
    while (waitpid(p->id, &ended, 0) < 0 && errno == EINTR)
        ;
    forget(p);
    return ended;
}

#ifdef OB_SANITIZED
/* Lets it end by itself, so that its sanitizer can report; not for longer than END_MS. */
bool process_dismiss(worker_process *p)
{
    const struct timespec moment = {.tv_nsec = 200000};
    int ended = 0;
    if (!p->id)
        return true;
    shutdown(ob_wire_socket(p->wire), SHUT_RDWR);
    for (int64_t until = process_now_ms() + END_MS; process_now_ms() < until;
         nanosleep(&moment, NULL))
        if (waitpid(p->id, &ended, WNOHANG) == p->id) {
            forget(p);
            return WIFEXITED(ended) && !WEXITSTATUS(ended);
        }
    process_kill(p);
    return true;
}
#else
bool process_dismiss(worker_process *p)
{
    process_kill(p);
    return true;
}
#endif

unsigned process_used_s(const worker_process *p)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(p->id, &clock) || clock_gettime(clock, &used))
        return 0;
    return (unsigned)used.tv_sec + 1;
}

int64_t process_starved_ms(const worker_process *p)
{
    char path[40];
    unsigned long long starved_ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)p->id);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%*u %llu", &starved_ns) != 1)
        starved_ns = 0;
    if (file)
        fclose(file);
    return (int64_t)(starved_ns / 1000000);
}

/* ---- Its beginning --------------------------------------------------------------------------- */

bool process_wait(const worker_process *p, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - process_now_ms();
        struct pollfd one = {.fd = ob_wire_socket(p->wire), .events = POLLIN};
        int ready = poll(&one, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

bool process_is_gone(const worker_process *p)
{
    struct pollfd one = {.fd = ob_wire_socket(p->wire)};
    return poll(&one, 1, 0) > 0 && one.revents & (POLLHUP | POLLERR | POLLNVAL);
}

#ifdef OB_SANITIZED
static char *option(char *out, size_t size, const char *name)
{
    const char *value = getenv(name);
    snprintf(out, size, "%s=%s:symbolize=0", name, value ? value : "");
    return out;
}
#endif

static ob_status spawn(pid_t *process, char *program, unsigned cpu_s, int end, ob_error *err)
{
    posix_spawn_file_actions_t actions;
    char seconds[12];
    char *arguments[] = {program, seconds, NULL};
    static char *const no_environment[] = {NULL};
#ifdef OB_SANITIZED /* their options, but for the symbolizer: it would be another process */
    char asan[400], lsan[400], tsan[400];
    char *const sanitized[] = {option(asan, sizeof asan, "ASAN_OPTIONS"),
                               option(lsan, sizeof lsan, "LSAN_OPTIONS"),
                               option(tsan, sizeof tsan, "TSAN_OPTIONS"), NULL};
    char *const *environment = sanitized;
    (void)no_environment;
#else
    char *const *environment = no_environment;
#endif
    snprintf(seconds, sizeof seconds, "%u", cpu_s);
    if (posix_spawn_file_actions_init(&actions))
        return ob_fail(err, OB_ENOMEM, "out of memory: starting a worker");
    int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
#ifndef OB_SANITIZED /* whose reports would be lost */
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
#endif
    if (!failed) /* also where it has that number already: the flag that closes it goes */
        failed = posix_spawn_file_actions_adddup2(&actions, end, OB_WORKER_CHANNEL);
    if (!failed)
        failed = posix_spawn(process, program, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return ob_fail(err, OB_EIO, "%s cannot be started: %s", program, strerror(failed));
    return OB_OK;
}

/* A new key for every process: permits that were made for another are of no use to it. */
static bool welcome(worker_process *p, const ob_epoch_page *epochs)
{
    ob_packet packet = ob_packet_of(WORKER_WELCOME, 0);
    ob_holder_init(&p->holder);
    ob_put_bytes(&packet, p->holder.key, sizeof p->holder.key);
    packet.file = epochs_file(epochs);
    packet.is_lent = true;
    const bool sent = ob_wire_send(p->wire, &packet);
    ob_packet_free(&packet);
    return sent;
}

static ob_status take_hello(worker_process *p, ob_packet *hello, const char *program, ob_error *err)
{
    const char *why;
    const bool said = ob_wire_receive(p->wire, hello) == OB_WIRE_PACKET &&
                      hello->kind == WORKER_HELLO && ob_get_u32(&p->layers, hello) &&
                      ob_get_text(&why, hello) && why && ob_get_end(hello);
    if (!said)
        return ob_fail(err, OB_EIO,
                       "%s gave up at once: is a library missing (ldd says which), or does it "
                       "belong to another version?",
                       program);
    if (!p->layers)
        return ob_fail(err, OB_EREFUSED, "%s cannot be confined: %s", program, why);
    return OB_OK;
}

static ob_status greet(worker_process *p, const char *program, const ob_epoch_page *epochs,
                       ob_error *err)
{
    ob_packet hello;
    if (!process_wait(p, process_now_ms() + START_MS))
        return ob_fail(err, OB_ETIME, "%s did not start within %d s", program, START_MS / 1000);
    ob_status status = take_hello(p, &hello, program, err);
    ob_packet_free(&hello);
    if (status)
        return status;
    return welcome(p, epochs) ? OB_OK : ob_fail(err, OB_EIO, "%s ended at once", program);
}

ob_status process_start(worker_process *p, char *program, unsigned cpu_s,
                        const ob_epoch_page *epochs, ob_error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return ob_fail(err, OB_EIO, "a worker's wire cannot be made: %s", strerror(errno));
    worker_process made = {.wire = ob_wire_new(ends[0], &worker_protocol, OWNER_SIDE, NULL),
                           .cpu_s = cpu_s};
    ob_status status = made.wire ? spawn(&made.id, program, cpu_s, ends[1], err)
                                 : ob_fail(err, OB_ENOMEM, "out of memory: a worker");
    close(ends[1]);
    if (status) {
        ob_wire_free(made.wire);
        return status;
    }
    status = greet(&made, program, epochs, err);
    if (status)
        process_kill(&made);
    else
        *p = made;
    return status;
}
