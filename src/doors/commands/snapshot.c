/* Pages and figures that anybody may ask for as often as they like: made at most once a second, by
 * one, for all who ask meanwhile. While that takes long, others are given the one before, and who
 * waits for the first one does not wait long: each of them has a place that somebody else needs. */
#include "services_priv.h"

#include <obhut/clock.h>

#include <errno.h>

enum {
    FRESH_MS = 1000,
    OLD_MS = 15000, /* the one before is given no longer */
    WAIT_MS = 1000, /* where there is none */
};

void snapshot_init(snapshot *s)
{
    *s = (snapshot){.made_ms = -1};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->made, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void snapshot_end(snapshot *s)
{
    pthread_cond_destroy(&s->made);
    pthread_mutex_destroy(&s->lock);
    ob_buf_free(&s->bytes);
}

static bool is_younger(const snapshot *s, int64_t ms)
{
    return s->made_ms >= 0 && ob_now_monotonic_ms() - s->made_ms < ms;
}

/* Under the lock, which it gives back meanwhile. */
static ob_status renew(snapshot *s, snapshot_make make, void *context, ob_error *err)
{
    ob_buf bytes = {0};
    s->making = true;
    pthread_mutex_unlock(&s->lock);
    ob_status status = make(&bytes, context, err);
    pthread_mutex_lock(&s->lock);
    s->making = false;
    pthread_cond_broadcast(&s->made);
    if (status) {
        ob_buf_free(&bytes);
        return status;
    }
    ob_buf_free(&s->bytes);
    s->bytes = bytes;
    s->made_ms = ob_now_monotonic_ms();
    return OB_OK;
}

/* Under the lock: until somebody has made one, or not within the time. */
static ob_status wait_for_it(snapshot *s, ob_error *err)
{
    const struct timespec until = ob_in_ms(WAIT_MS);
    int late = 0;
    while (s->making && !late)
        late = pthread_cond_timedwait(&s->made, &s->lock, &until);
    return s->making ? ob_fail(err, OB_EIO, "the records are slow: ask again later") : OB_OK;
}

ob_status snapshot_get(ob_buf *out, snapshot *s, snapshot_make make, void *context, ob_error *err)
{
    ob_status status = OB_OK;
    pthread_mutex_lock(&s->lock);
    while (!status && !is_younger(s, s->making ? OLD_MS : FRESH_MS))
        status = s->making ? wait_for_it(s, err) : renew(s, make, context, err);
    if (!status)
        status = ob_buf_append(out, s->bytes.bytes, s->bytes.size, err);
    pthread_mutex_unlock(&s->lock);
    return status;
}
