/* The side that has bytes and wants hashes: a worker process, watched and replaced. */
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

enum {
    TIME_MS = 20000,
    CPU_MS = 15000,
    START_MS = 10000,
    END_MS = 3000,
    JOBS_MOST = 1000, /* of one process: what somebody planted in it does not stay for ever */
};

struct ob_worker {
    ob_worker_options options;
    char *program;
    pid_t process; /* 0: none runs */
    int channel;
    uint32_t layers;
    ob_holder holder;          /* of permits: the process that runs */
    ob_epoch_page *own_epochs; /* where the options have none */
    uint64_t jobs, of_this;    /* done in all, and by the process that runs */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- The program ---------------------------------------------------------------------------- */

/* Beside this program, as in a build, or where packages put it. */
static char *find_program(const char *name)
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

/* ---- Its life ------------------------------------------------------------------------------- */

/* Waits for a process that has ended or been told to; returns its wait status. */
static int end_process(ob_worker *w)
{
    int status = 0;
    if (!w->process)
        return 0;
    while (waitpid(w->process, &status, 0) < 0 && errno == EINTR)
        ;
    w->process = 0;
    close(w->channel);
    w->channel = -1;
    return status;
}

static int kill_process(ob_worker *w)
{
    if (w->process)
        kill(w->process, SIGKILL);
    return end_process(w);
}

static void tell_problem(const ob_worker *w, const char *what);

/* Lets a process end by itself that has reason to, and helps where it does not. True: by itself. */
static bool ends_soon(int *ended, ob_worker *w)
{
    for (int64_t until = now_ms() + END_MS; now_ms() < until;) {
        pid_t gone = waitpid(w->process, ended, WNOHANG);
        if (gone == w->process) {
            w->process = 0;
            close(w->channel);
            w->channel = -1;
            return true;
        }
        const struct timespec moment = {.tv_nsec = 200000};
        nanosleep(&moment, NULL);
    }
    *ended = kill_process(w); /* the end of one that was about to is its own all the same */
    return !WIFSIGNALED(*ended) || WTERMSIG(*ended) != SIGKILL;
}

/* Of one that has nothing to do. */
static void dismiss_process(ob_worker *w)
{
    int ended = 0;
    if (!w->process)
        return;
    shutdown(w->channel, SHUT_RDWR);
    if (ends_soon(&ended, w) && (!WIFEXITED(ended) || WEXITSTATUS(ended)))
        tell_problem(w, "it did not end well"); /* a sanitizer has found something */
}

/* True when there is something to read before the deadline. */
static bool wait_for(int channel, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - now_ms();
        struct pollfd one = {.fd = channel, .events = POLLIN};
        int ready = poll(&one, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

#ifdef OB_SANITIZED
static char *option(char *out, size_t size, const char *name)
{
    const char *value = getenv(name);
    snprintf(out, size, "%s=%s:symbolize=0", name, value ? value : "");
    return out;
}
#endif

static ob_status spawn(ob_worker *w, int end, ob_error *err)
{
    posix_spawn_file_actions_t actions;
    char *arguments[] = {w->program, NULL};
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
        failed = posix_spawn(&w->process, w->program, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) {
        w->process = 0;
        return ob_fail(err, OB_EIO, "%s cannot be started: %s", w->program, strerror(failed));
    }
    return OB_OK;
}

static const ob_epoch_page *epochs_of(const ob_worker *w)
{
    return w->options.epochs ? w->options.epochs : w->own_epochs;
}

/* A new key for every process: permits that were made for another are of no use to it. */
static ob_status welcome(ob_worker *w, ob_error *err)
{
    wire_welcome welcome = {.magic = WIRE_HELLO};
    ob_holder_init(&w->holder);
    memcpy(welcome.key, w->holder.key, sizeof welcome.key);
    bool sent = wire_send(w->channel, &welcome, sizeof welcome, epochs_file(epochs_of(w)));
    ob_wipe(&welcome, sizeof welcome);
    if (sent)
        return OB_OK;
    kill_process(w);
    return ob_fail(err, OB_EIO, "%s ended at once", w->program);
}

static ob_status start(ob_worker *w, ob_error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return ob_fail(err, OB_EIO, "a worker's channel cannot be made: %s", strerror(errno));
    ob_status status = spawn(w, ends[1], err);
    close(ends[1]);
    w->channel = ends[0];
    if (status) {
        close(ends[0]);
        w->channel = -1;
        return status;
    }
    wire_hello hello = {0};
    if (!wait_for(w->channel, now_ms() + START_MS)) {
        kill_process(w);
        return ob_fail(err, OB_ETIME, "%s did not start within %d s", w->program, START_MS / 1000);
    }
    if (!wire_receive(w->channel, &hello, sizeof hello, NULL) || hello.magic != WIRE_HELLO) {
        kill_process(w);
        return ob_fail(err, OB_EIO, "%s gave up at once: does it belong to another version?",
                       w->program);
    }
    if (!hello.layers) {
        kill_process(w);
        return ob_fail(err, OB_EREFUSED, "%s cannot be confined: %.*s", w->program,
                       (int)sizeof hello.text - 1, hello.text);
    }
    w->layers = hello.layers;
    w->of_this = 0;
    return welcome(w, err);
}

ob_status ob_worker_start(ob_worker **out, const ob_worker_options *options, ob_error *err)
{
    const char *name = options->program ? options->program : "obhut-worker";
    ob_worker *w = calloc(1, sizeof *w);
    if (!w)
        return ob_fail(err, OB_ENOMEM, "out of memory: a worker");
    w->options = *options;
    w->channel = -1;
    if (!w->options.time_ms)
        w->options.time_ms = TIME_MS;
    if (!w->options.cpu_ms)
        w->options.cpu_ms = CPU_MS;
    w->program = strchr(name, '/') ? strdup(name) : find_program(name);
    ob_status status = options->epochs ? OB_OK : ob_epoch_page_new(&w->own_epochs, err);
    if (!status)
        status = w->program ? start(w, err)
                            : ob_fail(err, OB_ENOTFOUND, "the program %s is not installed", name);
    if (status)
        ob_worker_stop(w);
    else
        *out = w;
    return status;
}

void ob_worker_stop(ob_worker *w)
{
    if (!w)
        return;
    dismiss_process(w);
    ob_epoch_page_free(w->own_epochs);
    ob_wipe(&w->holder, sizeof w->holder);
    free(w->program);
    free(w);
}

uint32_t ob_worker_layers(const ob_worker *w)
{
    return w->layers;
}

int ob_worker_process(const ob_worker *w)
{
    return w->process;
}

/* ---- Jobs ----------------------------------------------------------------------------------- */

/* Why a worker's end cost the job. */
static ob_status explain_death(const wire_job *job, int ended, ob_error *err)
{
    int by = WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
    switch (by) {
    case SIGPROF:
        return ob_fail(err, OB_ETIME, "more than %u ms of the processor", job->cpu_ms);
    case SIGBUS:
        return ob_fail(err, OB_EIO, "the file changed while it was read");
    case SIGSYS:
        return ob_fail(err, OB_ECRASH, "the decoder asked for what no decoder needs");
    case 0:
        return ob_fail(err, OB_ECRASH, "the decoder ended (exit code %d)", WEXITSTATUS(ended));
    default:
        return ob_fail(err, OB_ECRASH, "the decoder crashed (signal %d)", by);
    }
}

static void tell_problem(const ob_worker *w, const char *what)
{
    ob_error text;
    if (!w->options.problem)
        return;
    ob_fail(&text, OB_ECRASH, "a worker was lost and is replaced: %s", what);
    w->options.problem(w->options.context, text.text);
}

/* Digests of a film take as long as reading it does; nothing else depends on the size alone. */
static unsigned more_ms(const ob_job *job)
{
    enum { BYTES_PER_MS = 100000 };
    uint64_t ms = job->digests ? job->size / BYTES_PER_MS : 0;
    return ms > 3600000 ? 3600000 : (unsigned)ms;
}

/* Waits for the answer; every way in which it may not come ends the process. True: it had no
 * permit. */
static bool await(ob_job_result *out, ob_worker *w, const wire_job *job, unsigned time_ms)
{
    static const char no_sense[] = "the decoder's answer makes no sense";
    wire_result result;
    ob_error err = {0};
    int ended = 0;
    if (!wait_for(w->channel, now_ms() + time_ms)) {
        kill_process(w);
        ob_fail(&err, OB_ETIME, "not decoded within %u ms", time_ms);
    } else if (!wire_receive(w->channel, &result, sizeof result, NULL)) {
        /* most likely it is dead, but whoever is not may have sent anything */
        if (ends_soon(&ended, w))
            explain_death(job, ended, &err);
        else
            ob_fail(&err, OB_ECRASH, no_sense);
    } else if (!wire_take_result(out, &result, job)) {
        kill_process(w);
        ob_fail(&err, OB_ECRASH, no_sense);
    } else {
        return result.refused;
    }
    tell_problem(w, err.text);
    *out = (ob_job_result){.status = err.status, .error = err};
    return false;
}

/* A permit for this file and this process; what it is not for is not asked. */
static ob_status get_permit(wire_job *wire, uint32_t *methods, ob_worker *w, const ob_job *job,
                            int file, ob_error *err)
{
    ob_permit_item item = {.size = job->size};
    const ob_seal seal = ob_holder_maker(&w->holder);
    *methods = (job->hash ? UINT32_C(1) << OB_METHOD_PDQ : 0) |
               (job->digests ? UINT32_C(1) << OB_METHOD_DIGESTS : 0);
    memcpy(item.id, job->item, sizeof item.id);
    if (!holder_look_at(&item, file))
        return ob_fail(err, OB_EIO, "the file cannot be looked at: %s", strerror(errno));
    if (!job->permit)
        return ob_fail(err, OB_EREFUSED, "there is no permit");
    ob_status status = job->permit(job->permit_context, &wire->permit, methods, &item,
                                   ob_epochs_now(epochs_of(w)), &seal, err);
    if (!(*methods >> OB_METHOD_PDQ & 1))
        wire->hash = false;
    if (!(*methods >> OB_METHOD_DIGESTS & 1))
        wire->digests = 0;
    return status;
}

ob_status ob_worker_do(ob_job_result *out, ob_worker *w, const ob_job *job, int file, ob_error *err)
{
    wire_job wire = {.number = ++w->jobs, /* of which every byte is set */
                     .size = job->size,
                     .hash = job->hash,
                     .digests = job->digests,
                     .variant = job->media.variant,
                     .exact = job->media.exact,
                     .cpu_ms = w->options.cpu_ms + more_ms(job)};
    memcpy(wire.item, job->item, sizeof wire.item);
    if (w->process && w->of_this >= JOBS_MOST)
        dismiss_process(w);
    for (int attempt = 0; attempt < 2; attempt++) {
        uint32_t methods;
        ob_status status = w->process ? OB_OK : start(w, err);
        if (!status)
            status = get_permit(&wire, &methods, w, job, file, err);
        if (status)
            return status;
        w->of_this++;
        if (wire_send(w->channel, &wire, sizeof wire, file)) {
            bool refused = await(out, w, &wire, w->options.time_ms + more_ms(job));
            out->methods = methods;
            return refused ? ob_fail(err, OB_EREFUSED, "%s", out->error.text) : OB_OK;
        }
        kill_process(w); /* it had died before this job */
    }
    return ob_fail(err, OB_EIO, "no worker takes jobs");
}

/* ---- Two programs for all formats ------------------------------------------------------------ */

struct ob_workers {
    ob_worker *standard, *heif;
    ob_worker_options options;
};

static const char heif_program[] = "obhut-worker-heif";

bool ob_workers_have_heif(void)
{
    char *path = find_program(heif_program);
    free(path);
    return path != NULL;
}

ob_status ob_workers_start(ob_workers **out, const ob_worker_options *options, ob_error *err)
{
    ob_workers *both = calloc(1, sizeof *both);
    if (!both)
        return ob_fail(err, OB_ENOMEM, "out of memory: workers");
    both->options = *options;
    ob_status status = ob_worker_start(&both->standard, options, err);
    if (status)
        ob_workers_stop(both);
    else
        *out = both;
    return status;
}

static ob_status do_heif(ob_job_result *out, ob_workers *both, const ob_job *job, int file,
                         ob_error *err)
{
    ob_worker_options options = both->options;
    options.program = heif_program;
    ob_status status = both->heif ? OB_OK : ob_worker_start(&both->heif, &options, err);
    if (!status)
        status = ob_worker_do(out, both->heif, job, file, err);
    return status;
}

ob_status ob_workers_do(ob_job_result *out, ob_workers *both, const ob_job *job, int file,
                        ob_error *err)
{
    uint8_t first[OB_MEDIA_SNIFF];
    ssize_t got = pread(file, first, sizeof first, 0);
    ob_format format = ob_media_sniff(first, got > 0 ? (size_t)got : 0);
    if (!job->hash || !ob_format_is_heif(format))
        return ob_worker_do(out, both->standard, job, file, err);
    ob_error missing = {0};
    ob_status status = do_heif(out, both, job, file, &missing);
    if (status != OB_ENOTFOUND) {
        if (status && err)
            *err = missing;
        return status;
    }
    ob_job digests_only = *job;
    digests_only.hash = false;
    *out = (ob_job_result){0};
    status = job->digests ? ob_worker_do(out, both->standard, &digests_only, file, err) : OB_OK;
    if (!status)
        out->status = ob_fail(&out->error, OB_ENOTFOUND,
                              "%s is decoded by obhut-worker-heif, which is not installed",
                              ob_format_name(format));
    return status;
}

uint32_t ob_workers_layers(const ob_workers *both)
{
    return ob_worker_layers(both->standard);
}

void ob_workers_stop(ob_workers *both)
{
    if (!both)
        return;
    ob_worker_stop(both->standard);
    ob_worker_stop(both->heif);
    free(both);
}
