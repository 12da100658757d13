/* Hashes or scans many files on several threads, and shows the results in the order of the files.
 */
#include "pictures.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS = 64, /* files on their way at once */
    MAX_THREADS = 256,
};

/* One file on its way. FREE → WAITING (the walker) → DONE (a worker) → FREE (shown). */
typedef struct slot {
    enum { SLOT_FREE, SLOT_WAITING, SLOT_DONE } state;
    bool walked; /* found in a directory, not named by the user */
    bool skipped;
    char *path;
    picture picture;
} slot;

/* A ring: slots told..taken-1 are being worked on, taken..added-1 wait. */
typedef struct pipeline {
    const pictures_options *options;
    pthread_mutex_t lock;
    pthread_cond_t waiting, done;
    slot slots[SLOTS];
    uint64_t added, taken, shown;
    bool closed;
} pipeline;

/* ---- One file -------------------------------------------------------------------------------- */

static bool has_picture_name(const char *path)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".jpe",  ".png",  ".webp", ".gif",
                                       ".tif", ".tiff", ".avif", ".heic", ".heif", ".bmp",
                                       ".ico", ".cur",  ".jxl",  ".svg"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
        if (!strcasecmp(dot, ends[i]))
            return true;
    return false;
}

/* What there is to do with an open file. OB_ENOTFOUND: no picture, and nothing else is wanted. */
static ob_status plan(ob_job *job, slot *slot, const pictures_options *options, int file,
                      ob_error *err)
{
    struct stat info;
    uint8_t first[OB_MEDIA_SNIFF];
    if (fstat(file, &info))
        return ob_fail(err, OB_EIO, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return ob_fail(err, OB_EINVAL, "not a regular file");
    ssize_t got = pread(file, first, sizeof first, 0);
    if (got < 0)
        return ob_fail(err, OB_EIO, "cannot be read: %s", strerror(errno));
    bool is_picture = ob_media_sniff(first, (size_t)got) != OB_FORMAT_UNKNOWN;
    slot->skipped = !is_picture && slot->walked && !has_picture_name(slot->path);
    if (got == 0)
        return ob_fail(err, OB_EFORMAT, "an empty file");
    if (!is_picture && !(options->other_files && options->digests))
        return ob_fail(err, OB_ENOTFOUND, "no picture of a format that is known");
    if (is_picture && (uint64_t)info.st_size > PICTURES_MAX_FILE)
        return ob_fail(err, OB_ELIMIT, "%lld bytes; pictures of up to %llu bytes are read",
                       (long long)info.st_size, (unsigned long long)PICTURES_MAX_FILE);
    *job = (ob_job){.permit = ob_own_files_permit,
                    .wants = {[OB_EXTRACT_PDQ] = is_picture ? OB_OWN_WISH : 0,
                              [OB_EXTRACT_DIGESTS] = options->digests ? OB_OWN_WISH : 0},
                    .digests = options->digests,
                    .size = (uint64_t)info.st_size,
                    .media = options->media};
    return OB_OK;
}

static ob_status hash_file(slot *slot, const pictures_options *options, ob_workers *workers,
                           ob_error *err)
{
    /* Not to wait for the other end when it is a pipe. */
    int file = open(slot->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return ob_fail(err, OB_EIO, "cannot be opened: %s", strerror(errno));
    ob_job job;
    ob_status status = plan(&job, slot, options, file, err);
    if (!status && options->ask)
        status = options->ask(options->context, &slot->picture, file, err);
    else if (!status)
        status = ob_workers_do(&slot->picture.job, workers, &job, file, err);
    close(file);
    if (status || options->ask || slot->picture.job.status || job.wants[OB_EXTRACT_PDQ])
        return status;
    slot->picture.job.status =
        ob_fail(&slot->picture.job.error, OB_ENOTFOUND, "no picture of a format that is known");
    return OB_OK;
}

/* ---- Workers --------------------------------------------------------------------------------- */

static void on_problem(void *context, const char *sentence)
{
    (void)context;
    cli_say("%s", sentence);
}

static void *work(void *argument)
{
    pipeline *p = argument;
    const ob_worker_options options = {.problem = on_problem};
    ob_workers *workers = NULL;
    ob_error none = {0};
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->taken == p->added && !p->closed)
            pthread_cond_wait(&p->waiting, &p->lock);
        if (p->taken == p->added)
            break;
        slot *slot = &p->slots[p->taken++ % SLOTS];
        pthread_mutex_unlock(&p->lock);
        if (!p->options->ask && !workers && !none.status) /* few files need few of them */
            ob_workers_start(&workers, &options, &none);
        ob_error problem = none;
        slot->picture.path = slot->path;
        if ((!workers && !p->options->ask) || hash_file(slot, p->options, workers, &problem))
            slot->picture.job =
                (ob_job_result){.status = problem.status ? problem.status : none.status,
                                .error = problem.status ? problem : none};
        pthread_mutex_lock(&p->lock);
        slot->state = SLOT_DONE;
        pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    ob_workers_stop(workers);
    return NULL;
}

static unsigned processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* ---- The calling thread: walks and tells ----------------------------------------------------- */

typedef struct teller {
    pipeline *pipeline;
    pictures_count count;
    void (*each)(void *context, const picture *picture);
    void *context;
    struct timespec shown;
} teller;

static void show_progress(teller *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double since =
        (double)(now.tv_sec - t->shown.tv_sec) + (double)(now.tv_nsec - t->shown.tv_nsec) * 1e-9;
    if (since < 0.2)
        return;
    t->shown = now;
    char text[128];
    snprintf(text, sizeof text, "%llu pictures, %llu failed, %llu other files",
             (unsigned long long)t->count.hashed, (unsigned long long)t->count.failed,
             (unsigned long long)t->count.skipped);
    cli_progress(text);
}

/* Shows finished files in their order, until at most `left` are on their way. */
static void show(teller *t, uint64_t left)
{
    pipeline *p = t->pipeline;
    pthread_mutex_lock(&p->lock);
    while (p->shown < p->added) {
        slot *slot = &p->slots[p->shown % SLOTS];
        if (slot->state != SLOT_DONE) {
            if (p->added - p->shown <= left)
                break;
            pthread_cond_wait(&p->done, &p->lock);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        slot->picture.path = slot->path;
        slot->picture.skipped = slot->skipped;
        if (slot->skipped) {
            t->count.skipped++;
            if (slot->picture.job.digested || slot->picture.answer)
                t->each(t->context, &slot->picture);
        } else {
            *(slot->picture.job.status ? &t->count.failed : &t->count.hashed) += 1;
            t->each(t->context, &slot->picture);
        }
        json_decref(slot->picture.answer);
        free(slot->path);
        show_progress(t);
        pthread_mutex_lock(&p->lock);
        slot->state = SLOT_FREE;
        p->shown++;
    }
    pthread_mutex_unlock(&p->lock);
}

/* Takes a copy of `path`; `problem` is set when the walk itself failed there. */
static ob_status add(teller *t, const char *path, bool walked, int problem, ob_error *err)
{
    pipeline *p = t->pipeline;
    show(t, SLOTS - 1);
    char *copy = strdup(path);
    if (!copy)
        return ob_fail(err, OB_ENOMEM, "out of memory: a file's name");
    if (problem) { /* goes the way of the others so that the order holds */
        show(t, 0);
        picture failed = {.path = path, .job.status = OB_EIO};
        ob_fail(&failed.job.error, OB_EIO, "cannot be read: %s", strerror(problem));
        t->count.failed++;
        t->each(t->context, &failed);
        free(copy);
        return OB_OK;
    }
    pthread_mutex_lock(&p->lock);
    p->slots[p->added++ % SLOTS] = (slot){.state = SLOT_WAITING, .walked = walked, .path = copy};
    pthread_cond_signal(&p->waiting);
    pthread_mutex_unlock(&p->lock);
    return OB_OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static ob_status walk(teller *t, char *path, ob_error *err)
{
    char *const paths[] = {path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (!tree)
        return ob_fail(err, OB_EIO, "the files cannot be walked: %s", strerror(errno));
    ob_status status = OB_OK;
    FTSENT *entry;
    while (!status && (errno = 0, entry = fts_read(tree)) != NULL) {
        bool walked = entry->fts_level > FTS_ROOTLEVEL;
        switch (entry->fts_info) {
        case FTS_F:
            status = add(t, entry->fts_path, walked, 0, err);
            break;
        case FTS_DEFAULT: /* pipes, sockets, devices */
        case FTS_SL:
            if (walked)
                t->count.skipped++;
            else
                status = add(t, entry->fts_path, walked, 0, err);
            break;
        case FTS_SLNONE:
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            status =
                add(t, entry->fts_path, walked, entry->fts_errno ? entry->fts_errno : ENOENT, err);
            break;
        default:
            break;
        }
    }
    if (!status && errno)
        status = ob_fail(err, OB_EIO, "the files cannot be walked: %s", strerror(errno));
    fts_close(tree);
    return status;
}

ob_status pictures_each(pictures_count *out, char *const *paths, const pictures_options *options,
                        void (*each)(void *context, const picture *picture), void *context,
                        ob_error *err)
{
    pthread_t threads[MAX_THREADS];
    unsigned wanted = options->threads ? options->threads : processors(), started = 0;
    if (wanted > MAX_THREADS)
        wanted = MAX_THREADS;
    pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return ob_fail(err, OB_ENOMEM, "out of memory: the queue of files");
    p->options = options;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->waiting, NULL);
    pthread_cond_init(&p->done, NULL);
    teller t = {.pipeline = p, .each = each, .context = context};

    ob_status status = OB_OK;
    while (started < wanted && !pthread_create(&threads[started], NULL, work, p))
        started++;
    if (!started)
        status = ob_fail(err, OB_ENOMEM, "no thread could be started");
    for (; *paths && !status; paths++)
        status = walk(&t, *paths, err);
    if (started)
        show(&t, 0);

    pthread_mutex_lock(&p->lock);
    p->closed = true;
    pthread_cond_broadcast(&p->waiting);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->waiting);
    pthread_mutex_destroy(&p->lock);
    free(p);
    cli_progress(NULL);
    *out = t.count;
    return status;
}

int pictures_summary(const pictures_count *count)
{
    if (count->failed)
        cli_say("%llu of %llu pictures could not be hashed", (unsigned long long)count->failed,
                (unsigned long long)(count->failed + count->hashed));
    if (count->skipped)
        cli_say("%llu other files are no pictures and were left out",
                (unsigned long long)count->skipped);
    return count->failed ? CLI_FAILURE : CLI_NOTHING;
}
