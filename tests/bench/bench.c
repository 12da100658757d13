#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { MOST = 1001 };

double bench_median(void (*work)(void *context), void *context, int times)
{
    double seconds[MOST], sum = 0;
    int done = 0;
    work(context); /* warm */
    while (done < MOST && (done < times || sum < 0.5)) {
        double started = bench_now();
        work(context);
        seconds[done] = bench_now() - started;
        sum += seconds[done++];
    }
    qsort(seconds, (size_t)done, sizeof *seconds, by_value);
    return seconds[done / 2];
}

typedef struct runner {
    void (*work)(void *context);
    void *context;
    int times;
} runner;

static void *run(void *argument)
{
    const runner *r = argument;
    for (int i = 0; i < r->times; i++)
        r->work(r->context);
    return NULL;
}

double bench_threads(void (*work)(void *context), void *const *contexts, int threads, int times)
{
    pthread_t thread[16];
    runner runners[16];
    double started = bench_now();
    for (int i = 0; i < threads; i++) {
        runners[i] = (runner){work, contexts[i], times};
        if (pthread_create(&thread[i], NULL, run, &runners[i]))
            abort();
    }
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return (bench_now() - started) / times;
}

uint64_t bench_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static void print_machine(void)
{
    char line[256], model[200] = "unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "model name", 10) && strchr(line, ':')) {
            snprintf(model, sizeof model, "%s", strchr(line, ':') + 2);
            model[strcspn(model, "\n")] = '\0';
            break;
        }
    if (file)
        fclose(file);
    printf("machine: %s, %s kernels\n", model, ob_isa_name(ob_isa_best()));
}

/* The files of the year 2024 at the largest clearinghouse. */
#define LARGE UINT64_C(62900000)

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool large = argc > 2 && !strcmp(argv[2], "large");
    print_machine();
    if (large) {
        bench_index(LARGE, false);
        bench_digests(LARGE);
        return 0;
    }
    const char *dir = argc > 1 ? argv[1] : "build/bench-pictures";
    const char *part = argc > 2 ? argv[2] : "";
    if (!strcmp(part, "pictures")) {
        bench_pictures(dir);
        bench_looks(dir);
        return 0;
    }
    if (!strcmp(part, "workers")) {
        bench_workers(dir);
        return 0;
    }
    if (!strcmp(part, "gate")) {
        bench_gate();
        return 0;
    }
    if (!strcmp(part, "records")) {
        bench_records();
        return 0;
    }
    if (!strcmp(part, "lists")) {
        bench_lists(3000000);
        return 0;
    }
    if (!strcmp(part, "audit")) {
        bench_audit();
        return 0;
    }
    if (strcmp(part, "index")) {
        bench_pictures(dir);
        bench_looks(dir);
        bench_workers(dir);
        bench_gate();
        bench_records();
        bench_audit();
    }
    bench_linear(1000000);
    bench_linear(10000000);
    bench_index(1000000, true);
    bench_index(10000000, true);
    bench_adversarial(1000000);
    bench_digests(1000000);
    bench_digests(10000000);
    bench_lists(3000000);
    return 0;
}
