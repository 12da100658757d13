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
    CHUNK = 256 << 10,
    MAX_THREADS = 256,
};

/* One file on its way. FREE → WAITING (the walker) → DONE (a worker) → FREE (told of). */
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
    uint64_t added, taken, told;
    bool closed;
} pipeline;

/* ---- One file ----------------------------------------------------------------------------- */

static bool has_picture_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") ||
                   !strcasecmp(dot, ".jpe") || !strcasecmp(dot, ".png"));
}

/* Reads the whole file into `bytes`, through the digester where there is one. OB_EFORMAT when the
 * first bytes are not a picture's: then with `every` the digester has all of it, and *skipped is
 * set when the file was only walked over. */
static ob_status read_file(bool *skipped, ob_buf *bytes, int file, const slot *slot, bool every,
                           ob_digester *digester, ob_error *err)
{
    struct stat info;
    if (fstat(file, &info))
        return ob_fail(err, OB_EIO, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return ob_fail(err, OB_EINVAL, "not a regular file");
    bool first = true, is_picture = true;
    bytes->size = 0;
    for (;;) {
        ob_status status = ob_buf_reserve(bytes, CHUNK, err);
        if (status)
            return status;
        ssize_t got = read(file, bytes->bytes + bytes->size, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ob_fail(err, OB_EIO, "cannot be read: %s", strerror(errno));
        if (got == 0)
            break;
        if (first) {
            first = false;
            is_picture =
                ob_media_sniff((const uint8_t *)bytes->bytes, (size_t)got) != OB_FORMAT_UNKNOWN;
            *skipped = !is_picture && slot->walked && !has_picture_name(slot->path);
            if (!is_picture && !every)
                break;
            if (is_picture && (uint64_t)info.st_size > PICTURES_MAX_FILE)
                return ob_fail(err, OB_ELIMIT, "%lld bytes; pictures of up to %llu bytes are read",
                               (long long)info.st_size, (unsigned long long)PICTURES_MAX_FILE);
        }
        if (digester)
            status = ob_digester_add(digester, bytes->bytes + bytes->size, (size_t)got, err);
        if (status)
            return status;
        bytes->size += is_picture ? (size_t)got : 0;
        if (bytes->size > PICTURES_MAX_FILE)
            return ob_fail(err, OB_ELIMIT, "grew over %llu bytes while it was read",
                           (unsigned long long)PICTURES_MAX_FILE);
    }
    if (first) {
        *skipped = slot->walked && !has_picture_name(slot->path);
        return ob_fail(err, OB_EFORMAT, "an empty file");
    }
    return is_picture ? OB_OK : ob_fail(err, OB_EFORMAT, "not a JPEG or PNG picture");
}

static ob_status hash_file(slot *slot, const pictures_options *options, ob_buf *bytes,
                           ob_digester *digester, ob_error *err)
{
    picture *picture = &slot->picture;
    /* Not to wait for the other end when it is a pipe. */
    int file = open(slot->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return ob_fail(err, OB_EIO, "cannot be opened: %s", strerror(errno));
    ob_status status = digester ? ob_digester_reset(digester, err) : OB_OK;
    if (!status)
        status = read_file(&slot->skipped, bytes, file, slot, options->other_files, digester, err);
    if (digester && (!status || (status == OB_EFORMAT && options->other_files)))
        picture->digested = !ob_digester_finish(&picture->digests, digester, NULL);
    if (!status)
        status = ob_media_hash(&picture->result, (const uint8_t *)bytes->bytes, bytes->size,
                               &options->media, err);
    close(file);
    return status;
}

/* ---- Workers ------------------------------------------------------------------------------ */

static void *work(void *argument)
{
    pipeline *p = argument;
    ob_buf bytes = {0};
    ob_digester *digester = NULL;
    ob_error no_digester = {0};
    if (p->options->digests)
        ob_digester_new(&digester, &no_digester);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->taken == p->added && !p->closed)
            pthread_cond_wait(&p->waiting, &p->lock);
        if (p->taken == p->added)
            break;
        slot *slot = &p->slots[p->taken++ % SLOTS];
        pthread_mutex_unlock(&p->lock);
        if (p->options->digests && !digester) {
            slot->picture.error = no_digester;
            slot->picture.status = no_digester.status;
        } else {
            slot->picture.status =
                hash_file(slot, p->options, &bytes, digester, &slot->picture.error);
        }
        pthread_mutex_lock(&p->lock);
        slot->state = SLOT_DONE;
        pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    ob_digester_free(digester);
    ob_buf_free(&bytes);
    return NULL;
}

static unsigned processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* ---- The calling thread: walks and tells --------------------------------------------------- */

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

/* Tells of finished files in their order, until at most `left` are on their way. */
static void tell(teller *t, uint64_t left)
{
    pipeline *p = t->pipeline;
    pthread_mutex_lock(&p->lock);
    while (p->told < p->added) {
        slot *slot = &p->slots[p->told % SLOTS];
        if (slot->state != SLOT_DONE) {
            if (p->added - p->told <= left)
                break;
            pthread_cond_wait(&p->done, &p->lock);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        slot->picture.path = slot->path;
        slot->picture.skipped = slot->skipped;
        if (slot->skipped) {
            t->count.skipped++;
            if (slot->picture.digested)
                t->each(t->context, &slot->picture);
        } else {
            *(slot->picture.status ? &t->count.failed : &t->count.hashed) += 1;
            t->each(t->context, &slot->picture);
        }
        free(slot->path);
        show_progress(t);
        pthread_mutex_lock(&p->lock);
        slot->state = SLOT_FREE;
        p->told++;
    }
    pthread_mutex_unlock(&p->lock);
}

/* Takes a copy of `path`; `problem` is set when the walk itself failed there. */
static ob_status add(teller *t, const char *path, bool walked, int problem, ob_error *err)
{
    pipeline *p = t->pipeline;
    tell(t, SLOTS - 1);
    char *copy = strdup(path);
    if (!copy)
        return ob_fail(err, OB_ENOMEM, "out of memory: a file's name");
    if (problem) { /* goes the way of the others so that the order holds */
        tell(t, 0);
        picture failed = {.path = path, .status = OB_EIO};
        ob_fail(&failed.error, OB_EIO, "cannot be read: %s", strerror(problem));
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
        tell(&t, 0);

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
