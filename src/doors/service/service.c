/* Opening and closing, in the one order that works. */
#include <obhut/service.h>

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { STEP_MS = 50 };

/* A process that was killed a moment ago may still be on its way out. */
static ob_status own_lists(ob_lists **out, const ob_service_options *o, ob_error *err)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    ob_status status = ob_lists_own_unchecked(out, o->dir, err);
    for (unsigned waited = 0; status == OB_EBUSY && waited < o->patience_ms; waited += STEP_MS) {
        nanosleep(&step, NULL);
        status = ob_lists_own_unchecked(out, o->dir, err);
    }
    return status;
}

/* ---- Lists and records know each other ------------------------------------------------------- */

static ob_lists_bound to_lists(const ob_acts_lists *from)
{
    ob_lists_bound out = {.changes = from->changes};
    _Static_assert(sizeof out.sum == sizeof from->sum, "the same");
    memcpy(out.sum, from->sum, sizeof out.sum);
    return out;
}

static ob_status set_known_lists(void *context, const ob_lists_bound *now, ob_error *err)
{
    ob_acts_lists known = {.changes = now->changes};
    memcpy(known.sum, now->sum, sizeof known.sum);
    return ob_acts_lists_set(context, &known, err);
}

static ob_status bind_lists(const ob_service *s, ob_error *err)
{
    bool is_known = false;
    ob_acts_lists known = {0};
    ob_status status =
        ob_acts_lists_known(&is_known, &known, s->store, ob_lists_dir(s->lists), err);
    const ob_lists_bound bound = to_lists(&known);
    return status
               ? status
               : ob_lists_bind(s->lists, is_known ? &bound : NULL, set_known_lists, s->acts, err);
}

ob_status ob_service_compare_lists(const char *dir, const ob_acts_lists *known, ob_error *err)
{
    const ob_lists_bound bound = to_lists(known);
    return ob_lists_compare(dir, &bound, err);
}

/* ---- Strangers ------------------------------------------------------------------------------- */

unsigned ob_service_stranger(ob_service *s, int64_t now)
{
    enum { MINUTE_S = 60 };
    long long last = atomic_load(&s->stranger_at);
    atomic_fetch_add(&s->strangers, 1);
    const bool is_time = now < last || now - last >= MINUTE_S;
    return is_time && atomic_compare_exchange_strong(&s->stranger_at, &last, now)
               ? atomic_exchange(&s->strangers, 0)
               : 0;
}

/* Those that came since the last entry. */
static void log_strangers(ob_service *s)
{
    const unsigned count = atomic_exchange(&s->strangers, 0);
    if (!count || !s->acts)
        return;
    ob_entry *members = ob_entry_new();
    ob_entry_text(members, "by", "unknown");
    ob_entry_number(members, "count", count);
    ob_acts_log(NULL, s->acts, "refused", NULL, members, NULL);
}

/* ---- The engine ------------------------------------------------------------------------------ */

static const ob_policy default_policy = OB_POLICY_DEFAULT;

static ob_status open_engine(ob_service *s, const ob_engine_options *like, ob_error *err)
{
    ob_engine_options options = *like;
    options.lists = s->lists;
    options.store = s->store;
    options.acts = s->acts;
    if (!options.policy)
        options.policy = &default_policy;
    s->policy = options.policy;
    return ob_engine_open(&s->engine, &options, err);
}

ob_status ob_service_need_engine(ob_service *service, ob_error *err)
{
    static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&opening);
    ob_status status = service->engine ? OB_OK : open_engine(service, &(ob_engine_options){0}, err);
    pthread_mutex_unlock(&opening);
    return status;
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* What only a service needs: commands where none runs leave it alone. */
static ob_status serve(ob_service *s, const ob_service_options *o, ob_error *err)
{
    ob_status status = ob_lists_maintain(s->lists, o->problem, o->context, err);
    if (!status)
        status = ob_staff_open(&s->staff, s->store, s->acts, err);
    if (!status)
        status = ob_staff_need_own_token(&s->made_token, s->staff, o->dir, err);
    return status ? status : open_engine(s, o->engine, err);
}

ob_status ob_service_open(ob_service *out, const ob_service_options *o, ob_error *err)
{
    ob_service s = {.lists = NULL};
    ob_status status = own_lists(&s.lists, o, err);
    if (!status)
        status = ob_store_expect(o->dir, o->records, err);
    if (!status)
        status = ob_store_open(&s.store, o->dir, o->records, err);
    if (!status)
        status = ob_engine_audit(&s.audit, s.store, o->dir, o->problem, o->context, err);
    if (!status)
        status = ob_acts_open(&s.acts, s.store, s.audit, o->dir, err);
    if (!status)
        status = bind_lists(&s, err);
    if (!status && o->engine)
        status = serve(&s, o, err);
    if (status) {
        ob_service_stop(&s, NULL);
        ob_service_close(&s, NULL);
    } else {
        *out = s;
    }
    return status;
}

void ob_service_stop(ob_service *s, const char *entry)
{
    ob_engine_close(s->engine);
    log_strangers(s);
    if (entry)
        ob_acts_log(NULL, s->acts, entry, NULL, NULL, NULL);
    ob_lists_unbind(s->lists);
    ob_staff_close(s->staff);
    ob_acts_close(s->acts);
    s->engine = NULL;
    s->staff = NULL;
    s->acts = NULL;
}

ob_status ob_service_close(ob_service *s, ob_error *err)
{
    ob_status status = ob_audit_close(s->audit, err);
    ob_store_close(s->store);
    ob_lists_close(s->lists);
    *s = (ob_service){.lists = NULL};
    return status;
}
