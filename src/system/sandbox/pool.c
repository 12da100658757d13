/* Workers for all formats and several clients: a process gets the files of one, since one that was
 * taken over could hand them to the next. */
#include "sandbox_priv.h"

#include <stdlib.h>
#include <unistd.h>

enum { KEPT = 4 }; /* of each program: for so many clients in turn no process is started */

/* Worker programs. Which one decodes a format is a column of the formats' table
 * (src/system/media/format.c); what none decodes is the first one's, for its digests and its
 * sentence. */
static const struct {
    const char *name; /* NULL: as the options say */
} programs[OB_PROGRAMS] = {
    [OB_PROGRAM_STANDARD] = {NULL},
    [OB_PROGRAM_HEIF] = {"obhut-worker-heif"},
};

typedef struct kept {
    ob_worker *worker; /* or NULL */
    bool used;         /* for `client`, last in turn `turn` */
    uint64_t client, turn;
} kept;

struct ob_workers {
    kept kept[OB_PROGRAMS][KEPT];
    uint64_t turn;
    ob_worker_options options;
};

bool ob_workers_have(ob_media_program program)
{
    const char *name = program < OB_PROGRAMS ? programs[program].name : NULL;
    char *path = process_find(name ? name : "obhut-worker");
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

static ob_status get(ob_worker **out, ob_workers *w, ob_media_program program, uint64_t client,
                     ob_error *err)
{
    kept *best = w->kept[program];
    for (kept *k = best; k < w->kept[program] + KEPT; k++)
        if (cost(k, client) < cost(best, client))
            best = k;
    ob_worker_options options = w->options;
    if (programs[program].name)
        options.program = programs[program].name;
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
    ob_status status = ob_worker_start(&w->kept[OB_PROGRAM_STANDARD][0].worker, options, err);
    if (status)
        ob_workers_stop(w);
    else
        *out = w;
    return status;
}

static ob_status do_with(ob_job_result *out, ob_workers *w, ob_media_program program,
                         const ob_job *job, int file, ob_error *err)
{
    ob_worker *worker;
    ob_status status = get(&worker, w, program, job->client, err);
    return status ? status : ob_worker_do(out, worker, job, file, err);
}

static ob_format format_of(int file)
{
    uint8_t first[OB_MEDIA_SNIFF];
    ssize_t got = pread(file, first, sizeof first, 0);
    return ob_media_sniff(first, got > 0 ? (size_t)got : 0);
}

/* The program that decodes this format is not installed: its digests are made all the same. */
static ob_status do_without(ob_job_result *out, ob_workers *w, ob_format format, const ob_job *job,
                            int file, ob_error *err)
{
    ob_job digests_only = *job;
    digests_only.wants[OB_EXTRACT_PDQ] = digests_only.wants[OB_EXTRACT_FILE] = 0;
    *out = (ob_job_result){0};
    ob_status status = job->wants[OB_EXTRACT_DIGESTS]
                           ? do_with(out, w, OB_PROGRAM_STANDARD, &digests_only, file, err)
                           : OB_OK;
    if (!status)
        out->status =
            ob_fail(&out->error, OB_EUNSUPPORTED, "%s is decoded by %s, which is not installed",
                    ob_format_name(format), programs[ob_format_at(format)->program].name);
    return status;
}

ob_status ob_workers_do(ob_job_result *out, ob_workers *w, const ob_job *job, int file,
                        ob_error *err)
{
    const bool decodes = job->wants[OB_EXTRACT_PDQ] || job->wants[OB_EXTRACT_FILE];
    const ob_format format = decodes ? format_of(file) : OB_FORMAT_UNKNOWN;
    const ob_media_program program = ob_format_at(format)->program;
    if (program <= OB_PROGRAM_STANDARD)
        return do_with(out, w, OB_PROGRAM_STANDARD, job, file, err);
    ob_error missing = {0};
    ob_status status = do_with(out, w, program, job, file, &missing);
    if (status == OB_ENOTFOUND)
        return do_without(out, w, format, job, file, err);
    if (status && err)
        *err = missing;
    return status;
}

uint32_t ob_workers_layers(const ob_workers *w)
{
    return ob_worker_layers(w->kept[OB_PROGRAM_STANDARD][0].worker);
}

void ob_workers_stop(ob_workers *w)
{
    if (!w)
        return;
    for (int program = 0; program < OB_PROGRAMS; program++)
        for (int i = 0; i < KEPT; i++)
            ob_worker_stop(w->kept[program][i].worker);
    free(w);
}
