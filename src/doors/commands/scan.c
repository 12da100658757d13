/* `obhut scan`: the same path as a request to the service. */
#include "commands_priv.h"

#include <obhut/services.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Waiting --------------------------------------------------------------------------------- */

typedef struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t is_done;
    bool done;
} waiting;

static void on_done(ob_work *work)
{
    waiting *w = work->context;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->is_done);
    pthread_mutex_unlock(&w->lock);
}

static ob_status run(ob_scan *scan, ob_engine *engine, ob_error *err)
{
    waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_done = PTHREAD_COND_INITIALIZER};
    scan->work.done = on_done;
    scan->work.context = &w;
    ob_status status = ob_engine_scan(engine, scan, err);
    if (status) {
        close(scan->file.file);
        return status;
    }
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.is_done, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.is_done);
    pthread_mutex_destroy(&w.lock);
    if (scan->work.status && err)
        *err = scan->work.error;
    return scan->work.status;
}

/* ---- The request ----------------------------------------------------------------------------- */

/* Its members, as if they were the query of an HTTP request, and held to the same row. */
static ob_status describe(ob_item *item, const commands_call *call, ob_error *err)
{
    enum { FIELDS_MOST = 16 };
    const json_t *query = json_object_get(call->request, "item");
    ob_field fields[FIELDS_MOST];
    ob_request request = {.query = fields};
    const char *key, *code;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)query, key, value)
    {
        if (request.query_count < FIELDS_MOST && json_is_string(value))
            fields[request.query_count++] = (ob_field){key, json_string_value(value)};
    }
    ob_status status = ob_command_check_head(&code, ob_command_find("file.scan"), &request, err);
    return status ? status : ob_command_item(item, &code, call->service->acts, &request, err);
}

static ob_status options(ob_scan *scan, const commands_call *call, ob_error *err)
{
    const json_t *distance = json_object_get(call->request, "distance");
    scan->limit = OB_LISTS_NO_LIMIT;
    scan->file.media.exact = json_is_true(json_object_get(call->request, "exact"));
    if (json_is_true(json_object_get(call->request, "reference")))
        scan->file.media.variant = OB_PDQ_REFERENCE;
    if (!distance)
        return OB_OK;
    scan->has_distance = true;
    const json_int_t bits = json_integer_value(distance);
    scan->distance = (unsigned)bits;
    return json_is_integer(distance) && bits >= 0 && bits <= OB_PDQ_MAX_DISTANCE
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "a distance is from 0 to %d", OB_PDQ_MAX_DISTANCE);
}

ob_status commands_scan(json_t **out, const commands_call *call, ob_error *err)
{
    struct stat info;
    ob_scan scan = {.file.file = -1};
    if (call->file < 0 || fstat(call->file, &info) || !S_ISREG(info.st_mode))
        return ob_fail(err, OB_EINVAL, "a regular file is needed");
    scan.file.size = (uint64_t)info.st_size;
    ob_status status = ob_service_need_engine(call->service, err);
    if (!status)
        status = describe(&scan.work.item, call, err);
    if (!status)
        status = options(&scan, call, err);
    if (status)
        return status;
    scan.file.file = fcntl(call->file, F_DUPFD_CLOEXEC, 3);
    if (scan.file.file < 0)
        return ob_fail(err, OB_EIO, "the file cannot be kept open: %s", strerror(errno));
    status = run(&scan, call->service->engine, err);
    if (!status)
        *out =
            ob_services_scan(&scan, ob_engine_detectors(call->service->engine),
                             scan.has_distance ? scan.distance : call->service->policy->distance);
    ob_scan_clear(&scan);
    return status;
}
