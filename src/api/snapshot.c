/* Pages and figures that anybody may ask for as often as they like: made at most once a second,
 * by one, for all who ask meanwhile. */
#include "api_priv.h"

#include <time.h>

enum { FRESH_MS = 1000 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void snapshot_init(snapshot *s)
{
    *s = (snapshot){.made_ms = -1};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->made, NULL);
}

void snapshot_end(snapshot *s)
{
    pthread_cond_destroy(&s->made);
    pthread_mutex_destroy(&s->lock);
    ob_buf_free(&s->bytes);
}

static bool is_fresh(const snapshot *s)
{
    return s->made_ms >= 0 && now_ms() - s->made_ms < FRESH_MS;
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
    s->made_ms = now_ms();
    return OB_OK;
}

ob_status snapshot_get(ob_buf *out, snapshot *s, snapshot_make make, void *context, ob_error *err)
{
    ob_status status = OB_OK;
    pthread_mutex_lock(&s->lock);
    while (!status && !is_fresh(s)) {
        if (s->making)
            pthread_cond_wait(&s->made, &s->lock);
        else
            status = renew(s, make, context, err);
    }
    if (!status)
        status = ob_buf_append(out, s->bytes.bytes, s->bytes.size, err);
    pthread_mutex_unlock(&s->lock);
    return status;
}
