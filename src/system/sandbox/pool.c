/* Workers for all formats and several clients: a process gets the files of one, since one that was
 * taken over could hand them to the next. */
#include "sandbox_priv.h"

#include <stdlib.h>
#include <unistd.h>

enum { STANDARD, HEIF, PROGRAMS };
enum { KEPT = 4 }; /* of each program: for so many clients in turn no process is started */

static const char heif_program[] = "obhut-worker-heif";

typedef struct kept {
    ob_worker *worker; /* or NULL */
    bool used;         /* for `client`, last in turn `turn` */
    uint64_t client, turn;
} kept;

struct ob_workers {
    kept kept[PROGRAMS][KEPT];
    uint64_t turn;
    ob_worker_options options;
};

bool ob_workers_have_heif(void)
{
    char *path = process_find(heif_program);
    free(path);
    return path != NULL;
}

/* How well a place suits a client: its own, else one that nobody has used, else the oldest. */
static uint64_t cost(const kept *k, uint64_t client)
{
    if (!k->used)
        return k->worker ? 1 : 2;
    return k->client == client ? 0 : 3 + k->turn;
}

static ob_status get(ob_worker **out, ob_workers *w, int program, uint64_t client, ob_error *err)
{
    kept *best = w->kept[program];
    for (kept *k = best; k < w->kept[program] + KEPT; k++)
        if (cost(k, client) < cost(best, client))
            best = k;
    ob_worker_options options = w->options;
    if (program == HEIF)
        options.program = heif_program;
    ob_status status = best->worker ? OB_OK : ob_worker_start(&best->worker, &options, err);
    if (status)
        return status;
    best->used = true;
    best->client = client;
    best->turn = ++w->turn;
    *out = best->worker;
    return OB_OK;
}

ob_status ob_workers_start(ob_workers **out, const ob_worker_options *options, ob_error *err)
{
    ob_workers *w = calloc(1, sizeof *w);
    if (!w)
        return ob_fail(err, OB_ENOMEM, "out of memory: workers");
    w->options = *options;
    ob_status status = ob_worker_start(&w->kept[STANDARD][0].worker, options, err);
    if (status)
        ob_workers_stop(w);
    else
        *out = w;
    return status;
}

static ob_status do_with(ob_job_result *out, ob_workers *w, int program, const ob_job *job,
                         int file, ob_error *err)
{
    ob_worker *worker;
    ob_status status = get(&worker, w, program, job->client, err);
    return status ? status : ob_worker_do(out, worker, job, file, err);
}

ob_status ob_workers_do(ob_job_result *out, ob_workers *w, const ob_job *job, int file,
                        ob_error *err)
{
    uint8_t first[OB_MEDIA_SNIFF];
    ssize_t got = pread(file, first, sizeof first, 0);
    ob_format format = ob_media_sniff(first, got > 0 ? (size_t)got : 0);
    if (!job->hash || !ob_format_is_heif(format))
        return do_with(out, w, STANDARD, job, file, err);
    ob_error missing = {0};
    ob_status status = do_with(out, w, HEIF, job, file, &missing);
    if (status != OB_ENOTFOUND) {
        if (status && err)
            *err = missing;
        return status;
    }
    ob_job digests_only = *job;
    digests_only.hash = false;
    *out = (ob_job_result){0};
    status = job->digests ? do_with(out, w, STANDARD, &digests_only, file, err) : OB_OK;
    if (!status)
        out->status = ob_fail(&out->error, OB_EUNSUPPORTED,
                              "%s is decoded by obhut-worker-heif, which is not installed",
                              ob_format_name(format));
    return status;
}

uint32_t ob_workers_layers(const ob_workers *w)
{
    return ob_worker_layers(w->kept[STANDARD][0].worker);
}

void ob_workers_stop(ob_workers *w)
{
    if (!w)
        return;
    for (int program = 0; program < PROGRAMS; program++)
        for (int i = 0; i < KEPT; i++)
            ob_worker_stop(w->kept[program][i].worker);
    free(w);
}
