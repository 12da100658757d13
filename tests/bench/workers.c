/* What the sandbox costs: a worker against the same work in this process, in turns. */
#include "bench.h"

#include <obhut/sandbox.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct job {
    const uint8_t *bytes;
    size_t size;
    int file;
    ob_worker *worker;
    uint64_t client;
} job;

static void hash_here(void *context)
{
    job *j = context;
    const ob_media_options options = {0};
    ob_media_result result;
    if (ob_media_hash(&result, j->bytes, j->size, &options, NULL))
        abort();
}

static void hash_in_worker(void *context)
{
    job *j = context;
    const ob_job task = {.wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH},
                         .permit = ob_own_files_permit,
                         .size = j->size,
                         .client = j->client};
    ob_job_result result;
    if (ob_worker_do(&result, j->worker, &task, j->file, NULL) || result.status)
        abort();
}

/* As if each were another client's. */
static void hash_in_new_process(void *context)
{
    job *j = context;
    j->client++;
    hash_in_worker(j);
}

/* Pictures a second when every processor has one to hash. */
static double rate(void (*work)(void *context), job *jobs, int threads, int times)
{
    void *contexts[16];
    for (int i = 0; i < threads; i++)
        contexts[i] = &jobs[i];
    return threads / bench_threads(work, contexts, threads, times);
}

static double once(void (*work)(void *context), job *j)
{
    double started = bench_now();
    work(j);
    return bench_now() - started;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void bench_workers(const char *dir)
{
    enum { TIMES = 401 };
    static double here[TIMES], there[TIMES];
    char path[512];
    const ob_worker_options options = {0};
    ob_error err = {0};
    job j = {0};
    printf("\nworkers (reference: the same hashing in the own process)\n");
    ob_worker *second = NULL;
    if (ob_worker_start(&j.worker, &options, &err) || ob_worker_start(&second, &options, &err)) {
        printf("  %s\n", err.text);
        return;
    }
    static const char *const names[] = {"0.3", "1.0", "1.6", "12"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat info;
        snprintf(path, sizeof path, "%s/%s-0.jpg", dir, names[i]);
        j.file = open(path, O_RDONLY | O_CLOEXEC);
        if (j.file < 0 || fstat(j.file, &info)) {
            printf("  %s is missing\n", path);
            continue;
        }
        j.size = (size_t)info.st_size;
        void *map = mmap(NULL, j.size, PROT_READ, MAP_PRIVATE, j.file, 0);
        j.bytes = map;
        int times = i == 3 ? 51 : TIMES;
        for (int k = 0; k < times; k++) {
            here[k] = once(hash_here, &j);
            there[k] = once(hash_in_worker, &j);
        }
        qsort(here, (size_t)times, sizeof *here, by_value);
        qsort(there, (size_t)times, sizeof *there, by_value);
        double a = here[times / 2], b = there[times / 2];
        job two[2] = {j, j};
        two[1].worker = second;
        double alone = 0, worked = 0, anew = 0;
        for (int round = 0; round < 5; round++) {
            double one = rate(hash_here, two, 2, times / 4);
            double other = rate(hash_in_worker, two, 2, times / 4);
            alone = one > alone ? one : alone;
            worked = other > worked ? other : worked;
            double third = rate(hash_in_new_process, two, 2, times / 8 + 1);
            anew = third > anew ? third : anew;
        }
        printf("  %10.3f x the time for %s megapixels, both processors busy: %.1f/s in workers, "
               "%.1f/s without; one at a time, both idle before: %.2f ms and %.3f ms more\n",
               alone / worked, names[i], worked, alone, a * 1e3, (b - a) * 1e3);
        printf("  %10.3f x the time with a new process for each: %.1f/s\n", alone / anew, anew);
        munmap(map, j.size);
        close(j.file);
    }
    ob_worker_stop(j.worker);
    ob_worker_stop(second);
}
